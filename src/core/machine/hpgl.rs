//! What an HP-GL plotter has of its own: its unit, its buffer, its pens and the sheets that it takes.

use kurbo::{Point, Rect};
use serde::{Deserialize, Deserializer};

use super::firmware::Check;
use crate::units;

/// A page may be this much larger than the sheet that it is plotted on: sizes in inches are often rounded; mm.
const SLACK: f64 = 1.0;

/// How the plotter keeps a fast host from overflowing its buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Handshake {
    /// It sends Xoff (0x13) when its buffer fills, and Xon (0x11) when there is room again.
    XonXoff,
    /// Its DTR line (pin 20) falls when its buffer fills: the matter of the cable and the port.
    Hardwire,
    /// It answers ENQ (0x05) with ACK (0x06) as soon as a block fits.
    EnqAck,
    /// It is asked for its free bytes (`ESC.B`) before each piece.
    Poll,
    /// None of these: the answers to `OA;` alone pace the bytes.
    None,
}

/// HP-GL's table.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hpgl {
    /// What it answers to `OI;`.
    pub identity: String,
    /// The plotter unit; mm.
    #[serde(deserialize_with = "units::de_length")]
    pub unit: f64,
    /// Serial speed; bits a second.
    pub baud: u32,
    /// Bytes that its buffer holds, as `ESC.L` reports.
    pub buffer_bytes: usize,
    /// How its buffer is kept from overflowing.
    pub handshake: Handshake,
    /// Pens in its carousel, numbered from 1.
    pub pens: u32,
    /// How long it takes to fetch another pen; s.
    #[serde(deserialize_with = "units::de_duration")]
    pub pen_change: f64,
    /// In what steps `VS` sets the speed; mm/s.
    #[serde(deserialize_with = "units::de_speed")]
    pub speed_step: f64,
    /// Its acceleration once `VS` has named a speed; mm/s². `None`: as before.
    #[serde(default, deserialize_with = "units::de_acceleration_option")]
    pub set_speed_acceleration: Option<f64>,
    /// Instructions that it has beyond those of a 7475A.
    #[serde(default)]
    pub instructions: Vec<String>,
    /// Instructions of a 7475A that it has not.
    #[serde(default)]
    pub missing: Vec<String>,
    /// The sheets that it takes, the commonest first.
    #[serde(rename = "paper", default)]
    pub papers: Vec<Paper>,
}

/// A sheet in the plotter.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Paper {
    /// Its name, such as `A4`.
    pub name: String,
    /// Along the plotter's x; mm.
    #[serde(deserialize_with = "units::de_length")]
    pub width: f64,
    /// Along the plotter's y; mm.
    #[serde(deserialize_with = "units::de_length")]
    pub height: f64,
    /// Least and greatest x that the pen reaches (the hard clip limits); plotter units.
    pub x_range: [i32; 2],
    /// Least and greatest y that the pen reaches; plotter units.
    pub y_range: [i32; 2],
    /// Where the plotter's 0,0 lies, from the sheet's corner of least x and y: right, up; mm.
    #[serde(deserialize_with = "de_lengths")]
    pub origin: [f64; 2],
    /// The scaling point P1 after power-on; plotter units. `None`: the corner of least x and y.
    #[serde(default)]
    pub p1: Option<[i32; 2]>,
    /// The scaling point P2 after power-on; plotter units. `None`: the corner of greatest x and y.
    #[serde(default)]
    pub p2: Option<[i32; 2]>,
    /// The `PS` word that tells the plotter of this sheet; `None`: it sees by itself, or by its switches.
    #[serde(default)]
    pub ps: Option<u32>,
    /// Whether a page is turned by half, so that it comes out upright for whoever stands before the plotter.
    #[serde(default)]
    pub upside_down: bool,
    /// How it is loaded.
    #[serde(default)]
    pub note: String,
}

fn de_lengths<'de, D: Deserializer<'de>>(input: D) -> Result<[f64; 2], D::Error> {
    let [right, up] = <[String; 2]>::deserialize(input)?;
    // Centre-origin plotters aside, 0,0 may also lie off the sheet.
    let signed = |text: &str| match text.trim().strip_prefix('-') {
        Some(rest) => units::length(rest).map(|value| -value),
        None => units::length(text),
    };
    let read = |text: &str| signed(text).map_err(serde::de::Error::custom);
    Ok([read(&right)?, read(&up)?])
}

impl Hpgl {
    /// Whether it knows the two letters of an instruction that a 7475A has.
    #[must_use]
    pub fn knows(&self, mnemonic: &str) -> bool {
        !self.missing.iter().any(|missing| missing == mnemonic)
    }

