//! What may go wrong on paper: the core's checks, told what only this floor knows of the machine and of the pens' ink.

use crate::odometer;
use traceur_core::machine::{Placement, Profile};
use traceur_core::pens::{Pen, near_duplicates};
use traceur_core::toolpath::Toolpath;
use traceur_core::toolpath::lint::{self, Finding, Known, Limits};

/// Colors closer than this are hardly told apart; CIEDE2000.
const ALIKE: f32 = 5.0;

/// Looks at a toolpath as it would be plotted. `clipped_mm` of it is cut off; `texts` are left out;
/// `most_overdraw` layers of ink at a spot are what the paper bears.
#[must_use]
pub fn findings(
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
