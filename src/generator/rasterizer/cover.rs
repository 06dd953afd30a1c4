//! One line's coverage of one tile, and the gradient of it; see [`super::tile`] for the symbols.

use std::ops::Range;

use super::tile::{AREA, Plane, Scene, TILE};

/// A squared distance beyond any page; px².
const FAR: f32 = 1e12;

/// A piece of a line that comes near a tile, and the rows that it may touch.
#[derive(Clone, Copy)]
struct Hit {
    piece: u32,
    from: usize,
    to: usize,
}

/// A line's coverage of a tile. Its loops copy the rows that they read and write rows of their own: a compiler that can't
/// tell two rows of one struct apart makes no vector instructions of them. Rows outside `rows` hold what an earlier line left.
pub(super) struct Cover {
    pub(super) line: usize,
    pub(super) rows: Range<usize>,
    hits: Vec<Hit>,
    pub(super) coverage: Plane,
    /// Squared distance to the nearest piece; px².
    distance2: Plane,
    /// The nearest piece.
    piece: [u32; AREA],
}

#[inline(always)]
pub(super) fn row_of<T>(plane: &[T; AREA], row: usize) -> &[T; TILE] {
    (&plane[row * TILE..(row + 1) * TILE]).try_into().expect("a row has TILE pixels")
}

#[inline(always)]
pub(super) fn row_mut<T>(plane: &mut [T; AREA], row: usize) -> &mut [T; TILE] {
    (&mut plane[row * TILE..(row + 1) * TILE]).try_into().expect("a row has TILE pixels")
}

impl Cover {
    pub(super) fn new() -> Self {
        Self {
            line: 0,
            rows: 0..0,
            hits: Vec::new(),
            coverage: [0.0; AREA],
            distance2: [FAR; AREA],
            piece: [0; AREA],
        }
    }

    /// Covers the tile at (`left`, `top`) with a line; whether any ink falls on it.
    #[inline(always)]
    pub(super) fn fill(&mut self, scene: &Scene, index: usize, left: usize, top: usize) -> bool {
        let line = &scene.lines[index];
        self.line = index;
        let (x0, y0) = (left as f32 + 0.5, top as f32 + 0.5);
        let corners = &scene.points[line.points.clone()];
        self.find_hits(corners, line.half + 0.5 * scene.softness, x0, y0);
        if self.hits.is_empty() {
            return false;
        }
        for row in self.rows.clone() {
            *row_mut(&mut self.distance2, row) = [FAR; TILE];
        }
        for hit in &self.hits {
            let (a, b) = (corners[hit.piece as usize], corners[hit.piece as usize + 1]);
            let (dx, dy) = (b[0] - a[0], b[1] - a[1]);
            let scale = 1.0 / (dx * dx + dy * dy).max(1e-12);
            for row in hit.from..=hit.to {
                let qy = y0 + row as f32 - a[1];
                let (best, pieces) = (*row_of(&self.distance2, row), *row_of(&self.piece, row));
                let (mut least, mut nearest) = ([0.0_f32; TILE], [0_u32; TILE]);
                for column in 0..TILE {
                    let qx = x0 + column as f32 - a[0];
                    let u = ((qx * dx + qy * dy) * scale).clamp(0.0, 1.0);
                    let (ex, ey) = (qx - u * dx, qy - u * dy);
                    let d2 = ex * ex + ey * ey;
                    let nearer = d2 < best[column];
                    least[column] = if nearer { d2 } else { best[column] };
                    nearest[column] = if nearer { hit.piece } else { pieces[column] };
                }
                *row_mut(&mut self.distance2, row) = least;
                *row_mut(&mut self.piece, row) = nearest;
            }
        }
        let (half, share, scale) = (line.half, line.share, 1.0 / scene.softness);
        let mut sums = [0.0_f32; TILE];
        for row in self.rows.clone() {
            let distance2 = *row_of(&self.distance2, row);
            let mut coverage = [0.0_f32; TILE];
            for column in 0..TILE {
                let x = ((half - distance2[column].sqrt()) * scale + 0.5).clamp(0.0, 1.0);
                let c = share * x * x * (3.0 - 2.0 * x);
                coverage[column] = c;
                sums[column] += c;
            }
            *row_mut(&mut self.coverage, row) = coverage;
        }
        sums.iter().any(|sum| *sum > 0.0)
    }

