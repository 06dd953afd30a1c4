//! What single bytes do at once, whatever is in the buffers.

use std::time::Duration;

use super::planner::{Hold, Overrides};
use super::{Lock, VirtualGrbl};

/// How long the spindle is given to come back (`config.h`, `SAFETY_DOOR_SPINDLE_DELAY`).
const SPINDLE_UP: Duration = Duration::from_secs(4);

/// How far the safety door's procedure has come, and the S word to bring back.
#[derive(Debug, Clone, Copy)]
pub(super) enum Door {
    /// The head slows down.
    Retracting,
    /// It stands, the spindle is off; `~` goes on.
    Ready(f64),
    /// The spindle comes back.
    Restoring(Duration),
}

impl Door {
    pub(super) fn end(&self) -> Option<Duration> {
        match self {
            Self::Restoring(end) => Some(*end),
            Self::Retracting | Self::Ready(_) => None,
        }
    }
}

impl VirtualGrbl {
    pub(super) fn feed_hold(&mut self, now: Duration) {
        if self.jogging {
            self.cancel_jog(now);
        } else if self.lock == Lock::Free && !self.check && !self.sleep && self.homing.is_none() {
            self.planner.feed_hold(now);
        }
    }

    pub(super) fn cancel_jog(&mut self, now: Duration) {
        if self.jogging {
            self.planner.feed_hold(now);
            self.jog_cancelled = true;
        }
    }

    pub(super) fn cycle_start(&mut self, now: Duration) {
        if self.soft_limit || self.sleep {
            return;
        }
        match self.door {
            Some(Door::Ready(s)) => {
                self.planner.set_servo(now, s);
                let lasting = if s == 0.0 { Duration::ZERO } else { SPINDLE_UP };
                self.door = Some(Door::Restoring(now.saturating_add(lasting)));
                self.restore(now);
            }
            Some(_) => {}
            None => {
                if self.planner.hold == Hold::No {
                    self.paused = false;
                }
                self.planner.release(now);
            }
        }
    }

    /// No pin is wired: the door is closed again at once.
    pub(super) fn open_door(&mut self, now: Duration) {
        if self.homing.is_some() {
            self.fail_homing(now, 7);
        } else if self.lock == Lock::Free && !self.check && !self.sleep {
            self.say("[MSG:Check Door]");
            if self.door.is_none() {
                self.planner.feed_hold(now);
                self.door = Some(Door::Retracting);
                self.close_door(now);
            }
        }
    }

    /// Switches the spindle off once the head stands.
    pub(super) fn close_door(&mut self, now: Duration) {
        if matches!(self.door, Some(Door::Retracting)) && self.planner.hold != Hold::Slowing {
            self.door = Some(Door::Ready(self.gcode.speeds().0));
            self.planner.set_servo(now, 0.0);
        }
    }

    /// Goes on once the spindle is back.
    pub(super) fn restore(&mut self, now: Duration) -> bool {
        let is_due = matches!(self.door, Some(Door::Restoring(end)) if end <= now);
        if is_due {
            self.door = None;
            self.planner.release(now);
        }
        is_due
    }

    /// 0x90 to 0xa0: overrides in percent, within 10 to 200, and the coolant.
    pub(super) fn override_by(&mut self, now: Duration, byte: u8) {
        if byte == 0xa0 {
            self.gcode.toggle_flood();
            self.reports.1 = 0;
            return;
        }
        let before = self.planner.overrides();
        let by = |value: u8, step: i16| (i16::from(value) + step).clamp(10, 200).unsigned_abs() as u8;
        let Overrides { feed, rapid, spindle } = before;
        let after = match byte {
            0x90 => Overrides { feed: 100, ..before },
            0x91 => Overrides { feed: by(feed, 10), ..before },
            0x92 => Overrides { feed: by(feed, -10), ..before },
            0x93 => Overrides { feed: by(feed, 1), ..before },
            0x94 => Overrides { feed: by(feed, -1), ..before },
            0x95 => Overrides { rapid: 100, ..before },
            0x96 => Overrides { rapid: 50, ..before },
            0x97 => Overrides { rapid: 25, ..before },
            0x99 => Overrides { spindle: 100, ..before },
            0x9a => Overrides { spindle: by(spindle, 10), ..before },
            0x9b => Overrides { spindle: by(spindle, -10), ..before },
            0x9c => Overrides { spindle: by(spindle, 1), ..before },
            0x9d => Overrides { spindle: by(spindle, -1), ..before },
            _ => Overrides { rapid, ..before },
        };
        if after != before {
            self.planner.set_overrides(now, after);
            self.reports.1 = 0;
        }
    }

    /// 0x18, or a command that restarts the firmware.
    pub(super) fn reset(&mut self, now: Duration) {
        if self.homing.is_some() {
            return self.fail_homing(now, 6);
        }
        let lost = self.flush(now);
        if lost {
            self.say("ALARM:3");
        }
        if lost || self.sleep || self.lock != Lock::Free {
            self.lock = Lock::Alarm;
        }
        self.restart(now);
    }

    /// What a reset leaves of it; the banner follows.
    pub(super) fn restart(&mut self, now: Duration) {
        self.flush(now);
        (self.soft_limit, self.sleep, self.check) = (false, false, false);
        (self.paused, self.jogging, self.overlong, self.jog_cancelled) = (false, false, false, false);
        (self.comment, self.dwell, self.busy, self.door) = (None, None, None, None);
        self.homing = None;
        // What was asked before the restart is forgotten.
        self.status_asked = false;
        self.rx.clear();
        self.line.clear();
        self.work.clear();
        self.gcode.reset();
        self.planner.set_overrides(now, Overrides { feed: 100, rapid: 100, spindle: 100 });
        self.planner.set_servo(now, 0.0);
        self.reports = (0, 0);
        self.banner();
    }
}
