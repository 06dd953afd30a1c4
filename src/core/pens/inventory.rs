//! Reading pens from TOML and choosing among them.

use serde::Deserialize;

use super::Pen;
use crate::color::delta_e;
use crate::config;

/// The pen sets inside the program: id and TOML text.
pub const BUILT_IN: [(&str, &str); 3] = [
    ("fineliner-12", include_str!("../built-in/pens/fineliner-12.toml")),
    ("cmyk", include_str!("../built-in/pens/cmyk.toml")),
    ("black", include_str!("../built-in/pens/black.toml")),
];

/// Why pens could not be used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The TOML is wrong.
    #[error(transparent)]
    Config(#[from] config::Error),
    /// An edit that can't be made.
    #[error("{file}: {message}")]
    Edit {
        /// The file's name, as the user gave it.
        file: String,
        /// Why not, and what to do.
        message: String,
    },
    /// Another program's list of pens that can't be read.
    #[error("{file}: {message}")]
    Import {
        /// The file's name, as the user gave it.
        file: String,
        /// What is wrong there and what to do.
        message: String,
    },
    /// A pen that the inventory does not hold was asked for.
    #[error("no pen `{pen}` in `{set}`{}; it holds {known}", did_you_mean(.nearest))]
    UnknownPen {
        /// The id asked for.
        pen: String,
        /// Where it was looked for.
        set: String,
        /// The nearest id.
        nearest: Option<String>,
        /// All ids.
        known: String,
    },
}

fn did_you_mean(nearest: &Option<String>) -> String {
    nearest.as_ref().map_or(String::new(), |name| format!(" (did you mean `{name}`?)"))
}

/// What decides which pen draws first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PassOrder {
    /// Light pens first, so that a dark one does not soil them.
    #[default]
    Lightness,
    /// The order in which the pens are named.
    Given,
}

impl PassOrder {
    /// Marks the pens, so that every [`PenSet`] of any of them keeps this order.
    pub fn apply<'a>(self, pens: impl IntoIterator<Item = &'a mut Pen>) {
        for (place, pen) in (0..).zip(pens) {
            pen.pass = (self == Self::Given).then_some(place);
        }
    }
}

/// All pens of one file: what its owner has.
#[derive(Debug, Clone, PartialEq)]
pub struct Inventory {
    /// Short name.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// What to know about these pens.
    pub note: String,
    /// The pens, in the file's order; at least one.
    pub pens: Vec<Pen>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InventoryFile {
    #[serde(rename = "format", deserialize_with = "config::de_format")]
    _format: u32,
    id: String,
    name: String,
    #[serde(default)]
    note: String,
    #[serde(rename = "pen", default)]
    pens: Vec<toml::Spanned<Pen>>,
}

impl Inventory {
    /// A set inside the program, by its id; `None`: there is none of that name.
    ///
    /// ```
    /// # use traceur_core::pens::Inventory;
    /// assert_eq!(Inventory::built_in("fineliner-12").map(|set| set.pens.len()), Some(12));
    /// assert_eq!(Inventory::built_in("crayons"), None);
    /// ```
    ///
    /// # Panics
    /// Never: a test reads them all.
    #[must_use]
    pub fn built_in(id: &str) -> Option<Self> {
        let (_, text) = BUILT_IN.into_iter().find(|(own, _)| *own == id)?;
        Some(Self::parse(id, text).expect("the sets inside the program are sound"))
    }

    /// Reads an inventory; `file` is its name for error messages.
    ///
    /// # Errors
    /// Bad TOML, unknown keys, bad colors and quantities, ids used twice, no pen at all: with file and line.
    pub fn parse(file: &str, text: &str) -> Result<Self, Error> {
        let read: InventoryFile = config::parse(file, text)?;
        let wrong =
            |offset, message: String| Err(Error::from(config::Error::at(file, text, offset, message)));
        if read.pens.is_empty() {
            return wrong(0, "no pens here: add at least one `[[pen]]` with id, name, color and tip".into());
        }
        for (index, pen) in read.pens.iter().enumerate() {
            let (at, pen) = (pen.span().start, pen.get_ref());
            if read.pens[..index].iter().any(|other| other.get_ref().id == pen.id) {
                return wrong(at, format!("two pens have the id `{}`: give each its own", pen.id));
            }
            if pen.id.is_empty() || !pen.id.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)) {
                return wrong(at, format!("pen id `{}`: use letters, digits, `-`, `_` and `.`", pen.id));
            }
            if let Err(error) = pen.check() {
                return wrong(at, error.to_string());
            }
        }
        let pens = read.pens.into_iter().map(toml::Spanned::into_inner).collect();
        Ok(Self { id: read.id, name: read.name, note: read.note, pens })
    }

    /// The pen with this id.
    ///
    /// # Errors
    /// When there is none: with the nearest id.
    pub fn pen(&self, id: &str) -> Result<&Pen, Error> {
        self.pens.iter().find(|pen| pen.id == id).ok_or_else(|| Error::UnknownPen {
            pen: id.into(),
            set: self.id.clone(),
            nearest: config::nearest(id, self.pens.iter().map(|pen| pen.id.as_str())).map(str::to_owned),
            known: self.pens.iter().map(|pen| pen.id.as_str()).collect::<Vec<_>>().join(", "),
        })
    }
}

