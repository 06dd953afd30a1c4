//! Clipping to a rectangle: what lies outside the drawable area is never drawn.

use kurbo::{Point, Rect};

use super::Polyline;

/// The parts of `line` inside `area`, in drawing direction. A closed polyline that is cut at its start is put
/// together again there.
///
/// Liang and Barsky, "A New Concept and Method for Line Clipping" (1984), piece by piece.
#[must_use]
pub fn clip(line: &Polyline, area: Rect) -> Vec<Polyline> {
    if inside(line, area) {
        return vec![line.clone()];
    }
    let mut parts: Vec<Vec<Point>> = Vec::new();
    for pair in line.points().windows(2) {
        let Some((from, to)) = clip_piece(pair[0], pair[1], area) else { continue };
        match parts.last_mut() {
            Some(part) if part.last() == Some(&from) => part.push(to),
            _ => parts.push(vec![from, to]),
        }
    }
    join_around(line, &mut parts);
    let is_mark = |part: &Vec<Point>| part.windows(2).any(|pair| pair[0] != pair[1]);
    parts.into_iter().filter(is_mark).map(Polyline::new).collect()
}

/// Whether all of `line` lies in `area`, its edge included.
#[must_use]
pub fn inside(line: &Polyline, area: Rect) -> bool {
    line.points().iter().all(|p| p.x >= area.x0 && p.x <= area.x1 && p.y >= area.y0 && p.y <= area.y1)
}

/// Makes the first and last part of a closed line one again where no cut parts them.
pub(super) fn join_around(line: &Polyline, parts: &mut Vec<Vec<Point>>) {
    if line.is_closed() && parts.len() > 1 && parts[parts.len() - 1].last() == parts[0].first() {
        let mut last = parts.pop().expect("there are two parts or more");
        last.extend_from_slice(&parts[0][1..]);
        parts[0] = last;
    }
}

fn clip_piece(from: Point, to: Point, area: Rect) -> Option<(Point, Point)> {
    let delta = to - from;
    let (mut enter, mut leave) = (0.0_f64, 1.0_f64);
    let edges = [
        (-delta.x, from.x - area.x0),
        (delta.x, area.x1 - from.x),
        (-delta.y, from.y - area.y0),
        (delta.y, area.y1 - from.y),
    ];
    for (slope, room) in edges {
        if slope == 0.0 {
            if room < 0.0 {
                return None;
            }
        } else if slope < 0.0 {
            enter = enter.max(room / slope);
        } else {
            leave = leave.min(room / slope);
        }
    }
    if enter > leave {
        return None;
    }
    let at = |t: f64| {
        let point = if t == 0.0 {
            from
        } else if t == 1.0 {
            to
        } else {
            from + delta * t
        };
        Point::new(point.x.clamp(area.x0, area.x1), point.y.clamp(area.y0, area.y1))
    };
    Some((at(enter), at(leave)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const AREA: Rect = Rect::new(0.0, 0.0, 10.0, 10.0);

    fn line(points: &[(f64, f64)]) -> Polyline {
        Polyline::new(points.iter().map(|p| Point::from(*p)).collect())
    }

    #[test]
    fn a_line_through_the_area_is_cut_at_its_edges() {
        assert_eq!(clip(&line(&[(-5.0, 5.0), (15.0, 5.0)]), AREA), [line(&[(0.0, 5.0), (10.0, 5.0)])]);
    }

    #[test]
    fn leaving_and_coming_back_gives_two_parts() {
        let parts = clip(&line(&[(5.0, 5.0), (15.0, 5.0), (15.0, 6.0), (5.0, 6.0)]), AREA);
        assert_eq!(parts.len(), 2);
    }

    #[test]
    fn a_closed_line_is_not_cut_at_its_start() {
        let parts = clip(&line(&[(5.0, 5.0), (15.0, 5.0), (15.0, 8.0), (5.0, 8.0), (5.0, 5.0)]), AREA);
        assert_eq!(parts, [line(&[(10.0, 8.0), (5.0, 8.0), (5.0, 5.0), (10.0, 5.0)])]);
    }

    #[test]
    fn a_corner_touched_from_outside_is_no_mark() {
        assert!(clip(&line(&[(-1.0, 1.0), (1.0, -1.0)]), Rect::new(0.0, 0.0, 0.0, 0.0)).is_empty());
        assert!(clip(&line(&[(10.0, 10.0), (20.0, 20.0)]), AREA).is_empty());
    }

    proptest! {
        #[test]
        fn nothing_outside_and_nothing_inside_lost(points in prop::collection::vec((-20.0..30.0, -20.0..30.0), 2..12)) {
            let line = line(&points);
            let parts = clip(&line, AREA);
            prop_assert!(parts.iter().all(|part| inside(part, AREA) && part.points().len() > 1));
            // The inside length, sampled finely along the line, is the parts' length.
            let sampled: f64 = line.points().windows(2).map(|pair| {
                let hits = (0..2000).filter(|i| AREA.contains(pair[0].lerp(pair[1], (f64::from(*i) + 0.5) / 2000.0)));
                pair[0].distance(pair[1]) * hits.count() as f64 / 2000.0
            }).sum();
            let kept: f64 = parts.iter().map(Polyline::length).sum();
            prop_assert!((sampled - kept).abs() < 0.05 * points.len() as f64, "{sampled} {kept}");
        }
    }
}
