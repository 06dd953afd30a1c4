//! Strokes that come, go, or change their pen, each by the true loss of the tiles that it touches.
//!
//! The idea of adding strokes where the error is and dropping useless ones: Ma et al., "Towards Layer-wise Image
//! Vectorization" (2022).

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::flow::Flow;
use super::seen::{Sight, Wanted};
use super::strokes::{Line, chains};
use crate::Canvas;
use crate::rasterizer::{TILE, Trial};
use traceur_core::color::Ink;

/// How many changes may touch one tile before the losses are taken anew.
const MOST_CHANGES: u8 = 2;
/// How often new strokes are tried until there are enough of them.
const MOST_TRIES: usize = 6;
/// New strokes that are tried for each that is wanted.
const TRIALS: usize = 3;

/// What strokes are judged by.
pub(super) struct Judge<'a> {
    pub(super) canvas: &'a Canvas,
    /// Left, top, right and bottom of the drawable area; px.
    pub(super) inside: [f32; 4],
    pub(super) wanted: &'a Wanted,
    pub(super) flow: &'a Flow,
    pub(super) sight: Sight,
    pub(super) inks: &'a [(Ink, f32)],
    /// What a pixel of length must gain at least.
    pub(super) thrift: f32,
}

/// Tiles that have changed too often for their losses to be true.
struct Changed(Vec<u8>);

impl Changed {
    fn may(&mut self, tiles: &[usize], most: u8) -> bool {
        let may = tiles.iter().all(|tile| self.0[*tile] < most);
        if may {
            tiles.iter().for_each(|tile| self.0[*tile] += 1);
        }
        may
    }
}

