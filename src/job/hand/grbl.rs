//! GRBL by hand.

use std::time::Duration;

use super::{LONG, PATIENCE, POLL, Standing, Talk};
use crate::Error;
use traceur_core::machine::{Grbl, Lift, Profile};
use traceur_protocol::grbl::{alarm_meaning, error_meaning, jog_line, pen_lines};
use traceur_protocol::{Fault, Height};

/// For the banner of a board that starts anew when its port is opened.
const BANNER: Duration = Duration::from_millis(2200);
const PROBES: usize = 3;

/// What was learned when the port was opened.
#[derive(Debug, Default)]
pub(super) struct Known {
    banner: String,
    locked: bool,
}

pub(super) async fn greet(talk: &mut Talk) -> Result<Known, Error> {
    let mut known = Known::default();
    while let Some(line) = talk.hear(BANNER).await? {
        if line.starts_with("Grbl") {
            known.banner = line;
            break;
        }
    }
    if known.banner.is_empty() {
        wake(talk).await?;
    }
    while let Some(line) = talk.hear(Duration::from_millis(200)).await? {
        known.locked |= line.contains("to unlock");
    }
    known.locked |= report(talk).await?.state == "Alarm";
    Ok(known)
}

/// A line end, as often as needed: a board that has started long ago answers it.
async fn wake(talk: &mut Talk) -> Result<(), Error> {
    for _ in 0..PROBES {
        talk.say("\n")?;
        while let Some(line) = talk.hear(Duration::from_secs(1)).await? {
            if line == "ok" || line.starts_with("error:") {
                return Ok(());
            }
        }
    }
    Err(Fault::NoAnswer.into())
}

/// Sends a line; gives what was said before its `ok`.
async fn order(talk: &mut Talk, line: &str, patience: Duration) -> Result<Vec<String>, Error> {
    talk.say(&format!("{line}\n"))?;
    let mut said = Vec::new();
    loop {
        let reply = talk.must_hear(patience).await?;
        let number = |rest: &str| rest.parse().unwrap_or(0);
        let meaning = match reply.split_once(':') {
            Some(("error", rest)) => error_meaning(number(rest)),
            Some(("ALARM", rest)) => alarm_meaning(number(rest)),
            _ if reply == "ok" => return Ok(said),
            _ if reply.starts_with("Grbl") => return Err(Fault::Restarted.into()),
            _ => {
                said.push(reply);
                continue;
            }
        };
        return Err(Error::Refused { line: line.into(), reply, meaning: meaning.into() });
    }
}

/// A `?` report.
#[derive(Debug, Default)]
struct Report {
    state: String,
    /// As it counts from its own zero; mm.
    machine: Option<[f64; 3]>,
    /// As it counts from the zero of drawings; mm.
    work: Option<[f64; 3]>,
}

async fn report(talk: &mut Talk) -> Result<Report, Error> {
    talk.say("?")?;
    loop {
        let line = talk.must_hear(PATIENCE).await?;
        let Some(inner) = line.strip_prefix('<').and_then(|line| line.strip_suffix('>')) else { continue };
        let mut parts = inner.split('|');
        let state = parts.next().unwrap_or_default().split(':').next().unwrap_or_default().to_owned();
        let mut report = Report { state, ..Report::default() };
        for part in parts {
            match part.split_once(':') {
                Some(("MPos", place)) => report.machine = numbers(place),
                Some(("WPos", place)) => report.work = numbers(place),
                _ => {}
            }
        }
        return Ok(report);
    }
}

fn numbers(text: &str) -> Option<[f64; 3]> {
    let mut numbers = text.split(',').map(|number| number.parse::<f64>().ok());
    Some([numbers.next()??, numbers.next()??, numbers.next()??])
}

/// Waits until nothing moves.
async fn rest(talk: &mut Talk) -> Result<(), Error> {
    loop {
        match report(talk).await?.state.as_str() {
            "Idle" | "Check" => return Ok(()),
            "Alarm" | "Sleep" => return Err(Fault::Locked.into()),
            _ => tokio::time::sleep(POLL).await,
        }
    }
}

