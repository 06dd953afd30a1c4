//! Touching strokes become one, so that the pen is lifted less often.

use super::chains::{Chains, NONE, mate};
use super::tree::{Named, Tree};
use crate::geometry::{Point, Polyline, Vec2};

/// Gaps up to this are rounding, far below any motor's step: the two points become one; mm.
pub(super) const SAME: f64 = 1e-3;
/// How many ends an end looks at in one round.
const NEAR: usize = 12;
/// What single precision makes of a place on a page, at most; mm.
const SINGLE: f64 = 1e-3;
/// Each round ties most of the ends that can be tied; this bounds drawings made to defeat that.
const ROUNDS: usize = 64;
/// A chain is closed only when it is longer than this many tolerances: a shorter one would be drawn twice.
const LOOP: f64 = 4.0;

/// Joins the strokes of one pen wherever their ends lie within `tolerance` mm of each other, a straight piece bridging
/// the gap. Where several ends meet, near goes before far and straight on before a turn. Dots and closed strokes stay as
/// they are. A chain stands where its first stroke stood, and in that one's direction.
///
/// Closed chains of joined strokes are merged with what they touch: as in Hierholzer's walk through every edge of a
/// graph (1873), that leaves the fewest lifts.
#[must_use]
pub fn join(strokes: Vec<Polyline>, tolerance: f64) -> Vec<Polyline> {
    let mut joiner = Joiner::new(&strokes, tolerance);
    for _ in 0..ROUNDS {
        if joiner.tie_nearest() == 0 {
            break;
        }
    }
    joiner.merge_loops();
    joiner.assemble(strokes)
}

struct Joiner {
    chains: Chains,
    tolerance: f64,
    /// By end: where it lies, mm.
    ends: Vec<Point>,
    /// By end: the unit vector out of its stroke.
    out: Vec<Vec2>,
    /// Ends that may be tied.
    joinable: Vec<u32>,
    /// By chain: length, mm.
    length: Vec<f64>,
    /// By chain: whether it has come back to its begin.
    closed: Vec<bool>,
}

impl Joiner {
    fn new(strokes: &[Polyline], tolerance: f64) -> Self {
        let may =
            |stroke: &Polyline| !stroke.is_closed() && stroke.points().iter().any(|p| *p != stroke.start());
        Self {
            chains: Chains::new(strokes.len()),
            tolerance,
            ends: strokes.iter().flat_map(|stroke| [stroke.start(), stroke.end()]).collect(),
            out: strokes
                .iter()
                .flat_map(|stroke| [outward(stroke.points().iter()), outward(stroke.points().iter().rev())])
                .collect(),
            joinable: (0..)
                .zip(strokes)
                .filter(|(_, stroke)| may(stroke))
                .flat_map(|(index, _)| [2 * index, 2 * index + 1])
                .collect(),
            length: strokes.iter().map(Polyline::length).collect(),
            closed: vec![false; strokes.len()],
        }
    }

    fn gap(&self, a: u32, b: u32) -> f64 {
        self.ends[a as usize].distance(self.ends[b as usize])
    }

    /// 0 for ends that touch and go straight on; up to 1 for the gap and up to 1 for the turn.
    fn cost(&self, a: u32, b: u32) -> f64 {
        let turn = 0.5 * (1.0 + self.out[a as usize].dot(self.out[b as usize]));
        self.gap(a, b) / self.tolerance.max(f64::MIN_POSITIVE) + turn
    }

    /// Calls `visit` with each end of `ends` and the ends of `among` within tolerance, nearest first.
    fn near(&self, ends: &[u32], among: &[u32], mut visit: impl FnMut(u32, u32)) {
        let named = |end: &u32| {
            let at = self.ends[*end as usize];
            Named { at: [at.x as f32, at.y as f32], name: *end }
        };
        let tree = Tree::new(among.iter().map(named).collect());
        // The tree knows places to single precision only.
        let reach = (self.tolerance * 1.001 + SINGLE) as f32;
        let mut found = Vec::new();
        for end in ends {
            tree.nearest(named(end), NEAR, reach, |other| other == *end, &mut found);
            let others = found.iter().map(|other| other.point.name);
            others
                .filter(|other| self.gap(*end, *other) <= self.tolerance)
                .for_each(|other| visit(*end, other));
        }
    }

