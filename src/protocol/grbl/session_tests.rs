//! What a session promises.

use std::time::Duration;

use proptest::prelude::*;

use super::{Session, error_meaning};
use crate::machine::{Dialect, Firmware, Profile};
use crate::protocol::{Event, Fault, Origin, Program, Session as _, Statement};

fn program(lines: &[&str]) -> Program {
    let statement = |(index, line): (usize, &&str)| Statement {
        line: (*line).to_owned(),
        origin: Some(Origin { pass: 0, stroke: index, vertex: 1 }),
        drains: line.starts_with('M') || line.starts_with("G4"),
    };
    Program {
        dialect: Dialect::Grbl,
        title: String::new(),
        statements: lines.iter().enumerate().map(statement).collect(),
        lift: vec!["M3S300".into()],
    }
}

fn opened(lines: &[&str]) -> Session {
    let profile = Profile::built_in("grbl-servo").unwrap();
    let Firmware::Grbl(grbl) = &profile.firmware else { panic!("{:?}", profile.firmware) };
    Session::new(program(lines), &profile, grbl)
}

fn connected(lines: &[&str]) -> Session {
    let mut session = opened(lines);
    session.handle_bytes(ms(0), b"\r\nGrbl 1.1h ['$' for help]\r\n");
    session.handle_timeout(ms(200));
    session
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn sent(session: &mut Session) -> String {
    let bytes: Vec<u8> = std::iter::from_fn(|| session.poll_transmit()).flatten().collect();
    String::from_utf8(bytes).unwrap()
}

fn events(session: &mut Session) -> Vec<Event> {
    std::iter::from_fn(|| session.poll_event()).filter(|event| !matches!(event, Event::Status(_))).collect()
}

#[test]
fn only_a_draining_ok_means_drawn() {
    let mut session = connected(&["G1X1F100", "M3S300", "X2"]);
    assert_eq!(sent(&mut session), "?G1X1F100\nM3S300\nX2\n");
    events(&mut session);
    session.handle_bytes(ms(300), b"ok\r\nok\r\nok\r\n<Idle|MPos:0,0,0>\r\n");
    let accepted = |statement| Event::Accepted { statement };
    let expected = [accepted(0), accepted(1), Event::Completed { upto: 1 }, accepted(2)];
    assert_eq!(events(&mut session), expected);
    session.handle_bytes(ms(500), b"<Run>\r\n<Idle>\r\n<Idle>\r\n");
    assert_eq!(events(&mut session), [Event::Completed { upto: 2 }, Event::Finished]);
    assert_eq!(session.poll_timeout(), None);
}

#[test]
fn an_error_holds_at_once_and_names_its_statement() {
    let mut session = connected(&["G1X1F100", "FOO", "X2"]);
    sent(&mut session);
    events(&mut session);
    session.handle_bytes(ms(300), b"ok\r\nerror:2\r\n");
    assert_eq!(sent(&mut session), "!?");
    let origin = Some(Origin { pass: 0, stroke: 1, vertex: 1 });
    let (reply, meaning, line) = ("error:2".to_owned(), error_meaning(2).to_owned(), "FOO".to_owned());
    assert_eq!(events(&mut session)[1], Event::Error { code: 2, reply, meaning, statement: 1, line, origin });
    session.handle_bytes(ms(400), b"<Hold:1>\r\n");
    assert_eq!(sent(&mut session), "");
    session.handle_bytes(ms(500), b"<Hold:0>\r\n");
    assert_eq!(sent(&mut session), "\u{18}");
    session.handle_bytes(ms(600), b"Grbl 1.1h\r\n");
    assert_eq!(sent(&mut session), "M3S300\n");
    session.handle_bytes(ms(700), b"ok\r\n");
    assert_eq!(events(&mut session), [Event::Stopped]);
}

#[test]
fn a_stall_is_nudged_once_and_then_a_fault() {
    let mut session = connected(&["G1X1F100"]);
    let (mut nudges, mut faults) = (0, Vec::new());
    for tick in 2..60 {
        session.handle_bytes(ms(100 * tick), b"<Idle|MPos:0,0,0>\r\n");
        session.handle_timeout(ms(100 * tick));
        nudges += sent(&mut session).matches('~').count();
        faults.extend(events(&mut session).into_iter().filter(|event| matches!(event, Event::Fault(_))));
    }
    assert_eq!((nudges, faults), (1, vec![Event::Fault(Fault::Stalled)]));
}

#[test]
fn a_pause_is_no_stall() {
    let mut session = connected(&["G1X1F100"]);
    session.pause(ms(200));
    assert!(sent(&mut session).ends_with('!'));
    for tick in 2..100 {
        session.handle_bytes(ms(100 * tick), b"<Hold:0>\r\n");
        session.handle_timeout(ms(100 * tick));
    }
    session.resume(ms(10_000));
    assert!(sent(&mut session).ends_with('~'));
    assert!(events(&mut session).iter().all(|event| !matches!(event, Event::Fault(_))));
    assert!(!session.is_closed());
}

#[test]
fn a_board_without_banner_is_probed_and_a_dead_one_given_up() {
    let mut session = opened(&["G4P0"]);
    session.handle_timeout(ms(2500));
    assert_eq!(sent(&mut session), "\n");
    session.handle_bytes(ms(2600), b"ok\r\n");
    session.handle_bytes(ms(2700), b"ok\r\n");
    session.handle_timeout(ms(2900));
    assert_eq!(sent(&mut session), "?G4P0\n");
    let mut dead = opened(&["G4P0"]);
    while let Some(timeout) = dead.poll_timeout() {
        dead.handle_timeout(timeout);
    }
    assert_eq!(events(&mut dead), [Event::Fault(Fault::NoAnswer)]);
}

#[test]
fn alarms_restarts_and_locks_end_it() {
    for (said, fault) in [
        ("Grbl 1.1h\r\n", Some(Fault::Restarted)),
        ("[MSG:'$H'|'$X' to unlock]\r\n", Some(Fault::Locked)),
        ("ALARM:2\r\n", None),
    ] {
        let mut session = connected(&["G1X1F100", "X2"]);
        events(&mut session);
        session.handle_bytes(ms(300), said.as_bytes());
        let told = events(&mut session);
        match (fault, told.last()) {
            (Some(fault), last) => assert_eq!(last, Some(&Event::Fault(fault))),
            (None, last) => assert!(matches!(last, Some(Event::Alarm { code: 2, statement: Some(0), .. }))),
        }
        assert!(session.is_closed());
    }
}

proptest! {
    #[test]
    fn the_window_never_overflows(lengths in prop::collection::vec(1_usize..79, 1..60), answers in 1_usize..5) {
        let lines: Vec<String> = lengths.iter().map(|length| "X".repeat(*length)).collect();
        let mut session = connected(&lines.iter().map(String::as_str).collect::<Vec<_>>());
        let (mut held, mut waiting, mut seen) = (0_usize, std::collections::VecDeque::new(), 0);
        for tick in 0..200 {
            for line in sent(&mut session).replace('?', "").lines() {
                held += line.len() + 1;
                waiting.push_back(line.len() + 1);
                seen += 1;
            }
            prop_assert!(held <= 128);
            for _ in 0..answers.min(waiting.len()) {
                held -= waiting.pop_front().unwrap_or(0);
                session.handle_bytes(ms(200 + tick), b"ok\r\n");
            }
        }
        prop_assert_eq!(seen, lengths.len());
    }

    #[test]
    fn any_split_gives_the_same_events(
        pieces in prop::collection::vec(prop_oneof![
            Just(b"ok\r\n".to_vec()), Just(b"error:9\r\n".to_vec()), Just(b"<Idle|MPos:0,0,0>\r\n".to_vec()),
            prop::collection::vec(any::<u8>(), 0..40),
        ], 0..20),
        cut in 1_usize..7,
    ) {
        let bytes = pieces.concat();
        let (mut whole, mut split) = (connected(&["G1X1F1"; 30]), connected(&["G1X1F1"; 30]));
        whole.handle_bytes(ms(300), &bytes);
        bytes.chunks(cut).for_each(|chunk| split.handle_bytes(ms(300), chunk));
        prop_assert_eq!(events(&mut whole), events(&mut split));
        let sent = |session: &mut Session| std::iter::from_fn(|| session.poll_transmit()).flatten().collect::<Vec<u8>>();
        prop_assert_eq!(sent(&mut whole), sent(&mut split));
    }
}
