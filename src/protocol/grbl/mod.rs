//! GRBL 1.1: G-code lines out; `ok`, `error:N`, `ALARM:N`, pushes and status reports in.
//!
//! [`encode()`] makes a [`Program`](super::Program) of a pass; a [`Session`] streams it. A plain `ok` only says that a line has been
//! queued. Lines that drain the planner (M3, M5, S, G4) are answered when all before them has been drawn, so their
//! `ok` is what [`Event::Completed`](super::Event::Completed) rests on.
//!
//! Source: gnea/grbl 1.1h (`protocol.c`, `gcode.c`, `report.c`), run on the host.

mod codes;
mod encode;
pub(crate) mod inquiry;
mod jog;
mod reply;
mod session;
#[cfg(test)]
mod session_tests;

pub use codes::{alarm_meaning, error_meaning};
pub use encode::encode;
pub use reply::{Replies, Reply};
pub use session::Session;
