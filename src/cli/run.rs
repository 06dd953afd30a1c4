//! `traceur run`: a whole job, from a wish to ink.

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::json;

use super::files::OutFolder;
use super::live::LiveArgs;
use super::perform::{self, Kept, Station, Task};
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
use traceur_core::toolpath::Toolpath;
use traceur_generator::{Outcome, Settings};
use traceur_job::{Place, Port};

/// Do the whole job of a recipe: generate, plan, plot, and see the ink.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  traceur run first-ink --out out
  traceur run first-ink --set generate.neuron=lite0:arches --set seed=3
  traceur run my-recipe.toml --port /dev/ttyUSB0

The virtual plotter draws first, and the results are written. Then the job goes to the port as `traceur plot` sends it: with
its journal, so that `traceur resume` goes on with it, the live view, and, under --json, its events behind the report.")]
pub(super) struct Args {
    /// A TOML file, or the name of a built-in recipe such as `first-ink`.
    recipe: String,
    /// Change the recipe; `KEY=VALUE`, such as `generate.strokes=300`.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// The folder for the results; made if it is missing.
    #[arg(short, long, default_value = "out")]
    out: PathBuf,
    /// Where to plot after the simulator: a serial device, `auto`, `tcp://host:port` or `sim@20`; `sim`: nowhere else.
    #[arg(long, default_value = "sim")]
    port: String,
    #[command(flatten)]
    live: LiveArgs,
    /// Leave a page as it is that fits the machine only when it is turned.
    #[arg(long)]
    no_rotate: bool,
}

pub(super) fn run(args: &Args, terminal: &Terminal) -> Result<(), Failure> {
    let recipe = Recipe::load(&args.recipe, &args.set)?;
    let settings = settings::of(&recipe)?;
    let (mut profile, machine) = catalog::machines::choose_with_text(&recipe.plot.machine)?;
    profile.bed.turns_pages &= !args.no_rotate;
    let port = Port::parse(&args.port)?;
    port.check(profile.firmware.dialect())?;
    let folder = OutFolder::open(&args.out)?;
    terminal.say(format!("{}: {}", recipe.name, recipe.about));

    let outcome = evolve::make_plainly(&settings, terminal)?;
    let planned = pipeline::plan(&outcome.drawing, None, &pipeline::Wishes::default(), &profile, terminal)?;
    let job = Job {
        toolpath: &Arc::new(planned.toolpath.clone()),
        profile: &profile,
        placement: Placement::of_page(&profile, planned.toolpath.page.width, planned.toolpath.page.height)?,
        title: &recipe.name,
    };
    let inked = pipeline::ink(&planned.toolpath.page, &job.simulate(terminal)?, recipe.plot.dpi, terminal);
    let gap = gap(&settings, &outcome, &inked, recipe.plot.dpi)?;

    let report = report(&recipe, &settings, &profile, &outcome, &planned, &gap);
    write(&folder, &outcome, &planned, &inked, &report, terminal)?;
    terminal.result(&report, || summary(args, &outcome, &planned, &gap))?;
    if is_simulator(&port) {
        return Ok(());
    }
    job.plot(args, &port, &machine, &planned.report, terminal)
}

/// The virtual plotter that has drawn it already.
fn is_simulator(port: &Port) -> bool {
    *port == Port::Sim { pace: None }
}

/// What is plotted: on the virtual plotter, then on the machine.
struct Job<'a> {
    toolpath: &'a Arc<Toolpath>,
    profile: &'a Profile,
    placement: Placement,
    title: &'a str,
}

impl Job<'_> {
    fn task<'a>(&'a self, port: &'a Port, port_name: &'a str) -> Task<'a> {
        Task {
            toolpath: self.toolpath,
            profile: self.profile,
            placement: &self.placement,
            port,
            port_name,
            from: Place::default(),
            overlap: 0.0,
            dry: false,
            title: self.title,
            // Virtual ink uses up no pen.
            counts: !matches!(port, Port::Sim { .. }),
            reads_stdin: false,
            memory: None,
        }
    }

    /// Each pen's marks on the virtual plotter, in page space.
    fn simulate(&self, terminal: &Terminal) -> Result<Vec<(Pen, Vec<Polyline>)>, Failure> {
        let outcome = perform::simulate(&self.task(&Port::Sim { pace: None }, "sim"), terminal)?;
        Ok(plot::marks(self.toolpath, &outcome, &self.placement))
    }

    /// As `traceur plot` does.
    fn plot(
        &self,
        args: &Args,
        port: &Port,
        machine: &str,
        report: &pipeline::Report,
        terminal: &Terminal,
    ) -> Result<(), Failure> {
        let task = self.task(port, &args.port);
        let mut kept = Some(Kept::new(self.title, machine, &task, report.seconds)?);
        let mut station = Station::new()?;
        let result =
            plot::carry_out(&task, kept.as_mut(), &args.live, None, report.draw_mm, &mut station, terminal);
        station.close();
        result
    }
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
    text += &format!(
        "\n\n{out}: drawing.svg, {} programs, ink.png, report.json; {} of plotting",
        planned.programs.len(),
        clock(planned.report.seconds)
    );
    if args.port == "sim" {
        text += &format!("\nnext: traceur plot {out}/drawing.svg --port /dev/ttyUSB0");
    }
    text
}
