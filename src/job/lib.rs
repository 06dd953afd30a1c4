//! Plots toolpaths: sessions, a port and a clock.
//!
//! Comes in: [`Work`] and a [`Connection`] to a [`Port`]. Goes out: [`News`] as they happen, and a [`JobOutcome`]
//! ([`plot`]). A virtual plotter runs in virtual time, as fast as it can or at a chosen pace; its results do not depend on
//! the pace.

mod connection;
mod control;
#[cfg(test)]
mod grbl_tests;
mod height;
#[cfg(test)]
mod hpgl_tests;
mod inquire;
pub mod journal;
mod log;
mod manual;
mod odometer;
mod position;
mod probe;
mod remainder;
mod runner;
mod runtime;
mod serve;
mod session_handler;
mod store;
#[cfg(test)]
mod test_support;
#[cfg(test)]
mod tests;
pub mod transport;
mod virtual_connection;
mod virtual_line;

pub use connection::Connection;
pub use control::{Control, Controls, Remote};
pub use inquire::inquire;
pub use manual::ManualControl;
pub use odometer::{Error as OdometerError, Odometer};
pub use position::verify_position;
pub use probe::probe;
pub use runner::{Ending, JobOutcome, News, Operator, PenChange, Place, Work, check, plot};
pub use runtime::runtime;
pub use serve::{End, Speed, VirtualMachine};
pub use store::{About, Case, Error as StoreError, Store, Stored};
pub use traceur_protocol::inquiry::{DeviceStatus, Memory, Position};

use std::fmt;

use crate::transport::Flow;
use traceur_core::ErrorKind;
use traceur_core::machine::{Dialect, Firmware, Handshake};

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
    /// The machine can't do, or does not want, what is asked of it by hand; or it does not answer.
    #[error(transparent)]
    Inquiry(#[from] traceur_protocol::inquiry::Error),
    /// `auto` found no single port.
    #[error("`auto` found {}: name the port, `traceur ports` lists them", found(.known))]
    Auto {
        /// The ports that may be meant.
        known: Vec<String>,
    },
    /// Nobody knows where the pen is: why.
    #[error("{0}")]
    Lost(String),
    /// The system gives no runtime.
    #[error("nothing can be begun: {reason}")]
    Runtime {
        /// What the system says.
        reason: String,
    },
}

impl Error {
    /// What it means to whoever asked for the job.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Transport(error) => error.kind(),
            Self::Inquiry(error) => error.kind(),
            Self::Port { .. } => ErrorKind::Input,
            Self::Auto { .. } | Self::Runtime { .. } => ErrorKind::Device,
            Self::Lost(_) => ErrorKind::Lost,
        }
    }
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

    /// Whether it is there, before anybody is asked to mount a pen. Nothing is opened. `dialect` is the machine's, by which
    /// [`Auto`](Self::Auto) chooses among several.
    ///
    /// # Errors
    /// When a serial device is not there, with those that are.
    pub fn check(&self, dialect: Dialect) -> Result<(), Error> {
        match self {
            Self::Sim { .. } | Self::Tcp(_) => Ok(()),
            Self::Serial(name) => Ok(transport::check(name)?),
            Self::Auto => the_one_port(dialect).map(drop),
        }
    }
}

/// As [`Port::parse`] reads it.
impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sim { pace: None } => f.write_str("sim"),
            Self::Sim { pace: Some(pace) } => write!(f, "sim@{pace}"),
            Self::Serial(name) => f.write_str(name),
            Self::Auto => f.write_str("auto"),
            Self::Tcp(address) => write!(f, "tcp://{address}"),
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

fn flow(firmware: &Firmware) -> Flow {
    match firmware {
        Firmware::Hpgl(hpgl) if hpgl.handshake == Handshake::Hardwire => Flow::Hardware,
        _ => Flow::None,
    }
}
