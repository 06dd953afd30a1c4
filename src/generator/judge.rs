//! What a drawing loses with a stroke, and what it is worth as a whole.

use candle_core::{Device, Tensor, Var};

use super::Error;
use super::augment::View;
use super::objective::Objective;
use super::rasterizer::{Rasterizer, values};
use super::spline::each;
use traceur_core::color::Ink;

/// What strokes are judged by.
pub(super) struct Judge<'a> {
    pub(super) objective: &'a Objective,
    pub(super) views: &'a [View],
    /// The weight of ink.
    pub(super) ink: f64,
}

impl Judge<'_> {
    /// What the loss is expected to lose with each stroke; below 0 for strokes that do harm.
    pub(super) fn worths(&self, rasterizer: &Rasterizer, points: &[f32]) -> Result<Vec<f32>, Error> {
        let slopes = self.slopes(rasterizer, points)?;
        let covered = rasterizer.coverages(points)?;
        let plane = rasterizer.width_px * rasterizer.height_px;
        let mut sum = vec![0.0_f32; plane];
        covered.iter().flatten().for_each(|(pixel, c)| sum[*pixel] += c);
        let (ink, overlap) = (self.ink as f32, self.objective.overlap_weight() as f32);
        let worth = |(stroke, covered): (usize, &Vec<(usize, f32)>)| {
            let color = transmittance(&rasterizer.inks[rasterizer.pass_of[stroke]]);
            let seen: f32 = (0..3).map(|i| slopes[stroke][i] * (1.0 - color[i])).sum();
            let cost = |(pixel, c): &(usize, f32)| ink * c + overlap * (sum[*pixel] - 1.0).clamp(0.0, *c);
            seen - covered.iter().map(cost).sum::<f32>() / plane as f32
        };
        Ok(covered.iter().enumerate().map(worth).collect())
    }

    /// The loss of strokes.
    pub(super) fn loss(&self, rasterizer: &Rasterizer, points: &[f32]) -> Result<f32, Error> {
        let points = tensor(points, rasterizer)?;
        let picture = rasterizer.draw(&points)?;
        Ok(self.objective.terms(&picture, &points, self.views, self.ink)?.loss.to_scalar()?)
    }

    /// Slopes of the loss by the light that each stroke lets through, as if all inks were transparent.
    fn slopes(&self, rasterizer: &Rasterizer, points: &[f32]) -> Result<Vec<[f32; 3]>, Error> {
        let points = tensor(points, rasterizer)?;
        let colors: Vec<f32> =
            rasterizer.pass_of.iter().flat_map(|pass| transmittance(&rasterizer.inks[*pass])).collect();
        let colors = Var::from_vec(colors, (rasterizer.pass_of.len(), 3), &Device::Cpu)?;
        let picture = rasterizer.draw_free(&points, &colors)?;
        let gradients = self.objective.terms(&picture, &points, self.views, self.ink)?.loss.backward()?;
        let slopes = gradients.get(&colors).map_or(Ok(Vec::new()), values)?;
        Ok(slopes.chunks_exact(3).map(|slope| [slope[0], slope[1], slope[2]]).collect())
    }
}

/// Linear light of one line of an ink on white paper, as free colors have it.
pub(super) fn transmittance(ink: &Ink) -> [f32; 3] {
    std::array::from_fn(|i| (1.0 - ink.strength[i] * (1.0 - ink.limit[i])).clamp(0.002, 0.998))
}

fn tensor(points: &[f32], rasterizer: &Rasterizer) -> Result<Tensor, Error> {
    let count = rasterizer.pass_of.len();
    Ok(Tensor::from_slice(points, (count, each(points.len(), count) / 2, 2), &Device::Cpu)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;
    use traceur_core::drawing::Page;
    use traceur_core::pens::Inventory;

    /// A grid of strokes, all of one of two pens.
    fn strokes() -> (Objective, Rasterizer, Vec<f32>) {
        let pens = Inventory::built_in("fineliner-12").unwrap().pens;
        let page = Page { width: 60.0, height: 50.0 };
        let settings = Settings::new(page, "lite0:b4:11".parse().unwrap(), pens.clone());
        let objective = Objective::new(&settings, [0.0, 0.0, 96.0, 96.0]).unwrap();
        let mut points = Vec::new();
        for i in 0..24 {
            let at = 8.0 * (i % 12) as f32 + 3.0;
            let line = (0..4).map(|k| (30.0 * k as f32 + 2.0, at));
            points.extend(line.flat_map(|(u, v)| if i < 12 { [u, v] } else { [v, u] }));
        }
        let rasterizer = Rasterizer {
            width_px: 96,
            height_px: 96,
            softness_px: 1.0,
            widths_px: vec![1.6; 24],
            inks: vec![pens[0].ink(), pens[4].ink()],
            pass_of: vec![0; 24],
        };
        (objective, rasterizer, points)
    }

    #[test]
    fn a_stroke_on_another_is_worth_less_than_the_other_strokes() {
        let (objective, mut rasterizer, mut points) = strokes();
        // The first stroke once more.
        points.extend_from_within(..8);
        rasterizer.pass_of.push(rasterizer.pass_of[0]);
        rasterizer.widths_px.push(1.6);
        let judge = Judge { objective: &objective, views: &[View::IDENTITY], ink: 20.0 };
        let worths = judge.worths(&rasterizer, &points).unwrap();
        let mean = worths[1..24].iter().sum::<f32>() / 23.0;
        assert!(worths[24] < mean, "{} {mean}", worths[24]);
    }
}
