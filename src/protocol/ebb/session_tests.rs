//! What a session promises.

use std::time::Duration;

use proptest::prelude::*;

use super::Session;
use crate::{Event, Fault, Origin, Program, Session as _, Statement};
use traceur_core::machine::{Dialect, Firmware, Profile, Version};

/// A steady move of 14 ms along x.
const MOVE: &str = "LM,858993460,140,0,858993460,140,0,3";

fn program(lines: &[&str]) -> Program {
    let statement = |(index, line): (usize, &&str)| Statement {
        line: (*line).to_owned(),
        origin: Some(Origin { pass: 0, stroke: index, vertex: 1 }),
        drains: false,
    };
    Program {
        dialect: Dialect::Ebb,
        title: String::new(),
        statements: lines.iter().enumerate().map(statement).collect(),
        lift: vec!["SP,1,126".into()],
    }
}

fn opened(lines: &[&str]) -> Session {
    let profile = Profile::built_in("axidraw-v3").unwrap();
    let Firmware::Ebb(ebb) = &profile.firmware else { panic!("{:?}", profile.firmware) };
    Session::new(program(lines), &profile, ebb)
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn sent(session: &mut Session) -> String {
    let bytes: Vec<u8> = std::iter::from_fn(|| session.poll_transmit()).flatten().collect();
    String::from_utf8(bytes).unwrap().replace('\r', " ").trim_end().to_owned()
}

fn events(session: &mut Session) -> Vec<Event> {
    std::iter::from_fn(|| session.poll_event()).collect()
}

const HELLO: &[u8] = b"EBBv13_and_above EB Firmware Version 2.8.1\r\n";

fn connected(lines: &[&str]) -> Session {
    let mut session = opened(lines);
    assert_eq!(sent(&mut session), "V");
    session.handle_bytes(ms(0), HELLO);
    assert_eq!(sent(&mut session), "QC");
    session.handle_bytes(ms(0), b"0394,0300\r\nOK\r\n");
    assert_eq!(sent(&mut session), "QL");
    session.handle_bytes(ms(0), b"001\r\nOK\r\n");
    assert_eq!(sent(&mut session), "SL,1");
    session.handle_bytes(ms(0), b"OK\r\n");
    events(&mut session);
    session
}

#[test]
fn an_ok_completes_the_last_but_one_before_it() {
    let mut session = connected(&[MOVE; 6]);
    assert_eq!(sent(&mut session), [MOVE; 3].join(" "));
    session.handle_bytes(ms(1), b"OK\r\nOK\r\n");
    assert_eq!(events(&mut session), [Event::Accepted { statement: 0 }, Event::Accepted { statement: 1 }]);
    assert_eq!(sent(&mut session), "");
    session.handle_bytes(ms(15), b"OK\r\n");
    assert_eq!(events(&mut session), [Event::Accepted { statement: 2 }, Event::Completed { upto: 0 }]);
    assert_eq!(sent(&mut session), MOVE);
}

#[test]
fn no_more_than_46_ms_are_in_the_boards_hands() {
    let mut session = connected(&[MOVE; 50]);
    let mut unanswered = sent(&mut session).matches("LM").count();
    let mut answered = 0;
    while unanswered > 0 {
        // At most two that are answered have not ended.
        assert!((unanswered + answered.min(2)) * 14 <= 46, "{unanswered}");
        session.handle_bytes(ms(1), b"OK\r\n");
        answered += 1;
        unanswered = unanswered - 1 + sent(&mut session).matches("LM").count();
    }
    assert_eq!(answered, 50);
}

#[test]
fn it_is_finished_when_nothing_moves() {
    let mut session = connected(&[MOVE]);
    sent(&mut session);
    session.handle_bytes(ms(1), b"OK\r\n");
    assert_eq!(sent(&mut session), "QG");
    session.handle_bytes(ms(2), b"DE\r\n");
    assert_eq!(events(&mut session), [Event::Accepted { statement: 0 }]);
    session.handle_timeout(ms(60));
    assert_eq!(sent(&mut session), "QG");
    session.handle_bytes(ms(61), b"D0\r\n");
    assert_eq!(events(&mut session), [Event::Completed { upto: 0 }, Event::Finished]);
    assert_eq!(session.poll_timeout(), None);
}

#[test]
fn a_refused_command_is_named_and_the_pen_goes_up() {
    for (said, statement) in [
        (&b"!6 Err: Invalid parameter value\r\n"[..], 0),
        (b"OK\r\n!7 Err: Extra parameter\r\n", 0),
        (b"OK\r\n!0 Err: <axis1> step rate too high\n\r\r\n", 1),
    ] {
        let mut session = connected(&[MOVE; 9]);
        sent(&mut session);
        session.handle_bytes(ms(1), said);
        sent(&mut session);
        let told = events(&mut session);
        let Some(Event::Error { statement: named, line, origin, .. }) = told.last() else {
            panic!("{told:?}")
        };
        assert_eq!((*named, line.as_str(), origin.unwrap().stroke), (statement, MOVE, statement));
        // Late OKs are let pass.
        session.handle_bytes(ms(20), b"OK\r\nOK\r\n");
        session.handle_timeout(ms(201));
        assert_eq!(sent(&mut session), "SP,1,126");
        session.handle_bytes(ms(202), b"OK\r\n");
        session.handle_timeout(ms(251));
        assert_eq!(sent(&mut session), "QG");
        session.handle_bytes(ms(252), b"D0\r\n");
        assert_eq!(events(&mut session).last(), Some(&Event::Stopped));
    }
}

#[test]
fn old_firmware_is_refused_with_its_version() {
    let mut session = opened(&[MOVE]);
    session.handle_bytes(ms(0), b"EBBv13_and_above EB Firmware Version 2.5.3\r\n");
    let fault = Fault::OldFirmware { version: Version(2, 5, 3), least: Version(2, 7, 0) };
    assert_eq!(events(&mut session).last(), Some(&Event::Fault(fault)));
    assert!(fault.to_string().contains("2.5.3") && session.is_closed());
}

#[test]
fn a_board_without_motor_power_draws_nothing() {
    let mut session = opened(&[MOVE]);
    session.handle_bytes(ms(0), HELLO);
    session.handle_bytes(ms(0), b"0394,0012\r\nOK\r\n");
    assert_eq!(events(&mut session).last(), Some(&Event::Fault(Fault::NoMotorPower)));
    assert!(!sent(&mut session).contains("LM"));
}

#[test]
fn firmware_3_gets_a_short_queue_and_watches_the_power() {
    let mut session = opened(&[MOVE]);
    sent(&mut session);
    session.handle_bytes(ms(0), b"EBBv13_and_above EB Firmware Version 3.0.3\r\n");
    assert_eq!(sent(&mut session), "CU,4,1");
    session.handle_bytes(ms(0), b"OK\r\n");
    assert_eq!(sent(&mut session), "CU,60,250");
}

#[test]
fn a_board_that_names_its_replies_is_understood() {
    let mut session = opened(&[MOVE; 2]);
    sent(&mut session);
    for (said, expected) in [
        ("V,EBBv13_and_above EB Firmware Version 3.0.3\n", "CU,4,1"),
        ("CU\n", "CU,60,250"),
        ("CU\n", "QC"),
        ("QC,394,300\n", "QL"),
        ("QL,0\n", "SL,1"),
        ("SL\n", &[MOVE; 2].join(" ")),
    ] {
        session.handle_bytes(ms(0), said.as_bytes());
        assert_eq!(sent(&mut session), expected);
    }
    events(&mut session);
    session.handle_bytes(ms(1), b"LM\nLM,!6 Err: Invalid parameter value\n");
    let told = events(&mut session);
    assert!(
        matches!(&told[..], [Event::Accepted { statement: 0 }, Event::Error { code: 6, statement: 1, .. }]),
        "{told:?}"
    );
}

#[test]
fn a_dead_board_is_given_up() {
    let mut session = opened(&[MOVE]);
    while let Some(timeout) = session.poll_timeout() {
        session.handle_timeout(timeout);
    }
    assert_eq!(events(&mut session), [Event::Fault(Fault::NoAnswer)]);
    let mut session = connected(&[MOVE; 9]);
    while let Some(timeout) = session.poll_timeout() {
        assert!(timeout < ms(10_000));
        session.handle_timeout(timeout);
    }
    assert_eq!(events(&mut session), [Event::Fault(Fault::Silent)]);
}

#[test]
fn a_pause_before_all_and_a_stop_before_all_move_nothing() {
    let mut session = opened(&[MOVE]);
    session.stop(ms(0));
    assert_eq!(events(&mut session), [Event::Stopped]);
    let mut session = connected(&["SP,1,126", MOVE]);
    sent(&mut session);
    session.pause(ms(1));
    session.handle_bytes(ms(2), b"OK\r\n");
    assert!(!sent(&mut session).contains("LM"));
    session.resume(ms(3));
    assert!(sent(&mut session).contains("LM"));
}

proptest! {
    #[test]
    fn any_split_gives_the_same_events(
        pieces in prop::collection::vec(prop_oneof![
            4 => Just(b"OK\r\n".to_vec()), 1 => Just(b"!6 Err: Invalid parameter value\r\n".to_vec()),
            1 => Just(b"D0\r\n".to_vec()), 1 => Just(b"LM\n".to_vec()), 1 => Just(b"0394,0300\r\n".to_vec()),
            1 => prop::collection::vec(any::<u8>(), 0..40),
        ], 0..30),
        cut in 1_usize..7, greeted in any::<bool>(),
    ) {
        let bytes = pieces.concat();
        let fresh = || if greeted { connected(&[MOVE; 30]) } else { opened(&[MOVE; 30]) };
        let (mut whole, mut split) = (fresh(), fresh());
        whole.handle_bytes(ms(10), &bytes);
        bytes.chunks(cut).for_each(|chunk| split.handle_bytes(ms(10), chunk));
        prop_assert_eq!(events(&mut whole), events(&mut split));
        prop_assert_eq!(sent(&mut whole), sent(&mut split));
    }
}
