//! A virtual GRBL 1.1h plotter: bytes and time in, replies and a trace out.
//!
//! Behaves as gnea/grbl 1.1h does when compiled for the host, as far as a driver can see: the receive buffer drops
//! what does not fit without a word, lines behind an error still run, nothing is parsed while the feed is held,
//! spindle words and dwells drain the planner. Its processor is infinitely fast. Not built: probing, the safety door,
//! overrides, and switches (homing takes no time and ends at the origin).

mod arc;
mod gcode;
mod planner;
mod run;
mod settings;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::time::Duration;

pub(super) use run::run_program;

use gcode::{Gcode, Work};
use planner::{Hold, Planner, Position};
use settings::Settings;

use super::{MotionTrace, VirtualPlotter};
use crate::machine::{Grbl, Profile};

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
    planner: Planner,
    work: VecDeque<Work>,
    dwell: Option<Duration>,
    lock: Lock,
    check: bool,
    sleep: bool,
    jogging: bool,
    /// The line that asked for it lies outside: an alarm follows when all stands still.
    soft_limit: bool,
    /// M0 holds until `~`.
    paused: bool,
    status_asked: bool,
    reports: u32,
    bed: [f64; 2],
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
                0x85 if self.jogging => {
                    self.flush(now);
                    self.work.clear();
                    self.jogging = false;
                }
                0x80.. => {}
                _ if self.rx.len() >= self.rx_capacity => self.dropped += 1,
                _ => self.rx.push_back(*byte),
            }
        }
        self.pump(now);
        // Requests coalesce, and a dead machine reports nothing.
        if std::mem::take(&mut self.status_asked) && self.lock != Lock::Dead {
            self.report(now);
        }
    }

    fn poll_output(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.output)
    }

    fn next_wake(&self, now: Duration) -> Option<Duration> {
        match (self.dwell, self.planner.next_wake()) {
            (Some(dwell), Some(block)) => Some(dwell.min(block).max(now)),
            (dwell, block) => dwell.or(block).map(|wake| wake.max(now)),
        }
    }

    fn trace(&self) -> &MotionTrace {
        &self.planner.trace
    }

    fn lay_paper(&mut self, drawn: MotionTrace) {
        self.planner.trace = drawn;
    }
}

impl VirtualGrbl {
    /// A plotter that has just been switched on: its banner waits.
    #[must_use]
    pub fn new(profile: &Profile, grbl: &Grbl) -> Self {
        let mut plotter = Self {
            rx: VecDeque::new(),
            rx_capacity: grbl.rx_buffer_bytes,
            dropped: 0,
            line: Vec::new(),
            comment: None,
            overlong: false,
            gcode: Gcode::new(),
            settings: Settings::new(profile, grbl),
            planner: Planner::new(profile, grbl),
            work: VecDeque::new(),
            dwell: None,
            lock: Lock::Free,
            check: false,
            sleep: false,
            jogging: false,
            soft_limit: false,
            paused: false,
            status_asked: false,
            reports: 0,
            bed: [profile.bed.width, profile.bed.height],
            target: [0.0; 3],
            output: Vec::new(),
        };
        plotter.banner();
        plotter
    }

    /// How many bytes did not fit in its receive buffer: 0 for a driver that counts.
    #[must_use]
    pub fn dropped_bytes(&self) -> usize {
        self.dropped
    }

