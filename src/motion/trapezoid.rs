//! The speed profile of one segment.

/// One phase of constant acceleration.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Block {
    /// How far it goes; mm.
    pub length: f64,
    /// Speed at its begin; mm/s.
    pub entry: f64,
    /// Positive: faster; mm/s².
    pub acceleration: f64,
    /// How long it takes; s.
    pub seconds: f64,
}

impl Block {
    /// Speed at its end; mm/s.
    #[must_use]
    pub fn exit(&self) -> f64 {
        (self.entry + self.acceleration * self.seconds).max(0.0)
    }
}

/// How one segment is moved: faster, steady, slower; any of the three may be empty.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trapezoid {
    /// How far it goes; mm.
    pub length: f64,
    /// Speed at its begin; mm/s.
    pub entry: f64,
    /// Greatest speed; mm/s.
    pub peak: f64,
    /// Speed at its end; mm/s.
    pub exit: f64,
    /// Of both ramps; mm/s², positive.
    pub acceleration: f64,
}

impl Trapezoid {
    /// The fastest way through `length` mm between two corner speeds that can be reached from each other. Squared
    /// speeds in mm²/s², acceleration in mm/s².
    #[must_use]
    pub fn new(length: f64, entry_v2: f64, nominal_v2: f64, exit_v2: f64, acceleration: f64) -> Self {
        let highest_v2 = 0.5 * (entry_v2 + exit_v2) + acceleration * length;
        let peak_v2 = highest_v2.min(nominal_v2).max(entry_v2).max(exit_v2);
        Self { length, entry: entry_v2.sqrt(), peak: peak_v2.sqrt(), exit: exit_v2.sqrt(), acceleration }
    }

    /// From standing to standing at no more than `speed` mm/s.
    #[must_use]
    pub fn between_stops(length: f64, speed: f64, acceleration: f64) -> Self {
        Self::new(length, 0.0, speed * speed, 0.0, acceleration)
    }

    /// Its three phases, in order: up, steady, down. Empty ones have length 0 and take no time.
    #[must_use]
    pub fn blocks(&self) -> [Block; 3] {
        let ramp = |slow: f64| {
            let length = (self.peak - slow) * (self.peak + slow) / (2.0 * self.acceleration);
            length.clamp(0.0, self.length)
        };
        let (up, down) = (ramp(self.entry), ramp(self.exit));
        // By mean speeds: the quotient of small differences would lose digits on short segments.
        let phase = |length: f64, from: f64, to: f64, acceleration: f64| Block {
            length,
            entry: from,
            acceleration,
            seconds: if length > 0.0 { 2.0 * length / (from + to) } else { 0.0 },
        };
        [
            phase(up, self.entry, self.peak, self.acceleration),
            phase((self.length - up - down).max(0.0), self.peak, self.peak, 0.0),
            phase(down, self.peak, self.exit, -self.acceleration),
        ]
    }

    /// How long it takes; s.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.blocks().iter().map(|block| block.seconds).sum()
    }

    /// Distance from its begin (mm) and speed (mm/s), `seconds` after its begin; held at the ends.
    #[must_use]
    pub fn at(&self, seconds: f64) -> (f64, f64) {
        let (mut begin, mut distance) = (0.0, 0.0);
        for block in self.blocks() {
            if seconds < begin + block.seconds {
                let since = (seconds - begin).max(0.0);
                let moved = block.entry * since + 0.5 * block.acceleration * since * since;
                return (
                    (distance + moved).clamp(0.0, self.length),
                    block.entry + block.acceleration * since,
                );
            }
            begin += block.seconds;
            distance += block.length;
        }
        (self.length, self.exit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_segment_has_no_steady_phase() {
        let short = Trapezoid::between_stops(1.0, 100.0, 400.0);
        assert!((short.peak - 20.0).abs() < 1e-12);
        assert!((short.seconds() - 0.1).abs() < 1e-12);
        assert_eq!(short.at(0.05), (0.5, 20.0));
    }

    #[test]
    fn the_phases_add_up() {
        let long = Trapezoid::new(50.0, 25.0, 2500.0, 400.0, 300.0);
        let length: f64 = long.blocks().iter().map(|block| block.length).sum();
        assert!((length - 50.0).abs() < 1e-12);
        assert!((long.blocks()[0].exit() - 50.0).abs() < 1e-9);
        assert!((long.blocks()[2].exit() - 20.0).abs() < 1e-9);
        assert_eq!(long.at(1e9), (50.0, 20.0));
    }
}
