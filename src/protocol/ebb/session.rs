//! Streams a program to a board, and knows what has been drawn.

mod opening;
#[cfg(test)]
mod phase_tests;

use std::collections::VecDeque;
use std::time::Duration;

use super::LowLevelMove;
use super::asked::{Answer, Asked, Asking};
use super::pace::Pace;
use super::reply::{Replies, Reply, error_meaning};
use crate::session_core::{Core, Deadlines, Timed, Timer};
use crate::{Event, Fault, Program, State, Status};
use traceur_core::machine::{Ebb, Motors, Profile, Version};
use traceur_motion::TICKS_PER_SECOND;

/// Between greetings of a board that does not answer.
const GREET: Duration = Duration::from_millis(1000);
const GREETINGS: usize = 3;
/// How often the pause button is asked for.
const POLL: Duration = Duration::from_millis(50);
/// How often the motors' voltage is asked for.
const POWER_POLL: Duration = Duration::from_millis(1000);
/// How long an answer may take beyond the motion before it.
const SILENCE: Duration = Duration::from_millis(3000);
/// For late answers after a refusal.
const SETTLE: Duration = Duration::from_millis(200);
/// For a silent board to say whether it has restarted.
const PROBE: Duration = Duration::from_millis(1000);
/// Motion in the board's hands beyond which nothing more is sent; ticks, 46 ms.
const IN_HAND: u32 = TICKS_PER_SECOND * 46 / 1000;
/// Unanswered commands at most.
const MOST_UNANSWERED: usize = 8;
/// Longer lines are news, such as `Limit switch triggered. PortB=00`.
const LONGEST_ANSWER: usize = 24;
/// The first firmware whose queue also holds `EM`.
const EM_IS_QUEUED: Version = Version(2, 8, 0);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// `V` was sent so many times.
    Greeting {
        times: usize,
    },
    /// Asking what must be known before anything moves.
    Preparing,
    Streaming,
    /// All is sent and answered; waiting until nothing moves.
    Ending,
    /// A command was refused: late answers are let pass.
    Settling,
    /// The pen goes up for good.
    Lifting,
    /// It is silent: has it restarted?
    Probing,
    Closed,
}

impl crate::session_core::Phase for Phase {
    const CLOSED: Self = Self::Closed;
}

/// Whether the pen shall move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wish {
    Go,
    /// Slow down, then lift the pen and wait.
    Pause,
    /// The pen is up and all stands.
    Paused,
    /// Slow down, lift the pen, and end.
    Stop,
}

/// Streams a program to a board whose queue holds one command, beside the one that runs and one that waits in the parser:
/// the answer to a command tells that the last but one before it has ended. Never more than 46 ms of motion is in the
/// board's hands.
///
/// A pause slows the pen down along its way from there, lifts it, and going on puts it down and speeds it up again; the
/// drawing stays the same. The board's own button pauses too. A stop is a pause after which all ends.
#[derive(Debug, Clone)]
pub struct Session {
    program: Program,
    ebb: Ebb,
    core: Core<Phase>,
    wish: Wish,
    pace: Pace,
    version: Version,
    /// What is left in the board's memory.
    mark: u8,
    /// Whether replies carry the command's name.
    future: bool,
    replies: Replies,
    next: usize,
    /// Sent and not answered.
    asked: VecDeque<Asking>,
    /// Answered and perhaps not ended: at most two queued commands. With their ticks.
    in_hand: VecDeque<(Option<usize>, u32)>,
    to_prepare: VecDeque<(String, Asked)>,
    /// What put the pen down last, if it is down.
    down: Option<String>,
    /// What puts it down again after a pause.
    to_lower: Option<String>,
    /// Where the motors are at the end of what has been sent; steps.
    steps: [i64; 2],
    last_answered: Option<usize>,
    next_power_poll: Duration,
    /// When an answer came, or the oldest unanswered command went out.
    last_progress: Duration,
}

