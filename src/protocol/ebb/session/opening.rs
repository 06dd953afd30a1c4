//! Who is there, and what must be known before anything moves.

use std::time::Duration;

use super::{GREETINGS, POWER_POLL, Phase, Session};
use crate::ebb::asked::Asked;
use crate::ebb::reply::Reply;
use crate::{Event, Fault};
use traceur_core::machine::{Syntax, Version};

/// What marks a board whose pen heights are set, as AxiDraw's software does.
pub(super) const MARK: u8 = 1;

impl Session {
    pub(super) fn greet(&mut self) {
        self.core.send(b"V\r");
    }

    pub(super) fn greet_again(&mut self, now: Duration) {
        let Phase::Greeting { times } = self.core.phase else { return };
        if times == GREETINGS {
            return self.core.fault(Fault::NoAnswer);
        }
        self.core.enter(now, Phase::Greeting { times: times + 1 });
        self.greet();
    }

    /// Only its version is of interest: all else is left from before.
    pub(super) fn handle_greeting(&mut self, now: Duration, reply: &Reply) {
        let Reply::Line(line) = reply else { return };
        let Some((_, version)) = line.split_once("EB Firmware Version ") else { return };
        let named = line.starts_with("V,");
        let wanted = self.ebb.syntax == Syntax::Future && !named;
        self.future = named;
        let Some(version) = Version::parse(version) else { return };
        if self.version == version && wanted {
            // It said so before, and does not change its syntax.
            return;
        }
        if self.version != version {
            self.version = version;
            self.core.tell(Event::Connected { banner: line.trim_start_matches("V,").to_owned() });
            if version < self.ebb.min_firmware {
                return self.core.fault(Fault::OldFirmware { version, least: self.ebb.min_firmware });
            }
            if wanted && version >= Version(3, 0, 0) {
                // Its answer is an empty line; that of V shows that the syntax is in force.
                self.core.send(b"CU,10,1\r");
                return self.greet();
            }
        }
        self.prepare(now);
    }

    fn prepare(&mut self, now: Duration) {
        let mark = self.mark;
        let mut ask = |line: String, asked| self.to_prepare.push_back((line, asked));
        let least = self.ebb.motor_power_least;
        if self.version >= Version(3, 0, 0) {
            // A longer queue would not tell what has ended, and would make a pause late.
            ask("CU,4,1".into(), Asked::Setting);
            if least > 0 {
                ask(format!("CU,60,{least}"), Asked::Setting);
            }
        }
        ask("QC".into(), Asked::Power);
        ask("QL".into(), Asked::Mark);
        ask(format!("SL,{mark}"), Asked::Setting);
        self.last_progress = now;
        self.next_power_poll = now + POWER_POLL;
        self.core.enter(now, Phase::Preparing);
    }
}
