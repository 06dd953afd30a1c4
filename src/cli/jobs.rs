//! `traceur jobs`: what was plotted, and what can go on.

use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;

use super::perform;
use super::terminal::{clock, table};
use super::{Failure, Terminal};
use traceur_job::Stored;
use traceur_job::journal::Entry;

/// List jobs: what was plotted, and what can go on.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  traceur jobs
  traceur jobs --json | jq '.jobs[] | select(.state == \"interrupted\") | .id'
  traceur jobs --remove 12
  traceur jobs --clean                     remove those that are done")]
pub(super) struct Args {
    /// Remove a job for good.
    #[arg(long, value_name = "JOB", conflicts_with = "clean")]
    remove: Vec<String>,
    /// Remove all jobs that are done.
    #[arg(long)]
    clean: bool,
}

#[derive(Debug, Serialize)]
struct Row {
    id: String,
    drawing: String,
    machine: String,
    done_percent: f64,
    strokes: usize,
    strokes_done: usize,
    pass: usize,
    passes: usize,
    state: String,
    why: Option<String>,
    seconds: f64,
    /// Since 1970; s.
    at: u64,
}

pub(super) fn run(args: &Args, terminal: &Terminal) -> Result<(), Failure> {
    let store = perform::store()?;
    let mut gone = Vec::new();
    if args.clean {
        let done = |job: &Stored| job.past().is_ok_and(|past| past.end == Some(Entry::Done));
        gone = store.jobs().into_iter().filter(done).collect();
    }
    for name in &args.remove {
        gone.push(store.find(name)?);
    }
    for job in &gone {
        if job.is_busy() {
            return Err(Failure::Input(format!("{}: it is being plotted: stop it first", job.id)));
        }
        job.remove()?;
        terminal.say(format!("{} is removed", job.id));
    }
    let rows: Vec<Row> = store.jobs().iter().map(row).collect();
    let value = serde_json::json!({ "jobs": rows });
    if gone.is_empty() || !rows.is_empty() {
        return terminal.result(&value, || to_table(&rows));
    }
    terminal.result(&value, String::new)
}

fn row(job: &Stored) -> Row {
    let about = job.about().ok();
    let passes = job.strokes().unwrap_or_default();
    let strokes: usize = passes.iter().sum();
    let (mut state, mut why) = ("interrupted".to_owned(), None);
    let (mut strokes_done, mut pass, mut at) = (0, 0, 0);
    match job.past() {
        Ok(past) => {
            strokes_done = passes.iter().take(past.drawn.pass).sum::<usize>() + past.drawn.stroke;
            (pass, at) = ((past.drawn.pass + 1).min(passes.len()), past.at);
            match past.end {
                Some(Entry::Done) => "done".clone_into(&mut state),
                Some(Entry::Stopped) => "stopped".clone_into(&mut state),
                Some(Entry::Failed { why: text }) => {
                    "failed".clone_into(&mut state);
                    why = Some(text);
                }
                _ if job.is_busy() => "running".clone_into(&mut state),
                _ => {}
            }
        }
        Err(error) => {
            "damaged".clone_into(&mut state);
            why = Some(error.to_string());
        }
    }
    if about.is_none() || strokes == 0 {
        "damaged".clone_into(&mut state);
        why = why.or(job.case().err().map(|error| error.to_string()));
    }
    let share = if strokes > 0 { strokes_done as f64 / strokes as f64 } else { 0.0 };
    Row {
        id: job.id.clone(),
        drawing: about.as_ref().map_or_else(String::new, |about| about.drawing.clone()),
        machine: about.as_ref().map_or_else(String::new, |about| about.machine.clone()),
        done_percent: (share * 1000.0).round() / 10.0,
        strokes,
        strokes_done,
        pass,
        passes: passes.len(),
        state,
        why,
        seconds: about.map_or(0.0, |about| about.seconds),
        at,
    }
}

fn to_table(rows: &[Row]) -> String {
    if rows.is_empty() {
        return "no jobs yet: `traceur plot` begins one\n".into();
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs());
    let line = |row: &Row| {
        vec![
            row.id.clone(),
            row.machine.clone(),
            format!("{:.0} %", row.done_percent.floor()),
            format!("{} of {}", row.pass, row.passes),
            row.state.clone(),
            if row.at == 0 { "never".into() } else { format!("{} ago", age(now.saturating_sub(row.at))) },
            clock(row.seconds),
        ]
    };
    let rows: Vec<Vec<String>> = rows.iter().map(line).collect();
    table(&["job", "machine", "drawn", "pass", "state", "last seen", "length"], &rows)
}

/// The largest unit is enough.
fn age(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}
