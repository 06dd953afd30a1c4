//! The board's step arithmetic, so that the host knows when each step is taken.
//!
//! In every tick of 40 µs the board adds the acceleration to the rate and the rate to a 31-bit accumulator; its overflow
//! is a step. Before the first tick half the acceleration is taken from the rate, so that after n ticks the accumulator
//! has received n·rate + n²·acceleration / 2, as in mechanics. Source: `ebb.c` of evil-mad/EggBot, `process_low_level_move`
//! and the ISR.
//!
//! Each move begins with cleared accumulators. Then it does not matter that firmware 3 counts backwards in the other
//! direction and firmware 2 does not: both take the same steps in the same ticks.

use traceur_motion::Slice;

/// The accumulator overflows here.
const FULL: i128 = 1 << 31;

/// Highest rate: a step in every tick.
const FASTEST: i128 = FULL - 1;

/// How one motor takes its steps in an `LM` command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ramp {
    /// Rate at the begin; 2³¹ is a step a tick. 0 to 2³¹ − 1.
    pub rate: i32,
    /// Steps; negative: backwards.
    pub steps: i32,
    /// Change of the rate each tick.
    pub acceleration: i32,
}

/// One `LM` command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LowLevelMove {
    /// Both motors.
    pub motors: [Ramp; 2],
}

impl Ramp {
    /// Takes `steps` in exactly `ticks`, the last of them in the last tick, with speeds at its begin and end in the ratio of
    /// `entry` to `exit` as nearly as can be. `ticks` is more than the steps; no steps need no ticks.
    #[must_use]
    pub fn over(steps: i32, ticks: u32, entry: f64, exit: f64) -> Self {
        if steps == 0 || ticks == 0 {
            return Self::default();
        }
        let (count, n) = (i128::from(steps.unsigned_abs()), i128::from(ticks));
        let mean = (count * FULL) as f64 / f64::from(ticks);
        let share = if entry + exit > 0.0 { entry / (entry + exit) } else { 0.5 };
        let mut acceleration = (2.0 * mean * (1.0 - 2.0 * share) / f64::from(ticks)).round() as i128;
        loop {
            // The least rate that takes all steps in time.
            let missing = count * FULL - acceleration * n * (n + 1) / 2;
            let loaded = missing.div_euclid(n) + i128::from(missing.rem_euclid(n) > 0);
            let rate = loaded + acceleration / 2;
            let (first, last) = (loaded + acceleration, loaded + acceleration * n);
            // It oversteps the mark by less than n: with a last rate above that, no tick earlier takes the last step.
            let sound = first >= 0 && last > n && first <= FASTEST && last <= FASTEST;
            if (sound && (0..=FASTEST).contains(&rate)) || acceleration == 0 {
                let clamp = |value: i128| value.clamp(-FASTEST, FASTEST) as i32;
                return Self { rate: clamp(rate), steps, acceleration: clamp(acceleration) };
            }
            acceleration -= acceleration.signum() * (1 + acceleration.abs() / 1024);
        }
    }

    /// What the accumulator has received after `ticks`, from 0.
    fn received(&self, ticks: u32) -> i128 {
        let n = i128::from(ticks);
        let (rate, acceleration) = (i128::from(self.rate), i128::from(self.acceleration));
        (rate - acceleration / 2) * n + acceleration * n * (n + 1) / 2
    }

    /// The rate in the `tick`-th tick, counted from 1.
    #[must_use]
    pub fn rate_in(&self, tick: u32) -> i64 {
        let acceleration = i64::from(self.acceleration);
        i64::from(self.rate) - acceleration / 2 + acceleration * i64::from(tick)
    }

    /// When its last step is taken; ticks from the begin. `None`: it stops before, which no [`Ramp::over`] does.
    #[must_use]
    pub fn ticks(&self) -> Option<u32> {
        let wanted = i128::from(self.steps.unsigned_abs()) * FULL;
        // The rate is not negative up to its end, so what is received only grows.
        let highest = if self.acceleration < 0 {
            (i64::from(self.rate) / -i64::from(self.acceleration)).clamp(0, 1 << 31) as u32 + 1
        } else {
            u32::MAX >> 1
        };
        let (mut low, mut high) = (0, highest);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.received(middle) >= wanted { high = middle } else { low = middle + 1 }
        }
        (self.received(low) >= wanted).then_some(low)
    }
}

/// Bytes of a line with six numbers of eleven.
const LONGEST: usize = 76;

