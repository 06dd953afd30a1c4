//! Ink is laid once where a drawing asks for it twice.

use std::collections::HashMap;

use crate::geometry::{Point, Polyline, Vec2};

/// Pieces run side by side when the sine of the angle between them is no more than this.
const PARALLEL: f64 = 0.1;
/// Less is not cut out of a stroke, unless it is all of it: the pen would be lifted for nothing. In tolerances.
const LEAST: f64 = 20.0;
/// Side of a cell of the grid in which pieces are found; mm. Larger in drawings with more line than [`CELLS`] of them.
const CELL: f64 = 1.0;
/// About how many cells all line may go through.
const CELLS: f64 = 1e6;
/// Pieces that one cell remembers; what is beyond is not found, so that thousands of lines through a point end in time.
const MOST_IN_CELL: usize = 64;

/// What was left out because it was drawn already.
#[derive(Debug, Clone, Copy, PartialEq, Default, serde::Serialize)]
pub struct Doubled {
    /// Strokes that were left out altogether.
    pub strokes: usize,
    /// Length of line that was left out; mm.
    pub mm: f64,
}

impl std::ops::AddAssign for Doubled {
    fn add_assign(&mut self, other: Self) {
        self.strokes += other.strokes;
        self.mm += other.mm;
    }
}

/// Leaves out what lies within `tolerance` mm of what is drawn before it, in the same direction or the other one: whole
/// strokes, and stretches of strokes which are then cut there. All that is left out has ink within `tolerance`.
#[must_use]
pub fn dedup(strokes: Vec<Polyline>, tolerance: f64) -> (Vec<Polyline>, Doubled) {
    let length: f64 = strokes.iter().map(Polyline::length).sum();
    let mut ink = Ink {
        cell: CELL.max(length / CELLS).max(4.0 * tolerance),
        tolerance,
        cells: HashMap::new(),
        pieces: Vec::new(),
    };
    let mut kept = Vec::with_capacity(strokes.len());
    let mut doubled = Doubled::default();
    for stroke in strokes {
        let whole = stroke.length();
        let covered = if whole > 0.0 { covered(&stroke, whole, &mut ink) } else { Vec::new() };
        if covered.is_empty() {
            kept.push(stroke);
            continue;
        }
        doubled.mm += covered.iter().map(|(from, to)| to - from).sum::<f64>();
        let parts = without(&stroke, whole, &covered);
        doubled.strokes += usize::from(parts.is_empty());
        kept.extend(parts);
    }
    (kept, doubled)
}

/// Where along a stroke of length `whole` ink lies already, mm from its start, ascending; all else is laid now.
fn covered(stroke: &Polyline, whole: f64, ink: &mut Ink) -> Vec<(f64, f64)> {
    let mut runs: Vec<(f64, f64)> = Vec::new();
    let mut begin = 0.0;
    for pair in stroke.points().windows(2) {
        let length = pair[0].distance(pair[1]);
        if length > 0.0 {
            let piece = Piece { from: pair[0], along: (pair[1] - pair[0]) / length, length };
            let found = ink.on(&piece);
            let mut bare = 0.0;
            for (from, to) in found {
                ink.lay(&piece, bare, from);
                bare = to;
                match runs.last_mut() {
                    Some(last) if begin + from - last.1 <= ink.tolerance => last.1 = begin + to,
                    _ => runs.push((begin + from, begin + to)),
                }
            }
            ink.lay(&piece, bare, length);
        }
        begin += length;
    }
    // What is left at the ends is a dot beside ink.
    for run in &mut runs {
        if run.0 <= ink.tolerance {
            run.0 = 0.0;
        }
        if whole - run.1 <= ink.tolerance {
            run.1 = whole;
        }
    }
    let least = LEAST * ink.tolerance;
    runs.retain(|(from, to)| to - from >= least || to - from >= whole);
    runs
}

/// The stretches of a stroke between the covered ones.
fn without(stroke: &Polyline, whole: f64, covered: &[(f64, f64)]) -> Vec<Polyline> {
    let mut from = 0.0;
    let mut parts = Vec::new();
    for (begin, end) in covered.iter().copied().chain([(whole, whole)]) {
        if begin > from {
            parts.push(stretch(stroke, from, begin));
        }
        from = end;
    }
    parts
}

/// The stretch of a stroke between two distances from its start; mm.
fn stretch(stroke: &Polyline, from: f64, to: f64) -> Polyline {
    let mut points: Vec<Point> = Vec::new();
    let mut begin = 0.0;
    for pair in stroke.points().windows(2) {
        let length = pair[0].distance(pair[1]);
        let end = begin + length;
        if end >= from && begin <= to && length > 0.0 {
            let at = |distance: f64| pair[0].lerp(pair[1], ((distance - begin) / length).clamp(0.0, 1.0));
            if points.is_empty() {
                points.push(at(from));
            }
            let next = if end <= to { pair[1] } else { at(to) };
            if points.last() != Some(&next) {
                points.push(next);
            }
        }
        begin = end;
    }
    if points.len() == 1 {
        points.push(points[0]);
    }
    Polyline::new(points)
}

