//! Lines on a tile of pixels: distance, coverage, passes; and all of it backward.
//!
//! Symbols: `x` a pixel's center, `d` its distance to a line (the least over the pieces), `h` half the line's
//! width, `s` softness; px. Coverage is `c = share · smoothstep((h - d)/s + 1/2)`. A line is a union: where it
//! crosses itself it inks once. Only the nearest piece gets a gradient (envelope theorem): with `q = a + u (b - a)`
//! nearest to `x` and `n = (x - q)/d`, `∂d/∂a = -(1 - u) n` and `∂d/∂b = -u n`.

use std::ops::Range;

/// Edge of a tile; px.
pub(super) const TILE: usize = 16;
const AREA: usize = TILE * TILE;
/// A squared distance beyond any page; px².
const FAR: f32 = 1e12;

/// One stroke as the tiles see it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Line {
    /// Its corners in [`Scene::points`]; at least two.
    pub(super) points: Range<usize>,
    /// Half its width; px.
    pub(super) half: f32,
    /// Coverage at its heart, below 1 for lines narrower than a pixel.
    pub(super) share: f32,
    /// The ink's `k`, per channel.
    pub(super) strength: [f32; 3],
    /// Index of its pass.
    pub(super) pass: usize,
    /// What it can touch: left, top, right, bottom; px.
    pub(super) reach: [f32; 4],
}

impl Line {
    /// Half width and share of a line `width` px wide: one narrower than a pixel is a pale pixel-wide one.
    pub(super) fn profile(width: f32) -> (f32, f32) {
        if width < 1.0 { (0.5, width) } else { (0.5 * width, 1.0) }
    }

    /// What a line with these corners can touch; px.
    pub(super) fn reach(points: &[[f32; 2]], half: f32, softness: f32) -> [f32; 4] {
        let far = half + 0.5 * softness;
        points.iter().fold([f32::MAX, f32::MAX, f32::MIN, f32::MIN], |reach, p| {
            [
                reach[0].min(p[0] - far),
                reach[1].min(p[1] - far),
                reach[2].max(p[0] + far),
                reach[3].max(p[1] + far),
            ]
        })
    }
}

/// All lines of a picture, sorted by pass.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scene {
    pub(super) width: usize,
    pub(super) height: usize,
    /// Width of the edge between ink and paper; px.
    pub(super) softness: f32,
    /// Corners of all lines; px.
    pub(super) points: Vec<[f32; 2]>,
    pub(super) lines: Vec<Line>,
    /// The inks' `R`, per pass and channel.
    pub(super) limits: Vec<[f32; 3]>,
}

/// Gradients of the lines that touch one band of tiles, in the order of the band's list.
#[derive(Debug, Default)]
pub(super) struct BandGradient {
    /// Index of each line, and where its corners begin in `points`.
    pub(super) lines: Vec<(usize, usize)>,
    pub(super) points: Vec<[f32; 2]>,
    /// One a line.
    pub(super) strength: Vec<[f32; 3]>,
}

/// A line's coverage of a tile.
struct Cover {
    line: usize,
    /// Place in the band's list.
    place: usize,
    coverage: [f32; AREA],
    /// Squared distance to the nearest piece; px².
    distance2: [f32; AREA],
    /// The nearest piece.
    piece: [u32; AREA],
}

impl Cover {
    fn new() -> Self {
        Self { line: 0, place: 0, coverage: [0.0; AREA], distance2: [FAR; AREA], piece: [0; AREA] }
    }

