//! What a travel costs: millimeters, or seconds on a machine.

use crate::geometry::{Point, Polyline};
use crate::machine::{Dialect, Firmware, Grbl, Lift, Placement, Profile};

/// What the order of strokes makes small.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Objective {
    /// Pen-up length from the page's origin (0,0) through every stroke, the end free; mm.
    Travel,
    /// The time of all travels and lifts on a machine, from its home through every stroke and back; s.
    Time(TravelTime),
}

/// How long a machine takes from one stroke's end to the next one's start: from standing to standing with the acceleration
/// a, up to the travel speed v. Both hold for each axis where the machine plans on board, so that the longer side of the
/// way takes all the time; where the host plans (EBB), they hold along the way. That a Z pen's lifts begin without a full stop is left out: 2 %.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TravelTime {
    /// Pen up; mm/s, positive.
    speed: f64,
    /// mm/s², positive.
    acceleration: f64,
    /// Whether speed and acceleration hold along the way, not for each axis.
    along_way: bool,
    /// Pen up and down again; s.
    lift: f64,
    /// Where the machine's zero lies on the page; mm.
    home: Point,
}

impl TravelTime {
    /// Of a machine with a page in it.
    #[must_use]
    pub fn new(profile: &Profile, placement: &Placement) -> Self {
        let limits = &profile.limits;
        let lift = match profile.lift {
            Lift::Servo { up_delay, down_delay, .. } => Grbl::dwell(up_delay) + Grbl::dwell(down_delay),
            Lift::Pen { up_delay, down_delay } => up_delay + down_delay,
            Lift::EbbServo { .. } => match &profile.firmware {
                Firmware::Ebb(ebb) => {
                    let ms = |down| f64::from(ebb.lift_ms(&profile.lift, down));
                    (ms(false) + ms(true)) / 1000.0
                }
                // No other profile has it.
                Firmware::Grbl(_) | Firmware::Hpgl(_) => 0.0,
            },
            Lift::Z { up, down, speed, acceleration } => {
                2.0 * between_stops((up - down).abs(), speed, acceleration)
            }
        };
        Self {
            speed: limits.travel_speed,
            acceleration: limits.acceleration,
            along_way: profile.firmware.dialect() == Dialect::Ebb,
            lift,
            home: placement.to_page(Point::ORIGIN),
        }
    }

    /// From standing to standing; s.
    #[must_use]
    pub fn between(&self, from: Point, to: Point) -> f64 {
        let (x, y) = ((from.x - to.x).abs(), (from.y - to.y).abs());
        let way = if self.along_way { (x * x + y * y).sqrt() } else { x.max(y) };
        between_stops(way, self.speed, self.acceleration)
    }
}

/// From standing to standing along one axis; s.
fn between_stops(length: f64, speed: f64, acceleration: f64) -> f64 {
    if acceleration * length <= speed * speed {
        2.0 * (length / acceleration).sqrt()
    } else {
        length / speed + speed / acceleration
    }
}

impl Objective {
    /// Of strokes drawn in this order: mm or s. Drawing itself is not in it.
    #[must_use]
    pub fn of(&self, strokes: &[Polyline]) -> f64 {
        self.whole().cost(strokes)
    }

    /// Of one travel, as the search counts it: every time the same for the same two places.
    #[inline]
    pub(super) fn rough(&self, from: [f32; 2], to: [f32; 2]) -> f32 {
        let (x, y) = ((from[0] - to[0]).abs(), (from[1] - to[1]).abs());
        let d2 = x * x + y * y;
        match self {
            Self::Travel => d2.sqrt(),
            Self::Time(time) => {
                let (speed, acceleration) = (time.speed as f32, time.acceleration as f32);
                let way = if time.along_way { d2.sqrt() } else { x.max(y) };
                if acceleration * way <= speed * speed {
                    2.0 * (way / acceleration).sqrt()
                } else {
                    way / speed + speed / acceleration
                }
            }
        }
    }

    /// Of one travel.
    #[inline]
    pub(super) fn between(&self, from: Point, to: Point) -> f64 {
        match self {
            Self::Travel => {
                let (x, y) = (from.x - to.x, from.y - to.y);
                (x * x + y * y).sqrt()
            }
            Self::Time(time) => time.between(from, to),
        }
    }

    /// From home through strokes, and back where that counts.
    pub(super) fn whole(self) -> Route {
        match self {
            Self::Travel => Route { objective: self, from: Point::ORIGIN, to: None },
            Self::Time(time) => Route { objective: self, from: time.home, to: Some(time.home) },
        }
    }
}

/// Between which places strokes are drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Route {
    pub(super) objective: Objective,
    /// Where the first travel begins; page mm.
    pub(super) from: Point,
    /// Where the last travel ends; page mm. `None`: there is none after the last stroke.
    pub(super) to: Option<Point>,
}

impl Route {
    /// What its travels and lifts cost with strokes drawn in this order; mm or s.
    pub(super) fn cost(&self, strokes: &[Polyline]) -> f64 {
        let Some(last) = strokes.last() else { return 0.0 };
        let mut at = self.from;
        let mut sum = 0.0;
        for stroke in strokes {
            sum += self.objective.between(at, stroke.start());
            at = stroke.end();
        }
        let lift = if let Objective::Time(time) = self.objective { time.lift } else { 0.0 };
        sum + self.to.map_or(0.0, |to| self.objective.between(last.end(), to)) + lift * strokes.len() as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(id: &str) -> TravelTime {
        let profile = Profile::built_in(id).unwrap();
        TravelTime::new(&profile, &Placement::new(&profile, 100.0))
    }

    #[test]
    fn a_short_travel_takes_the_root_of_its_longer_side() {
        let time = time("grbl-servo");
        let (from, to) = (Point::new(3.0, 4.0), Point::new(9.0, 2.0));
        assert!((time.between(from, to) - 2.0 * (6.0_f64 / 600.0).sqrt()).abs() < 1e-12);
        // 100 mm along x: up to 120 mm/s in 0.2 s, over 12 mm, and down again.
        let far = time.between(Point::ORIGIN, Point::new(100.0, 0.0));
        assert!((far - (0.4 + 76.0 / 120.0)).abs() < 1e-12, "{far}");
    }

    #[test]
    fn lifts_and_the_way_home_count_as_time() {
        let touch = |x: f64| Polyline::new(vec![Point::new(x, 100.0); 2]);
        let time = time("grbl-servo");
        let home = Point::new(0.0, 100.0);
        let there = |x: f64| time.between(home, Point::new(x, 100.0));
        let cost = Objective::Time(time).of(&[touch(10.0), touch(30.0)]);
        assert!((cost - (there(10.0) + there(20.0) + there(30.0) + 2.0 * 0.3)).abs() < 1e-9, "{cost}");
        assert_eq!(Objective::Time(time).of(&[]), 0.0);
    }

    #[test]
    fn the_search_counts_as_the_report_does() {
        for objective in [Objective::Travel, Objective::Time(time("grbl-z"))] {
            for (x, y) in [(0.0, 0.0), (0.001, 0.0), (1.0, 2.0), (30.0, 20.0), (200.0, 270.0)] {
                let exact = objective.between(Point::new(10.0, 20.0), Point::new(10.0 + x, 20.0 + y));
                let rough = objective.rough([10.0, 20.0], [(10.0 + x) as f32, (20.0 + y) as f32]);
                assert!((exact - f64::from(rough)).abs() < 1e-3 * exact + 1e-5, "{exact} {rough}");
            }
        }
    }
}
