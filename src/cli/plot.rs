//! `traceur plot`: streams a drawing, pen by pen.

use std::io::IsTerminal as _;
use std::sync::Arc;

use serde_json::json;

use super::input::{Input, InputArgs, Sheet};
use super::live::LiveArgs;
use super::perform::{self, Kept, Station, Task};
use super::pipeline::{self, Report, rounded};
use super::terminal::clock;
use super::{Failure, Terminal};
use traceur_core::geometry::{Point, Polyline};
use traceur_core::machine::{Placement, Profile};
use traceur_core::pens::Pen;
use traceur_core::toolpath::{Pass, Toolpath};
use traceur_generator::Picture;
use traceur_job::{JobOutcome, Place, Port};

/// Plot a drawing or a saved plan.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  traceur plot drawing.svg --port sim
  traceur plot poster.svg --tile 2x2 --sheet 3 --port sim
  traceur plot poster.svg --tile 2x2 --continue-on-next-sheet --port auto -m axidraw-v3
  traceur plot card.svg --times 20 --frame --port /dev/ttyACM0 -m axidraw-v3
  traceur plot drawing.svg -p my-pens.toml -m grbl-servo --port /dev/ttyUSB0
  traceur plot drawing.svg -m axidraw-v3 --port auto --on-event 'notify-send \"$TRACEUR_EVENT $TRACEUR_NAME\"'
  traceur plot plan.json -m grbl-z --port sim@20 --json

Keys of the live view: space pauses (pen up) and goes on; s skips a stroke; + - 0 change the speed where the machine can;
u d move the pen's height in a pause; q or Ctrl-C stops, and so do SIGTERM and a terminal that goes away; Ctrl-C again ends
at once. At once a GRBL machine may lose its place, which `resume` finds out. The others have nothing faster than a stop:
an AxiDraw slows down within a quarter of a second, an HP-GL plotter ends the vector at hand and forgets the rest.

A job that stops, for whatever reason, goes on with `traceur resume`.

Events of --json, one object a line, and of --on-event: job (its name), checked, connected, pen_change (pen, name, color, tip_mm, how),
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
    #[command(flatten)]
    sheets: SheetArgs,
}

/// What is done with the sheets.
#[derive(Debug, clap::Args)]
struct SheetArgs {
    /// Draw it so many times, a new sheet each.
    #[arg(long, value_name = "N", default_value_t = 1, hide_default_value = true, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    times: u32,
    /// Draw all sheets of `--tile`, one after the other.
    #[arg(long, conflicts_with = "sheet")]
    continue_on_next_sheet: bool,
    /// Move as the plot would, with the pen up.
    #[arg(long)]
    dry_run: bool,
    /// First go around the drawing, pen up, to see whether the paper lies right.
    #[arg(long)]
    frame: bool,
    /// Keep no journal: a job that stops can't be resumed.
    #[arg(long)]
    no_journal: bool,
}

pub(super) fn run(args: &Args, terminal: &Terminal) -> Result<(), Failure> {
    let port = Port::parse(&args.port)?;
    let (profile, text) = args.input.profile_and_text()?;
    port.check(profile.firmware.dialect())?;
    let sheets = if args.sheets.continue_on_next_sheet {
        args.input.read_sheets(terminal)?
    } else {
        vec![Sheet { number: None, input: args.input.read(terminal)? }]
    };
    let mut station = Station::new()?;
    let plot = Plotting { args, port: &port, profile: &profile, machine: &text, terminal };
    let result = plot.sheets(&sheets, &mut station);
    station.close();
    result
}

struct Plotting<'a> {
    args: &'a Args,
    port: &'a Port,
    profile: &'a Profile,
    machine: &'a str,
    terminal: &'a Terminal,
}

