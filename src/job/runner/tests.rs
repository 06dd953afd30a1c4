//! Several passes over one connection.

use super::*;
use crate::*;
use traceur_core::drawing::Page;
use traceur_core::geometry::{Point, Polyline};
use traceur_core::machine::{Placement, Profile};
use traceur_core::pens::Inventory;
use traceur_core::toolpath::{Pass, Toolpath};
use traceur_protocol::{Event, encode};
use traceur_sim::Faults;

fn toolpath() -> Toolpath {
    let pens = Inventory::built_in("fineliner-12").unwrap().pens;
    let line = |x: f64, y: f64| {
        let wave = (0..40).map(|n| Point::new(x + f64::from(n), y + 3.0 * (f64::from(n) * 0.3).sin()));
        Polyline::new(wave.collect())
    };
    let passes = (0..3).map(|n| {
        let x = 10.0 + 20.0 * n as f64;
        let mut pen = pens[n].clone();
        pen.slot = None;
        Pass { pen, strokes: (1..5).map(|m| line(x, 20.0 * f64::from(m))).collect() }
    });
    Toolpath { page: Page { width: 200.0, height: 120.0 }, passes: passes.collect() }
}

struct Bench<F> {
    told: Vec<String>,
    pens: Vec<usize>,
    /// What is answered first, the last one first.
    hands: Vec<PenChange>,
    act: F,
}

impl<F: FnMut(&News<'_>)> Operator for Bench<F> {
    fn hear(&mut self, news: &News<'_>) {
        match news {
            News::Session {
                event: Event::Status(_) | Event::Accepted { .. } | Event::Completed { .. },
                ..
            } => {}
            other => self.told.push(format!("{other:?}")),
        }
        (self.act)(news);
    }

    async fn change_pen(&mut self, pass: usize) -> PenChange {
        if let Some(hand) = self.hands.pop() {
            return hand;
        }
        self.pens.push(pass);
        PenChange::Done
    }
}

const MACHINES: [&str; 4] = ["grbl-servo", "grbl-z", "axidraw-v3", "hp7475a"];

