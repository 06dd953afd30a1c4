//! The pictures of a small drawing against those that were looked at and kept. `UPDATE_GOLDEN=1` keeps the new ones.

use std::fs;
use std::path::Path;

use image::{Rgb, RgbImage};

use super::playback::tests::pen;
use super::*;
use traceur_core::color::{Srgb8, delta_e};
use traceur_core::drawing::Page;
use traceur_core::geometry::{Point, Polyline};
use traceur_core::pens::Pen;
use traceur_sim::ink::Paper;

/// Most that a picture may differ from the kept one: on the mean, and in its worst pixel; ΔE2000.
const LIMITS: [f64; 2] = [0.05, 2.0];
const PAGE: Page = Page { width: 60.0, height: 40.0 };
const DPI: f64 = 100.0;

/// Two glazes that cross themselves and one another, a dot, and paint over both.
fn marks() -> Vec<(Pen, Vec<Polyline>)> {
    let line = |points: &[(f64, f64)]| Polyline::new(points.iter().map(|p| Point::from(*p)).collect());
    let wave: Vec<(f64, f64)> =
        (0..=90).map(f64::from).map(|i| (5.0 + i / 90.0 * 50.0, 20.0 + 12.0 * (i / 9.0).sin())).collect();
    let red = vec![line(&wave), line(&[(5.0, 8.0), (55.0, 32.0)]), line(&[(50.0, 6.0), (50.0, 6.0)])];
    let rows = (0..8).map(|i| 10.0 + f64::from(i) * 0.4).map(|y| line(&[(12.0, y), (40.0, y + 14.0)]));
    let paint = Pen { opacity: 1.0, tip: 1.5, ..pen("white", Srgb8::new(250, 250, 245)) };
    vec![
        (Pen { tip: 0.8, ..pen("red", Srgb8::new(205, 45, 60)) }, red),
        (pen("blue", Srgb8::new(35, 85, 165)), rows.collect()),
        (paint, vec![line(&[(28.0, 3.0), (24.0, 37.0)])]),
    ]
}

fn inked(paper: Srgb8) -> RgbImage {
    let mut paper = Paper::of_color(paper, PAGE.width, PAGE.height, DPI);
    for (pen, strokes) in marks() {
        paper.lay(&strokes, pen.tip, &pen.ink());
    }
    to_image(&of_paper(paper))
}

fn heated() -> RgbImage {
    let mut heat = Heat::new(&PAGE, DPI);
    marks().iter().for_each(|(pen, strokes)| heat.add(strokes, pen.tip));
    image::load_from_memory(&heat.to_png().unwrap()).unwrap().into_rgb8()
}

/// How two pictures differ.
#[derive(Debug)]
struct Difference {
    mean: f64,
    worst: f64,
    /// The kept one, the new one, and where they differ, side by side.
    picture: RgbImage,
}

/// The difference of two pictures, if it is beyond the limits.
fn difference(kept: &RgbImage, new: &RgbImage) -> Option<Difference> {
    let (width, height) = (kept.width().max(new.width()), kept.height().max(new.height()));
    let mut picture = RgbImage::from_pixel(3 * width, height, Rgb([128, 128, 128]));
    let (mut sum, mut worst) = (0.0, if kept.dimensions() == new.dimensions() { 0.0 } else { 100.0_f64 });
    let color = |pixel: &Rgb<u8>| Srgb8::from(pixel.0).into_format();
    for (x, y) in (0..height).flat_map(|y| (0..width).map(move |x| (x, y))) {
        let pair = (kept.get_pixel_checked(x, y), new.get_pixel_checked(x, y));
        pair.0.into_iter().for_each(|pixel| picture.put_pixel(x, y, *pixel));
        pair.1.into_iter().for_each(|pixel| picture.put_pixel(width + x, y, *pixel));
        let (Some(kept), Some(new)) = pair else { continue };
        let apart = f64::from(delta_e(color(kept), color(new)));
        sum += apart;
        worst = worst.max(apart);
        let shade = (255.0 - 25.0 * apart).max(0.0) as u8;
        picture.put_pixel(2 * width + x, y, Rgb([255, shade, shade]));
    }
    let mean = sum / f64::from(width * height);
    (mean > LIMITS[0] || worst > LIMITS[1]).then_some(Difference { mean, worst, picture })
}

#[track_caller]
fn check(name: &str, new: &RgbImage) {
    let path = format!("tests/golden/{name}.png");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        new.save(&path).unwrap();
    }
    let kept = image::open(&path).unwrap().into_rgb8();
    if let Some(Difference { mean, worst, picture }) = difference(&kept, new) {
        let seen = Path::new("target").join(format!("{name}-difference.png"));
        fs::create_dir_all("target").unwrap();
        picture.save(&seen).unwrap();
        panic!("{path}: ΔE {mean:.2} on the mean, {worst:.1} at worst: look at {}", seen.display());
    }
}

#[test]
fn ink_looks_as_it_did() {
    check("preview-ink-white", &inked(Srgb8::new(255, 255, 255)));
    check("preview-ink-black", &inked(Srgb8::new(22, 22, 23)));
}

#[test]
fn the_heat_map_looks_as_it_did() {
    check("preview-heat", &heated());
}

#[test]
fn a_changed_golden_picture_fails() {
    let kept = inked(Srgb8::new(255, 255, 255));
    assert!(difference(&kept, &kept).is_none());
    let mut spot = kept.clone();
    spot.put_pixel(100, 80, Rgb([255, 0, 0]));
    let found = difference(&kept, &spot).unwrap();
    assert!(found.worst > 10.0 && found.picture.get_pixel(2 * kept.width() + 100, 80).0[1] < 100);
    let mut tinted = kept.clone();
    tinted.pixels_mut().for_each(|pixel| pixel.0[2] = pixel.0[2].saturating_sub(3));
    assert!(difference(&kept, &tinted).is_some(), "a tint is seen although no pixel is far off");
    assert!(difference(&kept, &heated()).is_some());
    let cut = image::imageops::crop_imm(&kept, 0, 0, 100, 80).to_image();
    assert!(difference(&kept, &cut).is_some());
}
