//! `traceur preview`: the bytes through the virtual plotter, the ink on paper.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::input::{Input, InputArgs, stem};
use super::matching::Mapped;
use super::pipeline::{self, Planned, rounded};
use super::plan::to_stroke;
use super::show::ShowArgs;
use super::terminal::clock;
use super::wanted::Source;
use super::{Failure, Terminal, files};
use crate::drawing::{Drawing, Layer, Page, svg};
use crate::geometry::{Point, Polyline};
use crate::machine::{Placement, Profile};
use crate::pens::Pen;
use crate::preview::{Gap, to_png};
use crate::sim::{self, MotionTrace};
use crate::toolpath::lint::Finding;

/// Send the bytes to the virtual plotter and see the ink on its paper.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  traceur preview drawing.svg -p fineliner-12 -o ink.png
  traceur preview drawing.svg -m grbl-z -o marks.svg
  traceur preview logo.svg --fill concentric --page A5 --fit -o ink.png
  traceur preview poster.svg --tile 2x2 -o ink.png    ink-1.png to ink-4.png
  traceur preview drawing.svg -p cmyk --show          in the terminal
  traceur preview somebody-elses.gcode -m grbl-z -o ink.png --page A4")]
pub(super) struct Args {
    #[command(flatten)]
    input: InputArgs,
    /// Picture of the ink (`.png`), or its marks (`.svg`). Default: the input's name with `-ink.png`; with `--show`, none.
    #[arg(short, long)]
    output: Option<PathBuf>,
    /// Pixels an inch of the picture.
    #[arg(long, default_value_t = 300.0, value_parser = parse_dpi)]
    dpi: f64,
    /// Picture (PNG, JPEG, SVG) that the ink is compared with, filling the sheet. Default: the drawing itself.
    #[arg(long, value_name = "FILE")]
    wanted: Option<PathBuf>,
    #[command(flatten)]
    show: ShowArgs,
}

/// Reads a resolution.
pub(super) fn parse_dpi(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(dpi) if (10.0..=1200.0).contains(&dpi) => Ok(dpi),
        _ => Err("give a number between 10 and 1200".into()),
    }
}

#[derive(Debug, Serialize)]
struct Report {
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<String>,
    seconds: f64,
    draw_mm: f64,
    travel_mm: f64,
    off_page_mm: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    gap: Option<Gap>,
    /// Which pen the drawing's colors found.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    mapping: Vec<Mapped>,
    /// What may go wrong on paper.
    lint: Vec<Finding>,
}

pub(super) fn run(args: &Args, terminal: &Terminal) -> Result<(), Failure> {
    let usual = || (!args.show.is_wanted()).then(|| format!("{}-ink.png", stem(&args.input.input)).into());
    let output: Option<PathBuf> = args.output.clone().or_else(usual);
    let is_stream = output.as_deref().is_some_and(files::is_dash);
    if let Some(output) = &output {
        files::check_writable(output)?;
        if !is_stream && !has_extension(output, "svg") && !has_extension(output, "png") {
            return Err(Failure::Input(format!("{}: name it `.png` or `.svg`", output.display())));
        }
    }
    let profile = args.input.profile()?;
    let sheets = args.input.read_sheets(terminal)?;
    if is_stream && sheets.len() > 1 {
        return Err(Failure::Input(format!(
            "{} sheets don't fit in one stream: choose one with --sheet",
            sheets.len()
        )));
    }
    let reports: Result<Vec<Report>, Failure> = sheets
        .iter()
        .map(|sheet| {
            let output = output.as_ref().map(|output| sheet.file(output));
            one(&sheet.input, output.as_deref(), &profile, args, terminal)
        })
        .collect();
    let reports = reports?;
    if is_stream {
        return Ok(());
    }
    let text = || reports.iter().map(Report::to_text).collect::<Vec<_>>().join("\n");
    match reports.as_slice() {
        [report] => terminal.result(report, text)?,
        many => terminal.result(&serde_json::json!({ "sheets": many }), text)?,
    }
    reports.iter().try_for_each(|report| args.input.lint.tell(&report.lint, terminal))
}

/// Inks one sheet.
fn one(
    input: &Input,
    output: Option<&Path>,
    profile: &Profile,
    args: &Args,
    terminal: &Terminal,
) -> Result<Report, Failure> {
    let simulated = simulate(input, profile, args, terminal)?;
    if too_large(&simulated.page, args.dpi) {
        return Err(Failure::Input(format!(
            "{} dpi of this page is too large a picture: give a smaller --dpi",
            args.dpi
        )));
    }
    let inked = pipeline::ink(&simulated.page, &simulated.passes, args.dpi, terminal);
    let wanted = match &args.wanted {
        Some(wanted) => Some(Source::read(wanted)?.on(simulated.page, 0.0)?),
        None => pipeline::viewed(&args.input.name(), input)?,
    };
    let gap = match wanted {
        Some(wanted) => {
            let compared = pipeline::ink(&simulated.page, &simulated.passes, pipeline::GAP_DPI, terminal);
            Some(compared.gap(&wanted, &simulated.page)?)
        }
        None => None,
    };
    if let Some(output) = output {
        let as_svg = has_extension(output, "svg");
        let bytes = if as_svg { simulated.to_svg().into_bytes() } else { to_png(&inked.picture)? };
        files::write(output, &bytes, terminal)?;
    }
    args.show.show(&inked.picture, terminal)?;
    Ok(Report {
        output: output.map(|output| output.display().to_string()),
        seconds: rounded(simulated.seconds),
        draw_mm: rounded(inked.draw_mm),
        travel_mm: rounded(simulated.travel_mm),
        off_page_mm: rounded(inked.off_page_mm),
        gap,
        mapping: match input {
            Input::Drawing(laid) => laid.mapping.iter().map(Mapped::from).collect(),
            Input::Toolpath(_) | Input::Program(_) => Vec::new(),
        },
        lint: simulated.lint,
    })
}

