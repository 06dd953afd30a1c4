//! `traceur generate --minutes`: a drawing that takes a machine so long.
//!
//! What a metre takes depends on the machine, the strokes and their order, so the drawing in the making is planned now
//! and then, and asked for the length that fills the time.

use super::pipeline::{self, Wishes};
use super::{Failure, Terminal};
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
pub(super) struct Budget {
    /// s
    seconds: f64,
    profile: Profile,
}

impl Budget {
    /// A budget of minutes on a machine.
    pub(super) fn new(minutes: f64, profile: Profile) -> Result<Self, Failure> {
        if !(0.1..=100_000.0).contains(&minutes) {
            return Err(Failure::Input(format!("--minutes {minutes}: give a time such as 40")));
        }
        Ok(Self { seconds: 60.0 * minutes, profile })
    }

    /// A run that begins with about as many strokes as there is time for.
    pub(super) fn begin(&self, mut settings: Settings, terminal: &Terminal) -> Result<Run, Failure> {
        settings.length = Some(self.seconds / 3600.0 * USUAL_HOUR);
        let run = Run::new(settings.clone())?;
        settings.length = Some(self.length(&run.outcome()?, terminal)?);
        Ok(Run::new(settings)?)
    }

    /// Asks a run for another length, at some of its steps.
    pub(super) fn watch(&self, run: &mut Run, terminal: &Terminal) -> Result<(), Failure> {
        let at = |share: &f64| (share * run.steps() as f64) as usize == run.done();
        if PLANNED_AT.iter().any(at) {
            let length = self.length(&run.outcome()?, terminal)?;
            run.ask_length(length);
        }
        Ok(())
    }

    /// Leaves out strokes until the time suffices.
    pub(super) fn end(&self, run: &mut Run, terminal: &Terminal) -> Result<Outcome, Failure> {
        let mut outcome = run.outcome()?;
        for _ in 0..SHORTENED {
            let seconds = self.takes(&outcome, terminal)?;
            if seconds <= LATE * self.seconds {
                break;
            }
            run.shorten(drawn(&outcome) * self.seconds / seconds)?;
            outcome = run.outcome()?;
        }
        Ok(outcome)
    }

    /// What a drawing takes; s.
    pub(super) fn takes(&self, outcome: &Outcome, terminal: &Terminal) -> Result<f64, Failure> {
        let planned = pipeline::plan(&outcome.drawing, None, &Wishes::default(), &self.profile, terminal)?;
        Ok(planned.report.seconds)
    }

    /// The length that fills the time, as a drawing has it; mm.
    fn length(&self, outcome: &Outcome, terminal: &Terminal) -> Result<f64, Failure> {
        Ok(drawn(outcome) * self.seconds / self.takes(outcome, terminal)?.max(0.1))
    }
}

fn drawn(outcome: &Outcome) -> f64 {
    outcome.pens.iter().map(|pen| pen.mm).sum()
}
