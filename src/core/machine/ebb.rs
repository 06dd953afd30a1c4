//! What a machine on an EiBotBoard has of its own.

use std::fmt;

use kurbo::Point;
use serde::{Deserialize, Deserializer};

use super::Lift;
use super::firmware::Check;
use crate::units;

/// The EiBotBoard's table.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ebb {
    /// Motor steps a mm of a motor axis, at the microstepping in use.
    pub steps_per_mm: f64,
    /// What `EM` is told: 1 is 1/16 step, 2 is 1/8, 3 is 1/4, 4 is 1/2, 5 is full steps.
    pub microstep_mode: u8,
    /// How the two motors move the pen.
    pub motors: Motors,
    /// Greatest step rate of a motor; steps/s. The firmware takes one step at most in its 40 µs.
    pub step_rate: f64,
    /// Along the path with the pen up; mm/s². As with the pen down if not given.
    #[serde(default, deserialize_with = "units::de_acceleration_option")]
    pub travel_acceleration: Option<f64>,
    /// Pin of port B that the pen's servo hangs on.
    pub servo_pin: u8,
    /// Pulse at 0 %; twelfths of a µs.
    pub servo_min: u16,
    /// Pulse at 100 %; twelfths of a µs.
    pub servo_max: u16,
    /// From 0 % to 100 % at a rate of 100 %; s.
    #[serde(deserialize_with = "units::de_duration")]
    pub servo_sweep: f64,
    /// What a lift takes beside its way; s.
    #[serde(deserialize_with = "units::de_duration")]
    pub servo_lift_time: f64,
    /// What a lift takes for each percent of its way; s.
    #[serde(deserialize_with = "units::de_duration")]
    pub servo_time_per_percent: f64,
    /// How long the servo keeps its power after a lift; s. 0: for ever.
    #[serde(deserialize_with = "units::de_duration")]
    pub servo_power_timeout: f64,
    /// Oldest firmware that is right for it.
    pub min_firmware: Version,
    /// The firmware that it comes with, and that its virtual twin has.
    pub firmware: Version,
    /// How it shall answer.
    #[serde(default)]
    pub syntax: Syntax,
    /// Least reading of the motors' voltage (`QC`, 0 to 1023) with the power on. 0: the board can not measure it.
    pub motor_power_least: u16,
}

/// How the two motors move the pen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Motors {
    /// One belt: motor 1 runs by dx + dy, motor 2 by dx − dy.
    #[serde(rename = "corexy")]
    CoreXy,
    /// Motor 1 moves x, motor 2 moves y.
    Cartesian,
}

/// How the board answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Syntax {
    /// As it has always done: `OK` for commands, values for queries.
    #[default]
    Legacy,
    /// With the command's name in each reply (`CU,10,1`, firmware 3.0 and newer).
    Future,
}

/// A firmware's version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u8, pub u8, pub u8);

impl Version {
    /// Reads `2.8.1`; `None` when it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.trim().split('.').map(|part| part.parse().ok());
        let version = Self(parts.next()??, parts.next()??, parts.next()??);
        parts.next().is_none().then_some(version)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let text = String::deserialize(input)?;
        Self::parse(&text).ok_or_else(|| {
            serde::de::Error::custom(format!("`{text}` is no firmware version: write it as `2.8.1`"))
        })
    }
}

/// What the pen's servo is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServoPulses {
    /// Pulse with the pen up (`SC,4`); twelfths of a µs.
    pub up: u16,
    /// Pulse with the pen down (`SC,5`); twelfths of a µs.
    pub down: u16,
    /// Change upwards in each 24 ms (`SC,11`); twelfths of a µs.
    pub up_rate: u16,
    /// Change downwards in each 24 ms (`SC,12`); twelfths of a µs.
    pub down_rate: u16,
}

/// The firmware moves a servo once in this time; s.
const SERVO_PERIOD: f64 = 0.024;

impl Ebb {
    /// How far the motors turn for a way of the pen, mm; steps, not rounded.
    #[must_use]
    pub fn to_steps(&self, way: Point) -> [f64; 2] {
        let k = self.steps_per_mm;
        match self.motors {
            Motors::CoreXy => [(way.x + way.y) * k, (way.x - way.y) * k],
            Motors::Cartesian => [way.x * k, way.y * k],
        }
    }

    /// How far the pen goes when the motors turn so many steps; mm.
    #[must_use]
    pub fn to_mm(&self, steps: [f64; 2]) -> Point {
        let k = self.steps_per_mm;
        match self.motors {
            Motors::CoreXy => {
                Point::new((steps[0] + steps[1]) / (2.0 * k), (steps[0] - steps[1]) / (2.0 * k))
            }
            Motors::Cartesian => Point::new(steps[0] / k, steps[1] / k),
        }
    }

    /// Greatest speed along the unit vector (x, y), so that neither motor exceeds its step rate; mm/s.
    #[must_use]
    pub fn speed_along(&self, x: f64, y: f64) -> f64 {
        let [one, two] = self.to_steps(Point::new(x, y));
        self.step_rate / one.abs().max(two.abs())
    }

