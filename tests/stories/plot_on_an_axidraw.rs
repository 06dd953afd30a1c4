//! Strokes to bytes to a virtual EiBotBoard and back to ink: both firmwares, both syntaxes, pauses, stops, faults.

use std::time::Duration;

use traceur_core::geometry::{Point, Polyline};
use traceur_core::machine::{Ebb, Firmware, Placement, Profile, Syntax, Version};
use traceur_core::pens::Inventory;
use traceur_core::toolpath::Pass;
use traceur_protocol::ebb::LowLevelMove;
use traceur_protocol::{Event, Fault, Program, State};
use traceur_sim::{MotionTrace, TracePiece, VirtualEbb, VirtualPlotter as _};

/// What drawing and trace may differ by; mm: a step of 1/80 mm each way, and what a corner is cut by in 4 ms.
const TOLERANCE: f64 = 0.045;

/// A circle of 30 mm, a square, a word of small letters, a dot.
fn strokes() -> Vec<Polyline> {
    let circle = (0..=400).map(|n| {
        let (sin, cos) = (f64::from(n) * std::f64::consts::TAU / 400.0).sin_cos();
        Point::new(60.0 + 30.0 * cos, 60.0 + 30.0 * sin)
    });
    let square = [(10.0, 10.0), (90.0, 10.0), (90.0, 45.5), (10.0, 45.5), (10.0, 10.0)].map(Point::from);
    let small = (0..300).map(|n| {
        let t = f64::from(n) * 0.1;
        Point::new(20.0 + t + 0.8 * (t * 3.0).sin(), 100.0 + 1.5 * (t * 5.0).cos())
    });
    let dot = Point::new(33.3, 77.7);
    [circle.collect(), square.to_vec(), small.collect(), vec![dot, dot]].map(Polyline::new).into()
}

struct Setup {
    profile: Profile,
    placement: Placement,
    pass: Pass,
}

impl Setup {
    fn new(id: &str, firmware: Version, syntax: Syntax) -> Self {
        let mut profile = Profile::built_in(id).unwrap();
        if let Firmware::Ebb(ebb) = &mut profile.firmware {
            (ebb.firmware, ebb.syntax) = (firmware, syntax);
        }
        let pen = Inventory::built_in("fineliner-12").unwrap().pens.remove(0);
        let placement = Placement::new(&profile, 120.0);
        Self { profile, placement, pass: Pass { pen, strokes: strokes() } }
    }

    fn ebb(&self) -> &Ebb {
        let Firmware::Ebb(ebb) = &self.profile.firmware else { panic!("{}", self.profile.id) };
        ebb
    }

    fn program(&self) -> Program {
        traceur_protocol::encode(0, &self.pass, &self.profile, &self.placement)
    }

    fn board(&self) -> VirtualEbb {
        VirtualEbb::new(&self.profile, self.ebb())
    }

    fn plan_seconds(&self) -> f64 {
        traceur_motion::plan(&self.pass, &self.profile, &self.placement).seconds()
    }
}

/// Runs a session on a board until it is over. `act` is called before each step, and may do something to either.
fn drive(
    setup: &Setup,
    board: &mut VirtualEbb,
    mut act: impl FnMut(Duration, &mut dyn traceur_protocol::Session, &mut VirtualEbb),
) -> (Vec<(Duration, Event)>, MotionTrace) {
    let mut session = traceur_protocol::session(setup.program(), &setup.profile);
    let (mut now, mut events) = (Duration::ZERO, Vec::new());
    for _ in 0..2_000_000 {
        act(now, session.as_mut(), board);
        while let Some(bytes) = session.poll_transmit() {
            board.receive(now, &bytes);
        }
        let said = board.poll_output();
        session.handle_bytes(now, &said);
        while let Some(event) = session.poll_event() {
            events.push((now, event));
        }
        if !said.is_empty() {
            continue;
        }
        let Some(timeout) = session.poll_timeout() else {
            return (events, board.trace().clone());
        };
        now = board.next_wake(now).map_or(timeout, |wake| wake.min(timeout)).max(now);
        board.receive(now, b"");
        session.handle_timeout(now);
    }
    panic!("it does not end: {:?}", &events[events.len().saturating_sub(5)..]);
}

