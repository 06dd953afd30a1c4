//! A virtual plotter behind a real link, in real time or faster, for any program to plot to.

use std::time::{Duration, Instant};

use super::virtual_line::VirtualLine;
use crate::transport::Link;
use traceur_core::machine::Profile;
use traceur_sim::{Faults, MotionTrace};

/// What a sender that honors it takes as: stop.
const XOFF: u8 = 0x13;
/// And as: go on.
const XON: u8 = 0x11;
/// A pause this long after a motion is a rest; virtual time.
const REST: Duration = Duration::from_secs(1);

/// How fast a virtual plotter's time goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Speed {
    /// Times real time.
    Times(f64),
    /// From event to event.
    Max,
}

/// Why serving ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It was asked to.
    Stopped,
    /// The program at the other end hung up.
    HungUp,
    /// The cable was pulled, by a fault that was asked for.
    Unplugged,
}

/// A virtual plotter with its line and its own time.
#[derive(Debug)]
pub struct VirtualMachine {
    line: VirtualLine,
    clock: Clock,
    /// How many pieces of the trace had been drawn at the last rest.
    rested: usize,
}

impl VirtualMachine {
    /// A machine that is switched on now.
    #[must_use]
    pub fn new(profile: &Profile, faults: &Faults, speed: Speed) -> Self {
        Self {
            line: VirtualLine::new(profile, faults),
            clock: Clock { began: Instant::now(), ahead: Duration::ZERO, speed },
            rested: 0,
        }
    }

    /// What its pen has done so far.
    #[must_use]
    pub fn trace(&self) -> &MotionTrace {
        self.line.trace()
    }

    /// Answers the program at the other end of `link` until `stop` completes or it hangs up; may be called again, with
    /// another link. `stops_at_xoff` tells whether the program's port honors XOFF. `at_rest` is shown the trace each time
    /// the pen has moved and now rests.
    pub async fn serve(
        &mut self,
        link: &mut Link,
        stop: &mut (impl Future<Output = ()> + Unpin),
        stops_at_xoff: impl Fn() -> bool,
        mut at_rest: impl FnMut(&MotionTrace),
    ) -> End {
        loop {
            let now = self.clock.now();
            if self.line.befall(now) {
                return End::Unplugged;
            }
            self.exchange(now, &stops_at_xoff);
            while let Some(said) = self.line.receive(now) {
                if link.send(said).is_err() {
                    return End::HungUp;
                }
            }
            self.note_rest(now, &mut at_rest);
            tokio::select! {
                biased;
                () = &mut *stop => return End::Stopped,
                bytes = link.receive() => match bytes {
                    Ok(bytes) => self.line.send(self.clock.now(), &bytes),
                    Err(_) => return End::HungUp,
                },
                () = self.clock.sleep_until(self.next_wake(now)) => {}
            }
        }
    }

    /// Delivers what has arrived, and takes what is said.
    fn exchange(&mut self, now: Duration, stops_at_xoff: &impl Fn() -> bool) {
        loop {
            let arrived = self.line.deliver(now);
            let said = self.line.collect(now);
            if said.contains(&XOFF) && stops_at_xoff() {
                self.line.let_pass(false, now);
            }
            if said.iter().rposition(|byte| *byte == XON) > said.iter().rposition(|byte| *byte == XOFF) {
                self.line.let_pass(true, now);
            }
            if !arrived {
                return;
            }
        }
    }

    fn next_wake(&self, now: Duration) -> Option<Duration> {
        let resting = self.rest_due().filter(|due| *due > now);
        let next = self.line.next_event(now).into_iter().chain(resting).min();
        // One that idles as fast as it can would be at its mishap before anybody has called.
        let mishap = self.line.next_mishap().filter(|_| next.is_some() || self.clock.speed != Speed::Max);
        next.into_iter().chain(mishap).min()
    }

    /// When a pen that has moved counts as resting.
    fn rest_due(&self) -> Option<Duration> {
        let pieces = &self.line.trace().pieces;
        pieces.last().filter(|_| pieces.len() > self.rested).map(|last| last.end + REST)
    }

    fn note_rest(&mut self, now: Duration, at_rest: &mut impl FnMut(&MotionTrace)) {
        if self.rest_due().is_some_and(|due| due <= now) && self.line.next_wake(now).is_none() {
            self.rested = self.line.trace().pieces.len();
            at_rest(self.line.trace());
        }
    }
}

/// A plotter's time.
#[derive(Debug)]
struct Clock {
    began: Instant,
    /// How far events were jumped to.
    ahead: Duration,
    speed: Speed,
}

impl Clock {
    fn now(&self) -> Duration {
        match self.speed {
            Speed::Times(speed) => self.began.elapsed().mul_f64(speed),
            Speed::Max => self.ahead.max(self.began.elapsed()),
        }
    }

    /// Waits until then; for ever if there is no event to wait for.
    async fn sleep_until(&mut self, time: Option<Duration>) {
        let Some(time) = time else { return std::future::pending().await };
        match self.speed {
            Speed::Times(speed) => {
                let real = time.div_f64(speed);
                tokio::time::sleep(real.saturating_sub(self.began.elapsed())).await;
            }
            Speed::Max => {
                // A moment for the other program to answer.
                tokio::time::sleep(Duration::from_micros(200)).await;
                self.ahead = self.ahead.max(time);
            }
        }
    }
}
