//! What a session promises.

use std::time::Duration;

use proptest::prelude::*;

use super::{Session, error_meaning};
use crate::{Event, Fault, Origin, Program, Session as _, Statement};
use traceur_core::machine::{Dialect, Firmware, Grbl, Profile};

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
    opened_with(lines, false)
}

fn opened_with(lines: &[&str], homing: bool) -> Session {
    let profile = Profile::built_in("grbl-servo").unwrap();
    let Firmware::Grbl(grbl) = &profile.firmware else { panic!("{:?}", profile.firmware) };
    Session::new(program(lines), &profile, &Grbl { homing, ..grbl.clone() })
}

fn connected(lines: &[&str]) -> Session {
    let mut session = opened(lines);
    answer(&mut session, b"[VER:1.1h.20190830:]\r\n[OPT:V,15,128]\r\nok\r\n");
    session
}

/// Lets a session connect and answers its `$I`.
fn answer(session: &mut Session, said: &[u8]) {
    session.handle_bytes(ms(0), b"\r\nGrbl 1.1h ['$' for help]\r\n");
    session.handle_timeout(ms(200));
    assert_eq!(sent(session), "$I\n");
    session.handle_bytes(ms(200), said);
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
    assert_eq!(sent(&mut session), "$I\n");
    session.handle_timeout(ms(3900));
    assert_eq!(sent(&mut session), "?G4P0\n", "without an answer the profile's numbers hold");
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

#[test]
fn the_window_is_the_firmwares_own_word() {
    let lines = vec!["X".repeat(49); 40];
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    for (said, blocks, held) in [
        ("[OPT:V,15,128]\r\nok\r\n", 15, 2),
        ("[OPT:VNMSL,100,1024,3,0]\r\n[NEWOPT:ENUMS]\r\nok\r\n", 100, 20),
        ("[OPT:PHS]\r\nok\r\n", 15, 2),
        ("[OPT:V,0,3]\r\nok\r\n", 15, 2),
        ("error:8\r\n", 15, 2),
    ] {
        let mut session = opened(&lines);
        answer(&mut session, said.as_bytes());
        assert_eq!((sent(&mut session).lines().count(), session.planner_blocks()), (held, blocks), "{said}");
    }
}

#[test]
fn a_machine_that_homes_is_unlocked_by_it() {
    let mut session = opened_with(&["G4P0"], true);
    session.handle_bytes(ms(0), b"\r\nGrbl 1.1h ['$' for help]\r\n[MSG:'$H'|'$X' to unlock]\r\n");
    session.handle_timeout(ms(200));
    session.handle_bytes(ms(300), b"[OPT:V,15,128]\r\nok\r\n");
    assert_eq!(sent(&mut session), "$I\n$H\n");
    session.handle_timeout(ms(60_000));
    assert!(sent(&mut session).is_empty() && !session.is_closed(), "homing takes its time");
    session.handle_bytes(ms(61_000), b"<Home|MPos:-1,-1,0>\r\nok\r\n");
    assert_eq!(sent(&mut session), "?G4P0\n");
}

#[test]
fn homing_that_fails_is_told_once() {
    let homing = || {
        let mut session = opened_with(&["G4P0"], true);
        answer(&mut session, b"ok\r\n");
        assert_eq!(sent(&mut session), "$H\n");
        events(&mut session);
        session
    };
    let mut session = homing();
    let banner = b"ALARM:9\r\nok\r\n\r\nGrbl 1.1h ['$' for help]\r\n[MSG:'$H'|'$X' to unlock]\r\n";
    session.handle_bytes(ms(900), banner);
    let told = events(&mut session);
    assert!(matches!(told[..], [Event::Alarm { code: 9, statement: None, .. }, Event::Push(_)]), "{told:?}");
    assert!(session.is_closed() && sent(&mut session).is_empty());
    let mut session = homing();
    session.handle_bytes(ms(900), b"error:5\r\n");
    assert_eq!(events(&mut session).last(), Some(&Event::Fault(Fault::NoHoming)));
    let mut session = homing();
    session.stop(ms(900));
    assert_eq!(sent(&mut session), "\u{18}");
    session.handle_bytes(ms(950), b"ALARM:6\r\nok\r\n\r\nGrbl 1.1h\r\n");
    assert_eq!(events(&mut session).last(), Some(&Event::Stopped));
    assert!(sent(&mut session).is_empty(), "nobody knows where the pen is");
}

#[test]
fn a_stop_that_comes_too_late_to_rest_still_lifts_the_pen() {
    let mut session = connected(&["G1X1F100", "X2"]);
    sent(&mut session);
    events(&mut session);
    session.stop(ms(300));
    session.handle_timeout(ms(5400));
    assert!(sent(&mut session).ends_with('\u{18}'));
    session.handle_bytes(ms(5500), b"ALARM:3\r\n\r\nGrbl 1.1h\r\n[MSG:'$H'|'$X' to unlock]\r\n");
    assert_eq!(sent(&mut session), "$X\n");
    session.handle_bytes(ms(5600), b"[MSG:Caution: Unlocked]\r\nok\r\n");
    assert_eq!(sent(&mut session), "M3S300\n");
    session.handle_bytes(ms(5700), b"ok\r\n");
    let told = events(&mut session);
    assert!(
        matches!(told[0], Event::Alarm { code: 3, .. }) && told.last() == Some(&Event::Stopped),
        "{told:?}"
    );
}

#[test]
fn a_pause_in_the_program_waits_for_resume() {
    let mut session = connected(&["M0", "X2"]);
    sent(&mut session);
    for tick in 3..200 {
        session.handle_bytes(ms(100 * tick), b"<Hold:0|MPos:0,0,0>\r\n");
        session.handle_timeout(ms(100 * tick));
    }
    assert!(events(&mut session).iter().all(|event| !matches!(event, Event::Fault(_))));
    sent(&mut session);
    session.resume(ms(20_000));
    assert_eq!(sent(&mut session), "~");
    session.handle_bytes(ms(20_100), b"ok\r\nok\r\n");
    assert!(events(&mut session).contains(&Event::Completed { upto: 0 }));
}

proptest! {
    #[test]
    fn the_window_never_overflows(
        lengths in prop::collection::vec(1_usize..79, 1..60),
        answers in 1_usize..5,
        bytes in 81_usize..2000,
    ) {
        let lines: Vec<String> = lengths.iter().map(|length| "X".repeat(*length)).collect();
        let mut session = opened(&lines.iter().map(String::as_str).collect::<Vec<_>>());
        answer(&mut session, format!("[OPT:V,15,{bytes}]\r\nok\r\n").as_bytes());
        let (mut held, mut waiting, mut seen) = (0_usize, std::collections::VecDeque::new(), 0);
        for tick in 0..200 {
            for line in sent(&mut session).replace('?', "").lines() {
                held += line.len() + 1;
                waiting.push_back(line.len() + 1);
                seen += 1;
            }
            prop_assert!(held <= bytes);
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
            Just(b"ALARM:9\r\n".to_vec()), Just(b"\r\nGrbl 1.1h ['$' for help]\r\n".to_vec()),
            Just(b"[MSG:'$H'|'$X' to unlock]\r\n".to_vec()), Just(b"[OPT:V,15,128]\r\n".to_vec()),
            prop::collection::vec(any::<u8>(), 0..40),
        ], 0..20),
        cut in 1_usize..7,
        phase in 0..4,
    ) {
        let bytes = pieces.concat();
        let begun = || {
            let mut session = opened_with(&["G1X1F1"; 30], phase == 1);
            if phase < 3 {
                session.handle_bytes(ms(0), b"\r\nGrbl 1.1h\r\n");
                session.handle_timeout(ms(200));
            }
            if phase == 1 || phase == 2 {
                session.handle_bytes(ms(200), b"ok\r\n");
            }
            session
        };
        let (mut whole, mut split) = (begun(), begun());
        whole.handle_bytes(ms(300), &bytes);
        bytes.chunks(cut).for_each(|chunk| split.handle_bytes(ms(300), chunk));
        prop_assert_eq!(events(&mut whole), events(&mut split));
        let sent = |session: &mut Session| std::iter::from_fn(|| session.poll_transmit()).flatten().collect::<Vec<u8>>();
        prop_assert_eq!(sent(&mut whole), sent(&mut split));
    }
}
