//! `traceur generate`: a drawing for the pens.

use std::path::PathBuf;
use std::time::Instant;

use super::evolve::{self, EvolveArgs};
use super::layout::length;
use super::pass_order::PassArgs;
use super::show::ShowArgs;
use super::{Failure, Terminal, files, pen_use};
use traceur_app::budget::Budget;
use traceur_app::catalog;
use traceur_app::recipe::Recipe;
use traceur_core::drawing::svg;
use traceur_generator::{Outcome, Settings};

/// Make a drawing with the pens you own: one that excites a neuron, or one that is seen as a picture.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  traceur generate -o bubbles.svg
  traceur generate --neuron lite0:arches --pens fineliner-12:red,blue,brown --page A5 -o arches.svg
  traceur generate --neuron lite0:bricks --style mondrian --lambda 20 -o grid.svg
  traceur generate --neuron lite0:bubbles --neuron 'lite0:arches*0.5' -o both.svg
  traceur generate --neuron lite0:bubbles --page A3 --repeat 5x7 --arrange mirror --strokes 3000 -o large.svg
  traceur generate --join a.svg --join b.svg --repeat 3x3 --arrange mirror --neuron lite0:bubbles -o joined.svg
  traceur generate --image photo.jpg --pens fineliner-12:red,blue,yellow,brown --page A4 --metres 25 -o photo.svg
  traceur generate --from diffvg.svg --pens fineliner-12 --page 210x210mm -o pens.svg
  traceur generate my-recipe.toml --seed 3 -o - | traceur preview - -o ink.png
  traceur generate --neuron lite0:bricks --watch --timelapse bricks.gif --log logs/bricks
  traceur generate --continue                go on after Ctrl-C, to the same bytes")]
