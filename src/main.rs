//! The `traceur` program: see [`traceur::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    traceur::cli::main()
}
