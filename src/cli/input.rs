//! What the commands after `generate` take: an SVG, a saved plan, or a program for a plotter.

use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::layout::{FillArgs, LayoutArgs, length, positive_length};
use super::lint::LintArgs;
use super::matching::{self, MatchArgs};
use super::order::OrderArgs;
use super::pass_order::PassArgs;
use super::{Failure, Terminal, files};
use traceur_app::catalog::{machines, pens};
use traceur_app::input::{self, Input, Kind, Reading, Sheet};
use traceur_app::plan::{self, Planned};
use traceur_app::preview::Playback;
use traceur_app::simulate;
use traceur_core::drawing::scene::{Filling, LayersBy, Matching, Stages};
use traceur_core::machine::Profile;
use traceur_core::toolpath::lint::Finding;
use traceur_core::toolpath::{self, Split};

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
    fn options(&self) -> plan::Options {
        let usual = plan::Options::default();
        let toolpath = toolpath::Options {
            simplify_tolerance: self.simplify,
            least_stroke: self.min_stroke,
            split: self.split_mm.map(|most| Split { most, overlap: self.split_overlap }),
            ..usual.toolpath
        };
        self.order.options(plan::Options { toolpath, most_overdraw: self.lint.most_overdraw, ..usual })
    }

    /// Plans a sheet.
    pub(super) fn plan(
        &self,
        sheet: &Sheet,
        profile: &Profile,
        terminal: &Terminal,
    ) -> Result<Planned, Failure> {
        Ok(plan::plan_input(&sheet.input, &self.options(), profile, terminal)?)
    }

    /// Lets the virtual plotter draw a sheet, and gives what may go wrong on paper; nothing for somebody's program.
    pub(super) fn simulate(
        &self,
        sheet: &Sheet,
        profile: &Profile,
        terminal: &Terminal,
    ) -> Result<(Playback, Vec<Finding>), Failure> {
        if let Input::Program(bytes) = &sheet.input {
            let (page, pens) = (self.layout.page, self.pens.as_deref());
            let playback = simulate::simulate_program(bytes, page, pens, profile, terminal)?;
            return Ok((playback, Vec::new()));
        }
        let planned = self.plan(sheet, profile, terminal)?;
        Ok((simulate::simulate(&planned)?, planned.report.lint))
    }

    /// Reads the input, one sheet of it, and says what was left out.
    pub(super) fn read(&self, terminal: &Terminal) -> Result<Sheet, Failure> {
        let mut sheets = self.read_sheets(terminal)?;
        let count = sheets.len();
        match sheets.pop() {
            Some(sheet) if count == 1 => Ok(sheet),
            _ => Err(Failure::Input(format!(
                "this takes {count} sheets: choose one with --sheet 1 to {count}"
            ))),
        }
    }

    /// Reads the input, a drawing for each sheet, and says what was left out.
    pub(super) fn read_sheets(&self, terminal: &Terminal) -> Result<Vec<Sheet>, Failure> {
        let bytes = files::read(&self.input)?;
        match Kind::of(&self.input, &bytes) {
            Kind::Plan => {
                self.layout.refuse_for("a saved plan")?;
                Ok(vec![input::read_plan(&self.name(), &bytes)?])
            }
            Kind::Program => {
                self.layout.refuse_for("a program for a plotter")?;
                Ok(vec![Sheet { number: None, input: Input::Program(bytes) }])
            }
            Kind::Svg | Kind::Pixels => self.read_svg(bytes, terminal),
        }
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
        let reading = Reading { stages, pass_order: self.passes.order(), sheet: self.layout.sheet };
        let sheets = input::read_svg(&self.name(), svg, &reading, terminal)?;
        if let Some(Sheet { input: Input::Drawing(laid), .. }) = sheets.first() {
            matching::tell(&laid.mapping, terminal);
        }
        Ok(sheets)
    }
}

/// A file's name for a sheet: `ink.png`, or `ink-2.png` where there are several.
pub(super) fn file_of(sheet: &Sheet, path: &Path) -> PathBuf {
    let Some(number) = sheet.number else { return path.to_owned() };
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let extension = path.extension().map(|e| format!(".{}", e.to_string_lossy())).unwrap_or_default();
    path.with_file_name(format!("{stem}-{number}{extension}"))
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

/// The stem of the input's name, for outputs.
pub(super) fn stem(path: &Path) -> String {
    path.file_stem()
        .filter(|_| !files::is_dash(path))
        .map_or("drawing".into(), |stem| stem.to_string_lossy().into_owned())
}
