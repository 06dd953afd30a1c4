//! What the pen did and when: passes of timed moves, on the page.

use traceur_core::drawing::Page;
use traceur_core::geometry::{Point, Polyline};
use traceur_core::machine::{Placement, Profile};
use traceur_core::pens::Pen;
use traceur_sim::{MotionTrace, TracePiece};

/// Where the pen was at a time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moment {
    /// Page mm.
    pub at: Point,
    /// Since the first pass began; s.
    pub time: f64,
}

/// One mark, or one way with the pen up.
#[derive(Debug, Clone, PartialEq)]
pub struct Move {
    /// Whether the pen was on the paper.
    pub pen_down: bool,
    /// Its corners, waits and changes of speed, in order; at least two. Between them the pen goes evenly.
    pub moments: Vec<Moment>,
}

impl Move {
    /// Its line without the waits. A pen put down and lifted without moving leaves a dot of two equal points.
    #[must_use]
    pub fn line(&self) -> Polyline {
        let mut points = vec![self.moments[0].at];
        for moment in &self.moments[1..] {
            if points.last() != Some(&moment.at) {
                points.push(moment.at);
            }
        }
        if points.len() < 2 {
            points.push(points[0]);
        }
        Polyline::new(points)
    }
}

/// All that one mounted pen did, up to the next pen change.
#[derive(Debug, Clone, PartialEq)]
pub struct PlayedPass {
    /// The mounted pen.
    pub pen: Pen,
    /// Marks and the ways between them, each beginning where the last ended.
    pub moves: Vec<Move>,
}

impl PlayedPass {
    /// The marks, in drawing order.
    #[must_use]
    pub fn strokes(&self) -> Vec<Polyline> {
        self.moves.iter().filter(|played| played.pen_down).map(Move::line).collect()
    }

    /// The ways between the marks, and to the first of them; not that from the last to rest.
    #[must_use]
    pub fn travels(&self) -> Vec<Polyline> {
        let last = self.moves.iter().rposition(|played| played.pen_down).unwrap_or(0);
        let lines = self.moves[..last].iter().filter(|played| !played.pen_down).map(Move::line);
        lines.filter(|line| line.length() > 0.0).collect()
    }

    /// When it began and ended, since the first pass began; s.
    #[must_use]
    pub fn span(&self) -> [f64; 2] {
        let moments = || self.moves.iter().flat_map(|played| &played.moments).map(|moment| moment.time);
        [moments().next().unwrap_or(0.0), moments().next_back().unwrap_or(0.0)]
    }

    fn is_blank(&self) -> bool {
        !self.moves.iter().any(|played| played.pen_down)
    }
}

/// All passes of one sheet on a machine, one after another as if pens changed in no time.
#[derive(Debug, Clone, PartialEq)]
pub struct Playback {
    /// The sheet.
    pub page: Page,
    /// The corners of what the machine reaches, around; page mm.
    pub bed: [Point; 4],
    /// In time's order; those without a mark have nothing after them.
    pub passes: Vec<PlayedPass>,
    /// All passes together; s.
    pub seconds: f64,
}

impl Playback {
    /// A sheet on which nothing has been drawn yet.
    #[must_use]
    pub fn new(page: Page, profile: &Profile, placement: &Placement) -> Self {
        let (width, height) = (profile.bed.width, profile.bed.height);
        let corners = [(0.0, 0.0), (width, 0.0), (width, height), (0.0, height)];
        let bed = corners.map(|corner| placement.to_page(corner.into()));
        Self { page, bed, passes: Vec::new(), seconds: 0.0 }
    }

    /// Adds a trace: a pass for each pen change in it. `pen_in` names the pen in a place of the carousel (0: mounted by
    /// hand).
    pub fn add(&mut self, trace: &MotionTrace, placement: &Placement, pen_in: impl Fn(u32) -> Pen) {
        let Some(first) = trace.pieces.first() else { return };
        let time = |piece: &TracePiece| {
            let since = |time: std::time::Duration| time.saturating_sub(first.begin).as_secs_f64();
            [self.seconds + since(piece.begin), self.seconds + since(piece.end)]
        };
        let mut passes: Vec<PlayedPass> = Vec::new();
        let mut slot = None;
        for piece in &trace.pieces {
            if slot != Some(piece.pen) {
                slot = Some(piece.pen);
                mount(&mut passes, pen_in(piece.pen));
            }
            let [begin, end] = time(piece);
            let from = Moment { at: placement.to_page(piece.from), time: begin };
            let to = Moment { at: placement.to_page(piece.to), time: end };
            if let Some(pass) = passes.last_mut() {
                extend(&mut pass.moves, piece.pen_down, from, to);
            }
        }
        // The way to rest, or an empty holder, belongs to the last pen that drew.
        if passes.len() > 1
            && let Some(rest) = passes.pop_if(|pass| pass.is_blank())
            && let Some(pass) = passes.last_mut()
        {
            pass.moves.extend(rest.moves);
        }
        self.passes.extend(passes);
        self.seconds += trace.seconds();
    }

    /// Each pen and its marks, in time's order.
    #[must_use]
    pub fn marks(&self) -> Vec<(Pen, Vec<Polyline>)> {
        self.passes.iter().map(|pass| (pass.pen.clone(), pass.strokes())).collect()
    }
}

