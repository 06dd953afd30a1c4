//! Clipping to any shape, as an SVG clip path asks for.

use kurbo::{BezPath, Point, Rect};

use super::clip::join_around;
use super::{FillRule, Polyline, flatten};

/// Distance below which a point counts as on the edge, and so as inside; mm. Far below any pen, and above the noise
/// of coordinates that came through `f32`.
const EDGE: f64 = 1e-3;

/// A shape that strokes are cut to: the union of some filled paths; mm.
#[derive(Debug, Clone, PartialEq)]
pub struct Region {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq)]
struct Part {
    rule: FillRule,
    bounds: Rect,
    edges: Vec<(Point, Point)>,
    /// The edges that touch each of [`BANDS`] horizontal bands of `bounds`, as indices.
    bands: Vec<Vec<u32>>,
}

const BANDS: usize = 128;

impl Region {
    /// The union of `shapes`; none is a region with nothing inside.
    #[must_use]
    pub fn new(shapes: &[(BezPath, FillRule)]) -> Self {
        Self { parts: shapes.iter().filter_map(|(path, rule)| Part::new(path, *rule)).collect() }
    }

    /// The parts of `line` inside, in drawing direction; a line along the edge is inside. A dot is kept or not.
    #[must_use]
    pub fn clip(&self, line: &Polyline) -> Vec<Polyline> {
        self.keep(line, |point| self.contains(point))
    }

    /// The parts of `line` outside, in drawing direction; a line along the edge is not outside. A dot is kept or not.
    #[must_use]
    pub fn carve(&self, line: &Polyline) -> Vec<Polyline> {
        self.keep(line, |point| !self.contains(point))
    }

    /// The parts of `line` whose points are kept, none of which lies on both sides of an edge.
    fn keep(&self, line: &Polyline, is_kept: impl Fn(Point) -> bool) -> Vec<Polyline> {
        if line.points().windows(2).all(|pair| pair[0] == pair[1]) {
            return if is_kept(line.start()) { vec![line.clone()] } else { Vec::new() };
        }
        let mut parts: Vec<Vec<Point>> = Vec::new();
        for pair in line.points().windows(2) {
            let mut cuts = vec![0.0, 1.0];
            self.parts.iter().for_each(|part| part.cut(pair[0], pair[1], &mut cuts));
            cuts.sort_by(f64::total_cmp);
            cuts.dedup();
            for cut in cuts.windows(2) {
                if !is_kept(pair[0].lerp(pair[1], f64::midpoint(cut[0], cut[1]))) {
                    continue;
                }
                let at = |t: f64| if t == 1.0 { pair[1] } else { pair[0].lerp(pair[1], t) };
                let (from, to) = (at(cut[0]), at(cut[1]));
                match parts.last_mut() {
                    // A cut that turned out not to leave the shape leaves no corner behind.
                    Some(part) if part.last() == Some(&from) && cut[0] > 0.0 => {
                        part.pop();
                        part.push(to);
                    }
                    Some(part) if part.last() == Some(&from) => part.push(to),
                    _ => parts.push(vec![from, to]),
                }
            }
        }
        join_around(line, &mut parts);
        let lines = parts.into_iter().map(Polyline::new);
        lines.filter(|part| part.length() > 1e-9).collect()
    }

    /// Whether `point` is inside or on the edge.
    #[must_use]
    pub fn contains(&self, point: Point) -> bool {
        self.parts.iter().any(|part| part.contains(point))
    }
}

impl Part {
    fn new(path: &BezPath, rule: FillRule) -> Option<Self> {
        let rings = flatten(path, 0.01);
        let bounds = rings.iter().map(Polyline::bounds).reduce(|a, b| a.union(b))?;
        let ring_edges = |ring: &Polyline| {
            let next = ring.points().iter().skip(1).chain(ring.points().first());
            ring.points().iter().copied().zip(next.copied()).filter(|(a, b)| a != b).collect::<Vec<_>>()
        };
        let edges: Vec<_> = rings.iter().flat_map(ring_edges).collect();
        let mut part = Self { rule, bounds, edges, bands: vec![Vec::new(); BANDS] };
        for (index, (a, b)) in part.edges.iter().enumerate() {
            let bands = part.bands_of(a.y, b.y);
            let index = u32::try_from(index).ok()?;
            part.bands[bands].iter_mut().for_each(|band| band.push(index));
        }
        Some(part)
    }

    fn band(&self, y: f64) -> usize {
        let share = (y - self.bounds.y0) / self.bounds.height().max(EDGE);
        (share * BANDS as f64).clamp(0.0, BANDS as f64 - 1.0) as usize
    }

    /// The bands that an edge from height `a` to `b` could matter in.
    fn bands_of(&self, a: f64, b: f64) -> std::ops::RangeInclusive<usize> {
        self.band(a.min(b) - EDGE)..=self.band(a.max(b) + EDGE)
    }

