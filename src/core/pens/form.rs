//! How files write a pen. Each form names every field of [`Pen`], so that one that is added there and not here does not
//! compile, and each is read through [`Pen::check`].
//!
//! | where | keys | values |
//! |---|---|---|
//! | inventories (TOML) | `tip`, `speed`, `metres`, … | with their units, as people write them: `"0.35mm"`; [`Pen`] reads them |
//! | saved toolpaths, checkpoints, `--json` | `tip_mm`, `speed_mm_s`, `supply_mm`, … | numbers: [`PenForm`] |
//! | our own SVG | `traceur:tip`, `traceur:speed`, `traceur:supply`, … | numbers in mm and mm/s: [`to_attributes`] |

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Pen;
use crate::color::{Srgb8, parse_hex, to_hex};
use crate::text::printable;

/// A pen as JSON and MessagePack have it: `{"id", "name", "color": "#rrggbb", "tip_mm", "opacity", "speed_mm_s", "slot",
/// "supply_mm"}`, and `"pass"` where the order of the passes is given by hand. Whole lists of pens are written so as
/// `Vec<PenForm>`; for a field there is `#[serde(with = "traceur_core::pens::form")]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PenForm(#[serde(with = "self")] pub Pen);

/// The names of the fields. What is not known may be left out: files of earlier versions have no `supply_mm`.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Pen", deny_unknown_fields)]
struct Fields {
    id: String,
    name: String,
    #[serde(with = "hex")]
    color: Srgb8,
    #[serde(rename = "tip_mm")]
    tip: f64,
    #[serde(serialize_with = "decimal")]
    opacity: f32,
    #[serde(rename = "speed_mm_s", default)]
    speed: Option<f64>,
    #[serde(default)]
    slot: Option<u32>,
    #[serde(rename = "supply_mm", default)]
    supply: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pass: Option<u32>,
}

mod hex {
    use super::*;

    pub(super) fn serialize<S: Serializer>(color: &Srgb8, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&to_hex(*color))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Srgb8, D::Error> {
        parse_hex(&String::deserialize(from)?).map_err(serde::de::Error::custom)
    }
}

/// The `f64` of the same digits: 0.9, and not 0.8999999761581421. It reads back as the same `f32`.
fn decimal<S: Serializer>(value: &f32, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_f64(value.to_string().parse().unwrap_or(f64::from(*value)))
}

/// For `#[serde(with)]`: writes a pen as [`PenForm`] has it.
///
/// # Errors
/// Those of the serializer.
pub fn serialize<S: Serializer>(pen: &Pen, to: S) -> Result<S::Ok, S::Error> {
    Fields::serialize(pen, to)
}

/// For `#[serde(with)]`: reads what [`serialize`] wrote.
///
/// # Errors
/// Unknown and missing keys, and numbers that [`Pen::check`] refuses.
pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Pen, D::Error> {
    let read = Fields::deserialize(from)?;
    let pen = Pen { id: printable(&read.id), name: printable(&read.name), ..read };
    if pen.id.is_empty() {
        return Err(serde::de::Error::custom("a pen without an id"));
    }
    pen.check().map_err(serde::de::Error::custom)?;
    Ok(pen)
}

