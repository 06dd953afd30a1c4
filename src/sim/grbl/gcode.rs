//! GRBL's G-code parser: modal groups and error numbers as in gnea/grbl 1.1h `gcode.c`.

use std::collections::VecDeque;
use std::time::Duration;

use super::planner::Position;
use crate::units::FeedRate;

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
    spindle: bool,
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
            spindle: false,
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
        (if self.spindle { self.s } else { 0.0 }, self.feed)
    }

    /// Parses one line without spaces and comments, in capitals; `at` is where the last queued move ends.
    pub(super) fn line(&mut self, text: &[u8], at: Position) -> Result<VecDeque<Work>, u32> {
        let block = Block::parse(text)?;
        // The modal state changes only if the whole line is right.
        let mut next = self.clone();
        let work = next.execute(block, at)?;
        *self = next;
        Ok(work)
    }

    fn execute(&mut self, mut block: Block, at: Position) -> Result<VecDeque<Work>, u32> {
        let mut work = VecDeque::new();
        if block.take('N').is_some_and(|n| n > 9_999_999.0) {
            return Err(27);
        }
        if block.take('T').is_some_and(|t| t > 255.0) {
            return Err(38);
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
        if let Some(s) = block.take('S') {
            if s != self.s && block.spindle.is_none() && self.spindle {
                work.extend([Work::Drain, Work::Servo(s)]);
            }
            self.s = s;
        }
        if let Some(m) = block.spindle {
            self.spindle = m != 5;
            work.extend([Work::Drain, Work::Servo(if self.spindle { self.s } else { 0.0 })]);
        }
        if block.action == Some(Action::Dwell) {
            let seconds = block.take('P').ok_or(28_u32)?.min(1e6);
            work.extend([Work::Drain, Work::Dwell(Duration::try_from_secs_f64(seconds).unwrap_or_default())]);
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
                    self.travel(&mut block, &mut work, at, axes, target, feed, scale)?;
                }
            }
            Some(Action::SetSystem) => {
                let l = block.take('L').ok_or(28_u32)?;
                let p = block.take('P').ok_or(28_u32)?;
                if !has_axes {
                    return Err(26);
                }
                if l != 2.0 && l != 20.0 {
                    return Err(20);
                }
                if !(0.0..=6.0).contains(&p) {
                    return Err(29);
                }
                let index = if p == 0.0 { self.system } else { p as usize - 1 };
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
                self.spindle = false;
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
        scale: f64,
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
            path = super::arc::chords(at, target, self.plane, clockwise, centre, radius)?;
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
    action: Option<Action>,
    plane: Option<u32>,
    distance: Option<u32>,
    feed_mode: Option<u32>,
    units: Option<u32>,
    system: Option<usize>,
    spindle: Option<u32>,
    flow: Option<u32>,
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
        let tenths = (value * 10.0).round() as i64;
        let whole = u32::try_from(tenths / 10).unwrap_or(u32::MAX);
        match tenths {
            0 => once(&mut self.motion, Motion::Rapid),
            10 => once(&mut self.motion, Motion::Line),
            20 => once(&mut self.motion, Motion::Arc { clockwise: true }),
            30 => once(&mut self.motion, Motion::Arc { clockwise: false }),
            800 => once(&mut self.motion, Motion::Off),
            170 | 180 | 190 => once(&mut self.plane, whole),
            200 | 210 => once(&mut self.units, whole),
            900 | 910 => once(&mut self.distance, whole),
            930 | 940 => once(&mut self.feed_mode, whole),
            540..=590 if tenths % 10 == 0 => once(&mut self.system, whole as usize - 54),
            591..=593 => Err(29),
            40 => self.act(Action::Dwell),
            100 => self.act(Action::SetSystem),
            280 => self.act(Action::Home(0)),
            300 => self.act(Action::Home(1)),
            281 => self.act(Action::SetHome(0)),
            301 => self.act(Action::SetHome(1)),
            530 => self.act(Action::Absolute),
            920 => self.act(Action::SetOffset),
            921 => self.act(Action::ClearOffset),
            // Cutter compensation off, exact path, arc distance mode, tool length off: what GRBL does anyway.
            400 => self.ignore(0),
            610 => self.ignore(1),
            911 => self.ignore(2),
            490 => self.ignore(3),
            _ if tenths % 10 != 0 => Err(23),
            _ => Err(20),
        }
    }

    fn m(&mut self, value: f64) -> Result<(), u32> {
        if value.fract() != 0.0 {
            return Err(23);
        }
        match value as i64 {
            m @ (0 | 1 | 2 | 30) => once(&mut self.flow, m as u32),
            m @ (3..=5) => once(&mut self.spindle, m as u32),
            7..=9 => Ok(()),
            _ => Err(20),
        }
    }

    fn act(&mut self, action: Action) -> Result<(), u32> {
        match self.action {
            None => {
                self.action = Some(action);
                Ok(())
            }
            Some(Action::Dwell | Action::Absolute) => Err(21),
            Some(_) => Err(24),
        }
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
