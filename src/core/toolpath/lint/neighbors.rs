//! Lines of one pen that run side by side and become one.

use super::{Finding, MOST, Severity, rounded};
use crate::geometry::{Point, Polyline, Vec2};
use crate::toolpath::Toolpath;

/// A share of the ink below this beside another line is a crossing or a corner, not a habit.
const CLOSE_SHARE: f64 = 0.05;
/// Lines nearer than this are one line drawn twice, which overdraw tells of; tips.
const SAME: f64 = 0.15;
/// Lines nearer than this run into each other; tips. Fills are laid at one tip; of the lines that make a wide stroke, those
/// for 2.1 tips are the nearest: three, 0.555 tips apart.
const CLOSE: f64 = 0.55;
/// Two lines are parallel when the sine of the angle between them is no more than this.
const PARALLEL: f64 = 0.2;

/// Lines of one pen that run side by side nearer than the tip is wide.
pub(super) fn close_lines(toolpath: &Toolpath) -> Option<Finding> {
    let mut pens = Vec::new();
    let (mut count, mut length, mut at) = (0, 0.0, None);
    for pass in &toolpath.passes {
        let close = close_in(&pass.strokes, pass.pen.tip);
        if close.length > CLOSE_SHARE * close.of {
            pens.push(pass.pen.id.clone());
            count += close.count;
            length += close.length;
            at = at.or(close.at);
        }
    }
    let text = format!(
        "{:.2} m of line run closer to another than the tip is wide: they become one dark line; use a finer pen, or a larger --spacing or page",
        length / 1000.0
    );
    let at_mm = at.and_then(rounded);
    (count > 0).then_some(Finding { kind: "close-lines", severity: Severity::Note, count, at_mm, pens, text })
}

/// Line that runs beside other line, sampled.
#[derive(Default)]
struct Close {
    count: usize,
    length: f64,
    /// All line that was looked at.
    of: f64,
    at: Option<Point>,
}

/// A sample of a line.
#[derive(Clone, Copy)]
struct Sample {
    at: Point,
    along: Vec2,
    stroke: u32,
    /// Whether the stroke is a ring.
    of_ring: bool,
    /// From the stroke's start; mm.
    place: f64,
}

/// Most samples in a cell that one is compared with.
const MOST_IN_CELL: usize = 24;

fn close_in(strokes: &[Polyline], tip: f64) -> Close {
    let total: f64 = strokes.iter().map(Polyline::length).sum();
    let step = tip.max(total / MOST * 8.0);
    let mut samples = Vec::new();
    for (number, stroke) in strokes.iter().enumerate() {
        let of_ring = stroke.is_closed();
        let mut place = 0.0;
        let mut next = step / 2.0;
        for pair in stroke.points().windows(2) {
            let length = pair[0].distance(pair[1]);
            while next < place + length {
                let along = (pair[1] - pair[0]) / length;
                let at = pair[0] + along * (next - place);
                samples.push(Sample { at, along, stroke: number as u32, of_ring, place: next });
                next += step;
            }
            place += length;
        }
    }
    let (close, first) = side_by_side(&samples, step, tip);
    Close { count: close, length: close as f64 * step, of: total, at: first.map(|index| samples[index].at) }
}

/// How many samples have a line beside them, and the first of these.
fn side_by_side(samples: &[Sample], step: f64, tip: f64) -> (usize, Option<usize>) {
    #[expect(clippy::cast_possible_truncation, reason = "a page is 10 m at most, a tip 0.01 mm at least")]
    let cell = |point: Point| ((point.y / step).floor() as i32, (point.x / step).floor() as i32);
    // Row by row, and in each row from the left, so that three cells side by side are one range.
    let mut sorted: Vec<((i32, i32), u32)> =
        samples.iter().enumerate().map(|(index, sample)| (cell(sample.at), index as u32)).collect();
    sorted.sort_unstable();
    let mut in_cell = 0;
    let mut before = None;
    let crowd: Vec<((i32, i32), u32)> = sorted
        .iter()
        .copied()
        .filter(|(cell, _)| {
            in_cell = if before.replace(*cell) == Some(*cell) { in_cell + 1 } else { 0 };
            in_cell < MOST_IN_CELL
        })
        .collect();
    // Where each of the three ranges around a sample begins: they only ever move on.
    let mut begins = [0; 3];
    let (mut count, mut first) = (0, None);
    for ((y, x), index) in &sorted {
        let sample = &samples[*index as usize];
        let is_close = (y - 1..=y + 1).zip(&mut begins).any(|(row, begin)| {
            while crowd.get(*begin).is_some_and(|(cell, _)| *cell < (row, x - 1)) {
                *begin += 1;
            }
            let around = crowd[*begin..].iter().take_while(|(cell, _)| *cell <= (row, x + 1));
            around.into_iter().any(|(_, other)| runs_beside(sample, &samples[*other as usize], tip))
        });
        if is_close {
            count += 1;
            first = Some(first.map_or(*index as usize, |first: usize| first.min(*index as usize)));
        }
    }
    (count, first)
}

/// Whether two samples lie on lines side by side that run into each other.
fn runs_beside(sample: &Sample, other: &Sample, tip: f64) -> bool {
    // The same line a little further on is no other line. A ring beside itself is something narrow, meant so.
    if sample.stroke == other.stroke && (sample.of_ring || (sample.place - other.place).abs() < 4.0 * tip) {
        return false;
    }
    let away = other.at - sample.at;
    let across = sample.along.cross(away).abs();
    across > SAME * tip
        && across < CLOSE * tip
        && sample.along.dot(away).abs() <= tip
        && sample.along.cross(other.along).abs() <= PARALLEL
}
