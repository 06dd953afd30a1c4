//! Seeing before plotting: what the bytes ink, as a picture, an SVG, a map of overdraw and a player, and how far that is
//! from the picture that was wanted.
//!
//! Comes in: the virtual plotter's trace. Goes out: the bytes of files. Deliberately absent: files themselves.

mod gap;
#[cfg(test)]
mod golden_tests;
mod heat;
mod picture;
mod playback;
mod player;
mod sheet;
pub mod terminal;

pub use gap::{Excitation, GAP_DPI, Gap, off_page_mm};
pub use heat::{Heat, Spot};
pub use picture::{Error, of_paper, of_rgb8, resized, to_image, to_png};
pub use playback::{Moment, Move, Playback, PlayedPass};
pub use player::{Labels, to_html};
pub use sheet::{TRAVEL, TRAVEL_WIDTH, to_svg};