    /// The pieces that come within `far` of the tile whose first pixel's center is (`x0`, `y0`).
    #[inline(always)]
    fn find_hits(&mut self, corners: &[[f32; 2]], far: f32, x0: f32, y0: f32) {
        self.hits.clear();
        let last = (TILE - 1) as f32;
        let (mut low, mut high) = (TILE, 0);
        for (piece, pair) in corners.windows(2).enumerate() {
            let (a, b) = (pair[0], pair[1]);
            if a[0].min(b[0]) - far > x0 + last || a[0].max(b[0]) + far < x0 {
                continue;
            }
            let from = (a[1].min(b[1]) - far - y0).ceil().max(0.0);
            let to = (a[1].max(b[1]) + far - y0).floor().min(last);
            if from > to {
                continue;
            }
            let hit = Hit { piece: piece as u32, from: from as usize, to: to as usize };
            (low, high) = (low.min(hit.from), high.max(hit.to + 1));
            self.hits.push(hit);
        }
        self.rows = low..high.max(low);
    }

    /// Adds the gradients `to_coverage` of the tile's pixels to the corners of the nearest pieces. `weights` is scratch.
    #[inline(always)]
    pub(super) fn push(
        &self,
        scene: &Scene,
        (left, top): (usize, usize),
        to_coverage: &Plane,
        weights: &mut Plane,
        into: &mut [[f32; 2]],
    ) {
        let line = &scene.lines[self.line];
        let (half, scale) = (line.half, 1.0 / scene.softness);
        let slope = 6.0 * line.share * scale;
        for row in self.rows.clone() {
            let (distance2, to_coverage) = (*row_of(&self.distance2, row), *row_of(to_coverage, row));
            let mut own = [0.0_f32; TILE];
            for column in 0..TILE {
                let d = distance2[column].sqrt();
                let x = ((half - d) * scale + 0.5).clamp(0.0, 1.0);
                let weight = to_coverage[column] * slope * x * (1.0 - x) / d.max(1e-6);
                own[column] = if d < 1e-6 { 0.0 } else { weight };
            }
            *row_mut(weights, row) = own;
        }
        let (x0, y0) = (left as f32 + 0.5, top as f32 + 0.5);
        for hit in &self.hits {
            let piece = hit.piece as usize;
            let a = scene.points[line.points.start + piece];
            let b = scene.points[line.points.start + piece + 1];
            let (dx, dy) = (b[0] - a[0], b[1] - a[1]);
            let scale = 1.0 / (dx * dx + dy * dy).max(1e-12);
            // Sums of w e and of w u e, a column each.
            let mut sums = [[0.0_f32; TILE]; 4];
            for row in hit.from..=hit.to {
                let qy = y0 + row as f32 - a[1];
                let (weights, pieces) = (*row_of(weights, row), *row_of(&self.piece, row));
                for column in 0..TILE {
                    let w = if pieces[column] == hit.piece { weights[column] } else { 0.0 };
                    let qx = x0 + column as f32 - a[0];
                    let u = ((qx * dx + qy * dy) * scale).clamp(0.0, 1.0);
                    let (ex, ey) = (w * (qx - u * dx), w * (qy - u * dy));
                    sums[0][column] += ex;
                    sums[1][column] += ey;
                    sums[2][column] += u * ex;
                    sums[3][column] += u * ey;
                }
            }
            let [x, y, bx, by] = sums.map(|sum| total(&sum));
            into[piece][0] += x - bx;
            into[piece][1] += y - by;
            into[piece + 1][0] += bx;
            into[piece + 1][1] += by;
        }
    }
}

/// Sum in pairs: the same on any machine.
#[inline(always)]
pub(super) fn total(row: &[f32; TILE]) -> f32 {
    let mut sums = *row;
    let mut width = TILE / 2;
    while width > 0 {
        for i in 0..width {
            sums[i] += sums[i + width];
        }
        width /= 2;
    }
    sums[0]
}
