//! Small runs of the whole schedule.

use super::*;
use crate::drawing::Page;
use crate::generator::{draw, excitation_of};
use crate::geometry::inside;
use crate::pens::{BUILT_IN, Inventory};

fn small() -> Settings {
    let pens = Inventory::parse("x", BUILT_IN[0].1).unwrap().pens;
    let page = Page { width: 40.0, height: 32.0 };
    let neuron = "lite0:b4:11".parse().unwrap();
    Settings {
        margin: 4.0,
        free_steps: 12,
        tune_steps: 12,
        strokes: Some(30),
        ..Settings::new(page, neuron, pens)
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
fn settings_that_cannot_work_are_explained() {
    let error = |settings: Settings| generate(&settings, &mut |_| ()).unwrap_err().to_string();
    assert!(error(Settings { margin: 30.0, ..small() }).contains("10 mm"));
    assert!(error(Settings { pens: Vec::new(), ..small() }).contains("no pens"));
}
