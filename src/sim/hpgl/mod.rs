//! A virtual HP-GL plotter: bytes and time in, answers and a trace out.
//!
//! Behaves as the HP 7475A does by its manual, as far as a driver can see, and as others by their profile: a buffer that
//! overflows (`ESC.E` 16), device control that is heard at once, instructions that are taken from the buffer one
//! coordinate pair at a time as the pen gets there, errors by number after which it goes on, hard clip limits at which
//! the pen lifts, a carousel. Each vector goes from stop to stop. Characters are boxes, not letters ([`letters`]).
//!
//! Answers take no time but for the delays of `ESC.M` and `ESC.N`. Not built: the monitor mode, extended error 18 of Roland's
//! DPX ("other": what raises it is not known), plotter off (its rear switch is at D), polygon mode and downloadable characters of larger models (told as a warning),
//! pen force.

mod carriage;
mod drafter;
mod escape;
mod execute;
mod letters;
mod parser;
mod run;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod wire_tests;

use std::collections::VecDeque;
use std::time::Duration;

pub(super) use run::run_program;

use carriage::Carriage;
use drafter::Drafter;
use escape::{Control, EscapeParser, Heard, Pacing, Settings};
use letters::Letters;
use parser::{Mnemonic, Parser, Step};

use super::{MotionTrace, VirtualPlotter};
use traceur_core::geometry::Point;
use traceur_core::machine::{Hpgl, Paper, Profile};

/// Distinct objections that are kept.
const OBJECTIONS: usize = 50;

/// See [`VirtualPlotter`]. A vector is in its trace as soon as it begins.
#[derive(Debug, Clone)]
pub struct VirtualHpgl {
    hpgl: Hpgl,
    /// Speeds and accelerations of the profile: draw speed, acceleration.
    limits: [f64; 2],
    rx: VecDeque<u8>,
    /// Bytes at the end of `rx` that wait for `ESC.E` in block mode.
    held: usize,
    ear: EscapeParser,
    settings: Settings,
    parser: Parser,
    steps: VecDeque<Step>,
    drafter: Drafter,
    letters: Letters,
    carriage: Carriage,
    /// Until when the mechanics are busy.
    free_at: Duration,
    output: Vec<u8>,
    /// What device control answers after its turnaround delay, and when.
    delayed: Option<(Duration, Vec<u8>)>,
    /// Xoff has been sent, Xon not yet.
    full: bool,
    /// DTR is up: the host may send.
    ready: bool,
    /// Places in the carousel without a pen.
    empty_stalls: Vec<u32>,
    /// An enquiry waits for a block of room.
    enquired: bool,
    /// `ESC.L` waits for an empty buffer.
    length_asked: bool,
    view: bool,
    lever_up: bool,
    /// First error since `OE`; 0: none.
    error: u8,
    /// `IM`: which errors count.
    error_mask: u32,
    scaling_points_changed: bool,
    initialized: bool,
    digitized: Option<(Point, bool)>,
    symbol: Option<u8>,
    /// `TL`; percent.
    ticks: [f64; 2],
    objections: Vec<(Mnemonic, u8, usize)>,
}

impl VirtualPlotter for VirtualHpgl {
    fn receive(&mut self, now: Duration, bytes: &[u8]) {
        self.pump(now);
        self.free_at = self.free_at.max(now.min(self.idle_since(now)));
        for byte in bytes {
            match self.ear.hear(*byte) {
                Heard::Part => {}
                Heard::Control(control) => self.control(now, &control),
                Heard::Broken(code) => self.settings.fail(code),
                Heard::Data => self.data(*byte),
            }
            self.pump(now);
        }
    }

    fn poll_output(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.output)
    }

    fn next_wake(&self, now: Duration) -> Option<Duration> {
        let busy = (self.free_at > now && !self.view).then_some(self.free_at);
        busy.into_iter().chain(self.delayed.as_ref().map(|(due, _)| *due)).min()
    }

    fn trace(&self) -> &MotionTrace {
        &self.carriage.trace
    }

    fn is_ready(&self) -> bool {
        self.ready
    }

    fn lay_paper(&mut self, drawn: MotionTrace) {
        self.carriage.trace = drawn;
    }
}

