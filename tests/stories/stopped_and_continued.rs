//! Ctrl-C in the middle of a drawing, and on again to the same bytes.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use crate::support::{Bench, files_below};

const SMALL: &str =
    "generate --neuron lite0:b4:11 --pens fineliner-12 --page 60x50mm --strokes 40 --steps 120 --seed 5";

/// Runs `traceur` and presses Ctrl-C when the log has told of `steps` steps; its exit code and last words.
fn interrupted(bench: &Bench, words: &str, steps: usize) -> (i32, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_traceur"))
        .args(words.split_whitespace())
        .arg("-vv")
        .current_dir(bench.path("."))
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    let (mut told, mut last) = (0, String::new());
    for line in lines {
        if line.contains("step") && line.contains("excitation") {
            told += 1;
            if told == steps {
                let id = child.id().to_string();
                assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
            }
        }
        last = line;
    }
    (child.wait().unwrap().code().expect("it ended by itself"), last)
}

#[test]
#[cfg(unix)]
fn a_stopped_drawing_goes_on_to_the_same_bytes() {
    let bench = Bench::new();
    bench.run(&format!("{SMALL} -o whole.svg")).done();
    assert_eq!(bench.files(), ["whole.svg"]);

    // In free colors, then with pens.
    let (code, words) = interrupted(&bench, &format!("{SMALL} -o part.svg"), 5);
    assert_eq!(code, 1, "{words}");
    assert!(
        words.contains("part.svg holds the drawing") && words.contains("--continue part.svg.checkpoint"),
        "{words}"
    );
    assert_eq!(bench.files(), ["part.svg", "part.svg.checkpoint", "whole.svg"]);
    let early = fs::read(bench.path("part.svg")).unwrap();
    assert!(early.starts_with(b"<svg") || early.starts_with(b"<?xml"), "a drawing is there");
    bench.run("plan part.svg --json").json();
    let (code, words) = interrupted(&bench, "generate --continue part.svg.checkpoint", 50);
    assert_eq!(code, 1, "{words}");

    let report = bench.run("generate --continue part.svg.checkpoint --json").json();
    assert!(report["excitation"]["free"].as_f64().unwrap() > 0.0);
    assert_eq!(fs::read(bench.path("part.svg")).unwrap(), fs::read(bench.path("whole.svg")).unwrap());
    assert_eq!(bench.files(), ["part.svg", "whole.svg"]);
}

#[test]
fn checkpoints_that_cannot_be_continued_are_explained() {
    let bench = Bench::new();
    bench.run("generate --continue").refused(&["drawing.svg.checkpoint", "no such checkpoint"]);
    bench.run("generate --continue -o -").refused(&["name the checkpoint"]);
    bench.file("photo.png", b"\x89PNG");
    bench.run("generate --continue photo.png").refused(&["photo.png", "not a checkpoint"]);
    bench.file("cut.checkpoint", b"traceur checkpoint\n\x01\0\0\0abc");
    bench.run("generate --continue cut.checkpoint").refused(&["cut.checkpoint", "damaged"]);
    let both = bench.run("generate --continue --seed 3");
    assert_eq!(both.code, 2);
    assert!(both.stderr.contains("--seed"), "{}", both.stderr);
}

#[test]
fn logs_and_films_are_kept_beside_the_drawing() {
    let bench = Bench::new();
    let small = SMALL.replace("--steps 120", "--steps 10");
    bench.run(&format!("{small} -o a.svg")).done();
    bench.run(&format!("{small} -o b.svg --log log --timelapse film.gif --watch")).done();
    assert_eq!(fs::read(bench.path("a.svg")).unwrap(), fs::read(bench.path("b.svg")).unwrap());
    assert!(fs::read(bench.path("film.gif")).unwrap().starts_with(b"GIF89a"));
    let logs = files_below(&bench.path("log"));
    assert!(logs.len() == 1 && logs[0].contains("tfevents"), "{logs:?}");
}

#[test]
fn a_sweep_leaves_tables_a_sheet_and_a_page() {
    let bench = Bench::new();
    bench.file(
        "small.toml",
        "format = 1\nname = \"small <i>\"\ncolumns = \"seed\"\n[set]\npaper.page = \"40x32mm\"\npaper.margin = \"4mm\"\ngenerate.steps = 6\n[grid]\nseed = [1, 2]\ngenerate.neuron = [\"lite0:b2:11\", \"lite0:b4:11\"]\n",
    );
    let table = bench.run("sweep small.toml --out out --json").json();
    let rows = table["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 4);
    let files = files_below(&bench.path("out"));
    for name in ["index.html", "sheet.png", "table.csv", "table.json"] {
        assert!(files.contains(&name.to_owned()), "{files:?}");
    }
    assert_eq!(files.iter().filter(|name| name.ends_with("drawing.svg")).count(), 4);
    let page = fs::read_to_string(bench.path("out/index.html")).unwrap();
    assert!(page.contains("small &lt;i&gt;") && !page.contains("<i>"));
    let before = fs::read(bench.path("out/table.json")).unwrap();
    // Again: nothing is done twice, and other workers change nothing.
    bench.run("sweep small.toml --out out --workers 3 --quiet").done();
    assert_eq!(fs::read(bench.path("out/table.json")).unwrap(), before);
    assert_eq!(files_below(&bench.path("out")), files);
}
