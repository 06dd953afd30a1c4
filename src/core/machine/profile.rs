//! One machine's parameters, read from TOML.

use serde::Deserialize;

use super::firmware::{Check, Firmware, Grbl};
use super::{Ebb, Hpgl};
use crate::config;
use crate::units;

const LENGTH: std::ops::RangeInclusive<f64> = 1.0..=10_000.0;
const SPEED: std::ops::RangeInclusive<f64> = 0.1..=2_000.0;
const ACCELERATION: std::ops::RangeInclusive<f64> = 1.0..=100_000.0;

/// The profiles inside the program: id and TOML text.
pub const BUILT_IN: [(&str, &str); 14] = [
    ("grbl-servo", include_str!("../built-in/machines/grbl-servo.toml")),
    ("grbl-z", include_str!("../built-in/machines/grbl-z.toml")),
    ("grbl-laser", include_str!("../built-in/machines/grbl-laser.toml")),
    ("idraw-v2", include_str!("../built-in/machines/idraw-v2.toml")),
    ("hp7475a", include_str!("../built-in/machines/hp7475a.toml")),
    ("hp7440a", include_str!("../built-in/machines/hp7440a.toml")),
    ("hp7550a", include_str!("../built-in/machines/hp7550a.toml")),
    ("dxy-1150", include_str!("../built-in/machines/dxy-1150.toml")),
    ("dpx-3300", include_str!("../built-in/machines/dpx-3300.toml")),
    ("axidraw-v3", include_str!("../built-in/machines/axidraw-v3.toml")),
    ("axidraw-v3-a3", include_str!("../built-in/machines/axidraw-v3-a3.toml")),
    ("axidraw-se-a3", include_str!("../built-in/machines/axidraw-se-a3.toml")),
    ("axidraw-minikit", include_str!("../built-in/machines/axidraw-minikit.toml")),
    ("idraw-ebb", include_str!("../built-in/machines/idraw-ebb.toml")),
];

/// Why a profile could not be used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The TOML is wrong.
    #[error(transparent)]
    Config(#[from] config::Error),
    /// The page is larger than any sheet that the plotter takes.
    #[error(
        "a page of {width:.0} x {height:.0} mm is too large for `{machine}`: the sheets that it takes are {papers}"
    )]
    PageTooLarge {
        /// The page; mm.
        width: f64,
        /// The page; mm.
        height: f64,
        /// The machine's id.
        machine: String,
        /// Names and sizes of all sheets.
        papers: String,
    },
    /// No profile of this name is inside the program.
    #[error("no machine `{id}`{}; built in: {known}", did_you_mean(.nearest))]
    Unknown {
        /// The id asked for.
        id: String,
        /// The nearest id.
        nearest: Option<String>,
        /// All ids.
        known: String,
    },
}

fn did_you_mean(nearest: &Option<String>) -> String {
    nearest.as_ref().map_or(String::new(), |name| format!(" (did you mean `{name}`?)"))
}

/// What language the firmware speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dialect {
    /// GRBL 1.1 G-code.
    Grbl,
    /// The EiBotBoard's commands (AxiDraw): the host plans the motion.
    Ebb,
    /// HP-GL of Hewlett-Packard and Roland pen plotters.
    Hpgl,
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
    /// Whether a page that fits only when it is turned by a quarter is turned.
    #[serde(default = "yes")]
    pub turns_pages: bool,
}

fn yes() -> bool {
    true
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
    /// A servo of an EiBotBoard; positions in percent of the pulses that `[ebb]` gives.
    EbbServo {
        /// Where the pen is up; percent.
        up_percent: f64,
        /// Where it is down; percent.
        down_percent: f64,
        /// Speed upwards; percent of the servo's own.
        up_rate_percent: f64,
        /// Speed downwards; percent of the servo's own.
        down_rate_percent: f64,
        /// Wait after lifting, beside the time that the servo needs; s.
        #[serde(deserialize_with = "units::de_duration")]
        up_delay: f64,
        /// Wait after putting down, beside the time that the servo needs; s.
        #[serde(deserialize_with = "units::de_duration")]
        down_delay: f64,
    },
    /// A pen that the firmware lifts by a command of its own (`PU`, `PD`).
    Pen {
        /// How long lifting takes; s.
        #[serde(deserialize_with = "units::de_duration")]
        up_delay: f64,
        /// How long putting down takes; s.
        #[serde(deserialize_with = "units::de_duration")]
        down_delay: f64,
    },
}

/// One machine.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// Short name.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// What its operator should know.
    pub note: String,
    /// What it reaches.
    pub bed: Bed,
    /// How fast it is.
    pub limits: Limits,
    /// How its pen moves.
    pub lift: Lift,
    /// What it speaks, with what that dialect has of its own.
    pub firmware: Firmware,
}

