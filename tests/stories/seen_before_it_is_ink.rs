//! What an artist looks at before the pen comes down: pictures, maps, sheets by pass, and the player.

use crate::support::{Bench, SVG};

#[test]
fn one_drawing_is_seen_in_every_form() {
    let bench = Bench::new();
    bench.file("in.svg", SVG);
    let report = bench.run("preview in.svg -o ink.png --dpi 100 --heat --per-pass --json").json();
    assert_eq!(
        bench.files(),
        ["in.svg", "ink-1-black.png", "ink-2-red.png", "ink-heat.png", "ink.png"].map(|name| {
            // The pens of a drawing without a set are named after their colors.
            let ids =
                [&report["passes"][0]["pen"], &report["passes"][1]["pen"]].map(|id| id.as_str().unwrap());
            name.replace("black", ids[0]).replace("red", ids[1])
        })
    );
    let overdraw = &report["overdraw"];
    assert_eq!((overdraw["output"].as_str(), overdraw["most"].as_u64()), (Some("ink-heat.png"), Some(2)));
    let shares: f64 =
        overdraw["shares"].as_array().unwrap().iter().map(|share| share.as_f64().unwrap()).sum();
    assert!((shares - 1.0).abs() < 0.01);
    let worst = overdraw["worst"][0]["at_mm"].as_array().unwrap();
    assert!(worst.len() == 2 && overdraw["worst"][0]["times"] == 2);
    let sum = |key: &str| {
        report["passes"].as_array().unwrap().iter().map(|p| p[key].as_f64().unwrap()).sum::<f64>()
    };
    for key in ["draw_mm", "travel_mm", "seconds"] {
        assert!((sum(key) - report[key].as_f64().unwrap()).abs() < 0.01, "{key}");
    }
    let words = bench.run("preview in.svg -o ink.png --dpi 100 --heat").done().stdout.clone();
    assert!(words.contains("ink-heat.png: ") && words.contains("2 times at "), "{words}");

    let same = bench.run("preview in.svg -o play.html --json").json();
    assert_eq!((&same["seconds"], &same["gap"]), (&report["seconds"], &report["gap"]));
    let html = std::fs::read_to_string(bench.path("play.html")).unwrap();
    assert!(html.starts_with("<!doctype html>") && html.contains("<title>in</title>"));
    bench.run("preview in.svg -o again.html").done();
    assert_eq!(html, std::fs::read_to_string(bench.path("again.html")).unwrap());
}

#[test]
fn travel_and_paper_are_layers_that_no_plotter_draws() {
    let bench = Bench::new();
    bench.file("in.svg", SVG);
    let drawn = bench.run("preview in.svg -o marks.svg --travel --paper cream --json").json();
    let svg = std::fs::read_to_string(bench.path("marks.svg")).unwrap();
    assert!(svg.contains("% travel") && svg.contains("% paper") && svg.contains("mix-blend-mode:multiply"));
    let again = bench.run("plan marks.svg --json").json();
    let (first, second) = (drawn["draw_mm"].as_f64().unwrap(), again["draw_mm"].as_f64().unwrap());
    assert!((first - second).abs() < 0.01 * first, "{first} {second}");
}

#[test]
fn a_glaze_on_black_paper_is_warned_of_and_paint_is_not() {
    let bench = Bench::new();
    bench.file("in.svg", SVG);
    let glaze = bench.run("preview in.svg -p black --paper black -o ink.png --dpi 72");
    assert!(glaze.done().stderr.contains("can't be seen on this paper"), "{}", glaze.stderr);
    let toml = bench.run("pens show black --toml").done().stdout.clone();
    let toml = toml
        .lines()
        .map(|line| if line.starts_with("color") { "color = \"#f0f0e8\"\nopacity = 1.0" } else { line });
    let toml: Vec<&str> = toml.filter(|line| !line.starts_with("opacity") || line.contains("1.0")).collect();
    bench.file("gel.toml", toml.join("\n"));
    let paint = bench.run("preview in.svg -p gel.toml --paper #101010 -o ink.png --dpi 72");
    assert!(!paint.done().stderr.contains("can't be seen"), "{}", paint.stderr);
    let unknown = bench.run("preview in.svg --paper ruby");
    assert!(
        unknown.code == 2 && unknown.stderr.contains("give `white`, `cream`, `black`"),
        "{}",
        unknown.stderr
    );
}

