//! The plotter's end of a pseudo-terminal, so that any program can plot to a virtual plotter as to a serial port.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serialport::{FlowControl, SerialPort as _, TTYPort};

use super::{Error, Link, threads};

/// A pseudo-terminal under a name of the user's choice, which goes with it.
#[derive(Debug)]
pub struct Pty {
    /// What programs open: a symbolic link to the device.
    link: PathBuf,
    /// Where the link leads; to tell it from a later one of the same name.
    device: PathBuf,
    /// Kept open, so that programs may come and go.
    terminal: TTYPort,
}

impl Pty {
    /// Makes a pseudo-terminal and the symbolic link `link` to it; an old link that leads to no device any more is replaced.
    ///
    /// # Errors
    /// When there is something else of that name, or the system has no pseudo-terminal to give.
    pub fn open(link: &Path) -> Result<(Self, Link), Error> {
        let failed = |reason: String| Error::Serve { name: link.display().to_string(), reason };
        match std::fs::symlink_metadata(link) {
            Ok(there) if there.is_symlink() && std::fs::metadata(link).is_err() => {
                std::fs::remove_file(link).map_err(|error| failed(error.to_string()))?;
            }
            Ok(_) => return Err(failed("something of this name is there already: give another name".into())),
            Err(_) => {}
        }
        let (plotter, terminal) = TTYPort::pair().map_err(|error| failed(error.to_string()))?;
        let device = PathBuf::from(terminal.name().unwrap_or_default());
        std::os::unix::fs::symlink(&device, link).map_err(|error| failed(error.to_string()))?;
        let writer = plotter.try_clone_native().map_err(|error| failed(error.to_string()))?;
        let reader = Shared { port: plotter, terminal: terminal.try_clone_native().ok() };
        Ok((Self { link: link.into(), device, terminal }, threads(reader, writer)))
    }

    /// The device behind the link.
    #[must_use]
    pub fn device(&self) -> &Path {
        &self.device
    }

    /// Whether the program at the other end has asked its port to stop at XOFF.
    #[must_use]
    pub fn stops_at_xoff(&self) -> bool {
        matches!(self.terminal.flow_control(), Ok(FlowControl::Software))
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        if std::fs::read_link(&self.link).is_ok_and(|to| to == self.device) {
            // OK to ignore: a link that leads nowhere is replaced next time.
            let _ = std::fs::remove_file(&self.link);
        }
    }
}

/// The plotter's end, read with a time limit.
struct Shared {
    port: TTYPort,
    terminal: Option<TTYPort>,
}

impl Read for Shared {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let result = self.port.read(buffer);
        if result.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::TimedOut)
            && let Some(terminal) = &self.terminal
        {
            // A program that took the port for itself and was killed would lock all others out: what serialport does
            // when a port closes lets them in again.
            drop(terminal.try_clone_native());
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::{Flow, check, open};

    #[tokio::test]
    async fn a_serial_port_of_any_name_reaches_the_plotter() {
        let folder = tempfile::tempdir().unwrap();
        let name = folder.path().join("plotter");
        let (pty, mut plotter) = Pty::open(&name).unwrap();
        let port = name.to_str().unwrap();
        check(port).unwrap();
        for greeting in [b"hello", b"again"] {
            let mut program = open(port, 115_200, Flow::None).unwrap();
            program.send(greeting.to_vec()).unwrap();
            assert_eq!(plotter.receive().await.unwrap(), greeting);
            plotter.send(b"ok\r\n\x13".to_vec()).unwrap();
            let mut heard = Vec::new();
            while heard.len() < 5 {
                heard.extend(program.receive().await.unwrap());
            }
            assert_eq!(heard, b"ok\r\n\x13");
        }
        assert!(!pty.stops_at_xoff());
        assert!(Pty::open(&name).unwrap_err().to_string().contains("already"));
        drop(pty);
        assert!(std::fs::symlink_metadata(&name).is_err());
    }
}
