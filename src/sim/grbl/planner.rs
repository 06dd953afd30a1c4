//! Moves in time: look-ahead over the queued blocks, feed hold, and the trace.

use std::collections::VecDeque;
use std::time::Duration;

use super::super::{MotionTrace, TracePiece};
use crate::geometry::Point;
use crate::machine::{Grbl, Lift, Profile};

/// Machine position x, y, z; mm.
pub(super) type Position = [f64; 3];

#[derive(Debug, Clone)]
struct Block {
    to: Position,
    /// Unit vector of the move.
    along: Position,
    /// What is left of it; mm.
    length: f64,
    /// mm/s.
    speed: f64,
    /// mm/s².
    acceleration: f64,
    /// Greatest squared speed at which its first corner may be taken; (mm/s)².
    corner_v2: f64,
}

/// A trapezoid in time: speeds up at `a` from `v0` to `top`, cruises, slows down to `v1`.
#[derive(Debug, Clone, Copy)]
struct Ramp {
    begin: Duration,
    end: Duration,
    v0: f64,
    top: f64,
    v1: f64,
    a: f64,
    length: f64,
}

impl Ramp {
    fn new(begin: Duration, v0: f64, v1: f64, block: &Block) -> Self {
        let (a, length) = (block.acceleration, block.length);
        let peak_v2 = (v0 * v0 + v1 * v1) / 2.0 + a * length;
        let top = peak_v2.max(0.0).sqrt().min(block.speed).max(v0).max(v1);
        let ramps = ((top * top - v0 * v0) + (top * top - v1 * v1)) / (2.0 * a);
        let cruise = ((length - ramps) / top.max(1e-9)).max(0.0);
        Self::timed(begin, v0, top, v1, a, length, (top - v0) / a + cruise + (top - v1) / a)
    }

    /// Slows down as fast as it can: to rest inside the block (`length` is how far it comes), or to its end.
    fn hold(begin: Duration, v0: f64, block: &Block) -> Self {
        let a = block.acceleration;
        let stop = v0 * v0 / (2.0 * a);
        let length = stop.min(block.length);
        let v1 = if stop <= block.length { 0.0 } else { (v0 * v0 - 2.0 * a * length).max(0.0).sqrt() };
        Self::timed(begin, v0, v0, v1, a, length, (v0 - v1) / a)
    }

    fn timed(begin: Duration, v0: f64, top: f64, v1: f64, a: f64, length: f64, seconds: f64) -> Self {
        let lasting = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::from_secs(86_400));
        Self { begin, end: begin.saturating_add(lasting), v0, top, v1, a, length }
    }

    /// How far it has come, and how fast it is; mm, mm/s.
    fn at(&self, now: Duration) -> (f64, f64) {
        let (t, total) =
            (now.saturating_sub(self.begin).as_secs_f64(), (self.end - self.begin).as_secs_f64());
        if t >= total {
            return (self.length, self.v1);
        }
        let up = (self.top - self.v0) / self.a;
        let down = (self.top - self.v1) / self.a;
        let (s, v) = if t < up {
            (self.v0 * t + self.a * t * t / 2.0, self.v0 + self.a * t)
        } else if t <= total - down {
            ((self.top * self.top - self.v0 * self.v0) / (2.0 * self.a) + self.top * (t - up), self.top)
        } else {
            let left = total - t;
            (self.length - self.v1 * left - self.a * left * left / 2.0, self.v1 + self.a * left)
        };
        (s.clamp(0.0, self.length), v)
    }
}

/// Whether and how far a feed hold has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hold {
    No,
    Slowing,
    Still,
}

#[derive(Debug, Clone)]
pub(super) struct Planner {
    capacity: usize,
    steps_per_mm: f64,
    /// mm/s of x, y, z.
    speeds: Position,
    /// mm/s² of x, y, z.
    accelerations: Position,
    deviation: f64,
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
    s: f64,
    pub(super) trace: MotionTrace,
}

