//! Filling a shape with parallel lines.

use kurbo::{Affine, BezPath, Point, Rect, Shape as _};
use lyon::math::point;
use lyon::path::Path;
use lyon::tessellation::geometry_builder::{BuffersBuilder, Positions};
use lyon::tessellation::{self, FillOptions, FillTessellator, VertexBuffers};

use super::{Polyline, flatten};

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
/// Gaps in a line that are no gaps but the rounding of lyon's `f32`; mm.
const SEAM: f64 = 1e-3;

/// Parallel lines across the inside of `path`, `spacing` mm apart, turned by `angle` radians (clockwise, y being
/// down). Open subpaths count as closed. Every second line runs back, so that the pen travels little.
///
/// All shapes share one grid of lines through the origin, so that neighbors match; a shape so thin that it falls
/// between two grid lines gets one line through its middle. No line at all when `spacing` is not positive, or more
/// than a million lines would be needed. `None` when lyon's tessellator gives up on the shape.
///
/// lyon's own hatcher knows the even-odd rule only, and SVG's default is non-zero: hence its triangles.
#[must_use]
pub fn hatch(path: &BezPath, rule: FillRule, spacing: f64, angle: f64) -> Option<Vec<Polyline>> {
    let turned = Affine::rotate(-angle) * path.clone();
    let Some(grid) = Grid::across(turned.bounding_box(), spacing) else { return Some(Vec::new()) };
    let mut lines: Vec<Vec<(f64, f64)>> = vec![Vec::new(); grid.count];
    for triangle in triangles(&turned, rule, spacing)? {
        grid.cut(&triangle, &mut lines);
    }
    let mut hatching = Vec::new();
    let back = Affine::rotate(angle);
    for (index, spans) in lines.iter_mut().enumerate() {
        let y = grid.y(index);
        let mut pieces: Vec<Polyline> = merged(spans)
            .map(|(from, to)| Polyline::new(vec![back * Point::new(from, y), back * Point::new(to, y)]))
            .collect();
        if index % 2 == 1 {
            pieces.reverse();
            pieces.iter_mut().for_each(Polyline::reverse);
        }
        hatching.append(&mut pieces);
    }
    Some(hatching)
}

/// The inside of `path` as triangles that don't overlap.
fn triangles(path: &BezPath, rule: FillRule, spacing: f64) -> Option<Vec<[Point; 3]>> {
    // About its own middle, where an f32 is finest.
    let middle = path.bounding_box().center().to_vec2();
    let mut builder = Path::builder();
    for ring in flatten(path, (spacing / 4.0).clamp(0.001, 0.02)) {
        let mut points = ring.points.iter().map(|p| narrow(*p - middle));
        let Some(first) = points.next() else { continue };
        builder.begin(first);
        points.for_each(|point| {
            builder.line_to(point);
        });
        builder.end(true);
    }
    let rule = match rule {
        FillRule::NonZero => tessellation::FillRule::NonZero,
        FillRule::EvenOdd => tessellation::FillRule::EvenOdd,
    };
    let mut mesh: VertexBuffers<lyon::math::Point, u32> = VertexBuffers::new();
    let options = FillOptions::default().with_fill_rule(rule);
    FillTessellator::new()
        .tessellate_path(&builder.build(), &options, &mut BuffersBuilder::new(&mut mesh, Positions))
        .ok()?;
    let corner = |index: u32| {
        let vertex = mesh.vertices[index as usize];
        Point::new(vertex.x.into(), vertex.y.into()) + middle
    };
    Some(
        mesh.indices
            .chunks_exact(3)
            .map(|three| [corner(three[0]), corner(three[1]), corner(three[2])])
            .collect(),
    )
}

#[expect(clippy::cast_possible_truncation, reason = "a micrometre is nothing at a tip's width")]
fn narrow(p: Point) -> lyon::math::Point {
    point(p.x as f32, p.y as f32)
}

/// Equally spaced horizontal lines.
struct Grid {
    start: f64,
    spacing: f64,
    count: usize,
}

impl Grid {
    /// Those that cross `bounds`; `None` where there is nothing to cross, or too much.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to a million")]
    fn across(bounds: Rect, spacing: f64) -> Option<Self> {
        let Rect { y0: low, y1: high, .. } = bounds;
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

    /// Adds to each line the piece of it that lies in the triangle.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to a million")]
    fn cut(&self, triangle: &[Point; 3], lines: &mut [Vec<(f64, f64)>]) {
        let mut corners = *triangle;
        corners.sort_by(|a, b| a.y.total_cmp(&b.y));
        let [top, middle, bottom] = corners;
        let first = ((top.y - self.start) / self.spacing).ceil().max(0.0) as usize;
        for (index, line) in lines.iter_mut().enumerate().skip(first) {
            let y = self.y(index);
            // Half open, so that a line through a corner is in the triangle below it only.
            if y >= bottom.y {
                break;
            }
            let long = crossing(top, bottom, y);
            let short = if y < middle.y { crossing(top, middle, y) } else { crossing(middle, bottom, y) };
            line.push((long.min(short), long.max(short)));
        }
    }
}

/// Where the edge from `a` down to `b` has height `y`.
fn crossing(a: Point, b: Point, y: f64) -> f64 {
    a.x + (b.x - a.x) * (y - a.y) / (b.y - a.y)
}

/// The spans of one line, those that touch made one.
fn merged(spans: &mut [(f64, f64)]) -> impl Iterator<Item = (f64, f64)> {
    spans.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut merged: Vec<(f64, f64)> = Vec::new();
    for &(from, to) in spans.iter() {
        match merged.last_mut() {
            Some(last) if from <= last.1 + SEAM => last.1 = last.1.max(to),
            _ => merged.push((from, to)),
        }
    }
    merged.into_iter().filter(|(from, to)| to > from)
}

#[cfg(test)]
mod tests {
    use kurbo::ParamCurveNearest as _;

    use super::*;

    fn length(path: &str, rule: FillRule, angle: f64) -> f64 {
        hatch(&BezPath::from_svg(path).unwrap(), rule, 0.5, angle).unwrap().iter().map(Polyline::length).sum()
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
            assert_eq!(
                hatch(&BezPath::from_svg(path).unwrap(), FillRule::NonZero, 0.5, 0.0),
                Some(vec![]),
                "{path}"
            );
        }
        let square = BezPath::from_svg(SQUARE).unwrap();
        for spacing in [0.0, -1.0, f64::NAN, 1e-9] {
            assert!(hatch(&square, FillRule::NonZero, spacing, 0.0).unwrap().is_empty());
        }
    }

    #[test]
    fn neighboring_lines_run_in_opposite_directions() {
        let lines = hatch(&BezPath::from_svg(SQUARE).unwrap(), FillRule::NonZero, 1.0, 0.0).unwrap();
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
            let lines = hatch(&path, rule, 0.4, angle).unwrap();
            let edge = |p: Point| path.segments().map(|s| s.nearest(p, 1e-3).distance_sq).fold(f64::MAX, f64::min).sqrt();
            for line in &lines {
                let middle = line.start().midpoint(line.end());
                proptest::prop_assert!(edge(middle) < 0.01 || rule.is_inside(path.winding(middle)));
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
