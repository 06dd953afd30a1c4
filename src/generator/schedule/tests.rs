//! Small runs of the whole schedule.

use super::*;
use crate::network::Net;
use crate::{Aim, Arrangement, Grid, Manner, Style, draw, excitation_of};
use traceur_core::drawing::Page;
use traceur_core::geometry::inside;
use traceur_core::pens::Inventory;

fn small() -> Settings {
    let pens = Inventory::built_in("fineliner-12").unwrap().pens;
    let page = Page { width: 40.0, height: 32.0 };
    let aim: Aim = "lite0:b4:11".parse().unwrap();
    Settings {
        margin: 4.0,
        free_steps: 12,
        tune_steps: 12,
        strokes: Some(30),
        ..Settings::new(page, aim, pens)
    }
}

#[test]
fn a_drawing_excites_more_than_its_first_arcs_and_stays_inside() {
    let settings = small();
    let mut told = 0;
    let outcome = generate(&settings, &mut |progress| told = progress.step).unwrap();
    assert_eq!(told, 24);
    assert!(outcome.excitation.tuned > 1.2 * outcome.excitation.start, "{:?}", outcome.excitation);
    assert!(outcome.drawing.layers.len() <= 4);
    let drawable = settings.drawable().unwrap();
    for stroke in outcome.drawing.layers.iter().flat_map(|layer| &layer.strokes) {
        assert!(flatten(&stroke.path, 0.02).iter().all(|line| inside(line, drawable)));
    }
    let judged = excitation_of(&draw(&outcome.drawing, 300.0), &settings).unwrap();
    assert!((judged - outcome.excitation.tuned).abs() < 0.25 * outcome.excitation.tuned, "{judged}");
}

#[test]
fn threads_do_not_change_the_drawing() {
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| generate(&small(), &mut |_| ()).unwrap())
    };
    assert_eq!(run(1), run(3));
}

#[test]
fn threads_do_not_change_a_drawing_in_a_style() {
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let style = Some(Style::new(&Style::mondrian(), Net::Lite0));
        let settings = Settings { style, views: 2, tune_steps: 20, free_steps: 4, ..small() };
        pool.install(|| generate(&settings, &mut |_| ()).unwrap())
    };
    let outcome = run(1);
    assert!(outcome.style.is_some_and(|distance| distance > 0.0));
    assert_eq!(outcome, run(3));
}

#[test]
fn budgets_of_strokes_and_of_length_are_met() {
    let settings = |strokes, length| Settings { strokes, length, free_steps: 20, tune_steps: 60, ..small() };
    let outcome = generate(&settings(Some(40), None), &mut |_| ()).unwrap();
    assert!((38..=42).contains(&outcome.drawing.strokes()), "{} strokes", outcome.drawing.strokes());
    for wanted in [250.0, 500.0] {
        let outcome = generate(&settings(None, Some(wanted)), &mut |_| ()).unwrap();
        let mm: f64 = outcome.pens.iter().map(|pen| pen.mm).sum();
        assert!((mm / wanted - 1.0).abs() < 0.05, "{mm} of {wanted} mm");
    }
}

#[test]
fn a_run_that_lost_strokes_goes_on_to_the_same_drawing() {
    let settings = Settings { free_steps: 3, tune_steps: 24, ..small() };
    let mut run = Run::new(settings).unwrap();
    for _ in 0..23 {
        run.step().unwrap();
    }
    let mut restored = Run::restore(&run.save()).unwrap();
    for run in [&mut run, &mut restored] {
        while run.step().unwrap().is_some() {}
    }
    assert_eq!(run.outcome().unwrap(), restored.outcome().unwrap());
}

#[test]
fn settings_that_cannot_work_are_explained() {
    let error = |settings: Settings| generate(&settings, &mut |_| ()).unwrap_err().to_string();
    assert!(error(Settings { margin: 30.0, ..small() }).contains("10 mm"));
    assert!(error(Settings { pens: Vec::new(), ..small() }).contains("no pens"));
}

/// A sheet of two different parts, each twice.
fn sheet() -> Settings {
    let grid = Grid { columns: 2, rows: 2, arrangement: Arrangement::Mirror, parts: 2 };
    Settings {
        page: Page { width: 88.0, height: 72.0 },
        strokes: Some(100),
        free_steps: 6,
        tune_steps: 6,
        sheet_steps: 12,
        grid: Some(grid),
        ..small()
    }
}

#[test]
fn a_sheet_is_tuned_beyond_its_parts_and_stays_inside() {
    let settings = sheet();
    let mut stages = Vec::new();
    let outcome = generate(&settings, &mut |progress| stages.push(progress.stage)).unwrap();
    assert_eq!(stages.iter().filter(|stage| **stage == Stage::Free).count(), 12);
    assert_eq!(stages.iter().filter(|stage| **stage == Stage::Sheet).count(), 12);
    let sheet = outcome.sheet.unwrap();
    assert!(sheet.tuned > sheet.joined, "{sheet:?}");
    assert!((75..=105).contains(&outcome.drawing.strokes()), "{}", outcome.drawing.strokes());
    assert!(outcome.drawing.layers.len() <= 4);
    let drawable = settings.drawable().unwrap();
    for stroke in outcome.drawing.layers.iter().flat_map(|layer| &layer.strokes) {
        assert!(flatten(&stroke.path, 0.02).iter().all(|line| inside(line, drawable)));
    }
}

