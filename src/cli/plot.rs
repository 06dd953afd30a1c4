//! `traceur plot`: streams a drawing, pen by pen.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::input::InputArgs;
use super::interrupt::Interrupt;
use super::live::{Live, LiveArgs, Subject};
use super::odometer::{self, Meter};
use super::pipeline::{self, Report, rounded};
use super::terminal::clock;
use super::{Failure, Terminal};
use crate::generator::Picture;
use crate::geometry::Polyline;
use crate::job::{
    self, Connection, Control, Controls, News, Operator, Outcome, PenChange, Place, Port, Work,
};
use crate::machine::{Placement, Profile};
use crate::pens::Pen;
use crate::protocol::{Event, Program};

/// Plot a drawing or a saved plan.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  traceur plot drawing.svg --port sim
  traceur plot poster.svg --tile 2x2 --sheet 3 --port sim
  traceur plot drawing.svg -p my-pens.toml -m grbl-servo --port /dev/ttyUSB0
  traceur plot drawing.svg -m axidraw-v3 --port auto --on-event 'notify-send \"$TRACEUR_EVENT $TRACEUR_NAME\"'
  traceur plot plan.json -m grbl-z --port sim@20 --json

Keys of the live view: space pauses (pen up) and goes on; s skips a stroke; + - 0 change the speed where the machine can;
u d move the pen's height in a pause; q or Ctrl-C stops, Ctrl-C again ends at once.

Events of --json, one object a line, and of --on-event: checked, connected, pen_change (pen, name, color, tip_mm, how),
waiting (an open pen waits for so many seconds), pass, progress (percent, seconds_left), paused, resumed, skipped, speed,
completed (what is on the paper), pass_done, error, alarm, fault, stopped, done.")]
pub(super) struct Args {
    #[command(flatten)]
    input: InputArgs,
    /// A serial device, `sim` (the virtual plotter, as fast as it can) or `sim@20` (20 times real time).
    #[arg(long)]
    port: String,
    #[command(flatten)]
    live: LiveArgs,
    /// Count what the virtual plotter draws on the pens' odometer too.
    #[arg(long)]
    count_sim: bool,
}

pub(super) fn run(args: &Args, terminal: &Terminal) -> Result<(), Failure> {
    let port = Port::parse(&args.port)?;
    port.check().map_err(|error| Failure::Device(error.to_string()))?;
    let profile = args.input.profile()?;
    let input = args.input.read(terminal)?;
    let planned = pipeline::plan_input(&input, &args.input.wishes(), &profile, terminal)?;
    args.input.lint.tell(&planned.report.lint, terminal)?;
    // Virtual ink uses up no pen.
    let is_counted = args.count_sim || !matches!(port, Port::Sim { .. });
    let odometer = if is_counted { odometer::open()? } else { None };
    let wanted = pipeline::viewed(&args.input.name(), &input)?;
    let toolpath = Arc::new(planned.toolpath);
    let page = &toolpath.page;
    let placement = Placement::of_page(&profile, page.width, page.height)?;
    let (remote, mut controls) = Controls::channel();
    let subject = Subject {
        title: args.input.name(),
        toolpath: &toolpath,
        profile: &profile,
        placement: &placement,
        port: &args.port,
        is_real: !matches!(port, Port::Sim { .. }),
        pace: if let Port::Sim { pace } = port { pace } else { Some(1.0) },
        reads_stdin: super::files::is_dash(&args.input.input),
    };
    let Report { strokes, draw_mm, seconds, .. } = &planned.report;
    terminal.say(format!("{strokes} strokes, {:.2} m, about {}", draw_mm / 1000.0, clock(*seconds)));
    let live = Live::new(&args.live, &subject, remote, terminal)?;
    let meter = Meter::new(odometer, Arc::clone(&toolpath), &subject.title, *terminal);
    let mut desk = Desk { live, meter };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::Device(format!("the job can't be started: {error}")))?;
    let work = Work {
        toolpath: &toolpath,
        profile: &profile,
        placement: &placement,
        from: Place::default(),
        overlap: 0.0,
    };
    runtime.spawn(desk.live.signals());
    let outcome = runtime.block_on(async {
        let mut connection = Connection::open(&port, &profile).await?;
        if !job::check(&work, &mut connection, &mut controls, &mut desk).await? {
            return Ok(None);
        }
        desk.live.checked();
        job::plot(&work, &mut connection, &mut controls, &mut desk).await.map(Some)
    });
    runtime.shutdown_timeout(Duration::from_millis(100));
    let Desk { mut live, mut meter } = desk;
    meter.flush();
    live.close()?;
    let outcome = outcome.map_err(|error| live.ended(Some(error.to_string()), 0, 0, ""))?;
    let outcome = match outcome {
        Some(outcome) if outcome.finished => outcome,
        other => {
            let place = other.map_or(work.from, |outcome| outcome.place);
            return Err(live.ended(None, place.pass, place.stroke, ""));
        }
    };
    let marks = outcome
        .traces
        .iter()
        .map(|(pass, trace)| (toolpath.passes[*pass].pen.clone(), pipeline::marks(trace, &placement)));
    let passes: Vec<(Pen, Vec<Polyline>)> = marks.collect();
    let seconds = outcome.seconds;
    let done = done(&toolpath.page, &passes, wanted.as_ref(), seconds, terminal)?;
    live.event(done);
    live.finish();
    let (count, metres) = (toolpath.passes.len(), planned.report.draw_mm / 1000.0);
    let passes = if count == 1 { "1 pass".into() } else { format!("{count} passes") };
    terminal.say(format!("done: {passes}, {metres:.2} m in {}", clock(seconds)));
    Ok(())
}

