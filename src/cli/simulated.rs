//! What the virtual plotter does with an input's bytes: shared by all that `preview` writes.

use rayon::prelude::*;

use super::input::{Input, InputArgs};
use super::pipeline::{self, Planned};
use super::{Failure, Terminal};
use traceur_app::preview::Playback;
use traceur_core::drawing::Page;
use traceur_core::machine::{Placement, Profile};
use traceur_core::toolpath::lint::Finding;

/// What the virtual plotter did.
#[derive(Debug)]
pub(super) struct Simulated {
    pub(super) playback: Playback,
    /// Nothing for somebody's program.
    pub(super) lint: Vec<Finding>,
}

/// Plans and encodes what is no program yet, and lets the virtual plotter draw it.
pub(super) fn simulate(
    input: &Input,
    args: &InputArgs,
    profile: &Profile,
    terminal: &Terminal,
) -> Result<Simulated, Failure> {
    match input {
        Input::Program(bytes) => simulate_program(bytes, args, profile, terminal),
        Input::Drawing(_) | Input::Toolpath(_) => {
            simulate_plan(pipeline::plan_input(input, &args.wishes(), profile, terminal)?, profile)
        }
    }
}

fn simulate_plan(planned: Planned, profile: &Profile) -> Result<Simulated, Failure> {
    let page = planned.toolpath.page;
    let placement = Placement::of_page(profile, page.width, page.height)?;
    let mut playback = Playback::new(page, profile, &placement);
    let passes: Vec<_> = planned.programs.iter().zip(&planned.toolpath.passes).collect();
    // As many at once as there are threads, so that no more traces than that are held.
    for passes in passes.chunks(rayon::current_num_threads()) {
        let traces: Vec<_> = passes
            .par_iter()
            .map(|(program, _)| traceur_sim::run_program(program.to_text().as_bytes(), profile))
            .collect();
        for (trace, (_, pass)) in traces.into_iter().zip(passes) {
            playback.add(&trace?, &placement, |_| pass.pen.clone());
        }
    }
    Ok(Simulated { playback, lint: planned.report.lint })
}

/// A program is by whoever wrote it: a pass for each pen that it asks for.
fn simulate_program(
    bytes: &[u8],
    args: &InputArgs,
    profile: &Profile,
    terminal: &Terminal,
) -> Result<Simulated, Failure> {
    let bed = Page { width: profile.bed.width, height: profile.bed.height };
    let page = args.layout.page.unwrap_or(bed);
    let placement = Placement::of_page(profile, page.width, page.height)?;
    let trace = traceur_sim::run_program(bytes, profile)?;
    trace.warnings.iter().for_each(|warning| terminal.warn(format!("the plotter objects: {warning}")));
    let slots = trace.pieces.iter().map(|piece| piece.pen).max().unwrap_or(0);
    let pens = args.program_pens(slots)?;
    let mut playback = Playback::new(page, profile, &placement);
    playback.add(&trace, &placement, |slot| pipeline::pen_in(slot, &pens).unwrap_or(&pens[0]).clone());
    Ok(Simulated { playback, lint: Vec::new() })
}