fn off(point: Point, line: &Polyline) -> f64 {
    let to = |pair: &[Point]| {
        let (from, way) = (pair[0], pair[1] - pair[0]);
        let share =
            if way.hypot2() > 0.0 { ((point - from).dot(way) / way.hypot2()).clamp(0.0, 1.0) } else { 0.0 };
        (point - (from + way * share)).hypot()
    };
    line.points().windows(2).map(to).fold(f64::INFINITY, f64::min)
}

#[track_caller]
fn same_marks(drawn: &[Polyline], setup: &Setup) {
    let asked = &setup.pass.strokes;
    assert_eq!(drawn.len(), asked.len());
    for (drawn, asked) in drawn.iter().zip(asked) {
        let drawn = drawn.map(|point| setup.placement.to_page(point));
        let there = drawn.points().iter().map(|point| off(*point, asked)).fold(0.0, f64::max);
        let back = asked.points().iter().map(|point| off(*point, &drawn)).fold(0.0, f64::max);
        assert!(there < TOLERANCE && back < TOLERANCE, "{there} {back}");
    }
}

#[test]
fn every_board_draws_the_strokes_in_the_time_of_the_plan() {
    for (id, firmware, syntax) in [
        ("axidraw-v3", Version(2, 8, 1), Syntax::Legacy),
        ("axidraw-v3-a3", Version(3, 0, 3), Syntax::Legacy),
        ("axidraw-se-a3", Version(3, 0, 3), Syntax::Future),
        ("axidraw-v3", Version(2, 8, 1), Syntax::Future),
        ("idraw-ebb", Version(2, 8, 1), Syntax::Legacy),
    ] {
        let setup = Setup::new(id, firmware, syntax);
        let (events, trace) = drive(&setup, &mut setup.board(), |_, _, _| {});
        let events: Vec<Event> = events.into_iter().map(|(_, event)| event).collect();
        assert!(matches!(events.last(), Some(Event::Finished)), "{id}: {:?}", events.last());
        let count = setup.program().statements.len();
        assert!(events.contains(&Event::Completed { upto: count - 1 }));
        let accepted = events.iter().filter(|event| matches!(event, Event::Accepted { .. })).count();
        assert_eq!(accepted, count);
        let noise = events.iter().find(|event| matches!(event, Event::Garbled(_) | Event::Error { .. }));
        assert_eq!(noise, None);
        same_marks(&trace.strokes(), &setup);
        // To the tick of 40 µs.
        let difference = trace.seconds() - setup.plan_seconds();
        assert!(difference.abs() < 1e-9, "{id}: {difference} s");
        assert_eq!(trace.pieces.last().unwrap().to, Point::ORIGIN);
    }
}

#[test]
fn what_is_completed_has_been_drawn() {
    let setup = Setup::new("axidraw-v3", Version(2, 8, 1), Syntax::Legacy);
    let program = setup.program();
    let mut board = setup.board();
    let (events, trace) = drive(&setup, &mut board, |_, _, _| {});
    let mut looked_at = 0;
    // A statement that is a stroke's last move: the pen's way to its end must be in the trace by then.
    for (time, event) in events {
        let Event::Completed { upto } = event else { continue };
        let Some(origin) = program.statements[upto].origin else { continue };
        let end = setup.placement.to_machine(setup.pass.strokes[origin.stroke].points()[origin.vertex]);
        let next = program.statements.get(upto + 1).and_then(|next| next.origin);
        if next == Some(origin) || origin.vertex == 0 {
            continue;
        }
        let been = trace.pieces.iter().take_while(|piece| piece.begin <= time);
        let nearest = been.map(|piece| piece.to.distance(end)).fold(f64::INFINITY, f64::min);
        assert!(nearest < 1.5, "{origin:?} at {time:?}: {nearest} mm");
        looked_at += 1;
    }
    assert!(looked_at > 20, "{looked_at} moves were looked at");
}

/// From a pause to the first move that is another for it.
const HEARD: Duration = Duration::from_millis(50);

