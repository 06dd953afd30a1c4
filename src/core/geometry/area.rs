//! Filled areas: what they share, what one leaves of another, and how they shrink.

use i_overlay::core::fill_rule::FillRule as Rule;
use i_overlay::core::overlay_rule::OverlayRule;
use i_overlay::float::simplify::SimplifyShape as _;
use i_overlay::float::single::SingleFloatOverlay as _;
use i_overlay::mesh::float::outline::offset::OutlineOffset as _;
use i_overlay::mesh::float::style::{LineJoin, OutlineStyle};
use kurbo::{BezPath, Point, Rect};

use super::{FillRule, Polyline, flatten};

/// A part of the page bounded by straight edges; mm. Its rings don't cross: outer ones go one way, those of holes the
/// other.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Area {
    shapes: Vec<Vec<Ring>>,
}

/// The corners of a closed line; x and y, mm.
type Ring = Vec<[f64; 2]>;

/// Greatest distance between a rounded corner and its pieces; mm.
const ROUNDNESS: f64 = 0.01;

impl Area {
    /// The inside of `path`, every subpath closed, curves within 0.01 mm.
    #[must_use]
    pub fn new(path: &BezPath, rule: FillRule) -> Self {
        let ring = |line: Polyline| line.points().iter().map(|p| [p.x, p.y]).collect::<Ring>();
        let rings: Vec<Ring> = flatten(path, 0.01).into_iter().map(ring).collect();
        let rule = match rule {
            FillRule::NonZero => Rule::NonZero,
            FillRule::EvenOdd => Rule::EvenOdd,
        };
        Self { shapes: rings.simplify_shape(rule) }
    }

