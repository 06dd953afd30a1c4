//! What a picture shows of paper and ink: the light of the paper everywhere, and the mean light of patches as shares of it.

use super::Error;
use super::homography::Homography;
use super::layout::Swatch;
use super::scan::Scan;
use traceur_core::geometry::{Point, Rect};

/// From spot to spot where paper is looked for, and half the edge of a spot; mm.
const STEP: f64 = 1.25;
const HALF: f64 = 0.35;
/// Least distance between a spot and ink; mm.
const CLEAR: f64 = 0.25;
/// Terms of the polynomial that the light follows over the page: all up to the fourth degree.
const TERMS: usize = 15;
/// Neighborhood over which the paper may differ from the polynomial; mm.
const NEAR: f64 = 9.0;
/// Fewest spots of paper that the light can be told from.
const FEWEST: usize = 60;
/// Least light of paper; less is no picture of paper.
const LEAST_LIGHT: f64 = 0.03;

/// A picture with the map of the swatch in it and the light of its paper.
pub(super) struct Lit<'a> {
    scan: &'a Scan,
    map: Homography,
    /// Of the logarithm of light, by channel, in page space scaled to -1 … 1.
    light: [[f64; TERMS]; 3],
    page: Rect,
    /// Spots of paper, and by what share each is brighter than the polynomial has it.
    spots: Vec<(Point, [f64; 3])>,
    /// Pixels a mm at the swatch's middle.
    pub(super) scale: f64,
}

impl<'a> Lit<'a> {
    /// Looks at the paper between the patches.
    pub(super) fn new(scan: &'a Scan, swatch: &Swatch, map: Homography) -> Result<Self, Error> {
        let page = swatch.page.rect();
        let scale = map.scale_at(page.center());
        if scale < 3.0 {
            return Err(Error::Scan(format!(
                "the chart has only {:.0} pixels an inch in the picture: scan at 300 dpi, or go nearer",
                scale * 25.4
            )));
        }
        let mut lit = Self { scan, map, light: [[0.0; TERMS]; 3], page, spots: Vec::new(), scale };
        let spots: Vec<(Point, [f64; 3])> = lit.paper(swatch);
        let dark = spots.iter().filter(|(_, light)| light.iter().any(|light| *light < LEAST_LIGHT)).count();
        if spots.len() < FEWEST || dark * 2 > spots.len() {
            return Err(Error::Scan("the paper between the patches is dark or out of the picture: give a scan of white paper, evenly lit".into()));
        }
        for channel in 0..3 {
            lit.light[channel] = lit.smooth(&spots, channel);
        }
        let off = |(spot, light): &(Point, [f64; 3])| {
            let expected = lit.polynomial(*spot);
            (*spot, std::array::from_fn(|channel| light[channel] / expected[channel]))
        };
        let off: Vec<(Point, [f64; 3])> = spots.iter().map(off).collect();
        // A speck on the paper is not its light.
        lit.spots =
            off.into_iter().filter(|(_, off)| off.iter().all(|off| (0.9..1.1).contains(off))).collect();
        Ok(lit)
    }

    /// The light of all spots that no ink is near.
    fn paper(&self, swatch: &Swatch) -> Vec<(Point, [f64; 3])> {
        let inked: Vec<Rect> = swatch.inked().into_iter().map(|rect| rect.inset(HALF + CLEAR)).collect();
        let mut spots = Vec::new();
        let mut y = self.page.y0 + 3.0;
        while y < self.page.y1 - 3.0 {
            let mut x = self.page.x0 + 3.0;
            let beside: Vec<&Rect> = inked.iter().filter(|rect| rect.y0 < y && y < rect.y1).collect();
            while x < self.page.x1 - 3.0 {
                let spot = Point::new(x, y);
                let seen = self.map.apply(spot);
                if seen.is_finite() && self.scan.holds(seen) && !beside.iter().any(|rect| rect.contains(spot))
                {
                    spots.push((spot, self.mean(Rect::from_center_size(spot, (2.0 * HALF, 2.0 * HALF)))));
                }
                x += STEP;
            }
            // Narrow gaps between rows are met by some of the lines.
            y += 0.25 * STEP;
        }
        spots
    }

