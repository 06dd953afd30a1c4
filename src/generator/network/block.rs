//! One inverted residual block with frozen weights, forward and backward for one picture.
//!
//! Both ways the block is a sum over groups of its hidden channels: expand, filter and project one group, and add up
//! what the groups give. A group's pixels fit the second-level cache, groups run on all threads, and as they are added
//! in order the bits don't depend on the threads. Weights get no gradients, so backward needs only to know which
//! hidden activations ReLU6 let pass.

use super::plane::{Plane, Window};
use super::shape::BlockShape;
use super::{relu6, values};
use candle_core::{Device, Result, Tensor};
use pulp::Arch;
use rayon::prelude::*;
use std::ops::Range;

/// Hidden pixels of one group, about: 512 kB of f32.
const GROUP_PIXELS: usize = 1 << 17;

#[derive(Debug)]
pub(super) struct Block {
    pub(super) shape: BlockShape,
    /// Weight [hidden, inputs] and bias, where the block expands.
    pub(super) expand: Option<(Tensor, Vec<f32>)>,
    /// Kernels [hidden, k, k] and bias.
    pub(super) depthwise: (Vec<f32>, Vec<f32>),
    /// Weight [outputs, hidden] and bias.
    pub(super) project: (Tensor, Vec<f32>),
}

/// What backward needs of a forward pass.
#[derive(Debug)]
pub(super) struct BlockTape {
    /// Input height and width, pixels.
    input: [usize; 2],
    groups: Vec<Passed>,
}

/// 1 where ReLU6 let a value pass, 0 where it clamped, for the hidden channels of one group.
#[derive(Debug)]
struct Passed {
    expanded: Vec<u8>,
    filtered: Vec<u8>,
}

impl Block {
    fn window(&self, input: [usize; 2]) -> Window {
        Window { kernel: self.shape.kernel, stride: self.shape.stride, input }
    }

    /// Ranges of hidden channels; they depend on the picture's size only.
    fn groups(&self, pixels: usize) -> Vec<Range<usize>> {
        let hidden = self.shape.hidden;
        let most = (GROUP_PIXELS / pixels).clamp(8, 64);
        let size = hidden.div_ceil(hidden.div_ceil(most));
        (0..hidden).step_by(size).map(|start| start..hidden.min(start + size)).collect()
    }

    /// From `x` [inputs, h·w] to [outputs, h'·w'], with the output's height and width.
    pub(super) fn forward(
        &self,
        x: Vec<f32>,
        input: [usize; 2],
    ) -> Result<(Vec<f32>, [usize; 2], BlockTape)> {
        let (window, pixels) = (self.window(input), input[0] * input[1]);
        let [h, w] = window.output();
        let x = Tensor::from_vec(x, (self.shape.inputs, pixels), &Device::Cpu)?;
        let groups: Vec<_> = self
            .groups(pixels)
            .into_par_iter()
            .map(|hidden| self.forward_group(hidden, &x, window))
            .collect::<Result<_>>()?;
        let mut y = Vec::with_capacity(self.shape.outputs * h * w);
        for bias in &self.project.1 {
            y.resize(y.len() + h * w, *bias);
        }
        if self.shape.residual() {
            values(&x, |x| add(&mut y, x))?;
        }
        let mut passed = Vec::with_capacity(groups.len());
        for (part, tape) in groups {
            values(&part, |part| add(&mut y, part))?;
            passed.push(tape);
        }
        Ok((y, [h, w], BlockTape { input, groups: passed }))
    }

