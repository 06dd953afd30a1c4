//! A G-code file, by whomever, through the virtual plotter.

use std::time::Duration;

use super::VirtualGrbl;
use crate::{Error, MotionTrace, VirtualPlotter as _};
use traceur_core::machine::{Grbl, Profile};

/// Runs the G-code file `text` on a fresh virtual plotter, as a sender would: comments, `%` lines and real-time
/// characters are left out, bytes are counted, M0 is gone past. Gives what the pen did.
///
/// # Errors
/// The first line that GRBL refuses or stops at, with its number and what it means.
pub(crate) fn run_program(text: &[u8], profile: &Profile, grbl: &Grbl) -> Result<MotionTrace, Error> {
    let text = String::from_utf8_lossy(text);
    let lines: Vec<(usize, String)> = text
        .split(['\n', '\r'])
        .enumerate()
        .map(|(index, line)| (index + 1, clean(line)))
        .filter(|(_, line)| !line.is_empty())
        .collect();
    // The file does not home by itself, and what it draws does not depend on it.
    let mut plotter = VirtualGrbl::new(profile, &Grbl { homing: false, ..grbl.clone() });
    plotter.poll_output();
    let (mut now, mut sent, mut answered, mut in_flight) = (Duration::ZERO, 0, 0, 0_usize);
    while answered < lines.len() || !plotter.is_idle() {
        let mut bytes = Vec::new();
        while let Some((_, line)) = lines.get(sent)
            && (in_flight + line.len() < grbl.rx_buffer_bytes || in_flight == 0)
        {
            bytes.extend_from_slice(line.as_bytes());
            bytes.push(b'\n');
            in_flight += line.len() + 1;
            sent += 1;
        }
        plotter.receive(now, &bytes);
        let output = plotter.poll_output();
        let quiet = output.is_empty() && bytes.is_empty();
        for reply in String::from_utf8_lossy(&output).lines() {
            let Some((line, text)) = lines.get(answered).cloned() else { break };
            if let Some(code) = reply.strip_prefix("error:").and_then(|code| code.parse().ok()) {
                return Err(Error::Refused {
                    line,
                    text,
                    reply: reply.into(),
                    meaning: meaning(code).into(),
                });
            }
            if reply.starts_with("ALARM:") {
                return Err(Error::Alarm { line, text, reply: reply.into() });
            }
            if reply == "ok" {
                answered += 1;
                in_flight -= text.len() + 1;
            }
        }
        if plotter.paused {
            plotter.receive(now, b"~");
        } else if let Some(wake) = plotter.next_wake(now) {
            now = wake;
        } else if quiet && (answered < lines.len() || !plotter.is_idle()) {
            let (line, text) = lines.get(answered).cloned().unwrap_or_default();
            return Err(Error::NoAnswer { line, text });
        }
    }
    Ok(plotter.trace().clone())
}

/// Without comments, spaces and what the firmware would take for a command of its own.
fn clean(line: &str) -> String {
    let mut depth = false;
    let mut cleaned = String::new();
    for c in line.chars() {
        match c {
            ';' if !depth => break,
            '(' => depth = true,
            ')' => depth = false,
            '?' | '!' | '~' | '%' | '\u{18}' => {}
            // What is not ASCII stays wrong: `#` is no letter of G-code, and `$#` is not asked for in files.
            _ if !depth && !c.is_ascii() => cleaned.push('#'),
            _ if !depth && !c.is_ascii_whitespace() => cleaned.push(c),
            _ => {}
        }
    }
    cleaned
}

/// What the commonest refusals mean; the simulator's own words, as it shares nothing with the driver.
fn meaning(code: u32) -> &'static str {
    match code {
        1 => "a word without its letter",
        2 => "a missing or malformed number",
        3 => "an unknown `$` command",
        4 => "a negative value",
        8 => "the machine is not idle",
        9 => "the machine is locked",
        11 => "more than 79 characters",
        20 => "a command that GRBL does not have",
        21 => "two commands of one modal group",
        22 => "no feed rate",
        23 => "a command number with a fraction",
        24 => "two commands that want the axis words",
        25 => "a repeated word",
        26 | 32 => "missing axis words",
        28 => "a missing value word",
        29 => "an unknown coordinate system",
        30 => "G53 without G0 or G1",
        31 | 36 => "words that nothing uses",
        33 => "an arc whose end is not on its circle",
        34 => "an arc with too small a radius",
        35 => "an arc without centre",
        38 => "too high a tool number",
        _ => "see GRBL's list",
    }
}
