//! A drawing goes where it is asked to go, its fills are inked, and every command treats it alike.

use std::fs;

use serde_json::Value;

use crate::support::{Bench, SVG};

/// A red disc over half of a blue square, on 60 x 60 mm.
const SHAPES: &str = r##"<svg xmlns="http://www.w3.org/2000/svg" width="60mm" height="60mm" viewBox="0 0 60 60">
<rect x="10" y="10" width="30" height="30" fill="#0000ff"/><circle cx="40" cy="40" r="12" fill="#ff0000"/>
<path d="M5 50 H55" stroke="#008000" stroke-width="0.5"/></svg>"##;

fn bench() -> Bench {
    let bench = Bench::new();
    bench.file("in.svg", SVG);
    bench.file("shapes.svg", SHAPES);
    bench
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

fn close(a: &Value, b: &Value, most: f64) {
    assert!((number(a) - number(b)).abs() <= most, "{a} {b}");
}

#[test]
fn what_is_planned_with_a_layout_is_what_is_inked_and_plotted() {
    let bench = bench();
    for flags in [
        "--page A5 --fit --margin 12mm",
        "--rotate 90deg --mirror x",
        "--copies 4 --fit --page A4 --landscape",
        "--tile 2x1 --sheet 2",
        "--fill hatch --scale 150%",
    ] {
        for file in ["in.svg", "shapes.svg"] {
            let plan = bench.run(&format!("plan {file} {flags} --json")).json();
            let preview = bench.run(&format!("preview {file} {flags} -o ink.png --dpi 60 --json")).json();
            close(&plan["draw_mm"], &preview["draw_mm"], 0.01 * number(&plan["draw_mm"]));
            close(&plan["travel_mm"], &preview["travel_mm"], 0.01 * number(&plan["travel_mm"]) + 0.1);
            let plot = bench.run(&format!("plot {file} {flags} --port sim --yes --json"));
            let done: Value = serde_json::from_str(plot.done().stdout.lines().last().unwrap()).unwrap();
            close(&plan["draw_mm"], &done["draw_mm"], 0.01 * number(&plan["draw_mm"]));
            // The picture that is wanted is laid out too. Filled shapes that are only outlined differ more.
            let most = if file == "in.svg" { 1.5 } else { 30.0 };
            assert!(number(&done["gap"]["delta_e_seen"]) < most, "{file} {flags}: {}", done["gap"]);
        }
    }
}

#[test]
fn fitted_ink_ends_at_the_margins() {
    let plan = bench().run("plan in.svg --page A5 --fit --margin 12mm --json").json();
    let [x0, x1] = [&plan["bounds_mm"][0], &plan["bounds_mm"][2]].map(number);
    assert!((x0 - 12.0).abs() < 0.05 && (x1 - 136.0).abs() < 0.05, "{plan}");
    assert_eq!(number(&plan["clipped_mm"]), 0.0);
}

#[test]
fn a_poster_is_a_file_a_sheet() {
    let bench = bench();
    let plan = bench.run("plan in.svg --tile 2x2 --page A6 -o sheet.svg --json").json();
    let sheets = plan["sheets"].as_array().unwrap();
    assert_eq!(sheets.len(), 4);
    for sheet in sheets {
        let alone = bench.run(&format!("plan in.svg --tile 2x2 --page A6 --sheet {} --json", sheet["sheet"]));
        assert_eq!(alone.json(), sheet["report"]);
        let saved = bench.run(&format!("plan sheet-{}.svg --json", sheet["sheet"])).json();
        close(&saved["draw_mm"], &sheet["report"]["draw_mm"], 1.0);
    }
    bench.run("plot in.svg --tile 2x2 --port sim").refused(&["this takes 4 sheets", "--sheet 1 to 4"]);
    bench.run("plan in.svg --tile 2x2 --sheet 5").refused(&["--sheet 5", "there are 4 sheets"]);
    bench.run("export in.svg --tile 2x1 -o programs").done();
    assert!(bench.files().iter().any(|name| name.starts_with("programs/sheet-2/1-")), "{:?}", bench.files());
}

#[test]
fn planning_a_saved_drawing_again_changes_nothing() {
    let bench = bench();
    let flags = "--page A5 --fit --fill hatch";
    for file in ["in.svg", "shapes.svg"] {
        let plan = bench.run(&format!("plan {file} {flags} -o ordered.svg --json")).json();
        let again = bench.run("plan ordered.svg --json").json();
        assert_eq!(again["input"]["lifts"], plan["lifts"]);
        close(&again["input"]["travel_mm"], &plan["travel_mm"], 0.05);
        close(&again["draw_mm"], &plan["draw_mm"], 0.2);
    }
    bench.run("plan in.svg -o ordered.svg").done();
    let ordered = fs::read_to_string(bench.path("ordered.svg")).unwrap();
    assert!(ordered.contains('C'), "curves are kept: {ordered}");
}

#[test]
fn fills_are_inked_and_carve_what_lies_below() {
    let bench = bench();
    let plan = |flags: &str| bench.run(&format!("plan shapes.svg --json {flags}")).json();
    let hatched = plan("--fill hatch");
    // The square less a quarter disc, and the disc, at 0.3 mm.
    let area = 900.0 + 0.75 * std::f64::consts::PI * 144.0;
    let inked = number(&hatched["hatch_mm"]) * 0.3;
    assert!((inked - area).abs() < 0.05 * area, "{inked} {area}");
    assert_eq!(number(&hatched["hidden_mm"]), 0.0);
    let twice = plan("--fill hatch --hatch-spacing 0.6mm --hatch-angle -30deg");
    assert!(number(&twice["hatch_mm"]) < 0.55 * number(&hatched["hatch_mm"]));
    let crossed = plan("--fill crosshatch --fill-outline");
    assert!(number(&crossed["hatch_mm"]) > 1.9 * number(&hatched["hatch_mm"]));
    let over = plan("--fill hatch --occlude=off");
    assert!(number(&over["hatch_mm"]) > 1.05 * number(&hatched["hatch_mm"]));
    assert_eq!(number(&plan("--fill none")["draw_mm"]), 50.0);
    let hidden = plan("--occlude");
    assert!(number(&hidden["hidden_mm"]) > 12.0, "{hidden}");
}

#[test]
fn a_pen_that_runs_dry_is_refilled() {
    let bench = bench();
    let plan = bench.run("plan shapes.svg --fill hatch --split-mm 50cm --split-overlap 2mm --json").json();
    let passes = plan["passes"].as_array().unwrap();
    assert!(passes.iter().all(|pass| number(&pass["draw_mm"]) < 500.01), "{plan}");
    let pens = plan["refills"].as_u64().unwrap() + 3;
    assert_eq!(passes.len() as u64, pens);
    let table = bench.run("plan shapes.svg --fill hatch --split-mm 50cm").done().stdout.clone();
    assert!(table.contains("refill"), "{table}");
}

#[test]
fn what_does_not_fit_is_said_with_the_flag_that_mends_it() {
    let bench = bench();
    bench.file("far.svg", SVG.replace("M10 10 H60", "M10 10 H60 M95 20 H160"));
    for (words, expected) in [
        ("plan far.svg", "--fit makes it fit"),
        ("plan shapes.svg --page 25x60mm --margin 1mm", "--fit makes it fit"),
        ("plan in.svg --page A0 --fit", "--page 430x430mm --fit"),
    ] {
        let stderr = bench.run(words).done().stderr.clone();
        assert!(stderr.contains("cut off") && stderr.contains(expected), "{words}: {stderr}");
    }
    bench.run("plan in.svg --copies 9").refused(&["3 x 3 copies", "add --fit"]);
    bench.run("plan in.svg --fit --margin 50mm").refused(&["--margin", "no room"]);
    bench.run("plan in.svg -o plan.json").done();
    bench.run("plan plan.json --fit").refused(&["layout already"]);
}

#[test]
fn what_is_left_out_is_counted() {
    let bench = bench();
    let vertices: String = (0..200).map(|x| format!(" L{} 20", f64::from(x) * 0.25)).collect();
    let dots = r##"<path d="M9 9h0 M30 30h0.2" stroke="#191919" stroke-linecap="round"/>"##;
    bench.file(
        "many.svg",
        SVG.replace(
            "</svg>",
            &format!(r##"<path d="M0 20{vertices}" stroke="#191919" fill="none"/>{dots}</svg>"##),
        ),
    );
    let plan = bench.run("plan many.svg --json").json();
    assert!(plan["simplified_vertices"].as_u64().unwrap() >= 198, "{plan}");
    assert_eq!((plan["dots"].as_u64(), plan["tiny_strokes"].as_u64()), (Some(1), Some(0)));
    let exact = bench.run("plan many.svg --simplify 0mm --min-stroke 0.5mm --json").json();
    assert_eq!((exact["simplified_vertices"].as_u64(), exact["tiny_strokes"].as_u64()), (Some(0), Some(2)));
    close(&plan["draw_mm"], &exact["draw_mm"], 0.3);
    bench.run("plan in.svg --min-stroke 9m").refused(&["shorter than --min-stroke"]);
}

#[test]
fn a_page_that_fits_the_bed_only_turned_is_turned() {
    let bench = Bench::new();
    let far = r##"<path d="M10 10 H200 V287 H10 Z" fill="none" stroke="#191919"/>"##;
    bench.file(
        "a4.svg",
        format!(r##"<svg xmlns="http://www.w3.org/2000/svg" width="210mm" height="297mm" viewBox="0 0 210 297">{far}</svg>"##),
    );
    for machine in ["axidraw-v3", "axidraw-minikit"] {
        let layout = if machine == "axidraw-minikit" { "--page 90x150mm --fit" } else { "" };
        let ran = bench.run(&format!("plan a4.svg -m {machine} {layout} --json"));
        assert_eq!(ran.json()["clipped_mm"], 0.0, "{machine}");
        assert_eq!(ran.stderr.matches("lay its top to the left").count(), 1, "{}", ran.stderr);
        // The ink is seen upright all the same.
        let seen = bench.run(&format!("preview a4.svg -m {machine} {layout} -o ink.png --json")).json();
        assert!(seen["gap"]["ssim"].as_f64().unwrap() > 0.98 && seen["off_page_mm"] == 0.0, "{seen}");
    }
    let upright = bench.run("plan a4.svg -m axidraw-v3 --no-rotate").done().stderr.clone();
    assert!(upright.contains("cut off") && upright.contains("leave out --no-rotate"), "{upright}");
    let fits = bench.run("plan a4.svg -m grbl-servo").done().stderr.clone();
    assert!(!fits.contains("top to the left"), "{fits}");
    // A plan keeps its page, and lies on the machine in the same way.
    bench.run("plan a4.svg -m axidraw-v3 -o plan.json").done();
    assert!(bench.run("preview plan.json -m axidraw-v3 -o ink.png").done().stderr.contains("to the left"));
}
