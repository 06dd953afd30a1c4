//! A first order: the shortest travels first.

use std::collections::HashMap;

use super::chains::{Chains, mate};
use super::ends::Ends;
use super::near::Near;
use super::tree::{Named, Tree};

/// How many near ends a loose end looks at in one round.
const NEAR: usize = 8;

/// The greedy-edge tour: of all travels between two ends, shortest first, each that is still possible. Gives the ends by
/// which the strokes are entered, the depot first.
///
/// Bentley, "Fast Algorithms for Geometric Traveling Salesman Problems" (1992): 14–18 % over the optimum, and unlike a
/// nearest-neighbor tour without long ways back.
pub(super) fn tour(ends: &Ends, near: &Near) -> Vec<u32> {
    let mut chains = Chains::new(ends.strokes());
    let mut travels = Vec::new();
    for end in 0..ends.depot() {
        let ahead = near.of(end).iter().take(NEAR).filter(|(_, other)| {
            *other != ends.depot()
                && (end < *other || !near.of(*other).iter().take(NEAR).any(|(_, back)| *back == end))
        });
        travels.extend(ahead.map(|(cost, other)| (*cost, end, *other)));
    }
    tie_shortest(&mut chains, travels);
    // Each round halves the chains at least: every loose end sees an end of another chain.
    loop {
        let loose: Vec<Named> = (0..ends.depot())
            .filter(|end| chains.is_open(*end))
            .map(|end| Named { at: ends.at(end), name: end })
            .collect();
        if loose.len() < 2 {
            return walk(&chains, ends);
        }
        let travels = travels_between(&mut chains, loose);
        tie_shortest(&mut chains, travels);
    }
}

/// From each loose end to the nearest ends of other chains.
fn travels_between(chains: &mut Chains, loose: Vec<Named>) -> Vec<(f32, u32, u32)> {
    let names: HashMap<u32, u32> = loose.iter().map(|end| (end.name, chains.chain(end.name))).collect();
    let tree = Tree::new(loose.clone());
    let mut found = Vec::new();
    let mut travels = Vec::new();
    for of in loose {
        let own = names[&of.name];
        tree.nearest(of, NEAR, f32::INFINITY, |other| names[&other] == own, &mut found);
        travels.extend(
            found.iter().map(|other| {
                (other.distance_2, of.name.min(other.point.name), of.name.max(other.point.name))
            }),
        );
    }
    travels
}

fn tie_shortest(chains: &mut Chains, mut travels: Vec<(f32, u32, u32)>) {
    travels.sort_unstable_by_key(|(length, a, b)| (length.to_bits(), *a, *b));
    for (_, a, b) in travels {
        if chains.is_open(a) && chains.is_open(b) && chains.chain(a) != chains.chain(b) {
            chains.tie(a, b);
        }
    }
}

/// From the depot through the one chain that is left.
fn walk(chains: &Chains, ends: &Ends) -> Vec<u32> {
    let mut tour = vec![ends.depot()];
    let mut exit = mate(ends.depot());
    while !chains.is_open(exit) {
        let entry = chains.partner[exit as usize];
        tour.push(entry);
        exit = mate(entry);
    }
    tour
}
