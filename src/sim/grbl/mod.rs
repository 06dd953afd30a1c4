//! A virtual GRBL 1.1h plotter: bytes and time in, replies and a trace out.
//!
//! Behaves as gnea/grbl 1.1h does when compiled for the host, as far as a driver can see: the receive buffer drops
//! what does not fit without a word, lines behind an error still run, nothing is parsed while the feed is held,
//! spindle words and dwells drain the planner. Not built: probing, tool length offsets, laser mode (`$32`), inches in
//! reports (`$13`), hard limits (`$21`) but by a fault, and the bytes that a real board loses while it writes its EEPROM.

mod arc;
mod gcode;
mod homing;
mod planner;
mod ramp;
mod realtime;
mod report;
mod run;
mod settings;
mod system;
#[cfg(test)]
mod table_tests;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::time::Duration;

pub(super) use run::run_program;

use gcode::{Gcode, Work};
use homing::Homing;
use planner::{Hold, Planner, Position};
use realtime::Door;
use settings::{ARC_TOLERANCE, Settings};

use super::{MotionTrace, VirtualPlotter};
use traceur_core::machine::{Grbl, Profile};

/// Characters of a line, without spaces and comments.
const LINE: usize = 79;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lock {
    Free,
    /// G-code is refused until `$X` or `$H`.
    Alarm,
    /// Only 0x18 is heard.
    Dead,
}

/// See [`VirtualPlotter`]. A piece of its trace appears when it ends.
#[derive(Debug, Clone)]
pub struct VirtualGrbl {
    rx: VecDeque<u8>,
    rx_capacity: usize,
    dropped: usize,
    line: Vec<u8>,
    comment: Option<u8>,
    overlong: bool,
    gcode: Gcode,
    settings: Settings,
    /// What `$RST=$` brings back.
    defaults: Settings,
    /// `$N0` and `$N1`.
    start_up: [String; 2],
    planner: Planner,
    work: VecDeque<Work>,
    dwell: Option<Duration>,
    /// How long the processor takes for a line, and until when it is at one.
    line_time: Duration,
    busy: Option<Duration>,
    lock: Lock,
    check: bool,
    sleep: bool,
    door: Option<Door>,
    homing: Option<Homing>,
    has_switches: bool,
    jogging: bool,
    /// 0x85 was heard: when all stands still, the jog is forgotten.
    jog_cancelled: bool,
    /// The line that asked for it lies outside: an alarm follows when all stands still.
    soft_limit: bool,
    /// M0 holds until `~`.
    paused: bool,
    status_asked: bool,
    /// Reports until the next `WCO` and `Ov`.
    reports: (u8, u8),
    /// Where the last line that was parsed ends, not rounded to steps; mm.
    target: Position,
    output: Vec<u8>,
}

impl VirtualPlotter for VirtualGrbl {
    fn receive(&mut self, now: Duration, bytes: &[u8]) {
        self.advance(now);
        for byte in bytes {
            match byte {
                b'?' => self.status_asked = true,
                b'!' => self.feed_hold(now),
                b'~' => self.cycle_start(now),
                0x18 => self.reset(now),
                0x84 => self.open_door(now),
                0x85 => self.cancel_jog(now),
                0x90..=0xa0 => self.override_by(now, *byte),
                0x80.. => {}
                _ if self.rx.len() >= self.rx_capacity => self.dropped += 1,
                _ => self.rx.push_back(*byte),
            }
        }
        self.pump(now);
        // Requests coalesce. A dead machine reports nothing, and one that homes when it is done.
        if self.lock != Lock::Dead && self.homing.is_none() && std::mem::take(&mut self.status_asked) {
            self.report(now);
        }
    }

