//! The parts of the work.

use serde::{Deserialize, Serialize};

/// A part of the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stage {
    /// Strokes have colors of their own.
    Free,
    /// Strokes have pens.
    Tune,
    /// Copies of the part that was tuned make a sheet.
    Sheet,
}
