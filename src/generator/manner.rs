//! Manners: how full a sheet is drawn, and with what strokes.

use std::fmt;
use std::str::FromStr;

use super::aim::{Aim, Target};
use super::objective::Weights;
use super::settings::Settings;

/// How full a sheet is, and with what strokes. Whatever the aim, the share of white comes out in the manner's range, if it
/// has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Manner {
    /// Short strokes, and as much white as comes with the weights.
    Plain,
    /// Short strokes beside each other; 70 to 85 % white.
    Airy,
    /// Long strokes in bundles; 38 to 46 % white for a whole layer, 58 to 68 % for channels, whose forms drown in more ink.
    #[default]
    Rich,
    /// Long strokes, little paper left; 20 to 28 % white.
    Dense,
}

/// Spans of the long strokes.
const LONG_SPANS: usize = 4;

impl Manner {
    /// Least and greatest share of white in a drawing that excites `aim`; `None`: as it comes.
    #[must_use]
    pub fn white(self, aim: &Aim) -> Option<[f64; 2]> {
        let is_layer = |(target, _): &(Target, f64)| matches!(target, Target::Layer(_));
        match self {
            Self::Plain => None,
            Self::Airy => Some([0.70, 0.85]),
            Self::Rich if aim.targets().iter().any(is_layer) => Some([0.38, 0.46]),
            Self::Rich => Some([0.58, 0.68]),
            Self::Dense => Some([0.20, 0.28]),
        }
    }

    fn weights(self) -> Weights {
        let long = Weights { overlap: 10.0, ink: 3.0, shape: 0.3, margin: 1.0, bend: 0.1, length: 0.0 };
        match self {
            Self::Plain | Self::Airy => Weights::default(),
            Self::Rich => long,
            Self::Dense => Weights { overlap: 6.0, ..long },
        }
    }
}

impl Settings {
    /// The same in a manner: its share of white, its weights and its kind of strokes.
    #[must_use]
    pub fn in_manner(self, manner: Manner) -> Self {
        let is_long = matches!(manner, Manner::Rich | Manner::Dense);
        let spans = if is_long { LONG_SPANS } else { 1 };
        Self { spans, weights: manner.weights(), white: manner.white(&self.aim), ..self }
    }
}

impl fmt::Display for Manner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plain => "plain",
            Self::Airy => "airy",
            Self::Rich => "rich",
            Self::Dense => "dense",
        })
    }
}

impl FromStr for Manner {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "plain" => Ok(Self::Plain),
            "airy" => Ok(Self::Airy),
            "rich" => Ok(Self::Rich),
            "dense" => Ok(Self::Dense),
            _ => Err(format!("`{text}` is no manner: use plain, airy, rich or dense")),
        }
    }
}

/// Reads a share of white, 5 to 95 %, such as `30%` or `0.3`.
///
/// # Errors
/// Other texts.
pub fn parse_share(text: &str) -> Result<f64, String> {
    let text = text.trim();
    let number = match text.strip_suffix('%') {
        Some(percent) => percent.trim().parse().map(|percent: f64| percent / 100.0),
        None => text.parse(),
    };
    number
        .ok()
        .filter(|share| (0.05..=0.95).contains(share))
        .ok_or_else(|| format!("`{text}` is no share of white: give 5% to 95%, such as 30%"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn manners_and_shares_are_read() {
        for manner in [Manner::Plain, Manner::Airy, Manner::Rich, Manner::Dense] {
            assert_eq!(manner.to_string().parse(), Ok(manner));
        }
        assert!("fat".parse::<Manner>().unwrap_err().contains("plain, airy, rich or dense"));
        assert_eq!((parse_share("30%"), parse_share(" 0.3 ")), (Ok(0.3), Ok(0.3)));
        for wrong in ["30", "2%", "nan", "much", ""] {
            assert!(parse_share(wrong).unwrap_err().contains("5% to 95%"), "{wrong}");
        }
    }
}
