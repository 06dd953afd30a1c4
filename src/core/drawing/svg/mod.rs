//! SVG in and out.
//!
//! Comes in: whatever Inkscape, vpype, axicli and saxi users have, as bytes. Goes out: a [scene](super::scene), or text
//! with one Inkscape layer a pen. Deliberately absent: files (bytes come in and text goes out) and fonts (text is
//! reported and left out).
//!
//! A file is read once: `door` turns the bytes into sound XML of bounded size and depth, in which `tags` has given every
//! top-level group an id; `layers` finds these groups; usvg resolves CSS, transforms, `use` and shapes, and `shapes`
//! takes from its tree what is to be seen. [`Scene::draw`](crate::drawing::scene::Scene::draw) makes a drawing of it;
//! the [`Viewer`] keeps usvg's tree for the picture that a viewer shows.

mod door;
mod layers;
mod lines;
mod read;
mod shapes;
mod tags;
mod viewer;
mod write;

#[cfg(test)]
mod tests;

pub use lines::WideLine;
pub use read::{Source, read};
pub use viewer::{Picture, View, Viewer};
pub use write::{data, document, write};

/// The XML namespace of our own attributes: `pen`, `name`, `color`, `tip`, `opacity`, `speed`, `slot` and `pass` on a layer,
/// `format` on the root.
pub const NAMESPACE: &str = "https://traceur.invalid/ns/1";

/// The namespace of Inkscape's layers.
const INKSCAPE: &str = "http://www.inkscape.org/namespaces/inkscape";

/// Millimeters in a CSS pixel.
const MM_PER_PX: f64 = 25.4 / 96.0;
