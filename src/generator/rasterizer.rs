//! A differentiable picture of strokes: each is a path of joined cubics with the width of its pen's tip, laid pass by
//! pass with the pens' inks in linear light on white paper, then encoded to sRGB.
//!
//! Comes in: control points [N, n + 3, 2] of splines of n spans (canvas px; of cubics, when n is 1) and, in free color,
//! transmittances [N, 3]. Goes out: [4, H, W] = sRGB red, green, blue (0 to 1), and the summed coverage, which is above 1 where strokes lie on strokes.
//!
//! Gradients are analytic and keep no tape: the tiles are painted once more. Sums run in a fixed order (tiles of a
//! band, then bands), so the bytes do not depend on the number of threads.
//!
//! The idea of a relaxed distance profile: Mihai and Hare, "Differentiable Drawing and Sketching" (2021).

mod chains;
mod cover;
mod tile;

#[cfg(test)]
mod tests;

use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

use super::spline::Spline;
use super::tensors::slice;
pub(super) use chains::{Chain, Chains, Trial};
use cover::row_of;
use tile::{BandGradient, Line, Scene};
pub(super) use tile::{TILE, Tile, ToTile};
use traceur_core::color::Ink;

/// Greatest distance between a cubic and its pieces (Wang's bound); px.
const FLATNESS_PX: f32 = 0.06;
/// Greatest number of pieces of a cubic.
const MOST_PIECES: usize = 20;

/// Strokes with fixed widths and passes, ready to be drawn at any control points.
#[derive(Debug, Clone, PartialEq)]
pub struct Rasterizer {
    /// Columns.
    pub width_px: usize,
    /// Rows.
    pub height_px: usize,
    /// Width of the edge between ink and paper; px. Softer edges carry gradients further.
    pub softness_px: f32,
    /// Width of each stroke; px.
    pub widths_px: Vec<f32>,
    /// Inks, first pass first.
    pub inks: Vec<Ink>,
    /// The pass of each stroke: an index into `inks`.
    pub pass_of: Vec<usize>,
}

impl Rasterizer {
    /// The picture [4, H, W] of clamped uniform cubic B-splines by control points [N, n + 3, 2] (px; n: 1 to 6 spans), each with
    /// its pen's ink. Of four points, a stroke is the Bézier cubic.
    ///
    /// # Errors
    /// candle's, when the shape or the type (f32) is another.
    pub fn draw(&self, points: &Tensor) -> Result<Tensor> {
        points.contiguous()?.apply_op1(FixedInk(self.clone()))
    }

    /// The same with a color of its own for each stroke: `transmittances` [N, 3], the linear light of one line on
    /// white paper, between 0.002 and 0.998. All strokes are transparent, so order does not matter.
    ///
    /// # Errors
    /// candle's, when a shape or a type (f32) is another.
    pub fn draw_free(&self, points: &Tensor, transmittances: &Tensor) -> Result<Tensor> {
        points.contiguous()?.apply_op2(&transmittances.contiguous()?, FreeInk(self.clone()))
    }

    /// What each stroke covers by itself: pixels (row by row) and coverages.
    ///
    /// # Errors
    /// When `points` (n + 3 x, y pairs a stroke) are too few or too many.
    pub(super) fn coverages(&self, points: &[f32]) -> Result<Vec<Vec<(usize, f32)>>> {
        let (scene, order) = self.scene(points, None)?;
        let covered: Vec<Vec<(usize, f32)>> =
            (0..scene.lines.len()).into_par_iter().map(|line| scene.alone(line)).collect();
        let mut by_stroke = vec![Vec::new(); order.len()];
        for (stroke, covered) in order.into_iter().zip(covered) {
            by_stroke[stroke] = covered;
        }
        Ok(by_stroke)
    }

    fn scene(&self, points: &[f32], transmittances: Option<&[f32]>) -> Result<(Scene, Vec<usize>)> {
        let count = self.widths_px.len();
        let spline = Spline::of(points.len(), count);
        let Some(spline) = spline.filter(|_| transmittances.is_none_or(|t| t.len() == 3 * count)) else {
            candle_core::bail!("{} coordinates do not make {count} strokes", points.len());
        };
        let each = spline.each();
        let mut order: Vec<usize> = (0..count).collect();
        let limits = if transmittances.is_some() {
            vec![[0.0; 3]]
        } else {
            order.sort_by_key(|stroke| self.pass_of[*stroke]);
            self.inks.iter().map(|ink| ink.limit).collect()
        };
        let mut scene = Scene {
            width: self.width_px,
            height: self.height_px,
            softness: self.softness_px,
            points: Vec::with_capacity((each + 2) * count),
            lines: Vec::with_capacity(count),
            limits,
        };
        for stroke in &order {
            let (pass, strength) = match transmittances {
                Some(t) => (0, std::array::from_fn(|channel| 1.0 - t[3 * stroke + channel])),
                None => (self.pass_of[*stroke], self.inks[self.pass_of[*stroke]].strength),
            };
            let width = self.widths_px[*stroke];
            let beziers = spline.beziers(&points[each * stroke..each * (stroke + 1)]);
            push_line(&mut scene, &beziers, width, strength, pass);
        }
        Ok((scene, order))
    }

