//! A virtual EiBotBoard with firmware 2.8.1 or 3.0.3: bytes and time in, replies and a trace out.
//!
//! Behaves as the firmware's source says, quirks included: one command runs, a FIFO holds the next (one, or up to 32 by
//! `CU,4`), and when that is full the parser is stuck with a third and reads nothing at all, not even `ES`. Steps are taken
//! at 25 kHz, bit by bit. Its parser takes no time. Not built: the engraver, the general I/O pins (they are accepted and do
//! nothing), `TD` of 3.0.1 (its parameters stand in no source at hand: it is an unknown command), and a solenoid instead of
//! the servo. Errors `!1` and `!2` never come: the firmware has a text for the first but nothing that raises it ("unused"
//! in `UBW.c`), and before its output buffer overruns (`!2`) it waits in `ebb_putc` until the host has read.

mod board;
mod commands;
mod course;
mod limits;
mod moves;
mod parser;
mod queries;
mod run;
mod servo;
#[cfg(test)]
mod tests;

use std::time::Duration;

pub(super) use run::run_program;

use board::Board;

use super::{MotionTrace, VirtualPlotter};
use traceur_core::machine::{Ebb, Profile, Version};

/// Nanoseconds of a tick.
const TICK_NS: u64 = 40_000;

/// See [`VirtualPlotter`]. A piece of its trace appears when it ends.
#[derive(Debug, Clone)]
pub struct VirtualEbb {
    board: Board,
}

impl VirtualEbb {
    /// A board that has just got its power, with the firmware that the profile names: 2.8.1 for all of 2.x, 3.0.3 for
    /// all newer.
    #[must_use]
    pub fn new(profile: &Profile, ebb: &Ebb) -> Self {
        Self { board: Board::new(profile, ebb) }
    }

    /// The same with another firmware.
    #[must_use]
    pub fn with_firmware(profile: &Profile, ebb: &Ebb, firmware: Version) -> Self {
        Self::new(profile, &Ebb { firmware, ..ebb.clone() })
    }

    /// Somebody presses the board's PRG button.
    pub fn press_button(&mut self) {
        self.board.button = true;
    }

    /// Something pulls a pin (0 to 7) of port B up or down: a limit switch.
    pub fn switch_pin(&mut self, now: Duration, pin: u8, high: bool) {
        self.receive(now, b"");
        let bit = 1 << (pin & 7);
        let pins = &mut self.board.limits.pins;
        *pins = if high { *pins | bit } else { *pins & !bit };
        self.board.watch_limits();
    }

    /// Whether it has nothing to do and nothing to read.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.board.is_idle()
    }
}

impl VirtualPlotter for VirtualEbb {
    fn receive(&mut self, now: Duration, bytes: &[u8]) {
        self.board.advance(u64::try_from(now.as_nanos()).unwrap_or(u64::MAX) / TICK_NS);
        self.board.take(bytes);
    }

    fn poll_output(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.board.output)
    }

    fn next_wake(&self, now: Duration) -> Option<Duration> {
        self.board.next_tick().map(|tick| to_time(tick).max(now))
    }

    fn trace(&self) -> &MotionTrace {
        &self.board.trace
    }

    fn lay_paper(&mut self, drawn: MotionTrace) {
        self.board.trace = drawn;
    }

    fn switch_motor_power(&mut self, on: bool) {
        self.board.switch_motor_power(on);
    }
}

fn to_time(tick: u64) -> Duration {
    Duration::from_nanos(tick.saturating_mul(TICK_NS))
}
