//! What of a drawing is not drawn as it was meant, and what helps.

use kurbo::Shape as _;

use crate::Error;
use crate::listener::Listener;
use traceur_core::drawing::Drawing;
use traceur_core::geometry::Rect;
use traceur_core::machine::{Dialect, Placement, Profile};
use traceur_core::toolpath::{self, Toolpath};

/// Tells of what is not drawn.
///
/// # Errors
/// When that is all.
pub(super) fn note_losses(
    drawing: &Drawing,
    area: Rect,
    toolpath: &Toolpath,
    told: &toolpath::Report,
    profile: &Profile,
    listener: &dyn Listener,
) -> Result<(), Error> {
    if toolpath.passes.is_empty() {
        let (width, height) = (area.width(), area.height());
        let why = if told.tiny > 0 {
            format!("all {} strokes are shorter than --min-stroke", told.tiny)
        } else {
            let help = remedy(drawing, area, profile);
            let id = &profile.id;
            format!(
                "no stroke lies inside the {width:.1} x {height:.1} mm that `{id}` reaches on this page; {help}"
            )
        };
        return Err(Error::Input(format!("nothing to draw: {why}")));
    }
    if told.clipped_mm >= 0.05 {
        listener.warn(&format!(
            "{:.1} mm of line lay outside the drawable area and were cut off; {}",
            told.clipped_mm,
            remedy(drawing, area, profile)
        ));
    }
    if told.tiny > 0 {
        listener.note(&format!("{} strokes shorter than --min-stroke are left out", told.tiny));
    }
    if told.doubled.mm > 0.0 {
        let (strokes, mm) = (told.doubled.strokes, told.doubled.mm);
        listener
            .note(&format!("drawn twice and left out: {strokes} strokes and parts of others, {mm:.1} mm"));
    }
    Ok(())
}

/// Says how the paper must lie on a bed, where that is not as the drawing is seen. A plotter with sheets takes each in one
/// way only.
pub(super) fn note_turn(placement: &Placement, profile: &Profile, listener: &dyn Listener) {
    if placement.is_turned() && profile.firmware.dialect() != Dialect::Hpgl {
        listener.note(&format!(
            "the page is turned to fit `{}`: lay its top to the left; --no-rotate leaves it upright",
            profile.id
        ));
    }
}

/// What helps when a drawing does not fit.
fn remedy(drawing: &Drawing, area: Rect, profile: &Profile) -> String {
    let (page, bed) = (drawing.page, &profile.bed);
    let paths =
        drawing.layers.iter().flat_map(|layer| &layer.strokes).map(|stroke| stroke.path.bounding_box());
    let ink = paths.reduce(|a, b| a.union(b)).unwrap_or(Rect::ZERO);
    let (width, height) = (ink.width(), ink.height());
    if page.width > bed.width + 0.1 || page.height > bed.height + 0.1 {
        if page.width <= bed.height + 0.1 && page.height <= bed.width + 0.1 {
            return format!(
                "the page of {:.1} x {:.1} mm fits the bed of `{}` when it is turned: leave out --no-rotate",
                page.width, page.height, profile.id
            );
        }
        let (w, h) = (page.width.min(bed.width), page.height.min(bed.height));
        return format!(
            "the page of {:.1} x {:.1} mm is larger than the bed of {:.1} x {:.1} mm of `{}`: --page {w}x{h}mm --fit makes it fit, \
             --tile {w}x{h}mm cuts it over several sheets",
            page.width, page.height, bed.width, bed.height, profile.id
        );
    }
    let size = format!("the ink takes {width:.1} x {height:.1} mm");
    if width <= area.width() && height <= area.height() {
        format!("{size} and fits: --center moves it inside")
    } else if height <= area.width() && width <= area.height() {
        format!("{size}: --rotate 90deg --center makes it fit")
    } else {
        format!("{size}: --fit makes it fit")
    }
}
