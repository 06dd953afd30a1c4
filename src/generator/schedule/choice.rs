//! Which pens draw, and which of them draws which stroke.
//!
//! The pens nearest to the free colors are only a beginning: a color may be far from every pen, and a channel may hardly
//! see some colors. So lines are mixtures of the pens for a while. The gradient moves the mixtures, pens that others
//! replace best are left out, and the mixtures harden until each line is of one pen.

use candle_core::{Device, Tensor};
use palette::color_difference::Ciede2000;

use super::{Run, Stage, rasterizer, with_pens};
use crate::judge::{Judge, transmittance};
use crate::rasterizer::encode;
use crate::settings::Settings;
use crate::{Error, clusters};
use traceur_core::color::{Lab, lab};
use traceur_core::pens::{Pen, PenSet};

/// Pens that are mixed at most: those that were snapped to, and those most like them.
const MOST_MIXED: usize = 16;
/// Logit of the pen that a stroke was snapped to, before mixtures are moved; that of the others is 0.
const OWN: f32 = 1.0;
/// Factor of the logits at the last step of the mixtures, against 1 at the first.
const HARDNESS: f64 = 4.0;

/// Pens in pass order, and the pass of each stroke.
type Choice = (Vec<Pen>, Vec<usize>);

impl Run {
    /// The pens nearest to clusters of the free colors; the parts of a sheet share those that the first one has chosen.
    pub(super) fn nearest_pens(&self) -> Result<Choice, Error> {
        let sigmoid = |logit: &f32| encode(1.0 / (1.0 + (-logit).exp()));
        let colors: Vec<f32> = self.state.logits.iter().map(sigmoid).collect();
        let colors: Vec<[f32; 3]> = colors.chunks_exact(3).map(|c| [c[0], c[1], c[2]]).collect();
        let covered = self.rasterizer.coverages(&self.state.points)?;
        let areas: Vec<f32> = covered.iter().map(|stroke| stroke.iter().map(|(_, c)| c).sum()).collect();
        let shared = &self.state.pens;
        let candidates = if shared.is_empty() { self.settings.candidates() } else { shared.clone() };
        let most = self.settings.most_pens.min(candidates.len());
        let pen_of = clusters::choose(&colors, &areas, &candidates, most, self.settings.seed);
        if !shared.is_empty() {
            return Ok((candidates, pen_of));
        }
        let used = candidates.iter().enumerate().filter(|(index, _)| pen_of.contains(index));
        let pens = PenSet::new(used.map(|(_, pen)| pen.clone()).collect()).pens().to_vec();
        let pass_of = pen_of.iter().map(|index| position(&pens, &candidates[*index])).collect();
        Ok((pens, pass_of))
    }

    /// Whether lines are mixtures of the pens.
    pub(super) fn mixes(&self) -> bool {
        self.state.stage == Stage::Tune && !self.state.logits.is_empty()
    }

    /// Makes a mixture of each stroke, mostly of the pen that it was snapped to.
    pub(super) fn begin_mixtures(&mut self) {
        let state = &mut self.state;
        let pens =
            if state.made.is_empty() { drawer(&self.settings, &state.pens) } else { state.pens.clone() };
        state.pass_of = state.pass_of.iter().map(|pass| position(&pens, &state.pens[*pass])).collect();
        let mut logits = vec![0.0; pens.len() * state.pass_of.len()];
        for (logits, pass) in logits.chunks_exact_mut(pens.len()).zip(&state.pass_of) {
            logits[*pass] = OWN;
        }
        state.mix(logits);
        state.pens = pens;
        self.rasterizer = rasterizer(&self.settings, &self.canvas, &self.state);
    }

    /// Light [N, 3] that lines of mixtures by logits [N, pens] let through.
    pub(super) fn mixed(&self, logits: &Tensor) -> Result<Tensor, Error> {
        let part = self.state.step as f64 / self.settings.mix_steps().max(1) as f64;
        let light: Vec<f32> = self.state.pens.iter().flat_map(|pen| transmittance(&pen.ink())).collect();
        let light = Tensor::from_vec(light, (self.state.pens.len(), 3), &Device::Cpu)?;
        Ok(candle_nn::ops::softmax(&(logits * HARDNESS.powf(part))?, 1)?.matmul(&light)?)
    }

    /// Each stroke is of the pen that most of its mixture is of.
    pub(super) fn follow_mixtures(&mut self) {
        let all: Vec<usize> = (0..self.state.pens.len()).collect();
        self.state.pass_of = most_of(&self.state.logits, &all, all.len());
        self.rasterizer = rasterizer(&self.settings, &self.canvas, &self.state);
    }

    /// Lines are of one pen from now on.
    pub(super) fn end_mixtures(&mut self) -> Result<(), Error> {
        self.drop_pens()?;
        self.state.mix(Vec::new());
        Ok(())
    }

