//! Sessions by themselves.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::{Event, Fault, Program, Session as _, State, Status};
use traceur_core::geometry::{Point, Polyline};
use traceur_core::machine::{Firmware, Handshake, Hpgl, Placement, Profile};
use traceur_core::pens::Inventory;
use traceur_core::toolpath::Pass;

fn profile(id: &str) -> Profile {
    Profile::built_in(id).unwrap()
}

fn table(profile: &mut Profile) -> &mut Hpgl {
    match &mut profile.firmware {
        Firmware::Hpgl(hpgl) => hpgl,
        other => panic!("{other:?}"),
    }
}

fn strokes() -> Vec<Polyline> {
    let circle: Vec<Point> = (0..=180)
        .map(|i| {
            let angle = f64::from(i) * 2_f64.to_radians();
            Point::new(150.0 + 40.0 * angle.cos(), 100.0 + 40.0 * angle.sin())
        })
        .collect();
    let zigzag: Vec<Point> =
        (0..300).map(|i| Point::new(30.037 + 0.5 * f64::from(i), 30.0 + 3.0 * f64::from(i % 2))).collect();
    vec![
        Polyline::new(circle),
        Polyline::from([(133.333, 144.444), (133.333, 144.444)]),
        Polyline::new(zigzag),
        Polyline::from([(60.0, 150.0), (250.0, 60.0)]),
        Polyline::from([(60.0, 150.0), (60.002, 150.0)]),
    ]
}

fn pass(strokes: Vec<Polyline>) -> Pass {
    let mut pen = Inventory::built_in("black").unwrap().pens.remove(0);
    pen.slot = None;
    Pass { pen, strokes }
}

fn program(profile: &Profile, strokes: Vec<Polyline>) -> (Program, Placement) {
    let placement = Placement::of_page(profile, 297.0, 210.0).unwrap();
    (crate::encode(0, &pass(strokes), profile, &placement), placement)
}

#[test]
fn three_pens_on_two_models_give_these_bytes() {
    for (id, expected) in [
        (
            "hp7475a",
            [
                "IN;PS4;PU;SP1;PU804,6109;PD2814,6109;PU;SP0;",
                "IN;PS4;PU;SP5;VS9.88;PU804,5305;PD2010,5305,2010,4502;PU4019,4100;PD;PU;SP0;",
                "IN;PS4;PU;SP3;PU5627,4904;PD;AA4823,4903,189,4;PD4032,4764;AA4823,4904,169,4;PD5627,4904;PU;SP0;",
            ],
        ),
        (
            "dxy-1150",
            [
                "IN;PU;SP1;PU1200,6240;PD3200,6240;PU;SP0;",
                "IN;PU;SP5;VS10;PU1200,5440;PD2400,5440,2400,4640;PU4400,4240;PD;PU;SP0;",
                "IN;PU;SP3;PU6000,5040;PD;AA5200,5040,189,4;PD4412,4901;AA5200,5040,169,4;PD6000,5040;PU;SP0;",
            ],
        ),
    ] {
        let profile = profile(id);
        let placement = Placement::of_page(&profile, 297.0, 210.0).unwrap();
        let circle: Vec<Point> = (0..=180)
            .map(|i| {
                let angle = -f64::from(i) * 2_f64.to_radians();
                Point::new(130.0 + 20.0 * angle.cos(), 84.0 + 20.0 * angle.sin())
            })
            .collect();
        let mut passes = [
            pass(vec![Polyline::from([(30.0, 54.0), (80.0, 54.0)])]),
            pass(vec![
                Polyline::from([(30.0, 74.0), (60.0, 74.0), (60.0, 94.0)]),
                Polyline::from([(110.0, 104.0), (110.0, 104.0)]),
            ]),
            pass(vec![Polyline::new(circle)]),
        ];
        passes[1].pen.slot = Some(5);
        passes[1].pen.speed = Some(100.0);
        for (index, (pass, expected)) in passes.iter().zip(expected).enumerate() {
            let text = crate::encode(index, pass, &profile, &placement).to_text();
            assert_eq!(text, expected, "{id} pass {index}");
        }
    }
}

/// A session that has just begun to stream, with all that it has sent so far.
fn streaming(hpgl: &Hpgl, program: Program) -> Session {
    let mut session = Session::new(program, hpgl);
    session.handle_timeout(Duration::ZERO);
    session.handle_bytes(Duration::ZERO, b"0\r");
    session.handle_timeout(Duration::from_millis(300));
    session.handle_bytes(Duration::from_millis(300), format!("{}\r0\r8\r", hpgl.identity).as_bytes());
    session
}

fn sent(session: &mut Session) -> String {
    let mut bytes = Vec::new();
    while let Some(piece) = session.poll_transmit() {
        bytes.extend(piece);
    }
    String::from_utf8(bytes).unwrap()
}

