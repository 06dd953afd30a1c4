//! One machine's parameters, read from TOML.

use serde::Deserialize;

use crate::{config, units};

/// The profiles inside the program: id and TOML text.
pub const BUILT_IN: [(&str, &str); 2] = [
    ("grbl-servo", include_str!("../../firmware-profiles/grbl-servo.toml")),
    ("grbl-z", include_str!("../../firmware-profiles/grbl-z.toml")),
];

/// Why a profile could not be used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The TOML is wrong.
    #[error(transparent)]
    Config(#[from] config::Error),
}

/// What language the firmware speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dialect {
    /// GRBL 1.1 G-code.
    Grbl,
}

/// Where the machine's zero lies, and which way y goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// x right, y up: G-code's usual frame.
    BottomLeft,
    /// x right, y down: the page's own frame.
    TopLeft,
}

/// The reachable area.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bed {
    /// Along x; mm.
    #[serde(deserialize_with = "units::de_length")]
    pub width: f64,
    /// Along y; mm.
    #[serde(deserialize_with = "units::de_length")]
    pub height: f64,
    /// Where zero lies.
    pub origin: Origin,
}

/// Speeds and accelerations.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Pen down; mm/s.
    #[serde(deserialize_with = "units::de_speed")]
    pub draw_speed: f64,
    /// Pen up; mm/s.
    #[serde(deserialize_with = "units::de_speed")]
    pub travel_speed: f64,
    /// Of each of x and y; mm/s².
    #[serde(deserialize_with = "units::de_acceleration")]
    pub acceleration: f64,
    /// How far a corner may be cut in thought, which bounds its speed (GRBL's `$11`); mm.
    #[serde(deserialize_with = "units::de_length")]
    pub junction_deviation: f64,
}

/// How the pen goes up and down.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Lift {
    /// A servo on the spindle's PWM pin: `M3 S…`.
    Servo {
        /// S word that lifts the pen.
        up_s: u32,
        /// S word that puts it down.
        down_s: u32,
        /// Wait after lifting; s.
        #[serde(deserialize_with = "units::de_duration")]
        up_delay: f64,
        /// Wait after putting down; s.
        #[serde(deserialize_with = "units::de_duration")]
        down_delay: f64,
    },
    /// A Z axis.
    Z {
        /// Height of travel; mm.
        #[serde(deserialize_with = "units::de_length")]
        up: f64,
        /// Height of drawing; mm.
        #[serde(deserialize_with = "units::de_length")]
        down: f64,
        /// mm/s.
        #[serde(deserialize_with = "units::de_speed")]
        speed: f64,
        /// mm/s².
        #[serde(deserialize_with = "units::de_acceleration")]
        acceleration: f64,
    },
}

/// What is GRBL's own.
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
}

/// One machine.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    #[serde(rename = "format", deserialize_with = "config::de_format")]
    _format: u32,
    /// Short name.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// What its operator should know.
    #[serde(default)]
    pub note: String,
    /// What its firmware speaks.
    pub dialect: Dialect,
    /// What it reaches.
    pub bed: Bed,
    /// How fast it is.
    pub limits: Limits,
    /// How its pen moves.
    pub lift: Lift,
    /// What is GRBL's own.
    pub grbl: Grbl,
}
