//! Which pens draw: those nearest to the free colors, then others in their place while the loss falls.

use palette::color_difference::Ciede2000;

use super::{Run, with_pens};
use crate::color::{Lab, Srgb, lab, nearest_center};
use crate::generator::rasterizer::encode;
use crate::generator::revise::Judge;
use crate::generator::{Error, clusters};
use crate::pens::{Pen, PenSet};

/// How often each pen may be exchanged.
const ROUNDS: usize = 3;
/// Pens that are tried in the place of one: those most like it.
const MOST_TRIED: usize = 12;

/// Pens in pass order, the pass of each stroke, and what they cost.
#[derive(Debug, Clone)]
struct Choice {
    pens: Vec<Pen>,
    pass_of: Vec<usize>,
    loss: f32,
}

impl Run {
    /// Chooses pens for free colors: the pens in pass order, and the pass of each stroke.
    ///
    /// A color may be far from every pen, and a channel may hardly see some colors, so the nearest pens are only a
    /// beginning: each is exchanged for the one, if any, that makes the loss least.
    pub(super) fn choose_pens(&self) -> Result<(Vec<Pen>, Vec<usize>), Error> {
        let colors = self.free_colors();
        // The parts of a sheet share the pens that the first one has chosen.
        if !self.state.pens.is_empty() {
            let shared = self.weighed(self.state.pens.clone(), &colors)?;
            return Ok((shared.pens, shared.pass_of));
        }
        let candidates = self.settings.candidates();
        let mut best = self.weighed(self.nearest_pens(&candidates)?, &colors)?;
        for _ in 0..ROUNDS {
            let before = best.clone();
            for set in exchanges(&before.pens, &candidates, self.settings.most_pens) {
                let choice = self.weighed(set, &colors)?;
                if choice.loss < best.loss {
                    best = choice;
                }
            }
            if best.loss >= before.loss {
                break;
            }
            tracing::debug!(from = before.loss, to = best.loss, "pens exchanged");
        }
        Ok((best.pens, best.pass_of))
    }

    /// The strokes' free colors.
    fn free_colors(&self) -> Vec<[f32; 3]> {
        let sigmoid = |logit: &f32| encode(1.0 / (1.0 + (-logit).exp()));
        let colors: Vec<f32> = self.state.logits.iter().map(sigmoid).collect();
        colors.chunks_exact(3).map(|c| [c[0], c[1], c[2]]).collect()
    }

    /// The pens nearest to clusters of the free colors.
    fn nearest_pens(&self, candidates: &[Pen]) -> Result<Vec<Pen>, Error> {
        let covered = self.rasterizer.coverages(&self.state.points)?;
        let areas: Vec<f32> = covered.iter().map(|stroke| stroke.iter().map(|(_, c)| c).sum()).collect();
        let most = self.settings.most_pens.min(candidates.len());
        let mut used = clusters::choose(&self.free_colors(), &areas, candidates, most, self.settings.seed);
        used.sort_unstable();
        used.dedup();
        Ok(used.into_iter().map(|index| candidates[index].clone()).collect())
    }

    /// Each stroke drawn by the pen of a set that is nearest to its color, and the loss of that.
    fn weighed(&self, set: Vec<Pen>, colors: &[[f32; 3]]) -> Result<Choice, Error> {
        let pens = PenSet::new(set).pens().to_vec();
        let centers: Vec<Lab> = pens.iter().map(|pen| lab(pen.color.into_format())).collect();
        let nearest = |c: &[f32; 3]| nearest_center(lab(Srgb::new(c[0], c[1], c[2])), &centers);
        let pass_of: Vec<usize> = colors.iter().map(nearest).collect();
        let views = self.fixed_views(1, 0);
        let judge = Judge { objective: &self.objective, views: &views, ink: self.settings.weights.ink };
        let rasterizer = with_pens(&self.canvas, &pens, pass_of.clone());
        let loss = judge.loss(&rasterizer, &self.state.points)?;
        Ok(Choice { pens, pass_of, loss })
    }
}

/// The sets that differ from `set` by one pen of `candidates`: another in the place of one, or one more.
fn exchanges(set: &[Pen], candidates: &[Pen], most: usize) -> Vec<Vec<Pen>> {
    let others: Vec<&Pen> = candidates.iter().filter(|pen| !set.contains(pen)).collect();
    let mut sets = Vec::new();
    for at in 0..set.len() {
        let own: Lab = lab(set[at].color.into_format());
        let mut others: Vec<(f32, &Pen)> =
            others.iter().map(|pen| (own.difference(lab(pen.color.into_format())), *pen)).collect();
        others.sort_by(|a, b| a.0.total_cmp(&b.0));
        for (_, other) in others.into_iter().take(MOST_TRIED) {
            let mut set = set.to_vec();
            set[at] = other.clone();
            sets.push(set);
        }
    }
    if set.len() < most {
        let more = others.into_iter().take(MOST_TRIED);
        sets.extend(more.map(|other| set.iter().cloned().chain([other.clone()]).collect()));
    }
    sets
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pens::{BUILT_IN, Inventory};

    #[test]
    fn sets_are_exchanged_one_pen_at_a_time_and_stay_small() {
        let pens = Inventory::parse("x", BUILT_IN[0].1).unwrap().pens;
        let sets = exchanges(&pens[..3], &pens[..5], 4);
        assert_eq!(sets.len(), 3 * 2 + 2);
        for set in &sets {
            assert!(set.len() <= 4);
            let kept = set.iter().filter(|pen| pens[..3].contains(pen)).count();
            assert_eq!(set.len(), kept + 1);
        }
        assert_eq!(exchanges(&pens[..4], &pens[..5], 4).len(), 4);
        assert!(exchanges(&pens[..2], &pens[..2], 4).is_empty());
    }
}
