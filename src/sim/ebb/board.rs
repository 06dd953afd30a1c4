//! The board itself: what runs, what waits, and what it has said.

use std::collections::VecDeque;

use super::course::{Course, Reached, Run};
use super::limits::Limits;
use super::parser::Errors;
use super::servo::Servo;
use super::to_time;
use crate::{MotionTrace, TracePiece};
use traceur_core::geometry::Point;
use traceur_core::machine::{Ebb, Profile};

/// Bytes of a USB packet, after which firmware 2 prints its errors.
const PACKET: usize = 64;

/// Pieces that one command is cut into at most, where its path is bent.
const MOST_CUTS: u32 = 6;

/// A command in the queue.
#[derive(Debug, Clone, Copy)]
pub(super) enum Order {
    Motors { courses: [Course; 2], clear: [Clear; 2] },
    Wait { ticks: u64 },
    Servo { pin: u8, pulse: u16, rate: u16, ticks: u64 },
    Enable { modes: [u8; 2] },
}

/// What a move does to an accumulator when it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Clear {
    Keep,
    Zero,
    /// For the way backwards (firmware 3).
    Full,
}

/// The order that runs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Running {
    pub(super) begin: u64,
    pub(super) end: Option<u64>,
    pub(super) order: Order,
    pub(super) runs: Option<[Run; 2]>,
}

/// Why the parser reads nothing.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Stuck {
    /// The FIFO is full; this follows when there is room, then the reply.
    Full(String),
    /// `HM` waits for all to end.
    Home { rate: u32, to: [i64; 2] },
    /// `CU,4` waits for all to end.
    Depth(usize),
}

#[derive(Debug, Clone)]
pub(super) struct Board {
    pub(super) ebb: Ebb,
    /// Firmware 3 and newer.
    pub(super) v3: bool,
    pub(super) tick: u64,
    pub(super) current: Option<Running>,
    pub(super) fifo: VecDeque<Order>,
    pub(super) depth: usize,
    pub(super) stuck: Option<Stuck>,
    /// Orders of a stuck command.
    pub(super) pending: VecDeque<Order>,
    /// Bytes not read yet; `None` ends a packet.
    input: VecDeque<Option<u8>>,
    line: Vec<u8>,
    in_cr: bool,
    pub(super) errors: Errors,
    pub(super) output: Vec<u8>,
    /// `CU,1`: whether it says OK.
    pub(super) acknowledges: bool,
    /// `CU,10`: whether replies carry the command's name.
    pub(super) future: bool,
    /// `CU,2`.
    pub(super) limit_checks: bool,
    /// The command being parsed.
    pub(super) name: String,
    /// Whether its name has been printed, in the future syntax.
    pub(super) named: bool,
    /// The step counters of `QS`.
    pub(super) counters: [i64; 2],
    pub(super) accumulators: [u32; 2],
    /// Where the motors really are: sixteenths of full steps.
    place: [i64; 2],
    pub(super) enabled: [bool; 2],
    /// `EM`'s mode: 1 is 1/16.
    pub(super) mode: u8,
    pub(super) motor_power: bool,
    /// The power went below the threshold of `CU,60` (firmware 3).
    pub(super) power_dropped: bool,
    pub(super) power_threshold: u16,
    /// `CU,50`: whether a move switches the motors on.
    pub(super) enables_motors: bool,
    /// `CU,54`: whether each command must end in its checksum.
    pub(super) checksums: bool,
    pub(super) limits: Limits,
    pub(super) servo: Servo,
    /// `SR`; ms.
    pub(super) servo_timeout: u32,
    pub(super) servo_power_until: Option<u64>,
    pub(super) button: bool,
    pub(super) storage: [u8; 32],
    pub(super) nodes: u32,
    pub(super) nickname: String,
    pub(super) trace: MotionTrace,
}

