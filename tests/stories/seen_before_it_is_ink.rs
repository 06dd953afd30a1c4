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
