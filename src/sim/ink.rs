//! Ink on simulated paper: what the pen's marks look like, with tip width and overprint.

use rayon::prelude::*;

use traceur_core::color::{Ink, Srgb8, linear, to_srgb8};
use traceur_core::drawing::Page;
use traceur_core::geometry::{Point, Polyline};

/// Rows of pixels that one task inks. Fixed, so that the picture does not depend on the number of threads.
const BAND_ROWS: usize = 64;

/// A sheet with ink on it, as linear light.
#[derive(Debug, Clone, PartialEq)]
pub struct Paper {
    /// Pixels a row.
    pub width_px: usize,
    /// Rows.
    pub height_px: usize,
    /// Pixels an inch.
    pub dpi: f64,
    /// Light of each pixel, row by row from the top left; linear sRGB, 0 to 1.
    pub light: Vec<[f32; 3]>,
}

impl Paper {
    /// A white sheet of `width` x `height` mm.
    #[must_use]
    pub fn white(width: f64, height: f64, dpi: f64) -> Self {
        Self::of_color(Srgb8::new(255, 255, 255), width, height, dpi)
    }

    /// A sheet of `width` x `height` mm in a color.
    #[must_use]
    pub fn of_color(color: Srgb8, width: f64, height: f64, dpi: f64) -> Self {
        let (width_px, height_px) = Page { width, height }.size_px(dpi);
        Self { width_px, height_px, dpi, light: vec![linear(color); width_px * height_px] }
    }

    /// Inks the marks of one pass: `strokes` in page space (mm), drawn with a round tip of `tip` mm.
    ///
    /// A stroke covers a pixel once, however often it passes there; strokes overprint one another.
    pub fn lay(&mut self, strokes: &[Polyline], tip: f64, ink: &Ink) {
        let px_per_mm = self.dpi / 25.4;
        let nib = Nib::new(tip * px_per_mm);
        let marks: Vec<Mark> = strokes.iter().map(|stroke| Mark::new(stroke, px_per_mm, &nib)).collect();
        let width_px = self.width_px;
        self.light.par_chunks_mut(width_px * BAND_ROWS).enumerate().for_each(|(band, light)| {
            let mut rows = Band::new(band * BAND_ROWS, width_px, light.len());
            for mark in &marks {
                if rows.meets(mark) {
                    rows.cover(mark, &nib);
                    rows.overprint(ink);
                }
            }
            for (light, passage) in light.iter_mut().zip(&rows.passage) {
                *light = ink.lay(*light, *passage);
            }
        });
    }

    /// The sheet as eight-bit sRGB, row by row, three bytes a pixel.
    #[must_use]
    pub fn to_rgb8(&self) -> Vec<u8> {
        self.light.par_iter().flat_map_iter(|light| <[u8; 3]>::from(to_srgb8(*light))).collect()
    }
}

/// A round tip; px.
struct Nib {
    radius: f64,
    /// A tip finer than a pixel covers only this share of it.
    share: f64,
}

impl Nib {
    fn new(width_px: f64) -> Self {
        Self { radius: width_px.max(1.0) / 2.0, share: width_px.min(1.0) }
    }

    /// How far from the line's middle a pixel is still touched; px.
    fn reach(&self) -> f64 {
        self.radius + 0.5
    }

    /// Share of a pixel that is covered when its middle lies `distance` px from the line's middle.
    fn coverage(&self, distance: f64) -> f64 {
        (self.reach() - distance).clamp(0.0, 1.0) * self.share
    }
}

/// A stroke in pixels.
struct Mark {
    points: Vec<Point>,
    top: f64,
    bottom: f64,
}

impl Mark {
    fn new(stroke: &Polyline, px_per_mm: f64, nib: &Nib) -> Self {
        let points: Vec<Point> =
            stroke.points().iter().map(|p| Point::new(p.x * px_per_mm, p.y * px_per_mm)).collect();
        let bounds = stroke.bounds();
        let (top, bottom) = (bounds.y0 * px_per_mm - nib.reach(), bounds.y1 * px_per_mm + nib.reach());
        Self { points, top, bottom }
    }
}

/// Some rows of the sheet while a pass is laid on them.
struct Band {
    first_row: usize,
    width_px: usize,
    rows: usize,
    passage: Vec<[f32; 3]>,
    /// Coverage by the stroke at hand; 0 outside `touched`.
    coverage: Vec<f32>,
    touched: Vec<usize>,
}

impl Band {
    fn new(first_row: usize, width_px: usize, pixels: usize) -> Self {
        Self {
            first_row,
            width_px,
            rows: pixels / width_px,
            passage: vec![[1.0; 3]; pixels],
            coverage: vec![0.0; pixels],
            touched: Vec::new(),
        }
    }

    fn meets(&self, mark: &Mark) -> bool {
        mark.bottom >= self.first_row as f64 && mark.top <= (self.first_row + self.rows) as f64
    }

    fn cover(&mut self, mark: &Mark, nib: &Nib) {
        for pair in mark.points.windows(2) {
            self.cover_piece(pair[0], pair[1], nib);
        }
    }

