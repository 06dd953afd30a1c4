//! `traceur machines`, `traceur ports`: what can be plotted on, and where it is plugged in.

use std::path::{Path, PathBuf};

use clap::Subcommand;

use super::terminal::table;
use super::{Failure, Terminal, files};
use crate::config;
use crate::machine::{BUILT_IN, Profile};
use crate::transport;

/// List, show and check machine profiles.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  traceur machines list
  traceur machines show grbl-servo > my-plotter.toml     start your own profile
  traceur machines check my-plotter.toml")]
pub(super) struct Args {
    #[command(subcommand)]
    command: Option<Verb>,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// The built-in profiles.
    List,
    /// The TOML text of a profile.
    Show {
        /// A built-in id or a TOML file.
        machine: String,
    },
    /// Say whether TOML files are sound.
    Check {
        /// The files.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
}

pub(super) fn run(args: &Args, terminal: &Terminal) -> Result<(), Failure> {
    match args.command.as_ref().unwrap_or(&Verb::List) {
        Verb::List => list(terminal),
        Verb::Show { machine } => terminal.stdout(text_of(machine)?.1.as_bytes()),
        Verb::Check { files } => check(files, terminal),
    }
}

/// A profile by built-in id or TOML file.
pub(super) fn choose(machine: &str) -> Result<Profile, Failure> {
    let (name, text) = text_of(machine)?;
    Ok(Profile::parse(&name, &text)?)
}

fn text_of(machine: &str) -> Result<(String, String), Failure> {
    if let Some((id, text)) = BUILT_IN.iter().find(|(id, _)| *id == machine) {
        return Ok((format!("built-in {id}"), (*text).to_owned()));
    }
    let path = Path::new(machine);
    if !path.exists() && path.extension().is_none() {
        let ids = BUILT_IN.map(|(id, _)| id);
        let guess =
            config::nearest(machine, ids).map_or(String::new(), |id| format!(" (did you mean `{id}`?)"));
        return Err(Failure::Input(format!(
            "no machine `{machine}`{guess}: the built-in ones are {}, or give a TOML file",
            ids.join(", ")
        )));
    }
    Ok((machine.to_owned(), files::read_text(path)?))
}

fn list(terminal: &Terminal) -> Result<(), Failure> {
    let mut profiles = Vec::new();
    for (id, text) in BUILT_IN {
        profiles.push(Profile::parse(id, text)?);
    }
    let values: Vec<_> = profiles
        .iter()
        .map(|profile| {
            serde_json::json!({
                "id": &profile.id, "name": &profile.name,
                "bed_mm": [profile.bed.width, profile.bed.height],
            })
        })
        .collect();
    terminal.result(&serde_json::json!({ "machines": values }), || {
        let rows: Vec<_> = profiles
            .iter()
            .map(|profile| {
                let bed = format!("{} x {} mm", profile.bed.width, profile.bed.height);
                vec![profile.id.clone(), bed, profile.name.clone()]
            })
            .collect();
        table(&["machine", "bed", "name"], &rows)
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

/// List the serial ports.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  traceur ports")]
pub(super) struct PortsArgs {}

pub(super) fn ports(_: &PortsArgs, terminal: &Terminal) -> Result<(), Failure> {
    let ports = transport::ports();
    terminal.result(&serde_json::json!({ "ports": &ports }), || {
        if ports.is_empty() {
            return "no serial port: plug the plotter in, or plot to the simulator with `--port sim`".into();
        }
        ports.join("\n")
    })
}
