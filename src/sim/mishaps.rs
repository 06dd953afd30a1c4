//! What befalls a plotter as a whole, once each, at its time.

use std::time::Duration;

use super::{Faults, VirtualPlotter, plotter};
use crate::machine::Profile;

/// The mishaps of some [`Faults`] that are still to come.
#[derive(Debug, Clone)]
pub struct Mishaps {
    unplug: Option<Duration>,
    power_loss: Option<Duration>,
    motor_power_off: Option<Duration>,
}

impl Mishaps {
    /// Those of `faults`.
    #[must_use]
    pub fn new(faults: &Faults) -> Self {
        // A time beyond what a Duration holds never comes.
        let time = |s: Option<f64>| s.and_then(|s| Duration::try_from_secs_f64(s).ok());
        Self {
            unplug: time(faults.unplug),
            power_loss: time(faults.power_loss),
            motor_power_off: time(faults.motor_power_off),
        }
    }

    /// When the next one comes.
    #[must_use]
    pub fn next(&self) -> Option<Duration> {
        [self.unplug, self.power_loss, self.motor_power_off].into_iter().flatten().min()
    }

    /// Lets happen what is due: a plotter that loses its power is switched on anew, with its paper as it was. True once,
    /// when the cable is pulled.
    pub fn happen(
        &mut self,
        now: Duration,
        profile: &Profile,
        machine: &mut Box<dyn VirtualPlotter>,
    ) -> bool {
        let due = |time: &mut Option<Duration>| time.take_if(|time| *time <= now).is_some();
        if due(&mut self.motor_power_off) {
            machine.receive(now, b"");
            machine.switch_motor_power(false);
        }
        if due(&mut self.power_loss) {
            machine.receive(now, b"");
            let mut fresh = plotter(profile);
            fresh.receive(now, b"");
            fresh.lay_paper(machine.trace().clone());
            *machine = fresh;
        }
        due(&mut self.unplug)
    }
}