    /// The polynomial through the logarithms of the spots' light, found again three times without what is off it.
    fn smooth(&self, spots: &[(Point, [f64; 3])], channel: usize) -> [f64; TERMS] {
        let mut factors = [0.0; TERMS];
        let mut limit = f64::INFINITY;
        for _ in 0..4 {
            let mut rows = [[0.0; TERMS + 1]; TERMS];
            for (spot, light) in spots {
                let terms = self.terms(*spot);
                let value = light[channel].max(1e-4).ln();
                let expected: f64 = terms.iter().zip(&factors).map(|(term, factor)| term * factor).sum();
                if (value - expected).abs() > limit {
                    continue;
                }
                for (row, term) in rows.iter_mut().zip(&terms) {
                    for (sum, other) in row.iter_mut().zip(&terms) {
                        *sum += term * other;
                    }
                    row[TERMS] += term * value;
                }
            }
            for (index, row) in rows.iter_mut().enumerate() {
                row[index] += 1e-6 * spots.len() as f64;
            }
            let Some(better) = super::homography::solve(rows) else { break };
            factors = better;
            let mut off: Vec<f64> = spots
                .iter()
                .map(|(spot, light)| {
                    let expected: f64 = self.terms(*spot).iter().zip(&factors).map(|(t, f)| t * f).sum();
                    (light[channel].max(1e-4).ln() - expected).abs()
                })
                .collect();
            let middle = off.len() / 2;
            let (_, median, _) = off.select_nth_unstable_by(middle, f64::total_cmp);
            limit = (4.0 * *median).max(0.01);
        }
        factors
    }

    fn terms(&self, spot: Point) -> [f64; TERMS] {
        let x = 2.0 * (spot.x - self.page.x0) / self.page.width() - 1.0;
        let y = 2.0 * (spot.y - self.page.y0) / self.page.height() - 1.0;
        let mut terms = [0.0; TERMS];
        let mut at = 0;
        for degree in 0..5 {
            for down in 0..=degree {
                terms[at] = x.powi(degree - down) * y.powi(down);
                at += 1;
            }
        }
        terms
    }

    fn polynomial(&self, spot: Point) -> [f64; 3] {
        let terms = self.terms(spot);
        std::array::from_fn(|channel| {
            terms.iter().zip(&self.light[channel]).map(|(term, factor)| term * factor).sum::<f64>().exp()
        })
    }

    /// The light that white paper has at a place.
    fn paper_at(&self, spot: Point) -> [f64; 3] {
        let (mut sums, mut weight) = ([0.0; 3], 1e-9);
        for (at, off) in &self.spots {
            let distance2 = at.distance_squared(spot);
            if distance2 < 9.0 * NEAR * NEAR {
                let near = (-0.5 * distance2 / (NEAR * NEAR)).exp();
                weight += near;
                for (sum, off) in sums.iter_mut().zip(off) {
                    *sum += near * (off - 1.0);
                }
            }
        }
        let expected = self.polynomial(spot);
        std::array::from_fn(|channel| expected[channel] * (1.0 + sums[channel] / weight))
    }

    /// The mean light of a part of the page, as the picture has it.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "4 to 400 samples along an edge"
    )]
    fn mean(&self, part: Rect) -> [f64; 3] {
        let samples = |mm: f64| ((2.0 * mm * self.scale).ceil() as usize).clamp(4, 400);
        let (across, down) = (samples(part.width()), samples(part.height()));
        let mut sums = [0.0; 3];
        for row in 0..down {
            for column in 0..across {
                let share = |index: usize, count: usize| (index as f64 + 0.5) / count as f64;
                let spot = Point::new(
                    part.x0 + share(column, across) * part.width(),
                    part.y0 + share(row, down) * part.height(),
                );
                let light = self.scan.light_at(self.map.apply(spot));
                sums.iter_mut().zip(light).for_each(|(sum, light)| *sum += light);
            }
        }
        sums.map(|sum| sum / (across * down) as f64)
    }

    /// The mean light of a part of the page as a share of the paper's.
    pub(super) fn share(&self, part: Rect) -> [f64; 3] {
        let (light, paper) = (self.mean(part), self.paper_at(part.center()));
        std::array::from_fn(|channel| light[channel] / paper[channel])
    }
}
