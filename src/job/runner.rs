//! All passes of a job over one connection, with what a person wishes meanwhile.

use std::time::Duration;

use super::connection::{Connection, Pilot};
use super::height::{nudge, raise};
use super::log::tell;
use super::remainder::{Begin, Progress};
use super::{Control, Controls, Error, stand};
use traceur_core::geometry::{Point, Polyline};
use traceur_core::machine::{Dialect, Placement, Profile};
use traceur_core::toolpath::{Pass, Toolpath};
use traceur_protocol::{Event, Origin, Program, Session, State};
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
    /// Whether all of it has been drawn. If not, the news told why.
    pub finished: bool,
    /// All strokes before this place have been drawn.
    pub place: Place,
    /// In the plotter's time, without pen changes; s.
    pub seconds: f64,
    /// What the pen of a virtual plotter in this process did, a trace for each pass that was begun.
    pub traces: Vec<(usize, MotionTrace)>,
}

/// Plots all passes over one connection. The plotter stands at home, or knows its place.
///
/// # Errors
/// When the connection ends. Firmware trouble is news and `finished: false`.
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
        return Ok(runner.outcome);
    }
    for index in work.from.pass..work.toolpath.passes.len() {
        let begun = connection.trace().map_or(0, |trace| trace.pieces.len());
        let end = runner.pass(index, connection, controls, operator).await;
        if let Some(trace) = connection.trace() {
            let pieces = trace.pieces[begun..].to_vec();
            runner.outcome.traces.push((index, MotionTrace { pieces, warnings: trace.warnings.clone() }));
        }
        if !end? {
            return Ok(runner.outcome);
        }
    }
    runner.outcome.finished = true;
    Ok(runner.outcome)
}

/// Connects, and asks what must be known before anybody mounts a pen: whether it answers, whether its motors have power,
/// whether it holds paper. A machine with switches looks for them now. False if it can't begin: the news told why.
///
/// # Errors
/// As [`plot`].
#[tracing::instrument(skip_all, fields(machine = %work.profile.id))]
pub async fn check(
    work: &Work<'_>,
    connection: &mut Connection,
    controls: &mut Controls,
    operator: &mut impl Operator,
) -> Result<bool, Error> {
    let mut runner = Runner::new(work);
    let nothing = Program::nothing(work.profile.firmware.dialect());
    let begin = Begin::at(work.from.stroke);
    let flight = runner.fly(nothing, work.from.pass, &begin, connection, controls, operator).await?;
    Ok(flight.finished)
}

struct Runner<'a> {
    work: Work<'a>,
    /// With the pen's height as it was nudged.
    profile: Profile,
    percent: u32,
    height: i32,
    outcome: JobOutcome,
}