/// Begins a pass, unless the last one drew nothing yet or had the same pen.
fn mount(passes: &mut Vec<PlayedPass>, pen: Pen) {
    let blank = passes.pop_if(|pass| pass.is_blank());
    let moves = blank.map(|pass| pass.moves).unwrap_or_default();
    match passes.last_mut() {
        Some(pass) if pass.pen == pen => pass.moves.extend(moves),
        _ => passes.push(PlayedPass { pen, moves }),
    }
}

fn extend(moves: &mut Vec<Move>, pen_down: bool, from: Moment, to: Moment) {
    match moves.last_mut() {
        Some(last) if last.pen_down == pen_down => {
            let before = last.moments[last.moments.len() - 1];
            // A plotter may rest between two pieces.
            if from != before {
                last.moments.push(from);
            }
            last.moments.push(to);
        }
        _ => moves.push(Move { pen_down, moments: vec![from, to] }),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::time::Duration;

    use super::*;
    use traceur_core::color::Srgb8;

    pub(in crate::preview) fn pen(id: &str, color: Srgb8) -> Pen {
        let text = format!(
            "format = 1\nid = \"x\"\nname = \"X\"\n[[pen]]\nid = \"{id}\"\nname = \"{id} 05\"\ncolor = \"#{color:x}\"\ntip = \"0.5mm\"\n"
        );
        traceur_core::pens::Inventory::parse("x", &text).unwrap().pens.remove(0)
    }

    /// A trace through these points: x, y, pen down on the way there, place in the carousel; a second each.
    pub(in crate::preview) fn trace(stops: &[(f64, f64, bool, u32)]) -> MotionTrace {
        let mut at = Point::ORIGIN;
        let pieces = (0..).zip(stops).map(|(second, (x, y, pen_down, pen))| {
            let from = std::mem::replace(&mut at, Point::new(*x, *y));
            let (begin, end) = (Duration::from_secs(second), Duration::from_secs(second + 1));
            TracePiece { from, to: at, pen_down: *pen_down, pen: *pen, begin, end }
        });
        MotionTrace { pieces: pieces.collect(), warnings: Vec::new() }
    }

    pub(in crate::preview) fn playback(stops: &[(f64, f64, bool, u32)]) -> Playback {
        let mut profile = Profile::built_in("grbl-servo").unwrap();
        profile.bed.origin = traceur_core::machine::Origin::TopLeft;
        let page = Page { width: 60.0, height: 40.0 };
        let placement = Placement::of_page(&profile, page.width, page.height).unwrap();
        let mut playback = Playback::new(page, &profile, &placement);
        let colors = [Srgb8::new(20, 20, 20), Srgb8::new(200, 30, 40), Srgb8::new(30, 80, 160)];
        playback.add(&trace(stops), &placement, |slot| {
            pen(["black", "red", "blue"][slot as usize % 3], colors[slot as usize % 3])
        });
        playback
    }

    #[test]
    fn marks_are_those_of_the_trace() {
        let stops = [
            (5.0, 5.0, false, 0),
            (5.0, 5.0, true, 0),
            (9.0, 5.0, true, 0),
            (9.0, 5.0, true, 0),
            (9.0, 9.0, true, 0),
        ];
        let stops =
            [&stops[..], &[(20.0, 20.0, false, 0), (20.0, 20.0, true, 0), (0.0, 0.0, false, 0)]].concat();
        let played = playback(&stops);
        assert_eq!(played.passes[0].strokes(), trace(&stops).strokes());
        assert_eq!(played.passes[0].travels().len(), 2, "the way to rest is not counted");
        assert_eq!((played.seconds, played.passes[0].span()), (8.0, [0.0, 8.0]));
    }

    #[test]
    fn a_pass_ends_where_another_pen_draws() {
        let played = playback(&[
            (5.0, 5.0, false, 0),
            (9.0, 5.0, true, 1),
            (0.0, 0.0, false, 0),
            (5.0, 6.0, false, 2),
            (9.0, 6.0, true, 2),
            (0.0, 0.0, false, 0),
            (5.0, 7.0, false, 1),
            (9.0, 7.0, true, 1),
            (0.0, 0.0, false, 0),
        ]);
        let pens: Vec<&str> = played.passes.iter().map(|pass| pass.pen.id.as_str()).collect();
        assert_eq!(pens, ["red", "blue", "red"]);
        assert!(played.passes.windows(2).all(|pair| pair[0].span()[1] == pair[1].span()[0]));
        assert_eq!(played.passes[2].span()[1], 9.0);
    }

    #[test]
    fn a_rest_between_two_pieces_keeps_its_time() {
        let mut trace = trace(&[(5.0, 5.0, true, 0), (9.0, 5.0, true, 0)]);
        trace.pieces[1].begin = Duration::from_secs(4);
        trace.pieces[1].end = Duration::from_secs(5);
        let mut moves = Vec::new();
        for piece in &trace.pieces {
            let moment = |at, time: Duration| Moment { at, time: time.as_secs_f64() };
            extend(&mut moves, true, moment(piece.from, piece.begin), moment(piece.to, piece.end));
        }
        let times: Vec<f64> = moves[0].moments.iter().map(|moment| moment.time).collect();
        assert_eq!(times, [0.0, 1.0, 4.0, 5.0]);
        assert_eq!(moves[0].line().points().len(), 3);
    }
}