impl Session {
    /// A session for a freshly opened port.
    #[must_use]
    pub fn new(program: Program, profile: &Profile, ebb: &Ebb) -> Self {
        let factor = match ebb.motors {
            Motors::CoreXy => 2.0_f64.sqrt(),
            Motors::Cartesian => 1.0,
        };
        let mut session = Self {
            program,
            ebb: ebb.clone(),
            core: Core::new(Phase::Greeting { times: 1 }),
            wish: Wish::Go,
            pace: Pace::new(profile.limits.acceleration * ebb.steps_per_mm * factor),
            version: Version(0, 0, 0),
            mark: opening::MARK,
            future: false,
            replies: Replies::default(),
            next: 0,
            asked: VecDeque::new(),
            in_hand: VecDeque::new(),
            to_prepare: VecDeque::new(),
            down: None,
            to_lower: None,
            steps: [0; 2],
            last_answered: None,
            next_power_poll: Duration::ZERO,
            last_progress: Duration::ZERO,
        };
        session.greet();
        session
    }
}

impl crate::Session for Session {
    fn handle_bytes(&mut self, now: Duration, bytes: &[u8]) {
        for byte in bytes {
            if let Some(reply) = self.replies.push(*byte)
                && self.core.phase != Phase::Closed
            {
                self.handle_reply(now, reply);
                // After each reply, so that the events do not depend on how the bytes were split.
                self.pump(now);
            }
        }
    }

    fn handle_timeout(&mut self, now: Duration) {
        self.expire_due(now);
        self.pump(now);
    }

    fn pause(&mut self, now: Duration) {
        if self.core.phase == Phase::Streaming && self.wish == Wish::Go {
            self.wish = Wish::Pause;
            self.tell_hold(false);
            self.pump(now);
        }
    }

    fn resume(&mut self, now: Duration) {
        if self.core.phase != Phase::Streaming || !matches!(self.wish, Wish::Pause | Wish::Paused) {
            return;
        }
        self.wish = Wish::Go;
        if let Some(line) = self.to_lower.take() {
            self.down = Some(line.clone());
            self.ask_extra(now, &line);
        }
        self.pump(now);
    }

    fn stop(&mut self, now: Duration) {
        match self.core.phase {
            Phase::Greeting { .. } | Phase::Preparing => {
                self.core.end(Event::Stopped);
            }
            Phase::Streaming => {
                self.wish = Wish::Stop;
                self.pump(now);
            }
            _ => {}
        }
    }

    fn set_mark(&mut self, mark: u8) {
        self.mark = mark;
    }

    fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        self.core.poll_transmit()
    }

    fn poll_event(&mut self) -> Option<Event> {
        self.core.poll_event()
    }

    fn poll_timeout(&self) -> Option<Duration> {
        self.next_deadline()
    }
}

impl Timed for Session {
    fn deadlines(&self) -> Option<Deadlines> {
        let core = &self.core;
        Some(match core.phase {
            Phase::Greeting { .. } => Deadlines::at(Timer::Greet, core.after(GREET)),
            Phase::Preparing => Deadlines::at(Timer::Silence, self.stalls_at()),
            Phase::Streaming | Phase::Ending | Phase::Lifting => {
                Deadlines::at(Timer::Silence, self.stalls_at()).and(Timer::Poll, core.next_poll)
            }
            Phase::Settling => Deadlines::at(Timer::Settle, core.after(SETTLE)),
            Phase::Probing => Deadlines::at(Timer::Silence, core.after(PROBE)),
            Phase::Closed => return None,
        })
    }

    fn expire(&mut self, now: Duration, timer: Timer) {
        match timer {
            Timer::Greet => self.greet_again(now),
            Timer::Settle => self.lift_for_good(now),
            Timer::Poll => self.poll(now),
            Timer::Silence if self.core.phase == Phase::Probing => self.core.fault(Fault::Silent),
            Timer::Silence => self.probe(now),
            // No phase waits for them.
            Timer::Proceed | Timer::Room | Timer::Halt => {}
        }
    }
}