fn unlocked(known: &Known) -> Result<(), Error> {
    if known.locked { Err(Fault::Locked.into()) } else { Ok(()) }
}

pub(super) async fn home(
    talk: &mut Talk,
    profile: &Profile,
    table: &Grbl,
    known: &mut Known,
) -> Result<(), Error> {
    if table.homing {
        order(talk, "$H", LONG).await?;
        known.locked = false;
        return rest(talk).await;
    }
    if !known.banner.is_empty() && report(talk).await?.machine.is_some_and(|at| at == [0.0; 3]) {
        return Err(Error::Unable(
            "the board has just started and does not know where home is: push the pen to its home corner and say \
             `traceur device zero`, or set `homing = true` in the profile of a machine with switches",
        ));
    }
    pen(talk, profile, known, Height::Up).await?;
    order(talk, "G54G90G21G0X0Y0", PATIENCE).await?;
    rest(talk).await
}

pub(super) async fn jog(
    talk: &mut Talk,
    profile: &Profile,
    known: &Known,
    by: [f64; 2],
) -> Result<(), Error> {
    unlocked(known)?;
    order(talk, &jog_line(by, profile.limits.travel_speed), PATIENCE).await?;
    rest(talk).await
}

pub(super) async fn pen(
    talk: &mut Talk,
    profile: &Profile,
    known: &Known,
    height: Height,
) -> Result<(), Error> {
    unlocked(known)?;
    for line in pen_lines(&profile.lift, height) {
        order(talk, &line, LONG).await?;
    }
    rest(talk).await
}

pub(super) async fn zero(talk: &mut Talk, known: &Known) -> Result<(), Error> {
    unlocked(known)?;
    // The place is kept by the firmware's memory, as the programs' G54.
    order(talk, "G10L20P1X0Y0", PATIENCE).await.map(drop)
}

pub(super) async fn standing(talk: &mut Talk, profile: &Profile, known: &Known) -> Result<Standing, Error> {
    let at = report(talk).await?;
    let mut standing = Standing { state: at.state, firmware: known.banner.clone(), ..Standing::default() };
    if known.locked {
        standing.trouble = Some(Fault::Locked.to_string());
    }
    let mut ask = async |line: &str| order(talk, line, PATIENCE).await.unwrap_or_default();
    let place = |said: &[String], name: &str| {
        said.iter()
            .find_map(|line| numbers(line.strip_prefix(name)?.trim_end_matches(']')))
            .unwrap_or([0.0; 3])
    };
    let offsets = ask("$#").await;
    let (g54, g92) = (place(&offsets, "[G54:"), place(&offsets, "[G92:"));
    let counted = |at: [f64; 3]| [0, 1, 2].map(|axis| at[axis] - g54[axis] - g92[axis]);
    let at = at.work.or(at.machine.map(counted));
    // Rounding of the report leaves a sign on a zero.
    standing.position = at.map(|[x, y, _]| [x + 0.0, y + 0.0]);
    let version = ask("$I").await;
    if let Some(version) = version.iter().find_map(|line| line.strip_prefix("[VER:")?.split(':').next()) {
        standing.firmware = format!("Grbl {version}");
    }
    standing.pen_down = match profile.lift {
        Lift::Z { up, down, .. } => at.map(|[.., z]| (z - down).abs() < (z - up).abs()),
        Lift::Servo { up_s, down_s, .. } => {
            let state = ask("$G").await.join(" ");
            let word = |letter: char| {
                let words = state.trim_end_matches(']').split([' ', ':']);
                words.rev().find_map(|word| word.strip_prefix(letter)?.parse::<f64>().ok())
            };
            let near = |s: f64, other: u32| (s - f64::from(other)).abs();
            // Without M3 the servo gets no signal, and hangs as it hangs.
            word('S').filter(|_| state.contains("M3")).map(|s| near(s, down_s) < near(s, up_s))
        }
        Lift::EbbServo { .. } | Lift::Pen { .. } => None,
    };
    Ok(standing)
}
