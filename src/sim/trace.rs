//! What a virtual plotter's pen did.

use std::time::Duration;

use crate::geometry::{Point, Polyline};

/// One straight piece of motion, or a wait.
#[derive(Debug, Clone, PartialEq)]
pub struct TracePiece {
    /// Where it began; machine mm.
    pub from: Point,
    /// Where it ended; machine mm.
    pub to: Point,
    /// Whether the pen was on the paper.
    pub pen_down: bool,
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
        let mut strokes: Vec<Vec<Point>> = Vec::new();
        let mut down = false;
        for piece in &self.pieces {
            if piece.pen_down {
                match strokes.last_mut() {
                    Some(stroke) if down => {
                        if piece.to != stroke[stroke.len() - 1] || stroke.len() < 2 {
                            stroke.push(piece.to);
                        }
                    }
                    _ => strokes.push(vec![piece.from, piece.to]),
                }
            }
            down = piece.pen_down;
        }
        for stroke in &mut strokes {
            // The wait after the pen has come down is a piece without length: no corner of the mark.
            if stroke.len() > 2 && stroke[0] == stroke[1] {
                stroke.remove(0);
            }
        }
        strokes.into_iter().map(Polyline::new).collect()
    }
}