pub(super) struct Args {
    /// A recipe (a file or a built-in name) whose paper, neuron and pens are taken. Default: those of `first-ink`.
    recipe: Option<String>,
    /// What to excite: `lite0:LAYER:CHANNEL`, a name such as `lite0:bubbles`, one neuron in the middle
    /// (`lite0:b9:10@center`) or elsewhere (`@0.25,0.5`, shares of width and height), or a whole layer (`lite0:b5`). Several,
    /// with weights: `--neuron lite0:b6:24 --neuron lite0:b7:15*0.5`.
    #[arg(long)]
    neuron: Vec<String>,
    /// Draw in the manner of a picture (PNG, JPEG, SVG), or of the built-in `mondrian`.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["image", "from"])]
    style: Option<String>,
    /// How much the style counts: 5 by default, 20 is strong.
    #[arg(long, value_name = "X", requires = "style", allow_negative_numbers = true)]
    lambda: Option<f64>,
    /// Where the style is looked at, such as `stem,b0,b2` or `hed16:conv1_2,hed16:conv2_2`.
    #[arg(long, value_name = "LAYERS", requires = "style", value_delimiter = ',')]
    style_layers: Vec<String>,
    /// How full the sheet is, and with what strokes: `plain` (short ones, white as it comes), `airy`, `rich` or
    /// `dense`. Default: that of a recipe that is named, else rich.
    #[arg(long, conflicts_with_all = ["image", "from"])]
    manner: Option<String>,
    /// How much of the sheet is left white, about, such as `30%`. Default: the manner's.
    #[arg(long, value_name = "SHARE", conflicts_with_all = ["image", "from", "metres", "minutes"])]
    white: Option<String>,
    /// Change the recipe; `KEY=VALUE`, such as `generate.weights.ink=7`.
    #[arg(long, value_name = "KEY=VALUE", conflicts_with_all = ["image", "from"])]
    set: Vec<String>,
    /// Random views of the drawing a step.
    #[arg(long)]
    views: Option<usize>,
    /// Draw a photo (PNG or JPEG) instead of exciting a neuron.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["neuron", "recipe"])]
    pub(super) image: Option<PathBuf>,
    /// Draw what a viewer shows of an SVG, from its own lines: widths, opacities and colors that no pen has.
    #[arg(long, value_name = "DRAWING.svg", conflicts_with_all = ["neuron", "recipe", "image"])]
    pub(super) from: Option<PathBuf>,
    /// Pens to choose from: `SET`, `SET:id,id`, `black,red,stabilo:44`, or a TOML file.
    #[arg(short, long)]
    pub(super) pens: Option<String>,
    #[command(flatten)]
    pub(super) passes: PassArgs,
    /// How many of them at most. A picture may have 6 by default.
    #[arg(long)]
    pub(super) max_pens: Option<usize>,
    /// Sheet: `A4`, `A5 landscape`, `210x297mm`. Default of an SVG: its own size.
    #[arg(long)]
    pub(super) page: Option<String>,
    /// White edge, such as `10mm`. A picture has none by default.
    #[arg(long, value_parser = length)]
    pub(super) margin: Option<f64>,
    /// How many strokes, within 5 %; at most so many for a picture. Default: by area.
    #[arg(long)]
    pub(super) strokes: Option<usize>,
    /// How many metres of ink, within 5 %; at most so many for a picture.
    #[arg(long, value_name = "M")]
    pub(super) metres: Option<f64>,
    /// How many minutes the plot takes on the machine, within 5 %. With --continue, give both again.
    #[arg(long, value_name = "MIN", conflicts_with_all = ["metres", "image", "from"])]
    minutes: Option<f64>,
    /// The machine that --minutes is about.
    #[arg(short, long, requires = "minutes", default_value = "grbl-servo")]
    machine: String,
    /// For a large sheet: make one part and copy it, such as `3x2` (beside each other, below each other), then tune the whole.
    #[arg(long, value_name = "COLSxROWS")]
    repeat: Option<String>,
    /// How the copies lie: `repeat`, `mirror` or `brick`.
    #[arg(long, value_name = "HOW", requires = "repeat")]
    arrange: Option<String>,
    /// Make so many different parts, by this seed and the following ones, and lay them in turn.
    #[arg(long, value_name = "N", requires = "repeat")]
    parts: Option<usize>,
    /// Lay drawings that are made already, in turn, instead of new parts.
    #[arg(long, value_name = "FILE.svg", requires = "repeat", conflicts_with = "parts")]
    join: Vec<String>,
    /// How many steps of optimisation.
    #[arg(long)]
    pub(super) steps: Option<usize>,
    /// Of all chance: the same seed gives the same drawing.
    #[arg(long)]
    pub(super) seed: Option<u64>,
    /// The SVG to write, `drawing.svg` by default; `-` for stdout.
    #[arg(short, long)]
    output: Option<PathBuf>,
    #[command(flatten)]
    evolve: EvolveArgs,
    #[command(flatten)]
    pub(super) show: ShowArgs,
}

impl Args {
    /// Where the drawing goes.
    pub(super) fn output(&self) -> PathBuf {
        let beside = || self.evolve.drawing_of_checkpoint();
        self.output.clone().or_else(beside).unwrap_or_else(|| "drawing.svg".into())
    }
}

pub(super) fn run(args: &Args, terminal: &Terminal) -> Result<(), Failure> {
    let output = args.output();
    files::check_writable(&output)?;
    args.evolve.check()?;
    let settings = if args.evolve.goes_on() { None } else { Some(wanted(args)?) };
    let began = Instant::now();
    let write = |outcome: &Outcome| files::write(&output, svg::write(&outcome.drawing).as_bytes(), terminal);
    let budget = args
        .minutes
        .map(|minutes| Budget::new(minutes, catalog::machines::choose(&args.machine)?))
        .transpose()?;
    let outcome = evolve::make(&args.evolve, settings, budget.as_ref(), &output, terminal, &write)?;
    let seconds = began.elapsed().as_secs_f64();
    if files::is_dash(&output) {
        return Ok(());
    }
    args.show.show_drawing(&outcome.drawing, terminal)?;
    let mut value = report(&outcome);
    value["seconds"] = traceur_app::rounded(seconds).into();
    if let Some(budget) = &budget {
        value["plot_seconds"] = traceur_app::rounded(budget.takes(&outcome, terminal)?).into();
    }
    terminal.result(&value, || format!("{}\n{}", output.display(), summary(&outcome)))
}