#[test]
fn a_pause_is_heard_within_50_ms_and_changes_no_mark() {
    for firmware in [Version(2, 8, 1), Version(3, 0, 3)] {
        let setup = Setup::new("axidraw-v3", firmware, Syntax::Legacy);
        let (_, whole) = drive(&setup, &mut setup.board(), |_, _, _| {});
        let end = whole.pieces.last().unwrap().end;
        let mut heard_while_moving = 0;
        for part in 1..30 {
            let at = end.mul_f64(f64::from(part) / 30.0);
            let mut resume = None;
            let mut paused = false;
            let (events, trace) = drive(&setup, &mut setup.board(), |now, session, _| {
                if now >= at && !paused {
                    paused = true;
                    resume = Some(now + Duration::from_secs(5));
                    session.pause(now);
                }
                if resume.is_some_and(|resume| now >= resume) {
                    resume = None;
                    session.resume(now);
                }
            });
            assert!(matches!(events.last(), Some((_, Event::Finished))), "{:?}", events.last());
            same_marks(&merged(&trace.strokes()), &setup);
            // Until the board hears of it both runs are the same. A lift, which is one command, is not cut short.
            let near = |piece: &&TracePiece| piece.end > at && piece.begin < at + HEARD;
            if whole.pieces.iter().filter(near).all(|piece| piece.from != piece.to) {
                let other = trace.pieces.iter().zip(&whole.pieces).find(|(new, old)| new != old);
                let heard = other.unwrap().0.begin.saturating_sub(at);
                assert!(heard <= HEARD, "{heard:?} at {at:?}");
                heard_while_moving += 1;
            }
            let held = |complete| {
                let is = |event: &Event| matches!(event, Event::Status(status) if status.state == State::Hold { complete });
                events.iter().find(|(_, event)| is(event)).map(|(time, _)| *time)
            };
            let (Some(asked), Some(rested)) = (held(false), held(true)) else { continue };
            // From its full speed it needs 0.22 s to slow down; a lift takes 0.13 s.
            assert!(rested - asked < Duration::from_millis(500), "{:?}", rested - asked);
            let resting =
                trace.pieces.iter().filter(|p| p.begin >= rested && p.end <= rested + Duration::from_secs(4));
            assert!(
                resting.clone().all(|piece| !piece.pen_down && piece.from == piece.to),
                "at rest, pen up"
            );
        }
        assert!(heard_while_moving > 5, "{heard_while_moving}");
    }
}

/// A pause lifts the pen in the middle of a stroke: its parts are one.
fn merged(strokes: &[Polyline]) -> Vec<Polyline> {
    let mut merged: Vec<Polyline> = Vec::new();
    for stroke in strokes {
        match merged.last_mut() {
            Some(last) if last.end() == stroke.start() => last.extend(stroke.points().iter().copied()),
            _ => merged.push(stroke.clone()),
        }
    }
    merged
}

#[test]
fn the_boards_own_button_pauses() {
    let setup = Setup::new("axidraw-v3", Version(2, 8, 1), Syntax::Legacy);
    let mut pressed = false;
    let (events, _) = drive(&setup, &mut setup.board(), |now, session, board| {
        if now >= Duration::from_secs(3) && !pressed {
            pressed = true;
            board.press_button();
        }
        if now >= Duration::from_secs(10) {
            session.resume(now);
        }
    });
    let at = events
        .iter()
        .find(|(_, event)| matches!(event, Event::Push(text) if text.contains("button")))
        .unwrap()
        .0;
    assert!(at < Duration::from_millis(3100), "{at:?}");
    assert!(matches!(events.last(), Some((time, Event::Finished)) if *time > Duration::from_secs(10)));
}

#[test]
fn a_stop_leaves_the_pen_up_and_the_place_known() {
    let setup = Setup::new("axidraw-v3", Version(3, 0, 3), Syntax::Future);
    for at in [0, 1, 800, 2000, 3333, 6000, 9000] {
        let mut board = setup.board();
        let (events, trace) = drive(&setup, &mut board, |now, session, _| {
            if now >= Duration::from_millis(at) {
                session.stop(now);
            }
        });
        assert!(matches!(events.last(), Some((_, Event::Stopped))), "{:?}", events.last());
        assert!(trace.pieces.last().is_none_or(|piece| !piece.pen_down));
        assert!(board.is_idle());
    }
}

