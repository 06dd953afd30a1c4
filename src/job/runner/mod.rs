//! All passes of a job over one connection, with what a person wishes meanwhile.

mod streaming;
#[cfg(test)]
mod tests;

use std::time::Duration;

use self::streaming::{Streamed, Streaming};
use super::connection::Connection;
use super::height::{nudge, raise};
use super::log::tell;
use super::remainder::{Begin, Progress};
use super::{Control, Controls, Error, position};
use traceur_core::geometry::Polyline;
use traceur_core::machine::{Placement, Profile};
use traceur_core::toolpath::{Pass, Toolpath};
use traceur_protocol::{Event, Origin, Program};
use traceur_sim::MotionTrace;

/// Least and greatest speed that may be wished for; percent.
const SPEEDS: std::ops::RangeInclusive<u32> = 10..=200;

/// What is to be plotted.
#[derive(Debug, Clone, Copy)]
pub struct Work<'a> {
    /// All of it.
    pub toolpath: &'a Toolpath,
    /// The machine.
    pub profile: &'a Profile,
    /// Where the page lies on it.
    pub placement: &'a Placement,
    /// What is drawn already.
    pub from: Place,
    /// Length before `from` that is drawn again; mm.
    pub overlap: f64,
    /// A number, 1 to 255, by which a board that still knows this job's zero is known again.
    pub mark: Option<u8>,
    /// Before all else: an EiBotBoard goes back to where its counters are zero.
    pub returns: bool,
    /// The pen stays up.
    pub dry: bool,
}

/// A place in a toolpath: the first stroke that is not drawn.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, serde::Serialize, serde::Deserialize,
)]
pub struct Place {
    /// Index of the pass.
    pub pass: usize,
    /// Index of the stroke in its pass.
    pub stroke: usize,
}

/// What a runner tells.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum News<'a> {
    /// A pass begins, or goes on after a wish, with this stroke. Its pen is mounted.
    Pass {
        /// What is still to be drawn.
        from: Place,
    },
    /// What the session of this pass tells. For what is accepted, completed or refused, where in the drawing that is.
    Session {
        /// Index of the pass.
        pass: usize,
        /// What it tells.
        event: &'a Event,
        /// Of its statement.
        origin: Option<Origin>,
    },
    /// All strokes before this place are on the paper.
    Drawn(Place),
    /// The plotter rests, pen up, and waits for [`Control::Resume`].
    Paused,
    /// It goes on.
    Resumed,
    /// The rest of this stroke is left out.
    Skipped(Place),
    /// All of a pass is drawn, and the pen is at home.
    PassDone {
        /// Index of the pass.
        pass: usize,
    },
    /// The speed has changed; percent of the usual one.
    Speed(u32),
    /// The pen's height has changed: so many nudges up, negative down, since the job began.
    Height(i32),
    /// A wish that this machine can't fulfil.
    Unable(Control),
}

/// What somebody at the plotter answers when a pen is to be mounted.
#[derive(Debug, Clone, PartialEq)]
pub enum PenChange {
    /// It is in.
    Done,
    /// The job shall stop.
    Stop,
    /// Draw this with it, which is no part of the job; page mm.
    Test(Polyline),
    /// Change the pen's height or the speed.
    Adjust(Control),
}

/// Who is at the plotter.
pub trait Operator {
    /// Hears news, in order.
    fn hear(&mut self, news: &News<'_>);

    /// Mounts the pen of this pass, while the plotter rests at its home corner with the pen up. Asked again after a test or
    /// an adjustment.
    fn change_pen(&mut self, pass: usize) -> impl Future<Output = PenChange>;
}

/// How a job ended.
#[derive(Debug, Clone, PartialEq)]
pub struct JobOutcome {
    /// Whether all of it has been drawn, and if not, why.
    pub ending: Ending,
    /// All strokes before this place have been drawn.
    pub place: Place,
    /// In the plotter's time, without pen changes; s.
    pub seconds: f64,
    /// What the pen of a virtual plotter in this process did, a trace for each pass that was begun.
    pub traces: Vec<(usize, MotionTrace)>,
}

impl JobOutcome {
    /// Whether all of it has been drawn.
    #[must_use]
    pub fn finished(&self) -> bool {
        self.ending == Ending::Finished
    }
}

/// Why a job ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// All of it has been drawn.
    Finished,
    /// Somebody wanted it to end.
    Stopped,
    /// The plotter refused something, raised an alarm or failed: what it said and where, in a sentence.
    Failed(String),
}