impl Plotting<'_> {
    /// Asks for what a hand must do; false: it shall stop.
    fn is_done(&self, text: &str) -> bool {
        let asks = self.args.live.asks() && !matches!(self.port, Port::Sim { .. });
        !asks || (std::io::stdin().is_terminal() && self.terminal.wait_for_enter(text))
    }

    fn sheets(&self, sheets: &[Sheet], station: &mut Station) -> Result<(), Failure> {
        let copies = self.args.sheets.times;
        let count = sheets.len() * copies as usize;
        let jobs = sheets.iter().flat_map(|sheet| (1..=copies).map(move |copy| (sheet, copy)));
        for (index, (sheet, copy)) in jobs.enumerate() {
            let number = index + 1;
            if count > 1 {
                self.terminal.event(&json!({ "event": "sheet", "sheet": number, "of": count }))?;
            }
            if index > 0 && !self.is_done(&format!("lay sheet {number} of {count}, then press Enter")) {
                return Err(Failure::Stopped(format!("stopped before sheet {number} of {count}")));
            }
            let drawn = self.sheet(sheet, copy, station);
            drawn.map_err(|failure| match count - number {
                0 => failure,
                1 => failure.with("; the sheet after it is not drawn"),
                more => failure.with(&format!("; the {more} sheets after it are not drawn")),
            })?;
        }
        Ok(())
    }

    fn sheet(&self, sheet: &Sheet, copy: u32, station: &mut Station) -> Result<(), Failure> {
        let (args, terminal) = (self.args, self.terminal);
        let planned = pipeline::plan_input(&sheet.input, &args.input.wishes(), self.profile, terminal)?;
        args.input.lint.tell(&planned.report.lint, terminal)?;
        let wanted = self.wanted(&sheet.input)?;
        let Report { strokes, draw_mm, seconds, .. } = &planned.report;
        let metres = draw_mm / 1000.0;
        terminal.say(format!("{strokes} strokes, {metres:.2} m, about {}", clock(*seconds)));
        let toolpath = Arc::new(planned.toolpath);
        let placement = Placement::of_page(self.profile, toolpath.page.width, toolpath.page.height)?;
        let task = Task {
            toolpath: &toolpath,
            profile: self.profile,
            placement: &placement,
            port: self.port,
            port_name: &args.port,
            from: Place::default(),
            overlap: 0.0,
            dry: args.sheets.dry_run,
            title: &args.input.name(),
            // Virtual ink uses up no pen, and neither does air.
            counts: !args.sheets.dry_run && (args.count_sim || !matches!(self.port, Port::Sim { .. })),
            reads_stdin: super::files::is_dash(&args.input.input),
            memory: None,
        };
        let mut kept = self.keep(&task, *seconds, sheet, copy)?;
        if args.sheets.frame {
            self.frame(&task, station)?;
        }
        carry_out(&task, kept.as_mut(), &args.live, wanted.as_ref(), *draw_mm, station, terminal)
    }

    fn wanted(&self, input: &Input) -> Result<Option<Picture>, Failure> {
        if self.args.sheets.dry_run || !matches!(self.port, Port::Sim { .. }) {
            return Ok(None);
        }
        pipeline::viewed(input)
    }

    /// The job with its journal. The virtual plotter of this process, as fast as it can, has no time to stop in.
    fn keep(&self, task: &Task<'_>, seconds: f64, sheet: &Sheet, copy: u32) -> Result<Option<Kept>, Failure> {
        if self.args.sheets.no_journal || *self.port == (Port::Sim { pace: None }) {
            return Ok(None);
        }
        let mut title = perform::title(&self.args.input.name());
        if let Some(number) = sheet.number {
            title += &format!(" sheet {number}");
        }
        if self.args.sheets.times > 1 {
            title += &format!(" copy {copy}");
        }
        Kept::new(&title, self.machine, task, seconds).map(Some)
    }

    /// Goes around the drawing with the pen up.
    fn frame(&self, task: &Task<'_>, station: &mut Station) -> Result<(), Failure> {
        let passes = &task.toolpath.passes;
        let strokes = passes.iter().flat_map(|pass| &pass.strokes);
        let Some(b) = strokes.map(Polyline::bounds).reduce(|a, b| a.union(b)) else { return Ok(()) };
        let bounds = [b.x0, b.y0, b.x1, b.y1].map(rounded);
        let corners = [(b.x0, b.y0), (b.x1, b.y0), (b.x1, b.y1), (b.x0, b.y1), (b.x0, b.y0)];
        let around = Polyline::new(corners.map(Point::from).to_vec());
        let pass = Pass { pen: passes[0].pen.clone(), strokes: vec![around] };
        let toolpath = Arc::new(Toolpath { page: task.toolpath.page, passes: vec![pass] });
        self.terminal.event(&json!({ "event": "frame", "bounds_mm": bounds }))?;
        station.trace(&Task { toolpath: &toolpath, ..*task })?;
        if self.is_done("the pen went around the drawing: press Enter if the paper lies right") {
            return Ok(());
        }
        Err(Failure::Stopped("stopped before anything was drawn".into()))
    }
}

/// Plots a task to its end, and says so. A virtual plotter's ink is compared with what was `wanted`.
pub(super) fn carry_out(
    task: &Task<'_>,
    kept: Option<&mut Kept>,
    args: &LiveArgs,
    wanted: Option<&Picture>,
    draw_mm: f64,
    station: &mut Station,
    terminal: &Terminal,
) -> Result<(), Failure> {
    let (outcome, live) = station.plot(task, kept, args, terminal)?;
    live.event(done(task.toolpath, &outcome, task.placement, wanted, terminal)?);
    live.finish();
    let count = task.toolpath.passes.len();
    let passes = if count == 1 { "1 pass".into() } else { format!("{count} passes") };
    terminal.say(format!("done: {passes}, {:.2} m in {}", draw_mm / 1000.0, clock(outcome.seconds)));
    Ok(())
}

/// The marks of each pass that a virtual plotter drew, with its pen; page mm.
pub(super) fn marks(
    toolpath: &Toolpath,
    outcome: &JobOutcome,
    placement: &Placement,
) -> Vec<(Pen, Vec<Polyline>)> {
    let marks =
        |(pass, trace): &(usize, _)| (toolpath.passes[*pass].pen.clone(), pipeline::marks(trace, placement));
    outcome.traces.iter().map(marks).collect()
}

/// The last event. A virtual plotter also knows what it drew, and how near that is to the drawing.
pub(super) fn done(
    toolpath: &Toolpath,
    outcome: &JobOutcome,
    placement: &Placement,
    wanted: Option<&Picture>,
    terminal: &Terminal,
) -> Result<serde_json::Value, Failure> {
    let mut done = json!({ "event": "done", "seconds": rounded(outcome.seconds) });
    if outcome.traces.is_empty() {
        return Ok(done);
    }
    let passes = marks(toolpath, outcome, placement);
    let inked = pipeline::ink(&toolpath.page, &passes, pipeline::GAP_DPI, terminal);
    done["draw_mm"] = rounded(inked.draw_mm).into();
    done["off_page_mm"] = rounded(inked.off_page_mm).into();
    if let Some(wanted) = wanted {
        done["gap"] = json!(inked.gap(wanted, &toolpath.page)?);
    }
    Ok(done)
}