    /// What one group of hidden channels adds to the output.
    fn forward_group(&self, hidden: Range<usize>, x: &Tensor, window: Window) -> Result<(Tensor, Passed)> {
        let (start, count) = (hidden.start, hidden.len());
        let expanded = match &self.expand {
            Some((weight, _)) => weight.narrow(0, start, count)?.matmul(x)?,
            None => x.narrow(0, start, count)?,
        };
        let [pixels, outputs] = [window.input, window.output()].map(|[h, w]| h * w);
        let mut filtered = vec![0.0; count * outputs];
        let mut passed = Passed { expanded: vec![0; count * pixels], filtered: vec![0; count * outputs] };
        let k2 = window.kernel * window.kernel;
        values(&expanded, |expanded| {
            let mut plane = Plane::new(window);
            Arch::new().dispatch(|| {
                let channels = expanded.chunks_exact(pixels).zip(passed.expanded.chunks_exact_mut(pixels));
                let channels = channels
                    .zip(filtered.chunks_exact_mut(outputs))
                    .zip(passed.filtered.chunks_exact_mut(outputs));
                for (channel, (((from, from_passed), to), to_passed)) in (start..).zip(channels) {
                    let bias = self.expand.as_ref().map_or(0.0, |(_, bias)| bias[channel]);
                    plane.fill(from, |value| relu6(value + bias));
                    for (passed, value) in from_passed.iter_mut().zip(from) {
                        *passed = passes(value + bias);
                    }
                    to.fill(self.depthwise.1[channel]);
                    plane.gather(&self.depthwise.0[channel * k2..][..k2], to);
                    for (passed, value) in to_passed.iter_mut().zip(to) {
                        *passed = passes(*value);
                        *value = relu6(*value);
                    }
                }
            });
        })?;
        let filtered = Tensor::from_vec(filtered, (count, outputs), &Device::Cpu)?;
        Ok((self.project.0.narrow(1, start, count)?.matmul(&filtered)?, passed))
    }

    /// From the output's gradient [outputs, h'·w'] to the input's [inputs, h·w].
    pub(super) fn backward(&self, gradient: Vec<f32>, tape: &BlockTape) -> Result<Vec<f32>> {
        let window = self.window(tape.input);
        let [pixels, outputs] = [window.input, window.output()].map(|[h, w]| h * w);
        let gradient = Tensor::from_vec(gradient, (self.shape.outputs, outputs), &Device::Cpu)?;
        let groups = self.groups(pixels);
        let parts: Vec<_> = groups
            .par_iter()
            .zip(&tape.groups)
            .map(|(hidden, passed)| self.backward_group(hidden.clone(), &gradient, passed, window))
            .collect::<Result<_>>()?;
        let mut total = vec![0.0; self.shape.inputs * pixels];
        if self.shape.residual() {
            values(&gradient, |gradient| add(&mut total, gradient))?;
        }
        for (hidden, part) in groups.iter().zip(&parts) {
            // Without an expansion a group's hidden channels are the input channels themselves.
            let start = if self.expand.is_some() { 0 } else { hidden.start * pixels };
            values(part, |part| add(&mut total[start..], part))?;
        }
        Ok(total)
    }

    /// What one group of hidden channels passes back to the input.
    fn backward_group(
        &self,
        hidden: Range<usize>,
        gradient: &Tensor,
        passed: &Passed,
        window: Window,
    ) -> Result<Tensor> {
        let (start, count) = (hidden.start, hidden.len());
        let filtered = self.project.0.narrow(1, start, count)?.t()?.matmul(gradient)?;
        let [pixels, outputs] = [window.input, window.output()].map(|[h, w]| h * w);
        let mut expanded = vec![0.0; count * pixels];
        let k2 = window.kernel * window.kernel;
        values(&filtered, |filtered| {
            let mut plane = Plane::new(window);
            let mut kept = vec![0.0; outputs];
            Arch::new().dispatch(|| {
                let channels = filtered.chunks_exact(outputs).zip(passed.filtered.chunks_exact(outputs));
                let channels =
                    channels.zip(expanded.chunks_exact_mut(pixels)).zip(passed.expanded.chunks_exact(pixels));
                for (channel, (((from, from_passed), to), to_passed)) in (start..).zip(channels) {
                    for ((kept, value), passed) in kept.iter_mut().zip(from).zip(from_passed) {
                        *kept = keep(*value, *passed);
                    }
                    plane.clear();
                    plane.scatter(&self.depthwise.0[channel * k2..][..k2], &kept);
                    plane.extract(to);
                    for (value, passed) in to.iter_mut().zip(to_passed) {
                        *value = keep(*value, *passed);
                    }
                }
            });
        })?;
        let expanded = Tensor::from_vec(expanded, (count, pixels), &Device::Cpu)?;
        match &self.expand {
            Some((weight, _)) => weight.narrow(0, start, count)?.t()?.matmul(&expanded),
            None => Ok(expanded),
        }
    }
}

/// 1 where the gradient of ReLU6 is one.
#[inline(always)]
fn passes(value: f32) -> u8 {
    u8::from(value > 0.0) & u8::from(value < 6.0)
}

#[inline(always)]
fn keep(value: f32, passed: u8) -> f32 {
    if passed == 0 { 0.0 } else { value }
}

fn add(sums: &mut [f32], terms: &[f32]) {
    for (sum, term) in sums.iter_mut().zip(terms) {
        *sum += term;
    }
}
