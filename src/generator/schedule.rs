//! From arcs to a drawing: free colors, then pens.
//!
//! ```text
//! arcs ─► free colors ─► k-means in Lab ─► pens ─► tuned with the pens' inks, pass by pass ─► pruned ─► Drawing
//! ```

use candle_core::{Device, Tensor, Var};
use candle_nn::optim::{AdamW, Optimizer, ParamsAdamW};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::augment::View;
use super::network::Network;
use super::objective::Objective;
use super::rasterizer::{Rasterizer, encode, values};
use super::settings::Settings;
use super::{Canvas, Error, clusters, finish};
use crate::color::Ink;
use crate::drawing::Drawing;
use crate::geometry::{Point, Rect, flatten};
use crate::pens::{Pen, PenSet};

/// Length of the arcs that a drawing begins with; px.
const ARC_PX: f64 = 24.0;
/// Area of the canvas for each stroke by default; px².
const AREA_PER_STROKE: f64 = 240.0;
/// Steps until the learning rate is full.
const WARM_UP: usize = 10;
/// Step of the color logits against that of the points in px.
const COLOR_STEP: f64 = 0.05;

/// A part of the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Strokes have colors of their own.
    Free,
    /// Strokes have pens.
    Tune,
}

/// Told after each step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// The part of the work.
    pub stage: Stage,
    /// Steps done, of both stages.
    pub step: usize,
    /// Steps of both stages.
    pub steps: usize,
    /// Mean of the channel over this step's view.
    pub excitation: f32,
    /// What is made small.
    pub loss: f32,
}

/// Mean of the channel over the canvas, seen straight, after each stage.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Excitation {
    /// Of the first arcs.
    pub start: f32,
    /// After the free colors.
    pub free: f32,
    /// With pens instead.
    pub snapped: f32,
    /// At the end.
    pub tuned: f32,
}

/// What one pen draws.
#[derive(Debug, Clone, PartialEq)]
pub struct PenUse {
    /// The pen's id.
    pub id: String,
    /// How many strokes.
    pub strokes: usize,
    /// Their length; mm.
    pub mm: f64,
}

/// What came out.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The strokes; every point of them is in the drawable area.
    pub drawing: Drawing,
    /// How much the neuron likes it.
    pub excitation: Excitation,
    /// The last step's.
    pub loss: f32,
    /// Share of the drawable area without ink.
    pub white: f32,
    /// One a layer.
    pub pens: Vec<PenUse>,
}

/// Makes a drawing that excites `settings.neuron`; `progress` is called after each step. The same settings give the
/// same drawing on any number of threads.
///
/// # Errors
/// Settings that leave nothing to draw on or with, and failures of the network.
pub fn generate(settings: &Settings, progress: &mut dyn FnMut(Progress)) -> Result<Outcome, Error> {
    let canvas = settings.canvas()?;
    let drawable = settings.drawable()?;
    if settings.most_pens == 0 || settings.strokes == Some(0) {
        return Err(Error::Setting("no pens or no strokes to draw with: allow one at least".into()));
    }
    let network = Network::load(settings.neuron.net())?;
    let (from, to) = (canvas.to_px(drawable.origin()), canvas.to_px(Point::new(drawable.x1, drawable.y1)));
    let inside = [from.x as f32, from.y as f32, to.x as f32, to.y as f32];
    let objective =
        Objective { network: &network, neuron: settings.neuron, weights: settings.weights, inside };
    let area = (to.x - from.x) * (to.y - from.y);
    let count = settings.strokes.unwrap_or((area / AREA_PER_STROKE).ceil() as usize);
    let mut rng = ChaCha8Rng::seed_from_u64(settings.seed);
    let first = arcs(&mut rng, count, Rect::from_points(from, to));
    let steps = settings.free_steps + settings.tune_steps;
    let mut run = Run { settings, objective, canvas, rng, steps, done: 0, progress, loss: 0.0 };
    run.all(&first, drawable)
}

