//! (in the making)
pub mod network;
pub mod weights;
