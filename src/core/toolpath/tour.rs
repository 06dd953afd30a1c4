//! A closed tour of strokes as an array, and exchanges of a few of its travels.
//!
//! ```text
//!  ─stroke──o   o──stroke──o   o──stroke─
//!         exit  entry    exit  entry          two ends linked by a travel
//! ```

use super::chains::mate;

/// Most travels that one exchange takes out.
pub(super) const MOST: usize = 5;

/// Strokes in drawing order, closed to a ring.
pub(super) struct Tour {
    /// By place: the end through which its stroke is entered.
    entries: Vec<u32>,
    /// By stroke: twice its place, and 1 more when it is entered through its end.
    places: Vec<u32>,
    journal: Option<Journal>,
    scratch: Vec<u32>,
}

/// What stood where before each exchange.
#[derive(Default)]
struct Journal {
    /// First place and length of each rewritten stretch, the last one last.
    stretches: Vec<(u32, u32)>,
    /// The stretches' entries, one after another.
    entries: Vec<u32>,
}

/// Travels that go, and the links that come.
#[derive(Clone, Copy)]
pub(super) struct Exchange {
    /// Linked pairs: the two ends of each travel that goes.
    pub(super) ends: [u32; 2 * MOST],
    /// By index in `ends`: the index of the end that it will be linked to.
    pub(super) partner: [u8; 2 * MOST],
    /// How many travels go.
    pub(super) count: usize,
}

impl Exchange {
    /// Ends a₁ … a₂ₖ, of which a₁a₂, a₃a₄ … are linked and a₂a₃, a₄a₅ … a₂ₖa₁ will be.
    pub(super) fn in_sequence(ends: [u32; 2 * MOST], count: usize) -> Self {
        let mut partner = [9, 2, 1, 4, 3, 6, 5, 8, 7, 0];
        (partner[0], partner[2 * count - 1]) = (2 * count as u8 - 1, 0);
        Self { ends, partner, count }
    }

    pub(super) fn ends(&self) -> &[u32] {
        &self.ends[..2 * self.count]
    }
}

/// How an exchange lays the tour anew: all stretches between the cuts but the longest, in their new order.
pub(super) struct Layout {
    count: usize,
    /// Places after which the tour is cut, ascending.
    cuts: [u32; MOST],
    longest: usize,
    /// The other stretches as they follow the longest: which, and whether turned around. Stretch j ends at cut j.
    order: [(u8, bool); MOST],
    /// Strokes outside of the longest stretch.
    pub(super) moved: usize,
}

