//! Quantities with their units: what a person writes (`"0.35mm"`, `"40mm/s"`) becomes a bare `f64` in the
//! crate's units (mm, s, mm/s, mm/s²), and what a machine wants leaves as a newtype.

use std::fmt;

use serde::{Deserialize, Deserializer};

/// Why a quantity could not be read.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text does not start with a number.
    #[error("`{text}` is not a {kind}: write a number and a unit, such as `{example}`")]
    NotANumber {
        /// What was written.
        text: String,
        /// What was wanted: length, speed, …
        kind: &'static str,
        /// A text that would be right.
        example: &'static str,
    },
    /// The number has no unit, or one that this kind of quantity does not know.
    #[error("`{text}` has no known {kind} unit: use one of {units}, such as `{example}`")]
    UnknownUnit {
        /// What was written.
        text: String,
        /// What was wanted: length, speed, …
        kind: &'static str,
        /// The units that would be right.
        units: String,
        /// A text that would be right.
        example: &'static str,
    },
    /// The number is infinite, not a number, or negative.
    #[error("`{text}` is out of range for a {kind}: it must be finite and not negative, such as `{example}`")]
    OutOfRange {
        /// What was written.
        text: String,
        /// What was wanted: length, speed, …
        kind: &'static str,
        /// A text that would be right.
        example: &'static str,
    },
}

struct Kind {
    name: &'static str,
    example: &'static str,
    /// Unit and its size in the crate's unit; longer names first where one ends another.
    units: &'static [(&'static str, f64)],
}

const LENGTH: Kind = Kind {
    name: "length",
    example: "0.35mm",
    units: &[
        ("mm", 1.0),
        ("cm", 10.0),
        ("in", 25.4),
        ("pt", 25.4 / 72.0),
        ("px", 25.4 / 96.0),
        ("m", 1000.0),
    ],
};
const SPEED: Kind = Kind {
    name: "speed",
    example: "40mm/s",
    units: &[("mm/s", 1.0), ("cm/s", 10.0), ("in/s", 25.4), ("mm/min", 1.0 / 60.0)],
};
const ACCELERATION: Kind =
    Kind { name: "acceleration", example: "500mm/s2", units: &[("mm/s2", 1.0), ("mm/s²", 1.0)] };
const DURATION: Kind = Kind {
    name: "duration",
    example: "150ms",
    units: &[("ms", 0.001), ("s", 1.0), ("min", 60.0), ("h", 3600.0)],
};
const ANGLE: Kind = Kind {
    name: "angle",
    example: "45deg",
    units: &[
        ("deg", std::f64::consts::PI / 180.0),
        ("°", std::f64::consts::PI / 180.0),
        ("rad", 1.0),
        ("turn", std::f64::consts::TAU),
    ],
};

/// Reads a length such as `0.35mm`, `2in`, `21cm`; mm.
///
/// # Errors
/// When the number or its unit is missing, or the value is negative or not finite.
///
/// ```
/// assert_eq!(traceur_core::units::length("2in")?, 50.8);
/// assert!(traceur_core::units::length("2").unwrap_err().to_string().contains("mm"));
/// # Ok::<(), traceur_core::units::Error>(())
/// ```
pub fn length(text: &str) -> Result<f64, Error> {
    parse(text, &LENGTH)
}

/// Reads a speed such as `40mm/s` or `2400mm/min`; mm/s.
///
/// # Errors
/// As [`length`].
pub fn speed(text: &str) -> Result<f64, Error> {
    parse(text, &SPEED)
}

/// Reads an acceleration such as `500mm/s2`; mm/s².
///
/// # Errors
/// As [`length`].
pub fn acceleration(text: &str) -> Result<f64, Error> {
    parse(text, &ACCELERATION)
}

/// Reads a duration such as `150ms`, `90s`, `1.5h`; s.
///
/// # Errors
/// As [`length`].
pub fn duration(text: &str) -> Result<f64, Error> {
    parse(text, &DURATION)
}

/// Reads an angle such as `45deg`, `-90°`, `0.5rad`, `0.25turn`; rad. It may be negative.
///
/// # Errors
/// When the number or its unit is missing, or the value is not finite.
pub fn angle(text: &str) -> Result<f64, Error> {
    match text.trim().strip_prefix('-') {
        Some(rest) => parse(rest, &ANGLE).map(|angle| -angle),
        None => parse(text, &ANGLE),
    }
}

