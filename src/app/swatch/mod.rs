//! A swatch of pens: made for plotting, found again in a scan or photo, and read, so that the virtual ink becomes the real
//! ink.
//!
//! Comes in: a page and pens; later a picture of the plotted swatch. Goes out: a [`traceur_core::drawing::Drawing`]; later what
//! each pen's ink and tip really are. Deliberately absent: files, and decoding of pictures.
//!
//! Each pen has a row: a solid patch (lines half a tip apart, so that no paper shows even where the tip is finer than it
//! says), a patch hatched at tip spacing, single lines three tips apart, and a ladder whose gaps grow from 0.4 to 2.4 tips:
//! where its white begins, there is the tip's true width on the scale above. Below, each pair of pens is laid one over the
//! other, and each pen over itself.

mod fiducial;
mod font;
mod homography;
mod layout;
mod light;
mod measure;
mod scan;
#[cfg(test)]
mod tests;

pub use layout::Swatch;
pub use measure::{Reading, measure};
pub use scan::{MOST_PX, Scan};

/// Why a swatch could not be made or read.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The swatch can't be laid out.
    #[error("{0}")]
    Layout(String),
    /// The picture can't be read as a swatch.
    #[error("{0}")]
    Scan(String),
}
