//! A pass in whole steps and whole ticks, for a machine that executes the host's blocks.

use super::slices::{Move, Sliced, slice_run};
use super::{Limits, Motion, Plan, Segment, Slice, TICKS_PER_SECOND, Trapezoid, plan_segments};
use traceur_core::geometry::Point;
use traceur_core::machine::{Ebb, Placement, Profile};
use traceur_core::toolpath::Pass;

/// One item of a pass on an EiBotBoard.
#[derive(Debug, Clone)]
pub enum Stepped {
    /// A run from standing to standing.
    Run {
        /// The stroke that it draws or, with the pen up, leads to, by index in the pass; `None`: it leads home.
        stroke: Option<usize>,
        /// Whether the pen is down.
        pen_down: bool,
        /// Its steps, in order.
        slices: Vec<Slice>,
        /// Its planned moves.
        moves: Moves,
    },
    /// The pen goes up or down in place.
    Lift {
        /// The stroke that it begins or ends; `None`: before all.
        stroke: Option<usize>,
        /// Index of the point of the stroke where it happens.
        vertex: usize,
        /// Where; machine mm.
        at: Point,
        /// Whether it goes down.
        down: bool,
        /// How long it takes; ms.
        ms: u16,
    },
}

/// The planned moves of a run, and when each of them ends.
#[derive(Debug, Clone)]
pub struct Moves {
    planned: Vec<Move>,
    ends: Vec<u64>,
}

/// Steps of `pass` on an EiBotBoard: the pen goes up at the machine's origin, through every stroke, and back. The same
/// walk as [`plan`](super::plan())'s, but speed and acceleration are bounded along the path, and by the step rate of each
/// motor.
///
/// What each item takes is exactly what its commands take on the board: the sum of the slices' ticks, or the lift's delay.
#[must_use]
pub fn stepped(pass: &Pass, profile: &Profile, ebb: &Ebb, placement: &Placement) -> Vec<Stepped> {
    let limits = &profile.limits;
    let draw_speed = pass.pen.speed.map_or(limits.draw_speed, |pen| pen.min(limits.draw_speed));
    let path = |acceleration| PathLimits { ebb, acceleration, deviation: limits.junction_deviation };
    let draw = (draw_speed, path(limits.acceleration));
    let travel = (limits.travel_speed, path(ebb.travel_acceleration.unwrap_or(limits.acceleration)));
    let mut walker = Walker { profile, ebb, at: Point::ORIGIN, steps: [0; 2], items: Vec::new() };
    walker.lift(None, 0, false);
    for (index, stroke) in pass.strokes.iter().enumerate() {
        let points: Vec<Point> = stroke.points().iter().map(|point| placement.to_machine(*point)).collect();
        let Some(last) = points.len().checked_sub(1) else { continue };
        walker.run(&points[..1], 0, &travel, Some(index), false);
        walker.lift(Some(index), 0, true);
        walker.run(&points[1..], 1, &draw, Some(index), true);
        walker.lift(Some(index), last, false);
    }
    walker.run(&[Point::ORIGIN], 0, &travel, None, false);
    walker.items
}

/// Slices of a travel from the machine's origin to a point, machine mm: for a move by hand, from wherever the pen is.
#[must_use]
pub fn travel_slices(to: Point, profile: &Profile, ebb: &Ebb) -> Vec<Slice> {
    let limits = &profile.limits;
    let acceleration = ebb.travel_acceleration.unwrap_or(limits.acceleration);
    let path = PathLimits { ebb, acceleration, deviation: limits.junction_deviation };
    let mut walker = Walker { profile, ebb, at: Point::ORIGIN, steps: [0; 2], items: Vec::new() };
    walker.run(&[to], 0, &(limits.travel_speed, path), None, false);
    let slices = walker.items.into_iter().filter_map(|item| match item {
        Stepped::Run { slices, .. } => Some(slices),
        Stepped::Lift { .. } => None,
    });
    slices.flatten().collect()
}

