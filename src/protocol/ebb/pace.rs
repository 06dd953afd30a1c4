//! Slower than planned: how a program comes to rest in the middle of a stroke, and gets going again.
//!
//! The moves keep their way, so that the drawing stays the same; only their times change. All is reckoned in steps, along
//! the way of both motors: the pen's speed and way are in proportion to that.

use super::{LowLevelMove, Ramp};
use traceur_motion::TICKS_PER_SECOND;

/// Longest piece that a slowed move is cut into; ticks.
const LONGEST: f64 = 350.0;

/// Slower than this is rest; steps/s.
const CREEP: f64 = 1.0;

/// What is to be sent for a move.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct TimedMove {
    pub(super) command: LowLevelMove,
    pub(super) ticks: u32,
    /// Whether the move ends with it.
    pub(super) ends: bool,
}

/// The speed at which the moves go out.
#[derive(Debug, Clone)]
pub(super) struct Pace {
    /// Of both ramps; steps/s².
    acceleration: f64,
    /// At the end of what has been sent; steps/s.
    speed: f64,
    /// Below the plan's speed.
    behind: bool,
    /// What is left of the move under way.
    rest: Option<Move>,
}

/// A move, or what is left of one.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Move {
    steps: [i32; 2],
    /// Planned speed at its end; steps/s.
    exit: f64,
}

impl Pace {
    pub(super) fn new(acceleration: f64) -> Self {
        Self { acceleration, speed: 0.0, behind: false, rest: None }
    }

    /// Whether all that has been sent ends at rest.
    pub(super) fn is_at_rest(&self) -> bool {
        self.speed < CREEP
    }

    /// Something else than a move is sent: that happens at rest.
    pub(super) fn stand(&mut self) {
        (self.speed, self.behind, self.rest) = (0.0, false, None);
    }

    /// The next piece of `planned`, the program's next move, which is asked for again until a piece ends it. While
    /// `slowing`, speed only falls; `None`: it has come to rest, and `planned` waits.
    pub(super) fn next(&mut self, planned: &LowLevelMove, slowing: bool) -> Option<TimedMove> {
        if !slowing && !self.behind && self.rest.is_none() {
            let ticks = planned.ticks().unwrap_or(0);
            self.speed = speed_in(planned, ticks);
            return Some(TimedMove { command: *planned, ticks, ends: true });
        }
        if slowing && self.is_at_rest() {
            self.speed = 0.0;
            self.behind = true;
            return None;
        }
        self.behind = true;
        let left = self.rest.unwrap_or_else(|| Move {
            steps: planned.motors.map(|ramp| ramp.steps),
            exit: speed_in(planned, planned.ticks().unwrap_or(0)),
        });
        let length = size(left.steps);
        let change = if slowing { -self.acceleration } else { self.acceleration };
        let reachable_v2 = self.speed * self.speed + 2.0 * change * length;
        if reachable_v2 < 0.0 {
            let way = self.speed * self.speed / (2.0 * self.acceleration);
            let piece = self.part(left, way / length, 0.0);
            if piece.is_none() {
                self.speed = 0.0;
            }
            return piece;
        }
        let end = reachable_v2.sqrt().min(left.exit);
        let ticks = 2.0 * length / (self.speed + end).max(CREEP) * f64::from(TICKS_PER_SECOND);
        let parts = (ticks / LONGEST).ceil();
        if parts > 1.0 {
            let seconds = ticks / parts / f64::from(TICKS_PER_SECOND);
            let acceleration = (end * end - self.speed * self.speed) / (2.0 * length);
            let way = self.speed * seconds + 0.5 * acceleration * seconds * seconds;
            let speed = self.speed + acceleration * seconds;
            if let Some(piece) = self.part(left, way / length, speed) {
                return Some(piece);
            }
        }
        let piece = self.whole(left, end);
        self.behind = self.speed + CREEP < left.exit || slowing;
        Some(piece)
    }

    /// A part of what is left, to the nearest step; `None` if that is nothing, or all.
    fn part(&mut self, left: Move, share: f64, speed: f64) -> Option<TimedMove> {
        let steps = left.steps.map(|steps| (f64::from(steps) * share).round() as i32);
        if steps == [0; 2] || steps == left.steps {
            return (steps == left.steps).then(|| self.whole(left, speed));
        }
        let piece = self.piece(steps, speed, false);
        let rest = [left.steps[0] - steps[0], left.steps[1] - steps[1]];
        self.rest = Some(Move { steps: rest, ..left });
        Some(piece)
    }

