//! Where the odometer's log is, and what a plot adds to it.

use std::sync::Arc;

use super::{Failure, Terminal};
use traceur_app::catalog::folders;
use traceur_core::geometry::Polyline;
use traceur_core::pens::Pen;
use traceur_core::pens::odometer::PenKey;
use traceur_core::toolpath::Toolpath;
use traceur_job::{News, Odometer, OdometerError, Place};

/// The odometer of this person; `None` without a home.
///
/// # Errors
/// When its log can't be read.
pub(super) fn open() -> Result<Option<Odometer>, Failure> {
    let Some(state) = folders::state() else { return Ok(None) };
    Ok(Some(Odometer::open(&state.join("odometer.log"))?))
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

/// Counts the strokes of a job as the plotter completes them.
#[derive(Debug)]
pub(super) struct Meter {
    odometer: Option<Odometer>,
    toolpath: Arc<Toolpath>,
    job: String,
    terminal: Terminal,
    /// All before it is counted.
    counted: Place,
}

impl Meter {
    /// Counts for `odometer`, if there is one; `job` is a name for people.
    pub(super) fn new(
        odometer: Option<Odometer>,
        toolpath: Arc<Toolpath>,
        job: &str,
        terminal: Terminal,
    ) -> Self {
        Self { odometer, toolpath, job: job.to_owned(), terminal, counted: Place::default() }
    }

    /// Hears what the runner tells. A log that can't be written is told of once and stops no plot.
    pub(super) fn hear(&mut self, news: &News<'_>) {
        match news {
            News::Pass { from } => self.counted = *from,
            News::Drawn(place) => self.count(*place),
            News::PassDone { .. } => self.flush(),
            _ => {}
        }
    }

    fn count(&mut self, upto: Place) {
        let Some(pass) = self.toolpath.passes.get(upto.pass) else { return };
        let from = if self.counted.pass == upto.pass { self.counted.stroke } else { 0 };
        let strokes = pass.strokes.get(from..upto.stroke.min(pass.strokes.len())).unwrap_or_default();
        let mm = strokes.iter().map(Polyline::length).sum();
        self.counted = upto;
        let added =
            self.odometer.as_mut().map(|odometer| odometer.add(&PenKey::from(&pass.pen), mm, &self.job));
        self.mind(added);
    }

    /// Writes what is counted.
    pub(super) fn flush(&mut self) {
        let flushed = self.odometer.as_mut().map(Odometer::flush);
        self.mind(flushed);
    }

    fn mind(&mut self, done: Option<Result<(), OdometerError>>) {
        if let Some(Err(error)) = done {
            self.terminal.warn(format!("what the pens draw is not counted: {error}"));
            self.odometer = None;
        }
    }
}