impl Board {
    pub(super) fn new(profile: &Profile, ebb: &Ebb) -> Self {
        Self {
            ebb: ebb.clone(),
            v3: ebb.firmware.0 >= 3,
            tick: 0,
            current: None,
            fifo: VecDeque::new(),
            depth: 1,
            stuck: None,
            pending: VecDeque::new(),
            input: VecDeque::new(),
            line: Vec::new(),
            in_cr: true,
            errors: Errors::default(),
            output: Vec::new(),
            acknowledges: true,
            future: false,
            limit_checks: true,
            name: String::new(),
            named: false,
            counters: [0; 2],
            accumulators: [0; 2],
            place: [0; 2],
            enabled: [false; 2],
            mode: 1,
            motor_power: true,
            power_dropped: false,
            power_threshold: 0,
            enables_motors: true,
            checksums: false,
            limits: Limits::default(),
            servo: Servo::new(ebb, &profile.lift),
            servo_timeout: 60_000,
            servo_power_until: None,
            button: false,
            storage: [0; 32],
            nodes: 0,
            nickname: String::new(),
            trace: MotionTrace::default(),
        }
    }

    /// `R` and `RB`: as after power-up, but motors and pen stay where they are.
    pub(super) fn reset(&mut self) {
        self.cut_short();
        (self.fifo, self.pending, self.stuck) = Default::default();
        (self.depth, self.acknowledges, self.future, self.limit_checks) = (1, true, false, true);
        (self.counters, self.accumulators, self.enabled, self.mode) = ([0; 2], [0; 2], [false; 2], 1);
        (self.servo_timeout, self.servo_power_until) = (60_000, None);
        (self.button, self.storage, self.nodes) = (false, [0; 32], 0);
        (self.enables_motors, self.checksums) = (true, false);
        self.limits = Limits { pins: self.limits.pins, ..Limits::default() };
        self.servo.reset();
    }

    pub(super) fn is_idle(&self) -> bool {
        self.current.is_none() && self.fifo.is_empty() && self.stuck.is_none()
    }

    /// Whether the parser is stuck.
    pub(super) fn is_reading_blocked(&self) -> bool {
        self.stuck.is_some()
    }

    pub(super) fn switch_motor_power(&mut self, on: bool) {
        self.motor_power = on;
        self.power_dropped |= !on && self.power_threshold > 0;
    }

    /// When something next happens by itself.
    pub(super) fn next_tick(&self) -> Option<u64> {
        match &self.current {
            Some(running) => running.end,
            None => (!self.fifo.is_empty() || self.stuck.is_some()).then_some(self.tick + 1),
        }
    }

    /// Lets the interrupt come until this tick.
    pub(super) fn advance(&mut self, to: u64) {
        while let Some(tick) = self.next_tick().filter(|tick| *tick <= to) {
            self.tick = tick;
            if let Some(running) = self.current.take() {
                self.finish(&running, tick);
            }
            if let Some(order) = self.fifo.pop_front() {
                self.load(order);
            }
            self.parse();
        }
        self.tick = self.tick.max(to);
    }

    /// Bytes from the host.
    pub(super) fn take(&mut self, bytes: &[u8]) {
        for packet in bytes.chunks(PACKET) {
            self.input.extend(packet.iter().map(|byte| Some(*byte)));
            self.input.push_back(None);
        }
        self.parse();
    }

    /// Reads on, until there is nothing to read or the parser is stuck.
    fn parse(&mut self) {
        loop {
            if self.stuck.is_some() && !self.unstick() {
                return;
            }
            let Some(byte) = self.input.pop_front() else { return };
            let Some(byte) = byte else {
                self.print_errors();
                continue;
            };
            match byte {
                b'\r' | b'\n' if self.in_cr => {}
                b'\r' | b'\n' => {
                    self.in_cr = true;
                    let mut line = std::mem::take(&mut self.line);
                    self.command(&line);
                    // The same memory for the next one.
                    line.clear();
                    self.line = line;
                    if self.v3 {
                        self.print_errors();
                        self.watch_limits();
                    }
                }
                8 if !self.line.is_empty() => {
                    self.line.pop();
                    self.output.extend(b" \x08");
                }
                32.. => {
                    self.in_cr = false;
                    self.line.push(byte);
                }
                _ => {}
            }
            if self.line.len() == 256 {
                self.errors.set(Errors::OVERRUN);
                self.line.clear();
            }
        }
    }

