//! A program under way: what the session tells, and what a person wishes meanwhile.

use std::time::Duration;

use super::{News, Next, Operator, Place, Runner};
use crate::Control;
use crate::log::tell;
use crate::remainder::Progress;
use crate::session_handler::SessionHandler;
use traceur_core::geometry::Point;
use traceur_core::machine::Dialect;
use traceur_protocol::{Event, Program, Session, State};

/// How a program ended.
#[derive(Debug)]
pub(super) struct Streamed {
    pub(super) progress: Progress,
    pub(super) finished: bool,
    pub(super) stopped: bool,
    pub(super) next: Next,
    /// Where the pen stands; machine mm from the job's zero.
    pub(super) stands: Option<Point>,
}

/// A program under way.
pub(super) struct Streaming<'a, 'b, O> {
    pub(super) runner: &'a mut Runner<'b>,
    pub(super) program: &'a Program,
    pub(super) index: usize,
    pub(super) strokes: usize,
    pub(super) streamed: &'a mut Streamed,
    pub(super) paused: bool,
    pub(super) stopping: bool,
    /// Work position is machine position less this; mm.
    pub(super) offset: [f64; 3],
    /// The pen's height has changed in the pause.
    pub(super) nudged: bool,
    pub(super) connected: Duration,
    pub(super) operator: &'a mut O,
}

impl<O: Operator> Streaming<'_, '_, O> {
    /// Stops the session. An end stays an end, and a change of height is heeded by whatever follows.
    fn stop(&mut self, next: Next, session: &mut dyn Session, now: Duration) {
        let keeps = self.streamed.next == Next::End || next == Next::GoOn;
        if !(std::mem::replace(&mut self.stopping, true) && keeps) {
            self.streamed.next = next;
        }
        session.stop(now);
    }

    fn change_speed(&mut self, control: Control, session: &mut dyn Session, now: Duration) {
        let before = self.runner.percent;
        if !self.runner.adjust(control, self.operator) {
            return;
        }
        if session.set_speed(now, self.runner.percent) {
            tell(self.operator, &News::Speed(self.runner.percent));
        } else {
            self.runner.percent = before;
            tell(self.operator, &News::Unable(control));
        }
    }
}

impl<O: Operator> SessionHandler for Streaming<'_, '_, O> {
    fn wish(&mut self, control: Control, session: &mut dyn Session, now: Duration) {
        // `!` would leave GRBL's pen on the paper, and nothing lifts it in a hold.
        let holds_on_paper = self.program.dialect == Dialect::Grbl;
        match control {
            Control::Stop => self.stop(Next::End, session, now),
            Control::Abort => {
                self.runner.aborted = true;
                (self.stopping, self.streamed.next) = (true, Next::End);
                session.abort(now);
            }
            Control::Skip => self.stop(Next::Skip, session, now),
            Control::Pause if holds_on_paper => self.stop(Next::Rest, session, now),
            Control::Pause => {
                self.paused = true;
                session.pause(now);
            }
            // What has changed in the pause needs another program.
            Control::Resume if self.nudged && self.paused => {
                self.paused = false;
                tell(self.operator, &News::Resumed);
                self.stop(Next::GoOn, session, now);
            }
            Control::Resume => {
                if std::mem::take(&mut self.paused) {
                    tell(self.operator, &News::Resumed);
                }
                session.resume(now);
            }
            Control::Faster | Control::Slower | Control::NormalSpeed => {
                self.change_speed(control, session, now);
            }
            Control::PenHigher | Control::PenLower => {
                if !self.runner.adjust(control, self.operator) {
                    return;
                }
                self.nudged = true;
                if !self.paused {
                    self.stop(Next::GoOn, session, now);
                }
            }
        }
    }

    fn hear(&mut self, now: Duration, event: &Event) {
        let origin = match event {
            Event::Accepted { statement } | Event::Completed { upto: statement } => {
                self.program.statements.get(*statement).and_then(|statement| statement.origin)
            }
            Event::Error { origin, .. } | Event::Alarm { origin, .. } => *origin,
            _ => None,
        };
        tell(self.operator, &News::Session { pass: self.index, event, origin });
        // A reset in the middle of a motion leads to an alarm.
        if !(self.runner.aborted && matches!(event, Event::Alarm { .. })) {
            self.runner.trouble = event.trouble().or(self.runner.trouble.take());
        }
        match event {
            Event::Connected { .. } => self.connected = now,
            Event::Completed { upto } => {
                let before = self.streamed.progress;
                self.streamed.progress = Progress::of(self.program, *upto, self.strokes);
                // A way home, or a test, draws nothing of the job.
                let is_of_job = self.program.statements.iter().any(|statement| statement.origin.is_some());
                if is_of_job && self.streamed.progress.stroke > before.stroke {
                    let place = Place { pass: self.index, stroke: self.streamed.progress.stroke };
                    tell(self.operator, &News::Drawn(place));
                }
            }
            Event::Status(status) => {
                self.offset = status.offset.unwrap_or(self.offset);
                let offset = self.offset;
                let place = status.work.or_else(|| {
                    status.machine.map(|at| [at[0] - offset[0], at[1] - offset[1], at[2] - offset[2]])
                });
                self.streamed.stands = place.map(|[x, y, _]| Point::new(x, y)).or(self.streamed.stands);
                if status.state == (State::Hold { complete: true }) && self.paused {
                    tell(self.operator, &News::Paused);
                }
            }
            // A refused line or an alarm ends the job, whatever was wished.
            Event::Error { .. } | Event::Alarm { .. } => self.streamed.next = Next::End,
            Event::Stopped => self.streamed.stopped = true,
            Event::Finished => self.streamed.finished = true,
            _ => {}
        }
    }
}
