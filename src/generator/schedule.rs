//! From arcs to a drawing: free colors, then pens.
//!
//! ```text
//! arcs ─► free colors ─► k-means in Lab ─► pens ─► mixtures of pens ─► tuned with the inks, pass by pass ─► Drawing
//!                                                  └ pens are left out, strokes begin anew, are thinned out ┘
//! ```
//!
//! A [`Run`] is stepped from outside: between any two steps it can be looked at, saved, and finished early. All that
//! changes is in `State`, so a run that was saved and restored does the same arithmetic as one that went through.

mod arcs;
mod choice;
mod reseed;
mod revision;
mod sheet;
mod state;

use candle_core::{Device, Tensor, Var};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::augment::View;
use super::objective::{Objective, Term, Terms};
use super::rasterizer::{Rasterizer, values};
use super::settings::Settings;
use super::sheet::{Given, Piece, random_crops};
pub use super::stage::Stage;
use super::{Canvas, Error, Picture, finish};
pub(super) use arcs::arcs;
use revision::{THIN_AT, first_count};
pub(super) use state::State;
use traceur_core::color::Ink;
use traceur_core::drawing::Drawing;
use traceur_core::geometry::{Point, Rect, flatten};
use traceur_core::pens::{Pen, PenSet};

/// The terms of a loss, and its slopes by control points and by logits.
type Slopes = (Terms, Option<Tensor>, Option<Tensor>);

/// Steps until the learning rate is full.
const WARM_UP: usize = 10;
/// Step of the logits of free colors.
const COLOR_STEP: f64 = 0.05;
/// Step of the logits of mixtures.
const MIXTURE_STEP: f64 = 0.1;
/// Steps until the learning rate is full again after strokes have got pens or were thinned out.
const SETTLE: usize = 5;
/// Share of a new step in what the aim makes of the weights.
const SMOOTHING: f64 = 0.1;
/// Random views by which a drawing is judged to be robust.
const ROBUST_VIEWS: usize = 6;

/// What a step did.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// The part of the work.
    pub stage: Stage,
    /// Steps done, of both stages.
    pub step: usize,
    /// Steps of both stages.
    pub steps: usize,
    /// Of this step's views.
    pub excitation: f32,
    /// What is made small.
    pub loss: f32,
    /// What the loss is the sum of.
    pub terms: Vec<Term>,
    /// About how far a control point went; px.
    pub rate_px: f64,
}

/// What the networks make of the canvas, seen straight, after each stage: weight times activation, summed over targets.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PenUse {
    /// The pen's id.
    pub id: String,
    /// How many strokes.
    pub strokes: usize,
    /// Their length; mm.
    pub mm: f64,
}

/// How well the copies of a part make a sheet: mean of the channel over crops of 160 px.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Sheet {
    /// Over random crops, before the sheet was tuned.
    pub joined: f32,
    /// Over the same crops at the end.
    pub tuned: f32,
    /// Over crops in the middle of a seam, at the end; with a single part, of the part.
    pub seams: f32,
    /// Over crops in the middle of a part, at the end.
    pub centers: f32,
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
    /// Mean over the canvas of the coverage above 1: strokes on strokes.
    pub overlap: f32,
    /// Mean excitation of random views.
    pub robust: f32,
    /// Relative distance to the style, if one is wanted.
    pub style: Option<f32>,
    /// One a layer.
    pub pens: Vec<PenUse>,
    /// Of a sheet that is made of parts.
    pub sheet: Option<Sheet>,
}

/// Makes a drawing that pursues `settings.aim`; `progress` is called after each step. The same settings give the
/// same drawing on any number of threads.
///
/// # Errors
/// Settings that leave nothing to draw on or with, and failures of the network.
pub fn generate(settings: &Settings, progress: &mut dyn FnMut(Progress)) -> Result<Outcome, Error> {
    let mut run = Run::new(settings.clone())?;
    while let Some(step) = run.step()? {
        progress(step);
    }
    run.outcome()
}

/// A drawing in the making.
#[derive(Debug, Clone)]
pub struct Run {
    settings: Settings,
    objective: Objective,
    canvas: Canvas,
    drawable: Rect,
    /// Of the state's pens and passes.
    rasterizer: Rasterizer,
    state: State,
}

