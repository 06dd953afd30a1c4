//! Where the odometer's log is, and what a plot adds to it.

use super::{Failure, Terminal, folders};
use crate::geometry::Polyline;
use crate::job::Odometer;
use crate::pens::Pen;
use crate::pens::odometer::PenKey;
use crate::protocol::{Event, Program};
use crate::toolpath::Pass;

/// The odometer of this person; `None` without a home.
///
/// # Errors
/// When its log can't be read.
pub(super) fn open() -> Result<Option<Odometer>, Failure> {
    let Some(state) = folders::state() else { return Ok(None) };
    let opened = Odometer::open(&state.join("odometer.log"));
    opened.map(Some).map_err(|error| Failure::Input(error.to_string()))
}

/// The ink that is left in those pens of which it is known; mm.
pub(super) fn left<'a>(pens: impl Iterator<Item = &'a Pen>) -> Vec<(String, f64)> {
    let mut known = pens.filter_map(|pen| Some((pen, pen.metres?))).peekable();
    if known.peek().is_none() {
        return Vec::new();
    }
    // Without its log nothing is known to be used up; whoever plots is told of the log.
    let odometer = open().ok().flatten();
    let used = |pen: &Pen| odometer.as_ref().map_or(0.0, |log| 1000.0 * log.metres(&PenKey::from(pen)));
    known.map(|(pen, full)| (pen.id.clone(), full - used(pen))).collect()
}

/// Counts the strokes of one pass as the plotter completes them.
#[derive(Debug)]
pub(super) struct Meter<'a> {
    odometer: Option<&'a mut Odometer>,
    pen: PenKey,
    job: &'a str,
    lengths: Vec<f64>,
    /// Strokes that are counted.
    counted: usize,
}

impl<'a> Meter<'a> {
    /// Counts for `odometer`, if there is one.
    pub(super) fn new(odometer: Option<&'a mut Odometer>, pass: &Pass, job: &'a str) -> Self {
        let lengths = pass.strokes.iter().map(Polyline::length).collect();
        Self { odometer, pen: PenKey::from(&pass.pen), job, lengths, counted: 0 }
    }

    /// Hears of an event of `program`. A log that can't be written is told of once and stops no plot.
    pub(super) fn hear(&mut self, event: &Event, program: &Program, terminal: &Terminal) {
        let upto = match event {
            Event::Completed { upto } => {
                let origin = program.statements.get(*upto).and_then(|statement| statement.origin);
                origin.map_or(self.counted, |origin| origin.stroke)
            }
            Event::Finished => self.lengths.len(),
            _ => return,
        };
        let upto = upto.min(self.lengths.len());
        if upto <= self.counted {
            return;
        }
        let mm = self.lengths[self.counted..upto].iter().sum();
        self.counted = upto;
        if let Some(odometer) = &mut self.odometer {
            if let Err(error) = odometer.add(&self.pen, mm, self.job) {
                terminal.warn(format!("what the pens draw is not counted: {error}"));
                self.odometer = None;
            }
        }
    }
}
