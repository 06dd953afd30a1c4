//! What each dialect's firmware has of its own.

use std::ops::RangeInclusive;

use serde::Deserialize;

use super::{Dialect, Ebb, Hpgl};

/// Table, key, value, range and unit of a number that must lie within a range.
pub(super) type Check = (&'static str, &'static str, f64, RangeInclusive<f64>, &'static str);

/// What a machine speaks, with what that dialect has of its own.
#[derive(Debug, Clone, PartialEq)]
pub enum Firmware {
    /// GRBL 1.1 G-code.
    Grbl(Grbl),
    /// The EiBotBoard's commands.
    Ebb(Ebb),
    /// HP-GL.
    Hpgl(Hpgl),
}

/// GRBL's table.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grbl {
    /// Serial speed; bits a second.
    pub baud: u32,
    /// Bytes that the firmware's receive buffer holds, as `$I` reports.
    pub rx_buffer_bytes: usize,
    /// Moves that its planner holds, as `$I` reports.
    pub planner_blocks: usize,
    /// Motor steps a mm (`$100`, `$101`).
    pub steps_per_mm: f64,
    /// Whether curves are sent as G2 and G3. Off for boards whose arcs are bad.
    #[serde(default = "yes")]
    pub arcs: bool,
    /// Whether the machine looks for its switches (`$H`) before each program.
    #[serde(default)]
    pub homing: bool,
}

fn yes() -> bool {
    true
}

impl Grbl {
    /// How long GRBL waits for a `G4P…`: whole steps of 50 ms (`nuts_bolts.c`, `delay_sec`; `config.h`, `DWELL_TIME_STEP`);
    /// s.
    ///
    /// ```
    /// # use traceur_core::machine::Grbl;
    /// assert_eq!([0.0, 0.05, 0.12, 0.151].map(Grbl::dwell), [0.0, 0.05, 0.15000000000000002, 0.2]);
    /// ```
    #[must_use]
    pub fn dwell(seconds: f64) -> f64 {
        let written = (seconds * 1000.0).round() / 1000.0;
        // The firmware's arithmetic has 32 bits.
        f64::from((written as f32 * 20.0).ceil()) * 0.05
    }

    /// The nearest place where the motors can stand; mm.
    #[must_use]
    pub fn to_step(&self, mm: f64) -> f64 {
        (mm * self.steps_per_mm).round() / self.steps_per_mm
    }
}

impl Firmware {
    /// What it speaks.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        match self {
            Self::Grbl(_) => Dialect::Grbl,
            Self::Ebb(_) => Dialect::Ebb,
            Self::Hpgl(_) => Dialect::Hpgl,
        }
    }

    /// Serial speed; bits a second. `None`: the wire is faster than the firmware (USB), and the number means nothing.
    #[must_use]
    pub fn baud(&self) -> Option<u32> {
        match self {
            Self::Grbl(grbl) => Some(grbl.baud),
            Self::Ebb(_) => None,
            Self::Hpgl(hpgl) => Some(hpgl.baud),
        }
    }

    pub(super) fn checks(&self) -> Vec<Check> {
        match self {
            Self::Grbl(grbl) => vec![
                ("grbl", "baud", f64::from(grbl.baud), 1200.0..=4e6, "bits a second"),
                // A line is at most 79 characters and its end.
                ("grbl", "rx_buffer_bytes", grbl.rx_buffer_bytes as f64, 81.0..=65_536.0, "bytes"),
                ("grbl", "planner_blocks", grbl.planner_blocks as f64, 1.0..=1000.0, "blocks"),
                ("grbl", "steps_per_mm", grbl.steps_per_mm, 1.0..=10_000.0, "steps/mm"),
            ],
            Self::Ebb(ebb) => ebb.checks(),
            Self::Hpgl(hpgl) => hpgl.checks(),
        }
    }
}
