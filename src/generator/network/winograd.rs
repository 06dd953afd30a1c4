//! 3x3 convolution of stride 1 by Winograd's minimal filtering: a quarter of the multiplications.
//!
//! A tile of 4x4 outputs needs 6x6 inputs. Both the inputs and the kernels are taken to 36 "frequencies", in which the
//! convolution is a product of matrices [tiles, inputs] · [inputs, outputs], and the sums are taken back. Matrices for
//! the points 0, ±1, ±2 and ∞: Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2015, F(4x4, 3x3).
//! The input's gradient is the convolution of the output's with the turned kernels, so it is the same operation.

use super::gemm::{Panels, Rows, VECTOR};
use super::map::{Map, Padding, Pools, Size, Window};
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;
use std::sync::OnceLock;

/// How its windows move.
pub(super) const WINDOW: Window = Window { kernel: 3, stride: 1, padding: Padding::Even(1) };
const OUT: usize = 4;
const IN: usize = 6;
const FREQUENCIES: usize = IN * IN;
/// Tiles of a block, about: enough to read the weights not too often.
const TILES: usize = 56;

/// A 3x3 convolution of stride 1 with one blank pixel around.
#[derive(Debug)]
pub(super) struct Winograd {
    inputs: usize,
    /// PyTorch's weight [outputs, inputs, 3, 3].
    weight: Vec<f32>,
    bias: Vec<f32>,
    /// One matrix [inputs, outputs] for each frequency; made when first needed, as is the other way.
    forward: OnceLock<Vec<Panels>>,
    backward: OnceLock<Vec<Panels>>,
}

/// Whether [`Winograd`] can do it: vectors run over channels.
pub(super) fn fits(inputs: usize, outputs: usize) -> bool {
    inputs.is_multiple_of(VECTOR) && outputs.is_multiple_of(VECTOR)
}

impl Winograd {
    pub(super) fn new(inputs: usize, weight: Vec<f32>, bias: Vec<f32>) -> Self {
        Self { inputs, weight, bias, forward: OnceLock::new(), backward: OnceLock::new() }
    }

    pub(super) fn forward(&self, x: &Map, pools: &Pools) -> Map {
        let outputs = self.bias.len();
        let kernel = |input: usize, output: usize| {
            let kernel = &self.weight[(output * self.inputs + input) * 9..][..9];
            std::array::from_fn(|tap| kernel[tap])
        };
        let weights = self.forward.get_or_init(|| frequencies(self.inputs, outputs, kernel));
        apply(weights, x, Some(&self.bias), pools)
    }

    pub(super) fn backward(&self, gradient: &Map, pools: &Pools) -> Map {
        let turned = |output: usize, input: usize| {
            let kernel = &self.weight[(output * self.inputs + input) * 9..][..9];
            std::array::from_fn(|tap| kernel[8 - tap])
        };
        let weights = self.backward.get_or_init(|| frequencies(self.bias.len(), self.inputs, turned));
        apply(weights, gradient, None, pools)
    }
}

/// The 36 matrices [inputs, outputs] of kernels(input, output).
fn frequencies(
    inputs: usize,
    outputs: usize,
    kernel: impl Fn(usize, usize) -> [f32; 9] + Sync,
) -> Vec<Panels> {
    let kernels: Vec<[f32; FREQUENCIES]> = (0..inputs * outputs)
        .into_par_iter()
        .map(|index| transformed(kernel(index / outputs, index % outputs)))
        .collect();
    let panels = |frequency: usize| {
        Panels::new(inputs, outputs, |input, output| kernels[input * outputs + output][frequency])
    };
    (0..FREQUENCIES).into_par_iter().map(panels).collect()
}

