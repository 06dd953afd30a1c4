//! Where a plotter stands before a job goes on: it says so itself, or nobody knows.
//!
//! GRBL and the EiBotBoard count steps from the job's zero for as long as they do not restart. That they have not is told by
//! a number that the job left in a memory which a restart, or another program, wipes out: the tool number of GRBL's parser,
//! the board's `SL`. Without it the position is lost, unless the machine can look for its switches. An HP-GL plotter finds its
//! own place when it is switched on.

use std::time::{Duration, Instant};

use super::{Connection, Error, Work};
use crate::transport::Link;
use traceur_core::machine::{Ebb, Firmware, Lift, Version};
use traceur_core::toolpath::Pass;
use traceur_protocol::{Fault, State, encode, grbl};

/// Between questions.
const ASK: Duration = Duration::from_millis(100);
/// For an answer of a board that is there; a restarting one takes that long.
const ANSWER: Duration = Duration::from_secs(5);
/// For a pen to go up.
const RESCUE: Duration = Duration::from_millis(1500);
/// For a board to draw what is in its buffers.
const REST: Duration = Duration::from_secs(300);

/// What is known of a plotter's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Position {
    /// It knows where its pen is, which is up.
    Known,
    /// Nobody knows: why.
    Lost(String),
}

/// What is known of a job that goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// As far as the job knows, the pen is at home.
    pub home: bool,
    /// Somebody has put it there by hand.
    pub zeroed: bool,
    /// The number that the job left in the board's memory.
    pub mark: u8,
}

/// Waits until the plotter rests, lifts its pen, and asks where it is.
///
/// # Errors
/// When it does not answer, or the connection ends.
pub async fn stand(work: &Work<'_>, connection: &mut Connection, memory: Memory) -> Result<Position, Error> {
    let Some(link) = connection.link() else { return Ok(Position::Known) };
    let mut board = Board { link, said: Vec::new() };
    match &work.profile.firmware {
        Firmware::Grbl(grbl) => {
            let standing = grbl_stands(&mut board, work, memory, grbl.homing).await?;
            connection.attach(grbl.homing);
            Ok(standing)
        }
        Firmware::Ebb(ebb) => {
            let standing = ebb_stands(&mut board, work, memory, ebb).await?;
            connection.attach(false);
            Ok(standing)
        }
        Firmware::Hpgl(_) => {
            // What is left of the job in its buffer is thrown away; the vector at hand ends, and the pen goes up.
            board.link.send(b"\x1b.(\x1b.J\x1b.KPU;".to_vec())?;
            Ok(Position::Known)
        }
    }
}

/// Lifts the pen of a plotter whose session gave up, as far as it still obeys. What it answers is of no interest.
pub(super) async fn rescue(work: &Work<'_>, connection: &mut Connection) {
    let Some(link) = connection.link() else { return };
    let mut board = Board { link, said: Vec::new() };
    let lines = lift(work);
    // OK to ignore: the connection may be what failed.
    let _ = match &work.profile.firmware {
        Firmware::Grbl(_) => {
            let reset = board
                .grbl(&[0x18], false, RESCUE, |reply| matches!(reply, grbl::Reply::Banner(_)).then_some(()))
                .await;
            match reset {
                Ok(_) => {
                    let text = format!("$X\n{}\n", lines.join("\n"));
                    board.grbl(text.as_bytes(), false, RESCUE, |_| None::<()>).await
                }
                Err(error) => Err(error),
            }
        }
        Firmware::Ebb(_) => {
            let text = format!("\r{}\r", lines.join("\r"));
            board.ask(text.as_bytes(), false, RESCUE, |_| None::<()>).await
        }
        Firmware::Hpgl(_) => board.ask(b"\x1b.(\x1b.J\x1b.KPU;", false, RESCUE, |_| None::<()>).await,
    };
}

/// A plotter that is asked by hand, without a session.
struct Board<'a> {
    link: &'a mut Link,
    said: Vec<u8>,
}

