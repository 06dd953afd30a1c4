//! The EiBotBoard's language (AxiDraw and its kin), firmware 2.7 to 3.x: the host plans each move.
//!
//! Facts are from the firmware's source (`EBB_firmware/app.X/source` in evil-mad/EggBot); where its documents differ, the
//! source counts.

mod asked;
mod encode;
pub(crate) mod inquiry;
mod jog;
mod pace;
mod reply;
mod session;
#[cfg(test)]
mod session_tests;
mod steps;

pub use encode::encode;
pub(crate) use jog::home_program;
pub use reply::error_meaning;
pub use session::Session;
pub use steps::{LowLevelMove, Ramp};
