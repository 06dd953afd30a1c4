//! One step of a drawing, all of it: strokes to a picture, a random view, the network, and back to Adam. `cargo bench
//! --bench step`, or `RAYON_NUM_THREADS=1 cargo bench --bench step` for one thread.
//!
//! With `TRACEUR_LONG=1`, the memory of the process after 1,000 and after 10,000 steps of a small drawing (Linux).

#![allow(clippy::print_stdout, reason = "a bench reports")]

use std::time::Instant;

use traceur_core::drawing::Page;
use traceur_core::pens::{BUILT_IN, Inventory};
use traceur_generator::{Run, Settings};

const ROUNDS: usize = 5;
const STEPS: usize = 40;

fn main() {
    if std::env::var_os("TRACEUR_LONG").is_some() {
        memory();
        return;
    }
    for (neuron, set) in [
        ("lite0:b5:2", "black"),
        ("lite0:b6:24", "black"),
        ("lite0:b6:24", "fineliner-12"),
        ("lite0:b9:10", "black"),
    ] {
        let mut run = Run::new(Settings {
            strokes: Some(150),
            free_steps: ROUNDS * STEPS,
            tune_steps: 0,
            ..square(neuron, set)
        })
        .expect("the settings are sound");
        let canvas = run.settings().canvas().expect("the settings are sound");
        let mut times: Vec<f64> = (0..ROUNDS)
            .map(|_| {
                let began = Instant::now();
                for _ in 0..STEPS {
                    run.step().expect("the network is embedded");
                }
                began.elapsed().as_secs_f64() * 1e3 / STEPS as f64
            })
            .collect();
        times.sort_by(f64::total_cmp);
        println!(
            "{neuron}, {set}: {} x {} px, 150 strokes, one view: {:.2} ms a step (best {:.2})",
            canvas.width_px,
            canvas.height_px,
            times[ROUNDS / 2],
            times[0]
        );
    }
}

/// 160 x 160 px with a 0.5 mm pen.
fn square(neuron: &str, set: &str) -> Settings {
    let (_, text) = BUILT_IN.iter().find(|(id, _)| *id == set).expect("the set is built in");
    let pens = Inventory::parse(set, text).expect("built-in sets are sound").pens;
    let page = Page { width: 62.25, height: 62.25 };
    Settings::new(page, neuron.parse().expect("the neuron exists"), pens)
}

fn memory() {
    let page = Page { width: 36.0, height: 36.0 };
    let settings = Settings {
        page,
        strokes: Some(20),
        free_steps: 3000,
        tune_steps: 7000,
        ..square("lite0:b2:11", "fineliner-12")
    };
    let mut run = Run::new(settings).expect("the settings are sound");
    while let Some(progress) = run.step().expect("the network is embedded") {
        if [100, 1000, 2000, 5000, 10_000].contains(&progress.step) {
            println!("step {}: {}", progress.step, resident());
        }
    }
}

fn resident() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS"));
    line.map_or("not known here".into(), |line| line["VmRSS:".len()..].trim().to_owned())
}
