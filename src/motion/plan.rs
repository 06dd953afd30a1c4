//! A pass, timed.

use super::hpgl::plan_vectors;
use super::onboard::plan_onboard;
use super::{Trapezoid, stepped};
use traceur_core::geometry::Point;
use traceur_core::machine::{Firmware, Placement, Profile};
use traceur_core::toolpath::Pass;

/// One item of a [`Plan`].
#[derive(Debug, Clone, PartialEq)]
pub enum Motion {
    /// A straight move.
    Move {
        /// When it begins; s since the plan's begin.
        begin: f64,
        /// Where it begins; machine mm.
        from: Point,
        /// Where it ends; machine mm.
        to: Point,
        /// The stroke that it draws, by index in the pass; `None` when it travels with the pen up.
        stroke: Option<usize>,
        /// Its speed profile.
        trapezoid: Trapezoid,
    },
    /// The pen goes up or down in place, or is changed by the carousel while it is up.
    Lift {
        /// When it begins; s since the plan's begin.
        begin: f64,
        /// Where; machine mm.
        at: Point,
        /// Whether the pen goes down.
        down: bool,
        /// How long it takes; s.
        seconds: f64,
    },
}

impl Motion {
    /// When it begins; s since the plan's begin.
    #[must_use]
    pub fn begin(&self) -> f64 {
        match self {
            Self::Move { begin, .. } | Self::Lift { begin, .. } => *begin,
        }
    }

    /// How long it takes; s.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        match self {
            Self::Move { trapezoid, .. } => trapezoid.seconds(),
            Self::Lift { seconds, .. } => *seconds,
        }
    }

    /// The pen, this long after the motion's begin.
    fn instant(&self, since: f64) -> Instant {
        match self {
            Self::Move { from, to, stroke, trapezoid, .. } => {
                let (distance, speed) = trapezoid.at(since);
                let position = from.lerp(*to, distance / trapezoid.length);
                Instant { position, speed, pen_down: stroke.is_some() }
            }
            Self::Lift { at, down, .. } => Instant { position: *at, speed: 0.0, pen_down: *down },
        }
    }
}

/// The state of the pen at one time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Instant {
    /// Where it is; machine mm.
    pub position: Point,
    /// How fast it moves; mm/s.
    pub speed: f64,
    /// Whether it is down. A pen counts as down from the begin of its way down to the begin of its way up.
    pub pen_down: bool,
}

/// What a machine does for one pass, timed from 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Plan {
    /// In order, without gaps.
    pub motions: Vec<Motion>,
}

impl Plan {
    /// How long all of it takes; s.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.motions.last().map_or(0.0, |last| last.begin() + last.seconds())
    }

    /// The pen `seconds` after the begin; before it as at the begin, after the end as at the end. An empty plan stands
    /// at the machine's origin. Logarithmic in the number of motions.
    #[must_use]
    pub fn instant(&self, seconds: f64) -> Instant {
        let after = self.motions.partition_point(|motion| motion.begin() <= seconds);
        match self.motions.get(after.saturating_sub(1)) {
            Some(motion) => motion.instant(seconds - motion.begin()),
            None => Instant { position: Point::ORIGIN, speed: 0.0, pen_down: false },
        }
    }
}

