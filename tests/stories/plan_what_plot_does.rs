//! What `plan` reports is what `export` writes, `plot` sends and `preview` inks.

use std::fs;

use serde_json::Value;

use crate::support::{Bench, SVG};

fn bench() -> Bench {
    let bench = Bench::new();
    bench.file("in.svg", SVG);
    bench
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

#[test]
fn passes_go_light_to_dark_and_nothing_is_lost() {
    let plan = bench().run("plan in.svg -p fineliner-12 --json").json();
    let pens: Vec<&str> =
        plan["passes"].as_array().unwrap().iter().map(|p| p["pen"].as_str().unwrap()).collect();
    assert_eq!(pens[0], "red");
    assert!(number(&plan["travel_mm"]) <= number(&plan["input"]["travel_mm"]));
    assert!(plan["lifts"].as_u64() <= plan["input"]["lifts"].as_u64());
    let circle = 16.0 * std::f64::consts::PI;
    assert!(number(&plan["draw_mm"]) > 50.0 + 29.0 + circle + 70.0, "{plan}");
    assert!(number(&plan["bounds_mm"][2]) <= 100.0);
}

#[test]
fn the_simulated_plot_takes_the_planned_time_and_ink() {
    for machine in ["grbl-servo", "grbl-z"] {
        let bench = bench();
        let plan = bench.run(&format!("plan in.svg -m {machine} --json")).json();
        let preview = bench.run(&format!("preview in.svg -m {machine} -o ink.png --dpi 100 --json")).json();
        let close = |key: &str, share: f64| {
            let (planned, done) = (number(&plan[key]), number(&preview[key]));
            assert!(
                (planned - done).abs() <= share * planned,
                "{machine} {key}: planned {planned}, done {done}"
            );
        };
        close("seconds", 0.05);
        close("draw_mm", 0.01);
        close("travel_mm", 0.01);
        assert_eq!(number(&preview["off_page_mm"]), 0.0);
        assert!(number(&preview["gap"]["delta_e"]) < 10.0);
    }
}

#[test]
fn exported_programs_preview_as_the_drawing_does() {
    let bench = bench();
    let exported = bench.run("export in.svg -p black -m grbl-z -o programs --json").json();
    let path = exported["files"][0]["path"].as_str().unwrap();
    assert_eq!(
        fs::metadata(bench.path(path)).unwrap().len(),
        exported["files"][0]["bytes"].as_u64().unwrap()
    );
    let svg = bench.run("preview in.svg -p black -m grbl-z -o a.png --dpi 100 --json").json();
    let program =
        bench.run(&format!("preview {path} -m grbl-z --page 100x80mm -o b.png --dpi 100 --json")).json();
    assert!((number(&svg["draw_mm"]) - number(&program["draw_mm"])).abs() < 0.01);
    assert_eq!(fs::read(bench.path("a.png")).unwrap(), fs::read(bench.path("b.png")).unwrap());
    bench.file("programs/7-old.gcode", "G0X1");
    let again = bench.run("export in.svg -p black -m grbl-z -o programs");
    assert!(again.stderr.contains("7-old.gcode is from an earlier run"), "{}", again.stderr);
    let streamed = bench.run("export in.svg -p black -m grbl-z -o -").done().stdout.clone();
    assert_eq!(streamed.as_bytes(), fs::read(bench.path(path)).unwrap());
}

#[test]
fn a_saved_plan_plots_as_the_drawing_does() {
    let bench = bench();
    let plan = bench.run("plan in.svg -o plan.json --json").json();
    let again = bench.run("plan plan.json --json").json();
    for key in ["strokes", "lifts"] {
        assert_eq!(plan[key], again[key], "{key}");
    }
    assert!((number(&plan["travel_mm"]) - number(&again["travel_mm"])).abs() < 0.1);
    bench.run("preview plan.json -o ink.png --dpi 60").done();
    bench.run("plan in.svg -o ordered.svg").done();
    let ordered = bench.run("plan ordered.svg --json").json();
    assert!((number(&ordered["draw_mm"]) - number(&plan["draw_mm"])).abs() < 0.5);
}

#[test]
fn a_pen_of_a_plan_names_no_file_elsewhere() {
    let bench = bench();
    bench.run("plan in.svg -p black -o plan.json").done();
    let plan = fs::read_to_string(bench.path("plan.json")).unwrap();
    bench.file("plan.json", plan.replace(r#""id":"black""#, r#""id":"../../black""#));
    bench.run("export plan.json -o programs").done();
    assert_eq!(bench.files(), ["in.svg", "plan.json", "programs/1-..-..-black.gcode"]);
}

#[test]
fn plotting_to_the_simulator_tells_events_and_ends_well() {
    let bench = bench();
    let ran = bench.run("plot in.svg --port sim --yes --json");
    ran.done();
    let events: Vec<Value> = ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let last = events.last().unwrap();
    assert_eq!(last["event"], "done");
    let plan = bench.run("plan in.svg --json").json();
    assert!((number(&last["seconds"]) - number(&plan["seconds"])).abs() < 0.05 * number(&plan["seconds"]));
    assert!((number(&last["draw_mm"]) - number(&plan["draw_mm"])).abs() < 0.01 * number(&plan["draw_mm"]));
}

#[test]
fn stdin_and_stdout_are_dashes() {
    let bench = bench();
    let plan = bench.start("plan - --json", &[], SVG.as_bytes()).json();
    assert_eq!(plan, bench.run("plan in.svg --json").json());
    let saved = bench.start("plan - -o -", &[], SVG.as_bytes()).done().stdout.clone();
    assert_eq!(bench.start("plan - --json", &[], saved.as_bytes()).json()["strokes"], plan["strokes"]);
}

#[test]
fn help_has_examples_everywhere() {
    let bench = Bench::new();
    for verb in [
        "run",
        "generate",
        "plan",
        "export",
        "preview",
        "plot",
        "pens",
        "machines",
        "device",
        "ports",
        "sim",
        "models",
        "completions",
        "man",
    ] {
        let help = bench.run(&format!("{verb} --help"));
        assert!(help.done().stdout.contains("Example"), "{verb}");
    }
    assert!(bench.run("completions bash").done().stdout.contains("traceur"));
    bench.run("man pages").done();
    assert!(bench.files().contains(&"pages/traceur-plan.1".to_owned()));
}
