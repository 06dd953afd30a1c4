//! G2 and G3 as chords.

use std::f64::consts::TAU;

use super::planner::Position;

/// The chords' ends from `from` to `to`, `to` last. `centre` is I, J relative to `from` (of the plane's two axes);
/// `radius` is R, negative for the long way; `tolerance` is `$12`. All mm.
///
/// Errors are GRBL's: 33 no such arc, 34 radius too small, 35 no centre.
pub(super) fn chords(
    from: Position,
    to: Position,
    (a, b, c): (usize, usize, usize),
    clockwise: bool,
    centre: Option<(f64, f64)>,
    radius: Option<f64>,
    tolerance: f64,
) -> Result<Vec<Position>, u32> {
    let (dx, dy) = (to[a] - from[a], to[b] - from[b]);
    let (i, j) = match (radius, centre) {
        (Some(radius), _) => {
            if dx == 0.0 && dy == 0.0 {
                return Err(33);
            }
            let chord_2 = dx * dx + dy * dy;
            let height_2 = 4.0 * radius * radius - chord_2;
            if height_2 < 0.0 {
                return Err(34);
            }
            let mut height = -height_2.sqrt() / chord_2.sqrt();
            if !clockwise {
                height = -height;
            }
            if radius < 0.0 {
                height = -height;
            }
            ((dx - dy * height) / 2.0, (dy + dx * height) / 2.0)
        }
        (None, Some(centre)) => centre,
        (None, None) => return Err(35),
    };
    let radius = i.hypot(j);
    let end = (dx - i, dy - j);
    let off = (end.0.hypot(end.1) - radius).abs();
    if off > 0.5 || (off > 0.005 && off > 0.001 * radius) {
        return Err(33);
    }
    let begin_angle = (-j).atan2(-i);
    let mut sweep = end.1.atan2(end.0) - begin_angle;
    // gnea/grbl `motion_control.c`: an arc that ends where it begins is a full circle.
    if clockwise {
        while sweep >= -5e-7 {
            sweep -= TAU;
        }
    } else {
        while sweep <= 5e-7 {
            sweep += TAU;
        }
    }
    let chord = 2.0 * (tolerance * (2.0 * radius - tolerance)).max(1e-12).sqrt();
    let count = (sweep.abs() * radius / chord).floor().min(65_535.0);
    let mut points = Vec::new();
    for index in 1..count as usize {
        let part = index as f64 / count;
        let angle = begin_angle + sweep * part;
        let mut point = from;
        point[a] = from[a] + i + radius * angle.cos();
        point[b] = from[b] + j + radius * angle.sin();
        point[c] = from[c] + (to[c] - from[c]) * part;
        points.push(point);
    }
    points.push(to);
    Ok(points)
}
