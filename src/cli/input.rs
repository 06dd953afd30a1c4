//! What the commands after `generate` take: an SVG, a saved plan, or a program for a plotter.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use super::order::OrderArgs;
use super::{Failure, Terminal, files, machines, pens};
use crate::color::{parse_hex, to_hex};
use crate::drawing::svg::{self, Fill, LayersBy, ReadOptions};
use crate::drawing::{Drawing, Page};
use crate::geometry::{Point, Polyline};
use crate::machine::Profile;
use crate::pens::Pen;
use crate::toolpath::{Pass, Toolpath};

/// The input and how to read it.
#[derive(Debug, clap::Args)]
pub(super) struct InputArgs {
    /// SVG, plan JSON or G-code; `-` for stdin.
    pub(super) input: PathBuf,
    /// Machine: a built-in id or a TOML file.
    #[arg(short, long, default_value = "grbl-servo")]
    machine: String,
    /// Pens to draw with: `SET`, `SET:id,id` or a TOML file. Default: pens of the drawing's own colors.
    #[arg(short, long)]
    pens: Option<String>,
    /// What makes a layer.
    #[arg(long, value_enum, default_value_t = Layers::Auto)]
    layers: Layers,
    /// What becomes of filled shapes without an outline.
    #[arg(long, value_enum, default_value_t = Fills::Outline)]
    fill: Fills,
    #[command(flatten)]
    pub(super) order: OrderArgs,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Layers {
    /// By label where there are layers, else by color.
    Auto,
    Label,
    Id,
    Color,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Fills {
    Outline,
    Hatch,
    None,
}

/// What was read.
#[derive(Debug)]
pub(super) enum Input {
    /// An SVG: its bytes and what they say.
    Drawing { svg: Vec<u8>, drawing: Drawing },
    /// A saved plan.
    Toolpath(Toolpath),
    /// Somebody's G-code.
    Program(Vec<u8>),
}

impl InputArgs {
    pub(super) fn profile(&self) -> Result<Profile, Failure> {
        machines::choose(&self.machine)
    }

    /// Its name for messages and file names.
    pub(super) fn name(&self) -> String {
        if files::is_dash(&self.input) { "stdin".into() } else { self.input.display().to_string() }
    }

    /// Reads the input and says what was left out.
    pub(super) fn read(&self, terminal: &Terminal) -> Result<Input, Failure> {
        let bytes = files::read(&self.input)?;
        let start = bytes.iter().copied().find(|byte| !byte.is_ascii_whitespace() && *byte != 0xef);
        let is_svg = self.input.extension().is_some_and(|e| e.eq_ignore_ascii_case("svg"));
        match start {
            Some(b'{') if !is_svg => Ok(Input::Toolpath(parse_plan(&self.name(), &bytes)?)),
            Some(c) if !is_svg && is_gcode(c) => Ok(Input::Program(bytes)),
            _ => self.read_svg(bytes, terminal),
        }
    }

    /// The pen for a program that does not know its own: the first that was asked for, or a black one.
    pub(super) fn first_pen(&self) -> Result<Pen, Failure> {
        let set = self.pens.as_deref().unwrap_or("black");
        let none = || Failure::Input(format!("--pens {set}: no pen in it: name one, such as `black`"));
        pens::choose(set)?.into_iter().next().ok_or_else(none)
    }

    fn read_svg(&self, svg: Vec<u8>, terminal: &Terminal) -> Result<Input, Failure> {
        let pens = self.pens.as_deref().map(pens::choose).transpose()?.unwrap_or_default();
        let layers = match self.layers {
            Layers::Auto => LayersBy::Auto,
            Layers::Label => LayersBy::Label,
            Layers::Id => LayersBy::Id,
            Layers::Color => LayersBy::Color,
        };
        let fill = match self.fill {
            Fills::Outline => Fill::Outline,
            Fills::Hatch => Fill::Hatch,
            Fills::None => Fill::None,
        };
        let import = svg::read(
            &self.name(),
            &svg,
            &ReadOptions { layers, pens: &pens, fill, ..ReadOptions::default() },
        )?;
        for warning in &import.warnings {
            terminal.warn(warning);
        }
        Ok(Input::Drawing { svg, drawing: import.drawing })
    }
}

/// Whether a file that begins with this byte is G-code.
fn is_gcode(first: u8) -> bool {
    first.is_ascii_alphabetic() || b"$;(%/".contains(&first)
}

/// A saved plan: what `plan -o` writes.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PlanFile {
    format: u32,
    kind: String,
    page_mm: [f64; 2],
    passes: Vec<PlanPass>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PlanPass {
    pen: PlanPen,
    strokes: Vec<Vec<[f64; 2]>>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PlanPen {
    id: String,
    name: String,
    color: String,
    tip_mm: f64,
    opacity: f32,
    speed_mm_s: Option<f64>,
    slot: Option<u32>,
}

const PLAN_KIND: &str = "traceur-plan";

/// The JSON text of a plan, µm exact.
pub(super) fn plan_text(toolpath: &Toolpath) -> Result<String, Failure> {
    let micrometer = |mm: f64| (mm * 1000.0).round() / 1000.0;
    let passes = toolpath.passes.iter().map(|pass| PlanPass {
        pen: PlanPen {
            id: pass.pen.id.clone(),
            name: pass.pen.name.clone(),
            color: to_hex(pass.pen.color),
            tip_mm: pass.pen.tip,
            opacity: pass.pen.opacity,
            speed_mm_s: pass.pen.speed,
            slot: pass.pen.slot,
        },
        strokes: pass
            .strokes
            .iter()
            .map(|stroke| stroke.points.iter().map(|p| [micrometer(p.x), micrometer(p.y)]).collect())
            .collect(),
    });
    let file = PlanFile {
        format: 1,
        kind: PLAN_KIND.into(),
        page_mm: [toolpath.page.width, toolpath.page.height],
        passes: passes.collect(),
    };
    serde_json::to_string(&file).map_err(|error| Failure::Input(error.to_string()))
}

fn parse_plan(file: &str, bytes: &[u8]) -> Result<Toolpath, Failure> {
    let wrong = |what: String| {
        Failure::Input(format!("{file}: {what}; make a plan with `traceur plan IN -o OUT.json`"))
    };
    let plan: PlanFile =
        serde_json::from_slice(bytes).map_err(|error| wrong(format!("not a plan: {error}")))?;
    let page = Page { width: plan.page_mm[0], height: plan.page_mm[1] };
    if plan.format != 1 || plan.kind != PLAN_KIND || !page.is_sane() {
        return Err(wrong("not a plan that this version reads".into()));
    }
    let mut passes = Vec::new();
    for pass in plan.passes {
        let pen = parse_plan_pen(pass.pen).map_err(&wrong)?;
        let mut strokes = Vec::new();
        for stroke in pass.strokes {
            let finite = stroke.iter().flatten().all(|value| value.abs() < 1e5);
            if stroke.len() < 2 || !finite {
                return Err(wrong(format!(
                    "pen `{}`: a stroke needs two points or more, within 100 m",
                    pen.id
                )));
            }
            strokes.push(Polyline::new(stroke.into_iter().map(|[x, y]| Point::new(x, y)).collect()));
        }
        passes.push(Pass { pen, strokes });
    }
    Ok(Toolpath { page, passes })
}

fn parse_plan_pen(pen: PlanPen) -> Result<Pen, String> {
    if !(0.01..=50.0).contains(&pen.tip_mm)
        || !(0.0..=1.0).contains(&pen.opacity)
        || pen.speed_mm_s.is_some_and(|v| v.is_nan() || v <= 0.0)
    {
        return Err(format!("pen `{}`: its tip, opacity or speed is out of range", pen.id));
    }
    Ok(Pen {
        id: pen.id,
        name: pen.name,
        color: parse_hex(&pen.color)?,
        tip: pen.tip_mm,
        opacity: pen.opacity,
        speed: pen.speed_mm_s,
        slot: pen.slot,
    })
}

/// The stem of the input's name, for outputs.
pub(super) fn stem(path: &Path) -> String {
    path.file_stem()
        .filter(|_| !files::is_dash(path))
        .map_or("drawing".into(), |stem| stem.to_string_lossy().into_owned())
}
