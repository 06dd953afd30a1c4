//! A session and a virtual plotter in one loop, jumping from event to event.

use std::time::{Duration, Instant};

use super::session_handler::SessionHandler;
use super::virtual_line::VirtualLine;
use super::{Controls, Error};
use crate::transport::{self, Flow};
use traceur_core::machine::Profile;
use traceur_protocol::Session;
use traceur_sim::{Faults, MotionTrace};

/// A virtual plotter with its line, between sessions.
#[derive(Debug)]
pub(super) struct VirtualConnection {
    line: VirtualLine,
    /// Since it was switched on.
    now: Duration,
    /// Times real time; `None`: as fast as it can.
    pace: Option<f64>,
}

impl VirtualConnection {
    pub(super) fn new(profile: &Profile, faults: &Faults, pace: Option<f64>) -> Self {
        Self { line: VirtualLine::new(profile, faults), now: Duration::ZERO, pace }
    }

    pub(super) fn trace(&self) -> &MotionTrace {
        self.line.trace()
    }

    /// Runs a session to its end; gives how long it took, in the plotter's time.
    pub(super) async fn drive(
        &mut self,
        session: &mut dyn Session,
        controls: &mut Controls,
        handler: &mut impl SessionHandler,
    ) -> Result<Duration, Error> {
        let (began, real) = (self.now, Instant::now());
        let mut now = self.now;
        loop {
            // Replies take no time but the line's latency: they are a few bytes each, and never what a plotter waits for.
            self.line.collect(now);
            while let Some(said) = self.line.receive(now) {
                transport::log_received(&said);
                session.handle_bytes(now - began, &said);
            }
            while let Some(bytes) = session.poll_transmit() {
                transport::log_sent(&bytes);
                self.line.send(now, &bytes);
            }
            while let Some(event) = session.poll_event() {
                handler.hear(now - began, &event);
            }
            self.now = now;
            let Some(timeout) = session.poll_timeout() else { return Ok(now - began) };
            let wakes = [self.line.next_event(now), self.line.next_fault()];
            let next = wakes.into_iter().flatten().fold(began + timeout, Duration::min).max(now);
            let due = |pace| (next - began).div_f64(pace).saturating_sub(real.elapsed());
            let wait = self.pace.map_or(Duration::ZERO, due);
            let asked = async {
                tokio::select! {
                    biased;
                    control = controls.next() => Some(control),
                    () = pause(wait) => None,
                }
            };
            if let Some(control) = asked.await {
                handler.wish(control, session, now - began);
                continue;
            }
            now = next;
            if self.line.befall(now) {
                return Err(transport::Error::Closed { reason: "the cable was pulled".into() }.into());
            }
            self.line.deliver(now);
            // As the port of a host does that heeds its handshake line.
            let heeds = super::flow(&self.line.profile().firmware) == Flow::Hardware;
            self.line.let_pass(!heeds || self.line.is_ready(), now);
            if session.poll_timeout().is_some_and(|timeout| began + timeout <= now) {
                session.handle_timeout(now - began);
            }
        }
    }
}

async fn pause(wait: Duration) {
    if wait.is_zero() {
        tokio::task::yield_now().await;
    } else {
        tokio::time::sleep(wait).await;
    }
}
