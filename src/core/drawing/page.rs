//! Sheets of paper.

use super::Error;
use crate::geometry::Rect;
use crate::units;

/// A sheet of paper; mm.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Page {
    /// Left to right; mm.
    pub width: f64,
    /// Top to bottom; mm.
    pub height: f64,
}

/// Portrait sizes; mm.
const NAMED: [(&str, f64, f64); 10] = [
    ("a0", 841.0, 1189.0),
    ("a1", 594.0, 841.0),
    ("a2", 420.0, 594.0),
    ("a3", 297.0, 420.0),
    ("a4", 210.0, 297.0),
    ("a5", 148.0, 210.0),
    ("a6", 105.0, 148.0),
    ("letter", 215.9, 279.4),
    ("legal", 215.9, 355.6),
    ("tabloid", 279.4, 431.8),
];

/// Greatest edge that is still believed to be paper; mm.
pub(crate) const GREATEST: f64 = 10_000.0;

/// Rows or columns of a picture of so many mm at `dpi` pixels an inch; 1 at least.
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a page is 1 mm to 10 m")]
pub fn pixels(mm: f64, dpi: f64) -> usize {
    ((mm * dpi / 25.4).round() as usize).max(1)
}

impl Page {
    /// Columns and rows of its picture at `dpi` pixels an inch.
    #[must_use]
    pub fn size_px(&self, dpi: f64) -> (usize, usize) {
        (pixels(self.width, dpi), pixels(self.height, dpi))
    }

    /// Reads `A4`, `a5 landscape`, `letter`, `210x297mm`, `8.5x11in`.
    ///
    /// # Errors
    /// When it is none of these, or an edge is not between 1 mm and 10 m.
    ///
    /// ```
    /// # use traceur_core::drawing::Page;
    /// assert_eq!(Page::parse("a5 landscape")?.width, 210.0);
    /// assert!(Page::parse("a9").unwrap_err().to_string().contains("A4"));
    /// # Ok::<(), traceur_core::drawing::Error>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self, Error> {
        let lower = text.trim().to_lowercase();
        let (name, orientation) = lower.split_once([' ', '-', ':']).unwrap_or((&lower, "portrait"));
        let error = || Error::Page(text.into());
        if let Some((_, width, height)) = NAMED.iter().find(|(known, ..)| *known == name) {
            return match orientation.trim() {
                "portrait" => Ok(Self { width: *width, height: *height }),
                "landscape" => Ok(Self { width: *height, height: *width }),
                _ => Err(error()),
            };
        }
        let (width, rest) = lower.split_once('x').ok_or_else(error)?;
        let unit = rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        let width =
            if width.ends_with(char::is_alphabetic) { width.to_owned() } else { format!("{width}{unit}") };
        let width = units::length(&width).map_err(|_| error())?;
        let height = units::length(rest).map_err(|_| error())?;
        let page = Self { width, height };
        if page.is_sane() { Ok(page) } else { Err(error()) }
    }

    /// Whether both edges are between 1 mm and 10 m.
    #[must_use]
    pub fn is_sane(&self) -> bool {
        let sane = |edge: f64| (1.0..=GREATEST).contains(&edge);
        sane(self.width) && sane(self.height)
    }

    /// The sheet turned so that it is at least as wide as high.
    #[must_use]
    pub fn landscape(self) -> Self {
        Self { width: self.width.max(self.height), height: self.width.min(self.height) }
    }

    /// The sheet as a rectangle at the origin; mm.
    #[must_use]
    pub fn rect(&self) -> Rect {
        Rect::new(0.0, 0.0, self.width, self.height)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_names_or_sizes() {
        for (text, width, height) in [
            ("A4", 210.0, 297.0),
            ("a3 landscape", 420.0, 297.0),
            ("210x297mm", 210.0, 297.0),
            ("210mmx297mm", 210.0, 297.0),
            ("4x6in", 101.6, 152.4),
        ] {
            let page = Page::parse(text).unwrap();
            assert!((page.width - width).abs() < 1e-9 && (page.height - height).abs() < 1e-9, "{text}");
        }
    }

    #[test]
    fn what_is_no_paper_is_refused() {
        for text in
            ["", "a9", "A4 upside-down", "210x297", "0x10mm", "1e9x1e9mm", "nanxnanmm", "x", "99999x10m"]
        {
            assert!(Page::parse(text).is_err(), "{text}");
        }
    }
}
