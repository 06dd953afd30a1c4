//! An HP-GL plotter by hand.

use std::time::Duration;

use super::{LONG, PATIENCE, Standing, Talk};
use crate::Error;
use traceur_core::machine::Hpgl;
use traceur_protocol::hpgl::{error_meaning, extended_error_meaning};
use traceur_protocol::{Fault, Height};

const PROBES: usize = 4;

pub(super) async fn greet(talk: &mut Talk) -> Result<(), Error> {
    for _ in 0..PROBES {
        // Plotter on, all handshakes off: nothing here fills a buffer.
        talk.say("\x1b.(\x1b.R\x1b.E")?;
        if talk.hear(Duration::from_secs(1)).await?.is_some() {
            return talk.settle().await;
        }
    }
    Err(Fault::Deaf.into())
}

async fn ask(talk: &mut Talk, text: &str, patience: Duration) -> Result<String, Error> {
    talk.say(text)?;
    talk.must_hear(patience).await
}

/// Numbers between commas.
fn numbers(text: &str) -> Vec<f64> {
    text.split(',').filter_map(|number| number.trim().parse().ok()).collect()
}

/// Where the pen is, in plotter units, once all before has been done.
async fn place(talk: &mut Talk) -> Result<[f64; 2], Error> {
    let answer = ask(talk, "OA;", LONG).await?;
    match numbers(&answer)[..] {
        [x, y, ..] => Ok([x, y]),
        _ => Err(Fault::Strayed.into()),
    }
}

/// What it took exception to.
async fn check(talk: &mut Talk, line: &str) -> Result<(), Error> {
    let reply = ask(talk, "OE;", LONG).await?;
    match reply.parse() {
        Ok(0) | Err(_) => Ok(()),
        Ok(code) => Err(Error::Refused {
            line: line.into(),
            reply: format!("OE {code}"),
            meaning: error_meaning(code).into(),
        }),
    }
}

pub(super) async fn home(talk: &mut Talk) -> Result<(), Error> {
    let limits = numbers(&ask(talk, "OH;", PATIENCE).await?);
    let [x, y, ..] = limits[..] else { return Err(Fault::Strayed.into()) };
    let line = format!("PU;PA{x:.0},{y:.0};");
    talk.say(&line)?;
    place(talk).await?;
    check(talk, &line).await
}

pub(super) async fn jog(talk: &mut Talk, table: &Hpgl, by: [f64; 2]) -> Result<(), Error> {
    let at = place(talk).await?;
    let limits = numbers(&ask(talk, "OH;", PATIENCE).await?);
    let [x0, y0, x1, y1] = limits[..] else { return Err(Fault::Strayed.into()) };
    // A vector that leads out of reach would end where it leaves it, maybe at once.
    let to = [0, 1].map(|axis| at[axis] + by[axis] / table.unit);
    let (x, y) = (to[0].max(x0).min(x1), to[1].max(y0).min(y1));
    let line = format!("PA{x:.0},{y:.0};");
    talk.say(&line)?;
    place(talk).await?;
    check(talk, &line).await
}

pub(super) async fn pen(talk: &mut Talk, height: Height) -> Result<(), Error> {
    let line = match height {
        Height::Up => "PU;",
        Height::Down => "PD;",
        Height::At(_) => {
            return Err(Error::Unable(
                "an HP-GL plotter knows `pen up` and `pen down`, and no height between",
            ));
        }
    };
    talk.say(line)?;
    place(talk).await?;
    check(talk, line).await
}

pub(super) async fn standing(talk: &mut Talk, table: &Hpgl) -> Result<Standing, Error> {
    let firmware = ask(talk, "OI;", LONG).await?;
    let [x, y] = place(talk).await?;
    let status: u32 = ask(talk, "OS;", PATIENCE).await?.parse().unwrap_or(0);
    let error = ask(talk, "OE;", PATIENCE).await?.parse().unwrap_or(0);
    let wire = ask(talk, "\x1b.E", PATIENCE).await?.parse().unwrap_or(0);
    let state = ask(talk, "\x1b.O", PATIENCE).await?.parse().unwrap_or(0_u32);
    let trouble = match (error, wire) {
        (0, 0) => None,
        (0, wire) => Some(format!("ESC.E {wire}: {}", extended_error_meaning(wire))),
        (error, _) => Some(format!("error {error}: {}", error_meaning(error))),
    };
    let word = match state {
        _ if state & 32 != 0 || status & 16 == 0 => "no paper, or its lever is up",
        _ if state & 16 != 0 => "paused (VIEW)",
        _ => "ready",
    };
    Ok(Standing {
        state: word.into(),
        position: Some([x * table.unit + 0.0, y * table.unit + 0.0]),
        pen_down: Some(status & 1 != 0),
        motor_power: None,
        firmware,
        trouble,
    })
}
