//! The optical model: what paper looks like after an ink has been laid on it.
//!
//! Symbols, all per channel of linear sRGB: `I` light from the paper, `T` the pen's color (the light from white
//! paper under one full line), `o` opacity, `c` coverage of a pixel by one line, 0 to 1.
//!
//! A transparent ink multiplies, an opaque one covers, and the line covers `c` of the pixel:
//!
//! ```text
//! I' = (1 - c) I + c ((1 - o) I T + o T)
//!    = R + (I - R)(1 - c k)        with  k = 1 - (1 - o) T,  R = o T / k
//! ```
//!
//! So every line of one pen moves the paper toward the same limit `R` by its own factor, and the lines of a pass
//! commute: after a pass, `I' = R + (I - R) P` with the *passage* `P` = product of `1 - c k` over its lines. Pens do
//! not commute, which is why passes have an order.

use palette::{LinSrgb, Srgb};

/// An sRGB color of eight bits a channel, as `#rrggbb` writes it.
pub type Srgb8 = Srgb<u8>;

/// How a pen's line looks on paper.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ink {
    /// `k`: the share of the way to the limit that one full line goes, per channel, 0.002 to 0.998.
    pub strength: [f32; 3],
    /// `R`: the light after endlessly many lines, per channel of linear sRGB.
    pub limit: [f32; 3],
}

impl Ink {
    /// The ink of a pen whose line looks like `color` on white paper. `opacity` 0 is a glaze (fineliner), 1 is paint
    /// (gel pen).
    ///
    /// `k` is held between 0.002 and 0.998, so that the limit exists and a gradient can divide by `1 - c k`.
    #[must_use]
    pub fn new(color: Srgb8, opacity: f32) -> Self {
        let color = linear(color);
        let strength = color.map(|t| (1.0 - (1.0 - opacity) * t).clamp(0.002, 0.998));
        // R = o T / k, written so that the first line on white is exact even where k was held back.
        let limit = std::array::from_fn(|i| (1.0 - (1.0 - color[i]) / strength[i]).clamp(0.0, 1.0));
        Self { strength, limit }
    }

    /// What one line with coverage `c` (0 to 1) lets pass, per channel.
    #[must_use]
    pub fn passage(&self, coverage: f32) -> [f32; 3] {
        self.strength.map(|k| 1.0 - coverage * k)
    }

    /// The paper after a pass: `passage` is the product over the pass's lines.
    #[must_use]
    pub fn lay(&self, paper: [f32; 3], passage: [f32; 3]) -> [f32; 3] {
        std::array::from_fn(|i| self.limit[i] + (paper[i] - self.limit[i]) * passage[i])
    }
}

/// Linear light of a color, per channel, 0 to 1.
#[must_use]
pub fn linear(color: Srgb8) -> [f32; 3] {
    let linear: LinSrgb<f32> = color.into_linear();
    [linear.red, linear.green, linear.blue]
}

/// The nearest eight-bit sRGB color of linear light.
#[must_use]
pub fn to_srgb8(linear: [f32; 3]) -> Srgb8 {
    Srgb::from_linear(LinSrgb::from(linear))
}

/// Reads `#rrggbb` or `#rgb`; the `#` may be missing.
///
/// # Errors
/// A sentence that says what would be right.
pub fn parse_hex(text: &str) -> Result<Srgb8, String> {
    text.parse()
        .map_err(|_| format!("`{text}` is not a color: write six hexadecimal digits, such as `#1d4f9e`"))
}

/// Writes `#rrggbb`.
#[must_use]
pub fn to_hex(color: Srgb8) -> String {
    format!("#{color:x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLUE: Srgb8 = Srgb8::new(29, 79, 158);

    #[test]
    fn one_full_line_on_white_has_the_nominal_color() {
        for opacity in [0.0, 0.3, 1.0] {
            let ink = Ink::new(BLUE, opacity);
            assert_eq!(to_srgb8(ink.lay([1.0; 3], ink.passage(1.0))), BLUE, "opacity {opacity}");
        }
    }

    #[test]
    fn a_second_transparent_line_darkens_and_a_second_opaque_one_does_not() {
        let twice = |opacity| {
            let ink = Ink::new(BLUE, opacity);
            let once = ink.passage(1.0);
            ink.lay([1.0; 3], [once[0] * once[0], once[1] * once[1], once[2] * once[2]])
        };
        assert!(twice(0.0)[2] < 0.5 * linear(BLUE)[2]);
        assert!((twice(1.0)[2] - linear(BLUE)[2]).abs() < 0.01);
    }

    #[test]
    fn lines_of_one_pen_commute() {
        let ink = Ink::new(BLUE, 0.4);
        let lay = |paper, c| ink.lay(paper, ink.passage(c));
        let (ab, ba) = (lay(lay([1.0; 3], 0.3), 0.9), lay(lay([1.0; 3], 0.9), 0.3));
        assert!(ab.iter().zip(ba).all(|(a, b)| (a - b).abs() < 1e-6));
    }

    #[test]
    fn hex_goes_both_ways_and_bad_hex_is_explained() {
        assert_eq!(to_hex(parse_hex("#1D4F9E").unwrap()), "#1d4f9e");
        for text in ["", "#12", "blue", "#gggggg", "#1234567890"] {
            assert!(parse_hex(text).unwrap_err().contains("#1d4f9e"));
        }
    }
}
