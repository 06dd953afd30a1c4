//! Virtual plotters: the bytes that a real plotter would take, and what it would do with them.
//!
//! Comes in: bytes and time. Goes out: replies and a [`MotionTrace`]. Never imports `protocol`, so that a mistake
//! in an encoder can't be mirrored by its own decoder.

mod grbl;
pub mod ink;
mod trace;

pub use grbl::{Error, VirtualGrbl, run_program};
pub use trace::{MotionTrace, TracePiece};