#[test]
fn names_that_mean_harm_reach_neither_the_terminal_nor_the_player() {
    let bench = Bench::new();
    let label = "1 &lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;&#x9b;2J&#x202e;";
    bench.file("in.svg", SVG.replace("<path d=\"M10", &format!(
        "<g xmlns:inkscape=\"http://www.inkscape.org/namespaces/inkscape\" inkscape:groupmode=\"layer\" inkscape:label=\"{label}\"><path stroke=\"#191919\" d=\"M10 30 H60\"/></g><path d=\"M10"
    )));
    for words in [
        "preview in.svg -o play.html --layers label",
        "preview in.svg -o ink.png --dpi 72 --per-pass --heat --layers label",
        "plan in.svg --layers label",
    ] {
        let ran = bench.run(words);
        ran.done();
        let said = format!("{}{}", ran.stdout, ran.stderr);
        assert!(!said.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}'), "{said:?}");
    }
    let html = std::fs::read_to_string(bench.path("play.html")).unwrap();
    assert!(html.contains("u003cimg") && !html.contains("<img"), "the label is there, as text");
    let plan = r##"{"format":1,"kind":"traceur-plan","page_mm":[50,50],"passes":[{"pen":{"id":"\u001b[2J","name":"\u001b]0;x\u0007</script>","color":"#000000","tip_mm":0.5,"opacity":0,"speed_mm_s":null,"slot":null},"strokes":[[[1,1],[9,9]]]}]}"##;
    bench.file("plan.json", plan);
    let ran = bench.run("preview plan.json -o plan.html");
    assert!(!format!("{}{}", ran.done().stdout, ran.stderr).contains('\u{1b}'));
    assert!(!std::fs::read_to_string(bench.path("plan.html")).unwrap().contains('\u{1b}'));
}

#[test]
fn a_player_of_another_ones_program_has_a_pass_for_each_pen() {
    let bench = Bench::new();
    bench.file("in.hpgl", "IN;SP1;PU1000,1000;PD3000,1000;PU;SP2;PU1000,2000;PD3000,2000;PU;SP1;PU1000,3000;PD3000,3000;PU;SP0;");
    let report = bench.run("preview in.hpgl -o play.html --json").json();
    let passes = report["passes"].as_array().unwrap();
    assert_eq!(passes.len(), 3, "in time's order, the first pen again");
    assert_eq!((&passes[0]["pen"], &passes[0]["strokes"]), (&passes[2]["pen"], &1.into()));
    assert!(std::fs::read_to_string(bench.path("play.html")).unwrap().contains("HP 7475A"));
}

#[test]
fn what_does_not_go_together_is_refused() {
    let bench = Bench::new();
    bench.file("in.svg", SVG);
    bench.run("preview in.svg -o play.html --per-pass").refused(&["a player shows each pass already"]);
    bench.run("preview in.svg -o - --heat").refused(&["give -o a file name"]);
    bench.run("preview in.svg -o ink.gif").refused(&["`.png`, `.svg` or `.html`"]);
}

/// A character of a terminal with its two colors, as far as they were set.
type Cell = (char, Option<[u8; 3]>, Option<[u8; 3]>);

/// Lines of cells, from text with escapes that set 24-bit colors or end them.
fn cells(text: &str) -> Vec<Vec<Cell>> {
    let line = |line: &str| {
        let (mut front, mut back) = (None, None);
        let mut cells = Vec::new();
        for (index, part) in line.split('\x1b').enumerate() {
            let mut shown = part;
            if index > 0 {
                let (codes, rest) = part.strip_prefix('[').unwrap().split_once('m').unwrap();
                shown = rest;
                let codes: Vec<u8> = codes.split(';').map(|code| code.parse().unwrap()).collect();
                let mut codes = codes.as_slice();
                loop {
                    codes = match codes {
                        [38, 2, r, g, b, rest @ ..] => {
                            front = Some([*r, *g, *b]);
                            rest
                        }
                        [48, 2, r, g, b, rest @ ..] => {
                            back = Some([*r, *g, *b]);
                            rest
                        }
                        [0, rest @ ..] => {
                            (front, back) = (None, None);
                            rest
                        }
                        [] => break,
                        other => panic!("{other:?}"),
                    };
                }
            }
            cells.extend(shown.chars().map(|shown| (shown, front, back)));
        }
        cells
    };
    text.lines().map(line).collect()
}

