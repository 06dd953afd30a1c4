//! What a terminal, a page or a binding calls.

pub mod catalog;
mod error;
pub mod files;
pub mod preview;
pub mod swatch;

pub use error::Error;
