//! A shorter order: local search on a closed tour of strokes.
//!
//! The path from the page's origin with its end left free is made a closed tour by one more stroke, the *depot*: it ends
//! at the origin, and begins at the *free* end, from which every travel is 0 mm. So all moves know only one case.
//!
//! ```text
//! 2-opt  ──a   b──      ──a c──     Or-opt  ──a───b──      ──a   b──
//!            ╳      ►     │ │                             ►    │ │       one to three strokes c…f
//!        ──c   d──      ──b d──             ─d c…f g─      ─d  c…f  g─   between a and b
//! ```

use std::collections::VecDeque;

use super::chains::mate;
use super::kicks;
use super::tree::Tree;
use crate::geometry::{Point, Polyline};

/// How many near ends each end tries; Johnson and McGeoch, "The Traveling Salesman Problem: A Case Study" (1997), find
/// that more than ten bring little.
const NEAR: usize = 10;
/// Strokes that an Or-opt move carries at most.
const CARRIED: usize = 3;
/// Gains below this are rounding; mm.
const LEAST_GAIN: f64 = 1e-7;
/// Strokes that one move may turn around or shift, so that the time stays near linear.
const LONGEST_TURN: usize = 50_000;

/// Where the strokes' ends lie, the depot being the last stroke.
pub(super) struct Ends {
    points: Vec<Point>,
}

impl Ends {
    pub(super) fn new(strokes: &[Polyline]) -> Self {
        let mut points: Vec<Point> =
            strokes.iter().flat_map(|stroke| [stroke.start(), stroke.end()]).collect();
        points.extend([Point::ORIGIN, Point::ORIGIN]);
        Self { points }
    }

    /// How many strokes, the depot included.
    pub(super) fn strokes(&self) -> usize {
        self.points.len() / 2
    }

    /// The depot's end that is nowhere.
    pub(super) fn free(&self) -> u32 {
        self.points.len() as u32 - 1
    }

    pub(super) fn at(&self, end: u32) -> Point {
        self.points[end as usize]
    }

    /// mm.
    pub(super) fn travel(&self, a: u32, b: u32) -> f64 {
        if a.max(b) == self.free() { 0.0 } else { self.points[a as usize].distance(self.points[b as usize]) }
    }

    /// Travel of a tour given by the ends through which its strokes are entered; mm.
    pub(super) fn tour_travel(&self, tour: &[u32]) -> f64 {
        tour.windows(2).map(|pair| self.travel(mate(pair[0]), pair[1])).sum()
    }
}

/// The near ends of each end.
pub(super) struct Near {
    others: Vec<u32>,
    starts: Vec<u32>,
}

impl Near {
    pub(super) fn new(ends: &Ends) -> Self {
        let tree = Tree::new((0..ends.free()).map(|end| (ends.at(end), end)).collect());
        let mut near = Self { others: Vec::new(), starts: vec![0] };
        let mut found = Vec::new();
        for end in 0..ends.free() {
            tree.nearest(
                (ends.at(end), end),
                NEAR,
                f64::INFINITY,
                |other| other >> 1 == end >> 1,
                &mut found,
            );
            near.others.extend(found.iter().map(|(_, other)| *other));
            near.starts.push(near.others.len() as u32);
        }
        near.starts.push(near.others.len() as u32);
        near
    }

    /// Nearest first.
    pub(super) fn of(&self, end: u32) -> &[u32] {
        &self.others[self.starts[end as usize] as usize..self.starts[end as usize + 1] as usize]
    }
}

/// The tour made shorter by 2-opt and Or-opt moves until none helps, then by `kicks` trials of [`kicks::search`]; never
/// longer. `tour` and the result hold the ends through which strokes are entered, from the depot on.
pub(super) fn improve(ends: &Ends, near: &Near, tour: Vec<u32>, kicks: usize) -> Vec<u32> {
    let mut search = Search::new(ends, near, tour);
    for place in 0..search.tour.len() {
        let entry = search.tour[place];
        search.wake([entry, mate(entry)]);
    }
    search.settle();
    kicks::search(&mut search, kicks);
    search.into_path()
}

/// A tour under search.
pub(super) struct Search<'a> {
    pub(super) ends: &'a Ends,
    near: &'a Near,
    pub(super) tour: Vec<u32>,
    /// By stroke: its index in the tour.
    place: Vec<u32>,
    /// Ends whose changes are still to be tried.
    queue: VecDeque<u32>,
    /// By end: whether it is in the queue.
    waits: Vec<bool>,
    /// Strokes that one move may turn around or shift.
    pub(super) longest_turn: usize,
    /// What stood where before each change since the log was begun; the last change last.
    log: Option<Vec<(u32, u32)>>,
}

