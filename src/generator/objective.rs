//! What a drawing should do: excite a neuron from every near view, with little ink, no strokes on strokes and no knots.

use candle_core::{D, Tensor};

use super::augment::View;
use super::network::{Network, Neuron};
use super::rasterizer::encode;
use super::settings::Settings;
use super::{Canvas, Error, Picture};
use crate::drawing::Page;

/// Weights of the terms beside the excitation, for excitations of about 20.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Weights {
    /// Of the mean coverage above 1: strokes on strokes.
    pub overlap: f64,
    /// Of the mean coverage. It counts every pen alike: by darkness, pale pens would win and hardly be seen.
    pub ink: f64,
    /// Of hooks, knots and uneven control legs, a stroke.
    pub shape: f64,
    /// Of control points nearer than 4 px to the edge of the drawable area.
    pub margin: f64,
}

impl Default for Weights {
    fn default() -> Self {
        Self { overlap: 100.0, ink: 60.0, shape: 3.0, margin: 1.0 }
    }
}

/// One term of the loss.
#[derive(Debug, Clone, PartialEq)]
pub struct Term {
    /// A word, for logs.
    pub name: String,
    /// What was measured.
    pub value: f32,
    /// Its weight in the loss; below 0 for what is made large.
    pub weight: f64,
}

/// The terms of one step.
pub(super) struct Terms {
    /// Mean of the channel over the view.
    pub(super) excitation: f32,
    /// What is made small; a scalar.
    pub(super) loss: Tensor,
    /// What it is the sum of.
    pub(super) parts: Vec<Term>,
}

/// A loss in the making.
#[derive(Default)]
struct Sum {
    loss: Option<Tensor>,
    parts: Vec<Term>,
}

impl Sum {
    /// Adds `weight` times a scalar.
    fn add(&mut self, name: &str, value: &Tensor, weight: f64) -> Result<(), Error> {
        self.parts.push(Term { name: name.into(), value: value.to_scalar()?, weight });
        let part = (value * weight)?;
        self.loss = Some(match self.loss.take() {
            Some(loss) => (loss + part)?,
            None => part,
        });
        Ok(())
    }
}

/// An objective on a canvas.
#[derive(Debug)]
pub(super) struct Objective {
    network: Network,
    neuron: Neuron,
    weights: Weights,
    /// Left, top, right and bottom of the drawable area; px.
    pub(super) inside: [f32; 4],
}

impl Objective {
    /// The objective of `settings`; `inside`: left, top, right and bottom of the drawable area, px.
    pub(super) fn new(settings: &Settings, inside: [f32; 4]) -> Result<Self, Error> {
        let network = Network::load(settings.neuron.net())?;
        Ok(Self { network, neuron: settings.neuron, weights: settings.weights, inside })
    }

    /// The terms for a picture [4, H, W] of cubics `points` [N, 4, 2], seen once by `view`.
    pub(super) fn terms(&self, picture: &Tensor, points: &Tensor, view: View) -> Result<Terms, Error> {
        let rgb = picture.narrow(0, 0, 3)?;
        let excitation = self.mean(&view.see(&rgb)?)?;
        let coverage = picture.narrow(0, 3, 1)?;
        let weights = &self.weights;
        let mut sum = Sum::default();
        sum.add("overlap", &(&coverage - 1.0)?.relu()?.mean_all()?, weights.overlap)?;
        sum.add("ink", &coverage.mean_all()?, weights.ink)?;
        sum.add("excitation", &excitation, -1.0)?;
        sum.add("shape", &shape(points)?, weights.shape)?;
        sum.add("margin", &self.margin(points)?, weights.margin)?;
        let loss = sum.loss.expect("terms were added");
        Ok(Terms { excitation: excitation.to_scalar()?, loss, parts: sum.parts })
    }

    /// Mean of the channel over pictures [B, 3, H, W], sRGB.
    pub(super) fn excitation(&self, rgb: &Tensor) -> Result<f32, Error> {
        let layers = self.network.forward(rgb, &[self.neuron.layer()])?;
        Ok(layers[0].narrow(1, self.neuron.channel(), 1)?.mean_all()?.to_scalar()?)
    }

    /// Mean of the channel over a picture [3, H, W], sRGB; a scalar.
    fn mean(&self, rgb: &Tensor) -> Result<Tensor, Error> {
        let layers = self.network.forward(&rgb.unsqueeze(0)?, &[self.neuron.layer()])?;
        Ok(layers[0].narrow(1, self.neuron.channel(), 1)?.mean_all()?)
    }

