//! Filling a shape with parallel lines.

use kurbo::{Affine, BezPath, PathEl, Point};
use lyon::geom::{CubicBezierSegment, LineSegment, QuadraticBezierSegment, euclid::default::Point2D};

use super::Polyline;

/// Which points of a path are inside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FillRule {
    /// Those around which the path goes more often one way than the other; SVG's default.
    #[default]
    NonZero,
    /// Those from which a ray crosses the path an odd number of times.
    EvenOdd,
}

impl FillRule {
    /// Whether a point with this winding number is inside.
    #[must_use]
    pub fn is_inside(self, winding: i32) -> bool {
        match self {
            Self::NonZero => winding != 0,
            Self::EvenOdd => winding % 2 != 0,
        }
    }
}

/// Most lines across one shape; more is a mistake in the shape or the spacing.
const MOST_LINES: f64 = 1e6;

/// Parallel lines across the inside of `path`, `spacing` mm apart, turned by `angle` radians (clockwise, y being
/// down). Open subpaths count as closed. Every second line runs back, so that the pen travels little.
///
/// All shapes share one grid of lines through the origin, so that neighbors match; a shape so thin that it falls
/// between two grid lines gets one line through its middle. No line at all when `spacing` is not positive, or more
/// than a million lines would be needed.
///
/// The edges are lyon's, in `f64`. Its hatcher knows the even-odd rule only, and SVG's default is non-zero; its
/// fill tessellator, in `f32`, lets lines reach 0.2 mm beyond slivers (seen with random polygons).
#[must_use]
pub fn hatch(path: &BezPath, rule: FillRule, spacing: f64, angle: f64) -> Vec<Polyline> {
    rows(path, rule, spacing, angle).concat()
}

/// As [`hatch`], with the lines of each row of the grid by themselves.
pub(super) fn rows(path: &BezPath, rule: FillRule, spacing: f64, angle: f64) -> Vec<Vec<Polyline>> {
    let turned = Affine::rotate(-angle) * path.clone();
    let edges = edges(&turned, (spacing / 4.0).clamp(0.001, 0.02));
    let Some(grid) = Grid::across(&edges, spacing) else { return Vec::new() };
    let back = Affine::rotate(angle);
    let row = |(index, mut line): (usize, Vec<(f64, i32)>)| {
        let y = grid.y(index);
        let mut pieces: Vec<Polyline> = spans(&mut line, rule)
            .map(|(from, to)| Polyline::new(vec![back * Point::new(from, y), back * Point::new(to, y)]))
            .collect();
        if index % 2 == 1 {
            pieces.reverse();
            pieces.iter_mut().for_each(Polyline::reverse);
        }
        pieces
    };
    grid.crossings(&edges).into_iter().enumerate().map(row).collect()
}

type Edge = LineSegment<f64>;

/// The outline as straight edges, every subpath closed.
fn edges(path: &BezPath, tolerance: f64) -> Vec<Edge> {
    let lyon = |p: Point| Point2D::new(p.x, p.y);
    let mut edges: Vec<Edge> = Vec::new();
    let (mut start, mut from) = (Point2D::zero(), Point2D::zero());
    for element in path.elements() {
        match *element {
            PathEl::MoveTo(to) => {
                edges.push(LineSegment { from, to: start });
                (start, from) = (lyon(to), lyon(to));
            }
            PathEl::LineTo(to) => {
                edges.push(LineSegment { from, to: lyon(to) });
                from = lyon(to);
            }
            PathEl::QuadTo(ctrl, to) => {
                let curve = QuadraticBezierSegment { from, ctrl: lyon(ctrl), to: lyon(to) };
                curve.for_each_flattened(tolerance, &mut |edge| edges.push(*edge));
                from = lyon(to);
            }
            PathEl::CurveTo(ctrl1, ctrl2, to) => {
                let curve = CubicBezierSegment { from, ctrl1: lyon(ctrl1), ctrl2: lyon(ctrl2), to: lyon(to) };
                curve.for_each_flattened(tolerance, &mut |edge| edges.push(*edge));
                from = lyon(to);
            }
            PathEl::ClosePath => {
                edges.push(LineSegment { from, to: start });
                from = start;
            }
        }
    }
    edges.push(LineSegment { from, to: start });
    edges.retain(|edge| edge.from.y != edge.to.y);
    edges
}

/// Equally spaced horizontal lines.
struct Grid {
    start: f64,
    spacing: f64,
    count: usize,
}

impl Grid {
    /// Those that cross the edges; `None` where there is nothing to cross, or too much.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to a million")]
    fn across(edges: &[Edge], spacing: f64) -> Option<Self> {
        let ends = || edges.iter().flat_map(|edge| [edge.from.y, edge.to.y]);
        let (low, high) = (ends().fold(f64::INFINITY, f64::min), ends().fold(f64::NEG_INFINITY, f64::max));
        let is_sound = spacing > 0.0 && high > low && (high - low) / spacing < MOST_LINES;
        if !is_sound {
            return None;
        }
        let (first, last) = ((low / spacing - 0.5).ceil(), (high / spacing - 0.5).floor());
        Some(if last < first {
            Self { start: (low + high) / 2.0, spacing, count: 1 }
        } else {
            Self { start: (first + 0.5) * spacing, spacing, count: (last - first) as usize + 1 }
        })
    }

    fn y(&self, index: usize) -> f64 {
        self.start + index as f64 * self.spacing
    }

