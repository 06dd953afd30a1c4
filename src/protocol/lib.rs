//! Plotter languages without input or output: encoding, reply parsing, flow control.
//!
//! Comes in: a [`Pass`], a [`Profile`], bytes and the time. Goes out:
//! bytes and events. Deliberately absent: ports and clocks (`traceur-job`).

pub mod ebb;
mod event;
pub mod grbl;
pub mod hpgl;
mod identify;
pub mod inquiry;
mod lines;
mod program;
mod session;
mod session_core;

pub use event::{Event, Fault, State, Status};
pub use identify::{Identity, QUESTIONS, Question, identify};
pub use program::{Program, Statement};
pub use session::Session;

use traceur_core::machine::{Firmware, Placement, Profile};
use traceur_core::toolpath::Pass;

/// Where the pen shall be when it is moved by hand.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Height {
    /// As the profile has it up.
    Up,
    /// As the profile has it down.
    Down,
    /// In the measure of the profile's lift: percent of an EiBotBoard's servo, an S word, mm of a Z axis.
    At(f64),
}

/// Where in the drawing a statement comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    /// Index of the pass in its toolpath.
    pub pass: usize,
    /// Index of the stroke in its pass.
    pub stroke: usize,
    /// Index of the stroke's point that the statement leads to.
    pub vertex: usize,
}

/// Encodes the strokes of `pass`, the `index`-th of its toolpath, in the machine's dialect.
#[must_use]
pub fn encode(index: usize, pass: &Pass, profile: &Profile, placement: &Placement) -> Program {
    match &profile.firmware {
        Firmware::Grbl(grbl) => grbl::encode(index, pass, profile, grbl, placement),
        Firmware::Ebb(ebb) => ebb::encode(index, pass, profile, ebb, placement),
        Firmware::Hpgl(table) => hpgl::encode(index, pass, profile, table, placement),
    }
}

/// The program that brings a board which is told of ways, not of places, to its zero with the pen of `pass` up; `None` for a
/// machine that finds each place from anywhere.
#[must_use]
pub fn return_to_zero(profile: &Profile, placement: &Placement, pass: &Pass) -> Option<Program> {
    match &profile.firmware {
        Firmware::Ebb(ebb) => Some(ebb::home_program(profile, ebb, placement, pass)),
        Firmware::Grbl(_) | Firmware::Hpgl(_) => None,
    }
}

/// A session that streams `program` to a freshly opened port.
#[must_use]
pub fn session(program: Program, profile: &Profile) -> Box<dyn Session> {
    match &profile.firmware {
        Firmware::Grbl(grbl) => Box::new(grbl::Session::new(program, profile, grbl)),
        Firmware::Ebb(ebb) => Box::new(ebb::Session::new(program, profile, ebb)),
        Firmware::Hpgl(table) => Box::new(hpgl::Session::new(program, table)),
    }
}

/// A session that streams `program` to a port that is open already: the board does not restart, and is not waited for.
/// `homes`: where the profile says so, it looks for its switches all the same.
#[must_use]
pub fn next_session(program: Program, profile: &Profile, homes: bool) -> Box<dyn Session> {
    match &profile.firmware {
        Firmware::Grbl(grbl) => Box::new(grbl::Session::new(program, profile, grbl).attached(homes)),
        _ => session(program, profile),
    }
}