    /// Leaves out the pens beyond those that are allowed, one by one: always the one without which the loss is least.
    pub(super) fn drop_pens(&mut self) -> Result<(), Error> {
        let count = self.state.pens.len();
        let views = self.fixed_views(1, self.state.step as u64);
        let judge = Judge { objective: &self.objective, views: &views, ink: self.usual_ink() };
        let mut left: Vec<usize> = (0..count).collect();
        while left.len() > self.settings.most_pens {
            let mut best = (f32::INFINITY, 0);
            for at in 0..left.len() {
                let mut others = left.clone();
                others.remove(at);
                let pens: Vec<Pen> = others.iter().map(|pen| self.state.pens[*pen].clone()).collect();
                let rasterizer = with_pens(&self.canvas, &pens, most_of(&self.state.logits, &others, count));
                let loss = judge.loss(&rasterizer, &self.state.points)?;
                if loss < best.0 {
                    best = (loss, at);
                }
            }
            left.remove(best.1);
        }
        if left.len() < count {
            let state = &mut self.state;
            state.pass_of = most_of(&state.logits, &left, count);
            let kept = |logits: &[f32]| left.iter().map(|pen| logits[*pen]).collect::<Vec<f32>>();
            state.mix(state.logits.chunks_exact(count).flat_map(kept).collect());
            state.pens = left.iter().map(|pen| state.pens[*pen].clone()).collect();
            self.rasterizer = rasterizer(&self.settings, &self.canvas, &self.state);
        }
        Ok(())
    }
}

/// The pens to mix, in pass order: `used`, and those of the candidates that are most like them.
fn drawer(settings: &Settings, used: &[Pen]) -> Vec<Pen> {
    let color = |pen: &Pen| -> Lab { lab(pen.color.into_format()) };
    let differs = |pen: &Pen| {
        used.iter().map(|other| color(pen).difference(color(other))).fold(f32::INFINITY, f32::min)
    };
    let mut pens = settings.candidates();
    pens.sort_by_cached_key(|pen| (!used.contains(pen), (1000.0 * differs(pen)) as u32));
    pens.truncate(MOST_MIXED.max(used.len()));
    PenSet::new(pens).pens().to_vec()
}

/// Of the pens `among`, as a place in it, the one that most of each mixture of `count` pens is of.
fn most_of(logits: &[f32], among: &[usize], count: usize) -> Vec<usize> {
    let most = |logits: &[f32]| {
        (0..among.len()).max_by(|a, b| logits[among[*a]].total_cmp(&logits[among[*b]])).unwrap_or(0)
    };
    logits.chunks_exact(count.max(1)).map(most).collect()
}

fn position(pens: &[Pen], pen: &Pen) -> usize {
    pens.iter().position(|other| other == pen).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use traceur_core::drawing::Page;
    use traceur_core::pens::Inventory;

    fn settings() -> Settings {
        let pens = Inventory::built_in("fineliner-12").unwrap().pens;
        let page = Page { width: 40.0, height: 32.0 };
        Settings {
            margin: 4.0,
            strokes: Some(24),
            free_steps: 4,
            tune_steps: 24,
            ..Settings::new(page, "lite0:b4:11".parse().unwrap(), pens)
        }
    }

    fn after(settings: &Settings, steps: usize) -> Run {
        let mut run = Run::new(settings.clone()).unwrap();
        (0..steps).for_each(|_| assert!(run.step().unwrap().is_some()));
        run
    }

    #[test]
    fn mixtures_of_all_pens_become_lines_of_the_allowed_ones() {
        let settings = Settings { most_pens: 3, ..settings() };
        let run = after(&settings, 5);
        assert_eq!(run.state.pens.len(), settings.candidates().len());
        let run = after(&settings, 5 + settings.mix_steps());
        assert!(!run.mixes() && run.state.pens.len() <= 3);
    }

    #[test]
    fn a_run_that_ends_among_mixtures_has_the_allowed_pens_only() {
        for steps in [4, 5, 7] {
            let settings = Settings { most_pens: 2, ..settings() };
            let outcome = after(&settings, steps).outcome().unwrap();
            assert!((1..=2).contains(&outcome.drawing.layers.len()));
        }
    }

    #[test]
    fn the_pen_without_which_the_loss_is_least_is_left_out() {
        let mut run = after(&settings(), 5);
        let count = run.state.pens.len();
        let loss = |run: &Run| {
            let views = run.fixed_views(1, run.state.step as u64);
            let judge = Judge { objective: &run.objective, views: &views, ink: run.usual_ink() };
            judge.loss(&run.rasterizer, &run.state.points).unwrap()
        };
        let without = |pen: usize| {
            let mut run = run.clone();
            let others: Vec<usize> = (0..count).filter(|other| *other != pen).collect();
            run.state.pass_of = most_of(&run.state.logits, &others, count);
            run.state.pens.remove(pen);
            run.rasterizer = rasterizer(&run.settings, &run.canvas, &run.state);
            loss(&run)
        };
        let least = (0..count).map(without).fold(f32::INFINITY, f32::min);
        run.settings.most_pens = count - 1;
        run.drop_pens().unwrap();
        assert_eq!((run.state.pens.len(), loss(&run)), (count - 1, least));
    }

    #[test]
    fn pens_most_like_those_in_use_are_mixed() {
        let pen = |i: u8| Pen { id: format!("p{i}"), color: [i, i, i].into(), ..settings().pens[0].clone() };
        let pens: Vec<Pen> = (0..40).map(pen).collect();
        let settings = Settings { pens: pens.clone(), ..settings() };
        let mixed = drawer(&settings, &pens[20..22]);
        assert_eq!(mixed.len(), MOST_MIXED);
        assert!(pens[20..22].iter().all(|pen| mixed.contains(pen)));
        assert!(!mixed.contains(&pens[0]) && !mixed.contains(&pens[39]));
        assert_eq!(drawer(&settings, &pens[..20]).len(), 20);
    }
}