    /// Ties open ends, cheapest first; how many pairs.
    fn tie_nearest(&mut self) -> usize {
        let open: Vec<u32> = self.joinable.iter().copied().filter(|end| self.chains.is_open(*end)).collect();
        let mut pairs = Vec::new();
        self.near(&open, &open, |a, b| pairs.push((self.cost(a, b), a.min(b), a.max(b))));
        pairs.sort_unstable_by(|x, y| x.0.total_cmp(&y.0).then((x.1, x.2).cmp(&(y.1, y.2))));
        pairs.into_iter().filter(|(_, a, b)| self.tie(*a, *b)).count()
    }

    fn tie(&mut self, a: u32, b: u32) -> bool {
        if !self.chains.is_open(a) || !self.chains.is_open(b) {
            return false;
        }
        let (of_a, of_b) = (self.chains.chain(a) as usize, self.chains.chain(b) as usize);
        if of_a == of_b {
            let single = mate(a) == b;
            if single || self.length[of_a] <= LOOP * self.tolerance {
                return false;
            }
            self.closed[of_a] = true;
        }
        let length = if of_a == of_b { self.length[of_a] } else { self.length[of_a] + self.length[of_b] };
        self.chains.tie(a, b);
        self.length[self.chains.chain(a) as usize] = length;
        true
    }

    /// Opens each closed chain where it touches another one, and ties the two together.
    fn merge_loops(&mut self) {
        let mut of_loops = Vec::new();
        for end in &self.joinable {
            if self.closed[self.chains.chain(*end) as usize] {
                of_loops.push(*end);
            }
        }
        if of_loops.is_empty() {
            return;
        }
        let mut pairs = Vec::new();
        self.near(&of_loops, &self.joinable, |a, b| pairs.push((a, b)));
        for (a, b) in pairs {
            self.merge(a, b);
        }
    }

    fn merge(&mut self, a: u32, b: u32) {
        let (of_a, of_b) = (self.chains.chain(a) as usize, self.chains.chain(b) as usize);
        if of_a == of_b || !self.closed[of_a] {
            return;
        }
        let (after_a, after_b) = (self.chains.partner[a as usize], self.chains.partner[b as usize]);
        if after_b == NONE {
            self.chains.partner[after_a as usize] = NONE;
        } else if self.gap(after_a, after_b) <= self.tolerance {
            self.chains.tie(after_a, after_b);
        } else {
            return;
        }
        let closed = self.closed[of_b];
        self.chains.tie(a, b);
        self.closed[self.chains.chain(a) as usize] = closed;
    }

    fn assemble(&self, strokes: Vec<Polyline>) -> Vec<Polyline> {
        let mut joined = Vec::new();
        let mut strokes: Vec<Option<Polyline>> = strokes.into_iter().map(Some).collect();
        for stroke in 0..strokes.len() {
            if strokes[stroke].is_none() {
                continue;
            }
            let mut end = self.chains.begin(stroke as u32);
            let mut take = |end: u32| {
                let mut stroke = strokes[end as usize >> 1].take()?;
                if end & 1 == 1 {
                    stroke.reverse();
                }
                Some(stroke)
            };
            let Some(mut chain) = take(end) else { continue };
            end = self.chains.partner[mate(end) as usize];
            while end != NONE
                && let Some(next) = take(end)
            {
                chain.append(&next, SAME);
                end = self.chains.partner[mate(end) as usize];
            }
            if end != NONE {
                chain.close(SAME);
            }
            joined.push(chain);
        }
        joined
    }
}

