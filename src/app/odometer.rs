//! Where the odometer's log is, and what a plot adds to it.

use std::sync::Arc;

use crate::Error;
use crate::catalog::folders;
use traceur_core::geometry::Polyline;
use traceur_core::pens::Pen;
use traceur_core::pens::odometer::PenKey;
use traceur_core::toolpath::Toolpath;
use traceur_job::{News, Odometer, OdometerError, Place};

/// The odometer of this person; `None` without a home.
///
/// # Errors
/// When its log can't be read.
pub fn open() -> Result<Option<Odometer>, Error> {
    let Some(state) = folders::state() else { return Ok(None) };
    Ok(Some(Odometer::open(&state.join("odometer.log"))?))
}

/// The ink that is left in those pens of which it is known; mm.
#[must_use]
pub fn left<'a>(pens: impl Iterator<Item = &'a Pen>) -> Vec<(String, f64)> {
    let mut known = pens.filter_map(|pen| Some((pen, pen.supply?))).peekable();
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
pub struct Meter {
    odometer: Option<Odometer>,
    toolpath: Arc<Toolpath>,
    job: String,
    /// All before it is counted.
    counted: Place,
}

impl Meter {
    /// Counts for `odometer`, if there is one; `job` is a name for people.
    #[must_use]
    pub fn new(odometer: Option<Odometer>, toolpath: Arc<Toolpath>, job: &str) -> Self {
        Self { odometer, toolpath, job: job.to_owned(), counted: Place::default() }
    }

    /// Hears what the runner tells.
    ///
    /// # Errors
    /// When the log can't be written, once: from then on nothing is counted. No plot need stop for it.
    pub fn hear(&mut self, news: &News<'_>) -> Result<(), OdometerError> {
        match news {
            News::Pass { from } => self.counted = *from,
            News::Drawn(place) => return self.count(*place),
            News::PassDone { .. } => return self.flush(),
            _ => {}
        }
        Ok(())
    }

    fn count(&mut self, upto: Place) -> Result<(), OdometerError> {
        let Some(pass) = self.toolpath.passes.get(upto.pass) else { return Ok(()) };
        let from = if self.counted.pass == upto.pass { self.counted.stroke } else { 0 };
        let strokes = pass.strokes.get(from..upto.stroke.min(pass.strokes.len())).unwrap_or_default();
        let mm = strokes.iter().map(Polyline::length).sum();
        self.counted = upto;
        let added =
            self.odometer.as_mut().map(|odometer| odometer.add(&PenKey::from(&pass.pen), mm, &self.job));
        self.heed(added)
    }

    /// Writes what is counted.
    ///
    /// # Errors
    /// As [`Meter::hear`].
    pub fn flush(&mut self) -> Result<(), OdometerError> {
        let flushed = self.odometer.as_mut().map(Odometer::flush);
        self.heed(flushed)
    }

    fn heed(&mut self, done: Option<Result<(), OdometerError>>) -> Result<(), OdometerError> {
        let done = done.unwrap_or(Ok(()));
        if done.is_err() {
            self.odometer = None;
        }
        done
    }
}
