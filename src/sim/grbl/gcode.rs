//! GRBL's G-code parser: modal groups and error numbers as in gnea/grbl 1.1h `gcode.c`.

use std::collections::VecDeque;
use std::time::Duration;

use super::planner::Position;
use traceur_core::units::FeedRate;

/// What a line makes the machine do, in order.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Work {
    /// Wait until the planner is empty.
    Drain,
    /// The spindle's S word; 0 is off.
    Servo(f64),
    Dwell(Duration),
    /// A straight move; mm/s, `None` for the fastest.
    Move(Position, Option<f64>),
    /// M0: wait for `~`.
    Pause,
    /// The line's answer, or a push.
    Say(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Motion {
    Rapid,
    Line,
    Arc { clockwise: bool },
    Off,
}

/// Modal state.
#[derive(Debug, Clone)]
pub(super) struct Gcode {
    motion: Motion,
    inches: bool,
    relative: bool,
    inverse_time: bool,
    /// Axes of G17, G18, G19.
    plane: (usize, usize, usize),
    /// mm/min.
    feed: f64,
    s: f64,
    /// M3, M4 or M5.
    spindle: u32,
    flood: bool,
    tool: u32,
    /// G54 to G59.
    system: usize,
    systems: [Position; 6],
    /// G92.
    offset: Position,
    /// G28.1 and G30.1.
    homes: [Position; 2],
}

impl Gcode {
    pub(super) fn new() -> Self {
        Self {
            motion: Motion::Rapid,
            inches: false,
            relative: false,
            inverse_time: false,
            plane: (0, 1, 2),
            feed: 0.0,
            s: 0.0,
            spindle: 5,
            flood: false,
            tool: 0,
            system: 0,
            systems: [[0.0; 3]; 6],
            offset: [0.0; 3],
            homes: [[0.0; 3]; 2],
        }
    }

    /// What a reset leaves of it.
    pub(super) fn reset(&mut self) {
        *self = Self { systems: self.systems, homes: self.homes, ..Self::new() };
    }

    /// Work offset; mm.
    pub(super) fn work_offset(&self) -> Position {
        [0, 1, 2].map(|axis| self.systems[self.system][axis] + self.offset[axis])
    }

    /// S if the spindle is on, F in mm/min.
    pub(super) fn speeds(&self) -> (f64, f64) {
        (if self.spindle == 5 { 0.0 } else { self.s }, self.feed)
    }

    /// What a report's `A:` holds.
    pub(super) fn accessories(&self) -> String {
        let spindle = match self.spindle {
            3 => "S",
            4 => "C",
            _ => "",
        };
        format!("{spindle}{}", if self.flood { "F" } else { "" })
    }

    pub(super) fn toggle_flood(&mut self) {
        self.flood = !self.flood;
    }

    /// What `$G` prints.
    pub(super) fn modes(&self) -> String {
        let motion = match self.motion {
            Motion::Rapid => "G0",
            Motion::Line => "G1",
            Motion::Arc { clockwise: true } => "G2",
            Motion::Arc { clockwise: false } => "G3",
            Motion::Off => "G80",
        };
        let word = |letter, first: bool, a: u32, b: u32| format!("{letter}{}", if first { a } else { b });
        let plane = ["G17", "G18", "G19"][[0, 2, 1].iter().position(|a| *a == self.plane.0).unwrap_or(0)];
        format!(
            "[GC:{motion} G{} {plane} {} {} {} M{} {} T{} F{:.0} S{:.0}]",
            54 + self.system,
            word('G', self.inches, 20, 21),
            word('G', self.relative, 91, 90),
            word('G', self.inverse_time, 93, 94),
            self.spindle,
            word('M', self.flood, 8, 9),
            self.tool,
            self.feed,
            self.s,
        )
    }

    /// What `$#` prints.
    pub(super) fn parameters(&self) -> Vec<String> {
        let line = |name: String, position: &Position| {
            format!("[{name}:{:.3},{:.3},{:.3}]", position[0], position[1], position[2])
        };
        let mut lines: Vec<String> =
            (54..).zip(&self.systems).map(|(number, system)| line(format!("G{number}"), system)).collect();
        lines.extend([28, 30].iter().zip(&self.homes).map(|(number, home)| line(format!("G{number}"), home)));
        lines.push(line("G92".into(), &self.offset));
        lines.extend(["[TLO:0.000]".into(), "[PRB:0.000,0.000,0.000:0]".into()]);
        lines
    }

    /// What `$RST=#` forgets.
    pub(super) fn forget_parameters(&mut self) {
        (self.systems, self.homes) = ([[0.0; 3]; 6], [[0.0; 3]; 2]);
    }

    /// Makes `position` the zero of G54, as a person did once and the EEPROM keeps.
    pub(super) fn set_zero(&mut self, position: Position) {
        self.systems[0] = position;
    }

    /// Parses one line without spaces and comments, in capitals; `at` is where the last queued move ends, `tolerance` that
    /// of arcs; mm.
    pub(super) fn line(&mut self, text: &[u8], at: Position, tolerance: f64) -> Result<VecDeque<Work>, u32> {
        let block = Block::parse(text)?;
        // The modal state changes only if the whole line is right.
        let mut next = self.clone();
        let work = next.execute(block, at, tolerance)?;
        *self = next;
        Ok(work)
    }

    /// What follows `$J=`: one G1 with its own F, which leaves the modal state alone.
    pub(super) fn jog(&self, text: &str, at: Position, tolerance: f64) -> Result<VecDeque<Work>, u32> {
        let block = Block::parse(text.as_bytes())?;
        let forbidden = block.motion.is_some()
            || block.plane.is_some()
            || block.feed_mode.is_some()
            || block.system.is_some()
            || block.spindle.is_some()
            || block.flow.is_some()
            || block.flood.is_some()
            || block.ignored.contains(&true)
            || !matches!(block.action, None | Some(Action::Absolute));
        if block.words[usize::from(b'F' - b'A')].is_none_or(|feed| feed == 0.0) {
            return Err(22);
        }
        if b"STR".iter().any(|letter| block.words[usize::from(letter - b'A')].is_some()) {
            return Err(36);
        }
        if forbidden {
            return Err(16);
        }
        let mut jog = Self { motion: Motion::Line, inverse_time: false, ..self.clone() };
        jog.execute(Block { motion: Some(Motion::Line), ..block }, at, tolerance)
    }

    fn execute(&mut self, mut block: Block, at: Position, tolerance: f64) -> Result<VecDeque<Work>, u32> {
        let mut work = VecDeque::new();
        if block.take('N').is_some_and(|n| n > 10_000_000.0) {
            return Err(27);
        }
        if let Some(tool) = block.take('T') {
            self.tool = tool as u32;
        }
        match block.units {
            Some(20) => self.inches = true,
            Some(_) => self.inches = false,
            None => {}
        }
        let scale = if self.inches { 25.4 } else { 1.0 };
        if let Some(mode) = block.feed_mode {
            if self.inverse_time != (mode == 93) {
                self.feed = 0.0;
            }
            self.inverse_time = mode == 93;
        }
        let feed = block.take('F');
        if let Some(feed) = feed {
            self.feed = if self.inverse_time { feed } else { feed * scale };
        }
        let spindle = block.spindle.unwrap_or(self.spindle);
        if let Some(s) = block.take('S') {
            // A changed S waits for the planner to run dry, and so does a changed M, but not the same one again.
            if s != self.s && self.spindle != 5 {
                work.extend([Work::Drain, Work::Servo(s)]);
            }
            self.s = s;
        }
        if spindle != self.spindle {
            self.spindle = spindle;
            work.extend([Work::Drain, Work::Servo(self.speeds().0)]);
        }
        if let Some(flood) = block.flood
            && flood != self.flood
        {
            self.flood = flood;
            work.extend([Work::Drain, Work::Servo(self.speeds().0)]);
        }
        if block.action == Some(Action::Dwell) {
            let seconds = block.take('P').ok_or(28_u32)?.min(1e6);
            // `delay_sec` waits whole steps of 50 ms, in the arithmetic of 32 bits.
            let steps = (20.0 * seconds as f32).ceil();
            work.extend([Work::Drain, Work::Dwell(Duration::from_millis(50) * steps as u32)]);
        }
        match block.plane {
            Some(17) => self.plane = (0, 1, 2),
            Some(18) => self.plane = (2, 0, 1),
            Some(_) => self.plane = (1, 2, 0),
            None => {}
        }
        if let Some(system) = block.system {
            self.system = system;
        }
        if let Some(mode) = block.distance {
            self.relative = mode == 91;
        }
        let axes = ['X', 'Y', 'Z'].map(|letter| block.take(letter).map(|value| value * scale));
        let has_axes = axes.iter().any(Option::is_some);
        if let Some(motion) = block.motion {
            self.motion = motion;
        }
        let offset = self.work_offset();
        let absolute = matches!(block.action, Some(Action::Absolute));
        let target = [0, 1, 2].map(|axis| match axes[axis] {
            None => at[axis],
            Some(value) if absolute => value,
            Some(value) if self.relative => at[axis] + value,
            Some(value) => value + offset[axis],
        });
        match block.action {
            Some(Action::Absolute) if !matches!(self.motion, Motion::Rapid | Motion::Line) => return Err(30),
            None | Some(Action::Absolute | Action::Dwell) => {
                if has_axes || block.motion.is_some() {
                    self.travel(&mut block, &mut work, at, axes, target, feed, (scale, tolerance))?;
                }
            }
            Some(Action::SetSystem) => {
                if !has_axes {
                    return Err(26);
                }
                let (l, p) = (block.take('L'), block.take('P'));
                if l.is_none() && p.is_none() {
                    return Err(28);
                }
                let (l, p) = (l.unwrap_or(0.0), p.unwrap_or(0.0));
                if p >= 7.0 {
                    return Err(29);
                }
                if l != 2.0 && l != 20.0 {
                    return Err(20);
                }
                let index = (p as usize).checked_sub(1).unwrap_or(self.system);
                for axis in 0..3 {
                    if let Some(value) = axes[axis] {
                        self.systems[index][axis] =
                            if l == 2.0 { value } else { at[axis] - self.offset[axis] - value };
                    }
                }
            }
            Some(Action::SetOffset) => {
                if !has_axes {
                    return Err(26);
                }
                for axis in 0..3 {
                    if let Some(value) = axes[axis] {
                        self.offset[axis] = at[axis] - self.systems[self.system][axis] - value;
                    }
                }
            }
            Some(Action::ClearOffset) => self.offset = [0.0; 3],
            Some(Action::Home(index)) => {
                if has_axes {
                    work.push_back(Work::Move(target, None));
                }
                let home = self.homes[index];
                let to = [0, 1, 2]
                    .map(|axis| if has_axes && axes[axis].is_none() { at[axis] } else { home[axis] });
                work.push_back(Work::Move(to, None));
            }
            Some(Action::SetHome(index)) => self.homes[index] = at,
        }
        match block.flow {
            Some(0) => work.extend([Work::Drain, Work::Pause]),
            Some(2 | 30) => {
                self.motion = Motion::Line;
                (self.plane, self.system, self.relative, self.inverse_time) = ((0, 1, 2), 0, false, false);
                (self.spindle, self.flood) = (5, false);
                work.extend([Work::Drain, Work::Servo(0.0), Work::Say("[MSG:Pgm End]".into())]);
            }
            _ => {}
        }
        if block.has_left() { Err(36) } else { Ok(work) }
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one line, taken apart by its only caller")]
    fn travel(
        &mut self,
        block: &mut Block,
        work: &mut VecDeque<Work>,
        at: Position,
        axes: [Option<f64>; 3],
        target: Position,
        feed: Option<f64>,
        (scale, tolerance): (f64, f64),
    ) -> Result<(), u32> {
        let has_axes = axes.iter().any(Option::is_some);
        match self.motion {
            Motion::Off => return if has_axes { Err(31) } else { Ok(()) },
            Motion::Rapid => {
                if has_axes {
                    work.push_back(Work::Move(target, None));
                }
                return Ok(());
            }
            Motion::Line | Motion::Arc { .. } => {}
        }
        // GRBL asks for a feed before it looks at the axis words.
        if self.feed == 0.0 || (self.inverse_time && feed.is_none()) {
            return Err(22);
        }
        let mut path = vec![target];
        if let Motion::Arc { clockwise } = self.motion {
            if !has_axes {
                return Err(26);
            }
            let (a, b, _) = self.plane;
            if axes[a].is_none() && axes[b].is_none() {
                return Err(32);
            }
            let radius = block.take('R').map(|value| value * scale);
            let letters = ['I', 'J', 'K'];
            let centre = (radius.is_none())
                .then(|| (block.take(letters[a]), block.take(letters[b])))
                .filter(|(i, j)| i.is_some() || j.is_some())
                .map(|(i, j)| (i.unwrap_or(0.0) * scale, j.unwrap_or(0.0) * scale));
            path = super::arc::chords(at, target, self.plane, clockwise, centre, radius, tolerance)?;
        } else if !has_axes {
            return Ok(());
        }
        let length: f64 = std::iter::once(&at).chain(&path).zip(&path).map(|(p, q)| distance(*p, *q)).sum();
        let speed = if self.inverse_time {
            length * FeedRate::from_mm_per_min(self.feed).speed()
        } else {
            FeedRate::from_mm_per_min(self.feed).speed()
        };
        work.extend(path.into_iter().map(|point| Work::Move(point, Some(speed))));
        Ok(())
    }
}

fn distance(p: Position, q: Position) -> f64 {
    (0..3).map(|axis| (p[axis] - q[axis]).powi(2)).sum::<f64>().sqrt()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    Dwell,
    SetSystem,
    SetOffset,
    ClearOffset,
    Home(usize),
    SetHome(usize),
    Absolute,
}

/// The words of one line.
#[derive(Debug, Default)]
struct Block {
    words: [Option<f64>; 26],
    motion: Option<Motion>,
    wants_axes: bool,
    action: Option<Action>,
    plane: Option<u32>,
    distance: Option<u32>,
    feed_mode: Option<u32>,
    units: Option<u32>,
    system: Option<usize>,
    spindle: Option<u32>,
    flow: Option<u32>,
    flood: Option<bool>,
    ignored: [bool; 4],
}

impl Block {
    fn parse(text: &[u8]) -> Result<Self, u32> {
        let mut block = Self::default();
        let mut at = 0;
        while at < text.len() {
            let letter = text[at];
            if !letter.is_ascii_uppercase() {
                return Err(1);
            }
            let rest = &text[at + 1..];
            let sign = usize::from(matches!(rest.first(), Some(b'-' | b'+')));
            let digits = rest[sign..].iter().take_while(|c| c.is_ascii_digit() || **c == b'.').count();
            // GRBL reads a number up to a second point, which then is no letter.
            let value = std::str::from_utf8(&rest[..sign + digits]).ok().and_then(|number| {
                if number.bytes().any(|c| c.is_ascii_digit()) { number.parse::<f64>().ok() } else { None }
            });
            let value = value.filter(|value| value.is_finite()).ok_or(2_u32)?;
            at += 1 + sign + digits;
            match letter {
                b'G' => block.g(value)?,
                b'M' => block.m(value)?,
                b'F' | b'I' | b'J' | b'K' | b'L' | b'N' | b'P' | b'R' | b'S' | b'T' | b'X' | b'Y' | b'Z' => {
                    let word = &mut block.words[usize::from(letter - b'A')];
                    if word.is_some() {
                        return Err(25);
                    }
                    if letter == b'T' && value > 255.0 {
                        return Err(38);
                    }
                    if value < 0.0 && b"FNPST".contains(&letter) {
                        return Err(4);
                    }
                    *word = Some(value);
                }
                _ => return Err(20),
            }
        }
        Ok(block)
    }

    fn g(&mut self, value: f64) -> Result<(), u32> {
        let hundredths = (value * 100.0).round() as i64;
        let whole = u32::try_from(hundredths / 100).unwrap_or(u32::MAX);
        match hundredths {
            0 => self.go(Motion::Rapid),
            100 => self.go(Motion::Line),
            200 => self.go(Motion::Arc { clockwise: true }),
            300 => self.go(Motion::Arc { clockwise: false }),
            8000 => once(&mut self.motion, Motion::Off),
            1700 | 1800 | 1900 => once(&mut self.plane, whole),
            2000 | 2100 => once(&mut self.units, whole),
            9000 | 9100 => once(&mut self.distance, whole),
            9300 | 9400 => once(&mut self.feed_mode, whole),
            5400 | 5500 | 5600 | 5700 | 5800 | 5900 => once(&mut self.system, whole as usize - 54),
            400 => self.act(Action::Dwell),
            1000 => self.act_on_axes(Action::SetSystem),
            2800 => self.act_on_axes(Action::Home(0)),
            3000 => self.act_on_axes(Action::Home(1)),
            9200 => self.act_on_axes(Action::SetOffset),
            2810 => self.act(Action::SetHome(0)),
            3010 => self.act(Action::SetHome(1)),
            5300 => self.act(Action::Absolute),
            9210 => self.act(Action::ClearOffset),
            // Cutter compensation off, exact path, arc distance mode, tool length off: what GRBL does anyway.
            4000 => self.ignore(0),
            6100 => self.ignore(1),
            9110 => self.ignore(2),
            4900 => self.ignore(3),
            _ => Err(match whole {
                0..=4 | 10 | 17..=21 | 40 | 53..=59 | 80 | 93 | 94 => 23,
                _ => 20,
            }),
        }
    }

    /// Two commands that want the axis words are error 24, whatever their groups.
    fn go(&mut self, motion: Motion) -> Result<(), u32> {
        if std::mem::replace(&mut self.wants_axes, true) {
            return Err(24);
        }
        once(&mut self.motion, motion)
    }

    fn act_on_axes(&mut self, action: Action) -> Result<(), u32> {
        if std::mem::replace(&mut self.wants_axes, true) {
            return Err(24);
        }
        self.act(action)
    }

    fn m(&mut self, value: f64) -> Result<(), u32> {
        if value.fract() != 0.0 {
            return Err(23);
        }
        match value as i64 {
            m @ (0 | 1 | 2 | 30) => once(&mut self.flow, m as u32),
            m @ (3..=5) => once(&mut self.spindle, m as u32),
            m @ (8 | 9) => once(&mut self.flood, m == 8),
            // M7 is not compiled in.
            _ => Err(20),
        }
    }

    fn act(&mut self, action: Action) -> Result<(), u32> {
        once(&mut self.action, action)
    }

    fn ignore(&mut self, group: usize) -> Result<(), u32> {
        if std::mem::replace(&mut self.ignored[group], true) { Err(21) } else { Ok(()) }
    }

    fn take(&mut self, letter: char) -> Option<f64> {
        self.words[usize::from(letter as u8 - b'A')].take()
    }

    fn has_left(&self) -> bool {
        self.words.iter().any(Option::is_some)
    }
}

fn once<T>(slot: &mut Option<T>, value: T) -> Result<(), u32> {
    if slot.replace(value).is_some() { Err(21) } else { Ok(()) }
}
