//! `traceur pens`: the sets in the program and your own.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde::Serialize;

use super::terminal::table;
use super::{Failure, Terminal, files};
use crate::color::to_hex;
use crate::config;
use crate::pens::{BUILT_IN, Inventory, Pen};

/// List, show and check pen sets.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  traceur pens list
  traceur pens show fineliner-12
  traceur pens show cmyk --toml > my-pens.toml     start your own set
  traceur pens check my-pens.toml")]
pub(super) struct Args {
    #[command(subcommand)]
    command: Option<Verb>,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// The built-in sets.
    List,
    /// The pens of a set.
    Show {
        /// A built-in set or a TOML file; `SET:id,id` for some of its pens.
        #[arg(default_value = "fineliner-12")]
        set: String,
        /// The TOML text itself, to start your own from.
        #[arg(long)]
        toml: bool,
    },
    /// Say whether TOML files are sound.
    Check {
        /// The files.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// How far each pen has drawn, and which were refilled.
    Log(super::pens_log::LogArgs),
}

pub(super) fn run(args: &Args, terminal: &Terminal) -> Result<(), Failure> {
    match args.command.as_ref().unwrap_or(&Verb::List) {
        Verb::List => list(terminal),
        Verb::Show { set, toml: true } => terminal.stdout(text_of(set_name(set))?.1.as_bytes()),
        Verb::Show { set, toml: false } => show(set, terminal),
        Verb::Check { files } => check(files, terminal),
        Verb::Log(args) => super::pens_log::run(args, terminal),
    }
}

/// Pens by `SET` or `SET:id,id`, where SET is a built-in id or a TOML file.
pub(super) fn choose(text: &str) -> Result<Vec<Pen>, Failure> {
    let set = set_name(text);
    let (name, toml) = text_of(set)?;
    let inventory = Inventory::parse(&name, &toml)?;
    let Some(ids) = text[set.len()..].strip_prefix(':') else { return Ok(inventory.pens) };
    let pens: Result<Vec<Pen>, _> = ids.split(',').map(|id| inventory.pen(id.trim()).cloned()).collect();
    Ok(pens?)
}

/// The part of `SET:id,id` before the ids. A file's own colons are kept.
fn set_name(text: &str) -> &str {
    match text.rsplit_once(':') {
        Some((set, _)) if !Path::new(text).exists() => set,
        _ => text,
    }
}

/// Name for messages and TOML text of a built-in set or a file.
fn text_of(set: &str) -> Result<(String, String), Failure> {
    if let Some((id, text)) = BUILT_IN.iter().find(|(id, _)| *id == set) {
        return Ok((format!("built-in {id}"), (*text).to_owned()));
    }
    let path = Path::new(set);
    if !path.exists() && path.extension().is_none() {
        let ids = BUILT_IN.map(|(id, _)| id);
        let guess = config::nearest(set, ids).map_or(String::new(), |id| format!(" (did you mean `{id}`?)"));
        return Err(Failure::Input(format!(
            "no pen set `{set}`{guess}: the built-in ones are {}, or give a TOML file",
            ids.join(", ")
        )));
    }
    Ok((set.to_owned(), files::read_text(path)?))
}

#[derive(Serialize)]
struct PenRow<'a> {
    id: &'a str,
    name: &'a str,
    color: String,
    tip_mm: f64,
    opacity: f32,
    speed_mm_s: Option<f64>,
    slot: Option<u32>,
}

impl<'a> From<&'a Pen> for PenRow<'a> {
    fn from(pen: &'a Pen) -> Self {
        Self {
            id: &pen.id,
            name: &pen.name,
            color: to_hex(pen.color),
            tip_mm: pen.tip,
            opacity: pen.opacity,
            speed_mm_s: pen.speed,
            slot: pen.slot,
        }
    }
}

fn list(terminal: &Terminal) -> Result<(), Failure> {
    #[derive(Serialize)]
    struct SetRow {
        id: String,
        name: String,
        pens: usize,
    }
    let mut sets = Vec::new();
    for (id, text) in BUILT_IN {
        let inventory = Inventory::parse(id, text)?;
        sets.push(SetRow { id: inventory.id, name: inventory.name, pens: inventory.pens.len() });
    }
    terminal.result(&serde_json::json!({ "sets": &sets }), || {
        let rows: Vec<_> =
            sets.iter().map(|set| vec![set.id.clone(), set.pens.to_string(), set.name.clone()]).collect();
        table(&["set", "pens", "name"], &rows) + "\n`traceur pens show SET` shows its pens."
    })
}

fn show(set: &str, terminal: &Terminal) -> Result<(), Failure> {
    let pens = choose(set)?;
    let rows: Vec<PenRow> = pens.iter().map(PenRow::from).collect();
    terminal.result(&serde_json::json!({ "pens": &rows }), || {
        let lines = rows.iter().map(|pen| {
            vec![
                pen.id.to_owned(),
                pen.color.clone(),
                format!("{} mm", pen.tip_mm),
                format!("{:.0} %", pen.opacity * 100.0),
                pen.slot.map_or("-".into(), |slot| slot.to_string()),
                pen.name.to_owned(),
            ]
        });
        table(&["pen", "color", "tip", "opacity", "slot", "name"], &lines.collect::<Vec<_>>())
    })
}

fn check(paths: &[PathBuf], terminal: &Terminal) -> Result<(), Failure> {
    let mut checked = Vec::new();
    for path in paths {
        let name = path.display().to_string();
        let inventory = Inventory::parse(&name, &files::read_text(path)?)?;
        checked.push((name, inventory.pens.len()));
    }
    let rows: Vec<_> =
        checked.iter().map(|(file, pens)| serde_json::json!({ "file": file, "pens": pens })).collect();
    terminal.result(&serde_json::json!({ "checked": rows }), || {
        checked.iter().map(|(file, pens)| format!("{file}: {pens} pens, all sound\n")).collect()
    })
}
