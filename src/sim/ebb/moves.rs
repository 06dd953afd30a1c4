//! From a motion command's numbers to what the interrupt runs.

use super::board::{Board, Clear, Order, Stuck};
use super::course::{Course, Until};
use super::parser::Errors;

/// A low-level command as it was read.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Low {
    /// `LT`, `T3`: how long it lasts; ticks.
    pub(super) intervals: Option<u32>,
    pub(super) rate: [i64; 2],
    pub(super) steps: [i64; 2],
    pub(super) acceleration: [i64; 2],
    pub(super) jerk: [i64; 2],
    pub(super) clear: i64,
}

impl Board {
    /// `LM`, `LT`, `L3`, `T3`, once the numbers are read and checked.
    pub(super) fn low_level(&mut self, mut low: Low) {
        let clear = low.clear.min(3);
        let mut courses =
            [Course { rate: 0, acceleration: 0, jerk: 0, direction: None, until: Until::Steps(0) }; 2];
        let mut clears = [Clear::Keep; 2];
        for motor in 0..2 {
            let mut direction = None;
            if self.v3 {
                if low.intervals.is_none() && low.steps[motor] < 0 {
                    if low.rate[motor] < 0 {
                        return self.errors.set(Errors::LIMIT);
                    }
                    low.steps[motor] = -low.steps[motor];
                    low.rate[motor] = -low.rate[motor];
                    low.acceleration[motor] = -low.acceleration[motor];
                }
            } else {
                let sign = if low.intervals.is_some() { &mut low.rate[motor] } else { &mut low.steps[motor] };
                direction = Some(if *sign < 0 { -1 } else { 1 });
                *sign = sign.abs();
            }
            // Half the acceleration is taken off, rounded towards zero, and the registers have 32 bits.
            let (acceleration, jerk) = (low.acceleration[motor], low.jerk[motor]);
            let rate = (low.rate[motor] - acceleration / 2 + jerk / 6) as i32;
            if clear & (1 << motor) != 0 {
                clears[motor] = if self.v3 && begins_backwards(rate, acceleration as i32, jerk as i32) {
                    Clear::Full
                } else {
                    Clear::Zero
                };
            }
            courses[motor] = Course {
                rate,
                acceleration: (acceleration as i32).wrapping_sub(jerk as i32),
                jerk: jerk as i32,
                direction,
                until: match low.intervals {
                    Some(ticks) => Until::Ticks(ticks),
                    None => Until::Steps(low.steps[motor].unsigned_abs() as u32),
                },
            };
        }
        self.enable_for_move();
        self.queue([Order::Motors { courses, clear: clears }]);
    }

    fn enable_for_move(&mut self) {
        if self.enables_motors {
            self.enabled = [true; 2];
        }
    }

    /// `SM` and what ends in it: so many steps in so many ms. `None` when an error was printed.
    pub(super) fn simple(&mut self, ms: u32, steps: [i64; 2], clear: i64) -> Option<Order> {
        if steps == [0; 2] {
            let ticks = if self.v3 { 25 * u64::from(ms.min(100_000)) } else { 25 * u64::from(ms) };
            // The interrupt of 2.x takes a longer delay for a mistake.
            return Some(Order::Wait { ticks: if !self.v3 && ticks > 25 * 0x1_0000 { 0 } else { ticks } });
        }
        let mut courses =
            [Course { rate: 0, acceleration: 0, jerk: 0, direction: Some(1), until: Until::Steps(0) }; 2];
        for motor in 0..2 {
            let count = steps[motor].unsigned_abs() as u32;
            let rate = match (count, self.v3) {
                (0, _) => 0,
                (_, true) => self.rate_of_3(motor, count, ms)?,
                (_, false) => self.rate_of_2(motor, count, ms),
            };
            let direction = Some(if steps[motor] < 0 { -1 } else { 1 });
            courses[motor] =
                Course { rate: rate as i32, direction, until: Until::Steps(count), ..courses[motor] };
        }
        self.enable_for_move();
        let clears = [1, 2].map(|bit| if clear.min(3) & bit != 0 { Clear::Zero } else { Clear::Keep });
        Some(Order::Motors { courses, clear: clears })
    }

