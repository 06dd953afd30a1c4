//! `traceur preview`: the bytes through the virtual plotter, the ink on paper.

use std::path::PathBuf;

use serde::Serialize;

use super::input::{Input, InputArgs, stem};
use super::pipeline::{self, Planned, rounded};
use super::plan::to_stroke;
use super::terminal::clock;
use super::{Failure, Terminal, files};
use crate::drawing::{Drawing, Layer, Page, svg};
use crate::geometry::{Point, Polyline};
use crate::machine::{Placement, Profile};
use crate::pens::Pen;
use crate::preview::{Gap, to_png};
use crate::sim::{self, MotionTrace};

/// Send the bytes to the virtual plotter and see the ink on its paper.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  traceur preview drawing.svg -p fineliner-12 -o ink.png
  traceur preview drawing.svg -m grbl-z -o marks.svg
  traceur preview somebody-elses.gcode -m grbl-z -o ink.png --page A4")]
pub(super) struct Args {
    #[command(flatten)]
    input: InputArgs,
    /// Picture of the ink (`.png`), or its marks (`.svg`). Default: the input's name with `-ink.png`.
    #[arg(short, long)]
    output: Option<PathBuf>,
    /// Pixels an inch of the picture.
    #[arg(long, default_value_t = 300.0, value_parser = parse_dpi)]
    dpi: f64,
    /// The sheet for a program that names none; default: the machine's whole bed.
    #[arg(long)]
    page: Option<String>,
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
    output: String,
    seconds: f64,
    draw_mm: f64,
    travel_mm: f64,
    off_page_mm: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    gap: Option<Gap>,
}

pub(super) fn run(args: &Args, terminal: &Terminal) -> Result<(), Failure> {
    let output = args.output.clone().unwrap_or_else(|| format!("{}-ink.png", stem(&args.input.input)).into());
    files::check_writable(&output)?;
    let as_svg = output.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("svg"));
    if !as_svg
        && !files::is_dash(&output)
        && !output.extension().is_some_and(|e| e.eq_ignore_ascii_case("png"))
    {
        return Err(Failure::Input(format!("{}: name it `.png` or `.svg`", output.display())));
    }
    let profile = args.input.profile()?;
    let input = args.input.read(terminal)?;
    let simulated = simulate(&input, &profile, args, terminal)?;
    if too_large(&simulated.page, args.dpi) {
        return Err(Failure::Input(format!(
            "{} dpi of this page is too large a picture: give a smaller --dpi",
            args.dpi
        )));
    }
    let inked = pipeline::ink(&simulated.page, &simulated.passes, args.dpi, terminal);
    let gap = match &input {
        Input::Drawing { svg, .. } => {
            let wanted = pipeline::viewed(&args.input.name(), svg)?;
            let compared = pipeline::ink(&simulated.page, &simulated.passes, pipeline::GAP_DPI, terminal);
            Some(compared.gap(&wanted, &simulated.page)?)
        }
        Input::Toolpath(_) | Input::Program(_) => None,
    };
    let bytes = if as_svg { simulated.to_svg().into_bytes() } else { to_png(&inked.picture)? };
    files::write(&output, &bytes, terminal)?;
    if files::is_dash(&output) {
        return Ok(());
    }
    let report = Report {
        output: output.display().to_string(),
        seconds: rounded(simulated.seconds),
        draw_mm: rounded(inked.draw_mm),
        travel_mm: rounded(simulated.travel_mm),
        off_page_mm: rounded(inked.off_page_mm),
        gap,
    };
    terminal.result(&report, || report.to_text())
}

fn too_large(page: &Page, dpi: f64) -> bool {
    page.width * page.height * (dpi / 25.4).powi(2) > 2e8
}

impl Report {
    fn to_text(&self) -> String {
        let mut text = format!(
            "{}: {} of plotting, {:.2} m drawn, {:.2} m of travel, {:.1} mm off the page",
            self.output,
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
}

fn simulate(
    input: &Input,
    profile: &Profile,
    args: &Args,
    terminal: &Terminal,
) -> Result<Simulated, Failure> {
    match input {
        Input::Program(bytes) => simulate_program(bytes, profile, args),
        Input::Drawing { .. } | Input::Toolpath(_) => {
            let planned = pipeline::plan_input(input, &args.input.order, profile, terminal)?;
            simulate_plan(&planned, profile)
        }
    }
}

fn simulate_plan(planned: &Planned, profile: &Profile) -> Result<Simulated, Failure> {
    let page = planned.toolpath.page;
    let mut simulated = Simulated { page, passes: Vec::new(), seconds: 0.0, travel_mm: 0.0 };
    for (program, pass) in planned.programs.iter().zip(&planned.toolpath.passes) {
        let trace = sim::run_program(program.to_text().as_bytes(), profile)?;
        simulated.add(pass.pen.clone(), &trace, &Placement::new(profile, page.height));
    }
    Ok(simulated)
}

/// A program is by whoever wrote it: one pass, with one pen.
fn simulate_program(bytes: &[u8], profile: &Profile, args: &Args) -> Result<Simulated, Failure> {
    let page = match &args.page {
        Some(page) => Page::parse(page)?,
        None => Page { width: profile.bed.width, height: profile.bed.height },
    };
    let pen = args.input.first_pen()?;
    let trace = sim::run_program(bytes, profile)?;
    let mut simulated = Simulated { page, passes: Vec::new(), seconds: 0.0, travel_mm: 0.0 };
    simulated.add(pen, &trace, &Placement::new(profile, page.height));
    Ok(simulated)
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
