//! What a terminal, a page or a binding calls: drawings in, plans, ink and gaps out. Nothing here knows a flag, a color of a
//! terminal or a key; whoever calls gives a [`listener::Listener`] and hears what goes on.
//!
//! ```text
//! recipe ──► generator ─┐
//! file ───► input ──────┴─► Drawing ──► plan ──► Planned: toolpath, placement, timetable, report
//!                                                  │ simulate ──► Playback ──► ink, gap, player
//!                                                  │ check, holder (before anything moves)
//!                                                  └ job::plot ──► status (while it is drawn), odometer
//! ```
//!
//! A drawing planned for a machine, and drawn by the virtual one:
//!
//! ```
//! use traceur_app::input::{self, Reading};
//! use traceur_app::{catalog, ink, listener, plan, simulate};
//!
//! # fn main() -> Result<(), traceur_app::Error> {
//! let svg = br##"<svg xmlns="http://www.w3.org/2000/svg" width="60mm" height="40mm" viewBox="0 0 60 40">
//!     <path d="M10 10 C30 30 40 0 50 30" fill="none" stroke="#d2322d"/></svg>"##;
//! let sheets = input::read_svg("curve.svg", svg.to_vec(), &Reading::default(), &listener::Silent)?;
//!
//! let machine = catalog::machines::choose("axidraw-v3")?;
//! let planned = plan::plan_input(&sheets[0].input, &plan::Options::default(), &machine, &listener::Silent)?;
//! assert_eq!(planned.report.strokes, 1);
//!
//! let playback = simulate::simulate(&planned)?;
//! let inked = ink::Inked::of(&playback.page, &playback.marks(), 144.0, &listener::Silent);
//! let wanted = ink::viewed(&sheets[0].input)?.expect("an SVG has a viewer's picture");
//! let gap = inked.gap(&wanted, &playback.page)?;
//! assert!(gap.ssim > 0.9 && gap.off_page == 0.0);
//! # Ok(())
//! # }
//! ```

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
pub mod preview;
pub mod recipe;
pub mod simulate;
pub mod status;
pub mod swatch;
pub mod timetable;
pub mod wanted;

pub use error::Error;

/// Thousandths: µm and ms are what a reader of reports can use.
#[must_use]
pub fn rounded(value: f64) -> f64 {
    // An empty sum is -0.
    (value * 1000.0).round() / 1000.0 + 0.0
}