impl Tour {
    pub(super) fn new(entries: Vec<u32>) -> Self {
        let mut tour = Self { places: vec![0; entries.len()], entries, journal: None, scratch: Vec::new() };
        for (place, entry) in (0..).zip(&tour.entries) {
            tour.places[*entry as usize >> 1] = 2 * place + (entry & 1);
        }
        tour
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The end through which the stroke at a place is entered; places count on around the ring.
    pub(super) fn entry(&self, place: usize) -> u32 {
        self.entries[place % self.entries.len()]
    }

    pub(super) fn place(&self, end: u32) -> usize {
        self.places[end as usize >> 1] as usize >> 1
    }

    /// The tour after an exchange, unless that would fall apart into several rings.
    pub(super) fn layout(&self, exchange: &Exchange) -> Option<Layout> {
        let count = exchange.count;
        let mut cuts = [0; MOST];
        let mut gap = [0; MOST];
        let mut first_is_entry = [0; MOST];
        for index in 0..count {
            let ends = [exchange.ends[2 * index], exchange.ends[2 * index + 1]];
            let places = ends.map(|end| self.places[end as usize >> 1]);
            first_is_entry[index] = 1 & !(places[0] ^ ends[0]) as usize;
            let cut = places[first_is_entry[index]] >> 1;
            let mut rank = index;
            while rank > 0 && cuts[rank - 1] > cut {
                cuts[rank] = cuts[rank - 1];
                gap[rank] = gap[rank - 1];
                rank -= 1;
            }
            (cuts[rank], gap[rank]) = (cut, index);
        }
        // Nodes: twice the rank of a cut, and 1 more for the entry after it.
        let mut node = [0; 2 * MOST];
        for (rank, index) in gap[..count].iter().enumerate() {
            node[2 * index] = 2 * rank + first_is_entry[*index];
            node[2 * index + 1] = 2 * rank + 1 - first_is_entry[*index];
        }
        let mut tied = [0; 2 * MOST];
        for index in 0..2 * count {
            tied[node[index]] = node[exchange.partner[index] as usize];
        }
        let size = self.entries.len();
        let length = |stretch: usize| match stretch {
            0 => cuts[0] as usize + size - cuts[count - 1] as usize,
            _ => (cuts[stretch] - cuts[stretch - 1]) as usize,
        };
        let mut longest = 0;
        for stretch in 1..count {
            if length(stretch) > length(longest) {
                longest = stretch;
            }
        }
        let mut order = [(0, false); MOST];
        let mut exit = 2 * longest;
        for slot in &mut order[..count - 1] {
            let entry = tied[exit];
            let before = entry >> 1;
            let (stretch, turned) = if entry & 1 == 0 {
                (before, true)
            } else {
                (if before + 1 == count { 0 } else { before + 1 }, false)
            };
            if stretch == longest {
                return None;
            }
            *slot = (stretch as u8, turned);
            exit = match (turned, stretch) {
                (false, _) => 2 * stretch,
                (true, 0) => 2 * count - 1,
                (true, _) => 2 * stretch - 1,
            };
        }
        Some(Layout { count, cuts, longest, order, moved: size - length(longest) })
    }

    /// Lays the strokes in a new order.
    pub(super) fn apply(&mut self, layout: &Layout) {
        let size = self.entries.len();
        let begin = |stretch: usize| {
            let cut = layout.cuts[if stretch == 0 { layout.count - 1 } else { stretch - 1 }] as usize + 1;
            if cut == size { 0 } else { cut }
        };
        let first = begin(if layout.longest + 1 == layout.count { 0 } else { layout.longest + 1 });
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        let ahead = (size - first).min(layout.moved);
        scratch.extend_from_slice(&self.entries[first..first + ahead]);
        scratch.extend_from_slice(&self.entries[..layout.moved - ahead]);
        if let Some(journal) = &mut self.journal {
            journal.stretches.push((first as u32, layout.moved as u32));
            journal.entries.extend_from_slice(&scratch);
        }
        let mut place = first;
        for (stretch, turned) in &layout.order[..layout.count - 1] {
            let stretch = usize::from(*stretch);
            let start = begin(stretch);
            let offset = if start >= first { start - first } else { start + size - first };
            let last = layout.cuts[stretch] as usize;
            let length = if last >= start { last - start + 1 } else { last + size - start + 1 };
            let part = &scratch[offset..offset + length];
            if *turned {
                part.iter().rev().for_each(|entry| self.put(&mut place, mate(*entry)));
            } else {
                part.iter().for_each(|entry| self.put(&mut place, *entry));
            }
        }
        self.scratch = scratch;
    }

    #[inline]
    fn put(&mut self, place: &mut usize, entry: u32) {
        self.entries[*place] = entry;
        self.places[entry as usize >> 1] = 2 * *place as u32 + (entry & 1);
        *place += 1;
        if *place == self.entries.len() {
            *place = 0;
        }
    }

    /// Begins to note changes, so that they can be undone.
    pub(super) fn begin_journal(&mut self) {
        let journal = self.journal.get_or_insert_default();
        journal.stretches.clear();
        journal.entries.clear();
    }

    /// Undoes all changes since the journal was begun.
    pub(super) fn undo(&mut self) {
        let Some(mut journal) = self.journal.take() else { return };
        while let Some((first, length)) = journal.stretches.pop() {
            let old = journal.entries.len() - length as usize;
            let mut place = first as usize;
            for entry in journal.entries.drain(old..) {
                self.put(&mut place, entry);
            }
        }
        self.journal = Some(journal);
    }

    /// The entries from the one through `end` on, forward.
    pub(super) fn into_path(mut self, end: u32) -> Vec<u32> {
        if self.entries[self.place(end)] != end {
            self.entries.reverse();
            self.entries.iter_mut().for_each(|entry| *entry = mate(*entry));
        }
        let start = self.entries.iter().position(|entry| *entry == end).unwrap_or(0);
        self.entries.rotate_left(start);
        self.entries
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The pairs of ends that are linked by travels, each smaller end first.
    fn links(tour: &Tour) -> Vec<(u32, u32)> {
        let link = |place| {
            let (a, b) = (mate(tour.entry(place)), tour.entry(place + 1));
            (a.min(b), a.max(b))
        };
        let mut links: Vec<_> = (0..tour.len()).map(link).collect();
        links.sort_unstable();
        links
    }

    /// The ends at both sides of the travel after a place, in one order or the other.
    fn ends_at(tour: &Tour, (place, turned): (usize, bool)) -> [u32; 2] {
        let ends = [mate(tour.entry(place)), tour.entry(place + 1)];
        if turned { [ends[1], ends[0]] } else { ends }
    }

    proptest! {
        #[test]
        fn an_exchange_links_what_it_says_and_can_be_undone(
            size in 5_usize..40, turned: u64,
            gaps in prop::collection::btree_map(0_usize..40, any::<bool>(), 2..=MOST), order: u64,
        ) {
            let entries = (0..size as u32).map(|stroke| 2 * stroke + (turned >> stroke & 1) as u32);
            let mut tour = Tour::new(entries.collect());
            let mut gaps: Vec<(usize, bool)> = gaps.into_iter().filter(|gap| gap.0 < size).collect();
            prop_assume!(gaps.len() >= 2);
            let first = order as usize % gaps.len();
            gaps.rotate_left(first);
            if order >> 32 & 1 == 1 {
                gaps[1..].reverse();
            }
            let mut ends = [0; 2 * MOST];
            for (index, gap) in gaps.iter().enumerate() {
                ends[2 * index..2 * index + 2].copy_from_slice(&ends_at(&tour, *gap));
            }
            let exchange = Exchange::in_sequence(ends, gaps.len());
            let before = links(&tour);
            let mut expected: Vec<(u32, u32)> = before.clone();
            for pair in exchange.ends().chunks(2) {
                expected.retain(|link| *link != (pair[0].min(pair[1]), pair[0].max(pair[1])));
            }
            for (index, end) in exchange.ends().iter().enumerate() {
                let other = exchange.ends[exchange.partner[index] as usize];
                if *end < other {
                    expected.push((*end, other));
                }
            }
            expected.sort_unstable();
            let Some(layout) = tour.layout(&exchange) else {
                prop_assert!(rings(&expected) > 1);
                return Ok(());
            };
            tour.begin_journal();
            tour.apply(&layout);
            prop_assert_eq!(links(&tour), expected);
            for place in 0..size {
                prop_assert_eq!(tour.place(tour.entry(place)), place);
            }
            tour.undo();
            prop_assert_eq!(links(&tour), before);
        }
    }

    /// Into how many rings links and strokes fall.
    fn rings(links: &[(u32, u32)]) -> usize {
        let mut other = std::collections::HashMap::new();
        for (a, b) in links {
            other.extend([(*a, *b), (*b, *a)]);
        }
        let mut count = 0;
        while let Some(begin) = other.keys().next().copied() {
            count += 1;
            let mut end = begin;
            while let Some(next) = other.remove(&end) {
                other.remove(&next);
                end = mate(next);
            }
        }
        count
    }
}
