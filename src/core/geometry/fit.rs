//! Straight pieces and circular arcs in place of many short pieces: fewer statements for a plotter that knows arcs.

use kurbo::{Point, Vec2};

/// Fewest source pieces that an arc replaces: below this an arc saves nothing.
const FEWEST: usize = 3;

/// A part of a polyline as a plotter draws it, from where the part before ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Piece {
    /// Straight on.
    Line {
        /// Where it ends: the source vertex `last`; mm.
        to: Point,
        /// Index of the last source vertex that it covers.
        last: usize,
    },
    /// Along a circle.
    Arc {
        /// Middle of the circle; mm.
        center: Point,
        /// Where it ends: the source vertex `last`; mm.
        to: Point,
        /// Angle that it turns through, rad: positive from x to y, which is clockwise on paper (y down) and so G2 on a
        /// machine whose y points up.
        sweep: f64,
        /// Index of the last source vertex that it covers.
        last: usize,
    },
}

impl Piece {
    /// Where it ends; mm.
    #[must_use]
    pub fn to(&self) -> Point {
        match self {
            Self::Line { to, .. } | Self::Arc { to, .. } => *to,
        }
    }

    /// Index of the last source vertex that it covers.
    #[must_use]
    pub fn last(&self) -> usize {
        match self {
            Self::Line { last, .. } | Self::Arc { last, .. } => *last,
        }
    }
}

/// Which arcs are wanted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ArcOptions {
    /// Greatest distance between the polyline and its pieces, either way; mm. It should exceed that of flattening, or
    /// no arc spans the pieces that flattening made of it.
    pub tolerance: f64,
    /// Smallest radius of an arc; mm.
    pub least_radius: f64,
    /// Greatest radius of an arc; mm. Flatter ones are lines.
    pub most_radius: f64,
    /// Smallest distance between the ends of an arc; mm. It must stay well above the rounding of coordinates: ends that
    /// round to the same point would be a full circle in G-code.
    pub least_chord: f64,
    /// Greatest angle that an arc turns through; rad, below a full turn.
    pub most_sweep: f64,
}

impl ArcOptions {
    /// Arcs between 0.2 mm and 2 m of radius, with ends at least 0.1 mm apart, of just over half a turn at most, so that
    /// a circle is two.
    #[must_use]
    pub fn new(tolerance: f64) -> Self {
        Self {
            tolerance,
            least_radius: 0.2,
            most_radius: 2000.0,
            least_chord: 0.1,
            most_sweep: 190_f64.to_radians(),
        }
    }
}

/// The lines and arcs that follow the polyline `points` within `options.tolerance` mm, from `points[0]` on. Every piece
/// ends at a vertex, in order, and the last at the last one. Fewer than two points give nothing.
///
/// Each piece reaches as far as one can, so that there are few. The circle is the least-squares one through the piece's
/// two ends; it is taken only when every vertex and every straight piece between is near it, and when the way around
/// its middle never turns back: so the distance between arc and polyline is bounded both ways, and the order kept.
///
/// The time is near linear in the number of vertices: n log n at worst.
#[must_use]
pub fn fit_arcs(points: &[Point], options: &ArcOptions) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut at = 0;
    while at + 1 < points.len() {
        let line = reach(points, at, 1, |part| is_straight(part, options.tolerance)).unwrap_or(at + 1);
        // Where a line ends, a circle that the points lie on is already clear, whatever their noise.
        let fewest = FEWEST.max(line + 1 - at);
        let arc = reach(points, at, fewest, |part| arc(part, options).is_some());
        let curved = arc.and_then(|last| Some((last, arc_of(points, at, last, options)?)));
        let piece = match curved {
            Some((last, Arc { center, sweep })) => Piece::Arc { center, to: points[last], sweep, last },
            None => Piece::Line { to: points[line], last: line },
        };
        at = piece.last();
        pieces.push(piece);
    }
    pieces
}

