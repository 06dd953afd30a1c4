//! Pens are managed in TOML: shown, copied, changed, checked.

use crate::support::{Bench, SVG};

#[test]
fn a_set_can_be_copied_changed_and_used() {
    let bench = Bench::new();
    let toml = bench.run("pens show black --toml").done().stdout.clone();
    bench.file("mine.toml", toml.replace("0.5mm", "0.8mm"));
    bench.run("pens check mine.toml").done();
    assert_eq!(bench.run("pens show mine.toml --json").json()["pens"][0]["tip_mm"], 0.8);
    bench.file("in.svg", SVG);
    let plan = bench.run("plan in.svg -p mine.toml --json").json();
    assert_eq!(plan["passes"].as_array().unwrap().len(), 1, "all colors go to the one pen");
}

#[test]
fn the_built_in_sets_are_listed_and_shown() {
    let bench = Bench::new();
    let sets = bench.run("pens list --json").json();
    let ids: Vec<&str> =
        sets["sets"].as_array().unwrap().iter().map(|set| set["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["fineliner-12", "cmyk", "black"]);
    assert_eq!(bench.run("pens show fineliner-12 --json").json()["pens"].as_array().unwrap().len(), 12);
    assert_eq!(bench.run("pens show cmyk:cyan,black --json").json()["pens"].as_array().unwrap().len(), 2);
}

#[test]
fn a_typo_names_file_line_key_and_the_nearest() {
    let bench = Bench::new();
    let toml = bench.run("pens show black --toml").done().stdout.clone();
    bench.file("mine.toml", toml.replace("tip =", "tpi ="));
    bench.run("pens check mine.toml").refused(&["mine.toml:", "`tpi`", "did you mean `tip`?"]);
    bench.file("in.svg", SVG);
    bench.run("plan in.svg -p mine.toml").refused(&["mine.toml:", "did you mean `tip`?"]);
}