/// Who hears of a plot.
struct Desk {
    live: Live,
    meter: Meter,
}

impl Operator for Desk {
    fn hear(&mut self, news: &News<'_>) {
        self.meter.hear(news);
        self.live.hear(news);
    }

    async fn change_pen(&mut self, pass: usize) -> PenChange {
        self.live.change_pen(pass).await
    }
}

/// The last event. A virtual plotter also knows what it drew, and how near that is to the drawing.
fn done(
    page: &crate::drawing::Page,
    passes: &[(Pen, Vec<Polyline>)],
    wanted: Option<&Picture>,
    seconds: f64,
    terminal: &Terminal,
) -> Result<serde_json::Value, Failure> {
    let mut done = json!({ "event": "done", "seconds": rounded(seconds) });
    if passes.is_empty() {
        return Ok(done);
    }
    let inked = pipeline::ink(page, passes, pipeline::GAP_DPI, terminal);
    done["draw_mm"] = rounded(inked.draw_mm).into();
    done["off_page_mm"] = rounded(inked.off_page_mm).into();
    if let Some(wanted) = wanted {
        done["gap"] = json!(inked.gap(wanted, page)?);
    }
    Ok(done)
}

/// Streams one pass, and says how it ended. `tell` hears of each event.
pub(super) fn stream(
    program: &Program,
    profile: &Profile,
    port: &Port,
    name: &str,
    terminal: &Terminal,
    mut tell: impl FnMut(&Event) -> Result<(), Failure>,
) -> Result<Outcome, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::Device(format!("the job can't be started: {error}")))?;
    let bar = terminal.progress("plot", program.statements.len() as u64);
    bar.set_message(name.to_owned());
    let mut trouble = None;
    let mut closed = Ok(());
    let on_event = |event: &Event| {
        note(event, &bar, &mut trouble);
        if closed.is_ok() {
            closed = tell(event);
        }
    };
    let (remote, mut controls) = Controls::channel();
    runtime.spawn(async move {
        // Without a handler, Ctrl-C ends the process, as it always does.
        if tokio::signal::ctrl_c().await.is_ok() {
            remote.send(Control::Stop);
        }
    });
    let _interrupt = Interrupt::listen();
    let outcome = runtime.block_on(job::run(program.clone(), profile, port, &mut controls, on_event));
    // The threads of a serial port end with their port; they are not waited for.
    runtime.shutdown_timeout(Duration::from_millis(100));
    bar.finish_and_clear();
    closed?;
    let outcome = outcome.map_err(|error| Failure::Device(error.to_string()))?;
    match (outcome.finished, trouble) {
        (true, _) => Ok(outcome),
        (false, Some(trouble)) => Err(Failure::Device(trouble)),
        (false, None) => Err(Failure::Stopped(format!("stopped while {name} was drawing"))),
    }
}

fn note(event: &Event, bar: &indicatif::ProgressBar, trouble: &mut Option<String>) {
    let place = |origin: &Option<crate::protocol::Origin>| {
        origin.map_or(String::new(), |at| format!(" at stroke {} of pass {}", at.stroke + 1, at.pass + 1))
    };
    match event {
        Event::Accepted { statement } => bar.set_position(*statement as u64 + 1),
        Event::Error { reply, meaning, line, origin, .. } => {
            *trouble = Some(format!("the plotter answered {reply} to `{line}`{}: {meaning}", place(origin)));
        }
        Event::Alarm { reply, meaning, origin, .. } => {
            *trouble = Some(format!("the plotter gave {reply}{}: {meaning}", place(origin)));
        }
        Event::Fault(fault) => *trouble = Some(fault.to_string()),
        other => tracing::debug!(?other, "event"),
    }
}
