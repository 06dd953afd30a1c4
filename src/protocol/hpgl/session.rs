//! Streams a program, and knows what has been drawn.

mod answers;
#[cfg(test)]
mod phase_tests;

use std::collections::VecDeque;
use std::time::Duration;

use super::Replies;
use super::encode::longest_statement;
use crate::session_core::{Core, Deadlines, Timed, Timer};
use crate::{Event, Fault, Program};
use traceur_core::machine::{Handshake, Hpgl};

/// Between questions about free bytes that led to nothing.
const ROOM: Duration = Duration::from_millis(50);
/// Between set-ups of a plotter that does not answer.
const PROBE: Duration = Duration::from_millis(1000);
const PROBES: usize = 6;
/// Quiet after the first answer, so that late answers to probes are not taken for others.
const SETTLE: Duration = Duration::from_millis(200);
/// Between questions about state and errors.
const POLL: Duration = Duration::from_millis(1000);
/// Without an answer to a question that is answered at once: it is asked again.
const REPEAT: Duration = Duration::from_secs(3);
const REPEATS: usize = 3;
/// Without an answer to `OE;` from an empty buffer.
const SILENCE: Duration = Duration::from_secs(10);
/// Answers that say "nothing to do" while a marker is not answered.
const IDLE_REPORTS: usize = 3;
/// Most bytes that the plotter may hold: about 25 vectors, which it still draws after a pause.
const WINDOW: usize = 256;
/// Bytes of the buffer that are never used: a real 7475A overflowed at the last free byte.
const RESERVE: usize = 128;

/// Asks where the pen is, as soon as all before it has been drawn.
const MARKER: &str = "OA;";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The set-up was sent so many times.
    Connecting {
        probes: usize,
    },
    /// It answered; what else still comes belongs to the set-up.
    Settling,
    /// Its name is asked for.
    Greeting,
    /// Its last error, and whether paper is loaded, are asked for.
    Checking,
    Streaming,
    /// All is drawn; its last error is asked for.
    Ending,
    /// And now the last error of the wire.
    Closing,
    /// `ESC.K` was sent: what it answers until then is still about strokes.
    Aborting,
    /// The pen is put back.
    Lifting,
    Closed,
}

impl crate::session_core::Phase for Phase {
    const CLOSED: Self = Self::Closed;
}

/// A question that is answered at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Question {
    /// `ESC.E`
    Error,
    /// `ESC.E` behind `ESC.K`: what was said before its answer is about strokes, what is said after it is not.
    Fence,
    /// `ESC.O`
    State,
    /// `ESC.B`
    Room,
}

/// A question in the buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Name,
    Error,
    Marker(Marker),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Marker {
    /// Statements before it.
    statements: usize,
    /// Bytes that had been sent with it.
    bytes: usize,
    /// Where the pen must be; plotter units. `None`: not known.
    at: Option<(i64, i64)>,
}

/// Streams a program. The bytes behind the last answered `OA;` are never more than a window that fits the buffer with a
/// reserve, and small: so the buffer can't overflow even where the handshake does not work, and a pause is a stop of
/// sending, after which at most 256 bytes (about 25 vectors) are drawn and the pen is lifted. On top of that the
/// profile's handshake is obeyed. Block mode (`ESC.@` 16) is not used: it holds each block until it is asked for, so
/// that the pen rests between blocks.
///
/// A stop is `ESC.K`: the vector at hand is finished, the rest of the buffer thrown away, the pen put back.
#[derive(Debug, Clone)]
pub struct Session {
    program: Program,
    hpgl: Hpgl,
    window: usize,
    reserve: usize,
    core: Core<Phase>,
    replies: Replies,
    next: usize,
    /// Statements that have been proven to be drawn.
    drawn: usize,
    questions: VecDeque<(Question, Duration)>,
    asked: VecDeque<Asked>,
    sent_bytes: usize,
    proven_bytes: usize,
    marked_bytes: usize,
    /// Where the pen is sent last; plotter units.
    at: Option<(i64, i64)>,
    down: bool,
    xoff: bool,
    /// Bytes that the handshake lets through now.
    credit: usize,
    enquired: bool,
    /// When free bytes may be asked for again.
    room_due: Duration,
    /// They will be.
    short_of_room: bool,
    /// `OE;` has been asked in this phase.
    error_asked: bool,
    paused: bool,
    /// The pen was lifted for the pause only.
    lifted: bool,
    machine_state: u32,
    /// Questions in a row that were not answered.
    unanswered: usize,
    idle_reports: usize,
    polls: usize,
}

