//! In which order and direction the strokes of one pen are drawn.

use std::ops::ControlFlow;

use super::cost::{Objective, Route};
use super::ends::{Ends, single};
use super::near::Near;
use super::search::{LEAST_GAIN, Search};
use super::{greedy, kicks};
use crate::geometry::{Point, Polyline};

/// Strokes that one move may turn around or shift at first.
const LONGEST_TURN: usize = 50_000;
/// Strokes that one move of a trial may turn around or shift.
const LONGEST_TURN_OF_TRIAL: usize = 1_000;

/// Rounds of choosing the entries of closed strokes anew, at most; each needs the last one's choice.
const SWEEPS: usize = 10;

/// Travels that one step of effort looks at for each stroke.
const LOOKS: u64 = 1000;
/// About how long the first order takes, for each stroke; s.
const FIRST_SECONDS: f64 = 8e-6;
/// About how many travels one core looks at in a second.
const LOOKS_A_SECOND: f64 = 6e7;
/// The usual effort for a few strokes.
const MOST_EFFORT: usize = 200;

/// How the search for an order goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// What is made small.
    pub objective: Objective,
    /// How many thousand travels are looked at for each stroke; `None`: [`usual_effort()`].
    pub effort: Option<usize>,
    /// Of the random numbers in the trials.
    pub seed: u64,
}

/// Puts the strokes of one pen in an order that makes the objective small. Strokes may be turned around, and closed ones
/// entered at another vertex; the objective is never worse than in the order given.
///
/// The better of a greedy-edge tour and the given order, then moves until none helps, then trials: small random changes that
/// are kept when they help. The time is near linear in strokes and trials. `watch` hears now and then what share of the
/// trials is done, and may end them: the best order so far is the answer. The same strokes and settings give the same order,
/// always.
#[must_use]
pub fn order(
    strokes: Vec<Polyline>,
    settings: &Settings,
    watch: &mut dyn FnMut(f64) -> ControlFlow<()>,
) -> Vec<Polyline> {
    order_along(strokes, &settings.objective.whole(), settings, watch)
}

/// The same between two places.
pub(super) fn order_along(
    strokes: Vec<Polyline>,
    route: &Route,
    settings: &Settings,
    watch: &mut dyn FnMut(f64) -> ControlFlow<()>,
) -> Vec<Polyline> {
    if strokes.is_empty() {
        return strokes;
    }
    let before = route.cost(&strokes);
    let starts: Vec<Point> = strokes.iter().map(Polyline::start).collect();
    let (names, strokes) = near_in_memory(strokes);
    let ends = Ends::new(&strokes, route);
    let near = Near::new(&ends);
    let given: Vec<u32> = std::iter::once(ends.depot()).chain(names.iter().map(|name| 2 * name)).collect();
    let greedy = greedy::tour(&ends, &near);
    let start = if ends.tour_travel(&greedy) < ends.tour_travel(&given) { greedy } else { given };
    let mut search = Search::new(ends, &near, start, LONGEST_TURN);
    search.wake_all();
    search.settle();
    search.longest_turn = LONGEST_TURN_OF_TRIAL;
    let effort = settings.effort.unwrap_or_else(|| usual_effort(strokes.len()));
    let looks = (effort as u64).saturating_mul(LOOKS * strokes.len() as u64);
    kicks::search(&mut search, looks, settings.seed, watch);
    let entries = search.entries();
    let depot = search.ends.depot();
    let tour = search.tour.into_path(depot);
    let mut ordered = arrange(strokes, &tour[1..], &entries);
    enter_closed(&mut ordered, route);
    // The search counts in single precision: what it finds equal may be worse by less than a motor's step.
    if route.cost(&ordered) > before {
        return as_given(ordered, &tour[1..], &names, &starts);
    }
    go_near_first(&mut ordered, route);
    ordered
}

/// A round trip costs the same the other way around: then its longer way to or from home is the way back, with which nobody
/// waits for ink.
fn go_near_first(strokes: &mut [Polyline], route: &Route) {
    let (Some(first), Some(last)) = (strokes.first(), strokes.last()) else { return };
    if route.to == Some(route.from) && first.start().distance(route.from) > last.end().distance(route.from) {
        strokes.reverse();
        strokes.iter_mut().for_each(Polyline::reverse);
    }
}

