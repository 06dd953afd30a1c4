//! What a plan costs, and what became of the drawing on its way: for people and for scripts.

use serde::Serialize;

use crate::rounded;
use crate::timetable::{Timed, Timetable};
use traceur_core::color::to_hex;
use traceur_core::drawing::scene::Match;
use traceur_core::geometry::Rect;
use traceur_core::toolpath::{Doubled, Order, Pass, Statistics, Toolpath, lint};

use super::Optimize;

/// What `plan --json` says. Lengths in mm, times in s, to thousandths.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Strokes of all passes.
    pub strokes: usize,
    /// Length of ink.
    pub draw_mm: f64,
    /// Length of the ways with the pen up between strokes.
    pub travel_mm: f64,
    /// How often the pen is lifted.
    pub lifts: usize,
    /// How long all of it takes, pen changes apart.
    pub seconds: f64,
    /// The same before joining and ordering.
    pub input: Before,
    /// First pass first.
    pub passes: Vec<PassReport>,
    /// Left, top, right, bottom of all ink; page mm.
    pub bounds_mm: [f64; 4],
    /// Which pen the drawing's colors found; empty where none was looked for.
    pub mapping: Vec<Mapped>,
    /// What may go wrong on paper.
    pub lint: Vec<lint::Finding>,
    /// What became of the drawing on its way.
    #[serde(flatten)]
    pub counts: Counts,
    /// How the order came about; nothing for a saved plan, whose order is kept.
    #[serde(flatten)]
    pub ordered: Option<Ordered>,
}

/// What became of the drawing on its way.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Counts {
    /// Length that lay outside the drawable area and was cut off.
    pub clipped_mm: f64,
    /// Length that lay hidden below filled shapes.
    pub hidden_mm: f64,
    /// Length of the lines that ink filled shapes.
    pub hatch_mm: f64,
    /// Vertices left out.
    pub simplified_vertices: usize,
    /// Strokes of which nothing is drawn: outside, or the same dot again.
    pub dropped_strokes: usize,
    /// Strokes shorter than asked for.
    pub tiny_strokes: usize,
    /// Strokes without length.
    pub dots: usize,
    /// Stops to refill a pen.
    pub refills: usize,
    /// What was left out because the same pen draws it already.
    pub doubled: Doubled,
}

/// The cost of the order that came in.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Before {
    /// Strokes.
    pub strokes: usize,
    /// Length of the ways with the pen up.
    pub travel_mm: f64,
    /// How often the pen is lifted.
    pub lifts: usize,
    /// How long it takes.
    pub seconds: f64,
}

/// The cost of one pass.
#[derive(Debug, Serialize)]
pub struct PassReport {
    /// The pen's id.
    pub pen: String,
    /// Strokes.
    pub strokes: usize,
    /// Length of ink.
    pub draw_mm: f64,
    /// Length of the ways with the pen up.
    pub travel_mm: f64,
    /// How often the pen is lifted.
    pub lifts: usize,
    /// How long it takes.
    pub seconds: f64,
    /// The same before joining and ordering; nothing for a pass after a refill.
    pub input: Before,
}

/// How the order came about.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Ordered {
    /// Which was wanted.
    pub order: Order,
    /// What was made small.
    pub optimize: Optimize,
    /// Whether the search was ended before its end.
    pub stopped: bool,
}

/// A color and its pen, for scripts.
#[derive(Debug, Clone, Serialize)]
pub struct Mapped {
    /// The color as it is seen on white paper, or the mean of several.
    pub color: String,
    /// How many colors of the file it stands for.
    pub colors: usize,
    /// Of the inked area; 0 to 1.
    pub share: f64,
    /// The pen's id.
    pub pen: String,
    /// The pen's color.
    pub pen_color: String,
    /// How far apart they are; CIEDE2000.
    pub delta_e: f64,
    /// Whether it was told so.
    pub by_hand: bool,
}

impl From<&Match> for Mapped {
    fn from(found: &Match) -> Self {
        Self {
            color: to_hex(found.color),
            colors: found.colors,
            share: rounded(found.share),
            pen: found.pen.clone(),
            pen_color: to_hex(found.pen_color),
            delta_e: (f64::from(found.delta_e) * 10.0).round() / 10.0,
            by_hand: found.by_hand,
        }
    }
}

impl Before {
    pub(super) fn of(statistics: &Statistics, seconds: f64) -> Self {
        Self {
            strokes: statistics.strokes,
            travel_mm: rounded(statistics.travel_mm),
            lifts: statistics.lifts,
            seconds: rounded(seconds),
        }
    }
}

/// The report of a toolpath, but for what only its maker knows: mapping, lint, order.
pub(super) fn report(
    toolpath: &Toolpath,
    timetable: &Timetable,
    before: &[Before],
    counts: Counts,
) -> Report {
    let passes = toolpath.passes.iter().zip(&timetable.passes).zip(before);
    let passes: Vec<PassReport> =
        passes.map(|((pass, timed), before)| PassReport::of(pass, timed, *before)).collect();
    let sum = |of: fn(&PassReport) -> f64| rounded(passes.iter().map(of).sum());
    let bounds = toolpath.bounds().unwrap_or(Rect::ZERO);
    Report {
        strokes: passes.iter().map(|pass| pass.strokes).sum(),
        draw_mm: sum(|pass| pass.draw_mm),
        travel_mm: sum(|pass| pass.travel_mm),
        lifts: passes.iter().map(|pass| pass.lifts).sum(),
        seconds: sum(|pass| pass.seconds),
        input: Before {
            strokes: passes.iter().map(|pass| pass.input.strokes).sum(),
            travel_mm: sum(|pass| pass.input.travel_mm),
            lifts: passes.iter().map(|pass| pass.input.lifts).sum(),
            seconds: sum(|pass| pass.input.seconds),
        },
        passes,
        bounds_mm: [bounds.x0, bounds.y0, bounds.x1, bounds.y1].map(rounded),
        mapping: Vec::new(),
        lint: Vec::new(),
        counts,
        ordered: None,
    }
}

impl PassReport {
    fn of(pass: &Pass, timed: &Timed, input: Before) -> Self {
        let statistics = Statistics::of(&pass.strokes);
        Self {
            pen: pass.pen.id.clone(),
            strokes: statistics.strokes,
            draw_mm: rounded(statistics.draw_mm),
            travel_mm: rounded(statistics.travel_mm),
            lifts: statistics.lifts,
            seconds: rounded(timed.seconds),
            input,
        }
    }
}
