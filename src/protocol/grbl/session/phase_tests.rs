//! No phase of a session waits for ever.

use super::*;
use crate::session_core::silence;
use traceur_core::machine::{Dialect, Firmware};

/// Each phase once. A new one needs its place here.
fn next(phase: Phase) -> Option<Phase> {
    Some(match phase {
        Phase::Connecting { .. } => Phase::Settling,
        Phase::Settling => Phase::Asking,
        Phase::Asking => Phase::Homing,
        Phase::Homing => Phase::Streaming,
        Phase::Streaming => Phase::Stopping,
        Phase::Stopping => Phase::Resetting { lift: false },
        Phase::Resetting { lift: false } => Phase::Resetting { lift: true },
        Phase::Resetting { lift: true } => Phase::Lifting { done: 0 },
        Phase::Lifting { .. } => Phase::Closed,
        Phase::Closed => return None,
    })
}

#[test]
fn a_machine_that_falls_silent_ends_the_session_in_each_phase() {
    let profile = Profile::built_in("grbl-servo").unwrap();
    let Firmware::Grbl(grbl) = &profile.firmware else { panic!("{profile:?}") };
    let phases = std::iter::successors(Some(Phase::Connecting { probes: 0 }), |phase| next(*phase));
    for phase in phases.filter(|phase| *phase != Phase::Closed) {
        let mut session = Session::new(Program::nothing(Dialect::Grbl), &profile, grbl);
        session.core.phase = phase;
        assert!(session.deadlines().is_some(), "{phase:?} waits for nothing");
        let (time, last) = silence(&mut session);
        assert!(matches!(last, Some(Event::Fault(_))), "{phase:?}: {last:?}");
        assert!(time <= HOMING, "{phase:?}: {time:?}");
    }
}