    fn forward(&self, scene: &Scene) -> (CpuStorage, Shape) {
        let (width, height) = (self.width_px, self.height_px);
        let mut picture = vec![0.0_f32; 4 * width * height];
        let mut planes = picture.chunks_mut(width * height);
        let mut bands = || planes.next().unwrap_or_default().par_chunks_mut(TILE * width);
        let (red, green, blue, sum) = (bands(), bands(), bands(), bands());
        let index = scene.index();
        (red, green, blue, sum).into_par_iter().enumerate().for_each(|(band, (red, green, blue, sum))| {
            scene.paint(
                &index,
                band,
                #[inline(always)]
                |tile| {
                    for row in 0..tile.rows {
                        let to = row * width + tile.left..row * width + tile.left + tile.columns;
                        let from = row * TILE..row * TILE + tile.columns;
                        let planes = [&mut *red, &mut *green, &mut *blue];
                        for (plane, light) in planes.into_iter().zip(tile.light) {
                            let light = *row_of(light, row);
                            let mut coded = [0.0; TILE];
                            for column in 0..TILE {
                                coded[column] = encode(light[column]);
                            }
                            plane[to.clone()].copy_from_slice(&coded[..tile.columns]);
                        }
                        sum[to].copy_from_slice(&tile.coverage[from]);
                    }
                },
            );
        });
        (CpuStorage::F32(picture), Shape::from((4, height, width)))
    }

    /// Gradients of the control points [N, n + 3, 2] and of the strengths `k` [N, 3].
    fn backward(
        &self,
        (scene, order): &(Scene, Vec<usize>),
        points: &[f32],
        picture: &[f32],
        to_picture: &[f32],
    ) -> (Vec<f32>, Vec<f32>) {
        let index = scene.index();
        let band = |band| {
            scene.paint_backward(
                &index,
                band,
                #[inline(always)]
                |tile, to| {
                    self.to_tile(tile, picture, to_picture, to);
                    0.0
                },
            )
        };
        let bands: Vec<BandGradient> = (0..scene.bands()).into_par_iter().map(band).collect();
        let mut strengths = vec![0.0_f32; 3 * order.len()];
        for band in &bands {
            for ((line, _), strength) in band.lines.iter().zip(&band.strength) {
                for (channel, part) in strength.iter().enumerate() {
                    strengths[3 * order[*line] + channel] += part;
                }
            }
        }
        let corners = to_corners(scene, &bands);
        let mut controls = vec![0.0_f32; points.len()];
        let spline = Spline::of(points.len(), order.len()).expect("the scene was made of these points");
        let each = spline.each();
        for (line, stroke) in scene.lines.iter().zip(order) {
            let own = each * stroke..each * (stroke + 1);
            let beziers = spline.beziers(&points[own.clone()]);
            let mut gradient = vec![0.0; beziers.len()];
            to_controls(&beziers, &corners[line.points.clone()], &mut gradient);
            spline.pull_back(&gradient, &mut controls[own]);
        }
        (controls, strengths)
    }

    /// From the gradient of the picture to that of a tile's light and coverage.
    #[inline(always)]
    fn to_tile(&self, tile: &Tile<'_>, picture: &[f32], to_picture: &[f32], to: &mut ToTile) {
        let plane = self.width_px * self.height_px;
        for row in 0..tile.rows {
            let at = (tile.top + row) * self.width_px + tile.left;
            let pixels = row * TILE..row * TILE + tile.columns;
            for channel in 0..3 {
                let from = channel * plane + at..channel * plane + at + tile.columns;
                let light = &tile.light[channel][pixels.clone()];
                let values = to_picture[from.clone()].iter().zip(&picture[from]).zip(light);
                for (to, ((g, srgb), light)) in to.light[channel][pixels.clone()].iter_mut().zip(values) {
                    *to = g * encode_slope(*srgb, *light);
                }
            }
            let from = 3 * plane + at..3 * plane + at + tile.columns;
            to.coverage[pixels].copy_from_slice(&to_picture[from]);
        }
    }
}

