//! `traceur plan`: order, passes, times.

use std::collections::HashMap;
use std::path::PathBuf;

use serde_json::json;

use super::input::{Input, InputArgs, Sheet};
use super::pipeline::Planned;
use super::show::ShowArgs;
use super::{Failure, Terminal, files, pipeline};
use traceur_core::drawing::svg;
use traceur_core::drawing::{Drawing, Layer, Stroke};
use traceur_core::geometry::{BezPath, Polyline, flatten};
use traceur_core::machine::Profile;
use traceur_core::toolpath::{Toolpath, file};

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
        terminal.result(&planned.report, || planned.report.to_table())?;
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
            numbered().map(|(number, planned)| format!("sheet {number}\n{}", planned.report.to_table()));
        tables.collect::<Vec<_>>().join("\n\n")
    })?;
    planned.iter().try_for_each(|planned| args.input.lint.tell(&planned.report.lint, terminal))
}

/// Plans one sheet and saves it.
fn plan(sheet: &Sheet, args: &Args, profile: &Profile, terminal: &Terminal) -> Result<Planned, Failure> {
    let planned = pipeline::plan_input(&sheet.input, &args.input.wishes(), profile, terminal)?;
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
        files::write(&sheet.file(output), text.as_bytes(), terminal)?;
    }
    if args.show.is_wanted() {
        args.show.show_drawing(&ordered(&planned.toolpath, None), terminal)?;
    }
    Ok(planned)
}

/// The strokes of a toolpath as a drawing, in drawing order. A stroke that is drawn just as `given` has it, or the other
/// way round, keeps its curves.
fn ordered(toolpath: &Toolpath, given: Option<&Drawing>) -> Drawing {
    let layer = |pass: &traceur_core::toolpath::Pass| {
        let curves = given.map(|given| Curves::of(given, &pass.pen.id));
        let stroke = |line: &Polyline| {
            curves.as_ref().and_then(|curves| curves.find(line)).unwrap_or_else(|| to_stroke(line))
        };
        Layer { pen: pass.pen.clone(), strokes: pass.strokes.iter().map(stroke).collect() }
    };
    Drawing { page: toolpath.page, layers: toolpath.passes.iter().map(layer).collect() }
}

/// The curved strokes of a pen, by their ends.
struct Curves<'a> {
    by_ends: HashMap<[u64; 4], Vec<(&'a BezPath, f64)>>,
}

impl<'a> Curves<'a> {
    fn of(drawing: &'a Drawing, pen: &str) -> Self {
        let mut by_ends: HashMap<[u64; 4], Vec<(&BezPath, f64)>> = HashMap::new();
        let layers = drawing.layers.iter().filter(|layer| layer.pen.id == pen);
        for stroke in layers.flat_map(|layer| &layer.strokes) {
            let is_curved = stroke
                .path
                .iter()
                .any(|element| matches!(element, kurbo::PathEl::QuadTo(..) | kurbo::PathEl::CurveTo(..)));
            let lines = if is_curved { flatten(&stroke.path, 0.01) } else { Vec::new() };
            if let [line] = lines.as_slice() {
                by_ends.entry(ends(line)).or_default().push((&stroke.path, line.length()));
            }
        }
        Self { by_ends }
    }

    /// The curve that this line is made of: the same ends, and a length that flattening and leaving out vertices explain.
    fn find(&self, line: &Polyline) -> Option<Stroke> {
        let alike = |line: &Polyline| {
            let curves = self.by_ends.get(&ends(line))?;
            let length = line.length();
            curves
                .iter()
                .find(|curve| (curve.1 - length).abs() < 0.01 + 1e-3 * length)
                .map(|curve| curve.0.clone())
        };
        let backward = || {
            let mut reversed = line.clone();
            reversed.reverse();
            alike(&reversed).map(|path| path.reverse_subpaths())
        };
        alike(line).or_else(backward).map(|path| Stroke { path, group: 0 })
    }
}

fn ends(line: &Polyline) -> [u64; 4] {
    [line.start().x, line.start().y, line.end().x, line.end().y].map(f64::to_bits)
}

/// A polyline as a stroke.
pub(super) fn to_stroke(line: &Polyline) -> Stroke {
    Stroke { path: line.to_path(), group: 0 }
}
