//! What is said to an HP-GL plotter outside a program.

use std::time::Duration;

use super::{Replies, Reply, error_meaning, extended_error_meaning};
use crate::inquiry::{Dialogue, Error, Greeting, Parser, Position, Standing};
use crate::{Fault, Height};
use traceur_core::machine::Hpgl;

/// Between greetings of a plotter that does not answer.
const PROBE: Duration = Duration::from_secs(1);
const PROBES: usize = 4;
/// Quiet after the first answer.
const SETTLE: Duration = Duration::from_millis(200);
/// For an answer to what is answered at once.
const PATIENCE: Duration = Duration::from_secs(3);
/// For what is answered once all before it has been done.
const LONG: Duration = Duration::from_secs(180);
/// For a pen to go up.
const RESCUE: Duration = Duration::from_millis(1500);
/// Plotter on, all handshakes off: nothing here fills a buffer. Its last error on the wire is asked for.
const GREETING: &str = "\x1b.(\x1b.R\x1b.E";
/// Plotter on; what is left in its buffer is thrown away, the vector at hand ends, and the pen goes up.
const THROW_AWAY: &str = "\x1b.(\x1b.J\x1b.KPU;";

type Talk = Dialogue<Replies>;

impl Parser for Replies {
    type Reply = Reply;

    fn push(&mut self, byte: u8) -> Option<Reply> {
        Self::push(self, byte)
    }
}

pub(crate) async fn greet(talk: &mut Talk) -> Result<Greeting, Error> {
    for _ in 0..PROBES {
        if talk.ask(GREETING, PROBE, line).await.is_some() {
            talk.settle(SETTLE).await;
            return Ok(Greeting::default());
        }
    }
    Err(Fault::Deaf.into())
}

/// What was said; nothing for flow control.
fn line(reply: &Reply) -> Option<String> {
    match reply {
        Reply::Xoff | Reply::Xon | Reply::Ack => None,
        Reply::Number(number) => Some(number.to_string()),
        Reply::Position { x, y, down } => Some(format!("{x},{y},{}", u8::from(*down))),
        Reply::Text(text) | Reply::Garbled(text) => Some(text.clone()),
    }
}

async fn ask(talk: &mut Talk, text: &str, patience: Duration) -> Result<String, Error> {
    Ok(talk.ask(text, patience, line).await.ok_or(Fault::Silent)?)
}

/// A number; 0 if it makes no sense.
async fn number(talk: &mut Talk, text: &str) -> Result<u32, Error> {
    Ok(ask(talk, text, PATIENCE).await?.parse().unwrap_or(0))
}

/// Numbers between commas.
fn numbers(text: &str) -> Vec<f64> {
    text.split(',').filter_map(|number| number.trim().parse().ok()).collect()
}

/// Where the pen is, in plotter units, once all before has been done.
async fn place(talk: &mut Talk) -> Result<[f64; 2], Error> {
    match numbers(&ask(talk, "OA;", LONG).await?)[..] {
        [x, y, ..] => Ok([x, y]),
        _ => Err(Fault::Strayed.into()),
    }
}

/// Sends an instruction, waits until it is done, and asks what the plotter took exception to.
async fn command(talk: &mut Talk, line: &str) -> Result<(), Error> {
    talk.send(line);
    place(talk).await?;
    match ask(talk, "OE;", LONG).await?.parse() {
        Ok(0) | Err(_) => Ok(()),
        Ok(code) => Err(Error::Refused {
            line: line.into(),
            reply: format!("OE {code}"),
            meaning: error_meaning(code).into(),
        }),
    }
}

/// Its reach: lower left and upper right corner, plotter units.
async fn limits(talk: &mut Talk) -> Result<Vec<f64>, Error> {
    Ok(numbers(&ask(talk, "OH;", PATIENCE).await?))
}

pub(crate) async fn home(talk: &mut Talk) -> Result<(), Error> {
    let [x, y, ..] = limits(talk).await?[..] else { return Err(Fault::Strayed.into()) };
    command(talk, &format!("PU;PA{x:.0},{y:.0};")).await
}

pub(crate) async fn jog(talk: &mut Talk, table: &Hpgl, by: [f64; 2]) -> Result<(), Error> {
    let at = place(talk).await?;
    let [x0, y0, x1, y1] = limits(talk).await?[..] else { return Err(Fault::Strayed.into()) };
    // A vector that leads out of reach would end where it leaves it, maybe at once.
    let to = [0, 1].map(|axis| at[axis] + by[axis] / table.unit);
    let (x, y) = (to[0].max(x0).min(x1), to[1].max(y0).min(y1));
    command(talk, &format!("PA{x:.0},{y:.0};")).await
}

pub(crate) async fn pen(talk: &mut Talk, height: Height) -> Result<(), Error> {
    match height {
        Height::Up => command(talk, "PU;").await,
        Height::Down => command(talk, "PD;").await,
        Height::At(_) => {
            Err(Error::Unable("an HP-GL plotter knows `pen up` and `pen down`, and no height between"))
        }
    }
}

pub(crate) async fn standing(talk: &mut Talk, table: &Hpgl) -> Result<Standing, Error> {
    let firmware = ask(talk, "OI;", LONG).await?;
    let [x, y] = place(talk).await?;
    let status = number(talk, "OS;").await?;
    let error = number(talk, "OE;").await?;
    let wire = number(talk, "\x1b.E").await?;
    let state = number(talk, "\x1b.O").await?;
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

pub(crate) fn position(talk: &mut Talk) -> Position {
    talk.send(THROW_AWAY);
    Position::Known
}

pub(crate) async fn rescue(talk: &mut Talk) {
    talk.send(THROW_AWAY);
    talk.pause(RESCUE).await;
}
