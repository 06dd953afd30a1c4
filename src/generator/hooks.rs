//! Hooks: ends of a stroke that curl back within 2 mm. The picture hardly depends on them, so no gradient mends them.

use kurbo::{CubicBez, ParamCurve, ParamCurveDeriv, Point, Vec2};

use super::spline::Spline;

/// An end that turns by more than a right angle within this length is a hook; mm.
const REACH: f64 = 2.0;
/// Share of its own length that a stroke may lose at one end.
const MOST_LOST: f64 = 0.4;
/// Pieces by which a cubic is looked at.
const PIECES: usize = 48;

/// Cuts the hooks off `count` strokes by their control points (as many x, y pairs a stroke; canvas px); how many there
/// were. What is left of a cubic lies on it; a longer spline is laid anew through places of what is left of it. A stroke
/// that is a hook by more than 0.4 of its length stays as it is.
pub(super) fn trim(points: &mut [f32], count: usize, px_per_mm: f64) -> usize {
    let Some(spline) = Spline::of(points.len(), count) else { return 0 };
    let reach = REACH * px_per_mm;
    let each = spline.each();
    let trim = |values: &mut [f32]| {
        if each == 8 { trim_cubic(values, reach) } else { trim_path(&spline, values, reach) }
    };
    points.chunks_exact_mut(each).map(trim).sum()
}

fn trim_cubic(values: &mut [f32], reach: f64) -> usize {
    let cubic = cubic(values);
    let (from, to) = (hook_of(&cubic, reach), 1.0 - hook_of(&reversed(&cubic), reach));
    if !is_cut(from, to) {
        return 0;
    }
    let rest = cubic.subsegment(from..to);
    for (pair, point) in values.chunks_exact_mut(2).zip([rest.p0, rest.p1, rest.p2, rest.p3]) {
        (pair[0], pair[1]) = (point.x as f32, point.y as f32);
    }
    usize::from(from > 0.0) + usize::from(to < 1.0)
}

fn trim_path(spline: &Spline, values: &mut [f32], reach: f64) -> usize {
    let beziers = spline.beziers(values);
    let at = |place: f64| spline.point(&beziers, place);
    let pieces = PIECES * (values.len() / 8);
    let mut points: Vec<Point> = (0..=pieces).map(|i| at(i as f64 / pieces as f64)).collect();
    let directions = |points: &[Point]| points.windows(2).map(|pair| pair[1] - pair[0]).collect::<Vec<_>>();
    let from = hook(&points, &directions(&points), reach);
    points.reverse();
    let to = 1.0 - hook(&points, &directions(&points), reach);
    if !is_cut(from, to) {
        return 0;
    }
    let rest = spline.through(|place| at(from + (to - from) * place));
    values.copy_from_slice(&rest);
    usize::from(from > 0.0) + usize::from(to < 1.0)
}

/// Whether something is cut off, and something is left.
fn is_cut(from: f64, to: f64) -> bool {
    from < to && (from > 0.0 || to < 1.0)
}

fn hook_of(cubic: &CubicBez, reach: f64) -> f64 {
    let at = |i: usize| i as f64 / PIECES as f64;
    let points: Vec<Point> = (0..=PIECES).map(|i| cubic.eval(at(i))).collect();
    let directions: Vec<Vec2> =
        (0..PIECES).map(|i| cubic.deriv().eval(at(i) + 0.5 / PIECES as f64).to_vec2()).collect();
    hook(&points, &directions, reach)
}

/// Where to cut a polyline so that its beginning is no hook, as a share of its pieces; 0 where it is none, or can't be cut.
fn hook(points: &[Point], directions: &[Vec2], reach: f64) -> f64 {
    let pieces = directions.len();
    let lengths: Vec<f64> = points.windows(2).map(|pair| pair[0].distance(pair[1])).collect();
    let most = MOST_LOST * lengths.iter().sum::<f64>();
    // Turns are summed with their signs: an S is no hook.
    let curls = |first: usize| {
        let (mut length, mut turn) = (lengths[first], 0.0_f64);
        for i in first + 1..pieces {
            turn += directions[i - 1].cross(directions[i]).atan2(directions[i - 1].dot(directions[i]));
            length += lengths[i];
            if length > reach {
                return false;
            }
            if turn.abs() > std::f64::consts::FRAC_PI_2 {
                return true;
            }
        }
        false
    };
    let mut lost = 0.0;
    for (first, length) in lengths.iter().enumerate() {
        if !curls(first) {
            return first as f64 / pieces as f64;
        }
        lost += length;
        if lost > most {
            break;
        }
    }
    0.0
}

fn cubic(values: &[f32]) -> CubicBez {
    let point = |i: usize| Point::new(f64::from(values[2 * i]), f64::from(values[2 * i + 1]));
    CubicBez::new(point(0), point(1), point(2), point(3))
}

fn reversed(cubic: &CubicBez) -> CubicBez {
    CubicBez::new(cubic.p3, cubic.p2, cubic.p1, cubic.p0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// At 3.2 px a mm.
    fn trimmed(mut points: [f32; 8]) -> (usize, [f32; 8]) {
        let count = trim(&mut points, 1, 3.2);
        (count, points)
    }

    #[test]
    fn a_hook_is_cut_off_and_the_rest_of_the_stroke_stays() {
        let hooked = [1.0, 2.0, -3.0, 0.0, 4.0, 0.0, 40.0, 0.0];
        let (count, rest) = trimmed(hooked);
        assert_eq!((count, &rest[6..]), (1, &hooked[6..]));
        assert_ne!(rest[..2], hooked[..2]);
        assert_eq!(trimmed(rest).0, 0, "{rest:?}");
        let backward = [40.0, 0.0, 4.0, 0.0, -3.0, 0.0, 1.0, 2.0];
        let (count, other) = trimmed(backward);
        assert_eq!(count, 1);
        assert!((0..8).all(|i| (rest[i] - other[[6, 7, 4, 5, 2, 3, 0, 1][i]]).abs() < 1e-3));
    }

    #[test]
    fn lines_arcs_and_wide_turns_are_no_hooks() {
        for points in [
            [0.0, 0.0, 10.0, 0.0, 20.0, 0.0, 30.0, 0.0],
            [0.0, 0.0, 0.0, 16.0, 12.0, 16.0, 12.0, 0.0],
            [0.0, 0.0, 10.0, 12.0, 20.0, -12.0, 30.0, 0.0],
            [5.0; 8],
        ] {
            assert_eq!(trimmed(points), (0, points));
        }
        assert_eq!(trimmed([f32::NAN; 8]).0, 0);
    }

    #[test]
    fn a_path_loses_its_hook_and_keeps_its_course() {
        let spline = Spline::new(4);
        let straight = spline.through(|place| Point::new(90.0 * place, 0.0));
        let mut hooked = straight.clone();
        hooked[..4].copy_from_slice(&[3.0, 3.5, -3.0, 0.5]);
        assert_eq!(trim(&mut straight.clone(), 1, 3.2), 0);
        let mut rest = hooked.clone();
        assert_eq!(trim(&mut rest, 1, 3.2), 1);
        assert_eq!(trim(&mut rest.clone(), 1, 3.2), 0, "{rest:?}");
        assert!((rest[12] - hooked[12]).abs() < 0.5 && rest[13].abs() < 0.5);
    }

    #[test]
    fn a_small_loop_is_left_to_those_who_leave_out_knots() {
        let knot = [0.0, 0.0, 4.0, 4.0, -3.0, 4.0, 1.0, 0.0];
        assert_eq!(trimmed(knot), (0, knot));
    }
}
