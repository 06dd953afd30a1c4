//! Asks a port who is there. Nothing moves, but boards that restart when their port is opened do so.

use std::time::Duration;

use super::Error;
use crate::transport::{self, Flow, Link};
use traceur_protocol::{Identity, QUESTIONS, Question, identify};

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
        let answer = ask(&mut link, question).await;
        if let Ok(Some(_)) = answer {
            return Ok(answer?);
        }
        open = Some((question.baud, link));
    }
    Ok(None)
}

/// Asks over an open link.
///
/// # Errors
/// When the connection ends.
pub async fn ask(link: &mut Link, question: Question) -> Result<Option<Identity>, transport::Error> {
    link.send(question.bytes.to_vec())?;
    let mut said = Vec::new();
    let listening = async {
        loop {
            said.extend(link.receive().await?);
            // Only whole lines: the rest of a name may be on its way.
            let whole = said.iter().rposition(|byte| b"\r\n".contains(byte)).map_or(0, |end| end + 1);
            if let Some(found) = identify(&said[..whole]) {
                return Ok(Some(found));
            }
        }
    };
    let limit = Duration::from_secs_f64(question.seconds);
    tokio::time::timeout(limit, listening).await.unwrap_or(Ok(None))
}
