//! A virtual plotter at the end of a line: bytes and a time come in, bytes go out. Whose time it is, and what makes a sender
//! wait, is the caller's.

use std::time::Duration;

use traceur_core::machine::Profile;
use traceur_sim::{Faults, Mishaps, MotionTrace, VirtualPlotter, Wire};

/// A virtual plotter with both directions of its line, and what befalls it.
#[derive(Debug)]
pub(super) struct VirtualLine {
    profile: Profile,
    plotter: Box<dyn VirtualPlotter>,
    there: Wire,
    back: Wire,
    mishaps: Mishaps,
    /// Bytes that have reached it.
    heard: u64,
}

impl VirtualLine {
    /// A plotter that is switched on now.
    pub(super) fn new(profile: &Profile, faults: &Faults) -> Self {
        Self {
            profile: profile.clone(),
            plotter: traceur_sim::plotter(profile),
            there: Wire::new(faults, profile.firmware.baud(), 0),
            back: Wire::new(faults, None, 1),
            mishaps: Mishaps::new(faults),
            heard: 0,
        }
    }

    pub(super) fn profile(&self) -> &Profile {
        &self.profile
    }

    /// What its pen has done so far.
    pub(super) fn trace(&self) -> &MotionTrace {
        self.plotter.trace()
    }

    /// Lets happen what is due; true when the cable is pulled.
    pub(super) fn befall(&mut self, now: Duration) -> bool {
        self.mishaps.happen(now, self.heard, &self.profile, &mut self.plotter)
    }

    /// Puts bytes on the way to the plotter.
    pub(super) fn send(&mut self, now: Duration, bytes: &[u8]) {
        self.there.send(now, bytes);
    }

    /// Hands the plotter the next bytes that have reached it, or only the time; false: no bytes have.
    pub(super) fn deliver(&mut self, now: Duration) -> bool {
        let arrived = self.there.receive(now);
        self.heard += arrived.as_ref().map_or(0, |bytes| bytes.len() as u64);
        self.plotter.receive(now, arrived.as_deref().unwrap_or_default());
        arrived.is_some()
    }

    /// Puts on the way back what the plotter has said since the last time, and gives it.
    pub(super) fn collect(&mut self, now: Duration) -> Vec<u8> {
        let said = self.plotter.poll_output();
        self.back.send(now, &said);
        said
    }

    /// The next bytes that have come back.
    pub(super) fn receive(&mut self, now: Duration) -> Option<Vec<u8>> {
        self.back.receive(now)
    }

    /// Whether its handshake line tells a sender to go on.
    pub(super) fn is_ready(&self) -> bool {
        self.plotter.is_ready()
    }

    /// Whether bytes leave for the plotter from now on.
    pub(super) fn let_pass(&mut self, passes: bool, now: Duration) {
        if passes {
            self.there.release(now);
        } else {
            self.there.hold(now);
        }
    }

    /// When bytes arrive or the plotter does something, at either end.
    pub(super) fn next_event(&self, now: Duration) -> Option<Duration> {
        let wakes = [self.there.next_arrival(), self.back.next_arrival(), self.plotter.next_wake(now)];
        wakes.into_iter().flatten().min()
    }

    /// When the plotter does something by itself.
    pub(super) fn next_wake(&self, now: Duration) -> Option<Duration> {
        self.plotter.next_wake(now)
    }

    /// When something befalls it.
    pub(super) fn next_mishap(&self) -> Option<Duration> {
        self.mishaps.next()
    }
}
