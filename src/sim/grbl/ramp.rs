//! One block in time.

use std::time::Duration;

/// What of a block matters for its time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    /// What is left of it; mm.
    pub(super) length: f64,
    /// mm/s.
    pub(super) speed: f64,
    /// mm/s².
    pub(super) acceleration: f64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Phase {
    seconds: f64,
    /// Speed at its begin; mm/s.
    v: f64,
    /// mm/s².
    a: f64,
}

/// Up to three phases of constant acceleration.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ramp {
    pub(super) begin: Duration,
    pub(super) end: Duration,
    phases: [Phase; 3],
    /// Speed at its end; mm/s.
    pub(super) v1: f64,
    /// mm.
    pub(super) length: f64,
}

impl Ramp {
    /// From `v0` as fast as it may be, and out at `v1`; mm/s. Faster than the block's own speed, as an override leaves it,
    /// it slows down first, and comes out faster than `v1` if there is no room.
    pub(super) fn new(begin: Duration, v0: f64, v1: f64, block: Run) -> Self {
        let Run { length, speed, acceleration: a } = block;
        let least_v2 = v0 * v0 - 2.0 * a * length;
        if least_v2 > v1 * v1 {
            return Self::slowing(begin, v0, least_v2.sqrt(), length, a);
        }
        let peak_v2 = (v0 * v0 + v1 * v1) / 2.0 + a * length;
        let top = peak_v2.max(0.0).sqrt().min(speed.max(v1));
        let ways = (top * top - v0 * v0).abs() + (top * top - v1 * v1).max(0.0);
        let cruise = ((length - ways / (2.0 * a)) / top.max(1e-9)).max(0.0);
        let phases = [
            Phase { seconds: (top - v0).abs() / a, v: v0, a: if top < v0 { -a } else { a } },
            Phase { seconds: cruise, v: top, a: 0.0 },
            Phase { seconds: (top - v1).max(0.0) / a, v: top, a: -a },
        ];
        Self::timed(begin, phases, v1, length)
    }

    /// Slows down as fast as it can: to rest inside the block (`length` is how far it comes), or to its end.
    pub(super) fn hold(begin: Duration, v0: f64, block: Run) -> Self {
        let a = block.acceleration;
        let stop = v0 * v0 / (2.0 * a);
        let length = stop.min(block.length);
        let v1 = if stop <= block.length { 0.0 } else { (v0 * v0 - 2.0 * a * length).max(0.0).sqrt() };
        Self::slowing(begin, v0, v1, length, a)
    }

    fn slowing(begin: Duration, v0: f64, v1: f64, length: f64, a: f64) -> Self {
        let slow = Phase { seconds: (v0 - v1) / a, v: v0, a: -a };
        Self::timed(begin, [slow, Phase::default(), Phase::default()], v1, length)
    }

    fn timed(begin: Duration, phases: [Phase; 3], v1: f64, length: f64) -> Self {
        let seconds = phases.iter().map(|phase| phase.seconds).sum();
        let lasting = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::from_secs(86_400));
        Self { begin, end: begin.saturating_add(lasting), phases, v1, length }
    }

    /// How far it has come, and how fast it is; mm, mm/s.
    pub(super) fn at(&self, now: Duration) -> (f64, f64) {
        if now >= self.end {
            return (self.length, self.v1);
        }
        let mut left = now.saturating_sub(self.begin).as_secs_f64();
        let (mut s, mut v) = (0.0, self.phases[0].v);
        for phase in self.phases {
            let t = left.min(phase.seconds);
            s += phase.v * t + phase.a * t * t / 2.0;
            if phase.seconds > 0.0 {
                v = phase.v + phase.a * t;
            }
            left -= t;
            if left <= 0.0 {
                break;
            }
        }
        (s.clamp(0.0, self.length), v)
    }
}
