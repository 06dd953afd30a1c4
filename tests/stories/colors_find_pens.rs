//! Other people's drawings with one's own pens: colors find pens, wide lines become several, the checks tell what would
//! spoil the plot, and the pens' odometer counts.

use std::path::Path;

use serde_json::Value;

use crate::support::Bench;

/// A red, an orange and a dark blue line, and a wide transparent green one.
const COLORS: &str = r##"<svg xmlns="http://www.w3.org/2000/svg" width="100mm" height="80mm" viewBox="0 0 100 80" fill="none" stroke-width="0.5">
    <path d="M10 10H90" stroke="#d01010"/><path d="M10 20H90" stroke="#ff8000"/><path d="M10 30H90" stroke="#101060"/>
    <path d="M10 50H90" stroke="#00805a" stroke-width="5" stroke-opacity="0.4"/></svg>"##;

fn pens_of(plan: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut pairs: Vec<(String, String)> = plan["mapping"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (text(&row["color"]), text(&row["pen"])))
        .collect();
    pairs.sort();
    pairs
}

#[test]
fn each_color_finds_its_pen_and_map_overrides() {
    let bench = Bench::new();
    bench.file("in.svg", COLORS);
    let pairs = |list: &[(&str, &str)]| -> Vec<(String, String)> {
        list.iter().map(|(color, pen)| ((*color).to_owned(), (*pen).to_owned())).collect()
    };
    let plan = bench.run("plan in.svg -p fineliner-12 --json").json();
    let expected = [("#00805a", "green"), ("#101060", "blue"), ("#d01010", "red"), ("#ff8000", "orange")];
    assert_eq!(pens_of(&plan), pairs(&expected));
    let plan = bench.run("plan in.svg -p fineliner-12 --map #d01010=violet --json").json();
    assert!(pens_of(&plan).contains(&("#d01010".into(), "violet".into())));
    let plan = bench.run("plan in.svg -p fineliner-12 --colors 2 --robust --json").json();
    assert_eq!(plan["passes"].as_array().unwrap().len(), 2);
    bench
        .run("plan in.svg -p fineliner-12 --map #d01010=viloet")
        .refused(&["viloet", "did you mean `violet`?"]);
    bench.run("plan in.svg -p fineliner-12 --map #00ff00=red").refused(&[
        "#00ff00",
        "no such color",
        "the nearest",
    ]);
    let ran = bench.run("plan in.svg -p fineliner-12 --map red");
    assert!(ran.code == 2 && ran.stderr.contains("#f00=red"), "{}", ran.stderr);
}