    /// Adds where the piece crosses or leaves an edge, 0 to 1 along it.
    fn cut(&self, from: Point, to: Point, cuts: &mut Vec<f64>) {
        let piece = Rect::from_points(from, to);
        if piece.inflate(EDGE, EDGE).intersect(self.bounds.inflate(EDGE, EDGE)).is_zero_area() {
            return;
        }
        let delta = to - from;
        for index in self.bands[self.bands_of(from.y, to.y)].iter().flatten() {
            let (a, b) = self.edges[*index as usize];
            let edge = b - a;
            let cross = delta.cross(edge);
            if cross.abs() > 1e-12 * delta.hypot() * edge.hypot() {
                let t = (a - from).cross(edge) / cross;
                let along = (a - from).cross(delta) / cross;
                if t > 0.0 && t < 1.0 && (-1e-9..=1.0 + 1e-9).contains(&along) {
                    cuts.push(t);
                }
            } else {
                let ends = [a, b].map(|end| (end - from).dot(delta) / delta.hypot2());
                cuts.extend(ends.into_iter().filter(|t| *t > 0.0 && *t < 1.0));
            }
        }
    }

    fn contains(&self, point: Point) -> bool {
        if !self.bounds.inflate(EDGE, EDGE).contains(point) {
            return false;
        }
        let mut winding = 0;
        // Edges are filed in every band within `EDGE` of them, so that the point's own band holds all that matter.
        for index in &self.bands[self.band(point.y)] {
            let (a, b) = self.edges[*index as usize];
            let edge = b - a;
            let t = ((point - a).dot(edge) / edge.hypot2()).clamp(0.0, 1.0);
            if (a + edge * t).distance(point) <= EDGE {
                return true;
            }
            if (a.y <= point.y) != (b.y <= point.y) {
                let x = a.x + edge.x * (point.y - a.y) / edge.y;
                if x > point.x {
                    winding += if b.y > a.y { 1 } else { -1 };
                }
            }
        }
        self.rule.is_inside(winding)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn region(path: &str, rule: FillRule) -> Region {
        Region::new(&[(BezPath::from_svg(path).unwrap(), rule)])
    }

    fn line(points: &[(f64, f64)]) -> Polyline {
        Polyline::new(points.iter().map(|p| Point::from(*p)).collect())
    }

    #[test]
    fn a_line_through_a_ring_is_cut_in_two() {
        let ring = region("M0 0 H10 V10 H0 Z M3 3 V7 H7 V3 Z", FillRule::NonZero);
        let parts = ring.clip(&line(&[(-5.0, 5.0), (15.0, 5.0)]));
        assert_eq!(parts, [line(&[(0.0, 5.0), (3.0, 5.0)]), line(&[(7.0, 5.0), (10.0, 5.0)])]);
    }

    #[test]
    fn a_frame_on_the_edge_is_kept_whole() {
        let square = region("M0 0 H10 V10 H0 Z", FillRule::NonZero);
        let frame = line(&[(0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0), (0.0, 0.0)]);
        assert_eq!(square.clip(&frame), std::slice::from_ref(&frame));
    }

    #[test]
    fn an_empty_region_keeps_nothing_and_dots_are_kept_or_not() {
        assert!(Region::new(&[]).clip(&line(&[(0.0, 0.0), (1.0, 1.0)])).is_empty());
        let square = region("M0 0 H10 V10 H0 Z", FillRule::EvenOdd);
        assert_eq!(square.clip(&line(&[(5.0, 5.0), (5.0, 5.0)])).len(), 1);
        assert!(square.clip(&line(&[(15.0, 5.0), (15.0, 5.0)])).is_empty());
    }

    proptest! {
        #[test]
        fn what_is_inside_and_what_is_outside_make_the_line(
            corners in prop::collection::vec((0.0..30.0, 0.0..30.0), 3..8),
            points in prop::collection::vec((0.0..30.0, 0.0..30.0), 2..8),
        ) {
            let words: Vec<String> = corners.iter().map(|(x, y)| format!("{x} {y}")).collect();
            let region = region(&format!("M{} Z", words.join(" L")), FillRule::EvenOdd);
            let line = line(&points);
            let length = |parts: &[Polyline]| parts.iter().map(Polyline::length).sum::<f64>();
            let sum = length(&region.clip(&line)) + length(&region.carve(&line));
            prop_assert!((sum - line.length()).abs() < 1e-6, "{sum} {}", line.length());
        }

        #[test]
        fn a_square_cuts_like_the_rectangle(points in prop::collection::vec((-20.0..30.0, -20.0..30.0), 2..12)) {
            let line = line(&points);
            let parts = region("M0 0 H10 V10 H0 Z", FillRule::NonZero).clip(&line);
            let length = |parts: &[Polyline]| parts.iter().map(Polyline::length).sum::<f64>();
            let expected = length(&super::super::clip(&line, Rect::new(0.0, 0.0, 10.0, 10.0)));
            prop_assert!((length(&parts) - expected).abs() < 0.01 * points.len() as f64, "{} {expected}", length(&parts));
        }
    }
}
