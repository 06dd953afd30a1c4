//! Fewer corners for the same line.

use super::Polyline;
use super::fit::{is_straight, reach};

/// The line through as few of its vertices as stay within `tolerance` mm of it: each piece goes to the farthest vertex
/// for which all between lie near it and are passed in order, so that a way back is never lost. Its ends stay, so a
/// closed line stays closed and a dot a dot. 0 takes out only what lies exactly on a straight line.
///
/// # Tolerance
/// Greatest distance between the line and the given one, either way; mm. What [`flatten`](super::flatten) made at the
/// same tolerance or a greater one stays as it is. The time is near linear in the number of vertices, whatever their
/// shape (Ramer, Douglas and Peucker's is quadratic for a spiral).
#[must_use]
pub fn simplify(line: &Polyline, tolerance: f64) -> Polyline {
    let points = line.points();
    let mut kept = vec![line.start()];
    let mut at = 0;
    while at + 1 < points.len() {
        at = reach(points, at, 1, |part| is_straight(part, tolerance)).unwrap_or(at + 1);
        kept.push(points[at]);
    }
    Polyline::new(kept)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Point;
    use kurbo::{ParamCurveNearest as _, Vec2};
    use proptest::prelude::*;

    fn line(points: &[(f64, f64)]) -> Polyline {
        Polyline::new(points.iter().map(|p| Point::from(*p)).collect())
    }

    fn distance(point: Point, line: &Polyline) -> f64 {
        let near =
            line.points().windows(2).map(|p| kurbo::Line::new(p[0], p[1]).nearest(point, 1e-6).distance_sq);
        near.fold(f64::MAX, f64::min).sqrt()
    }

    #[test]
    fn corners_and_ways_back_stay_and_straight_vertices_go() {
        let given = line(&[(0.0, 0.0), (1.0, 0.0), (2.0, 0.001), (5.0, 0.0), (5.0, 5.0)]);
        assert_eq!(simplify(&given, 0.01), line(&[(0.0, 0.0), (5.0, 0.0), (5.0, 5.0)]));
        assert_eq!(simplify(&given, 0.0001).points().len(), 5);
        let back = line(&[(0.0, 0.0), (9.0, 0.0), (3.0, 0.0)]);
        assert_eq!(simplify(&back, 0.1), back);
    }

    #[test]
    fn closed_lines_stay_closed_and_dots_stay() {
        let tiny = line(&[(0.0, 0.0), (0.004, 0.0), (0.004, 0.004), (0.0, 0.0)]);
        assert!(simplify(&tiny, 0.01).is_closed());
        let dot = line(&[(3.0, 3.0), (3.0, 3.0), (3.0, 3.0)]);
        assert_eq!(simplify(&dot, 0.01), line(&[(3.0, 3.0), (3.0, 3.0)]));
    }

    #[test]
    fn a_circle_that_was_flattened_as_finely_is_left_alone() {
        let circle = kurbo::Shape::to_path(&kurbo::Circle::new((50.0, 50.0), 40.0), 1e-6);
        let flat = super::super::flatten(&circle, 0.01).remove(0);
        assert_eq!(simplify(&flat, 0.01).points().len(), flat.points().len());
    }

    #[test]
    fn a_spiral_of_a_million_vertices_is_quick() {
        let at = |n: u32| Vec2::from_angle(f64::from(n) * 0.001) * (f64::from(n) * 1e-4);
        let spiral = Polyline::new((0..1_000_000).map(|n| at(n).to_point()).collect());
        let few = simplify(&spiral, 0.02).points().len();
        assert!((3_000..40_000).contains(&few), "{few}");
    }

    proptest! {
        #[test]
        fn both_lines_are_near_each_other(
            steps in prop::collection::vec((-1.0_f64..1.0, -0.05_f64..0.05), 1..60),
            tolerance in 0.0_f64..0.2,
        ) {
            let mut at = Point::new(10.0, 10.0);
            let mut points = vec![at];
            for (x, y) in steps {
                at += Vec2::new(x.max(-0.2), y);
                points.push(at);
            }
            let given = Polyline::new(points);
            let few = simplify(&given, tolerance);
            prop_assert_eq!((few.start(), few.end()), (given.start(), given.end()));
            for point in given.points() {
                prop_assert!(distance(*point, &few) <= tolerance + 1e-9);
            }
            for pair in few.points().windows(2) {
                for n in 0..20 {
                    prop_assert!(distance(pair[0].lerp(pair[1], f64::from(n) / 20.0), &given) <= tolerance + 1e-9);
                }
            }
        }
    }
}
