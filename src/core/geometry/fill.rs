//! Inking an area with a pen.

use std::f64::consts::FRAC_PI_2;

use super::hatch::rows;
use super::{Area, FillRule, Point, Polyline, Region, simplify};

/// How the ink of an area is laid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pattern {
    /// Parallel lines, tied into zigzags.
    #[default]
    Hatch,
    /// Parallel lines, and more at right angles to them.
    Crosshatch,
    /// Rings along the edge, inward.
    Concentric,
}

/// A pattern with its measures.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FillStyle {
    /// What is laid.
    pub pattern: Pattern,
    /// From line to line; mm, positive. The width of the tip leaves no paper between.
    pub spacing: f64,
    /// Direction of the lines; rad, clockwise on paper from left to right.
    pub angle: f64,
    /// Width of the pen's line; mm, positive. Lines keep half of it from the edge, so that ink ends at the edge.
    pub tip: f64,
    /// Whether a line along the edge makes it smooth.
    pub outline: bool,
}

/// Narrower parts of an area are the rest of a cut, not a shape; mm.
const NARROWEST: f64 = 0.02;
/// A line goes on in the next row when that begins this near; spacings.
const NEAR: f64 = 3.0;
/// Bits of paper between rings that are smaller than this don't show; squares of half the tip.
const BARE: f64 = 2.0;
/// How often the narrow rest of an area is looked at again for what is narrower still.
const ROUNDS: usize = 4;
/// A ring with more corners is not looked at for a fold.
const MOST_CORNERS: usize = 256;
/// Places at which the halves of a fold are compared.
const FOLD_SAMPLES: usize = 24;
/// Most rings from an edge inward; more is a mistake in the shape or the spacing.
const MOST_RINGS: usize = 100_000;

/// The lines that ink an area.
#[must_use]
pub fn fill(area: &Area, style: &FillStyle) -> Vec<Polyline> {
    let mut lines = Vec::new();
    let is_sound =
        style.spacing > 0.0 && style.tip > 0.0 && style.spacing.is_finite() && style.tip.is_finite();
    if !is_sound {
        return lines;
    }
    for part in area.parts() {
        let inner = part.shrunk(style.tip / 2.0);
        let outline = style.outline && style.pattern != Pattern::Concentric;
        // Lines end in the middle of the line along the edge.
        let hatched = if outline { part.shrunk(style.tip) } else { inner.clone() };
        if outline {
            lines.extend(edges(&inner));
        }
        match style.pattern {
            Pattern::Hatch => lines.extend(zigzags(&hatched, &part, style.spacing, style.angle)),
            Pattern::Crosshatch => {
                lines.extend(zigzags(&hatched, &part, style.spacing, style.angle));
                lines.extend(zigzags(&hatched, &part, style.spacing, style.angle + FRAC_PI_2));
            }
            Pattern::Concentric => lines.extend(rings(&inner, style)),
        }
        // What is narrower than the tip is traced. A corner that the round tip can't reach is not.
        let least = if inner.is_empty() { 0.0 } else { style.tip.powi(2) };
        for narrow in part.without([&inner.grown(style.tip / 2.0)]).parts() {
            if narrow.size() > least {
                lines.extend(traced(&narrow, style.tip / 2.0, ROUNDS));
            }
        }
    }
    lines
}