    /// Whether it has nothing to do: no motion, no dwell, no line waiting.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.planner.is_empty() && self.dwell.is_none() && self.work.is_empty() && self.rx.is_empty()
    }

    fn advance(&mut self, now: Duration) {
        while let Some(wake) = self.next_wake(Duration::ZERO).filter(|wake| *wake <= now) {
            if !self.planner.advance(wake) && self.dwell.is_some_and(|dwell| dwell <= wake) {
                self.dwell = None;
            }
            self.pump(wake);
        }
    }

    /// Runs the main loop until it must wait.
    fn pump(&mut self, now: Duration) {
        loop {
            if self.soft_limit {
                if self.planner.hold != Hold::Slowing {
                    self.alarm(now);
                }
                return;
            }
            if self.lock == Lock::Dead || self.sleep || self.planner.hold != Hold::No || self.paused {
                return;
            }
            if self.dwell.is_some() {
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
        self.planner.start(now);
    }

    fn work_on(&mut self, now: Duration, work: Work) {
        match work {
            Work::Drain => {}
            Work::Say(text) => self.say(&text),
            _ if self.check => {}
            Work::Servo(s) => self.planner.set_servo(now, s),
            Work::Dwell(lasting) => {
                let end = now.saturating_add(lasting);
                self.planner.dwell(now, end);
                self.dwell = Some(end);
            }
            Work::Move(target, speed) => {
                let outside = (0..2).any(|axis| !(-1e-6..=self.bed[axis] + 1e-6).contains(&target[axis]));
                if outside && self.settings.soft_limits() {
                    self.soft_limit = true;
                    self.planner.feed_hold(now);
                } else {
                    self.target = target;
                    self.planner.push(now, target, speed);
                }
            }
            Work::Pause => self.paused = true,
        }
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
        if line.is_empty() {
            return self.say("ok");
        }
        let result = if let Some(rest) = line.strip_prefix(b"$") {
            self.system(now, rest)
        } else if self.lock == Lock::Alarm || self.jogging {
            Err(9)
        } else {
            self.gcode.line(line, self.target).map(|work| self.work.extend(work))
        };
        match result {
            Ok(()) => self.work.push_back(Work::Say("ok".into())),
            Err(code) => self.say(&format!("error:{code}")),
        }
    }

    /// A `$` line, without its `$`.
    fn system(&mut self, now: Duration, rest: &[u8]) -> Result<(), u32> {
        let text = String::from_utf8_lossy(rest).into_owned();
        let idle = self.planner.is_empty();
        if let Some(jog) = text.strip_prefix("J=") {
            return self.jog(jog);
        }
        match text.as_str() {
            "" => self.say("[HLP:$$ $# $G $I $N $x=val $Nx=line $J=line $SLP $C $X $H ~ ! ? ctrl-x]"),
            "G" => {
                let (s, f) = self.gcode.speeds();
                self.say(&format!("[GC:G0 G54 G17 G21 G90 G94 M5 M9 T0 F{f:.0} S{s:.0}]"));
            }
            "X" => {
                if self.lock == Lock::Alarm {
                    self.lock = Lock::Free;
                    self.say("[MSG:Caution: Unlocked]");
                }
            }
            _ if !idle => return Err(8),
            "$" => {
                for line in self.settings.lines() {
                    self.say(&line);
                }
            }
            "I" => {
                self.say("[VER:1.1h.20190830:]");
                let line = format!("[OPT:V,{},{}]", self.planner.free(), self.rx_capacity);
                self.say(&line);
            }
            "#" => {
                let offset = triple(self.gcode.work_offset());
                self.say(&format!("[G54:{offset}]"));
            }
            "N" => {
                self.say("$N0=");
                self.say("$N1=");
            }
            "H" => {
                if !self.settings.homing() {
                    return Err(5);
                }
                self.lock = Lock::Free;
                self.work.push_back(Work::Move([0.0; 3], None));
                self.work.push_back(Work::Drain);
            }
            "C" => {
                self.check = !self.check;
                if self.check {
                    self.say("[MSG:Enabled]");
                } else {
                    self.say("[MSG:Disabled]");
                    self.reset(now);
                }
            }
            "SLP" => {
                self.say("[MSG:Sleeping]");
                self.sleep = true;
            }
            _ => return self.settings.set(&text),
        }
        Ok(())
    }

    /// `$J=`: one G1 with its own F, which leaves the modal state alone.
    fn jog(&mut self, text: &str) -> Result<(), u32> {
        if self.lock != Lock::Free {
            return Err(9);
        }
        if !self.planner.is_empty() && !self.jogging {
            return Err(8);
        }
        if !text.contains('F') {
            return Err(22);
        }
        let mut gcode = self.gcode.clone();
        let work = gcode.line(format!("G1{text}").as_bytes(), self.target)?;
        if !work.iter().all(|work| matches!(work, Work::Move(..))) {
            return Err(16);
        }
        self.jogging = true;
        self.work.extend(work);
        Ok(())
    }

    fn feed_hold(&mut self, now: Duration) {
        if self.lock == Lock::Free && !self.check {
            self.planner.feed_hold(now);
        }
    }

    fn cycle_start(&mut self, now: Duration) {
        if !self.soft_limit {
            if self.planner.hold == Hold::No {
                self.paused = false;
            }
            self.planner.release(now);
        }
    }

    fn reset(&mut self, now: Duration) {
        let lost = self.flush(now);
        (self.soft_limit, self.sleep, self.check) = (false, false, false);
        (self.paused, self.jogging, self.overlong) = (false, false, false);
        (self.comment, self.dwell) = (None, None);
        self.rx.clear();
        self.line.clear();
        self.work.clear();
        self.gcode.reset();
        self.planner.set_servo(now, 0.0);
        if lost {
            self.say("ALARM:3");
        }
        if lost || self.lock != Lock::Free {
            self.lock = Lock::Alarm;
        }
        self.banner();
    }

    fn alarm(&mut self, now: Duration) {
        self.soft_limit = false;
        self.flush(now);
        self.work.clear();
        self.lock = Lock::Dead;
        self.say("ALARM:2");
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
        }
    }

    fn report(&mut self, now: Duration) {
        let (position, speed) = self.planner.position(now);
        let state = match (self.lock, self.planner.hold) {
            (Lock::Alarm | Lock::Dead, _) => "Alarm",
            _ if self.sleep => "Sleep",
            _ if self.check => "Check",
            (_, Hold::Slowing) => "Hold:1",
            (_, Hold::Still) => "Hold:0",
            _ if self.paused => "Hold:0",
            _ if self.planner.is_moving() && self.jogging => "Jog",
            _ if self.planner.is_moving() => "Run",
            _ => "Idle",
        };
        let buffer = if self.settings.reports_buffer() {
            format!("|Bf:{},{}", self.planner.free(), self.rx_capacity - self.rx.len())
        } else {
            String::new()
        };
        let rate = crate::units::FeedRate::from_speed(speed);
        let offset = if self.reports.is_multiple_of(10) {
            format!("|WCO:{}", triple(self.gcode.work_offset()))
        } else {
            String::new()
        };
        self.reports = self.reports.wrapping_add(1);
        let s = self.gcode.speeds().0;
        self.say(&format!("<{state}|MPos:{}{buffer}|FS:{rate},{s:.0}{offset}>", triple(position)));
    }

    fn say(&mut self, text: &str) {
        self.output.extend_from_slice(text.as_bytes());
        self.output.extend_from_slice(b"\r\n");
    }
}

fn triple(position: Position) -> String {
    format!("{:.3},{:.3},{:.3}", position[0], position[1], position[2])
}
