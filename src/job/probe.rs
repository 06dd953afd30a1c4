//! Asks a port who is there. Nothing moves, but boards that restart when their port is opened do so.

use super::Error;
use super::inquire::inquire;
use crate::transport::{self, Flow, Link};
use traceur_protocol::{Identity, QUESTIONS, inquiry};

/// Who answers at a serial port; `None` if nobody that is known.
///
/// # Errors
/// When the port can't be opened: permission, or another program has it.
pub async fn probe(port: &str) -> Result<Option<Identity>, Error> {
    let mut open: Option<(u32, Link)> = None;
    for question in QUESTIONS {
        // Opened once a speed: opening makes most boards start anew.
        let mut link = match open.take() {
            Some((baud, link)) if baud == question.baud => link,
            _ => transport::open(port, question.baud, Flow::None)?,
        };
        let answer = inquire(&mut link, inquiry::identity(question)).await;
        if let Ok(Some(_)) = answer {
            return answer;
        }
        open = Some((question.baud, link));
    }
    Ok(None)
}
