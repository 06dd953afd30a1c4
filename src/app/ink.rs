//! What virtual plotters drew, as ink on paper.

use crate::Error;
use crate::input::Input;
use crate::listener::{Listener, Work};
use crate::preview::{GAP_DPI, Gap, of_paper, of_rgb8, off_page_mm};
use traceur_core::color::{Srgb8, delta_e, linear, to_srgb8};
use traceur_core::drawing::Page;
use traceur_core::geometry::Polyline;
use traceur_core::machine::Placement;
use traceur_core::pens::Pen;
use traceur_generator::Picture;
use traceur_sim::MotionTrace;
use traceur_sim::ink::Paper;

/// The marks of passes, each with the pen that made them; page mm.
pub type Marks = [(Pen, Vec<Polyline>)];

/// The ink of passes on paper.
#[derive(Debug)]
pub struct Inked {
    /// The paper, seen from above.
    pub picture: Picture,
    /// Length of ink; mm.
    pub draw_mm: f64,
    /// Length of ink outside the page; mm.
    pub off_page_mm: f64,
}

impl Inked {
    /// Inks marks on white paper, `dpi` pixels an inch.
    #[must_use]
    pub fn of(page: &Page, marks: &Marks, dpi: f64, listener: &dyn Listener) -> Self {
        let mut paper = Paper::white(page.width, page.height, dpi);
        lay(&mut paper, marks, listener);
        let (mut draw_mm, mut off_page) = (0.0, 0.0);
        for (_, strokes) in marks {
            draw_mm += strokes.iter().map(Polyline::length).sum::<f64>();
            off_page += off_page_mm(strokes, page);
        }
        Self { picture: of_paper(paper), draw_mm, off_page_mm: off_page }
    }

    /// The gap to a picture of the same page.
    ///
    /// # Errors
    /// When the pictures can't be compared.
    pub fn gap(&self, wanted: &Picture, page: &Page) -> Result<Gap, Error> {
        let share = if self.draw_mm > 0.0 { self.off_page_mm / self.draw_mm } else { 0.0 };
        Ok(Gap::measure(wanted, &self.picture, page, share)?)
    }
}

/// Inks the marks of passes on a paper.
pub fn lay(paper: &mut Paper, marks: &Marks, listener: &dyn Listener) {
    let mut progress = listener.begin(Work::Ink);
    for (index, (pen, strokes)) in marks.iter().enumerate() {
        // Ink that is laid half is of no use to anybody: it goes on to its end.
        let _ = progress.at(index as f64 / marks.len() as f64, &pen.name);
        paper.lay(strokes, pen.tip, &pen.ink());
    }
}

/// Below this ΔE2000 a line is not seen on its paper.
const LEAST_SEEN: f32 = 5.0;

/// The pens whose line is hardly seen on this paper, each once, and why, as a clause. A glaze on black paper darkens what is
/// dark already.
#[must_use]
pub fn unseen(marks: &Marks, paper: Srgb8) -> Vec<(&Pen, &'static str)> {
    let mut unseen: Vec<(&Pen, &str)> = Vec::new();
    for (pen, _) in marks {
        if unseen.iter().all(|(told, _)| told.id != pen.id) && !is_seen(pen, paper) {
            let is_like_paper = difference(pen.color, paper) < LEAST_SEEN;
            let why =
                if is_like_paper { "its color is the paper's" } else { "its ink lets the paper through" };
            unseen.push((pen, why));
        }
    }
    unseen
}

/// Whether one line of this pen differs from the paper under it.
fn is_seen(pen: &Pen, paper: Srgb8) -> bool {
    let ink = pen.ink();
    difference(to_srgb8(ink.lay(linear(paper), ink.passage(1.0))), paper) >= LEAST_SEEN
}

fn difference(a: Srgb8, b: Srgb8) -> f32 {
    delta_e(a.into_format(), b.into_format())
}

/// The picture that an SVG's viewer shows, laid out, at [`GAP_DPI`]; `None`: the input is no SVG.
///
/// # Errors
/// When it can't be drawn.
pub fn viewed(input: &Input) -> Result<Option<Picture>, Error> {
    let Input::Drawing(laid) = input else { return Ok(None) };
    let seen = laid.viewer.render(GAP_DPI, Some(&laid.view))?;
    Ok(Some(of_rgb8(seen.width_px, seen.height_px, &seen.rgb)))
}

/// The marks that a trace left; page mm.
#[must_use]
pub fn marks(trace: &MotionTrace, placement: &Placement) -> Vec<Polyline> {
    trace.strokes().into_iter().map(|stroke| on_page(&stroke, placement)).collect()
}

/// The marks that a trace left, by the pen in the carousel's slot; page mm.
#[must_use]
pub fn marks_by_pen(trace: &MotionTrace, placement: &Placement, pens: &[Pen]) -> Vec<(Pen, Vec<Polyline>)> {
    let marks = trace.strokes_by_pen().into_iter().filter_map(|(slot, strokes)| {
        let pen = pen_in(slot, pens)?.clone();
        Some((pen, strokes.iter().map(|stroke| on_page(stroke, placement)).collect()))
    });
    marks.collect()
}

/// The pen in a place of the carousel: that of this slot, else in the order given. A pen that was mounted by hand is the
/// first.
#[must_use]
pub fn pen_in(slot: u32, pens: &[Pen]) -> Option<&Pen> {
    let numbered = pens.iter().find(|pen| pen.slot == Some(slot) && slot > 0);
    numbered.or_else(|| pens.get(slot.max(1) as usize - 1)).or_else(|| pens.first())
}

fn on_page(stroke: &Polyline, placement: &Placement) -> Polyline {
    stroke.map(|point| placement.to_page(point))
}