fn has_extension(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|own| own.eq_ignore_ascii_case(extension))
}

fn too_large(page: &Page, dpi: f64) -> bool {
    page.width * page.height * (dpi / 25.4).powi(2) > 2e8
}

impl Report {
    fn to_text(&self) -> String {
        let mut text = self.output.as_ref().map_or(String::new(), |output| format!("{output}: "));
        text += &format!(
            "{} of plotting, {:.2} m drawn, {:.2} m of travel, {:.1} mm off the page",
            clock(self.seconds),
            self.draw_mm / 1000.0,
            self.travel_mm / 1000.0,
            self.off_page_mm
        );
        if let Some(gap) = &self.gap {
            text += &format!(
                "\ngap to the screen: ΔE {:.1}, as seen {:.1}, SSIM {:.3}",
                gap.delta_e, gap.delta_e_seen, gap.ssim
            );
        }
        text
    }
}

/// What the virtual plotter did.
struct Simulated {
    page: Page,
    passes: Vec<(Pen, Vec<Polyline>)>,
    seconds: f64,
    travel_mm: f64,
    /// Nothing for somebody's program.
    lint: Vec<Finding>,
}

fn simulate(
    input: &Input,
    profile: &Profile,
    args: &Args,
    terminal: &Terminal,
) -> Result<Simulated, Failure> {
    match input {
        Input::Program(bytes) => simulate_program(bytes, profile, args, terminal),
        Input::Drawing(_) | Input::Toolpath(_) => {
            let planned = pipeline::plan_input(input, &args.input.wishes(), profile, terminal)?;
            simulate_plan(&planned, profile)
        }
    }
}

fn simulate_plan(planned: &Planned, profile: &Profile) -> Result<Simulated, Failure> {
    let page = planned.toolpath.page;
    let placement = Placement::of_page(profile, page.width, page.height)?;
    let mut simulated = Simulated {
        page,
        passes: Vec::new(),
        seconds: 0.0,
        travel_mm: 0.0,
        lint: planned.report.lint.clone(),
    };
    for (program, pass) in planned.programs.iter().zip(&planned.toolpath.passes) {
        let trace = sim::run_program(program.to_text().as_bytes(), profile)?;
        simulated.add(pass.pen.clone(), &trace, &placement);
    }
    Ok(simulated)
}

/// A program is by whoever wrote it: a pass for each pen that it asks for.
fn simulate_program(
    bytes: &[u8],
    profile: &Profile,
    args: &Args,
    terminal: &Terminal,
) -> Result<Simulated, Failure> {
    let bed = Page { width: profile.bed.width, height: profile.bed.height };
    let page = args.input.layout.page.unwrap_or(bed);
    let placement = Placement::of_page(profile, page.width, page.height)?;
    let trace = sim::run_program(bytes, profile)?;
    trace.warnings.iter().for_each(|warning| terminal.warn(format!("the plotter objects: {warning}")));
    let slots = trace.pieces.iter().map(|piece| piece.pen).max().unwrap_or(0);
    let pens = args.input.program_pens(slots)?;
    let travel_mm = travel_mm(&pipeline::marks(&trace, &placement));
    let passes = pipeline::marks_by_pen(&trace, &placement, &pens);
    Ok(Simulated { page, passes, seconds: trace.seconds(), travel_mm, lint: Vec::new() })
}

impl Simulated {
    fn add(&mut self, pen: Pen, trace: &MotionTrace, placement: &Placement) {
        let strokes = pipeline::marks(trace, placement);
        self.seconds += trace.seconds();
        self.travel_mm += travel_mm(&strokes);
        self.passes.push((pen, strokes));
    }

    fn to_svg(&self) -> String {
        let layers = self.passes.iter().map(|(pen, strokes)| Layer {
            pen: pen.clone(),
            strokes: strokes.iter().map(to_stroke).collect(),
        });
        svg::write(&Drawing { page: self.page, layers: layers.collect() })
    }
}

/// From the page origin through every mark, the end free; mm.
fn travel_mm(strokes: &[Polyline]) -> f64 {
    let mut at = Point::ORIGIN;
    let mut sum = 0.0;
    for stroke in strokes {
        sum += at.distance(stroke.start());
        at = stroke.end();
    }
    sum
}