/// What follows when a session has stopped as it was asked to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
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
            outcome: JobOutcome { finished: false, place: work.from, seconds: 0.0, traces: Vec::new() },
        }
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
            let mut flight = self.fly(program, index, &begin, connection, controls, operator).await?;
            self.outcome.place = Place { pass: index, stroke: flight.progress.stroke };
            if flight.finished {
                tell(operator, &News::PassDone { pass: index });
                if index + 1 == self.work.toolpath.passes.len() {
                    return Ok(true);
                }
                self.outcome.place = Place { pass: index + 1, stroke: 0 };
                // What was wished when all of the pass was on its way already.
                if flight.then == Then::Rest {
                    tell(operator, &News::Paused);
                    flight.then = self.rest(controls, operator).await;
                }
                return Ok(flight.then != Then::End);
            }
            if !flight.stopped {
                stand::rescue(&self.work, connection).await;
                return Ok(false);
            }
            if flight.then == Then::Rest {
                tell(operator, &News::Paused);
                flight.then = self.rest(controls, operator).await;
            }
            let stands = flight.stands.map(|place| self.work.placement.to_page(place));
            begin = match flight.then {
                Then::End | Then::Rest => return Ok(false),
                Then::GoOn => Begin::of(flight.progress, stands, pass),
                Then::Skip => {
                    let skipped = Place { pass: index, stroke: flight.progress.stroke };
                    tell(operator, &News::Skipped(skipped));
                    Begin::at(flight.progress.stroke + 1)
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
        Ok(self.fly(program, index, &begin, connection, controls, operator).await?.finished)
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
        Ok(self.fly(program, index, &begin, connection, controls, operator).await?.finished)
    }

    /// Streams a program to its end.
    async fn fly(
        &mut self,
        program: Program,
        index: usize,
        begin: &Begin,
        connection: &mut Connection,
        controls: &mut Controls,
        operator: &mut impl Operator,
    ) -> Result<Flight, Error> {
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
        let mut flight = Flight {
            progress: Progress { stroke: begin.stroke, vertex: None },
            finished: false,
            stopped: false,
            then: Then::End,
            stands: None,
        };
        let mut pilot = Flying {
            runner: self,
            program: &program,
            index,
            strokes,
            flight: &mut flight,
            paused: false,
            stopping: false,
            offset: [0.0; 3],
            nudged: false,
            connected: Duration::ZERO,
            operator,
        };
        let time = connection.drive(session.as_mut(), controls, &mut pilot).await?;
        let connected = pilot.connected;
        let (paused, stopping) = (pilot.paused, pilot.stopping);
        if flight.finished && !(stopping && flight.then == Then::End) {
            flight.then = if paused || flight.then == Then::Rest { Then::Rest } else { Then::GoOn };
        }
        self.outcome.seconds += time.saturating_sub(connected).as_secs_f64();
        Ok(flight)
    }

    /// Waits, the plotter resting with nothing to do, until it shall go on.
    async fn rest(&mut self, controls: &mut Controls, operator: &mut impl Operator) -> Then {
        loop {
            match controls.next().await {
                Control::Resume => {
                    tell(operator, &News::Resumed);
                    return Then::GoOn;
                }
                Control::Stop | Control::Abort => return Then::End,
                Control::Skip => {
                    tell(operator, &News::Resumed);
                    return Then::Skip;
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

/// How a program ended.
#[derive(Debug)]
struct Flight {
    progress: Progress,
    finished: bool,
    stopped: bool,
    then: Then,
    /// Where the pen stands; machine mm from the job's zero.
    stands: Option<Point>,
}

/// A program under way.
struct Flying<'a, 'b, O> {
    runner: &'a mut Runner<'b>,
    program: &'a Program,
    index: usize,
    strokes: usize,
    flight: &'a mut Flight,
    paused: bool,
    stopping: bool,
    /// Work position is machine position less this; mm.
    offset: [f64; 3],
    /// The pen's height has changed in the pause.
    nudged: bool,
    connected: Duration,
    operator: &'a mut O,
}

impl<O: Operator> Flying<'_, '_, O> {
    /// Stops the session. An end stays an end, and a change of height is heeded by whatever follows.
    fn stop(&mut self, then: Then, session: &mut dyn Session, now: Duration) {
        let keeps = self.flight.then == Then::End || then == Then::GoOn;
        if !(std::mem::replace(&mut self.stopping, true) && keeps) {
            self.flight.then = then;
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

impl<O: Operator> Pilot for Flying<'_, '_, O> {
    fn wish(&mut self, control: Control, session: &mut dyn Session, now: Duration) {
        // `!` would leave GRBL's pen on the paper, and nothing lifts it in a hold.
        let holds_on_paper = self.program.dialect == Dialect::Grbl;
        match control {
            Control::Stop => self.stop(Then::End, session, now),
            Control::Abort => {
                (self.stopping, self.flight.then) = (true, Then::End);
                session.abort(now);
            }
            Control::Skip => self.stop(Then::Skip, session, now),
            Control::Pause if holds_on_paper => self.stop(Then::Rest, session, now),
            Control::Pause => {
                self.paused = true;
                session.pause(now);
            }
            // What has changed in the pause needs another program.
            Control::Resume if self.nudged && self.paused => {
                self.paused = false;
                tell(self.operator, &News::Resumed);
                self.stop(Then::GoOn, session, now);
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
                    self.stop(Then::GoOn, session, now);
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
        match event {
            Event::Connected { .. } => self.connected = now,
            Event::Completed { upto } => {
                let before = self.flight.progress;
                self.flight.progress = Progress::of(self.program, *upto, self.strokes);
                // A way home, or a test, draws nothing of the job.
                let is_of_job = self.program.statements.iter().any(|statement| statement.origin.is_some());
                if is_of_job && self.flight.progress.stroke > before.stroke {
                    let place = Place { pass: self.index, stroke: self.flight.progress.stroke };
                    tell(self.operator, &News::Drawn(place));
                }
            }
            Event::Status(status) => {
                self.offset = status.offset.unwrap_or(self.offset);
                let offset = self.offset;
                let place = status.work.or_else(|| {
                    status.machine.map(|at| [at[0] - offset[0], at[1] - offset[1], at[2] - offset[2]])
                });
                self.flight.stands = place.map(|[x, y, _]| Point::new(x, y)).or(self.flight.stands);
                if status.state == (State::Hold { complete: true }) && self.paused {
                    tell(self.operator, &News::Paused);
                }
            }
            // A refused line or an alarm ends the job, whatever was wished.
            Event::Error { .. } | Event::Alarm { .. } => self.flight.then = Then::End,
            Event::Stopped => self.flight.stopped = true,
            Event::Finished => self.flight.finished = true,
            _ => {}
        }
    }
}