/// Unit vector out of the stroke at the first of `points`, looking past pieces that are only rounding; zero for a dot.
fn outward<'a>(points: impl Iterator<Item = &'a Point> + Clone) -> Vec2 {
    let Some(end) = points.clone().next() else { return Vec2::ZERO };
    points
        .clone()
        .find(|point| point.distance(*end) > SAME)
        .map_or(Vec2::ZERO, |inner| (*end - *inner).normalize())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lines(strokes: &[&[(f64, f64)]]) -> Vec<Polyline> {
        strokes.iter().map(|points| Polyline::new(points.iter().map(|p| Point::from(*p)).collect())).collect()
    }

    fn check(strokes: &[&[(f64, f64)]], expected: &[&[(f64, f64)]]) {
        assert_eq!(join(lines(strokes), 0.1), lines(expected));
    }

    #[test]
    fn touching_ends_are_joined_whatever_their_direction() {
        check(&[&[(0., 0.), (1., 0.)], &[(2., 1.), (1., 0.)]], &[&[(0., 0.), (1., 0.), (2., 1.)]]);
        check(&[&[(1., 0.), (0., 0.)], &[(1., 0.), (2., 1.)]], &[&[(2., 1.), (1., 0.), (0., 0.)]]);
    }

    #[test]
    fn a_small_gap_is_bridged_and_a_large_one_is_not() {
        check(
            &[&[(0., 0.), (1., 0.)], &[(1.09, 0.), (2., 0.)]],
            &[&[(0., 0.), (1., 0.), (1.09, 0.), (2., 0.)]],
        );
        let apart: [&[(f64, f64)]; 2] = [&[(0., 0.), (1., 0.)], &[(1.11, 0.), (2., 0.)]];
        check(&apart, &apart);
    }

    #[test]
    fn at_a_crossing_strokes_go_straight_on() {
        check(
            &[&[(0., 5.), (5., 5.)], &[(5., 0.), (5., 5.)], &[(5., 5.), (10., 5.)], &[(5., 5.), (5., 10.)]],
            &[&[(0., 5.), (5., 5.), (10., 5.)], &[(5., 0.), (5., 5.), (5., 10.)]],
        );
    }

    #[test]
    fn four_sides_make_a_closed_square() {
        let square = join(
            lines(&[
                &[(0., 0.), (5., 0.)],
                &[(5., 5.), (5., 0.)],
                &[(5., 5.), (0., 5.)],
                &[(0., 0.), (0., 5.)],
            ]),
            0.1,
        );
        assert!(square.len() == 1 && square[0].is_closed() && square[0].points().len() == 5);
    }

    #[test]
    fn loops_that_touch_become_one_stroke() {
        let side = |x: f64, y: f64| [(x, y), (x + 5.0, y), (x + 5.0, y + 5.0), (x, y + 5.0), (x, y)];
        let pieces: Vec<Polyline> = [side(0., 0.), side(5., 5.), side(10., 10.)]
            .iter()
            .flat_map(|square| square.windows(2).map(|pair| lines(&[pair]).remove(0)).collect::<Vec<_>>())
            .collect();
        let joined = join(pieces, 0.1);
        assert_eq!(joined.len(), 1);
        assert!((joined[0].length() - 60.0).abs() < 1e-9);
    }

    #[test]
    fn dots_closed_strokes_and_short_hooks_stay_as_they_are() {
        let strokes: [&[(f64, f64)]; 4] = [
            &[(0., 0.), (0., 0.)],
            &[(0., 0.), (1., 0.), (1., 1.), (0., 0.)],
            &[(9., 9.), (9.05, 9.)],
            &[(0., 0.), (0., 0.)],
        ];
        check(&strokes, &strokes);
    }

    #[test]
    fn a_star_of_many_ends_is_tied_up_in_pairs() {
        let ray = |n: u32| {
            let (sin, cos) = f64::from(n).sin_cos();
            lines(&[&[(0.0, 0.0), (cos * 10.0, sin * 10.0)]]).remove(0)
        };
        assert_eq!(join((0..3000).map(ray).collect(), 1e-5).len(), 1500);
    }

    /// The fewest paths that cover a network of strokes whose ends meet exactly: in each connected part one, or half of its
    /// nodes where an odd number of ends meet (Euler).
    fn fewest(strokes: &[Polyline]) -> usize {
        let mut degree = std::collections::HashMap::new();
        let mut part: std::collections::HashMap<[u64; 2], [u64; 2]> = std::collections::HashMap::new();
        let name = |point: Point| [(point.x + 0.0).to_bits(), (point.y + 0.0).to_bits()];
        fn root(part: &std::collections::HashMap<[u64; 2], [u64; 2]>, mut node: [u64; 2]) -> [u64; 2] {
            while part[&node] != node {
                node = part[&node];
            }
            node
        }
        for stroke in strokes {
            let ends = [name(stroke.start()), name(stroke.end())];
            for end in ends {
                *degree.entry(end).or_insert(0) += 1;
                part.entry(end).or_insert(end);
            }
            let [a, b] = ends.map(|end| root(&part, end));
            part.insert(a, b);
        }
        let mut odd = std::collections::HashMap::new();
        for (node, degree) in degree {
            *odd.entry(root(&part, node)).or_insert(0) += degree % 2;
        }
        odd.values().map(|odd: &usize| (odd / 2).max(1)).sum()
    }

    fn check_fewest(strokes: Vec<Polyline>) {
        let expected = fewest(&strokes);
        assert_eq!(join(strokes, 0.1).len(), expected);
    }

    #[test]
    fn a_grid_is_drawn_in_the_fewest_strokes() {
        let at = |n: i32| f64::from(n) * 5.0;
        let across = (0..9).flat_map(|y| (0..8).map(move |x| [(at(x), at(y)), (at(x + 1), at(y))]));
        let down = (0..9).flat_map(|x| (0..8).map(move |y| [(at(x), at(y)), (at(x), at(y + 1))]));
        check_fewest(across.chain(down).flat_map(|piece| lines(&[&piece])).collect());
    }

    #[test]
    fn three_ends_at_a_place_are_a_path_and_a_branch() {
        check_fewest(lines(&[&[(0., 0.), (5., 0.)], &[(5., 0.), (9., 0.)], &[(5., 0.), (5., 7.)]]));
    }

    proptest! {
        #[test]
        fn networks_are_drawn_in_the_fewest_strokes(
            pieces in prop::collection::vec(((0_u8..6, 0_u8..6), (0_u8..6, 0_u8..6)), 1..70),
        ) {
            let at = |p: (u8, u8)| (f64::from(p.0) * 3.0, f64::from(p.1) * 3.0);
            let strokes: Vec<Polyline> = pieces.iter().filter(|(a, b)| a != b)
                .map(|(a, b)| lines(&[&[at(*a), at(*b)]]).remove(0)).collect();
            prop_assert_eq!(join(strokes.clone(), 0.1).len(), fewest(&strokes));
        }

        #[test]
        fn all_is_kept_and_no_bridge_is_longer_than_the_tolerance(
            strokes in prop::collection::vec(prop::collection::vec((0_u8..6, 0_u8..6), 2..5), 1..40),
        ) {
            let strokes: Vec<Polyline> = strokes.iter().map(|points| {
                Polyline::new(points.iter().map(|p| Point::new(f64::from(p.0), f64::from(p.1) * 0.5)).collect())
            }).collect();
            let joined = join(strokes.clone(), 0.1);
            let sum = |strokes: &[Polyline]| strokes.iter().map(Polyline::length).sum::<f64>();
            prop_assert!((sum(&strokes) - sum(&joined)).abs() < 1e-6);
            let pieces = |strokes: &[Polyline]| {
                let mut pieces: Vec<[u64; 4]> = strokes.iter().flat_map(|stroke| stroke.points().windows(2).map(|pair| {
                    let (a, b) = ((pair[0].x, pair[0].y), (pair[1].x, pair[1].y));
                    let (a, b) = if a < b { (a, b) } else { (b, a) };
                    [a.0.to_bits(), a.1.to_bits(), b.0.to_bits(), b.1.to_bits()]
                }).collect::<Vec<_>>()).collect();
                pieces.sort_unstable();
                pieces
            };
            prop_assert_eq!(pieces(&strokes), pieces(&joined));
        }
    }
}
