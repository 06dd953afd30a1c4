//! Many drawings of one wish with some of its words changed: a grid of runs, done by a few workers, resumable.
//!
//! Every run has a folder of its own under `runs/`: `drawing.svg`, `drawing.png`, a TensorBoard log, and at the end
//! `result.json`, which names the SHA-256 of all that the run depends on. A run whose result is there is not done
//! again; one that was stopped goes on from its checkpoint. So the table is the same however often a sweep was stopped
//! and however many workers it had.

mod html;
mod sheet;
mod table;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Error, Log, picture, write};
use crate::{Excitation, Outcome, PenUse, Run, Settings, draw};
pub use html::page;
pub use sheet::contact_sheet;
pub use table::Table;
use traceur_core::drawing::svg;

/// Pictures in the log of a run.
const LOGGED_PICTURES: usize = 8;
/// Longest readable part of a folder's name.
const MOST_NAME: usize = 80;

/// One run of a grid.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// What is changed: key and value, as people write them.
    pub set: BTreeMap<String, String>,
    /// All that the run depends on.
    pub settings: Settings,
}

/// What one run came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// What was changed.
    pub set: BTreeMap<String, String>,
    /// Its folder, relative to the sweep's.
    pub folder: String,
    /// How much the neuron likes it.
    pub excitation: Excitation,
    /// Share of the drawable area without ink.
    pub white: f32,
    /// The last step's.
    pub loss: f32,
    /// Strokes of the drawing.
    pub strokes: usize,
    /// Their length; m.
    pub metres: f64,
    /// Its pens.
    pub pens: Vec<PenUse>,
    /// SHA-256 of the settings.
    pub settings: String,
}

/// How far a sweep is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Event {
    /// A step of any run, or as many as a finished run had.
    Steps(usize),
    /// A run is at its end; its excitation.
    Done(f32),
}

/// Whoever may be asked and told while a sweep goes; by several threads.
#[derive(Clone, Copy)]
#[expect(missing_debug_implementations, reason = "three closures")]
pub struct Host<'a> {
    /// Whether to stop.
    pub stop: &'a (dyn Fn() -> bool + Sync),
    /// The time since the Unix epoch.
    pub now: &'a (dyn Fn() -> Duration + Sync),
    /// Is told how far it is.
    pub tell: &'a (dyn Fn(Event) + Sync),
}