fn arc_of(points: &[Point], first: usize, last: usize, options: &ArcOptions) -> Option<Arc> {
    arc(&points[first..=last], options)
}

/// The middle of the circle on which an arc of `sweep` rad (positive from x to y) goes `from` one point `to` another.
/// When an encoder has rounded the ends, this is the center that still is equally far from both.
///
/// GRBL refuses an arc (`error:33`) whose radii at its ends differ by more than 0.005 mm and by more than 0.1 %
/// (`gcode.c`). With the center of the rounded ends, rounded to 0.001 mm, they differ by less than 0.0015 mm.
#[must_use]
pub fn arc_center(from: Point, to: Point, sweep: f64) -> Point {
    let half_chord = (to - from) / 2.0;
    // On the right hand, seen on paper, for a clockwise arc of less than half a turn.
    let across = Vec2::new(-half_chord.y, half_chord.x);
    from.midpoint(to) + across / (sweep / 2.0).tan()
}

/// The farthest vertex that one piece from `first` reaches: the steps double while the piece fits, then they halve.
pub(super) fn reach(
    points: &[Point],
    first: usize,
    fewest: usize,
    fits: impl Fn(&[Point]) -> bool,
) -> Option<usize> {
    let most = points.len() - 1 - first;
    let fits = |count: usize| fits(&points[first..=first + count]);
    if most < fewest || !fits(fewest) {
        return None;
    }
    let (mut good, mut bad) = (fewest, most + 1);
    while good < most {
        let next = (2 * good).min(most);
        if !fits(next) {
            bad = next;
            break;
        }
        good = next;
    }
    while bad - good > 1 {
        let middle = good.midpoint(bad);
        if fits(middle) {
            good = middle;
        } else {
            bad = middle;
        }
    }
    Some(first + good)
}

/// Whether one straight line from the first to the last point is near all of them and passes them in order.
pub(super) fn is_straight(points: &[Point], tolerance: f64) -> bool {
    let (from, to) = (points[0], points[points.len() - 1]);
    let chord = to - from;
    if points.len() == 2 || chord == Vec2::ZERO {
        return points.iter().all(|point| *point == from) || points.len() == 2;
    }
    let length = chord.hypot();
    points.windows(2).all(|pair| {
        let is_near = (pair[1] - from).cross(chord).abs() <= tolerance * length;
        is_near && (pair[1] - pair[0]).dot(chord) >= 0.0
    })
}

#[derive(Debug, Clone, Copy)]
struct Arc {
    center: Point,
    sweep: f64,
}

/// The arc from the first to the last point that is near all of them, if there is one.
///
/// With the chord's middle as origin, its half `h`, and `across` at right angles to it, a center lies at `t·across`;
/// a point `q` is on the circle when `q² − h² = 2t·s`, `s` being `q·across`. The best `t` for all is in closed form.
fn arc(points: &[Point], options: &ArcOptions) -> Option<Arc> {
    let (from, to) = (points[0], points[points.len() - 1]);
    let chord = to - from;
    let (length, middle) = (chord.hypot(), from.midpoint(to));
    if length.is_nan() || length < options.least_chord {
        return None;
    }
    let across = Vec2::new(-chord.y, chord.x) / length;
    let half = length / 2.0;
    let (mut products, mut squares, mut side) = (0.0, 0.0, 0.0);
    // The middles too: they lie as far within the arc as the vertices beyond.
    for point in points.windows(2).flat_map(|pair| [pair[0].midpoint(pair[1]), pair[1]]) {
        let q = point - middle;
        let s = q.dot(across);
        products += s * (q.hypot2() - half * half);
        squares += s * s;
        side += s;
    }
    let t = products / (2.0 * squares);
    let radius = t.hypot(half);
    if !(options.least_radius..=options.most_radius).contains(&radius) {
        return None;
    }
    // Seen from its middle, an arc on the side of `across` goes against x to y.
    let sweep = -side.signum() * 2.0 * half.atan2(-side.signum() * t);
    let arc = Arc { center: middle + across * t, sweep };
    (sweep.abs() <= options.most_sweep && is_near(points, &arc, radius, options.tolerance)).then_some(arc)
}