/// A change of the tour, with the ends whose travels change.
#[derive(Clone, Copy)]
enum Change {
    /// Travels a–b and c–d become a–c and b–d.
    Turn([u32; 4]),
    /// The strokes from end h to end t go between the ends l and r, h to l; they leave x and y behind.
    Carry { h: u32, t: u32, l: u32, r: u32, x: u32, y: u32 },
}

impl<'a> Search<'a> {
    fn new(ends: &'a Ends, near: &'a Near, tour: Vec<u32>) -> Self {
        let mut place = vec![0; tour.len()];
        for (index, entry) in (0..).zip(&tour) {
            place[*entry as usize >> 1] = index;
        }
        let waits = vec![false; 2 * tour.len()];
        Self { ends, near, tour, place, queue: VecDeque::new(), waits, longest_turn: LONGEST_TURN, log: None }
    }

    /// Puts ends into the queue.
    pub(super) fn wake(&mut self, ends: impl IntoIterator<Item = u32>) {
        for end in ends {
            if !std::mem::replace(&mut self.waits[end as usize], true) {
                self.queue.push_back(end);
            }
        }
    }

    /// Makes moves until none helps the ends in the queue; mm won.
    pub(super) fn settle(&mut self) -> f64 {
        let mut won = 0.0;
        while let Some(end) = self.queue.pop_front() {
            self.waits[end as usize] = false;
            while let Some((gain, change)) = self.best_change(end) {
                won += gain;
                self.apply(change);
                self.wake(match change {
                    Change::Turn([a, b, c, d]) => [a, b, c, d, a, a],
                    Change::Carry { h, t, l, r, x, y } => [h, t, l, r, x, y],
                });
            }
        }
        won
    }

    /// Begins to log changes, so that they can be undone.
    pub(super) fn begin_log(&mut self) {
        self.log.get_or_insert_default().clear();
    }

    /// Undoes all changes since the log was begun.
    pub(super) fn undo(&mut self) {
        while let Some((place, entry)) = self.log.as_mut().and_then(Vec::pop) {
            self.tour[place as usize] = entry;
            self.place[entry as usize >> 1] = place;
        }
    }

    fn place(&self, end: u32) -> usize {
        self.place[end as usize >> 1] as usize
    }

    fn is_entry(&self, end: u32) -> bool {
        self.tour[self.place(end)] == end
    }

    /// The end at the other side of the travel at `end`.
    fn across(&self, end: u32) -> u32 {
        let place = self.place(end);
        if self.tour[place] == end {
            mate(self.tour[if place == 0 { self.tour.len() - 1 } else { place - 1 }])
        } else {
            self.tour[if place + 1 == self.tour.len() { 0 } else { place + 1 }]
        }
    }

    /// Whether a change that turns or shifts the strokes between two ends moves few enough.
    fn is_cheap(&self, a: u32, b: u32) -> bool {
        let apart = self.place(a).abs_diff(self.place(b));
        apart.min(self.tour.len() - apart) <= self.longest_turn
    }

    /// The change that ties `a` to a nearer end and shortens the tour most.
    fn best_change(&self, a: u32) -> Option<(f64, Change)> {
        let b = self.across(a);
        let before = self.ends.travel(a, b);
        let (mut gain, mut best) = (LEAST_GAIN, None);
        let near = if a == self.ends.free() { &[][..] } else { self.near.of(a) };
        for c in std::iter::once(self.ends.free()).chain(near.iter().copied()) {
            let after = self.ends.travel(a, c);
            if after >= before {
                break;
            }
            if c != b && c != mate(a) {
                self.offer_changes([a, b, c, self.across(c)], before - after, &mut gain, &mut best);
            }
        }
        best.map(|change| (gain, change))
    }

    /// All changes that tie a to c, where b and d are across them and `won` is |ab| − |ac|.
    fn offer_changes(&self, [a, b, c, d]: [u32; 4], won: f64, gain: &mut f64, best: &mut Option<Change>) {
        let won = won + self.ends.travel(c, d);
        let mut offer = |gained: f64, change: Change| {
            if gained > *gain && self.is_cheap(a, c) {
                (*gain, *best) = (gained, Some(change));
            }
        };
        if self.is_entry(a) == self.is_entry(c) {
            offer(won - self.ends.travel(b, d), Change::Turn([a, b, c, d]));
        }
        for (t, y) in self.stretches(c, [a, b]) {
            let gained = won + self.ends.travel(t, y) - self.ends.travel(t, b) - self.ends.travel(d, y);
            offer(gained, Change::Carry { h: c, t, l: a, r: b, x: d, y });
        }
        for (t, y) in self.stretches(a, [c, d]) {
            let gained = won + self.ends.travel(t, y) - self.ends.travel(t, d) - self.ends.travel(b, y);
            offer(gained, Change::Carry { h: a, t, l: c, r: d, x: b, y });
        }
    }