/// The pairs of pens whose colors are closer than `limit` (ΔE2000), nearest first: indices of both, and their difference.
#[must_use]
pub fn near_duplicates(pens: &[Pen], limit: f32) -> Vec<(usize, usize, f32)> {
    let color = |pen: &Pen| pen.color.into_format();
    let mut near = Vec::new();
    for (second, pen) in pens.iter().enumerate() {
        for (first, other) in pens[..second].iter().enumerate() {
            let difference = delta_e(color(pen), color(other));
            if difference < limit {
                near.push((first, second, difference));
            }
        }
    }
    near.sort_by(|a, b| a.2.total_cmp(&b.2));
    near
}

/// The pens of one job, in pass order: as given by hand, else light to dark, and by id among equals.
#[derive(Debug, Clone, PartialEq)]
pub struct PenSet {
    pens: Vec<Pen>,
}

impl PenSet {
    /// Puts `pens` in pass order.
    #[must_use]
    pub fn new(mut pens: Vec<Pen>) -> Self {
        let place = |pen: &Pen| pen.pass.unwrap_or(u32::MAX);
        pens.sort_by(|a, b| {
            let by_hand = place(a).cmp(&place(b));
            let by_lightness = || b.lightness().total_cmp(&a.lightness());
            by_hand.then_with(by_lightness).then_with(|| a.id.cmp(&b.id))
        });
        Self { pens }
    }

    /// The pens, first pass first.
    #[must_use]
    pub fn pens(&self) -> &[Pen] {
        &self.pens
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "format = 1\nid = \"mine\"\nname = \"Mine\"\n[[pen]]\nid = \"red\"\nname = \"Red\"\ncolor = \"#cc2233\"\ntip = \"0.5mm\"\n";

    fn check(text: &str, expected: &str) {
        let error = Inventory::parse("mine.toml", text).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }

    #[test]
    fn built_in_sets_are_sound() {
        for (id, text) in BUILT_IN {
            let inventory = Inventory::parse(id, text).unwrap();
            assert_eq!(inventory.id, id);
            assert!(inventory.note.contains("nominal"), "{id} says that its colors are nominal");
        }
    }

    #[test]
    fn mistakes_name_file_line_and_key() {
        check(&GOOD.replace("tip", "tpi"), "mine.toml:8: unknown field `tpi`");
        check(&GOOD.replace("tip", "tpi"), "did you mean `tip`?");
        check(&GOOD.replace("#cc2233", "reddish"), "mine.toml:7: `reddish` is not a color");
        check(&GOOD.replace("0.5mm", "0.5"), "mine.toml:8: `0.5` has no known length unit");
        check(&GOOD.replace("0.5mm", "0mm"), "mine.toml:4: pen `red`: a tip of 0 mm");
        check(
            &format!("{GOOD}{}", &GOOD[GOOD.find("[[").unwrap()..]),
            "mine.toml:9: two pens have the id `red`",
        );
        check("format = 1\nid = \"mine\"\nname = \"Mine\"\n", "add at least one `[[pen]]`");
    }

    #[test]
    fn a_missing_pen_names_the_nearest() {
        let error = Inventory::parse("mine.toml", GOOD).unwrap().pen("rde").unwrap_err().to_string();
        assert!(error.contains("did you mean `red`?"), "{error}");
    }

    #[test]
    fn passes_go_light_to_dark() {
        let set = PenSet::new(Inventory::built_in("fineliner-12").unwrap().pens);
        assert!(set.pens().windows(2).all(|pair| pair[0].lightness() >= pair[1].lightness()));
        assert_eq!(set.pens()[0].id, "yellow");
    }

    #[test]
    fn passes_go_as_given_when_asked_for() {
        let mut pens = Inventory::built_in("fineliner-12").unwrap().pens;
        let ids = |pens: &[Pen]| pens.iter().map(|pen| pen.id.clone()).collect::<Vec<_>>();
        let given = ids(&pens);
        PassOrder::Given.apply(&mut pens);
        pens.reverse();
        assert_eq!(ids(PenSet::new(pens).pens()), given);
    }
}