/// A straight piece of line.
#[derive(Clone, Copy)]
struct Piece {
    from: Point,
    /// Unit vector to its end.
    along: Vec2,
    /// mm.
    length: f64,
}

impl Piece {
    fn at(&self, distance: f64) -> Point {
        self.from + self.along * distance
    }

    /// Where along this piece the other one lies beside it, no farther than `tolerance`; mm.
    fn beside(&self, other: &Self, tolerance: f64) -> Option<(f64, f64)> {
        let (cos, sin) = (self.along.dot(other.along), self.along.cross(other.along));
        if sin.abs() > PARALLEL {
            return None;
        }
        let offset = self.from - other.from;
        // Along the other one, a point at s of this one lies at `u + s·cos`, and `v + s·sin'` to its side.
        let along = clip(offset.dot(other.along), cos, 0.0, other.length);
        let side = clip(other.along.cross(offset), -sin, -tolerance, tolerance);
        let from = along?.0.max(side?.0).max(0.0);
        let to = along?.1.min(side?.1).min(self.length);
        (to > from).then_some((from, to))
    }
}

/// For which s `from + s·slope` lies between two bounds.
fn clip(from: f64, slope: f64, low: f64, high: f64) -> Option<(f64, f64)> {
    if slope == 0.0 {
        return (low..=high).contains(&from).then_some((f64::NEG_INFINITY, f64::INFINITY));
    }
    let (a, b) = ((low - from) / slope, (high - from) / slope);
    Some((a.min(b), a.max(b)))
}

/// What has been drawn.
struct Ink {
    tolerance: f64,
    /// mm.
    cell: f64,
    cells: HashMap<[i32; 2], Vec<u32>>,
    pieces: Vec<Piece>,
}

impl Ink {
    /// The stretches of a piece that have ink, ascending and apart; mm from its begin.
    fn on(&self, piece: &Piece) -> Vec<(f64, f64)> {
        let mut seen: Vec<u32> = Vec::new();
        for cell in self.cells_of(piece, 0.0) {
            seen.extend(self.cells.get(&cell).into_iter().flatten());
        }
        seen.sort_unstable();
        seen.dedup();
        let beside = |other: &u32| piece.beside(&self.pieces[*other as usize], self.tolerance);
        let mut stretches: Vec<(f64, f64)> = seen.iter().filter_map(beside).collect();
        stretches.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut apart: Vec<(f64, f64)> = Vec::new();
        for (from, to) in stretches {
            match apart.last_mut() {
                Some(last) if from <= last.1 => last.1 = last.1.max(to),
                _ => apart.push((from, to)),
            }
        }
        apart
    }

    /// Draws a stretch of a piece.
    fn lay(&mut self, piece: &Piece, from: f64, to: f64) {
        if to <= from {
            return;
        }
        let part = Piece { from: piece.at(from), length: to - from, ..*piece };
        let name = self.pieces.len() as u32;
        for cell in self.cells_of(&part, self.tolerance) {
            let inside = self.cells.entry(cell).or_default();
            if inside.len() < MOST_IN_CELL {
                inside.push(name);
            }
        }
        self.pieces.push(part);
    }

