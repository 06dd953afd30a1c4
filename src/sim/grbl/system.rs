//! `$` commands: gnea/grbl 1.1h, `system.c`.

use std::time::Duration;

use super::gcode::Work;
use super::planner::Hold;
use super::settings::ARC_TOLERANCE;
use super::{Lock, VirtualGrbl};

impl VirtualGrbl {
    /// A `$` line, without its `$`.
    pub(super) fn system(&mut self, now: Duration, rest: &[u8]) -> Result<(), u32> {
        let text = String::from_utf8_lossy(rest).into_owned();
        let idle = self.planner.is_empty() && !self.check;
        match text.as_bytes() {
            [] => self.say("[HLP:$$ $# $G $I $N $x=val $Nx=line $J=line $SLP $C $X $H ~ ! ? ctrl-x]"),
            [b'J', ..] => return self.jog(&text, idle),
            [b'$' | b'G' | b'C' | b'X', _, ..] => return Err(3),
            b"$" if !self.planner.is_empty() => return Err(8),
            b"$" => self.settings.lines().iter().for_each(|line| self.say(line)),
            b"G" => self.say(&self.gcode.modes()),
            b"C" if self.check => {
                self.say("[MSG:Disabled]");
                self.say("ok");
                self.restart(now);
                return Err(0);
            }
            b"C" if !idle || self.lock != Lock::Free => return Err(8),
            b"C" => {
                self.check = true;
                self.say("[MSG:Enabled]");
            }
            b"X" => {
                if self.lock == Lock::Alarm {
                    self.lock = Lock::Free;
                    self.say("[MSG:Caution: Unlocked]");
                }
            }
            _ if !idle => return Err(8),
            b"#" => self.gcode.parameters().iter().for_each(|line| self.say(line)),
            b"H" => return self.begin_homing(now),
            b"SLP" => {
                self.say("ok");
                self.say("[MSG:Sleeping]");
                self.planner.set_servo(now, 0.0);
                self.sleep = true;
                return Err(0);
            }
            b"I" => {
                self.say("[VER:1.1h.20190830:]");
                self.say(&format!("[OPT:V,{},{}]", self.planner.capacity(), self.rx_capacity));
            }
            b"N" => {
                for (index, line) in self.start_up.clone().iter().enumerate() {
                    self.say(&format!("$N{index}={line}"));
                }
            }
            [b'N', ..] => return self.store_start_up_line(&text[1..]),
            b"RST=$" | b"RST=#" | b"RST=*" => {
                if text != "RST=#" {
                    self.settings = self.defaults.clone();
                    self.planner.configure(&self.settings);
                }
                if text != "RST=$" {
                    self.gcode.forget_parameters();
                    self.start_up = [String::new(), String::new()];
                }
                self.say("[MSG:Restoring defaults]");
                self.say("ok");
                self.reset(now);
                return Err(0);
            }
            [b'#' | b'H' | b'S' | b'I' | b'R', ..] => return Err(3),
            _ => {
                self.settings.set(&text)?;
                self.planner.configure(&self.settings);
            }
        }
        Ok(())
    }

    fn jog(&mut self, text: &str, idle: bool) -> Result<(), u32> {
        if self.lock != Lock::Free || !(idle || self.jogging) || self.planner.hold != Hold::No {
            return Err(8);
        }
        let text = text.strip_prefix("J=").ok_or(3_u32)?;
        let tolerance = self.settings.value(ARC_TOLERANCE);
        let work = self.gcode.jog(text, self.target, tolerance)?;
        for work in &work {
            if let Work::Move(target, _) = work
                && self.settings.soft_limits()
                && self.is_outside(*target)
            {
                return Err(15);
            }
        }
        self.jogging = true;
        self.work.extend(work);
        Ok(())
    }

    /// `N0=…` and `N1=…`, without their N: stored when the line is right.
    fn store_start_up_line(&mut self, text: &str) -> Result<(), u32> {
        if self.lock != Lock::Free {
            return Err(8);
        }
        let (number, line) = text.split_once('=').ok_or(3_u32)?;
        let slot = match number {
            "0" => 0,
            "1" => 1,
            _ => return Err(if number.parse::<f64>().is_ok() { 3 } else { 2 }),
        };
        let tolerance = self.settings.value(ARC_TOLERANCE);
        let work = self.gcode.line(line.as_bytes(), self.target, tolerance)?;
        self.work.extend(work);
        self.start_up[slot] = line.into();
        Ok(())
    }

    /// After a start and after homing.
    pub(super) fn run_start_up_lines(&mut self) {
        let tolerance = self.settings.value(ARC_TOLERANCE);
        for line in self.start_up.clone().iter().filter(|line| !line.is_empty()) {
            let answer = match self.gcode.line(line.as_bytes(), self.target, tolerance) {
                Ok(work) => {
                    self.work.extend(work);
                    "ok".into()
                }
                Err(code) => format!("error:{code}"),
            };
            self.work.push_back(Work::Say(format!(">{line}:{answer}")));
        }
    }
}
