//! `$N=V`.

use traceur_core::machine::{Grbl, Lift, Profile};
use traceur_core::units::FeedRate;

/// GRBL's settings: number and value, as 1.1h orders them.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    values: Vec<(u32, f64)>,
}

/// Greatest distance between an arc and its chords; mm.
pub(super) const ARC_TOLERANCE: u32 = 12;

/// Those that `$$` prints with decimals.
const DECIMALS: [u32; 5] = [11, 12, 24, 25, 27];

impl Settings {
    pub(super) fn new(profile: &Profile, grbl: &Grbl) -> Self {
        let limits = &profile.limits;
        let fastest = limits.travel_speed.max(limits.draw_speed);
        let speed = |speed: f64| FeedRate::from_speed(speed).mm_per_min();
        let (z_speed, z_acceleration) = match profile.lift {
            Lift::Z { speed, acceleration, .. } => (speed, acceleration),
            _ => (fastest, limits.acceleration),
        };
        let (steps, flag) = (grbl.steps_per_mm, |on| if on { 1.0 } else { 0.0 });
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
            (ARC_TOLERANCE, 0.002),
            (13, 0.0),
            (20, 0.0),
            (21, 0.0),
            (22, flag(grbl.homing)),
            // X and Y home to their least, where a page's corner is; Z to its top.
            (23, if grbl.homing { 3.0 } else { 0.0 }),
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
            (110, speed(fastest)),
            (111, speed(fastest)),
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

    /// `N=V` without its `$`; errors are GRBL's numbers (`system.c`, `settings.c`).
    pub(super) fn set(&mut self, text: &str) -> Result<(), u32> {
        let digits = text.bytes().take_while(|c| c.is_ascii_digit() || b"+-.".contains(c)).count();
        let (number, rest) = text.split_at(digits);
        let number: f64 = number.parse().map_err(|_| 2_u32)?;
        let value: f64 = rest.strip_prefix('=').ok_or(3_u32)?.parse().map_err(|_| 2_u32)?;
        if !value.is_finite() {
            return Err(2);
        }
        if !(0.0..=255.0).contains(&number) {
            return Err(3);
        }
        let number = number as u32;
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

    /// Whether a report gives the machine's position, or the work's.
    pub(super) fn reports_machine_position(&self) -> bool {
        self.value(10) as u32 & 1 != 0
    }

    /// Whether an axis homes to its least position (`$23`).
    pub(super) fn homes_to_least(&self, axis: usize) -> bool {
        self.value(23) as u32 & (1 << axis) != 0
    }

    /// Those of X, Y and Z, from this number on: 100 steps/mm, 120 mm/s², 130 mm.
    pub(super) fn triple(&self, first: u32) -> [f64; 3] {
        // A board that is told 0 would stand still for good.
        [0, 1, 2].map(|axis| self.value(first + axis).max(1e-6))
    }

    /// `$110` to `$112`; mm/s.
    pub(super) fn speeds(&self) -> [f64; 3] {
        self.triple(110).map(|speed| FeedRate::from_mm_per_min(speed).speed())
    }

    /// `$24` and `$25`, how fast switches are approached and searched; mm/s.
    pub(super) fn homing_speeds(&self) -> (f64, f64) {
        let speed = |number| FeedRate::from_mm_per_min(self.value(number)).speed().max(1e-3);
        (speed(24), speed(25))
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

    pub(super) fn value(&self, number: u32) -> f64 {
        self.values.iter().find(|(known, _)| *known == number).map_or(0.0, |(_, value)| *value)
    }
}
