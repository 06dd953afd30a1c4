//! From strokes to ink and back, over the whole chain.

use std::time::{Duration, Instant};

use super::test_support::{off, simulate, stream};
use super::*;
use crate::transport::Link;
use traceur_core::geometry::{Point, Polyline};
use traceur_core::machine::{Placement, Profile};
use traceur_core::pens::Inventory;
use traceur_core::toolpath::Pass;
use traceur_protocol::{Event, Program, encode};
use traceur_sim::Faults;

fn pass() -> Pass {
    let pen = Inventory::built_in("black").unwrap().pens.remove(0);
    let circle = (0..=90).map(|i| {
        let angle = f64::from(i) * 4.0_f64.to_radians();
        Point::new(50.0 + 20.0 * angle.cos(), 60.0 + 20.0 * angle.sin())
    });
    let zigzag = (0..200).map(|i| Point::new(10.037 + 0.3 * f64::from(i), 20.0 + 3.0 * f64::from(i % 2)));
    let dot = Point::new(33.333, 44.444);
    Pass {
        pen,
        strokes: vec![
            Polyline::new(circle.collect()),
            Polyline::new(vec![dot, dot]),
            Polyline::new(zigzag.collect()),
            Polyline::new(vec![Point::new(0.0, 100.0), Point::new(0.002, 100.0)]),
        ],
    }
}

fn setup(id: &str) -> (Profile, Placement, Program) {
    let profile = Profile::built_in(id).unwrap();
    let placement = Placement::new(&profile, 100.0);
    let program = encode(0, &pass(), &profile, &placement);
    (profile, placement, program)
}

#[tokio::test]
async fn what_is_asked_for_is_drawn_within_its_tolerance_and_a_step() {
    for id in ["grbl-servo", "grbl-z"] {
        let (profile, placement, program) = setup(id);
        let count = program.statements.len();
        let mut accepted = Vec::new();
        let outcome = simulate(program, &profile, &mut Controls::none(), |event| match event {
            Event::Accepted { statement } => accepted.push(*statement),
            Event::Error { .. } | Event::Fault(_) | Event::Garbled(_) | Event::Alarm { .. } => {
                panic!("{event:?}")
            }
            _ => {}
        })
        .await
        .unwrap();
        assert!(outcome.finished, "{id}");
        assert_eq!(outcome.drawn, Some(count - 1));
        assert_eq!(accepted, (0..count).collect::<Vec<_>>());
        let trace = outcome.trace.unwrap();
        assert_eq!(trace.pieces.iter().rfind(|p| p.from != p.to).unwrap().to, Point::ORIGIN);
        let drawn = trace.strokes();
        let asked = pass().strokes;
        assert_eq!(drawn.len(), asked.len(), "{id}");
        for (drawn, asked) in drawn.iter().zip(&asked) {
            let drawn = drawn.map(|point| placement.to_page(point));
            // Pieces within 0.015 mm, ends rounded to 0.01 mm, then to steps of 0.0125 mm.
            assert!(drawn.points().iter().all(|point| off(*point, asked) < 0.031), "{id}");
            assert!(asked.points().iter().all(|point| off(*point, &drawn) < 0.031), "{id}");
        }
    }
}

#[tokio::test]
async fn two_runs_and_a_file_give_the_same_marks() {
    let (profile, _, program) = setup("grbl-servo");
    let text = program.to_text();
    let first = simulate(program.clone(), &profile, &mut Controls::none(), |_| {}).await.unwrap();
    let second = simulate(program.clone(), &profile, &mut Controls::none(), |_| {}).await.unwrap();
    assert_eq!(first, second);
    let paced = stream(
        Connection::simulated(&profile, &Faults::default(), Some(10_000.0)),
        program,
        &profile,
        &mut Controls::none(),
        |_| {},
    )
    .await
    .unwrap();
    assert_eq!(first, paced);
    let file = traceur_sim::run_program(text.as_bytes(), &profile).unwrap();
    assert_eq!(file.strokes(), first.trace.unwrap().strokes());
}

#[tokio::test]
async fn a_stop_leaves_the_pen_up() {
    let (profile, _, program) = setup("grbl-servo");
    let (remote, mut controls) = Controls::channel();
    let mut last = None;
    let outcome = simulate(program, &profile, &mut controls, |event| {
        if matches!(event, Event::Accepted { statement: 40 }) {
            remote.send(Control::Stop);
        }
        last = Some(event.clone());
    })
    .await
    .unwrap();
    assert!(!outcome.finished && last == Some(Event::Stopped), "{last:?}");
    assert!(outcome.drawn.is_some_and(|drawn| drawn < 40));
    assert!(!outcome.trace.unwrap().pieces.last().unwrap().pen_down);
    let (profile, _, program) = setup("grbl-z");
    let (remote, mut controls) = Controls::channel();
    remote.send(Control::Stop);
    let outcome = simulate(program, &profile, &mut controls, |_| {}).await.unwrap();
    assert!(!outcome.finished && outcome.trace.unwrap().pieces.is_empty());
}

#[test]
fn ports_are_read() {
    assert_eq!(Port::parse("/dev/ttyUSB0").unwrap(), Port::Serial("/dev/ttyUSB0".into()));
    for text in ["sim", "sim@20", "sim@0.5", "auto", "/dev/ttyUSB0", "tcp://bridge:23"] {
        assert_eq!(Port::parse(text).unwrap().to_string(), text);
    }
    for text in ["", "sim@", "sim@0", "sim@nan", "sim@-1"] {
        assert!(Port::parse(text).unwrap_err().to_string().contains("sim@20"), "{text}");
    }
}

#[tokio::test]
async fn a_link_in_real_time_draws_the_same() {
    let (profile, placement, _) = setup("grbl-servo");
    let mut small = pass();
    small.strokes = vec![Polyline::new(vec![Point::new(1.0, 99.0), Point::new(3.0, 98.0)])];
    let program = encode(0, &small, &profile, &placement);
    let (ours, mut theirs) = Link::pair();
    let (began, mut plotter) = (Instant::now(), traceur_sim::plotter(&profile));
    let plotting = async {
        loop {
            let said = plotter.poll_output();
            if !said.is_empty() && theirs.send(said).is_err() {
                break;
            }
            let wake = plotter.next_wake(began.elapsed()).unwrap_or(Duration::from_secs(60));
            tokio::select! {
                bytes = theirs.receive() => match bytes {
                    Ok(bytes) => plotter.receive(began.elapsed(), &bytes),
                    Err(_) => break,
                },
                () = tokio::time::sleep(wake.saturating_sub(began.elapsed())) => plotter.receive(began.elapsed(), b""),
            }
        }
        plotter.trace().strokes()
    };
    let mut ignore = |_: &Event| {};
    let mut never = Controls::none();
    let (outcome, strokes) =
        tokio::join!(stream(Connection::over(ours), program, &profile, &mut never, &mut ignore), plotting);
    assert!(outcome.unwrap().finished && strokes.len() == 1);
}