impl Run {
    /// Lays the first arcs.
    ///
    /// # Errors
    /// Settings that leave nothing to draw on or with, and failures of the network.
    pub fn new(settings: Settings) -> Result<Self, Error> {
        settings.check()?;
        let state = if settings.given.is_empty() { first(&settings, 0)? } else { given(&settings)? };
        let mut run = Self::with(settings, state)?;
        run.state.excitation.start = run.seen()?;
        Ok(run)
    }

    /// The run of these settings at this state, which fits them.
    pub(super) fn with(settings: Settings, state: State) -> Result<Self, Error> {
        let local = settings.at(state.stage)?;
        let (canvas, drawable) = (local.canvas()?, local.drawable()?);
        let (from, to) =
            (canvas.to_px(drawable.origin()), canvas.to_px(Point::new(drawable.x1, drawable.y1)));
        let inside = [from.x as f32, from.y as f32, to.x as f32, to.y as f32];
        let mut objective = Objective::new(&settings, inside)?;
        objective.scale = if state.scale == 0.0 { 1.0 } else { state.scale };
        let rasterizer = rasterizer(&settings, &canvas, &state);
        Ok(Self { settings, objective, canvas, drawable, rasterizer, state })
    }

    /// What is wanted.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(super) fn state(&self) -> &State {
        &self.state
    }

    /// Steps done, of both stages.
    #[must_use]
    pub fn done(&self) -> usize {
        self.state.done
    }

    /// Steps of both stages.
    #[must_use]
    pub fn steps(&self) -> usize {
        self.settings.steps()
    }

    /// Does one step; `None` when all are done.
    ///
    /// # Errors
    /// Failures of the network.
    pub fn step(&mut self) -> Result<Option<Progress>, Error> {
        loop {
            if self.state.stage == Stage::Free && self.state.step >= self.settings.free_steps {
                self.take_pens()?;
            } else if self.is_part_done() {
                self.end_part()?;
            } else {
                break;
            }
        }
        let (steps, softness) = match self.state.stage {
            Stage::Free => (self.settings.free_steps, (2.5, 1.4)),
            Stage::Tune => (self.tune_steps(), (1.8, 1.0)),
            Stage::Sheet => (self.settings.sheet_steps, (1.2, 1.0)),
        };
        let step = self.state.step;
        if step >= steps {
            return Ok(None);
        }
        self.revise(step, steps)?;
        let part = step as f32 / steps.max(2) as f32;
        let rate = self.rate(step, steps);
        self.rasterizer.softness_px = softness.0 + (softness.1 - softness.0) * part;
        let progress = match self.state.stage {
            Stage::Sheet => self.descend_in_windows(rate)?,
            _ => self.descend(rate)?,
        };
        self.rasterizer.softness_px = 1.0;
        if self.mixes() && self.state.step >= self.settings.mix_steps() {
            self.end_mixtures()?;
        }
        Ok(Some(progress))
    }

    /// One step at a share of the learning rate.
    fn descend(&mut self, rate: f64) -> Result<Progress, Error> {
        let (width, height) = (self.canvas.width_px, self.canvas.height_px);
        let mut view = || View::random(&mut self.state.rng, self.settings.jitter, width, height);
        let views: Vec<View> = (0..self.settings.views.max(1)).map(|_| view()).collect();
        let ink = self.ink_weight()?;
        let points = Var::from_tensor(&self.points()?)?;
        let logits = Var::from_tensor(&self.logits()?)?;
        let (terms, of_points, of_logits) = self.slopes(&points, &logits, &views, ink)?;
        let state = &mut self.state;
        if let Some(gradient) = of_points {
            let rate = self.settings.step_px * rate;
            state.move_points.step(&mut state.points, &values(&gradient)?, rate);
        }
        if let Some(gradient) = of_logits {
            let step = if state.stage == Stage::Free { COLOR_STEP } else { MIXTURE_STEP };
            state.move_logits.step(&mut state.logits, &values(&gradient)?, step * rate);
        }
        if self.mixes() {
            self.follow_mixtures();
        }
        let loss = terms.loss.to_scalar()?;
        Ok(self.note(loss, terms.excitation, terms.parts, self.settings.step_px * rate))
    }

    /// The terms of the loss, and its slopes by the control points and by the logits.
    fn slopes(&mut self, points: &Var, logits: &Var, views: &[View], ink: f64) -> Result<Slopes, Error> {
        let picture = self.draw(points, logits)?;
        // In one go, sums are rounded as they always were.
        if self.settings.balanced_white().is_none() {
            let terms = self.objective.terms(&picture, points, views, ink)?;
            let slopes = terms.loss.backward()?;
            return Ok((terms, slopes.get(points).cloned(), slopes.get(logits).cloned()));
        }
        // The slopes of the loss by the picture are asked for on the way to those by the strokes.
        let drawn = Var::from_tensor(&picture.detach())?;
        let terms = self.objective.terms(&drawn, points, views, ink)?;
        let slopes = terms.loss.backward()?;
        let to_picture = slopes.get(&drawn).cloned().map_or_else(|| picture.zeros_like(), Ok)?.detach();
        let gradients = (&picture * &to_picture)?.sum_all()?.backward()?;
        let of_points = [&slopes, &gradients].into_iter().filter_map(|all| all.get(points));
        let of_points = of_points.cloned().map(Ok).reduce(|sum, part| sum? + part?).transpose()?;
        self.weigh(&to_picture)?;
        Ok((terms, of_points, gradients.get(logits).cloned()))
    }

    /// Weighs the terms beside the excitation by what the aim's slopes are, smoothed over some steps.
    fn weigh(&mut self, slopes: &Tensor) -> Result<(), Error> {
        let now = Objective::scale_of(slopes)?;
        let before = self.state.scale;
        self.state.scale = if before == 0.0 { now } else { before + SMOOTHING * (now - before) };
        self.objective.scale = self.state.scale;
        Ok(())
    }

    /// Ends a step that moved points by about `rate_px`.
    fn note(&mut self, loss: f32, excitation: f32, terms: Vec<Term>, rate_px: f64) -> Progress {
        let state = &mut self.state;
        // By the convex hull the strokes are in the drawable area when their control points are.
        let [left, top, right, bottom] = self.objective.inside;
        for pair in state.points.chunks_exact_mut(2) {
            pair[0] = pair[0].clamp(left, right);
            pair[1] = pair[1].clamp(top, bottom);
        }
        state.loss = loss;
        state.step += 1;
        state.done += 1;
        let (stage, step, steps) = (state.stage, state.done, self.settings.steps());
        Progress { stage, step, steps, excitation, loss, terms, rate_px }
    }

    /// Goes from free colors to pens.
    fn take_pens(&mut self) -> Result<(), Error> {
        self.state.excitation.free = self.seen()?;
        let (pens, pass_of) = self.nearest_pens()?;
        self.state.tune(pens, pass_of);
        self.rasterizer = rasterizer(&self.settings, &self.canvas, &self.state);
        self.state.excitation.snapped = self.clean(&self.rasterizer.draw(&self.points()?)?)?;
        if self.settings.mix_steps() > 0 {
            self.begin_mixtures();
        }
        Ok(())
    }

    /// Mean excitation of random views of a picture [3 or more, H, W].
    fn over_fixed_views(&self, picture: &Tensor) -> Result<f32, Error> {
        let mut sum = 0.0;
        for view in self.fixed_views(ROBUST_VIEWS, 0).into_iter().skip(1) {
            let seen = view.see(&picture.narrow(0, 0, 3)?.detach())?;
            sum += self.objective.excitation(&seen.unsqueeze(0)?)? / ROBUST_VIEWS as f32;
        }
        Ok(sum)
    }

    /// Share of the learning rate: a warm-up, then one cosine down to a tenth over both stages.
    fn rate(&self, step: usize, steps: usize) -> f64 {
        if self.state.stage == Stage::Sheet {
            return rate(step, steps) * ((step + 1) as f64 / SETTLE as f64).min(1.0);
        }
        let thin_at = (THIN_AT * steps as f64) as usize;
        let since = match self.state.stage {
            Stage::Free => SETTLE,
            Stage::Tune if step >= thin_at => step - thin_at,
            Stage::Tune | Stage::Sheet => step,
        };
        let settled = ((since + 1) as f64 / SETTLE as f64).min(1.0);
        let steps = self.settings.part_steps();
        rate(self.state.done - self.state.made.len() * steps, steps) * settled
    }

    /// The drawing and what is known of it. A run that is not at its end is finished as it stands.
    ///
    /// # Errors
    /// Failures of the network.
    pub fn outcome(&self) -> Result<Outcome, Error> {
        if self.state.stage == Stage::Free {
            let mut pens = Self::with(self.settings.clone(), self.state.clone())?;
            pens.take_pens()?;
            return pens.outcome();
        }
        if self.state.stage == Stage::Tune && self.settings.grid.is_some() {
            let mut sheet = Self::with(self.settings.clone(), self.state.clone())?;
            sheet.lay_out()?;
            return sheet.outcome();
        }
        let mut end = self.clone();
        end.finish()?;
        end.judged()
    }

    /// The drawing as it stands, and what is known of it.
    fn judged(&self) -> Result<Outcome, Error> {
        let picture = self.rasterizer.draw(&self.points()?)?;
        let excitation = Excitation { tuned: self.clean(&picture)?, ..self.state.excitation };
        let drawing = finish::drawing(
            self.settings.page,
            self.drawable,
            &self.canvas,
            &self.state.points,
            &self.state.pass_of,
            &self.state.pens,
        );
        let pens = drawing.layers.iter().map(|layer| PenUse {
            id: layer.pen.id.clone(),
            strokes: layer.strokes.len(),
            mm: layer.strokes.iter().flat_map(|s| flatten(&s.path, 0.05)).map(|line| line.length()).sum(),
        });
        let pens = pens.collect();
        let robust = match self.state.stage {
            Stage::Sheet => self.over_views(&picture)?,
            _ => self.over_fixed_views(&picture)?,
        };
        let overlap = (picture.narrow(0, 3, 1)? - 1.0)?.relu()?.mean_all()?.to_scalar()?;
        let style = self.objective.style_of(&picture.narrow(0, 0, 3)?.detach().unsqueeze(0)?)?;
        let (loss, white) = (self.state.loss, self.white_of(&picture)?);
        let sheet = self.judge_sheet(&picture)?;
        Ok(Outcome { pens, drawing, excitation, loss, white, overlap, robust, style, sheet })
    }

    /// The page as the run sees it now, with free colors or inks, at the canvas's resolution.
    ///
    /// # Errors
    /// A tensor operation that fails.
    pub fn picture(&self) -> Result<Picture, Error> {
        let picture = values(&self.draw(&self.points()?, &self.logits()?)?)?;
        Ok(self.canvas.on_page(self.settings.at(self.state.stage)?.page, &picture))
    }

    /// Share of the drawable area without ink, now.
    ///
    /// # Errors
    /// A tensor operation that fails.
    pub fn white(&self) -> Result<f32, Error> {
        self.white_of(&self.draw(&self.points()?, &self.logits()?)?)
    }

    /// Mean of the channel over the canvas, seen straight, now.
    fn seen(&self) -> Result<f32, Error> {
        self.clean(&self.draw(&self.points()?, &self.logits()?)?)
    }

    fn points(&self) -> Result<Tensor, Error> {
        let points = &self.state.points;
        Ok(Tensor::from_slice(points, (self.state.pass_of.len(), self.state.each() / 2, 2), &Device::Cpu)?)
    }

    fn logits(&self) -> Result<Tensor, Error> {
        let logits = &self.state.logits;
        let count = self.state.pass_of.len();
        Ok(Tensor::from_slice(logits, (count, logits.len() / count.max(1)), &Device::Cpu)?)
    }

    /// The picture [4, H, W] of strokes [N, n + 3, 2]: with the pens' inks, or colors of their own or mixtures of the pens by
    /// logits [N, 3 or pens].
    fn draw(&self, points: &Tensor, logits: &Tensor) -> Result<Tensor, Error> {
        if self.mixes() {
            return Ok(self.rasterizer.draw_free(points, &self.mixed(logits)?)?);
        }
        // A single pen leaves no colors to be found.
        if self.state.stage != Stage::Free || self.settings.candidates().len() == 1 {
            return Ok(self.rasterizer.draw(points)?);
        }
        let colors = ((candle_nn::ops::sigmoid(logits)? * 0.996)? + 0.002)?;
        Ok(self.rasterizer.draw_free(points, &colors)?)
    }

    fn clean(&self, picture: &Tensor) -> Result<f32, Error> {
        if self.state.stage == Stage::Sheet {
            return self.over_crops(picture, &random_crops(&self.canvas));
        }
        self.objective.excitation(&picture.narrow(0, 0, 3)?.detach().unsqueeze(0)?)
    }

    /// Share of the drawable area where every channel is above 0.95.
    fn white_of(&self, picture: &Tensor) -> Result<f32, Error> {
        let picture = values(picture)?;
        let [left, top, right, bottom] = self.objective.inside.map(|edge| edge.round() as usize);
        let (width, plane) = (self.canvas.width_px, self.canvas.width_px * self.canvas.height_px);
        let white = |x: usize, y: usize| (0..3).all(|i| picture[i * plane + y * width + x] > 0.95);
        let count =
            (top..bottom).flat_map(|y| (left..right).map(move |x| (x, y))).filter(|(x, y)| white(*x, *y));
        Ok(count.count() as f32 / ((right - left) * (bottom - top)) as f32)
    }
}