impl Planner {
    pub(super) fn new(profile: &Profile, grbl: &Grbl) -> Self {
        let limits = &profile.limits;
        let (z_speed, z_acceleration) = match profile.lift {
            Lift::Z { speed, acceleration, .. } => (speed, acceleration),
            Lift::Servo { .. } | Lift::EbbServo { .. } | Lift::Pen { .. } => {
                (limits.travel_speed, limits.acceleration)
            }
        };
        Self {
            capacity: grbl.planner_blocks.max(1),
            steps_per_mm: grbl.steps_per_mm,
            speeds: [limits.travel_speed, limits.travel_speed, z_speed],
            accelerations: [limits.acceleration, limits.acceleration, z_acceleration],
            deviation: limits.junction_deviation,
            lift: profile.lift.clone(),
            blocks: VecDeque::new(),
            ramp: None,
            piece: (Duration::ZERO, 0.0),
            hold: Hold::No,
            at: [0.0; 3],
            planned: [0.0; 3],
            s: 0.0,
            trace: MotionTrace::default(),
        }
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

    /// Queues a straight move to `target`; `speed` in mm/s, `None` for the fastest. The target is rounded to steps.
    pub(super) fn push(&mut self, now: Duration, target: Position, speed: Option<f64>) {
        let to = target.map(|value| (value * self.steps_per_mm).round() / self.steps_per_mm);
        let delta = [0, 1, 2].map(|axis| to[axis] - self.planned[axis]);
        let length = dot(delta, delta).sqrt();
        if length < 1e-9 {
            return;
        }
        let along = delta.map(|value| value / length);
        let greatest = limit(along, self.speeds);
        let speed = speed.map_or(greatest, |speed| speed.min(greatest)).max(0.001);
        let corner_v2 = match self.blocks.back() {
            Some(last) => self.corner_v2(last, along).min(speed * speed).min(last.speed * last.speed),
            None => 0.0,
        };
        let acceleration = limit(along, self.accelerations);
        self.blocks.push_back(Block { to, along, length, speed, acceleration, corner_v2 });
        self.planned = to;
        if self.ramp.is_some() && self.hold == Hold::No {
            self.plan(now);
        }
    }

    /// gnea/grbl `planner.c`: the speed of a circle that cuts the corner by the junction deviation.
    fn corner_v2(&self, last: &Block, along: Position) -> f64 {
        let cos = -dot(last.along, along);
        if cos > 0.999_999 {
            return 0.0;
        }
        if cos < -0.999_999 {
            return f64::INFINITY;
        }
        let across = [0, 1, 2].map(|axis| along[axis] - last.along[axis]);
        let size = dot(across, across).sqrt();
        let a = limit(across.map(|value| value / size), self.accelerations);
        let sin_half = ((1.0 - cos) / 2.0).sqrt();
        a * self.deviation * sin_half / (1.0 - sin_half)
    }

    /// Starts moving, if there is something to do and nothing holds it.
    pub(super) fn start(&mut self, now: Duration) {
        if self.ramp.is_none() && self.hold == Hold::No && !self.blocks.is_empty() {
            self.begin_piece(now, 0.0);
        }
    }

    fn begin_piece(&mut self, now: Duration, v0: f64) {
        self.piece = (now, 0.0);
        self.begin(now, v0);
    }

    /// Begins the front block at a speed.
    fn begin(&mut self, now: Duration, v0: f64) {
        let Some(block) = self.blocks.front() else { return };
        self.ramp = Some(if self.hold == Hold::No {
            Ramp::new(now, v0, self.exit_v2(v0 * v0, block.length).sqrt(), block)
        } else {
            Ramp::hold(now, v0, block)
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

    /// The spindle's S: the servo. Only when nothing moves.
    pub(super) fn set_servo(&mut self, now: Duration, s: f64) {
        let before = self.pen_down(self.at[2]);
        self.s = s;
        if self.pen_down(self.at[2]) != before {
            self.record(self.at, now, now);
        }
    }

    pub(super) fn dwell(&mut self, begin: Duration, end: Duration) {
        if end > begin {
            self.record(self.at, begin, end);
        }
    }

    fn pen_down(&self, z: f64) -> bool {
        match self.lift {
            Lift::Servo { up_s, down_s, .. } => {
                (self.s - f64::from(down_s)).abs() < (self.s - f64::from(up_s)).abs()
            }
            Lift::Z { up, down, .. } => z <= f64::midpoint(up, down),
            // No GRBL profile has it.
            Lift::EbbServo { .. } | Lift::Pen { .. } => false,
        }
    }

    fn record(&mut self, to: Position, begin: Duration, end: Duration) {
        let from = std::mem::replace(&mut self.at, to);
        let (down_before, down) = (self.pen_down(from[2]), self.pen_down(to[2]));
        let point = |position: Position| Point::new(position[0], position[1]);
        let mut piece = |from, to, pen_down, begin, end| {
            self.trace.pieces.push(TracePiece { from, to, pen_down, pen: 0, begin, end });
        };
        if let (Lift::Z { up, down: low, .. }, true) =
            (&self.lift, down_before != down && point(from) != point(to))
        {
            // A slanted move touches the paper, or leaves it, half-way up.
            let part = ((f64::midpoint(*up, *low) - from[2]) / (to[2] - from[2])).clamp(0.0, 1.0);
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
