//! `traceur pens add`, `set`, `remove` and `import`.

use std::path::PathBuf;

use super::layout::length;
use super::pens_listing::Listing;
use super::terminal::plain;
use super::{Failure, Terminal, files};
use traceur_app::catalog::pen_file::{change, place};
use traceur_core::color::parse_hex;
use traceur_core::pens::edit::{self, Change};
use traceur_core::pens::{Inventory, import, slug, unique};
use traceur_core::units;

/// Which file is edited.
#[derive(Debug, clap::Args)]
pub(super) struct FileArg {
    /// TOML file, or the name of a set of your own. Default: your own set `mine`.
    #[arg(short, long)]
    file: Option<String>,
}

/// What may be said of a pen.
#[derive(Debug, clap::Args)]
pub(super) struct PenArgs {
    /// Name for people.
    #[arg(long)]
    name: Option<String>,
    /// Color of one line on white paper: `#1d4f9e`.
    // Of the same type as the program's own flag of this name, whose value clap puts here when this one is not given.
    #[arg(long, value_name = "#RRGGBB", value_parser = hex)]
    color: Option<String>,
    /// Width of its line: `0.5mm`.
    #[arg(long, value_parser = length)]
    tip: Option<f64>,
    /// 0 (transparent) to 1 (covers), or `20%`.
    #[arg(long, value_parser = share)]
    opacity: Option<f32>,
    /// Greatest drawing speed: `40mm/s`.
    #[arg(long, value_parser = speed)]
    speed: Option<f64>,
    /// Place in the holder or carousel, from 1.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1000))]
    slot: Option<u32>,
    /// How far a full one draws: `400m`; `plot` warns before it runs dry.
    #[arg(long, value_parser = length)]
    metres: Option<f64>,
}

impl PenArgs {
    fn change(&self, id: Option<&str>) -> Change {
        Change {
            id: id.map(str::to_owned),
            name: self.name.clone(),
            color: self.color.as_deref().and_then(|text| parse_hex(text).ok()),
            tip: self.tip,
            opacity: self.opacity,
            speed: self.speed,
            slot: self.slot,
            supply: self.metres,
        }
    }
}

fn hex(text: &str) -> Result<String, String> {
    parse_hex(text).map(|_| text.to_owned())
}

fn speed(text: &str) -> Result<f64, String> {
    units::speed(text).map_err(|error| error.to_string())
}

fn share(text: &str) -> Result<f32, String> {
    let (number, unit) = text.strip_suffix('%').map_or((text, 1.0), |number| (number.trim(), 100.0));
    match number.parse::<f32>() {
        Ok(number) if (0.0..=unit).contains(&number) => Ok(number / unit),
        _ => Err("give a number from 0 to 1, or such as `20%`".into()),
    }
}

/// A pen more.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  traceur pens add --id red --color '#c8232b' --tip 0.4mm
  traceur pens add --file pens.toml --id gold --name 'Gold gel' --color '#b8932f' --tip 0.8mm --opacity 0.9")]
pub(super) struct AddArgs {
    #[command(flatten)]
    file: FileArg,
    /// Short name: letters, digits, `-`, `_` and `.`. Default: made from the name.
    #[arg(long)]
    id: Option<String>,
    #[command(flatten)]
    pen: PenArgs,
}

/// What is to be changed of a pen.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  traceur pens set red --tip 0.45mm --opacity 20%
  traceur pens set red --file pens.toml --unset speed,slot")]
pub(super) struct SetArgs {
    /// The pen's id.
    pen: String,
    #[command(flatten)]
    file: FileArg,
    /// A new id.
    #[arg(long)]
    id: Option<String>,
    #[command(flatten)]
    changes: PenArgs,
    /// Keys to leave out: `speed`, `slot`, `opacity`.
    #[arg(long, value_name = "KEY", value_delimiter = ',')]
    unset: Vec<String>,
}

/// Pens less.
#[derive(Debug, clap::Args)]
pub(super) struct RemoveArgs {
    /// The pens' ids.
    #[arg(required = true, value_delimiter = ',')]
    pens: Vec<String>,
    #[command(flatten)]
    file: FileArg,
}

/// Another program's pens.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  traceur pens import ~/.vpype.toml
  traceur pens import drawingbot-set.json --file my-copics
  printf '#1d4f9e blue\\n#c8232b red\\n' | traceur pens import - --tip 0.3mm --file mine")]
pub(super) struct ImportArgs {
    /// vpype's or vpype-penset's TOML, DrawingBotV3's JSON, a CSV with a `color` column, a list of colors; `-` for stdin.
    input: PathBuf,
    /// TOML file, or the name of a set of your own, to put all pens in. Default: a set of your own for each set that is found.
    #[arg(short, long)]
    file: Option<String>,
    /// Width of the lines of pens whose width is not told.
    #[arg(long, value_parser = length, default_value = "0.5mm")]
    tip: f64,
}

