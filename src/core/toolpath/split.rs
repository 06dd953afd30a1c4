//! Cutting a pass where its pen needs ink.

use crate::geometry::{Point, Polyline};

/// How much is drawn between two refills of a pen, or dips of a brush.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Split {
    /// Most that is drawn on one fill; mm, positive.
    pub most: f64,
    /// How far before the cut a stroke goes on after the refill, so that no gap shows; mm, less than half of `most` is
    /// taken.
    pub overlap: f64,
}

/// Deals the strokes, in their order, to fills of at most `split.most` mm each. A stroke that no longer fits the rest of
/// a fill, but a whole one, begins the next: it stays in one. A longer stroke is cut wherever a fill ends. Dots need no
/// ink to speak of.
#[must_use]
pub(super) fn split(strokes: Vec<Polyline>, split: &Split) -> Vec<Vec<Polyline>> {
    let mut fills: Vec<Vec<Polyline>> = vec![Vec::new()];
    let mut left = split.most;
    for stroke in strokes {
        let length = stroke.length();
        if length > left && (length <= split.most || left <= split.most / 2.0) {
            fills.push(Vec::new());
            left = split.most;
        }
        let measured = Measured::new(&stroke);
        let mut at = 0.0;
        while length - at > left + 1e-9 {
            add(&mut fills, measured.part(at, at + left));
            fills.push(Vec::new());
            at = (at + left - split.overlap.min(split.most / 2.0)).max(0.0);
            left = split.most;
        }
        left -= length - at;
        add(&mut fills, if at > 0.0 { measured.part(at, length) } else { stroke });
    }
    fills.retain(|fill| !fill.is_empty());
    fills
}

fn add(fills: &mut [Vec<Polyline>], stroke: Polyline) {
    let last = fills.last_mut().expect("there is always a fill");
    last.push(stroke);
}

/// A line and how far along it each of its vertices lies.
struct Measured<'a> {
    line: &'a Polyline,
    along: Vec<f64>,
}

impl<'a> Measured<'a> {
    fn new(line: &'a Polyline) -> Self {
        let mut sum = 0.0;
        let steps = line.points().windows(2).map(|pair| {
            sum += pair[0].distance(pair[1]);
            sum
        });
        let along = std::iter::once(0.0).chain(steps).collect();
        Self { line, along }
    }

    /// What lies between two places; mm along the line.
    fn part(&self, from: f64, to: f64) -> Polyline {
        let first = self.along.partition_point(|along| *along <= from);
        let last = self.along.partition_point(|along| *along < to);
        let mut points = vec![self.at(from)];
        points.extend_from_slice(&self.line.points()[first..last.max(first)]);
        points.push(self.at(to));
        Polyline::new(points)
    }

    fn at(&self, along: f64) -> Point {
        let next = self.along.partition_point(|vertex| *vertex <= along);
        if next == self.along.len() {
            return self.line.end();
        }
        // The vertex before lies at or before the place, and this one beyond it.
        let (a, b) = (self.along[next - 1], self.along[next]);
        self.line.points()[next - 1].lerp(self.line.points()[next], (along - a) / (b - a))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lines(lengths: &[f64]) -> Vec<Polyline> {
        let line = |length: &f64| Polyline::new(vec![Point::ORIGIN, Point::new(*length, 0.0)]);
        lengths.iter().map(line).collect()
    }

    fn dealt(lengths: &[f64], most: f64, overlap: f64) -> Vec<Vec<f64>> {
        let fills = split(lines(lengths), &Split { most, overlap });
        fills.iter().map(|fill| fill.iter().map(Polyline::length).collect()).collect()
    }

    #[test]
    fn a_stroke_that_fits_a_fill_is_not_cut() {
        assert_eq!(dealt(&[60.0, 60.0, 30.0, 20.0], 100.0, 0.0), [vec![60.0], vec![60.0, 30.0], vec![20.0]]);
    }

    #[test]
    fn a_long_stroke_is_cut_where_the_fill_ends_and_overlaps() {
        assert_eq!(dealt(&[20.0, 250.0], 100.0, 0.0), [vec![20.0, 80.0], vec![100.0], vec![70.0]]);
        assert_eq!(dealt(&[150.0], 100.0, 5.0), [vec![100.0], vec![55.0]]);
        assert_eq!(dealt(&[60.0, 250.0], 100.0, 0.0), [vec![60.0], vec![100.0], vec![100.0], vec![50.0]]);
        assert_eq!(dealt(&[0.0, 0.0], 1.0, 0.0), [vec![0.0, 0.0]]);
        assert!(dealt(&[], 1.0, 0.0).is_empty());
    }

    proptest! {
        #[test]
        fn no_fill_draws_more_than_it_may_and_nothing_is_lost(
            lengths in prop::collection::vec(0.0_f64..300.0, 0..30),
            most in 1.0_f64..200.0,
            overlap in 0.0_f64..50.0,
        ) {
            let fills = dealt(&lengths, most, overlap);
            prop_assert!(fills.iter().all(|fill| !fill.is_empty() && fill.iter().sum::<f64>() <= most + 1e-6));
            let cuts = fills.iter().map(Vec::len).sum::<usize>() - lengths.len();
            let drawn: f64 = fills.iter().flatten().sum();
            let expected = lengths.iter().sum::<f64>() + cuts as f64 * overlap.min(most / 2.0);
            prop_assert!(drawn <= expected + 1e-6 && drawn >= lengths.iter().sum::<f64>() - 1e-6);
        }
    }
}
