//! What there is to draw with: pens and machines, built in and a person's own, by name or by file.

pub mod folders;
pub mod machines;
pub mod pen_file;
pub mod pens;