    /// Whole numbers of 32 bits: 15 bits of rate in moves of up to 30 ms, 31 in longer ones.
    fn rate_of_2(&mut self, motor: usize, steps: u32, ms: u32) -> u32 {
        let axis = motor + 1;
        let mut rest = 0;
        let mut rate = if steps < 0x1_FFFF {
            let ticks = ms.wrapping_mul(25).max(1);
            let shifted = steps << 15;
            if ms > 30 {
                rest = (shifted % ticks).wrapping_shl(16) / ticks;
            }
            shifted / ticks
        } else {
            (steps / ms.max(1)).wrapping_mul(0x8000) / 25
        };
        if rate > 0x8000 {
            self.print(&format!("Major malfunction Axis{axis} StepCounter too high : {rate}\n\r"));
            rate = 0x8000;
        }
        if rate == 0 {
            self.print(&format!("Major malfunction Axis{axis} StepCounter zero\n\r"));
            rate = 1;
        }
        (rate << 16).wrapping_add(rest).min(0x7FFF_FFFF)
    }

    /// Single precision. `None` when an error was printed.
    fn rate_of_3(&mut self, motor: usize, steps: u32, ms: u32) -> Option<u32> {
        let each_step = 85_899_350.0_f32 / ms as f32;
        let rate = (steps as f32 * each_step) as u32;
        let (trouble, held) = match rate {
            0 => ("slow", 1),
            0x7FFF_FFFF.. => ("high", 0x7FFF_FFFF),
            _ => return Some(rate),
        };
        if !self.limit_checks {
            return Some(held);
        }
        self.print_named(&format!("!0 Err: <axis{}> step rate too {trouble}", motor + 1));
        self.end_line("\n\r");
        self.errors.set(Errors::PRINTED);
        None
    }

    /// `HM`, when nothing runs any more: to a place in the counters' steps, at `rate` steps/s of the longer way.
    pub(super) fn home(&mut self, rate: u32, to: [i64; 2]) {
        let way = [0, 1].map(|motor| to[motor] - self.counters[motor]);
        let size = way.map(i64::abs);
        if size.iter().any(|size| *size > 0xFF_FFFF) {
            self.print_named("!0 Err: steps to home larger than 16,777,215.");
            return self.end_line("\n\r");
        }
        let long = usize::from(size[0] <= size[1]);
        if rate / 1000 > 25 {
            self.print_named(&format!("!0 Err: HM <axis{}> step rate > 25K steps/second.", long + 1));
            return self.end_line("\n\r");
        }
        let duration = |steps: i64| ((steps * 1000) as u32) / rate.max(1);
        let (short, mut rest, mut orders) = (1 - long, way, Vec::new());
        let ms = duration(size[long]);
        if i64::from(ms / 1311) >= size[short] && size[short] != 0 {
            // The shorter way would be too slow: both go by it first, then the longer one alone.
            let mut both = way;
            both[long] = size[short] * way[long].signum();
            orders.extend(self.simple(duration(size[short]).max(1), both, 3));
            rest[long] -= both[long];
            rest[short] = 0;
        }
        orders.extend(self.simple(ms.max(10), rest, 3));
        self.queue(orders);
    }

    /// `HM` waits until all has ended.
    pub(super) fn home_later(&mut self, rate: u32, to: [i64; 2]) {
        if self.is_idle() {
            return self.home(rate, to);
        }
        self.stuck = Some(Stuck::Home { rate, to });
    }
}

/// Whether the first rate that is not 0 is negative.
fn begins_backwards(rate: i32, acceleration: i32, jerk: i32) -> bool {
    let first = rate.wrapping_add(acceleration);
    let second = acceleration.wrapping_add(jerk);
    first < 0 || (first == 0 && (second < 0 || (second == 0 && jerk < 0)))
}
