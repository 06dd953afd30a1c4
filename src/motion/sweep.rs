//! Look-ahead: which speed each corner of a run can have.

use super::{Limits, Segment, Trapezoid, junction_v2};

/// Plans one continuous run, from standing to standing: one trapezoid a segment. Linear in their number.
///
/// The planner of GRBL 1.1 with the whole run in view: nominal speeds and accelerations bounded by axis, corner speeds
/// by [`junction_v2`], then a backward and a forward sweep.
#[must_use]
pub fn plan_segments(segments: &[Segment], limits: &impl Limits) -> Vec<Trapezoid> {
    let accelerations: Vec<f64> =
        segments.iter().map(|segment| limits.acceleration_along(segment.direction)).collect();
    let mut corners_v2 = corner_bounds_v2(segments, limits);
    for (index, segment) in segments.iter().enumerate().rev() {
        let reachable = corners_v2[index + 1] + 2.0 * accelerations[index] * segment.length;
        corners_v2[index] = corners_v2[index].min(reachable);
    }
    for (index, segment) in segments.iter().enumerate() {
        let reachable = corners_v2[index] + 2.0 * accelerations[index] * segment.length;
        corners_v2[index + 1] = corners_v2[index + 1].min(reachable);
    }
    let shape = |(index, segment): (usize, &Segment)| {
        let nominal = segment.nominal_speed(limits);
        let (entry_v2, exit_v2) = (corners_v2[index], corners_v2[index + 1]);
        Trapezoid::new(segment.length, entry_v2, nominal * nominal, exit_v2, accelerations[index])
    };
    segments.iter().enumerate().map(shape).collect()
}

/// As [`plan_segments`], for a planner that sees only `blocks` segments at once, the running one among them: at each of
/// them it must still be able to stop at the end of the last one that it sees. Linear in segments times blocks.
///
/// The planner is taken to be full whenever a segment begins, as a sender that keeps up with it fills it.
#[must_use]
pub fn plan_segments_within(segments: &[Segment], limits: &impl Limits, blocks: usize) -> Vec<Trapezoid> {
    let accelerations: Vec<f64> =
        segments.iter().map(|segment| limits.acceleration_along(segment.direction)).collect();
    let bounds_v2 = corner_bounds_v2(segments, limits);
    let mut entry_v2 = 0.0_f64;
    let shape = |(index, segment): (usize, &Segment)| {
        let seen = (index + blocks.max(1)).min(segments.len());
        let stopping = |v2: f64, later: usize| {
            (v2 + 2.0 * accelerations[later] * segments[later].length).min(bounds_v2[later])
        };
        let reachable_v2 = entry_v2 + 2.0 * accelerations[index] * segment.length;
        let exit_v2 = (index + 1..seen).rev().fold(0.0, stopping).min(reachable_v2);
        let nominal = segment.nominal_speed(limits);
        let trapezoid =
            Trapezoid::new(segment.length, entry_v2, nominal * nominal, exit_v2, accelerations[index]);
        entry_v2 = exit_v2;
        trapezoid
    };
    segments.iter().enumerate().map(shape).collect()
}

/// The greatest squared speed at each of the n + 1 corners of n segments, the ends at 0; mm²/s².
fn corner_bounds_v2(segments: &[Segment], limits: &impl Limits) -> Vec<f64> {
    let mut bounds = vec![0.0; segments.len() + 1];
    for (index, pair) in segments.windows(2).enumerate() {
        let slower = pair[0].nominal_speed(limits).min(pair[1].nominal_speed(limits));
        bounds[index + 1] = junction_v2(pair[0].direction, pair[1].direction, limits).min(slower * slower);
    }
    bounds
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::AxisLimits;
    use proptest::prelude::*;
    use traceur_core::geometry::Point;

    const LIMITS: AxisLimits = AxisLimits {
        speed: [100.0, 80.0, 15.0],
        acceleration: [600.0, 400.0, 200.0],
        junction_deviation: 0.02,
    };

    fn segments(points: &[(f64, f64)]) -> Vec<Segment> {
        points.windows(2).filter_map(|pair| Segment::flat(pair[0].into(), pair[1].into(), 90.0)).collect()
    }

    fn seconds(segments: &[Segment]) -> f64 {
        plan_segments(segments, &LIMITS).iter().map(Trapezoid::seconds).sum()
    }

    fn walk() -> impl Strategy<Value = Vec<(f64, f64)>> {
        prop::collection::vec((0.0..50.0, 0.0..50.0), 2..20)
    }

    #[test]
    fn one_long_segment_is_a_textbook_trapezoid() {
        // 90 mm/s after 0.15 s and 6.75 mm at 600 mm/s²; 86.5 mm at 90 mm/s between.
        let time = seconds(&segments(&[(0.0, 0.0), (100.0, 0.0)]));
        assert!((time - (0.3 + 86.5 / 90.0)).abs() < 1e-12, "{time}");
    }

    #[test]
    fn nothing_takes_no_time() {
        assert!(plan_segments(&[], &LIMITS).is_empty());
    }

    proptest! {
        #[test]
        fn speeds_meet_at_corners_and_keep_every_bound(points in walk()) {
            let segments = segments(&points);
            let plan = plan_segments(&segments, &LIMITS);
            let mut at = 0.0;
            for (index, (segment, trapezoid)) in segments.iter().zip(&plan).enumerate() {
                prop_assert!((trapezoid.entry - at).abs() < 1e-9);
                at = trapezoid.exit;
                if let Some(next) = segments.get(index + 1) {
                    prop_assert!(at * at <= junction_v2(segment.direction, next.direction, &LIMITS) + 1e-9);
                }
                for block in trapezoid.blocks() {
                    for axis in 0..2 {
                        let u = segment.direction[axis].abs();
                        prop_assert!(block.acceleration.abs() * u <= LIMITS.acceleration[axis] + 1e-9);
                        prop_assert!(block.entry.max(block.exit()) * u <= LIMITS.speed[axis] + 1e-9);
                    }
                    prop_assert!(block.entry.max(block.exit()) <= segment.feed + 1e-9);
                }
            }
            prop_assert!(at == 0.0);
        }

        #[test]
        fn splitting_at_a_collinear_point_changes_no_time(points in walk(), part in 0.01..0.99) {
            let mut split = Vec::new();
            for pair in points.windows(2) {
                let middle = Point::from(pair[0]).lerp(Point::from(pair[1]), part);
                split.extend([pair[0], middle.into()]);
            }
            split.push(points[points.len() - 1]);
            prop_assert!((seconds(&segments(&points)) - seconds(&segments(&split))).abs() < 1e-6);
        }

        #[test]
        fn a_planner_that_sees_all_plans_as_well_and_a_blind_one_stops_everywhere(points in walk()) {
            let segments = segments(&points);
            let seconds = |blocks| -> f64 {
                plan_segments_within(&segments, &LIMITS, blocks).iter().map(Trapezoid::seconds).sum()
            };
            prop_assert!((seconds(segments.len()) - self::seconds(&segments)).abs() < 1e-9);
            prop_assert!(seconds(2) >= seconds(3) - 1e-9);
            prop_assert!(plan_segments_within(&segments, &LIMITS, 1).iter().all(|t| t.entry == 0.0 && t.exit == 0.0));
        }

        #[test]
        fn the_way_back_takes_the_same_time(points in walk()) {
            let forth = segments(&points);
            let back: Vec<Segment> = forth.iter().rev().map(|segment| segment.reversed()).collect();
            prop_assert!((seconds(&forth) - seconds(&back)).abs() < 1e-6);
        }
    }
}
