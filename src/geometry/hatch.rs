//! Filling a shape with parallel lines.

use kurbo::{BezPath, Point};

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

/// Parallel lines across the inside of `path`, `spacing` mm apart, turned by `angle` radians (clockwise, y being
/// down). Open subpaths count as closed. Every second line runs back, so that the pen travels little.
///
/// All shapes share one grid of lines through the origin, so that neighbors match; a shape so thin that it falls
/// between two grid lines gets one line through its middle. No line at all when `spacing` is not positive, or more
/// than a million lines would be needed.
///
/// lyon's hatcher is not used: it knows the even-odd rule only, and SVG's default is non-zero.
#[must_use]
pub fn hatch(path: &BezPath, rule: FillRule, spacing: f64, angle: f64) -> Vec<Polyline> {
    let turned = kurbo::Affine::rotate(-angle) * path.clone();
    let rings = flatten(&turned, (spacing / 4.0).clamp(0.001, 0.02));
    let edges: Vec<(Point, Point)> = rings.iter().flat_map(edges).collect();
    let low = edges.iter().map(|(a, _)| a.y).fold(f64::INFINITY, f64::min);
    let high = edges.iter().map(|(a, _)| a.y).fold(f64::NEG_INFINITY, f64::max);
    let is_sound = spacing > 0.0 && high > low && (high - low) / spacing < MOST_LINES;
    if !is_sound {
        return Vec::new();
    }
    let (first, last) = ((low / spacing - 0.5).ceil(), (high / spacing - 0.5).floor());
    let (start, count) = if last < first {
        ((low + high) / 2.0, 1)
    } else {
        ((first + 0.5) * spacing, (last - first) as usize + 1)
    };

    // Where each line crosses an edge, and which way the edge goes.
    let mut crossings: Vec<Vec<(f64, i32)>> = vec![Vec::new(); count];
    for (a, b) in edges {
        let (top, bottom, way) = if a.y < b.y { (a, b, 1) } else { (b, a, -1) };
        let from = ((top.y - start) / spacing).ceil().max(0.0) as usize;
        // Half open, so that a line through a corner crosses once.
        for (index, line) in crossings.iter_mut().enumerate().skip(from) {
            let y = start + index as f64 * spacing;
            if y >= bottom.y {
                break;
            }
            line.push((top.x + (bottom.x - top.x) * (y - top.y) / (bottom.y - top.y), way));
        }
    }

    let mut hatching = Vec::new();
    let back = kurbo::Affine::rotate(angle);
    for (index, line) in crossings.iter_mut().enumerate() {
        let y = start + index as f64 * spacing;
        let mut pieces: Vec<Polyline> = spans(line, rule)
            .map(|(from, to)| Polyline::new(vec![back * Point::new(from, y), back * Point::new(to, y)]))
            .collect();
        if index % 2 == 1 {
            pieces.reverse();
            pieces.iter_mut().for_each(Polyline::reverse);
        }
        hatching.append(&mut pieces);
    }
    hatching
}

/// The closed ring's edges.
fn edges(ring: &Polyline) -> impl Iterator<Item = (Point, Point)> + '_ {
    let next = ring.points.iter().skip(1).chain(ring.points.first());
    ring.points.iter().copied().zip(next.copied())
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
}
