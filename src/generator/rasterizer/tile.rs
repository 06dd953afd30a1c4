//! Lines on a tile of pixels: distance, coverage, passes; and all of it backward.
//!
//! Symbols: `x` a pixel's center, `d` its distance to a line (the least over the pieces), `h` half the line's
//! width, `s` softness; px. Coverage is `c = share · smoothstep((h - d)/s + 1/2)`. A line is a union: where it
//! crosses itself it inks once. Only the nearest piece gets a gradient (envelope theorem): with `q = a + u (b - a)`
//! nearest to `x` and `n = (x - q)/d`, `∂d/∂a = -(1 - u) n` and `∂d/∂b = -u n`.
//!
//! All loops run over whole rows of a tile, so that they become vector instructions; sums over a row keep one sum a
//! column, so that the bytes do not depend on how wide the machine's vectors are.

use std::ops::Range;

use super::cover::{Cover, row_mut, row_of, total};
use crate::vectors::vectored;

/// Edge of a tile; px.
pub(in super::super) const TILE: usize = 16;
pub(super) const AREA: usize = TILE * TILE;
/// Half a tile's diagonal, from its first pixel's center to its last one's; px.
const HALF_DIAGONAL: f32 = 10.7;

/// A value for each pixel of a tile, row by row.
pub(in super::super) type Plane = [f32; AREA];
/// Red, green, blue.
pub(in super::super) type Light = [Plane; 3];

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
}

impl Line {
    /// Half width and share of a line `width` px wide: one narrower than a pixel is a pale pixel-wide one.
    pub(super) fn profile(width: f32) -> (f32, f32) {
        if width < 1.0 { (0.5, width) } else { (0.5 * width, 1.0) }
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

/// Which lines may touch each tile, in pass order.
#[derive(Debug)]
pub(super) struct Index {
    /// Where each tile's lines begin in `lines`; one more at the end.
    starts: Vec<usize>,
    lines: Vec<usize>,
}

impl Index {
    pub(super) fn of(&self, tile: usize) -> &[usize] {
        &self.lines[self.starts[tile]..self.starts[tile + 1]]
    }
}

/// A painted tile.
#[derive(Debug)]
pub(in super::super) struct Tile<'a> {
    /// Column of its first pixel.
    pub(in super::super) left: usize,
    /// Row of its first pixel.
    pub(in super::super) top: usize,
    /// Columns that are in the picture; the others hold ink too.
    pub(in super::super) columns: usize,
    /// Rows that are in the picture.
    pub(in super::super) rows: usize,
    /// Linear light.
    pub(in super::super) light: &'a Light,
    /// Sum of all lines' coverage.
    pub(in super::super) coverage: &'a Plane,
}

/// What a loss sends back to a tile; zero where it was not set.
#[derive(Debug)]
pub(in super::super) struct ToTile {
    /// To linear light.
    pub(in super::super) light: Light,
    /// To summed coverage.
    pub(in super::super) coverage: Plane,
}

/// Gradients of the lines that touch one band of tiles, in the order of the band's list.
#[derive(Debug, Default)]
pub(super) struct BandGradient {
    /// Index of each line, and where its corners begin in `points`.
    pub(super) lines: Vec<(usize, usize)>,
    pub(super) points: Vec<[f32; 2]>,
    /// One a line.
    pub(super) strength: Vec<[f32; 3]>,
    /// Sum of what the tiles' losses returned.
    pub(super) loss: f64,
}

/// Buffers of one band; kept from tile to tile.
struct Scratch {
    covers: Vec<Cover>,
    /// Paper before each pass, and after the last.
    papers: Vec<Light>,
    /// Passage of each pass.
    passages: Vec<Light>,
    coverage: Plane,
}

impl Scratch {
    fn new() -> Self {
        Self { covers: Vec::new(), papers: Vec::new(), passages: Vec::new(), coverage: [0.0; AREA] }
    }