/// A profile as it stands in its file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "format", deserialize_with = "config::de_format")]
    _format: u32,
    id: String,
    name: String,
    #[serde(default)]
    note: String,
    dialect: Dialect,
    bed: Bed,
    limits: Limits,
    lift: Lift,
    grbl: Option<Grbl>,
    ebb: Option<Ebb>,
    hpgl: Option<Hpgl>,
}

impl File {
    /// The table of the dialect that the file names, or which is missing or in the way.
    fn firmware(&mut self) -> Result<Firmware, (&'static str, &'static str)> {
        let (grbl, ebb, hpgl) = (self.grbl.take(), self.ebb.take(), self.hpgl.take());
        match (self.dialect, grbl, ebb, hpgl) {
            (Dialect::Grbl, Some(grbl), None, None) => Ok(Firmware::Grbl(grbl)),
            (Dialect::Ebb, None, Some(ebb), None) => Ok(Firmware::Ebb(ebb)),
            (Dialect::Hpgl, None, None, Some(hpgl)) => Ok(Firmware::Hpgl(hpgl)),
            (Dialect::Grbl, ..) => Err(("grbl", "[grbl]")),
            (Dialect::Ebb, ..) => Err(("ebb", "[ebb]")),
            (Dialect::Hpgl, ..) => Err(("hpgl", "[hpgl]")),
        }
    }
}

impl Profile {
    /// Reads a profile; `file` is its name for error messages.
    ///
    /// # Errors
    /// Bad TOML, unknown keys, quantities without their unit or outside of what a plotter can be: with file, line and
    /// key.
    pub fn parse(file: &str, text: &str) -> Result<Self, Error> {
        let mut parsed: File = config::parse(file, text)?;
        let firmware = parsed.firmware().map_err(|(dialect, table)| {
            let message = format!("dialect = \"{dialect}\" needs the table {table}, and no other dialect's");
            config::Error::at(file, text, offset_of(text, "", "dialect"), message)
        })?;
        let File { id, name, note, bed, limits, lift, .. } = parsed;
        let profile = Self { id, name, note, bed, limits, lift, firmware };
        match profile.first_mistake() {
            None => Ok(profile),
            Some((table, key, message)) => {
                let offset = offset_of(text, table, key);
                Err(config::Error::at(file, text, offset, message).into())
            }
        }
    }

    /// The profile inside the program that has this id; see [`BUILT_IN`].
    ///
    /// # Errors
    /// When there is none: with the nearest id.
    ///
    /// ```
    /// # use traceur_core::machine::Profile;
    /// assert_eq!(Profile::built_in("grbl-servo")?.bed.width, 430.0);
    /// assert!(Profile::built_in("grbl-sevro").unwrap_err().to_string().contains("grbl-servo"));
    /// # Ok::<(), traceur_core::machine::Error>(())
    /// ```
    pub fn built_in(id: &str) -> Result<Self, Error> {
        match BUILT_IN.iter().find(|(known, _)| *known == id) {
            Some((_, text)) => Self::parse(&format!("built-in {id}"), text),
            None => Err(Error::Unknown {
                id: id.into(),
                nearest: config::nearest(id, BUILT_IN.iter().map(|(known, _)| *known)).map(str::to_owned),
                known: BUILT_IN.map(|(known, _)| known).join(", "),
            }),
        }
    }

