//! A better order: local search on a closed tour of strokes.
//!
//! The path is made a closed tour by one more stroke, the *depot*. Where the way home is not counted, the depot begins at the
//! *free* end, from which every travel costs nothing. So all moves know only one case.
//!
//! A move exchanges up to five travels for others, as Lin and Kernighan, "An Effective Heuristic Algorithm for the
//! Traveling-Salesman Problem" (1973), build them: each new travel begins where the last old one ended, and the sum of what
//! went stays greater than the sum of what came. As in Helsgaun's LKH (2000) the tour may fall apart on the way, so that
//! moves which carry strokes elsewhere need no case of their own, and nothing is changed before the whole move helps.
//!
//! ```text
//! 2-opt  ──a   b──      ──a c──     Or-opt  ──a───b──      ──a   b──
//!            ╳      ►     │ │                             ►    │ │
//!        ──c   d──      ──b d──             ─d  c…f g─      ─d  c…f  ─g
//! ```

use std::collections::VecDeque;

use super::chains::mate;
use super::ends::{End, Ends};
use super::near::Near;
use super::tour::{Exchange, Layout, MOST, Tour};

/// How many ways on are followed after the first, the second and the third travel that came.
const BREADTH: [usize; MOST - 2] = [5, 3, 1];
/// Travels that came before one to the free end is no longer tried; there is only one in a tour.
const FREE_DEPTH: usize = 2;
/// Strokes that are shifted in the time of a look.
const MOVED_A_LOOK: u64 = 4;
/// Gains below this are rounding; mm or s.
pub(super) const LEAST_GAIN: f64 = 1e-7;

/// A tour under search.
pub(super) struct Search<'a> {
    pub(super) ends: Ends,
    pub(super) near: &'a Near,
    pub(super) tour: Tour,
    /// Strokes that one move may turn around or shift.
    pub(super) longest_turn: usize,
    /// Travels looked at so far: the measure of work, the same on every machine.
    pub(super) looks: u64,
    /// Ends whose changes are still to be tried.
    queue: VecDeque<u32>,
    /// By end: whether it is in the queue.
    waits: Vec<bool>,
    /// What ends were before each change since the journal was begun, the last change last.
    changes: Vec<(u32, End)>,
}

/// An exchange on its way: the ends of the travels that go, in sequence.
struct Sequence {
    ends: [u32; 2 * MOST],
    count: usize,
}

/// A move that helps.
struct Move {
    gain: f64,
    exchange: Exchange,
    layout: Layout,
}

/// A travel to come and the one that goes next.
#[derive(Clone, Copy, Default)]
struct Way {
    /// What went before less what came; mm or s.
    open: f64,
    to: u32,
    next: u32,
}

impl<'a> Search<'a> {
    /// `tour` holds the ends through which the strokes are entered, the depot's among them.
    pub(super) fn new(mut ends: Ends, near: &'a Near, tour: Vec<u32>, longest_turn: usize) -> Self {
        for (from, to) in tour.iter().zip(tour.iter().cycle().skip(1)) {
            ends.link(mate(*from), *to);
        }
        Self {
            ends,
            near,
            longest_turn,
            looks: 0,
            queue: VecDeque::new(),
            waits: vec![false; 2 * tour.len()],
            changes: Vec::new(),
            tour: Tour::new(tour),
        }
    }

    /// Puts ends into the queue.
    pub(super) fn wake(&mut self, ends: &[u32]) {
        for end in ends {
            if !std::mem::replace(&mut self.waits[*end as usize], true) {
                self.queue.push_back(*end);
            }
        }
    }

    /// Puts all ends into the queue, in tour order.
    pub(super) fn wake_all(&mut self) {
        for place in 0..self.tour.len() {
            let entry = self.tour.entry(place);
            self.wake(&[entry, mate(entry)]);
        }
    }

