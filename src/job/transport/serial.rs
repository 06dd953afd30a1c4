//! Serial ports: which are there, and one of them as a link.

use std::io::ErrorKind;
use std::time::Duration;

use super::{Error, Link, threads};

/// How often a port that is taken is tried again, and how long after.
const BUSY_TRIES: usize = 8;
const BUSY_WAIT: Duration = Duration::from_millis(50);

/// A serial port that is there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SerialPort {
    /// The device.
    pub name: String,
    /// Vendor and product number, if it is on USB.
    pub usb: Option<(u16, u16)>,
    /// What the device calls itself, if it is on USB and says so.
    pub product: Option<String>,
}

/// The serial ports that are there, sorted by name.
#[must_use]
pub fn ports() -> Vec<SerialPort> {
    let describe = |port: serialport::SerialPortInfo| match port.port_type {
        serialport::SerialPortType::UsbPort(usb) => {
            SerialPort { name: port.port_name, usb: Some((usb.vid, usb.pid)), product: usb.product }
        }
        _ => SerialPort { name: port.port_name, usb: None, product: None },
    };
    let found = serialport::available_ports().unwrap_or_default();
    let mut ports: Vec<SerialPort> = found.into_iter().map(describe).collect();
    ports.sort();
    ports
}

fn names() -> Vec<String> {
    ports().into_iter().map(|port| port.name).collect()
}

/// Whether a port is there, without opening it: opening makes most boards restart.
///
/// # Errors
/// When it is not, with the ports that are.
pub fn check(port: &str) -> Result<(), Error> {
    let known = Some(names());
    if known.iter().flatten().any(|name| name == port) || std::fs::metadata(port).is_ok() {
        return Ok(());
    }
    Err(Error::Open { port: port.into(), reason: "no such port".into(), known })
}

/// What tells a sender to wait, beside what it reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// Nothing.
    None,
    /// The CTS line, which the system heeds.
    Hardware,
}

/// Opens a serial port, 8N1 at `baud` bits a second, with one thread each way. Most boards restart now.
///
/// # Errors
/// When it can't be opened: with the ports that are there, or what to do about missing permission.
pub fn open(port: &str, baud: u32, flow: Flow) -> Result<Link, Error> {
    let explain = |error: serialport::Error| explain(port, &error);
    let heeded = match flow {
        Flow::None => serialport::FlowControl::None,
        Flow::Hardware => serialport::FlowControl::Hardware,
    };
    let builder = serialport::new(port, baud).flow_control(heeded).timeout(Duration::from_millis(50));
    let mut tries = 0;
    let mut writer = loop {
        match builder.clone().open() {
            Ok(writer) => break writer,
            // Whoever had the port a moment ago may still be letting go of it.
            Err(error) if is_busy(&error) && tries < BUSY_TRIES => tries += 1,
            Err(error) => return Err(explain(error)),
        }
        std::thread::sleep(BUSY_WAIT);
    };
    // Pseudo-terminals have no DTR (ENOTTY): boards that need it have real ports.
    if let Err(error) = writer.write_data_terminal_ready(true) {
        tracing::debug!(port, %error, "DTR is not set");
    }
    let reader = writer.try_clone().map_err(explain)?;
    Ok(threads(reader, writer))
}

fn is_busy(error: &serialport::Error) -> bool {
    let text = error.description.to_lowercase();
    text.contains("exclusive lock") || text.contains("busy")
}

fn explain(port: &str, error: &serialport::Error) -> Error {
    let denied = matches!(error.kind(), serialport::ErrorKind::Io(ErrorKind::PermissionDenied))
        || error.description.to_lowercase().contains("permission denied");
    if denied {
        return Error::Permission { port: port.into(), group: group_of(port) };
    }
    if is_busy(error) {
        let reason = "another program has it open: end that one first".into();
        return Error::Open { port: port.into(), reason, known: None };
    }
    Error::Open { port: port.into(), reason: error.to_string(), known: Some(names()) }
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

    #[test]
    fn a_missing_port_names_those_that_are_there() {
        let error = open("/nonexistent/port", 115_200, Flow::None).unwrap_err().to_string();
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
