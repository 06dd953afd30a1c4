//! Chains of straight pieces, and how curves become them.

use kurbo::{BezPath, PathEl, Point, Rect};

/// A chain of straight pieces; mm. At least two points; two equal points are a dot.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Polyline {
    /// Its corners, in drawing direction; mm.
    pub points: Vec<Point>,
}

impl Polyline {
    /// A polyline through `points`.
    #[must_use]
    pub fn new(points: Vec<Point>) -> Self {
        debug_assert!(points.iter().all(|point| point.is_finite()), "coordinates are finite past the door");
        Self { points }
    }

    /// Length; mm.
    #[must_use]
    pub fn length(&self) -> f64 {
        self.points.windows(2).map(|pair| pair[0].distance(pair[1])).sum()
    }

    /// First point. A polyline has at least two.
    #[must_use]
    pub fn start(&self) -> Point {
        self.points[0]
    }

    /// Last point. A polyline has at least two.
    #[must_use]
    pub fn end(&self) -> Point {
        self.points[self.points.len() - 1]
    }

    /// Whether its ends are the same point and it is more than a dot.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.points.len() > 2 && self.start() == self.end()
    }

    /// Turns its direction around.
    pub fn reverse(&mut self) {
        self.points.reverse();
    }

    /// The same line as a path, closed by its last point.
    #[must_use]
    pub fn to_path(&self) -> BezPath {
        let mut path = BezPath::new();
        path.move_to(self.start());
        self.points.iter().skip(1).for_each(|point| path.line_to(*point));
        path
    }

    /// The smallest rectangle around it; mm.
    #[must_use]
    pub fn bounds(&self) -> Rect {
        let first = Rect::from_points(self.start(), self.start());
        self.points.iter().fold(first, |bounds, point| bounds.union_pt(*point))
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
        let counts: Vec<usize> = flatten(&path, 0.05).iter().map(|line| line.points.len()).collect();
        assert_eq!(counts, expected);
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
        for pair in flatten(&circle, 0.05)[0].points.windows(2) {
            let middle = pair[0].midpoint(pair[1]);
            assert!((middle.distance(Point::new(50.0, 50.0)) - 40.0).abs() < 0.051);
        }
    }
}
