//! Where strokes may be entered and left, and what a travel between two ends costs.

use super::chains::mate;
use super::cost::{Objective, Route};
use crate::geometry::{Point, Polyline};

/// Most vertices through which the search enters one closed stroke.
const MOST_ENTRIES: usize = 24;
/// Fewest such vertices, where a drawing has many closed strokes.
const FEWEST_ENTRIES: usize = 8;
/// Such vertices in a whole drawing, unless that leaves too few for each stroke.
const ALL_ENTRIES: usize = 400_000;

/// An end and the travel at it.
#[derive(Clone, Copy)]
pub(super) struct End {
    /// Where it lies now; mm. Both ends of a closed stroke lie at the vertex through which it is entered.
    pub(super) at: [f32; 2],
    /// The end at the other side of its travel.
    pub(super) link: u32,
    /// The travel's cost; mm or s.
    pub(super) cost: f32,
}

/// The strokes' ends, the depot being the last stroke. It leads from where the last travel ends, or from the *free*
/// end where there is no such place, to where the first travel begins.
///
/// Single precision: 0.03 µm on a page, and every travel has one cost whenever it is asked for.
pub(super) struct Ends {
    objective: Objective,
    pub(super) all: Vec<End>,
    /// The depot's end from which every travel is free, or `u32::MAX` where the way home counts.
    free: u32,
    /// The vertices of all closed strokes through which the search may enter.
    vertices: Vec<[f32; 2]>,
    /// By stroke: its first vertex in `vertices`; empty when no stroke is closed.
    starts: Vec<u32>,
}

/// A point in single precision.
pub(super) fn single(point: Point) -> [f32; 2] {
    [point.x as f32, point.y as f32]
}

impl Ends {
    pub(super) fn new(strokes: &[Polyline], route: &Route) -> Self {
        let end = |point: Point| End { at: single(point), link: 0, cost: 0.0 };
        let mut all: Vec<End> = Vec::with_capacity(2 * strokes.len() + 2);
        all.extend(strokes.iter().flat_map(|stroke| [end(stroke.start()), end(stroke.end())]));
        all.extend([end(route.from), end(route.to.unwrap_or(route.from))]);
        let free = if route.to.is_some() { u32::MAX } else { all.len() as u32 - 1 };
        let mut ends =
            Self { objective: route.objective, all, free, vertices: Vec::new(), starts: Vec::new() };
        ends.sample_closed(strokes);
        ends
    }

    fn sample_closed(&mut self, strokes: &[Polyline]) {
        let closed = strokes.iter().filter(|stroke| stroke.is_closed()).count();
        if closed == 0 {
            return;
        }
        let most = (ALL_ENTRIES / closed).clamp(FEWEST_ENTRIES, MOST_ENTRIES);
        self.starts.reserve(strokes.len() + 2);
        for stroke in strokes {
            self.starts.push(self.vertices.len() as u32);
            if stroke.is_closed() {
                let distinct = stroke.points().len() - 1;
                let count = distinct.min(most);
                self.vertices
                    .extend((0..count).map(|index| single(stroke.points()[index * distinct / count])));
            }
        }
        self.starts.extend([self.vertices.len() as u32; 2]);
    }

    /// How many strokes, the depot included.
    pub(super) fn strokes(&self) -> usize {
        self.all.len() / 2
    }

    /// The depot's end through which it is entered.
    pub(super) fn depot(&self) -> u32 {
        self.all.len() as u32 - 1
    }

    /// Whether travels to and from an end cost nothing.
    pub(super) fn is_free(&self, end: u32) -> bool {
        end == self.free
    }

    pub(super) fn at(&self, end: u32) -> [f32; 2] {
        self.all[end as usize].at
    }

    /// Whether any stroke may be entered at several vertices.
    pub(super) fn any_closed(&self) -> bool {
        !self.starts.is_empty()
    }

    /// The vertices through which a stroke may be entered; empty unless it is closed.
    pub(super) fn entries(&self, stroke: usize) -> &[[f32; 2]] {
        match self.starts.get(stroke..stroke + 2) {
            Some([start, end]) => &self.vertices[*start as usize..*end as usize],
            _ => &[],
        }
    }

    /// Links two ends by a travel.
    pub(super) fn link(&mut self, a: u32, b: u32) {
        let cost = self.travel(a, b);
        for (end, link) in [(a, b), (b, a)] {
            let end = &mut self.all[end as usize];
            (end.link, end.cost) = (link, cost);
        }
    }

    /// Enters a closed stroke at another point.
    pub(super) fn enter(&mut self, stroke: usize, at: [f32; 2]) {
        for end in [2 * stroke, 2 * stroke + 1] {
            self.all[end].at = at;
            self.link(end as u32, self.all[end].link);
        }
    }

    /// mm or s.
    #[inline]
    pub(super) fn travel(&self, a: u32, b: u32) -> f32 {
        if a.max(b) == self.free { 0.0 } else { self.objective.rough(self.at(a), self.at(b)) }
    }

    /// Between two places; mm or s.
    pub(super) fn travel_between(&self, from: [f32; 2], to: [f32; 2]) -> f32 {
        self.objective.rough(from, to)
    }

    /// From an end to any place; mm or s.
    pub(super) fn travel_to(&self, end: u32, to: [f32; 2]) -> f32 {
        if end == self.free { 0.0 } else { self.objective.rough(self.at(end), to) }
    }

    /// Travel of a tour given by the ends through which its strokes are entered, the way back to its begin included; mm
    /// or s.
    pub(super) fn tour_travel(&self, tour: &[u32]) -> f64 {
        let on = tour.iter().zip(tour.iter().cycle().skip(1));
        on.map(|(from, to)| f64::from(self.travel(mate(*from), *to))).sum()
    }
}
