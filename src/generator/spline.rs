//! Strokes as clamped uniform cubic B-splines: paths of 1 to 6 cubics that join with continuous curvature.
//!
//! A spline of n spans has n + 3 control points; it begins and ends in the first and the last one, and lies within their
//! convex hull. One span is a Bézier cubic with its own four control points.
//!
//! De Boor, "A Practical Guide to Splines" (1978); the Bézier points of a span are values of its blossom (Ramshaw, 1987).

use std::borrow::Cow;

use traceur_core::geometry::Point;

/// Most spans of a stroke.
pub(crate) const MOST_SPANS: usize = 6;

/// Coordinates of the control points of each of `count` strokes that have so many together; 1 at least.
pub(super) fn each(coordinates: usize, count: usize) -> usize {
    (coordinates / count.max(1)).max(1)
}

/// The splines of a number of spans.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Spline {
    spans: usize,
    /// Row by row, the weights of the control points in each of the 3 n + 1 Bézier points.
    matrix: Vec<Vec<f64>>,
}

impl Spline {
    /// Of 1 to 6 spans; others are held to these.
    pub(super) fn new(spans: usize) -> Self {
        let spans = spans.clamp(1, MOST_SPANS);
        let row = |index: usize| {
            // The end of the last span is its fourth point.
            let span = (index / 3).min(spans - 1);
            blossom(spans, span, index - 3 * span)
        };
        Self { spans, matrix: (0..=3 * spans).map(row).collect() }
    }

    /// The splines with `coordinates` coordinates of control points in `count` strokes; `None`: there are none such.
    pub(super) fn of(coordinates: usize, count: usize) -> Option<Self> {
        let spans = (each(coordinates, count) / 2).saturating_sub(3).clamp(1, MOST_SPANS);
        (coordinates == count * 2 * (spans + 3)).then(|| Self::new(spans))
    }

    /// Coordinates of a stroke's control points: x and y of each.
    pub(super) fn each(&self) -> usize {
        2 * (self.spans + 3)
    }

    /// The x, y pairs of the 3 n + 1 Bézier points of a stroke's control points.
    pub(super) fn beziers<'a>(&self, controls: &'a [f32]) -> Cow<'a, [f32]> {
        // A cubic's own: most drawings are of cubics, and each step asks for each stroke's.
        if self.spans == 1 {
            return Cow::Borrowed(controls);
        }
        let sum = |row: &Vec<f64>, axis: usize| {
            let pairs = row.iter().zip(controls.iter().skip(axis).step_by(2));
            pairs.map(|(weight, value)| weight * f64::from(*value)).sum::<f64>() as f32
        };
        self.matrix.iter().flat_map(|row| [sum(row, 0), sum(row, 1)]).collect()
    }

    /// Adds the gradient of a stroke's Bézier points to that of its control points.
    pub(super) fn pull_back(&self, of_beziers: &[f32], into: &mut [f32]) {
        if self.spans == 1 {
            into.iter_mut().zip(of_beziers).for_each(|(into, of)| *into += of);
            return;
        }
        for (row, pair) in self.matrix.iter().zip(of_beziers.chunks_exact(2)) {
            for (weight, into) in row.iter().zip(into.chunks_exact_mut(2)) {
                into[0] += *weight as f32 * pair[0];
                into[1] += *weight as f32 * pair[1];
            }
        }
    }

    /// About how much of a stroke of even speed lies between neighbors of its control points; the sum is 1.
    pub(super) fn shares(&self) -> Vec<f64> {
        self.places().windows(2).map(|pair| pair[1] - pair[0]).collect()
    }

    /// Where along the stroke, 0 to 1, each control point has its place (Greville's abscissae).
    fn places(&self) -> Vec<f64> {
        let knot = |i: usize| knot(self.spans, i);
        let mean = |i: usize| (knot(i + 1) + knot(i + 2) + knot(i + 3)) / 3.0;
        (0..self.spans + 3).map(|i| mean(i) / self.spans as f64).collect()
    }

    /// The control points (x, y pairs) of the stroke that meets `curve`, 0 to 1, at the places of its control points.
    pub(super) fn through(&self, curve: impl Fn(f64) -> Point) -> Vec<f32> {
        let mut rows: Vec<Vec<f64>> = Vec::new();
        for place in self.places() {
            let (span, weights) = self.at(place);
            let mut row = vec![0.0; self.spans + 3];
            for (bezier, weight) in self.matrix[3 * span..].iter().zip(weights) {
                row.iter_mut().zip(bezier).for_each(|(sum, of)| *sum += weight * of);
            }
            let point = curve(place);
            row.extend([point.x, point.y]);
            rows.push(row);
        }
        solve(rows).into_iter().flatten().map(|value| value as f32).collect()
    }

    /// The point at a place, 0 to 1, of the stroke with these Bézier points (x, y pairs).
    pub(super) fn point(&self, beziers: &[f32], place: f64) -> Point {
        let (span, weights) = self.at(place);
        let axis =
            |axis: usize| (0..4).map(|k| weights[k] * f64::from(beziers[2 * (3 * span + k) + axis])).sum();
        Point::new(axis(0), axis(1))
    }

    /// The span of a place, 0 to 1, and the weights of its four Bézier points.
    fn at(&self, place: f64) -> (usize, [f64; 4]) {
        let along = place.clamp(0.0, 1.0) * self.spans as f64;
        let span = (along as usize).min(self.spans - 1);
        let t = along - span as f64;
        let v = 1.0 - t;
        (span, [v * v * v, 3.0 * v * v * t, 3.0 * v * t * t, t * t * t])
    }
}

