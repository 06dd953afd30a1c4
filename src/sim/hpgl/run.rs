//! An HP-GL file, by whomever, through the virtual plotter.

use std::time::Duration;

use super::VirtualHpgl;
use crate::{MotionTrace, VirtualPlotter as _};
use traceur_core::machine::{Hpgl, Profile};

/// Runs the HP-GL file `text` on a fresh virtual plotter, as a sender with perfect flow control would. Gives what the pen
/// did. Nothing stops the plotter: what it refuses is in the trace's warnings, by instruction and error.
pub(crate) fn run_program(text: &[u8], profile: &Profile, hpgl: &Hpgl) -> MotionTrace {
    let mut plotter = VirtualHpgl::new(profile, hpgl);
    let mut now = Duration::ZERO;
    // The last instruction may lack its terminator: nothing will end it but this.
    let mut rest = [text, b";"].concat();
    loop {
        let piece = rest.len().min(plotter.free());
        let later = rest.split_off(piece);
        plotter.receive(now, &rest);
        rest = later;
        plotter.poll_output();
        match plotter.next_wake(now) {
            Some(wake) => now = wake,
            None if rest.is_empty() || plotter.free() == 0 => break,
            None => {}
        }
    }
    plotter.trace().clone()
}
