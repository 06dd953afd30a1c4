//! A serial line between a driver and a virtual plotter: slow, late, chopped, and faulty on request.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::fault_injector::When;
use traceur_core::units;

/// Bits on the wire for each byte: start, eight, stop.
const BITS: f64 = 10.0;
/// Bytes on a slow line come in pieces of at most this many, so that a full buffer can ask for a pause in time.
const PIECE: usize = 32;

/// What goes wrong, and when. The default: nothing.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Faults {
    /// Seed of all chance.
    pub seed: u64,
    /// How late bytes come, both ways; s.
    pub latency: f64,
    /// Bytes come in pieces of at most this many; 0: as they were sent.
    pub chop: usize,
    /// Share of bytes that are lost.
    pub drop: f64,
    /// Share of bytes of which one bit is flipped.
    pub flip: f64,
    /// When the cable is pulled.
    pub unplug: Option<When>,
    /// When its power is cut for a moment: it starts again, and has forgotten where it is.
    pub power_loss: Option<When>,
    /// When the motors' own power goes.
    pub motor_power_off: Option<When>,
    /// When something touches a limit switch (GRBL).
    pub limit_switch: Option<When>,
}

/// Why a fault could not be read.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error(
    "`{part}` is no fault: {reason}; such as `latency=20ms,chop=3,drop=0.001,flip=0.001,unplug=30s` or `unplug=900B` (bytes), also power-loss, motor-power-off, limit-switch, seed=N"
)]
pub struct FaultError {
    part: String,
    reason: String,
}

impl std::str::FromStr for Faults {
    type Err = FaultError;

    /// Reads `latency=20ms,chop=3,drop=0.001,flip=0.001,unplug=30s,power-loss=60s,motor-power-off=10s,seed=7`.
    fn from_str(text: &str) -> Result<Self, FaultError> {
        let mut faults = Self::default();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let wrong = |reason: String| FaultError { part: part.into(), reason };
            let (name, value) = part.split_once('=').ok_or_else(|| wrong("it needs a value".into()))?;
            let time = || units::duration(value).map_err(|error| wrong(error.to_string()));
            let when = || value.parse::<When>().map_err(wrong);
            let share = || match value.parse() {
                Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
                _ => Err(wrong("a share is a number from 0 to 1".into())),
            };
            match name {
                "latency" => faults.latency = time()?.min(60.0),
                "chop" => faults.chop = value.parse().map_err(|_| wrong("it counts bytes".into()))?,
                "drop" => faults.drop = share()?,
                "flip" => faults.flip = share()?,
                "unplug" => faults.unplug = Some(when()?),
                "power-loss" => faults.power_loss = Some(when()?),
                "motor-power-off" => faults.motor_power_off = Some(when()?),
                "limit-switch" => faults.limit_switch = Some(when()?),
                "seed" => faults.seed = value.parse().map_err(|_| wrong("it is a whole number".into()))?,
                _ => return Err(wrong("its name is not known".into())),
            }
        }
        Ok(faults)
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "latency={}s,chop={},drop={},flip={}", self.latency, self.chop, self.drop, self.flip)?;
        let times = [
            ("unplug", self.unplug),
            ("power-loss", self.power_loss),
            ("motor-power-off", self.motor_power_off),
            ("limit-switch", self.limit_switch),
        ];
        for (name, when) in times {
            if let Some(when) = when {
                write!(f, ",{name}={when}")?;
            }
        }
        write!(f, ",seed={}", self.seed)
    }
}

/// One direction of the line. The same bytes at the same times give the same bytes at the same times.
#[derive(Debug, Clone)]
pub struct Wire {
    faults: Faults,
    random: ChaCha8Rng,
    /// How long a byte takes.
    byte_time: Duration,
    /// When the last byte will have left.
    free: Duration,
    /// Pieces and when they arrive.
    pieces: VecDeque<(Duration, Vec<u8>)>,
    /// Since when nothing leaves.
    held: Option<Duration>,
}

impl Wire {
    /// A line of `baud` bits a second; `None`: as fast as can be. `direction` tells the two of a pair apart.
    #[must_use]
    pub fn new(faults: &Faults, baud: Option<u32>, direction: u64) -> Self {
        let byte_time = baud.map_or(0.0, |baud| BITS / f64::from(baud.max(1)));
        Self {
            faults: faults.clone(),
            random: ChaCha8Rng::seed_from_u64(faults.seed ^ direction << 63),
            byte_time: Duration::from_secs_f64(byte_time),
            free: Duration::ZERO,
            pieces: VecDeque::new(),
            held: None,
        }
    }

    /// Takes bytes that are sent at once, now or as soon as those before them have left.
    pub fn send(&mut self, now: Duration, bytes: &[u8]) {
        let whole = if self.byte_time.is_zero() { usize::MAX } else { PIECE };
        let size = if self.faults.chop == 0 { whole } else { self.faults.chop };
        let latency = Duration::from_secs_f64(self.faults.latency);
        for piece in bytes.chunks(size) {
            self.free = self.free.max(now) + self.byte_time * u32::try_from(piece.len()).unwrap_or(u32::MAX);
            let kept = self.harm(piece);
            self.pieces.push_back((self.free + latency, kept));
        }
    }