    /// Squared depth of the control points in the outermost 4 px; mean.
    fn margin(&self, points: &Tensor) -> Result<Tensor, Error> {
        let [left, top, right, bottom] = self.inside;
        let edge = |x: f32, y: f32| Tensor::from_slice(&[x, y], (1, 1, 2), points.device());
        let before = edge(left + 4.0, top + 4.0)?.broadcast_sub(points)?.relu()?.sqr()?;
        let after = points.broadcast_sub(&edge(right - 4.0, bottom - 4.0)?)?.relu()?.sqr()?;
        Ok((before + after)?.mean_all()?)
    }
}

/// How bad the control polygons [N, 4, 2] are, mean over strokes: turns beyond a right angle and a bit (hooks), legs
/// of uneven length (cusps), strokes shorter than 14 px (knots).
fn shape(points: &Tensor) -> Result<Tensor, Error> {
    let legs = (points.narrow(1, 1, 3)? - points.narrow(1, 0, 3)?)?;
    let lengths = (legs.sqr()?.sum(D::Minus1)? + 0.01)?.sqrt()?;
    let directions = legs.broadcast_div(&lengths.unsqueeze(D::Minus1)?)?;
    let cosines = (directions.narrow(1, 0, 2)? * directions.narrow(1, 1, 2)?)?.sum(D::Minus1)?;
    let hooks = (0.1 - cosines)?.relu()?.sqr()?.sum(D::Minus1)?;
    let total = lengths.sum_keepdim(D::Minus1)?;
    let uneven = ((lengths.broadcast_div(&total)? * 3.0)? - 1.0)?.sqr()?.sum(D::Minus1)?;
    let short = (1.0 - (total.squeeze(D::Minus1)? / 14.0)?)?.relu()?.sqr()?;
    Ok(((hooks + (uneven * 0.5)?)? + (short * 4.0)?)?.mean_all()?)
}

/// The excitation of any picture of the whole page, such as the simulated ink: averaged to the canvas of `settings`,
/// and judged exactly as the generator judges its own.
///
/// # Errors
/// When the settings have no drawable area, or the network fails.
pub fn excitation_of(picture: &Picture, settings: &Settings) -> Result<f32, Error> {
    let canvas = settings.canvas()?;
    let objective = Objective::new(settings, [0.0; 4])?;
    let rgb = resample(picture, settings.page, &canvas);
    let rgb = Tensor::from_vec(rgb, (3, canvas.height_px, canvas.width_px), &candle_core::Device::Cpu)?;
    objective.excitation(&rgb.unsqueeze(0)?)
}

/// Area averages in linear light, white off the page; sRGB planes [3, H, W].
pub(super) fn resample(picture: &Picture, page: Page, canvas: &Canvas) -> Vec<f32> {
    let columns = spans(canvas.width_px, canvas.area.x0, canvas.px_per_mm, picture.width_px, page.width);
    let rows = spans(canvas.height_px, canvas.area.y0, canvas.px_per_mm, picture.height_px, page.height);
    let plane = canvas.width_px * canvas.height_px;
    let mut rgb = vec![0.0; 3 * plane];
    for (y, row) in rows.iter().enumerate() {
        for (x, column) in columns.iter().enumerate() {
            let mut missing = [0.0_f32; 3];
            for (py, wy) in row {
                for (px, wx) in column {
                    let light = picture.rgb[py * picture.width_px + px];
                    for channel in 0..3 {
                        missing[channel] += wy * wx * (1.0 - light[channel]);
                    }
                }
            }
            for channel in 0..3 {
                rgb[channel * plane + y * canvas.width_px + x] = encode(1.0 - missing[channel]);
            }
        }
    }
    rgb
}

/// For each canvas pixel along one axis: the picture's pixels under it and their shares of it.
fn spans(count: usize, origin: f64, px_per_mm: f64, pixels: usize, page: f64) -> Vec<Vec<(usize, f32)>> {
    let scale = pixels as f64 / page;
    let at = |i: usize| (origin + i as f64 / px_per_mm) * scale;
    (0..count)
        .map(|i| {
            let (from, to) = (at(i), at(i + 1));
            let (first, last) =
                (from.floor().max(0.0) as usize, to.ceil().clamp(0.0, pixels as f64) as usize);
            let share = |p: usize| (to.min(p as f64 + 1.0) - from.max(p as f64)).max(0.0) / (to - from);
            (first..last).map(|p| (p, share(p) as f32)).collect()
        })
        .collect()
}
