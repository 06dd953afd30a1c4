//! A file of the board's commands, by whomever, through the virtual board.

use std::time::Duration;

use super::VirtualEbb;
use crate::{Error, MotionTrace, VirtualPlotter as _};
use traceur_core::machine::{Ebb, Profile};

/// Runs a file of commands (ends of line by CR, LF or both) on a fresh board, one after the other, each sent when the last
/// is answered. Gives what the pen did.
///
/// # Errors
/// The first command that the board refuses, or that it never answers.
pub(crate) fn run_program(text: &[u8], profile: &Profile, ebb: &Ebb) -> Result<MotionTrace, Error> {
    let mut board = VirtualEbb::new(profile, ebb);
    let mut now = Duration::ZERO;
    let mut sent = Vec::new();
    // A board without OK (`CU,1,0`) or one that has been told to restart says nothing, and that is right.
    for (index, bytes) in text.split(|byte| matches!(byte, b'\r' | b'\n')).enumerate() {
        let line = bytes.trim_ascii();
        if line.is_empty() {
            continue;
        }
        let (number, text) = (index + 1, || String::from_utf8_lossy(line).into_owned());
        sent.clear();
        sent.extend_from_slice(line);
        sent.push(b'\r');
        board.receive(now, &sent);
        loop {
            let said = board.poll_output();
            let said = String::from_utf8_lossy(&said);
            if let Some(reply) = said.split(['\r', '\n']).find(|line| line.contains("Err:")) {
                let (reply, meaning) = (reply.to_owned(), meaning(reply));
                return Err(Error::Refused { line: number, text: text(), reply, meaning });
            }
            if !said.is_empty() || !board.board.is_reading_blocked() {
                break;
            }
            match board.next_wake(now) {
                Some(wake) => now = wake,
                None => return Err(Error::NoAnswer { line: number, text: text() }),
            }
            board.receive(now, b"");
        }
    }
    while !board.is_idle() {
        match board.next_wake(now) {
            Some(wake) => now = wake,
            None => return Err(Error::NoAnswer { line: 0, text: "the last move".into() }),
        }
        board.receive(now, b"");
    }
    Ok(std::mem::take(&mut board.board.trace))
}

/// What a refusal means; the simulator's own words, as it shares nothing with the driver.
fn meaning(reply: &str) -> String {
    let number = reply.split('!').nth(1).and_then(|rest| rest.split(' ').next()).unwrap_or_default();
    match number {
        "0" => "a move that no motor can make",
        "1" => "a step rate that no motor can have",
        "2" | "3" => "more than the board's buffer holds",
        "4" => "a number is missing",
        "5" => "a comma is missing, or a number has a fraction",
        "6" => "a number is out of its range",
        "7" => "more numbers than the command has",
        "8" => "a command that the board does not have",
        _ => "see the EiBotBoard's list",
    }
    .to_owned()
}
