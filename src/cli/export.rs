//! `traceur export`: the very bytes that `plot` would send.

use std::path::PathBuf;

use serde::Serialize;

use super::input::InputArgs;
use super::terminal::table;
use super::{Failure, Terminal, files};

/// Write the program of each pass, the very bytes that `plot` would send.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  traceur export drawing.svg -m grbl-servo -o programs
  traceur export one-pen.svg -m grbl-z -o - | less
  traceur export poster.svg --tile A4 -o programs     a folder a sheet")]
pub(super) struct Args {
    #[command(flatten)]
    input: InputArgs,
    /// The folder for the programs; `-` writes the program of a single pass to stdout.
    #[arg(short, long)]
    output: PathBuf,
}

#[derive(Debug, Serialize)]
struct Exported {
    path: String,
    pen: String,
    bytes: usize,
    statements: usize,
}

pub(super) fn run(args: &Args, terminal: &Terminal) -> Result<(), Failure> {
    let profile = args.input.profile()?;
    let sheets = args.input.read_sheets(terminal)?;
    let mut written: Vec<Exported> = Vec::new();
    for sheet in &sheets {
        let planned = args.input.plan(sheet, &profile, terminal)?;
        let programs = planned.programs();
        args.input.lint.tell(&planned.report.lint, terminal)?;
        if files::is_dash(&args.output) {
            return match (programs.as_slice(), sheets.len()) {
                ([program], 1) => terminal.stdout(program.to_text().as_bytes()),
                (many, 1) => Err(Failure::Input(format!(
                    "{} passes don't fit in one stream: give a folder to -o",
                    many.len()
                ))),
                (_, many) => Err(Failure::Input(format!(
                    "{many} sheets don't fit in one stream: choose one with --sheet, or give a folder to -o"
                ))),
            };
        }
        let folder = match sheet.number {
            None => args.output.clone(),
            Some(number) => args.output.join(format!("sheet-{number}")),
        };
        let folder = files::OutFolder::open(&folder)?;
        let paths = planned.write(&programs, &folder, terminal)?;
        written.extend(paths.iter().zip(programs.iter().zip(&planned.toolpath.passes)).map(
            |(path, (program, pass))| Exported {
                path: path.display().to_string(),
                pen: pass.pen.id.clone(),
                bytes: program.to_text().len(),
                statements: program.statements.len(),
            },
        ));
    }
    terminal.result(&serde_json::json!({ "files": &written }), || {
        let rows: Vec<_> = written
            .iter()
            .map(|file| {
                vec![file.path.clone(), file.pen.clone(), file.statements.to_string(), file.bytes.to_string()]
            })
            .collect();
        table(&["file", "pen", "statements", "bytes"], &rows)
    })
}
