//! A run cut into slices of whole steps and whole ticks, for a machine that executes the host's blocks.

use super::Trapezoid;
use traceur_core::geometry::Point;
use traceur_core::machine::Ebb;

/// An EiBotBoard's interrupts a second, each of which takes one step at most of each motor.
pub const TICKS_PER_SECOND: u32 = 25_000;

/// Longest slice of a plan; s. A board has up to three in hand, so that a pause is heard within 50 ms.
const LONGEST: f64 = 0.014;

/// Shortest slice, 4 ms: what a board can parse without falling behind (docs/ebb.html of evil-mad/EggBot, LM).
const SHORTEST: u32 = TICKS_PER_SECOND / 250;

/// A piece of a run with one acceleration: so many steps of each motor in so many ticks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Slice {
    /// How long it takes; ticks of 40 µs. More than the steps of either motor.
    pub ticks: u32,
    /// Steps of both motors; not both 0.
    pub steps: [i32; 2],
    /// Speed at its begin; mm/s.
    pub entry: f64,
    /// Speed at its end; mm/s.
    pub exit: f64,
    /// Index of the point of its stroke that it leads to.
    pub vertex: usize,
}

/// A planned move: where it begins and ends (machine mm), its speeds, and the index of the point that it leads to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Move {
    pub(super) from: Point,
    pub(super) to: Point,
    pub(super) trapezoid: Trapezoid,
    pub(super) vertex: usize,
}

/// A run in slices, and when each of its moves ends; ticks since its begin. A run of less than a step has no slice and
/// takes no time.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Sliced {
    pub(super) slices: Vec<Slice>,
    pub(super) ends: Vec<u64>,
}

/// Cuts a run, from standing to standing. Every slice ends at the planned position, rounded to whole steps from the
/// machine's zero, so that errors do not add up; `at` is the position before the run, and is moved to its end.
///
/// Ends of moves are cuts unless they are nearer than 4 ms to each other, which cuts a corner by what the pen moves in 2 ms:
/// little, where it is sharp. So are the ends of acceleration phases, unless an end of a move is nearer than that.
pub(super) fn slice_run(moves: &[Move], ebb: &Ebb, at: &mut [i64; 2]) -> Sliced {
    let begin = Knot { tick: 0, steps: *at, speed: 0.0, vertex: 0, corner: true };
    let mut cutter = Cutter { begin, last: begin, before: begin, delay: 0, sliced: Sliced::default() };
    let mut now = 0.0;
    for item in moves {
        let mut gone = 0.0;
        for block in item.trapezoid.blocks() {
            if block.seconds <= 0.0 {
                continue;
            }
            let parts = (block.seconds / LONGEST).ceil().max(1.0) as u32;
            for part in 1..=parts {
                let since = block.seconds * f64::from(part) / f64::from(parts);
                let moved = if part == parts {
                    block.length
                } else {
                    block.entry * since + 0.5 * block.acceleration * since * since
                };
                let share = ((gone + moved) / item.trapezoid.length).clamp(0.0, 1.0);
                cutter.cut(Knot {
                    tick: ((now + since) * f64::from(TICKS_PER_SECOND)).round() as u64,
                    steps: whole_steps(ebb, item.from.lerp(item.to, share)),
                    speed: (block.entry + block.acceleration * since).max(0.0),
                    vertex: item.vertex,
                    corner: false,
                });
            }
            now += block.seconds;
            gone += block.length;
        }
        let end = Knot {
            tick: (now * f64::from(TICKS_PER_SECOND)).round() as u64,
            steps: whole_steps(ebb, item.to),
            speed: item.trapezoid.exit,
            vertex: item.vertex,
            corner: true,
        };
        cutter.cut(end);
        cutter.sliced.ends.push(end.tick + cutter.delay);
    }
    *at = cutter.last.steps;
    cutter.finish()
}

fn whole_steps(ebb: &Ebb, place: Point) -> [i64; 2] {
    ebb.to_steps(place).map(|steps| steps.round() as i64)
}

/// A place on the run at its planned time.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Knot {
    tick: u64,
    steps: [i64; 2],
    speed: f64,
    vertex: usize,
    /// Whether a move ends here.
    corner: bool,
}

struct Cutter {
    /// Where the next slice begins.
    begin: Knot,
    /// The newest knot.
    last: Knot,
    /// Where the newest slice began.
    before: Knot,
    /// By how much the slices are longer than planned; ticks.
    delay: u64,
    sliced: Sliced,
}

impl Cutter {
    fn cut(&mut self, knot: Knot) {
        self.last = knot;
        let near = knot.tick - self.begin.tick < u64::from(SHORTEST);
        if near && knot.corner && !self.begin.corner && knot.steps != self.before.steps {
            // The corner counts, not the cut on the way to it.
            self.merge(knot);
        }
        if knot.tick - self.begin.tick >= u64::from(SHORTEST) && knot.steps != self.begin.steps {
            self.emit(knot);
        }
    }

    /// A slice from the last one's end to `knot`.
    fn emit(&mut self, knot: Knot) {
        let steps = [0, 1].map(|motor| (knot.steps[motor] - self.begin.steps[motor]) as i32);
        let planned = (knot.tick - self.begin.tick) as u32;
        // Rounding to whole steps may ask for more than a step a tick.
        let most = steps[0].unsigned_abs().max(steps[1].unsigned_abs());
        let ticks = planned.max(most + most / 128 + 2);
        self.delay += u64::from(ticks - planned);
        let (entry, exit) = (self.begin.speed, knot.speed);
        self.sliced.slices.push(Slice { ticks, steps, entry, exit, vertex: knot.vertex });
        (self.before, self.begin) = (self.begin, knot);
    }

    /// Lets the newest slice go on to `knot`.
    fn merge(&mut self, knot: Knot) {
        if let Some(slice) = self.sliced.slices.pop() {
            self.delay -= u64::from(slice.ticks) - (self.begin.tick - self.before.tick);
            self.begin = self.before;
        }
        self.emit(knot);
    }

    fn finish(mut self) -> Sliced {
        let rest = (self.last.tick - self.begin.tick) as u32;
        let moves = self.last.steps != self.begin.steps;
        match self.sliced.slices.last_mut() {
            // What is left lasts less than a slice may: it goes to the last one.
            Some(_) if moves && self.last.steps != self.before.steps => {
                self.merge(self.last);
            }
            Some(slice) if !moves => slice.ticks += rest,
            None if !moves => return Sliced::default(),
            _ => {
                let short = SHORTEST.saturating_sub(rest);
                let end = Knot { tick: self.last.tick + u64::from(short), ..self.last };
                self.emit(end);
            }
        }
        let total: u64 = self.sliced.slices.iter().map(|slice| u64::from(slice.ticks)).sum();
        let last = self.sliced.ends.len() - 1;
        self.sliced.ends.iter_mut().for_each(|end| *end = total.min(*end));
        self.sliced.ends[last] = total;
        self.sliced
    }
}
