//! A scene: everything that a drawing shows, in mm, before it is known with which pens it is drawn and where on which
//! sheet. And the row of stages that makes a [`Drawing`] of it.
//!
//! ```text
//! SVG ──► svg::read ──┐                                              (what the file says)
//!                     ├──► Scene: shapes, clips, layers, page
//! Drawing ► Scene::of ┘      │
//!                            │ marks      what is drawn of each shape: its area, its edge, its stroke
//!                            ▼
//!                          [Mark], [Cover]
//!                            │ matching   layers and colors find their pens (colors: clusters, assignment)
//!                            ▼
//!                          [Group] = a pen and its marks
//!                            │ place      fitted, turned and scaled onto the sheet
//!                            │ hide       what clips and filled shapes above leave of each mark
//!                            ▼
//!                          [Shown]
//!                            │ fill       areas and wide strokes become lines as wide as the pen
//!                            ▼
//!                          Drawing, and its Arrangement (copies, sheets)
//! ```
//!
//! Marks are placed before they are hatched, since the distance of hatch lines is one on paper, and copied after.
//! Deliberately absent: SVG, files, and the order of strokes.

mod colors;
mod draw;
mod fill;
mod hide;
mod label;
mod marks;
mod matching;
mod of_drawing;
mod place;
mod skipped;
mod subpaths;
mod width;

use std::collections::BTreeMap;

use kurbo::{BezPath, Cap, Join};

use super::Page;
#[cfg(doc)]
use super::{Drawing, Error};
use crate::color::Srgb8;
use crate::geometry::FillRule;
use crate::pens::Pen;

pub use colors::Match;
pub use draw::{Drawn, LayerDrawn, Stages};
pub use fill::{Filling, Hatching};
pub use label::Label;
pub use marks::Fill;
pub use matching::{ByHand, LayersBy, Matching, Opacity};
pub use skipped::Skipped;
pub(super) use subpaths::{is_dot, split};
pub use width::FatStrokes;

/// All that a drawing shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Scene {
    /// Its name, for messages.
    pub name: String,
    /// The page that it was made for. It may be of any size: [`Scene::draw`] refuses what no paper has.
    pub page: Page,
    /// What is visible, the lowest first.
    pub shapes: Vec<Shape>,
    /// What shapes are clipped to; they name them by index.
    pub clips: Vec<Clip>,
    /// The layers that the drawing was divided into; shapes name them by index.
    pub layers: Vec<SceneLayer>,
    /// What was left out already.
    pub skipped: Skipped,
    /// Things that the scene has otherwise than the file, and how often.
    pub changed: BTreeMap<&'static str, usize>,
}

/// Something visible: filled, stroked, or both; the stroke is above.
#[derive(Debug, Clone, PartialEq)]
pub struct Shape {
    /// Its area.
    pub fill: Option<FilledPath>,
    /// Its line.
    pub stroke: Option<StrokedPath>,
    /// Index of its layer.
    pub layer: Option<usize>,
    /// Number of the innermost group that it stands in.
    pub group: u32,
    /// It shows inside all of these clips only, by index.
    pub clips: Vec<usize>,
}

/// A filled path.
#[derive(Debug, Clone, PartialEq)]
pub struct FilledPath {
    /// Its edge; mm.
    pub path: BezPath,
    /// What is inside.
    pub rule: FillRule,
    /// Its color.
    pub paint: Paint,
}

/// A stroked path.
#[derive(Debug, Clone, PartialEq)]
pub struct StrokedPath {
    /// Its middle, in dashes if it is dashed; mm.
    pub path: BezPath,
    /// mm, across the path.
    pub width: f64,
    /// Its ends.
    pub cap: Cap,
    /// Its corners.
    pub join: Join,
    /// Its color.
    pub paint: Paint,
}

/// A plain color.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Paint {
    /// The color.
    pub color: Srgb8,
    /// 0 to 1; 1 is opaque.
    pub opacity: f32,
    /// What the color stands for, if the file asks for something else, as a clause.
    pub instead: Option<&'static str>,
}

/// The filled shapes, mm, whose union something is clipped to.
pub type Clip = Vec<(BezPath, FillRule)>;

/// A layer of the drawing as its author divided it.
#[derive(Debug, Clone, PartialEq)]
pub struct SceneLayer {
    /// Its id; may be empty.
    pub id: String,
    /// Its label, taken apart.
    pub label: Label,
    /// Whether it was made as a layer, not as a mere group.
    pub is_marked: bool,
    /// The pen that it asks for.
    pub pen: Option<Pen>,
}
