//! How a motor runs through one command, tick by tick, as the firmware's interrupt has it.
//!
//! In every tick of 40 µs acceleration and rate are added up and the rate goes to a 31-bit accumulator, whose overflow is
//! a step. As long as the rate keeps its sign and its 31 bits, the sums have closed forms; what does not is done tick by
//! tick.

const FULL: i128 = 1 << 31;
const MASK: u32 = 0x7FFF_FFFF;

/// A command that lasts longer than this without closed form counts as endless: 60 s.
const PATIENCE: u64 = 1_500_000;

/// When a motor is done with its command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    /// After so many steps (`SM`, `LM`); 0: it does not take part.
    Steps(u32),
    /// After so many ticks (`LT`).
    Ticks(u32),
}

/// How a motor runs, as the command is queued: rate and acceleration are those before the first tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Course {
    pub(super) rate: i32,
    pub(super) acceleration: i32,
    pub(super) jerk: i32,
    /// Firmware 2, and SM of all: the rate is a size, and this the direction. Firmware 3: `None`, the rate's sign is it.
    pub(super) direction: Option<i64>,
    pub(super) until: Until,
}

/// A motor after some ticks: steps since the command's begin, and its accumulator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reached {
    pub(super) steps: i64,
    pub(super) accumulator: u32,
}

/// A course under way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    course: Course,
    accumulator: u32,
    /// When it is done; ticks since its begin. `None`: never.
    pub(super) end: Option<u64>,
    tame: Option<Tame>,
}

/// A course with closed forms, in its own direction.
#[derive(Debug, Clone, Copy)]
struct Tame {
    begin: i128,
    rate: i128,
    acceleration: i128,
    /// Its accumulator counts backwards.
    mirrored: bool,
    direction: i64,
}

impl Course {
    /// Begins it with an accumulator.
    pub(super) fn load(self, accumulator: u32) -> Run {
        let accumulator = accumulator & MASK;
        let mut run = Run { course: self, accumulator, end: Some(0), tame: None };
        match self.until {
            Until::Steps(0) | Until::Ticks(0) => return run,
            _ => {}
        }
        if let Some(tame) = self.tame(accumulator)
            && let Some(end) = tame.end(self.until)
        {
            run.end = Some(end);
            run.tame = Some(tame);
            return run;
        }
        run.end = run.walk(PATIENCE).1;
        run
    }

    fn tame(self, accumulator: u32) -> Option<Tame> {
        if self.jerk != 0 {
            return None;
        }
        let (rate, acceleration) = (i128::from(self.rate), i128::from(self.acceleration));
        let begin = i128::from(accumulator);
        match self.direction {
            Some(direction) => Some(Tame { begin, rate, acceleration, mirrored: false, direction }),
            None if rate + acceleration < 0 => Some(Tame {
                begin: FULL - 1 - begin,
                rate: -rate,
                acceleration: -acceleration,
                mirrored: true,
                direction: -1,
            }),
            None => Some(Tame { begin, rate, acceleration, mirrored: false, direction: 1 }),
        }
    }
}

impl Tame {
    fn sum(&self, ticks: u64) -> i128 {
        let n = i128::from(ticks);
        self.begin + self.rate * n + self.acceleration * n * (n + 1) / 2
    }

    fn fits(&self, tick: u64) -> bool {
        (0..FULL).contains(&(self.rate + self.acceleration * i128::from(tick)))
    }

    /// When the course is done, if the closed forms hold until then.
    fn end(&self, until: Until) -> Option<u64> {
        let end = match until {
            Until::Ticks(ticks) => u64::from(ticks),
            Until::Steps(steps) => {
                let wanted = i128::from(steps) * FULL;
                let last = if self.acceleration < 0 {
                    u64::try_from((self.rate / -self.acceleration).max(1)).ok()?
                } else {
                    // It never gets slower than in its first tick.
                    let first = (self.rate + self.acceleration).max(1);
                    u64::try_from(wanted / first + 1).ok()?.min(1 << 40)
                };
                if !self.fits(1) || self.sum(last) < wanted {
                    return None;
                }
                let (mut low, mut high) = (1, last);
                while low < high {
                    let middle = low + (high - low) / 2;
                    if self.sum(middle) >= wanted { high = middle } else { low = middle + 1 }
                }
                low
            }
        };
        (self.fits(1) && self.fits(end)).then_some(end)
    }

