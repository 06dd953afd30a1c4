//! Plots a program: a session, a port and a clock.
//!
//! Comes in: a [`Program`], a [`Port`]. Goes out: events as they happen, and an [`Outcome`]. A virtual plotter runs in
//! virtual time, as fast as it can or at a chosen pace; its results do not depend on the pace.

mod connection;
mod control;
#[cfg(test)]
mod grbl_tests;
mod hand;
mod height;
#[cfg(test)]
mod hpgl_tests;
mod inquire;
pub mod journal;
mod odometer;
mod probe;
mod remainder;
mod runner;
#[cfg(test)]
mod runner_tests;
mod serve;
mod stand;
mod store;
#[cfg(test)]
mod tests;
pub mod transport;
mod virtual_time;

pub use connection::Connection;
pub use control::{Control, Controls, Remote};
pub use hand::Hand;
pub use inquire::inquire;
pub use odometer::{Error as OdometerError, Odometer};
pub use probe::probe;
pub use runner::{JobOutcome, News, Operator, PenChange, Place, Work, check, plot};
pub use serve::{End, Speed, VirtualMachine};
pub use stand::stand;
pub use store::{About, Case, Error as StoreError, Store, Stored};
pub use traceur_protocol::inquiry::{Memory, Position, Standing};

use std::time::Duration;

use crate::transport::{Flow, Link};
use traceur_core::machine::{Dialect, Firmware, Handshake, Profile};
use traceur_protocol::{Event, Program};
use traceur_sim::{Faults, MotionTrace};

/// Vendor and product number of the EiBotBoard.
const EBB_USB: (u16, u16) = (0x04d8, 0xfd92);
/// For a wire whose speed means nothing.
const EBB_USB_BAUD: u32 = 115_200;

/// Why a job could not begin or go on.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The wire.
    #[error(transparent)]
    Transport(#[from] transport::Error),
    /// The port's name means nothing.
    #[error(
        "`{text}` is no port: use `sim`, `sim@20` (20 times real time), `auto`, a serial device such as /dev/ttyUSB0, or \
         `tcp://host:port`"
    )]
    Port {
        /// What was written.
        text: String,
    },
    /// The machine can't do, or does not want, what is asked of it by hand.
    #[error(transparent)]
    Fault(#[from] traceur_protocol::Fault),
    /// It refused a line.
    #[error("the plotter answered {reply} to `{line}`: {meaning}")]
    Refused {
        /// The line.
        line: String,
        /// What it said.
        reply: String,
        /// What that means.
        meaning: String,
    },
    /// This machine has no such thing.
    #[error("{0}")]
    Unable(&'static str),
    /// `auto` found no single port.
    #[error("`auto` found {}: name the port, `traceur ports` lists them", found(.known))]
    Auto {
        /// The ports that may be meant.
        known: Vec<String>,
    },
}

fn found(known: &[String]) -> String {
    if known.is_empty() { "no serial port".into() } else { format!("several ports ({})", known.join(", ")) }
}

/// Where a program goes.
#[derive(Debug, Clone, PartialEq)]
pub enum Port {
    /// A virtual plotter in this process.
    Sim {
        /// Times real time; `None`: as fast as it can.
        pace: Option<f64>,
    },
    /// A serial device, by name.
    Serial(String),
    /// The one serial device that is there; of several, the one that the machine's kind has.
    Auto,
    /// Host and port of a bridge to a serial line.
    Tcp(String),
}

impl Port {
    /// Reads `sim`, `sim@20`, `auto`, `tcp://host:port`, or a device name.
    ///
    /// # Errors
    /// When it is empty, has no host, or the pace is not between 0.01 and 10 000.
    ///
    /// ```
    /// # use traceur_job::Port;
    /// assert_eq!(Port::parse("sim@20")?, Port::Sim { pace: Some(20.0) });
    /// assert!(Port::parse("sim@fast").is_err());
    /// # Ok::<(), traceur_job::Error>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self, Error> {
        let error = || Error::Port { text: text.into() };
        if text == "sim" {
            return Ok(Self::Sim { pace: None });
        }
        if let Some(pace) = text.strip_prefix("sim@") {
            let pace: f64 = pace.trim_end_matches('x').parse().map_err(|_| error())?;
            return if (0.01..=10_000.0).contains(&pace) {
                Ok(Self::Sim { pace: Some(pace) })
            } else {
                Err(error())
            };
        }
        if text == "auto" {
            return Ok(Self::Auto);
        }
        if let Some(address) = text.strip_prefix("tcp://") {
            let whole = address
                .rsplit_once(':')
                .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
            return if whole { Ok(Self::Tcp(address.into())) } else { Err(error()) };
        }
        if text.trim().is_empty() { Err(error()) } else { Ok(Self::Serial(text.into())) }
    }

    /// Whether it is there, before anybody is asked to mount a pen. Nothing is opened.
    ///
    /// # Errors
    /// When a serial device is not there, with those that are.
    pub fn check(&self) -> Result<(), Error> {
        match self {
            Self::Sim { .. } | Self::Tcp(_) => Ok(()),
            Self::Serial(name) => Ok(transport::check(name)?),
            Self::Auto => the_one_port(Dialect::Grbl).map(drop),
        }
    }
}