    /// Table, key and explanation of the first value that no plotter has.
    fn first_mistake(&self) -> Option<(&'static str, &'static str, String)> {
        if self.id.trim().is_empty() {
            return Some(("", "id", "the id is empty: give the machine a short name".into()));
        }
        let fits = match self.firmware {
            Firmware::Grbl(_) => matches!(self.lift, Lift::Servo { .. } | Lift::Z { .. }),
            Firmware::Ebb(_) => matches!(self.lift, Lift::EbbServo { .. }),
            Firmware::Hpgl(_) => matches!(self.lift, Lift::Pen { .. }),
        };
        if !fits {
            let dialect = self.firmware.dialect();
            return Some(("lift", "kind", format!("no {dialect:?} machine lifts its pen in this way")));
        }
        if let Firmware::Hpgl(hpgl) = &self.firmware
            && let Some((key, message)) = hpgl.first_mistake()
        {
            return Some(("hpgl", key, message));
        }
        let (bed, limits) = (&self.bed, &self.limits);
        let mut checks: Vec<Check> = vec![
            ("bed", "width", bed.width, LENGTH, "mm"),
            ("bed", "height", bed.height, LENGTH, "mm"),
            ("limits", "draw_speed", limits.draw_speed, SPEED, "mm/s"),
            ("limits", "travel_speed", limits.travel_speed, SPEED, "mm/s"),
            ("limits", "acceleration", limits.acceleration, ACCELERATION, "mm/s2"),
            ("limits", "junction_deviation", limits.junction_deviation, 0.0001..=5.0, "mm"),
        ];
        checks.extend(self.firmware.checks());
        match self.lift {
            Lift::Servo { up_s, down_s, up_delay, down_delay } => {
                if up_s == down_s {
                    let message = format!("up_s and down_s are both {up_s}: the pen would never move");
                    return Some(("lift", "down_s", message));
                }
                checks.push(("lift", "up_s", f64::from(up_s), 0.0..=100_000.0, "(an S word)"));
                checks.push(("lift", "down_s", f64::from(down_s), 0.0..=100_000.0, "(an S word)"));
                checks.push(("lift", "up_delay", up_delay, 0.0..=10.0, "s"));
                checks.push(("lift", "down_delay", down_delay, 0.0..=10.0, "s"));
            }
            Lift::Z { up, down, speed, acceleration } => {
                // Some machines (iDraw) count Z downwards.
                if up == down {
                    let message = format!("up and down are both {up} mm: the pen would never move");
                    return Some(("lift", "up", message));
                }
                checks.push(("lift", "up", up, 0.0..=200.0, "mm"));
                checks.push(("lift", "down", down, 0.0..=200.0, "mm"));
                checks.push(("lift", "speed", speed, SPEED, "mm/s"));
                checks.push(("lift", "acceleration", acceleration, ACCELERATION, "mm/s2"));
            }
            Lift::EbbServo {
                up_percent,
                down_percent,
                up_rate_percent,
                down_rate_percent,
                up_delay,
                down_delay,
            } => {
                if up_percent == down_percent {
                    let message = format!(
                        "up_percent and down_percent are both {up_percent}: the pen would never move"
                    );
                    return Some(("lift", "down_percent", message));
                }
                checks.push(("lift", "up_percent", up_percent, 0.0..=100.0, "%"));
                checks.push(("lift", "down_percent", down_percent, 0.0..=100.0, "%"));
                checks.push(("lift", "up_rate_percent", up_rate_percent, 1.0..=100.0, "%"));
                checks.push(("lift", "down_rate_percent", down_rate_percent, 1.0..=100.0, "%"));
                checks.push(("lift", "up_delay", up_delay, 0.0..=10.0, "s"));
                checks.push(("lift", "down_delay", down_delay, 0.0..=10.0, "s"));
            }
            Lift::Pen { up_delay, down_delay } => {
                checks.push(("lift", "up_delay", up_delay, 0.0..=10.0, "s"));
                checks.push(("lift", "down_delay", down_delay, 0.0..=10.0, "s"));
            }
        }
        checks.into_iter().find(|(_, _, value, range, _)| !range.contains(value)).map(
            |(table, key, value, range, unit)| {
                let (least, greatest) = range.into_inner();
                (table, key, format!("{key} = {value} {unit} is not between {least} and {greatest}"))
            },
        )
    }
}

/// Where `key` of `table` (empty: of the file) stands in a text that has been parsed before.
fn offset_of(text: &str, table: &str, key: &str) -> usize {
    let Ok(file) = toml::de::DeTable::parse(text) else { return 0 };
    let in_table = |map: &toml::de::DeTable<'_>| {
        map.iter().find(|(name, _)| name.get_ref() == key).map(|(name, _)| name.span().start)
    };
    if table.is_empty() {
        return in_table(file.get_ref()).unwrap_or(0);
    }
    file.get_ref().get(table).and_then(|value| value.get_ref().as_table()).and_then(in_table).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(from: &str, to: &str, expected: &str) {
        let text = BUILT_IN[0].1;
        assert!(text.contains(from), "{from}");
        let error = Profile::parse("my.toml", &text.replace(from, to)).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }

    #[test]
    fn built_in_profiles_are_sound() {
        for (id, _) in BUILT_IN {
            let profile = Profile::built_in(id).unwrap();
            assert_eq!(profile.id, id);
            assert!(!profile.note.is_empty(), "{id} tells its operator where to put the page");
        }
    }

    #[test]
    fn mistakes_name_file_line_and_key() {
        check("travel_speed", "travle_speed", "my.toml:17: unknown field `travle_speed`");
        check("travel_speed", "travle_speed", "did you mean `travel_speed`?");
        check("\"120mm/s\"", "\"0mm/s\"", "my.toml:17: travel_speed = 0 mm/s is not between");
        check("\"120mm/s\"", "\"120\"", "my.toml:17: `120` has no known speed unit");
        check("down_s = 700", "down_s = 300", "my.toml:24: up_s and down_s are both 300");
        check("steps_per_mm = 80", "steps_per_mm = nan", "my.toml:32: steps_per_mm = NaN");
        check("rx_buffer_bytes = 128", "rx_buffer_bytes = 16", "my.toml:30: rx_buffer_bytes = 16 bytes");
        check("id = \"grbl-servo\"", "id = \"\"", "my.toml:5: the id is empty");
        check("format = 1", "format = 2", "my.toml:4: format 2 is not known");
    }

    #[test]
    fn a_missing_machine_names_the_nearest() {
        let error = Profile::built_in("grbl-servos").unwrap_err().to_string();
        assert!(error.contains("did you mean `grbl-servo`?"), "{error}");
    }
}
