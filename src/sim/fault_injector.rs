//! What befalls a plotter as a whole, once each, at its time.

use std::time::Duration;

use super::{Faults, VirtualPlotter, plotter};
use traceur_core::machine::Profile;
use traceur_core::units;

/// When something befalls a plotter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum When {
    /// So long after it was switched on; s.
    Time(f64),
    /// As soon as so many bytes have reached it.
    Bytes(u64),
}

impl std::str::FromStr for When {
    type Err = String;

    /// Reads `30s` or `900B`.
    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(Ok(bytes)) = text.strip_suffix('B').map(str::parse) {
            return Ok(Self::Bytes(bytes));
        }
        units::duration(text)
            .map(Self::Time)
            .map_err(|error| format!("{error}, or a number of bytes, as in 900B"))
    }
}

impl std::fmt::Display for When {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Time(s) => write!(f, "{s}s"),
            Self::Bytes(bytes) => write!(f, "{bytes}B"),
        }
    }
}

/// The same without times that never come.
#[derive(Debug, Clone, Copy)]
enum Due {
    At(Duration),
    Heard(u64),
}

/// Those of some [`Faults`] that are still to come.
#[derive(Debug, Clone)]
pub struct FaultInjector {
    unplug: Option<Due>,
    power_loss: Option<Due>,
    motor_power_off: Option<Due>,
    limit_switch: Option<Due>,
}

impl FaultInjector {
    /// Those of `faults`.
    #[must_use]
    pub fn new(faults: &Faults) -> Self {
        let due = |when: Option<When>| match when? {
            // A time beyond what a Duration holds never comes.
            When::Time(s) => Duration::try_from_secs_f64(s).ok().map(Due::At),
            When::Bytes(bytes) => Some(Due::Heard(bytes)),
        };
        Self {
            unplug: due(faults.unplug),
            power_loss: due(faults.power_loss),
            motor_power_off: due(faults.motor_power_off),
            limit_switch: due(faults.limit_switch),
        }
    }

    /// When the next one comes that has its time.
    #[must_use]
    pub fn next(&self) -> Option<Duration> {
        let all = [self.unplug, self.power_loss, self.motor_power_off, self.limit_switch];
        let time = |due| if let Due::At(time) = due { Some(time) } else { None };
        all.into_iter().flatten().filter_map(time).min()
    }

    /// Lets happen what is due at `now`, when so many bytes have been `heard`: a plotter that loses its power is switched on
    /// anew, with its paper as it was. True once, when the cable is pulled.
    pub fn happen(
        &mut self,
        now: Duration,
        heard: u64,
        profile: &Profile,
        machine: &mut Box<dyn VirtualPlotter>,
    ) -> bool {
        let due = |when: &mut Option<Due>| {
            let has_come = |due: &mut Due| match *due {
                Due::At(time) => time <= now,
                Due::Heard(bytes) => bytes <= heard,
            };
            when.take_if(has_come).is_some()
        };
        if due(&mut self.limit_switch) {
            machine.receive(now, b"");
            machine.press_limit_switch(now);
        }
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
