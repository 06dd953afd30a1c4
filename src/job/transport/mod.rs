//! Bytes to and from a plotter, and nothing about what they mean.
//!
//! A [`Link`] is one end of a two-way pipe: a serial port ([`open`]), a socket ([`connect`]), the plotter's end of a
//! pseudo-terminal ([`Pty`]), or the other half of [`Link::pair`].

#[cfg(unix)]
mod pty;
mod serial;
mod tcp;

#[cfg(unix)]
pub use pty::Pty;
pub use serial::{Flow, SerialPort, check, open, ports};
pub use tcp::{Listener, connect};

use std::io::{self, Read, Write};

use tokio::sync::mpsc;

use traceur_core::ErrorKind;

/// Why a port can't be used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The user may not open it.
    #[error(
        "no permission for {port}: it belongs to group `{group}`; run `sudo usermod -aG {group} $USER`, then log in again"
    )]
    Permission {
        /// The device.
        port: String,
        /// Its group: `dialout` on Debian, `uucp` on Arch.
        group: String,
    },
    /// It can't be opened.
    #[error("{port}: {reason}{}", among(.known))]
    Open {
        /// The device.
        port: String,
        /// What the system says.
        reason: String,
        /// The ports that are there, if that may help.
        known: Option<Vec<String>>,
    },
    /// A pseudo-terminal or a socket can't be made.
    #[error("{name}: {reason}")]
    Serve {
        /// The link or the address.
        name: String,
        /// What the system says.
        reason: String,
    },
    /// A program that calls can't be answered.
    #[error("{address}: {reason}")]
    Accept {
        /// Where it called.
        address: String,
        /// What the system says.
        reason: String,
    },
    /// The connection ended.
    #[error("the connection to the plotter ended: {reason}")]
    Closed {
        /// What the system says.
        reason: String,
    },
}

impl Error {
    /// A name that can't be listened at is the user's; all else is the device, or the way to it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Serve { .. } => ErrorKind::Input,
            Self::Permission { .. } | Self::Open { .. } | Self::Accept { .. } | Self::Closed { .. } => {
                ErrorKind::Device
            }
        }
    }
}

fn among(known: &Option<Vec<String>>) -> String {
    match known.as_deref() {
        None => String::new(),
        Some([]) => "; no serial ports are connected".into(),
        Some(known) => format!("; connected: {}", known.join(", ")),
    }
}

type Piece = Result<Vec<u8>, Error>;

/// One end of a two-way pipe of bytes.
#[derive(Debug)]
pub struct Link {
    out: mpsc::UnboundedSender<Piece>,
    back: mpsc::UnboundedReceiver<Piece>,
    /// Whether its bytes are logged. Of two ends in one process only one is.
    logs: bool,
}

/// Bytes that leave for the other end, for `-vv`.
pub(super) fn log_sent(bytes: &[u8]) {
    if !bytes.is_empty() {
        tracing::trace!("-> {}", bytes.escape_ascii());
    }
}

/// Bytes that have come from the other end.
pub(super) fn log_received(bytes: &[u8]) {
    if !bytes.is_empty() {
        tracing::trace!("<- {}", bytes.escape_ascii());
    }
}

impl Link {
    /// Two ends in this process; the first one's bytes are logged.
    #[must_use]
    pub fn pair() -> (Self, Self) {
        let (a_out, b_back) = mpsc::unbounded_channel();
        let (b_out, a_back) = mpsc::unbounded_channel();
        (Self { out: a_out, back: a_back, logs: true }, Self { out: b_out, back: b_back, logs: false })
    }

    /// Hands bytes over; they leave in order.
    ///
    /// # Errors
    /// When the other end is gone.
    pub fn send(&self, bytes: Vec<u8>) -> Result<(), Error> {
        if self.logs {
            log_sent(&bytes);
        }
        self.out.send(Ok(bytes)).map_err(|_| gone())
    }

    /// Waits for bytes. May be dropped while it waits: no byte is lost.
    ///
    /// # Errors
    /// When the other end is gone, with the reason.
    pub async fn receive(&mut self) -> Result<Vec<u8>, Error> {
        let bytes = self.back.recv().await.unwrap_or_else(|| Err(gone()))?;
        if self.logs {
            log_received(&bytes);
        }
        Ok(bytes)
    }
}

/// A link over blocking ends that give up now and then ([`is_retry`]), with one thread each way.
fn threads(mut reader: impl Read + Send + 'static, mut writer: impl Write + Send + 'static) -> Link {
    let (out, mut outgoing) = mpsc::unbounded_channel::<Piece>();
    let (incoming, back) = mpsc::unbounded_channel::<Piece>();
    let failed = incoming.clone();
    std::thread::spawn(move || {
        while let Some(Ok(bytes)) = outgoing.blocking_recv() {
            let mut rest = bytes.as_slice();
            while !rest.is_empty() {
                match writer.write(rest) {
                    Ok(count) => rest = &rest[count..],
                    Err(error) if is_retry(error.kind()) && !failed.is_closed() => {}
                    Err(error) => {
                        // OK to ignore: nobody listens any more.
                        let _ = failed.send(Err(Error::Closed { reason: error.to_string() }));
                        return;
                    }
                }
            }
        }
    });
    std::thread::spawn(move || {
        let mut buffer = [0; 1024];
        while !incoming.is_closed() {
            let result = match reader.read(&mut buffer) {
                Ok(0) => Err(Error::Closed { reason: "end of file".into() }),
                Ok(count) => Ok(buffer[..count].to_vec()),
                Err(error) if is_retry(error.kind()) => continue,
                Err(error) => Err(Error::Closed { reason: error.to_string() }),
            };
            let ends = result.is_err();
            if incoming.send(result).is_err() || ends {
                return;
            }
        }
    });
    Link { out, back, logs: true }
}

fn is_retry(kind: io::ErrorKind) -> bool {
    matches!(kind, io::ErrorKind::TimedOut | io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock)
}

fn gone() -> Error {
    Error::Closed { reason: "the other end is gone".into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_pair_carries_bytes_both_ways_and_tells_of_its_end() {
        let (mut a, mut b) = Link::pair();
        a.send(b"?".to_vec()).unwrap();
        assert_eq!(b.receive().await.unwrap(), b"?");
        b.send(b"ok".to_vec()).unwrap();
        assert_eq!(a.receive().await.unwrap(), b"ok");
        drop(b);
        assert!(a.receive().await.is_err() && a.send(vec![1]).is_err());
    }
}
