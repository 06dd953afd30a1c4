//! GRBL over the whole chain: time, starvation, homing.

use std::f64::consts::TAU;
use std::time::Duration;

use super::test_support::simulate;
use super::*;
use traceur_core::geometry::{Point, Polyline, Vec2};
use traceur_core::machine::{Dialect, Firmware, Grbl, Placement, Profile};
use traceur_core::pens::Inventory;
use traceur_core::toolpath::Pass;
use traceur_protocol::{Event, Program, Statement, encode};
use traceur_sim::{Faults, VirtualGrbl, VirtualPlotter as _, Wire};

fn pass(strokes: Vec<Vec<Point>>) -> Pass {
    let pen = Inventory::built_in("black").unwrap().pens.remove(0);
    Pass { pen, strokes: strokes.into_iter().map(Polyline::new).collect() }
}

fn circle(center: Point, radius: f64, count: u32) -> Vec<Point> {
    (0..=count).map(|n| center + Vec2::from_angle(TAU * f64::from(n) / f64::from(count)) * radius).collect()
}

fn drawings() -> Vec<(&'static str, Vec<Vec<Point>>)> {
    let p = Point::new;
    let curves = (1..20).map(|n| {
        let wave = |i: u32| {
            let x = f64::from(i) * 0.2;
            p(20.0 + x, 10.0 * f64::from(n) + 4.0 * (x * 0.2 * f64::from(n % 5 + 1)).sin())
        };
        (0..=500).map(wave).collect()
    });
    let dashes = (0..150).map(|n| {
        vec![
            p(f64::from(n % 15) * 8.0, f64::from(n / 15)),
            p(f64::from(n % 15) * 8.0 + 3.0, f64::from(n / 15) + 0.5),
        ]
    });
    let lines = (0..12).map(|n| vec![p(0.0, f64::from(n) * 15.0), p(200.0, 180.0 - f64::from(n) * 14.0)]);
    let zigzag = (0..4000).map(|n| p(10.0 + 0.03 * f64::from(n), 50.0 + 0.4 * f64::from(n % 2)));
    let noise = (0..3000).map(|n| {
        let n = f64::from(n);
        p(10.0 + 0.05 * n + 0.04 * (n * 12.9).sin(), 90.0 + 0.06 * (n * 7.3).cos())
    });
    let dots = (0..100).map(|n| vec![p(f64::from(n % 10) * 7.0, f64::from(n / 10) * 5.0); 2]);
    let circles = (1..30).map(|n| circle(p(100.0, 100.0), 0.1 * f64::from(n * n), 40 + 10 * n));
    vec![
        ("curves", curves.collect()),
        ("dashes", dashes.collect()),
        ("long lines", lines.collect()),
        ("tiny zigzag", vec![zigzag.collect()]),
        ("noise", vec![noise.collect()]),
        ("dots", dots.collect()),
        ("circles", circles.collect()),
    ]
}

#[tokio::test]
async fn the_plan_lasts_as_long_as_the_machine_within_a_hundredth() {
    for id in ["grbl-servo", "grbl-z"] {
        let profile = Profile::built_in(id).unwrap();
        let placement = Placement::new(&profile, 200.0);
        for (name, strokes) in drawings() {
            let pass = pass(strokes);
            let planned = traceur_motion::plan(&pass, &profile, &placement).seconds();
            let program = encode(0, &pass, &profile, &placement);
            let outcome = simulate(program, &profile, &mut Controls::none(), |_| {}).await.unwrap();
            let elapsed = outcome.trace.unwrap().seconds();
            let off = planned / elapsed - 1.0;
            assert!(off.abs() < 0.01, "{id}, {name}: planned {planned} s, elapsed {elapsed} s");
        }
    }
}