impl VirtualHpgl {
    /// A plotter that has just been switched on, with its largest sheet loaded and a pen put in by hand. Where `PS` can't
    /// tell it of another, the sheet is as large as any that it takes.
    #[must_use]
    pub fn new(profile: &Profile, hpgl: &Hpgl) -> Self {
        let mut paper = hpgl.largest_paper().cloned().unwrap_or_else(|| no_paper(profile, hpgl));
        if !hpgl.knows("PS") {
            for other in &hpgl.papers {
                paper.x_range = union(paper.x_range, other.x_range);
                paper.y_range = union(paper.y_range, other.y_range);
            }
        }
        let drafter = Drafter::new(hpgl, paper);
        let at = drafter.to_sheet(drafter.at);
        Self {
            hpgl: hpgl.clone(),
            limits: [profile.limits.draw_speed, profile.limits.acceleration],
            rx: VecDeque::new(),
            held: 0,
            ear: EscapeParser::default(),
            settings: Settings::new(hpgl.buffer_bytes),
            parser: Parser::default(),
            steps: VecDeque::new(),
            drafter,
            letters: Letters::new(),
            carriage: Carriage::new(profile, hpgl, at),
            free_at: Duration::ZERO,
            output: Vec::new(),
            delayed: None,
            full: false,
            ready: true,
            empty_stalls: Vec::new(),
            enquired: false,
            length_asked: false,
            view: false,
            lever_up: false,
            error: 0,
            error_mask: 223,
            scaling_points_changed: false,
            initialized: true,
            digitized: None,
            symbol: None,
            ticks: [0.5, 0.5],
            objections: Vec::new(),
        }
    }

    /// Presses VIEW, or presses it again to go on. The vector at hand is finished first.
    pub fn press_view(&mut self, now: Duration) {
        self.pump(now);
        self.view = !self.view;
        self.free_at = self.free_at.max(now);
        self.pump(now);
    }

    /// Raises the paper lever, or lowers it.
    pub fn move_lever(&mut self, now: Duration, up: bool) {
        self.pump(now);
        self.lever_up = up;
    }

    /// Takes the pen out of a place in the carousel.
    pub fn empty_stall(&mut self, place: u32) {
        self.empty_stalls.push(place);
    }

    /// A byte comes with a wrong parity or stop bit, and is lost.
    pub fn break_byte(&mut self, now: Duration) {
        self.pump(now);
        self.settings.fail(15);
    }

    /// A byte comes at another baud rate, and is lost: Roland's DPX has an error of its own for that.
    pub fn mistune_byte(&mut self, now: Duration) {
        self.pump(now);
        self.settings.fail(if self.is_dpx() { 17 } else { 15 });
    }

    fn is_dpx(&self) -> bool {
        self.hpgl.identity.starts_with("DPX")
    }

    /// Presses ENTER: the pen's place is a digitized point.
    pub fn press_enter(&mut self, now: Duration) {
        self.pump(now);
        self.digitized = Some((self.drafter.to_host(self.carriage.at), self.carriage.down));
    }

    /// Bytes that the buffer still takes.
    fn free(&self) -> usize {
        self.settings.size.saturating_sub(self.rx.len())
    }

    fn is_idle(&self, now: Duration) -> bool {
        self.rx.is_empty() && self.steps.is_empty() && self.carriage.moves.is_empty() && self.free_at <= now
    }

    /// `now` when nothing is being done: what comes in begins now. Else the begin of time, which changes nothing.
    fn idle_since(&self, now: Duration) -> Duration {
        if self.free_at <= now { now } else { Duration::ZERO }
    }

    /// Does what there is to do until `now`.
    fn pump(&mut self, now: Duration) {
        while self.free_at <= now && !self.view {
            if let Some(end) = self.carriage.begin(self.free_at) {
                self.free_at = end;
            } else if let Some(step) = self.steps.pop_front() {
                self.execute(step);
                self.carriage.moves.extend(self.drafter.moves.drain(..));
            } else if self.rx.len() > self.held {
                if let Some(byte) = self.rx.pop_front() {
                    self.parser.push(byte, &mut self.steps);
                }
            } else {
                break;
            }
        }
        self.pace(now);
    }