    /// Lays `lines` (in pass order) on the tile at (`left`, `top`); with `keep`, remembers every line's coverage (else
    /// only the last one's). Returns how many covers are kept.
    #[inline(always)]
    fn lay(&mut self, scene: &Scene, lines: &[usize], left: usize, top: usize, keep: bool) -> usize {
        let passes = scene.limits.len();
        self.papers.resize(passes + 1, [[1.0; AREA]; 3]);
        self.passages.resize(passes, [[1.0; AREA]; 3]);
        self.papers[0] = [[1.0; AREA]; 3];
        self.coverage = [0.0; AREA];
        let (mut kept, mut next) = (0, 0);
        for pass in 0..passes {
            let mut inked = false;
            while next < lines.len() && scene.lines[lines[next]].pass == pass {
                let index = lines[next];
                next += 1;
                if self.covers.len() <= kept {
                    self.covers.push(Cover::new());
                }
                let cover = &mut self.covers[kept];
                if !cover.fill(scene, index, left, top) {
                    continue;
                }
                if !inked {
                    self.passages[pass] = [[1.0; AREA]; 3];
                    inked = true;
                }
                let k = scene.lines[index].strength;
                for row in cover.rows.clone() {
                    let coverage = *row_of(&cover.coverage, row);
                    for (k, passage) in k.iter().zip(&mut self.passages[pass]) {
                        let mut passed = *row_of(passage, row);
                        for column in 0..TILE {
                            passed[column] *= 1.0 - coverage[column] * k;
                        }
                        *row_mut(passage, row) = passed;
                    }
                    let mut sum = *row_of(&self.coverage, row);
                    for column in 0..TILE {
                        sum[column] += coverage[column];
                    }
                    *row_mut(&mut self.coverage, row) = sum;
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
                    for row in 0..TILE {
                        let passed = *row_of(&self.passages[pass][channel], row);
                        let mut light = *row_of(&before[channel], row);
                        for column in 0..TILE {
                            light[column] = limit + (light[column] - limit) * passed[column];
                        }
                        *row_mut(&mut after[channel], row) = light;
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

    /// How many tiles a band has.
    pub(super) fn columns(&self) -> usize {
        self.width.div_ceil(TILE)
    }

    /// Calls `mark(tile)` for each tile that a line may touch, some of them more than once.
    fn near(&self, line: &Line, mut mark: impl FnMut(usize)) {
        let far = line.half + 0.5 * self.softness;
        let tiles = |low: f32, high: f32, count: usize| {
            let from = ((low - far) / TILE as f32).floor().max(0.0) as usize;
            let to = ((high + far) / TILE as f32).floor();
            from..if to >= 0.0 { (to as usize + 1).min(count) } else { 0 }
        };
        let apart = (far + HALF_DIAGONAL) * (far + HALF_DIAGONAL);
        for pair in self.points[line.points.clone()].windows(2) {
            let (a, b) = (pair[0], pair[1]);
            let (dx, dy) = (b[0] - a[0], b[1] - a[1]);
            let scale = 1.0 / (dx * dx + dy * dy).max(1e-12);
            for row in tiles(a[1].min(b[1]), a[1].max(b[1]), self.bands()) {
                for column in tiles(a[0].min(b[0]), a[0].max(b[0]), self.columns()) {
                    let middle = |tile: usize| (tile as f32 + 0.5) * TILE as f32;
                    let (qx, qy) = (middle(column) - a[0], middle(row) - a[1]);
                    let u = ((qx * dx + qy * dy) * scale).clamp(0.0, 1.0);
                    let (ex, ey) = (qx - u * dx, qy - u * dy);
                    if ex * ex + ey * ey <= apart {
                        mark(row * self.columns() + column);
                    }
                }
            }
        }
    }

    /// The lines of each tile.
    pub(super) fn index(&self) -> Index {
        let count = self.bands() * self.columns();
        let mut seen = vec![usize::MAX; count];
        let mut starts = vec![0; count + 1];
        let mut pairs = Vec::with_capacity(8 * self.lines.len());
        for (index, line) in self.lines.iter().enumerate() {
            self.near(line, |tile| {
                if seen[tile] != index {
                    seen[tile] = index;
                    starts[tile + 1] += 1;
                    pairs.push((tile, index));
                }
            });
        }
        for tile in 0..count {
            starts[tile + 1] += starts[tile];
        }
        let mut next = starts.clone();
        let mut lines = vec![0; pairs.len()];
        for (tile, index) in pairs {
            lines[next[tile]] = index;
            next[tile] += 1;
        }
        Index { starts, lines }
    }

    /// The tiles that line `index` may touch, in order.
    pub(super) fn tiles_of(&self, index: usize) -> Vec<usize> {
        let mut tiles = Vec::new();
        self.near(&self.lines[index], |tile| tiles.push(tile));
        tiles.sort_unstable();
        tiles.dedup();
        tiles
    }

    /// What one line covers: pixels, row by row in each tile, and coverages.
    pub(super) fn alone(&self, index: usize) -> Vec<(usize, f32)> {
        let mut covered = Vec::new();
        let mut cover = Cover::new();
        for tile in self.tiles_of(index) {
            let (left, top) = self.corner(tile);
            if !cover.fill(self, index, left, top) {
                continue;
            }
            for row in cover.rows.clone().take_while(|row| top + row < self.height) {
                for (column, c) in row_of(&cover.coverage, row).iter().enumerate() {
                    if *c > 0.0 && left + column < self.width {
                        covered.push(((top + row) * self.width + left + column, *c));
                    }
                }
            }
        }
        covered
    }

    fn corner(&self, tile: usize) -> (usize, usize) {
        (tile % self.columns() * TILE, tile / self.columns() * TILE)
    }

    #[inline(always)]
    fn tile<'a>(&self, scratch: &'a Scratch, left: usize, top: usize) -> Tile<'a> {
        let (columns, rows) = (TILE.min(self.width - left), TILE.min(self.height - top));
        let light = &scratch.papers[self.limits.len()];
        Tile { left, top, columns, rows, light, coverage: &scratch.coverage }
    }

    /// Paints a band: `put` is given each tile.
    pub(super) fn paint(&self, index: &Index, band: usize, mut put: impl FnMut(&Tile<'_>)) {
        vectored(
            #[inline(always)]
            || {
                let mut scratch = Scratch::new();
                for column in 0..self.columns() {
                    let (left, top) = (column * TILE, band * TILE);
                    scratch.lay(self, index.of(band * self.columns() + column), left, top, false);
                    put(&self.tile(&scratch, left, top));
                }
            },
        );
    }

    /// The loss of some tiles on which other lines lie; `tiles`: each with its lines in pass order.
    pub(super) fn judge(&self, tiles: &[(usize, Vec<usize>)], see: impl Fn(&Tile<'_>) -> f64) -> f64 {
        vectored(
            #[inline(always)]
            || {
                let mut scratch = Scratch::new();
                let mut sum = 0.0;
                for (tile, lines) in tiles {
                    let (left, top) = self.corner(*tile);
                    scratch.lay(self, lines, left, top, false);
                    sum += see(&self.tile(&scratch, left, top));
                }
                sum
            },
        )
    }

    /// The band's share of the gradients; `see` gives the loss of a tile and its gradients.
    pub(super) fn paint_backward(
        &self,
        index: &Index,
        band: usize,
        see: impl Fn(&Tile<'_>, &mut ToTile) -> f64,
    ) -> BandGradient {
        vectored(
            #[inline(always)]
            || self.band_backward(index, band, &see),
        )
    }

    #[inline(always)]
    fn band_backward(
        &self,
        index: &Index,
        band: usize,
        see: &impl Fn(&Tile<'_>, &mut ToTile) -> f64,
    ) -> BandGradient {
        let tiles = band * self.columns()..(band + 1) * self.columns();
        let mut gradient = BandGradient::default();
        let mut places = vec![usize::MAX; self.lines.len()];
        let mut corners = 0;
        for line in tiles.clone().flat_map(|tile| index.of(tile)) {
            if places[*line] == usize::MAX {
                places[*line] = gradient.lines.len();
                gradient.lines.push((*line, corners));
                corners += self.lines[*line].points.len();
            }
        }
        gradient.strength = vec![[0.0; 3]; gradient.lines.len()];
        gradient.points = vec![[0.0; 2]; corners];
        let mut scratch = Scratch::new();
        let mut to_tile = ToTile { light: [[0.0; AREA]; 3], coverage: [0.0; AREA] };
        for tile in tiles {
            let (left, top) = self.corner(tile);
            let kept = scratch.lay(self, index.of(tile), left, top, true);
            to_tile.light = [[0.0; AREA]; 3];
            to_tile.coverage = [0.0; AREA];
            gradient.loss += see(&self.tile(&scratch, left, top), &mut to_tile);
            if kept > 0 {
                self.tile_backward(&scratch, kept, (left, top), &mut to_tile, &places, &mut gradient);
            }
        }
        gradient
    }

    #[inline(always)]
    fn tile_backward(
        &self,
        scratch: &Scratch,
        kept: usize,
        corner: (usize, usize),
        to_tile: &mut ToTile,
        places: &[usize],
        gradient: &mut BandGradient,
    ) {
        let mut end = kept;
        let mut to_passage = [[0.0; AREA]; 3];
        let mut to_coverage = [0.0; AREA];
        let mut weights = [0.0; AREA];
        for pass in (0..self.limits.len()).rev() {
            let begin = scratch.covers[..end].partition_point(|cover| self.lines[cover.line].pass < pass);
            if begin == end {
                continue;
            }
            let passage = &scratch.passages[pass];
            for channel in 0..3 {
                let limit = self.limits[pass][channel];
                for row in 0..TILE {
                    let before = *row_of(&scratch.papers[pass][channel], row);
                    let passed = *row_of(&passage[channel], row);
                    let mut light = *row_of(&to_tile.light[channel], row);
                    let mut own = [0.0; TILE];
                    for column in 0..TILE {
                        // Times P already: the factor of one line is then divided out.
                        own[column] = light[column] * (before[column] - limit) * passed[column];
                        light[column] *= passed[column];
                    }
                    *row_mut(&mut to_passage[channel], row) = own;
                    *row_mut(&mut to_tile.light[channel], row) = light;
                }
            }
            for cover in &scratch.covers[begin..end] {
                let line = &self.lines[cover.line];
                let place = places[cover.line];
                let start = gradient.lines[place].1;
                let mut strengths = [[0.0_f32; TILE]; 3];
                for row in cover.rows.clone() {
                    let coverage = *row_of(&cover.coverage, row);
                    let mut to_cover = *row_of(&to_tile.coverage, row);
                    for channel in 0..3 {
                        let k = line.strength[channel];
                        let to_passage = *row_of(&to_passage[channel], row);
                        let strengths = &mut strengths[channel];
                        for column in 0..TILE {
                            let c = coverage[column];
                            let share = to_passage[column] / (1.0 - c * k);
                            to_cover[column] -= k * share;
                            strengths[column] -= c * share;
                        }
                    }
                    *row_mut(&mut to_coverage, row) = to_cover;
                }
                for (sum, part) in gradient.strength[place].iter_mut().zip(&strengths) {
                    *sum += total(part);
                }
                let into = &mut gradient.points[start..start + line.points.len()];
                cover.push(self, corner, &to_coverage, &mut weights, into);
            }
            end = begin;
        }
    }
}
