//! `?`: gnea/grbl 1.1h, `report.c`, `report_realtime_status`.

use std::time::Duration;

use super::planner::{Hold, Position};
use super::realtime::Door;
use super::{Lock, VirtualGrbl};
use traceur_core::units::FeedRate;

/// Reports from one `WCO` to the next, busy and idle (`config.h`).
const OFFSET_EVERY: (u8, u8) = (30, 10);
/// Reports from one `Ov` to the next, busy and idle.
const OVERRIDES_EVERY: (u8, u8) = (20, 10);
/// How far the homed place is off the switch; mm. A switch is pressed beyond.
const TOUCH: f64 = 1e-6;

impl VirtualGrbl {
    pub(super) fn report(&mut self, now: Duration) {
        let (position, speed) = self.planner.position(now);
        let state = self.state();
        let offset = self.gcode.work_offset();
        let mut text = if self.settings.reports_machine_position() {
            format!("<{state}|MPos:{}", triple(position))
        } else {
            format!("<{state}|WPos:{}", triple([0, 1, 2].map(|axis| position[axis] - offset[axis])))
        };
        if self.settings.reports_buffer() {
            text += &format!("|Bf:{},{}", self.planner.free(), self.rx_capacity - self.rx.len());
        }
        text += &format!("|FS:{},{:.0}", FeedRate::from_speed(speed), self.planner.servo());
        let pressed = self.pressed();
        if !pressed.is_empty() {
            text += &format!("|Pn:{pressed}");
        }
        let busy = !matches!(state, "Idle" | "Alarm" | "Check" | "Sleep");
        let every = |(busy_count, idle_count)| if busy { busy_count } else { idle_count };
        if self.reports.0 > 0 {
            self.reports.0 -= 1;
        } else {
            self.reports.0 = every(OFFSET_EVERY) - 1;
            // The overrides come with the next report.
            self.reports.1 = self.reports.1.max(1);
            text += &format!("|WCO:{}", triple(offset));
        }
        if self.reports.1 > 0 {
            self.reports.1 -= 1;
        } else {
            self.reports.1 = every(OVERRIDES_EVERY) - 1;
            let overrides = self.planner.overrides();
            text += &format!("|Ov:{},{},{}", overrides.feed, overrides.rapid, overrides.spindle);
            let accessories = self.gcode.accessories();
            if !accessories.is_empty() {
                text += &format!("|A:{accessories}");
            }
        }
        self.say(&format!("{text}>"));
    }

    fn state(&self) -> &'static str {
        match (self.lock, self.planner.hold) {
            (Lock::Alarm | Lock::Dead, _) => "Alarm",
            _ if self.sleep => "Sleep",
            _ if self.check => "Check",
            _ if self.homing.is_some() => "Home",
            _ if self.door.is_some() => match self.door {
                Some(Door::Restoring(_)) => "Door:3",
                Some(Door::Retracting) => "Door:2",
                _ => "Door:0",
            },
            _ if self.jog_cancelled => "Jog",
            (_, Hold::Slowing) => "Hold:1",
            (_, Hold::Still) => "Hold:0",
            _ if self.paused => "Hold:0",
            _ if self.planner.is_moving() && self.jogging => "Jog",
            _ if self.planner.is_moving() => "Run",
            _ => "Idle",
        }
    }

    /// The letters of the limit switches that are pressed.
    fn pressed(&self) -> String {
        let place = self.planner.place();
        let is_pressed = |axis: usize| {
            let (switch, least) = self.switch(axis);
            if least { place[axis] <= switch + TOUCH } else { place[axis] >= switch - TOUCH }
        };
        let wired = self.has_switches && self.settings.homing();
        "XYZ".chars().enumerate().filter(|(axis, _)| wired && is_pressed(*axis)).map(|(_, c)| c).collect()
    }
}

fn triple(position: Position) -> String {
    format!("{:.3},{:.3},{:.3}", position[0], position[1], position[2])
}
