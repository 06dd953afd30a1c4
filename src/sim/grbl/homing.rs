//! `$H`: gnea/grbl 1.1h, `limits.c`, `limits_go_home`, with a switch at one end of each axis.

use std::time::Duration;

use super::planner::Position;
use super::{Lock, VirtualGrbl};

/// Travels of the longest axis after which the search for a switch is given up.
const SEARCH: f64 = 1.5;
/// Pull-offs after which the slow search is given up.
const LOCATE: f64 = 5.0;
/// Between the motions of a search (`$26`); s.
const DEBOUNCE: f64 = 0.25;

/// A search for the switches that is under way.
#[derive(Debug, Clone)]
pub(super) struct Homing {
    /// When its present part ends.
    pub(super) end: Duration,
    /// What is left to do: the place that is reached, and how long that takes.
    parts: Vec<(Position, f64)>,
    begin: Duration,
    /// The switches are missing.
    fails: bool,
}

impl VirtualGrbl {
    /// Places the head where a person left it when the power went.
    pub(super) fn stand_somewhere(&mut self) {
        let zero = self.homed();
        self.planner.drag([60.0, 40.0, 0.0], Duration::ZERO, Duration::ZERO);
        self.planner.trace.pieces.clear();
        self.planner.call([0.0; 3]);
        // A person once made the page's corner, where X and Y home, and the paper the zero of G54.
        self.gcode.set_zero([zero[0], zero[1], zero[2] - self.top()]);
        self.target = self.planner.planned();
    }

    /// The place over the page's corner of an axis' switch, and whether it is at the axis' least end; mm. The homed place
    /// of X and Y is the corner; Z is homed at its top.
    pub(super) fn switch(&self, axis: usize) -> (f64, bool) {
        let (pull_off, travel) = (self.settings.value(27), self.settings.triple(130)[axis]);
        match (axis, self.settings.homes_to_least(axis)) {
            (2, false) => (self.top() + pull_off, false),
            (2, true) => (self.top() + pull_off - travel, true),
            (_, true) => (-pull_off, true),
            (_, false) => (travel - pull_off, false),
        }
    }

    /// Where Z stands when it is homed, above the paper; mm.
    fn top(&self) -> f64 {
        self.settings.triple(130)[2].min(20.0)
    }

    /// What the machine calls the place where it is homed; mm.
    fn homed(&self) -> Position {
        let (pull_off, travel) = (self.settings.value(27), self.settings.triple(130));
        [0, 1, 2].map(
            |axis| {
                if self.settings.homes_to_least(axis) { pull_off - travel[axis] } else { -pull_off }
            },
        )
    }

    pub(super) fn begin_homing(&mut self, now: Duration) -> Result<(), u32> {
        if !self.settings.homing() {
            return Err(5);
        }
        self.lock = Lock::Free;
        let (approach, seek) = self.settings.homing_speeds();
        let pull_off = self.settings.value(27);
        let mut place = self.planner.place();
        let mut parts = Vec::new();
        if self.has_switches {
            // Z first, out of the way, then X and Y at once.
            for axes in [&[2][..], &[0, 1]] {
                let before = place;
                let far = |place: &Position| {
                    axes.iter().map(|axis| (place[*axis] - before[*axis]).abs()).fold(0.0, f64::max)
                };
                axes.iter().for_each(|axis| place[*axis] = self.switch(*axis).0);
                parts.push((place, far(&place) / seek + DEBOUNCE));
                let switch = place;
                for axis in axes {
                    place[*axis] += if self.switch(*axis).1 { pull_off } else { -pull_off };
                }
                parts.push((place, pull_off / seek + DEBOUNCE));
                parts.push((switch, pull_off / approach + DEBOUNCE));
                parts.push((place, pull_off / seek + DEBOUNCE));
            }
        } else {
            let travel = self.settings.triple(130)[2];
            parts.push((place, SEARCH.max(LOCATE * pull_off / travel) * travel / seek));
        }
        parts.reverse();
        self.homing = Some(Homing { end: now, begin: now, parts, fails: !self.has_switches });
        // Its first part begins at once.
        self.next_part(now);
        Ok(())
    }

    /// Ends a part of the search whose time has come.
    pub(super) fn go_on_homing(&mut self, now: Duration) -> bool {
        let Some(homing) = self.homing.as_mut().filter(|homing| homing.end <= now) else { return false };
        let end = homing.end;
        let Some((place, _)) = homing.parts.pop() else { return false };
        self.planner.drag(place, homing.begin, end);
        if homing.parts.is_empty() {
            if homing.fails {
                self.fail_homing(end, 9);
            } else {
                self.end_homing(end);
            }
        } else {
            self.next_part(end);
        }
        true
    }

    fn next_part(&mut self, now: Duration) {
        let Some(homing) = &mut self.homing else { return };
        let seconds = homing.parts.last().map_or(0.0, |(_, seconds)| *seconds);
        let lasting = Duration::try_from_secs_f64(seconds).unwrap_or_default();
        (homing.begin, homing.end) = (now, now.saturating_add(lasting));
    }

    fn end_homing(&mut self, now: Duration) {
        let homed = self.homed();
        self.planner.call(homed);
        self.target = homed;
        // A `?` that came meanwhile is answered before the state changes.
        if std::mem::take(&mut self.status_asked) {
            self.report(now);
        }
        self.homing = None;
        self.run_start_up_lines();
    }

    /// ALARM 6 by a reset, 7 by the door, 9 without a switch: each followed by the `ok` of `$H`, and a restart.
    pub(super) fn fail_homing(&mut self, now: Duration, code: u32) {
        self.homing = None;
        self.status_asked = false;
        self.say(&format!("ALARM:{code}"));
        self.say("ok");
        self.lock = Lock::Alarm;
        self.restart(now);
    }
}