#[test]
fn a_layer_that_names_its_pen_keeps_it() {
    let bench = Bench::new();
    bench.file(
        "in.svg",
        r##"<svg xmlns="http://www.w3.org/2000/svg" xmlns:inkscape="http://www.inkscape.org/namespaces/inkscape" width="100mm" height="80mm" viewBox="0 0 100 80" fill="none" stroke-width="3">
        <g inkscape:groupmode="layer" inkscape:label="1 violet"><path d="M10 10H90" stroke="#ff0000"/></g>
        <g inkscape:groupmode="layer" inkscape:label="2 sea"><path d="M10 20H90" stroke="#1020a0"/></g></svg>"##,
    );
    let plan = bench.run("plan in.svg -p fineliner-12 --json").json();
    let strokes: Vec<(&str, u64)> = plan["passes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|pass| (pass["pen"].as_str().unwrap(), pass["strokes"].as_u64().unwrap()))
        .collect();
    // The pen that was named draws one line, the one that was found as many as the stroke is wide.
    assert!(
        strokes.contains(&("violet", 1)) && strokes.iter().any(|(pen, n)| *pen == "blue" && *n > 1),
        "{strokes:?}"
    );
    let plan = bench.run("plan in.svg -p fineliner-12 --layers color --json").json();
    assert!(plan["passes"].as_array().unwrap().iter().any(|pass| pass["pen"] == "red"));
}

#[test]
fn a_wide_line_is_several_lines_its_outline_or_one() {
    let bench = Bench::new();
    bench.file("in.svg", COLORS);
    let green = |flags: &str| {
        let plan = bench.run(&format!("plan in.svg -p fineliner-12 --json {flags}")).json();
        let passes = plan["passes"].as_array().unwrap().clone();
        passes
            .iter()
            .find(|pass| pass["pen"] == "green")
            .map_or(0.0, |pass| pass["draw_mm"].as_f64().unwrap())
    };
    // Ten lines of 0.5 mm would make the full color. A screen shows 0.4 of it, mixed in sRGB, at a luminance of 0.54; the
    // full color has 0.16. Of light, which is what the eye adds up, (1 - 0.54) / (1 - 0.16) = 55 % must be inked: six lines,
    // as three rings 0.42, 1.25 and 2.08 mm inside the edge of 80 x 5 mm: 2 (85 - 4 inset) mm each. (40 % would be four
    // lines and 320 mm: lighter than what was drawn.)
    let spaced = green("");
    assert!((spaced - 480.0).abs() < 1.0, "{spaced}");
    let lint = bench.run("plan in.svg -p fineliner-12 --json").json()["lint"].to_string();
    assert!(!lint.contains("close-lines"), "spaced lines are no lines too close: {lint}");
    for width in ["0.76", "1.06", "1.3", "1.6", "2.6"] {
        bench.file("wide.svg", COLORS.replace("0.4\"/>", "1\"/>").replace("\"5\"", &format!("\"{width}\"")));
        let lint = bench.run("plan wide.svg -p fineliner-12 --json").json()["lint"].to_string();
        assert!(!lint.contains("close-lines"), "nor are those that make up a width of {width}: {lint}");
    }
    let outline = green("--fat-strokes outline --opacity spacing");
    assert!((160.0..175.0).contains(&outline), "{outline}");
    let single = green("--fat-strokes single --opacity spacing");
    assert!((single - 80.0).abs() < 0.1, "{single}");
}

#[test]
fn the_checks_fail_a_strict_plan_and_only_then() {
    let bench = Bench::new();
    bench.file("in.svg", COLORS);
    let plan = bench.run("plan in.svg -p fineliner-12 --strict --json").json();
    assert!(plan["lint"].as_array().unwrap().iter().all(|finding| finding["severity"] == "note"), "{plan}");
    bench.file("off.svg", COLORS.replace("H90\" stroke=\"#d01010", "H190\" stroke=\"#d01010"));
    let plan = bench.run("plan off.svg -p fineliner-12 --json").json();
    assert_eq!(plan["lint"][0]["kind"], "off-page");
    for words in ["plan off.svg", "preview off.svg", "export off.svg -o out", "plot off.svg --port sim"] {
        let ran = bench.run(&format!("{words} -p fineliner-12 --strict"));
        assert!(ran.code == 2 && ran.stderr.contains("error: --strict: off-page"), "{words}: {}", ran.stderr);
        assert!(!ran.stderr.contains("done:"), "{words}");
    }
    bench.file("portrait.svg", COLORS.replace("100mm", "190mm").replace("80mm", "297mm"));
    let plan = bench.run("plan portrait.svg -m axidraw-v3 -p fineliner-12 --no-rotate --json").json();
    assert!(
        plan["lint"].as_array().unwrap().iter().any(|finding| finding["kind"] == "orientation"),
        "{plan}"
    );
}

#[test]
fn spaced_lines_are_as_light_as_the_screen() {
    let bench = Bench::new();
    for (color, opacity) in [("#00805a", "0.4"), ("#1a1a1a", "0.5"), ("#ff8000", "0.7"), ("#101060", "0.2")] {
        bench.file(
            "in.svg",
            format!(
                r#"<svg xmlns="http://www.w3.org/2000/svg" width="100mm" height="80mm" viewBox="0 0 100 80" fill="none"><path d="M10 40H90" stroke="{color}" stroke-width="40" stroke-opacity="{opacity}"/></svg>"#
            ),
        );
        let gap = |flags: &str| {
            let report =
                bench.run(&format!("preview in.svg -p fineliner-12 --json -o ink.png {flags}")).json();
            report["gap"]["delta_e_seen"].as_f64().unwrap()
        };
        let (spaced, full) = (gap(""), gap("--opacity color"));
        assert!(spaced < 6.0, "{color} {opacity}: {spaced}, and {full} by color");
    }
}

/// A drawing in which this check finds something, and flags for it.
const TROUBLES: [(&str, &str, &str); 9] = [
    ("off-page", r##"<path d="M10 10H190" stroke="#1a1a1a"/>"##, ""),
    (
        "orientation",
        r##"<path d="M10 10H60" stroke="#1a1a1a"/>"##,
        "--page 200x290mm --no-rotate -m axidraw-v3",
    ),
    ("text", r##"<path d="M10 10H60" stroke="#1a1a1a"/><text x="9" y="9">no outlines</text>"##, ""),
    ("dry-pen", r##"<path d="M10 10H90" stroke="#1a1a1a"/>"##, "-p dry.toml"),
    (
        "alike-pens",
        r##"<path d="M10 10H60" stroke="#1a1a1a"/><path d="M10 20H60" stroke="#1c1c1c"/>"##,
        "-p twins.toml --map #1a1a1a=a --map #1c1c1c=b",
    ),
    ("overdraw", "OVER", ""),
    ("close-lines", "CLOSE", ""),
    ("specks", "SPECKS", ""),
    ("lifts", "LIFTS", "--join 0mm"),
];

#[test]
fn each_check_finds_its_trouble_in_a_file() {
    let bench = Bench::new();
    let line = |from: (f64, f64), to: (f64, f64)| {
        format!("<path d=\"M{} {}L{} {}\" stroke=\"#1a1a1a\"/>", from.0, from.1, to.0, to.1)
    };
    let rows = |count: u32, apart: f64, length: f64| -> String {
        let y = |i| 10.0 + f64::from(i) * apart;
        (0..count).map(|i| line((10.0, y(i)), (10.0 + length, y(i)))).collect()
    };
    let black = "format = 1\nid = \"x\"\nname = \"X\"\n[[pen]]\nid = \"a\"\nname = \"A\"\ncolor = \"#1a1a1a\"\ntip = \"0.5mm\"\n";
    bench.file("dry.toml", format!("{black}metres = \"0.05m\"\n"));
    let twin = black.split("[[pen]]").nth(1).unwrap().replace("\"a\"", "\"b\"").replace("#1a1a1a", "#1c1c1c");
    bench.file("twins.toml", format!("{black}[[pen]]{twin}"));
    for (kind, drawing, flags) in TROUBLES {
        let body = match drawing {
            // Lines drawn again and again, not quite the same.
            "OVER" => (0..8).map(|i| rows(20, 0.45, 40.0 + 0.1 * f64::from(i))).collect(),
            "CLOSE" => rows(20, 0.25, 50.0),
            "SPECKS" => rows(10, 3.0, 50.0) + &line((70.0, 10.0), (70.1, 10.0)),
            "LIFTS" => (0..20)
                .map(|i| {
                    let x = 2.0 + 4.0 * f64::from(i);
                    (0..15)
                        .map(|j| line((x, 2.0 + 4.0 * f64::from(j)), (x + 0.7, 2.0 + 4.0 * f64::from(j))))
                        .collect::<String>()
                })
                .collect(),
            body => body.to_owned(),
        };
        bench.file("in.svg", format!(r#"<svg xmlns="http://www.w3.org/2000/svg" width="100mm" height="80mm" viewBox="0 0 100 80" fill="none" stroke-width="0.5">{body}</svg>"#));
        for words in ["plan in.svg", "preview in.svg -o ink.png --dpi 72"] {
            let pens = if flags.contains("-p ") { "" } else { "-p black" };
            let report = bench.run(&format!("{words} {pens} --json {flags}")).json();
            let found = report["lint"].as_array().unwrap();
            let finding = found.iter().find(|finding| finding["kind"] == kind);
            let finding = finding.unwrap_or_else(|| panic!("{kind} by {words}: {found:?}"));
            let is_bad = finding["severity"] == "warning";
            let strict = bench.run(&format!("{words} {pens} --strict {flags}"));
            assert_eq!(
                (strict.code == 2, strict.stderr.contains(&format!("--strict: {kind}"))),
                (is_bad, is_bad),
                "{kind}: {}",
                strict.stderr
            );
        }
    }
}

#[test]
fn the_odometer_counts_and_warns_before_a_pen_runs_dry() {
    let bench = Bench::new();
    bench.file("in.svg", COLORS);
    let toml = bench.run("pens show black --toml").done().stdout.clone();
    bench.file("mine.toml", toml.replace("tip = ", "metres = \"1m\"\ntip = "));
    let state = bench.path("state");
    let run = |words: &str| bench.start(words, &[("XDG_STATE_HOME", state.to_str().unwrap())], b"");
    run("plot in.svg -p mine.toml --port sim").done();
    assert_eq!(run("pens log --json").json()["pens"].as_array().unwrap().len(), 0, "virtual ink is free");
    run("plot in.svg -p mine.toml --port sim --count-sim").done();
    let log = run("pens log --json").json();
    let drawn = log["pens"][0]["metres"].as_f64().unwrap();
    let planned = run("plan in.svg -p mine.toml --json").json()["draw_mm"].as_f64().unwrap() / 1000.0;
    assert!((drawn - planned).abs() < 0.002, "{drawn} {planned}");
    let plan = run("plan in.svg -p mine.toml --json").json();
    let is_dry = |finding: &Value| finding["kind"] == "dry-pen";
    assert!(plan["lint"].as_array().unwrap().iter().any(is_dry), "{plan}");
    run("plan in.svg -p mine.toml -o plan.json").done();
    let saved = run("plan plan.json --json").json();
    assert!(
        saved["lint"].as_array().unwrap().iter().any(is_dry),
        "a saved plan knows its pens' supply: {saved}"
    );
    run("plan in.svg -p mine.toml -o own.svg").done();
    let own = run("plan own.svg --json").json();
    assert!(own["lint"].as_array().unwrap().iter().any(is_dry), "our own SVG knows it too: {own}");
    run("pens log --refilled black").done();
    let log = run("pens log black --json").json();
    assert_eq!((log["pens"][0]["metres"].as_f64(), log["pens"][0]["refills"].as_u64()), (Some(0.0), Some(1)));
    run("pens log --refilled blakc").refused(&["did you mean `black`?"]);
    assert!(Path::new(&state).join("traceur/odometer.log").exists());
}

#[test]
fn the_paper_is_drawn_in_the_terminal_without_escapes_for_a_pipe() {
    let bench = Bench::new();
    bench.file("in.svg", COLORS);
    let ran = bench.start(
        "preview in.svg --show",
        &[("LANG", "en_US.UTF-8"), ("LC_ALL", ""), ("COLUMNS", "40")],
        b"",
    );
    let text = ran.done().stdout.clone();
    assert!(
        text.starts_with('┌')
            && !text.contains('\x1b')
            && text.lines().all(|line| line.chars().count() <= 160)
    );
    assert!(text.lines().take(8).all(|line| line.chars().count() <= 40), "{text}");
    assert!(!bench.path("in-ink.png").exists(), "what is shown is not written too");
}
