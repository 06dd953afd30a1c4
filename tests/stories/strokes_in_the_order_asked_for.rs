//! `--order`, `--optimize`, `--join`, `--dedup`, `--seed` and `--effort` do what they say.

use std::fmt::Write as _;
use std::fs;

use serde_json::Value;

use crate::support::Bench;

/// Forty short lines here and there, two of them drawn twice, and a square of four lines.
fn bench() -> Bench {
    let mut lines = String::from("M80 70H88 M88 70V78 M88 78H80 M80 78V70");
    for n in 0..40 {
        write!(lines, " M{} {}h3", n * 37 % 90 + 2, n * 53 % 60 + 2).unwrap();
    }
    lines += " M2 2h3 M42 55h-3";
    let bench = Bench::new();
    let svg = r#"<svg xmlns="http://www.w3.org/2000/svg" width="100mm" height="80mm" viewBox="0 0 100 80"><path fill="none" stroke="black" d="LINES"/></svg>"#;
    bench.file("in.svg", svg.replace("LINES", &lines));
    bench
}

fn plan(bench: &Bench, flags: &str) -> Value {
    bench.run(&format!("plan in.svg {flags} --json")).json()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

#[test]
fn time_and_travel_are_each_smallest_where_they_are_asked_for() {
    let bench = bench();
    let (time, travel) = (plan(&bench, ""), plan(&bench, "--optimize travel"));
    assert_eq!((&time["optimize"], &travel["optimize"]), (&"time".into(), &"travel".into()));
    assert!(number(&time["seconds"]) <= number(&travel["seconds"]) + 0.02, "{time} {travel}");
    assert!(number(&travel["travel_mm"]) <= number(&time["travel_mm"]), "{time} {travel}");
    for plan in [time, travel] {
        assert!(number(&plan["seconds"]) < 0.9 * number(&plan["input"]["seconds"]), "{plan}");
        assert_eq!(plan["stopped"], false);
    }
}

#[test]
fn the_file_order_is_kept_and_other_orders_draw_the_same() {
    let bench = bench();
    let kept = plan(&bench, "--order keep");
    assert!((number(&kept["travel_mm"]) - number(&kept["input"]["travel_mm"])).abs() < 0.01, "{kept}");
    assert_eq!(kept["input"]["strokes"].as_u64().unwrap() - kept["strokes"].as_u64().unwrap(), 3);
    let best = plan(&bench, "");
    for order in ["random", "interleave", "inside-groups"] {
        let other = plan(&bench, &format!("--order {order}"));
        assert!((number(&other["draw_mm"]) - number(&best["draw_mm"])).abs() < 0.01, "{order}");
        assert_eq!((&other["order"], &other["strokes"]), (&order.into(), &best["strokes"]));
    }
}

#[test]
fn what_is_drawn_twice_is_drawn_once_where_that_is_asked_for() {
    let bench = bench();
    assert_eq!(number(&plan(&bench, "")["doubled"]["mm"]), 0.0);
    let once = plan(&bench, "--dedup");
    assert_eq!((&once["doubled"]["strokes"], number(&once["doubled"]["mm"])), (&2.into(), 6.0), "{once}");
    assert_eq!(plan(&bench, "--dedup 0.1mm")["strokes"], once["strokes"]);
}

#[test]
fn a_seed_and_an_effort_give_one_order() {
    let bench = bench();
    let program = |flags: &str| {
        bench.run(&format!("plan in.svg {flags} -o plan.json")).done();
        fs::read(bench.path("plan.json")).unwrap()
    };
    assert_eq!(program("--effort 3 --seed 5"), program("--effort 3 --seed 5"));
    assert_ne!(program("--order random --seed 5"), program("--order random --seed 6"));
}

#[test]
fn ends_farther_apart_than_asked_for_stay_apart() {
    let bench = Bench::new();
    let svg = r#"<svg xmlns="http://www.w3.org/2000/svg" width="50mm" height="50mm" viewBox="0 0 50 50"><path fill="none" stroke="black" d="M1 5H9 M9.3 5H20"/></svg>"#;
    bench.file("in.svg", svg);
    assert_eq!(plan(&bench, "")["strokes"], 2);
    assert_eq!(plan(&bench, "--join 0.4mm")["strokes"], 1);
    let refused = bench.run("plan in.svg --join 4");
    assert!(refused.stderr.contains("mm"), "{}", refused.stderr);
}