/// G g Gᵀ, in f64.
fn transformed(kernel: [f32; 9]) -> [f32; FREQUENCIES] {
    let along = |g: [f64; 3]| {
        let ([even, odd], [far, near]) =
            ([(g[0] + g[2]) / 6.0, g[1] / 6.0], [g[0] / 24.0 + g[2] / 6.0, g[1] / 12.0]);
        [g[0] / 4.0, -even - odd, -even + odd, far + near, far - near, g[2]]
    };
    let kernel = kernel.map(f64::from);
    let columns: [[f64; IN]; 3] = std::array::from_fn(|x| along([kernel[x], kernel[3 + x], kernel[6 + x]]));
    let mut result = [0.0; FREQUENCIES];
    for (y, row) in result.chunks_exact_mut(IN).enumerate() {
        for (to, from) in row.iter_mut().zip(along([columns[0][y], columns[1][y], columns[2][y]])) {
            *to = from as f32;
        }
    }
    result
}

/// The convolution of a map, by blocks of whole rows of tiles.
fn apply(weights: &[Panels], x: &Map, bias: Option<&[f32]>, pools: &Pools) -> Map {
    let (inputs, outputs) = (weights[0].inner(), weights[0].columns());
    let mut y = Map::blank(pools, x.size, outputs);
    let [high, wide] = x.size.map(|size| size.div_ceil(OUT));
    let rows = (TILES / wide).clamp(1, high);
    let part = rows * OUT * x.size[1] * outputs;
    y.values.par_chunks_mut(part).enumerate().for_each(|(block, out)| {
        let first = block * rows;
        let tiles = rows.min(high - first) * wide;
        let mut seen = pools.numbers.take(FREQUENCIES * tiles * inputs);
        Arch::new().dispatch(IntoFrequencies { x, first, wide, tiles, seen: &mut seen });
        let mut sums = pools.numbers.take(FREQUENCIES * tiles * outputs);
        let products = sums.par_chunks_exact_mut(tiles * outputs).zip(seen.par_chunks_exact(tiles * inputs));
        products.zip(weights).for_each(|((sums, seen), weights)| {
            weights.multiply(Rows { values: seen, count: tiles, stride: inputs }, sums);
        });
        drop(seen);
        Arch::new().dispatch(FromFrequencies { sums: &sums, bias, size: x.size, wide, tiles, outputs, out });
    });
    y
}

/// Tiles of a map to frequencies: Bᵀ d B.
struct IntoFrequencies<'a> {
    x: &'a Map,
    /// First row of tiles.
    first: usize,
    /// Tiles in a row.
    wide: usize,
    tiles: usize,
    /// [frequency, tile, channel].
    seen: &'a mut [f32],
}

impl WithSimd for IntoFrequencies<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let channels = self.x.channels;
        let [height, width] = self.x.size;
        for tile in 0..self.tiles {
            // The tile's upper left pixel, one further than it is.
            let (top, left) = ((self.first + tile / self.wide) * OUT, tile % self.wide * OUT);
            let inside = top > 0 && left > 0 && top + IN - 1 <= height && left + IN - 1 <= width;
            for channel in (0..channels).step_by(S::F32_LANES) {
                let load = |y: usize, x: usize| {
                    if !inside && (top + y < 1 || top + y > height || left + x < 1 || left + x > width) {
                        return simd.splat_f32s(0.0);
                    }
                    let at = ((top + y - 1) * width + left + x - 1) * channels + channel;
                    S::as_simd_f32s(&self.x.values[at..at + S::F32_LANES]).0[0]
                };
                let mut columns = [[simd.splat_f32s(0.0); IN]; IN];
                for (x, column) in columns.iter_mut().enumerate() {
                    *column = along_in(simd, std::array::from_fn(|y| load(y, x)));
                }
                #[expect(
                    clippy::needless_range_loop,
                    reason = "turning the array by `map` copies it: half the speed"
                )]
                for y in 0..IN {
                    let row = along_in(simd, std::array::from_fn(|x| columns[x][y]));
                    for (x, value) in row.into_iter().enumerate() {
                        let at = ((y * IN + x) * self.tiles + tile) * channels + channel;
                        S::as_mut_simd_f32s(&mut self.seen[at..at + S::F32_LANES]).0[0] = value;
                    }
                }
            }
        }
    }
}