/// The first arcs of a drawing, or of the part of a sheet after `made` others.
fn first(settings: &Settings, made: u64) -> Result<State, Error> {
    let part = settings.at(Stage::Free)?;
    let (canvas, drawable) = (part.canvas()?, part.drawable()?);
    let area = Rect::from_points(
        canvas.to_px(drawable.origin()),
        canvas.to_px(Point::new(drawable.x1, drawable.y1)),
    );
    let count = first_count(&part, &canvas, area);
    let mut rng = ChaCha8Rng::seed_from_u64(settings.seed.wrapping_add(made));
    let points = settings.first_strokes(&mut rng, count, area);
    let logits = (0..3 * count).map(|_| rng.random_range(-4.0..1.5)).collect();
    Ok(State::first(points, count, logits, rng))
}

/// The state in which the parts of a sheet are those that are given.
fn given(settings: &Settings) -> Result<State, Error> {
    let part = settings.at(Stage::Tune)?;
    let (canvas, drawable) = (part.canvas()?, part.drawable()?);
    let mut used: Vec<usize> = settings.given.iter().flat_map(Given::pens).collect();
    used.sort_unstable();
    used.dedup();
    let pens = used.iter().filter_map(|index| settings.pens.get(*index)).cloned().collect();
    let pens = PenSet::new(pens).pens().to_vec();
    let pass = |pen: usize| pens.iter().position(|other| Some(other) == settings.pens.get(pen)).unwrap_or(0);
    let mut made: Vec<Piece> =
        settings.given.iter().map(|given| given.piece(&canvas, drawable, pass)).collect();
    let last = made.pop().filter(|piece| !piece.pass_of.is_empty());
    let last = last.ok_or_else(|| Error::Setting("no strokes to make a sheet of".into()))?;
    let mut state =
        State::first(last.points, last.pass_of.len(), Vec::new(), ChaCha8Rng::seed_from_u64(settings.seed));
    state.tune(pens, last.pass_of);
    state.made = made;
    Ok(state)
}