    /// Where each line crosses an edge, and which way the edge goes.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to a million")]
    fn crossings(&self, edges: &[Edge]) -> Vec<Vec<(f64, i32)>> {
        let mut crossings = vec![Vec::new(); self.count];
        for edge in edges {
            let (down, way) = if edge.from.y < edge.to.y { (*edge, 1) } else { (edge.flip(), -1) };
            let first = ((down.from.y - self.start) / self.spacing).ceil().max(0.0) as usize;
            // Half open, so that a line through a corner crosses once.
            for (index, line) in crossings.iter_mut().enumerate().skip(first) {
                let y = self.y(index);
                if y >= down.to.y {
                    break;
                }
                line.push((down.solve_x_for_y(y), way));
            }
        }
        crossings
    }
}

/// The inside pieces of one line.
fn spans(crossings: &mut [(f64, i32)], rule: FillRule) -> impl Iterator<Item = (f64, f64)> {
    crossings.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut spans: Vec<(f64, f64)> = Vec::new();
    let mut winding = 0;
    for pair in crossings.windows(2) {
        winding += pair[0].1;
        let (from, to) = (pair[0].0, pair[1].0);
        if rule.is_inside(winding) && to > from {
            match spans.last_mut() {
                Some(last) if last.1 == from => last.1 = to,
                _ => spans.push((from, to)),
            }
        }
    }
    spans.into_iter()
}

#[cfg(test)]
mod tests {
    use kurbo::{ParamCurveNearest as _, Shape as _};

    use super::*;

    fn length(path: &str, rule: FillRule, angle: f64) -> f64 {
        hatch(&BezPath::from_svg(path).unwrap(), rule, 0.5, angle).iter().map(Polyline::length).sum()
    }

    const SQUARE: &str = "M0 0 H10 V10 H0 Z";

    #[test]
    fn length_times_spacing_is_the_area() {
        for angle in [0.0, 0.3, 0.8, 1.6] {
            let area = length(SQUARE, FillRule::NonZero, angle) * 0.5;
            assert!((area - 100.0).abs() < 5.0, "{area} at {angle}");
        }
    }

    #[test]
    fn holes_stay_empty_and_overlaps_follow_the_rule() {
        let hole = format!("{SQUARE} M2 2 V8 H8 V2 Z");
        assert_eq!(length(&hole, FillRule::NonZero, 0.0), length(&hole, FillRule::EvenOdd, 0.0));
        assert!((length(&hole, FillRule::NonZero, 0.0) * 0.5 - 64.0).abs() < 1e-9);
        let overlap = format!("{SQUARE} M2 2 H8 V8 H2 Z");
        assert!((length(&overlap, FillRule::NonZero, 0.0) * 0.5 - 100.0).abs() < 1e-9);
        assert!((length(&overlap, FillRule::EvenOdd, 0.0) * 0.5 - 64.0).abs() < 1e-9);
    }

    #[test]
    fn a_thin_shape_still_gets_one_line() {
        assert!((length("M0 0.3 H10 V0.4 H0 Z", FillRule::NonZero, 0.0) - 10.0).abs() < 1e-9);
    }

    #[test]
    fn what_has_no_inside_gets_no_line() {
        for path in ["", "M1 1", "M0 0 L5 0", "M3 3 L3 3 Z"] {
            assert_eq!(hatch(&BezPath::from_svg(path).unwrap(), FillRule::NonZero, 0.5, 0.0), [], "{path}");
        }
        let square = BezPath::from_svg(SQUARE).unwrap();
        for spacing in [0.0, -1.0, f64::NAN, 1e-9] {
            assert!(hatch(&square, FillRule::NonZero, spacing, 0.0).is_empty());
        }
    }

    #[test]
    fn neighboring_lines_run_in_opposite_directions() {
        let lines = hatch(&BezPath::from_svg(SQUARE).unwrap(), FillRule::NonZero, 1.0, 0.0);
        assert_eq!(lines.len(), 10);
        assert!(lines.windows(2).all(|pair| pair[0].end().x == pair[1].start().x));
    }

    proptest::proptest! {
        /// Every line lies inside, and what lies well inside is at most a spacing from a line.
        #[test]
        fn lines_are_where_the_winding_number_says(
            corners in proptest::collection::vec((0.0..60.0, 0.0..60.0), 3..14),
            even_odd: bool,
            angle in 0.0..3.0,
        ) {
            let mut path = BezPath::new();
            path.move_to(corners[0]);
            corners[1..].iter().for_each(|corner| path.line_to(*corner));
            path.close_path();
            let rule = if even_odd { FillRule::EvenOdd } else { FillRule::NonZero };
            let lines = hatch(&path, rule, 0.4, angle);
            let edge = |p: Point| path.segments().map(|s| s.nearest(p, 1e-3).distance_sq).fold(f64::MAX, f64::min).sqrt();
            for line in &lines {
                let middle = line.start().midpoint(line.end());
                proptest::prop_assert!(edge(middle) < 1e-6 || rule.is_inside(path.winding(middle)), "{line:?} {} off", edge(middle));
            }
            for x in 0..12 {
                let p = Point::new(f64::from(x) * 5.0 + 1.0, f64::from(x * 7 % 12) * 5.0 + 2.0);
                if edge(p) > 0.5 {
                    let near = lines.iter().map(|line| kurbo::Line::new(line.start(), line.end()).nearest(p, 1e-3).distance_sq);
                    let near = near.fold(f64::MAX, f64::min).sqrt();
                    proptest::prop_assert_eq!(near <= 0.21, rule.is_inside(path.winding(p)), "{} from {}", near, p);
                }
            }
        }
    }
}
