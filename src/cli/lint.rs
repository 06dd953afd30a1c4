//! Flags of the plot lint, and its findings for people.

use super::{Failure, Terminal};
use traceur_core::toolpath::lint::{Finding, Severity};

/// What is too much, and what follows.
#[derive(Debug, Clone, Copy, clap::Args)]
#[command(next_help_heading = "Checks")]
pub(super) struct LintArgs {
    /// End with exit code 2 when the checks find anything that would spoil the plot.
    #[arg(long)]
    strict: bool,
    /// Layers of ink at a spot that the paper bears.
    #[arg(long, value_name = "N", value_parser = layers, default_value_t = 4.0)]
    pub(super) most_overdraw: f64,
}

/// Reads a number of layers.
fn layers(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(layers) if (1.0..=1000.0).contains(&layers) => Ok(layers),
        _ => Err("give a number of layers, 1 to 1000".into()),
    }
}

/// Most lines that people are shown.
const MOST_LINES: usize = 4;

impl LintArgs {
    /// Tells people of findings, and fails where they were not to be.
    ///
    /// # Errors
    /// Under `--strict`, when there is a warning among them.
    pub(super) fn tell(self, findings: &[Finding], terminal: &Terminal) -> Result<(), Failure> {
        // Reading and planning have told of these already.
        let is_told = |finding: &&Finding| {
            finding.kind == "text" || finding.kind == "off-page" && finding.at_mm.is_none()
        };
        let new: Vec<&Finding> = findings.iter().filter(|finding| !is_told(finding)).collect();
        for finding in new.iter().take(MOST_LINES) {
            let at = finding.at_mm.map_or(String::new(), |[x, y]| format!(" (at {x}, {y} mm)"));
            let line = format!("{}: {}{at}", finding.kind, finding.text);
            match finding.severity {
                Severity::Warning => terminal.warn(line),
                Severity::Note => terminal.say(line),
            }
        }
        if new.len() > MOST_LINES {
            terminal.say(format!("and {} more findings: --json shows all", new.len() - MOST_LINES));
        }
        let bad: Vec<&str> = findings
            .iter()
            .filter(|finding| finding.severity == Severity::Warning)
            .map(|finding| finding.kind)
            .collect();
        if self.strict && !bad.is_empty() {
            return Err(Failure::Input(format!(
                "--strict: {}: mend the drawing, or leave --strict out",
                bad.join(", ")
            )));
        }
        Ok(())
    }
}
