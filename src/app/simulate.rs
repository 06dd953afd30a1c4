//! What the virtual plotter does with an input's bytes.

use rayon::prelude::*;

use crate::ink::pen_in;
use crate::listener::Listener;
use crate::plan::Planned;
use crate::preview::Playback;
use crate::{Error, catalog};
use traceur_core::drawing::Page;
use traceur_core::machine::{Placement, Profile};
use traceur_core::pens::Pen;

/// Lets the virtual plotter draw a plan, pass by pass.
///
/// # Errors
/// When the virtual plotter refuses its bytes.
pub fn simulate(planned: &Planned) -> Result<Playback, Error> {
    let Planned { toolpath, profile, placement, .. } = planned;
    let mut playback = Playback::new(toolpath.page, profile, placement);
    let passes: Vec<usize> = (0..toolpath.passes.len()).collect();
    // As many at once as there are threads, so that no more programs and traces than that are held.
    for passes in passes.chunks(rayon::current_num_threads()) {
        let traces: Vec<_> = passes
            .par_iter()
            .map(|pass| traceur_sim::run_program(planned.program(*pass).to_text().as_bytes(), profile))
            .collect();
        for (trace, pass) in traces.into_iter().zip(passes) {
            playback.add(&trace?, placement, |_| toolpath.passes[*pass].pen.clone());
        }
    }
    Ok(playback)
}

/// Lets the virtual plotter draw somebody's program on a page (default: the bed): a pass for each pen that it asks for,
/// from the set `pens`, else fineliners, or a black one where it asks for one.
///
/// # Errors
/// When the page does not fit the machine, the plotter refuses the bytes, or there are no such pens.
pub fn simulate_program(
    bytes: &[u8],
    page: Option<Page>,
    pens: Option<&str>,
    profile: &Profile,
    listener: &dyn Listener,
) -> Result<Playback, Error> {
    let bed = Page { width: profile.bed.width, height: profile.bed.height };
    let page = page.unwrap_or(bed);
    let placement = Placement::of_page(profile, page.width, page.height)?;
    let trace = traceur_sim::run_program(bytes, profile)?;
    trace.warnings.iter().for_each(|warning| listener.warn(&format!("the plotter objects: {warning}")));
    let slots = trace.pieces.iter().map(|piece| piece.pen).max().unwrap_or(0);
    let pens = program_pens(pens, slots)?;
    let mut playback = Playback::new(page, profile, &placement);
    playback.add(&trace, &placement, |slot| pen_in(slot, &pens).unwrap_or(&pens[0]).clone());
    Ok(playback)
}

/// The pens for a program that takes the first `slots` places of a carousel; at least one.
fn program_pens(set: Option<&str>, slots: u32) -> Result<Vec<Pen>, Error> {
    let set = set.unwrap_or(if slots > 1 { "fineliner-12" } else { "black" });
    let chosen = catalog::pens::choose(set)?;
    if chosen.is_empty() {
        return Err(Error::Input(format!("--pens {set}: no pen in it: name one, such as `black`")));
    }
    Ok(chosen)
}