    fn whole(&mut self, left: Move, speed: f64) -> TimedMove {
        self.rest = None;
        self.piece(left.steps, speed, true)
    }

    fn piece(&mut self, steps: [i32; 2], speed: f64, ends: bool) -> TimedMove {
        let wanted = 2.0 * size(steps) / (self.speed + speed).max(CREEP) * f64::from(TICKS_PER_SECOND);
        let most = steps[0].unsigned_abs().max(steps[1].unsigned_abs());
        let ticks = (wanted.round() as u32).max(most + most / 128 + 2);
        let motors = steps.map(|steps| Ramp::over(steps, ticks, self.speed, speed));
        self.speed = speed;
        TimedMove { command: LowLevelMove { motors }, ticks, ends }
    }
}

fn size(steps: [i32; 2]) -> f64 {
    f64::from(steps[0]).hypot(f64::from(steps[1]))
}

/// Speed in one tick of a move; steps/s.
fn speed_in(command: &LowLevelMove, tick: u32) -> f64 {
    let [one, two] = command.motors.map(|ramp| if ramp.steps == 0 { 0.0 } else { ramp.rate_in(tick) as f64 });
    one.hypot(two) / f64::from(1_u32 << 31) * f64::from(TICKS_PER_SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use traceur_motion::Slice;

    fn moves(steps: &[[i32; 2]]) -> Vec<LowLevelMove> {
        let of = |steps: &[i32; 2]| {
            LowLevelMove::of(&Slice { ticks: 350, steps: *steps, entry: 1.0, exit: 1.0, vertex: 0 })
        };
        steps.iter().map(of).collect()
    }

    proptest! {
        #[test]
        fn a_slowed_program_takes_the_same_steps(
            steps in prop::collection::vec((10..200, -200..200), 5..40), turns in prop::collection::vec(1_usize..12, 1..6),
        ) {
            let steps: Vec<[i32; 2]> = steps.iter().map(|(one, two)| [*one, *two]).collect();
            let planned = moves(&steps);
            let mut pace = Pace::new(40_000.0);
            let (mut sum, mut at, mut sent, mut slowing, mut speed) = ([0_i64; 2], 0, 0, false, None::<f64>);
            let mut turns = turns.into_iter().cycle();
            let mut turn = turns.next().unwrap();
            let mut bound = 0;
            while at < planned.len() {
                bound += 1;
                prop_assert!(bound < 20_000);
                let Some(piece) = pace.next(&planned[at], slowing) else {
                    slowing = false;
                    prop_assert!(pace.is_at_rest());
                    speed = Some(0.0);
                    continue;
                };
                prop_assert_eq!(piece.command.ticks(), Some(piece.ticks));
                // No jump from one speed to another, but where the plan itself has one. A piece of whole steps may be
                // half a step shorter or longer than its speeds ask for.
                if let (Some(before), true) = (speed, pace.behind) {
                    let fastest = before.max(pace.speed).max(100.0);
                    let seconds = f64::from(piece.ticks) / 25_000.0 + 1.5 / fastest;
                    prop_assert!(pace.speed - before <= 40_000.0 * seconds * 1.1 + 100.0);
                }
                speed = Some(pace.speed);
                sum = [0, 1].map(|motor| sum[motor] + i64::from(piece.command.motors[motor].steps));
                at += usize::from(piece.ends);
                sent += 1;
                if sent == turn {
                    (sent, slowing) = (0, !slowing);
                    turn = turns.next().unwrap();
                }
            }
            let expected = [0, 1].map(|motor| steps.iter().map(|steps: &[i32; 2]| i64::from(steps[motor])).sum::<i64>());
            prop_assert_eq!(sum, expected);
        }
    }

    #[test]
    fn it_comes_to_rest_in_the_way_that_its_acceleration_needs() {
        let planned = moves(&[[140, 0]; 20]);
        let mut pace = Pace::new(50_000.0);
        assert!(pace.next(&planned[0], false).unwrap().ends);
        // 140 steps in 14 ms are 10 000 steps/s: v² / 2a = 1000 steps, in 200 ms.
        let (mut way, mut ticks, mut at) = (0, 0, 1);
        while let Some(piece) = pace.next(&planned[at], true) {
            way += piece.command.motors[0].steps;
            ticks += piece.ticks;
            at += usize::from(piece.ends);
        }
        assert!(
            (990..=1010).contains(&way) && (4900..=5100).contains(&ticks),
            "{way} steps in {ticks} ticks"
        );
    }
}