    /// Covers the tile at (`left`, `top`) with a line; whether any ink falls on it.
    fn fill(&mut self, scene: &Scene, place: usize, index: usize, left: usize, top: usize) -> bool {
        let line = &scene.lines[index];
        (self.line, self.place) = (index, place);
        self.distance2.fill(FAR);
        let far = line.half + 0.5 * scene.softness;
        let (x0, y0) = (left as f32 + 0.5, top as f32 + 0.5);
        let last = (TILE - 1) as f32;
        let mut near = false;
        for (piece, pair) in scene.points[line.points.clone()].windows(2).enumerate() {
            let (a, b) = (pair[0], pair[1]);
            if a[0].min(b[0]) - far > x0 + last || a[0].max(b[0]) + far < x0 {
                continue;
            }
            let from = (a[1].min(b[1]) - far - y0).ceil().max(0.0);
            let to = (a[1].max(b[1]) + far - y0).floor().min(last);
            if from > to {
                continue;
            }
            near = true;
            let (dx, dy) = (b[0] - a[0], b[1] - a[1]);
            let scale = 1.0 / (dx * dx + dy * dy).max(1e-12);
            for row in from as usize..=to as usize {
                let qy = y0 + row as f32 - a[1];
                let pixels = row * TILE..(row + 1) * TILE;
                let best: &mut [f32; TILE] =
                    (&mut self.distance2[pixels.clone()]).try_into().expect("a row has TILE pixels");
                let pieces: &mut [u32; TILE] =
                    (&mut self.piece[pixels]).try_into().expect("a row has TILE pixels");
                for column in 0..TILE {
                    let qx = x0 + column as f32 - a[0];
                    let u = ((qx * dx + qy * dy) * scale).clamp(0.0, 1.0);
                    let (ex, ey) = (qx - u * dx, qy - u * dy);
                    let d2 = ex * ex + ey * ey;
                    let nearer = d2 < best[column];
                    best[column] = if nearer { d2 } else { best[column] };
                    pieces[column] = if nearer { piece as u32 } else { pieces[column] };
                }
            }
        }
        if !near {
            return false;
        }
        let (half, share, scale) = (line.half, line.share, 1.0 / scene.softness);
        let mut sum = 0.0;
        for (c, d2) in self.coverage.iter_mut().zip(&self.distance2) {
            let x = ((half - d2.sqrt()) * scale + 0.5).clamp(0.0, 1.0);
            *c = share * x * x * (3.0 - 2.0 * x);
            sum += *c;
        }
        sum > 0.0
    }

    /// Adds the gradient `to_coverage` of one pixel to the ends of its nearest piece.
    fn push(&self, scene: &Scene, pixel: usize, at: [f32; 2], to_coverage: f32, into: &mut [[f32; 2]]) {
        let line = &scene.lines[self.line];
        let d = self.distance2[pixel].sqrt();
        let x = (line.half - d) / scene.softness + 0.5;
        if x <= 0.0 || x >= 1.0 || d < 1e-6 {
            return;
        }
        let to_distance = -to_coverage * line.share * 6.0 * x * (1.0 - x) / scene.softness;
        let piece = self.piece[pixel] as usize;
        let a = scene.points[line.points.start + piece];
        let b = scene.points[line.points.start + piece + 1];
        let (dx, dy) = (b[0] - a[0], b[1] - a[1]);
        let (qx, qy) = (at[0] - a[0], at[1] - a[1]);
        let u = ((qx * dx + qy * dy) / (dx * dx + dy * dy).max(1e-12)).clamp(0.0, 1.0);
        let (gx, gy) = ((qx - u * dx) / d * to_distance, (qy - u * dy) / d * to_distance);
        into[piece][0] -= (1.0 - u) * gx;
        into[piece][1] -= (1.0 - u) * gy;
        into[piece + 1][0] -= u * gx;
        into[piece + 1][1] -= u * gy;
    }
}

/// Buffers of one band; kept from tile to tile.
struct Scratch {
    covers: Vec<Cover>,
    /// Paper before each pass, and after the last.
    papers: Vec<[[f32; AREA]; 3]>,
    /// Passage of each pass.
    passages: Vec<[[f32; AREA]; 3]>,
    coverage: [f32; AREA],
}

impl Scratch {
    fn new() -> Self {
        Self { covers: Vec::new(), papers: Vec::new(), passages: Vec::new(), coverage: [0.0; AREA] }
    }