/// Adds a line of joined cubics: `controls` holds the x and y of 3 n + 1 points.
fn push_line(scene: &mut Scene, controls: &[f32], width_px: f32, strength: [f32; 3], pass: usize) {
    let from = scene.points.len();
    for (index, cubic) in cubics(controls).enumerate() {
        // The next cubic begins where the last one ended.
        let corners = bernstein(pieces(&cubic)).map(|weights| at(&cubic, weights));
        scene.points.extend(corners.skip(usize::from(index > 0)));
    }
    let (half, share) = Line::profile(width_px);
    scene.lines.push(Line { points: from..scene.points.len(), half, share, strength, pass });
}

/// The joined cubics of 3 n + 1 points.
fn cubics(controls: &[f32]) -> impl Iterator<Item = [[f32; 2]; 4]> + '_ {
    (0..controls.len() / 6).map(|index| cubic(&controls[6 * index..6 * index + 8]))
}

/// Sum over the bands of the gradients of all corners.
fn to_corners(scene: &Scene, bands: &[BandGradient]) -> Vec<[f32; 2]> {
    let mut corners = vec![[0.0_f32; 2]; scene.points.len()];
    for band in bands {
        for (line, from) in &band.lines {
            let range = scene.lines[*line].points.clone();
            for (sum, part) in corners[range].iter_mut().zip(&band.points[*from..]) {
                sum[0] += part[0];
                sum[1] += part[1];
            }
        }
    }
    corners
}

/// Adds the gradients of a line's corners to those of its control points.
fn to_controls(controls: &[f32], corners: &[[f32; 2]], into: &mut [f32]) {
    let mut first = 0;
    for (index, cubic) in cubics(controls).enumerate() {
        let pieces = pieces(&cubic);
        let into = &mut into[6 * index..6 * index + 8];
        // A corner that two cubics share is the last of one: it is counted there only.
        let skip = usize::from(index > 0);
        for (weights, g) in bernstein(pieces).zip(&corners[first..]).skip(skip) {
            for (control, weight) in into.chunks_exact_mut(2).zip(weights) {
                control[0] += weight * g[0];
                control[1] += weight * g[1];
            }
        }
        first += pieces;
    }
}

/// The polylines of one pass, px.
pub(super) struct Polylines {
    pub(super) ink: Ink,
    /// Width of the lines; px.
    pub(super) width_px: f32,
    pub(super) lines: Vec<Vec<[f32; 2]>>,
}

/// Linear-light picture of polylines, pass by pass; see [`super::picture`].
pub(super) fn paint_polylines(
    (width, height): (usize, usize),
    softness_px: f32,
    passes: &[Polylines],
) -> Vec<[f32; 3]> {
    let mut scene = Scene {
        width,
        height,
        softness: softness_px,
        points: Vec::new(),
        lines: Vec::new(),
        limits: passes.iter().map(|pass| pass.ink.limit).collect(),
    };
    for (pass, Polylines { ink, width_px, lines }) in passes.iter().enumerate() {
        let (half, share) = Line::profile(*width_px);
        for line in lines {
            let from = scene.points.len();
            scene.points.extend_from_slice(line);
            scene.lines.push(Line {
                points: from..scene.points.len(),
                half,
                share,
                strength: ink.strength,
                pass,
            });
        }
    }
    let mut rgb = vec![[1.0_f32; 3]; width * height];
    let index = scene.index();
    rgb.par_chunks_mut(TILE * width).enumerate().for_each(|(band, pixels)| {
        scene.paint(&index, band, |tile| {
            for row in 0..tile.rows {
                for column in 0..tile.columns {
                    let pixel = row * TILE + column;
                    pixels[row * width + tile.left + column] =
                        tile.light.each_ref().map(|plane| plane[pixel]);
                }
            }
        });
    });
    rgb
}

struct FixedInk(Rasterizer);

impl CustomOp1 for FixedInk {
    fn name(&self) -> &'static str {
        "rasterize"
    }

    fn cpu_fwd(&self, points: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        Ok(self.0.forward(&self.0.scene(slice(points, layout)?, None)?.0))
    }

    fn bwd(&self, points: &Tensor, picture: &Tensor, to_picture: &Tensor) -> Result<Option<Tensor>> {
        let values = values(points)?;
        let scene = self.0.scene(&values, None)?;
        let (to_points, _) =
            self.0.backward(&scene, &values, &self::values(picture)?, &self::values(to_picture)?);
        Ok(Some(Tensor::from_vec(to_points, points.shape(), points.device())?))
    }
}

struct FreeInk(Rasterizer);

