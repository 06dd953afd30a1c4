//! Adam, with moments that can be kept in a checkpoint: those of candle's optimiser are private.
//!
//! Kingma and Ba, "Adam: A Method for Stochastic Optimization" (2015), without weight decay.

use std::ops::Range;

use serde::{Deserialize, Serialize};

const BETA_1: f64 = 0.9;
const BETA_2: f64 = 0.99;
/// Keeps a parameter that never had a gradient from a division by zero.
const EPSILON: f32 = 1e-12;

/// The moments of some parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Adam {
    steps: i32,
    first: Vec<f32>,
    second: Vec<f32>,
}

impl Adam {
    /// Before the first step of `count` parameters.
    pub(super) fn new(count: usize) -> Self {
        Self { steps: 0, first: vec![0.0; count], second: vec![0.0; count] }
    }

    /// Whether these are the moments of `count` parameters.
    pub(super) fn fits(&self, count: usize) -> bool {
        self.steps >= 0 && self.first.len() == count && self.second.len() == count
    }

    /// Forgets the parameters, `each` a stroke, of the strokes that are not kept.
    pub(super) fn keep(&mut self, each: usize, keep: &[bool]) {
        retain(&mut self.first, each, keep);
        retain(&mut self.second, each, keep);
    }

    /// Forgets the moments of some parameters, which begin anew.
    pub(super) fn forget(&mut self, parameters: Range<usize>) {
        self.first[parameters.clone()].fill(0.0);
        self.second[parameters].fill(0.0);
    }

    /// Moves `values` against `gradient`, each by about `rate`.
    pub(super) fn step(&mut self, values: &mut [f32], gradient: &[f32], rate: f64) {
        self.steps = self.steps.saturating_add(1);
        let unbias = |beta: f64| (1.0 / (1.0 - beta.powi(self.steps))) as f32;
        let (unbias_1, unbias_2) = (unbias(BETA_1), unbias(BETA_2));
        let (keep_1, add_1) = (BETA_1 as f32, (1.0 - BETA_1) as f32);
        let (keep_2, add_2) = (BETA_2 as f32, (1.0 - BETA_2) as f32);
        let moments = self.first.iter_mut().zip(&mut self.second);
        for ((value, g), (first, second)) in values.iter_mut().zip(gradient).zip(moments) {
            *first = *first * keep_1 + g * add_1;
            *second = *second * keep_2 + g * g * add_2;
            *value -= *first * unbias_1 / ((*second * unbias_2).sqrt() + EPSILON) * rate as f32;
        }
    }
}

/// Keeps the values, `each` a stroke, of the strokes that are kept.
pub(super) fn retain<T>(values: &mut Vec<T>, each: usize, keep: &[bool]) {
    let mut index = 0;
    values.retain(|_| {
        index += 1;
        keep.get((index - 1) / each).copied().unwrap_or(true)
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{Device, Var};
    use candle_nn::optim::{AdamW, Optimizer, ParamsAdamW};

    #[test]
    fn every_step_is_candles_to_the_last_bit() {
        let mut values = vec![1.0_f32, -2.0, 3.0, 0.0];
        let var = Var::from_slice(&values, 4, &Device::Cpu).unwrap();
        let params = ParamsAdamW { lr: 0.1, beta1: 0.9, beta2: 0.99, eps: 1e-12, weight_decay: 0.0 };
        let mut theirs = AdamW::new(vec![var.clone()], params).unwrap();
        let mut ours = Adam::new(4);
        for step in 0..40 {
            let rate = 0.1 + 0.01 * f64::from(step);
            let loss = ((var.as_tensor() - 0.3).unwrap().sqr().unwrap() * 1.7).unwrap().sum_all().unwrap();
            let gradients = loss.backward().unwrap();
            let gradient = gradients.get(&var).unwrap().to_vec1::<f32>().unwrap();
            theirs.set_learning_rate(rate);
            theirs.step(&gradients).unwrap();
            ours.step(&mut values, &gradient, rate);
            assert_eq!(values, var.to_vec1::<f32>().unwrap(), "step {step}");
        }
    }
}
