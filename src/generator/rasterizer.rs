//! A differentiable picture of strokes: each is one cubic with the width of its pen's tip, laid pass by pass with the
//! pens' inks in linear light on white paper, then encoded to sRGB.
//!
//! Comes in: control points [N, 4, 2] (canvas px) and, in free color, transmittances [N, 3]. Goes out: [4, H, W] =
//! sRGB red, green, blue (0 to 1), and the summed coverage, which is above 1 where strokes lie on strokes.
//!
//! Gradients are analytic and keep no tape: the tiles are painted once more. Sums run in a fixed order (tiles of a
//! band, then bands), so the bytes do not depend on the number of threads.
//!
//! The idea of a relaxed distance profile: Mihai and Hare, "Differentiable Drawing and Sketching" (2021).

mod tile;

#[cfg(test)]
mod tests;

use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

use crate::color::Ink;
use tile::{BandGradient, Line, Scene, TILE};

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
    /// The picture [4, H, W] of cubics `points` [N, 4, 2] (px), each with its pen's ink.
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
    /// When `points` (4 x, y pairs a stroke) are too few or too many.
    pub(super) fn coverages(&self, points: &[f32]) -> Result<Vec<Vec<(usize, f32)>>> {
        let (scene, order) = self.scene(points, None)?;
        let covered: Vec<Vec<(usize, f32)>> = scene.lines.par_iter().map(|line| scene.alone(line)).collect();
        let mut by_stroke = vec![Vec::new(); order.len()];
        for (stroke, covered) in order.into_iter().zip(covered) {
            by_stroke[stroke] = covered;
        }
        Ok(by_stroke)
    }

    fn scene(&self, points: &[f32], transmittances: Option<&[f32]>) -> Result<(Scene, Vec<usize>)> {
        let count = self.widths_px.len();
        if points.len() != 8 * count || transmittances.is_some_and(|t| t.len() != 3 * count) {
            candle_core::bail!("{} coordinates do not make {count} cubics of 4 points", points.len());
        }
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
            points: Vec::with_capacity(10 * count),
            lines: Vec::with_capacity(count),
            limits,
        };
        for stroke in &order {
            let cubic = cubic(&points[8 * stroke..8 * stroke + 8]);
            let from = scene.points.len();
            scene.points.extend(bernstein(pieces(&cubic)).map(|weights| at(&cubic, weights)));
            let (half, share) = Line::profile(self.widths_px[*stroke]);
            let (pass, strength) = match transmittances {
                Some(t) => (0, std::array::from_fn(|channel| 1.0 - t[3 * stroke + channel])),
                None => (self.pass_of[*stroke], self.inks[self.pass_of[*stroke]].strength),
            };
            let reach = Line::reach(&scene.points[from..], half, self.softness_px);
            scene.lines.push(Line { points: from..scene.points.len(), half, share, strength, pass, reach });
        }
        Ok((scene, order))
    }

    fn forward(&self, scene: &Scene) -> (CpuStorage, Shape) {
        let (width, height) = (self.width_px, self.height_px);
        let mut picture = vec![0.0_f32; 4 * width * height];
        let mut planes = picture.chunks_mut(width * height);
        let mut bands = || planes.next().unwrap_or_default().par_chunks_mut(TILE * width);
        let (red, green, blue, sum) = (bands(), bands(), bands(), bands());
        (red, green, blue, sum).into_par_iter().enumerate().for_each(|(band, (red, green, blue, sum))| {
            scene.paint(band, |row, column, light, coverage| {
                let pixel = row * width + column;
                red[pixel] = encode(light[0]);
                green[pixel] = encode(light[1]);
                blue[pixel] = encode(light[2]);
                sum[pixel] = coverage;
            });
        });
        (CpuStorage::F32(picture), Shape::from((4, height, width)))
    }

    /// Gradients of the control points [N, 4, 2] and of the strengths `k` [N, 3].
    fn backward(
        &self,
        (scene, order): &(Scene, Vec<usize>),
        points: &[f32],
        picture: &[f32],
        to_picture: &[f32],
    ) -> (Vec<f32>, Vec<f32>) {
        let plane = self.width_px * self.height_px;
        let bands: Vec<BandGradient> = (0..scene.bands())
            .into_par_iter()
            .map(|band| {
                scene.paint_backward(band, |row, column| {
                    let pixel = row * self.width_px + column;
                    let channel =
                        |i: usize| to_picture[i * plane + pixel] * encode_slope(picture[i * plane + pixel]);
                    ([channel(0), channel(1), channel(2)], to_picture[3 * plane + pixel])
                })
            })
            .collect();
        let mut corners = vec![[0.0_f32; 2]; scene.points.len()];
        let mut strengths = vec![0.0_f32; 3 * order.len()];
        for band in bands {
            for ((line, from), strength) in band.lines.iter().zip(&band.strength) {
                let range = scene.lines[*line].points.clone();
                for (sum, part) in corners[range].iter_mut().zip(&band.points[*from..]) {
                    sum[0] += part[0];
                    sum[1] += part[1];
                }
                for (channel, part) in strength.iter().enumerate() {
                    strengths[3 * order[*line] + channel] += part;
                }
            }
        }
        let mut controls = vec![0.0_f32; points.len()];
        for (line, stroke) in scene.lines.iter().zip(order) {
            let controls = &mut controls[8 * stroke..8 * stroke + 8];
            for (weights, g) in bernstein(line.points.len() - 1).zip(&corners[line.points.clone()]) {
                for (control, weight) in controls.chunks_exact_mut(2).zip(weights) {
                    control[0] += weight * g[0];
                    control[1] += weight * g[1];
                }
            }
        }
        (controls, strengths)
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
                reach: Line::reach(line, half, softness_px),
            });
        }
    }
    let mut rgb = vec![[1.0_f32; 3]; width * height];
    rgb.par_chunks_mut(TILE * width).enumerate().for_each(|(band, pixels)| {
        scene.paint(band, |row, column, light, _| pixels[row * width + column] = light);
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

pub(super) fn slice<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    let all = storage.as_slice::<f32>()?;
    match layout.contiguous_offsets() {
        Some((from, to)) => Ok(&all[from..to]),
        None => candle_core::bail!("a contiguous tensor is needed"),
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
pub(super) fn encode(linear: f32) -> f32 {
    if linear >= 1.0 {
        1.0
    } else if linear <= 0.003_130_8 {
        12.92 * linear
    } else {
        1.055 * linear.powf(1.0 / 2.4) - 0.055
    }
}

/// Slope of [`encode`] where it gives `srgb`.
fn encode_slope(srgb: f32) -> f32 {
    if srgb <= 0.040_449_9 {
        12.92
    } else {
        let base = (srgb + 0.055) / 1.055;
        1.055 / 2.4 * base / base.powf(2.4)
    }
}
