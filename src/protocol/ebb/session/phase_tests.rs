//! No phase of a session waits for ever.

use super::*;
use crate::Statement;
use crate::session_core::silence;
use traceur_core::machine::{Dialect, Firmware};

/// Each phase once. A new one needs its place here.
fn next(phase: Phase) -> Option<Phase> {
    Some(match phase {
        Phase::Greeting { .. } => Phase::Preparing,
        Phase::Preparing => Phase::Streaming,
        Phase::Streaming => Phase::Ending,
        Phase::Ending => Phase::Settling,
        Phase::Settling => Phase::Lifting,
        Phase::Lifting => Phase::Probing,
        Phase::Probing => Phase::Closed,
        Phase::Closed => return None,
    })
}

#[test]
fn a_board_that_falls_silent_ends_the_session_in_each_phase() {
    let profile = Profile::built_in("axidraw-v3").unwrap();
    let Firmware::Ebb(ebb) = &profile.firmware else { panic!("{profile:?}") };
    let phases = std::iter::successors(Some(Phase::Greeting { times: 1 }), |phase| next(*phase));
    for phase in phases.filter(|phase| *phase != Phase::Closed) {
        let lift = Statement { line: "SP,1,126".into(), origin: None, drains: false };
        let program = Program { statements: vec![lift], ..Program::nothing(Dialect::Ebb) };
        let mut session = Session::new(program, &profile, ebb);
        session.core.phase = phase;
        session.to_prepare.push_back(("QC".into(), Asked::Power));
        session.pump(Duration::ZERO);
        assert_eq!(session.core.phase, phase);
        assert!(session.deadlines().is_some(), "{phase:?} waits for nothing");
        let (time, last) = silence(&mut session);
        assert!(matches!(last, Some(Event::Fault(_))), "{phase:?}: {last:?}");
        assert!(time <= Duration::from_secs(10), "{phase:?}: {time:?}");
    }
}
