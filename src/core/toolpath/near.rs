//! Which ends lie near which.

use super::chains::mate;
use super::ends::Ends;
use super::tree::{Found, Named, Tree, quadrant};

/// How many near places each end looks at; Johnson and McGeoch, "The Traveling Salesman Problem: A Case Study" (1997), find
/// that more than ten bring little.
const NEAR: usize = 10;
/// Most near ends: a near stroke that is closed has two at one place.
const NEAR_ENDS: usize = 16;

const QUADRANTS: [[f32; 2]; 4] = [[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]];

/// The near ends of each end.
pub(super) struct Near {
    others: Vec<(f32, u32)>,
    starts: Vec<u32>,
}

impl Near {
    pub(super) fn new(ends: &Ends) -> Self {
        let depot = ends.depot();
        // The free end lies nowhere.
        let count = depot + u32::from(!ends.is_free(depot));
        let places = (0..count).flat_map(|end| {
            let entries = ends.entries(end as usize >> 1);
            let own = entries.is_empty().then(|| ends.at(end));
            let entries = if end & 1 == 0 { entries } else { &[] };
            own.into_iter().chain(entries.iter().copied()).map(move |at| Named { at, name: end })
        });
        let tree = Tree::new(places.collect());
        let mut near = Self { others: Vec::with_capacity(count as usize * (NEAR + 1)), starts: vec![0] };
        let (mut found, mut of_end) = (Vec::new(), Vec::new());
        for end in 0..count {
            let entries = ends.entries(end as usize >> 1);
            if end & 1 == 1 && !entries.is_empty() {
                let first = near.starts[end as usize - 1] as usize;
                near.others.extend_from_within(first..);
            } else {
                let own = [ends.at(end)];
                of_end.clear();
                for at in if entries.is_empty() { &own } else { entries } {
                    let of = Named { at: *at, name: end };
                    tree.nearest(of, NEAR, f32::INFINITY, |other| other >> 1 == end >> 1, &mut found);
                    near_ends(ends, *at, &found, &mut of_end);
                    // Many at one place are a world of their own.
                    if entries.is_empty() && found.last().is_some_and(|last| last.distance_2 > 0.0) {
                        around(ends, &tree, of, &found, &mut of_end);
                    }
                }
                near.push(&mut of_end);
            }
            near.starts.push(near.others.len() as u32);
        }
        near.starts.resize(depot as usize + 2, near.others.len() as u32);
        near
    }

    /// Adds the cheapest of one end's near ends.
    fn push(&mut self, of_end: &mut Vec<(f32, u32)>) {
        of_end.sort_unstable_by(|a, b| a.1.cmp(&b.1).then(a.0.total_cmp(&b.0)));
        of_end.dedup_by_key(|(_, other)| *other);
        of_end.sort_by(|a, b| a.0.total_cmp(&b.0));
        of_end.truncate(NEAR_ENDS);
        self.others.append(of_end);
    }

    /// Cheapest first, with the least cost of the travel, mm or s: it is more where a closed stroke is entered elsewhere.
    pub(super) fn of(&self, end: u32) -> &[(f32, u32)] {
        &self.others[self.starts[end as usize] as usize..self.starts[end as usize + 1] as usize]
    }
}

/// The nearest in each quadrant where none is found yet: they lead out of a cluster.
fn around(ends: &Ends, tree: &Tree, of: Named, found: &[Found], of_end: &mut Vec<(f32, u32)>) {
    let mut nearest = Vec::with_capacity(1);
    for signs in QUADRANTS {
        if !found.iter().any(|other| quadrant(of.at, other.point.at) == signs) {
            tree.nearest_in(of, signs, |other| other >> 1 == of.name >> 1, &mut nearest);
            near_ends(ends, of.at, &nearest, of_end);
        }
    }
}

fn near_ends(ends: &Ends, at: [f32; 2], found: &[Found], of_end: &mut Vec<(f32, u32)>) {
    for Found { point, .. } in found {
        let cost = ends.travel_between(at, point.at);
        of_end.push((cost, point.name));
        if !ends.entries(point.name as usize >> 1).is_empty() {
            of_end.push((cost, mate(point.name)));
        }
    }
}
