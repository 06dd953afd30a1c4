//! Swatches plotted on the virtual plotter with hidden inks, photographed badly, and measured.

use kurbo::Shape as _;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::homography::Homography;
use super::*;
use traceur_core::color::{LinSrgb, Srgb, Srgb8, delta_e};
use traceur_core::drawing::{Drawing, Page};
use traceur_core::geometry::{Point, Polyline};
use traceur_core::machine::{BUILT_IN as MACHINES, Placement, Profile};
use traceur_core::pens::{BUILT_IN, Inventory, Pen};
use traceur_core::toolpath::{Options, Pass};
use traceur_sim::ink::Paper;

/// Set to a folder's name, the pictures are kept there to be looked at.
const KEEP: &str = "CHART_PICTURES";

fn set(id: &str) -> Vec<Pen> {
    Inventory::parse(id, BUILT_IN.iter().find(|(known, _)| *known == id).unwrap().1).unwrap().pens
}

/// Pens as they really are: near to what their file says, and not quite.
fn hidden(pens: &[Pen], rng: &mut ChaCha8Rng) -> Vec<Pen> {
    let off = |pen: &Pen| {
        let mut channel =
            |value: u8| (f32::from(value) + rng.random_range(-28.0..28.0)).clamp(8.0, 245.0) as u8;
        let color = Srgb8::new(channel(pen.color.red), channel(pen.color.green), channel(pen.color.blue));
        let tip = pen.tip * rng.random_range(0.82..1.25);
        Pen { color, tip, opacity: rng.random_range(0.0..0.6), ..pen.clone() }
    };
    pens.iter().map(off).collect()
}

/// The swatch's bytes through the virtual plotter, and the ink of the hidden pens on its paper.
fn plotted(drawing: &Drawing, hidden: &[Pen], dpi: f64) -> Paper {
    let profile =
        Profile::parse("x", MACHINES.iter().find(|(id, _)| *id == "grbl-servo").unwrap().1).unwrap();
    let page = drawing.page;
    let placement = Placement::of_page(&profile, page.width, page.height).unwrap();
    let (toolpath, report) = traceur_core::toolpath::plan(drawing, &Options::new(page.rect()));
    assert_eq!(report.clipped_mm, 0.0);
    let mut paper = Paper::white(page.width, page.height, dpi);
    for (index, pass) in toolpath.passes.iter().enumerate() {
        let strokes = marks(index, pass, &profile, &placement);
        let pen = hidden.iter().find(|pen| pen.id == pass.pen.id).unwrap();
        paper.lay(&strokes, pen.tip, &pen.ink());
    }
    paper
}

fn marks(index: usize, pass: &Pass, profile: &Profile, placement: &Placement) -> Vec<Polyline> {
    let program = traceur_protocol::encode(index, pass, profile, placement);
    let trace = traceur_sim::run_program(program.to_text().as_bytes(), profile).unwrap();
    let on_page = |stroke: Polyline| stroke.map(|point| placement.to_page(point));
    trace.strokes().into_iter().map(on_page).collect()
}

/// How badly a picture is taken.
#[derive(Debug, Clone, Copy)]
struct Camera {
    /// Turn of the sheet; rad.
    turn: f64,
    /// How far each corner may be from where it belongs, as a share of the sheet.
    perspective: f64,
    /// Darkening towards one side and the corners.
    uneven: f64,
    /// Standard deviation of noise, of 255.
    noise: f64,
    jpeg: u8,
    mirrored: bool,
}

const SCANNER: Camera =
    Camera { turn: 0.01, perspective: 0.0, uneven: 0.02, noise: 1.0, jpeg: 92, mirrored: false };
const PHONE: Camera =
    Camera { turn: 0.0, perspective: 0.05, uneven: 0.25, noise: 3.0, jpeg: 88, mirrored: false };