    /// Makes moves until none helps the ends in the queue; mm or s won.
    pub(super) fn settle(&mut self) -> f64 {
        let mut won = 0.0;
        while let Some(end) = self.queue.pop_front() {
            self.waits[end as usize] = false;
            while let Some(gain) = self.improve(end) {
                won += gain;
            }
        }
        won
    }

    /// Begins to note changes, so that they can be undone.
    pub(super) fn begin_journal(&mut self) {
        self.tour.begin_journal();
        self.changes.clear();
    }

    /// Undoes all changes since the journal was begun.
    pub(super) fn undo(&mut self) {
        self.tour.undo();
        while let Some((end, before)) = self.changes.pop() {
            self.ends.all[end as usize] = before;
        }
    }

    /// Makes an exchange that gave a layout, and looks at its ends again.
    pub(super) fn make(&mut self, exchange: &Exchange, layout: &Layout) {
        self.tour.apply(layout);
        self.looks += layout.moved as u64 / MOVED_A_LOOK;
        let ends = exchange.ends();
        self.note(ends);
        for (end, partner) in ends.iter().zip(exchange.partner) {
            let other = ends[partner as usize];
            if *end < other {
                self.ends.link(*end, other);
            }
        }
        self.wake(ends);
    }

    /// One move that takes out the travel at `end`, or enters its stroke elsewhere; what it won.
    fn improve(&mut self, end: u32) -> Option<f64> {
        let now = self.ends.all[end as usize];
        let mut sequence = Sequence { ends: [0; 2 * MOST], count: 1 };
        sequence.ends[..2].copy_from_slice(&[end, now.link]);
        if let Some(found) = self.extend(&mut sequence, f64::from(now.cost)) {
            self.make(&found.exchange, &found.layout);
            return Some(found.gain);
        }
        if self.ends.any_closed() { self.improve_closed(end as usize >> 1) } else { None }
    }

    /// Goes on from a sequence whose travels that went cost `open` more than those that came: the best move with one more
    /// travel, or else the first one found with two more, and so on.
    fn extend(&mut self, sequence: &mut Sequence, open: f64) -> Option<Move> {
        let count = sequence.count;
        let (first, last) = (sequence.ends[0], sequence.ends[2 * count - 1]);
        let breadth = BREADTH.get(count - 1).copied().unwrap_or(0);
        let mut ways = [Way::default(); BREADTH[0] + 1];
        let mut found = 0;
        let mut best = None;
        let (near, any_closed) = (self.near, self.ends.any_closed());
        let free =
            (count < FREE_DEPTH && self.ends.is_free(self.ends.depot())).then(|| (0.0, self.ends.depot()));
        for (cost, to) in free.into_iter().chain(near.of(last).iter().copied()) {
            self.looks += 1;
            let mut left = open - f64::from(cost);
            if left <= LEAST_GAIN {
                break;
            }
            if any_closed {
                left = open - f64::from(self.ends.travel(last, to));
            }
            if left <= LEAST_GAIN || sequence.ends[..2 * count].contains(&to) || to == mate(last) {
                continue;
            }
            let End { link: next, cost: gone, .. } = self.ends.all[to as usize];
            let way = Way { open: left + f64::from(gone), to, next };
            let gain = way.open - f64::from(self.ends.travel(next, first));
            if gain > best.as_ref().map_or(LEAST_GAIN, |best: &Move| best.gain)
                && let Some((exchange, layout)) = self.close(sequence, way)
            {
                best = Some(Move { gain, exchange, layout });
            }
            let mut place = found;
            while place > 0 && ways[place - 1].open < way.open {
                ways[place] = ways[place - 1];
                place -= 1;
            }
            if place < breadth {
                ways[place] = way;
                found = (found + 1).min(breadth);
            }
        }
        if best.is_some() {
            return best;
        }
        sequence.count = count + 1;
        for way in &ways[..found] {
            sequence.ends[2 * count..2 * count + 2].copy_from_slice(&[way.to, way.next]);
            let found = self.extend(sequence, way.open);
            if found.is_some() {
                return found;
            }
        }
        sequence.count = count;
        None
    }

