//! `traceur pens`: the sets in the program and your own.

use clap::Subcommand;

use super::pens_listing::{Listing, chipped};
use super::terminal::{plain, table};
use super::{Failure, Terminal, pens_edit, pens_swatch};
use traceur_app::catalog::pens::{self, Set, choose_with_files};
use traceur_core::color::{Srgb8, delta_e, parse_hex, to_hex};
use traceur_core::pens::{Pen, near_duplicates};

/// Colors closer than this (ΔE2000) are hardly told apart on paper.
const NEAR: f32 = 5.0;

/// The pens that you own: list, change and import them, chart them, and measure how they look on your paper.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  traceur pens list                                all sets, your own first
  traceur pens show cmyk:cyan,black
  traceur pens add --id red --color '#c8232b' --tip 0.4mm       to your own set `mine`
  traceur pens set red --tip 0.45mm
  traceur pens import ~/.vpype.toml                DrawingBotV3's JSON, CSV, lists of colors too
  traceur pens find '#3a7'                         the nearest that you own
  traceur plan in.svg -p black,red,stabilo:44      pens of several sets

Your own sets are TOML files in traceur/pens of your configuration folder, found by their names; one that has a
built-in set's name is used in its place.")]
pub(super) struct Args {
    #[command(subcommand)]
    command: Option<Verb>,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// All sets and their pens: your own, and the built-in ones.
    List,
    /// The pens of a set.
    Show {
        /// A set, a TOML file, `SET:id,id`, or pens of several sets: `black,red,stabilo:44`.
        #[arg(default_value = "fineliner-12")]
        set: String,
        /// The TOML text itself, to start your own from.
        #[arg(long)]
        toml: bool,
    },
    /// Add a pen to a file, which is made if it is missing.
    Add(pens_edit::AddArgs),
    /// Change a pen.
    Set(pens_edit::SetArgs),
    /// Take pens out of a file; comments stay.
    Remove(pens_edit::RemoveArgs),
    /// Bring the pens of vpype, vpype-penset, DrawingBotV3, a table or a list of colors.
    Import(pens_edit::ImportArgs),
    /// Say whether sets are sound, and which of their pens look alike.
    Check {
        /// The sets: TOML files or names.
        #[arg(required = true)]
        sets: Vec<String>,
    },
    /// How far each pen has drawn, and which were refilled.
    Log(super::pens_log::LogArgs),
    /// The pens nearest to a color.
    Find {
        /// Such as `#3a7`.
        #[arg(value_name = "COLOR", value_parser = parse_hex)]
        wanted: Srgb8,
        /// Look among these pens only. Default: all sets.
        #[arg(short, long)]
        pens: Option<String>,
        /// How many.
        #[arg(short = 'n', long, default_value_t = 5)]
        most: usize,
    },
    /// Make a chart of the mounted pens: patches, lines, ladders, every overprint.
    Swatch(pens_swatch::SwatchArgs),
    /// Read a scan or photo of the plotted chart: colors, tips, opacities as they really are.
    Measure(pens_swatch::MeasureArgs),
}

pub(super) fn run(args: &Args, terminal: &Terminal) -> Result<(), Failure> {
    match args.command.as_ref().unwrap_or(&Verb::List) {
        Verb::List => list(terminal),
        Verb::Show { set, toml: true } => {
            let set = set.rsplit_once(':').map_or(set.as_str(), |(set, _)| set);
            terminal.stdout(pens::find_set(set)?.toml().as_bytes())
        }
        Verb::Show { set, toml: false } => show(set, terminal),
        Verb::Log(args) => super::pens_log::run(args, terminal),
        Verb::Add(args) => pens_edit::add(args, terminal),
        Verb::Set(args) => pens_edit::set(args, terminal),
        Verb::Remove(args) => pens_edit::remove(args, terminal),
        Verb::Import(args) => pens_edit::import_pens(args, terminal),
        Verb::Check { sets } => check(sets, terminal),
        Verb::Find { wanted, pens, most } => find(*wanted, pens.as_deref(), *most, terminal),
        Verb::Swatch(args) => pens_swatch::swatch(args, terminal),
        Verb::Measure(args) => pens_swatch::measure(args, terminal),
    }
}

