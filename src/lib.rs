//! From a neuron to ink on paper: pens, drawings, toolpaths, motion, plotter protocols and virtual plotters.
//!
//! # Follow one stroke
//!
//! ```text
//! pens/*.toml ──► Inventory ─► PenSet ─┐
//! recipe / CLI ─► Objective ───────────┴─► generator ─► Drawing (mm, by pen) ◄── SVG
//!                                                         │ toolpath: clip, join, order, passes
//!                                                         ▼
//! firmware-profiles/*.toml ─► Profile ──┐             Toolpath = [Pass] (one mounted pen each)
//!                                       ├─► motion: junctions, sweeps, trapezoids ─► Plan (timed)
//!                                       └─► protocol::encode (GRBL, EBB, HP-GL) ─► Program (Statements + Origin)
//!                                                │ Session (sans-IO flow control)
//!                                                ▼
//!                                           bytes ⇄ serial port │ pty │ socket │ in-process virtual plotter
//!                                                               ▼
//!                        virtual plotter ─► MotionTrace ─► ink on paper ─► compared with the Drawing
//! ```
//!
//! # Floors
//!
//! | floor | module | may use |
//! |---|---|---|
//! | 0 | [`units`], [`config`] | – |
//! | 0 | [`geometry`], [`color`] | units |
//! | 1 | [`pens`] | units, color, config |
//! | 1 | [`machine`] | units, geometry, config |
//! | 2 | [`drawing`] | geometry, color, pens, units |
//! | 3 | [`toolpath`] | drawing, pens, machine, geometry |
//! | 3 | [`chart`] | drawing, pens, color, geometry |
//! | 3 | [`generator`] | drawing, pens, color, geometry |
//! | 4 | [`experiment`] | generator, drawing, pens, color |
//! | 4 | [`motion`] | toolpath, machine, geometry, units |
//! | 5 | [`protocol`] | motion, toolpath, machine, units, geometry |
//! | 5 | [`sim`] | motion, machine, pens, color, geometry, units; never protocol |
//! | 5 | [`transport`] | – |
//! | 6 | [`job`] | protocol, transport, sim, toolpath, machine, pens |
//! | 6 | [`preview`] | everything below |
//! | 7 | [`cli`] | all |
//!
//! `sim` never imports `protocol`, so that a mistake in an encoder can't be mirrored by its own decoder.
//!
//! Who plans motion differs: an EBB executes the host's slices, so its encoder takes the stepped plan; GRBL and HP-GL
//! machines plan on board, so their encoders take the pass, and the plan is the time estimate.
//!
//! **Invariants**, kept with the table by `tests/tidy.rs`: candle only in `generator`; lyon and i_overlay only in `geometry`;
//! serialport only in `transport`; clap only in `cli`; no clock, sleep or unseeded randomness outside `job`,
//! `transport` and `cli` (protocol and simulator time is a `Duration` since the session began); files are opened only
//! in `cli`, `job`, `experiment` and `generator/weights`; mm/min only in [`units`], the G-code encoder and the G-code virtual
//! plotter; nothing prints outside `cli`.
//!
//! Bare `f64` is mm, s, mm/s, mm/s² or radians; any other unit is in the name.

pub mod chart;
pub mod cli;
pub mod color;
pub mod config;
pub mod drawing;
mod error;
pub mod experiment;
pub mod generator;
pub mod geometry;
pub mod job;
pub mod machine;
pub mod motion;
pub mod pens;
pub mod preview;
pub mod protocol;
pub mod sim;
pub mod toolpath;
pub mod transport;
pub mod units;

pub use error::Error;
