//! Plotter languages without input or output: encoding, reply parsing, flow control.
//!
//! Comes in: a [`Pass`](crate::toolpath::Pass), a [`Profile`](crate::machine::Profile), bytes and the time. Goes out:
//! bytes and events. Deliberately absent: ports and clocks ([`crate::transport`], [`crate::job`]).

pub mod grbl;

/// Where in the drawing a statement comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    /// Index of the pass in its toolpath.
    pub pass: usize,
    /// Index of the stroke in its pass.
    pub stroke: usize,
    /// Index of the stroke's point that the statement leads to.
    pub vertex: usize,
}
