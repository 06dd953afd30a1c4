//! vpype's HP-GL devices (`[device.NAME]` of its `vpype_config.toml` or `~/.vpype.toml`) as profiles of ours.
//!
//! vpype knows the unit, the pens and the sheets of a plotter. It does not know speeds, buffer and handshake: those are
//! a 7475A's, and marked so.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Deserialize;

use super::{Error, Profile};
use crate::config;
use crate::units;

/// A device as a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// The profile's id.
    pub id: String,
    /// Its TOML text, which [`Profile::parse`] takes.
    pub text: String,
    /// What could not be taken over, each a sentence.
    pub skipped: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct File {
    #[serde(default)]
    device: BTreeMap<String, Device>,
}

#[derive(Debug, Deserialize)]
struct Device {
    name: Option<String>,
    info: Option<String>,
    #[serde(deserialize_with = "units::de_length")]
    plotter_unit_length: f64,
    pen_count: u32,
    #[serde(default)]
    paper: Vec<Sheet>,
}

#[derive(Debug, Deserialize)]
struct Sheet {
    name: String,
    info: Option<String>,
    paper_size: Option<[Length; 2]>,
    paper_orientation: Option<String>,
    x_range: Option<[i32; 2]>,
    y_range: Option<[i32; 2]>,
    #[serde(default)]
    y_axis_up: bool,
    origin_location: Option<[Length; 2]>,
    origin_location_reference: Option<String>,
    #[serde(default)]
    rotate_180: bool,
    set_ps: Option<u32>,
}

/// `"15mm"`, `"15mmmm"` as vpype itself ships once, or a bare number of CSS pixels.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Length {
    Text(String),
    Pixels(f64),
}

impl Length {
    fn mm(&self) -> Option<f64> {
        match self {
            Self::Pixels(pixels) => pixels.is_finite().then_some(pixels * 25.4 / 96.0),
            Self::Text(text) => {
                let text = text.trim().replace("mmmm", "mm");
                let (sign, size) = match text.strip_prefix('-') {
                    Some(rest) => (-1.0, rest.to_owned()),
                    None => (1.0, text),
                };
                units::length(&size).ok().map(|mm| sign * mm)
            }
        }
    }
}

/// Reads all devices of a vpype configuration; `file` is its name for error messages.
///
/// # Errors
/// Bad TOML, no device, or a device of which nothing can be used: with the file and the device.
pub fn import(file: &str, text: &str) -> Result<Vec<Imported>, Error> {
    let read: File = config::parse(file, text)?;
    if read.device.is_empty() {
        return Err(config::Error::at(file, text, 0, "no [device.NAME] of vpype here").into());
    }
    let mut profiles = Vec::new();
    for (id, device) in &read.device {
        let imported = device.to_profile(id);
        // What vpype allows and no plotter has ends here, with its reason.
        Profile::parse(&format!("{file}, device {id}"), &imported.text)?;
        profiles.push(imported);
    }
    Ok(profiles)
}

impl Device {
    fn to_profile(&self, id: &str) -> Imported {
        let (mut sheets, mut skipped) = (String::new(), Vec::new());
        let (mut bed, mut area) = ([297.0, 210.0], 0.0);
        for sheet in &self.paper {
            match sheet.to_toml() {
                Ok((toml, size)) => {
                    sheets.push_str(&toml);
                    if size[0] * size[1] > area {
                        (bed, area) = (size, size[0] * size[1]);
                    }
                }
                Err(reason) => skipped.push(format!("paper `{}` of `{id}`: {reason}", sheet.name)),
            }
        }
        let name = self.name.as_deref().unwrap_or(id);
        let note = self.info.as_deref().unwrap_or("Imported from vpype.");
        let mut text = format!(
            "# From vpype's [device.{id}]. What vpype does not know is a 7475A's: check speeds, buffer and handshake.\n\
             format = 1\nid = {}\nname = {}\nnote = {}\ndialect = \"hpgl\"\n\n\
             [bed]\nwidth = \"{}mm\"\nheight = \"{}mm\"\norigin = \"bottom-left\"\n\n",
            quoted(id),
            quoted(name),
            quoted(note),
            number(bed[0]),
            number(bed[1]),
        );
        text.push_str(
            "[limits]\ndraw_speed = \"381mm/s\"         # not verified\ntravel_speed = \"508mm/s\"       # not verified\n\
             acceleration = \"19600mm/s2\"    # not verified\njunction_deviation = \"0.001mm\" # not verified\n\n\
             [lift]\nkind = \"pen\"\nup_delay = \"60ms\"   # not verified\ndown_delay = \"80ms\" # not verified\n\n",
        );
        let unit = number(self.plotter_unit_length);
        // OK because writing to a String can't fail.
        let _ = write!(
            text,
            "[hpgl]\nidentity = {}\nunit = \"{unit}mm\"\nbaud = 9600             # not verified\n\
             buffer_bytes = 1024     # not verified: ask ESC.L\nhandshake = \"poll\"      # not verified\npens = {}\n\
             pen_change = \"2s\"       # not verified\nspeed_step = \"10mm/s\"   # not verified\n{sheets}",
            quoted(name),
            self.pen_count,
        );
        Imported { id: id.to_owned(), text, skipped }
    }
}

