//! All of a run that changes.

use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::{Excitation, Stage};
use crate::adam::{Adam, retain};
use crate::forms;
use crate::settings::Settings;
use crate::sheet::Piece;
use crate::spline::each;
use traceur_core::pens::Pen;

/// With the settings, this is all that the next step depends on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct State {
    pub(super) stage: Stage,
    /// Steps done of this stage.
    pub(super) step: usize,
    /// Steps done of all stages.
    pub(super) done: usize,
    /// x and y of the control points, as many a stroke; canvas px.
    pub(super) points: Vec<f32>,
    /// Of each stroke: its free color before the sigmoid, or its mixture, one a pen, before the softmax. None once
    /// each stroke has a pen.
    pub(super) logits: Vec<f32>,
    pub(super) move_points: Adam,
    pub(super) move_logits: Adam,
    /// In pass order; none in free color, but what the first part of a sheet has chosen.
    #[serde(with = "forms::pens")]
    pub(super) pens: Vec<Pen>,
    /// The pass of each stroke; 0 in free color.
    pub(super) pass_of: Vec<usize>,
    pub(super) rng: ChaCha8Rng,
    pub(super) excitation: Excitation,
    /// The last step's.
    pub(super) loss: f32,
    /// Mean of the channel over crops of the sheet, before it was tuned.
    pub(super) joined: f32,
    /// Parts of a sheet that are done.
    pub(super) made: Vec<Piece>,
    /// What a budget of length, or a share of white, adds to the weight of ink.
    pub(super) thrift: f64,
    /// What the aim makes of the weights beside it; 0 before it was measured.
    pub(super) scale: f64,
}

impl State {
    pub(super) fn first(points: Vec<f32>, count: usize, logits: Vec<f32>, rng: ChaCha8Rng) -> Self {
        Self {
            stage: Stage::Free,
            step: 0,
            done: 0,
            move_points: Adam::new(points.len()),
            move_logits: Adam::new(logits.len()),
            pens: Vec::new(),
            pass_of: vec![0; count],
            points,
            logits,
            rng,
            excitation: Excitation::default(),
            loss: 0.0,
            joined: 0.0,
            made: Vec::new(),
            thrift: 0.0,
            scale: 0.0,
        }
    }

    /// Coordinates of the control points of each stroke.
    pub(super) fn each(&self) -> usize {
        each(self.points.len(), self.pass_of.len())
    }

    /// Begins the stage of pens.
    pub(super) fn tune(&mut self, pens: Vec<Pen>, pass_of: Vec<usize>) {
        (self.stage, self.step) = (Stage::Tune, 0);
        self.move_points = Adam::new(self.points.len());
        (self.pens, self.pass_of) = (pens, pass_of);
        self.mix(Vec::new());
    }

    /// Makes mixtures of the strokes by `logits`, one a pen; of none, each stroke is of its pen.
    pub(super) fn mix(&mut self, logits: Vec<f32>) {
        self.move_logits = Adam::new(logits.len());
        self.logits = logits;
    }

    /// Lays a stroke anew as `controls`, with no color or pen of its own.
    pub(super) fn begin_stroke(&mut self, stroke: usize, controls: &[f32]) {
        let each = self.logits.len() / self.pass_of.len().max(1);
        let (points, logits) =
            (controls.len() * stroke..controls.len() * (stroke + 1), each * stroke..each * (stroke + 1));
        self.points[points.clone()].copy_from_slice(controls);
        self.logits[logits.clone()].fill(0.0);
        self.move_points.forget(points);
        self.move_logits.forget(logits);
    }

    /// Begins another part of the sheet.
    pub(super) fn begin_part(&mut self, first: Self) {
        let done = std::mem::replace(self, first);
        (self.done, self.excitation, self.thrift) = (done.done, done.excitation, done.thrift);
        self.scale = done.scale;
        (self.pens, self.made) = (done.pens, done.made);
    }

    /// Begins the stage of the sheet.
    pub(super) fn lay(&mut self, sheet: Piece) {
        let Piece { points, pass_of } = sheet;
        (self.stage, self.step, self.made) = (Stage::Sheet, 0, Vec::new());
        self.move_points = Adam::new(points.len());
        (self.points, self.pass_of) = (points, pass_of);
        self.mix(Vec::new());
    }

    /// Leaves out the other strokes, with their moments.
    pub(super) fn keep(&mut self, keep: &[bool]) {
        let controls = each(self.points.len(), keep.len());
        retain(&mut self.points, controls, keep);
        let each = self.logits.len() / keep.len().max(1);
        retain(&mut self.logits, each, keep);
        retain(&mut self.pass_of, 1, keep);
        self.move_points.keep(controls, keep);
        self.move_logits.keep(each, keep);
    }

    /// What keeps this from being a state of a run of `settings`, if anything does.
    pub(crate) fn misfit(&self, settings: &Settings) -> Option<&'static str> {
        let count = self.pass_of.len();
        let mixes = self.stage == Stage::Tune && self.step < settings.mix_steps() && !self.logits.is_empty();
        let logits = match self.stage {
            Stage::Free => 3 * count,
            Stage::Tune if mixes => self.pens.len() * count,
            Stage::Tune | Stage::Sheet => 0,
        };
        let each = settings.coordinates();
        let finite = |values: &[f32]| values.iter().all(|value| value.is_finite());
        let before = settings.part_steps().saturating_mul(self.made.len());
        let steps = match self.stage {
            Stage::Free => (settings.free_steps, before),
            Stage::Tune if settings.given.is_empty() => (settings.tune_steps, before + settings.free_steps),
            Stage::Tune => (0, 0),
            Stage::Sheet => (settings.sheet_steps, settings.steps().saturating_sub(settings.sheet_steps)),
        };
        let parts = settings.grid.map_or(1, |grid| grid.parts);
        let is_piece = |piece: &Piece| {
            let count = piece.pass_of.len();
            piece.points.len() == each * count
                && finite(&piece.points)
                && piece.pass_of.iter().all(|pass| *pass < self.pens.len())
        };
        let passes = if self.stage == Stage::Free { 1 } else { self.pens.len() };
        let wrong = [
            (count == 0 || self.points.len() != each * count || self.logits.len() != logits, "its strokes"),
            (!finite(&self.points) || !finite(&self.logits), "its strokes' numbers"),
            (!self.thrift.is_finite() || !(0.0..=1e6).contains(&self.scale), "its budget"),
            (!self.move_points.fits(each * count) || !self.move_logits.fits(logits), "its moments"),
            (self.pass_of.iter().any(|pass| *pass >= passes), "its passes"),
            (!self.pens.iter().all(|pen| settings.pens.contains(pen)), "its pens"),
            (self.stage == Stage::Sheet && settings.grid.is_none(), "its grid"),
            (self.made.len() >= parts || !self.made.iter().all(is_piece), "its parts"),
            (self.step > steps.0 || self.done != self.step + steps.1, "its steps"),
        ];
        wrong.into_iter().find_map(|(is_wrong, what)| is_wrong.then_some(what))
    }

    #[cfg(test)]
    pub(crate) fn drop_a_stroke(&mut self) {
        self.points.truncate(self.points.len() - self.each());
    }
}