    /// Ends all motion if a limit switch triggers. The firmware looks in each of its interrupts; here it is enough to look
    /// whenever something has changed.
    pub(super) fn watch_limits(&mut self) {
        if !self.limits.trigger() {
            return;
        }
        self.cut_short();
        self.fifo.clear();
        if self.limits.tells {
            self.print(&format!("Limit switch triggered. PortB={:02X}", self.limits.seen));
            self.end_line("\r\n");
        }
    }

    fn print_errors(&mut self) {
        let errors = std::mem::take(&mut self.errors);
        for line in errors.lines() {
            // In the future syntax the error is what follows the command's name.
            let comma = if std::mem::take(&mut self.named) { "," } else { "" };
            self.print(&format!("{comma}{line}"));
            self.end_line("\r\n");
        }
    }

    /// Goes on with the stuck command, if that is possible now.
    fn unstick(&mut self) -> bool {
        match self.stuck.take() {
            None => true,
            Some(Stuck::Full(reply)) => {
                while self.fifo.len() < self.depth
                    && let Some(order) = self.pending.pop_front()
                {
                    self.fifo.push_back(order);
                }
                if self.pending.is_empty() {
                    self.print(&reply);
                    return true;
                }
                self.stuck = Some(Stuck::Full(reply));
                false
            }
            Some(waiting) if self.current.is_some() || !self.fifo.is_empty() => {
                self.stuck = Some(waiting);
                false
            }
            Some(Stuck::Home { rate, to }) => {
                self.home(rate, to);
                self.stuck.is_none()
            }
            Some(Stuck::Depth(depth)) => {
                self.depth = depth;
                self.acknowledge();
                true
            }
        }
    }

    /// Queues orders, and says OK when the last one is in.
    pub(super) fn queue(&mut self, orders: impl IntoIterator<Item = Order>) {
        let is_move = |order: &Order| matches!(order, Order::Motors { .. });
        self.pending.extend(orders.into_iter().filter(|order| !(self.limits.triggered && is_move(order))));
        let reply = self.acknowledgement();
        self.stuck = Some(Stuck::Full(reply));
        self.unstick();
    }

    /// An order begins at this tick.
    fn load(&mut self, order: Order) {
        let begin = self.tick;
        let mut runs = None;
        let end = match order {
            Order::Motors { courses, clear } => {
                let run = [0, 1].map(|motor| {
                    let accumulator = &mut self.accumulators[motor];
                    match clear[motor] {
                        Clear::Keep => {}
                        Clear::Zero => *accumulator = 0,
                        Clear::Full => *accumulator = 0x7FFF_FFFF,
                    }
                    courses[motor].load(*accumulator)
                });
                runs = Some(run);
                run[0].end.zip(run[1].end).map(|(one, two)| begin + one.max(two).max(1))
            }
            // The delay is counted down in the same ticks in which the command runs.
            Order::Wait { ticks } | Order::Servo { ticks, .. } => Some(begin + ticks.max(1)),
            Order::Enable { .. } => Some(begin + 1),
        };
        if let Order::Servo { pin, pulse, rate, .. } = order {
            self.servo.go(begin, pin, pulse, rate);
        }
        self.current = Some(Running { begin, end, order, runs });
    }

    /// An order ends, or is cut short, at this tick.
    fn finish(&mut self, running: &Running, tick: u64) {
        match (running.order, running.runs) {
            (Order::Motors { .. }, Some(runs)) => {
                self.draw(&runs, running.begin, tick);
                for (motor, run) in runs.iter().enumerate() {
                    let Reached { steps, accumulator } = run.at(tick - running.begin);
                    self.counters[motor] += steps;
                    self.accumulators[motor] = accumulator;
                    self.place[motor] += self.real_steps(steps);
                }
            }
            (Order::Enable { modes: [one, two] }, _) => {
                self.enabled = [one > 0, two > 0];
                if one > 0 {
                    self.mode = one;
                }
                (self.counters, self.accumulators) = ([0; 2], [0; 2]);
                self.limits.triggered = false;
                self.watch_limits();
            }
            _ => {
                let place = self.pen_at([0; 2]);
                self.stand(place, running.begin, tick);
            }
        }
    }

