//! HP-GL sessions against the virtual plotter over the whole chain.

use proptest::prelude::*;

use crate::Connection;
use crate::test_support::{Outcome, off, simulate, stream};
use traceur_core::geometry::{Point, Polyline};
use traceur_core::machine::{Firmware, Handshake, Hpgl, Placement, Profile};
use traceur_core::pens::Inventory;
use traceur_core::toolpath::Pass;
use traceur_protocol::{Event, Program};
use traceur_sim::Faults;

const MODELS: [&str; 5] = ["hp7475a", "hp7440a", "hp7550a", "dxy-1150", "dpx-3300"];

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
    (traceur_protocol::encode(0, &pass(strokes), profile, &placement), placement)
}

async fn plot(profile: &Profile, program: Program, faults: &Faults) -> (Outcome, Vec<Event>) {
    let mut events = Vec::new();
    let outcome = stream(
        Connection::simulated(profile, faults, None),
        program,
        profile,
        &mut crate::Controls::none(),
        |event| events.push(event.clone()),
    )
    .await
    .unwrap();
    (outcome, events)
}

/// The marks against what was asked for: as many, and nowhere farther apart than `tolerance` and a unit.
fn same(drawn: &[Polyline], asked: &[Polyline], placement: &Placement, tolerance: f64) {
    assert_eq!(drawn.len(), asked.len());
    for (drawn, asked) in drawn.iter().zip(asked) {
        let drawn = drawn.map(|point| placement.to_page(point));
        for (points, other) in [(&drawn, asked), (asked, &drawn)] {
            let worst = points.points().iter().map(|point| off(*point, other)).fold(0.0, f64::max);
            assert!(worst < tolerance + 0.025, "{worst} mm");
        }
    }
}

#[tokio::test]
async fn what_is_asked_for_is_drawn_by_every_model_and_handshake() {
    for id in MODELS {
        for handshake in
            [Handshake::XonXoff, Handshake::Hardwire, Handshake::EnqAck, Handshake::Poll, Handshake::None]
        {
            let mut profile = profile(id);
            table(&mut profile).handshake = handshake;
            let (program, placement) = program(&profile, strokes());
            let count = program.statements.len();
            let (outcome, events) = plot(&profile, program, &Faults::default()).await;
            assert!(outcome.finished, "{id} {handshake:?}: {:?}", events.last());
            assert_eq!(outcome.drawn, Some(count - 1));
            let accepted: Vec<usize> = events
                .iter()
                .filter_map(|event| match event {
                    Event::Accepted { statement } => Some(*statement),
                    Event::Push(_) | Event::Garbled(_) | Event::Error { .. } => panic!("{id}: {event:?}"),
                    _ => None,
                })
                .collect();
            assert_eq!(accepted, (0..count).collect::<Vec<_>>(), "{id} {handshake:?}");
            let trace = outcome.trace.unwrap();
            assert!(trace.warnings.is_empty(), "{:?}", trace.warnings);
            assert_eq!(trace.strokes_by_pen().keys().copied().collect::<Vec<_>>(), [1], "{id}");
            // Arcs and their chords: 0.015 mm of fit, half a unit of sagitta.
            same(&trace.strokes(), &strokes(), &placement, 0.03);
        }
    }
}

#[tokio::test]
async fn portrait_pages_and_a3_come_out_on_the_page() {
    for (id, size, at) in [
        ("hp7475a", (210.0, 297.0), (100.0, 250.0)),
        ("hp7475a", (420.0, 297.0), (380.0, 150.0)),
        ("hp7475a", (215.9, 279.4), (200.0, 260.0)),
        ("hp7475a", (431.8, 279.4), (410.0, 150.0)),
        ("hp7550a", (431.8, 279.4), (418.0, 150.0)),
        ("dpx-3300", (594.0, 841.0), (570.0, 820.0)),
    ] {
        let profile = profile(id);
        let placement = Placement::of_page(&profile, size.0, size.1).unwrap();
        let asked = vec![Polyline::from([(40.0, 30.0), at, (40.0, 60.0)])];
        let program = traceur_protocol::encode(0, &pass(asked.clone()), &profile, &placement);
        let (outcome, _) = plot(&profile, program, &Faults::default()).await;
        same(&outcome.trace.unwrap().strokes(), &asked, &placement, 0.0);
    }
}