    /// The sequence with one more travel, tied to its begin, if that is one tour and moves few enough strokes.
    fn close(&self, sequence: &mut Sequence, way: Way) -> Option<(Exchange, Layout)> {
        let count = sequence.count;
        sequence.ends[2 * count..2 * count + 2].copy_from_slice(&[way.to, way.next]);
        let exchange = Exchange::in_sequence(sequence.ends, count + 1);
        let layout = self.tour.layout(&exchange)?;
        (layout.moved <= self.longest_turn).then_some((exchange, layout))
    }

    /// Enters a closed stroke elsewhere, or draws it elsewhere in the tour, entered where that is best; what it won.
    fn improve_closed(&mut self, stroke: usize) -> Option<f64> {
        if self.ends.entries(stroke).is_empty() {
            return None;
        }
        let (a, b) = (2 * stroke as u32, 2 * stroke as u32 + 1);
        let (before, after) = (self.ends.all[a as usize].link, self.ends.all[b as usize].link);
        let now = f64::from(self.ends.travel(before, a)) + f64::from(self.ends.travel(b, after));
        let (cost, at) = self.best_entry(stroke, before, after);
        if now - cost > LEAST_GAIN {
            self.enter(stroke, at);
            self.wake(&[a, b, before, after]);
            return Some(now - cost);
        }
        let spare = now - f64::from(self.ends.travel(before, after));
        let mut best = (LEAST_GAIN, None);
        let near = self.near;
        for (least, to) in near.of(a) {
            let End { link: next, cost: between, .. } = self.ends.all[*to as usize];
            if f64::from(*least) >= spare + f64::from(between) || to >> 1 == a >> 1 || next >> 1 == a >> 1 {
                continue;
            }
            let (cost, at) = self.best_entry(stroke, *to, next);
            let gain = spare - (cost - f64::from(between));
            if gain > best.0 {
                best = (gain, Some((*to, next, at)));
            }
        }
        let (to, next, at) = best.1?;
        // before–a, to–next, b–after go; a–to, next–b, after–before come.
        let exchange = Exchange::in_sequence([before, a, to, next, b, after, 0, 0, 0, 0], 3);
        let layout = self.tour.layout(&exchange)?;
        if layout.moved > self.longest_turn {
            return None;
        }
        self.enter(stroke, at);
        self.make(&exchange, &layout);
        Some(best.0)
    }

    /// The entry of a closed stroke that is best between two ends, and the two travels' cost.
    fn best_entry(&mut self, stroke: usize, before: u32, after: u32) -> (f64, [f32; 2]) {
        self.looks += self.ends.entries(stroke).len() as u64;
        let mut best = (f64::INFINITY, self.ends.at(2 * stroke as u32));
        for at in self.ends.entries(stroke) {
            let cost =
                f64::from(self.ends.travel_to(before, *at)) + f64::from(self.ends.travel_to(after, *at));
            if cost < best.0 {
                best = (cost, *at);
            }
        }
        best
    }

    fn enter(&mut self, stroke: usize, at: [f32; 2]) {
        let [a, b] = [2 * stroke, 2 * stroke + 1].map(|end| self.ends.all[end].link);
        self.note(&[2 * stroke as u32, 2 * stroke as u32 + 1, a, b]);
        self.ends.enter(stroke, at);
    }

    /// Keeps what ends are, so that changes can be undone.
    fn note(&mut self, ends: &[u32]) {
        self.changes.extend(ends.iter().map(|end| (*end, self.ends.all[*end as usize])));
    }

    /// The closed strokes and where they are entered.
    pub(super) fn entries(&self) -> Vec<(u32, [f32; 2])> {
        let closed = (0..self.ends.strokes()).filter(|stroke| !self.ends.entries(*stroke).is_empty());
        closed.map(|stroke| (stroke as u32, self.ends.at(2 * stroke as u32))).collect()
    }
}