/// A photo of the sheet on a dark table, as large as the sheet and some more.
fn photo(paper: &Paper, camera: Camera, rng: &mut ChaCha8Rng) -> image::RgbImage {
    let (w, h) = (paper.width_px as f64, paper.height_px as f64);
    let size = w.hypot(h) * 1.02;
    let upright = camera.turn.sin().abs() < 0.1;
    let (width, height) = if upright { (w * 1.12, h * 1.1) } else { (size, size) };
    let mut corner = |x: f64, y: f64| {
        let x = if camera.mirrored { -x } else { x };
        let (sin, cos) = camera.turn.sin_cos();
        let mut wobble = || 1.0 - camera.perspective * rng.random_range(0.0..1.0_f64);
        let (x, y) = (x * w / 2.0 * wobble(), y * h / 2.0 * wobble());
        Point::new(width / 2.0 + cos * x - sin * y, height / 2.0 + sin * x + cos * y)
    };
    let seen = [corner(-1.0, -1.0), corner(1.0, -1.0), corner(1.0, 1.0), corner(-1.0, 1.0)];
    let sheet = [(0.0, 0.0), (w, 0.0), (w, h), (0.0, h)].map(Point::from);
    let back = Homography::of(&seen, &sheet).unwrap();
    let cast = [1.0, 0.97, 0.9];
    let at = |x: f64, y: f64| -> [f64; 3] {
        let p = back.apply(Point::new(x, y));
        if p.x < 0.0 || p.y < 0.0 || p.x >= w || p.y >= h {
            return [0.09, 0.06, 0.05];
        }
        paper.light[p.y as usize * paper.width_px + p.x as usize].map(f64::from)
    };
    let mut picture = image::RgbImage::new(width as u32, height as u32);
    for (x, y, pixel) in picture.enumerate_pixels_mut() {
        // A lens a little out of focus: looks around the pixel, the middle ones heavier.
        let mut light = [0.0; 3];
        let mut weights = 0.0;
        for down in -1..=1 {
            for across in -1..=1 {
                let off = (f64::from(across) * 0.8, f64::from(down) * 0.8);
                let weight = (-(off.0 * off.0 + off.1 * off.1) / (2.0 * 0.6 * 0.6)).exp();
                let seen = at(f64::from(x) + 0.5 + off.0, f64::from(y) + 0.5 + off.1);
                light.iter_mut().zip(seen).for_each(|(sum, seen)| *sum += weight * seen);
                weights += weight;
            }
        }
        let (u, v) = (f64::from(x) / width, f64::from(y) / height);
        let corners = (u - 0.5).powi(2) + (v - 0.5).powi(2);
        let lamp = 0.92 * (1.0 - camera.uneven * (0.6 * u + 0.4 * v * v + 0.8 * corners));
        let light: Vec<f32> =
            (0..3).map(|channel| (light[channel] / weights * lamp * cast[channel]) as f32).collect();
        let srgb: Srgb<f32> = Srgb::from_linear(LinSrgb::new(light[0], light[1], light[2]));
        let noisy = |value: f32, rng: &mut ChaCha8Rng| {
            let noise: f64 = (0..6).map(|_| rng.random_range(-1.0..1.0)).sum::<f64>() / 2.0_f64.sqrt();
            (f64::from(value) * 255.0 + camera.noise * noise).round().clamp(0.0, 255.0) as u8
        };
        *pixel = image::Rgb([noisy(srgb.red, rng), noisy(srgb.green, rng), noisy(srgb.blue, rng)]);
    }
    let mut bytes = Vec::new();
    image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, camera.jpeg)
        .encode_image(&picture)
        .unwrap();
    image::load_from_memory(&bytes).unwrap().to_rgb8()
}

fn scan_of(picture: image::RgbImage) -> Scan {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    Scan::new(width, height, picture.into_raw()).unwrap()
}

fn a5() -> Page {
    Page::parse("a5").unwrap()
}

/// Plots a swatch of `nominal` with hidden inks, photographs and measures it, and looks how far the readings are off.
#[track_caller]
fn check(name: &str, nominal: Vec<Pen>, camera: Camera, seed: u64) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let swatch = Swatch::new(a5(), nominal, "Hidden inks").unwrap();
    let real = hidden(&swatch.pens, &mut rng);
    let paper = plotted(&swatch.drawing(), &real, 300.0);
    let picture = photo(&paper, camera, &mut rng);
    if let Ok(folder) = std::env::var(KEEP) {
        let sheet = image::RgbImage::from_raw(paper.width_px as u32, paper.height_px as u32, paper.to_rgb8());
        sheet.unwrap().save(format!("{folder}/{name}-ink.png")).unwrap();
        picture.save(format!("{folder}/{name}-photo.png")).unwrap();
    }
    let readings = measure(&swatch, &swatch.pens, &scan_of(picture))
        .unwrap_or_else(|error| panic!("{name} {seed}: {error}"));
    let mut wrong = Vec::new();
    for (real, reading) in real.iter().zip(&readings) {
        let color = delta_e(real.color.into_format(), reading.pen.color.into_format());
        let (tip, opacity) = (reading.pen.tip - real.tip, reading.pen.opacity - real.opacity);
        let line = format!(
            "{:8} ΔE {color:4.2} tip {tip:+.3} of {:.2} opacity {opacity:+.2} gap {:.1} > {:.1}{}",
            real.id,
            real.tip,
            reading.before,
            reading.after,
            if reading.opacity_unknown { " (unknown)" } else { "" }
        );
        if std::env::var(KEEP).is_ok() {
            eprintln!("{name} {seed}: {line}");
        }
        let over = overprint_error(real, &reading.pen, &swatch.pens);
        if color > 3.0 || tip.abs() > 0.05 || over > 3.0 {
            wrong.push(format!("{line} over others {over:.1}"));
        }
    }
    assert!(wrong.is_empty(), "{name} {seed}:\n{}", wrong.join("\n"));
}

