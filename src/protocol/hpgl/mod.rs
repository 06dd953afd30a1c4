//! HP-GL of Hewlett-Packard and Roland pen plotters: instructions in plotter units, device control by `ESC .`.
//!
//! The plotter plans on board and says nothing unasked. What proves that a stroke is on the paper is the answer to `OA;`,
//! which stands in the buffer behind it.

mod codes;
mod encode;
pub(crate) mod inquiry;
mod reply;
mod session;
#[cfg(test)]
mod tests;

pub use codes::{error_meaning, extended_error_meaning};
pub use encode::encode;
pub use reply::{Replies, Reply};
pub use session::Session;