    /// The next piece that has arrived.
    pub fn receive(&mut self, now: Duration) -> Option<Vec<u8>> {
        let arrived = self.next_arrival().is_some_and(|time| time <= now);
        if arrived { self.pieces.pop_front().map(|(_, piece)| piece) } else { None }
    }

    /// When the next piece arrives.
    #[must_use]
    pub fn next_arrival(&self) -> Option<Duration> {
        let next = self.pieces.front().map(|(time, _)| *time);
        next.filter(|time| self.held.is_none_or(|since| *time <= since))
    }

    /// Lets nothing more leave, as a sender does that is told XOFF.
    pub fn hold(&mut self, now: Duration) {
        self.held.get_or_insert(now);
    }

    /// Goes on after [`Wire::hold`].
    pub fn release(&mut self, now: Duration) {
        let Some(since) = self.held.take() else { return };
        let late = now.saturating_sub(since);
        self.pieces.iter_mut().filter(|(time, _)| *time > since).for_each(|(time, _)| *time += late);
        self.free += late;
    }

    fn harm(&mut self, piece: &[u8]) -> Vec<u8> {
        let (drop, flip) = (self.faults.drop, self.faults.flip);
        if drop <= 0.0 && flip <= 0.0 {
            return piece.to_vec();
        }
        let mut kept = Vec::with_capacity(piece.len());
        for byte in piece {
            if self.random.random_bool(drop) {
                continue;
            }
            let bit = 1 << self.random.random_range(0..8);
            kept.push(if self.random.random_bool(flip) { byte ^ bit } else { *byte });
        }
        kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(wire: &mut Wire) -> Vec<u8> {
        std::iter::from_fn(|| wire.receive(Duration::MAX)).flatten().collect()
    }

    #[test]
    fn faults_are_read_and_written() {
        let text = "latency=0.02s,chop=3,drop=0.001,flip=0.5,unplug=30s,power-loss=900B,seed=7";
        let faults: Faults = text.parse().unwrap();
        assert_eq!((faults.latency, faults.chop, faults.unplug), (0.02, 3, Some(When::Time(30.0))));
        assert_eq!(faults.to_string(), text);
        for wrong in ["latency", "latency=20", "drop=2", "drop=nan", "chop=-1", "gremlins=3", "unplug=soon"] {
            let error = wrong.parse::<Faults>().unwrap_err().to_string();
            assert!(error.contains(wrong) && error.contains("latency=20ms"), "{error}");
        }
    }

    #[test]
    fn bytes_take_their_time_and_come_in_pieces() {
        let faults: Faults = "latency=10ms,chop=2".parse().unwrap();
        let mut wire = Wire::new(&faults, Some(10_000), 0);
        wire.send(Duration::ZERO, b"abcde");
        // A byte takes 1 ms.
        assert_eq!(wire.next_arrival(), Some(Duration::from_millis(12)));
        assert_eq!(wire.receive(Duration::from_millis(11)), None);
        assert_eq!(wire.receive(Duration::from_millis(14)), Some(b"ab".to_vec()));
        assert_eq!(wire.receive(Duration::from_millis(14)), Some(b"cd".to_vec()));
        assert_eq!(wire.receive(Duration::from_millis(14)), None);
        assert_eq!(all(&mut wire), b"e");
    }

    #[test]
    fn a_held_line_goes_on_where_it_stopped() {
        let mut wire = Wire::new(&Faults::default(), Some(10_000), 0);
        wire.send(Duration::ZERO, &[b'x'; 96]);
        let ms = Duration::from_millis;
        wire.hold(ms(40));
        assert_eq!(wire.receive(ms(500)).map(|piece| piece.len()), Some(32));
        assert_eq!((wire.receive(ms(500)), wire.next_arrival()), (None, None));
        wire.release(ms(1040));
        assert_eq!(wire.next_arrival(), Some(ms(1064)));
        assert_eq!(all(&mut wire).len(), 64);
    }

    #[test]
    fn a_bad_wire_loses_and_changes_its_share_and_is_the_same_each_time() {
        let faults: Faults = "drop=0.1,flip=0.1,seed=3".parse().unwrap();
        let sent = vec![0_u8; 10_000];
        let through = || {
            let mut wire = Wire::new(&faults, None, 0);
            wire.send(Duration::ZERO, &sent);
            all(&mut wire)
        };
        let received = through();
        let changed = received.iter().filter(|byte| **byte != 0).count();
        assert!((8_800..9_200).contains(&received.len()), "{}", received.len());
        assert!((750..1_050).contains(&changed), "{changed}");
        assert_eq!(received, through());
    }
}