/// The items on a clock.
pub(super) fn timed(items: &[Stepped]) -> Plan {
    let mut plan = Plan::default();
    let mut tick = 0_u64;
    for item in items {
        match item {
            Stepped::Run { stroke, pen_down, slices, moves } => {
                let stroke = stroke.filter(|_| *pen_down);
                plan.motions.extend(moves.motions(tick, stroke));
                tick += slices.iter().map(|slice| u64::from(slice.ticks)).sum::<u64>();
            }
            Stepped::Lift { at, down, ms, .. } => {
                let (begin, seconds) = (seconds(tick), f64::from(*ms) / 1000.0);
                plan.motions.push(Motion::Lift { begin, at: *at, down: *down, seconds });
                tick += u64::from(*ms) * u64::from(TICKS_PER_SECOND / 1000);
            }
        }
    }
    plan
}

fn seconds(ticks: u64) -> f64 {
    ticks as f64 / f64::from(TICKS_PER_SECOND)
}

impl Moves {
    /// The moves from `begin` on, each lasting from tick to tick; those that last none are part of the next.
    fn motions(&self, begin: u64, stroke: Option<usize>) -> impl Iterator<Item = Motion> {
        let (mut from, mut tick) = (None, 0);
        self.planned.iter().zip(&self.ends).filter_map(move |(item, end)| {
            let from_here = *from.get_or_insert(item.from);
            let ticks = end - tick;
            if ticks == 0 {
                return None;
            }
            let trapezoid = stretched(&item.trapezoid, seconds(ticks));
            let motion = Motion::Move {
                begin: seconds(begin + tick),
                from: from_here,
                to: item.to,
                stroke,
                trapezoid,
            };
            (from, tick) = (None, *end);
            Some(motion)
        })
    }
}

/// The same move in another time, s.
fn stretched(trapezoid: &Trapezoid, seconds: f64) -> Trapezoid {
    let factor = trapezoid.seconds() / seconds;
    Trapezoid {
        length: trapezoid.length,
        entry: trapezoid.entry * factor,
        peak: trapezoid.peak * factor,
        exit: trapezoid.exit * factor,
        acceleration: trapezoid.acceleration * factor * factor,
    }
}

/// The same acceleration in every direction, and no motor beyond its step rate.
struct PathLimits<'a> {
    ebb: &'a Ebb,
    acceleration: f64,
    deviation: f64,
}

impl Limits for PathLimits<'_> {
    fn acceleration_along(&self, _: [f64; 3]) -> f64 {
        self.acceleration
    }

    fn speed_along(&self, u: [f64; 3]) -> f64 {
        self.ebb.speed_along(u[0], u[1])
    }

    fn junction_deviation(&self) -> f64 {
        self.deviation
    }
}

struct Walker<'a> {
    profile: &'a Profile,
    ebb: &'a Ebb,
    at: Point,
    steps: [i64; 2],
    items: Vec<Stepped>,
}