#[tokio::test]
async fn late_and_chopped_answers_change_nothing() {
    let profile = profile("hp7475a");
    let (program, placement) = program(&profile, strokes());
    let faults = Faults { latency: 0.04, chop: 1, ..Faults::default() };
    let (outcome, _) = plot(&profile, program, &faults).await;
    assert!(outcome.finished);
    same(&outcome.trace.unwrap().strokes(), &strokes(), &placement, 0.03);
}

#[tokio::test]
async fn lost_and_changed_bytes_do_not_pass_unseen() {
    let mut seen = 0;
    for seed in 0..12 {
        let profile = profile("hp7475a");
        let (program, placement) = program(&profile, strokes());
        let faults = Faults { seed, drop: 0.001, flip: 0.001, ..Faults::default() };
        let (outcome, events) = plot(&profile, program, &faults).await;
        if outcome.finished {
            // Next only answers were hit, or a vertex between two markers by little.
            let trace = outcome.trace.unwrap();
            assert!(trace.strokes().len() <= strokes().len() + 1, "{seed}");
            let _ = placement;
        } else {
            let told = events
                .iter()
                .any(|event| matches!(event, Event::Fault(_) | Event::Error { .. } | Event::Alarm { .. }));
            assert!(told, "{seed}: {events:?}");
            seen += 1;
        }
    }
    assert!(seen > 3, "{seen}");
}

#[tokio::test]
async fn the_file_draws_what_the_session_draws() {
    let profile = profile("hp7475a");
    let (program, _) = program(&profile, strokes());
    let file = traceur_sim::run_program(program.to_text().as_bytes(), &profile).unwrap();
    let (outcome, _) = plot(&profile, program, &Faults::default()).await;
    assert_eq!(file.strokes(), outcome.trace.unwrap().strokes());
}

#[tokio::test]
async fn a_stop_throws_the_buffer_away_and_puts_the_pen_back() {
    let profile = profile("hp7475a");
    let (program, _) = program(&profile, strokes());
    let (remote, mut controls) = crate::Controls::channel();
    let mut last = None;
    let outcome = simulate(program.clone(), &profile, &mut controls, |event| {
        if matches!(event, Event::Completed { upto } if *upto >= 8) {
            remote.send(crate::Control::Stop);
        }
        last = Some(event.clone());
    })
    .await
    .unwrap();
    assert!(!outcome.finished && last == Some(Event::Stopped), "{last:?}");
    assert!(outcome.drawn.is_some_and(|drawn| drawn < program.statements.len() - 5), "{:?}", outcome.drawn);
    assert!(!outcome.trace.unwrap().pieces.last().unwrap().pen_down);
    let (remote, mut controls) = crate::Controls::channel();
    remote.send(crate::Control::Stop);
    let outcome = simulate(program, &profile, &mut controls, |_| {}).await.unwrap();
    assert!(!outcome.finished && outcome.trace.unwrap().pieces.is_empty());
}

proptest! {
    #[test]
    fn no_program_overflows_any_buffer(
        points in prop::collection::vec(prop::collection::vec((20.0..280.0, 20.0..190.0), 2..12), 1..12),
        model in 0_usize..5, kind in 0_usize..5, buffer in 48_usize..400, latency in 0.0..0.05,
    ) {
        let mut profile = profile(MODELS[model]);
        let hpgl = table(&mut profile);
        hpgl.handshake =
            [Handshake::XonXoff, Handshake::Hardwire, Handshake::EnqAck, Handshake::Poll, Handshake::None][kind];
        hpgl.buffer_bytes = buffer;
        let strokes: Vec<Polyline> = points.iter().map(|points| Polyline::new(points.iter().copied().map(Point::from).collect())).collect();
        let (program, _) = program(&profile, strokes);
        let faults = Faults { latency, ..Faults::default() };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (outcome, events) = runtime.block_on(plot(&profile, program, &faults));
        // The session asks ESC.E every second and at the end: 16 would be an error.
        prop_assert!(outcome.finished, "{:?}", events.last());
    }
}