/// Arcs of all directions and curvatures, spread evenly: one in each cell of a jittered grid.
fn arcs(rng: &mut ChaCha8Rng, count: usize, area: Rect) -> Vec<f32> {
    let rows = ((count as f64 * area.height() / area.width()).sqrt().round() as usize).clamp(1, count);
    let mut points = Vec::with_capacity(8 * count);
    for row in 0..rows {
        let columns = count * (row + 1) / rows - count * row / rows;
        for column in 0..columns {
            let x = area.x0 + area.width() * (column as f64 + rng.random::<f64>()) / columns as f64;
            let y = area.y0 + area.height() * (row as f64 + rng.random::<f64>()) / rows as f64;
            let turn: f64 = rng.random_range(0.3..2.2) * if rng.random() { 1.0 } else { -1.0 };
            let direction: f64 = rng.random_range(0.0..std::f64::consts::TAU);
            let radius = ARC_PX / turn;
            let handle = 4.0 / 3.0 * (turn / 4.0).tan() * radius;
            let on = |angle: f64| (radius * angle.sin(), radius * (1.0 - angle.cos()));
            let ends = [(on(-0.5 * turn), -0.5 * turn, handle), (on(0.5 * turn), 0.5 * turn, -handle)];
            let arm = |((x, y), angle, handle): ((f64, f64), f64, f64)| {
                (x + handle * f64::cos(angle), y + handle * f64::sin(angle))
            };
            let (sin, cos) = direction.sin_cos();
            for (px, py) in [ends[0].0, arm(ends[0]), arm(ends[1]), ends[1].0] {
                points.push((x + cos * px - sin * py).clamp(area.x0, area.x1) as f32);
                points.push((y + sin * px + cos * py).clamp(area.y0, area.y1) as f32);
            }
        }
    }
    points
}

struct Run<'a> {
    settings: &'a Settings,
    objective: Objective<'a>,
    canvas: Canvas,
    rng: ChaCha8Rng,
    steps: usize,
    done: usize,
    progress: &'a mut dyn FnMut(Progress),
    loss: f32,
}

