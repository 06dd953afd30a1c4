//! Bytes to and from a plotter, and nothing about what they mean.
//!
//! A [`Link`] is one end of a two-way pipe: a serial port ([`open`]) or the other half of [`Link::pair`].

use std::io::{ErrorKind, Read as _, Write as _};
use std::time::Duration;

use tokio::sync::mpsc;

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
        /// The ports that are there.
        known: Vec<String>,
    },
    /// The connection ended.
    #[error("the connection to the plotter ended: {reason}")]
    Closed {
        /// What the system says.
        reason: String,
    },
}

fn among(known: &[String]) -> String {
    if known.is_empty() {
        "; no serial ports are connected".into()
    } else {
        format!("; connected: {}", known.join(", "))
    }
}

type Piece = Result<Vec<u8>, Error>;

/// One end of a two-way pipe of bytes.
#[derive(Debug)]
pub struct Link {
    out: mpsc::UnboundedSender<Piece>,
    back: mpsc::UnboundedReceiver<Piece>,
}

impl Link {
    /// Two ends in this process.
    #[must_use]
    pub fn pair() -> (Self, Self) {
        let (a_out, b_back) = mpsc::unbounded_channel();
        let (b_out, a_back) = mpsc::unbounded_channel();
        (Self { out: a_out, back: a_back }, Self { out: b_out, back: b_back })
    }

    /// Hands bytes over; they leave in order.
    ///
    /// # Errors
    /// When the other end is gone.
    pub fn send(&self, bytes: Vec<u8>) -> Result<(), Error> {
        self.out.send(Ok(bytes)).map_err(|_| gone())
    }

    /// Waits for bytes. May be dropped while it waits: no byte is lost.
    ///
    /// # Errors
    /// When the other end is gone, with the reason.
    pub async fn receive(&mut self) -> Result<Vec<u8>, Error> {
        self.back.recv().await.unwrap_or_else(|| Err(gone()))
    }
}

fn gone() -> Error {
    Error::Closed { reason: "the other end is gone".into() }
}

/// Names of the serial ports that are there, sorted.
#[must_use]
pub fn ports() -> Vec<String> {
    let found = serialport::available_ports().unwrap_or_default();
    let mut names: Vec<String> = found.into_iter().map(|port| port.port_name).collect();
    names.sort();
    names
}

/// Whether a port is there, without opening it: opening makes most boards restart.
///
/// # Errors
/// When it is not, with the ports that are.
pub fn check(port: &str) -> Result<(), Error> {
    let known = ports();
    if known.iter().any(|name| name == port) || std::fs::metadata(port).is_ok() {
        return Ok(());
    }
    Err(Error::Open { port: port.into(), reason: "no such port".into(), known })
}

/// Opens a serial port, 8N1 at `baud` bits a second, with one thread each way. Most boards restart now.
///
/// # Errors
/// When it can't be opened: with the ports that are there, or what to do about missing permission.
pub fn open(port: &str, baud: u32) -> Result<Link, Error> {
    let explain = |error: serialport::Error| explain(port, &error);
    let mut writer =
        serialport::new(port, baud).timeout(Duration::from_millis(50)).open().map_err(explain)?;
    // Pseudo-terminals have no DTR (ENOTTY): boards that need it have real ports.
    if let Err(error) = writer.write_data_terminal_ready(true) {
        tracing::debug!(port, %error, "DTR is not set");
    }
    let mut reader = writer.try_clone().map_err(explain)?;
    let (out, mut outgoing) = mpsc::unbounded_channel::<Piece>();
    let (incoming, back) = mpsc::unbounded_channel::<Piece>();
    let failed = incoming.clone();
    std::thread::spawn(move || {
        while let Some(Ok(bytes)) = outgoing.blocking_recv() {
            let mut rest = bytes.as_slice();
            while !rest.is_empty() {
                match writer.write(rest) {
                    Ok(count) => rest = &rest[count..],
                    Err(error) if is_retry(error.kind()) => {}
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
    Ok(Link { out, back })
}

fn is_retry(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::TimedOut | ErrorKind::Interrupted | ErrorKind::WouldBlock)
}

fn explain(port: &str, error: &serialport::Error) -> Error {
    let denied = matches!(error.kind(), serialport::ErrorKind::Io(ErrorKind::PermissionDenied))
        || error.description.to_lowercase().contains("permission denied");
    if denied {
        return Error::Permission { port: port.into(), group: group_of(port) };
    }
    Error::Open { port: port.into(), reason: error.to_string(), known: ports() }
}

/// The group that owns a device, by name; `dialout` if that can't be told.
#[cfg(unix)]
fn group_of(port: &str) -> String {
    use std::os::unix::fs::MetadataExt as _;
    let name = || {
        let id = std::fs::metadata(port).ok()?.gid().to_string();
        let groups = std::fs::read_to_string("/etc/group").ok()?;
        let line = groups.lines().find(|line| line.split(':').nth(2) == Some(&id))?;
        line.split(':').next().map(str::to_owned)
    };
    name().unwrap_or_else(|| "dialout".into())
}

#[cfg(not(unix))]
fn group_of(_: &str) -> String {
    "dialout".into()
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

    #[test]
    fn a_missing_port_names_those_that_are_there() {
        let error = open("/nonexistent/port", 115_200).unwrap_err().to_string();
        assert!(error.starts_with("/nonexistent/port: ") && error.contains("connected"), "{error}");
        let error = check("/nonexistent/port").unwrap_err().to_string();
        assert!(error.starts_with("/nonexistent/port: no such port; "), "{error}");
    }

    #[test]
    fn a_forbidden_port_says_what_to_do() {
        let denied = serialport::Error::new(
            serialport::ErrorKind::Io(ErrorKind::PermissionDenied),
            "Permission denied",
        );
        let error = explain("/dev/null", &denied).to_string();
        assert!(error.contains("/dev/null") && error.contains("usermod -aG"), "{error}");
    }
}
