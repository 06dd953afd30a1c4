//! Seeing before plotting: how far the simulated ink is from the picture that was wanted, and pictures of both.

mod gap;
mod picture;
pub mod terminal;

pub use gap::{Excitation, Gap, off_page_mm};
pub use picture::{Error, of_paper, of_rgb8, resized, to_image, to_png};
