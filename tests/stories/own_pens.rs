//! Pens are managed in TOML: shown, added, changed, imported, found, charted and measured.

use std::process::{Child, Command, Stdio};

use crate::support::{Bench, SVG};

/// A file that somebody wrote by hand.
const MINE: &str = include_str!("../../src/core/tests/fixtures/mine.toml");

fn comments(text: &str) -> Vec<String> {
    let mut comments: Vec<String> = text
        .lines()
        .filter_map(|line| line.split_once("# "))
        .map(|(_, comment)| comment.to_owned())
        .collect();
    comments.sort();
    comments
}

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
    let plain = bench.run("pens list").done().stdout.clone();
    assert!(!plain.contains('\u{1b}'), "no colors in a pipe");
    let colored = bench.run("pens list --color always").done().stdout.clone();
    assert!(colored.contains("\u{1b}[48;2;0;160;216m"), "a chip of cyan");
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

#[test]
fn edits_of_a_commented_file_keep_every_comment() {
    let bench = Bench::new();
    bench.file("pens.toml", MINE);
    bench
        .run("pens add --file pens.toml --id gold --name Gold --color #b8932f --tip 0.8mm --opacity 90%")
        .done();
    bench.run("pens set red --file pens.toml --tip 0.45mm --speed 30mm/s").done();
    let shown = bench.run("pens show pens.toml --json").json();
    assert_eq!(shown["pens"][0]["tip_mm"], 0.45);
    assert_eq!(shown["pens"][2]["opacity"], 0.9);
    let left = bench.run("pens remove blue --file pens.toml --json").json();
    assert_eq!(left["pens"].as_array().unwrap().len(), 2);
    let text = bench.read("pens.toml");
    assert_eq!(comments(&text), comments(MINE), "{text}");
    assert!(text.contains("tip = \"0.45mm\" # half a millimeter"));
    bench.run("pens remove gold,red --file pens.toml").refused(&["pens.toml", "leave no pen"]);
    bench.run("pens set gold --file pens.toml --tip 99mm").refused(&["pens.toml", "between 0.01 and 50 mm"]);
    assert_eq!(bench.read("pens.toml"), text, "a refused edit changes nothing");
    assert_eq!(bench.files(), ["pens.toml"], "no lock and no half-written file is left");
}

#[test]
fn processes_that_edit_at_once_lose_nothing() {
    let bench = Bench::new();
    bench.file("pens.toml", MINE);
    let start = |number: usize| -> Child {
        let id = format!("pen{number}");
        Command::new(env!("CARGO_BIN_EXE_traceur"))
            .args([
                "pens",
                "add",
                "--file",
                "pens.toml",
                "--id",
                &id,
                "--color",
                "#123456",
                "--tip",
                "1mm",
                "-q",
            ])
            .current_dir(bench.path("."))
            .stdin(Stdio::null())
            .spawn()
            .unwrap()
    };
    for round in 0..3 {
        let mut children: Vec<Child> = (0..8).map(|number| start(8 * round + number)).collect();
        assert!(children.iter_mut().all(|child| child.wait().unwrap().success()));
    }
    let shown = bench.run("pens show pens.toml --json").json();
    assert_eq!(shown["pens"].as_array().unwrap().len(), 2 + 24);
    assert_eq!(comments(&bench.read("pens.toml")), comments(MINE));
    assert_eq!(bench.files(), ["pens.toml"]);
}

