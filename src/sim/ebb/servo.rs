//! The pen's servo: its pulse slews, and the pen follows.

use traceur_core::machine::{Ebb, Lift, ServoPulses};

/// The firmware changes pulses once in 24 ms; ticks.
const PERIOD: u64 = 600;

/// What the firmware boots with: `SC,4` and `SC,5`, and both rates.
const BOOT: ServoPulses = ServoPulses { up: 22_565, down: 15_302, up_rate: 400, down_rate: 400 };

/// The pen's servo, and what the firmware knows of it.
#[derive(Debug, Clone)]
pub(super) struct Servo {
    /// What `SP` goes to, as `SC` has set it.
    pub(super) pulses: ServoPulses,
    /// The PPS pin that `SP` uses.
    pub(super) pin: u8,
    /// What `QP` says.
    pub(super) state_up: bool,
    /// The PPS pin that the real servo hangs on.
    wired_to: u8,
    /// Pulses beyond this put the pen down; `down_is_less`: pulses below it.
    contact: f64,
    down_is_less: bool,
    /// The pulse when the last move began; 0: none was ever asked for, and the pen is up.
    pulse: u16,
    target: u16,
    rate: u16,
    since: u64,
}

impl Servo {
    pub(super) fn new(ebb: &Ebb, lift: &Lift) -> Self {
        let wired = ebb.pulses(lift).unwrap_or(BOOT);
        Self {
            pulses: BOOT,
            pin: 4,
            state_up: true,
            wired_to: ebb.servo_pin + 3,
            contact: f64::midpoint(f64::from(wired.up), f64::from(wired.down)),
            down_is_less: wired.down < wired.up,
            pulse: 0,
            target: 0,
            rate: 0,
            since: 0,
        }
    }

    /// Keeps the arm where it is when the board restarts.
    pub(super) fn reset(&mut self) {
        (self.pulses, self.pin, self.state_up) = (BOOT, 4, true);
    }

    /// A servo command begins at this tick.
    pub(super) fn go(&mut self, tick: u64, pin: u8, target: u16, rate: u16) {
        if pin == self.pin {
            self.state_up = target == self.pulses.up;
        }
        if pin != self.wired_to {
            return;
        }
        self.pulse = match self.pulse {
            // It was never told before: the firmware begins at where it booted, and so does the arm.
            0 => BOOT.up,
            _ => self.pulse_at(tick),
        };
        (self.target, self.rate, self.since) = (target, rate, tick);
        if target == 0 {
            // No more pulses: the arm stays.
            self.target = self.pulse;
        }
    }

    /// The pulse at a tick; it changes at whole periods of the board's clock.
    fn pulse_at(&self, tick: u64) -> u16 {
        let periods = tick / PERIOD - self.since / PERIOD;
        let (from, to) = (i64::from(self.pulse), i64::from(self.target));
        if periods == 0 || from == to {
            return self.pulse;
        }
        if self.rate == 0 {
            return self.target;
        }
        let most = i64::from(self.rate) * periods.min(1 << 20) as i64;
        (from + (to - from).clamp(-most, most)) as u16
    }

    /// Whether the pen touches the paper.
    pub(super) fn is_down(&self, tick: u64) -> bool {
        let pulse = f64::from(self.pulse_at(tick));
        self.pulse != 0 && if self.down_is_less { pulse < self.contact } else { pulse > self.contact }
    }

    /// When that changes next, no later than `until`.
    pub(super) fn next_flip(&self, tick: u64, until: u64) -> Option<u64> {
        let now = self.is_down(tick);
        if self.pulse == 0 || self.is_down(until) == now {
            return None;
        }
        // It changes once, as the pulse goes one way.
        let (mut low, mut high) = (tick, until);
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if self.is_down(middle) == now { low = middle } else { high = middle }
        }
        Some(high)
    }
}
