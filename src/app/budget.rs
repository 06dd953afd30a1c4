//! A drawing that takes a machine so long, as `traceur generate --minutes` wants it.
//!
//! What a metre takes depends on the machine, the strokes and their order, so the drawing in the making is planned now
//! and then, and asked for the length that fills the time.

use crate::Error;
use crate::listener::Listener;
use crate::plan::{self, Options};
use traceur_core::machine::Profile;
use traceur_generator::{Outcome, Run, Settings};

/// Ink of an hour on a usual machine, until a plan tells more; mm.
const USUAL_HOUR: f64 = 60_000.0;
/// Shares of the steps after which the drawing is planned.
const PLANNED_AT: [f64; 4] = [0.35, 0.55, 0.7, 0.85];
/// Too long by this share is shortened at the end.
const LATE: f64 = 1.02;
/// How often at most.
const SHORTENED: usize = 4;

/// How long the plot may take, and where.
#[derive(Debug)]
pub struct Budget {
    /// s
    seconds: f64,
    profile: Profile,
}

impl Budget {
    /// A budget of minutes on a machine.
    ///
    /// # Errors
    /// When that is no time.
    pub fn new(minutes: f64, profile: Profile) -> Result<Self, Error> {
        if !(0.1..=100_000.0).contains(&minutes) {
            return Err(Error::Input(format!("--minutes {minutes}: give a time such as 40")));
        }
        Ok(Self { seconds: 60.0 * minutes, profile })
    }

    /// A run that begins with about as many strokes as there is time for.
    ///
    /// # Errors
    /// As [`Run::new`], and as [`plan::plan`].
    pub fn begin(&self, mut settings: Settings, listener: &dyn Listener) -> Result<Run, Error> {
        settings.length = Some(self.seconds / 3600.0 * USUAL_HOUR);
        let run = Run::new(settings.clone())?;
        settings.length = Some(self.length(&run.outcome()?, listener)?);
        Ok(Run::new(settings)?)
    }

    /// Asks a run for another length, at some of its steps.
    ///
    /// # Errors
    /// As [`plan::plan`].
    pub fn watch(&self, run: &mut Run, listener: &dyn Listener) -> Result<(), Error> {
        let at = |share: &f64| (share * run.steps() as f64) as usize == run.done();
        if PLANNED_AT.iter().any(at) {
            let length = self.length(&run.outcome()?, listener)?;
            run.ask_length(length);
        }
        Ok(())
    }

    /// Leaves out strokes until the time suffices.
    ///
    /// # Errors
    /// As [`plan::plan`].
    pub fn end(&self, run: &mut Run, listener: &dyn Listener) -> Result<Outcome, Error> {
        let mut outcome = run.outcome()?;
        for _ in 0..SHORTENED {
            let seconds = self.takes(&outcome, listener)?;
            if seconds <= LATE * self.seconds {
                break;
            }
            run.shorten(drawn(&outcome) * self.seconds / seconds)?;
            outcome = run.outcome()?;
        }
        Ok(outcome)
    }

    /// What a drawing takes; s.
    ///
    /// # Errors
    /// As [`plan::plan`].
    pub fn takes(&self, outcome: &Outcome, listener: &dyn Listener) -> Result<f64, Error> {
        let planned = plan::plan(&outcome.drawing, None, &Options::default(), &self.profile, listener)?;
        Ok(planned.report.seconds)
    }

    /// The length that fills the time, as a drawing has it; mm.
    fn length(&self, outcome: &Outcome, listener: &dyn Listener) -> Result<f64, Error> {
        Ok(drawn(outcome) * self.seconds / self.takes(outcome, listener)?.max(0.1))
    }
}

fn drawn(outcome: &Outcome) -> f64 {
    outcome.pens.iter().map(|pen| pen.mm).sum()
}
