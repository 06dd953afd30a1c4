//! What is said to an EiBotBoard outside a program.

use std::time::Duration;

use super::error_meaning;
use super::jog::{home_line, jog_lines, pen_lines};
use super::reply::{Replies, Reply, rests};
use crate::inquiry::{Dialogue, Error, Greeting, Memory, Parser, Position, Repeated, Standing};
use crate::{Fault, Height};
use traceur_core::machine::{Ebb, Profile, Version};

/// Between greetings of a board that does not answer.
const GREET: Duration = Duration::from_secs(1);
const GREETINGS: usize = 3;
/// Of a board whose job was broken off.
const LATE_GREETINGS: usize = 5;
/// Quiet after the greeting.
const SETTLE: Duration = Duration::from_millis(200);
/// For an answer to what is answered at once.
const PATIENCE: Duration = Duration::from_secs(3);
/// For the longest way.
const LONG: Duration = Duration::from_secs(180);
/// Between questions whether the board rests.
const POLL: Duration = Duration::from_millis(50);
/// For an answer of a board whose job was broken off.
const ANSWER: Duration = Duration::from_secs(5);
/// While it draws what is in its buffers.
const REST: Repeated =
    Repeated { every: Duration::from_millis(100), limit: Duration::from_secs(300), silence: ANSWER };
/// Quiet after the last of several questions whether it rests.
const REST_SETTLE: Duration = Duration::from_millis(20);
/// For a pen to go up.
const RESCUE: Duration = Duration::from_millis(1500);
/// The first firmware that tells whether its motors are on.
const TELLS_MOTORS: Version = Version(2, 8, 0);

type Talk = Dialogue<Replies>;

impl Parser for Replies {
    type Reply = Reply;

    fn push(&mut self, byte: u8) -> Option<Reply> {
        Self::push(self, byte)
    }
}

/// Leaves the board in the legacy syntax, which the orders below read.
pub(crate) async fn greet(talk: &mut Talk, table: &Ebb) -> Result<Greeting, Error> {
    for _ in 0..GREETINGS {
        talk.send("V\r");
        while let Some(reply) = talk.hear(GREET).await {
            let Reply::Line(line) = reply else { continue };
            let Some(version) = version(&line) else { continue };
            if line.starts_with("V,") {
                talk.send("CU,10,0\r");
            }
            talk.settle(SETTLE).await;
            return match Version::parse(version) {
                Some(version) if version < table.min_firmware => {
                    Err(Fault::OldFirmware { version, least: table.min_firmware }.into())
                }
                _ => Ok(Greeting { banner: line.trim_start_matches("V,").to_owned(), ..Greeting::default() }),
            };
        }
    }
    Err(Fault::NoAnswer.into())
}

fn version(line: &str) -> Option<&str> {
    line.split_once("EB Firmware Version ").map(|(_, version)| version)
}

/// Sends a command; gives its value, empty if it only says OK.
async fn command(talk: &mut Talk, line: &str, patience: Duration) -> Result<String, Error> {
    talk.send(format!("{line}\r"));
    let mut value = String::new();
    loop {
        match talk.must_hear(patience).await? {
            Reply::Ok => return Ok(value),
            Reply::Error { code, text } => {
                let meaning = error_meaning(code).into();
                return Err(Error::Refused { line: line.into(), reply: text, meaning });
            }
            // The only one of these without OK.
            Reply::Line(text) if line == "QG" => return Ok(text),
            Reply::Line(text) => value = text,
        }
    }
}

/// Waits until nothing moves and nothing waits.
async fn rest(talk: &mut Talk) -> Result<(), Error> {
    while rests(&command(talk, "QG", LONG).await?) != Some(true) {
        talk.pause(POLL).await;
    }
    Ok(())
}

async fn has_power(talk: &mut Talk, table: &Ebb) -> Result<Option<bool>, Error> {
    if table.motor_power_least == 0 {
        return Ok(None);
    }
    let reading = command(talk, "QC", PATIENCE).await?;
    let supply = reading.split(',').nth(1).and_then(|text| text.trim().parse::<u16>().ok());
    Ok(supply.map(|supply| supply >= table.motor_power_least))
}

async fn powered(talk: &mut Talk, table: &Ebb) -> Result<(), Error> {
    match has_power(talk, table).await? {
        Some(false) => Err(Fault::NoMotorPower.into()),
        _ => Ok(()),
    }
}

pub(crate) async fn home(talk: &mut Talk, profile: &Profile, table: &Ebb) -> Result<(), Error> {
    powered(talk, table).await?;
    pen(talk, profile, table, Height::Up).await?;
    command(talk, &home_line(table), LONG).await?;
    rest(talk).await
}

pub(crate) async fn jog(talk: &mut Talk, profile: &Profile, table: &Ebb, by: [f64; 2]) -> Result<(), Error> {
    powered(talk, table).await?;
    for line in jog_lines(by, profile, table) {
        command(talk, &line, LONG).await?;
    }
    rest(talk).await
}

