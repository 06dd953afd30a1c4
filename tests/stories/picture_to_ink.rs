//! A picture becomes a drawing whose ink is seen as the picture.

use crate::support::Bench;

/// Wide, pale and colored lines, one of them off the page, as a network's optimiser leaves them.
const SCREEN: &str = r##"<svg xmlns="http://www.w3.org/2000/svg" width="160" height="120">
<path d="M-40 30 C40 10 100 60 200 30" fill="none" stroke="#22a0e0" stroke-width="14" stroke-opacity="0.8" stroke-linecap="round"/>
<path d="M20 100 C50 40 90 110 140 60" fill="none" stroke="#200808" stroke-width="3"/>
<path d="M30 60 C60 90 90 90 120 100" fill="none" stroke="#d02020" stroke-width="10" stroke-opacity="0.4"/>
</svg>
"##;

#[test]
fn a_screen_drawing_is_seen_again_in_ink_and_stays_on_the_page() {
    let bench = Bench::new();
    bench.file("screen.svg", SCREEN);
    let words = "generate --from screen.svg --pens fineliner-12 --max-pens 3 --page 60x45mm --steps 40 -o pens.svg --json";
    let made = bench.run(words).json();
    assert!(made["pens"].as_array().unwrap().len() <= 3);
    let own = made["gap"]["delta_e_seen"].as_f64().unwrap();
    let seen = bench.run("preview pens.svg --wanted screen.svg -o ink.png --json").json();
    assert_eq!(seen["gap"]["off_page"], 0.0, "{seen}");
    let inked = seen["gap"]["delta_e_seen"].as_f64().unwrap();
    let naive = bench
        .run("preview screen.svg -p fineliner-12 --fat-strokes single --opacity color -o naive.png --json")
        .json();
    let naive = naive["gap"]["delta_e_seen"].as_f64().unwrap();
    assert!(
        inked < 0.5 * naive && inked < own + 1.5,
        "{own} on the canvas, {inked} in ink, {naive} by single lines"
    );
}

#[test]
fn a_photo_keeps_its_budget_and_threads_do_not_change_a_byte() {
    let bench = Bench::new();
    let photo = image::RgbImage::from_fn(40, 30, |x, y| image::Rgb([(6 * x) as u8, (8 * y) as u8, 90]));
    photo.save(bench.path("photo.png")).unwrap();
    let mut bytes = Vec::new();
    for threads in ["1", "2"] {
        let words = "generate --image photo.png --pens cmyk --page 60x45mm --metres 1.2 --steps 40 -o pens.svg --json";
        let made = bench.start(words, &[("RAYON_NUM_THREADS", threads)], b"").json();
        let metres = made["metres"].as_f64().unwrap();
        assert!((1.14..=1.2).contains(&metres), "{metres}");
        bytes.push(std::fs::read(bench.path("pens.svg")).unwrap());
    }
    assert!(bytes[0] == bytes[1]);
}

#[test]
fn pictures_that_are_none_are_explained() {
    let bench = Bench::new();
    bench.file("photo.jpg", b"\xff\xd8\xff\xe0 but no more");
    bench
        .run("generate --image photo.jpg -o out.svg")
        .refused(&["photo.jpg", "give a PNG, a JPEG or an SVG"]);
    bench.file("screen.svg", SCREEN);
    bench.run("generate --image screen.svg --metres 0 -o out.svg").refused(&["--metres 0"]);
}