#[test]
fn mishaps_end_with_a_message() {
    let setup = Setup::new("axidraw-v3", Version(2, 8, 1), Syntax::Legacy);
    let fault = |events: &[(Duration, Event)]| match events.last() {
        Some((_, Event::Fault(fault))) => *fault,
        other => panic!("{other:?}"),
    };
    // Its motors lose their power in the middle.
    let (events, trace) = drive(&setup, &mut setup.board(), |now, _, board| {
        if now >= Duration::from_secs(4) {
            board.switch_motor_power(false);
        }
    });
    assert_eq!(fault(&events), Fault::NoMotorPower);
    assert!(events.last().unwrap().0 < Duration::from_millis(5200));
    assert!(!trace.pieces.is_empty());
    // They never had any.
    let mut board = setup.board();
    board.switch_motor_power(false);
    let (events, trace) = drive(&setup, &mut board, |_, _, _| {});
    assert_eq!((fault(&events), trace.pieces.len()), (Fault::NoMotorPower, 0));
    // The board restarts.
    let mut done = false;
    let (events, _) = drive(&setup, &mut setup.board(), |now, _, board| {
        if now >= Duration::from_secs(4) && !done {
            done = true;
            *board = setup.board();
            board.receive(now, b"");
        }
    });
    assert_eq!(fault(&events), Fault::Restarted);
    // It is too old.
    let mut old = setup.profile.clone();
    if let Firmware::Ebb(ebb) = &mut old.firmware {
        ebb.min_firmware = Version(3, 0, 0);
    }
    let old = Setup { profile: old, ..setup };
    let (events, _) = drive(&old, &mut old.board(), |_, _, _| {});
    assert!(fault(&events).to_string().contains("2.8.1, and 3.0.0 is needed"), "{}", fault(&events));
}

#[test]
fn the_file_of_a_program_draws_the_same() {
    let setup = Setup::new("axidraw-v3", Version(2, 8, 1), Syntax::Legacy);
    let trace = traceur_sim::run_program(setup.program().to_text().as_bytes(), &setup.profile).unwrap();
    same_marks(&trace.strokes(), &setup);
    let error =
        traceur_sim::run_program(b"SM,100,10,10\nSM,10.5,1,1\n", &setup.profile).unwrap_err().to_string();
    assert!(
        error.starts_with("line 2 `SM,10.5,1,1`: the plotter refuses it with !5 Err: Need comma next"),
        "{error}"
    );
    let error =
        traceur_sim::run_program(b"LM,0,1,0,1,1,0\rEM,1,1\r", &setup.profile).unwrap_err().to_string();
    assert!(error.contains("gives no answer"), "{error}");
}

/// More than a million moves through points that are on no whole step: at the end of each stroke the motors are within half
/// a step of where they should be, and each program leads home to the step.
#[test]
fn a_million_moves_do_not_drift() {
    let mut setup = Setup::new("axidraw-v3", Version(2, 8, 1), Syntax::Legacy);
    let mut seed = 1_u64;
    let mut chance = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 40) as f64 / (1_u64 << 24) as f64
    };
    let (mut moves, mut place, mut ends) = (0, [0_i64; 2], 0);
    while moves < 1_000_000 {
        let points = (0..200).map(|_| Point::new(50.0 + 9.0 * chance(), 50.0 + 9.0 * chance())).collect();
        setup.pass.strokes = vec![Polyline::new(points)];
        let program = setup.program();
        let mut motors = place;
        for (index, statement) in program.statements.iter().enumerate() {
            let Some(command) = LowLevelMove::parse(&statement.line) else { continue };
            moves += 1;
            motors = [0, 1].map(|motor| motors[motor] + i64::from(command.motors[motor].steps));
            // The stroke's end is where the pen goes up.
            let next = &program.statements[program.statements.len().min(index + 2) - 1].line;
            if !next.starts_with("SP,1,") {
                continue;
            }
            let end = setup.placement.to_machine(setup.pass.strokes[0].points()[199]);
            let wanted = setup.ebb().to_steps(end);
            for motor in 0..2 {
                assert!((wanted[motor] - motors[motor] as f64).abs() <= 0.5 + 1e-6, "{wanted:?} {motors:?}");
            }
            ends += 1;
        }
        // Each program leads home: nothing may be left over.
        place = motors;
        assert_eq!(place, [0, 0]);
    }
    assert!(ends > 100, "{ends}");
}

#[test]
fn an_hour_of_plotting_is_simulated_in_seconds() {
    let mut setup = Setup::new("axidraw-v3", Version(2, 8, 1), Syntax::Legacy);
    let line = |y: f64| Polyline::new(vec![Point::new(5.0, y), Point::new(255.0, y)]);
    setup.pass.strokes = (0..600).map(|n| line(5.0 + 0.18 * f64::from(n))).collect();
    let (events, trace) = drive(&setup, &mut setup.board(), |_, _, _| {});
    assert!(matches!(events.last(), Some((_, Event::Finished))));
    assert!(trace.seconds() > 3600.0, "{}", trace.seconds());
    assert!((trace.seconds() - setup.plan_seconds()).abs() < 1e-6);
}