impl Session {
    /// A session for a freshly opened port.
    #[must_use]
    pub fn new(program: Program, hpgl: &Hpgl) -> Self {
        let reserve = RESERVE.min(hpgl.buffer_bytes / 3);
        Self {
            program,
            hpgl: hpgl.clone(),
            window: WINDOW.min(hpgl.buffer_bytes - reserve),
            reserve,
            core: Core::new(Phase::Connecting { probes: 0 }),
            replies: Replies::default(),
            next: 0,
            drawn: 0,
            questions: VecDeque::new(),
            asked: VecDeque::new(),
            sent_bytes: 0,
            proven_bytes: 0,
            marked_bytes: 0,
            at: None,
            down: false,
            xoff: false,
            credit: 0,
            enquired: false,
            room_due: Duration::ZERO,
            short_of_room: false,
            error_asked: false,
            paused: false,
            lifted: false,
            machine_state: 0,
            unanswered: 0,
            idle_reports: 0,
            polls: 0,
        }
    }
}

impl crate::Session for Session {
    fn handle_bytes(&mut self, now: Duration, bytes: &[u8]) {
        for byte in bytes {
            if let Some(reply) = self.replies.push(*byte) {
                self.handle_reply(now, reply);
                // After each reply, so that the events do not depend on how the bytes were split.
                self.stream(now);
            }
        }
    }

    fn handle_timeout(&mut self, now: Duration) {
        self.expire_due(now);
        self.stream(now);
    }

    fn pause(&mut self, now: Duration) {
        if self.core.phase != Phase::Streaming || self.paused {
            return;
        }
        self.paused = true;
        self.lifted = self.down;
        if self.down {
            self.send("PU;");
        }
        self.mark();
        self.stream(now);
    }

    fn resume(&mut self, now: Duration) {
        if self.core.phase != Phase::Streaming || !self.paused {
            return;
        }
        self.paused = false;
        if std::mem::take(&mut self.lifted) {
            self.send("PD;");
        }
        self.stream(now);
    }

    fn stop(&mut self, now: Duration) {
        match self.core.phase {
            Phase::Connecting { .. } | Phase::Settling | Phase::Greeting | Phase::Checking => {
                self.core.end(Event::Stopped);
            }
            Phase::Streaming | Phase::Ending | Phase::Closing => {
                // What still waits here shall not be drawn.
                self.core.unsend();
                self.core.send(b"\x1b.K");
                self.question(now, Question::Fence);
                self.core.enter(now, Phase::Aborting);
            }
            Phase::Aborting | Phase::Lifting | Phase::Closed => {}
        }
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
        let poll = Deadlines::at(Timer::Poll, core.next_poll);
        Some(match core.phase {
            Phase::Connecting { probes: 0 } => Deadlines::at(Timer::Greet, core.after(Duration::ZERO)),
            Phase::Connecting { .. } => Deadlines::at(Timer::Greet, core.after(PROBE)),
            Phase::Settling => Deadlines::at(Timer::Settle, core.after(SETTLE)),
            Phase::Streaming if self.short_of_room => poll.and(Timer::Room, self.room_due),
            // In Checking a person may be waited for, who loads the paper.
            Phase::Greeting
            | Phase::Checking
            | Phase::Streaming
            | Phase::Ending
            | Phase::Closing
            | Phase::Aborting
            | Phase::Lifting => poll,
            Phase::Closed => return None,
        })
    }

    fn expire(&mut self, now: Duration, timer: Timer) {
        match timer {
            Timer::Greet => self.probe(now),
            Timer::Settle => {
                self.buffered("OI;", Asked::Name);
                self.core.enter(now, Phase::Greeting);
                self.core.next_poll = now + POLL;
            }
            Timer::Poll => self.watch(now),
            Timer::Room => self.stream(now),
            // No phase waits for them: silence is noticed when the plotter is asked.
            Timer::Proceed | Timer::Halt | Timer::Silence => {}
        }
    }
}

impl Session {
    fn probe(&mut self, now: Duration) {
        let Phase::Connecting { probes } = self.core.phase else { return };
        if probes == PROBES {
            return self.core.fault(Fault::Deaf);
        }
        self.replies.forget();
        self.set_up();
        self.core.enter(now, Phase::Connecting { probes: probes + 1 });
    }

    /// Plotter on, what is left from before thrown away, the handshake told, the first question asked.
    fn set_up(&mut self) {
        let block = self.block();
        let handshake = match self.hpgl.handshake {
            Handshake::XonXoff => {
                let room = (self.hpgl.buffer_bytes / 3).min(81);
                format!("\x1b.I{room};;17:\x1b.N;19:")
            }
            Handshake::EnqAck => format!("\x1b.H{block};5;6:"),
            Handshake::Hardwire => "\x1b.@:".into(),
            Handshake::Poll | Handshake::None => String::new(),
        };
        let text = format!("\x1b.(\x1b.J\x1b.K\x1b.R{handshake}\x1b.E");
        self.core.send(text);
    }