    fn poll_output(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.output)
    }

    fn next_wake(&self, now: Duration) -> Option<Duration> {
        let homing = self.homing.as_ref().map(|homing| homing.end);
        let door = self.door.as_ref().and_then(Door::end);
        [self.dwell, self.busy, homing, door, self.planner.next_wake()]
            .into_iter()
            .flatten()
            .min()
            .map(|wake| wake.max(now))
    }

    fn trace(&self) -> &MotionTrace {
        &self.planner.trace
    }

    fn lay_paper(&mut self, drawn: MotionTrace) {
        self.planner.trace = drawn;
    }

    /// `$21=1` and a switch: all stands at once (`limits.c`).
    fn press_limit_switch(&mut self, now: Duration) {
        self.alarm(now, 1);
    }
}

impl VirtualGrbl {
    /// A plotter that has just been switched on: its banner waits. One that homes is locked until it has, and its pen
    /// stands somewhere over the bed.
    #[must_use]
    pub fn new(profile: &Profile, grbl: &Grbl) -> Self {
        let settings = Settings::new(profile, grbl);
        let mut plotter = Self {
            rx: VecDeque::new(),
            rx_capacity: grbl.rx_buffer_bytes,
            dropped: 0,
            line: Vec::new(),
            comment: None,
            overlong: false,
            gcode: Gcode::new(),
            planner: Planner::new(profile, grbl, &settings),
            defaults: settings.clone(),
            settings,
            start_up: [String::new(), String::new()],
            work: VecDeque::new(),
            dwell: None,
            line_time: Duration::ZERO,
            busy: None,
            lock: Lock::Free,
            check: false,
            sleep: false,
            door: None,
            homing: None,
            has_switches: true,
            jogging: false,
            jog_cancelled: false,
            soft_limit: false,
            paused: false,
            status_asked: false,
            reports: (0, 0),
            target: [0.0; 3],
            output: Vec::new(),
        };
        if grbl.homing {
            plotter.lock = Lock::Alarm;
            plotter.stand_somewhere();
        }
        plotter.banner();
        plotter
    }

    /// Makes the processor as slow as a real one: about 1.5 ms a line on a board of 16 MHz.
    pub fn set_line_time(&mut self, line_time: Duration) {
        self.line_time = line_time;
    }

    /// Takes the limit switches away, so that homing fails.
    pub fn remove_switches(&mut self) {
        self.has_switches = false;
    }

    /// How many bytes did not fit in its receive buffer: 0 for a driver that counts.
    #[must_use]
    pub fn dropped_bytes(&self) -> usize {
        self.dropped
    }

    /// The share, 0 to 1, of its time in motion in which at most `blocks` were planned, the running one among them: the
    /// time in which its look-ahead starved.
    #[must_use]
    pub fn starved_share(&self, blocks: usize) -> f64 {
        self.planner.share_with_at_most(blocks)
    }

