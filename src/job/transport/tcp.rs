//! Serial over TCP: a plotter behind a bridge (such as ser2net or an ESP32), or a virtual one.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use super::{Error, Link, Piece};

/// Connects to `address`, such as `192.168.1.20:23`.
///
/// # Errors
/// When nobody answers there.
pub async fn connect(address: &str) -> Result<Link, Error> {
    let failed =
        |error: std::io::Error| Error::Open { port: address.into(), reason: error.to_string(), known: None };
    Ok(link(TcpStream::connect(address).await.map_err(failed)?))
}

/// Takes programs that connect, one after the other.
#[derive(Debug)]
pub struct Listener {
    listener: TcpListener,
    /// Where it listens, with the port that the system chose for port 0.
    pub address: String,
}

impl Listener {
    /// Listens at `address`, such as `127.0.0.1:7777`.
    ///
    /// # Errors
    /// When the address is wrong, foreign or taken.
    pub async fn bind(address: &str) -> Result<Self, Error> {
        let failed = |error: std::io::Error| Error::Serve { name: address.into(), reason: error.to_string() };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?.to_string();
        Ok(Self { listener, address })
    }

    /// Waits for the next program.
    ///
    /// # Errors
    /// When the system gives up on it.
    pub async fn accept(&self) -> Result<Link, Error> {
        let failed = |error: std::io::Error| Error::Accept {
            address: self.address.clone(),
            reason: error.to_string(),
        };
        Ok(link(self.listener.accept().await.map_err(failed)?.0))
    }
}

/// A link over a socket, with one task each way.
fn link(stream: TcpStream) -> Link {
    // OK to ignore: only latency suffers.
    let _ = stream.set_nodelay(true);
    let (mut reader, mut writer) = stream.into_split();
    let (out, mut outgoing) = mpsc::unbounded_channel::<Piece>();
    let (incoming, back) = mpsc::unbounded_channel::<Piece>();
    let failed = incoming.clone();
    tokio::spawn(async move {
        while let Some(Ok(bytes)) = outgoing.recv().await {
            if let Err(error) = writer.write_all(&bytes).await {
                // OK to ignore: nobody listens any more.
                let _ = failed.send(Err(Error::Closed { reason: error.to_string() }));
                return;
            }
        }
    });
    tokio::spawn(async move {
        let mut buffer = [0; 1024];
        loop {
            let result = tokio::select! {
                result = reader.read(&mut buffer) => result,
                () = incoming.closed() => return,
            };
            let piece = match result {
                Ok(0) => Err(Error::Closed { reason: "the other end hung up".into() }),
                Ok(count) => Ok(buffer[..count].to_vec()),
                Err(error) => Err(Error::Closed { reason: error.to_string() }),
            };
            let ends = piece.is_err();
            if incoming.send(piece).is_err() || ends {
                return;
            }
        }
    });
    Link { out, back, logs: true }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_socket_carries_bytes_both_ways_and_tells_of_its_end() {
        let listener = Listener::bind("127.0.0.1:0").await.unwrap();
        let (ours, theirs) = tokio::join!(connect(&listener.address), listener.accept());
        let (mut ours, mut theirs) = (ours.unwrap(), theirs.unwrap());
        ours.send(b"OI;".to_vec()).unwrap();
        assert_eq!(theirs.receive().await.unwrap(), b"OI;");
        theirs.send(b"7475A\r".to_vec()).unwrap();
        assert_eq!(ours.receive().await.unwrap(), b"7475A\r");
        drop(ours);
        assert!(theirs.receive().await.unwrap_err().to_string().contains("hung up"));
    }

    #[tokio::test]
    async fn a_taken_address_is_told() {
        let listener = Listener::bind("127.0.0.1:0").await.unwrap();
        let error = Listener::bind(&listener.address).await.unwrap_err().to_string();
        assert!(error.starts_with(&listener.address), "{error}");
        assert!(Listener::bind("nowhere").await.is_err());
    }
}