/// Parallel lines across `inner`, each going on in the next row where the way there stays in `outer`.
fn zigzags(inner: &Area, outer: &Area, spacing: f64, angle: f64) -> Vec<Polyline> {
    let rows = rows(&inner.to_path(), FillRule::NonZero, spacing, angle);
    if rows.is_empty() {
        return Vec::new();
    }
    let region = Region::new(&[(outer.to_path(), FillRule::NonZero)]);
    let mut zigzags: Vec<Polyline> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    for row in rows {
        let mut next = Vec::new();
        for piece in row {
            let gap = |zigzag: &usize| zigzags[*zigzag].end().distance(piece.start());
            let nearest = open.iter().copied().enumerate().min_by(|a, b| gap(&a.1).total_cmp(&gap(&b.1)));
            let tie = nearest.filter(|(_, zigzag)| {
                let way = Polyline::new(vec![zigzags[*zigzag].end(), piece.start()]);
                let inside: f64 = region.clip(&way).iter().map(Polyline::length).sum();
                way.length() <= NEAR * spacing && inside >= way.length() - 1e-6
            });
            next.push(match tie {
                Some((place, zigzag)) => {
                    open.swap_remove(place);
                    zigzags[zigzag].extend(piece.into_points());
                    zigzag
                }
                None => {
                    zigzags.push(piece);
                    zigzags.len() - 1
                }
            });
        }
        open = next;
    }
    zigzags
}

/// Rings along the edge of `area`, a spacing apart, until nothing is left. Each is made from the edge itself: rings made
/// from rings gather corners and errors. Each stands for a strip as wide as the spacing; where two leave more between their
/// strips that is too narrow for a third, it is traced.
fn rings(area: &Area, style: &FillStyle) -> Vec<Polyline> {
    let mut rings = Vec::new();
    let mut ring = area.clone();
    let half = style.spacing / 2.0;
    for count in 1..=MOST_RINGS {
        if ring.is_empty() {
            break;
        }
        rings.extend(edges(&ring));
        let next = area.shrunk(style.spacing * count as f64);
        for bare in ring.shrunk(half).without([&next.grown(style.spacing - half)]).parts() {
            if bare.size() > BARE * half.powi(2) {
                let lines = traced(&bare, half, 1);
                rings.extend(lines.into_iter().filter(|line| line.length() > style.tip));
            }
        }
        ring = next;
    }
    rings
}

/// Lines in the middle of an area that is at most twice `most` mm wide: where it is widest, then in what is left.
fn traced(area: &Area, most: f64, rounds: usize) -> Vec<Polyline> {
    if rounds == 0 || area.shrunk(NARROWEST).is_empty() {
        return Vec::new();
    }
    let (mut low, mut high) = (NARROWEST, most * 1.1);
    for _ in 0..6 {
        let middle = f64::midpoint(low, high);
        if area.shrunk(middle).is_empty() {
            high = middle;
        } else {
            low = middle;
        }
    }
    let depth = low * 0.7;
    let middle = area.shrunk(depth);
    let mut lines: Vec<Polyline> =
        edges(&middle).into_iter().map(|ring| folded(&ring, 1.3 * low).unwrap_or(ring)).collect();
    for rest in area.without([&middle.grown(depth * 1.1)]).parts() {
        if rest.size() > low * low {
            lines.extend(traced(&rest, depth, rounds - 1));
        }
    }
    lines
}

/// The line in the middle of a ring that goes out and comes back beside itself, nowhere more than `apart` mm away: one line
/// inks what both would.
fn folded(ring: &Polyline, apart: f64) -> Option<Polyline> {
    let corners = &ring.points()[..ring.points().len() - 1];
    if corners.len() > MOST_CORNERS {
        return None;
    }
    // From each corner, and from the middle between two, a way out and a way back are tried.
    let count = corners.len();
    let next = |index: usize| corners[(index + 1) % count];
    let (fold, off) = (0..count)
        .flat_map(|index| [(index, false), (index, true)])
        .map(|fold| {
            let (index, between) = fold;
            let begin = if between { corners[index].midpoint(next(index)) } else { corners[index] };
            let mut out = vec![begin];
            out.extend((1..=count).map(|step| corners[(index + step) % count]));
            if between {
                out.push(begin);
            }
            let out = Polyline::new(out);
            let off = apart_at_most(&out, apart);
            (out, off)
        })
        .min_by(|a, b| a.1.total_cmp(&b.1))?;
    if off > apart {
        return None;
    }
    let half = fold.length() / 2.0;
    // Each corner of either way has its place in the middle.
    let mut places: Vec<f64> = Vec::new();
    let mut place = 0.0;
    for pair in fold.points().windows(2) {
        places.push(if place > half { 2.0 * half - place } else { place });
        place += pair[0].distance(pair[1]);
    }
    places.push(half);
    places.sort_by(f64::total_cmp);
    let middle = |place: f64| at(&fold, place).midpoint(at(&fold, 2.0 * half - place));
    let line = Polyline::new(places.into_iter().map(middle).collect());
    (line.length() > 0.0).then(|| simplify(&line, 0.005))
}

