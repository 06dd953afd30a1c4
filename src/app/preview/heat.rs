//! The overdraw heat map: how often each spot of the paper is inked.

use image::RgbImage;
use rayon::prelude::*;

use super::picture::{Error, encoded_png};
use traceur_core::drawing::Page;
use traceur_core::geometry::{Point, Polyline};

/// Rows of pixels that one task counts. Fixed, so that the map does not depend on the number of threads.
const BAND_ROWS: usize = 64;
/// Two worst spots are at least this far apart; mm.
const APART: f64 = 5.0;
/// The color of spots inked never, once, twice and so on; the last is for all beyond.
const COLORS: [[u8; 3]; 9] = [
    [255, 255, 255],
    [253, 238, 188],
    [252, 210, 125],
    [250, 173, 83],
    [240, 128, 60],
    [222, 82, 54],
    [186, 40, 66],
    [133, 19, 80],
    [64, 8, 74],
];

/// A spot that is inked often.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spot {
    /// Its place; page mm.
    pub at: Point,
    /// How often a pen's tip goes over it.
    pub times: u16,
}

/// How often a pen's tip goes over each spot of a sheet.
#[derive(Debug, Clone, PartialEq)]
pub struct Heat {
    width_px: usize,
    height_px: usize,
    px_per_mm: f64,
    times: Vec<u16>,
}

impl Heat {
    /// A sheet without ink.
    #[must_use]
    pub fn new(page: &Page, dpi: f64) -> Self {
        let (width_px, height_px) = page.size_px(dpi);
        Self { width_px, height_px, px_per_mm: dpi / 25.4, times: vec![0; width_px * height_px] }
    }

    /// Counts the marks of one pass, drawn with a round tip of `tip` mm.
    ///
    /// A mark that comes back to a spot counts again when it has gone further than two tips in between.
    pub fn add(&mut self, strokes: &[Polyline], tip: f64) {
        let px_per_mm = self.px_per_mm;
        let scaled = |point: &Point| Point::new(point.x * px_per_mm, point.y * px_per_mm);
        let lines: Vec<Vec<Point>> =
            strokes.iter().map(|stroke| stroke.points().iter().map(scaled).collect()).collect();
        let radius = (tip * px_per_mm / 2.0).max(0.5);
        let width_px = self.width_px;
        self.times.par_chunks_mut(width_px * BAND_ROWS).enumerate().for_each(|(band, times)| {
            let mut band = Band::new(band * BAND_ROWS, width_px, radius, times);
            for (index, line) in (1..).zip(&lines) {
                band.count(index, line);
            }
        });
    }

    /// The greatest count.
    #[must_use]
    pub fn most(&self) -> u16 {
        self.times.iter().copied().max().unwrap_or(0)
    }

    /// Shares of the inked area that are inked once, twice, three times, and four times or more.
    #[must_use]
    pub fn shares(&self) -> [f64; 4] {
        let mut pixels = [0_u64; 4];
        for times in self.times.iter().filter(|times| **times > 0) {
            pixels[usize::from(*times).min(4) - 1] += 1;
        }
        let inked = pixels.iter().sum::<u64>().max(1) as f64;
        pixels.map(|count| count as f64 / inked)
    }

    /// The spots inked most, at most `count`, 5 mm or more apart, the worst first; none that is inked once.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cell is millimeters wide")]
    pub fn worst(&self, count: usize) -> Vec<Spot> {
        let cell = ((APART * self.px_per_mm) as usize).max(1);
        let mut spots: Vec<Spot> = Vec::new();
        for top in (0..self.height_px).step_by(cell) {
            for left in (0..self.width_px).step_by(cell) {
                spots.extend(self.worst_in(left, top, cell));
            }
        }
        spots.sort_by_key(|spot| std::cmp::Reverse(spot.times));
        let mut worst: Vec<Spot> = Vec::new();
        for spot in spots {
            if worst.len() >= count {
                break;
            }
            if worst.iter().all(|other| other.at.distance(spot.at) >= APART) {
                worst.push(spot);
            }
        }
        worst
    }