/// Greatest ΔE2000 of a cell's colors, and greatest share of cells with other letters or dots, that two machines' rounding
/// may make.
const LIMITS: (f32, f64) = (2.0, 0.01);

/// What differs of two terminals' pictures, if it is beyond the limits: `-` lines of the kept one and `+` lines of the new.
fn difference(kept: &str, new: &str) -> Option<String> {
    let (old_lines, new_lines) = (cells(kept), cells(new));
    let color = |rgb: Option<[u8; 3]>| rgb.map(|rgb| traceur_core::color::Srgb8::from(rgb).into_format());
    let apart = |a, b| match (color(a), color(b)) {
        (Some(a), Some(b)) => traceur_core::color::delta_e(a, b),
        (None, None) => 0.0,
        _ => 100.0,
    };
    let is_shaped_alike = old_lines.iter().map(Vec::len).eq(new_lines.iter().map(Vec::len));
    let mut others = 0;
    let mut worst: f32 = 0.0;
    let mut text = String::new();
    for (index, (a, b)) in old_lines.iter().zip(&new_lines).enumerate() {
        let mut is_other = a.len() != b.len();
        for (a, b) in a.iter().zip(b) {
            let off = apart(a.1, b.1).max(apart(a.2, b.2));
            others += usize::from(a.0 != b.0);
            worst = worst.max(off);
            is_other |= a.0 != b.0 || off > LIMITS.0;
        }
        if is_other {
            let lines = [kept, new].map(|text| text.lines().nth(index).unwrap_or_default());
            text += &format!("{}\n- {}\n+ {}\n", index + 1, lines[0], lines[1]);
        }
    }
    let all: usize = old_lines.iter().map(Vec::len).sum();
    let is_off = !is_shaped_alike || worst > LIMITS.0 || others as f64 > LIMITS.1 * all as f64;
    is_off.then(|| {
        format!(
            "{others} of {all} letters are others, ΔE {worst:.1} at worst, {} and {} lines\n{text}",
            old_lines.len(),
            new_lines.len()
        )
    })
}

/// Compares with what was looked at and kept; `UPDATE_GOLDEN=1` keeps the new one.
#[track_caller]
fn check_golden(name: &str, new: &str) {
    let path = format!("tests/golden/{name}.txt");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, new).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap();
    if let Some(difference) = difference(&kept, new) {
        let seen = format!("target/{name}-difference.txt");
        std::fs::create_dir_all("target").unwrap();
        std::fs::write(&seen, &difference).unwrap();
        panic!("{path}: {}; see {seen}", difference.lines().next().unwrap_or_default());
    }
}

#[test]
fn the_terminal_shows_what_it_showed() {
    let bench = Bench::new();
    bench.file("in.svg", SVG);
    let size =
        [("COLUMNS", "44"), ("LINES", "24"), ("LANG", "en_US.UTF-8"), ("LC_ALL", ""), ("NO_COLOR", "")];
    for (name, words) in [
        ("show-blocks", "preview in.svg -p fineliner-12 --show=blocks"),
        ("show-braille", "preview in.svg -p fineliner-12 --show=braille"),
        ("show-ascii", "preview in.svg -p fineliner-12 --show=ascii"),
        ("pens-in-color", "pens show fineliner-12 --color always"),
        ("pens-without-color", "pens show fineliner-12 --color never"),
    ] {
        let text = bench.start(words, &size, b"").done().stdout.clone();
        assert_eq!(text.contains('\x1b'), ["show-blocks", "pens-in-color"].contains(&name), "{name}");
        check_golden(name, &text);
    }
}

#[test]
fn a_changed_terminal_picture_fails() {
    let kept = std::fs::read_to_string("tests/golden/show-blocks.txt").unwrap();
    assert_eq!(difference(&kept, &kept), None);
    let first = kept.find("38;2;").unwrap() + 5;
    let red = format!("{}255;0;0{}", &kept[..first], &kept[first + kept[first..].find(";48").unwrap()..]);
    let said = difference(&kept, &red).unwrap();
    assert!(said.contains("\n- ") && said.contains("\n+ "), "{said}");
    assert!(difference(&kept, &kept.replace('▀', "▄")).is_some());
    let cut: String = kept.lines().skip(1).map(|line| format!("{line}\n")).collect();
    assert!(difference(&kept, &cut).is_some());
    let dots = std::fs::read_to_string("tests/golden/show-braille.txt").unwrap();
    assert!(difference(&dots, &dots.replace('⠀', "⣿")).is_some());
}
