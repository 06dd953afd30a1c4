//! Convolution with frozen weights: rows of window pixels times weights, and back.

use super::gemm::{Panels, Rows};
use super::map::{Map, Pools, Size, Window, covering, taps};
use rayon::prelude::*;

/// Numbers of one task's rows: 256 kB, a part of the second-level cache.
const BLOCK: usize = 1 << 16;

/// A convolution from maps of `inputs` channels to maps of `outputs`.
#[derive(Debug)]
pub(super) struct Conv {
    window: Window,
    inputs: usize,
    /// [kernel · kernel · inputs, outputs].
    forward: Panels,
    /// The same, transposed.
    backward: Panels,
    outputs: usize,
}

impl Conv {
    /// Of PyTorch's weight [outputs, inputs, kernel, kernel].
    pub(super) fn new(window: Window, inputs: usize, weight: &[f32], bias: &[f32]) -> Self {
        let (taps, outputs) = (window.kernel * window.kernel, bias.len());
        let value = |inner: usize, column: usize| {
            let (tap, input) = (inner / inputs, inner % inputs);
            weight[(column * inputs + input) * taps + tap]
        };
        let forward = Panels::new(taps * inputs, outputs, value).with_bias(bias);
        let backward = Panels::new(outputs, taps * inputs, |column, inner| value(inner, column));
        Self { window, inputs, forward, backward, outputs }
    }

    /// Whether a window is one pixel, so that the map's own rows are the window's.
    fn pointwise(&self) -> bool {
        self.window.kernel == 1 && self.window.stride == 1
    }

    pub(super) fn forward(&self, x: &Map, pools: &Pools) -> Map {
        let outputs = self.outputs;
        let mut y = Map::blank(pools, self.window.output(x.size), outputs);
        let inner = self.forward.inner();
        let rows = block_rows(inner.max(outputs), y.pixels());
        let before = self.window.before(x.size);
        let width = y.size[1];
        y.values.par_chunks_mut(rows * outputs).enumerate().for_each(|(block, out)| {
            let (first, count) = (block * rows, out.len() / outputs);
            if self.pointwise() {
                let values = &x.values[first * inner..][..count * inner];
                self.forward.multiply(Rows { values, count, stride: inner }, out);
                return;
            }
            let mut windows = pools.numbers.take(count * inner);
            for (at, window) in (first..).zip(windows.chunks_exact_mut(inner)) {
                self.read(x, before, [at / width, at % width], window);
            }
            let rows = Rows { values: &windows, count, stride: inner };
            self.forward.multiply(rows, out);
        });
        y
    }

    /// The pixels under one window, blank ones off the map.
    fn read(&self, x: &Map, before: Size, at: Size, window: &mut [f32]) {
        let row = self.window.kernel * self.inputs;
        let [(y_from, y_to, y), (x_from, x_to, left)] =
            [0, 1].map(|axis| taps(self.window, before[axis], x.size[axis], at[axis]));
        window[..y_from * row].fill(0.0);
        window[y_to * row..].fill(0.0);
        for (line, to) in window[y_from * row..y_to * row].chunks_exact_mut(row).enumerate() {
            let from = ((y + line) * x.size[1] + left) * self.inputs;
            let (blank, to) = to.split_at_mut(x_from * self.inputs);
            let (to, rest) = to.split_at_mut((x_to - x_from) * self.inputs);
            blank.fill(0.0);
            to.copy_from_slice(&x.values[from..from + to.len()]);
            rest.fill(0.0);
        }
    }

    /// From the output's gradient to that of an input of size `input`.
    pub(super) fn backward(&self, gradient: &Map, input: Size, pools: &Pools) -> Map {
        let mut result = Map::blank(pools, input, self.inputs);
        let (inner, outputs) = (self.forward.inner(), self.outputs);
        let rows = block_rows(inner.max(outputs), gradient.pixels());
        let multiply = |gradient: &[f32], windows: &mut [f32]| {
            let rows = Rows { values: gradient, count: gradient.len() / outputs, stride: outputs };
            self.backward.multiply(rows, windows);
        };
        let blocks = gradient.values.par_chunks(rows * outputs);
        if self.pointwise() {
            blocks.zip(result.values.par_chunks_mut(rows * inner)).for_each(|(from, to)| multiply(from, to));
            return result;
        }
        let mut windows = pools.numbers.take(gradient.pixels() * inner);
        blocks.zip(windows.par_chunks_mut(rows * inner)).for_each(|(from, to)| multiply(from, to));
        self.gather(&windows, gradient.size, &mut result);
        result
    }

    /// Every input pixel's sum over the windows that cover it.
    fn gather(&self, windows: &[f32], count: Size, result: &mut Map) {
        let (kernel, stride, inputs) = (self.window.kernel, self.window.stride, self.inputs);
        let (size, before) = (result.size, self.window.before(result.size));
        let inner = kernel * kernel * inputs;
        result.values.par_chunks_mut(size[1] * inputs).enumerate().for_each(|(y, line)| {
            line.fill(0.0);
            let (begin, end) = covering(self.window, before[0], count[0], y);
            for wy in begin..end {
                let ky = y + before[0] - wy * stride;
                for wx in 0..count[1] {
                    let (from, to, left) = taps(self.window, before[1], size[1], wx);
                    let taps = &windows[(wy * count[1] + wx) * inner + ky * kernel * inputs..];
                    let taps = &taps[from * inputs..to * inputs];
                    for (sum, part) in line[left * inputs..].iter_mut().zip(taps) {
                        *sum += part;
                    }
                }
            }
        });
    }
}

/// Rows of a block: a multiple of a tile's 8.
pub(super) fn block_rows(row: usize, all: usize) -> usize {
    (BLOCK / row / 8 * 8).clamp(8, all.next_multiple_of(8).max(8))
}
