//! `traceur sim`: a virtual plotter for any other software.

use std::path::{Path, PathBuf};
use std::pin::pin;
use std::time::Duration;

use super::{Failure, Terminal, files, interrupt, pipeline};
use traceur_app::catalog;
use traceur_app::preview::to_png;
use traceur_core::drawing::Page;
use traceur_core::machine::{Placement, Profile};
use traceur_core::pens::Pen;
use traceur_job::transport::{Link, Listener, Pty};
use traceur_job::{End, Speed, VirtualMachine};
use traceur_sim::{Faults, MotionTrace};

/// A pulled cable is plugged in again after this long.
const REPLUG: Duration = Duration::from_secs(5);

/// Be a virtual plotter that any program can plot to, until Ctrl-C.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  traceur sim axidraw-v3 --pty axidraw --paper ink.png
  traceur sim hp7475a --tcp 127.0.0.1:7475 --speed 20
  traceur sim grbl-servo --pty plotter --fault latency=20ms,chop=3,unplug=60s
  traceur plot drawing.svg --port plotter        (in another terminal)")]
#[command(group(clap::ArgGroup::new("where").required(true).args(["pty", "tcp"])))]
pub(super) struct Args {
    /// Machine: a built-in id or a TOML file.
    machine: String,
    /// Make a pseudo-terminal and a symbolic link of this name to it: what programs open as their serial port.
    #[arg(long, value_name = "LINK")]
    pty: Option<PathBuf>,
    /// Listen at this address, such as `127.0.0.1:7777`; one program at a time.
    #[arg(long, value_name = "ADDR")]
    tcp: Option<String>,
    /// Times real time, or `max`: from event to event.
    #[arg(long, default_value = "1", value_parser = parse_speed)]
    speed: Speed,
    /// Picture of the ink, written anew whenever the pen rests.
    #[arg(long, value_name = "OUT.png")]
    paper: Option<PathBuf>,
    /// What the pen did, one JSON line a move, written anew whenever the pen rests.
    #[arg(long, value_name = "OUT.jsonl")]
    trace: Option<PathBuf>,
    /// What goes wrong: `latency=20ms,chop=3,drop=0.001,flip=0.001,unplug=30s,power-loss=60s,motor-power-off=10s,limit-switch=90s,seed=7`;
    /// instead of a time, a number of bytes that have reached the plotter: `unplug=900B`.
    #[arg(long, value_name = "SPEC", default_value = "")]
    fault: Faults,
    /// The pens in its slots, or the one that is mounted: `SET`, `SET:id,id`, `black,red,stabilo:44`, or a TOML file.
    #[arg(short, long, default_value = "black")]
    pens: String,
    /// The sheet on its bed; default: the whole bed.
    #[arg(long)]
    page: Option<String>,
    /// Pixels an inch of the picture.
    #[arg(long, default_value_t = 150.0, value_parser = super::preview::parse_dpi)]
    dpi: f64,
}

fn parse_speed(text: &str) -> Result<Speed, String> {
    match (text, text.trim_end_matches('x').parse::<f64>()) {
        ("max", _) => Ok(Speed::Max),
        (_, Ok(speed)) if (0.01..=10_000.0).contains(&speed) => Ok(Speed::Times(speed)),
        _ => Err("give a number from 0.01 to 10000, or `max`".into()),
    }
}

pub(super) fn run(args: &Args, terminal: &Terminal) -> Result<(), Failure> {
    let profile = catalog::machines::choose(&args.machine)?;
    let desk = Desk::new(args, &profile, terminal)?;
    let runtime = traceur_job::runtime()?;
    let ended = runtime.block_on(serve(args, &profile, &desk, terminal));
    // The threads of a pseudo-terminal end with it; they are not waited for.
    runtime.shutdown_timeout(Duration::from_millis(100));
    ended
}

