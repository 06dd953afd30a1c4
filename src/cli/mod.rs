//! The command line: one file a command; what was typed becomes ready objects, then work, then words.
//!
//! Exit codes: 0 done, 1 stopped and resumable, 2 usage or input error, 3 device fault.

mod completions;
mod device;
mod device_keys;
mod evolve;
mod export;
mod failure;
mod files;

mod generate;
mod generate_image;
mod held_device;
mod input;
mod interrupt;
mod jobs;
mod layout;
mod lint;
mod live;
mod machines;
mod matching;
mod models;
mod order;
mod pen_use;
mod pens;
mod pens_swatch;

mod pass_order;
mod pens_edit;
mod pens_listing;
mod pens_log;
mod perform;
mod plan;
mod plot;
mod ports;
mod preview;
mod progress;
mod resume;
mod run;
mod show;
mod sim;
mod sweep;
mod terminal;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use failure::Failure;
use terminal::Terminal;

/// From a neuron to ink on paper: make drawings for the pens you own, plan them, preview them, plot them.
#[derive(Debug, Parser)]
#[command(name = "traceur", version, propagate_version = true, max_term_width = 100)]
#[command(after_help = "Examples:
  traceur run first-ink --out out            the whole job, on simulated paper
  traceur plan drawing.svg                   order, passes, times
  traceur preview drawing.svg -o ink.png     what it will look like
  traceur plot drawing.svg --port sim        the same bytes, to the virtual plotter
  traceur plot drawing.svg -m grbl-servo --port /dev/ttyUSB0")]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    output: OutputArgs,
}

/// How the program speaks.
#[derive(Debug, Clone, clap::Args)]
struct OutputArgs {
    /// One JSON object on stdout; everything else goes to stderr.
    #[arg(long, global = true)]
    json: bool,
    /// Say less: errors only.
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// Say what happens; twice for each byte on the wire, both ways.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
    /// Colored words on the terminal.
    // A text, because `pens add --color '#1d4f9e'` is another flag of the same name, whose value clap puts here too.
    #[arg(long, global = true, value_name = "WHEN", default_value = COLOR[0], value_parser = COLOR)]
    color: String,
}

/// When words are colored, as `--color` has it.
const COLOR: [&str; 3] = ["auto", "always", "never"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Color {
    Auto,
    Always,
    Never,
}

impl OutputArgs {
    fn color(&self) -> Color {
        match self.color.as_str() {
            "always" => Color::Always,
            "never" => Color::Never,
            _ => Color::Auto,
        }
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(run::Args),
    Generate(generate::Args),
    Plan(plan::Args),
    Export(export::Args),
    Preview(preview::Args),
    Plot(plot::Args),
    Resume(resume::Args),
    Jobs(jobs::Args),
    Pens(pens::Args),
    Machines(machines::Args),
    Device(device::Args),
    Ports(ports::Args),
    Sim(sim::Args),
    Sweep(sweep::Args),
    Models(models::Args),
    Completions(completions::Args),
    Man(completions::ManArgs),
}

/// Runs the program with the process's arguments.
#[must_use]
pub(crate) fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let terminal = Terminal::new(&cli.output);
    match dispatch(cli.command, &terminal) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Closed) => ExitCode::SUCCESS,
        Err(failure) => {
            terminal.error(&failure);
            ExitCode::from(failure.exit_code())
        }
    }
}

/// Clap's own words: help and version are no error; a wrong word is exit code 2.
fn usage(error: &clap::Error) -> ExitCode {
    // A closed stdout is the reader's choice, not an error.
    let _ = error.print();
    if error.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS }
}

fn dispatch(command: Command, terminal: &Terminal) -> Result<(), Failure> {
    match command {
        Command::Run(args) => run::run(&args, terminal),
        Command::Generate(args) if args.image.is_some() || args.from.is_some() => {
            generate_image::run(&args, terminal)
        }
        Command::Generate(args) => generate::run(&args, terminal),
        Command::Plan(args) => plan::run(&args, terminal),
        Command::Export(args) => export::run(&args, terminal),
        Command::Preview(args) => preview::run(&args, terminal),
        Command::Plot(args) => plot::run(&args, terminal),
        Command::Resume(args) => resume::run(&args, terminal),
        Command::Jobs(args) => jobs::run(&args, terminal),
        Command::Pens(args) => pens::run(&args, terminal),
        Command::Machines(args) => machines::run(&args, terminal),
        Command::Device(args) => device::run(&args, terminal),
        Command::Ports(args) => ports::run(&args, terminal),
        Command::Sim(args) => sim::run(&args, terminal),
        Command::Sweep(args) => sweep::run(&args, terminal),
        Command::Models(args) => models::run(&args, terminal),
        Command::Completions(args) => completions::run(&args, terminal),
        Command::Man(args) => completions::man(&args),
    }
}
