//! What the eye sees of a tile: squares of 1.4, 2.8 and 5.6 mm averaged in sRGB, and how far each is from the picture.
//!
//! The gap that is reported is the mean CIEDE2000 over the 2.8 mm squares. What is made small here is near to it: the
//! lightness, chroma and hue differences of each square, divided by the weights of CIEDE2000 (Sharma, Wu and Dalal
//! 2005; its rotation term, which matters for saturated blues only, is left out), under a root that is round at zero.

use crate::Canvas;
use crate::rasterizer::{TILE, Tile, ToTile, power};
use traceur_core::color::{Srgb, lab};

/// Squares of a tile: 16 small ones, 4 middle ones, the whole.
const SQUARES: usize = 21;
/// Rounded up to whole vectors.
const LANES: usize = 24;
type Lanes = [f32; LANES];
/// Edge of the small squares; px.
const SMALL: usize = TILE / 4;

/// Weights of the terms of a square's size, and of strokes on strokes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sight {
    /// Of the mean over the 1.4 mm squares.
    pub fine: f32,
    /// Of the mean over the 2.8 mm squares, which are what is measured.
    pub seen: f32,
    /// Of the mean over the 5.6 mm squares.
    pub coarse: f32,
    /// ΔE below which differences count by their square.
    pub round: f32,
    /// Of the mean coverage above 1.
    pub overlap: f32,
}

impl Sight {
    /// For photos: large differences count most, and a line in a pale place is no error.
    pub const TONES: Self = Self { fine: 0.05, seen: 1.0, coarse: 0.5, round: 15.0, overlap: 10.0 };
    /// For drawings: edges count, and all differences alike.
    pub const LINES: Self = Self { fine: 0.3, seen: 1.0, coarse: 0.3, round: 4.0, overlap: 10.0 };
}

/// The wanted squares of all tiles.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    tiles: Vec<WantedTile>,
    columns: usize,
    /// One over the number of 2.8 mm squares.
    scale: f32,
}

#[derive(Debug, Clone)]
struct WantedTile {
    l: Lanes,
    a: Lanes,
    b: Lanes,
    /// a' = stretch a of CIEDE2000, at the wanted chroma.
    stretch: Lanes,
    /// T of CIEDE2000, at the wanted hue.
    t: Lanes,
}

impl Wanted {
    /// The squares of a picture: sRGB planes [3, H, W] of the whole canvas.
    pub(super) fn new(rgb: &[f32], canvas: &Canvas) -> Self {
        let columns = canvas.width_px / TILE;
        let rows = canvas.height_px / TILE;
        let plane = canvas.width_px * canvas.height_px;
        let tile = |tile: usize| {
            let (left, top) = (tile % columns * TILE, tile / columns * TILE);
            let mut planes = [[0.0; TILE * TILE]; 3];
            for (channel, values) in planes.iter_mut().enumerate() {
                for (row, to) in values.chunks_exact_mut(TILE).enumerate() {
                    let from = channel * plane + (top + row) * canvas.width_px + left;
                    to.copy_from_slice(&rgb[from..from + TILE]);
                }
            }
            WantedTile::new(&planes.each_ref().map(means))
        };
        let tiles = (0..columns * rows).map(tile).collect();
        Self { tiles, columns, scale: 1.0 / (4 * columns * rows) as f32 }
    }

    /// The loss of a tile.
    #[inline(always)]
    pub(super) fn loss(&self, sight: &Sight, tile: &Tile<'_>) -> f64 {
        let mut overlap = [0.0_f32; TILE];
        for row in tile.coverage.chunks_exact(TILE) {
            for (sum, c) in overlap.iter_mut().zip(row) {
                *sum += (c - 1.0).max(0.0);
            }
        }
        let wanted = &self.tiles[tile.top / TILE * self.columns + tile.left / TILE];
        let (losses, _) = wanted.compare(&tile.light.each_ref().map(means), sight.round);
        let sum = |range: std::ops::Range<usize>| losses[range].iter().sum::<f32>();
        let seen =
            0.25 * sight.fine * sum(0..16) + sight.seen * sum(16..20) + 4.0 * sight.coarse * sum(20..21);
        let overlap = overlap.iter().sum::<f32>() * sight.overlap / (TILE * TILE / 4) as f32;
        f64::from(self.scale * (seen + overlap))
    }