impl Session {
    fn handle_reply(&mut self, now: Duration, reply: Reply) {
        match self.core.phase {
            Phase::Greeting { .. } => return self.handle_greeting(now, &reply),
            Phase::Probing => return self.handle_probe(reply),
            _ => {}
        }
        if matches!(&reply, Reply::Line(line) if line.contains("EB Firmware Version")) {
            // A late answer to a greeting that was sent twice.
            return;
        }
        if let Reply::Error { code, text } = reply {
            return self.handle_error(now, code, text);
        }
        let Some(asking) = self.asked.front_mut() else {
            return self.unasked(reply);
        };
        match asking.take(reply, self.future) {
            Answer::Partial => {}
            Answer::Stray(text) if text.len() > LONGEST_ANSWER => self.core.tell(Event::Push(text)),
            Answer::Stray(text) => {
                // Board and session have lost each other; another move might go anywhere.
                self.core.tell(Event::Garbled(text));
                self.probe(now);
            }
            Answer::Done(value) => {
                self.last_progress = now;
                if let Some(asking) = self.asked.pop_front() {
                    self.handle_answer(now, &asking, &value);
                }
            }
        }
    }

    fn unasked(&mut self, reply: Reply) {
        match reply {
            // A refused command's OK, or one more than the board owes.
            Reply::Ok if matches!(self.core.phase, Phase::Settling | Phase::Lifting) => {}
            Reply::Ok => {
                self.core.tell(Event::Garbled("OK, but no command was waiting for it".into()));
            }
            Reply::Line(text) | Reply::Error { text, .. } => self.core.tell(Event::Push(text)),
        }
    }

    fn handle_answer(&mut self, now: Duration, asking: &Asking, value: &str) {
        match asking.asked {
            Asked::Setting => {}
            Asked::Power => {
                let supply = value.split(',').nth(1).and_then(|text| text.trim().parse::<u16>().ok());
                if supply.is_some_and(|supply| supply < self.ebb.motor_power_least) {
                    self.lost_power();
                }
            }
            Asked::Mark => {
                if self.core.phase == Phase::Preparing && value.trim().parse() == Ok(0_u8) {
                    self.core
                        .tell(Event::Push("the board has just started: pen heights are set anew".into()));
                }
            }
            Asked::General => self.handle_general(now, value),
            Asked::Statement(statement) => {
                self.last_answered = Some(statement);
                self.core.tell(Event::Accepted { statement });
                if asking.queued {
                    self.ends(Some(statement), asking.ticks);
                }
            }
            Asked::Extra => self.ends(None, asking.ticks),
        }
    }

    /// A queued command was answered: it waits in the queue, the one before runs, and the one before that has ended.
    fn ends(&mut self, statement: Option<usize>, ticks: u32) {
        self.in_hand.push_back((statement, ticks));
        while self.in_hand.len() > 2 {
            if let Some((Some(upto), _)) = self.in_hand.pop_front() {
                self.core.tell(Event::Completed { upto });
            }
        }
    }

    /// Two hexadecimal digits: what moves and waits, the pen, the button, the power.
    fn handle_general(&mut self, now: Duration, value: &str) {
        let Ok(bits) = u8::from_str_radix(value.trim(), 16) else {
            return self.core.tell(Event::Garbled(value.to_owned()));
        };
        let rests = bits & 0x0F == 0;
        if bits & 0x20 != 0 {
            self.core.tell(Event::Push("the board's button was pressed".into()));
            crate::Session::pause(self, now);
        }
        if bits & 0x40 != 0 && self.version >= Version(3, 0, 0) && self.ebb.motor_power_least > 0 {
            return self.lost_power();
        }
        if !rests || !self.asked.is_empty() {
            return;
        }
        match self.core.phase {
            Phase::Ending => {
                if let Some(upto) = self.program.statements.len().checked_sub(1) {
                    self.core.tell(Event::Completed { upto });
                }
                self.core.end(Event::Finished);
            }
            Phase::Lifting => {
                self.all_ended();
                self.tell_hold(true);
                self.core.end(Event::Stopped);
            }
            Phase::Streaming if self.wish == Wish::Paused && !self.in_hand.is_empty() => {
                self.all_ended();
                self.tell_hold(true);
            }
            _ => {}
        }
    }