/// The knots 0, 0, 0, 0, 1, 2, …, n, n, n, n.
fn knot(spans: usize, index: usize) -> f64 {
    index.saturating_sub(3).min(spans) as f64
}

/// Weights of the control points in the Bézier point `place`, 0 to 3, of a span.
fn blossom(spans: usize, span: usize, place: usize) -> Vec<f64> {
    let unit = |i: usize| (0..spans + 3).map(|k| f64::from(u8::from(i == k))).collect::<Vec<f64>>();
    let mut points: Vec<Vec<f64>> = (span..span + 4).map(unit).collect();
    for round in 1..=3 {
        let argument = (span + usize::from(round > 3 - place)) as f64;
        for i in (round..4).rev() {
            let (from, to) = (knot(spans, span + i), knot(spans, span + i + 4 - round));
            let share = (argument - from) / (to - from);
            let mixed = points[i - 1].iter().zip(&points[i]).map(|(a, b)| a + share * (b - a)).collect();
            points[i] = mixed;
        }
    }
    points.swap_remove(3)
}

/// Gauss's elimination: `rows` are those of a regular matrix, each with two right sides.
fn solve(mut rows: Vec<Vec<f64>>) -> Vec<[f64; 2]> {
    let count = rows.len();
    for column in 0..count {
        let pivot = (column..count).max_by(|a, b| rows[*a][column].abs().total_cmp(&rows[*b][column].abs()));
        rows.swap(column, pivot.unwrap_or(column));
        let top = rows[column].clone();
        for (index, row) in rows.iter_mut().enumerate().filter(|(index, _)| *index != column) {
            debug_assert!(index < count && top[column] != 0.0, "the matrix is regular");
            let factor = row[column] / top[column];
            row.iter_mut().zip(&top).for_each(|(value, top)| *value -= factor * top);
        }
    }
    rows.iter().enumerate().map(|(i, row)| [row[count] / row[i], row[count + 1] / row[i]]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_span_is_the_cubic_of_its_points() {
        let identity: Vec<Vec<f64>> =
            (0..4).map(|i| (0..4).map(|k| f64::from(u8::from(i == k))).collect()).collect();
        assert_eq!(Spline::new(1).matrix, identity);
    }

    #[test]
    fn cubics_join_with_continuous_curvature_within_the_hull() {
        for spans in 2..=MOST_SPANS {
            let spline = Spline::new(spans);
            for row in &spline.matrix {
                assert!(row.iter().all(|weight| *weight >= 0.0));
                assert!((row.iter().sum::<f64>() - 1.0).abs() < 1e-12);
            }
            for join in (3..3 * spans).step_by(3) {
                for k in 0..spans + 3 {
                    let at = |i: usize| spline.matrix[i][k];
                    let (before, after) = (at(join) - at(join - 1), at(join + 1) - at(join));
                    assert!((before - after).abs() < 1e-12, "{spans} {join}");
                    let (bend, next) = (
                        at(join) - 2.0 * at(join - 1) + at(join - 2),
                        at(join + 2) - 2.0 * at(join + 1) + at(join),
                    );
                    assert!((bend - next).abs() < 1e-12, "{spans} {join}");
                }
            }
        }
    }

    #[test]
    fn a_stroke_goes_through_a_curve() {
        let curve = |t: f64| Point::new(40.0 * t, 9.0 * (3.0 * t).sin());
        for spans in 1..=MOST_SPANS {
            let spline = Spline::new(spans);
            let controls = spline.through(curve);
            assert_eq!(controls.len(), spline.each());
            let beziers = spline.beziers(&controls);
            for i in 0..=20 {
                let place = f64::from(i) / 20.0;
                assert!(spline.point(&beziers, place).distance(curve(place)) < 0.4, "{spans} {i}");
            }
        }
    }
}