impl Sheet {
    /// The TOML of the sheet and its size (mm), or why there is none.
    fn to_toml(&self) -> Result<(String, [f64; 2]), &'static str> {
        let (Some(size), Some(x), Some(y)) = (&self.paper_size, self.x_range, self.y_range) else {
            return Err("it has no paper_size, x_range or y_range: its limits are not known");
        };
        if !self.y_axis_up {
            return Err("its y points down, which no HP-GL plotter does");
        }
        let mm = |pair: &[Length; 2]| Some([pair[0].mm()?, pair[1].mm()?]);
        let mut size = mm(size).ok_or("its paper_size is no pair of lengths")?;
        // vpype lets the sheet be named either way round, and tells apart which side is x.
        if self.paper_orientation.as_deref() == Some("landscape") && size[0] < size[1] {
            size.reverse();
        }
        let origin = self.origin_location.as_ref().ok_or("it has no origin_location")?;
        let mut origin = mm(origin).ok_or("its origin_location is no pair of lengths")?;
        if self.origin_location_reference.as_deref().unwrap_or("topleft") != "botleft" {
            origin[1] = size[1] - origin[1];
        }
        let mut text = format!(
            "\n[[hpgl.paper]]\nname = {}\nwidth = \"{}mm\"\nheight = \"{}mm\"\nx_range = [{}, {}]\ny_range = [{}, {}]\n\
             origin = [\"{}mm\", \"{}mm\"]\n",
            quoted(&self.name),
            number(size[0]),
            number(size[1]),
            x[0],
            x[1],
            y[0],
            y[1],
            number(origin[0]),
            number(origin[1]),
        );
        if let Some(ps) = self.set_ps {
            let _ = writeln!(text, "ps = {ps}");
        }
        if self.rotate_180 {
            text.push_str("upside_down = true\n");
        }
        if let Some(info) = &self.info {
            let _ = writeln!(text, "note = {}", quoted(info));
        }
        Ok((text, size))
    }
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// To a millionth of a mm, without trailing zeros: the unit is multiplied by thousands.
fn number(mm: f64) -> String {
    let rounded = (mm * 1e6).round() / 1e6 + 0.0;
    format!("{rounded}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Point;
    use crate::machine::{Firmware, Placement};

    const DEVICE: &str = r#"
[pen_config.rgb]
layers = []
[device.hp7475a]
name = "hp7475a"
plotter_unit_length = "0.02488mm"
pen_count = 6
[[device.hp7475a.paper]]
name = "a4"
aka_names = ["A4"]
paper_size = ["297mm", "210mm"]
x_range = [0, 11040]
y_range = [0, 7721]
y_axis_up = true
origin_location = ["10mm", "206mm"]
final_pu_params = "11040,7721"
set_ps = 4
info = "Say \"metric\"."
[[device.hp7475a.paper]]
name = "flex"
y_axis_up = true
paper_orientation = "landscape"
origin_location = ["25mm", "13mm"]
origin_location_reference = "botleft"
[[device.hp7475a.paper]]
name = "a3"
paper_size = ["420mm", "297mm"]
x_range = [-7686, 7686]
y_range = [-5397, 5397]
y_axis_up = true
rotate_180 = true
origin_location = ["206mm", "148mmmm"]
"#;

    fn profile() -> (Imported, Profile) {
        let mut all = import("vpype.toml", DEVICE).unwrap();
        let imported = all.remove(0);
        let profile = Profile::parse("imported", &imported.text).unwrap();
        (imported, profile)
    }

    #[test]
    fn a_device_becomes_a_profile_with_the_same_places() {
        let (imported, profile) = profile();
        assert_eq!(imported.id, "hp7475a");
        let Firmware::Hpgl(hpgl) = &profile.firmware else { panic!() };
        assert_eq!((hpgl.unit, hpgl.pens, hpgl.papers.len()), (0.02488, 6, 2));
        assert_eq!((hpgl.papers[0].ps, hpgl.papers[0].note.as_str()), (Some(4), "Say \"metric\"."));
        let own = Profile::built_in("hp7475a").unwrap();
        for point in [Point::new(10.0, 206.0), Point::new(123.0, 45.0)] {
            let place = |profile| Placement::of_page(profile, 297.0, 210.0).unwrap().to_machine(point);
            assert!(place(&profile).distance(place(&own)) < 1e-9);
        }
    }

    #[test]
    fn a_sheet_turned_by_half_keeps_its_origin() {
        // As vpype: the page is turned first, then measured from the origin.
        let placement = Placement::of_page(&profile().1, 420.0, 297.0).unwrap();
        let machine = placement.to_machine(Point::new(420.0 - 206.0, 297.0 - 148.0));
        assert!(machine.distance(Point::ORIGIN) < 1e-9, "{machine}");
    }

    #[test]
    fn what_is_left_out_is_told() {
        let (imported, _) = profile();
        assert_eq!(imported.skipped.len(), 1);
        assert!(imported.skipped[0].contains("paper `flex` of `hp7475a`: it has no paper_size"));
    }

    #[test]
    fn hostile_devices_are_explained() {
        for (from, to, expected) in [
            ("[device.hp7475a]", "[divice.hp7475a]", "vpype.toml"),
            ("\"0.02488mm\"", "\"thin\"", "vpype.toml:"),
            ("pen_count = 6", "pen_count = 0", "device hp7475a"),
            ("x_range = [0, 11040]", "x_range = [5, 5]", "x_range"),
            ("y_axis_up = true", "y_axis_up = false", "add a [[hpgl.paper]]"),
        ] {
            let error = import("vpype.toml", &DEVICE.replace(from, to)).unwrap_err().to_string();
            assert!(error.contains(expected), "{from}: {error}");
        }
        assert!(import("vpype.toml", "").unwrap_err().to_string().contains("no [device.NAME]"));
    }
}
