//! `traceur sweep`: a grid of drawings, compared.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::files::OutFolder;
use super::interrupt::Interrupt;
use super::terminal::table;
use super::{Failure, Terminal, evolve};
use traceur_app::recipe::sweep::{cells, load};
use traceur_generator::experiment::sweep::{self, Cell, Event, Host, Row, Table};

/// Rows of the table on the terminal.
const SHOWN_ROWS: usize = 20;

/// Make a grid of drawings: every combination of some settings of a recipe, compared by excitation.
///
/// A sweep that was stopped goes on when it is started again: runs that are done are not done again.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  traceur sweep channels --out channels
  traceur sweep my-sweep.toml --workers 2
  tensorboard --logdir my-sweep/runs

A sweep is a TOML file:
  format = 1
  name = \"my-sweep\"
  recipe = \"first-ink\"                  # what all runs begin with: a built-in recipe or a file
  columns = \"generate.pens\"             # its values stand side by side in the contact sheet
  [set]                                 # changes for all runs
  generate.steps = 120
  [grid]                                # every combination of these
  generate.neuron = [\"lite0:bricks\", \"lite0:bubbles\"]
  generate.pens = [\"black\", \"fineliner-12\"]
  seed = [1, 2]")]
pub(super) struct Args {
    /// A TOML file, or the name of a built-in sweep such as `channels`.
    sweep: String,
    /// The folder for the results, made if it is missing; default: the sweep's name.
    #[arg(short, long)]
    out: Option<PathBuf>,
    /// Runs at the same time.
    #[arg(short = 'j', long, default_value_t = 1, value_parser = workers)]
    workers: usize,
}

fn workers(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(count @ 1..=256) => Ok(count),
        _ => Err("give 1 to 256".into()),
    }
}

pub(super) fn run(args: &Args, terminal: &Terminal) -> Result<(), Failure> {
    let (file, sweep) = load(&args.sweep)?;
    let cells = cells(&file, &sweep)?;
    let out = args.out.clone().unwrap_or_else(|| sweep.name.clone().into());
    let folder = OutFolder::open(&out)?;
    let about = if sweep.about.is_empty() { String::new() } else { format!("; {}", sweep.about) };
    terminal.say(format!("{}: {} runs{about}", sweep.name, cells.len()));
    let Some(rows) = work(&cells, &out, args.workers, terminal)? else {
        return Err(Failure::Stopped(format!(
            "stopped; {} keeps what is done: go on with the same command",
            out.display()
        )));
    };
    let table = Table::new(sweep.name, sweep.about, sweep.columns, rows);
    let json = serde_json::to_string_pretty(&table).map_err(|error| Failure::Input(error.to_string()))?;
    folder.write("table.json", format!("{json}\n").as_bytes())?;
    folder.write("table.csv", table.to_csv().as_bytes())?;
    let sheet = sweep::contact_sheet(&table, &out)?;
    folder.write("sheet.png", &traceur_generator::experiment::picture::to_png(&sheet)?)?;
    folder.write("index.html", sweep::page(&table, &out)?.as_bytes())?;
    terminal.result(&table, || summary(&table, &out))
}

/// Does the runs under one progress bar; `None` after Ctrl-C.
fn work(
    cells: &[Cell],
    out: &Path,
    workers: usize,
    terminal: &Terminal,
) -> Result<Option<Vec<Row>>, Failure> {
    let interrupt = Interrupt::listen();
    let steps: usize = cells.iter().map(|cell| cell.settings.steps()).sum();
    let bar = terminal.progress("sweep", steps as u64);
    let (done, best) = (AtomicUsize::new(0), Mutex::new(f32::NEG_INFINITY));
    let tell = |event| match event {
        Event::Steps(steps) => bar.inc(steps as u64),
        Event::Done(excitation) => {
            let done = done.fetch_add(1, Ordering::Relaxed) + 1;
            let mut best = best.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            *best = best.max(excitation);
            bar.set_message(format!("{done} of {} runs, the best excites by {:.1}", cells.len(), *best));
        }
    };
    let host = Host { stop: &|| interrupt.is_pressed(), now: &evolve::now, tell: &tell };
    let rows = sweep::run(cells, out, workers, host);
    bar.finish_and_clear();
    Ok(rows?)
}

fn summary(sweep: &Table, out: &Path) -> String {
    let keys: Vec<String> = sweep.rows.first().map_or(Vec::new(), |row| row.set.keys().cloned().collect());
    let header: Vec<&str> =
        keys.iter().map(String::as_str).chain(["excitation", "white", "strokes", "ink"]).collect();
    let row = |row: &Row| {
        let figures = [
            format!("{:.1}", row.excitation.tuned),
            format!("{:.0} %", row.white * 100.0),
            row.strokes.to_string(),
            format!("{:.1} m", row.metres),
        ];
        row.set.values().cloned().chain(figures).collect::<Vec<_>>()
    };
    let rows: Vec<Vec<String>> = sweep.rows.iter().take(SHOWN_ROWS).map(row).collect();
    let more = sweep.rows.len().saturating_sub(SHOWN_ROWS);
    let more = if more > 0 { format!("and {more} more in table.csv\n") } else { String::new() };
    let out = out.display();
    format!(
        "{}{more}\n{out}: table.json, table.csv, sheet.png, index.html, runs/\nnext: tensorboard --logdir {out}/runs",
        table(&header, &rows)
    )
}