    /// Says what the room in the buffer, or its emptiness, lets it say.
    fn pace(&mut self, now: Duration) {
        self.let_out(now);
        // The level at which DTR falls is the usual one of Xoff; a buffer smaller than that has less. Not verified.
        let low = self.settings.block.min(self.settings.size / 4);
        let level = if self.ready { low } else { self.settings.xon_room() - 1 };
        self.ready = !self.settings.hardwire || self.free() > level;
        if let Pacing::Xon { xon } = &self.settings.pacing {
            if self.full && self.free() >= self.settings.xon_room() {
                self.full = false;
                self.output.extend_from_slice(xon);
            }
        } else {
            self.full = false;
        }
        if self.enquired && self.free() >= self.settings.block.min(self.settings.size) {
            self.enquired = false;
            if let Pacing::Enquiry { ack, .. } = &self.settings.pacing {
                self.output.extend_from_slice(ack);
            }
        }
        if self.length_asked && self.is_idle(now) {
            self.length_asked = false;
            let size = self.hpgl.buffer_bytes;
            self.reply(now, &size.to_string());
        }
    }

    fn data(&mut self, byte: u8) {
        match &self.settings.pacing {
            Pacing::Enquiry { enq, .. } if byte == *enq => {
                self.enquired = true;
                return;
            }
            Pacing::Dummy | Pacing::Xon { .. } if byte == 5 => return self.output.push(6),
            _ => {}
        }
        if self.free() == 0 {
            return self.settings.fail(16);
        }
        self.rx.push_back(byte);
        if self.settings.block_mode {
            self.held += 1;
        }
        if matches!(self.settings.pacing, Pacing::Xon { .. })
            && !self.full
            && self.free() <= self.settings.block
            && !self.settings.xoff.is_empty()
        {
            self.full = true;
            self.output.extend_from_slice(&self.settings.xoff);
        }
    }

    fn control(&mut self, now: Duration, control: &Control) {
        match control.letter {
            b'B' => self.reply(now, &self.free().to_string()),
            b'E' => {
                let error = std::mem::take(&mut self.settings.error);
                if error >= 10 && self.held > 0 {
                    self.rx.truncate(self.rx.len() - self.held);
                }
                self.held = 0;
                self.reply(now, &error.to_string());
            }
            b'K' => self.abort(),
            b'J' => {
                self.output.clear();
                self.delayed = None;
                (self.enquired, self.length_asked) = (false, false);
            }
            b'L' => self.length_asked = true,
            // Roland's own question for the model.
            b'A' if self.is_dpx() => self.reply(now, &self.hpgl.identity.clone()),
            b'A' => self.settings.fail(11),
            b'O' => {
                let state = if self.is_idle(now) { 8 } else { 0 };
                let state = state + if self.view { 16 } else { 0 } + if self.lever_up { 32 } else { 0 };
                self.reply(now, &state.to_string());
            }
            _ => {
                self.settings.set(control, self.hpgl.buffer_bytes);
                if control.letter == b'@' || control.letter == b'R' {
                    self.held = self.held.min(self.rx.len());
                }
            }
        }
    }

    /// Throws the buffer away; the vector at hand is finished.
    fn abort(&mut self) {
        self.rx.clear();
        self.held = 0;
        self.parser.reset();
        self.steps.clear();
        self.carriage.moves.clear();
        self.drafter.forget(self.carriage.at, self.carriage.down);
    }

    /// Answers device control, after the turnaround delay. What asks again before that is refused.
    fn reply(&mut self, now: Duration, text: &str) {
        if self.delayed.is_some() {
            return self.settings.fail(10);
        }
        if self.settings.turnaround.is_zero() && self.settings.spacing.is_zero() {
            return self.say(text);
        }
        self.delayed = Some((now + self.settings.turnaround, Vec::new()));
        self.say(text);
    }