/// The attributes by which our own SVG tells of a pen, without their prefix; lengths in mm, speeds in mm/s.
#[must_use]
pub fn to_attributes(pen: &Pen) -> Vec<(&'static str, String)> {
    let Pen { id, name, color, tip, opacity, speed, slot, supply, pass } = pen;
    let attributes = [
        ("pen", Some(printable(id))),
        ("name", Some(printable(name))),
        ("color", Some(to_hex(*color))),
        ("tip", Some(tip.to_string())),
        ("opacity", Some(opacity.to_string())),
        ("speed", speed.map(|speed| speed.to_string())),
        ("slot", slot.map(|slot| slot.to_string())),
        ("supply", supply.map(|supply| supply.to_string())),
        ("pass", pass.map(|pass| pass.to_string())),
    ];
    attributes.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

/// The pen that [`to_attributes`] told of. `None` without an id, a color and a tip, and for numbers that [`Pen::check`]
/// refuses: somebody else may have edited the file, and its strokes are worth more than our facts about them. A speed, a
/// place, a supply or an order that is no number is not known, for the same reason.
#[must_use]
pub fn from_attributes<'a>(own: impl Fn(&'static str) -> Option<&'a str>) -> Option<Pen> {
    let number = |name| own(name).and_then(|text| text.parse::<f64>().ok()).filter(|value| value.is_finite());
    let count = |name| own(name).and_then(|text| text.parse().ok());
    let id = own("pen")?;
    let pen = Pen {
        id: printable(id),
        name: printable(own("name").unwrap_or(id)),
        color: parse_hex(own("color")?).ok()?,
        tip: own("tip")?.parse().ok()?,
        opacity: own("opacity").and_then(|text| text.parse().ok()).unwrap_or(0.0),
        speed: number("speed").filter(|speed| *speed > 0.0),
        slot: count("slot"),
        supply: number("supply").filter(|supply| *supply >= 0.0),
        pass: count("pass"),
    };
    (!pen.id.is_empty() && pen.check().is_ok()).then_some(pen)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pens::{Inventory, edit};

    /// A pen of which everything is known, in numbers that lose digits easily.
    fn pen() -> Pen {
        Pen {
            opacity: 0.9,
            speed: Some(33.3),
            slot: Some(4),
            supply: Some(120_000.5),
            pass: Some(7),
            ..Pen::new("gold", "Gold \"gel\" <5>", Srgb8::new(184, 147, 47), 0.1 + 0.2)
        }
    }

    #[test]
    fn nothing_is_lost_in_json_and_svg() {
        let text = serde_json::to_string(&PenForm(pen())).unwrap();
        assert!(text.contains("\"opacity\":0.9,") && text.contains("\"supply_mm\":120000.5,"), "{text}");
        assert_eq!(serde_json::from_str::<PenForm>(&text).unwrap().0, pen());
        let value = serde_json::to_value(PenForm(pen())).unwrap();
        assert_eq!(serde_json::from_value::<PenForm>(value).unwrap().0, pen());
        let attributes = to_attributes(&pen());
        let find = |name| attributes.iter().find(|(own, _)| *own == name).map(|(_, value)| value.as_str());
        assert_eq!(from_attributes(find), Some(pen()));
    }

    #[test]
    fn an_inventory_says_all_but_the_pass() {
        let wanted = Pen { tip: 0.5, supply: Some(120_500.0), pass: None, ..pen() };
        let text = edit::new_file("mine", "Mine");
        let text = edit::add("mine.toml", &text, &[edit::Change::of(&wanted)]).unwrap();
        assert!(text.contains("metres = \"120.5m\""), "{text}");
        assert_eq!(Inventory::parse("mine.toml", &text).unwrap().pens, [wanted]);
    }

    #[test]
    fn what_no_pen_has_is_refused_in_every_form() {
        let cases = [
            ("tip", "tip_mm", "0", "a tip of 0 mm"),
            ("tip", "tip_mm", "1e9", "a tip of 1000000000 mm"),
            ("opacity", "opacity", "1.5", "opacity 1.5"),
        ];
        for (attribute, key, number, expected) in cases {
            let mut value = serde_json::to_value(PenForm(pen())).unwrap();
            value[key] = serde_json::from_str(number).unwrap();
            let error = serde_json::from_value::<PenForm>(value).unwrap_err().to_string();
            assert!(error.contains("pen `gold`") && error.contains(expected), "{error}");
            let attributes = to_attributes(&pen());
            let text = |name| attributes.iter().find(|(own, _)| *own == name).map(|(_, text)| text.as_str());
            let find = |name| if name == attribute { Some(number) } else { text(name) };
            assert_eq!(from_attributes(find), None, "{attribute}");
        }
        for change in ["{\"speed_mm_s\":0}", "{\"speed_mm_s\":-1}", "{\"supply_mm\":-1}", "{\"metres\":1}"] {
            let mut value = serde_json::to_value(PenForm(pen())).unwrap();
            let change: serde_json::Map<_, _> = serde_json::from_str(change).unwrap();
            value.as_object_mut().unwrap().extend(change);
            assert!(serde_json::from_value::<PenForm>(value.clone()).is_err(), "{value}");
        }
    }

    #[test]
    fn our_facts_in_an_svg_that_somebody_broke_do_not_hide_its_strokes() {
        let attributes = to_attributes(&pen());
        let broken = |name| match name {
            "speed" | "supply" => Some("-inf"),
            "slot" | "pass" => Some("x"),
            name => attributes.iter().find(|(own, _)| *own == name).map(|(_, value)| value.as_str()),
        };
        let expected = Pen { speed: None, slot: None, supply: None, pass: None, ..pen() };
        assert_eq!(from_attributes(broken), Some(expected));
    }
}