impl Walker<'_> {
    /// Moves through `points`, the first of which is the stroke's `vertex`-th, without stopping between them.
    fn run(
        &mut self,
        points: &[Point],
        vertex: usize,
        (feed, limits): &(f64, PathLimits<'_>),
        stroke: Option<usize>,
        pen_down: bool,
    ) {
        let mut segments = Vec::with_capacity(points.len());
        let mut ways = Vec::with_capacity(points.len());
        let mut from = self.at;
        for (index, to) in points.iter().enumerate() {
            if let Some(segment) = Segment::flat(from, *to, *feed) {
                segments.push(segment);
                ways.push((from, *to, vertex + index));
                from = *to;
            }
        }
        let trapezoids = plan_segments(&segments, limits);
        let planned: Vec<Move> = trapezoids
            .into_iter()
            .zip(ways)
            .map(|(trapezoid, (from, to, vertex))| Move { from, to, trapezoid, vertex })
            .collect();
        let Sliced { slices, ends } = slice_run(&planned, self.ebb, &mut self.steps);
        if !slices.is_empty() {
            let moves = Moves { planned, ends };
            self.items.push(Stepped::Run { stroke, pen_down, slices, moves });
        }
        self.at = from;
    }

    fn lift(&mut self, stroke: Option<usize>, vertex: usize, down: bool) {
        let ms = self.ebb.lift_ms(&self.profile.lift, down);
        self.items.push(Stepped::Lift { stroke, vertex, at: self.at, down, ms });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use traceur_core::geometry::Polyline;
    use traceur_core::machine::Firmware;
    use traceur_core::pens::Inventory;

    fn pass(strokes: &[Vec<(f64, f64)>]) -> Pass {
        let pen = Inventory::built_in("black").unwrap().pens.remove(0);
        let line = |points: &Vec<(f64, f64)>| Polyline::new(points.iter().map(|p| Point::from(*p)).collect());
        Pass { pen, strokes: strokes.iter().map(line).collect() }
    }

    fn on(id: &str, strokes: &[Vec<(f64, f64)>]) -> (Vec<Stepped>, Ebb) {
        let profile = Profile::built_in(id).unwrap();
        let Firmware::Ebb(ebb) = profile.firmware.clone() else { panic!("{id}") };
        (stepped(&pass(strokes), &profile, &ebb, &Placement::new(&profile, 100.0)), ebb)
    }

    fn ticks(items: &[Stepped]) -> u64 {
        let of = |item: &Stepped| match item {
            Stepped::Run { slices, .. } => slices.iter().map(|slice| u64::from(slice.ticks)).sum(),
            Stepped::Lift { ms, .. } => u64::from(*ms) * 25,
        };
        items.iter().map(of).sum()
    }

    #[test]
    fn a_plan_takes_what_its_ticks_take() {
        let (items, _) = on(
            "axidraw-v3",
            &[vec![(10.0, 10.0), (60.0, 10.0), (60.0, 10.001), (30.0, 44.4)], vec![(1.0, 1.0); 2]],
        );
        let plan = timed(&items);
        assert!((plan.seconds() * 25_000.0 - ticks(&items) as f64).abs() < 1e-6);
        for pair in plan.motions.windows(2) {
            assert!((pair[0].begin() + pair[0].seconds() - pair[1].begin()).abs() < 1e-9);
        }
    }

    #[test]
    fn a_dot_on_the_spot_has_no_run() {
        let (items, _) = on("axidraw-v3", &[vec![(0.0, 0.0), (0.002, 0.001)]]);
        assert!(items.iter().all(|item| matches!(item, Stepped::Lift { .. })));
        assert_eq!(items.len(), 3);
    }

    proptest! {
        #[test]
        fn slices_end_at_rounded_points_and_keep_the_step_rate(
            strokes in prop::collection::vec(prop::collection::vec((0.0..90.0, 0.0..90.0), 2..9), 1..4),
            fine in prop::collection::vec((0.0..0.3, 0.0..0.3), 2..40),
        ) {
            for id in ["axidraw-v3", "idraw-ebb"] {
                let mut all = strokes.clone();
                all.push(fine.clone());
                let (items, ebb) = on(id, &all);
                let mut at = [0_i64; 2];
                for item in &items {
                    let Stepped::Run { slices, moves, .. } = item else { continue };
                    for slice in slices {
                        let most = slice.steps[0].unsigned_abs().max(slice.steps[1].unsigned_abs());
                        prop_assert!(most > 0 && most < slice.ticks, "{slice:?}");
                        prop_assert!(slice.ticks >= 100, "{slice:?}");
                        at = [0, 1].map(|motor| at[motor] + i64::from(slice.steps[motor]));
                    }
                    let end = ebb.to_steps(moves.planned[moves.planned.len() - 1].to);
                    for motor in 0..2 {
                        prop_assert!((end[motor] - at[motor] as f64).abs() <= 0.5 + 1e-6);
                    }
                    prop_assert!(moves.ends.is_sorted());
                }
                prop_assert_eq!(at, [0, 0]);
            }
        }
    }
}
