//! Depthwise convolution with frozen weights: every channel by itself, vectors run over channels.

use super::map::{Map, Pools, Size, Window, covering, taps};
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

/// Output pixels that share the loaded inputs.
const SIDE_BY_SIDE: usize = 4;

/// A depthwise convolution of 3x3 or 5x5 pixels and stride 1 or 2, with as many blank pixels before as after where the
/// stride is 1; its channels are a multiple of 16.
#[derive(Debug)]
pub(super) struct Depthwise {
    window: Window,
    /// [tap, channel].
    weight: Vec<f32>,
    /// The same with the taps in reverse.
    turned: Vec<f32>,
    bias: Vec<f32>,
    blank: Vec<f32>,
}

impl Depthwise {
    /// Of PyTorch's weight [channels, 1, kernel, kernel].
    pub(super) fn new(window: Window, weight: &[f32], bias: Vec<f32>) -> Self {
        let (taps, channels) = (window.kernel * window.kernel, bias.len());
        let by_tap = |tap: usize| (0..channels).map(move |channel| weight[channel * taps + tap]);
        let turned = (0..taps).rev().flat_map(by_tap).collect();
        let blank = vec![0.0; channels];
        Self { window, weight: (0..taps).flat_map(by_tap).collect(), turned, bias, blank }
    }

    pub(super) fn forward(&self, x: &Map, pools: &Pools) -> Map {
        self.apply(&self.weight, &self.bias, self.window, x, pools)
    }

    fn apply(&self, weight: &[f32], bias: &[f32], window: Window, x: &Map, pools: &Pools) -> Map {
        let mut y = Map::blank(pools, window.output(x.size), x.channels);
        let row = y.size[1] * y.channels;
        let width = y.size[1];
        y.values.par_chunks_mut(row).enumerate().for_each(|(line, out)| {
            let task = Line { window, weight, bias, x, line, width, out };
            Arch::new().dispatch(task);
        });
        y
    }

    /// From the output's gradient to that of an input of size `input`.
    pub(super) fn backward(&self, gradient: &Map, input: Size, pools: &Pools) -> Map {
        if self.window.stride == 1 {
            return self.apply(&self.turned, &self.blank, self.window, gradient, pools);
        }
        let mut result = Map::blank(pools, input, gradient.channels);
        let row = input[1] * result.channels;
        let before = self.window.before(input);
        let window = self.window;
        result.values.par_chunks_mut(row).enumerate().for_each(|(line, out)| {
            Arch::new().dispatch(Back { window, weight: &self.weight, gradient, before, line, out });
        });
        result
    }
}

/// One row of the output.
struct Line<'a> {
    window: Window,
    weight: &'a [f32],
    bias: &'a [f32],
    x: &'a Map,
    line: usize,
    width: usize,
    out: &'a mut [f32],
}

impl WithSimd for Line<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        // The last number is of pixels that SIDE_BY_SIDE windows cover.
        match (self.window.kernel, self.window.stride) {
            (3, 1) => self.run::<S, 3, 1, { 3 + 3 }>(simd),
            (3, _) => self.run::<S, 3, 2, { 3 + 6 }>(simd),
            (_, 1) => self.run::<S, 5, 1, { 5 + 3 }>(simd),
            _ => self.run::<S, 5, 2, { 5 + 6 }>(simd),
        }
    }
}

impl Line<'_> {
    #[inline(always)]
    fn run<S: Simd, const K: usize, const STRIDE: usize, const COVERED: usize>(&mut self, simd: S) {
        let (channels, width) = (self.x.channels, self.x.size[1]);
        let before = self.window.before(self.x.size);
        let (y_from, y_to, y) = taps(self.window, before[0], self.x.size[0], self.line);
        // Windows from `full` to `end` lie wholly on the map's row.
        let full = before[1].div_ceil(STRIDE).min(self.width);
        let end = ((width + before[1]).saturating_sub(K) / STRIDE + 1).min(self.width).max(full);
        for channel in (0..channels).step_by(S::F32_LANES) {
            let load = |values: &[f32], at: usize| {
                S::as_simd_f32s(&values[at * channels + channel..][..S::F32_LANES]).0[0]
            };
            let bias = load(self.bias, 0);
            let mut at = 0;
            while at < self.width {
                if at >= full && at + SIDE_BY_SIDE <= end {
                    let mut sums = [bias; SIDE_BY_SIDE];
                    let left = at * STRIDE - before[1];
                    for ky in y_from..y_to {
                        let row = (y + ky - y_from) * width + left;
                        let x: [S::f32s; COVERED] = std::array::from_fn(|i| load(&self.x.values, row + i));
                        for kx in 0..K {
                            let weight = load(self.weight, ky * K + kx);
                            for (i, sum) in sums.iter_mut().enumerate() {
                                *sum = simd.mul_add_f32s(weight, x[i * STRIDE + kx], *sum);
                            }
                        }
                    }
                    for (i, sum) in sums.into_iter().enumerate() {
                        self.store::<S>(at + i, channel, sum);
                    }
                    at += SIDE_BY_SIDE;
                } else {
                    let (from, to, left) = taps(self.window, before[1], width, at);
                    let mut sum = bias;
                    for ky in y_from..y_to {
                        for kx in from..to {
                            let x = load(&self.x.values, (y + ky - y_from) * width + left + kx - from);
                            sum = simd.mul_add_f32s(load(self.weight, ky * K + kx), x, sum);
                        }
                    }
                    self.store::<S>(at, channel, sum);
                    at += 1;
                }
            }
        }
    }

    #[inline(always)]
    fn store<S: Simd>(&mut self, pixel: usize, channel: usize, value: S::f32s) {
        let out = &mut self.out[pixel * self.x.channels + channel..][..S::F32_LANES];
        S::as_mut_simd_f32s(out).0[0] = value;
    }
}

/// One row of the input's gradient, for any stride: every pixel's sum over the windows that cover it.
struct Back<'a> {
    window: Window,
    weight: &'a [f32],
    gradient: &'a Map,
    before: Size,
    line: usize,
    out: &'a mut [f32],
}

impl WithSimd for Back<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Window { kernel, stride, .. } = self.window;
        let (channels, [high, wide]) = (self.gradient.channels, self.gradient.size);
        let rows = covering(self.window, self.before[0], high, self.line);
        for (pixel, out) in self.out.chunks_exact_mut(channels).enumerate() {
            let columns = covering(self.window, self.before[1], wide, pixel);
            let (out, _) = S::as_mut_simd_f32s(out);
            for (chunk, out) in out.iter_mut().enumerate() {
                let load = |values: &[f32], at: usize| {
                    S::as_simd_f32s(&values[at * channels + chunk * S::F32_LANES..][..S::F32_LANES]).0[0]
                };
                let mut sum = simd.splat_f32s(0.0);
                for wy in rows.0..rows.1 {
                    let ky = self.line + self.before[0] - wy * stride;
                    for wx in columns.0..columns.1 {
                        let kx = pixel + self.before[1] - wx * stride;
                        let weight = load(self.weight, ky * kernel + kx);
                        let passed = load(&self.gradient.values, wy * wide + wx);
                        sum = simd.mul_add_f32s(weight, passed, sum);
                    }
                }
                *out = sum;
            }
        }
    }
}