    /// Lays all passes on the tile; with `keep`, remembers every line's coverage (else only the last one's).
    /// Returns how many covers are kept.
    fn lay(&mut self, scene: &Scene, near: &[usize], left: usize, top: usize, keep: bool) -> usize {
        let passes = scene.limits.len();
        self.papers.resize(passes + 1, [[1.0; AREA]; 3]);
        self.passages.resize(passes, [[1.0; AREA]; 3]);
        self.papers[0] = [[1.0; AREA]; 3];
        self.coverage = [0.0; AREA];
        let (mut kept, mut next) = (0, 0);
        for pass in 0..passes {
            let mut inked = false;
            while next < near.len() && scene.lines[near[next]].pass == pass {
                let (place, index) = (next, near[next]);
                next += 1;
                let reach = scene.lines[index].reach;
                if reach[0] > (left + TILE) as f32 || reach[2] < left as f32 {
                    continue;
                }
                if self.covers.len() <= kept {
                    self.covers.push(Cover::new());
                }
                let cover = &mut self.covers[kept];
                if !cover.fill(scene, place, index, left, top) {
                    continue;
                }
                if !inked {
                    self.passages[pass] = [[1.0; AREA]; 3];
                    inked = true;
                }
                for (k, passage) in scene.lines[index].strength.iter().zip(&mut self.passages[pass]) {
                    for (p, c) in passage.iter_mut().zip(&cover.coverage) {
                        *p *= 1.0 - c * k;
                    }
                }
                for (sum, c) in self.coverage.iter_mut().zip(&cover.coverage) {
                    *sum += c;
                }
                if keep {
                    kept += 1;
                }
            }
            let (before, after) = self.papers.split_at_mut(pass + 1);
            let (before, after) = (&before[pass], &mut after[0]);
            if inked {
                for channel in 0..3 {
                    let limit = scene.limits[pass][channel];
                    for pixel in 0..AREA {
                        after[channel][pixel] =
                            limit + (before[channel][pixel] - limit) * self.passages[pass][channel][pixel];
                    }
                }
            } else {
                *after = *before;
            }
        }
        kept
    }
}

impl Scene {
    /// How many bands of tiles there are.
    pub(super) fn bands(&self) -> usize {
        self.height.div_ceil(TILE)
    }

    /// Lines that may touch a band, in pass order.
    fn near(&self, band: usize) -> Vec<usize> {
        let (top, bottom) = ((band * TILE) as f32, ((band + 1) * TILE) as f32);
        let touches = |line: &Line| line.reach[1] < bottom && line.reach[3] > top;
        (0..self.lines.len()).filter(|index| touches(&self.lines[*index])).collect()
    }

    /// What one line covers: pixels, row by row, and coverages.
    pub(super) fn alone(&self, line: &Line) -> Vec<(usize, f32)> {
        let mut covered = Vec::new();
        let Some(index) = self.lines.iter().position(|other| std::ptr::eq(other, line)) else {
            return covered;
        };
        let mut cover = Cover::new();
        let tiles = |from: f32, to: f32, edge: usize| {
            let from = (from.max(0.0) as usize / TILE) * TILE;
            (from..(to.max(0.0) as usize + 1).min(edge)).step_by(TILE)
        };
        for top in tiles(line.reach[1], line.reach[3], self.height) {
            for left in tiles(line.reach[0], line.reach[2], self.width) {
                if !cover.fill(self, 0, index, left, top) {
                    continue;
                }
                for (pixel, c) in cover.coverage.iter().enumerate() {
                    let (x, y) = (left + pixel % TILE, top + pixel / TILE);
                    if *c > 0.0 && x < self.width && y < self.height {
                        covered.push((y * self.width + x, *c));
                    }
                }
            }
        }
        covered
    }