    /// All of several areas.
    #[must_use]
    pub fn union<'a>(areas: impl IntoIterator<Item = &'a Self>) -> Self {
        let rings: Vec<Ring> = areas.into_iter().flat_map(|area| area.shapes.concat()).collect();
        Self { shapes: rings.simplify_shape(Rule::NonZero) }
    }

    /// What no other area covers.
    #[must_use]
    pub fn without<'a>(&self, others: impl IntoIterator<Item = &'a Self>) -> Self {
        let rings: Vec<Ring> = others.into_iter().flat_map(|area| area.shapes.concat()).collect();
        if rings.is_empty() {
            return self.clone();
        }
        Self { shapes: self.shapes.overlay(&rings, OverlayRule::Difference, Rule::NonZero) }
    }

    /// What the other area covers too.
    #[must_use]
    pub fn within(&self, other: &Self) -> Self {
        Self { shapes: self.shapes.overlay(&other.shapes, OverlayRule::Intersect, Rule::NonZero) }
    }

    /// What lies at least `by` mm from its edge; `by` is not negative.
    #[must_use]
    pub fn shrunk(&self, by: f64) -> Self {
        self.grown(-by)
    }

    /// What lies at most `by` mm beyond its edge, corners rounded; less when `by` is negative.
    #[must_use]
    pub fn grown(&self, by: f64) -> Self {
        let piece = 2.0 * (1.0 - (ROUNDNESS / by.abs()).min(1.0)).acos();
        let style = OutlineStyle::new(by).line_join(LineJoin::Round(piece));
        Self { shapes: self.shapes.outline(&style) }
    }

    /// Whether nothing is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.shapes.is_empty()
    }

    /// Its parts that don't touch, each with its holes.
    pub fn parts(&self) -> impl Iterator<Item = Self> + '_ {
        self.shapes.iter().map(|shape| Self { shapes: vec![shape.clone()] })
    }

    /// Its size; mm².
    #[must_use]
    pub fn size(&self) -> f64 {
        let cross = |a: &[f64; 2], b: &[f64; 2]| a[0] * b[1] - a[1] * b[0];
        let ring = |ring: &Ring| {
            let next = ring.iter().cycle().skip(1);
            ring.iter().zip(next).map(|(a, b)| cross(a, b)).sum::<f64>() / 2.0
        };
        self.shapes.iter().flatten().map(ring).sum::<f64>().abs()
    }

    /// Its edges, each closed.
    #[must_use]
    pub fn edges(&self) -> Vec<Polyline> {
        let line = |ring: &Ring| {
            let points = ring.iter().chain(ring.first());
            Polyline::new(points.map(|[x, y]| Point::new(*x, *y)).collect())
        };
        self.shapes.iter().flatten().filter(|ring| ring.len() > 2).map(line).collect()
    }

    /// Its edges as a path, inside by [`FillRule::NonZero`] and by [`FillRule::EvenOdd`] alike.
    #[must_use]
    pub fn to_path(&self) -> BezPath {
        let mut path = BezPath::new();
        for edge in self.edges() {
            path.extend(edge.to_path());
        }
        path
    }

    /// The smallest rectangle around it; mm. `None`: it is empty.
    #[must_use]
    pub fn bounds(&self) -> Option<Rect> {
        self.edges().iter().map(Polyline::bounds).reduce(|a, b| a.union(b))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn area(path: &str, rule: FillRule) -> Area {
        Area::new(&BezPath::from_svg(path).unwrap(), rule)
    }

    fn square(x: f64, side: f64) -> Area {
        area(&format!("M{x} {x} h{side} v{side} h-{side} Z"), FillRule::NonZero)
    }

    #[test]
    fn holes_follow_the_rule() {
        let overlap = "M0 0 H10 V10 H0 Z M2 2 H8 V8 H2 Z";
        assert!((area(overlap, FillRule::NonZero).size() - 100.0).abs() < 1e-3);
        assert!((area(overlap, FillRule::EvenOdd).size() - 64.0).abs() < 1e-3);
        assert_eq!(area(overlap, FillRule::EvenOdd).edges().len(), 2);
    }

    #[test]
    fn areas_are_added_taken_away_and_shared() {
        let (a, b) = (square(0.0, 10.0), square(5.0, 10.0));
        for (area, expected) in [
            (Area::union([&a, &b]), 175.0),
            (a.without([&b]), 75.0),
            (a.within(&b), 25.0),
            (a.without([]), 100.0),
        ] {
            assert!((area.size() - expected).abs() < 1e-3, "{} {expected}", area.size());
        }
        assert!(a.without([&square(-1.0, 12.0)]).is_empty());
    }

    #[test]
    fn a_ring_shrinks_from_both_sides() {
        let ring = area("M0 0 H10 V10 H0 Z M2 2 V8 H8 V2 Z", FillRule::NonZero);
        let shrunk = ring.shrunk(0.5);
        let corners = (4.0 - std::f64::consts::PI) * 0.25;
        assert!((shrunk.size() - (81.0 - 49.0 + corners)).abs() < 0.05, "{}", shrunk.size());
        assert!(ring.shrunk(1.45).is_empty());
        // Just beyond half the width, only the corners are left: the way across them is longer.
        assert_eq!(ring.shrunk(1.01).parts().count(), 4);
        assert!(Area::default().shrunk(1.0).is_empty());
        assert!((shrunk.grown(0.5).size() - ring.size()).abs() < 0.3, "{}", shrunk.grown(0.5).size());
    }

    proptest! {
        /// What is shrunk lies inside and as far from the edge as it should. Nearer by no more than `ROUNDNESS`: around an
        /// inner corner it goes in straight pieces whose ends are right, and where such a piece meets another edge is a
        /// corner too. (The grid of the shapes is far finer than 1 µm, which is for the crossings at slivers.)
        #[test]
        fn shrinking_keeps_its_distance(
            corners in prop::collection::vec((0.0..60.0, 0.0..60.0), 3..12),
            by in 0.05_f64..4.0,
        ) {
            use kurbo::ParamCurveNearest as _;
            let mut path = BezPath::new();
            path.move_to(corners[0]);
            corners[1..].iter().for_each(|corner| path.line_to(*corner));
            path.close_path();
            let area = Area::new(&path, FillRule::EvenOdd);
            let outline = area.to_path();
            let edge = |p: Point| outline.segments().map(|s| s.nearest(p, 1e-3).distance_sq).fold(f64::MAX, f64::min).sqrt();
            let shrunk = area.shrunk(by);
            for point in shrunk.edges().iter().flat_map(|edge| edge.points()) {
                let off = edge(*point) - by;
                prop_assert!((-ROUNDNESS - 1e-3..1e-3).contains(&off), "{off} {by}");
            }
            prop_assert!(shrunk.without([&area]).size() < 1e-3);
        }
    }
}
