//! Strokes strung together at their ends.
//!
//! Stroke `s` has the ends `2s` (its start) and `2s + 1` (its end).

/// No end.
pub(super) const NONE: u32 = u32::MAX;

/// The other end of an end's stroke.
pub(super) fn mate(end: u32) -> u32 {
    end ^ 1
}

/// Which ends are tied to which, and which strokes hang together (union–find).
pub(super) struct Chains {
    /// By end: the end tied to it, or [`NONE`].
    pub(super) partner: Vec<u32>,
    parent: Vec<u32>,
}

impl Chains {
    /// Of `count` strokes, none tied.
    pub(super) fn new(count: usize) -> Self {
        Self { partner: vec![NONE; 2 * count], parent: (0..count as u32).collect() }
    }

    /// Names the chain of an end: the same for all its strokes, until chains are united.
    pub(super) fn chain(&mut self, end: u32) -> u32 {
        let mut stroke = end >> 1;
        while self.parent[stroke as usize] != stroke {
            let grand = self.parent[self.parent[stroke as usize] as usize];
            self.parent[stroke as usize] = grand;
            stroke = grand;
        }
        stroke
    }

    /// Whether nothing is tied to an end.
    pub(super) fn is_open(&self, end: u32) -> bool {
        self.partner[end as usize] == NONE
    }

    /// Ties two ends and unites their chains.
    pub(super) fn tie(&mut self, a: u32, b: u32) {
        self.partner[a as usize] = b;
        self.partner[b as usize] = a;
        let (a, b) = (self.chain(a), self.chain(b));
        self.parent[a.max(b) as usize] = a.min(b);
    }

    /// The end at which the chain with this stroke begins, walking back from its start; its start when the chain is
    /// closed.
    pub(super) fn begin(&self, stroke: u32) -> u32 {
        let mut end = 2 * stroke;
        loop {
            match self.partner[end as usize] {
                NONE => return end,
                before => end = mate(before),
            }
            if end == 2 * stroke {
                return end;
            }
        }
    }
}
