//! A session and a virtual plotter in one loop, jumping from event to event.

use std::time::{Duration, Instant};

use super::{Controls, Error, Log, Outcome};
use crate::machine::Profile;
use crate::protocol::{self, Event, Program};
use crate::sim::{self, Faults, Wire};
use crate::transport;

/// Runs `program` to its end on a fresh plotter, over a line with `faults`. `pace` is times real time; `None`: as fast
/// as it can.
pub(super) async fn run(
    program: Program,
    profile: &Profile,
    faults: &Faults,
    pace: Option<f64>,
    controls: &mut Controls,
    mut on_event: impl FnMut(&Event),
) -> Result<Outcome, Error> {
    let began = Instant::now();
    let mut session = protocol::session(program, profile);
    let mut plotter = sim::plotter(profile);
    let (mut there, mut back) = (Wire::new(faults, profile.firmware.baud(), 0), Wire::new(faults, None, 1));
    let mut mishaps = sim::Mishaps::new(faults);
    let (mut now, mut log) = (Duration::ZERO, Log::default());
    loop {
        // Replies take no time but the line's latency: they are a few bytes each, and never what a plotter waits for.
        back.send(now, &plotter.poll_output());
        while let Some(said) = back.receive(now) {
            session.handle_bytes(now, &said);
        }
        while let Some(bytes) = session.poll_transmit() {
            there.send(now, &bytes);
        }
        while let Some(event) = session.poll_event() {
            log.note(now, &event);
            on_event(&event);
        }
        let Some(timeout) = session.poll_timeout() else { break };
        let wakes = [there.next_arrival(), back.next_arrival(), plotter.next_wake(now), mishaps.next()];
        let next = wakes.into_iter().flatten().fold(timeout, Duration::min).max(now);
        let wait = pace.map_or(Duration::ZERO, |pace| next.div_f64(pace).saturating_sub(began.elapsed()));
        let asked = async {
            tokio::select! {
                biased;
                control = controls.next() => Some(control),
                () = pause(wait) => None,
            }
        };
        if let Some(control) = asked.await {
            control.apply(session.as_mut(), now);
            continue;
        }
        now = next;
        if mishaps.happen(now, profile, &mut plotter) {
            return Err(transport::Error::Closed { reason: "the cable was pulled".into() }.into());
        }
        plotter.receive(now, &there.receive(now).unwrap_or_default());
        if session.poll_timeout().is_some_and(|timeout| timeout <= now) {
            session.handle_timeout(now);
        }
    }
    Ok(log.outcome(now, Some(plotter.trace().clone())))
}

async fn pause(wait: Duration) {
    if wait.is_zero() {
        tokio::task::yield_now().await;
    } else {
        tokio::time::sleep(wait).await;
    }
}
