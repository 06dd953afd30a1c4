//! SVG in and out.
//!
//! Comes in: whatever Inkscape, vpype, axicli and saxi users have, as bytes. Goes out: a [`Drawing`], or text with
//! one Inkscape layer a pen. Deliberately absent: files (bytes come in and text goes out) and fonts (text is
//! reported and left out).
//!
//! A file is read in three steps: `door` turns the bytes into sound XML of bounded size and depth; `layers` finds
//! the top-level layers; `marks` lets usvg resolve CSS, transforms, `use` and shapes. `ink` then gives each mark to a
//! pen (`matching` finds pens for colors), and `draw` makes strokes of what shows of them.

mod door;
mod draw;
mod ink;
mod label;
mod layers;
mod lines;
mod marks;
mod matching;
mod options;
mod read;
mod render;
mod write;

#[cfg(test)]
mod tests;

pub use label::Label;
pub use lines::{WideLine, lines};
pub use matching::{ByHand, Match, Matching, Opacity};
pub use options::{FatStrokes, Fill, Hatching, LayersBy, ReadOptions, Skipped};
pub use read::{Import, SourceLayer, read};
pub use render::{Picture, View, render};
pub use write::{data, document, write};

#[cfg(doc)]
use super::Drawing;

/// The XML namespace of our own attributes: `pen`, `name`, `color`, `tip`, `opacity`, `speed`, `slot` and `pass` on a layer,
/// `format` on the root.
pub const NAMESPACE: &str = "https://traceur.invalid/ns/1";

/// The namespace of Inkscape's layers.
const INKSCAPE: &str = "http://www.inkscape.org/namespaces/inkscape";

/// Millimeters in a CSS pixel.
const MM_PER_PX: f64 = 25.4 / 96.0;
