//! `traceur resume`: goes on with a job after a stop, a fault, a crash.

use std::io::IsTerminal as _;
use std::sync::Arc;

use serde_json::json;

use super::layout::length;
use super::live::LiveArgs;
use super::perform::{self, Kept, Station, Task};
use super::plot;
use super::terminal::clock;
use super::{Failure, Terminal};
use traceur_core::ErrorKind;
use traceur_core::machine::Placement;
use traceur_job::journal::{Entry, Journal, Past};
use traceur_job::{Case, Memory, Place, Port, StoreError, Stored};

/// Go on with a job that stopped, failed, or was killed.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  traceur resume                          the last job that is not done
  traceur resume 12 --overlap 2mm         re-ink what was drawn just before the stop
  traceur resume poster --from-stroke 310
  traceur resume 12 --zeroed              the carriage has been put at the job's zero by hand

Strokes that were on their way when the job ended are drawn again, never left out: at most those that fit the plotter's
buffer. A plotter that has lost its place since is not trusted: it homes, or asks to be put at its zero.")]
pub(super) struct Args {
    /// Its id, number or drawing, as `traceur jobs` lists them. Default: the last one that is not done.
    job: Option<String>,
    /// The first stroke to draw, counted from 1 over all passes. Default: behind the last one that is known to be drawn.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    from_stroke: Option<u64>,
    /// Draw so much of what comes before that again.
    #[arg(long, value_name = "LENGTH", value_parser = length, default_value = "0mm", hide_default_value = true)]
    overlap: f64,
    /// Where the plotter is now. Default: where it was.
    #[arg(long)]
    port: Option<String>,
    /// The pen has been put at the job's zero by hand.
    #[arg(long)]
    zeroed: bool,
    #[command(flatten)]
    live: LiveArgs,
}

pub(super) fn run(args: &Args, terminal: &Terminal) -> Result<(), Failure> {
    let stored = choose(args.job.as_deref())?;
    let case = stored.case()?;
    let (mut journal, past) = open(&stored, args.from_stroke.is_some())?;
    let from = match args.from_stroke {
        Some(number) => place(&case, number)?,
        None => past.drawn,
    };
    let from = if args.overlap > 0.0 { from } else { behind_whole_pass(&case, from) };
    let (done, all) = (before(&case, from), before(&case, Place { pass: usize::MAX, stroke: 0 }));
    let finished = from.pass >= case.toolpath.passes.len()
        || past.end == Some(Entry::Done) && args.from_stroke.is_none();
    if finished {
        if past.end != Some(Entry::Done) {
            // It was killed before it could write this line.
            journal.write(Entry::Done).map_err(StoreError::from)?;
        }
        terminal.event(&json!({ "event": "done", "job": stored.id, "seconds": 0.0 }))?;
        terminal.say(format!("{}: all {all} strokes are on the paper", stored.id));
        return Ok(());
    }
    let name = args.port.clone().or(past.port.clone()).unwrap_or_else(|| case.about.port.clone());
    let port = Port::parse(&name)?;
    let profile = case.profile()?;
    port.check(profile.firmware.dialect())?;
    let toolpath = Arc::new(case.toolpath.clone());
    let placement = Placement::of_page(&profile, toolpath.page.width, toolpath.page.height)?;
    let pen = &case.toolpath.passes[from.pass].pen;
    terminal.event(&json!({ "event": "resume", "job": stored.id, "stroke": done + 1, "of": all, "pass": from.pass + 1, "pen": pen.id }))?;
    terminal.say(format!(
        "{}: {done} of {all} strokes are on the paper; going on in pass {} of {}, {}",
        stored.id,
        from.pass + 1,
        case.toolpath.passes.len(),
        pen.name
    ));
    let mut memory = Memory { home: past.home, zeroed: args.zeroed, mark: stored.mark() };
    let can_ask = args.live.asks() && std::io::stdin().is_terminal();
    let mut kept = Kept { stored, journal };
    let mut station = Station::new()?;
    let result = loop {
        let task = Task {
            toolpath: &toolpath,
            profile: &profile,
            placement: &placement,
            port: &port,
            port_name: &name,
            from,
            overlap: args.overlap,
            dry: case.about.dry,
            title: &case.about.drawing,
            counts: !case.about.dry && !matches!(port, Port::Sim { .. }),
            reads_stdin: false,
            memory: Some(memory),
        };
        match station.plot(&task, Some(&mut kept), &args.live, terminal) {
            Err(failure) if failure.kind() == Some(ErrorKind::Lost) => {
                let how = perform::how_to_zero(&profile);
                if can_ask
                    && !memory.zeroed
                    && terminal.wait_for_enter(&format!("{failure}: {how}, then press Enter"))
                {
                    memory.zeroed = true;
                    continue;
                }
                let id = &kept.stored.id;
                break Err(failure.with(&format!(": {how}, then `traceur resume {id} --zeroed`")));
            }
            result => break result,
        }
    };
    station.close();
    let (outcome, live) = result?;
    live.event(plot::done(&toolpath, &outcome, &placement, None, terminal)?);
    live.finish();
    terminal.say(format!("done in {}", clock(outcome.seconds)));
    Ok(())
}

