//! `traceur ports`: where plotters are plugged in, who answers there, and what is wrong.

use serde::Serialize;

use super::terminal::table;
use super::{Failure, Terminal};
use traceur_job::transport::{self, SerialPort};
use traceur_protocol::Identity;

/// What lets everybody at this computer use a plotter, without being in a group.
const UDEV_RULE: &str = include_str!("../../docs/70-traceur.rules");

/// List the serial ports and who answers there. Nothing moves; boards that start anew when their port is opened do so.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  traceur ports
  traceur ports --no-probe
  traceur ports --udev-rule | sudo tee /etc/udev/rules.d/70-traceur.rules")]
pub(super) struct Args {
    /// Only list them: open no port.
    #[arg(long)]
    no_probe: bool,
    /// Print a udev rule that gives the person at this computer access to plotters.
    #[arg(long)]
    udev_rule: bool,
}

#[derive(Debug, Serialize)]
struct Found {
    port: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    usb: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    product: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    answers: Option<Identity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

pub(super) fn run(args: &Args, terminal: &Terminal) -> Result<(), Failure> {
    if args.udev_rule {
        return terminal.stdout(UDEV_RULE.as_bytes());
    }
    let ports = transport::ports();
    let bar = terminal.progress("ports", ports.len() as u64);
    let mut found = Vec::new();
    for port in ports {
        bar.set_message(port.name.clone());
        let answer = if args.no_probe { Ok(None) } else { probe(&port.name)? };
        found.push(Found::new(port, answer));
        bar.inc(1);
    }
    bar.finish_and_clear();
    terminal.result(&serde_json::json!({ "ports": &found }), || to_text(&found, args.no_probe))
}

fn probe(port: &str) -> Result<Result<Option<Identity>, traceur_job::Error>, Failure> {
    Ok(traceur_job::runtime()?.block_on(traceur_job::probe(port)))
}

impl Found {
    fn new(port: SerialPort, answer: Result<Option<Identity>, traceur_job::Error>) -> Self {
        let (answers, problem) = match answer {
            Ok(answers) => (answers, None),
            Err(error) => (None, Some(error.to_string())),
        };
        let usb = port.usb.map(|(vendor, product)| format!("{vendor:04x}:{product:04x}"));
        Self { port: port.name, usb, product: port.product, answers, problem }
    }

    fn words(&self, no_probe: bool) -> String {
        match (&self.answers, &self.problem) {
            (_, Some(problem)) => problem.clone(),
            (Some(found), None) => format!("{:?}: {}", found.dialect, found.name).to_owned(),
            (None, None) if no_probe => String::new(),
            (None, None) => "no plotter that is known answers".into(),
        }
    }
}

fn to_text(found: &[Found], no_probe: bool) -> String {
    if found.is_empty() {
        return "no serial port: plug the plotter in, or plot to the simulator with `--port sim`".into();
    }
    let empty = String::new;
    let rows: Vec<_> = found
        .iter()
        .map(|port| {
            let (usb, product) = (port.usb.clone(), port.product.clone());
            vec![
                port.port.clone(),
                usb.unwrap_or_else(empty),
                product.unwrap_or_else(empty),
                port.words(no_probe),
            ]
        })
        .collect();
    table(&["port", "usb", "product", "who answers"], &rows)
}