    /// The largest piece that is sent at once.
    fn block(&self) -> usize {
        longest_statement(self.hpgl.buffer_bytes) + MARKER.len()
    }

    /// Asks what is due, and gives up on a plotter that does not answer.
    fn watch(&mut self, now: Duration) {
        if now < self.core.next_poll {
            return;
        }
        self.core.next_poll = now + POLL;
        let oldest = self.questions.front().map(|(_, since)| *since);
        if oldest.is_some_and(|since| now.saturating_sub(since) >= REPEAT) {
            self.unanswered += 1;
            if self.unanswered == REPEATS {
                let was_heard = self.core.phase != Phase::Greeting;
                return self.core.fault(if was_heard { Fault::Silent } else { Fault::Deaf });
            }
            self.questions.clear();
            match self.core.phase {
                Phase::Aborting => self.question(now, Question::Fence),
                Phase::Closing => self.question(now, Question::Error),
                _ => {}
            }
        }
        let waits_for_error = self.asked.contains(&Asked::Error);
        if waits_for_error && self.core.waited(now) >= SILENCE {
            return self.core.fault(Fault::Silent);
        }
        if !self.questions.is_empty() || waits_for_error {
            return;
        }
        match self.core.phase {
            Phase::Streaming if self.polls % 2 == 1 => self.question(now, Question::Error),
            _ => self.question(now, Question::State),
        }
        self.polls = self.polls.wrapping_add(1);
    }

    fn question(&mut self, now: Duration, question: Question) {
        let letter = match question {
            Question::Error | Question::Fence => 'E',
            Question::State => 'O',
            Question::Room => 'B',
        };
        self.core.send(format!("\x1b.{letter}"));
        self.questions.push_back((question, now));
    }

    /// Sends an instruction that is answered when it is reached.
    fn buffered(&mut self, text: &str, asked: Asked) {
        self.send(text);
        self.asked.push_back(asked);
    }

    fn send(&mut self, text: &str) {
        self.core.send(text.as_bytes().to_vec());
        self.sent_bytes += text.len();
        self.credit = self.credit.saturating_sub(text.len());
    }

    fn mark(&mut self) {
        self.send(MARKER);
        self.marked();
    }

    fn marked(&mut self) {
        self.marked_bytes = self.sent_bytes;
        self.asked.push_back(Asked::Marker(Marker {
            statements: self.next,
            bytes: self.sent_bytes,
            at: self.at,
        }));
    }

    fn stream(&mut self, now: Duration) {
        self.short_of_room = false;
        while self.core.phase == Phase::Streaming && !self.paused && !self.xoff {
            let Some(statement) = self.program.statements.get(self.next) else { break };
            let (line, drains) = (statement.line.clone(), statement.drains);
            let length = line.len() + MARKER.len();
            let unproven = self.sent_bytes - self.proven_bytes;
            if unproven > 0 && unproven + length > self.window {
                if self.marked_bytes < self.sent_bytes {
                    self.mark();
                }
                break;
            }
            if !self.may_send(now, length) {
                break;
            }
            self.follow(&line);
            self.next += 1;
            let last = self.next == self.program.statements.len();
            let unmarked = self.sent_bytes + line.len() - self.marked_bytes;
            if last || unmarked >= self.window / 4 || (drains && unmarked >= self.window / 8) {
                self.send(&(line + MARKER));
                self.marked();
            } else {
                self.send(&line);
            }
        }
    }

    /// Whether the handshake lets so many bytes through; asks, if it does not.
    fn may_send(&mut self, now: Duration, length: usize) -> bool {
        match self.hpgl.handshake {
            Handshake::XonXoff | Handshake::Hardwire | Handshake::None => true,
            _ if self.credit >= length => true,
            Handshake::EnqAck => {
                if !self.enquired {
                    self.enquired = true;
                    self.core.send(vec![5]);
                }
                false
            }
            Handshake::Poll => {
                if now < self.room_due {
                    self.short_of_room = true;
                } else if self.questions.is_empty() {
                    self.question(now, Question::Room);
                }
                false
            }
        }
    }

    /// Notes where a statement leaves the pen.
    fn follow(&mut self, line: &str) {
        for instruction in line.split(';') {
            let Some((name, params)) = instruction.split_at_checked(2) else { continue };
            match name {
                "PU" => self.down = false,
                // Where the carriage rests after a visit to the carousel is the model's affair.
                "SP" | "IN" => (self.down, self.at) = (false, None),
                "PD" => self.down = true,
                "AA" => self.at = None,
                _ => {}
            }
            if matches!(name, "PU" | "PD") && !params.is_empty() {
                let mut numbers = params.rsplit(',').map(str::parse);
                self.at = match (numbers.next(), numbers.next()) {
                    (Some(Ok(y)), Some(Ok(x))) => Some((x, y)),
                    _ => None,
                };
            }
        }
    }
}