    /// The loss of a tile and its gradient.
    #[inline(always)]
    pub(super) fn descend(&self, sight: &Sight, tile: &Tile<'_>, to: &mut ToTile) -> f64 {
        let mut overlap = [0.0_f32; TILE];
        let slope = self.scale * sight.overlap / (TILE * TILE / 4) as f32;
        for (to, row) in to.coverage.chunks_exact_mut(TILE).zip(tile.coverage.chunks_exact(TILE)) {
            for column in 0..TILE {
                overlap[column] += (row[column] - 1.0).max(0.0);
                to[column] = if row[column] > 1.0 { slope } else { 0.0 };
            }
        }
        let wanted = &self.tiles[tile.top / TILE * self.columns + tile.left / TILE];
        let (losses, slopes) = wanted.compare(&tile.light.each_ref().map(means), sight.round);
        let sum = |range: std::ops::Range<usize>| losses[range].iter().sum::<f32>();
        let seen =
            0.25 * sight.fine * sum(0..16) + sight.seen * sum(16..20) + 4.0 * sight.coarse * sum(20..21);
        // A pixel is 1/16 of a small square, 1/64 of a middle one, 1/256 of the whole.
        let fine = self.scale * 0.25 * sight.fine / 16.0;
        let middle = self.scale * sight.seen / 64.0;
        let coarse = self.scale * 4.0 * sight.coarse / 256.0;
        for channel in 0..3 {
            let slopes = &slopes[channel];
            for row in 0..TILE {
                let mut back = [0.0; TILE];
                for (column, back) in back.iter_mut().enumerate() {
                    let small = row / SMALL * 4 + column / SMALL;
                    let half = 16 + row / 8 * 2 + column / 8;
                    *back = fine * slopes[small] + middle * slopes[half] + coarse * slopes[20];
                }
                let pixels = row * TILE..(row + 1) * TILE;
                to.light[channel][pixels].copy_from_slice(&back);
            }
        }
        let overlap = overlap.iter().sum::<f32>() * slope;
        f64::from(self.scale * seen + overlap)
    }
}

/// Means over the squares of a tile.
#[inline(always)]
fn means(plane: &[f32; TILE * TILE]) -> Lanes {
    let mut means = [0.0; LANES];
    for (row, values) in plane.chunks_exact(TILE).enumerate() {
        for (column, four) in values.chunks_exact(SMALL).enumerate() {
            means[row / SMALL * 4 + column] += four[0] + four[1] + four[2] + four[3];
        }
    }
    for mean in &mut means[..16] {
        *mean /= (SMALL * SMALL) as f32;
    }
    for half in 0..4 {
        let first = half / 2 * 8 + half % 2 * 2;
        means[16 + half] = 0.25 * (means[first] + means[first + 1] + means[first + 4] + means[first + 5]);
    }
    means[20] = 0.25 * (means[16] + means[17] + means[18] + means[19]);
    means
}

/// Columns: what 1 of linear red, green and blue adds to X/Xn, Y/Yn and Z/Zn under D65 (IEC 61966-2-1).
const XYZ: [[f32; 3]; 3] =
    [[0.433_953, 0.376_220, 0.189_828], [0.212_673, 0.715_152, 0.072_175], [0.017_758, 0.109_477, 0.872_765]];

impl WantedTile {
    fn new(srgb: &[Lanes; 3]) -> Self {
        let mut tile = Self {
            l: [0.0; LANES],
            a: [0.0; LANES],
            b: [0.0; LANES],
            stretch: [1.0; LANES],
            t: [1.0; LANES],
        };
        for square in 0..SQUARES {
            let color = lab(Srgb::from(srgb.each_ref().map(|lanes| lanes[square])));
            let chroma7 = color.a.hypot(color.b).powi(7);
            let stretch = 1.0 + 0.5 * (1.0 - (chroma7 / (chroma7 + 25.0_f32.powi(7))).sqrt());
            let a = stretch * color.a;
            let hue = color.b.atan2(a);
            let degrees = |degrees: f32| degrees.to_radians();
            tile.t[square] = 1.0 - 0.17 * (hue - degrees(30.0)).cos()
                + 0.24 * (2.0 * hue).cos()
                + 0.32 * (3.0 * hue + degrees(6.0)).cos()
                - 0.20 * (4.0 * hue - degrees(63.0)).cos();
            (tile.l[square], tile.a[square], tile.b[square]) = (color.l, a, color.b);
            tile.stretch[square] = stretch;
        }
        tile
    }