fn list(terminal: &Terminal) -> Result<(), Failure> {
    let mut sets = Vec::new();
    for set in pens::sets()? {
        match set.inventory() {
            Ok(inventory) => sets.push((set, inventory)),
            // One that can't be read does not hide the others.
            Err(error) => terminal.warn(error.to_string()),
        }
    }
    let value: Vec<_> = sets
        .iter()
        .map(|(set, inventory)| {
            serde_json::json!({
                "id": set.name,
                "name": inventory.name,
                "file": set.file,
                "pens": Listing::of(&inventory.pens).rows,
            })
        })
        .collect();
    terminal.result(&serde_json::json!({ "sets": value }), || {
        let rows: Vec<Vec<String>> = sets
            .iter()
            .map(|(set, inventory)| {
                let whose = if set.file.is_some() { "yours" } else { "built in" };
                vec![set.name.clone(), inventory.pens.len().to_string(), whose.into(), inventory.name.clone()]
            })
            .collect();
        let text = table(&["set", "pens", "whose", "name"], &rows);
        let mut lines = text.lines();
        let mut listed = format!("{}\n", lines.next().unwrap_or_default());
        for (line, (_, inventory)) in lines.zip(&sets) {
            listed += line;
            listed.push('\n');
            let chips: String = inventory.pens.iter().take(40).map(|pen| terminal.chip(pen.color)).collect();
            if !chips.is_empty() {
                listed += &format!("  {chips}\n");
            }
        }
        listed + "\n`traceur pens show SET` shows its pens; `traceur pens add` begins a set of your own."
    })
}

fn show(set: &str, terminal: &Terminal) -> Result<(), Failure> {
    let listing = Listing::of(&pens::choose(set)?);
    terminal.result(&serde_json::json!({ "pens": listing.rows }), || listing.to_text(terminal))
}

fn check(names: &[String], terminal: &Terminal) -> Result<(), Failure> {
    let mut checked = Vec::new();
    for name in names {
        let set: Set = pens::find_set(name)?;
        let inventory = set.inventory()?;
        let near = near_duplicates(&inventory.pens, NEAR);
        checked.push((set.file.as_ref().map_or(name.clone(), |_| set.source()), inventory.pens, near));
    }
    let value: Vec<_> = checked
        .iter()
        .map(|(file, pens, near)| {
            let near: Vec<_> = near
                .iter()
                .map(|(a, b, difference)| {
                    serde_json::json!({ "pens": [pens[*a].id, pens[*b].id], "delta_e": round(*difference) })
                })
                .collect();
            serde_json::json!({ "file": file, "pens": pens.len(), "near": near })
        })
        .collect();
    terminal.result(&serde_json::json!({ "checked": value }), || {
        let mut text = String::new();
        for (file, pens, near) in &checked {
            text += &plain(&format!("{file}: {} pens, all sound\n", pens.len()));
            for (a, b, difference) in near {
                let (a, b) = (&pens[*a], &pens[*b]);
                text += &format!(
                    "  {}{} `{}` and `{}` look alike: ΔE {difference:.1}\n",
                    terminal.chip(a.color),
                    terminal.chip(b.color),
                    a.id,
                    b.id
                );
            }
        }
        text
    })
}

fn round(value: f32) -> f64 {
    (f64::from(value) * 100.0).round() / 100.0
}

fn find(color: Srgb8, pens: Option<&str>, most: usize, terminal: &Terminal) -> Result<(), Failure> {
    let mut found = Vec::new();
    let mut add = |set: &str, pens: Vec<Pen>| {
        for pen in pens {
            let difference = delta_e(pen.color.into_format(), color.into_format());
            found.push((difference, set.to_owned(), pen));
        }
    };
    match pens {
        Some(text) => {
            choose_with_files(text)?.into_iter().for_each(|chosen| add(&chosen.set, vec![chosen.pen]));
        }
        None => {
            for set in pens::sets()? {
                add(&set.name, set.inventory()?.pens);
            }
        }
    }
    found.sort_by(|a, b| a.0.total_cmp(&b.0));
    found.truncate(most.max(1));
    let rows: Vec<_> = found
        .iter()
        .map(|(difference, set, pen)| {
            serde_json::json!({ "set": set, "id": pen.id, "name": pen.name, "color": to_hex(pen.color),
                "tip_mm": pen.tip, "delta_e": round(*difference) })
        })
        .collect();
    terminal.result(&serde_json::json!({ "color": to_hex(color), "pens": rows }), || {
        let cells = found.iter().map(|(difference, set, pen)| {
            let pen_of = format!("{set}:{}", pen.id);
            vec![
                pen_of,
                to_hex(pen.color),
                format!("{difference:.1}"),
                format!("{} mm", pen.tip),
                pen.name.clone(),
            ]
        });
        let colors: Vec<Srgb8> = found.iter().map(|(.., pen)| pen.color).collect();
        let text =
            chipped(&["pen", "color", "ΔE", "tip", "name"], &cells.collect::<Vec<_>>(), &colors, terminal);
        match terminal.chip(color) {
            chip if chip.is_empty() => text,
            chip => format!("{chip}  {} and its nearest:\n{text}", to_hex(color)),
        }
    })
}