async fn serve(args: &Args, profile: &Profile, desk: &Desk<'_>, terminal: &Terminal) -> Result<(), Failure> {
    let mut stop = pin!(async {
        interrupt::asked_to_end().await;
    });
    let mut machine = VirtualMachine::new(profile, &args.fault, args.speed);
    let mut kept = Ok(());
    let mut at_rest = |trace: &MotionTrace| {
        if kept.is_ok() {
            kept = desk.keep(trace);
        }
    };
    match (&args.pty, &args.tcp) {
        (Some(name), _) => loop {
            let (pty, mut link) = Pty::open(name)?;
            terminal.event(&serde_json::json!({ "event": "ready", "port": name, "device": pty.device() }))?;
            terminal.say(format!("{} is at {}; Ctrl-C ends it", profile.name, name.display()));
            let end = machine.serve(&mut link, &mut stop, || pty.stops_at_xoff(), &mut at_rest).await;
            if end != End::Unplugged || !replug(&mut stop, terminal).await {
                break;
            }
        },
        (None, Some(address)) => {
            let listener = Listener::bind(address).await?;
            let port = format!("tcp://{}", listener.address);
            terminal.event(&serde_json::json!({ "event": "ready", "port": port }))?;
            terminal.say(format!("{} is at {port}; Ctrl-C ends it", profile.name));
            loop {
                let accepted = tokio::select! {
                    biased;
                    () = &mut stop => break,
                    accepted = listener.accept() => accepted,
                };
                let mut link: Link = accepted?;
                match machine.serve(&mut link, &mut stop, || false, &mut at_rest).await {
                    End::Stopped => break,
                    End::HungUp => {}
                    End::Unplugged => {
                        drop(link);
                        if !replug(&mut stop, terminal).await {
                            break;
                        }
                    }
                }
            }
        }
        // The group of arguments asks for one.
        (None, None) => {}
    }
    kept?;
    desk.keep(machine.trace())
}

/// Waits until the cable is back; false if Ctrl-C comes first.
async fn replug(stop: &mut (impl Future<Output = ()> + Unpin), terminal: &Terminal) -> bool {
    terminal.say("the cable was pulled; it is plugged in again in a moment");
    tokio::select! {
        biased;
        () = &mut *stop => false,
        () = tokio::time::sleep(REPLUG) => true,
    }
}

/// What is kept of what the plotter does.
struct Desk<'a> {
    args: &'a Args,
    terminal: &'a Terminal,
    page: Page,
    placement: Placement,
    pens: Vec<Pen>,
}

impl<'a> Desk<'a> {
    fn new(args: &'a Args, profile: &Profile, terminal: &'a Terminal) -> Result<Self, Failure> {
        let outputs = [args.paper.as_deref(), args.trace.as_deref()];
        outputs.into_iter().flatten().try_for_each(files::check_writable)?;
        let page = match &args.page {
            Some(page) => Page::parse(page)?,
            None => Page { width: profile.bed.width, height: profile.bed.height },
        };
        let pens = catalog::pens::choose(&args.pens)?;
        if pens.is_empty() {
            return Err(Failure::Input(format!(
                "--pens {}: no pen in it: name one, such as `black`",
                args.pens
            )));
        }
        let placement = Placement::of_page(profile, page.width, page.height)?;
        Ok(Self { args, terminal, page, placement, pens })
    }

    fn keep(&self, trace: &MotionTrace) -> Result<(), Failure> {
        if let Some(paper) = &self.args.paper {
            self.write_paper(paper, trace)?;
        }
        if let Some(path) = &self.args.trace {
            files::write(path, to_jsonl(trace).as_bytes(), self.terminal)?;
        }
        Ok(())
    }

    fn write_paper(&self, path: &Path, trace: &MotionTrace) -> Result<(), Failure> {
        let passes = pipeline::marks_by_pen(trace, &self.placement, &self.pens);
        let inked = pipeline::ink(&self.page, &passes, self.args.dpi, self.terminal);
        files::write(path, &to_png(&inked.picture)?, self.terminal)
    }
}

fn to_jsonl(trace: &MotionTrace) -> String {
    let mut text = String::new();
    for piece in &trace.pieces {
        let line = serde_json::json!({
            "begin_s": piece.begin.as_secs_f64(),
            "end_s": piece.end.as_secs_f64(),
            "from_mm": [piece.from.x, piece.from.y],
            "to_mm": [piece.to.x, piece.to.y],
            "pen_down": piece.pen_down,
        });
        text += &format!("{line}\n");
    }
    text
}