fn events(session: &mut Session) -> Vec<Event> {
    std::iter::from_fn(|| session.poll_event()).collect()
}

fn setup(handshake: Handshake) -> (Hpgl, Program) {
    let mut profile = profile("hp7475a");
    table(&mut profile).handshake = handshake;
    let (program, _) = program(&profile, strokes());
    (table(&mut profile).clone(), program)
}

#[test]
fn nothing_is_sent_between_xoff_and_xon() {
    let (hpgl, program) = setup(Handshake::XonXoff);
    let mut session = streaming(&hpgl, program);
    assert!(sent(&mut session).contains("\x1b.I81;;17:\x1b.N;19:"));
    let now = Duration::from_secs(1);
    session.handle_bytes(now, b"\x13");
    session.handle_bytes(now, b"0,0,0\r");
    let quiet = sent(&mut session);
    session.handle_bytes(now, b"\x11");
    assert!(quiet.is_empty(), "{quiet}");
}

#[test]
fn an_enquiry_goes_before_each_block() {
    let (hpgl, program) = setup(Handshake::EnqAck);
    let mut session = streaming(&hpgl, program);
    let begin = sent(&mut session);
    assert!(begin.contains("\x1b.H99;5;6:") && begin.ends_with("\x05"), "{begin:?}");
    session.handle_bytes(Duration::from_secs(1), b"\x06");
    let block = sent(&mut session);
    assert!(block.starts_with("IN;PS4;") && block.len() < 110 && block.ends_with("\x05"), "{block:?}");
}

#[test]
fn free_bytes_are_asked_for_and_a_reserve_is_kept() {
    let (hpgl, program) = setup(Handshake::Poll);
    let mut session = streaming(&hpgl, program);
    assert!(sent(&mut session).ends_with("\x1b.B"));
    session.handle_bytes(Duration::from_secs(1), b"150\r");
    // 150 - 128: the set-up of 17 bytes fits, nothing else.
    assert_eq!(sent(&mut session), "IN;PS4;PU;SP1;");
    assert_eq!(session.poll_timeout(), Some(Duration::from_millis(1050)));
    session.handle_timeout(Duration::from_millis(1050));
    assert_eq!(sent(&mut session), "\x1b.B");
}

#[test]
fn a_pause_lifts_the_pen_behind_what_is_in_the_buffer() {
    let (hpgl, _) = setup(Handshake::None);
    let (program, _) = program(&profile("hp7475a"), vec![strokes().remove(2)]);
    let mut session = streaming(&hpgl, program);
    let begun = sent(&mut session);
    let now = Duration::from_secs(1);
    session.pause(now);
    assert_eq!(sent(&mut session), "PU;OA;");
    // The answers to all markers so far.
    let parts: Vec<&str> = begun.split("OA;").collect();
    for part in &parts[..parts.len() - 1] {
        session.handle_bytes(now, format!("{},1\r", last_pair(part)).as_bytes());
    }
    assert_eq!(sent(&mut session), "");
    session.handle_bytes(now, format!("{},0\r", last_pair(&begun)).as_bytes());
    let rests =
        |event: &Event| matches!(event, Event::Status(Status { state: State::Hold { complete: true }, .. }));
    let told = events(&mut session);
    assert!(told.last().is_some_and(rests), "{told:?}");
    session.resume(now);
    assert!(sent(&mut session).starts_with("PD;PD"));
}

fn last_pair(text: &str) -> String {
    let numbers: Vec<&str> =
        text.split(|c: char| !(c.is_ascii_digit() || c == '-')).filter(|part| !part.is_empty()).collect();
    numbers[numbers.len() - 2..].join(",")
}

#[test]
fn a_pressed_view_and_a_raised_lever_are_explained() {
    let (hpgl, program) = setup(Handshake::None);
    let mut session = streaming(&hpgl, program);
    events(&mut session);
    session.handle_timeout(Duration::from_secs(2));
    assert!(sent(&mut session).ends_with("\x1b.O"));
    session.handle_bytes(Duration::from_secs(2), b"16\r");
    let told = events(&mut session);
    assert!(matches!(&told[0], Event::Push(text) if text.contains("VIEW is pressed")), "{told:?}");
    session.handle_timeout(Duration::from_secs(3));
    session.handle_timeout(Duration::from_secs(4));
    session.handle_bytes(Duration::from_secs(4), b"0\r48\r");
    session.handle_timeout(Duration::from_secs(5));
    session.handle_bytes(Duration::from_secs(5), b"48\r");
    let told = events(&mut session);
    assert!(
        matches!(told.last(), Some(Event::Alarm { meaning, .. }) if meaning.contains("lever")),
        "{told:?}"
    );
    assert!(session.is_closed());
}

