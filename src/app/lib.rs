//! What a terminal, a page or a binding calls.

pub mod budget;
pub mod catalog;
pub mod check;
mod error;
pub mod fetch;
pub mod files;
pub mod holder;
pub mod ink;
pub mod input;
pub mod lint;
pub mod listener;
pub mod odometer;
pub mod ordered;
pub mod plan;
mod plan_file;
pub mod preview;
pub mod recipe;
pub mod simulate;
pub mod status;
pub mod swatch;
pub mod timetable;
pub mod wanted;

pub use error::Error;
pub use plan_file::to_text as plan_to_text;

/// Thousandths: µm and ms are what a reader of reports can use.
#[must_use]
pub fn rounded(value: f64) -> f64 {
    // An empty sum is -0.
    (value * 1000.0).round() / 1000.0 + 0.0
}

/// Without what could steer a screen: control characters, and those that turn the direction of writing.
fn printable(text: &str) -> String {
    let turns =
        |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().filter(|c| !c.is_control() && !turns(*c)).collect()
}
