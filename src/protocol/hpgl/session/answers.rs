//! What each answer of the plotter means to a session.

use std::time::Duration;

use super::super::{Reply, error_meaning, extended_error_meaning};
use super::{Asked, IDLE_REPORTS, Marker, POLL, Phase, Question, ROOM, Session};
use crate::{Event, Fault, Session as _, State, Status};

impl Session {
    pub(super) fn handle_reply(&mut self, now: Duration, reply: Reply) {
        if matches!(reply, Reply::Number(_) | Reply::Position { .. }) {
            self.unanswered = 0;
        }
        match reply {
            Reply::Xoff => self.xoff = true,
            Reply::Xon => self.xoff = false,
            Reply::Ack if self.enquired => {
                self.enquired = false;
                self.credit = self.block();
            }
            Reply::Ack => {}
            Reply::Number(number) => {
                self.handle_number(now, number);
                self.ask_for_error();
            }
            Reply::Position { x, y, .. } => {
                self.handle_position(now, x, y);
                self.ask_for_error();
            }
            Reply::Text(text) if self.asked.front() == Some(&Asked::Name) => {
                self.asked.pop_front();
                self.greet(now, text);
            }
            Reply::Text(text) | Reply::Garbled(text) => self.core.tell(Event::Garbled(text)),
        }
    }

    fn handle_number(&mut self, now: Duration, number: u32) {
        match self.core.phase {
            Phase::Connecting { .. } => {
                if number != 0 {
                    let meaning = extended_error_meaning(number);
                    self.core.tell(Event::Push(format!("left from before: ESC.E {number}, {meaning}")));
                }
                return self.core.enter(now, Phase::Settling);
            }
            Phase::Settling => return self.core.enter(now, Phase::Settling),
            _ => {}
        }
        match self.questions.pop_front() {
            Some((Question::Error, _)) => self.handle_extended_error(now, number),
            Some((Question::Fence, _)) => self.handle_fence(now, number),
            Some((Question::State, _)) => self.handle_state(now, number),
            Some((Question::Room, _)) => {
                self.credit = (number as usize).min(self.hpgl.buffer_bytes).saturating_sub(self.reserve);
                self.room_due = now + ROOM;
            }
            None if self.asked.front() == Some(&Asked::Name) => {
                self.asked.pop_front();
                self.greet(now, number.to_string());
            }
            None if self.asked.front() == Some(&Asked::Error) => {
                self.asked.pop_front();
                self.handle_error(now, number);
            }
            None => self.core.tell(Event::Garbled(number.to_string())),
        }
    }

    fn greet(&mut self, now: Duration, name: String) {
        if name != self.hpgl.identity {
            self.core.tell(Event::Push(format!(
                "the plotter calls itself `{name}`, the profile is for `{}`: sizes may differ",
                self.hpgl.identity
            )));
        }
        self.core.tell(Event::Connected { banner: name });
        self.error_asked = false;
        self.core.enter(now, Phase::Checking);
        self.ask_for_error();
    }

    /// Asks `OE;` where it is due, once no other number is waited for: its answer could not be told from that.
    fn ask_for_error(&mut self) {
        let due = matches!(self.core.phase, Phase::Checking | Phase::Ending) && !self.error_asked;
        if due && self.questions.is_empty() && self.asked.is_empty() {
            self.error_asked = true;
            self.buffered("OE;", Asked::Error);
        }
    }

    /// An answer to `OE;`.
    fn handle_error(&mut self, now: Duration, code: u32) {
        match self.core.phase {
            Phase::Checking => {
                if code != 0 {
                    let meaning = error_meaning(code);
                    self.core.tell(Event::Push(format!("left from before: error {code}, {meaning}")));
                }
                self.question(now, Question::State);
            }
            Phase::Ending if code == 0 => {
                self.core.enter(now, Phase::Closing);
                self.question(now, Question::Error);
            }
            Phase::Ending => {
                self.refuse(code, format!("OE {code}"), error_meaning(code));
                self.stop(now);
            }
            _ => {}
        }
    }

    /// An answer to `ESC.E`.
    fn handle_extended_error(&mut self, now: Duration, code: u32) {
        match self.core.phase {
            Phase::Streaming | Phase::Ending | Phase::Closing if code != 0 => {
                self.refuse(code, format!("ESC.E {code}"), extended_error_meaning(code));
                self.stop(now);
            }
            Phase::Closing => {
                self.core.end(Event::Finished);
            }
            _ => {}
        }
    }

    /// The buffer has been thrown away: now the pen can be put back.
    fn handle_fence(&mut self, now: Duration, code: u32) {
        if code != 0 {
            let meaning = extended_error_meaning(code);
            self.core.tell(Event::Push(format!("ESC.E {code}: {meaning}")));
        }
        self.asked.clear();
        self.proven_bytes = self.sent_bytes;
        self.at = None;
        for line in self.program.lift.clone() {
            self.send(&line);
        }
        self.mark();
        self.idle_reports = 0;
        self.core.enter(now, Phase::Lifting);
        self.core.next_poll = now + POLL;
    }