impl Board<'_> {
    /// What it says until `enough` finds what it looks for in a line; asks `question` meanwhile, every [`ASK`] or once.
    async fn ask<T>(
        &mut self,
        question: &[u8],
        again: bool,
        limit: Duration,
        mut enough: impl FnMut(&str) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        let began = Instant::now();
        let mut due = began;
        let mut asked = false;
        let mut heard = began;
        while began.elapsed() < limit && heard.elapsed() < ANSWER {
            if Instant::now() >= due && (again || !asked) {
                self.link.send(question.to_vec())?;
                asked = true;
                due = Instant::now() + ASK;
            }
            let wait = if again {
                due.saturating_duration_since(Instant::now())
            } else {
                limit.saturating_sub(began.elapsed())
            };
            let bytes = tokio::time::timeout(wait, self.link.receive()).await;
            if let Ok(bytes) = bytes {
                self.said.extend(bytes?);
                heard = Instant::now();
            }
            while let Some(end) = self.said.iter().position(|byte| b"\r\n".contains(byte)) {
                let line: Vec<u8> = self.said.drain(..=end).collect();
                let line = String::from_utf8_lossy(&line);
                let found = enough(line.trim());
                if found.is_some() {
                    return Ok(found);
                }
            }
        }
        Ok(None)
    }

    async fn grbl<T>(
        &mut self,
        question: &[u8],
        again: bool,
        limit: Duration,
        mut enough: impl FnMut(&grbl::Reply) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        self.ask(question, again, limit, |line| {
            let mut replies = grbl::Replies::default();
            replies.feed(format!("{line}\n").as_bytes()).iter().find_map(&mut enough)
        })
        .await
    }
}

async fn grbl_stands(
    board: &mut Board<'_>,
    work: &Work<'_>,
    memory: Memory,
    homes: bool,
) -> Result<Position, Error> {
    let Some(state) = grbl_rests(board, work).await? else { return Err(Fault::NoAnswer.into()) };
    let is_locked = matches!(state, State::Alarm | State::Sleep);
    let mut knows = true;
    if state == State::Idle {
        // Half a line may wait in its buffer: this makes it one that is refused.
        board.grbl(b"@\n", false, ANSWER, answered).await?;
        let tool = board.grbl(b"$G\n", false, ANSWER, tool).await?;
        knows = tool == Some(u32::from(memory.mark));
    } else {
        // Nothing is parsed in a hold, in which the mark is still there. A reset at rest keeps the position.
        let banner = |reply: &grbl::Reply| matches!(reply, grbl::Reply::Banner(_)).then_some(());
        if board.grbl(&[0x18], false, ANSWER, banner).await?.is_none() {
            return Err(Fault::NoAnswer.into());
        }
    }
    if is_locked && !homes {
        if !memory.zeroed {
            return Ok(Position::Lost("the plotter is locked by an alarm, and has lost its place".into()));
        }
        board.grbl(b"$X\n", false, ANSWER, answered).await?;
    }
    let mark = format!("T{}", memory.mark);
    let zero = match work.profile.lift {
        Lift::Z { .. } => "G10L20P1X0Y0Z0",
        _ => "G10L20P1X0Y0",
    };
    let zeroes = (memory.zeroed && !homes).then(|| zero.to_owned());
    for line in zeroes.into_iter().chain(lift(work)) {
        board.grbl(format!("{line}\n").as_bytes(), false, ANSWER, answered).await?;
    }
    if !(knows || homes || memory.home || memory.zeroed) {
        return Ok(Position::Lost(
            "the board has restarted since, as after an alarm, and as many do when their port is opened: it counts from elsewhere"
                .into(),
        ));
    }
    board.grbl(format!("{mark}\n").as_bytes(), false, ANSWER, answered).await?;
    Ok(Position::Known)
}

/// Waits until the board is there and has stayed in one place for longer than any dwell, which is reported as Idle.
async fn grbl_rests(board: &mut Board<'_>, work: &Work<'_>) -> Result<Option<State>, Error> {
    let dwell = match work.profile.lift {
        Lift::Servo { up_delay, down_delay, .. } => up_delay.max(down_delay),
        _ => 0.0,
    };
    let still = Duration::from_secs_f64(dwell) + 2 * ASK;
    let mut rests: Option<(Instant, Option<[f64; 3]>)> = None;
    board
        .grbl(b"?", true, REST, |reply| {
            let grbl::Reply::Status(status) = reply else { return None };
            let held = State::Hold { complete: false };
            if matches!(status.state, State::Run | State::Jog | State::Home) || status.state == held {
                rests = None;
                return None;
            }
            let now = Instant::now();
            let (since, at) = *rests.get_or_insert((now, status.machine));
            if at != status.machine {
                rests = Some((now, status.machine));
                return None;
            }
            (now - since >= still).then_some(status.state)
        })
        .await
}

