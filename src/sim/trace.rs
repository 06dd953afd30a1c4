//! What a virtual plotter's pen did.

use std::collections::BTreeMap;
use std::time::Duration;

use traceur_core::geometry::{Point, Polyline};

/// One straight piece of motion, or a wait.
#[derive(Debug, Clone, PartialEq)]
pub struct TracePiece {
    /// Where it began; machine mm.
    pub from: Point,
    /// Where it ended; machine mm.
    pub to: Point,
    /// Whether the pen was on the paper.
    pub pen_down: bool,
    /// The pen's place in the carousel, from 1; 0: a pen mounted by hand.
    pub pen: u32,
    /// When it began, since the session began.
    pub begin: Duration,
    /// When it ended, since the session began.
    pub end: Duration,
}

/// All that a virtual plotter's pen did, in order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MotionTrace {
    /// The pieces, without gaps in place.
    pub pieces: Vec<TracePiece>,
    /// What the plotter took exception to and went on all the same, a sentence each.
    pub warnings: Vec<String>,
}

impl MotionTrace {
    /// From the first motion to the end of the last; s.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        match (self.pieces.first(), self.pieces.last()) {
            (Some(first), Some(last)) => last.end.saturating_sub(first.begin).as_secs_f64(),
            _ => 0.0,
        }
    }

    /// The marks left on the paper: one polyline from each pen-down to the next pen-up; machine mm. A pen put down and
    /// lifted without moving leaves a dot of two equal points.
    #[must_use]
    pub fn strokes(&self) -> Vec<Polyline> {
        self.strokes_with_pens().into_iter().map(|(_, stroke)| stroke).collect()
    }

    /// The marks of each pen, by its place in the carousel (0: mounted by hand), in drawing order; machine mm.
    #[must_use]
    pub fn strokes_by_pen(&self) -> BTreeMap<u32, Vec<Polyline>> {
        let mut pens: BTreeMap<u32, Vec<Polyline>> = BTreeMap::new();
        for (pen, stroke) in self.strokes_with_pens() {
            pens.entry(pen).or_default().push(stroke);
        }
        pens
    }

    fn strokes_with_pens(&self) -> Vec<(u32, Polyline)> {
        let mut strokes: Vec<(u32, Vec<Point>)> = Vec::new();
        let mut down = false;
        for piece in &self.pieces {
            if piece.pen_down {
                match strokes.last_mut() {
                    Some((_, stroke)) if down => {
                        if piece.to != stroke[stroke.len() - 1] || stroke.len() < 2 {
                            stroke.push(piece.to);
                        }
                    }
                    _ => strokes.push((piece.pen, vec![piece.from, piece.to])),
                }
            }
            down = piece.pen_down;
        }
        for (_, stroke) in &mut strokes {
            // The wait after the pen has come down is a piece without length: no corner of the mark.
            if stroke.len() > 2 && stroke[0] == stroke[1] {
                stroke.remove(0);
            }
        }
        strokes.into_iter().map(|(pen, points)| (pen, Polyline::new(points))).collect()
    }
}
