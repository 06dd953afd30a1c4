//! A drawing: a page and the strokes of each pen on it.
//!
//! Comes in: SVG, or the generator's strokes. Goes out: SVG, or strokes for the toolpath. Deliberately absent: order
//! (that is [`crate::toolpath`]'s) and files (text comes in and goes out).

mod layout;
mod page;
mod room;
pub mod scene;
pub mod svg;

use kurbo::BezPath;

use crate::pens::Pen;
pub use layout::{Arrangement, Copies, Layout, Tiles, USUAL_MARGIN};
pub use page::{Page, pixels};

/// Why a drawing could not be read or made.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A page name or size that cannot be used.
    #[error(
        "`{0}` is not a page: use a name such as `A4`, `A5 landscape`, `letter`, or a size such as `210x297mm`"
    )]
    Page(String),
    /// A layout that cannot be.
    #[error("{0}")]
    Layout(String),
    /// The SVG is not well formed, or says what cannot be drawn.
    #[error("{file}: {message}")]
    Svg {
        /// Its name, as the user gave it.
        file: String,
        /// What is wrong there and what to do.
        message: String,
    },
}

/// One pen-down mark: a single subpath; mm.
#[derive(Debug, Clone, PartialEq)]
pub struct Stroke {
    /// Its curve.
    pub path: BezPath,
    /// Number of the group that it stands in; strokes that follow each other with one number are a group.
    pub group: u32,
}

/// The strokes of one pen.
#[derive(Debug, Clone, PartialEq)]
pub struct Layer {
    /// What draws them.
    pub pen: Pen,
    /// The strokes, in the order in which they were read or made.
    pub strokes: Vec<Stroke>,
}

/// A page and its layers, in pass order.
#[derive(Debug, Clone, PartialEq)]
pub struct Drawing {
    /// The sheet.
    pub page: Page,
    /// One a pen, first pass first.
    pub layers: Vec<Layer>,
}

impl Drawing {
    /// How many strokes there are on all layers.
    #[must_use]
    pub fn strokes(&self) -> usize {
        self.layers.iter().map(|layer| layer.strokes.len()).sum()
    }
}