    /// Nothing moves and nothing waits: all that was answered has ended.
    fn all_ended(&mut self) {
        let last = self.in_hand.drain(..).rev().find_map(|(statement, _)| statement);
        if let Some(upto) = last {
            self.core.tell(Event::Completed { upto });
        }
    }

    /// A refused command was not done. That of too many numbers (7) comes after the command's OK; all others stand in the
    /// place of it.
    fn handle_error(&mut self, now: Duration, code: u32, text: String) {
        if matches!(self.core.phase, Phase::Settling | Phase::Lifting) {
            return self.core.tell(Event::Push(text));
        }
        let waiting = self.asked.iter().find_map(|asking| match asking.asked {
            Asked::Statement(statement) => Some(statement),
            _ => None,
        });
        let statement =
            if code == 7 { self.last_answered.or(waiting) } else { waiting.or(self.last_answered) };
        self.asked.clear();
        let index = statement.unwrap_or(0);
        let refused = self.program.statements.get(index);
        self.core.tell(Event::Error {
            code,
            reply: text,
            meaning: error_meaning(code).to_owned(),
            statement: index,
            line: refused.map_or(String::new(), |refused| refused.line.clone()),
            origin: refused.and_then(|refused| refused.origin),
        });
        self.core.enter(now, Phase::Settling);
    }

    /// Its answers fail to come, or make no sense: has it restarted?
    fn probe(&mut self, now: Duration) {
        self.asked.clear();
        self.core.enter(now, Phase::Probing);
        self.core.send(b"QL\r");
    }

    fn handle_probe(&mut self, reply: Reply) {
        let Reply::Line(text) = reply else { return };
        let value = text.strip_prefix("QL,").unwrap_or(&text);
        if value.len() == 2 {
            // A late QG.
            return;
        }
        match value.parse::<u8>() {
            Ok(0) => self.core.fault(Fault::Restarted),
            Ok(_) => self.core.fault(Fault::Stalled),
            Err(_) => {}
        }
    }

    /// The motors have lost their place.
    fn lost_power(&mut self) {
        self.core.send(b"ES\r");
        for line in &self.program.lift {
            self.core.send([line.as_bytes(), b"\r"].concat());
        }
        self.core.fault(Fault::NoMotorPower);
    }

    fn tell_hold(&mut self, complete: bool) {
        let place = self.ebb.to_mm(self.steps.map(|steps| steps as f64));
        let machine = complete.then_some([place.x, place.y, 0.0]);
        let state = State::Hold { complete };
        self.core.tell(Event::Status(Status { state, machine, work: None, offset: None, free: None }));
    }

    fn poll(&mut self, now: Duration) {
        if now < self.core.next_poll {
            return;
        }
        self.core.next_poll = now + POLL;
        if self.asked.iter().all(|asking| asking.asked != Asked::General) {
            self.ask(now, "QG", Asked::General, false, 0);
        }
        if now >= self.next_power_poll
            && self.ebb.motor_power_least > 0
            && self.core.phase == Phase::Streaming
        {
            self.next_power_poll = now + POWER_POLL;
            self.ask(now, "QC", Asked::Power, false, 0);
        }
    }

    /// When the oldest unanswered command is later than any motion explains.
    fn stalls_at(&self) -> Duration {
        if self.asked.is_empty() {
            return self.last_progress.max(self.core.next_poll) + SILENCE;
        }
        let ticks: u64 = self.ticks_in_hand();
        self.last_progress + Duration::from_micros(ticks.saturating_mul(40)) + SILENCE
    }

    fn ticks_in_hand(&self) -> u64 {
        let unanswered = self.asked.iter().map(|asking| u64::from(asking.ticks));
        self.in_hand.iter().map(|(_, ticks)| u64::from(*ticks)).chain(unanswered).sum()
    }

    fn ask(&mut self, now: Duration, line: &str, asked: Asked, queued: bool, ticks: u32) {
        if self.asked.is_empty() {
            self.last_progress = now;
        }
        self.core.send([line.as_bytes(), b"\r"].concat());
        self.asked.push_back(Asking::new(line, asked, queued, ticks));
    }

    fn ask_extra(&mut self, now: Duration, line: &str) {
        self.ask(now, line, Asked::Extra, true, pen_ticks(line).unwrap_or(0));
    }

