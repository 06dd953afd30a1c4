//! The strokes that a drawing begins with.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::settings::Settings;
use crate::spline::Spline;
use traceur_core::geometry::{Point, Rect, Vec2};

/// Length of single cubics; px.
const ARC_PX: f64 = 24.0;

/// Arcs of all directions and curvatures, spread evenly: one in each cell of a jittered grid.
pub(crate) fn arcs(rng: &mut ChaCha8Rng, count: usize, area: Rect) -> Vec<f32> {
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

/// The length of a long path at first, as a share of the shorter edge: 0.25 to 0.4.
const LONG: std::ops::Range<f64> = 0.25..0.4;
/// No path is longer at first: the forms that networks want do not grow with the sheet; px.
const LONGEST_PX: f64 = 72.0;
/// Turn of a long path at either end of it, per its length; radians.
const TURN: f64 = 1.5;
/// Steps by which a path is laid.
const PATH_STEPS: usize = 48;

impl Settings {
    /// Strokes of any direction, spread over an area (px): arcs of single cubics, or long paths.
    pub(crate) fn first_strokes(&self, rng: &mut ChaCha8Rng, count: usize, area: Rect) -> Vec<f32> {
        match self.spans() {
            1 => arcs(rng, count, area),
            spans => paths(rng, count, area, &Spline::new(spans)),
        }
    }

    /// About the length of the strokes of an area at first; px.
    pub(crate) fn first_length_px(&self, area: Rect) -> f64 {
        let long = (0.5 * (LONG.start + LONG.end) * area.width().min(area.height())).min(LONGEST_PX);
        if self.spans() == 1 { ARC_PX } else { long }
    }
}

/// Paths whose curvature changes evenly from end to end (clothoids), about one in each cell of a jittered grid. They lie within
/// the area: what would leave it is moved back as a whole, so that nothing piles up along an edge.
fn paths(rng: &mut ChaCha8Rng, count: usize, area: Rect, spline: &Spline) -> Vec<f32> {
    let rows = ((count as f64 * area.height() / area.width()).sqrt().round() as usize).clamp(1, count);
    let mut points = Vec::with_capacity(spline.each() * count);
    for row in 0..rows {
        let columns = count * (row + 1) / rows - count * row / rows;
        for column in 0..columns {
            let x = area.x0 + area.width() * (column as f64 + rng.random::<f64>()) / columns as f64;
            let y = area.y0 + area.height() * (row as f64 + rng.random::<f64>()) / rows as f64;
            let length = (rng.random_range(LONG) * area.width().min(area.height())).min(LONGEST_PX);
            let turns = [rng.random_range(-TURN..TURN), rng.random_range(-TURN..TURN)];
            let path = clothoid(rng.random_range(0.0..std::f64::consts::TAU), length, turns);
            let middle = path[PATH_STEPS / 2].to_vec2();
            let path: Vec<Point> =
                path.iter().map(|point| Point::new(x, y) + (point.to_vec2() - middle)).collect();
            let back = way_back(&path, area);
            let at = |place: f64| {
                let along = place * PATH_STEPS as f64;
                let step = (along as usize).min(PATH_STEPS - 1);
                path[step].lerp(path[step + 1], along - step as f64) + back
            };
            points.extend(spline.through(at));
        }
    }
    points
}

/// A path of a length that begins in some direction; its turn per length goes from the first of `turns` to the other one.
fn clothoid(mut direction: f64, length: f64, turns: [f64; 2]) -> Vec<Point> {
    let mut path = vec![Point::ORIGIN];
    for step in 0..PATH_STEPS {
        let part = (step as f64 + 0.5) / PATH_STEPS as f64;
        direction += (turns[0] + (turns[1] - turns[0]) * part) / PATH_STEPS as f64;
        let last = path[step];
        path.push(last + Vec2::from_angle(direction) * (length / PATH_STEPS as f64));
    }
    path
}

/// How far a path must be moved to lie within an area that is larger.
fn way_back(path: &[Point], area: Rect) -> Vec2 {
    let axis = |of: fn(&Point) -> f64, from: f64, to: f64| {
        let least = path.iter().map(of).fold(f64::INFINITY, f64::min);
        let most = path.iter().map(of).fold(f64::NEG_INFINITY, f64::max);
        (from - least).max(0.0) + (to - most).min(0.0)
    };
    Vec2::new(axis(|point| point.x, area.x0, area.x1), axis(|point| point.y, area.y0, area.y1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn long_paths_lie_inside_and_have_their_length() {
        let area = Rect::new(6.0, 6.0, 106.0, 86.0);
        let spline = Spline::new(4);
        let points = paths(&mut ChaCha8Rng::seed_from_u64(3), 60, area, &spline);
        assert_eq!(points.len(), 60 * spline.each());
        for controls in points.chunks_exact(spline.each()) {
            let ends = (controls[0] - controls[12]).hypot(controls[1] - controls[13]);
            assert!(ends < 32.5, "{ends}");
            let legs = controls.windows(4).step_by(2).map(|p| (p[2] - p[0]).hypot(p[3] - p[1]));
            let length: f32 = legs.sum();
            assert!((19.9..33.0).contains(&length), "{length}");
            assert!(
                controls.chunks_exact(2).all(|p| (5.0..107.0).contains(&p[0]) && (5.0..87.0).contains(&p[1]))
            );
        }
    }
}
