//! An EiBotBoard by hand.

use std::time::Duration;

use super::{LONG, PATIENCE, POLL, Standing, Talk};
use crate::Error;
use traceur_core::machine::{Ebb, Profile, Version};
use traceur_protocol::ebb::{error_meaning, jog_lines, pen_lines};
use traceur_protocol::{Fault, Height};

const GREETINGS: usize = 3;
/// The board's greatest step rate; `HM` of 2.x has no lower one.
const FASTEST: f64 = 24_995.0;

/// What was learned when the port was opened.
#[derive(Debug)]
pub(super) struct Known {
    banner: String,
}

pub(super) async fn greet(talk: &mut Talk, table: &Ebb) -> Result<Known, Error> {
    for _ in 0..GREETINGS {
        talk.say("V\r")?;
        while let Some(line) = talk.hear(Duration::from_secs(1)).await? {
            let Some((_, version)) = line.split_once("EB Firmware Version ") else { continue };
            let banner = line.trim_start_matches("V,").to_owned();
            if line.starts_with("V,") {
                talk.say("CU,10,0\r")?;
            }
            talk.settle().await?;
            return match Version::parse(version) {
                Some(version) if version < table.min_firmware => {
                    Err(Fault::OldFirmware { version, least: table.min_firmware }.into())
                }
                _ => Ok(Known { banner }),
            };
        }
    }
    Err(Fault::NoAnswer.into())
}

/// Sends a command; gives its value, empty if it only says OK.
async fn order(talk: &mut Talk, line: &str, patience: Duration) -> Result<String, Error> {
    talk.say(&format!("{line}\r"))?;
    let mut value = String::new();
    loop {
        let reply = talk.must_hear(patience).await?;
        if let Some(rest) = reply.strip_prefix('!') {
            let code = rest.split(' ').next().and_then(|number| number.parse().ok()).unwrap_or(0);
            return Err(Error::Refused { line: line.into(), reply, meaning: error_meaning(code).into() });
        }
        if reply == "OK" {
            return Ok(value);
        }
        value = reply;
        // The only one of these without OK.
        if line == "QG" {
            return Ok(value);
        }
    }
}

/// Waits until nothing moves and nothing waits.
async fn rest(talk: &mut Talk) -> Result<(), Error> {
    loop {
        let bits = order(talk, "QG", LONG).await?;
        if u8::from_str_radix(&bits, 16).is_ok_and(|bits| bits & 0x0F == 0) {
            return Ok(());
        }
        tokio::time::sleep(POLL).await;
    }
}

async fn has_power(talk: &mut Talk, table: &Ebb) -> Result<Option<bool>, Error> {
    if table.motor_power_least == 0 {
        return Ok(None);
    }
    let reading = order(talk, "QC", PATIENCE).await?;
    let supply = reading.split(',').nth(1).and_then(|text| text.trim().parse::<u16>().ok());
    Ok(supply.map(|supply| supply >= table.motor_power_least))
}

async fn powered(talk: &mut Talk, table: &Ebb) -> Result<(), Error> {
    match has_power(talk, table).await? {
        Some(false) => Err(Fault::NoMotorPower.into()),
        _ => Ok(()),
    }
}

pub(super) async fn home(talk: &mut Talk, profile: &Profile, table: &Ebb) -> Result<(), Error> {
    powered(talk, table).await?;
    pen(talk, profile, table, Height::Up).await?;
    // Without ramps, so at a third of the travel speed; in steps/s of the longer way.
    let rate = (profile.limits.travel_speed / 3.0 * table.steps_per_mm).clamp(100.0, FASTEST);
    order(talk, &format!("HM,{rate:.0}"), LONG).await?;
    rest(talk).await
}

pub(super) async fn jog(talk: &mut Talk, profile: &Profile, table: &Ebb, by: [f64; 2]) -> Result<(), Error> {
    powered(talk, table).await?;
    for line in jog_lines(by, profile, table) {
        order(talk, &line, LONG).await?;
    }
    rest(talk).await
}

pub(super) async fn pen(
    talk: &mut Talk,
    profile: &Profile,
    table: &Ebb,
    height: Height,
) -> Result<(), Error> {
    for line in pen_lines(profile, table, height) {
        order(talk, &line, LONG).await?;
    }
    rest(talk).await
}

pub(super) async fn zero(talk: &mut Talk, table: &Ebb) -> Result<(), Error> {
    powered(talk, table).await?;
    // The motors hold the carriage from now on. From 2.8.0 on that is queued, and zeroes the counters too.
    order(talk, &format!("EM,{0},{0}", table.microstep_mode), PATIENCE).await?;
    rest(talk).await?;
    order(talk, "CS", PATIENCE).await.map(drop)
}

pub(super) async fn standing(talk: &mut Talk, table: &Ebb, known: &Known) -> Result<Standing, Error> {
    let moves = order(talk, "QG", PATIENCE).await?;
    let moves = u8::from_str_radix(&moves, 16).is_ok_and(|bits| bits & 0x0F != 0);
    let steps = order(talk, "QS", PATIENCE).await?;
    let mut steps = steps.split(',').map(|text| text.trim().parse::<f64>().ok());
    let steps = steps.next().flatten().zip(steps.next().flatten());
    let pen = order(talk, "QP", PATIENCE).await?;
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
        firmware: known.banner.clone(),
        trouble: (motor_power == Some(false)).then(|| Fault::NoMotorPower.to_string()),
    })
}