impl Run<'_> {
    fn all(&mut self, first: &[f32], drawable: Rect) -> Result<Outcome, Error> {
        let settings = self.settings;
        let count = first.len() / 8;
        let points = Var::from_slice(first, (count, 4, 2), &Device::Cpu)?;
        let mut excitation = Excitation::default();
        let tips: f64 = settings.pens.iter().map(|pen| pen.tip).sum();
        let tip = tips / settings.pens.len() as f64;
        let mut rasterizer = self.rasterizer(vec![settings.candidates()[0].ink()], vec![0; count], &[tip]);

        let logits: Vec<f32> = (0..3 * count).map(|_| self.rng.random_range(-4.0..1.5)).collect();
        let logits = Var::from_vec(logits, (count, 3), &Device::Cpu)?;
        let free = |rasterizer: &Rasterizer, points: &Tensor| -> Result<Tensor, Error> {
            let colors = ((candle_nn::ops::sigmoid(&logits)? * 0.996)? + 0.002)?;
            Ok(rasterizer.draw_free(points, &colors)?)
        };
        let one_pen = settings.candidates().len() == 1;
        let first_draw = |rasterizer: &Rasterizer, points: &Tensor| -> Result<Tensor, Error> {
            if one_pen { Ok(rasterizer.draw(points)?) } else { free(rasterizer, points) }
        };
        excitation.start = self.clean(&first_draw(&rasterizer, &points)?)?;
        let colors = if one_pen { None } else { Some(&logits) };
        self.stage(Stage::Free, &mut rasterizer, &points, colors, (2.5, 1.4), &first_draw)?;
        excitation.free = self.clean(&first_draw(&rasterizer, &points)?)?;

        let (pens, pass_of) = self.pens(&rasterizer, &points, &logits)?;
        let inks: Vec<Ink> = pens.iter().map(Pen::ink).collect();
        let tips: Vec<f64> = pens.iter().map(|pen| pen.tip).collect();
        let mut rasterizer = self.rasterizer(inks, pass_of, &tips);
        let fixed = |rasterizer: &Rasterizer, points: &Tensor| Ok(rasterizer.draw(points)?);
        excitation.snapped = self.clean(&fixed(&rasterizer, &points)?)?;
        self.stage(Stage::Tune, &mut rasterizer, &points, None, (1.8, 1.0), &fixed)?;

        let kept = self.prune(&mut rasterizer, &values(&points)?)?;
        let points = Tensor::from_slice(&kept, (kept.len() / 8, 4, 2), &Device::Cpu)?;
        let picture = rasterizer.draw(&points)?;
        excitation.tuned = self.clean(&picture)?;
        let drawing =
            finish::drawing(settings.page, drawable, &self.canvas, &kept, &rasterizer.pass_of, &pens);
        let pens = drawing.layers.iter().map(|layer| PenUse {
            id: layer.pen.id.clone(),
            strokes: layer.strokes.len(),
            mm: layer.strokes.iter().flat_map(|s| flatten(&s.path, 0.05)).map(|line| line.length()).sum(),
        });
        let pens = pens.collect();
        Ok(Outcome { pens, drawing, excitation, loss: self.loss, white: self.white(&picture)? })
    }

    /// A rasterizer of strokes of the given passes, each with an ink and a tip (mm).
    fn rasterizer(&self, inks: Vec<Ink>, pass_of: Vec<usize>, tips: &[f64]) -> Rasterizer {
        let width = |pass: &usize| (tips[*pass] * self.canvas.px_per_mm) as f32;
        Rasterizer {
            width_px: self.canvas.width_px,
            height_px: self.canvas.height_px,
            softness_px: 1.0,
            widths_px: pass_of.iter().map(width).collect(),
            inks,
            pass_of,
        }
    }

    /// Optimises for the steps of a stage, with softness going from the first to the second value (px).
    fn stage(
        &mut self,
        stage: Stage,
        rasterizer: &mut Rasterizer,
        points: &Var,
        colors: Option<&Var>,
        softness: (f32, f32),
        draw: &dyn Fn(&Rasterizer, &Tensor) -> Result<Tensor, Error>,
    ) -> Result<(), Error> {
        let adam = |var: &Var| {
            let params = ParamsAdamW { lr: 0.0, beta1: 0.9, beta2: 0.99, eps: 1e-12, weight_decay: 0.0 };
            AdamW::new(vec![var.clone()], params)
        };
        let steps = if stage == Stage::Free { self.settings.free_steps } else { self.settings.tune_steps };
        let mut move_points = adam(points)?;
        let mut move_colors = colors.map(adam).transpose()?;
        for step in 0..steps {
            let part = step as f32 / steps.max(2) as f32;
            rasterizer.softness_px = softness.0 + (softness.1 - softness.0) * part;
            let rate = rate(step, steps);
            let (width, height) = (self.canvas.width_px, self.canvas.height_px);
            let view = View::random(&mut self.rng, self.settings.jitter, width, height);
            let picture = draw(rasterizer, points)?;
            let terms = self.objective.terms(&picture, points, view)?;
            let gradients = terms.loss.backward()?;
            move_points.set_learning_rate(self.settings.step_px * rate);
            move_points.step(&gradients)?;
            if let Some(colors) = &mut move_colors {
                colors.set_learning_rate(COLOR_STEP * rate);
                colors.step(&gradients)?;
            }
            self.hold_inside(points)?;
            self.loss = terms.loss.to_scalar()?;
            self.done += 1;
            (self.progress)(Progress {
                stage,
                step: self.done,
                steps: self.steps,
                excitation: terms.excitation,
                loss: self.loss,
            });
        }
        rasterizer.softness_px = 1.0;
        Ok(())
    }

    /// Holds control points in the drawable area: by the convex hull the strokes are in it then.
    fn hold_inside(&self, points: &Var) -> Result<(), Error> {
        let [left, top, right, bottom] = self.objective.inside;
        let mut held = values(points)?;
        for pair in held.chunks_exact_mut(2) {
            pair[0] = pair[0].clamp(left, right);
            pair[1] = pair[1].clamp(top, bottom);
        }
        Ok(points.set(&Tensor::from_vec(held, points.shape(), points.device())?)?)
    }

    /// Chooses pens for free colors: the pens in pass order, and the pass of each stroke.
    fn pens(
        &self,
        rasterizer: &Rasterizer,
        points: &Var,
        logits: &Var,
    ) -> Result<(Vec<Pen>, Vec<usize>), Error> {
        let pens = &self.settings.candidates();
        let covered = rasterizer.coverages(&values(points)?)?;
        let areas: Vec<f32> = covered.iter().map(|stroke| stroke.iter().map(|(_, c)| c).sum()).collect();
        let sigmoid = |logit: &f32| encode(1.0 / (1.0 + (-logit).exp()));
        let colors: Vec<f32> = values(logits)?.iter().map(sigmoid).collect();
        let colors: Vec<[f32; 3]> = colors.chunks_exact(3).map(|c| [c[0], c[1], c[2]]).collect();
        let most = self.settings.most_pens.min(pens.len());
        let chosen = clusters::choose(&colors, &areas, pens, most, self.settings.seed);
        let mut used = chosen.clone();
        used.sort_unstable();
        used.dedup();
        let set = PenSet::new(used.iter().map(|index| pens[*index].clone()).collect()).pens().to_vec();
        let pass = |index: &usize| set.iter().position(|pen| *pen == pens[*index]).unwrap_or(0);
        let pass_of = chosen.iter().map(pass).collect();
        Ok((set, pass_of))
    }

    /// Leaves out strokes that are not worth drawing; the control points of the others.
    fn prune(&self, rasterizer: &mut Rasterizer, points: &[f32]) -> Result<Vec<f32>, Error> {
        let worth = finish::worth_drawing(rasterizer, points)?;
        let keep = |index: &usize| worth[*index];
        let kept: Vec<usize> = (0..worth.len()).filter(keep).collect();
        rasterizer.pass_of = kept.iter().map(|index| rasterizer.pass_of[*index]).collect();
        rasterizer.widths_px = kept.iter().map(|index| rasterizer.widths_px[*index]).collect();
        Ok(kept.iter().flat_map(|index| points[8 * index..8 * index + 8].iter().copied()).collect())
    }

    fn clean(&self, picture: &Tensor) -> Result<f32, Error> {
        Ok(self.objective.mean(&picture.narrow(0, 0, 3)?.detach())?.to_scalar()?)
    }

    /// Share of the drawable area where every channel is above 0.95.
    fn white(&self, picture: &Tensor) -> Result<f32, Error> {
        let picture = values(picture)?;
        let [left, top, right, bottom] = self.objective.inside.map(|edge| edge.round() as usize);
        let (width, plane) = (self.canvas.width_px, self.canvas.width_px * self.canvas.height_px);
        let white = |x: usize, y: usize| (0..3).all(|i| picture[i * plane + y * width + x] > 0.95);
        let count =
            (top..bottom).flat_map(|y| (left..right).map(move |x| (x, y))).filter(|(x, y)| white(*x, *y));
        Ok(count.count() as f32 / ((right - left) * (bottom - top)) as f32)
    }
}

/// Share of the learning rate: ten steps of warm-up, then a cosine down to a tenth.
fn rate(step: usize, steps: usize) -> f64 {
    if step < WARM_UP {
        return (step + 1) as f64 / WARM_UP as f64;
    }
    let part = (step - WARM_UP) as f64 / (steps.max(WARM_UP + 1) - WARM_UP) as f64;
    0.1 + 0.45 * (1.0 + (std::f64::consts::PI * part).cos())
}

#[cfg(test)]
mod tests;