    /// Sends what may be sent.
    fn pump(&mut self, now: Duration) {
        if self.core.phase == Phase::Preparing && self.asked.is_empty() {
            match self.to_prepare.pop_front() {
                Some((line, asked)) => self.ask(now, &line, asked, false, 0),
                None => {
                    self.core.next_poll = now + POLL;
                    self.core.enter(now, Phase::Streaming);
                }
            }
        }
        while self.core.phase == Phase::Streaming && self.may_send() && self.send_next(now) {}
    }

    fn may_send(&self) -> bool {
        let unanswered = self.asked.iter().filter(|asking| asking.is_command()).count();
        let ticks = self.ticks_in_hand() + u64::from(self.ticks_of_next());
        unanswered == 0 || (unanswered < MOST_UNANSWERED && ticks <= u64::from(IN_HAND))
    }

    fn ticks_of_next(&self) -> u32 {
        let Some(statement) = self.program.statements.get(self.next) else { return 0 };
        let ticks = LowLevelMove::parse(&statement.line).and_then(|command| command.ticks());
        ticks.or_else(|| pen_ticks(&statement.line)).unwrap_or(0)
    }

    /// Sends the next thing; false when there is nothing to send now.
    fn send_next(&mut self, now: Duration) -> bool {
        let slowing = self.wish != Wish::Go;
        let Some(statement) = self.program.statements.get(self.next) else {
            if self.asked.iter().all(|asking| !asking.is_command()) {
                self.core.next_poll = now;
                self.core.enter(now, Phase::Ending);
                self.poll(now);
            }
            return false;
        };
        let line = statement.line.clone();
        let Some(command) = LowLevelMove::parse(&line) else {
            if slowing {
                self.pace.stand();
                return self.come_to_rest(now);
            }
            self.send_other(now, &line);
            return true;
        };
        let Some(piece) = self.pace.next(&command, slowing) else {
            return self.come_to_rest(now);
        };
        for motor in 0..2 {
            self.steps[motor] += i64::from(piece.command.motors[motor].steps);
        }
        let asked = if piece.ends { Asked::Statement(self.next) } else { Asked::Extra };
        self.next += usize::from(piece.ends);
        self.ask(now, &piece.command.to_line(), asked, true, piece.ticks);
        true
    }

    /// A statement that does not move the pen along.
    fn send_other(&mut self, now: Duration, line: &str) {
        self.pace.stand();
        let pen = pen_ticks(line);
        if pen.is_some() {
            self.down = line.starts_with("SP,0").then(|| line.to_owned());
        }
        let queued = pen.is_some() || (line.starts_with("EM,") && self.version >= EM_IS_QUEUED);
        self.ask(now, line, Asked::Statement(self.next), queued, pen.unwrap_or(u32::from(queued)));
        self.next += 1;
    }

    /// All that was sent ends at rest, and nothing more shall move. True when more is to be sent.
    fn come_to_rest(&mut self, now: Duration) -> bool {
        match self.wish {
            Wish::Stop => self.lift_for_good(now),
            Wish::Pause => {
                self.wish = Wish::Paused;
                if let Some(line) = self.down.take() {
                    self.to_lower = Some(line);
                    for line in self.program.lift.clone() {
                        self.ask_extra(now, &line);
                    }
                } else if self.in_hand.is_empty() && self.asked.is_empty() {
                    self.tell_hold(true);
                }
            }
            Wish::Go | Wish::Paused => {}
        }
        false
    }

    fn lift_for_good(&mut self, now: Duration) {
        self.last_progress = now;
        self.core.next_poll = now + POLL;
        self.core.enter(now, Phase::Lifting);
        for line in self.program.lift.clone() {
            self.ask_extra(now, &line);
        }
    }
}

/// How long `SP,state,ms[,pin]` takes; `None` if it is no such command.
fn pen_ticks(line: &str) -> Option<u32> {
    let ms: u32 = line.strip_prefix("SP,")?.split(',').nth(1)?.parse().ok()?;
    ms.checked_mul(TICKS_PER_SECOND / 1000)
}
