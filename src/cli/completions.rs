//! `traceur completions`, `traceur man`: for shells and readers.

use std::path::PathBuf;

use clap::CommandFactory;

use super::files::OutFolder;
use super::{Cli, Failure, Terminal};

/// Print shell completions.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  traceur completions bash > ~/.local/share/bash-completion/completions/traceur"
)]
pub(super) struct Args {
    /// The shell.
    shell: clap_complete::Shell,
}

pub(super) fn run(args: &Args, terminal: &Terminal) -> Result<(), Failure> {
    let mut bytes = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "traceur", &mut bytes);
    terminal.stdout(&bytes)
}

/// Write the man pages.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  traceur man ~/.local/share/man/man1")]
pub(super) struct ManArgs {
    /// The folder for them; made if it is missing.
    folder: PathBuf,
}

pub(super) fn man(args: &ManArgs) -> Result<(), Failure> {
    let folder = OutFolder::open(&args.folder)?;
    let mut command = Cli::command();
    command.build();
    let mut pages = vec![("traceur".to_owned(), command.clone())];
    for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
        pages.push((format!("traceur-{}", sub.get_name()), sub.clone()));
    }
    for (name, page) in pages {
        let mut bytes = Vec::new();
        let rendered = clap_mangen::Man::new(page).title(name.to_uppercase()).render(&mut bytes);
        rendered.map_err(|error| Failure::Input(format!("{name}.1: {error}")))?;
        folder.write(&format!("{name}.1"), &bytes)?;
    }
    Ok(())
}
