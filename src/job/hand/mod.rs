//! A machine moved by hand: home, jog, pen, zero, and how it stands.
//!
//! Comes in: a profile, a port, one order after another. Goes out: how the machine stands after it. No order returns before
//! the machine rests. Deliberately absent: programs, which are streamed by sessions.

mod ebb;
mod grbl;
mod hpgl;

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::connection::open_serial;
use super::{Error, Port, Speed, VirtualMachine};
use crate::transport::{self, Link};
use traceur_core::machine::{Firmware, Profile};
use traceur_protocol::{Fault, Height};
use traceur_sim::Faults;

/// For an answer to what is answered at once.
const PATIENCE: Duration = Duration::from_secs(3);
/// For the longest way, and for homing.
const LONG: Duration = Duration::from_secs(180);
/// Between questions whether the machine rests.
const POLL: Duration = Duration::from_millis(50);
/// Bytes without a line's end beyond which all is noise.
const NOISE: usize = 4096;

/// How a machine stands.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Standing {
    /// What it does, in its own word or ours: `Idle`, `Alarm`, `ready`.
    pub state: String,
    /// Where the pen is, from the zero that drawings count from, along the machine's axes; mm.
    pub position: Option<[f64; 2]>,
    /// Whether the pen is down; `None`: it can not tell.
    pub pen_down: Option<bool>,
    /// Whether its motors have power; `None`: it can not tell.
    pub motor_power: Option<bool>,
    /// Firmware or model.
    pub firmware: String,
    /// What it complains about.
    pub trouble: Option<String>,
}

/// A connection to a machine that is moved by hand.
#[derive(Debug)]
pub struct Hand {
    talk: Talk,
    profile: Profile,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Grbl(grbl::Known),
    Ebb(ebb::Known),
    Hpgl,
}

impl Hand {
    /// Opens a port and waits for the machine's answer. A virtual plotter (`sim`) is a fresh one. Opening the port makes
    /// most GRBL boards start anew.
    ///
    /// # Errors
    /// When the port can't be opened, nobody answers, or the firmware is too old.
    pub async fn open(profile: &Profile, port: &Port) -> Result<Self, Error> {
        let link = match port {
            Port::Sim { pace } => virtual_link(profile, *pace),
            Port::Tcp(address) => transport::connect(address).await?,
            Port::Serial(_) | Port::Auto => open_serial(port, profile)?,
        };
        Self::over(link, profile).await
    }

    /// The same over an open link.
    ///
    /// # Errors
    /// As [`Hand::open`].
    pub async fn over(link: Link, profile: &Profile) -> Result<Self, Error> {
        let mut talk = Talk { link, bytes: Vec::new() };
        let kind = match &profile.firmware {
            Firmware::Grbl(_) => Kind::Grbl(grbl::greet(&mut talk).await?),
            Firmware::Ebb(ebb) => Kind::Ebb(ebb::greet(&mut talk, ebb).await?),
            Firmware::Hpgl(_) => {
                hpgl::greet(&mut talk).await?;
                Kind::Hpgl
            }
        };
        Ok(Self { talk, profile: profile.clone(), kind })
    }

    /// Goes home with the pen up: to its switches, to where it counts from, or to its sheet's corner.
    ///
    /// # Errors
    /// When the machine does not know where that is, or refuses.
    pub async fn home(&mut self) -> Result<(), Error> {
        match (&mut self.kind, &self.profile.firmware) {
            (Kind::Grbl(known), Firmware::Grbl(table)) => {
                grbl::home(&mut self.talk, &self.profile, table, known).await
            }
            (Kind::Ebb(_), Firmware::Ebb(table)) => ebb::home(&mut self.talk, &self.profile, table).await,
            _ => hpgl::home(&mut self.talk).await,
        }
    }

    /// Moves by so much along the machine's axes, the pen as it is; mm.
    ///
    /// # Errors
    /// When the machine is locked, has no power for its motors, or refuses.
    pub async fn jog(&mut self, by: [f64; 2]) -> Result<(), Error> {
        match (&self.kind, &self.profile.firmware) {
            (Kind::Grbl(known), _) => grbl::jog(&mut self.talk, &self.profile, known, by).await,
            (Kind::Ebb(_), Firmware::Ebb(table)) => ebb::jog(&mut self.talk, &self.profile, table, by).await,
            (_, Firmware::Hpgl(table)) => hpgl::jog(&mut self.talk, table, by).await,
            _ => Ok(()),
        }
    }