    /// Answers now, or behind what is under way.
    fn say(&mut self, text: &str) {
        let answer = [text.as_bytes(), &self.settings.terminator].concat();
        match &mut self.delayed {
            Some((_, waiting)) => waiting.extend(answer),
            None if self.settings.spacing.is_zero() => self.output.extend(answer),
            None => self.delayed = Some((self.free_at, answer)),
        }
    }

    /// Lets out what is due of a delayed answer: all, or as many characters as had their delay.
    fn let_out(&mut self, now: Duration) {
        while let Some((due, answer)) = self.delayed.as_mut().filter(|(due, _)| *due <= now) {
            if self.settings.spacing.is_zero() || answer.len() < 2 {
                self.output.append(answer);
                self.delayed = None;
            } else {
                self.output.push(answer.remove(0));
                *due += self.settings.spacing;
            }
        }
    }

    /// The pen that is fetched for this place: of empty ones, the next that is not. 0: none.
    fn stall(&self, place: u32) -> u32 {
        let pens = self.hpgl.pens;
        let places = (place..=pens).chain(1..place);
        if place == 0 {
            0
        } else {
            places.into_iter().find(|place| !self.empty_stalls.contains(place)).unwrap_or(0)
        }
    }

    /// Notes error `code` of an instruction, and goes on.
    fn fail(&mut self, code: u8, name: Mnemonic) {
        let bit = 1_u32 << (code.clamp(1, 8) - 1);
        if self.error == 0 && self.error_mask & bit != 0 {
            self.error = code;
        }
        self.object(name, code);
    }

    /// Tells of something that a reader of the trace should know; code 0: not simulated.
    fn object(&mut self, name: Mnemonic, code: u8) {
        let known = self.objections.iter().position(|(other, old, _)| (*other, *old) == (name, code));
        let index = match known {
            Some(index) => index,
            None if self.objections.len() == OBJECTIONS => return,
            None => {
                self.objections.push((name, code, 0));
                self.carriage.trace.warnings.push(String::new());
                self.objections.len() - 1
            }
        };
        let objection = &mut self.objections[index];
        objection.2 += 1;
        let shown: String =
            name.iter().map(|b| if b.is_ascii_graphic() { char::from(*b) } else { '?' }).collect();
        let times = if objection.2 == 1 { String::new() } else { format!(", {} times", objection.2) };
        let text = match code {
            0 => format!("`{shown}`: this plotter has it, but it is not simulated{times}"),
            _ => format!("`{shown}`: error {code} ({}){times}", meaning(code)),
        };
        // A paper that was laid in later has warnings of its own before these.
        let warnings = &mut self.carriage.trace.warnings;
        let first = warnings.len().saturating_sub(self.objections.len());
        if let Some(warning) = warnings.get_mut(first + index) {
            *warning = text;
        }
    }
}

fn union(a: [i32; 2], b: [i32; 2]) -> [i32; 2] {
    [a[0].min(b[0]), a[1].max(b[1])]
}

/// What errors mean; the simulator's own words, as it shares nothing with the driver.
fn meaning(code: u8) -> &'static str {
    match code {
        1 => "no such instruction",
        2 => "wrong number of parameters",
        3 => "a parameter out of range",
        5 => "no such character set",
        6 => "a position beyond what numbers hold",
        8 => "a vector with the paper lever up",
        _ => "see the plotter's manual",
    }
}

/// For a profile without sheets, which [`Profile::parse`] refuses.
fn no_paper(profile: &Profile, hpgl: &Hpgl) -> Paper {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a bed is 10 m at most, a unit a thousandth of a mm at least"
    )]
    let units = |mm: f64| (mm / hpgl.unit) as i32;
    Paper {
        name: "bed".into(),
        width: profile.bed.width,
        height: profile.bed.height,
        x_range: [0, units(profile.bed.width)],
        y_range: [0, units(profile.bed.height)],
        origin: [0.0, 0.0],
        p1: None,
        p2: None,
        ps: None,
        upside_down: false,
        note: String::new(),
    }
}