fn answered(reply: &grbl::Reply) -> Option<()> {
    matches!(reply, grbl::Reply::Ok | grbl::Reply::Error(_)).then_some(())
}

/// The tool of `[GC:G0 G54 G17 G21 G90 G94 M5 M9 T0 F0 S0]`.
fn tool(reply: &grbl::Reply) -> Option<u32> {
    let grbl::Reply::Message(text) = reply else { return None };
    let words = text.strip_prefix("GC:")?.split(' ');
    words.filter_map(|word| word.strip_prefix('T')).find_map(|number| number.parse().ok())
}

/// What lifts the machine's pen.
fn lift(work: &Work<'_>) -> Vec<String> {
    let Some(pass) = work.toolpath.passes.first() else { return Vec::new() };
    encode(0, &Pass { pen: pass.pen.clone(), strokes: Vec::new() }, work.profile, work.placement).lift
}

async fn ebb_stands(
    board: &mut Board<'_>,
    work: &Work<'_>,
    memory: Memory,
    ebb: &Ebb,
) -> Result<Position, Error> {
    let mut version = None;
    for _ in 0..5 {
        // The end of half a command comes first: it is refused.
        version = board
            .ask(b"\rV\r", false, Duration::from_secs(1), |line| {
                let (_, version) = line.split_once("EB Firmware Version ")?;
                Version::parse(version)
            })
            .await?;
        if version.is_some() {
            break;
        }
    }
    let Some(version) = version else { return Err(Fault::NoAnswer.into()) };
    let value = |line: &str, name: &str| {
        line.strip_prefix(name).and_then(|rest| rest.strip_prefix(',')).unwrap_or(line).to_owned()
    };
    let numbers = |text: String| {
        let numbers: Option<Vec<i64>> = text.split(',').map(|part| part.trim().parse().ok()).collect();
        numbers
    };
    let resting = board
        .ask(b"QG\r", true, REST, |line| {
            let text = value(line, "QG");
            let bits = (text.len() == 2).then(|| u8::from_str_radix(&text, 16).ok())??;
            (bits & 0x0F == 0).then_some(())
        })
        .await?;
    if resting.is_none() {
        return Err(Fault::Silent.into());
    }
    let settled = Duration::from_millis(20);
    while board.ask(b"", false, settled, |_| Some(())).await?.is_some() {}
    let mark =
        board.ask(b"QL\r", false, ANSWER, |line| numbers(value(line, "QL")).filter(|n| n.len() == 1)).await?;
    let power =
        board.ask(b"QC\r", false, ANSWER, |line| numbers(value(line, "QC")).filter(|n| n.len() == 2)).await?;
    let (Some(mark), Some(power)) = (mark, power) else { return Err(Fault::Silent.into()) };
    for line in lift(work) {
        board.link.send(format!("{line}\r").into_bytes())?;
    }
    if power[1] < i64::from(ebb.motor_power_least) {
        return Err(Fault::NoMotorPower.into());
    }
    let off = if version >= Version(2, 8, 0) {
        let motors = board
            .ask(b"QE\r", false, ANSWER, |line| numbers(value(line, "QE")).filter(|n| n.len() == 2))
            .await?;
        motors.is_none_or(|motors| motors.contains(&0))
    } else {
        false
    };
    if memory.zeroed {
        // Only to be pushed: the program zeroes the counters.
        board.link.send(b"CS\r".to_vec())?;
        return Ok(Position::Known);
    }
    if memory.home {
        return Ok(Position::Known);
    }
    if mark[0] != i64::from(memory.mark) {
        board.link.send(b"EM,0,0\r".to_vec())?;
        return Ok(Position::Lost("the board has restarted since, or another program has used it".into()));
    }
    if off {
        return Ok(Position::Lost("the motors were switched off: the carriage may have been pushed".into()));
    }
    Ok(Position::Known)
}
