//! Which pens, and how much of each, average to a color.
//!
//! What the eye averages are sRGB values, so a square that a pen covers to a share `c` is seen as `white + c (pen -
//! white)`: a mixture of paper and pens whose shares sum to 1. Pens that cross would make more colors, but cost more ink
//! and hide lines; they are left to the optimiser.

use traceur_core::color::{Srgb, delta_e};
use traceur_core::pens::{Pen, PenSet};

/// Transfers of share from one color to another; enough for 1 % of the shares.
const TRANSFERS: usize = 200;
/// ΔE that each further pen of a mixture must be worth.
const PEN_PRICE: f32 = 1.0;
/// Colors by which pens are chosen.
const MOST_COLORS: usize = 400;

/// Paper, and one line of each pen.
pub(super) struct Mixing {
    /// sRGB; the first is the paper.
    colors: Vec<[f32; 3]>,
}

impl Mixing {
    pub(super) fn new(pens: &[Pen]) -> Self {
        let color = |pen: &Pen| {
            let color: Srgb<f32> = pen.color.into_format();
            color.into()
        };
        Self { colors: [[1.0; 3]].into_iter().chain(pens.iter().map(color)).collect() }
    }

    /// The shares of the colors that come nearest to `wanted` (sRGB), and what they average to.
    fn mix(&self, wanted: [f32; 3]) -> (Vec<f32>, [f32; 3]) {
        let mut shares = vec![0.0_f32; self.colors.len()];
        shares[0] = 1.0;
        let mut seen = [1.0_f32; 3];
        for _ in 0..TRANSFERS {
            let toward = |color: &[f32; 3]| (0..3).map(|i| (wanted[i] - seen[i]) * color[i]).sum::<f32>();
            let best = (0..shares.len())
                .max_by(|a, b| toward(&self.colors[*a]).total_cmp(&toward(&self.colors[*b])));
            let used = (0..shares.len()).filter(|i| shares[*i] > 0.0);
            let worst = used.min_by(|a, b| toward(&self.colors[*a]).total_cmp(&toward(&self.colors[*b])));
            let (Some(best), Some(worst)) = (best, worst) else { break };
            let step: [f32; 3] = std::array::from_fn(|i| self.colors[best][i] - self.colors[worst][i]);
            let length2 = step.iter().map(|s| s * s).sum::<f32>();
            let along = (0..3).map(|i| step[i] * (wanted[i] - seen[i])).sum::<f32>();
            let share = (along / length2.max(1e-9)).min(shares[worst]);
            if share < 1e-5 {
                break;
            }
            shares[best] += share;
            shares[worst] -= share;
            seen = std::array::from_fn(|i| seen[i] + share * step[i]);
        }
        (shares, seen)
    }

    /// How much of each pen's line (1: it covers all) comes nearest to a color.
    pub(super) fn coverages(&self, wanted: [f32; 3]) -> Vec<f32> {
        self.mix(wanted).0.split_off(1)
    }

    /// Mean ΔE2000 of the nearest mixtures, and a little for each pen after the first that one takes: a color of few pens
    /// is calmer.
    fn gap(&self, colors: &[[f32; 3]]) -> f32 {
        let gap = |wanted: &[f32; 3]| {
            let (shares, seen) = self.mix(*wanted);
            let pens = shares[1..].iter().filter(|share| **share > 0.05).count();
            delta_e((*wanted).into(), Srgb::from(seen)) + PEN_PRICE * pens.saturating_sub(1) as f32
        };
        colors.iter().map(gap).sum::<f32>() / colors.len().max(1) as f32
    }
}

/// At most `most` of `pens` in pass order: each time the one whose mixtures come nearest to the colors, as long as it
/// helps.
pub(super) fn choose(pens: &[Pen], most: usize, colors: &[[f32; 3]]) -> Vec<Pen> {
    if pens.len() <= most {
        return PenSet::new(pens.to_vec()).pens().to_vec();
    }
    let stride = colors.len().div_ceil(MOST_COLORS).max(1);
    let colors: Vec<[f32; 3]> = colors.iter().step_by(stride).copied().collect();
    let mut chosen: Vec<usize> = Vec::new();
    let mut gap = f32::MAX;
    while chosen.len() < most {
        let with = |pen: usize| {
            let set = chosen.iter().chain([&pen]).map(|index| pens[*index].clone()).collect();
            (Mixing::new(PenSet::new(set).pens()).gap(&colors), pen)
        };
        let others = (0..pens.len()).filter(|pen| !chosen.contains(pen));
        let Some((with, pen)) = others.map(with).min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)))
        else {
            break;
        };
        if with > gap - 0.02 {
            break;
        }
        gap = with;
        chosen.push(pen);
    }
    PenSet::new(chosen.into_iter().map(|index| pens[index].clone()).collect()).pens().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use traceur_core::pens::{BUILT_IN, Inventory};

    fn pens() -> Vec<Pen> {
        Inventory::parse("x", BUILT_IN.iter().find(|(id, _)| *id == "fineliner-12").unwrap().1).unwrap().pens
    }

    fn srgb(pen: &Pen) -> [f32; 3] {
        let color: Srgb<f32> = pen.color.into_format();
        color.into()
    }

    #[test]
    fn half_covered_paper_is_half_a_pen() {
        let pens = PenSet::new(pens()).pens().to_vec();
        let mixing = Mixing::new(&pens);
        for (index, pen) in pens.iter().enumerate() {
            let half = srgb(pen).map(|c| 0.5 + 0.5 * c);
            let coverages = mixing.coverages(half);
            let (_, seen) = mixing.mix(half);
            assert!(delta_e(half.into(), seen.into()) < 1.5, "{} {coverages:?}", pen.id);
            if ["sky", "green", "red"].contains(&pen.id.as_str()) {
                assert!((coverages[index] - 0.5).abs() < 0.2, "{} {coverages:?}", pen.id);
            }
        }
    }

    #[test]
    fn the_pens_of_a_picture_are_chosen_for_it() {
        let pens = pens();
        let wanted: Vec<[f32; 3]> =
            pens.iter().filter(|pen| ["red", "sky"].contains(&pen.id.as_str())).map(srgb).collect();
        let ids: Vec<String> = choose(&pens, 2, &wanted).into_iter().map(|pen| pen.id).collect();
        assert_eq!(ids, ["sky", "red"]);
        assert_eq!(choose(&pens, 20, &wanted).len(), pens.len());
    }
}