    fn at(&self, ticks: u64) -> Reached {
        let sum = self.sum(ticks);
        let rest = (sum % FULL) as u32;
        Reached {
            steps: self.direction * (sum / FULL) as i64,
            accumulator: if self.mirrored { MASK - rest } else { rest },
        }
    }
}

impl Run {
    /// Where it is after so many ticks, no later than at its end.
    pub(super) fn at(&self, ticks: u64) -> Reached {
        let ticks = self.end.map_or(ticks, |end| ticks.min(end));
        match self.tame {
            Some(tame) => tame.at(ticks),
            None => self.walk(ticks.min(PATIENCE)).0,
        }
    }

    /// Whether it has closed forms.
    pub(super) fn is_tame(&self) -> bool {
        self.tame.is_some() || self.end == Some(0)
    }

    /// Tick by tick, at most so many: where that leads, and when the course is done.
    fn walk(&self, ticks: u64) -> (Reached, Option<u64>) {
        let Course { mut rate, mut acceleration, jerk, direction, until } = self.course;
        let mut reached = Reached { steps: 0, accumulator: self.accumulator };
        let mut left = match until {
            Until::Steps(steps) => u64::from(steps),
            Until::Ticks(ticks) => u64::from(ticks),
        };
        for tick in 0..ticks {
            if left == 0 {
                return (reached, Some(tick));
            }
            acceleration = acceleration.wrapping_add(jerk);
            rate = rate.wrapping_add(acceleration);
            if direction.is_some() {
                // Firmware 2.7: the rate can not be negative.
                rate &= i32::MAX;
            }
            let sum = reached.accumulator.wrapping_add(rate as u32);
            reached.accumulator = sum & MASK;
            let stepped = sum > MASK;
            if stepped {
                reached.steps += direction.unwrap_or(if rate < 0 { -1 } else { 1 });
            }
            left -= u64::from(stepped || matches!(until, Until::Ticks(_)));
        }
        (reached, (left == 0).then_some(ticks))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn course(rate: i32, acceleration: i32, direction: Option<i64>, until: Until) -> Course {
        Course { rate, acceleration, jerk: 0, direction, until }
    }

    #[test]
    fn steps_come_at_the_rate() {
        // 1000 steps/s.
        let run = course(85_899_346, 0, Some(1), Until::Steps(1000)).load(0);
        assert_eq!(run.end, Some(25_000));
        assert_eq!(run.at(12_500).steps, 500);
        assert_eq!(course(1, 0, Some(1), Until::Steps(0)).load(7).end, Some(0));
        assert_eq!(course(0, 0, Some(1), Until::Steps(1)).load(7).end, None);
    }

    #[test]
    fn firmware_3_counts_backwards_where_2_does_not() {
        let back = course(-85_899_346, 0, None, Until::Steps(10)).load(MASK);
        let forth = course(85_899_346, 0, Some(-1), Until::Steps(10)).load(0);
        assert_eq!((back.end, back.at(99).steps), (forth.end, forth.at(99).steps));
        assert_eq!(back.at(99).accumulator, MASK - forth.at(99).accumulator);
    }

    #[test]
    fn a_rate_that_changes_its_sign_turns_around() {
        let run = course(400_000_000, -1_000_000, None, Until::Ticks(800)).load(0);
        assert!(!run.is_tame());
        let (turn, end) = (run.at(400).steps, run.at(800).steps);
        assert!(turn > 30 && end.abs() <= 1, "{turn} {end}");
    }

    proptest! {
        #[test]
        fn closed_forms_are_the_loop(
            rate in any::<i32>(), acceleration in -2_000_000..2_000_000, accumulator in 0..=MASK,
            steps in 1_u32..2000, timed in any::<bool>(), signed in any::<bool>(), part in 0.0..1.0,
        ) {
            let until = if timed { Until::Ticks(steps) } else { Until::Steps(steps) };
            let (rate, direction) = if signed { (rate, None) } else { (rate & i32::MAX, Some(-1)) };
            let run = course(rate, acceleration, direction, until).load(accumulator);
            if let (true, Some(end)) = (run.is_tame(), run.end.filter(|end| *end < PATIENCE)) {
                prop_assert_eq!(run.walk(PATIENCE).1, Some(end));
                for tick in [1, (end as f64 * part) as u64, end] {
                    prop_assert_eq!(run.at(tick), run.walk(tick).0);
                }
            }
        }
    }
}
