//! What no gradient does to a run: other pens, fewer strokes, budgets.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::{Run, Stage, rasterizer, reseed};
use crate::augment::View;
use crate::judge::Judge;
use crate::settings::{LEAST_STEPS, Settings};
use crate::spline::Spline;
use crate::{Canvas, Error, finish, hooks};
use traceur_core::geometry::Rect;

/// Area of the canvas for each stroke by default; px².
const AREA_PER_STROKE: f64 = 220.0;
/// Share of the steps with pens after which no more pens are mixed than are allowed.
const DROP_AT: f64 = 0.2;
/// Share of the steps with pens after which strokes are thinned out; the rest is the last fine-tune.
pub(super) const THIN_AT: f64 = 0.75;
/// Length of a usual stroke; px.
const USUAL_STROKE_PX: f64 = 34.0;
/// Strokes for each that is wanted, so that the least can be left out at the end.
const SPARE: f64 = 1.05;
/// A length within this factor of the wanted one is left as it is.
const NEAR_ENOUGH: f64 = 1.02;
/// What a step adds to the weight of ink, relative to the aim, for each part of white that is lacking.
const WHITE_STEP: f64 = 8.0;
/// What is lacking now counts so much more.
const WHITE_NOW: f64 = 60.0;
/// Greatest change to the weight of ink, relative to the aim.
const MOST_THRIFT: f64 = 300.0;
/// Greatest share of white in a style.
const MOST_WHITE: f64 = 0.82;
/// How much longer long strokes become: there are as few at first as then take the white that is to go.
const GROWTH: f64 = 1.1;
/// Width about a line that counts as inked beside its own; px.
const EDGES_PX: f64 = 0.7;
/// Steps between two times at which hooks are cut, once strokes are thinned out.
const TRIM_EVERY: usize = 8;

impl Run {
    /// Changes the length of all strokes that is wanted; mm.
    pub fn ask_length(&mut self, length: f64) {
        self.settings.length = Some(length);
    }

    /// Leaves out the least useful strokes beyond a length (mm), now.
    ///
    /// # Errors
    /// Failures of the network.
    pub fn shorten(&mut self, length: f64) -> Result<(), Error> {
        self.settings.length = Some(length);
        if self.state.stage == Stage::Free { Ok(()) } else { self.finish() }
    }

    /// What no gradient does, at its time: other pens, fewer strokes.
    pub(super) fn revise(&mut self, step: usize, steps: usize) -> Result<(), Error> {
        if self.state.stage != Stage::Tune || steps < LEAST_STEPS {
            return Ok(());
        }
        let at = |share: f64| (share * steps as f64) as usize;
        let thin_at = at(THIN_AT);
        if step == at(DROP_AT) && self.mixes() {
            self.drop_pens()?;
        }
        if step > 0 && step.is_multiple_of(at(reseed::EVERY)) && step < at(reseed::UNTIL) {
            self.reseed()?;
        }
        if step == thin_at {
            if self.lacks_strokes()? {
                self.reseed()?;
            }
            self.thin(SPARE)?;
        } else if step > thin_at && (step - thin_at).is_multiple_of(TRIM_EVERY) {
            self.trim();
        }
        Ok(())
    }

    /// Whether fewer strokes are worth drawing than are wanted.
    fn lacks_strokes(&self) -> Result<bool, Error> {
        let count = self.worth_drawing()?.into_iter().filter(|worth| *worth).count();
        Ok(self.wanted().0.is_some_and(|wanted| count < wanted))
    }

    /// Whether each stroke is worth drawing.
    pub(super) fn worth_drawing(&self) -> Result<Vec<bool>, Error> {
        let shortest = self.settings.shortest_px(&self.canvas);
        finish::worth_drawing(&self.rasterizer, &self.state.points, shortest)
    }

    /// Cuts hooks off.
    pub(super) fn trim(&mut self) {
        let count = self.state.pass_of.len();
        hooks::trim(&mut self.state.points, count, self.canvas.px_per_mm);
    }

    /// Length of each stroke; px.
    fn lengths(&self) -> Vec<f64> {
        let count = self.state.pass_of.len();
        let spline = Spline::of(self.state.points.len(), count).expect("states are of one spline");
        let strokes = self.state.points.chunks_exact(spline.each());
        strokes.map(|controls| chords(&spline.beziers(controls))).collect()
    }

    /// Leaves hooks, knots and hidden strokes out, and the least useful strokes beyond the budget.
    pub(super) fn finish(&mut self) -> Result<(), Error> {
        if self.mixes() {
            self.end_mixtures()?;
        }
        self.thin(1.0)
    }

    /// The same with `spare` strokes for each that is wanted.
    fn thin(&mut self, spare: f64) -> Result<(), Error> {
        self.trim();
        let mut keep = self.worth_drawing()?;
        self.keep_to_budget(&mut keep, spare)?;
        tracing::debug!(kept = keep.iter().filter(|kept| **kept).count(), of = keep.len(), "thinned out");
        if keep.contains(&true) {
            self.state.keep(&keep);
            self.rasterizer = rasterizer(&self.settings, &self.canvas, &self.state);
        }
        Ok(())
    }

