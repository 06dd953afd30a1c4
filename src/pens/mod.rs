//! Pens and the sets of them: what may be drawn with.
//!
//! Comes in: TOML files, built in or the user's. Goes out: [`Inventory`] (all pens of a file), [`PenSet`] (those
//! chosen for a job, in pass order). Deliberately absent: what ink does on paper ([`crate::color::Ink`]).

mod inventory;
pub mod odometer;

pub use inventory::{BUILT_IN, Error, Inventory, Pen, PenSet};
