//! Timed motion: how fast the pen may go around each corner, and when it is where.
//!
//! Comes in: a [`Pass`](crate::toolpath::Pass) and a [`Profile`](crate::machine::Profile). Goes out: a [`Plan`].
