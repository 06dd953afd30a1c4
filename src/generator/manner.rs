//! Manners: how full a sheet is drawn, and with what strokes.

use std::fmt;
use std::str::FromStr;

use super::objective::Weights;
use super::settings::Settings;

/// How full a sheet is, and with what strokes. Whatever the aim, the share of white comes out in the manner's range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// Short strokes beside each other; 70 to 85 % white.
    Airy,
    /// Long strokes in bundles; 38 to 46 % white.
    Rich,
    /// Long strokes, little paper left; 20 to 28 % white.
    Dense,
}

/// Spans of the long strokes.
const LONG_SPANS: usize = 4;

impl Manner {
    /// Least and greatest share of white.
    #[must_use]
    pub fn white(self) -> [f64; 2] {
        match self {
            Self::Airy => [0.70, 0.85],
            Self::Rich => [0.38, 0.46],
            Self::Dense => [0.20, 0.28],
        }
    }

    fn weights(self) -> Weights {
        let long = Weights { overlap: 10.0, ink: 3.0, shape: 0.3, margin: 1.0, bend: 0.1, length: 0.0 };
        match self {
            Self::Airy => Weights::default(),
            Self::Rich => long,
            Self::Dense => Weights { overlap: 6.0, ..long },
        }
    }
}

impl Settings {
    /// The same in a manner: its share of white, its weights and its kind of strokes.
    #[must_use]
    pub fn in_manner(self, manner: Manner) -> Self {
        let spans = if manner == Manner::Airy { 1 } else { LONG_SPANS };
        Self { spans, weights: manner.weights(), white: Some(manner.white()), ..self }
    }
}

impl fmt::Display for Manner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
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
            "airy" => Ok(Self::Airy),
            "rich" => Ok(Self::Rich),
            "dense" => Ok(Self::Dense),
            _ => Err(format!("`{text}` is no manner: use airy, rich or dense")),
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
        for manner in [Manner::Airy, Manner::Rich, Manner::Dense] {
            assert_eq!(manner.to_string().parse(), Ok(manner));
        }
        assert!("fat".parse::<Manner>().unwrap_err().contains("airy, rich or dense"));
        assert_eq!((parse_share("30%"), parse_share(" 0.3 ")), (Ok(0.3), Ok(0.3)));
        for wrong in ["30", "2%", "nan", "much", ""] {
            assert!(parse_share(wrong).unwrap_err().contains("5% to 95%"), "{wrong}");
        }
    }
}
