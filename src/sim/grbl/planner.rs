//! Moves in time: look-ahead over the queued blocks, feed hold, and the trace.

use std::collections::VecDeque;
use std::time::Duration;

use super::super::{MotionTrace, TracePiece};
use super::ramp::{Ramp, Run};
use super::settings::Settings;
use traceur_core::geometry::Point;
use traceur_core::machine::{Grbl, Lift, Profile};

/// Machine position x, y, z; mm.
pub(super) type Position = [f64; 3];

#[derive(Debug, Clone)]
struct Block {
    to: Position,
    /// Unit vector of the move.
    along: Position,
    /// What is left of it; mm.
    length: f64,
    /// The F word; mm/s. `None` for G0.
    programmed: Option<f64>,
    /// The fastest that its axes can; mm/s.
    rapid: f64,
    /// With overrides; mm/s.
    speed: f64,
    /// mm/s².
    acceleration: f64,
    /// Greatest squared speed at its first corner, by its angle; (mm/s)².
    junction_v2: f64,
    /// The same, by the speeds on both sides too.
    corner_v2: f64,
}

impl Block {
    fn run(&self) -> Run {
        Run { length: self.length, speed: self.speed, acceleration: self.acceleration }
    }
}

/// Whether and how far a feed hold has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hold {
    No,
    Slowing,
    Still,
}

/// Percent of the programmed feed, of rapids and of S.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Overrides {
    pub(super) feed: u8,
    pub(super) rapid: u8,
    pub(super) spindle: u8,
}

#[derive(Debug, Clone)]
pub(super) struct Planner {
    capacity: usize,
    settings: Settings,
    overrides: Overrides,
    lift: Lift,
    blocks: VecDeque<Block>,
    ramp: Option<Ramp>,
    /// When the running piece of trace began, and how far it had come before the running ramp; mm.
    piece: (Duration, f64),
    pub(super) hold: Hold,
    /// Where the last piece of trace ended.
    at: Position,
    /// Where the last queued block ends.
    planned: Position,
    /// What must be added to a machine position for the place over the page's corner.
    shift: Position,
    s: f64,
    pub(super) trace: MotionTrace,
    /// Until when the time in motion has been counted, and how much of it with so many blocks.
    counted: Duration,
    moving: Vec<Duration>,
}

impl Planner {
    pub(super) fn new(profile: &Profile, grbl: &Grbl, settings: &Settings) -> Self {
        let capacity = grbl.planner_blocks.max(1);
        Self {
            capacity,
            settings: settings.clone(),
            overrides: Overrides { feed: 100, rapid: 100, spindle: 100 },
            lift: profile.lift.clone(),
            blocks: VecDeque::new(),
            ramp: None,
            piece: (Duration::ZERO, 0.0),
            hold: Hold::No,
            at: [0.0; 3],
            planned: [0.0; 3],
            shift: [0.0; 3],
            s: 0.0,
            trace: MotionTrace::default(),
            counted: Duration::ZERO,
            moving: vec![Duration::ZERO; capacity + 1],
        }
    }

    pub(super) fn configure(&mut self, settings: &Settings) {
        self.settings = settings.clone();
    }

    pub(super) fn capacity(&self) -> usize {
        self.capacity
    }

    /// Share of the time in motion with at most so many blocks planned.
    pub(super) fn share_with_at_most(&self, blocks: usize) -> f64 {
        let seconds = |times: &[Duration]| times.iter().sum::<Duration>().as_secs_f64();
        seconds(&self.moving[..=blocks.min(self.capacity)]) / seconds(&self.moving).max(f64::MIN_POSITIVE)
    }