/// How far a ring's two halves are apart, at most; enough is known when it is more than `limit`.
fn apart_at_most(ring: &Polyline, limit: f64) -> f64 {
    let length = ring.length();
    let mut most: f64 = 0.0;
    for sample in 1..FOLD_SAMPLES {
        let place = length / 2.0 * sample as f64 / FOLD_SAMPLES as f64;
        most = most.max(at(ring, place).distance(at(ring, length - place)));
        if most > limit {
            break;
        }
    }
    most
}

/// The point so far along a line; mm.
fn at(line: &Polyline, place: f64) -> Point {
    let mut left = place;
    for pair in line.points().windows(2) {
        let length = pair[0].distance(pair[1]);
        if left <= length && length > 0.0 {
            return pair[0].lerp(pair[1], left / length);
        }
        left -= length;
    }
    line.end()
}

fn edges(area: &Area) -> Vec<Polyline> {
    area.edges().iter().map(|edge| simplify(edge, 0.005)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use kurbo::{BezPath, Shape as _};

    fn area(path: &str) -> Area {
        Area::new(&BezPath::from_svg(path).unwrap(), FillRule::EvenOdd)
    }

    fn style(pattern: Pattern) -> FillStyle {
        FillStyle { pattern, spacing: 0.5, angle: 0.6, tip: 0.5, outline: false }
    }

    const PATTERNS: [Pattern; 3] = [Pattern::Hatch, Pattern::Crosshatch, Pattern::Concentric];

    /// What the pen inks: every line as wide as the tip.
    fn ink(lines: &[Polyline], tip: f64) -> Area {
        let options = kurbo::StrokeOpts::default();
        let inked = |line: &Polyline| {
            let path = kurbo::stroke(line.to_path(), &kurbo::Stroke::new(tip), &options, 0.01);
            Area::new(&path, FillRule::NonZero)
        };
        Area::union(&lines.iter().map(inked).collect::<Vec<_>>())
    }

    #[test]
    fn ink_covers_the_area_and_stays_in_it() {
        let shapes = [
            "M0 0 H20 V14 H0 Z",
            "M0 0 H20 V20 H0 Z M5 5 V15 H15 V5 Z",
            "M0 0 L20 3 L12 8 L22 18 L3 15 L9 9 Z",
            "M0 0 H20 V0.7 H0 Z M25 0 H26 V20 H25 Z",
        ];
        for (shape, pattern, outline) in shapes
            .iter()
            .flat_map(|shape| PATTERNS.map(|pattern| [(shape, pattern, false), (shape, pattern, true)]))
            .flatten()
        {
            let area = area(shape);
            let ink = ink(&fill(&area, &FillStyle { outline, ..style(pattern) }), 0.5);
            let (bare, over) = (area.without([&ink]).size(), ink.without([&area]).size());
            // Without a line along the edge, the ends of hatches leave teeth of paper.
            let most = if outline || pattern == Pattern::Concentric { 0.04 } else { 0.15 };
            assert!(
                bare < most * area.size(),
                "{shape} {pattern:?} {outline}: {bare} of {} bare",
                area.size()
            );
            assert!(over < 0.02 * area.size() + 0.2, "{shape} {pattern:?} {outline}: {over} beyond");
        }
    }

    #[test]
    fn a_square_is_one_zigzag_and_a_ring_a_few() {
        assert_eq!(fill(&area("M0 0 H20 V20 H0 Z"), &style(Pattern::Hatch)).len(), 1);
        let ring = fill(&area("M0 0 H20 V20 H0 Z M5 5 V15 H15 V5 Z"), &style(Pattern::Hatch));
        assert!(ring.len() <= 5, "{}", ring.len());
    }

    #[test]
    fn zigzags_stay_out_of_a_thin_slot() {
        let slot = area("M0 0 H20 V20 H0 Z M9.9 2 H10.1 V18 H9.9 Z");
        let lines = fill(&slot, &FillStyle { angle: 0.0, ..style(Pattern::Hatch) });
        let hole = Region::new(&[(area("M9.95 2.3 H10.05 V17.7 H9.95 Z").to_path(), FillRule::NonZero)]);
        assert!(lines.iter().all(|line| hole.clip(line).is_empty()));
    }

    #[test]
    fn narrow_shapes_are_traced_and_cuts_of_nothing_are_not() {
        for pattern in PATTERNS {
            let rod = fill(&area("M0 0 H20 V0.3 H0 Z"), &style(pattern));
            assert!(rod.len() == 1 && rod[0].bounds().width() > 19.0, "{rod:?}");
            assert!(fill(&area("M0 0 H20 V0.01 H0 Z"), &style(pattern)).is_empty());
            let letter = kurbo::Circle::new((5.0, 5.0), 2.0).to_path(0.01);
            let hole = kurbo::Circle::new((5.0, 5.0), 1.7).to_path(0.01);
            let ring = Area::new(&letter, FillRule::NonZero).without([&Area::new(&hole, FillRule::NonZero)]);
            let lines = fill(&ring, &style(pattern));
            assert!((1..=3).contains(&lines.len()), "{lines:?}");
        }
    }

    #[test]
    fn rings_further_apart_than_the_tip_leave_the_paper_between_them() {
        let style = |spacing| FillStyle { spacing, ..style(Pattern::Concentric) };
        // As wide as four lines of 1.25 mm, and as five of 1 mm: two rings, and two rings with a line between.
        let inner = area("M0 0 H40 V5 H0 Z").shrunk(0.375);
        let lines = fill(&inner, &style(1.25));
        assert_eq!(lines.len(), 2, "{lines:?}");
        let inner = area("M0 0 H40 V5 H0 Z").shrunk(0.25);
        let lines = fill(&inner, &style(1.0));
        let middle = lines.iter().find(|line| !line.is_closed()).unwrap();
        assert_eq!(lines.len(), 3, "{lines:?}");
        assert!(middle.points().iter().all(|point| (point.y - 2.5).abs() < 0.02), "{middle:?}");
        assert!((35.0..37.0).contains(&middle.length()), "{middle:?}");
    }

    #[test]
    fn a_way_out_and_back_is_one_line_and_a_square_stays() {
        let ring = |path: &str| edges(&area(path)).remove(0);
        let bent = folded(&ring("M0 0 H20 V10 H19.8 V0.2 H0 Z"), 0.4).unwrap();
        assert!(!bent.is_closed() && (bent.length() - 29.8).abs() < 0.4, "{bent:?}");
        assert!(bent.points().iter().any(|point| point.distance(Point::new(19.9, 0.1)) < 0.2), "{bent:?}");
        assert!(folded(&ring("M0 0 H10 V10 H0 Z"), 0.4).is_none());
    }

    #[test]
    fn what_makes_no_sense_gives_nothing() {
        for (spacing, tip) in [(0.0, 0.5), (-1.0, 0.5), (f64::NAN, 0.5), (0.5, f64::INFINITY), (0.5, 0.0)] {
            for pattern in PATTERNS {
                let style = FillStyle { pattern, spacing, angle: 0.0, tip, outline: false };
                assert!(fill(&area("M0 0 H20 V20 H0 Z"), &style).is_empty());
            }
        }
        assert!(fill(&Area::default(), &style(Pattern::Concentric)).is_empty());
    }
}