/// The job that is meant.
fn choose(job: Option<&str>) -> Result<Stored, Failure> {
    let store = perform::store()?;
    if let Some(name) = job {
        return Ok(store.find(name)?);
    }
    let open = |job: &Stored| !job.is_busy() && job.past().map_or(true, |past| past.end != Some(Entry::Done));
    store
        .jobs()
        .into_iter()
        .rev()
        .find(open)
        .ok_or_else(|| Failure::Input("no job to go on with: `traceur jobs` lists them".into()))
}

/// Its journal, and what that tells. A damaged one is set aside if it is known otherwise where to go on.
fn open(stored: &Stored, knows: bool) -> Result<(Journal, Past), Failure> {
    match Journal::open(&stored.journal()) {
        Ok((journal, records)) => Ok((journal, Past::of(&records))),
        Err(error @ traceur_job::journal::Error::Damaged { .. }) if !knows => {
            let how = format!(" (`traceur resume {} --from-stroke N`)", stored.id);
            Err(Failure::from(error).with(&how))
        }
        Err(traceur_job::journal::Error::Damaged { .. }) => {
            stored.set_journal_aside()?;
            let (journal, _) = Journal::open(&stored.journal()).map_err(StoreError::from)?;
            Ok((journal, Past { home: false, ..Past::default() }))
        }
        Err(error) => Err(Failure::Input(format!("{}: {error}", stored.id))),
    }
}

/// The place of a stroke, counted from 1 over all passes.
fn place(case: &Case, number: u64) -> Result<Place, Failure> {
    let mut left = usize::try_from(number - 1).unwrap_or(usize::MAX);
    for (pass, of) in case.toolpath.passes.iter().enumerate() {
        if left < of.strokes.len() {
            return Ok(Place { pass, stroke: left });
        }
        left -= of.strokes.len();
    }
    let all = before(case, Place { pass: usize::MAX, stroke: 0 });
    Err(Failure::Input(format!("--from-stroke {number}: the job has {all} strokes")))
}

/// Nobody mounts a pen that has drawn all it was to draw. The last one is still brought home.
fn behind_whole_pass(case: &Case, place: Place) -> Place {
    let passes = &case.toolpath.passes;
    match passes.get(place.pass) {
        Some(pass) if place.stroke >= pass.strokes.len() && place.pass + 1 < passes.len() => {
            Place { pass: place.pass + 1, stroke: 0 }
        }
        _ => place,
    }
}

/// How many strokes come before a place.
fn before(case: &Case, place: Place) -> usize {
    let passes = case.toolpath.passes.iter().take(place.pass).map(|pass| pass.strokes.len());
    passes.sum::<usize>() + place.stroke
}
