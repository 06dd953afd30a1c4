//! Small runs of the whole schedule.

use super::*;
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

/// `NEURON=lite0:b6:24 OUT=/tmp/look.png cargo test --release look -- --ignored --nocapture`
#[test]
#[ignore = "makes a picture to look at"]
fn look() {
    let var = |name: &str, or: &str| std::env::var(name).unwrap_or(or.into());
    let number = |name: &str, or: f64| var(name, &or.to_string()).parse::<f64>().unwrap();
    let pens = Inventory::parse("x", BUILT_IN[0].1).unwrap().pens;
    let ban = var("BAN", "");
    let pens = pens.into_iter().filter(|pen| !ban.split(',').any(|id| id == pen.id)).collect();
    let page = Page::parse(&var("PAGE", "a6 landscape")).unwrap();
    let mut settings = Settings::new(page, var("NEURON", "lite0:b6:24").parse().unwrap(), pens);
    settings.seed = number("SEED", 1.0) as u64;
    settings.free_steps = number("FREE", settings.free_steps as f64) as usize;
    settings.tune_steps = number("TUNE", settings.tune_steps as f64) as usize;
    settings.step_px = number("STEP", settings.step_px);
    let strokes = number("STROKES", 0.0) as usize;
    settings.strokes = (strokes > 0).then_some(strokes);
    settings.weights.overlap = number("OVERLAP", settings.weights.overlap);
    settings.weights.ink = number("INK", settings.weights.ink);
    settings.weights.shape = number("SHAPE", settings.weights.shape);
    settings.weights.margin = number("MARGIN", settings.weights.margin);
    let begun = std::time::Instant::now();
    let outcome = generate(&settings, &mut |_| ()).unwrap();
    println!("{} {} {:.1?}", var("NEURON", "-"), var("OUT", "-"), begun.elapsed());
    println!("{:?} white {:.3} loss {:.2}", outcome.excitation, outcome.white, outcome.loss);
    println!("{:?} of {:?}", outcome.pens, settings.canvas().unwrap());
    let picture = draw(&outcome.drawing, 150.0);
    println!("judged {}", excitation_of(&picture, &settings).unwrap());
    let bytes =
        picture.rgb.iter().flat_map(|light| <[u8; 3]>::from(crate::color::to_srgb8(*light))).collect();
    let (width, height) = (picture.width_px as u32, picture.height_px as u32);
    image::RgbImage::from_raw(width, height, bytes).unwrap().save(var("OUT", "/tmp/look.png")).unwrap();
}
