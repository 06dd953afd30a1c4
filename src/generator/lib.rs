//! From a wish to a drawing: strokes are moved until a differentiable picture of them pleases a network.
//!
//! Comes in: a page, pens, a neuron. Goes out: a [`traceur_core::drawing::Drawing`] and the [`Picture`] of it that was
//! wanted. The picture is laid pass by pass with the pens' inks and tip widths, as the plotter will lay it.
//! Deliberately absent: files, clocks, order of strokes (that is [`traceur_core::toolpath`]'s).

mod adam;
pub mod aim;
pub mod augment;
pub mod canvas;
pub mod checkpoint;
pub mod classes;
mod clusters;
pub mod experiment;
mod finish;
mod forms;
mod hooks;
pub mod image;
mod judge;
mod manner;
pub mod network;
pub mod objective;

pub mod picture;
pub mod rasterizer;
pub mod schedule;
pub mod settings;
pub mod sheet;
mod spline;
mod stage;
pub mod style;
mod tensors;
mod vectors;
pub mod weights;

pub use aim::{Aim, Target};
pub use canvas::Canvas;
pub use classes::Class;
pub use manner::{Manner, parse_share};
pub use objective::{Term, Weights, excitation_of};
pub use picture::{Picture, draw};
pub use schedule::{Excitation, Outcome, PenUse, Progress, Run, Sheet, generate};
pub use settings::Settings;
pub use sheet::{Arrangement, Given, Grid};
pub use stage::Stage;
pub use style::Style;

/// Why no drawing could be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The network.
    #[error(transparent)]
    Network(#[from] network::Error),
    /// A tensor operation.
    #[error("the computation failed: {0}")]
    Tensor(#[from] candle_core::Error),
    /// A checkpoint.
    #[error(transparent)]
    Checkpoint(#[from] checkpoint::NotACheckpoint),
    /// A setting that cannot work.
    #[error("{0}")]
    Setting(String),
}
