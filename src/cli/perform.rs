//! Carries out a job: its journal, its plotter, and who is at it. What `plot` and `resume` share.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use indicatif::ProgressBar;
use serde_json::json;

use super::interrupt::{self, Interrupt};
use super::live::{Live, LiveArgs, Subject};
use super::terminal::plain;
use super::{Failure, Terminal};
use traceur_app::catalog::folders;
use traceur_app::odometer::{self, Meter};
use traceur_app::timetable::Timetable;
use traceur_core::machine::{Dialect, Placement, Profile};
use traceur_core::toolpath::Toolpath;
use traceur_job::journal::{Entry, Journal};
use traceur_job::{
    self, About, Case, Connection, Control, Controls, Ending, JobOutcome, Memory, News, Operator, PenChange,
    Place, Port, Position, Store, Stored, Work,
};

/// The folder of jobs.
pub(super) fn store() -> Result<Store, Failure> {
    let none = || Failure::Input("no home folder: set XDG_STATE_HOME, or plot with --no-journal".into());
    folders::jobs().map(Store::new).ok_or_else(none)
}

/// A job that can go on after anything, and its journal.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) stored: Stored,
    pub(super) journal: Journal,
}

impl Kept {
    /// A new job in the folder of jobs. Nothing has moved yet: without it, nothing will.
    pub(super) fn new(drawing: &str, machine: &str, task: &Task<'_>, seconds: f64) -> Result<Self, Failure> {
        let about = About::new(drawing, task.profile, task.port_name, seconds, task.dry);
        let case = Case { about, toolpath: Toolpath::clone(task.toolpath), machine: machine.to_owned() };
        let kept = || -> Result<Self, traceur_app::Error> {
            let store = store().map_err(|failure| traceur_job::StoreError::Io {
                path: "the state folder".into(),
                reason: failure.to_string(),
            })?;
            let stored = store.add(&case)?;
            let (journal, _) = Journal::open(&stored.journal()).map_err(traceur_job::StoreError::from)?;
            Ok(Self { stored, journal })
        };
        kept().map_err(|error| {
            Failure::Input(format!(
                "the job's journal can't be kept: {error}; make room there, set XDG_STATE_HOME to another folder, or plot with \
                 --no-journal: then a job that stops can't be resumed"
            ))
        })
    }
}

/// One job, or what is left of it.
pub(super) struct Task<'a> {
    pub(super) toolpath: &'a Arc<Toolpath>,
    pub(super) profile: &'a Profile,
    pub(super) placement: &'a Placement,
    pub(super) timetable: &'a Arc<Timetable>,
    pub(super) port: &'a Port,
    /// As it was written.
    pub(super) port_name: &'a str,
    pub(super) from: Place,
    /// mm.
    pub(super) overlap: f64,
    pub(super) dry: bool,
    /// The drawing, for people.
    pub(super) title: &'a str,
    /// Whether the pens' odometer counts it.
    pub(super) counts: bool,
    /// The drawing came from stdin.
    pub(super) reads_stdin: bool,
    /// Of a job that goes on.
    pub(super) memory: Option<Memory>,
}

impl Task<'_> {
    fn work(&self, kept: Option<&Kept>) -> Work<'_> {
        Work {
            toolpath: self.toolpath,
            profile: self.profile,
            placement: self.placement,
            from: self.from,
            overlap: self.overlap,
            mark: kept.map(|kept| kept.stored.mark()),
            returns: self.memory.is_some_and(|memory| !memory.home && !memory.zeroed),
            dry: self.dry,
        }
    }

    fn subject(&self) -> Subject<'_> {
        Subject {
            title: self.title.to_owned(),
            toolpath: self.toolpath,
            profile: self.profile,
            placement: self.placement,
            timetable: self.timetable,
            port: self.port_name,
            is_real: !matches!(self.port, Port::Sim { .. }),
            pace: if let Port::Sim { pace } = self.port { *pace } else { Some(1.0) },
            reads_stdin: self.reads_stdin,
        }
    }
}

/// A plotter that stays connected from job to job.
#[derive(Debug)]
pub(super) struct Plotter {
    runtime: tokio::runtime::Runtime,
    connection: Option<Connection>,
}

impl Plotter {
    pub(super) fn new() -> Result<Self, Failure> {
        Ok(Self { runtime: traceur_job::runtime()?, connection: None })
    }