/// Streams at the wire's speed to a plotter that takes so long for a line; gives it when all is done.
fn stream(program: Program, profile: &Profile, grbl: &Grbl, line_time: Duration) -> VirtualGrbl {
    let mut session = traceur_protocol::session(program, profile);
    let mut plotter = VirtualGrbl::new(profile, grbl);
    plotter.set_line_time(line_time);
    let mut wire = Wire::new(&Faults::default(), Some(grbl.baud), 0);
    let mut now = Duration::ZERO;
    loop {
        session.handle_bytes(now, &plotter.poll_output());
        while let Some(bytes) = session.poll_transmit() {
            wire.send(now, &bytes);
        }
        while let Some(event) = session.poll_event() {
            assert!(
                !matches!(event, Event::Error { .. } | Event::Alarm { .. } | Event::Fault(_)),
                "{event:?}"
            );
        }
        let Some(timeout) = session.poll_timeout() else { return plotter };
        let wakes = [wire.next_arrival(), plotter.next_wake(now)];
        now = wakes.into_iter().flatten().fold(timeout, Duration::min).max(now);
        plotter.receive(now, &wire.receive(now).unwrap_or_default());
        if session.poll_timeout().is_some_and(|timeout| timeout <= now) {
            session.handle_timeout(now);
        }
    }
}

#[test]
fn two_thousand_short_segments_do_not_starve_the_planner() {
    let profile = Profile::built_in("grbl-servo").unwrap();
    let Firmware::Grbl(grbl) = &profile.firmware else { panic!("{:?}", profile.firmware) };
    // As the encoder would write them if it did not merge them.
    let points = circle(Point::new(60.0, 60.0), 2000.0 * 0.05 / TAU, 2000);
    let mut lines = vec!["G21G90G17G94G54".to_owned(), "G0X75.92Y60".into()];
    let hundredths = |mm: f64| (mm * 100.0).round() / 100.0;
    let mut at = (75.92, 60.0);
    for point in &points {
        let (x, y) = (hundredths(point.x), hundredths(point.y));
        let mut line = String::new();
        if x != at.0 {
            line += &format!("X{x}");
        }
        if y != at.1 {
            line += &format!("Y{y}");
        }
        if !line.is_empty() {
            lines.push(line);
        }
        at = (x, y);
    }
    lines[2] = format!("G1{}F3000", lines[2]);
    lines.push("G4P0".into());
    let statement = |line: String| Statement { drains: line == "G4P0", line, origin: None };
    let program = Program {
        dialect: Dialect::Grbl,
        title: String::new(),
        statements: lines.into_iter().map(statement).collect(),
        lift: Vec::new(),
    };
    let plotter = stream(program.clone(), &profile, grbl, Duration::from_micros(1500));
    let share = plotter.starved_share(3);
    assert_eq!(plotter.dropped_bytes(), 0);
    assert!(share <= 0.09, "{share}");
    // A processor that is too slow starves it: the number can be bad.
    let slow = stream(program, &profile, grbl, Duration::from_millis(5)).starved_share(3);
    assert!(slow > 0.5, "{slow}");
}

#[tokio::test]
async fn a_machine_that_homes_draws_where_it_should() {
    for id in ["grbl-servo", "grbl-z"] {
        let mut profile = Profile::built_in(id).unwrap();
        let Firmware::Grbl(grbl) = &mut profile.firmware else { panic!("{id}") };
        grbl.homing = true;
        let placement = Placement::new(&profile, 100.0);
        let strokes = vec![vec![Point::new(10.0, 10.0), Point::new(30.0, 20.0)]];
        let program = encode(0, &pass(strokes), &profile, &placement);
        let mut told = Vec::new();
        let outcome = simulate(program, &profile, &mut Controls::none(), |event| {
            told.push(event.clone());
        })
        .await
        .unwrap();
        assert!(outcome.finished, "{told:?}");
        let strokes = outcome.trace.unwrap().strokes();
        let drawn: Vec<_> = strokes.iter().filter(|stroke| stroke.length() > 1.0).collect();
        assert_eq!(drawn.len(), 1, "{strokes:?}");
        assert!(
            placement.to_page(drawn[0].start()).distance(Point::new(10.0, 10.0)) < 0.02,
            "{:?}",
            drawn[0]
        );
    }
}
