//! What the commands after `generate` take: an SVG, a saved plan, or a program for a plotter.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use super::layout::{FillArgs, LayoutArgs, length, positive_length};
use super::lint::LintArgs;
use super::matching::{self, MatchArgs};
use super::order::OrderArgs;
use super::pass_order::PassArgs;
use super::pipeline::Wishes;
use super::terminal::plain;
use super::{Failure, Terminal, files};
use traceur_app::catalog::{machines, pens};
use traceur_core::color::{parse_hex, to_hex};
use traceur_core::drawing::scene::{Drawn, Filling, LayersBy, Match, Matching, Stages};
use traceur_core::drawing::svg::{self, View, Viewer};
use traceur_core::drawing::{Drawing, Page};
use traceur_core::geometry::{Point, Polyline, Rect};
use traceur_core::machine::Profile;
use traceur_core::pens::Pen;
use traceur_core::toolpath::{Pass, Split, Toolpath};

/// The input and how to read it.
#[derive(Debug, clap::Args)]
pub(super) struct InputArgs {
    /// SVG, plan JSON, or a program in G-code, EBB commands or HP-GL; `-` for stdin.
    pub(super) input: PathBuf,
    /// Machine: an id or a TOML file. Default: grbl-servo; axidraw-v3 for `.ebb`, hp7475a for `.hpgl` and `.plt`.
    #[arg(short, long)]
    machine: Option<String>,
    /// Pens to draw with: `SET`, `SET:id,id`, `black,red,stabilo:44`, or a TOML file. Default: pens of the drawing's own colors.
    #[arg(short, long)]
    pens: Option<String>,
    #[command(flatten)]
    passes: PassArgs,
    /// What makes a layer.
    #[arg(long, value_enum, default_value_t = Layers::Auto)]
    layers: Layers,
    #[command(flatten)]
    order: OrderArgs,
    /// Leave out vertices that move a line by less than this; `0mm` keeps all.
    #[arg(long, value_name = "LENGTH", value_parser = length, default_value = "0.01mm")]
    simplify: f64,
    /// Leave out strokes, and dots, that are shorter than this once they are joined. Default: none.
    #[arg(long, value_name = "LENGTH", value_parser = length, default_value = "0mm", hide_default_value = true)]
    min_stroke: f64,
    /// Begin a new pass, to refill the pen, before more than this is drawn: `50m`. A stroke that fits a fill is not cut.
    #[arg(long, value_name = "LENGTH", value_parser = positive_length)]
    split_mm: Option<f64>,
    /// Where a refill cuts a stroke, go on this far before the cut.
    #[arg(long, value_name = "LENGTH", value_parser = length, default_value = "0mm", requires = "split_mm")]
    split_overlap: f64,
    #[command(flatten)]
    matching: MatchArgs,
    #[command(flatten)]
    pub(super) lint: LintArgs,
    #[command(flatten)]
    fills: FillArgs,
    #[command(flatten)]
    pub(super) layout: LayoutArgs,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Layers {
    /// By label where there are layers, else by color.
    Auto,
    Label,
    Id,
    Color,
}

/// What was read.
#[derive(Debug)]
pub(super) enum Input {
    /// An SVG, laid out.
    Drawing(Box<Laid>),
    /// A saved plan.
    Toolpath(Toolpath),
    /// Somebody's program for a plotter.
    Program(Vec<u8>),
}

/// A drawing on its sheet.
#[derive(Debug)]
pub(super) struct Laid {
    pub(super) drawing: Drawing,
    /// What may be drawn on of the sheet, margins and all; mm.
    pub(super) area: Rect,
    /// The SVG as its viewer shows it, and where it lies on the sheet.
    pub(super) viewer: Rc<Viewer>,
    pub(super) view: View,
    /// Length of the lines that ink areas, and of what lies hidden below them; mm.
    pub(super) filled_mm: f64,
    pub(super) hidden_mm: f64,
    /// Which pen the colors found.
    pub(super) mapping: Vec<Match>,
    /// Texts that are no paths yet.
    pub(super) texts: usize,
}

/// One sheet of what was read.
#[derive(Debug)]
pub(super) struct Sheet {
    /// Its number, from 1, where there are several.
    pub(super) number: Option<usize>,
    pub(super) input: Input,
}

impl Sheet {
    /// A file's name for this sheet: `ink.png`, or `ink-2.png`.
    pub(super) fn file(&self, path: &Path) -> PathBuf {
        let Some(number) = self.number else { return path.to_owned() };
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let extension = path.extension().map(|e| format!(".{}", e.to_string_lossy())).unwrap_or_default();
        path.with_file_name(format!("{stem}-{number}{extension}"))
    }
}

impl InputArgs {
    pub(super) fn profile(&self) -> Result<Profile, Failure> {
        Ok(self.profile_and_text()?.0)
    }