/// Ordered strokes as they were given, by their names and starts.
fn as_given(ordered: Vec<Polyline>, tour: &[u32], names: &[u32], starts: &[Point]) -> Vec<Polyline> {
    let mut place = vec![(0, false); names.len()];
    for (index, entry) in tour.iter().enumerate() {
        place[*entry as usize >> 1] = (index, entry & 1 == 1);
    }
    let place = |name: &u32| place[*name as usize];
    let given = permuted(ordered, names.iter().map(|name| place(name).0));
    let turned = given.zip(names).zip(starts).map(|((mut stroke, name), start)| {
        if place(name).1 {
            stroke.reverse();
        }
        if stroke.is_closed() {
            stroke.begin_at(stroke.points().iter().position(|point| point == start).unwrap_or(0));
        }
        stroke
    });
    turned.collect()
}

/// The strokes in this order, which names each at most once.
fn permuted(
    strokes: Vec<Polyline>,
    order: impl IntoIterator<Item = usize>,
) -> impl Iterator<Item = Polyline> {
    let mut strokes: Vec<Option<Polyline>> = strokes.into_iter().map(Some).collect();
    order.into_iter().map(move |index| strokes[index].take().expect("an order names each stroke once"))
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
    (names, permuted(strokes, sorted.iter().map(|(_, given)| *given as usize)).collect())
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

/// The effort that a drawing of so many strokes is worth: about 1 s up to 5 000 strokes, then 0.2 ms a stroke, and from
/// 10 000 strokes on √(strokes / 2000) s, where more helps less.
#[must_use]
pub fn usual_effort(strokes: usize) -> usize {
    let strokes = strokes.max(1) as f64;
    let seconds = (strokes / 5000.0).min((strokes / 2000.0).sqrt()).max(1.0) - FIRST_SECONDS * strokes;
    ((seconds * LOOKS_A_SECOND / (LOOKS as f64 * strokes)) as usize).clamp(1, MOST_EFFORT)
}

fn arrange(mut strokes: Vec<Polyline>, tour: &[u32], entries: &[(u32, [f32; 2])]) -> Vec<Polyline> {
    for (stroke, at) in entries {
        let stroke = &mut strokes[*stroke as usize];
        if let Some(vertex) = stroke.points().iter().position(|point| single(*point) == *at) {
            stroke.begin_at(vertex);
        }
    }
    let turned = permuted(strokes, tour.iter().map(|entry| *entry as usize >> 1)).zip(tour);
    let turned = turned.map(|(mut stroke, entry)| {
        if entry & 1 == 1 {
            stroke.reverse();
        }
        stroke
    });
    turned.collect()
}

/// Enters each closed stroke at the vertex that is best between what is drawn before and after it.
fn enter_closed(strokes: &mut [Polyline], route: &Route) {
    let objective = &route.objective;
    for _ in 0..SWEEPS {
        let mut before = route.from;
        let mut changed = false;
        for index in 0..strokes.len() {
            let after = strokes.get(index + 1).map(Polyline::start).or(route.to);
            let stroke = &mut strokes[index];
            if stroke.is_closed() {
                let detour = |at: Point| {
                    objective.between(before, at) + after.map_or(0.0, |after| objective.between(at, after))
                };
                let mut best = (detour(stroke.start()) - LEAST_GAIN, 0);
                for (vertex, at) in stroke.points().iter().enumerate() {
                    let cost = detour(*at);
                    if cost < best.0 {
                        best = (cost, vertex);
                    }
                }
                stroke.begin_at(best.1);
                changed |= best.1 > 0;
            }
            before = stroke.end();
        }
        if !changed {
            return;
        }
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

    /// With little effort, so that the tests are quick.
    fn with(strokes: &[Polyline], objective: Objective, effort: usize) -> Vec<Polyline> {
        let settings = Settings { objective, effort: Some(effort), seed: 1 };
        order(strokes.to_vec(), &settings, &mut |_| ControlFlow::Continue(()))
    }

    fn shortest(strokes: &[Polyline]) -> Vec<Polyline> {
        with(strokes, Objective::Travel, 2)
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
            let mut pieces: Vec<[u64; 4]> = stroke.points().windows(2).map(piece).collect();
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
        let ordered = shortest(&row);
        assert_eq!(
            ordered,
            [line(&[(1., 0.), (10., 0.)]), line(&[(11., 0.), (20., 0.)]), line(&[(21., 0.), (30., 0.)])]
        );
    }

    #[test]
    fn a_closed_stroke_is_entered_where_the_pen_comes_from() {
        let square = line(&[(9., 9.), (9., 5.), (5., 5.), (5., 9.), (9., 9.)]);
        assert_eq!(shortest(&[square])[0].start(), Point::new(5., 5.));
    }

    #[test]
    fn many_strokes_at_one_place_are_ordered() {
        let ordered = shortest(&vec![line(&[(5., 5.), (6., 5.)]); 20_000]);
        assert!((travel(&ordered) - 50.0_f64.sqrt()).abs() < 1e-6);
        let ordered = shortest(&vec![line(&[(5., 5.), (5., 5.)]); 20_000]);
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
            let found = travel(&shortest(&strokes));
            assert!(found >= best - 1e-9 && found <= best * 1.05 + 1e-9, "{found} {best}");
        }
    }

    #[test]
    fn trials_shorten_the_travel() {
        let mut random = random(3);
        let strokes: Vec<Polyline> =
            (0..400).map(|_| line(&[(random(), random()), (random(), random())])).collect();
        let [none, some] = [0, 5].map(|effort| travel(&with(&strokes, Objective::Travel, effort)));
        assert!(some < 0.98 * none, "{some} {none}");
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

    #[test]
    fn whoever_watches_may_end_the_trials() {
        let mut random = random(9);
        let strokes: Vec<Polyline> =
            (0..200).map(|_| line(&[(random(), random()), (random(), random())])).collect();
        let settings = Settings { objective: Objective::Travel, effort: None, seed: 1 };
        let mut shares = Vec::new();
        let ordered = order(strokes.clone(), &settings, &mut |share| {
            shares.push(share);
            if shares.len() < 5 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        assert!(shares.len() == 5 && shares.is_sorted() && shares[4] < 0.5, "{shares:?}");
        assert!(marks(&ordered) == marks(&strokes) && travel(&ordered) < travel(&strokes));
    }

    #[test]
    fn circles_are_entered_along_the_way() {
        let circle = |n: u32| {
            let at = |k: u32| {
                let (sin, cos) = (f64::from(k % 24) * std::f64::consts::TAU / 24.0 + f64::from(n)).sin_cos();
                (20.0 * f64::from(n) + 10.0 + 9.0 * cos, 10.0 + 9.0 * sin)
            };
            line(&(0..=24).map(at).collect::<Vec<_>>())
        };
        let circles: Vec<Polyline> = [3, 0, 4, 1, 5, 2].map(circle).to_vec();
        let found = travel(&shortest(&circles));
        // Straight from (0,0) to the last one's nearest point, (101,10), all the others lie on the way.
        assert!(found < 102.0, "{found}");
        assert_eq!(marks(&shortest(&circles)), marks(&circles));
    }

    #[test]
    fn seconds_are_made_small_where_they_are_asked_for() {
        let profile = crate::machine::Profile::built_in("grbl-servo").unwrap();
        let time = Objective::Time(crate::toolpath::TravelTime::new(
            &profile,
            &crate::machine::Placement::new(&profile, 100.0),
        ));
        let mut random = random(5);
        let strokes: Vec<Polyline> =
            (0..300).map(|_| line(&[(random(), random()), (random(), random())])).collect();
        let (quick, short) = (with(&strokes, time, 5), with(&strokes, Objective::Travel, 5));
        assert!(time.of(&quick) < time.of(&short), "{} {}", time.of(&quick), time.of(&short));
        assert!(travel(&short) < travel(&quick));
    }

    proptest! {
        #[test]
        fn every_stroke_is_drawn_once_and_nothing_is_worse(
            is_time: bool, strokes in prop::collection::vec(prop::collection::vec((0_u8..12, 0_u8..12), 2..6), 0..60),
        ) {
            let strokes: Vec<Polyline> = strokes.iter().map(|points| {
                line(&points.iter().map(|p| (f64::from(p.0), f64::from(p.1))).collect::<Vec<_>>())
            }).collect();
            let profile = crate::machine::Profile::built_in("grbl-z").unwrap();
            let time = Objective::Time(crate::toolpath::TravelTime::new(&profile, &crate::machine::Placement::new(&profile, 12.0)));
            let objective = if is_time { time } else { Objective::Travel };
            let ordered = with(&strokes, objective, 1);
            prop_assert_eq!(marks(&strokes), marks(&ordered));
            prop_assert!(objective.of(&ordered) <= objective.of(&strokes) + 1e-9);
            prop_assert_eq!(ordered, with(&strokes, objective, 1));
        }
    }
}
