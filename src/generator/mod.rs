//! From a wish to a drawing: strokes are moved until a differentiable picture of them pleases a network.
//!
//! Comes in: a page, pens, a neuron. Goes out: a [`crate::drawing::Drawing`] and the [`Picture`] of it that was
//! wanted. The picture is laid pass by pass with the pens' inks and tip widths, as the plotter will lay it.
//! Deliberately absent: files, clocks, order of strokes (that is [`crate::toolpath`]'s).

pub mod augment;
pub mod canvas;
pub mod picture;
pub mod rasterizer;

pub use canvas::Canvas;
pub use picture::{Picture, draw};