#[test]
fn own_sets_are_found_by_name_and_pens_across_sets() {
    let bench = Bench::new();
    let home = bench.path("config").display().to_string();
    let run = |words: &str| bench.start(words, &[("XDG_CONFIG_HOME", home.as_str())], b"");
    run("pens add --id red --color #c8232b --tip 0.4mm").done();
    run("pens add --file stabilo --id 44 --name Yellow --color #f8dc10 --tip 0.4mm").done();
    assert_eq!(bench.files(), ["config/traceur/pens/mine.toml", "config/traceur/pens/stabilo.toml"]);
    let sets = run("pens list --json").json();
    assert_eq!((&sets["sets"][0]["id"], &sets["sets"][1]["id"]), (&"mine".into(), &"stabilo".into()));
    let pens = run("pens show black,red,stabilo:44 --json").json();
    let tips: Vec<f64> =
        pens["pens"].as_array().unwrap().iter().map(|pen| pen["tip_mm"].as_f64().unwrap()).collect();
    assert_eq!(tips, [0.5, 0.4, 0.4], "the red is the own one");
    let nearest = run("pens find #c8232b --json").json();
    assert_eq!((&nearest["pens"][0]["set"], &nearest["pens"][0]["delta_e"]), (&"mine".into(), &0.0.into()));
    run("pens add --file cmyk --id x --color #000 --tip 1mm").refused(&["`cmyk` is built in"]);

    bench.file("in.svg", SVG);
    let passes = |words: &str| -> Vec<String> {
        let plan = run(words).json();
        plan["passes"].as_array().unwrap().iter().map(|pass| pass["pen"].as_str().unwrap().into()).collect()
    };
    assert_eq!(passes("plan in.svg -p cmyk:black,mine:red --json"), ["red", "black"], "light ones first");
    assert_eq!(
        passes("plan in.svg -p cmyk:black,mine:red --pass-order given --json"),
        ["black", "red"],
        "as they were named"
    );
}

#[test]
fn other_programs_pens_are_imported_once() {
    let bench = Bench::new();
    bench.file(
        "vpype.toml",
        "[pen_config.mine]\nlayers = [{ layer_id = 1, name = \"black\", color = \"black\", pen_width = \"0.15mm\" }, { layer_id = 2, name = \"Black\", color = \"#111\" }]\n",
    );
    bench.run("pens import vpype.toml --file pens.toml").done();
    let pens = bench.run("pens show pens.toml --json").json();
    assert_eq!((&pens["pens"][0]["id"], &pens["pens"][1]["id"]), (&"black".into(), &"black-2".into()));
    assert_eq!(bench.run("pens import vpype.toml --file pens.toml --json").json()["imported"][0]["known"], 2);
    let list = b"#1d4f9e ink blue\n#c8232b red\n";
    bench.start("pens import - --tip 0.3mm --file pens.toml", &[], list).done();
    assert_eq!(bench.run("pens show pens.toml:ink-blue --json").json()["pens"][0]["tip_mm"], 0.3);
    let near = bench.run("pens check pens.toml").done().stdout.clone();
    assert!(near.contains("`black` and `black-2` look alike"), "{near}");
}

#[test]
fn a_chart_that_is_plotted_and_scanned_tells_the_real_inks() {
    let bench = Bench::new();
    let red = "[[pen]]\nid = \"red\"\nname = \"Red\"\n# by eye\ncolor = \"#cc2233\"\ntip = \"0.5mm\"\n";
    let blue = "[[pen]]\nid = \"blue\"\nname = \"Blue\"\ncolor = \"#2233aa\"\ntip = \"0.4mm\"\n";
    bench.file("mine.toml", format!("format = 1\nid = \"mine\"\nname = \"Mine\"\n{red}{blue}"));
    bench.file(
        "real.toml",
        bench
            .read("mine.toml")
            .replace("#cc2233\"", "#d84040\"\nopacity = 0.4")
            .replace("0.5mm", "0.43mm")
            .replace("#2233aa", "#203f98")
            .replace("0.4mm", "0.46mm"),
    );
    let chart = bench.run("pens swatch -p mine.toml --page 120x170mm -o swatch.svg --json").json();
    assert!(chart["draw_mm"].as_f64().unwrap() > 1000.0);
    // The virtual plotter holds other pens than the file says.
    bench.run("preview swatch.svg -p real.toml --dpi 300 -o scan.png").done();
    let told = bench.run("pens measure scan.png -p mine.toml --chart swatch.svg").done().stdout.clone();
    assert!(told.contains("tip = \"0.4") && told.contains("# was 0.5 mm"), "{told}");
    bench.run("pens measure scan.png -p mine.toml --page 120x170mm --write").done();
    let text = bench.read("mine.toml");
    assert!(text.contains("# by eye"), "{text}");
    let again = bench.run("pens measure scan.png -p mine.toml --page 120x170mm --json").json();
    let real = bench.run("pens show real.toml --json").json();
    for index in 0..2 {
        let (pen, real) = (&again["pens"][index], &real["pens"][index]);
        assert!(pen["delta_e"]["after"].as_f64().unwrap() < 1.0, "{pen}");
        let off = |key: &str| (pen["known"][key].as_f64().unwrap() - real[key].as_f64().unwrap()).abs();
        assert!(off("tip_mm") < 0.02 && off("opacity") < 0.05, "{pen} {real}");
    }
    bench.run("pens measure scan.png -p cmyk --write").refused(&["built in"]);
}