    fn cover_piece(&mut self, from: Point, to: Point, nib: &Nib) {
        let along = to - from;
        let length2 = along.hypot2().max(f64::MIN_POSITIVE);
        let row_offset = self.first_row as f64;
        let rows = pixel_range(from.y.min(to.y) - row_offset, from.y.max(to.y) - row_offset, nib, self.rows);
        let columns = pixel_range(from.x.min(to.x), from.x.max(to.x), nib, self.width_px);
        for row in rows {
            for column in columns.clone() {
                let pixel = Point::new(column as f64 + 0.5, row as f64 + row_offset + 0.5);
                let share = ((pixel - from).dot(along) / length2).clamp(0.0, 1.0);
                #[expect(clippy::cast_possible_truncation, reason = "coverage is 0 to 1")]
                let coverage = nib.coverage(pixel.distance(from + along * share)) as f32;
                let index = row * self.width_px + column;
                if coverage > self.coverage[index] {
                    if self.coverage[index] == 0.0 {
                        self.touched.push(index);
                    }
                    self.coverage[index] = coverage;
                }
            }
        }
    }

    fn overprint(&mut self, ink: &Ink) {
        for index in self.touched.drain(..) {
            let once = ink.passage(self.coverage[index]);
            let passage = &mut self.passage[index];
            *passage = std::array::from_fn(|i| passage[i] * once[i]);
            self.coverage[index] = 0.0;
        }
    }
}

/// The pixels of a row or column, `count` long, that a tip between `low` and `high` may touch.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the sheet")]
fn pixel_range(low: f64, high: f64, nib: &Nib, count: usize) -> std::ops::Range<usize> {
    let clamp = |value: f64| value.clamp(0.0, count as f64) as usize;
    clamp((low - nib.reach()).floor())..clamp((high + nib.reach()).ceil())
}

#[cfg(test)]
mod tests {
    use super::*;
    use traceur_core::color::Srgb8;

    fn ink() -> Ink {
        Ink::new(Srgb8::new(200, 30, 40), 0.0)
    }

    fn red_at(paper: &Paper, x: f64, y: f64) -> f32 {
        let px = |mm: f64| (mm / 25.4 * paper.dpi) as usize;
        paper.light[px(y) * paper.width_px + px(x)][1]
    }

    #[test]
    fn a_line_is_as_wide_as_its_tip() {
        let mut paper = Paper::white(20.0, 20.0, 300.0);
        paper.lay(&[Polyline::from([(2.0, 10.0), (18.0, 10.0)])], 0.5, &ink());
        let column = paper.width_px / 2;
        let dark: f64 = (0..paper.height_px)
            .map(|row| f64::from(1.0 - paper.light[row * paper.width_px + column][1]))
            .sum::<f64>()
            / f64::from(1.0 - ink().passage(1.0)[1]);
        assert!((dark / 300.0 * 25.4 - 0.5).abs() < 0.01, "{} mm", dark / 300.0 * 25.4);
    }

    #[test]
    fn strokes_overprint_but_a_stroke_does_not_overprint_itself() {
        let mut crossing = Paper::white(20.0, 20.0, 300.0);
        crossing.lay(
            &[Polyline::from([(2.0, 10.0), (18.0, 10.0)]), Polyline::from([(10.0, 2.0), (10.0, 18.0)])],
            0.5,
            &ink(),
        );
        assert!(red_at(&crossing, 10.0, 10.0) < 0.5 * red_at(&crossing, 5.0, 10.0));
        let mut turning = Paper::white(20.0, 20.0, 300.0);
        turning.lay(&[Polyline::from([(2.0, 10.0), (18.0, 10.0), (2.0, 10.0)])], 0.5, &ink());
        assert_eq!(red_at(&turning, 10.0, 10.0), red_at(&crossing, 5.0, 10.0));
    }

    #[test]
    fn a_dot_leaves_ink_and_marks_off_the_sheet_do_no_harm() {
        let mut paper = Paper::white(20.0, 20.0, 300.0);
        paper.lay(
            &[Polyline::from([(5.0, 5.0), (5.0, 5.0)]), Polyline::from([(-1e6, 3.0), (-5.0, 1e7)])],
            0.5,
            &ink(),
        );
        assert!(red_at(&paper, 5.0, 5.0) < 0.2);
        assert_eq!(paper.light.iter().filter(|light| light[1] < 0.5).count() / 20, 1);
    }

    #[test]
    fn threads_do_not_change_the_picture() {
        let strokes: Vec<_> = (0..60)
            .map(|i| {
                let y = f64::from(i) / 3.0;
                Polyline::from([(0.0, y), (20.0, 20.0 - y), (y, y)])
            })
            .collect();
        let ink_with = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let mut paper = Paper::white(20.0, 20.0, 150.0);
            pool.install(|| paper.lay(&strokes, 0.3, &ink()));
            paper
        };
        assert!(ink_with(1) == ink_with(2));
    }
}
