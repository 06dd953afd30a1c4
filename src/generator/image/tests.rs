//! Small pictures, drawn.

use super::*;
use crate::draw;
use traceur_core::pens::{BUILT_IN, Inventory};

fn pens(ids: &[&str]) -> Vec<Pen> {
    let text = BUILT_IN.iter().find(|(id, _)| *id == "fineliner-12").unwrap().1;
    let set = Inventory::parse("x", text).unwrap();
    ids.iter().map(|id| set.pen(id).unwrap().clone()).collect()
}

/// A red disc beside a grey ramp.
fn small() -> Wish {
    let (width_px, height_px) = (120, 90);
    let pixel = |i: usize| {
        let (x, y) = ((i % width_px) as f32, (i / width_px) as f32);
        if (x - 30.0).hypot(y - 45.0) < 22.0 {
            [0.6, 0.02, 0.03]
        } else if x > 70.0 {
            [1.0 - 0.9 * y / 90.0; 3]
        } else {
            [1.0; 3]
        }
    };
    let picture = Picture { width_px, height_px, rgb: (0..width_px * height_px).map(pixel).collect() };
    let page = Page { width: 40.0, height: 30.0 };
    Wish { steps: 40, rounds: 3, ..Wish::new(page, picture, pens(&["red", "grey", "sky", "brown"])) }
}

#[test]
fn a_small_picture_is_seen_again_and_stays_inside() {
    let wish = small();
    let mut told = 0;
    let outcome = imitate(&wish, &mut |progress| told = progress.step).unwrap();
    assert_eq!(told, 40);
    assert!(outcome.loss < 13.0, "{}", outcome.loss);
    let picture = draw(&outcome.drawing, 72.0);
    let mean = |from: (usize, usize), channel: usize| {
        let light = |i: usize| picture.rgb[(from.1 + i / 10) * picture.width_px + from.0 + i % 10][channel];
        (0..100).map(light).sum::<f32>() / 100.0
    };
    let (red, green) = (mean((24, 38), 0), mean((24, 38), 1));
    assert!(red > 1.2 * green, "the disc is red: {red} {green}");
    assert!(mean((90, 4), 1) > mean((90, 70), 1) + 0.2, "the ramp grows dark");
    let drawable = wish.page.rect().inset(-0.24);
    for stroke in outcome.drawing.layers.iter().flat_map(|layer| &layer.strokes) {
        assert!(
            flatten(&stroke.path, 0.02).iter().all(|line| traceur_core::geometry::inside(line, drawable))
        );
    }
}

#[test]
fn budgets_are_met_and_kept() {
    let wish = Wish { length: Some(450.0), strokes: Some(60), steps: 60, ..small() };
    let outcome = imitate(&wish, &mut |_| ()).unwrap();
    let length: f64 = outcome.pens.iter().map(|pen| pen.mm).sum();
    assert!((427.0..=450.5).contains(&length), "{length}");
    assert!(outcome.drawing.strokes() <= 60);
}

#[test]
fn threads_do_not_change_the_drawing() {
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| imitate(&Wish { steps: 12, ..small() }, &mut |_| ()).unwrap())
    };
    assert_eq!(run(1), run(2));
}

#[test]
fn the_gradient_of_the_whole_agrees_with_finite_differences() {
    let wish = small();
    let canvas = canvas(wish.page);
    let rgb = resample(&wish.picture, wish.page, &canvas);
    let wanted = Wanted::new(&rgb, &canvas);
    // ΔE differences that count by their square have slopes that f32 can be asked for.
    let sight = Sight { round: 40.0, ..wish.sight };
    let inks: Vec<(Ink, f32)> = wish.pens.iter().map(|pen| (pen.ink(), 2.4)).collect();
    let controls = vec![20.3, 30.1, 33.0, 36.4, 44.0, 40.7, 57.2, 61.1];
    let lines = vec![
        Line::straight(controls, 0),
        Line::straight(vec![70.0, 20.0, 80.0, 31.0, 88.0, 45.0, 101.0, 66.0], 3),
    ];
    let see = |lines: &[Line]| {
        chains(lines, &canvas, &inks, 2.0).descend(|tile, to| wanted.descend(&sight, tile, to))
    };
    let (_, gradient) = see(&lines);
    let mut numeric = Vec::new();
    for stroke in 0..2 {
        for i in 0..8 {
            let at = |delta: f32| {
                let mut lines = lines.clone();
                lines[stroke].controls[i] += delta;
                see(&lines).0
            };
            numeric.push((at(0.05) - at(-0.05)) / 0.1);
        }
    }
    let size = numeric.iter().map(|g| g * g).sum::<f64>().sqrt();
    let error = gradient.iter().zip(&numeric).map(|(a, n)| (f64::from(*a) - n).powi(2)).sum::<f64>().sqrt();
    assert!(error < 0.3 * size, "{error} of {size}");
}

#[test]
fn wishes_that_cannot_be_met_are_explained() {
    let error = |wish: Wish| imitate(&wish, &mut |_| ()).unwrap_err().to_string();
    assert!(error(Wish { margin: 12.0, ..small() }).contains("10 mm"));
    assert!(error(Wish { pens: Vec::new(), ..small() }).contains("no pens"));
}
