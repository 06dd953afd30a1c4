//! What is said to GRBL outside a program.

use std::time::Duration;

use super::jog::{jog_line, pen_lines};
use super::reply::{numbers, tool};
use super::{Replies, Reply, alarm_meaning, error_meaning};
use crate::inquiry::{Dialogue, Error, Greeting, Memory, Parser, Position, Repeated, Standing};
use crate::{Fault, Height, State, Status};
use traceur_core::machine::{Grbl, Lift, Profile};

/// For the banner of a board that starts anew when its port is opened.
const BANNER: Duration = Duration::from_millis(2200);
/// Between probes of a board that gave no banner.
const PROBE: Duration = Duration::from_secs(1);
const PROBES: usize = 3;
/// Quiet after which nothing more is said of the start.
const SETTLE: Duration = Duration::from_millis(200);
/// For an answer to what is answered at once.
const PATIENCE: Duration = Duration::from_secs(3);
/// For the longest way, and for homing.
const LONG: Duration = Duration::from_secs(180);
/// Between questions whether the machine rests.
const POLL: Duration = Duration::from_millis(50);
/// For an answer of a board whose job was broken off: it may be restarting.
const ANSWER: Duration = Duration::from_secs(5);
/// While it draws what is in its buffers.
const REST: Repeated = Repeated { every: STATUS, limit: Duration::from_secs(300), silence: ANSWER };
const STATUS: Duration = Duration::from_millis(100);
/// For a pen to go up.
const RESCUE: Duration = Duration::from_millis(1500);

const RESET: [u8; 1] = [0x18];
const UNLOCK: &str = "$X";

type Talk = Dialogue<Replies>;

impl Parser for Replies {
    type Reply = Reply;

    fn push(&mut self, byte: u8) -> Option<Reply> {
        Self::push(self, byte)
    }
}

pub(crate) async fn greet(talk: &mut Talk) -> Result<Greeting, Error> {
    let mut greeting = Greeting::default();
    while let Some(reply) = talk.hear(BANNER).await {
        if let Reply::Banner(banner) = reply {
            greeting.banner = banner;
            break;
        }
    }
    if greeting.banner.is_empty() {
        wake(talk).await?;
    }
    while let Some(reply) = talk.hear(SETTLE).await {
        greeting.locked |= matches!(reply, Reply::Message(text) if text.contains("to unlock"));
    }
    greeting.locked |= report(talk).await?.state == State::Alarm;
    Ok(greeting)
}

/// A line end, as often as needed: a board that has started long ago answers it.
async fn wake(talk: &mut Talk) -> Result<(), Error> {
    for _ in 0..PROBES {
        talk.send("\n");
        while let Some(reply) = talk.hear(PROBE).await {
            if answered(&reply).is_some() {
                return Ok(());
            }
        }
    }
    Err(Fault::NoAnswer.into())
}

/// Sends a line; gives the messages before its `ok`.
async fn command(talk: &mut Talk, line: &str, patience: Duration) -> Result<Vec<String>, Error> {
    talk.send(format!("{line}\n"));
    let mut messages = Vec::new();
    loop {
        let (reply, meaning) = match talk.must_hear(patience).await? {
            Reply::Ok => return Ok(messages),
            Reply::Banner(_) => return Err(Fault::Restarted.into()),
            Reply::Error(code) => (format!("error:{code}"), error_meaning(code)),
            Reply::Alarm(code) => (format!("ALARM:{code}"), alarm_meaning(code)),
            Reply::Message(text) => {
                messages.push(text);
                continue;
            }
            Reply::Status(_) | Reply::Setting(_) | Reply::StartUp(_) | Reply::Garbled(_) => continue,
        };
        return Err(Error::Refused { line: line.into(), reply, meaning: meaning.into() });
    }
}

async fn report(talk: &mut Talk) -> Result<Status, Error> {
    talk.send("?");
    loop {
        if let Reply::Status(status) = talk.must_hear(PATIENCE).await? {
            return Ok(status);
        }
    }
}