/// The name of the only serial port, or of the only one with the EiBotBoard's numbers for a machine that is one.
fn the_one_port(dialect: Dialect) -> Result<String, Error> {
    let mut ports = transport::ports();
    let ebbs = ports.iter().filter(|port| port.usb == Some(EBB_USB)).count();
    if dialect == Dialect::Ebb && ebbs > 0 {
        ports.retain(|port| port.usb == Some(EBB_USB));
    }
    let mut names: Vec<String> = ports.into_iter().map(|port| port.name).collect();
    if names.len() == 1 { Ok(names.remove(0)) } else { Err(Error::Auto { known: names }) }
}

/// How a job ended.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Outcome {
    /// Whether all of the program has been drawn. If not, the last event told why.
    pub finished: bool,
    /// From the connection to the end, in the plotter's time; s.
    pub seconds: f64,
    /// The last statement that is known to have been drawn with all before it.
    pub drawn: Option<usize>,
    /// What the pen of a virtual plotter did.
    pub trace: Option<MotionTrace>,
}

/// Plots `program`, and does what `controls` ask for meanwhile. `on_event` is called with each event, in order.
///
/// # Errors
/// When the port can't be opened or the connection ends. Firmware trouble is an event and `finished: false`.
pub async fn run(
    program: Program,
    profile: &Profile,
    port: &Port,
    controls: &mut Controls,
    on_event: impl FnMut(&Event),
) -> Result<Outcome, Error> {
    one(Connection::open(port, profile).await?, program, profile, controls, on_event).await
}

fn flow(firmware: &Firmware) -> Flow {
    match firmware {
        Firmware::Hpgl(hpgl) if hpgl.handshake == Handshake::Hardwire => Flow::Hardware,
        _ => Flow::None,
    }
}

/// Plots on a virtual plotter over a line with `faults`, as fast as it can. As [`run`].
///
/// # Errors
/// When the cable is pulled.
pub async fn simulate(
    program: Program,
    profile: &Profile,
    faults: &Faults,
    controls: &mut Controls,
    on_event: impl FnMut(&Event),
) -> Result<Outcome, Error> {
    one(Connection::simulated(profile, faults, None), program, profile, controls, on_event).await
}

/// Plots over any link, in real time. As [`run`].
///
/// # Errors
/// When the connection ends.
pub async fn over(
    link: Link,
    program: Program,
    profile: &Profile,
    controls: &mut Controls,
    on_event: &mut impl FnMut(&Event),
) -> Result<Outcome, Error> {
    one(Connection::over(link), program, profile, controls, on_event).await
}

async fn one(
    mut connection: Connection,
    program: Program,
    profile: &Profile,
    controls: &mut Controls,
    on_event: impl FnMut(&Event),
) -> Result<Outcome, Error> {
    let mut session = traceur_protocol::session(program, profile);
    let mut pilot = Alone { log: Log::default(), on_event };
    let now = connection.drive(session.as_mut(), controls, &mut pilot).await?;
    Ok(pilot.log.outcome(now, connection.trace().cloned()))
}

/// One program by itself.
struct Alone<F> {
    log: Log,
    on_event: F,
}

impl<F: FnMut(&Event)> connection::Pilot for Alone<F> {
    fn wish(&mut self, control: Control, session: &mut dyn traceur_protocol::Session, now: Duration) {
        control.apply(session, now);
    }

    fn hear(&mut self, now: Duration, event: &Event) {
        self.log.note(now, event);
        (self.on_event)(event);
    }
}

/// What a job remembers of its events.
#[derive(Debug, Default)]
struct Log {
    finished: bool,
    connected: Duration,
    drawn: Option<usize>,
}

impl Log {
    fn note(&mut self, now: Duration, event: &Event) {
        match event {
            Event::Connected { .. } => self.connected = now,
            Event::Completed { upto } => self.drawn = Some(*upto),
            Event::Finished => self.finished = true,
            _ => {}
        }
    }

    fn outcome(&self, now: Duration, trace: Option<MotionTrace>) -> Outcome {
        let seconds = now.saturating_sub(self.connected).as_secs_f64();
        Outcome { finished: self.finished, seconds, drawn: self.drawn, trace }
    }
}
