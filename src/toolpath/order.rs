//! In which order and direction the strokes of one pen are drawn.

use super::greedy;
use super::search::{Ends, Near, improve};
use crate::geometry::{Point, Polyline};

/// Puts the strokes of one pen in an order with little travel from the page's origin (0,0), the end free. Strokes may be
/// turned around, and closed ones entered at another vertex; the travel is never longer than in the order given.
///
/// The better of a greedy-edge tour and the given order, then 2-opt and Or-opt moves until none helps, then `effort`
/// trials a stroke: small random changes that are kept when they shorten the travel. `None` is 5 trials a stroke, and
/// 100 000 at most. A trial takes about 20 µs; all before is near linear in time and memory. The same strokes and effort
/// give the same order, always.
#[must_use]
pub fn order(strokes: Vec<Polyline>, effort: Option<usize>) -> Vec<Polyline> {
    if strokes.is_empty() {
        return strokes;
    }
    let (names, strokes) = near_in_memory(strokes);
    let ends = Ends::new(&strokes);
    let near = Near::new(&ends);
    let given: Vec<u32> = std::iter::once(ends.free()).chain(names.iter().map(|name| 2 * name)).collect();
    let greedy = greedy::tour(&ends, &near);
    let start = if ends.tour_travel(&greedy) < ends.tour_travel(&given) { greedy } else { given };
    let kicks = kicks(effort, strokes.len());
    let mut ordered = arrange(strokes, &improve(&ends, &near, start, kicks)[1..]);
    enter_closed(&mut ordered);
    ordered
}

/// The strokes sorted so that those near on paper are near in memory, along a Z-order curve, and where each now is.
fn near_in_memory(strokes: Vec<Polyline>) -> (Vec<u32>, Vec<Polyline>) {
    let corner = strokes.iter().fold(Point::new(f64::MAX, f64::MAX), |corner, stroke| {
        Point::new(corner.x.min(stroke.start().x), corner.y.min(stroke.start().y))
    });
    // Cells of 1/16 mm, 4 km to a side.
    let key = |stroke: &Polyline| {
        let cell = (stroke.start() - corner) * 16.0;
        spread(cell.x as u32) | spread(cell.y as u32) << 1
    };
    let mut sorted: Vec<(u64, u32)> = strokes.iter().map(key).zip(0..).collect();
    sorted.sort_unstable();
    let mut names = vec![0; strokes.len()];
    for (name, (_, given)) in (0..).zip(&sorted) {
        names[*given as usize] = name;
    }
    let mut strokes = strokes;
    let sorted = sorted.iter().map(|(_, given)| std::mem::take(&mut strokes[*given as usize])).collect();
    (names, sorted)
}

/// The bits of a number, a zero between each.
fn spread(number: u32) -> u64 {
    let mut bits = u64::from(number);
    for (shift, mask) in [
        (16, 0x0000_ffff_0000_ffff),
        (8, 0x00ff_00ff_00ff_00ff),
        (4, 0x0f0f_0f0f_0f0f_0f0f),
        (2, 0x3333_3333_3333_3333),
        (1, 0x5555_5555_5555_5555),
    ] {
        bits = (bits | bits << shift) & mask;
    }
    bits
}

/// How many trials the search may make.
fn kicks(effort: Option<usize>, strokes: usize) -> usize {
    effort.map_or_else(|| (5 * strokes).min(100_000), |effort| effort.saturating_mul(strokes))
}

fn arrange(mut strokes: Vec<Polyline>, entries: &[u32]) -> Vec<Polyline> {
    let take = |entry: &u32| {
        let mut stroke = std::mem::take(&mut strokes[*entry as usize >> 1]);
        if entry & 1 == 1 {
            stroke.reverse();
        }
        stroke
    };
    entries.iter().map(take).collect()
}

/// Enters each closed stroke at the vertex that is best between what is drawn before and after it.
fn enter_closed(strokes: &mut [Polyline]) {
    let mut before = Point::ORIGIN;
    for index in 0..strokes.len() {
        let after = strokes.get(index + 1).map(Polyline::start);
        let stroke = &mut strokes[index];
        if stroke.is_closed() {
            let detour = |at: &Point| before.distance(*at) + after.map_or(0.0, |after| at.distance(after));
            let entry = stroke.points.iter().enumerate().min_by(|a, b| detour(a.1).total_cmp(&detour(b.1)));
            let vertex = entry.map_or(0, |(vertex, _)| vertex);
            rotate(&mut stroke.points, vertex);
        }
        before = stroke.end();
    }
}