    /// The same, with its TOML text.
    pub(super) fn profile_and_text(&self) -> Result<(Profile, String), Failure> {
        let machine = self.machine.as_deref().unwrap_or_else(|| usual_machine(&self.input));
        let (mut profile, text) = machines::choose_with_text(machine)?;
        profile.bed.turns_pages &= !self.layout.no_rotate;
        Ok((profile, text))
    }

    /// Its name for messages and file names.
    pub(super) fn name(&self) -> String {
        if files::is_dash(&self.input) { "stdin".into() } else { self.input.display().to_string() }
    }

    /// How the toolpath is to be made.
    pub(super) fn wishes(&self) -> Wishes {
        Wishes {
            order: self.order,
            simplify: self.simplify,
            min_stroke: self.min_stroke,
            most_overdraw: self.lint.most_overdraw,
            split: self.split_mm.map(|most| Split { most, overlap: self.split_overlap }),
        }
    }

    /// Reads the input, one sheet of it, and says what was left out.
    pub(super) fn read(&self, terminal: &Terminal) -> Result<Input, Failure> {
        let mut sheets = self.read_sheets(terminal)?;
        let count = sheets.len();
        match sheets.pop() {
            Some(sheet) if count == 1 => Ok(sheet.input),
            _ => Err(Failure::Input(format!(
                "this takes {count} sheets: choose one with --sheet 1 to {count}"
            ))),
        }
    }

    /// Reads the input, a drawing for each sheet, and says what was left out.
    pub(super) fn read_sheets(&self, terminal: &Terminal) -> Result<Vec<Sheet>, Failure> {
        let bytes = files::read(&self.input)?;
        let start = bytes.iter().copied().find(|byte| !byte.is_ascii_whitespace() && *byte != 0xef);
        let is_svg = self.input.extension().is_some_and(|e| e.eq_ignore_ascii_case("svg"));
        let one = |input| Ok(vec![Sheet { number: None, input }]);
        match start {
            Some(b'{') if !is_svg => {
                self.layout.refuse_for("a saved plan")?;
                one(Input::Toolpath(parse_plan(&self.name(), &bytes)?))
            }
            Some(c) if !is_svg && is_program(c) => {
                self.layout.refuse_for("a program for a plotter")?;
                one(Input::Program(bytes))
            }
            _ => self.read_svg(bytes, terminal),
        }
    }

    /// The pens for a program that takes the first `slots` places of a carousel: those that were asked for, else as many
    /// fineliners, or a black one.
    pub(super) fn program_pens(&self, slots: u32) -> Result<Vec<Pen>, Failure> {
        let set = self.pens.as_deref().unwrap_or(if slots > 1 { "fineliner-12" } else { "black" });
        let chosen = pens::choose(set)?;
        if chosen.is_empty() {
            return Err(Failure::Input(format!("--pens {set}: no pen in it: name one, such as `black`")));
        }
        Ok(chosen)
    }