    /// Losses of the squares, and their slopes with respect to the squares' sRGB means.
    #[inline(always)]
    fn compare(&self, srgb: &[Lanes; 3], round: f32) -> (Lanes, [Lanes; 3]) {
        let mut losses = [0.0; LANES];
        let mut slopes = [[0.0; LANES]; 3];
        for i in 0..LANES {
            let (mut linear, mut to_linear) = ([0.0; 3], [0.0; 3]);
            for channel in 0..3 {
                let s = srgb[channel][i].clamp(0.0, 1.0);
                let base = ((s + 0.055) / 1.055).max(0.09);
                let curve = power(base, 2.4);
                let is_low = s <= 0.040_45;
                linear[channel] = if is_low { s / 12.92 } else { curve };
                to_linear[channel] = if is_low { 1.0 / 12.92 } else { 2.4 * curve / (s + 0.055) };
            }
            let (mut f, mut to_f) = ([0.0; 3], [0.0; 3]);
            for axis in 0..3 {
                let t = XYZ[axis][0] * linear[0] + XYZ[axis][1] * linear[1] + XYZ[axis][2] * linear[2];
                let root = power(t.clamp(0.008_856, 1.0), 1.0 / 3.0);
                let is_low = t <= 0.008_856;
                f[axis] = if is_low { 7.787 * t + 16.0 / 116.0 } else { root };
                to_f[axis] = if is_low { 7.787 } else { root / (3.0 * t) };
            }
            let l = 116.0 * f[1] - 16.0;
            let a = self.stretch[i] * 500.0 * (f[0] - f[1]);
            let b = 200.0 * (f[1] - f[2]);
            let chroma = (a * a + b * b + 1e-3).sqrt();
            let wanted_chroma = (self.a[i] * self.a[i] + self.b[i] * self.b[i] + 1e-3).sqrt();
            let from_middle = 0.5 * (l + self.l[i]) - 50.0;
            let middle2 = from_middle * from_middle;
            let mean_chroma = 0.5 * (chroma + wanted_chroma);
            let sl = 1.0 + 0.015 * middle2 / (20.0 + middle2).sqrt();
            let sc = 1.0 + 0.045 * mean_chroma;
            let sh = 1.0 + 0.015 * mean_chroma * self.t[i];
            let (wl, wc, wh) = (1.0 / (sl * sl), 1.0 / (sc * sc), 1.0 / (sh * sh));
            let (dl, da, db) = (l - self.l[i], a - self.a[i], b - self.b[i]);
            let dc = chroma - wanted_chroma;
            // The square of the hue difference is what is left of a and b beside the chroma difference.
            let hue2 = (da * da + db * db - dc * dc).max(0.0);
            let q = wl * dl * dl + wc * dc * dc + wh * hue2;
            let root = (q + round * round).sqrt();
            losses[i] = root - round;
            let half = 1.0 / root;
            // The weights move with the color too, at half its speed.
            let to_sl =
                0.0075 * from_middle * (40.0 + middle2) / ((20.0 + middle2) * (20.0 + middle2).sqrt());
            let to_l = half * (wl * dl - dl * dl * to_sl * wl / sl);
            let to_weights = dc * dc * 0.0225 * wc / sc + hue2 * 0.0075 * self.t[i] * wh / sh;
            let to_chroma = half * ((wc - wh) * dc - to_weights) / chroma;
            let to_a = (half * wh * da + to_chroma * a) * self.stretch[i];
            let to_b = half * wh * db + to_chroma * b;
            let back = [
                500.0 * to_a * to_f[0],
                (116.0 * to_l - 500.0 * to_a + 200.0 * to_b) * to_f[1],
                -200.0 * to_b * to_f[2],
            ];
            for channel in 0..3 {
                let sum = back[0] * XYZ[0][channel] + back[1] * XYZ[1][channel] + back[2] * XYZ[2][channel];
                slopes[channel][i] = sum * to_linear[channel];
            }
        }
        (losses, slopes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use traceur_core::color::delta_e;

    fn lanes(value: f32) -> Lanes {
        [value; LANES]
    }

    #[test]
    fn the_loss_of_a_square_is_near_its_ciede2000() {
        let colors =
            [[0.9, 0.3, 0.2], [0.2, 0.3, 0.8], [0.5, 0.5, 0.5], [0.95, 0.9, 0.3], [0.02, 0.03, 0.02]];
        for wanted in colors {
            for seen in colors.map(|c| [0.7 * c[0] + 0.2, 0.8 * c[1] + 0.1, 0.6 * c[2] + 0.3]) {
                let tile = WantedTile::new(&wanted.map(lanes));
                let (loss, _) = tile.compare(&seen.map(lanes), 0.0);
                let [r, g, b] = wanted;
                let true_value = delta_e(Srgb::new(r, g, b), Srgb::new(seen[0], seen[1], seen[2]));
                // Across hues the weights of one hue stand for all on the way.
                let share = if true_value < 25.0 { 0.25 } else { 0.6 };
                let error = (loss[0] - true_value).abs();
                assert!(error < share * true_value + 1.0, "{wanted:?} {seen:?}: {} {true_value}", loss[0]);
            }
        }
    }

    #[test]
    fn slopes_agree_with_finite_differences() {
        for wanted in [[0.8_f32, 0.35, 0.25], [0.3, 0.4, 0.7], [0.1, 0.5, 0.15]] {
            let tile = WantedTile::new(&wanted.map(lanes));
            let seen = [wanted[0] + 0.13, wanted[1] - 0.08, wanted[2] + 0.12];
            let (_, slopes) = tile.compare(&seen.map(lanes), 3.0);
            for channel in 0..3 {
                let at = |delta: f32| {
                    let mut seen = seen;
                    seen[channel] += delta;
                    tile.compare(&seen.map(lanes), 3.0).0[0]
                };
                let numeric = (at(2e-3) - at(-2e-3)) / 4e-3;
                let analytic = slopes[channel][0];
                let scale = slopes.iter().map(|s| s[0].abs()).fold(0.0, f32::max);
                assert!(
                    (analytic - numeric).abs() < 0.01 * scale,
                    "{wanted:?} {channel}: {analytic} {numeric}"
                );
            }
        }
    }
}