/// Does all runs in `folder` with some workers; their rows in the order of the cells, or `None` when it was stopped.
///
/// # Errors
/// The first of any worker; the others stop then.
pub fn run(cells: &[Cell], folder: &Path, workers: usize, host: Host<'_>) -> Result<Option<Vec<Row>>, Error> {
    let next = AtomicUsize::new(0);
    let has_failed = AtomicBool::new(false);
    let done = Mutex::new(Vec::<(usize, Result<Option<Row>, Error>)>::new());
    let stop = || has_failed.load(Ordering::Relaxed) || (host.stop)();
    let host = Host { stop: &stop, ..host };
    let work = || {
        while let Some((index, cell)) = take(cells, &next).filter(|_| !stop()) {
            let row = one(cell, folder, host);
            has_failed.fetch_or(row.is_err(), Ordering::Relaxed);
            done.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((index, row));
        }
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let workers = workers.clamp(1, cells.len().max(1));
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                // Workers that share one pool would wait for one another at every step.
                match rayon::ThreadPoolBuilder::new().num_threads((cores / workers).max(1)).build() {
                    Ok(pool) => pool.install(work),
                    Err(_) => work(),
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    done.sort_by_key(|(index, _)| *index);
    let rows = done.into_iter().map(|(_, row)| row).collect::<Result<Option<Vec<_>>, _>>()?;
    Ok(rows.filter(|rows| rows.len() == cells.len()))
}

fn take<'a>(cells: &'a [Cell], next: &AtomicUsize) -> Option<(usize, &'a Cell)> {
    let index = next.fetch_add(1, Ordering::Relaxed);
    cells.get(index).map(|cell| (index, cell))
}

/// Does one run, or finds that it was done.
fn one(cell: &Cell, folder: &Path, host: Host<'_>) -> Result<Option<Row>, Error> {
    let hash = cell.settings.fingerprint();
    let name = format!("runs/{}-{}", readable(&cell.set), &hash[..8]);
    let own = folder.join(&name);
    let result = own.join("result.json");
    let steps = cell.settings.free_steps + cell.settings.tune_steps;
    if let Some(row) = read(&result).filter(|row| row.settings == hash) {
        (host.tell)(Event::Steps(steps));
        (host.tell)(Event::Done(row.excitation.tuned));
        return Ok(Some(row));
    }
    fs::create_dir_all(&own).map_err(Error::at(&own))?;
    let checkpoint = own.join("checkpoint");
    let saved = fs::read(&checkpoint).ok().and_then(|bytes| Run::restore(&bytes).ok());
    let mut run = match saved.filter(|run| *run.settings() == cell.settings) {
        Some(run) => run,
        None => {
            forget_logs(&own);
            Run::new(cell.settings.clone())?
        }
    };
    (host.tell)(Event::Steps(run.done()));
    let mut log = Log::begin(&own, &cell.settings, steps.div_ceil(LOGGED_PICTURES), (host.now)())?;
    loop {
        if (host.stop)() {
            write(&checkpoint, &run.save())?;
            return Ok(None);
        }
        let Some(progress) = run.step()? else { break };
        log.step(&run, &progress, (host.now)())?;
        (host.tell)(Event::Steps(1));
    }
    let outcome = run.outcome()?;
    let drawing = draw(&outcome.drawing, cell.settings.canvas()?.px_per_mm * 25.4);
    log.end(run.done(), &outcome, &drawing, true, (host.now)())?;
    write(&own.join("drawing.svg"), svg::write(&outcome.drawing).as_bytes())?;
    write(&own.join("drawing.png"), &picture::to_png(&picture::thumbnail(&drawing, u32::MAX))?)?;
    let row = row(cell, name, hash, outcome);
    write(&result, format!("{}\n", serde_json::to_string_pretty(&row)?).as_bytes())?;
    // What was never stopped has none.
    let _ = fs::remove_file(&checkpoint);
    (host.tell)(Event::Done(row.excitation.tuned));
    // As a later sweep will read it, to the last digit.
    Ok(read(&result).or(Some(row)))
}

fn row(cell: &Cell, folder: String, settings: String, outcome: Outcome) -> Row {
    Row {
        set: cell.set.clone(),
        folder,
        excitation: outcome.excitation,
        white: outcome.white,
        loss: outcome.loss,
        strokes: outcome.drawing.strokes(),
        metres: outcome.pens.iter().map(|pen| pen.mm).sum::<f64>() / 1000.0,
        pens: outcome.pens,
        settings,
    }
}

fn read(result: &Path) -> Option<Row> {
    serde_json::from_slice(&fs::read(result).ok()?).ok()
}

/// Logs of a run that is begun again would be shown beside its new ones.
fn forget_logs(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let logs = entries.flatten().map(|entry| entry.path()).filter(|path: &PathBuf| {
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("events.out.tfevents"))
    });
    for log in logs {
        // One that stays is only seen as an earlier part of the run.
        let _ = fs::remove_file(log);
    }
}

/// Keys' last words and values, as a folder's name.
fn readable(set: &BTreeMap<String, String>) -> String {
    let part = |(key, value): (&String, &String)| format!("{}={value}", short(key));
    let joined = set.iter().map(part).collect::<Vec<_>>().join(",");
    let plain = |c: char| if c.is_ascii_alphanumeric() || "=,._-".contains(c) { c } else { '-' };
    joined.chars().map(plain).take(MOST_NAME).collect()
}

/// The last word of a key.
fn short(key: &str) -> &str {
    key.rsplit('.').next().unwrap_or(key)
}

#[cfg(test)]
mod tests;
