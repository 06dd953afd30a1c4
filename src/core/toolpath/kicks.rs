//! Out of a local optimum: many small random changes, each kept only when it leads to a shorter tour.
//!
//! ```text
//! double bridge   ──o│a…b│c…d│e…f│p──   ►   ──o│e…f│c…d│a…b│p──
//! ```
//!
//! Martin, Otto and Felten, "Large-Step Markov Chains for the Traveling Salesman Problem" (1991). Kept local, so that a trial
//! costs the same in a large tour as in a small one: half of them exchange short stretches one after another, as in Johnson
//! and McGeoch, "Experimental Analysis of Heuristics for the STSP" (2002), the others stretches between travels that lie
//! near each other on paper, found by random walks as in Applegate, Cook and Rohe, "Chained Lin-Kernighan for Large
//! Traveling Salesman Problems" (2003).

use std::ops::ControlFlow;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::chains::mate;
use super::search::Search;
use super::tour::{Exchange, MOST};

/// Most strokes in each of the three stretches that change places.
const STRETCH: usize = 30;
/// Steps of a random walk from one travel to another one.
const STEPS: usize = 3;
/// Walks that may end at a travel which another one has found.
const WALKS: usize = 12;
/// Travels that are looked at in the time that a trial takes where there is nothing to look at.
const LOOKS_A_TRIAL: u64 = 100;
/// Trials between two looks at who watches: some milliseconds.
const WATCH: usize = 100;

/// Tries double bridges, each followed by the moves that then help, until `looks` travels have been looked at. A trial that
/// makes the tour longer is undone.
pub(super) fn search(
    search: &mut Search<'_>,
    looks: u64,
    seed: u64,
    watch: &mut dyn FnMut(f64) -> ControlFlow<()>,
) {
    let size = search.tour.len();
    // Three stretches and a stroke on either side.
    if size < 5 {
        return;
    }
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let begin = search.looks;
    for trial in 0.. {
        let done = search.looks - begin;
        if done >= looks || trial % WATCH == 0 && watch(done as f64 / looks as f64).is_break() {
            return;
        }
        search.looks += LOOKS_A_TRIAL;
        // Strokes near in number are near on paper: the next trial finds its surroundings in the cache.
        let stroke = 2 * (trial % size) as u32;
        let cuts = if random.random() {
            along(search.tour.place(stroke), size, &mut random)
        } else {
            match around(search, stroke, &mut random) {
                Some(cuts) => cuts,
                None => continue,
            }
        };
        search.begin_journal();
        if let Some(lost) = bridge(search, cuts)
            && search.settle() < lost
        {
            search.undo();
        }
    }
}

/// Four places one after another; they count on around the ring.
fn along(first: usize, size: usize, random: &mut ChaCha8Rng) -> [usize; 4] {
    let longest = ((size - 2) / 3).min(STRETCH);
    let mut cuts = [first; 4];
    for index in 1..4 {
        cuts[index] = cuts[index - 1] + random.random_range(1..=longest);
    }
    cuts
}

/// The places before four travels near `begin`, ascending.
fn around(search: &Search<'_>, begin: u32, random: &mut ChaCha8Rng) -> Option<[usize; 4]> {
    let size = search.tour.len();
    let mut cuts = [0; 4];
    let mut found = 0;
    let mut end = begin;
    for _ in 0..WALKS {
        let place = search.tour.place(end);
        let cut = if search.tour.entry(place) == end { (place + size - 1) % size } else { place };
        if !cuts[..found].contains(&cut) {
            cuts[found] = cut;
            found += 1;
            if found == cuts.len() {
                cuts.sort_unstable();
                return Some(cuts);
            }
        }
        end = walk(search, begin, random)?;
    }
    None
}

/// An end some steps away on paper.
fn walk(search: &Search<'_>, mut end: u32, random: &mut ChaCha8Rng) -> Option<u32> {
    for _ in 0..STEPS {
        let near = search.near.of(end);
        if near.is_empty() {
            return None;
        }
        end = near[random.random_range(0..near.len())].1;
        if random.random() {
            end = mate(end);
        }
    }
    Some(end)
}

/// Draws the three stretches between the strokes at `cuts` in the other order; mm or s lost. `None` where that would move too
/// many strokes.
fn bridge(search: &mut Search<'_>, cuts: [usize; 4]) -> Option<f64> {
    let mut ends = [0; 2 * MOST];
    for (index, cut) in cuts.into_iter().enumerate() {
        ends[2 * index] = mate(search.tour.entry(cut));
        ends[2 * index + 1] = search.tour.entry(cut + 1);
    }
    let mut partner = [0; 2 * MOST];
    for (a, b) in [(0, 5), (6, 3), (4, 1), (2, 7)] {
        (partner[a], partner[b]) = (b as u8, a as u8);
    }
    let exchange = Exchange { ends, partner, count: cuts.len() };
    let travel = |a: usize, b: usize| f64::from(search.ends.travel(ends[a], ends[b]));
    let lost = travel(0, 5) + travel(6, 3) + travel(4, 1) + travel(2, 7)
        - (travel(0, 1) + travel(2, 3) + travel(4, 5) + travel(6, 7));
    let layout = search.tour.layout(&exchange)?;
    if layout.moved > search.longest_turn {
        return None;
    }
    search.make(&exchange, &layout);
    Some(lost)
}