#[test]
fn errors_of_the_wire_stop_the_plot_and_are_explained() {
    let (hpgl, program) = setup(Handshake::None);
    let mut session = streaming(&hpgl, program);
    session.handle_timeout(Duration::from_secs(2));
    session.handle_bytes(Duration::from_secs(2), b"0\r");
    session.handle_timeout(Duration::from_secs(3));
    sent(&mut session);
    events(&mut session);
    session.handle_bytes(Duration::from_secs(3), b"16\r");
    assert_eq!(sent(&mut session), "\x1b.K\x1b.E");
    let told = events(&mut session);
    assert!(
        matches!(&told[0], Event::Error { code: 16, meaning, .. } if meaning.contains("overflow")),
        "{told:?}"
    );
    session.handle_bytes(Duration::from_secs(3), b"0\r");
    assert_eq!(sent(&mut session), "PU;SP0;OA;");
    session.handle_bytes(Duration::from_secs(3), b"17,4,0\r");
    assert_eq!(events(&mut session).last(), Some(&Event::Stopped));
}

#[test]
fn silence_is_a_fault_that_names_the_cable_the_baud_rate_and_the_handshake() {
    let (hpgl, program) = setup(Handshake::None);
    let mut session = Session::new(program.clone(), &hpgl);
    while let Some(timeout) = session.poll_timeout() {
        session.handle_timeout(timeout);
    }
    assert_eq!(events(&mut session), [Event::Fault(Fault::Deaf)]);
    let text = Fault::Deaf.to_string();
    assert!(["cable", "baud", "handshake"].iter().all(|word| text.contains(word)));
    let mut session = streaming(&hpgl, program);
    while let Some(timeout) = session.poll_timeout() {
        assert!(timeout < Duration::from_secs(30));
        session.handle_timeout(timeout);
    }
    assert_eq!(events(&mut session).last(), Some(&Event::Fault(Fault::Silent)));
}

#[test]
fn a_pen_elsewhere_than_it_was_sent_is_a_fault() {
    let (hpgl, program) = setup(Handshake::None);
    let mut session = streaming(&hpgl, program);
    session.handle_bytes(Duration::from_secs(1), b"11040,7721,1\r");
    assert_eq!(events(&mut session).last(), Some(&Event::Fault(Fault::Strayed)));
}

#[test]
fn a_lost_answer_is_made_up_for_by_the_next() {
    let (hpgl, _) = setup(Handshake::None);
    let (program, _) = program(&profile("hp7475a"), vec![strokes().remove(2)]);
    let mut session = streaming(&hpgl, program);
    let begun = sent(&mut session);
    events(&mut session);
    let markers: Vec<&str> = begun.split("OA;").collect();
    assert!(markers.len() >= 3);
    let now = Duration::from_secs(1);
    session
        .handle_bytes(now, format!("?,{}\r{},1\r", last_pair(markers[0]), last_pair(markers[1])).as_bytes());
    let told = events(&mut session);
    assert!(told.iter().any(|event| matches!(event, Event::Completed { .. })), "{told:?}");
    assert!(!session.is_closed());
}

#[test]
fn another_models_name_is_told() {
    let (hpgl, program) = setup(Handshake::None);
    let mut session = Session::new(program, &hpgl);
    session.handle_timeout(Duration::ZERO);
    session.handle_bytes(Duration::ZERO, b"0\r");
    session.handle_timeout(Duration::from_secs(1));
    session.handle_bytes(Duration::from_secs(1), b"7550A\r");
    let told = events(&mut session);
    assert!(matches!(&told[0], Event::Push(text) if text.contains("`7550A`")), "{told:?}");
}

fn replies() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(b"0\r".to_vec()),
        Just(b"8\r".to_vec()),
        Just(b"7475A\r".to_vec()),
        Just(b"0,0,0\r".to_vec()),
        Just(b"\x13".to_vec()),
        Just(b"\x11".to_vec()),
        Just(b"\x06".to_vec()),
        Just(b"1024\r".to_vec()),
        prop::collection::vec(any::<u8>(), 0..20),
    ];
    prop::collection::vec(piece, 0..25).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_split_of_the_answers_gives_the_same_events(bytes in replies(), cut in 1_usize..9, began: bool, kind in 0_usize..3) {
        let handshake = [Handshake::XonXoff, Handshake::EnqAck, Handshake::Poll][kind];
        let (hpgl, program) = setup(handshake);
        let run = |pieces: Vec<&[u8]>| {
            let mut session = if began { streaming(&hpgl, program.clone()) } else { Session::new(program.clone(), &hpgl) };
            for piece in pieces {
                session.handle_bytes(Duration::from_secs(1), piece);
            }
            (sent(&mut session), events(&mut session))
        };
        prop_assert_eq!(run(vec![&bytes]), run(bytes.chunks(cut).collect()));
    }
}
