//! Puts an inquiry to a plotter over a link, in real time.

use tokio::time::{Instant, timeout_at};

use super::Error;
use crate::transport::Link;
use traceur_protocol::inquiry::Inquiry;

/// Drives an inquiry to its answer.
///
/// # Errors
/// What the inquiry fails with, or the end of the connection.
pub async fn inquire<T>(link: &mut Link, mut inquiry: Inquiry<T>) -> Result<T, Error> {
    let begin = Instant::now();
    loop {
        while let Some(bytes) = inquiry.poll_transmit() {
            link.send(bytes)?;
        }
        if let Some(answer) = inquiry.poll_answer() {
            return Ok(answer?);
        }
        let timeout = inquiry.poll_timeout().expect("an inquiry waits for something until it has answered");
        match timeout_at(begin + timeout, link.receive()).await {
            Ok(bytes) => inquiry.handle_bytes(begin.elapsed(), &bytes?),
            Err(_) => inquiry.handle_timeout(begin.elapsed()),
        }
    }
}