    /// The cells within `reach` of a piece.
    fn cells_of(&self, piece: &Piece, reach: f64) -> Vec<[i32; 2]> {
        let steps = (2.0 * piece.length / self.cell).ceil().max(1.0);
        // No point of the piece is farther than a quarter of a cell from a step.
        let around = 0.25 * self.cell + reach;
        let mut cells = Vec::new();
        for step in 0..=steps as usize {
            let at = piece.at(piece.length * step as f64 / steps);
            let cell = |value: f64| (value / self.cell).floor() as i32;
            for x in cell(at.x - around)..=cell(at.x + around) {
                for y in cell(at.y - around)..=cell(at.y + around) {
                    cells.push([x, y]);
                }
            }
        }
        cells.sort_unstable();
        cells.dedup();
        cells
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn line(points: &[(f64, f64)]) -> Polyline {
        Polyline::new(points.iter().map(|p| Point::from(*p)).collect())
    }

    fn check(strokes: &[&[(f64, f64)]], expected: &[&[(f64, f64)]], strokes_out: usize, mm: f64) {
        let (kept, doubled) = dedup(strokes.iter().map(|points| line(points)).collect(), 0.05);
        assert_eq!(kept, expected.iter().map(|points| line(points)).collect::<Vec<_>>());
        assert!(doubled.strokes == strokes_out && (doubled.mm - mm).abs() < 1e-6, "{doubled:?}");
    }

    #[test]
    fn a_stroke_drawn_again_is_left_out_turned_around_or_not() {
        let once: &[(f64, f64)] = &[(0., 0.), (10., 0.), (10., 10.)];
        check(
            &[once, &[(10., 10.), (10., 0.), (0., 0.)], &[(0., 0.02), (10., 0.02), (10., 10.)]],
            &[once],
            2,
            39.98,
        );
    }

    #[test]
    fn what_overlaps_is_drawn_once() {
        check(
            &[&[(0., 0.), (10., 0.)], &[(20., 0.), (5., 0.)], &[(-5., 0.), (30., 0.)]],
            &[
                &[(0., 0.), (10., 0.)],
                &[(20., 0.), (10., 0.)],
                &[(-5., 0.), (0., 0.)],
                &[(20., 0.), (30., 0.)],
            ],
            0,
            25.0,
        );
    }

    #[test]
    fn squares_side_by_side_share_their_edge() {
        check(
            &[
                &[(0., 0.), (9., 0.), (9., 9.), (0., 9.), (0., 0.)],
                &[(9., 0.), (18., 0.), (18., 9.), (9., 9.), (9., 0.)],
            ],
            &[
                &[(0., 0.), (9., 0.), (9., 9.), (0., 9.), (0., 0.)],
                &[(9., 0.), (18., 0.), (18., 9.), (9., 9.)],
            ],
            0,
            9.0,
        );
    }

    #[test]
    fn a_stroke_that_comes_back_on_itself_is_drawn_one_way() {
        check(&[&[(0., 0.), (10., 0.), (0., 0.)]], &[&[(0., 0.), (10., 0.)]], 0, 10.0);
    }

    #[test]
    fn crossings_corners_and_lines_farther_apart_stay() {
        let apart: [&[(f64, f64)]; 5] = [
            &[(0., 0.), (10., 0.)],
            &[(5., -5.), (5., 5.)],
            &[(0., 0.06), (10., 0.06)],
            &[(10., 0.), (20., 0.), (20., 5.)],
            &[(3., 3.), (3., 3.)],
        ];
        check(&apart, &apart, 0, 0.0);
    }

    #[test]
    fn a_circle_drawn_again_with_other_vertices_is_left_out() {
        let circle = |count: u32, first: f64| {
            let at = |n: u32| {
                let (sin, cos) =
                    (f64::from(n % count) * std::f64::consts::TAU / f64::from(count) + first).sin_cos();
                (20.0 + 10.0 * cos, 20.0 + 10.0 * sin)
            };
            line(&(0..=count).map(at).collect::<Vec<_>>())
        };
        let (kept, doubled) = dedup(vec![circle(100, 0.0), circle(83, 0.4)], 0.05);
        assert_eq!((kept.len(), doubled.strokes), (1, 1));
    }

    #[test]
    fn many_strokes_through_one_place_end_in_time() {
        let ray = |n: u32| {
            let (sin, cos) = (f64::from(n) * 1e-4).sin_cos();
            line(&[(50.0 - 40.0 * cos, 50.0 - 40.0 * sin), (50.0 + 40.0 * cos, 50.0 + 40.0 * sin)])
        };
        assert!(!dedup((0..3_000).map(ray).collect(), 1e-4).0.is_empty());
        let (kept, doubled) = dedup(vec![ray(0); 20_000], 0.05);
        assert_eq!((kept.len(), doubled.strokes), (1, 19_999));
    }

    fn distance(point: Point, stroke: &Polyline) -> f64 {
        let to_piece = |pair: &[Point]| {
            let (line, to) = (pair[1] - pair[0], point - pair[0]);
            let share =
                if line.hypot2() > 0.0 { (to.dot(line) / line.hypot2()).clamp(0.0, 1.0) } else { 0.0 };
            (to - line * share).hypot()
        };
        stroke.points().windows(2).map(to_piece).fold(f64::INFINITY, f64::min)
    }

    proptest! {
        #[test]
        fn all_that_was_asked_for_has_ink_and_nothing_else_has(
            strokes in prop::collection::vec(prop::collection::vec((0_u8..5, 0_u8..5), 2..6), 1..20),
        ) {
            let strokes: Vec<Polyline> = strokes.iter().map(|points| {
                line(&points.iter().map(|p| (f64::from(p.0) * 3.0, f64::from(p.1) * 3.0)).collect::<Vec<_>>())
            }).collect();
            let length = |strokes: &[Polyline]| strokes.iter().map(Polyline::length).sum::<f64>();
            let (kept, doubled) = dedup(strokes.clone(), 0.05);
            prop_assert!((length(&kept) + doubled.mm - length(&strokes)).abs() < 1e-6);
            for (from, on) in [(&strokes, &kept), (&kept, &strokes)] {
                for pair in from.iter().flat_map(|stroke| stroke.points().windows(2)) {
                    for step in 0..=10 {
                        let at = pair[0].lerp(pair[1], f64::from(step) / 10.0);
                        let nearest = on.iter().map(|stroke| distance(at, stroke)).fold(f64::INFINITY, f64::min);
                        prop_assert!(nearest <= 0.101, "{at:?} {nearest}");
                    }
                }
            }
        }
    }
}