    /// Counts the time in motion until now. Called before the number of blocks changes.
    fn count(&mut self, now: Duration) {
        if self.ramp.is_some() {
            self.moving[self.blocks.len().min(self.capacity)] += now.saturating_sub(self.counted);
        }
        self.counted = self.counted.max(now);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    pub(super) fn is_full(&self) -> bool {
        self.blocks.len() >= self.capacity
    }

    pub(super) fn free(&self) -> usize {
        self.capacity - self.blocks.len().min(self.capacity)
    }

    pub(super) fn is_moving(&self) -> bool {
        self.ramp.is_some()
    }

    /// Where the head is, and how fast; mm, mm/s.
    pub(super) fn position(&self, now: Duration) -> (Position, f64) {
        match (&self.ramp, self.blocks.front()) {
            (Some(ramp), Some(block)) => {
                let (s, v) = ramp.at(now);
                (add(self.at, block.along, self.piece.1 + s), v)
            }
            _ => (self.at, 0.0),
        }
    }

    /// When the current block, or the hold, ends.
    pub(super) fn next_wake(&self) -> Option<Duration> {
        self.ramp.map(|ramp| ramp.end)
    }

    /// Queues a straight move to `target`; `programmed` in mm/s, `None` for the fastest. The target is rounded to steps.
    pub(super) fn push(&mut self, now: Duration, target: Position, programmed: Option<f64>) {
        let steps = self.settings.triple(100);
        let to = [0, 1, 2].map(|axis| (target[axis] * steps[axis]).round() / steps[axis]);
        let delta = [0, 1, 2].map(|axis| to[axis] - self.planned[axis]);
        let length = dot(delta, delta).sqrt();
        if length < 1e-9 {
            return;
        }
        self.count(now);
        let along = delta.map(|value| value / length);
        let rapid = limit(along, self.settings.speeds());
        let acceleration = limit(along, self.settings.triple(120));
        let junction_v2 = self.blocks.back().map_or(0.0, |last| self.junction_v2(last, along));
        let (speed, corner_v2) = (0.0, 0.0);
        self.blocks.push_back(Block {
            to,
            along,
            length,
            programmed,
            rapid,
            speed,
            acceleration,
            junction_v2,
            corner_v2,
        });
        self.bound(self.blocks.len() - 1);
        self.planned = to;
        if self.ramp.is_some() && self.hold == Hold::No {
            self.plan(now);
        }
    }

    /// Speed and first corner of a block, with the overrides as they are.
    fn bound(&mut self, index: usize) {
        let share = |percent: u8| f64::from(percent) / 100.0;
        let before = index.checked_sub(1).map_or(f64::INFINITY, |index| self.blocks[index].speed);
        let overrides = self.overrides;
        let block = &mut self.blocks[index];
        let speed = match block.programmed {
            Some(speed) => (speed * share(overrides.feed)).min(block.rapid),
            None => block.rapid * share(overrides.rapid),
        };
        // `MINIMUM_FEED_RATE`: 1 mm/min.
        block.speed = speed.max(1.0 / 60.0);
        let slower = block.speed.min(before);
        block.corner_v2 = block.junction_v2.min(slower * slower);
    }

    pub(super) fn overrides(&self) -> Overrides {
        self.overrides
    }

    pub(super) fn set_overrides(&mut self, now: Duration, overrides: Overrides) {
        let before = self.pen_down(self.at[2]);
        self.overrides = overrides;
        if self.ramp.is_none() && self.pen_down(self.at[2]) != before {
            self.record(self.at, now, now);
        }
        (0..self.blocks.len()).for_each(|index| self.bound(index));
        if let (Some(ramp), Some(front), Hold::No) = (self.ramp, self.blocks.front_mut(), self.hold) {
            let (s, v) = ramp.at(now);
            if front.length - s > 1e-6 {
                front.length -= s;
                self.piece.1 += s;
                self.begin(now, v);
            }
        }
    }

    /// gnea/grbl `planner.c`: the speed of a circle that cuts the corner by the junction deviation.
    fn junction_v2(&self, last: &Block, along: Position) -> f64 {
        let cos = -dot(last.along, along);
        if cos > 0.999_999 {
            return 0.0;
        }
        if cos < -0.999_999 {
            return f64::INFINITY;
        }
        let across = [0, 1, 2].map(|axis| along[axis] - last.along[axis]);
        let size = dot(across, across).sqrt();
        let a = limit(across.map(|value| value / size), self.settings.triple(120));
        let sin_half = ((1.0 - cos) / 2.0).sqrt();
        a * self.settings.value(11) * sin_half / (1.0 - sin_half)
    }

    /// Starts moving, if there is something to do and nothing holds it.
    pub(super) fn start(&mut self, now: Duration) {
        if self.ramp.is_none() && self.hold == Hold::No && !self.blocks.is_empty() {
            self.begin_piece(now, 0.0);
        }
    }

    fn begin_piece(&mut self, now: Duration, v0: f64) {
        self.counted = self.counted.max(now);
        self.piece = (now, 0.0);
        self.begin(now, v0);
    }

    /// Begins the front block at a speed.
    fn begin(&mut self, now: Duration, v0: f64) {
        let Some(block) = self.blocks.front() else { return };
        self.ramp = Some(if self.hold == Hold::No {
            Ramp::new(now, v0, self.exit_v2(v0 * v0, block.length).sqrt(), block.run())
        } else {
            Ramp::hold(now, v0, block.run())
        });
    }

    /// Plans the running block anew, from where the head is, if it may now leave it faster.
    fn plan(&mut self, now: Duration) {
        let (Some(ramp), Some(front)) = (self.ramp, self.blocks.front()) else { return };
        let (s, v) = ramp.at(now);
        let rest = front.length - s;
        if rest > 1e-6 && self.exit_v2(v * v, rest).sqrt() > ramp.v1 + 1e-9 {
            if let Some(front) = self.blocks.front_mut() {
                front.length = rest;
            }
            self.piece.1 += s;
            self.begin(now, v);
        }
    }

    /// The reverse sweep, then one step forward: the greatest squared speed at the end of the front block.
    fn exit_v2(&self, v0_v2: f64, rest: f64) -> f64 {
        let Some(front) = self.blocks.front() else { return 0.0 };
        let mut v2 = 0.0_f64;
        for block in self.blocks.iter().skip(1).rev() {
            v2 = (v2 + 2.0 * block.acceleration * block.length).min(block.corner_v2);
        }
        v2.min(v0_v2 + 2.0 * front.acceleration * rest)
    }

    /// Ends the piece of trace at the head's place, inside of a block.
    fn cut(&mut self, now: Duration) {
        self.count(now);
        let (Some(ramp), Some(front)) = (self.ramp.take(), self.blocks.front_mut()) else { return };
        let (s, _) = ramp.at(now);
        front.length = (front.length - s).max(1e-9);
        let to = add(self.at, front.along, self.piece.1 + s);
        let begin = self.piece.0;
        self.piece = (now, 0.0);
        self.record(to, begin, now);
    }

    /// Ends the running block, or the hold, if its time has come; gives whether it did.
    pub(super) fn advance(&mut self, now: Duration) -> bool {
        let Some(ramp) = self.ramp.filter(|ramp| ramp.end <= now) else { return false };
        let Some(front) = self.blocks.front() else { return false };
        if self.hold != Hold::No && ramp.v1 == 0.0 && front.length - ramp.length > 1e-9 {
            self.cut(ramp.end);
            self.hold = Hold::Still;
            return true;
        }
        let to = front.to;
        self.count(ramp.end);
        self.blocks.pop_front();
        self.ramp = None;
        self.record(to, self.piece.0, ramp.end);
        if self.hold != Hold::No && (ramp.v1 == 0.0 || self.blocks.is_empty()) {
            self.hold = Hold::Still;
        } else {
            self.begin_piece(ramp.end, ramp.v1);
        }
        true
    }

    pub(super) fn feed_hold(&mut self, now: Duration) {
        if self.hold != Hold::No {
            return;
        }
        if self.ramp.is_none() {
            self.hold = Hold::Still;
            return;
        }
        let (_, v) = self.position(now);
        self.hold = Hold::Slowing;
        self.cut(now);
        self.begin(now, v);
    }

    pub(super) fn release(&mut self, now: Duration) {
        if self.hold == Hold::Still {
            self.hold = Hold::No;
            self.start(now);
        }
    }

    /// Throws away what is queued; gives whether it was moving, so that the position is lost.
    pub(super) fn flush(&mut self, now: Duration) -> bool {
        let moving = self.ramp.is_some();
        self.cut(now);
        self.blocks.clear();
        self.hold = Hold::No;
        self.planned = self.at;
        moving
    }

    /// Where the last queued move ends.
    pub(super) fn planned(&self) -> Position {
        self.planned
    }

    /// Where the head is over the page; mm.
    pub(super) fn place(&self) -> Position {
        [0, 1, 2].map(|axis| self.at[axis] + self.shift[axis])
    }

    /// Moves to a place over the page without the planner, as homing does; the machine position becomes meaningless.
    pub(super) fn drag(&mut self, place: Position, begin: Duration, end: Duration) {
        self.record([0, 1, 2].map(|axis| place[axis] - self.shift[axis]), begin, end);
        self.planned = self.at;
    }

    /// Calls the place where the head stands `position`.
    pub(super) fn call(&mut self, position: Position) {
        let place = self.place();
        self.shift = [0, 1, 2].map(|axis| place[axis] - position[axis]);
        (self.at, self.planned) = (position, position);
    }

    /// The spindle's S: the servo. Only when nothing moves.
    pub(super) fn set_servo(&mut self, now: Duration, s: f64) {
        let before = self.pen_down(self.at[2]);
        self.s = s;
        if self.pen_down(self.at[2]) != before {
            self.record(self.at, now, now);
        }
    }

    pub(super) fn servo(&self) -> f64 {
        self.s * f64::from(self.overrides.spindle) / 100.0
    }

    pub(super) fn dwell(&mut self, begin: Duration, end: Duration) {
        if end > begin {
            self.record(self.at, begin, end);
        }
    }

    /// Whether the pen touches the paper with the Z axis at a machine position; mm.
    fn pen_down(&self, z: f64) -> bool {
        let z = z + self.shift[2];
        match self.lift {
            Lift::Servo { up_s, down_s, .. } => {
                let off = |s: u32| (self.servo() - f64::from(s)).abs();
                off(down_s) < off(up_s)
            }
            // Some machines count Z downwards.
            Lift::Z { up, down, .. } => (z - down).abs() <= (z - up).abs(),
            // No GRBL profile has another.
            _ => false,
        }
    }

    fn record(&mut self, to: Position, begin: Duration, end: Duration) {
        let from = std::mem::replace(&mut self.at, to);
        let (down_before, down) = (self.pen_down(from[2]), self.pen_down(to[2]));
        let shift = self.shift;
        let point = |position: Position| Point::new(position[0] + shift[0], position[1] + shift[1]);
        let mut piece = |from, to, pen_down, begin, end| {
            self.trace.pieces.push(TracePiece { from, to, pen_down, pen: 0, begin, end });
        };
        if let (Lift::Z { up, down: low, .. }, true) =
            (&self.lift, down_before != down && point(from) != point(to))
        {
            // A slanted move touches the paper, or leaves it, half-way up.
            let part = ((f64::midpoint(*up, *low) - shift[2] - from[2]) / (to[2] - from[2])).clamp(0.0, 1.0);
            let (middle, time) = (point(from).lerp(point(to), part), begin + (end - begin).mul_f64(part));
            piece(point(from), middle, down_before, begin, time);
            piece(middle, point(to), down, time, end);
        } else {
            piece(point(from), point(to), down, begin, end);
        }
    }
}

fn dot(a: Position, b: Position) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

fn add(from: Position, along: Position, length: f64) -> Position {
    [0, 1, 2].map(|axis| from[axis] + along[axis] * length)
}

/// The greatest length along a unit vector that no axis' limit forbids.
fn limit(along: Position, axes: Position) -> f64 {
    (0..3)
        .filter(|axis| along[*axis].abs() > 1e-12)
        .map(|axis| axes[axis] / along[axis].abs())
        .fold(1e9, f64::min)
}
