//! `traceur sweep`: a grid of drawings, compared.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde::Deserialize;

use super::files::{self, OutFolder};
use super::interrupt::Interrupt;
use super::recipe::Recipe;
use super::terminal::table;
use super::{Failure, Terminal, evolve, settings};
use traceur_core::config;
use traceur_generator::experiment::sweep::{self, Cell, Event, Host, Row, Table};

/// The sweeps inside the program: name and TOML text.
const BUILT_IN: [(&str, &str); 3] = [
    ("catalogue", include_str!("../../recipes/catalogue.sweep.toml")),
    ("channels", include_str!("../../recipes/channels.sweep.toml")),
    ("styles", include_str!("../../recipes/styles.sweep.toml")),
];
/// More runs than this are a mistake in a list.
const MOST_CELLS: usize = 10_000;
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

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SweepFile {
    #[serde(rename = "format", deserialize_with = "config::de_format")]
    _format: u32,
    name: String,
    #[serde(default)]
    about: String,
    #[serde(default = "first_ink")]
    recipe: String,
    #[serde(default)]
    columns: Option<String>,
    #[serde(default)]
    set: toml::Table,
    grid: toml::Table,
}

fn first_ink() -> String {
    "first-ink".into()
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

/// A built-in sweep by name, or a file.
fn load(name: &str) -> Result<(String, SweepFile), Failure> {
    let built_in = BUILT_IN.iter().find(|(known, _)| *known == name);
    let (file, text) = match built_in {
        Some((_, text)) => (format!("built-in {name}"), (*text).to_owned()),
        None => {
            let path = Path::new(name);
            if !files::is_dash(path) && !path.exists() && path.extension().is_none() {
                let names = BUILT_IN.map(|(name, _)| name).join(", ");
                return Err(Failure::Input(format!(
                    "no sweep `{name}`: the built-in ones are {names}, or give a TOML file"
                )));
            }
            (name.to_owned(), files::read_text(path)?)
        }
    };
    let sweep: SweepFile = config::parse(&file, &text)?;
    let is_name =
        |name: &str| !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', '\0']);
    if !is_name(&sweep.name) {
        return Err(Failure::Input(format!(
            "{file}: name `{}`: give one that a folder may have",
            sweep.name
        )));
    }
    Ok((file, sweep))
}

/// All combinations of the grid, each checked.
fn cells(file: &str, sweep: &SweepFile) -> Result<Vec<Cell>, Failure> {
    let wrong = |what: String| Failure::Input(format!("{file}: {what}"));
    let (mut fixed, mut axes) = (Vec::new(), Vec::new());
    leaves("", &sweep.set, &mut fixed);
    leaves("", &sweep.grid, &mut axes);
    let mut grid: Vec<Vec<(String, toml::Value)>> = vec![Vec::new()];
    for (key, values) in axes {
        let list = values.as_array().filter(|list| !list.is_empty()).ok_or_else(|| {
            wrong(format!("grid.{key} is no list of values: write such as `{key} = [1, 2]`"))
        })?;
        if grid.len() * list.len() > MOST_CELLS {
            return Err(wrong(format!("the grid has more than {MOST_CELLS} runs: shorten its lists")));
        }
        let with = |value: &toml::Value| (key.clone(), value.clone());
        grid = grid
            .iter()
            .flat_map(|set| list.iter().map(move |value| [set.clone(), vec![with(value)]].concat()))
            .collect();
    }
    if let Some(columns) = &sweep.columns {
        let known: Vec<&str> = grid[0].iter().map(|(key, _)| key.as_str()).collect();
        if !known.contains(&columns.as_str()) {
            return Err(wrong(format!(
                "columns = `{columns}` is not in the grid, which has {}",
                known.join(", ")
            )));
        }
    }
    let recipe = beside(file, &sweep.recipe);
    let cell = |set: &Vec<(String, toml::Value)>| {
        let changes: Vec<String> =
            fixed.iter().chain(set).map(|(key, value)| format!("{key}={value}")).collect();
        let settings = Recipe::load(&recipe, &changes).and_then(|recipe| settings::of(&recipe));
        let set: BTreeMap<String, String> =
            set.iter().map(|(key, value)| (key.clone(), words(value))).collect();
        match settings {
            Ok(settings) => Ok(Cell { set, settings }),
            Err(error) => Err(wrong(format!("{}: {error}", changes.join(", ")))),
        }
    };
    grid.iter().map(cell).collect()
}

/// The recipe's file beside the sweep's, if there is one; else as it is called.
fn beside(file: &str, recipe: &str) -> String {
    let path = Path::new(file).parent().map(|folder| folder.join(recipe)).filter(|path| path.is_file());
    path.map_or_else(|| recipe.to_owned(), |path| path.display().to_string())
}

/// The dotted keys of all values that are no tables.
fn leaves(prefix: &str, table: &toml::Table, into: &mut Vec<(String, toml::Value)>) {
    for (key, value) in table {
        let key = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        match value {
            toml::Value::Table(table) => leaves(&key, table, into),
            value => into.push((key, value.clone())),
        }
    }
}

fn words(value: &toml::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<Vec<Cell>, Failure> {
        let text = format!("format = 1\nname = \"x\"\n{text}");
        cells("x.toml", &config::parse("x.toml", &text)?)
    }

    #[test]
    fn a_grid_is_every_combination() {
        let cells = of("[set]\ngenerate.steps = 20\n[grid]\nseed = [1, 2]\n\"generate.neuron\" = [\"lite0:bricks\", \"lite0:b4:11\", \"lite0:grid\"]").unwrap();
        assert_eq!(cells.len(), 6);
        let seeds: Vec<u64> = cells.iter().map(|cell| cell.settings.seed).collect();
        assert_eq!(seeds.iter().filter(|seed| **seed == 2).count(), 3);
        assert!(cells.iter().all(|cell| cell.settings.free_steps + cell.settings.tune_steps == 20));
        assert_eq!(cells[0].set["generate.neuron"], "lite0:bricks");
    }

    #[test]
    fn mistakes_are_explained() {
        for (text, expected) in [
            ("[grid]\nseed = 3", "grid.seed is no list"),
            ("[grid]\nseed = []", "grid.seed is no list"),
            ("[grid]\nsede = [1]", "did you mean `seed`?"),
            ("[grid]\ngenerate.neuron = [\"lite0:bricks\", \"lite0:brick\"]", "did you mean `bricks`?"),
            ("columns = \"generate.pens\"\n[grid]\nseed = [1]", "is not in the grid, which has seed"),
            ("clumns = \"seed\"\n[grid]\nseed = [1]", "did you mean `columns`?"),
            ("recipe = \"first-inc\"\n[grid]\nseed = [1]", "did you mean `first-ink`?"),
        ] {
            let error = of(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
        let list = (0..200).map(|i| i.to_string()).collect::<Vec<_>>().join(", ");
        let error = of(&format!("[grid]\nseed = [{list}]\ngenerate.strokes = [{list}]")).unwrap_err();
        assert!(error.to_string().contains("more than 10000 runs"), "{error}");
    }

    #[test]
    fn built_in_sweeps_are_sound() {
        for (name, _) in BUILT_IN {
            let (file, sweep) = load(name).unwrap();
            assert!(cells(&file, &sweep).unwrap().len() > 3, "{name}");
        }
        assert!(
            load("chanels")
                .unwrap_err()
                .to_string()
                .contains("built-in ones are catalogue, channels, styles")
        );
    }
}
