//! `traceur machines`: what can be plotted on.

use std::path::{Path, PathBuf};

use super::terminal::table;
use super::{Failure, Terminal, files};
use clap::Subcommand;
use traceur_app::catalog::machines;
use traceur_core::machine::{Profile, vpype};

/// List, show and check machine profiles, and make your own.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  traceur machines list
  traceur machines new my-plotter --from grbl-servo --set bed.width=300mm --set lift.up_s=250
  traceur machines show axidraw-v3 > my-axidraw.toml
  traceur machines import ~/.vpype.toml
  traceur machines check my-axidraw.toml

A profile of your own that has a built-in one's id is used in its place.")]
pub(super) struct Args {
    #[command(subcommand)]
    command: Option<Verb>,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// The built-in profiles and your own.
    List,
    /// The TOML text of a profile.
    Show {
        /// An id or a TOML file.
        machine: String,
    },
    /// Say whether TOML files are sound.
    Check {
        /// The files.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Make a profile of your own from another one.
    New {
        /// Its id: a short name.
        id: String,
        /// The profile to begin with: an id or a TOML file.
        #[arg(long, default_value = "grbl-servo")]
        from: String,
        /// A key and its value, such as `bed.width=300mm`; as often as needed.
        #[arg(long, value_name = "KEY=VALUE")]
        set: Vec<String>,
        /// Where to write it; `-` for stdout. Default: your own folder of machines, where `-m ID` finds it.
        #[arg(short, long)]
        output: Option<PathBuf>,
    },
    /// Make profiles of the HP-GL devices in a vpype configuration file.
    Import {
        /// The TOML file.
        file: PathBuf,
        /// The folder to write them to. Default: your own folder of machines.
        #[arg(short, long)]
        output: Option<PathBuf>,
    },
}

pub(super) fn run(args: &Args, terminal: &Terminal) -> Result<(), Failure> {
    match args.command.as_ref().unwrap_or(&Verb::List) {
        Verb::List => list(terminal),
        Verb::Show { machine } => terminal.stdout(machines::text_of(machine)?.1.as_bytes()),
        Verb::Check { files } => check(files, terminal),
        Verb::New { id, from, set, output } => new(id, from, set, output.as_deref(), terminal),
        Verb::Import { file, output } => import(file, output.as_deref(), terminal),
    }
}

fn list(terminal: &Terminal) -> Result<(), Failure> {
    let (profiles, broken) = machines::all()?;
    broken.iter().for_each(|error| terminal.warn(error.to_string()));
    let values: Vec<_> = profiles
        .iter()
        .map(|(profile, place)| {
            serde_json::json!({
                "id": &profile.id, "name": &profile.name, "dialect": profile.firmware.dialect(),
                "bed_mm": [profile.bed.width, profile.bed.height], "from": place,
            })
        })
        .collect();
    terminal.result(&serde_json::json!({ "machines": values }), || {
        let rows: Vec<_> = profiles
            .iter()
            .map(|(profile, place)| {
                let bed = format!("{} x {} mm", profile.bed.width, profile.bed.height);
                let dialect = format!("{:?}", profile.firmware.dialect());
                vec![profile.id.clone(), dialect, bed, profile.name.clone(), place.clone()]
            })
            .collect();
        table(&["machine", "speaks", "bed", "name", "from"], &rows)
    })
}

fn check(paths: &[PathBuf], terminal: &Terminal) -> Result<(), Failure> {
    let mut names = Vec::new();
    for path in paths {
        let name = path.display().to_string();
        Profile::parse(&name, &files::read_text(path)?)?;
        names.push(name);
    }
    terminal.result(&serde_json::json!({ "checked": &names }), || {
        names.iter().map(|name| format!("{name}: sound\n")).collect()
    })
}

fn new(
    id: &str,
    from: &str,
    settings: &[String],
    output: Option<&Path>,
    terminal: &Terminal,
) -> Result<(), Failure> {
    let text = machines::derived(id, from, settings)?;
    let path = match output {
        Some(path) => path.to_owned(),
        None => machines::own_folder()?.join(machines::file_name(id)?),
    };
    write_new(&path, &text, terminal)?;
    if files::is_dash(&path) {
        return Ok(());
    }
    terminal.result(&serde_json::json!({ "written": &path }), || format!("{}: written", path.display()))
}

fn import(file: &Path, output: Option<&Path>, terminal: &Terminal) -> Result<(), Failure> {
    let profiles = vpype::import(&file.display().to_string(), &files::read_text(file)?)?;
    let folder = match output {
        Some(folder) => folder.to_owned(),
        None => machines::own_folder()?,
    };
    let mut written = Vec::new();
    for profile in profiles {
        let path = folder.join(machines::file_name(&profile.id)?);
        write_new(&path, &profile.text, terminal)?;
        profile.skipped.iter().for_each(|skipped| terminal.warn(skipped));
        written.push(path.display().to_string());
    }
    terminal.result(&serde_json::json!({ "written": &written }), || {
        written.iter().map(|path| format!("{path}: written\n")).collect()
    })
}

fn write_new(path: &Path, text: &str, terminal: &Terminal) -> Result<(), Failure> {
    if files::is_dash(path) {
        return terminal.stdout(text.as_bytes());
    }
    Ok(machines::write_new(path, text)?)
}
