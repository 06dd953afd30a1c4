//! Which points lie near which: a k-d tree.
//!
//! A tree and not a grid of square cells: drawings put a hundred thousand points at one place and none elsewhere.

use std::cmp::Ordering;

/// Ranges up to this long are searched one by one.
const LEAF: usize = 8;

/// Leaves that a search in a quadrant looks at, at most: an empty quadrant has as many as the root of all.
const LEAVES: usize = 64;

/// A point and what to call it; mm. Single precision is 0.03 µm on a page.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Named {
    pub(super) at: [f32; 2],
    pub(super) name: u32,
}

/// A point that was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Found {
    /// From where it was looked for; mm².
    pub(super) distance_2: f32,
    pub(super) point: Named,
}

/// Points, findable by place. Bentley, "Multidimensional Binary Search Trees Used for Associative Searching" (1975);
/// the tree is the order of one array, so that it needs no memory of its own.
pub(super) struct Tree {
    points: Vec<Named>,
}

impl Tree {
    pub(super) fn new(mut points: Vec<Named>) -> Self {
        split(&mut points, 0);
        Self { points }
    }

    /// Puts into `found` the up to `count` points nearest to `of`, nearest first, without those that `skip` names and those
    /// farther than `reach` mm. Of many points at one place each is given others, those beside it in the tree: that is what
    /// `of`'s name is for. Of several points with one name it is the nearest.
    pub(super) fn nearest(
        &self,
        of: Named,
        count: usize,
        reach: f32,
        skip: impl Fn(u32) -> bool,
        found: &mut Vec<Found>,
    ) {
        found.clear();
        Query { of, quadrant: None, leaves: usize::MAX, count, reach_2: reach * reach, skip, found }
            .visit(&self.points, 0);
    }

    /// Puts into `found` the point nearest to `of` in one quadrant around it, given by the signs of x and y, without those
    /// that `skip` names; none, or one that is not the nearest, where that is hard to find.
    pub(super) fn nearest_in(
        &self,
        of: Named,
        quadrant: [f32; 2],
        skip: impl Fn(u32) -> bool,
        found: &mut Vec<Found>,
    ) {
        found.clear();
        let (quadrant, reach_2) = (Some(quadrant), f32::INFINITY);
        Query { of, quadrant, leaves: LEAVES, count: 1, reach_2, skip, found }.visit(&self.points, 0);
    }
}

/// Ties are broken by name.
fn compare(a: &Named, b: &Named, axis: usize) -> Ordering {
    a.at[axis].total_cmp(&b.at[axis]).then(a.name.cmp(&b.name))
}

fn split(points: &mut [Named], axis: usize) {
    if points.len() <= LEAF {
        return;
    }
    let middle = points.len() / 2;
    points.select_nth_unstable_by(middle, |a, b| compare(a, b, axis));
    let (before, after) = points.split_at_mut(middle);
    split(before, 1 - axis);
    split(&mut after[1..], 1 - axis);
}

/// In which quadrant around `of` a point lies, by the signs of x and y.
pub(super) fn quadrant(of: [f32; 2], point: [f32; 2]) -> [f32; 2] {
    [0, 1].map(|axis| if point[axis] < of[axis] { -1.0 } else { 1.0 })
}

struct Query<'a, Skip> {
    of: Named,
    quadrant: Option<[f32; 2]>,
    /// Leaves that may still be searched.
    leaves: usize,
    count: usize,
    reach_2: f32,
    skip: Skip,
    found: &'a mut Vec<Found>,
}

