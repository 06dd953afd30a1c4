//! Which points lie near which: a k-d tree.
//!
//! A tree and not a grid of square cells: drawings put a hundred thousand points at one place and none elsewhere.

use std::cmp::Ordering;

use crate::geometry::Point;

/// Ranges up to this long are searched one by one.
const LEAF: usize = 8;

/// Points, findable by place. Bentley, "Multidimensional Binary Search Trees Used for Associative Searching" (1975);
/// the tree is the order of one array, so that it needs no memory of its own.
pub(super) struct Tree {
    points: Vec<(Point, u32)>,
}

impl Tree {
    /// Of points and what to call each.
    pub(super) fn new(mut points: Vec<(Point, u32)>) -> Self {
        split(&mut points, 0);
        Self { points }
    }

    /// Puts into `found` the up to `count` points nearest to `of`'s point, nearest first, with their distances in mm,
    /// without those that `skip` names and those farther than `reach`. Of many points at one place each is given others,
    /// those beside it in the tree: that is what `of`'s name is for.
    pub(super) fn nearest(
        &self,
        of: (Point, u32),
        count: usize,
        reach: f64,
        skip: impl Fn(u32) -> bool,
        found: &mut Vec<(f64, u32)>,
    ) {
        found.clear();
        let mut query = Query { of, count, reach_2: reach * reach, skip, found };
        query.visit(&self.points, 0);
        for (distance, _) in found {
            *distance = distance.sqrt();
        }
    }
}

fn along(point: Point, axis: usize) -> f64 {
    if axis == 0 { point.x } else { point.y }
}

/// Ties are broken by name.
fn compare(a: (Point, u32), b: (Point, u32), axis: usize) -> Ordering {
    along(a.0, axis).total_cmp(&along(b.0, axis)).then(a.1.cmp(&b.1))
}

fn split(points: &mut [(Point, u32)], axis: usize) {
    if points.len() <= LEAF {
        return;
    }
    let middle = points.len() / 2;
    points.select_nth_unstable_by(middle, |a, b| compare(*a, *b, axis));
    let (before, after) = points.split_at_mut(middle);
    split(before, 1 - axis);
    split(&mut after[1..], 1 - axis);
}

struct Query<'a, Skip> {
    of: (Point, u32),
    count: usize,
    reach_2: f64,
    skip: Skip,
    /// Squared distances until the search is over.
    found: &'a mut Vec<(f64, u32)>,
}

impl<Skip: Fn(u32) -> bool> Query<'_, Skip> {
    fn visit(&mut self, points: &[(Point, u32)], axis: usize) {
        if points.len() <= LEAF {
            points.iter().for_each(|point| self.offer(*point));
            return;
        }
        let middle = points.len() / 2;
        let (before, after) = (&points[..middle], &points[middle + 1..]);
        let beyond = along(self.of.0, axis) - along(points[middle].0, axis);
        let (near, far) =
            if compare(self.of, points[middle], axis).is_lt() { (before, after) } else { (after, before) };
        self.visit(near, 1 - axis);
        self.offer(points[middle]);
        if self.wants(beyond * beyond) {
            self.visit(far, 1 - axis);
        }
    }

    fn wants(&self, distance_2: f64) -> bool {
        if self.found.len() < self.count {
            return distance_2 <= self.reach_2;
        }
        self.found.last().is_some_and(|worst| distance_2 < worst.0)
    }

    fn offer(&mut self, (point, name): (Point, u32)) {
        let distance_2 = self.of.0.distance_squared(point);
        if !self.wants(distance_2) || (self.skip)(name) {
            return;
        }
        if self.found.len() == self.count {
            self.found.pop();
        }
        let place = self.found.iter().rposition(|other| other.0 <= distance_2).map_or(0, |last| last + 1);
        self.found.insert(place, (distance_2, name));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_nearest_are_those_of_a_search_one_by_one(
            points in prop::collection::vec((0_u8..20, 0_u8..20), 1..200), x in 0.0..20.0, y in 0.0..20.0,
        ) {
            let point = Point::new(x, y);
            let named: Vec<(Point, u32)> = points.iter().zip(0..)
                .map(|(p, name)| (Point::new(f64::from(p.0), f64::from(p.1)), name)).collect();
            let mut expected: Vec<f64> = named.iter().filter(|p| p.1 % 7 != 0).map(|p| p.0.distance(point))
                .filter(|distance| *distance <= 6.0).collect();
            expected.sort_by(f64::total_cmp);
            expected.truncate(5);
            let mut found = Vec::new();
            Tree::new(named).nearest((point, 0), 5, 6.0, |name| name % 7 == 0, &mut found);
            let found: Vec<f64> = found.iter().map(|near| near.0).collect();
            prop_assert_eq!(found.len(), expected.len());
            prop_assert!(found.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-9));
        }
    }
}