    /// The worst spot of a square of pixels: the middle of those that are inked most in its first such row.
    fn worst_in(&self, left: usize, top: usize, cell: usize) -> Option<Spot> {
        let (right, bottom) = ((left + cell).min(self.width_px), (top + cell).min(self.height_px));
        let row = |y: usize| &self.times[y * self.width_px + left..y * self.width_px + right];
        let most = (top..bottom).flat_map(row).copied().max().filter(|times| *times > 1)?;
        let y = (top..bottom).find(|y| row(*y).contains(&most))?;
        let first = row(y).iter().position(|times| *times == most)?;
        let run = row(y)[first..].iter().take_while(|times| **times == most).count();
        let middle = Point::new((left + first) as f64 + run as f64 / 2.0, y as f64 + 0.5);
        Some(Spot { at: (middle.to_vec2() / self.px_per_mm).to_point(), times: most })
    }

    /// The map's PNG file: white where there is no ink, pale yellow once, to dark violet for eight times and more.
    ///
    /// # Errors
    /// The encoder's.
    pub fn to_png(&self) -> Result<Vec<u8>, Error> {
        let side = |pixels: usize| u32::try_from(pixels).unwrap_or(u32::MAX);
        encoded_png(&RgbImage::from_fn(side(self.width_px), side(self.height_px), |x, y| {
            let times = self.times[y as usize * self.width_px + x as usize];
            image::Rgb(COLORS[usize::from(times).min(COLORS.len() - 1)])
        }))
    }
}

/// Some rows of the sheet while a pass is counted.
struct Band<'a> {
    first_row: usize,
    width_px: usize,
    /// Of the tip; px.
    radius: f64,
    times: &'a mut [u16],
    /// The mark that was last here, from 1, and how far along itself it was; px.
    last: Vec<(u32, f32)>,
}

impl<'a> Band<'a> {
    fn new(first_row: usize, width_px: usize, radius: f64, times: &'a mut [u16]) -> Self {
        let last = vec![(0, 0.0); times.len()];
        Self { first_row, width_px, radius, times, last }
    }

    fn count(&mut self, index: u32, line: &[Point]) {
        let mut gone = 0.0;
        for pair in line.windows(2) {
            self.count_piece(index, pair[0], pair[1], gone);
            gone += pair[0].distance(pair[1]);
        }
    }

    /// A straight piece that begins `gone` px along its mark.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the sheet")]
    fn count_piece(&mut self, index: u32, from: Point, to: Point, gone: f64) {
        let rows = self.times.len() / self.width_px;
        let clamp = |value: f64, most: usize| value.clamp(0.0, most as f64) as usize;
        let top = self.first_row as f64;
        let first = clamp((from.y.min(to.y) - self.radius - top).floor(), rows);
        let end = clamp((from.y.max(to.y) + self.radius - top).ceil(), rows);
        let along = to - from;
        let length2 = along.hypot2();
        let length = length2.sqrt();
        for row in first..end {
            let y = row as f64 + top + 0.5;
            let (low, high) = reach_in_row(from, to, y, self.radius);
            for column in clamp(low.floor(), self.width_px)..clamp(high.ceil(), self.width_px) {
                let pixel = Point::new(column as f64 + 0.5, y);
                let share =
                    if length2 > 0.0 { ((pixel - from).dot(along) / length2).clamp(0.0, 1.0) } else { 0.0 };
                if pixel.distance(from + along * share) <= self.radius {
                    let here = (gone + share * length) as f32;
                    let at = row * self.width_px + column;
                    let (last, there) = self.last[at];
                    if last != index || here - there > 4.0 * self.radius as f32 {
                        self.times[at] = self.times[at].saturating_add(1);
                    }
                    self.last[at] = (index, here);
                }
            }
        }
    }
}

