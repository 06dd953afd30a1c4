//! What of a pass is still to be drawn, in the machine's words.

use traceur_core::geometry::{Point, Polyline};
use traceur_core::machine::{Placement, Profile};
use traceur_core::toolpath::Pass;
use traceur_protocol::{Origin, Program};

/// The pen stands on a stroke that is no farther away than this; mm: rounding, arcs, and a step.
const ON_IT: f64 = 0.06;

/// How far a pass has come: all strokes before `stroke` are on the paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Progress {
    /// The first stroke that is not known to be drawn.
    pub(super) stroke: usize,
    /// It has been begun: the last of its points that is known to be drawn.
    pub(super) vertex: Option<usize>,
}

impl Progress {
    /// Once `upto` and all before it have been drawn, of a pass of so many strokes.
    pub(super) fn of(program: &Program, upto: usize, strokes: usize) -> Self {
        let origin = |index: usize| program.statements.get(index).and_then(|statement| statement.origin);
        let later = program.statements.get(upto + 1..).unwrap_or_default();
        let Some(next) = later.iter().find_map(|statement| statement.origin) else {
            return Self { stroke: strokes, vertex: None };
        };
        let vertex = origin(upto).filter(|last| last.stroke == next.stroke).map(|last| last.vertex);
        Self { stroke: next.stroke, vertex }
    }
}

/// Where a remainder begins.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Begin {
    /// The first stroke to draw.
    pub(super) stroke: usize,
    /// Where in it; `None`: at its begin.
    cut: Option<(usize, Point)>,
    /// Drawn before it, again.
    again: Vec<Polyline>,
}

impl Begin {
    /// At the begin of a stroke.
    pub(super) fn at(stroke: usize) -> Self {
        Self { stroke, ..Self::default() }
    }

    /// Where the pen left off: in the middle of a stroke that it had begun, if it is known to stand there; page mm. Where it
    /// may have been more than once, that is the first time.
    pub(super) fn of(progress: Progress, stands: Option<Point>, pass: &Pass) -> Self {
        let begin = Self::at(progress.stroke);
        let (Some(stroke), Some(vertex)) = (pass.strokes.get(progress.stroke), progress.vertex) else {
            return begin;
        };
        // What leads to this point may not have ended there.
        let from = vertex.saturating_sub(1).min(stroke.points().len() - 1);
        let cut =
            stands.and_then(|stands| place_on(stroke, from, stands)).unwrap_or((from, stroke.points()[from]));
        Self { cut: Some(cut).filter(|cut| *cut != (0, stroke.start())), ..begin }
    }

    /// Goes back over so much of what was drawn before this pass's stroke; mm.
    pub(super) fn overlapping(mut self, pass: &Pass, overlap: f64) -> Self {
        let mut left = overlap;
        for stroke in pass.strokes[..self.stroke.min(pass.strokes.len())].iter().rev() {
            if left <= 0.0 {
                break;
            }
            let length = stroke.length();
            self.again.insert(0, tail(stroke, left));
            left -= length.max(0.01);
        }
        self
    }

    /// The pass's program from here on. Its origins are those of the whole pass. From the begin it is the very program of
    /// the whole pass.
    pub(super) fn encode(
        &self,
        index: usize,
        pass: &Pass,
        profile: &Profile,
        placement: &Placement,
    ) -> Program {
        if *self == Self::default() {
            return traceur_protocol::encode(index, pass, profile, placement);
        }
        let mut strokes = self.again.clone();
        let rest = pass.strokes.get(self.stroke..).unwrap_or_default();
        if let (Some((vertex, at)), Some(stroke)) = (self.cut, rest.first()) {
            let points = std::iter::once(at).chain(stroke.points()[vertex + 1..].iter().copied());
            let mut points: Vec<Point> = points.collect();
            if points.len() < 2 {
                points.push(at);
            }
            strokes.push(Polyline::new(points));
            strokes.extend(rest[1..].iter().cloned());
        } else {
            strokes.extend(rest.iter().cloned());
        }
        let part = Pass { pen: pass.pen.clone(), strokes };
        let mut program = traceur_protocol::encode(index, &part, profile, placement);
        for statement in &mut program.statements {
            statement.origin = statement.origin.and_then(|origin| self.whole(origin));
        }
        program
    }

    /// The origin in the whole pass. What is drawn again has none: it proves nothing.
    fn whole(&self, origin: Origin) -> Option<Origin> {
        let stroke = origin.stroke.checked_sub(self.again.len())?;
        let skipped = self.cut.map_or(0, |(vertex, _)| if stroke == 0 { vertex } else { 0 });
        Some(Origin { stroke: stroke + self.stroke, vertex: origin.vertex + skipped, ..origin })
    }
}

/// The first place on a stroke, from its point `from` on, where the pen may stand: the point before it and the place.
fn place_on(stroke: &Polyline, from: usize, stands: Point) -> Option<(usize, Point)> {
    (from..stroke.points().len().saturating_sub(1)).find_map(|index| {
        let (a, b) = (stroke.points()[index], stroke.points()[index + 1]);
        let along = b - a;
        let share = if along.hypot2() > 0.0 {
            ((stands - a).dot(along) / along.hypot2()).clamp(0.0, 1.0)
        } else {
            0.0
        };
        let near = a + along * share;
        (near.distance(stands) <= ON_IT).then_some((index, near))
    })
}

/// The last part of a stroke, so long; mm.
fn tail(stroke: &Polyline, length: f64) -> Polyline {
    let (mut left, mut points) = (length, vec![stroke.end()]);
    for pair in stroke.points().windows(2).rev() {
        let way = pair[0].distance(pair[1]);
        if way >= left {
            points.push(pair[1].lerp(pair[0], left / way.max(f64::MIN_POSITIVE)));
            break;
        }
        left -= way;
        points.push(pair[0]);
    }
    if points.len() < 2 {
        points.push(stroke.end());
    }
    points.reverse();
    Polyline::new(points)
}