/// Waits until nothing moves.
async fn rest(talk: &mut Talk) -> Result<(), Error> {
    loop {
        match report(talk).await?.state {
            State::Idle | State::Check => return Ok(()),
            State::Alarm | State::Sleep => return Err(Fault::Locked.into()),
            State::Run | State::Hold { .. } | State::Jog | State::Door | State::Home | State::Tool => {
                talk.pause(POLL).await;
            }
        }
    }
}

fn unlocked(greeting: &Greeting) -> Result<(), Error> {
    if greeting.locked { Err(Fault::Locked.into()) } else { Ok(()) }
}

pub(crate) async fn home(
    talk: &mut Talk,
    profile: &Profile,
    table: &Grbl,
    greeting: &Greeting,
) -> Result<(), Error> {
    if table.homing {
        command(talk, "$H", LONG).await?;
        return rest(talk).await;
    }
    if !greeting.banner.is_empty() && report(talk).await?.machine == Some([0.0; 3]) {
        return Err(Error::Unable(
            "the board has just started and does not know where home is: push the pen to its home corner and say \
             `traceur device zero`, or set `homing = true` in the profile of a machine with switches",
        ));
    }
    pen(talk, profile, greeting, Height::Up).await?;
    command(talk, "G54G90G21G0X0Y0", PATIENCE).await?;
    rest(talk).await
}

pub(crate) async fn jog(
    talk: &mut Talk,
    profile: &Profile,
    greeting: &Greeting,
    by: [f64; 2],
) -> Result<(), Error> {
    unlocked(greeting)?;
    command(talk, &jog_line(by, profile.limits.travel_speed), PATIENCE).await?;
    rest(talk).await
}

pub(crate) async fn pen(
    talk: &mut Talk,
    profile: &Profile,
    greeting: &Greeting,
    height: Height,
) -> Result<(), Error> {
    unlocked(greeting)?;
    for line in pen_lines(&profile.lift, height) {
        command(talk, &line, LONG).await?;
    }
    rest(talk).await
}

pub(crate) async fn zero(talk: &mut Talk, greeting: &Greeting) -> Result<(), Error> {
    unlocked(greeting)?;
    // The place is kept by the firmware's memory, as the programs' G54.
    command(talk, zero_line(None), PATIENCE).await.map(drop)
}

/// Makes the place at hand the zero of drawings; of heights too where the lift is one of them.
fn zero_line(lift: Option<&Lift>) -> &'static str {
    match lift {
        Some(Lift::Z { .. }) => "G10L20P1X0Y0Z0",
        _ => "G10L20P1X0Y0",
    }
}

pub(crate) async fn standing(
    talk: &mut Talk,
    profile: &Profile,
    greeting: &Greeting,
) -> Result<Standing, Error> {
    let status = report(talk).await?;
    let state = status.state.to_string();
    let mut standing = Standing { state, firmware: greeting.banner.clone(), ..Standing::default() };
    if greeting.locked {
        standing.trouble = Some(Fault::Locked.to_string());
    }
    // What is refused, as most is in an alarm, is not known.
    let offsets = command(talk, "$#", PATIENCE).await.unwrap_or_default();
    let offset =
        |name: &str| offsets.iter().find_map(|text| numbers(text.strip_prefix(name)?)).unwrap_or([0.0; 3]);
    let (g54, g92) = (offset("G54:"), offset("G92:"));
    let counted = |at: [f64; 3]| [0, 1, 2].map(|axis| at[axis] - g54[axis] - g92[axis]);
    let at = status.work.or(status.machine.map(counted));
    // Rounding of the report leaves a sign on a zero.
    standing.position = at.map(|[x, y, _]| [x + 0.0, y + 0.0]);
    let version = command(talk, "$I", PATIENCE).await.unwrap_or_default();
    if let Some(version) = version.iter().find_map(|text| text.strip_prefix("VER:")?.split(':').next()) {
        standing.firmware = format!("Grbl {version}");
    }
    standing.pen_down = match profile.lift {
        Lift::Z { up, down, .. } => at.map(|[.., z]| (z - down).abs() < (z - up).abs()),
        Lift::Servo { up_s, down_s, .. } => {
            let modes = command(talk, "$G", PATIENCE).await.unwrap_or_default();
            servo_is_down(&modes.join(" "), up_s, down_s)
        }
        Lift::EbbServo { .. } | Lift::Pen { .. } => None,
    };
    Ok(standing)
}