/// Whose paper, neuron and pens are taken where no recipe is named.
const USUAL_RECIPE: &str = "first-ink";

/// The settings that the recipe and the flags ask for.
fn wanted(args: &Args) -> Result<Settings, Failure> {
    let mut recipe = Recipe::load(args.recipe.as_deref().unwrap_or(USUAL_RECIPE), &args.set)?;
    change(&mut recipe, args);
    if args.minutes.is_some() && recipe.generate.white.is_some() {
        let why = "both a share of white and --minutes: give one of them";
        return Err(Failure::Input(why.into()));
    }
    let mut settings = recipe.settings()?;
    args.passes.apply(&mut settings.pens);
    Ok(settings)
}

fn change(recipe: &mut Recipe, args: &Args) {
    fn set<T: Clone>(place: &mut T, value: &Option<T>) {
        if let Some(value) = value {
            place.clone_from(value);
        }
    }
    if !args.neuron.is_empty() {
        recipe.generate.neuron = args.neuron.join("+");
    }
    if !args.style_layers.is_empty() {
        recipe.generate.style_layers.clone_from(&args.style_layers);
    }
    recipe.generate.style = args.style.clone().or(recipe.generate.style.take());
    recipe.generate.lambda = args.lambda.or(recipe.generate.lambda);
    // The usual recipe lends its paper and pens, not its manner.
    let of_recipe = recipe.generate.manner.take().filter(|_| args.recipe.is_some());
    recipe.generate.manner = args.manner.clone().or(of_recipe);
    recipe.generate.white = args.white.clone().or(recipe.generate.white.take());
    recipe.generate.views = args.views.or(recipe.generate.views);
    set(&mut recipe.generate.pens, &args.pens);
    set(&mut recipe.generate.max_pens, &args.max_pens);
    set(&mut recipe.paper.page, &args.page);
    set(&mut recipe.paper.margin, &args.margin);
    set(&mut recipe.seed, &args.seed);
    recipe.generate.strokes = args.strokes.or(recipe.generate.strokes);
    recipe.generate.steps = args.steps.or(recipe.generate.steps);
    recipe.generate.metres = args.metres.or(recipe.generate.metres);
    recipe.generate.repeat = args.repeat.clone().or(recipe.generate.repeat.take());
    if !args.join.is_empty() {
        recipe.generate.join.clone_from(&args.join);
    }
    recipe.generate.parts = args.parts.or(recipe.generate.parts);
    recipe.generate.arrange = args.arrange.clone().or(recipe.generate.arrange.take());
}

/// What scripts want to know of a drawing.
pub(super) fn report(outcome: &Outcome) -> serde_json::Value {
    let excitation = &outcome.excitation;
    let mut report = serde_json::json!({
        "excitation": {
            "start": excitation.start,
            "free": excitation.free,
            "snapped": excitation.snapped,
            "tuned": excitation.tuned,
        },
        "loss": outcome.loss,
        "white": outcome.white,
        "overlap": outcome.overlap,
        "robust": outcome.robust,
        "style": outcome.style,
        "strokes": outcome.drawing.strokes(),
        "metres": traceur_app::rounded(outcome.pens.iter().map(|pen| pen.mm).sum::<f64>() / 1000.0),
        "pens": pen_use::report_pens(&outcome.pens),
    });
    if let Some(sheet) = outcome.sheet {
        report["sheet"] = serde_json::json!(sheet);
    }
    report
}

/// The same for people.
pub(super) fn summary(outcome: &Outcome) -> String {
    let excitation = &outcome.excitation;
    format!(
        "excitation {:.1} at the start, {:.1} with free colors, {:.1} snapped to pens, {:.1} tuned; {:.0} % white\n{}",
        excitation.start,
        excitation.free,
        excitation.snapped,
        excitation.tuned,
        outcome.white * 100.0,
        pen_use::pen_table(&outcome.pens)
    )
}