/// Bᵀ d along one axis.
#[inline(always)]
fn along_in<S: Simd>(simd: S, d: [S::f32s; IN]) -> [S::f32s; IN] {
    let [two, four, five] = [2.0, 4.0, 5.0].map(|number| simd.splat_f32s(number));
    let less = |factor: S::f32s, a, b| simd.mul_add_f32s(simd.neg_f32s(factor), a, b);
    let even = less(four, d[2], d[4]);
    let odd = less(four, d[1], d[3]);
    let near = simd.sub_f32s(d[4], d[2]);
    let far = simd.mul_f32s(two, simd.sub_f32s(d[3], d[1]));
    [
        simd.add_f32s(less(five, d[2], d[4]), simd.mul_f32s(four, d[0])),
        simd.add_f32s(even, odd),
        simd.sub_f32s(even, odd),
        simd.add_f32s(near, far),
        simd.sub_f32s(near, far),
        simd.add_f32s(less(five, d[3], d[5]), simd.mul_f32s(four, d[1])),
    ]
}

/// Sums over frequencies to the outputs of tiles: Aᵀ m A.
struct FromFrequencies<'a> {
    /// [frequency, tile, channel].
    sums: &'a [f32],
    bias: Option<&'a [f32]>,
    /// Of the whole map.
    size: Size,
    wide: usize,
    tiles: usize,
    outputs: usize,
    /// The map's rows under the tiles.
    out: &'a mut [f32],
}

impl WithSimd for FromFrequencies<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (width, channels) = (self.size[1], self.outputs);
        let height = self.out.len() / (width * channels);
        for tile in 0..self.tiles {
            let (top, left) = (tile / self.wide * OUT, tile % self.wide * OUT);
            for channel in (0..channels).step_by(S::F32_LANES) {
                let load = |frequency: usize| {
                    let at = (frequency * self.tiles + tile) * channels + channel;
                    S::as_simd_f32s(&self.sums[at..at + S::F32_LANES]).0[0]
                };
                let bias = match self.bias {
                    Some(bias) => S::as_simd_f32s(&bias[channel..channel + S::F32_LANES]).0[0],
                    None => simd.splat_f32s(0.0),
                };
                let mut columns = [[simd.splat_f32s(0.0); OUT]; IN];
                for (x, column) in columns.iter_mut().enumerate() {
                    *column = along_out(simd, std::array::from_fn(|y| load(y * IN + x)));
                }
                #[expect(
                    clippy::needless_range_loop,
                    reason = "turning the array by `map` copies it: half the speed"
                )]
                for y in 0..OUT.min(height - top) {
                    let row = along_out(simd, std::array::from_fn(|x| columns[x][y]));
                    for (x, value) in row.into_iter().enumerate().take(width - left) {
                        let at = ((top + y) * width + left + x) * channels + channel;
                        let to = S::as_mut_simd_f32s(&mut self.out[at..at + S::F32_LANES]).0;
                        to[0] = simd.add_f32s(value, bias);
                    }
                }
            }
        }
    }
}

/// Aᵀ m along one axis.
#[inline(always)]
fn along_out<S: Simd>(simd: S, m: [S::f32s; IN]) -> [S::f32s; OUT] {
    let (near, near_odd) = (simd.add_f32s(m[1], m[2]), simd.sub_f32s(m[1], m[2]));
    let (far, far_odd) = (simd.add_f32s(m[3], m[4]), simd.sub_f32s(m[3], m[4]));
    let times = |factor: f32, a, b| simd.mul_add_f32s(simd.splat_f32s(factor), a, b);
    [
        simd.add_f32s(m[0], simd.add_f32s(near, far)),
        times(2.0, far_odd, near_odd),
        times(4.0, far, near),
        simd.add_f32s(m[5], times(8.0, far_odd, near_odd)),
    ]
}