/// Plots all passes over one connection. The plotter stands at home, or knows its place.
///
/// # Errors
/// When the connection ends. What the firmware complains of is news, and the outcome's [`Ending::Failed`].
#[tracing::instrument(name = "job", skip_all, fields(machine = %work.profile.id))]
pub async fn plot(
    work: &Work<'_>,
    connection: &mut Connection,
    controls: &mut Controls,
    operator: &mut impl Operator,
) -> Result<JobOutcome, Error> {
    let mut runner = Runner::new(work);
    let last = work.from.pass >= work.toolpath.passes.len();
    if work.returns && !last && !runner.home(work.from.pass, connection, controls, operator).await? {
        return Ok(runner.ended());
    }
    for index in work.from.pass..work.toolpath.passes.len() {
        let begun = connection.trace().map_or(0, |trace| trace.pieces.len());
        let end = runner.pass(index, connection, controls, operator).await;
        if let Some(trace) = connection.trace() {
            let pieces = trace.pieces[begun..].to_vec();
            runner.outcome.traces.push((index, MotionTrace { pieces, warnings: trace.warnings.clone() }));
        }
        if !end? {
            return Ok(runner.ended());
        }
    }
    runner.outcome.ending = Ending::Finished;
    Ok(runner.outcome)
}

/// Connects, and asks what must be known before anybody mounts a pen: whether it answers, whether its motors have power,
/// whether it holds paper. A machine with switches looks for them now. `None`: it can begin; else why not.
///
/// # Errors
/// As [`plot`].
#[tracing::instrument(skip_all, fields(machine = %work.profile.id))]
pub async fn check(
    work: &Work<'_>,
    connection: &mut Connection,
    controls: &mut Controls,
    operator: &mut impl Operator,
) -> Result<Option<Ending>, Error> {
    let mut runner = Runner::new(work);
    let nothing = Program::nothing(work.profile.firmware.dialect());
    let begin = Begin::at(work.from.stroke);
    let streamed = runner.stream(nothing, work.from.pass, &begin, connection, controls, operator).await?;
    Ok((!streamed.finished).then(|| runner.ended().ending))
}

struct Runner<'a> {
    work: Work<'a>,
    /// With the pen's height as it was nudged.
    profile: Profile,
    percent: u32,
    height: i32,
    /// It was told to end at once.
    aborted: bool,
    /// What the plotter complained of last.
    trouble: Option<String>,
    outcome: JobOutcome,
}

/// What follows when a session has stopped as it was asked to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    /// Nothing: the job ends.
    End,
    /// Go on from there.
    GoOn,
    /// Wait until it shall go on.
    Rest,
    /// Go on behind the stroke.
    Skip,
}

impl<'a> Runner<'a> {
    fn new(work: &Work<'a>) -> Self {
        let mut profile = work.profile.clone();
        if work.dry {
            raise(&mut profile);
        }
        Self {
            work: *work,
            profile,
            percent: 100,
            height: 0,
            aborted: false,
            trouble: None,
            outcome: JobOutcome {
                ending: Ending::Stopped,
                place: work.from,
                seconds: 0.0,
                traces: Vec::new(),
            },
        }
    }

    /// The outcome of a job that ends before its end.
    fn ended(self) -> JobOutcome {
        let ending = self.trouble.map_or(Ending::Stopped, Ending::Failed);
        JobOutcome { ending, ..self.outcome }
    }
}

