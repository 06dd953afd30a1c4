//! `$N=V`.

use crate::machine::{Grbl, Lift, Profile};
use crate::units::FeedRate;

/// GRBL's settings: number and value, as 1.1h orders them.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    values: Vec<(u32, f64)>,
}

/// Those that `$$` prints with decimals.
const DECIMALS: [u32; 5] = [11, 12, 24, 25, 27];

impl Settings {
    pub(super) fn new(profile: &Profile, grbl: &Grbl) -> Self {
        let limits = &profile.limits;
        let speed = |speed: f64| FeedRate::from_speed(speed).mm_per_min();
        let (z_speed, z_acceleration) = match profile.lift {
            Lift::Z { speed, acceleration, .. } => (speed, acceleration),
            Lift::Servo { .. } | Lift::EbbServo { .. } | Lift::Pen { .. } => {
                (limits.travel_speed, limits.acceleration)
            }
        };
        let steps = grbl.steps_per_mm;
        let values = vec![
            (0, 10.0),
            (1, 25.0),
            (2, 0.0),
            (3, 0.0),
            (4, 0.0),
            (5, 0.0),
            (6, 0.0),
            (10, 3.0),
            (11, limits.junction_deviation),
            (12, 0.002),
            (13, 0.0),
            (20, 0.0),
            (21, 0.0),
            (22, 0.0),
            (23, 0.0),
            (24, 25.0),
            (25, 500.0),
            (26, 250.0),
            (27, 1.0),
            (30, 1000.0),
            (31, 0.0),
            (32, 0.0),
            (100, steps),
            (101, steps),
            (102, steps),
            (110, speed(limits.travel_speed)),
            (111, speed(limits.travel_speed)),
            (112, speed(z_speed)),
            (120, limits.acceleration),
            (121, limits.acceleration),
            (122, z_acceleration),
            (130, profile.bed.width),
            (131, profile.bed.height),
            (132, 200.0),
        ];
        Self { values }
    }

    /// `N=V` without its `$`; errors are GRBL's numbers. Only soft limits, homing and the report mask have an effect.
    pub(super) fn set(&mut self, text: &str) -> Result<(), u32> {
        if let Some(start_up) = text.strip_prefix('N') {
            return if start_up.starts_with("0=") || start_up.starts_with("1=") { Ok(()) } else { Err(3) };
        }
        let (number, value) = text.split_once('=').ok_or(3_u32)?;
        let number: u32 = number.parse().map_err(|_| 3_u32)?;
        let value: f64 = value.parse().ok().filter(|value: &f64| value.is_finite()).ok_or(2_u32)?;
        if value < 0.0 {
            return Err(4);
        }
        if number == 0 && value < 3.0 {
            return Err(6);
        }
        if number == 20 && value != 0.0 && !self.homing() {
            return Err(10);
        }
        let slot = self.values.iter_mut().find(|(known, _)| *known == number).ok_or(3_u32)?;
        slot.1 = value;
        if number == 22 && value == 0.0 {
            // Soft limits need homing.
            self.values.iter_mut().filter(|(known, _)| *known == 20).for_each(|(_, value)| *value = 0.0);
        }
        Ok(())
    }

    pub(super) fn soft_limits(&self) -> bool {
        self.value(20) != 0.0
    }

    pub(super) fn homing(&self) -> bool {
        self.value(22) != 0.0
    }

    pub(super) fn reports_buffer(&self) -> bool {
        self.value(10) as u32 & 2 != 0
    }

    /// What `$$` prints.
    pub(super) fn lines(&self) -> Vec<String> {
        let line = |(number, value): &(u32, f64)| {
            if *number >= 100 || DECIMALS.contains(number) {
                format!("${number}={value:.3}")
            } else {
                format!("${number}={value:.0}")
            }
        };
        self.values.iter().map(line).collect()
    }

    fn value(&self, number: u32) -> f64 {
        self.values.iter().find(|(known, _)| *known == number).map_or(0.0, |(_, value)| *value)
    }
}