/// Whether the S word of `GC:G0 G54 … M3 … S700` is nearer to that of the pen that is down. Without M3 the servo gets no
/// signal, and hangs as it hangs.
fn servo_is_down(modes: &str, up_s: u32, down_s: u32) -> Option<bool> {
    let mut words = modes.split([' ', ':']).rev();
    let s = words.find_map(|word| word.strip_prefix('S')?.parse::<f64>().ok())?;
    let to = |other: u32| (s - f64::from(other)).abs();
    modes.contains("M3").then(|| to(down_s) < to(up_s))
}

pub(crate) async fn position(
    talk: &mut Talk,
    lift: &Lift,
    table: &Grbl,
    lift_lines: &[String],
    memory: Memory,
) -> Result<Position, Error> {
    let Some(state) = long_rest(talk, lift).await else { return Err(Fault::NoAnswer.into()) };
    let mut knows = true;
    if state == State::Idle {
        // Half a line may wait in its buffer: this makes it one that is refused.
        talk.ask("@\n", ANSWER, answered).await;
        knows = talk.ask("$G\n", ANSWER, tool).await == Some(u32::from(memory.mark));
    } else if talk.ask(RESET, ANSWER, banner).await.is_none() {
        // Nothing is parsed in a hold, in which the mark is still there. A reset at rest keeps the position.
        return Err(Fault::NoAnswer.into());
    }
    if matches!(state, State::Alarm | State::Sleep) && !table.homing {
        if !memory.zeroed {
            return Ok(Position::Lost("the plotter is locked by an alarm, and has lost its place".into()));
        }
        talk.ask(format!("{UNLOCK}\n"), ANSWER, answered).await;
    }
    let zeroes = (memory.zeroed && !table.homing).then(|| zero_line(Some(lift)));
    for line in zeroes.into_iter().chain(lift_lines.iter().map(String::as_str)) {
        talk.ask(format!("{line}\n"), ANSWER, answered).await;
    }
    if !(knows || table.homing || memory.home || memory.zeroed) {
        return Ok(Position::Lost(
            "the board has restarted since, as after an alarm, and as many do when their port is opened: it counts from elsewhere"
                .into(),
        ));
    }
    talk.ask(format!("T{}\n", memory.mark), ANSWER, answered).await;
    Ok(Position::Known)
}

/// Waits until the board is there and has stayed in one place for longer than any dwell, which is reported as Idle.
async fn long_rest(talk: &mut Talk, lift: &Lift) -> Option<State> {
    let dwell = match lift {
        Lift::Servo { up_delay, down_delay, .. } => up_delay.max(*down_delay),
        _ => 0.0,
    };
    let still = Duration::from_secs_f64(dwell) + 2 * STATUS;
    let mut rests: Option<(Duration, Option<[f64; 3]>)> = None;
    talk.ask_repeatedly(b"?", REST, |now, reply| {
        let Reply::Status(status) = reply else { return None };
        let held = State::Hold { complete: false };
        if matches!(status.state, State::Run | State::Jog | State::Home) || status.state == held {
            rests = None;
            return None;
        }
        let (since, at) = *rests.get_or_insert((now, status.machine));
        if at != status.machine {
            rests = Some((now, status.machine));
            return None;
        }
        (now - since >= still).then_some(status.state)
    })
    .await
}

pub(crate) async fn rescue(talk: &mut Talk, lift: &[String]) {
    talk.ask(RESET, RESCUE, banner).await;
    talk.send(format!("{UNLOCK}\n{}\n", lift.join("\n")));
    talk.pause(RESCUE).await;
}

fn answered(reply: &Reply) -> Option<()> {
    matches!(reply, Reply::Ok | Reply::Error(_)).then_some(())
}

fn banner(reply: &Reply) -> Option<()> {
    matches!(reply, Reply::Banner(_)).then_some(())
}
