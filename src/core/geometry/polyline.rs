//! Chains of straight pieces, and how curves become them.

use kurbo::{BezPath, PathEl, Point, Rect};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A chain of straight pieces; mm. At least two points; two equal points are a dot.
///
/// No function makes a shorter one, so that [`start`](Self::start), [`end`](Self::end) and [`bounds`](Self::bounds)
/// always have an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Polyline(Vec<Point>);

impl Polyline {
    /// A polyline through `points`; mm. For points from a file there is [`checked`](Self::checked).
    ///
    /// # Panics
    /// When there are fewer than two points. Where debug assertions are on, also when a coordinate is not finite.
    #[must_use]
    pub fn new(points: Vec<Point>) -> Self {
        assert!(points.len() > 1, "a polyline has two points or more");
        debug_assert!(points.iter().all(|point| point.is_finite()), "coordinates are finite past the door");
        Self(points)
    }

    /// A polyline through `points`, mm; `None` when there are fewer than two or a coordinate is not finite.
    #[must_use]
    pub fn checked(points: Vec<Point>) -> Option<Self> {
        let is_line = points.len() > 1 && points.iter().all(|point| point.is_finite());
        is_line.then_some(Self(points))
    }

    /// Its corners, in drawing direction; mm. Two or more.
    #[must_use]
    pub fn points(&self) -> &[Point] {
        &self.0
    }

    /// Its corners, in drawing direction; mm. Two or more.
    #[must_use]
    pub fn into_points(self) -> Vec<Point> {
        self.0
    }

    /// The line with every corner moved.
    #[must_use]
    pub fn map(&self, to: impl Fn(Point) -> Point) -> Self {
        Self::new(self.0.iter().map(|point| to(*point)).collect())
    }

    /// Length; mm.
    #[must_use]
    pub fn length(&self) -> f64 {
        self.0.windows(2).map(|pair| pair[0].distance(pair[1])).sum()
    }

    /// First point. A polyline has at least two.
    #[must_use]
    pub fn start(&self) -> Point {
        self.0[0]
    }

    /// Last point. A polyline has at least two.
    #[must_use]
    pub fn end(&self) -> Point {
        self.0[self.0.len() - 1]
    }

    /// Whether its ends are the same point and it is more than a dot.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.0.len() > 2 && self.start() == self.end()
    }

    /// Turns its direction around.
    pub fn reverse(&mut self) {
        self.0.reverse();
    }

    /// Goes on along `next`. An end and a start within `same` mm of one another are one corner, else a straight piece
    /// leads over.
    pub(crate) fn append(&mut self, next: &Self, same: f64) {
        let skipped = usize::from(self.end().distance(next.start()) <= same);
        self.0.extend_from_slice(&next.0[skipped..]);
    }

    /// Ends at its start: with its last corner where that lies within `same` mm, else by one more piece.
    pub(crate) fn close(&mut self, same: f64) {
        let (first, last) = (self.start(), self.0.len() - 1);
        if self.0[last].distance(first) <= same {
            self.0[last] = first;
        } else {
            self.0.push(first);
        }
    }

    /// A closed line begins and ends at this corner of it instead.
    pub(crate) fn begin_at(&mut self, vertex: usize) {
        if vertex > 0 && vertex + 1 < self.0.len() {
            self.0.pop();
            self.0.rotate_left(vertex);
            self.0.push(self.0[0]);
        }
    }

    /// The same line as a path, closed by its last point.
    #[must_use]
    pub fn to_path(&self) -> BezPath {
        let mut path = BezPath::new();
        path.move_to(self.start());
        self.0.iter().skip(1).for_each(|point| path.line_to(*point));
        path
    }

    /// The smallest rectangle around it; mm.
    #[must_use]
    pub fn bounds(&self) -> Rect {
        let first = Rect::from_points(self.start(), self.start());
        self.0.iter().fold(first, |bounds, point| bounds.union_pt(*point))
    }
}