pub(super) fn add(args: &AddArgs, terminal: &Terminal) -> Result<(), Failure> {
    let id = match (&args.id, &args.pen.name) {
        (Some(id), _) => id.clone(),
        (None, Some(name)) => slug(name, "pen"),
        (None, None) => return Err(Failure::Input("give --id or --name".into())),
    };
    let mut pen = args.pen.change(Some(&id));
    for (flag, missing) in [("--color '#1d4f9e'", pen.color.is_none()), ("--tip 0.5mm", pen.tip.is_none())] {
        if missing {
            return Err(Failure::Input(format!(
                "a pen needs a {}: give {flag}",
                &flag[2..flag.find(' ').unwrap_or(2)]
            )));
        }
    }
    pen.name.get_or_insert_with(|| id.clone());
    let path = place(args.file.file.as_deref())?;
    let text = change(&path, Some(&set_name(&path)), |file, text| Ok(edit::add(file, text, &[pen])?))?;
    report(&path, &text, &format!("`{id}` added"), terminal)
}

pub(super) fn set(args: &SetArgs, terminal: &Terminal) -> Result<(), Failure> {
    let pen = args.changes.change(args.id.as_deref());
    if pen == Change::default() && args.unset.is_empty() {
        return Err(Failure::Input("nothing to change: give a flag such as --tip 0.45mm".into()));
    }
    let path = place(args.file.file.as_deref())?;
    let text = change(&path, None, |file, text| Ok(edit::set(file, text, &args.pen, &pen, &args.unset)?))?;
    report(&path, &text, &format!("`{}` changed", args.pen), terminal)
}

pub(super) fn remove(args: &RemoveArgs, terminal: &Terminal) -> Result<(), Failure> {
    let path = place(args.file.file.as_deref())?;
    let text = change(&path, None, |file, text| Ok(edit::remove(file, text, &args.pens)?))?;
    report(&path, &text, &format!("`{}` removed", args.pens.join("`, `")), terminal)
}

/// The whole file after an edit, for scripts; a line for people.
fn report(path: &std::path::Path, text: &str, what: &str, terminal: &Terminal) -> Result<(), Failure> {
    let inventory = Inventory::parse(&path.display().to_string(), text)?;
    let listing = Listing::of(&inventory.pens);
    terminal.result(&serde_json::json!({ "file": path, "pens": listing.rows }), || {
        plain(&format!("{}: {what}, {} now", path.display(), count(inventory.pens.len())))
    })
}

fn count(pens: usize) -> String {
    if pens == 1 { "1 pen".into() } else { format!("{pens} pens") }
}

fn set_name(path: &std::path::Path) -> String {
    path.file_stem().map_or("pens".into(), |stem| stem.to_string_lossy().into_owned())
}

pub(super) fn import_pens(args: &ImportArgs, terminal: &Terminal) -> Result<(), Failure> {
    let name = if files::is_dash(&args.input) { "stdin".into() } else { args.input.display().to_string() };
    let sets = import(&name, &traceur_app::catalog::pens::read_text(&args.input)?, args.tip)?;
    let mut written = Vec::new();
    for set in sets {
        let path = place(Some(args.file.as_deref().unwrap_or(&set.id)))?;
        let (mut added, mut known) = (Vec::new(), 0);
        let text = change(&path, Some(&set.name), |file, text| {
            let old = if path.exists() { Inventory::parse(file, text)?.pens } else { Vec::new() };
            let mut ids: Vec<String> = old.iter().map(|pen| pen.id.clone()).collect();
            for mut pen in set.pens {
                if old.iter().any(|old| (&old.name, old.color, old.tip) == (&pen.name, pen.color, pen.tip)) {
                    known += 1;
                    continue;
                }
                pen.id = unique(&pen.id, &ids.iter().map(String::as_str).collect::<Vec<_>>());
                ids.push(pen.id.clone());
                added.push(pen);
            }
            let changes: Vec<Change> = added.iter().map(Change::of).collect();
            Ok(if changes.is_empty() { text.to_owned() } else { edit::add(file, text, &changes)? })
        })?;
        let all = Inventory::parse(&path.display().to_string(), &text)?.pens.len();
        written.push((path, added, known, all));
    }
    let value: Vec<_> = written
        .iter()
        .map(|(path, added, known, _)| {
            serde_json::json!({ "file": path, "pens": Listing::of(added).rows, "known": known })
        })
        .collect();
    terminal.result(&serde_json::json!({ "imported": value }), || {
        let mut text = String::new();
        for (path, added, known, all) in &written {
            let known = if *known > 0 { format!(", {known} were there already") } else { String::new() };
            text += &plain(&format!(
                "{}: {} imported{known}, {} now",
                path.display(),
                count(added.len()),
                count(*all)
            ));
            text.push('\n');
            text += &Listing::of(added).to_text(terminal);
        }
        text
    })
}