/// Whether the polyline goes around the arc's middle without turning back, and stays near the arc.
fn is_near(points: &[Point], arc: &Arc, radius: f64, tolerance: f64) -> bool {
    let way = arc.sweep.signum();
    let mut turned = 0.0;
    for pair in points.windows(2) {
        let (a, b) = (pair[0] - arc.center, pair[1] - arc.center);
        let (cross, edge) = (a.cross(b), b - a);
        if (b.hypot() - radius).abs() > tolerance || cross * way < 0.0 {
            return false;
        }
        // A straight piece is nearest to the middle where it is at right angles to it.
        let has_foot = a.dot(edge) < 0.0 && b.dot(edge) > 0.0;
        if has_foot && cross.abs() < (radius - tolerance) * edge.hypot() {
            return false;
        }
        turned += cross.atan2(a.dot(b));
    }
    (turned - arc.sweep).abs() < 1e-6
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::f64::consts::PI;

    fn circle(radius: f64, turn: f64, count: u32) -> Vec<Point> {
        (0..=count)
            .map(|n| {
                let (sin, cos) = (turn * f64::from(n) / f64::from(count)).sin_cos();
                Point::new(100.0 + radius * cos, 100.0 + radius * sin)
            })
            .collect()
    }

    fn fit(points: &[Point]) -> Vec<Piece> {
        fit_arcs(points, &ArcOptions::new(0.02))
    }

    /// Points along the pieces, each with the source vertices of its piece; so many that the chords between them are within
    /// 0.005 mm of an arc, where 32 of a long one were 0.012 mm off and failed a fit that was within its tolerance.
    fn samples(points: &[Point], pieces: &[Piece]) -> Vec<(Point, usize, usize)> {
        let (mut at, mut first) = (points[0], 0);
        let mut found = Vec::new();
        for piece in pieces {
            for n in 0..=256 {
                let share = f64::from(n) / 256.0;
                let point = match piece {
                    Piece::Line { to, .. } => at.lerp(*to, share),
                    Piece::Arc { center, sweep, .. } => {
                        kurbo::Affine::rotate_about(sweep * share, *center) * at
                    }
                };
                found.push((point, first, piece.last()));
            }
            (at, first) = (piece.to(), piece.last());
        }
        found
    }

    fn distance(point: Point, line: &[Point]) -> f64 {
        use kurbo::ParamCurveNearest as _;
        let near =
            line.windows(2).map(|pair| kurbo::Line::new(pair[0], pair[1]).nearest(point, 1e-6).distance_sq);
        near.fold(f64::MAX, f64::min).sqrt()
    }

    #[test]
    fn a_circle_is_two_arcs_and_a_square_four_lines() {
        let arcs = fit(&circle(30.0, 2.0 * PI, 200));
        assert_eq!(arcs.len(), 2);
        for piece in &arcs {
            let Piece::Arc { center, sweep, .. } = piece else { panic!("{piece:?}") };
            assert!(center.distance(Point::new(100.0, 100.0)) < 0.03 && *sweep > 0.0, "{piece:?}");
        }
        let square =
            [(0.0, 0.0), (5.0, 0.0), (9.0, 0.0), (9.0, 9.0), (0.0, 9.0), (0.0, 0.0)].map(Point::from);
        let lines = fit(&square);
        assert_eq!(lines.iter().map(Piece::last).collect::<Vec<_>>(), [2, 3, 4, 5]);
    }

    #[test]
    fn the_way_around_is_told_by_the_sign_of_the_sweep() {
        let mut points = circle(10.0, 1.0, 40);
        assert!(matches!(fit(&points)[..], [Piece::Arc { sweep, .. }] if (sweep - 1.0).abs() < 0.01));
        points.reverse();
        assert!(matches!(fit(&points)[..], [Piece::Arc { sweep, .. }] if (sweep + 1.0).abs() < 0.01));
    }

    #[test]
    fn dots_nothing_and_ways_back_are_kept() {
        assert_eq!(fit(&[]), []);
        let dot = Point::new(3.0, 3.0);
        assert_eq!(fit(&[dot]), []);
        assert_eq!(fit(&[dot, dot]), [Piece::Line { to: dot, last: 1 }]);
        let back = [(0.0, 0.0), (10.0, 0.0), (5.0, 0.0), (7.0, 0.0)].map(Point::from);
        assert_eq!(fit(&back).len(), 3);
    }

    #[test]
    fn a_million_vertices_take_few_pieces() {
        let pieces = fit(&circle(80.0, 200.0 * PI, 1_000_000));
        assert!((190..200).contains(&pieces.len()), "{}", pieces.len());
        let line: Vec<Point> = (0..1_000_000).map(|n| Point::new(f64::from(n) * 1e-4, 0.0)).collect();
        assert_eq!(fit(&line).len(), 1);
    }

    /// GRBL's own check, in `gcode.c`.
    fn grbl_takes(from: Point, to: Point, center: Point) -> bool {
        let (radius, at_end) = (from.distance(center), to.distance(center));
        let off = (radius - at_end).abs();
        off <= 0.005 || (off <= 0.5 && off <= 0.001 * radius)
    }

    proptest! {
        #[test]
        fn pieces_and_polyline_are_near_each_other_both_ways(
            steps in prop::collection::vec((0.01_f64..4.0, -0.6_f64..0.6, 1_u8..30), 1..12),
            noise in 0.0_f64..0.03,
            seed: u8,
        ) {
            // A walk of bends with a little noise, as curves from other programs have.
            let (mut at, mut heading, mut points) = (Point::new(50.0, 50.0), 0.0_f64, vec![Point::new(50.0, 50.0)]);
            let mut random = u32::from(seed) + 1;
            for (length, bend, count) in steps {
                for _ in 0..count {
                    heading += bend;
                    at += Vec2::from_angle(heading) * length;
                    random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    let shift = Vec2::from_angle(f64::from(random)) * noise;
                    points.push(at + shift);
                }
            }
            let pieces = fit(&points);
            prop_assert_eq!(pieces.last().map(Piece::last), Some(points.len() - 1));
            prop_assert!(pieces.windows(2).all(|pair| pair[0].last() < pair[1].last()));
            prop_assert!(pieces.iter().all(|piece| piece.to() == points[piece.last()]));
            let drawn = samples(&points, &pieces);
            for (point, first, last) in &drawn {
                prop_assert!(distance(*point, &points[*first..=*last]) < 0.0201);
            }
            let mut first = 0;
            for piece in &pieces {
                let part: Vec<Point> = drawn.iter().filter(|(_, f, _)| *f == first).map(|(p, ..)| *p).collect();
                for vertex in &points[first..=piece.last()] {
                    prop_assert!(distance(*vertex, &part) < 0.03, "{vertex:?} {piece:?}");
                }
                first = piece.last();
            }
        }

        #[test]
        fn rounded_arcs_are_what_grbl_takes(radius in 0.2_f64..500.0, start in 0.0..6.0, sweep in -3.3_f64..3.3) {
            let at = |angle: f64| Point::new(200.0, 200.0) + Vec2::from_angle(angle) * radius;
            let round = |p: Point, by: f64| Point::new((p.x * by).round() / by, (p.y * by).round() / by);
            let (from, to) = (at(start), at(start + sweep));
            prop_assume!(from.distance(to) > 0.1);
            prop_assert!(arc_center(from, to, sweep).distance(Point::new(200.0, 200.0)) < 1e-6 * radius / sweep.abs().min(1.0));
            let (from, to) = (round(from, 100.0), round(to, 100.0));
            let center = round(arc_center(from, to, sweep), 1000.0);
            prop_assert!(grbl_takes(from, to, center), "{from:?} {to:?} {center:?}");
        }
    }
}
