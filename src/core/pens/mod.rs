//! Pens and the sets of them: what may be drawn with.
//!
//! Comes in: TOML files, built in or the user's; other programs' lists of pens. Goes out: [`Inventory`] (all pens of a
//! file), [`PenSet`] (those chosen for a job, in pass order), edited TOML. Deliberately absent: what ink does on paper
//! ([`crate::color::Ink`]), and files (text comes in and goes out).

pub mod edit;
pub mod form;
mod import;
mod inventory;
pub mod odometer;
mod pen;

pub use import::{Imported, import, slug, unique};
pub use inventory::{BUILT_IN, Error, Inventory, PassOrder, PenSet, near_duplicates};
pub use pen::{OutOfRange, Pen};