/// A rasterizer of the state's strokes: in free color all are as wide as the mean of the pens' tips.
fn rasterizer(settings: &Settings, canvas: &Canvas, state: &State) -> Rasterizer {
    match state.stage {
        Stage::Free => {
            let tips: f64 = settings.pens.iter().map(|pen| pen.tip).sum();
            let inks = settings.candidates().iter().take(1).map(Pen::ink).collect();
            laid(canvas, inks, &[tips / settings.pens.len() as f64], state.pass_of.clone())
        }
        Stage::Tune | Stage::Sheet => with_pens(canvas, &state.pens, state.pass_of.clone()),
    }
}

/// A rasterizer of strokes by pens in pass order.
fn with_pens(canvas: &Canvas, pens: &[Pen], pass_of: Vec<usize>) -> Rasterizer {
    let (inks, tips): (Vec<Ink>, Vec<f64>) = pens.iter().map(|pen| (pen.ink(), pen.tip)).unzip();
    laid(canvas, inks, &tips, pass_of)
}

/// A rasterizer of strokes in passes of these inks and tips (mm).
fn laid(canvas: &Canvas, inks: Vec<Ink>, tips: &[f64], pass_of: Vec<usize>) -> Rasterizer {
    Rasterizer {
        width_px: canvas.width_px,
        height_px: canvas.height_px,
        softness_px: 1.0,
        widths_px: pass_of.iter().map(|pass| (tips[*pass] * canvas.px_per_mm) as f32).collect(),
        inks,
        pass_of,
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
