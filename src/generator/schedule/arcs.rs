//! The strokes that a drawing begins with.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use traceur_core::geometry::Rect;

/// Length of the arcs; px.
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