    /// The oldest statement that is not proven bears the blame.
    fn refuse(&mut self, code: u32, reply: String, meaning: &str) {
        let statement = self.drawn.min(self.program.statements.len().saturating_sub(1));
        let refused = self.program.statements.get(statement);
        self.core.tell(Event::Error {
            code,
            reply,
            meaning: meaning.to_owned(),
            statement,
            line: refused.map_or(String::new(), |refused| refused.line.clone()),
            origin: refused.and_then(|refused| refused.origin),
        });
    }

    /// An answer to `ESC.O`.
    fn handle_state(&mut self, now: Duration, state: u32) {
        let (was, view, lever) = (self.machine_state, state & 16 != 0, state & 32 != 0);
        self.machine_state = state;
        if state & 8 != 0 {
            // An empty buffer owes neither Xon nor ACK: it was lost.
            (self.xoff, self.enquired) = (false, false);
        }
        if view && was & 16 == 0 {
            self.tell("VIEW is pressed: the plotter pauses; press it again to go on");
            self.status(State::Hold { complete: true }, None);
        }
        if !view && was & 16 != 0 {
            self.tell("VIEW is released: the plotter goes on");
        }
        match self.core.phase {
            Phase::Checking if lever => {
                if was & 32 == 0 {
                    self.tell("the paper lever is up: load the paper and lower it");
                }
                self.core.next_poll = now + POLL;
            }
            Phase::Checking if !view => {
                self.core.enter(now, Phase::Streaming);
                self.core.next_poll = now + POLL;
            }
            Phase::Streaming | Phase::Ending if lever => {
                let statement = self.drawn.min(self.program.statements.len().saturating_sub(1));
                self.core.tell(Event::Alarm {
                    code: state,
                    reply: format!("ESC.O {state}"),
                    meaning: "the paper lever was raised: the paper may have moved, and vectors are lost"
                        .into(),
                    statement: Some(statement),
                    origin: self.program.statements.get(statement).and_then(|statement| statement.origin),
                });
                self.core.phase = Phase::Closed;
            }
            Phase::Greeting | Phase::Streaming | Phase::Lifting
                if state == 8 && (!self.asked.is_empty() || self.short_of_room) =>
            {
                self.idle_reports += 1;
                if self.idle_reports >= IDLE_REPORTS {
                    self.core.fault(Fault::Stalled);
                }
            }
            _ => self.idle_reports = 0,
        }
    }

    fn tell(&mut self, text: &str) {
        self.core.tell(Event::Push(text.to_owned()));
    }

    fn status(&mut self, state: State, at: Option<(i64, i64)>) {
        let mm = |units: i64| units as f64 * self.hpgl.unit;
        let machine = at.map(|(x, y)| [mm(x), mm(y), 0.0]);
        self.core.tell(Event::Status(Status { state, machine, work: None, offset: None, free: None }));
    }

    /// An answer to `OA;`: all before it has been drawn.
    fn handle_position(&mut self, now: Duration, x: i64, y: i64) {
        let Some(Asked::Marker(mut marker)) = self.asked.front().copied() else {
            return self.core.tell(Event::Garbled(format!("{x},{y}, but no OA was waiting for it")));
        };
        let is_here =
            |marker: &Marker| marker.at.is_none_or(|at| (at.0 - x).abs() <= 1 && (at.1 - y).abs() <= 1);
        self.asked.pop_front();
        // An answer may have been lost on the way: then this is the next one's, which proves as much.
        while !is_here(&marker)
            && let Some(Asked::Marker(next)) = self.asked.front().copied()
        {
            marker = next;
            self.asked.pop_front();
        }
        self.idle_reports = 0;
        self.proven_bytes = marker.bytes;
        if !is_here(&marker) {
            return self.core.fault(Fault::Strayed);
        }
        if self.core.phase == Phase::Lifting {
            self.core.end(Event::Stopped);
            return;
        }
        for statement in self.drawn..marker.statements {
            self.core.tell(Event::Accepted { statement });
        }
        if marker.statements > self.drawn {
            self.drawn = marker.statements;
            self.core.tell(Event::Completed { upto: marker.statements - 1 });
        }
        let rests = self.paused && self.asked.is_empty();
        self.status(if rests { State::Hold { complete: true } } else { State::Run }, Some((x, y)));
        if self.core.phase == Phase::Streaming
            && self.drawn == self.program.statements.len()
            && self.asked.is_empty()
        {
            self.error_asked = false;
            self.core.enter(now, Phase::Ending);
        }
    }
}