impl Runner<'_> {
    /// Draws a pass. False if the job ended in it.
    #[tracing::instrument(skip_all, fields(number = index + 1, pen = ?self.work.toolpath.passes[index].pen.id))]
    async fn pass(
        &mut self,
        index: usize,
        connection: &mut Connection,
        controls: &mut Controls,
        operator: &mut impl Operator,
    ) -> Result<bool, Error> {
        let pass = &self.work.toolpath.passes[index];
        let first = if index == self.work.from.pass { self.work.from.stroke } else { 0 };
        let mut begin = Begin::at(first);
        if index == self.work.from.pass {
            begin = begin.overlapping(pass, self.work.overlap);
        }
        self.outcome.place = Place { pass: index, stroke: first };
        loop {
            match self.pen_is_in(index, controls, operator).await {
                PenChange::Done => break,
                PenChange::Stop => return Ok(false),
                PenChange::Adjust(control) => drop(self.adjust(control, operator)),
                PenChange::Test(line) => {
                    if !self.test(line, index, connection, controls, operator).await? {
                        return Ok(false);
                    }
                }
            }
        }
        loop {
            tell(operator, &News::Pass { from: Place { pass: index, stroke: begin.stroke } });
            let mut program = begin.encode(index, pass, &self.profile, self.work.placement);
            if self.work.dry {
                program.keep_pen_up();
            }
            let mut streamed = self.stream(program, index, &begin, connection, controls, operator).await?;
            self.outcome.place = Place { pass: index, stroke: streamed.progress.stroke };
            if streamed.finished {
                tell(operator, &News::PassDone { pass: index });
                if index + 1 == self.work.toolpath.passes.len() {
                    return Ok(true);
                }
                self.outcome.place = Place { pass: index + 1, stroke: 0 };
                // What was wished when all of the pass was on its way already.
                if streamed.next == Next::Rest {
                    tell(operator, &News::Paused);
                    streamed.next = self.rest(controls, operator).await;
                }
                return Ok(streamed.next != Next::End);
            }
            if !streamed.stopped {
                position::rescue(&self.work, connection).await;
                return Ok(false);
            }
            if streamed.next == Next::Rest {
                tell(operator, &News::Paused);
                streamed.next = self.rest(controls, operator).await;
            }
            let stands = streamed.stands.map(|place| self.work.placement.to_page(place));
            begin = match streamed.next {
                Next::End | Next::Rest => return Ok(false),
                Next::GoOn => Begin::of(streamed.progress, stands, pass),
                Next::Skip => {
                    let skipped = Place { pass: index, stroke: streamed.progress.stroke };
                    tell(operator, &News::Skipped(skipped));
                    Begin::at(streamed.progress.stroke + 1)
                }
            };
            if !self.home(index, connection, controls, operator).await? {
                return Ok(false);
            }
        }
    }

    /// Brings a board that is told of ways, not of places, to its zero. False if the job ended in it.
    async fn home(
        &mut self,
        index: usize,
        connection: &mut Connection,
        controls: &mut Controls,
        operator: &mut impl Operator,
    ) -> Result<bool, Error> {
        let pass = &self.work.toolpath.passes[index];
        let program = traceur_protocol::return_to_zero(&self.profile, self.work.placement, pass);
        let Some(program) = program else { return Ok(true) };
        let begin = Begin::at(self.outcome.place.stroke);
        Ok(self.stream(program, index, &begin, connection, controls, operator).await?.finished)
    }

    /// Asks for the pen; a stop meanwhile ends the job.
    async fn pen_is_in(
        &mut self,
        index: usize,
        controls: &mut Controls,
        operator: &mut impl Operator,
    ) -> PenChange {
        let mut changing = std::pin::pin!(operator.change_pen(index));
        loop {
            tokio::select! {
                biased;
                control = controls.next() => if matches!(control, Control::Stop | Control::Abort) {
                    return PenChange::Stop;
                },
                answer = &mut changing => return answer,
            }
        }
    }

    /// Draws a line that is no part of the job, and goes home. False if the job ended in it.
    async fn test(
        &mut self,
        line: Polyline,
        index: usize,
        connection: &mut Connection,
        controls: &mut Controls,
        operator: &mut impl Operator,
    ) -> Result<bool, Error> {
        let pass = Pass { pen: self.work.toolpath.passes[index].pen.clone(), strokes: vec![line] };
        let mut program = traceur_protocol::encode(index, &pass, &self.profile, self.work.placement);
        for statement in &mut program.statements {
            statement.origin = None;
        }
        let begin = Begin::at(self.outcome.place.stroke);
        Ok(self.stream(program, index, &begin, connection, controls, operator).await?.finished)
    }

    /// Streams a program to its end.
    async fn stream(
        &mut self,
        program: Program,
        index: usize,
        begin: &Begin,
        connection: &mut Connection,
        controls: &mut Controls,
        operator: &mut impl Operator,
    ) -> Result<Streamed, Error> {
        // A program that draws nothing leads no further.
        let draws = program.statements.iter().any(|statement| statement.origin.is_some());
        let strokes = if draws { self.work.toolpath.passes[index].strokes.len() } else { begin.stroke };
        let mut session = connection.session(program.clone(), &self.profile);
        if let Some(mark) = self.work.mark {
            session.set_mark(mark);
        }
        if self.percent != 100 {
            session.set_speed(Duration::ZERO, self.percent);
        }
        let mut streamed = Streamed {
            progress: Progress { stroke: begin.stroke, vertex: None },
            finished: false,
            stopped: false,
            next: Next::End,
            stands: None,
        };
        let mut handler = Streaming {
            runner: self,
            program: &program,
            index,
            strokes,
            streamed: &mut streamed,
            paused: false,
            stopping: false,
            offset: [0.0; 3],
            nudged: false,
            connected: Duration::ZERO,
            operator,
        };
        let time = connection.drive(session.as_mut(), controls, &mut handler).await?;
        let connected = handler.connected;
        let (paused, stopping) = (handler.paused, handler.stopping);
        if streamed.finished && !(stopping && streamed.next == Next::End) {
            streamed.next = if paused || streamed.next == Next::Rest { Next::Rest } else { Next::GoOn };
        }
        self.outcome.seconds += time.saturating_sub(connected).as_secs_f64();
        Ok(streamed)
    }

    /// Waits, the plotter resting with nothing to do, until it shall go on.
    async fn rest(&mut self, controls: &mut Controls, operator: &mut impl Operator) -> Next {
        loop {
            match controls.next().await {
                Control::Resume => {
                    tell(operator, &News::Resumed);
                    return Next::GoOn;
                }
                Control::Stop | Control::Abort => return Next::End,
                Control::Skip => {
                    tell(operator, &News::Resumed);
                    return Next::Skip;
                }
                Control::Pause => {}
                control => {
                    self.adjust(control, operator);
                }
            }
        }
    }

    /// Notes a wish about speed or height; true if anything changes.
    fn adjust(&mut self, control: Control, operator: &mut impl Operator) -> bool {
        let speed = match control {
            Control::Faster => self.percent + 10,
            Control::Slower => self.percent.saturating_sub(10),
            Control::NormalSpeed => 100,
            Control::PenHigher | Control::PenLower => {
                let by = if control == Control::PenHigher { 1 } else { -1 };
                if self.work.dry || !nudge(&mut self.profile, by) {
                    tell(operator, &News::Unable(control));
                    return false;
                }
                self.height += by;
                tell(operator, &News::Height(self.height));
                return true;
            }
            _ => return false,
        };
        let speed = speed.clamp(*SPEEDS.start(), *SPEEDS.end());
        let changed = speed != self.percent;
        self.percent = speed;
        changed
    }
}
