//! Ordered strokes: what is drawn between two pen changes, and how far the pen travels for it.
//!
//! Comes in: a [`Drawing`](crate::drawing::Drawing). Goes out: a [`Toolpath`]. Deliberately absent: how long drawing takes
//! (`traceur-motion`); of time this floor knows only that of travels and lifts, which an order can change.
//!
//! ```text
//! strokes ─► dedup ─► join ─► order: near ─► greedy ─► search (moves of tour) ─► kicks ─► strokes
//! ```

mod chains;
mod cost;
mod dedup;
mod ends;
pub mod file;
mod greedy;
mod join;
mod kicks;
pub mod lint;
mod near;
mod order;
mod plan;
mod search;
mod sequence;
mod split;
mod tour;
mod tree;

pub use cost::{Objective, TravelTime};
pub use dedup::{Doubled, dedup};
pub use join::join;
pub use order::{Settings, order, usual_effort};
pub use plan::{Options, PassReport, Report, as_given, plan, plan_watched};
pub use sequence::Order;
pub use split::Split;

use crate::drawing::Page;
use crate::geometry::{Point, Polyline, Rect};
use crate::pens::Pen;

/// All that is drawn with one mounted pen, in drawing order.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pass {
    /// The mounted pen.
    #[serde(with = "crate::pens::form")]
    pub pen: Pen,
    /// Its strokes, flattened, clipped and joined, in drawing order and direction; page space, mm.
    pub strokes: Vec<Polyline>,
}

/// A drawing as it will be plotted.
#[derive(Debug, Clone, PartialEq)]
pub struct Toolpath {
    /// The sheet.
    pub page: Page,
    /// First pass first; none is empty.
    pub passes: Vec<Pass>,
}

impl Toolpath {
    /// The bounds of all strokes' middle lines; page mm. `None`: there is none.
    #[must_use]
    pub fn bounds(&self) -> Option<Rect> {
        let strokes = self.passes.iter().flat_map(|pass| &pass.strokes);
        strokes.map(Polyline::bounds).reduce(|a, b| a.union(b))
    }

    /// A way around all strokes with the pen of the first pass, for somebody who lays paper; `None`: there are no strokes.
    #[must_use]
    pub fn frame(&self) -> Option<Self> {
        let b = self.bounds()?;
        let corners = [(b.x0, b.y0), (b.x1, b.y0), (b.x1, b.y1), (b.x0, b.y1), (b.x0, b.y0)];
        let around = Polyline::from(corners);
        let pass = Pass { pen: self.passes.first()?.pen.clone(), strokes: vec![around] };
        Some(Self { page: self.page, passes: vec![pass] })
    }
}

/// What a pass, or a list of strokes in some order, costs.
#[derive(Debug, Clone, Copy, PartialEq, Default, serde::Serialize)]
pub struct Statistics {
    /// Strokes.
    pub strokes: usize,
    /// Pen-down length; mm.
    pub draw_mm: f64,
    /// Pen-up length from the page origin (0,0) through every stroke, the end free; mm.
    pub travel_mm: f64,
    /// How often the pen is lifted.
    pub lifts: usize,
}

impl Statistics {
    /// Of strokes drawn in this order.
    #[must_use]
    pub fn of(strokes: &[Polyline]) -> Self {
        let mut at = Point::ORIGIN;
        let mut sum = Self { strokes: strokes.len(), lifts: strokes.len(), ..Self::default() };
        for stroke in strokes {
            sum.draw_mm += stroke.length();
            sum.travel_mm += at.distance(stroke.start());
            at = stroke.end();
        }
        sum
    }
}

impl std::ops::AddAssign for Statistics {
    fn add_assign(&mut self, other: Self) {
        self.strokes += other.strokes;
        self.draw_mm += other.draw_mm;
        self.travel_mm += other.travel_mm;
        self.lifts += other.lifts;
    }
}
