//! A session and a virtual plotter in one loop, jumping from event to event.

use std::collections::VecDeque;
use std::pin::pin;
use std::time::{Duration, Instant};

use super::{Log, Outcome};
use crate::machine::Profile;
use crate::protocol::{self, Event, Program};
use crate::sim;

/// Bits on the wire for each byte: start, eight, stop.
const BITS: f64 = 10.0;

/// Runs `program` to its end on a fresh plotter. `pace` is times real time; `None`: as fast as it can.
pub(super) async fn run(
    program: Program,
    profile: &Profile,
    pace: Option<f64>,
    stop: impl Future<Output = ()>,
    mut on_event: impl FnMut(&Event),
) -> Outcome {
    let began = Instant::now();
    let mut stop = pin!(stop);
    let mut stopping = false;
    let (mut session, mut plotter) = (protocol::session(program, profile), sim::plotter(profile));
    let (mut now, mut log, mut wire) = (Duration::ZERO, Log::default(), VecDeque::new());
    let mut wire_free = Duration::ZERO;
    loop {
        // Replies take no time: they are a few bytes each, and never what a plotter waits for.
        let said = plotter.poll_output();
        if !said.is_empty() {
            session.handle_bytes(now, &said);
        }
        while let Some(bytes) = session.poll_transmit() {
            wire_free = wire_free.max(now) + time_on_wire(bytes.len(), profile);
            wire.push_back((wire_free, bytes));
        }
        while let Some(event) = session.poll_event() {
            log.note(now, &event);
            on_event(&event);
        }
        let Some(timeout) = session.poll_timeout() else { break };
        let arrival = wire.front().map(|(time, _)| *time);
        let next = [Some(timeout), arrival, plotter.next_wake(now)].into_iter().flatten().min();
        let next = next.unwrap_or(timeout).max(now);
        let wait = pace.map_or(Duration::ZERO, |pace| next.div_f64(pace).saturating_sub(began.elapsed()));
        let stopped = async {
            tokio::select! {
                biased;
                () = &mut stop, if !stopping => true,
                () = pause(wait) => false,
            }
        };
        if stopped.await {
            stopping = true;
            session.stop(now);
            continue;
        }
        now = next;
        match wire.front() {
            Some((time, _)) if *time <= now => {
                if let Some((_, bytes)) = wire.pop_front() {
                    plotter.receive(now, &bytes);
                }
            }
            _ => plotter.receive(now, b""),
        }
        if session.poll_timeout().is_some_and(|timeout| timeout <= now) {
            session.handle_timeout(now);
        }
    }
    log.outcome(now, Some(plotter.trace().clone()))
}

/// How long bytes take from here to the plotter.
fn time_on_wire(bytes: usize, profile: &Profile) -> Duration {
    let seconds = profile.firmware.baud().map_or(0.0, |baud| bytes as f64 * BITS / f64::from(baud.max(1)));
    Duration::from_secs_f64(seconds)
}

async fn pause(wait: Duration) {
    if wait.is_zero() {
        tokio::task::yield_now().await;
    } else {
        tokio::time::sleep(wait).await;
    }
}