/// A run that is stopped now and then, and goes on from what was saved, ends as the whole one did.
fn ends_so_wherever_it_is_stopped(settings: Settings, whole: &Outcome) {
    let mut run = Run::new(settings).unwrap();
    while run.step().unwrap().is_some() {
        let mut restored = Run::restore(&run.save()).unwrap();
        assert_eq!(restored.save(), run.save());
        if run.done() % 9 == 5 {
            while restored.step().unwrap().is_some() {}
            assert_eq!(&restored.outcome().unwrap(), whole, "stopped after {} steps", run.done());
        }
    }
}

#[test]
fn a_sheet_that_was_stopped_anywhere_and_one_on_more_threads_are_the_same() {
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| generate(&sheet(), &mut |_| ()).unwrap())
    };
    let whole = run(1);
    assert_eq!(whole, run(3));
    ends_so_wherever_it_is_stopped(sheet(), &whole);
}

#[test]
fn drawings_that_are_given_are_joined_and_tuned() {
    let parts: Vec<_> = (1..3)
        .map(|seed| generate(&Settings { seed, strokes: Some(25), ..small() }, &mut |_| ()).unwrap().drawing)
        .collect();
    let settings = sheet();
    let given = parts.iter().filter_map(|part| Given::of(part, &settings.pens)).collect();
    let settings = Settings { given, ..settings };
    let mut run = Run::new(settings).unwrap();
    assert_eq!(run.steps(), 12);
    while run.step().unwrap().is_some() {
        assert_eq!(Run::restore(&run.save()).unwrap().save(), run.save());
    }
    let outcome = run.outcome().unwrap();
    let strokes: usize = parts.iter().map(|part| 2 * part.strokes()).sum();
    assert!(outcome.drawing.strokes() <= strokes && 10 * outcome.drawing.strokes() > 9 * strokes);
    let sheet = outcome.sheet.unwrap();
    assert!(sheet.tuned > sheet.joined, "{sheet:?}");
}

/// On a small square, in the default manner.
fn rich(aim: &str) -> Settings {
    let page = Page { width: 40.0, height: 40.0 };
    let (aim, strokes) = (aim.parse().unwrap(), None);
    Settings { page, aim, strokes, free_steps: 10, tune_steps: 40, ..small() }.in_manner(Manner::Rich)
}

#[test]
fn no_aim_leaves_a_rich_sheet_blank() {
    for aim in ["lite0:b9", "hed16:conv4_3", "lite0:b4:11", "lite0:b9:10@center"] {
        let outcome = generate(&rich(aim), &mut |_| ()).unwrap();
        assert!((0.2..0.85).contains(&outcome.white), "{aim}: {} white", outcome.white);
        assert!(outcome.excitation.tuned > outcome.excitation.start, "{aim}: {:?}", outcome.excitation);
    }
}

#[test]
fn the_share_of_white_that_is_wanted_is_met() {
    for white in [0.35, 0.65] {
        let settings = Settings { white: Some([white; 2]), tune_steps: 60, ..rich("lite0:b5") };
        let outcome = generate(&settings, &mut |_| ()).unwrap();
        assert!((f64::from(outcome.white) - white).abs() < 0.05, "{} of {white}", outcome.white);
    }
}

#[test]
fn rich_strokes_are_long_smooth_paths_on_any_number_of_threads() {
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| generate(&rich("lite0:b5"), &mut |_| ()).unwrap())
    };
    let outcome = run(1);
    let edge = rich("lite0:b5").drawable().unwrap().width();
    let strokes = outcome.drawing.layers.iter().flat_map(|layer| &layer.strokes);
    let mut lengths: Vec<f64> = Vec::new();
    for stroke in strokes {
        assert_eq!(stroke.path.segments().count(), 4);
        lengths.push(flatten(&stroke.path, 0.02).iter().map(|line| line.length()).sum());
    }
    lengths.sort_by(f64::total_cmp);
    let median = lengths[lengths.len() / 2];
    assert!(median >= 0.25 * edge, "{median} of {edge} mm");
    assert_eq!(outcome, run(3));
}

#[test]
fn long_strokes_that_were_stopped_anywhere_end_with_the_same_bytes() {
    let settings = Settings { free_steps: 3, tune_steps: 24, ..rich("lite0:b4:11") };
    let whole = generate(&settings, &mut |_| ()).unwrap();
    ends_so_wherever_it_is_stopped(settings, &whole);
}