/// Between which x a piece with round ends may touch the row at `y`; px. A little wide, never too narrow.
fn reach_in_row(from: Point, to: Point, y: f64, radius: f64) -> (f64, f64) {
    let along = to - from;
    let (low, high) = (from.x.min(to.x) - radius, from.x.max(to.x) + radius);
    if along.y.abs() < 1e-9 {
        return (low, high);
    }
    // Half of the width of the band around the line, measured along the row.
    let half = radius * along.hypot() / along.y.abs();
    let middle = from.x + along.x * ((y - from.y) / along.y);
    (low.max(middle - half), high.min(middle + half))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: Page = Page { width: 40.0, height: 30.0 };

    fn heat(lines: &[&[(f64, f64)]]) -> Heat {
        heat_at(300.0, lines)
    }

    fn heat_at(dpi: f64, lines: &[&[(f64, f64)]]) -> Heat {
        let mut heat = Heat::new(&PAGE, dpi);
        let strokes: Vec<Polyline> =
            lines.iter().map(|line| Polyline::new(line.iter().map(|p| Point::from(*p)).collect())).collect();
        heat.add(&strokes, 0.5);
        heat
    }

    fn times_at(heat: &Heat, x: f64, y: f64) -> u16 {
        let px = |mm: f64| (mm * heat.px_per_mm) as usize;
        heat.times[px(y) * heat.width_px + px(x)]
    }

    #[test]
    fn a_crossing_is_inked_twice_and_found() {
        let heat = heat(&[&[(2.0, 10.0), (38.0, 10.0)], &[(20.0, 2.0), (20.0, 28.0)]]);
        assert_eq!((times_at(&heat, 10.0, 10.0), times_at(&heat, 20.0, 10.0), heat.most()), (1, 2, 2));
        let worst = heat.worst(5);
        assert_eq!(worst.len(), 1);
        assert!(worst[0].times == 2 && worst[0].at.distance(Point::new(20.0, 10.0)) < 0.4, "{worst:?}");
        let shares = heat.shares();
        assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-9 && shares[1] < 0.02, "{shares:?}");
    }

    #[test]
    fn a_mark_that_comes_back_counts_again_and_one_that_bends_does_not() {
        let back = heat(&[&[(2.0, 10.0), (38.0, 10.0), (2.0, 10.0)]]);
        assert_eq!((times_at(&back, 10.0, 10.0), times_at(&back, 37.9, 10.0)), (2, 1));
        let turns: Vec<(f64, f64)> = (0..400)
            .map(|i| f64::from(i) / 60.0)
            .map(|a: f64| (20.0 + 8.0 * a.cos(), 15.0 + 8.0 * a.sin()))
            .collect();
        assert_eq!(times_at(&heat(&[&turns[..300]]), 20.0, 23.0), 1);
        assert_eq!(times_at(&heat(&[&turns]), 28.0, 15.0), 2, "the circle closes over itself");
    }

    #[test]
    fn a_slanted_line_is_as_wide_as_a_level_one_and_lines_off_the_sheet_do_no_harm() {
        let area = |heat: &Heat| {
            heat.times.iter().filter(|times| **times > 0).count() as f64 / heat.px_per_mm.powi(2)
        };
        let expected = 25.0 * 0.5 + std::f64::consts::PI * 0.25 * 0.25;
        for line in [[(5.0, 5.0), (30.0, 5.0)], [(5.0, 5.0), (20.0, 25.0)], [(8.0, 28.0), (8.0, 3.0)]] {
            assert!((area(&heat_at(1200.0, &[&line])) - expected).abs() < 0.04 * expected, "{line:?}");
        }
        assert_eq!(heat(&[&[(-1e6, 3.0), (-5.0, 1e7)], &[(50.0, -3.0), (1e9, -3.0)]]).most(), 0);
    }

    #[test]
    fn threads_do_not_change_the_map() {
        let strokes: Vec<Polyline> = (0..80)
            .map(|i| f64::from(i) / 3.0)
            .map(|y| Polyline::new(vec![(0.0, y).into(), (40.0, 30.0 - y).into(), (y, y).into()]))
            .collect();
        let with = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let mut heat = Heat::new(&PAGE, 150.0);
            pool.install(|| heat.add(&strokes, 0.4));
            heat
        };
        assert!(with(1) == with(2));
    }
}