/// A polyline through these points; that there are two or more is known when it is compiled.
///
/// ```
/// # use traceur_core::geometry::Polyline;
/// assert_eq!(Polyline::from([(0.0, 0.0), (3.0, 4.0)]).length(), 5.0);
/// ```
impl<const N: usize> From<[(f64, f64); N]> for Polyline {
    fn from(points: [(f64, f64); N]) -> Self {
        const { assert!(N > 1, "a polyline has two points or more") };
        Self::new(points.map(Point::from).to_vec())
    }
}

impl Extend<Point> for Polyline {
    /// Goes on through these points.
    fn extend<I: IntoIterator<Item = Point>>(&mut self, points: I) {
        self.0.extend(points);
    }
}

/// As a list of `[x,y]`; mm.
impl Serialize for Polyline {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.0.iter().map(|point| [point.x, point.y]))
    }
}

impl<'de> Deserialize<'de> for Polyline {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let points = Vec::<[f64; 2]>::deserialize(from)?;
        Self::checked(points.into_iter().map(|[x, y]| Point::new(x, y)).collect())
            .ok_or_else(|| serde::de::Error::custom("a stroke needs two points or more, all finite"))
    }
}

/// Turns a path into polylines, one a subpath; a lone `M`, or one with a zero-length segment, gives nothing or
/// a dot.
///
/// # Tolerance
/// Greatest distance between curve and polyline; mm. The number of pieces grows with tolerance^(-1/2). 0.02 mm
/// is finer than any pen; 0.05 mm is the usual value.
#[must_use]
pub fn flatten(path: &BezPath, tolerance: f64) -> Vec<Polyline> {
    let mut polylines = Vec::new();
    let mut points: Vec<Point> = Vec::new();
    let mut finish = |points: &mut Vec<Point>| {
        if points.len() > 1 {
            polylines.push(Polyline::new(std::mem::take(points)));
        }
        points.clear();
    };
    kurbo::flatten(path, tolerance, |element| match element {
        PathEl::MoveTo(point) => {
            finish(&mut points);
            points.push(point);
        }
        PathEl::LineTo(point) => {
            if points.len() < 2 || points.last() != Some(&point) {
                points.push(point);
            }
        }
        PathEl::ClosePath => {
            let Some(start) = points.first().copied() else { return };
            if points.len() > 1 && points.last() != Some(&start) {
                points.push(start);
            }
            finish(&mut points);
            points.push(start);
        }
        PathEl::QuadTo(..) | PathEl::CurveTo(..) => unreachable!("kurbo's flatten gives lines only"),
    });
    finish(&mut points);
    polylines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, expected: &[usize]) {
        let path = BezPath::from_svg(path).unwrap();
        let counts: Vec<usize> = flatten(&path, 0.05).iter().map(|line| line.points().len()).collect();
        assert_eq!(counts, expected);
    }

    #[test]
    fn less_than_two_points_are_no_polyline() {
        let point = Point::new(1.0, 2.0);
        assert_eq!(Polyline::checked(Vec::new()), None);
        assert_eq!(Polyline::checked(vec![point]), None);
        assert_eq!(Polyline::checked(vec![point, Point::new(f64::NAN, 0.0)]), None);
        assert_eq!(Polyline::checked(vec![point, point]), Some(Polyline::new(vec![point, point])));
        assert!(std::panic::catch_unwind(|| Polyline::new(vec![point])).is_err());
    }

    #[test]
    fn subpaths_become_polylines() {
        check("M0 0 L10 0 M5 5 L6 6 L7 5", &[2, 3]);
        check("M0 0 L10 0 L10 10 Z", &[4]);
        check("M0 0 L10 0 L10 10 Z L5 5", &[4, 2]);
        check("M3 3", &[]);
        check("M3 3 L3 3", &[2]);
    }

    #[test]
    fn flattening_stays_within_tolerance() {
        let circle = kurbo::Shape::to_path(&kurbo::Circle::new((50.0, 50.0), 40.0), 1e-6);
        for pair in flatten(&circle, 0.05)[0].points().windows(2) {
            let middle = pair[0].midpoint(pair[1]);
            assert!((middle.distance(Point::new(50.0, 50.0)) - 40.0).abs() < 0.051);
        }
    }
}
