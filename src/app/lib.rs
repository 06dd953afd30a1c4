//! What a terminal, a page or a binding calls.

pub mod catalog;
mod error;
pub mod fetch;
pub mod files;
pub mod lint;
pub mod odometer;
pub mod preview;
pub mod recipe;
pub mod swatch;
pub mod wanted;

pub use error::Error;

/// Thousandths: µm and ms are what a reader of reports can use.
#[must_use]
pub fn rounded(value: f64) -> f64 {
    // An empty sum is -0.
    (value * 1000.0).round() / 1000.0 + 0.0
}