pub(crate) async fn pen(
    talk: &mut Talk,
    profile: &Profile,
    table: &Ebb,
    height: Height,
) -> Result<(), Error> {
    for line in pen_lines(profile, table, height) {
        command(talk, &line, LONG).await?;
    }
    rest(talk).await
}

pub(crate) async fn zero(talk: &mut Talk, table: &Ebb) -> Result<(), Error> {
    powered(talk, table).await?;
    // The motors hold the carriage from now on. From 2.8.0 on that is queued, and zeroes the counters too.
    command(talk, &format!("EM,{0},{0}", table.microstep_mode), PATIENCE).await?;
    rest(talk).await?;
    command(talk, "CS", PATIENCE).await.map(drop)
}

pub(crate) async fn standing(talk: &mut Talk, table: &Ebb, greeting: &Greeting) -> Result<Standing, Error> {
    let moves = rests(&command(talk, "QG", PATIENCE).await?) == Some(false);
    let steps = command(talk, "QS", PATIENCE).await?;
    let mut steps = steps.split(',').map(|text| text.trim().parse::<f64>().ok());
    let steps = steps.next().flatten().zip(steps.next().flatten());
    let pen = command(talk, "QP", PATIENCE).await?;
    let motor_power = has_power(talk, table).await?;
    Ok(Standing {
        state: if moves { "moving" } else { "ready" }.into(),
        position: steps.map(|(one, two)| {
            let place = table.to_mm([one, two]);
            [place.x + 0.0, place.y + 0.0]
        }),
        pen_down: match pen.as_str() {
            "0" => Some(true),
            "1" => Some(false),
            _ => None,
        },
        motor_power,
        firmware: greeting.banner.clone(),
        trouble: (motor_power == Some(false)).then(|| Fault::NoMotorPower.to_string()),
    })
}

pub(crate) async fn position(
    talk: &mut Talk,
    table: &Ebb,
    lift: &[String],
    memory: Memory,
) -> Result<Position, Error> {
    let version = late_greeting(talk).await.ok_or(Fault::NoAnswer)?;
    let resting = |_, reply: &Reply| rests(value(reply, "QG")?).filter(|rests| *rests);
    talk.ask_repeatedly(b"QG\r", REST, resting).await.ok_or(Fault::Silent)?;
    talk.settle(REST_SETTLE).await;
    let mark = talk.ask("QL\r", ANSWER, |reply| numbers::<1>(reply, "QL")).await;
    let power = talk.ask("QC\r", ANSWER, |reply| numbers::<2>(reply, "QC")).await;
    let (Some([mark]), Some([_, power])) = (mark, power) else { return Err(Fault::Silent.into()) };
    for line in lift {
        talk.send(format!("{line}\r"));
    }
    if power < i64::from(table.motor_power_least) {
        return Err(Fault::NoMotorPower.into());
    }
    let off = if version >= TELLS_MOTORS {
        let motors = talk.ask("QE\r", ANSWER, |reply| numbers::<2>(reply, "QE")).await;
        motors.is_none_or(|motors| motors.contains(&0))
    } else {
        false
    };
    if memory.zeroed {
        // Only to be pushed: the program zeroes the counters.
        talk.send("CS\r");
        return Ok(Position::Known);
    }
    if memory.home {
        return Ok(Position::Known);
    }
    if mark != i64::from(memory.mark) {
        talk.send("EM,0,0\r");
        return Ok(Position::Lost("the board has restarted since, or another program has used it".into()));
    }
    if off {
        return Ok(Position::Lost("the motors were switched off: the carriage may have been pushed".into()));
    }
    Ok(Position::Known)
}

async fn late_greeting(talk: &mut Talk) -> Option<Version> {
    for _ in 0..LATE_GREETINGS {
        // The end of half a command comes first: it is refused.
        let found = talk.ask("\rV\r", GREET, |reply| match reply {
            Reply::Line(line) => Version::parse(version(line)?),
            _ => None,
        });
        let found = found.await;
        if found.is_some() {
            return found;
        }
    }
    None
}

/// The value of a line, in both syntaxes.
fn value<'a>(reply: &'a Reply, name: &str) -> Option<&'a str> {
    let Reply::Line(line) = reply else { return None };
    Some(line.strip_prefix(name).and_then(|rest| rest.strip_prefix(',')).unwrap_or(line))
}

fn numbers<const N: usize>(reply: &Reply, name: &str) -> Option<[i64; N]> {
    let numbers: Option<Vec<i64>> =
        value(reply, name)?.split(',').map(|part| part.trim().parse().ok()).collect();
    numbers?.try_into().ok()
}

pub(crate) async fn rescue(talk: &mut Talk, lift: &[String]) {
    talk.send(format!("\r{}\r", lift.join("\r")));
    talk.pause(RESCUE).await;
}