impl CustomOp2 for FreeInk {
    fn name(&self) -> &'static str {
        "rasterize-free"
    }

    fn cpu_fwd(
        &self,
        points: &CpuStorage,
        points_layout: &Layout,
        colors: &CpuStorage,
        colors_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let colors = slice(colors, colors_layout)?;
        Ok(self.0.forward(&self.0.scene(slice(points, points_layout)?, Some(colors))?.0))
    }

    fn bwd(
        &self,
        points: &Tensor,
        colors: &Tensor,
        picture: &Tensor,
        to_picture: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let values = values(points)?;
        let scene = self.0.scene(&values, Some(&self::values(colors)?))?;
        let (to_points, to_strengths) =
            self.0.backward(&scene, &values, &self::values(picture)?, &self::values(to_picture)?);
        // k = 1 - T.
        let to_colors = to_strengths.into_iter().map(|g| -g).collect();
        Ok((
            Some(Tensor::from_vec(to_points, points.shape(), points.device())?),
            Some(Tensor::from_vec::<_, f32>(to_colors, colors.shape(), colors.device())?),
        ))
    }
}

pub(super) fn values(tensor: &Tensor) -> Result<Vec<f32>> {
    tensor.flatten_all()?.to_vec1()
}

fn cubic(values: &[f32]) -> [[f32; 2]; 4] {
    std::array::from_fn(|i| [values[2 * i], values[2 * i + 1]])
}

/// How many straight pieces a cubic needs (Wang, "The subdivision method for finding the intersection between two
/// Bézier curves or surfaces", 1984).
fn pieces(cubic: &[[f32; 2]; 4]) -> usize {
    let bend = |i: usize| {
        let second = |axis: usize| cubic[i][axis] - 2.0 * cubic[i + 1][axis] + cubic[i + 2][axis];
        second(0).hypot(second(1))
    };
    let count = (0.75 * bend(0).max(bend(1)) / FLATNESS_PX).sqrt().ceil();
    // NaN becomes 0 and is clamped too.
    (count as usize).clamp(2, MOST_PIECES)
}

/// Weights of the four control points at the `pieces + 1` corners.
fn bernstein(pieces: usize) -> impl Iterator<Item = [f32; 4]> {
    (0..=pieces).map(move |i| {
        let t = i as f32 / pieces as f32;
        let v = 1.0 - t;
        [v * v * v, 3.0 * v * v * t, 3.0 * v * t * t, t * t * t]
    })
}

fn at(cubic: &[[f32; 2]; 4], weights: [f32; 4]) -> [f32; 2] {
    let axis = |axis: usize| cubic.iter().zip(weights).map(|(p, w)| p[axis] * w).sum();
    [axis(0), axis(1)]
}

/// Linear light to sRGB (IEC 61966-2-1).
#[inline(always)]
pub(super) fn encode(linear: f32) -> f32 {
    let curve = 1.055 * power(linear.clamp(0.003_130_8, 1.0), 5.0 / 12.0) - 0.055;
    if linear <= 0.003_130_8 { 12.92 * linear } else { curve.min(1.0) }
}

/// Slope of [`encode`] at `linear`, where it gives `srgb`.
#[inline(always)]
pub(super) fn encode_slope(srgb: f32, linear: f32) -> f32 {
    if srgb <= 0.040_449_9 { 12.92 } else { (srgb + 0.055) / (2.4 * linear.min(1.0)) }
}

/// `x`, 0.001 to 1, to the power of `exponent`, 0 to 2.4; the relative error is below 2e-6. Without branches, so that it
/// becomes vector instructions: the logarithm by the series of artanh, the power by that of the exponential.
#[inline(always)]
pub(super) fn power(x: f32, exponent: f32) -> f32 {
    let bits = x.to_bits();
    let mantissa = f32::from_bits((bits & 0x007f_ffff) | 0x3f80_0000);
    let is_high = mantissa > std::f32::consts::SQRT_2;
    let m = if is_high { 0.5 * mantissa } else { mantissa };
    let whole = (bits >> 23) as i32 - 127 + i32::from(is_high);
    let t = (m - 1.0) / (m + 1.0);
    let t2 = t * t;
    let series = 1.0 + t2 * (1.0 / 3.0 + t2 * (0.2 + t2 * (1.0 / 7.0 + t2 / 9.0)));
    let log2 = whole as f32 + 2.0 * std::f32::consts::LOG2_E * t * series;
    let y = log2 * exponent;
    // y is -24 to 0. What is added to 1.5 · 2²³ is rounded to a whole number, which then is in its low bits: a cast would
    // ask each number for NaN.
    const WHOLES: f32 = 12_582_912.0;
    let rounded = y + WHOLES;
    let whole = rounded - WHOLES;
    let f = (y - whole) * std::f32::consts::LN_2;
    let power =
        1.0 + f * (1.0 + f * (0.5 + f * (1.0 / 6.0 + f * (1.0 / 24.0 + f * (1.0 / 120.0 + f / 720.0)))));
    power * f32::from_bits(rounded.to_bits().wrapping_sub(WHOLES.to_bits()).wrapping_add(127) << 23)
}