/// A PNG that says that it is this large, and has no pixel.
fn png_of(width: u32, height: u32) -> Vec<u8> {
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut chunk = |kind: &[u8], data: &[u8]| {
        let mut crc = flate2::Crc::new();
        crc.update(kind);
        crc.update(data);
        png.extend(u32::try_from(data.len()).unwrap().to_be_bytes());
        png.extend(kind);
        png.extend(data);
        png.extend(crc.sum().to_be_bytes());
    };
    let mut header = [width.to_be_bytes(), height.to_be_bytes()].concat();
    header.extend([8, 2, 0, 0, 0]);
    chunk(b"IHDR", &header);
    chunk(b"IDAT", &[]);
    chunk(b"IEND", &[]);
    png
}

#[test]
fn hostile_pens_and_scans_are_refused_in_a_line() {
    let bench = Bench::new();
    bench.file("huge.png", png_of(30_000, 30_000));
    bench.run("pens measure huge.png -p cmyk").refused(&["huge.png", "30000 x 30000", "too many"]);
    bench.file("cut.png", png_of(300, 300));
    bench.run("pens measure cut.png -p cmyk").refused(&["cut.png"]);
    bench.file("text.png", "hello");
    bench.run("pens measure text.png -p cmyk").refused(&["text.png", "PNG or a JPEG"]);
    let mut white = std::io::Cursor::new(Vec::new());
    image::RgbImage::from_pixel(800, 1100, image::Rgb([240; 3]))
        .write_to(&mut white, image::ImageFormat::Png)
        .unwrap();
    bench.file("white.png", white.into_inner());
    bench.run("pens measure white.png -p cmyk").refused(&["0 of the 4 corner marks"]);
    bench.run("pens measure white.png -p cmyk --chart huge.png").refused(&["huge.png", "not a chart"]);

    bench.file("long.toml", format!("{MINE}{}", "# more\n".repeat(1_500_000)));
    for words in [
        "pens check long.toml",
        "pens show long.toml",
        "pens import long.toml",
        "pens remove red --file long.toml",
    ] {
        bench.run(words).refused(&["long.toml", "10.5 MB is too long"]);
    }
    bench.run("pens swatch -p fineliner-12 --page A6 -o x.svg").refused(&["give a larger --page"]);
}

#[test]
fn names_from_a_file_do_not_steer_the_terminal() {
    let bench = Bench::new();
    bench.file("evil.toml", MINE.replace("\"Red\"", "\"R\\u001b[31med\\u009b\\u202e\""));
    bench.file("list.json", r#"[{"name":"\u001b]0;x\u0007","argb":-1}]"#);
    for words in [
        "pens show evil.toml",
        "pens check evil.toml",
        "pens find #cc2233 -p evil.toml",
        "pens set red --tip 1mm --file evil.toml",
        "pens import list.json --file other.toml",
        "pens show evil.toml:\u{1b}[31mred",
        "pens remove \u{1b}[31mred --file evil.toml",
    ] {
        let ran = bench.run(words);
        let steers = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(
            !ran.stdout.contains(steers) && !ran.stderr.contains(steers),
            "{words}: {}{}",
            ran.stdout,
            ran.stderr
        );
    }
}