    /// Moves the pen up or down.
    ///
    /// # Errors
    /// When the machine is locked, refuses, or knows no heights but two.
    pub async fn pen(&mut self, height: Height) -> Result<(), Error> {
        match (&self.kind, &self.profile.firmware) {
            (Kind::Grbl(known), _) => grbl::pen(&mut self.talk, &self.profile, known, height).await,
            (Kind::Ebb(_), Firmware::Ebb(table)) => {
                ebb::pen(&mut self.talk, &self.profile, table, height).await
            }
            _ => hpgl::pen(&mut self.talk, height).await,
        }
    }

    /// Says that drawings count from here.
    ///
    /// # Errors
    /// When the machine is locked, or has a zero of its own.
    pub async fn zero(&mut self) -> Result<(), Error> {
        match (&self.kind, &self.profile.firmware) {
            (Kind::Grbl(known), _) => grbl::zero(&mut self.talk, known).await,
            (Kind::Ebb(_), Firmware::Ebb(table)) => ebb::zero(&mut self.talk, table).await,
            _ => Err(Error::Unable(
                "an HP-GL plotter counts from a corner of its own sheet: there is nothing to set",
            )),
        }
    }

    /// How it stands.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn standing(&mut self) -> Result<Standing, Error> {
        match (&self.kind, &self.profile.firmware) {
            (Kind::Grbl(known), _) => grbl::standing(&mut self.talk, &self.profile, known).await,
            (Kind::Ebb(known), Firmware::Ebb(table)) => ebb::standing(&mut self.talk, table, known).await,
            (_, Firmware::Hpgl(table)) => hpgl::standing(&mut self.talk, table).await,
            _ => Ok(Standing::default()),
        }
    }
}

/// The wire of a fresh virtual plotter, which lives as long as the runtime.
fn virtual_link(profile: &Profile, pace: Option<f64>) -> Link {
    let (ours, mut theirs) = Link::pair();
    let speed = pace.map_or(Speed::Max, Speed::Times);
    let mut machine = VirtualMachine::new(profile, &Faults::default(), speed);
    tokio::spawn(async move {
        let mut never = std::pin::pin!(std::future::pending());
        machine.serve(&mut theirs, &mut never, || false, |_| {}).await
    });
    ours
}

/// Lines over a link.
#[derive(Debug)]
struct Talk {
    link: Link,
    bytes: Vec<u8>,
}

impl Talk {
    fn say(&self, text: &str) -> Result<(), Error> {
        Ok(self.link.send(text.as_bytes().to_vec())?)
    }

    /// The next line, without its end and without what else is not to be seen; `None` if none comes in time.
    async fn hear(&mut self, patience: Duration) -> Result<Option<String>, Error> {
        let end = Instant::now() + patience;
        loop {
            if let Some(at) = self.bytes.iter().position(|byte| b"\r\n".contains(byte)) {
                let line: Vec<u8> = self.bytes.drain(..=at).collect();
                let text = String::from_utf8_lossy(&line);
                let text = text.trim_matches(|c: char| c.is_control() || c == ' ');
                if !text.is_empty() {
                    return Ok(Some(text.to_owned()));
                }
                continue;
            }
            if self.bytes.len() > NOISE {
                self.bytes.clear();
            }
            match timeout_at(end, self.link.receive()).await {
                Ok(bytes) => self.bytes.extend(bytes?),
                Err(_) => return Ok(None),
            }
        }
    }

    /// The next line; it must come.
    async fn must_hear(&mut self, patience: Duration) -> Result<String, Error> {
        Ok(self.hear(patience).await?.ok_or(Fault::Silent)?)
    }

    /// Lets late answers pass, until it is quiet.
    async fn settle(&mut self) -> Result<(), Error> {
        while self.hear(Duration::from_millis(200)).await?.is_some() {}
        Ok(())
    }
}

#[cfg(test)]
mod tests;