    fn read_svg(&self, svg: Vec<u8>, terminal: &Terminal) -> Result<Vec<Sheet>, Failure> {
        let mut pens = self.pens.as_deref().map(pens::choose).transpose()?.unwrap_or_default();
        self.passes.apply(&mut pens);
        let layers = match self.layers {
            Layers::Auto => LayersBy::Auto,
            Layers::Label => LayersBy::Label,
            Layers::Id => LayersBy::Id,
            Layers::Color => LayersBy::Color,
        };
        let layout = self.layout.layout();
        let stages = Stages {
            matching: Matching { layers, ..self.matching.matching(&pens)? },
            filling: Filling {
                fill: self.fills.fill(),
                hatching: self.fills.hatching(),
                fat: self.matching.fat(),
            },
            occlude: self.fills.occlude(),
            layout: Some(&layout),
        };
        let source = svg::read(&self.name(), &svg)?;
        drop(svg);
        let mut drawn = source.scene.draw(&stages)?;
        if pens.is_empty() {
            self.passes.apply_to_layers(&mut drawn.drawing);
        }
        for warning in &drawn.warnings {
            terminal.warn(warning);
        }
        matching::tell(&drawn.mapping, terminal);
        if drawn.widened > 0 {
            let (count, s) = (drawn.widened, if drawn.widened == 1 { "" } else { "s" });
            terminal.say(format!(
                "{count} stroke{s} wider than the pen became parallel lines (--fat-strokes single draws one)"
            ));
        }
        self.sheets(&drawn, &Rc::new(source.viewer), terminal)
    }

    /// The chosen sheet, or all that are not empty.
    fn sheets(&self, drawn: &Drawn, viewer: &Rc<Viewer>, terminal: &Terminal) -> Result<Vec<Sheet>, Failure> {
        let count = drawn.arrangement.sheets.len();
        let chosen = match self.layout.sheet {
            Some(number) if (1..=count).contains(&number) => number - 1..number,
            Some(number) => {
                return Err(Failure::Input(format!("--sheet {number}: there are {count} sheets")));
            }
            None => 0..count,
        };
        let is_alone = chosen.len() == 1;
        let mut sheets = Vec::new();
        for index in chosen {
            let cut = drawn.arrangement.cut(&drawn.drawing, index);
            let Some(drawing) = cut.filter(|drawing| drawing.strokes() > 0) else {
                terminal.say(format!("sheet {} of {count} is empty", index + 1));
                continue;
            };
            let page = drawing.page;
            let laid = Laid {
                // What is cut over sheets ends at the margins already, and its registration marks lie beyond.
                area: if drawn.arrangement.is_cut { page.rect() } else { drawn.arrangement.area },
                viewer: Rc::clone(viewer),
                view: View { page, copies: drawn.arrangement.copies_on(index) },
                filled_mm: drawn.filled_mm,
                hidden_mm: drawn.hidden_mm,
                mapping: drawn.mapping.clone(),
                texts: drawn.skipped.texts,
                drawing,
            };
            let number = (!is_alone).then_some(index + 1);
            sheets.push(Sheet { number, input: Input::Drawing(Box::new(laid)) });
        }
        if sheets.is_empty() {
            return Err(Failure::Input("nothing to draw: the sheet is empty".into()));
        }
        Ok(sheets)
    }
}

/// Whether a file that begins with this byte is G-code, EBB commands or HP-GL.
fn is_program(first: u8) -> bool {
    first.is_ascii_alphabetic() || b"$;(%/\x1b".contains(&first)
}

/// The machine that a file's name speaks of.
fn usual_machine(path: &Path) -> &'static str {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    match extension.to_ascii_lowercase().as_str() {
        "ebb" => "axidraw-v3",
        "hpgl" | "hpg" | "plt" => "hp7475a",
        _ => "grbl-servo",
    }
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
            .map(|stroke| stroke.points().iter().map(|p| [micrometer(p.x), micrometer(p.y)]).collect())
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
        id: plain(&pen.id),
        name: plain(&pen.name),
        color: parse_hex(&pen.color)?,
        tip: pen.tip_mm,
        opacity: pen.opacity,
        speed: pen.speed_mm_s,
        slot: pen.slot,
        metres: None,
        pass: None,
    })
}

/// The stem of the input's name, for outputs.
pub(super) fn stem(path: &Path) -> String {
    path.file_stem()
        .filter(|_| !files::is_dash(path))
        .map_or("drawing".into(), |stem| stem.to_string_lossy().into_owned())
}
