//! Strokes that have become knots, or are hidden by others, begin anew as arcs where there is room.

use super::{Run, laid};
use crate::Error;
use traceur_core::geometry::Rect;

/// Share of the steps with pens between two times.
pub(super) const EVERY: f64 = 0.11;
/// Share of the steps with pens after which no stroke begins anew, unless the budget is missed: there is little time
/// to grow.
pub(super) const UNTIL: f64 = 0.6;
/// Places that are tried for each stroke.
const PLACES: usize = 12;

/// Pixels and their coverages.
type Covered = Vec<(usize, f32)>;

impl Run {
    /// Lays each stroke that is not worth drawing anew, in the emptiest of some places.
    pub(super) fn reseed(&mut self) -> Result<(), Error> {
        self.trim();
        let worth = self.worth_drawing()?;
        let covered = self.rasterizer.coverages(&self.state.points)?;
        let mut sum = vec![0.0_f32; self.canvas.width_px * self.canvas.height_px];
        let mut add = |covered: &[(usize, f32)]| covered.iter().for_each(|(pixel, c)| sum[*pixel] += c);
        covered.iter().zip(&worth).filter(|(_, worth)| **worth).for_each(|(covered, _)| add(covered));
        let mut anew = 0;
        for stroke in (0..worth.len()).filter(|stroke| !worth[*stroke]) {
            let (arc, covered) = self.emptiest_arc(&sum)?;
            covered.iter().for_each(|(pixel, c)| sum[*pixel] += c);
            self.state.begin_stroke(stroke, &arc);
            anew += 1;
        }
        tracing::debug!(anew, of = worth.len(), "strokes begun anew");
        Ok(())
    }

    /// The arc of some random ones that lies on the least ink, and what it covers; `sum`: coverage of each pixel.
    fn emptiest_arc(&mut self, sum: &[f32]) -> Result<(Vec<f32>, Covered), Error> {
        let [left, top, right, bottom] = self.objective.inside.map(f64::from);
        let area = Rect::new(left, top, right, bottom);
        let points = self.settings.first_strokes(&mut self.state.rng, PLACES, area);
        let inks = vec![self.settings.pens[0].ink()];
        let tried = laid(&self.canvas, inks, &[self.settings.pens[0].tip], vec![0; PLACES]);
        let on_ink = |covered: &[(usize, f32)]| {
            let own: f32 = covered.iter().map(|(_, c)| c).sum();
            covered.iter().map(|(pixel, c)| c * sum[*pixel]).sum::<f32>() / own.max(1.0)
        };
        let covered = tried.coverages(&points)?;
        let best = covered.into_iter().enumerate().min_by(|a, b| on_ink(&a.1).total_cmp(&on_ink(&b.1)));
        let each = self.state.each();
        let (place, covered) = best.unwrap_or_default();
        Ok((points[each * place..each * (place + 1)].to_vec(), covered))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;
    use traceur_core::drawing::Page;
    use traceur_core::pens::Inventory;

    #[test]
    fn knots_and_strokes_on_others_begin_anew_and_the_rest_stays() {
        let pens = Inventory::built_in("fineliner-12").unwrap().pens;
        let page = Page { width: 60.0, height: 50.0 };
        let settings =
            Settings { strokes: Some(20), ..Settings::new(page, "lite0:b4:11".parse().unwrap(), pens) };
        let mut run = Run::new(settings).unwrap();
        for twin in 0..3 {
            let line = [40.0, 40.0, 50.0, 40.0, 60.0, 40.0, 70.0, 40.0];
            run.state.points[8 * twin..8 * twin + 8].copy_from_slice(&line);
        }
        run.state.points[24..32].fill(60.0);
        let before = run.state.points.clone();
        run.reseed().unwrap();
        // Hooks are cut beside, which moves a stroke little.
        let middle = |points: &[f32], stroke: usize| [points[8 * stroke + 2], points[8 * stroke + 3]];
        let anew = |stroke: &usize| {
            let (from, to) = (middle(&before, *stroke), middle(&run.state.points, *stroke));
            (from[0] - to[0]).hypot(from[1] - to[1]) > 6.0
        };
        assert!(anew(&3));
        assert_eq!((0..3).filter(anew).count(), 2);
        assert!((4..run.state.pass_of.len()).filter(anew).count() <= 1);
        assert!(run.worth_drawing().unwrap()[3]);
    }
}
