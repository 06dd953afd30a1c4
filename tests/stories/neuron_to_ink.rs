//! From a neuron to simulated ink in one command, small enough for a test.

use std::fs;

use serde_json::Value;

use crate::support::{Bench, files_below};

const SMALL: &str = "run first-ink --set paper.page=60x50mm --set paper.margin=4mm --set generate.steps=60 --set plot.dpi=150";

#[test]
fn one_command_makes_the_drawing_the_programs_the_ink_and_the_report() {
    let bench = Bench::new();
    let report = bench.run(&format!("{SMALL} --out out --json")).json();
    let files = files_below(&bench.path("out"));
    for name in ["drawing.svg", "ink.png", "report.json"] {
        assert!(files.contains(&name.to_owned()), "{files:?}");
    }
    let saved: Value = serde_json::from_slice(&fs::read(bench.path("out/report.json")).unwrap()).unwrap();
    assert_eq!(saved, report);
    let passes = report["passes"].as_array().unwrap();
    assert_eq!(files.iter().filter(|name| name.ends_with(".gcode")).count(), passes.len());
    let excitation = |stage: &str| report["excitation"][stage].as_f64().unwrap();
    assert!(excitation("tuned") > excitation("snapped"), "{report}");
    assert!(excitation("tuned") > 1.2 * excitation("start"), "{report}");
    let gap = &report["gap"];
    assert_eq!(gap["off_page"], 0.0);
    let kept = gap["excitation"]["inked"].as_f64().unwrap() / gap["excitation"]["wanted"].as_f64().unwrap();
    assert!(kept >= 0.95, "{report}");
}

#[test]
fn threads_do_not_change_a_byte() {
    let bench = Bench::new();
    for threads in ["1", "2"] {
        let words = format!("{SMALL} --set generate.steps=8 --out out{threads} --quiet");
        bench.start(&words, &[("RAYON_NUM_THREADS", threads)], b"").done();
    }
    let names = files_below(&bench.path("out1"));
    assert_eq!(names, files_below(&bench.path("out2")));
    for name in names {
        let read = |folder: &str| fs::read(bench.path(folder).join(&name)).unwrap();
        assert!(read("out1") == read("out2"), "{name}");
    }
}

#[test]
fn a_generated_drawing_can_be_planned() {
    let bench = Bench::new();
    let made = bench
        .run("generate --neuron lite0:b6:24 --page 60x50mm --pens cmyk --steps 8 --seed 3 -o drawing.svg --json")
        .json();
    let plan = bench.run("plan drawing.svg -p cmyk --json").json();
    assert_eq!(made["pens"].as_array().unwrap().len(), plan["passes"].as_array().unwrap().len());
}

#[test]
fn a_large_sheet_is_made_of_parts_that_differ_or_of_finished_drawings() {
    let bench = Bench::new();
    let made = bench
        .run("generate --page 70x40mm --margin 4mm --pens cmyk --steps 6 --repeat 2x1 --parts 2 -o made.svg --json")
        .json();
    let of = |sheet: &Value, word: &str| sheet["sheet"][word].as_f64().unwrap();
    assert!(of(&made, "tuned") > of(&made, "joined"), "{made}");
    assert!(made["sheet"]["seams"].is_number() && made["sheet"]["centers"].is_number(), "{made}");
    let joined = bench
        .run("generate --page 70x80mm --margin 4mm --pens cmyk --repeat 1x2 --arrange mirror --join made.svg -o joined.svg --json")
        .json();
    let strokes = |report: &Value| report["strokes"].as_u64().unwrap();
    assert!(strokes(&joined) > strokes(&made), "{joined}");
    for (words, expected) in [
        ("--repeat 2x2 --parts 5", "as many as there are"),
        ("--repeat 0x2", "such as 3x2"),
        ("--repeat 2x2 --arrange spiral", "repeat, mirror or brick"),
        ("--repeat 2x2 --join nowhere.svg", "nowhere.svg"),
    ] {
        bench.run(&format!("generate --pens cmyk -o x.svg {words}")).refused(&[expected]);
    }
}

#[test]
fn classes_are_found_by_any_of_their_names() {
    let bench = Bench::new();
    let found = bench.run("models classes tabby --json").json();
    assert_eq!((found[0]["number"].as_u64(), found.as_array().unwrap().len()), (Some(281), 1));
    assert_eq!(bench.run("models classes").stdout.lines().count(), 1_000);
    bench.run("models classes pinapple").refused(&["pinapple", "pineapple"]);
}

#[test]
fn named_channels_are_listed_and_shown() {
    let bench = Bench::new();
    let list = bench.run("models list lite0");
    assert!(list.code == 0 && list.stdout.contains("lite0:bubbles"), "{}", list.stdout);
    let names = bench.run("models list hed16 --json").json()["names"].clone();
    assert_eq!(names["ladders"], "conv3_3:166");
    for channel in ["lite0:b6:24", "lite0:bubbles", "hed16:ladders"] {
        let shown =
            bench.start(&format!("models show {channel}"), &[("LANG", "C.UTF-8"), ("COLUMNS", "60")], b"");
        assert_eq!(shown.code, 0, "{}", shown.stderr);
        let dots = shown.stdout.chars().filter(|letter| ('\u{2801}'..='\u{28ff}').contains(letter)).count();
        assert!(dots > 100, "{}", shown.stdout);
    }
    let other = bench.run("models show lite0:b6:25");
    assert!(other.code == 0 && other.stderr.contains("generate --neuron lite0:b6:25"), "{}", other.stderr);
    assert_eq!(bench.run("models show lite0:bubles").code, 2);
}
