//! Orders that artists ask for.

use std::ops::ControlFlow;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::join::SAME;
use super::order::{Settings, order};
use super::tree::{Named, Tree};
use crate::geometry::Polyline;

/// Which order strokes are drawn in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// That which makes the objective small.
    #[default]
    Best,
    /// That of the drawing, each stroke in its own direction.
    Keep,
    /// By chance.
    Random,
    /// Strokes that lie beside each other are drawn long after each other, so that ink may dry.
    Interleave,
    /// As `Best`, but one group of the drawing after another.
    InsideGroups,
}

/// In how many rounds strokes are drawn.
const ROUNDS: usize = 5;
/// Near strokes that should not be drawn in the same round.
const NEAR: usize = 8;
/// Places at which a stroke is looked for.
const PLACES: usize = 8;

/// Neighbors in the list that touch, end to start, become one; nothing is turned around. Dots and closed strokes stay as they
/// are.
pub(super) fn join_neighbors(strokes: Vec<Polyline>, tolerance: f64) -> Vec<Polyline> {
    let mut joined: Vec<Polyline> = Vec::with_capacity(strokes.len());
    let may = |stroke: &Polyline| !stroke.is_closed() && stroke.length() > 0.0;
    for stroke in strokes {
        match joined.last_mut() {
            Some(last) if may(last) && may(&stroke) && last.end().distance(stroke.start()) <= tolerance => {
                last.append(&stroke, SAME);
            }
            _ => joined.push(stroke),
        }
    }
    joined
}

/// By chance, the same for the same seed.
pub(super) fn shuffle(mut strokes: Vec<Polyline>, seed: u64) -> Vec<Polyline> {
    strokes.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    strokes
}

/// In rounds over the paper: the best order, of which each round draws the strokes that have no near one in it yet. Near
/// strokes are so about a round apart, and the travel is longer by the number of rounds, or less.
pub(super) fn interleave(
    strokes: Vec<Polyline>,
    settings: &Settings,
    watch: &mut dyn FnMut(f64) -> ControlFlow<()>,
) -> Vec<Polyline> {
    let strokes = order(strokes, settings, watch);
    let rounds = rounds(&strokes);
    let mut numbered: Vec<(usize, Polyline)> = rounds.into_iter().zip(strokes).collect();
    // Stable: within a round the order stays.
    numbered.sort_by_key(|(round, _)| *round);
    numbered.into_iter().map(|(_, stroke)| stroke).collect()
}

/// For each stroke the first round in which none of the strokes near it is, or else that with the farthest of them.
fn rounds(strokes: &[Polyline]) -> Vec<usize> {
    let places =
        (0..).zip(strokes).flat_map(|(name, stroke)| places_of(stroke).map(move |at| Named { at, name }));
    let tree = Tree::new(places.collect());
    let mut rounds = vec![ROUNDS; strokes.len()];
    let mut found = Vec::new();
    for (name, stroke) in (0..).zip(strokes) {
        // The last slot is for those that have no round yet.
        let mut nearest = [f32::INFINITY; ROUNDS + 1];
        for at in places_of(stroke) {
            tree.nearest(Named { at, name }, NEAR, f32::INFINITY, |other| other == name, &mut found);
            for other in &found {
                let nearest = &mut nearest[rounds[other.point.name as usize]];
                *nearest = nearest.min(other.distance_2);
            }
        }
        let mut best = 0;
        for round in 1..ROUNDS {
            if nearest[round] > nearest[best] {
                best = round;
            }
        }
        rounds[name as usize] = best;
    }
    rounds
}

/// Some places along a stroke.
fn places_of(stroke: &Polyline) -> impl Iterator<Item = [f32; 2]> + '_ {
    let last = stroke.points().len() - 1;
    let count = last.min(PLACES - 1);
    (0..=count).map(move |index| {
        let point = stroke.points()[index * last / count.max(1)];
        [point.x as f32, point.y as f32]
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Point;
    use crate::toolpath::Objective;

    fn line(points: &[(f64, f64)]) -> Polyline {
        Polyline::new(points.iter().map(|p| Point::from(*p)).collect())
    }

    fn hatch() -> Vec<Polyline> {
        (0..100).map(|n| line(&[(10.0, f64::from(n)), (60.0, f64::from(n))])).collect()
    }

    #[test]
    fn neighbors_that_touch_end_to_start_are_joined_and_nothing_is_turned() {
        let square = line(&[(2., 0.), (3., 0.), (3., 1.), (2., 0.)]);
        let given = vec![
            line(&[(0., 0.), (1., 0.)]),
            line(&[(1.05, 0.), (2., 0.)]),
            square.clone(),
            line(&[(5., 0.), (2., 0.)]),
        ];
        let joined = join_neighbors(given, 0.1);
        assert_eq!(joined.len(), 3);
        assert_eq!(joined[0], line(&[(0., 0.), (1., 0.), (1.05, 0.), (2., 0.)]));
        assert_eq!((&joined[1], joined[2].start().x), (&square, 5.0));
    }

    #[test]
    fn chance_is_the_same_for_the_same_seed() {
        assert_eq!(shuffle(hatch(), 3), shuffle(hatch(), 3));
        assert_ne!(shuffle(hatch(), 3), shuffle(hatch(), 4));
        let mut back = shuffle(hatch(), 3);
        back.sort_by(|a, b| a.start().y.total_cmp(&b.start().y));
        assert_eq!(back, hatch());
    }

    #[test]
    fn lines_side_by_side_are_drawn_long_after_each_other() {
        let settings = Settings { objective: Objective::Travel, effort: Some(1), seed: 1 };
        let rows: Vec<i64> = interleave(hatch(), &settings, &mut |_| ControlFlow::Continue(()))
            .iter()
            .map(|stroke| stroke.start().y as i64)
            .collect();
        let mut place = vec![0_usize; rows.len()];
        rows.iter().enumerate().for_each(|(index, row)| place[*row as usize] = index);
        let least = place.windows(2).map(|pair| pair[0].abs_diff(pair[1])).min().unwrap();
        assert!(least >= 10, "{least} {rows:?}");
        let mut sorted = rows;
        sorted.sort_unstable();
        assert_eq!(sorted, (0..100).collect::<Vec<_>>());
    }
}
