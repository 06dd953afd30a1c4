//! `traceur plan`: order, passes, times.

use std::path::PathBuf;

use serde_json::json;

use super::input::{InputArgs, file_of};
use super::show::ShowArgs;
use super::terminal::{clock, table};
use super::{Failure, Terminal, files};
use traceur_app::input::{Input, Sheet};
use traceur_app::ordered::ordered;
use traceur_app::plan::{Planned, Report};
use traceur_core::drawing::svg;
use traceur_core::machine::Profile;
use traceur_core::toolpath::file;

/// Order the strokes of a drawing pen by pen, and say what plotting them costs.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  traceur plan drawing.svg
  traceur plan drawing.svg -m grbl-z -p fineliner-12:blue,red -o plan.json
  traceur plan drawing.svg -o ordered.svg --effort 50
  traceur plan logo.svg --fill hatch --page A4 --fit -o hatched.svg
  traceur plan poster.svg --tile 2x2 -o sheet.svg     sheet-1.svg to sheet-4.svg
  traceur plan brush.svg --split-mm 2m --split-overlap 3mm
  cat drawing.svg | traceur plan - --json | jq .seconds")]
pub(super) struct Args {
    #[command(flatten)]
    input: InputArgs,
    /// Save the plan (`.json`) or the ordered drawing (`.svg`), so that it need not be done again; `-` for stdout.
    #[arg(short, long)]
    output: Option<PathBuf>,
    #[command(flatten)]
    show: ShowArgs,
}

pub(super) fn run(args: &Args, terminal: &Terminal) -> Result<(), Failure> {
    if let Some(output) = &args.output {
        files::check_writable(output)?;
    }
    let profile = args.input.profile()?;
    let sheets = args.input.read_sheets(terminal)?;
    if let [sheet] = sheets.as_slice() {
        let planned = plan(sheet, args, &profile, terminal)?;
        if args.output.as_deref().is_some_and(files::is_dash) {
            return Ok(());
        }
        if let Input::Toolpath(_) = sheet.input {
            terminal.say("this is a saved plan: its order is kept");
        }
        terminal.result(&planned.report, || to_table(&planned.report))?;
        return args.input.lint.tell(&planned.report.lint, terminal);
    }
    if args.output.as_deref().is_some_and(files::is_dash) {
        return Err(Failure::Input(format!(
            "{} sheets don't fit in one stream: choose one with --sheet",
            sheets.len()
        )));
    }
    let planned: Result<Vec<Planned>, Failure> =
        sheets.iter().map(|sheet| plan(sheet, args, &profile, terminal)).collect();
    let planned = planned?;
    let numbered = || sheets.iter().map(|sheet| sheet.number.unwrap_or(1)).zip(&planned);
    let reports: Vec<_> =
        numbered().map(|(number, planned)| json!({ "sheet": number, "report": planned.report })).collect();
    terminal.result(&json!({ "sheets": reports }), || {
        let tables =
            numbered().map(|(number, planned)| format!("sheet {number}\n{}", to_table(&planned.report)));
        tables.collect::<Vec<_>>().join("\n\n")
    })?;
    planned.iter().try_for_each(|planned| args.input.lint.tell(&planned.report.lint, terminal))
}

/// Plans one sheet and saves it.
fn plan(sheet: &Sheet, args: &Args, profile: &Profile, terminal: &Terminal) -> Result<Planned, Failure> {
    let planned = args.input.plan(sheet, profile, terminal)?;
    if let Some(output) = &args.output {
        let text = match (output.extension(), &sheet.input) {
            (Some(extension), Input::Drawing(laid)) if extension.eq_ignore_ascii_case("svg") => {
                svg::write(&ordered(&planned.toolpath, Some(&laid.drawing)))
            }
            (Some(extension), _) if extension.eq_ignore_ascii_case("svg") => {
                svg::write(&ordered(&planned.toolpath, None))
            }
            _ => file::to_json(&planned.toolpath),
        };
        files::write(&file_of(sheet, output), text.as_bytes(), terminal)?;
    }
    if args.show.is_wanted() {
        args.show.show_drawing(&ordered(&planned.toolpath, None), terminal)?;
    }
    Ok(planned)
}

/// In the table, a pass of the pen before.
const REFILL: &str = "  refill";

/// Before and after, for people.
pub(super) fn to_table(report: &Report) -> String {
    let row = |name: &str, strokes, draw: f64, travel: [f64; 2], lifts: [usize; 2], seconds: [f64; 2]| {
        let mut row = vec![name.to_owned(), format!("{strokes}"), format!("{:.2} m", draw / 1000.0)];
        // What came in for a pen is said once, not again at its refills.
        let both = |before: String, after: String| {
            if name == REFILL { after } else { format!("{before} > {after}") }
        };
        row.push(both(format!("{:.2}", travel[0] / 1000.0), format!("{:.2} m", travel[1] / 1000.0)));
        row.push(both(lifts[0].to_string(), lifts[1].to_string()));
        row.push(both(clock(seconds[0]), clock(seconds[1])));
        row
    };
    let mut rows = Vec::new();
    for (index, pass) in report.passes.iter().enumerate() {
        let is_refill = index > 0 && report.passes[index - 1].pen == pass.pen;
        rows.push(row(
            if is_refill { REFILL } else { &pass.pen },
            pass.strokes,
            pass.draw_mm,
            [pass.input.travel_mm, pass.travel_mm],
            [pass.input.lifts, pass.lifts],
            [pass.input.seconds, pass.seconds],
        ));
    }
    rows.push(row(
        "all",
        report.strokes,
        report.draw_mm,
        [report.input.travel_mm, report.travel_mm],
        [report.input.lifts, report.lifts],
        [report.input.seconds, report.seconds],
    ));
    table(&["pass", "strokes", "draw", "travel", "lifts", "time"], &rows)
}