impl Judge<'_> {
    fn changed(&self) -> Changed {
        Changed(vec![0; (self.canvas.width_px / TILE) * (self.canvas.height_px / TILE)])
    }

    fn loss(
        &self,
        trial: &Trial<'_>,
        tiles: &[usize],
        without: Option<usize>,
        with: Option<(&[f32], usize)>,
    ) -> f64 {
        trial.loss(tiles, without, with, |tile| self.wanted.loss(&self.sight, tile))
    }

    /// Leaves out strokes without which the picture is better, and gives others a better pen.
    pub(super) fn prune_and_swap(&self, lines: &mut Vec<Line>, swap: bool) {
        let drawn = chains(lines, self.canvas, self.inks, 1.0);
        let trial = drawn.trial();
        let judged: Vec<(Vec<usize>, f64, Option<usize>)> = (0..lines.len())
            .into_par_iter()
            .map(|index| {
                let line = &lines[index];
                let tiles = trial.tiles_of(index);
                let now = self.loss(&trial, &tiles, None, None);
                let thrift = f64::from(self.thrift * line.length_px());
                let mut best = (now + thrift - self.loss(&trial, &tiles, Some(index), None), None);
                let others = (0..self.inks.len()).filter(|pass| swap && *pass != line.pass);
                for pass in others {
                    let gain = now - self.loss(&trial, &tiles, Some(index), Some((&line.controls, pass)));
                    if gain > best.0 {
                        best = (gain, Some(pass));
                    }
                }
                (tiles, best.0, best.1)
            })
            .collect();
        let mut order: Vec<usize> = (0..lines.len()).filter(|index| judged[*index].1 > 0.0).collect();
        order.sort_by(|a, b| judged[*b].1.total_cmp(&judged[*a].1).then(a.cmp(b)));
        let mut changed = self.changed();
        let mut keep = vec![true; lines.len()];
        for index in order {
            let (tiles, _, pass) = &judged[index];
            // Few at a time: each of these was judged with all others as they were.
            if changed.may(tiles, 1) {
                match pass {
                    Some(pass) => lines[index].pass = *pass,
                    None => keep[index] = false,
                }
            }
        }
        let mut keep = keep.into_iter();
        lines.retain(|_| keep.next().unwrap_or(true));
    }

    /// Leaves out the strokes that gain least for their length, until no more than `most_px` of it is left.
    pub(super) fn shorten(&self, lines: &mut Vec<Line>, most_px: f32) {
        let mut length: f32 = lines.iter().map(Line::length_px).sum();
        if length <= most_px {
            return;
        }
        let drawn = chains(lines, self.canvas, self.inks, 1.0);
        let trial = drawn.trial();
        let gains: Vec<f64> = (0..lines.len())
            .into_par_iter()
            .map(|index| {
                let tiles = trial.tiles_of(index);
                let gain =
                    self.loss(&trial, &tiles, Some(index), None) - self.loss(&trial, &tiles, None, None);
                gain / f64::from(lines[index].length_px().max(1.0))
            })
            .collect();
        let mut order: Vec<usize> = (0..lines.len()).collect();
        order.sort_by(|a, b| gains[*a].total_cmp(&gains[*b]).then(a.cmp(b)));
        let mut keep = vec![true; lines.len()];
        for index in order {
            if length <= most_px {
                break;
            }
            keep[index] = false;
            length -= lines[index].length_px();
        }
        let mut keep = keep.into_iter();
        lines.retain(|_| keep.next().unwrap_or(true));
    }

    /// Adds up to `count` strokes of about `length_px` where they make the picture better, those with the most gain for
    /// their length first, and no more than `most_px` of length in all.
    pub(super) fn add(
        &self,
        lines: &mut Vec<Line>,
        count: usize,
        length_px: f32,
        most_px: f32,
        rng: &mut ChaCha8Rng,
    ) {
        let most = lines.len() + count;
        for _ in 0..MOST_TRIES {
            let before = lines.len();
            self.add_some(lines, most - before, length_px, most_px, rng);
            if lines.len() <= before + count / 20 || lines.len() >= most {
                break;
            }
        }
    }

    fn add_some(
        &self,
        lines: &mut Vec<Line>,
        count: usize,
        length_px: f32,
        most_px: f32,
        rng: &mut ChaCha8Rng,
    ) {
        if count == 0 || lines.iter().map(Line::length_px).sum::<f32>() >= most_px {
            return;
        }
        let drawn = chains(lines, self.canvas, self.inks, 1.0);
        let losses: Vec<f64> =
            drawn.paint(|tile| self.wanted.loss(&self.sight, tile)).into_iter().flatten().collect();
        let places = self.places(&losses, count * TRIALS, rng);
        let candidates: Vec<Vec<f32>> = places
            .into_iter()
            .map(|[x, y]| {
                let length = length_px * rng.random_range(0.6..1.4_f32);
                let mut controls = self.flow.trace(x, y, length).to_vec();
                for pair in controls.chunks_exact_mut(2) {
                    pair[0] = pair[0].clamp(self.inside[0], self.inside[2]);
                    pair[1] = pair[1].clamp(self.inside[1], self.inside[3]);
                }
                controls
            })
            .collect();
        let trial = drawn.trial();
        let mut judged: Vec<(f64, usize, Vec<usize>, Line)> = candidates
            .into_par_iter()
            .enumerate()
            .filter_map(|(index, controls)| {
                let tiles = trial.tiles_of_new(&controls, 0);
                let now = self.loss(&trial, &tiles, None, None);
                let gain = |pass: usize| now - self.loss(&trial, &tiles, None, Some((&controls, pass)));
                let (gain, pass) =
                    (0..self.inks.len()).map(|pass| (gain(pass), pass)).max_by(|a, b| a.0.total_cmp(&b.0))?;
                let line = Line::straight(controls, pass);
                let length = f64::from(line.length_px());
                let gain = gain / length.max(1.0) - f64::from(self.thrift);
                (gain > 0.0 && length > f64::from(0.4 * length_px)).then_some((gain, index, tiles, line))
            })
            .collect();
        judged.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let mut length: f32 = lines.iter().map(Line::length_px).sum();
        let mut changed = self.changed();
        let mut added = 0;
        for (_, _, tiles, line) in judged {
            if added == count || length >= most_px {
                break;
            }
            if changed.may(&tiles, MOST_CHANGES) {
                length += line.length_px();
                lines.push(line);
                added += 1;
            }
        }
    }

    /// Random places, more of them where the loss is greater.
    fn places(&self, losses: &[f64], count: usize, rng: &mut ChaCha8Rng) -> Vec<[f32; 2]> {
        let total: f64 = losses.iter().sum();
        let columns = self.canvas.width_px / TILE;
        let mut places = Vec::with_capacity(count);
        let mut due = rng.random::<f64>();
        for (tile, loss) in losses.iter().enumerate() {
            due += loss / total.max(1e-12) * count as f64;
            while due >= 1.0 {
                due -= 1.0;
                let x = ((tile % columns) as f32 + rng.random::<f32>()) * TILE as f32;
                let y = ((tile / columns) as f32 + rng.random::<f32>()) * TILE as f32;
                places
                    .push([x.clamp(self.inside[0], self.inside[2]), y.clamp(self.inside[1], self.inside[3])]);
            }
        }
        places
    }
}
