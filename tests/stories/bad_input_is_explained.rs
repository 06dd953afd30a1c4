//! Bad input gives one clear line, exit code 2, and no file.

use crate::support::{Bench, SVG};

#[track_caller]
fn check(name: &str, bytes: impl AsRef<[u8]>, expected: &[&str]) {
    let bench = Bench::new();
    bench.file(name, bytes);
    for words in ["plan IN", "preview IN -o out.png", "export IN -o out", "plot IN --port sim"] {
        bench.run(&words.replace("IN", name)).refused(expected);
    }
    assert_eq!(bench.files(), [name], "nothing half-written");
}

#[test]
fn a_truncated_svg() {
    check("cut.svg", &SVG[..SVG.len() / 2], &["cut.svg", "cut short"]);
}

#[test]
fn an_empty_file() {
    check("empty.svg", "", &["empty.svg", "empty"]);
}

#[test]
fn an_svg_without_strokes() {
    check(
        "bare.svg",
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="10mm" height="10mm"/>"#,
        &["bare.svg", "nothing to draw"],
    );
}

#[test]
fn a_page_of_a_thousand_kilometers() {
    check("huge.svg", SVG.replace("100mm", "1000000000mm"), &["huge.svg", "page"]);
}

#[test]
fn coordinates_that_are_not_numbers() {
    check("nan.svg", SVG.replace("d=\"M10 10 H60\"", "d=\"M10 10 HNaN\""), &["nan.svg"]);
}

#[test]
fn a_missing_file() {
    let bench = Bench::new();
    bench.run("plan missing.svg").refused(&["missing.svg", "no such file", "check the name"]);
    bench.run("preview missing.svg -o out.png").refused(&["missing.svg"]);
    assert!(bench.files().is_empty());
}

#[test]
fn an_output_that_cannot_be_written() {
    let bench = Bench::new();
    bench.file("in.svg", SVG);
    bench.run("preview in.svg -o no/such/folder/ink.png").refused(&["no/such/folder/ink.png", "may write"]);
    bench.run("export in.svg -o in.svg/programs").refused(&["in.svg/programs", "may write"]);
    bench.run("run first-ink --out in.svg/out").refused(&["in.svg/out", "may write"]);
    bench.run("generate -o in.svg/drawing.svg").refused(&["in.svg/drawing.svg", "may write"]);
    assert_eq!(bench.files(), ["in.svg"]);
}

#[test]
fn unknown_names_come_with_the_nearest_known() {
    let bench = Bench::new();
    bench.file("in.svg", SVG);
    bench.run("plan in.svg -m grbl-sevro").refused(&["grbl-sevro", "did you mean `grbl-servo`?"]);
    bench.run("plan in.svg -p cmky").refused(&["cmky", "did you mean `cmyk`?"]);
    bench.run("plan in.svg -p cmyk:cian").refused(&["cian", "did you mean `cyan`?"]);
    bench.run("run first-inc").refused(&["first-inc", "did you mean `first-ink`?"]);
    bench.run("generate --neuron lite0:b6:2400 -o x.svg").refused(&["2400"]);
    bench.run("generate --neuron lite9:b6:2 -o x.svg").refused(&["lite9"]);
    bench.run("generate --page A99 -o x.svg").refused(&["A99", "A4"]);
}