    /// Plots, shows it, and writes down what is on the paper. Gives the live view, which has not heard of the end yet.
    pub(super) fn plot(
        &mut self,
        task: &Task<'_>,
        kept: Option<&mut Kept>,
        args: &LiveArgs,
        terminal: &Terminal,
    ) -> Result<(JobOutcome, Live), Failure> {
        let (remote, mut controls) = Controls::channel();
        let live = Live::new(args, &task.subject(), remote, terminal)?;
        let odometer = if task.counts { odometer::open()? } else { None };
        let meter = Meter::new(odometer, Arc::clone(task.toolpath), task.title);
        let id = kept.as_ref().map(|kept| kept.stored.id.clone());
        let hint = id.map_or(String::new(), |id| format!("; `traceur resume {id}` goes on"));
        let work = task.work(kept.as_deref());
        let mut recorder = Recorder { kept, live, meter, terminal: *terminal, tells: true, place: task.from };
        if let Some(kept) = &recorder.kept {
            recorder.live.event(json!({ "event": "job", "job": kept.stored.id }));
        }
        recorder.write(Entry::Begin { from: task.from, port: task.port_name.to_owned() });
        let signals = self.runtime.spawn(recorder.live.signals());
        // Whoever else listened before, such as the planner, would let Ctrl-C end the process.
        let interrupt = Interrupt::listen();
        let outcome = self.runtime.block_on(async {
            let connection = connect(&mut self.connection, task).await?;
            if let Some(memory) = task.memory
                && let Position::Lost(why) = traceur_job::verify_position(&work, connection, memory).await?
            {
                return Err(traceur_job::Error::Lost(why));
            }
            if let Some(ending) = traceur_job::check(&work, connection, &mut controls, &mut recorder).await? {
                return Ok(Err(ending));
            }
            recorder.live.checked();
            Ok(Ok(traceur_job::plot(&work, connection, &mut controls, &mut recorder).await?))
        });
        signals.abort();
        let flushed = recorder.meter.flush();
        recorder.counted(flushed);
        // Whoever read our events may be gone: the journal comes first.
        let closed = recorder.live.close();
        let ended = |recorder: &mut Recorder<'_>, why: Result<Ending, traceur_job::Error>, place: Place| {
            recorder.write(match &why {
                Ok(Ending::Finished | Ending::Stopped) => Entry::Stopped,
                Ok(Ending::Failed(why)) => Entry::Failed { why: why.clone() },
                Err(error) => Entry::Failed { why: error.to_string() },
            });
            recorder.live.ended(why, place.pass, place.stroke, &hint)
        };
        match outcome {
            Ok(Ok(outcome)) if outcome.finished() => {
                recorder.write(Entry::Done);
                closed?;
                Ok((outcome, recorder.live))
            }
            Ok(stopped) => {
                // Whoever goes on pressing Ctrl-C until the process ends has been heard already.
                std::mem::forget(interrupt);
                let (ending, place) = match stopped {
                    Ok(outcome) => (outcome.ending, outcome.place),
                    Err(ending) => (ending, task.from),
                };
                Err(ended(&mut recorder, Ok(ending), place))
            }
            Err(error @ traceur_job::Error::Lost(_)) => {
                recorder.write(Entry::Failed { why: error.to_string() });
                Err(error.into())
            }
            Err(error) => {
                // What is left of the connection is of no use.
                self.connection = None;
                let place = recorder.place.max(task.from);
                Err(ended(&mut recorder, Err(error), place))
            }
        }
    }

    /// Goes along a toolpath with the pen up; nobody watches.
    pub(super) fn trace(&mut self, task: &Task<'_>) -> Result<(), Failure> {
        let work = Work { dry: true, ..task.work(None) };
        if self.alone(task, &work, &mut Controls::none(), &mut Nobody)?.finished() {
            return Ok(());
        }
        Err(Failure::Device("the plotter did not go around the drawing".into()))
    }

    /// Plots what needs no journal and asks for nothing.
    fn alone(
        &mut self,
        task: &Task<'_>,
        work: &Work<'_>,
        controls: &mut Controls,
        operator: &mut impl Operator,
    ) -> Result<JobOutcome, traceur_job::Error> {
        let Self { runtime, connection } = self;
        runtime.block_on(async {
            traceur_job::plot(work, connect(connection, task).await?, controls, operator).await
        })
    }

    /// The threads of a serial port end with their port; they are not waited for.
    pub(super) fn close(self) {
        let Self { runtime, connection } = self;
        drop(connection);
        runtime.shutdown_timeout(Duration::from_millis(100));
    }
}

/// The plotter of a task: the one that is connected already, or its port is opened now.
async fn connect<'a>(
    connection: &'a mut Option<Connection>,
    task: &Task<'_>,
) -> Result<&'a mut Connection, traceur_job::Error> {
    Ok(match connection {
        Some(open) => open,
        none => none.insert(Connection::open(task.port, task.profile).await?),
    })
}

