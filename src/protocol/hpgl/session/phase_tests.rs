//! No phase of a session waits for ever.

use super::*;
use crate::session_core::silence;
use traceur_core::machine::{Dialect, Firmware, Profile};

/// Each phase once. A new one needs its place here.
fn next(phase: Phase) -> Option<Phase> {
    Some(match phase {
        Phase::Connecting { .. } => Phase::Settling,
        Phase::Settling => Phase::Greeting,
        Phase::Greeting => Phase::Checking,
        Phase::Checking => Phase::Streaming,
        Phase::Streaming => Phase::Ending,
        Phase::Ending => Phase::Closing,
        Phase::Closing => Phase::Aborting,
        Phase::Aborting => Phase::Lifting,
        Phase::Lifting => Phase::Closed,
        Phase::Closed => return None,
    })
}

#[test]
fn a_plotter_that_falls_silent_ends_the_session_in_each_phase() {
    let profile = Profile::built_in("hp7475a").unwrap();
    let Firmware::Hpgl(hpgl) = &profile.firmware else { panic!("{profile:?}") };
    let phases = std::iter::successors(Some(Phase::Connecting { probes: 0 }), |phase| next(*phase));
    for phase in phases.filter(|phase| *phase != Phase::Closed) {
        for handshake in [Handshake::XonXoff, Handshake::Poll, Handshake::EnqAck] {
            let hpgl = Hpgl { handshake, ..hpgl.clone() };
            let mut session = Session::new(Program::nothing(Dialect::Hpgl), &hpgl);
            session.core.phase = phase;
            assert!(session.deadlines().is_some(), "{phase:?} waits for nothing");
            let (time, last) = silence(&mut session);
            assert!(matches!(last, Some(Event::Fault(_))), "{phase:?}: {last:?}");
            assert!(time <= Duration::from_secs(20), "{phase:?}: {time:?}");
        }
    }
}
