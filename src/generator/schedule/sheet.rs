//! The stage in which copies of a part make a sheet.

use candle_core::{Device, Tensor, Var};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::{Progress, Run, Sheet, Stage, first};
use crate::Error;
use crate::augment::View;
use crate::objective::Term;
use crate::rasterizer::{Rasterizer, values};
use crate::sheet::{Piece, WINDOW_PX, crop_size, random_crops, strokes_in, windows};

/// Step of the points against that of a part: the sheet is nearly done, and larger ones undo more than they gain.
const SHEET_STEP: f64 = 0.2;

impl Run {
    /// Whether the next thing to do is to lay out the sheet.
    pub(super) fn is_part_done(&self) -> bool {
        self.settings.grid.is_some()
            && self.state.stage == Stage::Tune
            && self.state.step >= self.tune_steps()
    }

    /// Steps of a part with pens: none, if it is given.
    pub(super) fn tune_steps(&self) -> usize {
        self.settings.tune_steps.min(self.settings.part_steps())
    }

    /// Goes from a part to the next one that differs, or to the sheet.
    pub(super) fn end_part(&mut self) -> Result<(), Error> {
        let made = self.state.made.len() + 1;
        if self.settings.grid.is_none_or(|grid| made >= grid.parts) {
            return self.lay_out();
        }
        let piece = self.piece()?;
        let mut state = self.state.clone();
        state.made.push(piece);
        state.begin_part(first(&self.settings, made as u64)?);
        *self = Self::with(self.settings.clone(), state)?;
        Ok(())
    }

    /// Goes from parts to the sheet.
    pub(super) fn lay_out(&mut self) -> Result<(), Error> {
        let Some(grid) = self.settings.grid else { return Ok(()) };
        let last = self.piece()?;
        self.state.excitation.tuned = self.seen()?;
        let mut state = self.state.clone();
        state.made.push(last);
        let (sheet, drawable) = (self.settings.canvas()?, self.settings.drawable()?);
        state.lay(grid.lay(&state.made, &self.canvas, &sheet, drawable));
        *self = Self::with(self.settings.clone(), state)?;
        self.state.joined = self.seen()?;
        Ok(())
    }

    /// The part as it is copied. One that was given stays as it is.
    fn piece(&mut self) -> Result<Piece, Error> {
        if self.settings.given.is_empty() {
            self.finish()?;
        }
        Ok(Piece { points: self.state.points.clone(), pass_of: self.state.pass_of.clone() })
    }

    /// One step at a share of the learning rate: the mean of all windows' gradients.
    pub(super) fn descend_in_windows(&mut self, rate: f64) -> Result<Progress, Error> {
        let windows = windows(&mut self.state.rng, &self.canvas);
        let ink = self.ink_weight()?;
        let (share, each) = (1.0 / windows.len() as f32, self.state.each());
        let mut gradient = vec![0.0_f32; self.state.points.len()];
        let (mut loss, mut excitation) = (0.0, 0.0);
        let mut sums: Vec<Term> = Vec::new();
        for corner in windows {
            let jitter = self.settings.jitter;
            let mut view = || View::random(&mut self.state.rng, jitter, WINDOW_PX, WINDOW_PX);
            let views: Vec<View> = (0..self.settings.views.max(1)).map(|_| view()).collect();
            let (strokes, rasterizer, points) = self.window(corner)?;
            if strokes.is_empty() {
                continue;
            }
            let picture = rasterizer.draw(&points)?;
            let terms = self.objective.shifted(corner).terms(&picture, &points, &views, ink)?;
            let gradients = terms.loss.backward()?;
            if let Some(of_points) = gradients.get(&points) {
                for (stroke, part) in strokes.iter().zip(values(of_points)?.chunks_exact(each)) {
                    let into = &mut gradient[each * stroke..each * (stroke + 1)];
                    into.iter_mut().zip(part).for_each(|(into, part)| *into += share * part);
                }
            }
            loss += share * terms.loss.to_scalar::<f32>()?;
            excitation += share * terms.excitation;
            if sums.is_empty() {
                sums = terms.parts.iter().map(|term| Term { value: 0.0, ..term.clone() }).collect();
            }
            sums.iter_mut().zip(terms.parts).for_each(|(sum, term)| sum.value += share * term.value);
        }
        let rate_px = self.settings.step_px * SHEET_STEP * rate;
        self.state.move_points.step(&mut self.state.points, &gradient, rate_px);
        Ok(self.note(loss, excitation, sums, rate_px))
    }

    /// What a window shows: the strokes in it, and how to draw them at their points in it.
    fn window(&self, corner: [f32; 2]) -> Result<(Vec<usize>, Rasterizer, Var), Error> {
        let all = &self.rasterizer;
        let widest = all.widths_px.iter().copied().fold(0.0, f32::max);
        let strokes =
            strokes_in(&self.state.points, self.state.each(), corner, 0.5 * widest + all.softness_px);
        let each = self.state.each();
        let own = |index: &usize| &self.state.points[each * index..each * (index + 1)];
        let points: Vec<f32> =
            strokes.iter().flat_map(own).enumerate().map(|(i, value)| value - corner[i % 2]).collect();
        let rasterizer = Rasterizer {
            width_px: WINDOW_PX,
            height_px: WINDOW_PX,
            softness_px: all.softness_px,
            widths_px: strokes.iter().map(|index| all.widths_px[*index]).collect(),
            inks: all.inks.clone(),
            pass_of: strokes.iter().map(|index| all.pass_of[*index]).collect(),
        };
        let points = Tensor::from_vec(points, (strokes.len(), each / 2, 2), &Device::Cpu)?;
        Ok((strokes, rasterizer, Var::from_tensor(&points)?))
    }

    /// Mean of the channel over crops of a picture [3 or more, H, W] of the sheet.
    pub(super) fn over_crops(&self, picture: &Tensor, corners: &[[usize; 2]]) -> Result<f32, Error> {
        let [width, height] = crop_size(&self.canvas);
        let mut sum = 0.0;
        for [left, top] in corners {
            let crop = picture.narrow(0, 0, 3)?.narrow(1, *top, height)?.narrow(2, *left, width)?;
            sum += self.objective.excitation(&crop.detach().contiguous()?.unsqueeze(0)?)?;
        }
        Ok(sum / corners.len().max(1) as f32)
    }

    /// The same with each crop seen by a random view of its own.
    pub(super) fn over_views(&self, picture: &Tensor) -> Result<f32, Error> {
        let [width, height] = crop_size(&self.canvas);
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let (corners, mut sum) = (random_crops(&self.canvas), 0.0);
        for [left, top] in &corners {
            let crop = picture.narrow(0, 0, 3)?.narrow(1, *top, height)?.narrow(2, *left, width)?;
            let view = View::random(&mut rng, self.settings.jitter, width, height);
            sum += self.objective.excitation(&view.see(&crop.detach().contiguous()?)?.unsqueeze(0)?)?;
        }
        Ok(sum / corners.len() as f32)
    }

    /// How good the sheet is, if this is one.
    pub(super) fn judge_sheet(&self, picture: &Tensor) -> Result<Option<Sheet>, Error> {
        let Some(grid) = self.settings.grid else { return Ok(None) };
        let (seams, centers) = grid.crops(&self.canvas, self.drawable);
        let seams = if seams.is_empty() { centers.clone() } else { seams };
        Ok(Some(Sheet {
            joined: self.state.joined,
            tuned: self.over_crops(picture, &random_crops(&self.canvas))?,
            seams: self.over_crops(picture, &seams)?,
            centers: self.over_crops(picture, &centers)?,
        }))
    }
}