/// Plots on a virtual plotter of this process before any other does. Ctrl-C stops it.
pub(super) fn simulate(task: &Task<'_>, terminal: &Terminal) -> Result<JobOutcome, Failure> {
    let (remote, mut controls) = Controls::channel();
    let mut plotter = Plotter::new()?;
    plotter.runtime.spawn(async move {
        interrupt::asked_to_end().await;
        remote.send(Control::Stop);
    });
    let _interrupt = Interrupt::listen();
    let mut watcher = Watcher::new(task.toolpath, terminal);
    let outcome = plotter.alone(task, &task.work(None), &mut controls, &mut watcher);
    plotter.close();
    watcher.bar.finish_and_clear();
    let outcome = outcome?;
    match &outcome.ending {
        Ending::Finished => Ok(outcome),
        Ending::Failed(why) => Err(Failure::Device(why.clone())),
        Ending::Stopped => {
            let pen = task.toolpath.passes.get(outcome.place.pass).map_or("", |pass| &pass.pen.name);
            Err(Failure::Stopped(format!("stopped while {pen} was drawing")))
        }
    }
}

/// Who shows how far a virtual plotter has come, and no more.
struct Watcher<'a> {
    toolpath: &'a Toolpath,
    bar: ProgressBar,
}

impl<'a> Watcher<'a> {
    fn new(toolpath: &'a Toolpath, terminal: &Terminal) -> Self {
        let strokes: usize = toolpath.passes.iter().map(|pass| pass.strokes.len()).sum();
        Self { toolpath, bar: terminal.progress("plot", strokes as u64) }
    }
}

impl Operator for Watcher<'_> {
    fn hear(&mut self, news: &News<'_>) {
        match *news {
            News::Pass { from } => self.bar.set_message(plain(&self.toolpath.passes[from.pass].pen.name)),
            News::Drawn(place) => {
                let before = self.toolpath.passes.iter().take(place.pass).map(|pass| pass.strokes.len());
                self.bar.set_position((before.sum::<usize>() + place.stroke) as u64);
            }
            _ => {}
        }
    }

    async fn change_pen(&mut self, _: usize) -> PenChange {
        PenChange::Done
    }
}

/// The pen stays up, whatever it is.
struct Nobody;

impl Operator for Nobody {
    fn hear(&mut self, _: &News<'_>) {}

    async fn change_pen(&mut self, _: usize) -> PenChange {
        PenChange::Done
    }
}

/// Who hears of a plot: first of all its journal.
struct Recorder<'a> {
    kept: Option<&'a mut Kept>,
    live: Live,
    meter: Meter,
    terminal: Terminal,
    /// The next trouble with the journal is worth a word.
    tells: bool,
    /// What lies before it is drawn.
    place: Place,
}

impl Recorder<'_> {
    /// An odometer that can't be written is told of and stops no plot.
    fn counted(&self, counted: Result<(), traceur_job::OdometerError>) {
        if let Err(error) = counted {
            self.terminal.warn(format!("what the pens draw is not counted: {error}"));
        }
    }

    /// A full disk is no reason to leave a stroke half drawn: the ink can't be taken back, a journal that ends early costs
    /// strokes that are drawn twice after a stop.
    fn write(&mut self, entry: Entry) {
        let Some(kept) = &mut self.kept else { return };
        if let Err(error) = kept.journal.write(entry)
            && std::mem::take(&mut self.tells)
        {
            self.terminal.warn(format!(
                "{error}: plotting goes on, but what is drawn now is not written down; if the job stops, look at the paper and \
                 say `traceur resume {} --from-stroke N`",
                kept.stored.id
            ));
        }
    }
}

impl Operator for Recorder<'_> {
    fn hear(&mut self, news: &News<'_>) {
        match *news {
            News::Pass { .. } => self.write(Entry::Moving),
            News::Drawn(place) => {
                self.place = place;
                self.write(Entry::Drawn(place));
            }
            News::Skipped(place) => {
                self.write(Entry::Drawn(Place { stroke: place.stroke + 1, ..place }));
            }
            News::PassDone { pass } => self.write(Entry::PassDone { pass }),
            _ => {}
        }
        let heard = self.meter.hear(news);
        self.counted(heard);
        self.live.hear(news);
    }

    async fn change_pen(&mut self, pass: usize) -> PenChange {
        self.live.change_pen(pass).await
    }
}

/// What to do when nobody knows where the pen is.
pub(super) fn how_to_zero(profile: &Profile) -> &'static str {
    match profile.firmware.dialect() {
        Dialect::Grbl => {
            "move the pen by hand to the job's zero, where the page's corner lies at the machine's origin"
        }
        Dialect::Ebb => "push the carriage by hand to its home corner; its motors are off now",
        Dialect::Hpgl => "switch the plotter off and on again",
    }
}

/// A job's folder may be named for people.
pub(super) fn title(name: &str) -> String {
    PathBuf::from(name)
        .file_stem()
        .map_or_else(|| name.to_owned(), |stem| stem.to_string_lossy().into_owned())
}
