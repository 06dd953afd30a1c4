//! Flags of the plot lint, and its findings for people.

use super::odometer;
use super::{Failure, Terminal};
use traceur_core::machine::{Placement, Profile};
use traceur_core::pens::{Pen, near_duplicates};
use traceur_core::toolpath::Toolpath;
use traceur_core::toolpath::lint::{self, Finding, Known, Limits, Severity};

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

/// Colors closer than this are hardly told apart; CIEDE2000.
const ALIKE: f32 = 5.0;
/// Most lines that people are shown.
const MOST_LINES: usize = 4;

/// Looks at a toolpath as it would be plotted. `clipped_mm` of it is cut off; `texts` are left out.
pub(super) fn findings(
    toolpath: &Toolpath,
    profile: &Profile,
    placement: &Placement,
    most_overdraw: f64,
    clipped_mm: f64,
    texts: usize,
) -> Vec<Finding> {
    let mut pens: Vec<Pen> = Vec::new();
    for pass in &toolpath.passes {
        if pens.iter().all(|pen| pen.id != pass.pen.id) {
            pens.push(pass.pen.clone());
        }
    }
    let near = near_duplicates(&pens, ALIKE).into_iter();
    let alike: Vec<_> = near.map(|(a, b, off)| (pens[a].id.clone(), pens[b].id.clone(), off)).collect();
    let ink = odometer::left(pens.iter());
    let bed = (profile.bed.width, profile.bed.height);
    let known = Known {
        reach: placement.reach(toolpath.page.width),
        // As the page lies on it.
        bed: if placement.is_turned() { (bed.1, bed.0) } else { bed },
        clipped_mm,
        texts,
        ink: &ink,
        alike: &alike,
    };
    lint::lint(toolpath, &known, &Limits { most_overdraw, ..Limits::default() })
}

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
