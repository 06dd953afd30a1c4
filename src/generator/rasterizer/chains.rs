//! Strokes of one or more joined cubics, with a loss that is a sum over tiles: picture, loss and gradient in one go,
//! without a picture in between.

use rayon::prelude::*;

use super::tile::{BandGradient, Index, Line, Scene, Tile, ToTile};
use super::{push_line, to_controls, to_corners};
use traceur_core::color::Ink;

/// One stroke.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in super::super) struct Chain {
    /// Index of its first control point.
    pub(in super::super) first: usize,
    /// It has 3 times as many control points, and one.
    pub(in super::super) cubics: usize,
    /// Width of its line; px.
    pub(in super::super) width_px: f32,
    /// Its pass: an index into the inks.
    pub(in super::super) pass: usize,
}

impl Chain {
    /// The places of its coordinates among all control points' x, y pairs.
    pub(in super::super) fn coordinates(&self) -> std::ops::Range<usize> {
        2 * self.first..2 * (self.first + 3 * self.cubics + 1)
    }
}

/// Strokes on a canvas.
#[derive(Debug, Clone, PartialEq)]
pub(in super::super) struct Chains {
    /// Columns.
    pub(in super::super) width_px: usize,
    /// Rows.
    pub(in super::super) height_px: usize,
    /// Width of the edge between ink and paper; px.
    pub(in super::super) softness_px: f32,
    /// Inks, first pass first, each with the width of its pen's line; px.
    pub(in super::super) inks: Vec<(Ink, f32)>,
    /// x and y of all control points; px.
    pub(in super::super) points: Vec<f32>,
    /// The strokes.
    pub(in super::super) strokes: Vec<Chain>,
}

impl Chains {
    /// The sum over the tiles of `see`'s losses, and its gradient with respect to the points.
    pub(in super::super) fn descend(
        &self,
        see: impl Fn(&Tile<'_>, &mut ToTile) -> f64 + Sync + Copy,
    ) -> (f64, Vec<f32>) {
        let (scene, order) = self.scene();
        let index = scene.index();
        let bands: Vec<BandGradient> =
            (0..scene.bands()).into_par_iter().map(|band| scene.paint_backward(&index, band, see)).collect();
        let corners = to_corners(&scene, &bands);
        let mut gradient = vec![0.0; self.points.len()];
        for (line, stroke) in scene.lines.iter().zip(&order) {
            let range = self.strokes[*stroke].coordinates();
            let controls = &self.points[range.clone()];
            to_controls(controls, &corners[line.points.clone()], &mut gradient[range]);
        }
        (bands.iter().map(|band| band.loss).sum(), gradient)
    }

    /// Calls `see` with each tile of a band, all bands in parallel; what it gave, band by band.
    pub(in super::super) fn paint<T: Send>(&self, see: impl Fn(&Tile<'_>) -> T + Sync) -> Vec<Vec<T>> {
        let (scene, _) = self.scene();
        let index = scene.index();
        let band = |band| {
            let mut seen = Vec::new();
            scene.paint(&index, band, |tile| seen.push(see(tile)));
            seen
        };
        (0..scene.bands()).into_par_iter().map(band).collect()
    }

    /// The strokes as they stand, ready for trials of small changes.
    pub(in super::super) fn trial(&self) -> Trial<'_> {
        let (scene, order) = self.scene();
        let index = scene.index();
        let mut lines = vec![0; order.len()];
        for (line, stroke) in order.iter().enumerate() {
            lines[*stroke] = line;
        }
        Trial { chains: self, scene, index, lines }
    }

    fn scene(&self) -> (Scene, Vec<usize>) {
        let mut order: Vec<usize> = (0..self.strokes.len()).collect();
        order.sort_by_key(|stroke| self.strokes[*stroke].pass);
        let mut scene = Scene {
            width: self.width_px,
            height: self.height_px,
            softness: self.softness_px,
            points: Vec::with_capacity(10 * self.strokes.len()),
            lines: Vec::with_capacity(self.strokes.len()),
            limits: self.inks.iter().map(|(ink, _)| ink.limit).collect(),
        };
        for stroke in &order {
            let chain = self.strokes[*stroke];
            let strength = self.inks[chain.pass].0.strength;
            push_line(&mut scene, &self.points[chain.coordinates()], chain.width_px, strength, chain.pass);
        }
        (scene, order)
    }
}

/// Strokes of which one at a time may be left out, change its pen, or be joined by a new one.
pub(in super::super) struct Trial<'a> {
    chains: &'a Chains,
    scene: Scene,
    index: Index,
    /// The line of each stroke.
    lines: Vec<usize>,
}

impl Trial<'_> {
    /// The tiles that a stroke may touch, in order.
    pub(in super::super) fn tiles_of(&self, stroke: usize) -> Vec<usize> {
        self.scene.tiles_of(self.lines[stroke])
    }

    /// The tiles that a new stroke may touch, in order.
    pub(in super::super) fn tiles_of_new(&self, controls: &[f32], pass: usize) -> Vec<usize> {
        let mut scene = self.empty();
        push_line(&mut scene, controls, self.chains.inks[pass].1, [0.0; 3], pass);
        scene.tiles_of(0)
    }

    /// The loss of `tiles` without the stroke `without`, and with a new one: its control points and its pass.
    pub(in super::super) fn loss(
        &self,
        tiles: &[usize],
        without: Option<usize>,
        with: Option<(&[f32], usize)>,
        see: impl Fn(&Tile<'_>) -> f64,
    ) -> f64 {
        let without = without.map(|stroke| self.lines[stroke]);
        let lines_of = |tile: &usize| {
            let lines = self.index.of(*tile).iter().copied().filter(|line| Some(*line) != without);
            (*tile, lines.collect::<Vec<usize>>())
        };
        let mut lists: Vec<(usize, Vec<usize>)> = tiles.iter().map(lines_of).collect();
        let Some((controls, pass)) = with else { return self.scene.judge(&lists, see) };

        // A scene of the lines that meet the new one, itself among them.
        let mut near: Vec<usize> = lists.iter().flat_map(|(_, lines)| lines.iter().copied()).collect();
        near.sort_unstable();
        near.dedup();
        let place = near.partition_point(|line| self.scene.lines[*line].pass <= pass);
        let mut scene = self.empty();
        for line in &near[..place] {
            self.copy(*line, &mut scene);
        }
        let (ink, width_px) = &self.chains.inks[pass];
        push_line(&mut scene, controls, *width_px, ink.strength, pass);
        for line in &near[place..] {
            self.copy(*line, &mut scene);
        }
        for (_, lines) in &mut lists {
            for line in lines.iter_mut() {
                let at = near.partition_point(|other| other < line);
                *line = at + usize::from(at >= place);
            }
            lines.insert(lines.partition_point(|line| *line < place), place);
        }
        scene.judge(&lists, see)
    }

    fn empty(&self) -> Scene {
        let limits = self.scene.limits.clone();
        Scene { points: Vec::new(), lines: Vec::new(), limits, ..self.scene }
    }

    fn copy(&self, line: usize, into: &mut Scene) {
        let line = &self.scene.lines[line];
        let from = into.points.len();
        into.points.extend_from_slice(&self.scene.points[line.points.clone()]);
        into.lines.push(Line { points: from..into.points.len(), ..line.clone() });
    }
}