fn rotate(points: &mut Vec<Point>, vertex: usize) {
    if vertex > 0 && vertex + 1 < points.len() {
        points.pop();
        points.rotate_left(vertex);
        points.push(points[0]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::toolpath::Statistics;
    use proptest::prelude::*;

    fn travel(strokes: &[Polyline]) -> f64 {
        Statistics::of(strokes).travel_mm
    }

    fn line(points: &[(f64, f64)]) -> Polyline {
        Polyline::new(points.iter().map(|p| Point::from(*p)).collect())
    }

    /// The same marks, whatever their order, direction and entry.
    fn marks(strokes: &[Polyline]) -> Vec<Vec<[u64; 4]>> {
        let piece = |pair: &[Point]| {
            let (a, b) = ([pair[0].x, pair[0].y], [pair[1].x, pair[1].y]);
            let (a, b) = if a < b { (a, b) } else { (b, a) };
            [a[0], a[1], b[0], b[1]].map(f64::to_bits)
        };
        let bits = |stroke: &Polyline| {
            let mut pieces: Vec<[u64; 4]> = stroke.points.windows(2).map(piece).collect();
            pieces.sort_unstable();
            pieces
        };
        let mut marks: Vec<_> = strokes.iter().map(bits).collect();
        marks.sort_unstable();
        marks
    }

    #[test]
    fn a_row_is_drawn_end_to_end() {
        let row =
            [line(&[(30., 0.), (21., 0.)]), line(&[(1., 0.), (10., 0.)]), line(&[(20., 0.), (11., 0.)])];
        let ordered = order(row.to_vec(), None);
        assert_eq!(
            ordered,
            [line(&[(1., 0.), (10., 0.)]), line(&[(11., 0.), (20., 0.)]), line(&[(21., 0.), (30., 0.)])]
        );
    }

    #[test]
    fn a_closed_stroke_is_entered_where_the_pen_comes_from() {
        let square = line(&[(9., 9.), (9., 5.), (5., 5.), (5., 9.), (9., 9.)]);
        assert_eq!(order(vec![square], None)[0].start(), Point::new(5., 5.));
    }

    #[test]
    fn many_strokes_at_one_place_are_ordered() {
        let ordered = order(vec![line(&[(5., 5.), (6., 5.)]); 20_000], None);
        assert!((travel(&ordered) - 50.0_f64.sqrt()).abs() < 1e-6);
        let ordered = order(vec![line(&[(5., 5.), (5., 5.)]); 20_000], None);
        assert!((travel(&ordered) - 50.0_f64.sqrt()).abs() < 1e-6);
    }

    #[test]
    fn a_few_strokes_are_ordered_as_well_as_can_be() {
        // Every order and direction of four strokes, against the search.
        let mut random = random(7);
        for _ in 0..50 {
            let strokes: Vec<Polyline> =
                (0..4).map(|_| line(&[(random(), random()), (random(), random())])).collect();
            let best = best_of_all(Point::ORIGIN, &strokes);
            let found = travel(&order(strokes, None));
            assert!(found >= best - 1e-9 && found <= best * 1.25 + 1e-9, "{found} {best}");
        }
    }

    #[test]
    fn trials_shorten_the_travel() {
        let mut random = random(3);
        let strokes: Vec<Polyline> =
            (0..400).map(|_| line(&[(random(), random()), (random(), random())])).collect();
        let [none, some] = [0, 20].map(|effort| travel(&order(strokes.clone(), Some(effort))));
        assert!(some < 0.97 * none, "{some} {none}");
    }

    fn random(mut state: u64) -> impl FnMut() -> f64 {
        move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as f64 / (1_u64 << 31) as f64 * 100.0
        }
    }

    fn best_of_all(from: Point, left: &[Polyline]) -> f64 {
        let mut best = if left.is_empty() { 0.0 } else { f64::INFINITY };
        for index in 0..left.len() {
            let mut rest = left.to_vec();
            let stroke = rest.remove(index);
            for (entry, exit) in [(stroke.start(), stroke.end()), (stroke.end(), stroke.start())] {
                best = best.min(from.distance(entry) + best_of_all(exit, &rest));
            }
        }
        best
    }

    proptest! {
        #[test]
        fn every_stroke_is_drawn_once_and_the_travel_is_no_longer(
            strokes in prop::collection::vec(prop::collection::vec((0_u8..12, 0_u8..12), 2..6), 0..60),
        ) {
            let strokes: Vec<Polyline> = strokes.iter().map(|points| {
                line(&points.iter().map(|p| (f64::from(p.0), f64::from(p.1))).collect::<Vec<_>>())
            }).collect();
            let ordered = order(strokes.clone(), None);
            prop_assert_eq!(marks(&strokes), marks(&ordered));
            prop_assert!(travel(&ordered) <= travel(&strokes) + 1e-6);
        }
    }
}
