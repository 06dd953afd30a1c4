//! `traceur pens log`: how far each pen has drawn.

use serde::Serialize;

use super::terminal::table;
use super::{Failure, Terminal, odometer};
use traceur_core::config;
use traceur_core::pens::odometer::{PenKey, Sum};
use traceur_job::Odometer;

/// Which pens to tell of.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  traceur pens log
  traceur pens log red
  traceur pens log --refilled red           it is full again

Real plotters count; the virtual one counts with `plot --count-sim`. A pen whose TOML has `metres = \"120m\"` is
warned of before a pass that would run it dry.")]
pub(super) struct LogArgs {
    /// The pen's id, or a part of its name. Default: all that have drawn.
    pen: Option<String>,
    /// Note that this pen is full again, so that counting begins anew.
    #[arg(long, value_name = "PEN", conflicts_with = "pen")]
    refilled: Option<String>,
}

#[derive(Debug, Serialize)]
struct Row<'a> {
    pen: &'a str,
    name: &'a str,
    /// Since it was last refilled.
    metres: f64,
    total_metres: f64,
    refills: usize,
    last_job: &'a str,
    /// Seconds since 1970.
    last_time: u64,
}

impl<'a> From<&'a Sum> for Row<'a> {
    fn from(sum: &'a Sum) -> Self {
        let metres = |mm: f64| mm.round() / 1000.0;
        Self {
            pen: &sum.pen.id,
            name: &sum.pen.name,
            metres: metres(sum.since_refill),
            total_metres: metres(sum.total),
            refills: sum.refills,
            last_job: &sum.last_job,
            last_time: sum.last_time,
        }
    }
}

pub(super) fn run(args: &LogArgs, terminal: &Terminal) -> Result<(), Failure> {
    let Some(mut odometer) = odometer::open()? else {
        return Err(Failure::Input("there is no home folder to keep the log in: set XDG_STATE_HOME".into()));
    };
    if let Some(pen) = &args.refilled {
        let key = one(pen, &odometer)?;
        odometer.refilled(&key)?;
        terminal.say(format!("{} is full again", key.name));
    }
    let wanted = args.pen.as_ref().or(args.refilled.as_ref());
    let rows: Vec<Row> = match wanted {
        Some(pen) => {
            one_of(pen, &odometer)?;
            odometer.sums().iter().filter(|sum| is_meant(pen, &sum.pen)).map(Row::from).collect()
        }
        None => odometer.sums().iter().map(Row::from).collect(),
    };
    terminal.result(&serde_json::json!({ "pens": &rows }), || {
        if rows.is_empty() {
            return "no pen has drawn yet: a plot on a real plotter counts".into();
        }
        let cells = rows.iter().map(|row| {
            vec![
                row.pen.to_owned(),
                format!("{:.2} m", row.metres),
                format!("{:.2} m", row.total_metres),
                row.refills.to_string(),
                plain(row.last_job),
                plain(row.name),
            ]
        });
        table(&["pen", "since refill", "ever", "refills", "last", "name"], &cells.collect::<Vec<_>>())
    })
}

/// Whether this id, or part of a name, means the pen.
fn is_meant(text: &str, pen: &PenKey) -> bool {
    pen.id == text || pen.name.to_lowercase().contains(&text.to_lowercase())
}

fn one_of<'a>(text: &str, odometer: &'a Odometer) -> Result<Vec<&'a PenKey>, Failure> {
    let known = || odometer.sums().iter().map(|sum| &sum.pen);
    let exact: Vec<&PenKey> = known().filter(|pen| pen.id == text).collect();
    let meant = if exact.is_empty() { known().filter(|pen| is_meant(text, pen)).collect() } else { exact };
    if meant.is_empty() {
        let guess = config::nearest(text, known().map(|pen| pen.id.as_str()));
        let guess = guess.map_or(String::new(), |id| format!(" (did you mean `{id}`?)"));
        return Err(Failure::Input(format!(
            "no pen `{text}` has drawn{guess}: `traceur pens log` lists those that have"
        )));
    }
    Ok(meant)
}

fn one(text: &str, odometer: &Odometer) -> Result<PenKey, Failure> {
    match one_of(text, odometer)?.as_slice() {
        [pen] => Ok((*pen).clone()),
        several => {
            let names: Vec<&str> = several.iter().map(|pen| pen.name.as_str()).collect();
            Err(Failure::Input(format!(
                "`{text}` means several pens: give one of their names: {}",
                names.join("; ")
            )))
        }
    }
}

/// A name may be anybody's, from an SVG: no control characters reach the terminal.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}