/// Greatest ΔE2000 between the real and the measured ink over itself and over any pen that draws before it.
fn overprint_error(real: &Pen, read: &Pen, others: &[Pen]) -> f32 {
    let over = |pen: &Pen, below: &Pen| -> Srgb<f32> {
        let (ink, white) = (pen.ink(), [1.0; 3]);
        let below = below.ink().lay(white, below.ink().passage(1.0));
        Srgb::from_linear(LinSrgb::from(ink.lay(below, ink.passage(1.0))))
    };
    let own = others.iter().find(|pen| pen.id == real.id).unwrap().lightness();
    let below = others.iter().filter(|pen| pen.lightness() >= own);
    below.map(|below| delta_e(over(real, below), over(read, below))).fold(0.0, f32::max)
}

#[test]
fn a_scan_of_twelve_pens_gives_their_inks_back() {
    check("scan", set("fineliner-12"), SCANNER, 1);
}

#[test]
fn photos_of_few_pens_give_their_inks_back() {
    for (seed, turn) in [(0, 0.3), (1, -2.0), (2, 1.571)] {
        check(&format!("photo-{seed}"), set("cmyk"), Camera { turn, ..PHONE }, seed);
    }
}

#[test]
fn a_mirrored_photo_of_one_wide_pen_gives_its_ink_back() {
    let mut pens = set("black");
    pens[0].tip = 1.6;
    check("mirrored", pens, Camera { mirrored: true, turn: 3.0, ..PHONE }, 5);
}

/// A clean picture of a swatch as its own pens draw it.
fn picture(pens: Vec<Pen>) -> (Swatch, image::RgbImage) {
    let swatch = Swatch::new(a5(), pens, "Clean").unwrap();
    let paper = plotted(&swatch.drawing(), &swatch.pens, 150.0);
    let picture = image::RgbImage::from_raw(paper.width_px as u32, paper.height_px as u32, paper.to_rgb8());
    (swatch, picture.unwrap())
}

#[test]
fn a_swatch_is_read_with_the_pens_that_were_measured_from_it() {
    let (swatch, picture) = picture(set("cmyk"));
    let scan = scan_of(picture);
    for factor in [0.75, 1.3] {
        let pens = swatch.pens.iter().map(|pen| Pen { tip: pen.tip * factor, ..pen.clone() }).collect();
        let again = Swatch::new(a5(), pens, "").unwrap();
        for (reading, pen) in measure(&again, &again.pens, &scan).unwrap().iter().zip(&swatch.pens) {
            assert!((reading.pen.tip - pen.tip).abs() < 0.02, "{factor}: {:?}", reading.pen);
        }
    }
}

#[test]
fn what_is_not_this_swatch_is_refused() {
    let refused = |swatch: &Swatch, scan: &Scan, expected: &str| {
        let error = measure(swatch, &swatch.pens, scan).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    let (swatch, picture) = picture(set("cmyk"));
    let scan = scan_of(picture.clone());
    let other = Swatch::new(a5(), set("fineliner-12"), "").unwrap();
    refused(&other, &scan, "not what these pens draw");
    let other = Swatch::new(Page::parse("a4").unwrap(), set("cmyk"), "").unwrap();
    assert!(measure(&other, &other.pens, &scan).is_err());
    for level in [250, 0] {
        let plain = image::RgbImage::from_pixel(900, 1200, image::Rgb([level; 3]));
        refused(&swatch, &scan_of(plain), "0 of the 4 corner marks");
    }
    let half = image::imageops::crop_imm(&picture, 0, 0, picture.width(), picture.height() / 2).to_image();
    refused(&swatch, &scan_of(half), "2 of the 4 corner marks");
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let noise =
        image::RgbImage::from_fn(1500, 1500, |_, _| image::Rgb(std::array::from_fn(|_| rng.random())));
    assert!(measure(&swatch, &swatch.pens, &scan_of(noise)).is_err());
    assert!(Scan::new(50, 50, vec![0; 7500]).is_err() && Scan::new(200, 200, vec![0; 7]).is_err());
}

#[test]
fn swatches_that_can_not_be_are_refused_with_what_helps() {
    let refused = |page: &str, pens: Vec<Pen>, expected: &str| {
        let error = Swatch::new(Page::parse(page).unwrap(), pens, "").unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    refused("a5", Vec::new(), "no pen");
    refused("a6", set("fineliner-12"), "give a larger --page");
    let mut wide = set("black");
    wide[0].tip = 40.0;
    refused("a5", wide, "too wide for the patches");
}

#[test]
fn a_swatch_stays_on_its_sheet_and_off_its_margin() {
    let swatches =
        [("a5", "fineliner-12"), ("a4", "cmyk"), ("a5 landscape", "black"), ("letter", "fineliner-12")];
    for (page, id) in swatches {
        let page = Page::parse(page).unwrap();
        let title = "A title that is far too long to stand on any sheet of paper";
        let strokes = Swatch::new(page, set(id), title).unwrap().drawing().layers;
        let boxes = strokes.iter().flat_map(|layer| &layer.strokes).map(|stroke| stroke.path.bounding_box());
        let bounds = boxes.reduce(|a, b| a.union(b)).unwrap();
        let inner = page.rect().inset(-6.5);
        assert!(
            inner.contains(bounds.origin()) && inner.x1 > bounds.x1 && inner.y1 > bounds.y1,
            "{bounds:?}"
        );
    }
}