    /// Drops the least useful of the strokes that are kept, until the others are `spare` times the budget.
    fn keep_to_budget(&self, keep: &mut [bool], spare: f64) -> Result<(), Error> {
        let (strokes, length) = self.wanted();
        let most = strokes.map_or(usize::MAX, |strokes| (spare * strokes as f64).round() as usize);
        let most_px = length.map_or(f64::INFINITY, |mm| mm * self.canvas.px_per_mm);
        let lengths = self.lengths();
        let mut order: Vec<usize> = (0..keep.len()).filter(|stroke| keep[*stroke]).collect();
        let mut count = order.len();
        let mut px: f64 = order.iter().map(|stroke| lengths[*stroke]).sum();
        if count <= most && px <= NEAR_ENOUGH * most_px {
            return Ok(());
        }
        let views = self.fixed_views(1, 0);
        let judge = Judge { objective: &self.objective, views: &views, ink: self.usual_ink() };
        let mut worths = judge.worths(&self.rasterizer, &self.state.points)?;
        if length.is_some() {
            worths.iter_mut().zip(&lengths).for_each(|(worth, px)| *worth /= px.max(1.0) as f32);
        }
        order.sort_by(|a, b| worths[*a].total_cmp(&worths[*b]).then(a.cmp(b)));
        for stroke in order {
            // Of two lengths about the wanted one, the nearer.
            if count <= most && px <= most_px + 0.5 * lengths[stroke] {
                break;
            }
            (keep[stroke], count, px) = (false, count - 1, px - lengths[stroke]);
        }
        Ok(())
    }

    /// How many strokes and what length (mm) are wanted of what is made in this stage: the sheet, or a part of it.
    fn wanted(&self) -> (Option<usize>, Option<f64>) {
        let parts = match self.settings.grid {
            Some(grid) if self.state.stage != Stage::Sheet => grid.cells(),
            _ => 1,
        };
        let (strokes, length) = (self.settings.strokes, self.settings.length);
        (strokes.map(|strokes| strokes.div_ceil(parts)), length.map(|length| length / parts as f64))
    }

    /// The drawing seen straight, and some random views of it: the same whenever they are asked for.
    pub(super) fn fixed_views(&self, count: usize, seed: u64) -> Vec<View> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let (width, height) = (self.canvas.width_px, self.canvas.height_px);
        let random = std::iter::repeat_with(|| View::random(&mut rng, self.settings.jitter, width, height));
        std::iter::once(View::IDENTITY).chain(random.take(count)).collect()
    }

    /// What ink and its overlap are judged by, outside the steps.
    pub(super) fn usual_ink(&self) -> f64 {
        self.objective.scale * self.settings.weights.ink
    }

    /// The weight of ink now: what the budget of length, or the share of white that is wanted, makes of it.
    pub(super) fn ink_weight(&mut self) -> Result<f64, Error> {
        let ink = self.usual_ink();
        let scale = self.objective.scale;
        if let Some(wanted) = self.wanted().1 {
            let over =
                (self.lengths().iter().sum::<f64>() / self.canvas.px_per_mm / wanted - 1.0).clamp(-1.0, 1.0);
            self.state.thrift = (self.state.thrift + 8.0 * over).clamp(-200.0, 1000.0);
            return Ok(ink + self.state.thrift + 60.0 * over);
        }
        let Some([least, most]) = self.settings.balanced_white() else { return Ok(ink) };
        // A style leaves as much white as it has, unless one share is asked for.
        let is_free = self.settings.style.is_some() && least < most;
        let most = if is_free { most.max(MOST_WHITE) } else { most };
        let white = f64::from(self.sharp_white()?);
        let lacks = (least - white).max(0.0) - (white - most).max(0.0);
        self.state.thrift = (self.state.thrift + WHITE_STEP * lacks).clamp(-MOST_THRIFT, MOST_THRIFT);
        Ok(ink + scale * (self.state.thrift + WHITE_NOW * lacks))
    }

    /// Share of white as the pens will leave it: without the soft edges of early steps.
    fn sharp_white(&mut self) -> Result<f32, Error> {
        let softness = std::mem::replace(&mut self.rasterizer.softness_px, 1.0);
        let white = self.white();
        self.rasterizer.softness_px = softness;
        white
    }
}

/// How many strokes a drawing begins with.
pub(super) fn first_count(settings: &Settings, canvas: &Canvas, area: Rect) -> usize {
    let spare = if settings.tune_steps < LEAST_STEPS { 1.0 } else { SPARE };
    let is_long = settings.spans() > 1;
    let length_px = settings.first_length_px(area);
    let usual = match settings.white {
        Some([least, most]) if is_long => {
            let tips: f64 = settings.pens.iter().map(|pen| pen.tip).sum();
            let width_px = tips / settings.pens.len() as f64 * canvas.px_per_mm;
            let each = GROWTH * length_px * (width_px + EDGES_PX);
            (1.0 - 0.5 * (least + most)) * area.area() / each
        }
        _ => (area.area() / AREA_PER_STROKE).ceil(),
    };
    let stroke_px = if is_long { length_px } else { USUAL_STROKE_PX };
    let wanted = match (settings.strokes, settings.length) {
        (Some(strokes), _) => spare * strokes as f64,
        (None, Some(mm)) => spare * mm * canvas.px_per_mm / stroke_px,
        (None, None) => usual,
    };
    wanted.ceil().max(1.0) as usize
}

/// Length of each cubic of joined ones (3 n + 1 x, y pairs); px, by eight chords.
fn chords(points: &[f32]) -> f64 {
    let length = |cubic: &[f32]| {
        let at = |i: usize| {
            let (t, v) = (i as f32 / 8.0, 1.0 - i as f32 / 8.0);
            let weights = [v * v * v, 3.0 * v * v * t, 3.0 * v * t * t, t * t * t];
            let axis = |axis: usize| -> f32 { (0..4).map(|k| weights[k] * cubic[2 * k + axis]).sum() };
            (axis(0), axis(1))
        };
        let chord = |i: usize| (at(i + 1).0 - at(i).0).hypot(at(i + 1).1 - at(i).1);
        (0..8).map(|i| f64::from(chord(i))).sum::<f64>()
    };
    points.windows(8).step_by(6).map(length).sum()
}