    /// What the servo is told for this lift; `None` if it is no servo of this board.
    #[must_use]
    pub fn pulses(&self, lift: &Lift) -> Option<ServoPulses> {
        let Lift::EbbServo { up_percent, down_percent, up_rate_percent, down_rate_percent, .. } = *lift
        else {
            return None;
        };
        let range = f64::from(self.servo_max) - f64::from(self.servo_min);
        let pulse = |percent: f64| (f64::from(self.servo_min) + range * percent / 100.0).round() as u16;
        let rate = |percent: f64| {
            (range.abs() * SERVO_PERIOD / self.servo_sweep * percent / 100.0).round().max(1.0) as u16
        };
        Some(ServoPulses {
            up: pulse(up_percent),
            down: pulse(down_percent),
            up_rate: rate(up_rate_percent),
            down_rate: rate(down_rate_percent),
        })
    }

    /// How long the next command waits for a lift: what the servo needs, and the profile's delay; whole ms, at least 1.
    ///
    /// The servo needs a constant and so much for each percent of the way, as AxiDraw's driver has it
    /// (`servo_move_min`, `servo_move_slope`), but never less than its slewing.
    #[must_use]
    pub fn lift_ms(&self, lift: &Lift, down: bool) -> u16 {
        let Lift::EbbServo {
            up_percent,
            down_percent,
            up_rate_percent,
            down_rate_percent,
            up_delay,
            down_delay,
        } = *lift
        else {
            return 1;
        };
        let way = (up_percent - down_percent).abs();
        let (rate, delay) = if down { (down_rate_percent, down_delay) } else { (up_rate_percent, up_delay) };
        let slewing = (way / 100.0 * self.servo_sweep * 100.0 / rate / SERVO_PERIOD).ceil() * SERVO_PERIOD;
        let needed = (self.servo_lift_time + self.servo_time_per_percent * way).max(slewing);
        ((needed + delay) * 1000.0).round().clamp(1.0, 65_535.0) as u16
    }

    pub(super) fn checks(&self) -> Vec<Check> {
        vec![
            ("ebb", "steps_per_mm", self.steps_per_mm, 1.0..=10_000.0, "steps/mm"),
            ("ebb", "microstep_mode", f64::from(self.microstep_mode), 1.0..=5.0, "(a mode of EM)"),
            ("ebb", "step_rate", self.step_rate, 100.0..=24_995.0, "steps/s"),
            ("ebb", "travel_acceleration", self.travel_acceleration.unwrap_or(1.0), 1.0..=100_000.0, "mm/s2"),
            ("ebb", "servo_pin", f64::from(self.servo_pin), 0.0..=7.0, "(a pin of port B)"),
            ("ebb", "servo_min", f64::from(self.servo_min), 1.0..=36_000.0, "(a pulse)"),
            ("ebb", "servo_max", f64::from(self.servo_max), 1.0..=36_000.0, "(a pulse)"),
            ("ebb", "servo_sweep", self.servo_sweep, 0.001..=10.0, "s"),
            ("ebb", "servo_lift_time", self.servo_lift_time, 0.0..=10.0, "s"),
            ("ebb", "servo_time_per_percent", self.servo_time_per_percent, 0.0..=1.0, "s"),
            ("ebb", "servo_power_timeout", self.servo_power_timeout, 0.0..=86_400.0, "s"),
            (
                "ebb",
                "motor_power_least",
                f64::from(self.motor_power_least),
                0.0..=1023.0,
                "(a reading of QC)",
            ),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::{Firmware, Profile};

    fn axidraw() -> (Profile, Ebb) {
        let profile = Profile::built_in("axidraw-v3").unwrap();
        let Firmware::Ebb(ebb) = profile.firmware.clone() else { panic!("{profile:?}") };
        (profile, ebb)
    }

    #[test]
    fn one_mm_of_x_is_80_steps_of_both_motors() {
        let (_, ebb) = axidraw();
        assert_eq!(ebb.to_steps(Point::new(1.0, 0.0)), [80.0, 80.0]);
        assert_eq!(ebb.to_steps(Point::new(0.0, 1.0)), [80.0, -80.0]);
        assert_eq!(ebb.to_mm([80.0, 240.0]), Point::new(2.0, -1.0));
        // At 45° one motor does it all: AxiDraw's 8.6979 in/s.
        let half = 0.5_f64.sqrt();
        assert!((ebb.speed_along(half, half) / 25.4 - 8.6979).abs() < 0.01);
    }

    #[test]
    fn pulses_are_axidraws_percents() {
        let (profile, ebb) = axidraw();
        let pulses = ebb.pulses(&profile.lift).unwrap();
        assert_eq!((pulses.up, pulses.down), (20_641, 15_248));
        // 45 ms and 30 % at 2.69 ms.
        assert_eq!(ebb.lift_ms(&profile.lift, false), 126);
    }

    #[test]
    fn a_slow_servo_is_waited_for() {
        let (mut profile, ebb) = axidraw();
        if let Lift::EbbServo { down_rate_percent, .. } = &mut profile.lift {
            *down_rate_percent = 10.0;
        }
        assert_eq!(ebb.lift_ms(&profile.lift, true), 600);
    }

    #[test]
    fn versions_are_read_and_compared() {
        assert_eq!(Version::parse("2.8.1"), Some(Version(2, 8, 1)));
        assert!(Version(2, 6, 9) < Version(2, 7, 0) && Version(3, 0, 0) > Version(2, 8, 1));
        for text in ["", "2.8", "2.8.1.1", "a.b.c", "2.8.999"] {
            assert_eq!(Version::parse(text), None, "{text}");
        }
    }
}