async fn plotted(
    id: &str,
    from: Place,
    overlap: f64,
    controls: &mut Controls,
    act: impl FnMut(&News<'_>),
) -> (JobOutcome, Vec<Vec<Polyline>>, Vec<String>) {
    plotted_by(id, from, overlap, controls, Vec::new(), act).await
}

async fn plotted_by(
    id: &str,
    from: Place,
    overlap: f64,
    controls: &mut Controls,
    hands: Vec<PenChange>,
    act: impl FnMut(&News<'_>),
) -> (JobOutcome, Vec<Vec<Polyline>>, Vec<String>) {
    let (profile, toolpath) = (Profile::built_in(id).unwrap(), toolpath());
    let placement = Placement::of_page(&profile, toolpath.page.width, toolpath.page.height).unwrap();
    let work = Work {
        toolpath: &toolpath,
        profile: &profile,
        placement: &placement,
        from,
        overlap,
        mark: Some(7),
        returns: false,
        dry: false,
    };
    let mut connection = Connection::simulated(&profile, &Faults::default(), None);
    let mut bench = Bench { told: Vec::new(), pens: Vec::new(), hands, act };
    let outcome = plot(&work, &mut connection, controls, &mut bench).await.unwrap();
    let page = |stroke: &Polyline| stroke.map(|point| placement.to_page(point));
    let ink = outcome.traces.iter().map(|(_, trace)| trace.strokes().iter().map(page).collect()).collect();
    assert!(!outcome.finished() || bench.pens == (from.pass..3).collect::<Vec<_>>());
    (outcome, ink, bench.told)
}

fn off(point: Point, lines: &[Polyline]) -> f64 {
    lines.iter().map(|line| test_support::off(point, line)).fold(f64::INFINITY, f64::min)
}

/// All that was to be drawn is, nothing else, and at most so much twice; mm.
#[track_caller]
fn same(id: &str, ink: &[Polyline], wanted: &[Polyline], twice: f64) {
    let tolerance = 0.09;
    for point in wanted.iter().flat_map(|line| line.points()) {
        assert!(
            off(*point, ink) < tolerance,
            "{id}: {point:?} is missing, {:?}",
            ink.iter().map(|l| (l.start(), l.end())).collect::<Vec<_>>()
        );
    }
    for point in ink.iter().flat_map(|line| line.points()) {
        assert!(off(*point, wanted) < tolerance, "{id}: {point:?} was not asked for");
    }
    let length = |lines: &[Polyline]| lines.iter().map(Polyline::length).sum::<f64>();
    let more = length(ink) - length(wanted);
    assert!((-1.0..=twice + 1.0).contains(&more), "{id}: {more} mm more");
}

#[tokio::test]
async fn three_passes_are_drawn_over_one_connection() {
    for id in MACHINES {
        let (outcome, ink, told) = plotted(id, Place::default(), 0.0, &mut Controls::none(), |_| {}).await;
        assert!(outcome.finished(), "{id}: {told:?}");
        for (ink, pass) in ink.iter().zip(toolpath().passes) {
            same(id, ink, &pass.strokes, 0.0);
        }
        assert_eq!(told.iter().filter(|news| news.starts_with("Drawn")).count(), 12, "{id}: {told:?}");
    }
}

#[tokio::test]
async fn a_pause_lifts_the_pen_and_goes_on_where_it_stood() {
    for id in MACHINES {
        let (remote, mut controls) = Controls::channel();
        let mut accepted = 0;
        let (outcome, ink, told) = plotted(id, Place::default(), 0.0, &mut controls, |news| match news {
            News::Session { event: Event::Accepted { .. }, pass: 1, .. } => {
                accepted += 1;
                if accepted == 14 {
                    remote.send(Control::Pause);
                }
            }
            News::Paused => remote.send(Control::Resume),
            _ => {}
        })
        .await;
        assert!(outcome.finished(), "{id}: {told:?}");
        assert!(
            told.iter().any(|news| news == "Paused") && told.iter().any(|news| news == "Resumed"),
            "{told:?}"
        );
        // A Z machine's strokes are repeated whole: nothing proves that its pen was down.
        let twice = if id == "grbl-z" { 60.0 } else { 2.0 };
        for (ink, pass) in ink.iter().zip(toolpath().passes) {
            same(id, ink, &pass.strokes, twice);
        }
    }
}

#[tokio::test]
async fn a_stroke_is_skipped_and_the_height_changes() {
    for id in MACHINES {
        let (remote, mut controls) = Controls::channel();
        let mut done = false;
        let (outcome, _, told) = plotted(id, Place::default(), 0.0, &mut controls, |news| {
            if matches!(news, News::Drawn(Place { pass: 0, stroke: 1 })) && !done {
                done = true;
                remote.send(Control::Skip);
                remote.send(Control::PenLower);
            }
        })
        .await;
        assert!(outcome.finished(), "{id}: {told:?}");
        assert!(told.iter().any(|news| news.starts_with("Skipped")), "{id}: {told:?}");
        let moved = if id == "hp7475a" { "Unable(PenLower)" } else { "Height(-1)" };
        assert!(told.iter().any(|news| news == moved), "{id}: {told:?}");
    }
}

#[tokio::test]
async fn what_is_left_is_drawn_with_some_of_what_was_before() {
    for id in MACHINES {
        let from = Place { pass: 1, stroke: 2 };
        let (outcome, ink, told) = plotted(id, from, 5.0, &mut Controls::none(), |_| {}).await;
        assert!(outcome.finished() && outcome.traces.len() == 2, "{id}: {told:?}");
        let all = toolpath().passes;
        same(id, &ink[1], &all[2].strokes, 0.0);
        assert!(ink[0].len() == 3 && (ink[0][0].length() - 5.0).abs() < 0.3, "{id}: {:?}", ink[0][0]);
        same(id, &ink[0][1..], &all[1].strokes[2..], 0.0);
    }
}

#[tokio::test]
async fn an_abort_leaves_the_pen_up() {
    for id in MACHINES {
        let (remote, mut controls) = Controls::channel();
        let (outcome, _, told) = plotted(id, Place::default(), 0.0, &mut controls, |news| {
            if matches!(news, News::Drawn(Place { pass: 0, stroke: 2 })) {
                remote.send(Control::Abort);
            }
        })
        .await;
        assert!(!outcome.finished() && outcome.place >= Place { pass: 0, stroke: 2 }, "{id}: {told:?}");
        let last = outcome.traces.last().unwrap().1.pieces.last().unwrap().clone();
        assert!(!last.pen_down, "{id}: {last:?}, {told:?}");
    }
}

#[test]
fn from_the_begin_the_bytes_are_those_of_the_whole_pass() {
    for id in MACHINES {
        let (profile, toolpath) = (Profile::built_in(id).unwrap(), toolpath());
        let placement = Placement::of_page(&profile, 200.0, 120.0).unwrap();
        let whole = encode(1, &toolpath.passes[1], &profile, &placement);
        let begin = Begin::at(0);
        assert_eq!(begin.encode(1, &toolpath.passes[1], &profile, &placement), whole);
        let rest = Begin::at(2).encode(1, &toolpath.passes[1], &profile, &placement);
        let origin = rest.statements.iter().find_map(|statement| statement.origin).unwrap();
        assert_eq!((origin.pass, origin.stroke), (1, 2), "{id}");
    }
}

fn places(told: &[String], pass: usize) -> Vec<usize> {
    let of = |stroke: &usize| format!("Drawn(Place {{ pass: {pass}, stroke: {stroke} }})");
    told.iter().filter_map(|line| (0..10).find(|stroke| of(stroke) == *line)).collect()
}

#[tokio::test]
async fn a_test_of_the_pen_is_drawn_and_proves_nothing() {
    let line = Polyline::new(vec![Point::new(150.0, 5.0), Point::new(160.0, 8.0)]);
    for id in MACHINES {
        let hands = vec![PenChange::Test(line.clone()), PenChange::Adjust(Control::PenLower)];
        let (outcome, ink, told) =
            plotted_by(id, Place::default(), 0.0, &mut Controls::none(), hands, |_| {}).await;
        assert!(outcome.finished(), "{id}: {told:?}");
        let wanted: Vec<Polyline> =
            [line.clone()].into_iter().chain(toolpath().passes[0].strokes.clone()).collect();
        same(id, &ink[0], &wanted, 0.0);
        assert_eq!(places(&told, 0), [1, 2, 3, 4], "{id}");
    }
}

#[tokio::test]
async fn a_way_home_draws_nothing_of_the_job() {
    let (remote, mut controls) = Controls::channel();
    let mut skipped = false;
    let act = |news: &News<'_>| {
        if matches!(news, News::Drawn(_)) && !std::mem::replace(&mut skipped, true) {
            remote.send(Control::Skip);
        }
    };
    let (outcome, _, told) = plotted("axidraw-v3", Place::default(), 0.0, &mut controls, act).await;
    assert!(outcome.finished(), "{told:?}");
    let drawn = places(&told, 0);
    assert!(drawn.windows(2).all(|pair| pair[0] < pair[1]) && drawn.last() == Some(&4), "{drawn:?} {told:?}");
    let after = told.iter().position(|line| line.starts_with("Skipped")).unwrap();
    assert!(places(&told[after..], 0).len() >= 2, "{told:?}");
}

#[tokio::test]
async fn a_check_moves_nothing_and_finds_what_is_wrong() {
    let toolpath = toolpath();
    for (id, fault, sound) in [
        ("grbl-servo", "", true),
        ("axidraw-v3", "", true),
        ("hp7475a", "", true),
        ("axidraw-v3", "motor-power-off=0s", false),
    ] {
        let profile = Profile::built_in(id).unwrap();
        let placement = Placement::of_page(&profile, toolpath.page.width, toolpath.page.height).unwrap();
        let from = Place::default();
        let work = Work {
            toolpath: &toolpath,
            profile: &profile,
            placement: &placement,
            from,
            overlap: 0.0,
            mark: None,
            returns: false,
            dry: false,
        };
        let mut connection = Connection::simulated(&profile, &fault.parse().unwrap(), None);
        let mut bench =
            Bench { told: Vec::new(), pens: Vec::new(), hands: Vec::new(), act: |_: &News<'_>| {} };
        let controls = &mut Controls::none();
        let ending = check(&work, &mut connection, controls, &mut bench).await.unwrap();
        let is_told = |ending| matches!(ending, Some(Ending::Failed(why)) if why.contains("power"));
        assert!(if sound { ending.is_none() } else { is_told(ending) }, "{id}: {:?}", bench.told);
        let moved = |piece: &traceur_sim::TracePiece| piece.from != piece.to;
        assert!(!connection.trace().unwrap().pieces.iter().any(moved), "{id}");
        assert!(bench.told.iter().all(|line| !line.starts_with("Drawn")), "{id}: {:?}", bench.told);
        assert_eq!(
            bench.told.iter().any(|line| line.contains("NoMotorPower")),
            !sound,
            "{id}: {:?}",
            bench.told
        );
        if sound {
            let outcome = plot(&work, &mut connection, controls, &mut bench).await.unwrap();
            assert!(outcome.finished(), "{id}: {:?}", bench.told);
        }
    }
}

/// Sends a wish as soon as all of a pass is on its way, and gives what was told.
async fn wished_at_the_end_of_a_pass(id: &str, wish: Control) -> (JobOutcome, Vec<String>) {
    let (remote, mut controls) = Controls::channel();
    let profile = Profile::built_in(id).unwrap();
    let toolpath = toolpath();
    let placement = Placement::of_page(&profile, toolpath.page.width, toolpath.page.height).unwrap();
    let statements = encode(0, &toolpath.passes[0], &profile, &placement).statements.len();
    let mut paused = 0;
    let (outcome, _, told) = plotted(id, Place::default(), 0.0, &mut controls, |news| match news {
        News::Session { event: Event::Accepted { statement }, pass: 0, .. }
            if statement + 1 == statements =>
        {
            remote.send(wish);
        }
        News::Paused => {
            paused += 1;
            remote.send(if paused == 1 { Control::Resume } else { Control::Stop });
        }
        _ => {}
    })
    .await;
    (outcome, told)
}

#[tokio::test]
async fn a_wish_at_the_end_of_a_pass_is_not_forgotten() {
    for id in MACHINES {
        let (outcome, told) = wished_at_the_end_of_a_pass(id, Control::Pause).await;
        assert!(outcome.finished() && told.iter().any(|news| news == "Paused"), "{id}: {told:?}");
        let (outcome, told) = wished_at_the_end_of_a_pass(id, Control::Stop).await;
        assert!(!outcome.finished() && outcome.place <= Place { pass: 1, stroke: 0 }, "{id}: {told:?}");
        assert!(outcome.traces.len() == 1, "{id}: {told:?}");
    }
}
