//! Timed motion: how fast the pen may go around each corner, and when it is where.
//!
//! Comes in: a [`Pass`](traceur_core::toolpath::Pass) and a [`Profile`](traceur_core::machine::Profile). Goes out: a [`Plan`].
//! Deliberately absent: bytes (that is `traceur-protocol`'s), and any clock: a plan's time begins at 0.
//!
//! # Symbols
//!
//! | symbol | meaning | unit |
//! |---|---|---|
//! | v, `_v2` | speed along the path; its square | mm/s, mm²/s² |
//! | a | acceleration along the path | mm/s² |
//! | δ | junction deviation: how far a corner may be cut in thought | mm |
//! | θ | angle between two segments at their corner; π is straight on, 0 a reversal | rad |
//! | u | unit vector along a segment | – |
//!
//! # One run
//!
//! ```text
//! v ▲ nominal ┄┄┄┄┄┄┄┄╭───────╮┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄  a Segment becomes a Trapezoid:
//!   │                ╱         ╲       junction           up to three Blocks of constant acceleration.
//!   │               ╱           ╲     ╱─────────╮
//!   │  entry ──────╱             ╲───╱           ╲        Junctions bound the speed at corners; the sweeps, backward
//!   │             ╱                               ╲       then forward, make each bound reachable from its neighbors.
//!   └────────────┴────────────────┴────────────────┴──► distance
//! ```
//!
//! The rules are those of GRBL 1.1's `planner.c`, with the whole run in view, or as many segments of it as the firmware's
//! planner holds. A machine that executes the host's own blocks (an EiBotBoard) gets them as [`Slice`]s of whole steps
//! and whole ticks; its plan is timed by these. An HP-GL plotter stops at the end of each vector.

mod gcode;
mod hpgl;
mod junction;
mod onboard;
mod plan;
mod segment;
mod slices;
mod stepped;
mod sweep;
mod trapezoid;

pub use gcode::{gcode_path, gcode_pieces};
pub use hpgl::{Turn, Units, Vectors, hpgl_speed, hpgl_units, hpgl_vectors};
pub use junction::junction_v2;
pub use plan::{Instant, Motion, Plan, plan};
pub use segment::{AxisLimits, Limits, Segment};
pub use slices::{Slice, TICKS_PER_SECOND};
pub use stepped::{Stepped, stepped, travel_slices};
pub use sweep::{plan_segments, plan_segments_within};
pub use trapezoid::{Block, Trapezoid};
