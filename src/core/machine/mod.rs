//! Plotters as data: what a machine can do and where its axes point.
//!
//! Comes in: `firmware-profiles/*.toml`, built in or the user's. Goes out: [`Profile`], [`Placement`]. Deliberately
//! absent: bytes (`traceur-protocol`) and time (`traceur-motion`).

mod ebb;
mod firmware;
mod hpgl;
mod kinematics;
mod profile;
pub mod vpype;

pub use ebb::{Ebb, Motors, ServoPulses, Syntax, Version};
pub use firmware::{Firmware, Grbl};
pub use hpgl::{Handshake, Hpgl, Paper};
pub use kinematics::Placement;
pub use profile::{BUILT_IN, Bed, Dialect, Error, Lift, Limits, Origin, Profile};