    /// `ES` and `R`: what runs ends now. Gives it.
    pub(super) fn cut_short(&mut self) -> Option<Running> {
        let running = self.current.take()?;
        self.finish(&running, self.tick);
        Some(running)
    }

    /// The steps that a running move has taken.
    pub(super) fn steps_so_far(&self) -> [i64; 2] {
        match self.current {
            Some(Running { begin, runs: Some(runs), .. }) => runs.map(|run| run.at(self.tick - begin).steps),
            _ => [0; 2],
        }
    }

    /// What steps of the present mode are in sixteenths; none without power.
    fn real_steps(&self, steps: i64) -> i64 {
        if self.motor_power { steps << (self.mode.clamp(1, 5) - 1) } else { 0 }
    }

    /// Where the pen is when the motors have gone so many more steps; machine mm.
    fn pen_at(&self, more: [i64; 2]) -> Point {
        let sixteenths = [0, 1].map(|motor| self.place[motor] + self.real_steps(more[motor]));
        // The profile's steps are those of its own mode.
        let unit = f64::from(1_u32 << (self.ebb.microstep_mode.clamp(1, 5) - 1));
        self.ebb.to_mm(sixteenths.map(|steps| steps as f64 / unit))
    }

    /// The pen stands.
    fn stand(&mut self, at: Point, begin: u64, end: u64) {
        self.trace_piece(at, at, begin, end);
    }

    /// The pen moves, in as many straight pieces as its path needs.
    fn draw(&mut self, runs: &[Run; 2], begin: u64, end: u64) {
        let at = |ticks: u64| runs.map(|run| run.at(ticks).steps);
        let mut cuts = vec![0, end - begin];
        let tame = runs.iter().all(Run::is_tame);
        for _ in 0..if tame { 2 * MOST_CUTS } else { MOST_CUTS } {
            let mut finer = vec![0];
            for pair in cuts.windows(2) {
                let middle = u64::midpoint(pair[0], pair[1]);
                if middle > pair[0] && is_bent(at(pair[0]), at(middle), at(pair[1])) {
                    finer.push(middle);
                }
                finer.push(pair[1]);
            }
            if finer.len() == cuts.len() {
                break;
            }
            cuts = finer;
        }
        for pair in cuts.windows(2) {
            let (from, to) = (self.pen_at(at(pair[0])), self.pen_at(at(pair[1])));
            self.trace_piece(from, to, begin + pair[0], begin + pair[1]);
        }
    }

    /// One straight piece, cut where the pen touches or leaves the paper.
    fn trace_piece(&mut self, from: Point, to: Point, begin: u64, end: u64) {
        let (mut tick, mut place) = (begin, from);
        while tick < end {
            let flip = self.servo.next_flip(tick, end).unwrap_or(end);
            let share = (flip - begin) as f64 / (end - begin) as f64;
            let next = if flip == end { to } else { from.lerp(to, share) };
            self.trace.pieces.push(TracePiece {
                from: place,
                to: next,
                pen_down: self.servo.is_down(tick),
                pen: 0,
                begin: to_time(tick),
                end: to_time(flip),
            });
            (tick, place) = (flip, next);
        }
    }
}

/// Whether a path through these steps leaves its chord by more than a step.
fn is_bent(from: [i64; 2], middle: [i64; 2], to: [i64; 2]) -> bool {
    let way = [0, 1].map(|motor| (to[motor] - from[motor]) as f64);
    let part = [0, 1].map(|motor| (middle[motor] - from[motor]) as f64);
    let length = way[0].hypot(way[1]);
    if length == 0.0 {
        return part != [0.0; 2];
    }
    let along = (way[0] * part[0] + way[1] * part[1]) / length;
    let off = (way[0] * part[1] - way[1] * part[0]).abs() / length;
    off > 1.0 || along < -1.0 || along > length + 1.0
}
