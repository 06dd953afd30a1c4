//! Out of a local optimum: many small random changes, each kept only when it leads to a shorter tour.
//!
//! ```text
//! double bridge   ──o│a…b│c…d│p──   ►   ──o│c…d│a…b│p──
//! ```
//!
//! Martin, Otto and Felten, "Large-Step Markov Chains for the Traveling Salesman Problem" (1991); kept local as in
//! Johnson and McGeoch, "Experimental Analysis of Heuristics for the STSP" (2002), so that a trial costs the same in a
//! large tour as in a small one.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::chains::mate;
use super::search::Search;

/// Most strokes in each of the two stretches that change places.
const STRETCH: usize = 50;
/// Strokes that one move of a trial may turn around or shift.
const LONGEST_TURN: usize = 1_000;
/// Less won than this is rounding; mm.
const LEAST_GAIN: f64 = 1e-7;
/// The same numbers for every drawing: the order follows from the strokes alone.
const SEED: u64 = 1;

/// Tries `count` double bridges, each followed by the moves that then help. A trial that does not shorten the tour is
/// undone.
pub(super) fn search(search: &mut Search<'_>, count: usize) {
    // Two stretches and a stroke on either side.
    if search.tour.len() < 4 {
        return;
    }
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let mut stretch = Vec::new();
    let longest = ((search.tour.len() - 2) / 2).min(STRETCH);
    search.longest_turn = LONGEST_TURN;
    for _ in 0..count {
        let at = random.random_range(0..search.tour.len());
        let (first, second) = (random.random_range(1..=longest), random.random_range(1..=longest));
        search.begin_log();
        let lost = swap(search, at, first, second, &mut stretch);
        if search.settle() - lost < LEAST_GAIN {
            search.undo();
        }
    }
}

/// Exchanges the `first` strokes after place `at` with the `second` strokes after those; mm lost.
fn swap(search: &mut Search<'_>, at: usize, first: usize, second: usize, stretch: &mut Vec<u32>) -> f64 {
    let size = search.tour.len();
    let entry = |search: &Search<'_>, ahead: usize| search.tour[(at + ahead) % size];
    let o = mate(entry(search, 0));
    let (a, b) = (entry(search, 1), mate(entry(search, first)));
    let (c, d) = (entry(search, first + 1), mate(entry(search, first + second)));
    let p = entry(search, first + second + 1);
    stretch.clear();
    stretch.extend((1..=first + second).map(|ahead| entry(search, ahead)));
    stretch.rotate_left(first);
    for (ahead, entry) in (1..).zip(stretch.iter()) {
        search.put((at + ahead) % size, *entry);
    }
    search.wake([o, a, b, c, d, p]);
    let travel = |a, b| search.ends.travel(a, b);
    travel(o, c) + travel(d, a) + travel(b, p) - travel(o, a) - travel(b, c) - travel(d, p)
}