    /// Paints a band: `put(row in the band, column, linear light, summed coverage)` for each pixel.
    pub(super) fn paint(&self, band: usize, mut put: impl FnMut(usize, usize, [f32; 3], f32)) {
        let near = self.near(band);
        let mut scratch = Scratch::new();
        let top = band * TILE;
        for left in (0..self.width).step_by(TILE) {
            scratch.lay(self, &near, left, top, false);
            let paper = &scratch.papers[self.limits.len()];
            for row in 0..TILE.min(self.height - top) {
                for column in 0..TILE.min(self.width - left) {
                    let pixel = row * TILE + column;
                    let light = [paper[0][pixel], paper[1][pixel], paper[2][pixel]];
                    put(row, left + column, light, scratch.coverage[pixel]);
                }
            }
        }
    }

    /// The band's share of the gradients; `take(row in the page, column)` gives the gradient to linear light and to
    /// summed coverage.
    pub(super) fn paint_backward(
        &self,
        band: usize,
        take: impl Fn(usize, usize) -> ([f32; 3], f32),
    ) -> BandGradient {
        let near = self.near(band);
        let mut gradient = BandGradient { strength: vec![[0.0; 3]; near.len()], ..Default::default() };
        let mut corners = 0;
        for index in &near {
            gradient.lines.push((*index, corners));
            corners += self.lines[*index].points.len();
        }
        gradient.points = vec![[0.0; 2]; corners];
        let mut scratch = Scratch::new();
        let top = band * TILE;
        for left in (0..self.width).step_by(TILE) {
            let kept = scratch.lay(self, &near, left, top, true);
            if kept == 0 {
                continue;
            }
            let mut light = [[0.0; AREA]; 3];
            let mut coverage = [0.0; AREA];
            for row in 0..TILE.min(self.height - top) {
                for column in 0..TILE.min(self.width - left) {
                    let (g, c) = take(top + row, left + column);
                    let pixel = row * TILE + column;
                    coverage[pixel] = c;
                    for channel in 0..3 {
                        light[channel][pixel] = g[channel];
                    }
                }
            }
            self.tile_backward(&scratch, kept, (left, top), &mut light, &coverage, &mut gradient);
        }
        gradient
    }

    fn tile_backward(
        &self,
        scratch: &Scratch,
        kept: usize,
        (left, top): (usize, usize),
        light: &mut [[f32; AREA]; 3],
        coverage: &[f32; AREA],
        gradient: &mut BandGradient,
    ) {
        let mut end = kept;
        let mut to_passage = [[0.0; AREA]; 3];
        for pass in (0..self.limits.len()).rev() {
            let begin = scratch.covers[..end].partition_point(|cover| self.lines[cover.line].pass < pass);
            if begin == end {
                continue;
            }
            let passage = &scratch.passages[pass];
            for channel in 0..3 {
                let limit = self.limits[pass][channel];
                for pixel in 0..AREA {
                    let before = scratch.papers[pass][channel][pixel];
                    // Times P already: the factor of one line is then divided out.
                    to_passage[channel][pixel] =
                        light[channel][pixel] * (before - limit) * passage[channel][pixel];
                    light[channel][pixel] *= passage[channel][pixel];
                }
            }
            for cover in &scratch.covers[begin..end] {
                let line = &self.lines[cover.line];
                let start = gradient.lines[cover.place].1;
                let points = &mut gradient.points[start..start + line.points.len()];
                let strength = &mut gradient.strength[cover.place];
                for pixel in 0..AREA {
                    let c = cover.coverage[pixel];
                    if c <= 0.0 {
                        continue;
                    }
                    let mut to_coverage = coverage[pixel];
                    for channel in 0..3 {
                        let k = line.strength[channel];
                        let share = to_passage[channel][pixel] / (1.0 - c * k);
                        to_coverage -= k * share;
                        strength[channel] -= c * share;
                    }
                    let at = [(left + pixel % TILE) as f32 + 0.5, (top + pixel / TILE) as f32 + 0.5];
                    cover.push(self, pixel, at, to_coverage, points);
                }
            }
            end = begin;
        }
    }
}