    /// The place in the carousel for a pass's pen: the pen's own `slot`, else by pass order; from 1.
    #[must_use]
    pub fn place(&self, pass: usize, slot: Option<u32>) -> u32 {
        let places = self.pens.max(1);
        let by_order = u32::try_from(pass).unwrap_or(0) % places + 1;
        slot.filter(|slot| (1..=places).contains(slot)).unwrap_or(by_order)
    }

    /// The sheet for a page of this size (mm), and whether the page must be turned by a quarter to lie on it, if it may
    /// be: the same size if there is one, else the first that is large enough.
    #[must_use]
    pub fn paper_for(&self, width: f64, height: f64, may_turn: bool) -> Option<(&Paper, bool)> {
        let turned = |paper: &Paper| may_turn && (width >= height) != (paper.width >= paper.height);
        let fits = |paper: &&Paper| {
            if turned(paper) {
                paper.is_large_enough(height, width)
            } else {
                paper.is_large_enough(width, height)
            }
        };
        let exact = self.papers.iter().filter(fits).find(|paper| paper.is_filled_by(width, height));
        let paper = exact.or_else(|| self.papers.iter().find(fits))?;
        Some((paper, turned(paper)))
    }

    /// The largest sheet: what lies in a virtual plotter that nobody told otherwise.
    #[must_use]
    pub fn largest_paper(&self) -> Option<&Paper> {
        let area = |paper: &Paper| paper.width * paper.height;
        self.papers.iter().reduce(|largest, paper| if area(paper) > area(largest) { paper } else { largest })
    }

    /// Key and explanation of the first value that no plotter has, beyond what [`Hpgl::checks`] tells.
    pub(super) fn first_mistake(&self) -> Option<(&'static str, String)> {
        if self.papers.is_empty() {
            return Some(("paper", "no sheet: add a [[hpgl.paper]]".into()));
        }
        for (key, list) in [("instructions", &self.instructions), ("missing", &self.missing)] {
            let is_mnemonic =
                |text: &&String| text.len() == 2 && text.bytes().all(|b| b.is_ascii_uppercase());
            if let Some(wrong) = list.iter().find(|text| !is_mnemonic(text)) {
                return Some((key, format!("`{wrong}` is no instruction: give its two capital letters")));
            }
        }
        self.papers.iter().find_map(|paper| Some(("paper", paper.mistake()?)))
    }

    pub(super) fn checks(&self) -> Vec<Check> {
        vec![
            ("hpgl", "unit", self.unit, 0.001..=1.0, "mm"),
            ("hpgl", "baud", f64::from(self.baud), 75.0..=4e6, "bits a second"),
            ("hpgl", "buffer_bytes", self.buffer_bytes as f64, 48.0..=1e7, "bytes"),
            ("hpgl", "pens", f64::from(self.pens), 1.0..=99.0, "pens"),
            ("hpgl", "pen_change", self.pen_change, 0.0..=60.0, "s"),
            ("hpgl", "speed_step", self.speed_step, 0.01..=1000.0, "mm/s"),
        ]
    }
}

impl Paper {
    /// What the pen reaches; mm in the machine's axes.
    #[must_use]
    pub fn reach(&self, unit: f64) -> Rect {
        let at = |x: i32, y: i32| Point::new(f64::from(x) * unit, f64::from(y) * unit);
        Rect::from_points(at(self.x_range[0], self.y_range[0]), at(self.x_range[1], self.y_range[1]))
    }

    fn is_large_enough(&self, width: f64, height: f64) -> bool {
        width <= self.width + SLACK && height <= self.height + SLACK
    }

    /// Whether a page of this size, either way up, is as large as the sheet.
    fn is_filled_by(&self, width: f64, height: f64) -> bool {
        let near = |a: f64, b: f64| (a - b).abs() <= SLACK;
        near(self.width.max(self.height), width.max(height))
            && near(self.width.min(self.height), width.min(height))
    }

    fn mistake(&self) -> Option<String> {
        let sides = 10.0..=10_000.0;
        if !(sides.contains(&self.width) && sides.contains(&self.height)) {
            return Some(format!("sheet `{}`: a side is not between 10 and 10000 mm", self.name));
        }
        let is_range =
            |[least, greatest]: [i32; 2]| least < greatest && least >= -1_000_000 && greatest <= 1_000_000;
        if !(is_range(self.x_range) && is_range(self.y_range)) {
            return Some(format!(
                "sheet `{}`: x_range and y_range are each least and greatest, in plotter units",
                self.name
            ));
        }
        (self.ps > Some(127)).then(|| format!("sheet `{}`: PS goes from 0 to 127", self.name))
    }
}
