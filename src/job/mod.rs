//! Plots a program: a session, a port and a clock.
//!
//! Comes in: a [`Program`], a [`Port`]. Goes out: events as they happen, and an [`Outcome`]. A virtual plotter runs in
//! virtual time, as fast as it can or at a chosen pace; its results do not depend on the pace.

#[cfg(test)]
mod grbl_tests;
mod odometer;
mod probe;
mod serve;
#[cfg(test)]
mod tests;
mod virtual_time;

pub use odometer::{Error as OdometerError, Odometer};
pub use probe::{ask, probe};
pub use serve::{End, Speed, VirtualMachine};

use std::pin::pin;
use std::time::{Duration, Instant};

use crate::machine::{Dialect, Firmware, Handshake, Profile};
use crate::protocol::{self, Event, Program};
use crate::sim::{Faults, MotionTrace};
use crate::transport::{self, Flow, Link};

/// Vendor and product number of the EiBotBoard.
const EBB_USB: (u16, u16) = (0x04d8, 0xfd92);
/// For a wire whose speed means nothing.
const USB_BAUD: u32 = 115_200;

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
    /// # use traceur::job::Port;
    /// assert_eq!(Port::parse("sim@20")?, Port::Sim { pace: Some(20.0) });
    /// assert!(Port::parse("sim@fast").is_err());
    /// # Ok::<(), traceur::job::Error>(())
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

/// Plots `program`. When `stop` completes (Ctrl-C), the machine is brought to rest, reset and its pen lifted; give
/// `std::future::pending()` for never. `on_event` is called with each event, in order.
///
/// # Errors
/// When the port can't be opened or the connection ends. Firmware trouble is an event and `finished: false`.
pub async fn run(
    program: Program,
    profile: &Profile,
    port: &Port,
    stop: impl Future<Output = ()>,
    mut on_event: impl FnMut(&Event),
) -> Result<Outcome, Error> {
    match port {
        Port::Sim { pace } => {
            virtual_time::run(program, profile, &Faults::default(), *pace, stop, on_event).await
        }
        Port::Tcp(address) => {
            over(transport::connect(address).await?, program, profile, stop, &mut on_event).await
        }
        Port::Serial(_) | Port::Auto => {
            let name = &match port {
                Port::Serial(name) => name.clone(),
                _ => the_one_port(profile.firmware.dialect())?,
            };
            let baud = profile.firmware.baud().unwrap_or(USB_BAUD);
            let link = transport::open(name, baud, flow(&profile.firmware))?;
            over(link, program, profile, stop, &mut on_event).await
        }
    }
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
    stop: impl Future<Output = ()>,
    on_event: impl FnMut(&Event),
) -> Result<Outcome, Error> {
    virtual_time::run(program, profile, faults, None, stop, on_event).await
}

/// Plots over any link, in real time. As [`run`].
///
/// # Errors
/// When the connection ends.
pub async fn over(
    mut link: Link,
    program: Program,
    profile: &Profile,
    stop: impl Future<Output = ()>,
    on_event: &mut impl FnMut(&Event),
) -> Result<Outcome, Error> {
    let began = Instant::now();
    let mut stop = pin!(stop);
    let (mut session, mut log) = (protocol::session(program, profile), Log::default());
    let mut stopping = false;
    loop {
        while let Some(bytes) = session.poll_transmit() {
            link.send(bytes)?;
        }
        while let Some(event) = session.poll_event() {
            log.note(began.elapsed(), &event);
            on_event(&event);
        }
        let Some(timeout) = session.poll_timeout() else { break };
        let wait = timeout.saturating_sub(began.elapsed());
        tokio::select! {
            biased;
            () = &mut stop, if !stopping => {
                stopping = true;
                session.stop(began.elapsed());
            }
            bytes = link.receive() => session.handle_bytes(began.elapsed(), &bytes?),
            () = tokio::time::sleep(wait) => session.handle_timeout(began.elapsed()),
        }
    }
    Ok(log.outcome(began.elapsed(), None))
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
