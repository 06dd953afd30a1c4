//! How to read, and what was left out.

use std::f64::consts::FRAC_PI_4;

use super::matching::Matching;
use crate::drawing::Layout;
use crate::geometry::Pattern;
use crate::pens::Pen;

/// What becomes a layer, and so a pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LayersBy {
    /// Top-level groups, by Inkscape's label, else their id.
    Label,
    /// Top-level groups, by their id.
    Id,
    /// Each stroke color.
    Color,
    /// By label when there is an Inkscape layer or one of ours, else by color. A single layer that names no pen says
    /// nothing: then by color too.
    #[default]
    Auto,
}

/// How a shape with a fill is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fill {
    /// Along its edge, unless it has a stroke.
    #[default]
    Outline,
    /// Inked with parallel lines, beside its stroke if it has one.
    Hatch,
    /// Inked with parallel lines and more across, beside its stroke if it has one.
    Crosshatch,
    /// Inked with rings along its edge, beside its stroke if it has one.
    Concentric,
    /// Only its stroke, if it has one.
    None,
}

impl Fill {
    /// How its area is inked, if it is.
    #[must_use]
    pub fn pattern(self) -> Option<Pattern> {
        match self {
            Self::Hatch => Some(Pattern::Hatch),
            Self::Crosshatch => Some(Pattern::Crosshatch),
            Self::Concentric => Some(Pattern::Concentric),
            Self::Outline | Self::None => None,
        }
    }
}

/// How a stroke much wider than the pen's line is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FatStrokes {
    /// As parallel lines within its outline, which together are as wide.
    #[default]
    Lines,
    /// Along its outline.
    Outline,
    /// As one line along its middle.
    Single,
}

/// Measures of the lines that ink an area.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hatching {
    /// From line to line; mm. `None`: the width of the pen's tip.
    pub spacing: Option<f64>,
    /// Direction of the lines; rad, clockwise on paper from left to right.
    pub angle: f64,
    /// Whether a line along the edge makes it smooth.
    pub outline: bool,
}

impl Default for Hatching {
    fn default() -> Self {
        Self { spacing: None, angle: FRAC_PI_4, outline: false }
    }
}

/// How to read.
#[derive(Debug, Clone, Copy, Default)]
pub struct ReadOptions<'a> {
    /// What becomes a layer.
    pub layers: LayersBy,
    /// The pens there are. Empty: a pen is made for each layer, from its color and stroke width.
    pub pens: &'a [Pen],
    /// How a shape with a fill is drawn.
    pub fill: Fill,
    /// The lines that ink an area.
    pub hatching: Hatching,
    /// Whether filled shapes hide what lies below them, paper-colored ones too. `None`: where areas are inked.
    pub occlude: Option<bool>,
    /// How colors find their pens, where layers don't name them.
    pub matching: Matching<'a>,
    /// How a stroke of more than one and a half tips is drawn. `None`: as [`FatStrokes::Lines`] where its pen was found
    /// by color, as one line where a layer names the pen or the pen was made for the drawing.
    pub fat: Option<FatStrokes>,
    /// Where the drawing goes; `None`: it stays where it is.
    pub layout: Option<&'a Layout>,
}

/// How many elements were left out, by reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Skipped {
    /// Texts: convert them to paths.
    pub texts: usize,
    /// Pictures.
    pub images: usize,
    /// Not displayed.
    pub hidden: usize,
    /// With neither stroke nor fill, or dots without a round or square cap.
    pub unpainted: usize,
    /// With a fill only, under [`Fill::None`].
    pub filled: usize,
    /// White on white.
    pub paper_colored: usize,
    /// More than 1 km off the page.
    pub far: usize,
    /// On a layer whose label begins with `%`.
    pub left_out: usize,
    /// Outside their clip path altogether.
    pub clipped: usize,
    /// Below filled shapes altogether.
    pub hidden_below: usize,
}

impl Skipped {
    /// The reasons, a clause each.
    pub(super) fn reasons(&self) -> Vec<String> {
        [
            (self.texts, "text", "convert it to paths"),
            (self.images, "image", "trace it first"),
            (self.hidden, "hidden element", "not displayed"),
            (self.unpainted, "mark", "without stroke and fill, or without length"),
            (self.filled, "filled shape", "without a stroke"),
            (self.paper_colored, "white mark", "the paper is white"),
            (self.far, "mark", "more than 1 km off the page"),
            (self.left_out, "mark", "on a layer labelled `%`"),
            (self.clipped, "mark", "outside its clip path"),
            (self.hidden_below, "mark", "hidden below filled shapes; --occlude=off draws it"),
        ]
        .into_iter()
        .filter(|(count, ..)| *count > 0)
        .map(|(count, what, why)| {
            format!("{count} {what}{} left out ({why})", if count == 1 { "" } else { "s" })
        })
        .collect()
    }
}
