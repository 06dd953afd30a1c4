//! A program file, by whomever, through the virtual plotter.

use super::{MotionTrace, ebb, grbl, hpgl};
use traceur_core::machine::{Firmware, Profile};

/// Why a program file could not be run.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The firmware refuses a line.
    #[error("line {line} `{text}`: the plotter refuses it with {reply} ({meaning})")]
    Refused {
        /// Counted from 1.
        line: usize,
        /// The line.
        text: String,
        /// What the firmware said.
        reply: String,
        /// What that means.
        meaning: String,
    },
    /// The machine stops itself.
    #[error("line {line} `{text}`: the plotter stops with {reply}")]
    Alarm {
        /// Counted from 1.
        line: usize,
        /// The line.
        text: String,
        /// What the firmware said.
        reply: String,
    },
    /// The plotter waits for something that never comes.
    #[error("line {line} `{text}`: the plotter gives no answer")]
    NoAnswer {
        /// Counted from 1.
        line: usize,
        /// The line.
        text: String,
    },
}

/// Runs a program in the machine's dialect on a fresh virtual plotter, as a sender would. Gives what the pen did.
///
/// An HP-GL plotter goes on after an error: what it took exception to is in the trace's warnings.
///
/// # Errors
/// The first line that the firmware refuses or stops at, with its number and what it means.
pub fn run_program(text: &[u8], profile: &Profile) -> Result<MotionTrace, Error> {
    match &profile.firmware {
        Firmware::Grbl(grbl) => grbl::run_program(text, profile, grbl),
        Firmware::Ebb(ebb) => ebb::run_program(text, profile, ebb),
        Firmware::Hpgl(table) => Ok(hpgl::run_program(text, profile, table)),
    }
}