fn parse(text: &str, kind: &Kind) -> Result<f64, Error> {
    let trimmed = text.trim();
    let end = trimmed.find(|c: char| !(c.is_ascii_digit() || ".+-".contains(c))).unwrap_or(trimmed.len());
    let (number, unit) = trimmed.split_at(end);
    let value: f64 = number.parse().map_err(|_| Error::NotANumber {
        text: text.into(),
        kind: kind.name,
        example: kind.example,
    })?;
    let unit = unit.trim();
    let Some((_, size)) = kind.units.iter().find(|(name, _)| *name == unit) else {
        let units = kind.units.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        return Err(Error::UnknownUnit { text: text.into(), kind: kind.name, units, example: kind.example });
    };
    let value = value * size;
    if !value.is_finite() || value < 0.0 {
        return Err(Error::OutOfRange { text: text.into(), kind: kind.name, example: kind.example });
    }
    Ok(value)
}

macro_rules! deserializers {
    ($($(#[$doc:meta])* $required:ident, $optional:ident => $parse:ident;)*) => {$(
        $(#[$doc])*
        ///
        /// # Errors
        /// The deserializer's own, carrying the text of [`Error`].
        pub fn $required<'de, D: Deserializer<'de>>(input: D) -> Result<f64, D::Error> {
            $parse(&String::deserialize(input)?).map_err(serde::de::Error::custom)
        }
        $(#[$doc])*
        /// An absent key is `None`; pair it with `#[serde(default)]`.
        ///
        /// # Errors
        /// The deserializer's own, carrying the text of [`Error`].
        pub fn $optional<'de, D: Deserializer<'de>>(input: D) -> Result<Option<f64>, D::Error> {
            $required(input).map(Some)
        }
    )*};
}
deserializers! {
    /// For `#[serde(deserialize_with)]`: a length; mm.
    de_length, de_length_option => length;
    /// For `#[serde(deserialize_with)]`: a speed; mm/s.
    de_speed, de_speed_option => speed;
    /// For `#[serde(deserialize_with)]`: an acceleration; mm/s².
    de_acceleration, de_acceleration_option => acceleration;
    /// For `#[serde(deserialize_with)]`: a duration; s.
    de_duration, de_duration_option => duration;
}

/// A G-code feed rate; mm/min, the only unit that GRBL's F word has.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct FeedRate(f64);

impl FeedRate {
    /// The feed rate of a speed in mm/s.
    #[must_use]
    pub fn from_speed(speed: f64) -> Self {
        Self(speed * 60.0)
    }

    /// The feed rate that an F word gives; mm/min.
    #[must_use]
    pub fn from_mm_per_min(value: f64) -> Self {
        Self(value)
    }

    /// What an F word holds; mm/min.
    #[must_use]
    pub fn mm_per_min(self) -> f64 {
        self.0
    }

    /// The speed; mm/s.
    #[must_use]
    pub fn speed(self) -> f64 {
        self.0 / 60.0
    }
}

impl fmt::Display for FeedRate {
    /// Whole mm/min, as an F word wants it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.0}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_become_crate_units() {
        assert_eq!(length("0.35mm"), Ok(0.35));
        assert_eq!(length(" 21 cm "), Ok(210.0));
        assert_eq!(speed("2400mm/min"), Ok(40.0));
        assert_eq!(duration("1.5h"), Ok(5400.0));
        assert_eq!(acceleration("500mm/s²"), Ok(500.0));
        assert_eq!(angle("-0.5turn"), Ok(-std::f64::consts::PI));
        assert!(angle("90").is_err() && angle("--90deg").is_err());
    }

    #[test]
    fn hostile_quantities_are_explained() {
        for text in ["", "mm", "1", "1 furlong", "nan mm", "-1mm", "1e999mm", "--1mm", "1.2.3mm", "∞mm"] {
            let error = length(text).unwrap_err().to_string();
            assert!(error.contains("0.35mm"), "{text}: {error}");
        }
    }

    #[test]
    fn feed_rate_is_whole_mm_per_min() {
        assert_eq!(FeedRate::from_speed(50.0).to_string(), "3000");
    }
}