/// Times `pass` on a machine: from its origin with the pen up, through every stroke, and back to the origin. The pen
/// stands wherever it goes up or down. On an EiBotBoard the times are those of its commands, to the tick of 40 µs; see
/// [`stepped()`]. GRBL plans on board: there they are those of the G-code that is sent, from the first lift on, and a Z axis
/// takes over the speed of a corner. An HP-GL plotter fetches its pen first and puts it back last, where the last stroke
/// ended.
#[must_use]
pub fn plan(pass: &Pass, profile: &Profile, placement: &Placement) -> Plan {
    if pass.strokes.is_empty() {
        return Plan::default();
    }
    match &profile.firmware {
        Firmware::Ebb(ebb) => stepped::timed(&stepped(pass, profile, ebb, placement)),
        Firmware::Grbl(grbl) => plan_onboard(pass, profile, grbl, placement),
        Firmware::Hpgl(hpgl) => plan_vectors(pass, profile, hpgl, placement),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use traceur_core::geometry::Polyline;
    use traceur_core::machine::{BUILT_IN, Lift};
    use traceur_core::pens::Inventory;

    fn profile(index: usize) -> Profile {
        Profile::built_in(BUILT_IN[index].0).unwrap()
    }

    fn pass(strokes: &[Vec<(f64, f64)>], speed: Option<f64>) -> Pass {
        let line = |points: &Vec<(f64, f64)>| Polyline::new(points.iter().map(|p| Point::from(*p)).collect());
        let mut pen = Inventory::built_in("black").unwrap().pens.remove(0);
        pen.speed = speed;
        Pass { pen, strokes: strokes.iter().map(line).collect() }
    }

    fn timed(strokes: &[Vec<(f64, f64)>], profile: &Profile) -> Plan {
        plan(&pass(strokes, None), profile, &Placement::new(profile, 100.0))
    }

    #[test]
    fn a_dot_is_a_touch_between_two_travels() {
        let plan = timed(&[vec![(30.0, 60.0), (30.0, 60.0)]], &profile(0));
        // 50 mm along (0.6, 0.8), where y alone is at its limits: 120 / 0.8 mm/s, 600 / 0.8 mm/s². A dwell of 120 ms
        // lasts 150 ms.
        let travel = 50.0 / 150.0 + 150.0 / 750.0;
        assert_eq!(plan.motions.len(), 5);
        assert!((plan.seconds() - (2.0 * travel + 3.0 * 0.15)).abs() < 1e-9, "{}", plan.seconds());
        let touch = plan.instant(0.15 + travel + 0.01);
        assert!(touch.pen_down && touch.position == Point::new(30.0, 40.0));
        assert_eq!(plan.instant(1e9).position, Point::ORIGIN);
        assert!(!plan.instant(-1.0).pen_down);
    }

    #[test]
    fn travels_and_lifts_take_as_long_as_the_toolpath_counts() {
        let at = [(30.0, 60.0), (30.5, 60.2), (95.0, 3.0), (95.0, 99.0), (0.0, 100.0)];
        let dots: Vec<Vec<(f64, f64)>> = at.iter().map(|at| vec![*at; 2]).collect();
        for profile in [profile(0), profile(1)] {
            let objective = traceur_core::toolpath::Objective::Time(traceur_core::toolpath::TravelTime::new(
                &profile,
                &Placement::new(&profile, 100.0),
            ));
            let counted = objective.of(&pass(&dots, None).strokes);
            let plan = timed(&dots, &profile);
            // The pen goes up once more, before all.
            let taken = plan.seconds() - plan.motions[0].seconds();
            // Between a travel and a Z move GRBL slows down for a corner, and does not stop.
            let most = if matches!(profile.lift, Lift::Z { .. }) { 0.03 * taken } else { 1e-9 };
            assert!(counted >= taken - 1e-9 && counted <= taken + most, "{}: {counted} {taken}", profile.id);
        }
    }

    #[test]
    fn a_carousel_fetches_the_pen_and_puts_it_back() {
        let plotter = Profile::built_in("hp7475a").unwrap();
        // 100 mm at 381 mm/s and 19600 mm/s², each vector from stop to stop; pen down 80 ms, up 60 ms, changes 2.5 s.
        let straight = timed(&[vec![(110.0, 50.0), (210.0, 50.0)]], &plotter);
        let bent = timed(&[vec![(110.0, 50.0), (160.0, 50.0), (210.0, 50.05)]], &plotter);
        let changes = straight.motions.iter().filter(|motion| motion.seconds() == 2.5).count();
        assert_eq!((changes, straight.motions.len()), (2, 6));
        let draw = straight.motions[3].seconds();
        assert!((draw - (100.0 / 381.0 + 381.0 / 19_600.0)).abs() < 1e-4, "{draw}");
        let stop = bent.seconds() - straight.seconds();
        assert!((stop - 381.0 / 19_600.0).abs() < 1e-4, "one stop more: {stop}");
    }

    #[test]
    fn a_slow_pen_draws_slowly_and_travels_fast() {
        let profile = profile(0);
        let pass = pass(&[vec![(50.0, 0.0), (100.0, 0.0)]], Some(10.0));
        let plan = plan(&pass, &profile, &Placement::new(&profile, 100.0));
        let peak = |motion: &Motion| match motion {
            Motion::Move { trapezoid, stroke, .. } => Some((stroke.is_some(), trapezoid.peak)),
            Motion::Lift { .. } => None,
        };
        let peaks: Vec<(bool, f64)> = plan.motions.iter().filter_map(peak).collect();
        assert!(peaks[1] == (true, 10.0) && peaks[0].1 > 120.0 && peaks[2].1 > 120.0, "{peaks:?}");
    }

    #[test]
    fn nothing_to_draw_takes_no_time() {
        let plan = timed(&[], &profile(0));
        assert_eq!((plan.seconds(), plan.instant(1.0).position), (0.0, Point::ORIGIN));
    }

    proptest! {
        #[test]
        fn a_sampled_plan_stays_within_its_limits(
            strokes in prop::collection::vec(prop::collection::vec((0.0..90.0, 0.0..90.0), 2..8), 1..4),
        ) {
            let profile = profile(0);
            let plan = timed(&strokes, &profile);
            let step = plan.seconds() / 5000.0;
            let mut last = plan.instant(0.0);
            for sample in 1..=5000 {
                let now = plan.instant(f64::from(sample) * step);
                let fastest = if now.pen_down && last.pen_down { 50.0 } else { 120.0 * 2.0_f64.sqrt() };
                prop_assert!(now.position.distance(last.position) <= fastest * step + 1e-6);
                // At 45° both axes accelerate at once.
                prop_assert!((now.speed - last.speed).abs() <= 600.0 * 2.0_f64.sqrt() * step + 1e-6);
                last = now;
            }
            prop_assert!(last.speed < 1e-6);
        }

        #[test]
        fn the_pen_stands_where_it_goes_up_or_down(
            strokes in prop::collection::vec(prop::collection::vec((0.0..90.0, 0.0..90.0), 2..8), 1..4),
        ) {
            let plan = timed(&strokes, &profile(0));
            for pair in plan.motions.windows(2) {
                if let [Motion::Move { trapezoid, .. }, Motion::Lift { .. }] = pair {
                    prop_assert!(trapezoid.exit == 0.0);
                }
                if let [Motion::Lift { .. }, Motion::Move { trapezoid, .. }] = pair {
                    prop_assert!(trapezoid.entry == 0.0);
                }
                prop_assert!((pair[0].begin() + pair[0].seconds() - pair[1].begin()).abs() < 1e-9);
            }
        }
    }
}
