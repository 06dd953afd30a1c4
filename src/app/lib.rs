//! What a terminal, a page or a binding calls.

pub mod chart;
mod error;
pub mod preview;

pub use error::Error;
