//! Strokes while they are optimised: control points, what they want to keep of their shape, and Adam's moments.

use crate::Canvas;
use crate::rasterizer::{Chain, Chains};
use traceur_core::color::Ink;

/// Adam's decay of the mean gradient and of its square.
const BETA: [f32; 2] = [0.9, 0.99];

/// One stroke.
#[derive(Debug, Clone)]
pub(super) struct Line {
    /// x and y of 3 n + 1 control points; px.
    pub(super) controls: Vec<f32>,
    /// Its pass.
    pub(super) pass: usize,
    /// Second differences of the control points that it keeps near to; px.
    rest: Vec<[f32; 2]>,
    /// Lengths of its control legs that it does not grow beyond for nothing; px.
    legs: Vec<f32>,
    /// Share of the step that it takes.
    pace: f32,
    moments: Vec<[f32; 2]>,
    steps: i32,
}

impl Line {
    /// A stroke that keeps its shape.
    pub(super) fn keeping(controls: Vec<f32>, pass: usize, pace: f32) -> Self {
        let rest = second_differences(&controls).collect();
        Self::new(controls, pass, rest, pace)
    }

    /// A stroke that would be straight and even.
    pub(super) fn straight(controls: Vec<f32>, pass: usize) -> Self {
        let rest = vec![[0.0; 2]; controls.len() / 2 - 2];
        Self::new(controls, pass, rest, 1.0)
    }

    fn new(controls: Vec<f32>, pass: usize, rest: Vec<[f32; 2]>, pace: f32) -> Self {
        let moments = vec![[0.0; 2]; controls.len()];
        let legs = (1..controls.len() / 2).map(|i| leg(&controls, i)).collect();
        Self { controls, pass, rest, legs, pace, moments, steps: 0 }
    }

    /// About its length: of each cubic, the mean of its chord and its control polygon (Gravesen, 1997); px.
    pub(super) fn length_px(&self) -> f32 {
        let cubic = |first: usize| {
            let [x0, y0, .., x1, y1] = self.controls[2 * first..2 * first + 8] else { return 0.0 };
            let polygon: f32 = (first + 1..first + 4).map(|i| leg(&self.controls, i)).sum();
            0.5 * (polygon + (x1 - x0).hypot(y1 - y0))
        };
        (0..self.controls.len() / 2 - 1).step_by(3).map(cubic).sum()
    }

    /// Adds the gradients of `stiffness` times the squared change of shape, three times that times the squared growth, and
    /// `thrift` times the length. Their sum.
    pub(super) fn regularize(&self, stiffness: f32, thrift: f32, into: &mut [f32]) -> f64 {
        let mut loss = 0.0;
        let weights = [1.0, -2.0, 1.0];
        for (i, (d, rest)) in second_differences(&self.controls).zip(&self.rest).enumerate() {
            for axis in 0..2 {
                let off = d[axis] - rest[axis];
                loss += f64::from(stiffness * off * off);
                for (k, weight) in weights.iter().enumerate() {
                    into[2 * (i + k) + axis] += 2.0 * stiffness * off * weight;
                }
            }
        }
        for i in 1..self.controls.len() / 2 {
            let length = leg(&self.controls, i).max(1e-3);
            let growth = (length - self.legs[i - 1]).max(0.0);
            loss += f64::from(thrift * length + 3.0 * stiffness * growth * growth);
            let pull = (thrift + 6.0 * stiffness * growth) / length;
            for axis in 0..2 {
                let pull = pull * (self.controls[2 * i + axis] - self.controls[2 * i - 2 + axis]);
                into[2 * i + axis] += pull;
                into[2 * (i - 1) + axis] -= pull;
            }
        }
        loss
    }

    /// One step of Adam against `gradient`, held inside left, top, right, bottom.
    pub(super) fn step(&mut self, gradient: &[f32], step_px: f32, inside: [f32; 4]) {
        self.steps += 1;
        let correct = BETA.map(|beta| 1.0 - beta.powi(self.steps));
        for (i, (value, g)) in self.controls.iter_mut().zip(gradient).enumerate() {
            let [mean, square] = &mut self.moments[i];
            *mean = BETA[0] * *mean + (1.0 - BETA[0]) * g;
            *square = BETA[1] * *square + (1.0 - BETA[1]) * g * g;
            let along = (*mean / correct[0]) / ((*square / correct[1]).sqrt() + 1e-12);
            *value = (*value - self.pace * step_px * along).clamp(inside[i % 2], inside[2 + i % 2]);
        }
    }
}

/// Length of the control leg that ends in point `i`.
fn leg(controls: &[f32], i: usize) -> f32 {
    (controls[2 * i] - controls[2 * i - 2]).hypot(controls[2 * i + 1] - controls[2 * i - 1])
}

fn second_differences(controls: &[f32]) -> impl Iterator<Item = [f32; 2]> + '_ {
    let at = |i: usize| controls[i];
    (0..controls.len() / 2 - 2)
        .map(move |i| [0, 1].map(|axis| at(2 * i + axis) - 2.0 * at(2 * i + 2 + axis) + at(2 * i + 4 + axis)))
}

/// All strokes as the rasterizer takes them.
pub(super) fn chains(lines: &[Line], canvas: &Canvas, inks: &[(Ink, f32)], softness_px: f32) -> Chains {
    let mut points = Vec::with_capacity(lines.iter().map(|line| line.controls.len()).sum());
    let strokes = lines
        .iter()
        .map(|line| {
            let first = points.len() / 2;
            points.extend_from_slice(&line.controls);
            let cubics = (line.controls.len() / 2 - 1) / 3;
            Chain { first, cubics, width_px: inks[line.pass].1, pass: line.pass }
        })
        .collect();
    Chains {
        width_px: canvas.width_px,
        height_px: canvas.height_px,
        softness_px,
        inks: inks.to_vec(),
        points,
        strokes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regularizers_agree_with_finite_differences() {
        let controls = vec![1.0, 2.0, 9.0, 4.0, 12.0, 13.0, 20.0, 11.0, 26.0, 18.0, 31.0, 15.0, 40.0, 22.0];
        for line in [Line::straight(controls.clone(), 0), Line::keeping(controls.clone(), 0, 0.5)] {
            let mut moved = line.clone();
            moved.controls.iter_mut().enumerate().for_each(|(i, v)| *v += (i * i % 5) as f32);
            let mut gradient = vec![0.0; controls.len()];
            moved.regularize(0.3, 0.7, &mut gradient);
            for (i, analytic) in gradient.iter().enumerate() {
                let at = |delta: f32| {
                    let mut line = moved.clone();
                    line.controls[i] += delta;
                    line.regularize(0.3, 0.7, &mut vec![0.0; controls.len()])
                };
                let numeric = (at(0.01) - at(-0.01)) / 0.02;
                assert!((f64::from(*analytic) - numeric).abs() < 2e-2, "{i}: {analytic} {numeric}");
            }
        }
    }
}
