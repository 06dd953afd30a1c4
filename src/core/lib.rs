//! What a pen plotter is asked to draw: pens, machines, drawings, and the order of their strokes.
//!
//! ```text
//! pens/*.toml ──► Inventory ─► PenSet ─┐
//! SVG ──► svg::read ──► Scene::draw ───┴─► Drawing (mm, by pen) ─► toolpath::plan: clip, join, order
//!                                                                          │
//! firmware-profiles/*.toml ─► Profile ─────────────────────────────────────┴─► Toolpath = [Pass] (one mounted pen each)
//! ```
//!
//! | floor | module | may use |
//! |---|---|---|
//! | 0 | [`units`], [`config`], [`text`], [`ErrorKind`] | – |
//! | 0 | [`geometry`], [`color`] | units |
//! | 1 | [`pens`] | units, color, config, text |
//! | 1 | [`machine`] | units, geometry, config |
//! | 2 | [`drawing`] | geometry, color, pens, text, units |
//! | 3 | [`toolpath`] | drawing, pens, machine, geometry |
//!
//! Bare `f64` is mm, s, mm/s, mm/s² or radians; any other unit is in the name. Nothing here opens a file, reads a clock,
//! or prints.

pub mod color;
pub mod config;
pub mod drawing;
pub mod geometry;
mod kind;
pub mod machine;
pub mod pens;
pub mod text;
pub mod toolpath;
pub mod units;

pub use kind::ErrorKind;
