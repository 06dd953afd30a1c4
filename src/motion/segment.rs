//! Straight moves, and what each axis allows.

use traceur_core::geometry::Point;
use traceur_core::machine::{Lift, Profile};

/// What each of x, y and z may do; GRBL's `$110`–`$112`, `$120`–`$122` and `$11`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AxisLimits {
    /// Greatest speed of each axis; mm/s. `INFINITY`: none.
    pub speed: [f64; 3],
    /// Greatest acceleration of each axis; mm/s², positive.
    pub acceleration: [f64; 3],
    /// δ; mm.
    pub junction_deviation: f64,
}

impl AxisLimits {
    /// Those of a machine. A servo has no z: its axis is then as free as x and y.
    #[must_use]
    pub fn of(profile: &Profile) -> Self {
        let limits = &profile.limits;
        let fastest = limits.travel_speed.max(limits.draw_speed);
        let (z_speed, z_acceleration) = match profile.lift {
            Lift::Z { speed, acceleration, .. } => (speed, acceleration),
            Lift::Servo { .. } | Lift::EbbServo { .. } | Lift::Pen { .. } => (fastest, limits.acceleration),
        };
        Self {
            speed: [fastest, fastest, z_speed],
            acceleration: [limits.acceleration, limits.acceleration, z_acceleration],
            junction_deviation: limits.junction_deviation,
        }
    }

    /// Greatest acceleration along the unit vector `u`, so that no axis exceeds its own; mm/s².
    #[must_use]
    pub fn acceleration_along(&self, u: [f64; 3]) -> f64 {
        along(self.acceleration, u)
    }

    /// Greatest speed along the unit vector `u`, so that no axis exceeds its own; mm/s.
    #[must_use]
    pub fn speed_along(&self, u: [f64; 3]) -> f64 {
        along(self.speed, u)
    }
}

/// What bounds a move's speed and acceleration by its direction.
pub trait Limits {
    /// Greatest acceleration along the unit vector `u`; mm/s².
    fn acceleration_along(&self, u: [f64; 3]) -> f64;

    /// Greatest speed along the unit vector `u`; mm/s.
    fn speed_along(&self, u: [f64; 3]) -> f64;

    /// δ; mm.
    fn junction_deviation(&self) -> f64;
}

impl Limits for AxisLimits {
    fn acceleration_along(&self, u: [f64; 3]) -> f64 {
        along(self.acceleration, u)
    }

    fn speed_along(&self, u: [f64; 3]) -> f64 {
        along(self.speed, u)
    }

    fn junction_deviation(&self) -> f64 {
        self.junction_deviation
    }
}

/// GRBL's `limit_value_by_axis_maximum`: the least of limit / |u| over the axes.
fn along(limits: [f64; 3], u: [f64; 3]) -> f64 {
    limits
        .iter()
        .zip(u)
        .filter(|(_, u)| *u != 0.0)
        .fold(f64::INFINITY, |least, (limit, u)| least.min(limit / u.abs()))
}

/// A straight move as a planner sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Segment {
    /// How long it is; mm, positive.
    pub length: f64,
    /// Unit vector from its begin to its end; x, y, z of the machine.
    pub direction: [f64; 3],
    /// Wanted speed (the feed); mm/s, positive. `INFINITY` asks for all that the axes allow (G0).
    pub feed: f64,
}

impl Segment {
    /// From one machine position to another, mm; `None` when they are the same, which moves nothing.
    #[must_use]
    pub fn new(from: [f64; 3], to: [f64; 3], feed: f64) -> Option<Self> {
        let delta = [to[0] - from[0], to[1] - from[1], to[2] - from[2]];
        let length = delta[0].hypot(delta[1]).hypot(delta[2]);
        (length > 0.0).then(|| Self { length, direction: delta.map(|along| along / length), feed })
    }

    /// In the plane of the paper, machine mm; `None` when the points are the same.
    #[must_use]
    pub fn flat(from: Point, to: Point, feed: f64) -> Option<Self> {
        Self::new([from.x, from.y, 0.0], [to.x, to.y, 0.0], feed)
    }

    /// The same move the other way.
    #[must_use]
    pub fn reversed(self) -> Self {
        Self { direction: self.direction.map(|along| -along), ..self }
    }

    /// Greatest speed in it: its feed, unless the limits allow less; mm/s.
    #[must_use]
    pub fn nominal_speed(&self, limits: &impl Limits) -> f64 {
        self.feed.min(limits.speed_along(self.direction))
    }
}
