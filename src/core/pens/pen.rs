//! One pen, and what its numbers may be.

use serde::{Deserialize, Deserializer};

use crate::color::{Ink, Srgb, Srgb8, lab, parse_hex};
use crate::units;

/// One pen. [`Pen::new`] makes one of which only the necessary is known; how files write it is in [`form`](super::form).
///
/// ```
/// use traceur_core::color::Srgb8;
/// use traceur_core::pens::Pen;
///
/// let gel = Pen { opacity: 0.9, ..Pen::new("gold", "Gold gel", Srgb8::new(184, 147, 47), 0.8) };
/// assert!(gel.check().is_ok());
/// assert!(Pen { tip: 0.0, ..gel }.check().is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pen {
    /// Short name for scripts and SVG ids, unique in its file.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// Nominal color: one line on white paper.
    #[serde(deserialize_with = "de_color")]
    pub color: Srgb8,
    /// Width of its line; mm, from 0.01 to 50.
    #[serde(deserialize_with = "units::de_length")]
    pub tip: f64,
    /// 0 (transparent: what lies below shines through) to 1 (covers).
    #[serde(default)]
    pub opacity: f32,
    /// Greatest drawing speed; mm/s, above 0. `None`: the machine's.
    #[serde(default, deserialize_with = "units::de_speed_option")]
    pub speed: Option<f64>,
    /// Place in the holder or carousel, from 1.
    #[serde(default)]
    pub slot: Option<u32>,
    /// How long a line a full one draws; mm. `None`: not known. Inventories call it `metres` and write it with a unit.
    #[serde(default, rename = "metres", deserialize_with = "units::de_length_option")]
    pub supply: Option<f64>,
    /// Place among the passes where their order is given by hand; `None`: by lightness.
    #[serde(skip)]
    pub pass: Option<u32>,
}

/// A number of a pen that no pen has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("pen `{pen}`: {what}")]
pub struct OutOfRange {
    /// The pen's id.
    pub pen: String,
    /// The number, and what it may be.
    pub what: String,
}

impl Pen {
    /// A transparent pen with a tip of so many mm, of which nothing else is known.
    #[must_use]
    pub fn new(id: impl Into<String>, name: impl Into<String>, color: Srgb8, tip: f64) -> Self {
        let (id, name) = (id.into(), name.into());
        Self { id, name, color, tip, opacity: 0.0, speed: None, slot: None, supply: None, pass: None }
    }

    /// Looks whether its numbers are such as a pen has, wherever they come from.
    ///
    /// # Errors
    /// The first of tip, opacity, speed and supply that is out of the range of its field.
    pub fn check(&self) -> Result<(), OutOfRange> {
        let is_length = |mm: f64| mm >= 0.0 && mm.is_finite();
        let wrong = if !(0.0..=1.0).contains(&self.opacity) {
            format!("opacity {} is not between 0 and 1", self.opacity)
        } else if !(0.01..=50.0).contains(&self.tip) {
            format!("a tip of {} mm is not between 0.01 and 50 mm", self.tip)
        } else if let Some(speed) = self.speed.filter(|speed| !(*speed > 0.0 && speed.is_finite())) {
            format!("a speed of {speed} never ends")
        } else if let Some(supply) = self.supply.filter(|supply| !is_length(*supply)) {
            format!("ink for {supply} mm is no length")
        } else {
            return Ok(());
        };
        Err(OutOfRange { pen: self.id.clone(), what: wrong })
    }

    /// Its ink for the optical model.
    #[must_use]
    pub fn ink(&self) -> Ink {
        Ink::new(self.color, self.opacity)
    }

    /// CIE lightness of its line; 0 is black, 100 white. Light pens draw first, so that a dark one does not soil them.
    #[must_use]
    pub fn lightness(&self) -> f32 {
        let color: Srgb<f32> = self.color.into_format();
        lab(color).l
    }
}

fn de_color<'de, D: Deserializer<'de>>(input: D) -> Result<Srgb8, D::Error> {
    parse_hex(&String::deserialize(input)?).map_err(serde::de::Error::custom)
}