    /// One to three strokes from end `h` inward: the last one's far end and the end across that, while the stretch does
    /// not reach `stop`.
    fn stretches(&self, h: u32, stop: [u32; 2]) -> impl Iterator<Item = (u32, u32)> {
        let mut next = h;
        (0..CARRIED).map_while(move |_| {
            let t = mate(next);
            if stop.contains(&t) {
                return None;
            }
            next = self.across(t);
            Some((t, next))
        })
    }

    fn apply(&mut self, change: Change) {
        match change {
            Change::Turn([a, b, c, d]) => {
                // Two exits a, c: the strokes from b to c turn around. Two entries: those from a to d.
                let (first, last) = if self.is_entry(a) { (a, d) } else { (b, c) };
                self.turn(self.place(first), self.place(last));
            }
            Change::Carry { h, t, l, r, .. } => self.carry(h, t, l, r),
        }
    }

    /// Turns around the strokes from one place to another, or all the others: that is the same closed tour.
    fn turn(&mut self, first: usize, last: usize) {
        let size = self.tour.len();
        let (mut low, mut high) = (first, last);
        let mut count = (last + size - first) % size + 1;
        if 2 * count > size {
            (low, high, count) = ((last + 1) % size, (first + size - 1) % size, size - count);
        }
        for _ in 0..count.div_ceil(2) {
            let (from_low, from_high) = (self.tour[low], self.tour[high]);
            self.put(high, mate(from_low));
            self.put(low, mate(from_high));
            low = if low + 1 == size { 0 } else { low + 1 };
            high = if high == 0 { size - 1 } else { high - 1 };
        }
    }

    pub(super) fn put(&mut self, place: usize, entry: u32) {
        if let Some(log) = &mut self.log {
            log.push((place as u32, self.tour[place]));
        }
        self.tour[place] = entry;
        self.place[entry as usize >> 1] = place as u32;
    }

    /// Takes the strokes from h to t out of the tour and puts them between l and r, h to l.
    fn carry(&mut self, h: u32, t: u32, l: u32, r: u32) {
        let size = self.tour.len();
        let (first, last) = if self.is_entry(h) { (h, t) } else { (t, h) };
        let start = self.place(first);
        let count = (self.place(last) + size - start) % size + 1;
        let left = if self.is_entry(l) { r } else { l };
        let mut carried = [0; CARRIED];
        for (index, entry) in carried[..count].iter_mut().enumerate() {
            *entry = self.tour[(start + index) % size];
        }
        if (left == l) != (first == h) {
            carried[..count].reverse();
            carried[..count].iter_mut().for_each(|entry| *entry = mate(*entry));
        }
        let ahead = (self.place(left) + size - (start + count - 1)) % size;
        let behind = size - count - ahead;
        let to = if ahead <= behind {
            self.shift_back(start, count, ahead)
        } else {
            self.shift_on(start, count, behind)
        };
        for (index, entry) in carried[..count].iter().enumerate() {
            self.put((to + index) % size, *entry);
        }
    }

    /// Moves the `moved` strokes after a hole into it; where the hole then begins.
    fn shift_back(&mut self, start: usize, count: usize, moved: usize) -> usize {
        let size = self.tour.len();
        for index in 0..moved {
            self.put((start + index) % size, self.tour[(start + count + index) % size]);
        }
        (start + moved) % size
    }

    /// Moves the `moved` strokes before a hole to its end; where the hole then begins.
    fn shift_on(&mut self, start: usize, count: usize, moved: usize) -> usize {
        let size = self.tour.len();
        for index in 1..=moved {
            self.put((start + size + count - index) % size, self.tour[(start + size - index) % size]);
        }
        (start + size - moved) % size
    }

    /// The tour from the depot on, forward.
    fn into_path(mut self) -> Vec<u32> {
        let free = self.ends.free();
        if !self.is_entry(free) {
            self.tour.reverse();
            self.tour.iter_mut().for_each(|entry| *entry = mate(*entry));
        }
        let start = self.tour.iter().position(|entry| *entry == free).expect("the depot stays in the tour");
        self.tour.rotate_left(start);
        self.tour
    }
}
