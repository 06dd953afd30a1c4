//! Virtual plotters: the bytes that a real plotter would take, and what it would do with them.
//!
//! Comes in: bytes and time. Goes out: replies and a [`MotionTrace`]. Never imports `protocol`, so that a mistake
//! in an encoder can't be mirrored by its own decoder.

mod ebb;
mod fault_injector;
mod grbl;
mod hpgl;
pub mod ink;
mod program;
mod trace;
mod wire;

pub use ebb::VirtualEbb;
pub use fault_injector::{FaultInjector, When};
pub use grbl::VirtualGrbl;
pub use hpgl::VirtualHpgl;
pub use program::{Error, run_program};
pub use trace::{MotionTrace, TracePiece};
pub use wire::{FaultError, Faults, Wire};

use std::fmt::Debug;
use std::time::Duration;

use traceur_core::machine::{Firmware, Profile};

/// A plotter in virtual time. Time is since it was switched on, and never goes back.
///
/// After [`VirtualPlotter::receive`] take [`VirtualPlotter::poll_output`], then call `receive` again at
/// [`VirtualPlotter::next_wake`] (with no bytes), or earlier with some.
pub trait VirtualPlotter: Debug + Send {
    /// Lets time pass until `now`, then takes bytes from the wire. Bytes that its buffer has no room for are lost.
    fn receive(&mut self, now: Duration, bytes: &[u8]);

    /// What it has said since the last call.
    fn poll_output(&mut self) -> Vec<u8>;

    /// When something next happens by itself; `None` when it waits for bytes.
    fn next_wake(&self, now: Duration) -> Option<Duration>;

    /// What its pen has done so far.
    fn trace(&self) -> &MotionTrace;

    /// Gives it a paper on which something has been drawn before.
    fn lay_paper(&mut self, drawn: MotionTrace);

    /// Whether its handshake line (an HP-GL plotter's DTR) lets the host send.
    fn is_ready(&self) -> bool {
        true
    }

    /// Cuts or gives back the power of its motors, where that is apart from the board's own.
    fn switch_motor_power(&mut self, _on: bool) {}

    /// Something touches a limit switch, where it has one that is watched while it draws.
    fn press_limit_switch(&mut self, _now: Duration) {}
}

/// A plotter that has just been switched on.
#[must_use]
pub fn plotter(profile: &Profile) -> Box<dyn VirtualPlotter> {
    match &profile.firmware {
        Firmware::Grbl(grbl) => Box::new(VirtualGrbl::new(profile, grbl)),
        Firmware::Ebb(ebb) => Box::new(VirtualEbb::new(profile, ebb)),
        Firmware::Hpgl(hpgl) => Box::new(VirtualHpgl::new(profile, hpgl)),
    }
}
