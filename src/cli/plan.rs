//! `traceur plan`: order, passes, times.

use std::path::PathBuf;

use super::input::{Input, InputArgs, plan_text};
use super::{Failure, Terminal, files, pipeline};
use crate::drawing::svg;
use crate::drawing::{Drawing, Layer, Stroke};
use crate::geometry::{BezPath, Polyline};
use crate::toolpath::Toolpath;

/// Order the strokes of a drawing pen by pen, and say what plotting them costs.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  traceur plan drawing.svg
  traceur plan drawing.svg -m grbl-z -p fineliner-12:black,red -o plan.json
  traceur plan drawing.svg -o ordered.svg --effort 50
  cat drawing.svg | traceur plan - --json | jq .seconds")]
pub(super) struct Args {
    #[command(flatten)]
    input: InputArgs,
    /// Save the plan (`.json`) or the ordered drawing (`.svg`), so that it need not be done again; `-` for stdout.
    #[arg(short, long)]
    output: Option<PathBuf>,
}

pub(super) fn run(args: &Args, terminal: &Terminal) -> Result<(), Failure> {
    if let Some(output) = &args.output {
        files::check_writable(output)?;
    }
    let profile = args.input.profile()?;
    let input = args.input.read(terminal)?;
    let planned = pipeline::plan_input(&input, &args.input.order, &profile, terminal)?;
    if let Some(output) = &args.output {
        let text = match output.extension() {
            Some(extension) if extension.eq_ignore_ascii_case("svg") => {
                svg::write(&ordered(&planned.toolpath))
            }
            _ => plan_text(&planned.toolpath)?,
        };
        files::write(output, text.as_bytes(), terminal)?;
        if files::is_dash(output) {
            return Ok(());
        }
    }
    if let (Input::Toolpath(_), false) = (&input, planned.report.passes.is_empty()) {
        terminal.say("this is a saved plan: its order is kept");
    }
    terminal.result(&planned.report, || planned.report.to_table())
}

/// The strokes of a toolpath as a drawing, in drawing order.
pub(super) fn ordered(toolpath: &Toolpath) -> Drawing {
    let layers = toolpath
        .passes
        .iter()
        .map(|pass| Layer { pen: pass.pen.clone(), strokes: pass.strokes.iter().map(to_stroke).collect() })
        .collect();
    Drawing { page: toolpath.page, layers }
}

/// A polyline as a stroke.
pub(super) fn to_stroke(line: &Polyline) -> Stroke {
    let mut path = BezPath::new();
    path.move_to(line.start());
    line.points[1..].iter().for_each(|point| path.line_to(*point));
    Stroke { path, group: 0 }
}