impl LowLevelMove {
    /// The command of a slice. It takes exactly the slice's ticks.
    #[must_use]
    pub fn of(slice: &Slice) -> Self {
        Self { motors: slice.steps.map(|steps| Ramp::over(steps, slice.ticks, slice.entry, slice.exit)) }
    }

    /// How long it takes: until the later motor has taken its last step; ticks.
    #[must_use]
    pub fn ticks(&self) -> Option<u32> {
        Some(self.motors[0].ticks()?.max(self.motors[1].ticks()?))
    }

    /// Its line.
    #[must_use]
    pub fn to_line(self) -> String {
        use std::fmt::Write as _;
        // A long drawing has millions of them.
        let mut line = String::with_capacity(LONGEST);
        line.push_str("LM,");
        for ramp in self.motors {
            let _ = write!(line, "{},{},{},", ramp.rate, ramp.steps, ramp.acceleration);
        }
        line.push('3');
        line
    }

    /// Reads the line of [`LowLevelMove::to_line`].
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        let mut numbers =
            line.strip_prefix("LM,")?.strip_suffix(",3")?.split(',').map(|part| part.parse().ok());
        let mut ramp =
            || Some(Ramp { rate: numbers.next()??, steps: numbers.next()??, acceleration: numbers.next()?? });
        Some(Self { motors: [ramp()?, ramp()?] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The firmware's loop, as it stands.
    fn by_tick(ramp: &Ramp) -> Option<u32> {
        let (mut rate, mut accumulator, mut left) =
            (i64::from(ramp.rate) - i64::from(ramp.acceleration) / 2, 0_i64, ramp.steps.unsigned_abs());
        for tick in 1..1_000_000 {
            if left == 0 {
                return Some(tick - 1);
            }
            rate += i64::from(ramp.acceleration);
            if rate < 0 {
                return None;
            }
            accumulator += rate;
            if accumulator >= 1 << 31 {
                accumulator &= (1 << 31) - 1;
                left -= 1;
            }
        }
        None
    }

    #[test]
    fn a_steady_move_is_the_documents_formula() {
        // 1000 steps/s: 1000 · 2³¹ / 25 000.
        let ramp = Ramp::over(25, 625, 1.0, 1.0);
        assert_eq!((ramp.rate, ramp.acceleration, ramp.ticks()), (85_899_346, 0, Some(625)));
    }

    #[test]
    fn lines_are_read_back() {
        let slice = Slice { ticks: 300, steps: [120, -7], entry: 10.0, exit: 20.0, vertex: 1 };
        let command = LowLevelMove::of(&slice);
        assert_eq!(LowLevelMove::parse(&command.to_line()), Some(command));
        assert_eq!(command.to_line(), "LM,572662360,120,1908874,33405302,-7,111351,3");
        for line in ["", "LM", "LM,1,2,3,4,5,6", "LM,1,2,3,4,5,x,3", "SM,1,2,3,4,5,6,3"] {
            assert_eq!(LowLevelMove::parse(line), None, "{line}");
        }
    }

    proptest! {
        #[test]
        fn a_ramp_takes_its_steps_in_its_ticks(
            (ticks, steps) in (100_u32..1000).prop_flat_map(|ticks| (Just(ticks), 1..ticks as i32 - 2)),
            entry in 0.0..300.0, exit in 0.0..300.0, status in 0..4,
        ) {
            let entry = if status & 1 > 0 { 0.0 } else { entry };
            let exit = if status & 2 > 0 { 0.0 } else { exit };
            let ramp = Ramp::over(steps, ticks, entry, exit);
            prop_assert!(ramp.rate >= 0);
            prop_assert_eq!(by_tick(&ramp), Some(ticks), "{:?}", ramp);
            prop_assert_eq!(ramp.ticks(), Some(ticks));
            prop_assert_eq!(Ramp::over(-steps, ticks, entry, exit), Ramp { steps: -steps, ..ramp });
        }

        #[test]
        fn ticks_are_those_of_the_loop(rate in 0..i32::MAX, steps in 1..3000, acceleration in -3_000_000..3_000_000) {
            let ramp = Ramp { rate, steps, acceleration };
            let last = |ticks: u32| (0..=i64::from(i32::MAX)).contains(&ramp.rate_in(ticks));
            let expected = by_tick(&ramp).filter(|ticks| last(*ticks) && last(1));
            if expected.is_some() {
                prop_assert_eq!(ramp.ticks(), expected);
            }
        }
    }
}
