//! Plotters as data: what a machine can do and where its axes point.
//!
//! Comes in: `firmware-profiles/*.toml`, built in or the user's. Goes out: [`Profile`], [`Placement`]. Deliberately
//! absent: bytes ([`crate::protocol`]) and time ([`crate::motion`]).

mod firmware;
mod kinematics;
mod profile;

pub use firmware::{Ebb, Firmware, Grbl, Hpgl};
pub use kinematics::Placement;
pub use profile::{BUILT_IN, Bed, Dialect, Error, Lift, Limits, Origin, Profile};