impl<Skip: Fn(u32) -> bool> Query<'_, Skip> {
    fn visit(&mut self, points: &[Named], axis: usize) {
        if self.leaves == 0 {
            return;
        }
        if points.len() <= LEAF {
            self.leaves -= 1;
            points.iter().for_each(|point| self.offer(*point));
            return;
        }
        let middle = points.len() / 2;
        let (before, after) = (&points[..middle], &points[middle + 1..]);
        let beyond = self.of.at[axis] - points[middle].at[axis];
        let (near, far) =
            if compare(&self.of, &points[middle], axis).is_lt() { (before, after) } else { (after, before) };
        if self.may_hold(near, before, beyond, axis) {
            self.visit(near, 1 - axis);
        }
        self.offer(points[middle]);
        if self.wants(beyond * beyond) && self.may_hold(far, before, beyond, axis) {
            self.visit(far, 1 - axis);
        }
    }

    /// Whether the points of one side of a split, `before` it or after it, can lie in the quadrant; `beyond` is how far `of`
    /// lies after the split.
    fn may_hold(&self, side: &[Named], before: &[Named], beyond: f32, axis: usize) -> bool {
        let is_before = std::ptr::eq(side, before);
        match self.quadrant {
            None => true,
            // What is less than `of` lies before a split at `of`; what is not may lie on both sides of it.
            Some(signs) if signs[axis] < 0.0 => is_before || beyond > 0.0,
            Some(_) => !is_before || beyond <= 0.0,
        }
    }

    fn wants(&self, distance_2: f32) -> bool {
        if self.found.len() < self.count {
            return distance_2 <= self.reach_2;
        }
        self.found.last().is_some_and(|worst| distance_2 < worst.distance_2)
    }

    fn offer(&mut self, point: Named) {
        let (x, y) = (self.of.at[0] - point.at[0], self.of.at[1] - point.at[1]);
        let distance_2 = x * x + y * y;
        let inside = self.quadrant.is_none_or(|signs| quadrant(self.of.at, point.at) == signs);
        if !inside || !self.wants(distance_2) || (self.skip)(point.name) {
            return;
        }
        if let Some(twin) = self.found.iter().position(|other| other.point.name == point.name) {
            if self.found[twin].distance_2 <= distance_2 {
                return;
            }
            self.found.remove(twin);
        }
        if self.found.len() == self.count {
            self.found.pop();
        }
        let nearer = self.found.iter().rposition(|other| other.distance_2 <= distance_2);
        self.found.insert(nearer.map_or(0, |last| last + 1), Found { distance_2, point });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_nearest_in_a_quadrant_is_that_of_a_search_one_by_one(
            points in prop::collection::vec((0_u8..20, 0_u8..20), 1..200), x in 0_u8..20, y in 0_u8..20, right: bool, down: bool,
        ) {
            let at = [f32::from(x), f32::from(y)];
            let signs = [right, down].map(|is_more| if is_more { 1.0 } else { -1.0 });
            let named: Vec<Named> = points.iter().zip(1..)
                .map(|(p, name)| Named { at: [f32::from(p.0), f32::from(p.1)], name }).collect();
            let expected = named.iter().filter(|p| p.name % 3 != 0 && quadrant(at, p.at) == signs)
                .map(|p| (p.at[0] - at[0]).powi(2) + (p.at[1] - at[1]).powi(2)).min_by(f32::total_cmp);
            let mut found = Vec::new();
            Tree::new(named).nearest_in(Named { at, name: 0 }, signs, |name| name % 3 == 0, &mut found);
            prop_assert_eq!(found.first().map(|found| found.distance_2), expected);
        }

        #[test]
        fn the_nearest_are_those_of_a_search_one_by_one(
            points in prop::collection::vec((0_u8..20, 0_u8..20, 0_u32..150), 1..200), x in 0.0_f32..20.0, y in 0.0_f32..20.0,
        ) {
            let named: Vec<Named> = points.iter()
                .map(|p| Named { at: [f32::from(p.0), f32::from(p.1)], name: p.2 }).collect();
            let distance_2 = |p: &Named| (p.at[0] - x).powi(2) + (p.at[1] - y).powi(2);
            let mut expected: Vec<(u32, f32)> = named.iter().filter(|p| p.name % 7 != 0).map(|p| (p.name, distance_2(p)))
                .filter(|p| p.1 <= 36.0).collect();
            expected.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
            expected.dedup_by_key(|p| p.0);
            expected.sort_by(|a, b| a.1.total_cmp(&b.1));
            expected.truncate(5);
            let mut found = Vec::new();
            Tree::new(named).nearest(Named { at: [x, y], name: 0 }, 5, 6.0, |name| name % 7 == 0, &mut found);
            prop_assert_eq!(found.len(), expected.len());
            prop_assert!(found.iter().zip(&expected).all(|(a, b)| a.distance_2 == b.1));
        }
    }
}
