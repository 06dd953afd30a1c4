//! `traceur plot`: streams a drawing, pen by pen.

use std::time::Duration;

use serde_json::json;

use super::input::InputArgs;
use super::interrupt::Interrupt;
use super::odometer::{self, Meter};
use super::pipeline::{self, rounded};
use super::terminal::clock;
use super::{Failure, Terminal};
use crate::generator::Picture;
use crate::geometry::Polyline;
use crate::job::{self, Control, Controls, Odometer, Outcome, Port};
use crate::machine::{Placement, Profile};
use crate::pens::Pen;
use crate::protocol::{Event, Program};
use crate::sim::MotionTrace;

/// Plot a drawing or a saved plan.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  traceur plot drawing.svg --port sim
  traceur plot poster.svg --tile 2x2 --sheet 3 --port sim
  traceur plot drawing.svg -p my-pens.toml -m grbl-servo --port /dev/ttyUSB0
  traceur plot plan.json -m grbl-z --port sim@20 --json")]
pub(super) struct Args {
    #[command(flatten)]
    input: InputArgs,
    /// A serial device, `sim` (the virtual plotter, as fast as it can) or `sim@20` (20 times real time).
    #[arg(long)]
    port: String,
    /// Ask nothing: the pens change themselves.
    #[arg(short, long)]
    yes: bool,
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
    let mut odometer = if is_counted { odometer::open()? } else { None };
    let job = args.input.name();
    let wanted = pipeline::viewed(&args.input.name(), &input)?;
    let ask = !args.yes && matches!(port, Port::Serial(_));
    let mut passes: Vec<(Pen, Vec<Polyline>)> = Vec::new();
    let mut seconds = 0.0;
    let count = planned.programs.len();
    for (index, (program, pass)) in planned.programs.iter().zip(&planned.toolpath.passes).enumerate() {
        let name = &pass.pen.name;
        let is_refill = index > 0 && planned.toolpath.passes[index - 1].pen.id == pass.pen.id;
        let what = if is_refill { "refill" } else { "mount" };
        terminal.event(&json!({ "event": "pass", "pass": index + 1, "of": count, "pen": &pass.pen.id }))?;
        if ask
            && !terminal
                .wait_for_enter(&format!("pass {} of {count}: {what} {name}, then press Enter", index + 1))
        {
            return Err(Failure::Stopped(format!("stopped before {name}: plot again when it is mounted")));
        }
        let mut meter = Meter::new(odometer.as_mut(), pass, &job);
        let outcome = stream(program, &profile, &port, name, terminal, |event| {
            meter.hear(event, program, terminal);
            tell(event, terminal)
        });
        if let Some(Err(error)) = odometer.as_mut().map(Odometer::flush) {
            terminal.warn(format!("what the pens draw is not counted: {error}"));
        }
        let outcome = outcome?;
        seconds += outcome.trace.as_ref().map_or(outcome.seconds, MotionTrace::seconds);
        if let Some(trace) = &outcome.trace {
            let page = &planned.toolpath.page;
            let placement = Placement::of_page(&profile, page.width, page.height)?;
            passes.push((pass.pen.clone(), pipeline::marks(trace, &placement)));
        }
    }
    let done = done(&planned.toolpath.page, &passes, wanted.as_ref(), seconds, terminal)?;
    terminal.event(&done)?;
    terminal.say(format!("done: {count} passes in {}", clock(seconds)));
    Ok(())
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

/// The events that scripts want, one JSON line each.
fn tell(event: &Event, terminal: &Terminal) -> Result<(), Failure> {
    let value = match event {
        Event::Connected { banner } => json!({ "event": "connected", "banner": banner }),
        Event::Completed { upto } => json!({ "event": "completed", "statement": upto + 1 }),
        Event::Error { code, meaning, line, .. } => {
            json!({ "event": "error", "code": code, "meaning": meaning, "line": line })
        }
        Event::Alarm { code, meaning, .. } => json!({ "event": "alarm", "code": code, "meaning": meaning }),
        Event::Fault(fault) => json!({ "event": "fault", "meaning": fault.to_string() }),
        Event::Stopped => json!({ "event": "stopped" }),
        Event::Finished => json!({ "event": "finished" }),
        _ => return Ok(()),
    };
    terminal.event(&value)
}