    /// Whether it has nothing to do: no motion, no dwell, no line waiting.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.planner.is_empty()
            && self.dwell.is_none()
            && self.busy.is_none()
            && self.homing.is_none()
            && self.work.is_empty()
            && self.rx.is_empty()
    }

    fn advance(&mut self, now: Duration) {
        while let Some(wake) = self.next_wake(Duration::ZERO).filter(|wake| *wake <= now) {
            let due = |time: &mut Option<Duration>| time.take_if(|time| *time <= wake).is_some();
            if !(due(&mut self.dwell) || due(&mut self.busy) || self.go_on_homing(wake) || self.restore(wake))
            {
                self.planner.advance(wake);
            }
            self.pump(wake);
        }
    }

    /// Runs the main loop until it must wait.
    fn pump(&mut self, now: Duration) {
        if self.jog_cancelled && self.planner.hold != Hold::Slowing {
            self.flush(now);
            self.work.retain(|work| matches!(work, Work::Say(_)));
            (self.jogging, self.jog_cancelled) = (false, false);
        }
        self.close_door(now);
        loop {
            if self.soft_limit {
                if self.planner.hold != Hold::Slowing {
                    self.alarm(now, 2);
                }
                return;
            }
            let suspended = self.planner.hold != Hold::No || self.paused || self.door.is_some();
            let waiting = self.dwell.is_some() || self.busy.is_some() || self.homing.is_some();
            if self.lock == Lock::Dead || self.sleep || suspended || waiting {
                return;
            }
            if let Some(work) = self.work.front() {
                match work {
                    Work::Drain if !self.planner.is_empty() => break,
                    Work::Move(..) if self.planner.is_full() => break,
                    _ => {}
                }
                if let Some(work) = self.work.pop_front() {
                    self.work_on(now, work);
                }
                continue;
            }
            self.jogging &= !self.planner.is_empty();
            let Some(byte) = self.rx.pop_front() else { break };
            self.take(now, byte);
        }
        // Motion begins when there is nothing more to read, or no room to put it.
        self.planner.start(now);
    }

    fn work_on(&mut self, now: Duration, work: Work) {
        match work {
            Work::Drain => {}
            Work::Say(text) => self.say(&text),
            Work::Move(target, _)
                if self.settings.soft_limits() && !self.jogging && self.is_outside(target) =>
            {
                self.soft_limit = true;
                self.planner.feed_hold(now);
            }
            _ if self.check => {}
            Work::Servo(s) => {
                self.planner.set_servo(now, s);
                self.reports.1 = 0;
            }
            Work::Dwell(lasting) => {
                let end = now.saturating_add(lasting);
                self.planner.dwell(now, end);
                self.dwell = Some(end);
            }
            Work::Move(target, speed) => {
                self.target = target;
                self.planner.push(now, target, speed);
            }
            Work::Pause => self.paused = true,
        }
    }

    /// `system.c`: machine space is all negative.
    fn is_outside(&self, target: Position) -> bool {
        let travel = self.settings.triple(130);
        (0..3).any(|axis| !(-travel[axis] - 1e-6..=1e-6).contains(&target[axis]))
    }

    /// Takes one byte out of the receive buffer, as `protocol_main_loop` does.
    fn take(&mut self, now: Duration, byte: u8) {
        if byte == b'\n' || byte == b'\r' {
            let line = std::mem::take(&mut self.line);
            self.comment = None;
            if std::mem::take(&mut self.overlong) {
                self.say("error:11");
            } else {
                self.line(now, &line);
            }
            return;
        }
        match (self.comment, byte) {
            (Some(b'('), b')') => self.comment = None,
            (Some(_), _) | (None, b'/' | 0..=b' ') => {}
            (None, b'(' | b';') => self.comment = Some(byte),
            (None, _) if self.line.len() >= LINE => self.overlong = true,
            (None, _) => self.line.push(byte.to_ascii_uppercase()),
        }
    }

    fn line(&mut self, now: Duration, line: &[u8]) {
        if !self.line_time.is_zero() {
            self.busy = Some(now.saturating_add(self.line_time));
        }
        if line.is_empty() {
            return self.say("ok");
        }
        let result = if let Some(rest) = line.strip_prefix(b"$") {
            self.system(now, rest)
        } else if self.lock == Lock::Alarm || self.jogging {
            Err(9)
        } else {
            let tolerance = self.settings.value(ARC_TOLERANCE);
            self.gcode.line(line, self.target, tolerance).map(|work| self.work.extend(work))
        };
        match result {
            Ok(()) => self.work.push_back(Work::Say("ok".into())),
            // It has been answered.
            Err(0) => {}
            Err(code) => self.say(&format!("error:{code}")),
        }
    }

    fn alarm(&mut self, now: Duration, code: u32) {
        self.soft_limit = false;
        self.flush(now);
        self.work.clear();
        self.lock = Lock::Dead;
        self.say(&format!("ALARM:{code}"));
        self.say("[MSG:Reset to continue]");
    }

    fn flush(&mut self, now: Duration) -> bool {
        let moving = self.planner.flush(now);
        self.target = self.planner.planned();
        moving
    }

    fn banner(&mut self) {
        self.say("\r\nGrbl 1.1h ['$' for help]");
        if self.lock == Lock::Alarm {
            self.say("[MSG:'$H'|'$X' to unlock]");
        } else {
            self.run_start_up_lines();
        }
    }

    fn say(&mut self, text: &str) {
        self.output.extend_from_slice(text.as_bytes());
        self.output.extend_from_slice(b"\r\n");
    }
}
