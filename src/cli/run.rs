//! `traceur run`: a whole job, from a wish to ink.

use std::path::PathBuf;

use serde_json::json;

use super::files::OutFolder;
use super::pipeline::{self, Planned};
use super::recipe::Recipe;
use super::terminal::clock;
use super::{Failure, Terminal, evolve, generate, plot, settings};
use traceur_app::catalog;
use traceur_app::preview::{self, Gap};
use traceur_core::drawing::svg;
use traceur_core::geometry::Polyline;
use traceur_core::machine::{Placement, Profile};
use traceur_core::pens::Pen;
use traceur_generator::{Outcome, Settings};
use traceur_job::Port;

/// Do the whole job of a recipe: generate, plan, plot, and see the ink.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  traceur run first-ink --out out
  traceur run first-ink --set generate.neuron=lite0:arches --set seed=3
  traceur run my-recipe.toml --port /dev/ttyUSB0")]
pub(super) struct Args {
    /// A TOML file, or the name of a built-in recipe such as `first-ink`.
    recipe: String,
    /// Change the recipe; `KEY=VALUE`, such as `generate.strokes=300`.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// The folder for the results; made if it is missing.
    #[arg(short, long, default_value = "out")]
    out: PathBuf,
    /// Where to plot: `sim`, `sim@20` or a serial device, which is plotted after the simulator.
    #[arg(long, default_value = "sim")]
    port: String,
    /// Leave a page as it is that fits the machine only when it is turned.
    #[arg(long)]
    no_rotate: bool,
}

pub(super) fn run(args: &Args, terminal: &Terminal) -> Result<(), Failure> {
    let recipe = Recipe::load(&args.recipe, &args.set)?;
    let settings = settings::of(&recipe)?;
    let mut profile = catalog::machines::choose(&recipe.plot.machine)?;
    profile.bed.turns_pages &= !args.no_rotate;
    let port = Port::parse(&args.port)?;
    port.check().map_err(|error| Failure::Device(error.to_string()))?;
    let folder = OutFolder::open(&args.out)?;
    terminal.say(format!("{}: {}", recipe.name, recipe.about));

    let outcome = evolve::make_plainly(&settings, terminal)?;
    let planned = pipeline::plan(&outcome.drawing, None, &pipeline::Wishes::default(), &profile, terminal)?;
    let simulator = if let Port::Sim { .. } = port { port.clone() } else { Port::Sim { pace: None } };
    let passes = plot_passes(&planned, &profile, &simulator, terminal)?;
    let inked = pipeline::ink(&planned.toolpath.page, &passes, recipe.plot.dpi, terminal);
    let gap = gap(&settings, &outcome, &inked, recipe.plot.dpi)?;

    let report = report(&recipe, &settings, &profile, &outcome, &planned, &gap);
    write(&folder, &outcome, &planned, &inked, &report, terminal)?;
    terminal.result(&report, || summary(args, &outcome, &planned, &gap))?;
    if let Port::Serial(_) = port {
        for (program, pass) in planned.programs.iter().zip(&planned.toolpath.passes) {
            if !terminal.wait_for_enter(&format!("mount {}, then press Enter", pass.pen.name)) {
                return Err(Failure::Stopped(format!("stopped before {}", pass.pen.name)));
            }
            plot::stream(program, &profile, &port, &pass.pen.name, terminal, |_| Ok(()))?;
        }
    }
    Ok(())
}

/// Streams every pass to the virtual plotter: each pen's marks, in page space.
fn plot_passes(
    planned: &Planned,
    profile: &Profile,
    port: &Port,
    terminal: &Terminal,
) -> Result<Vec<(Pen, Vec<Polyline>)>, Failure> {
    let page = &planned.toolpath.page;
    let placement = Placement::of_page(profile, page.width, page.height)?;
    let mut passes = Vec::new();
    for (program, pass) in planned.programs.iter().zip(&planned.toolpath.passes) {
        let trace = plot::stream(program, profile, port, &pass.pen.name, terminal, |_| Ok(()))?
            .trace
            .unwrap_or_default();
        passes.push((pass.pen.clone(), pipeline::marks(&trace, &placement)));
    }
    Ok(passes)
}

/// The ink against the generator's own picture at the ink's resolution.
fn gap(settings: &Settings, outcome: &Outcome, inked: &pipeline::Inked, dpi: f64) -> Result<Gap, Failure> {
    let wanted = traceur_generator::draw(&outcome.drawing, dpi);
    let excitation = preview::Excitation {
        wanted: traceur_generator::excitation_of(&wanted, settings)?.into(),
        inked: traceur_generator::excitation_of(&inked.picture, settings)?.into(),
    };
    Ok(Gap { excitation: Some(excitation), ..inked.gap(&wanted, &settings.page)? })
}

/// No clock goes into it: the same recipe gives the same bytes.
fn report(
    recipe: &Recipe,
    settings: &Settings,
    profile: &Profile,
    outcome: &Outcome,
    planned: &Planned,
    gap: &Gap,
) -> serde_json::Value {
    let mut report = json!(planned.report);
    if let (Some(report), serde_json::Value::Object(made)) =
        (report.as_object_mut(), generate::report(outcome))
    {
        report.extend(made);
        report.insert("recipe".into(), json!(recipe.name));
        report.insert("seed".into(), json!(settings.seed));
        report.insert("neuron".into(), json!(settings.aim.to_string()));
        report.insert("page_mm".into(), json!([settings.page.width, settings.page.height]));
        report.insert("machine".into(), json!(profile.id));
        report.insert("gap".into(), json!(gap));
    }
    report
}

fn write(
    folder: &OutFolder,
    outcome: &Outcome,
    planned: &Planned,
    inked: &pipeline::Inked,
    report: &serde_json::Value,
    terminal: &Terminal,
) -> Result<(), Failure> {
    folder.write("drawing.svg", svg::write(&outcome.drawing).as_bytes())?;
    planned.write_programs(folder, terminal)?;
    folder.write("ink.png", &preview::to_png(&inked.picture)?)?;
    let text = serde_json::to_string_pretty(report).map_err(|error| Failure::Input(error.to_string()))?;
    folder.write("report.json", format!("{text}\n").as_bytes())?;
    Ok(())
}

fn summary(args: &Args, outcome: &Outcome, planned: &Planned, gap: &Gap) -> String {
    let mut text = format!("{}\n{}", generate::summary(outcome), planned.report.to_table());
    text += &format!(
        "\ngap of the ink: ΔE {:.2}, as seen {:.2}, SSIM {:.3}",
        gap.delta_e, gap.delta_e_seen, gap.ssim
    );
    if let Some(excitation) = gap.excitation {
        text += &format!(", excitation {:.1} of {:.1}", excitation.inked, excitation.wanted);
    }
    let out = args.out.display();
    text + &format!(
        "\n\n{out}: drawing.svg, {} programs, ink.png, report.json; {} of plotting\nnext: traceur plot {out}/drawing.svg --port /dev/ttyUSB0",
        planned.programs.len(),
        clock(planned.report.seconds)
    )
}
