//! What happens to single activations: rectifiers, maxima, sums.

use super::map::{Buffer, Map, Pools, Size, Window, covering, taps};
use crate::vectors::vectored;
use rayon::prelude::*;

/// Numbers of one task.
const PART: usize = 1 << 14;

/// A rectifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rectifier {
    /// max(x, 0).
    Relu,
    /// min(max(x, 0), 6).
    Relu6,
}

impl Rectifier {
    fn most(self) -> f32 {
        match self {
            Self::Relu => f32::INFINITY,
            Self::Relu6 => 6.0,
        }
    }

    /// Rectifies in place; the marks are 1 where a gradient will pass.
    pub(super) fn forward(self, x: &mut Map, pools: &Pools) -> Buffer<u8> {
        let most = self.most();
        let mut marks = pools.marks.take(x.values.len());
        x.values.par_chunks_mut(PART).zip(marks.par_chunks_mut(PART)).for_each(|(values, marks)| {
            vectored(
                #[inline(always)]
                || {
                    for (value, mark) in values.iter_mut().zip(marks.iter_mut()) {
                        *mark = u8::from(*value > 0.0) & u8::from(*value < most);
                        *value = value.max(0.0).min(most);
                    }
                },
            );
        });
        marks
    }
}

/// Drops what a rectifier didn't let pass.
pub(super) fn pass(gradient: &mut Map, marks: &[u8]) {
    gradient.values.par_chunks_mut(PART).zip(marks.par_chunks(PART)).for_each(|(values, marks)| {
        vectored(
            #[inline(always)]
            || {
                for (value, mark) in values.iter_mut().zip(marks) {
                    *value = if *mark == 0 { 0.0 } else { *value };
                }
            },
        );
    });
}

/// Adds a map of the same shape.
pub(super) fn add(sums: &mut Map, terms: &Map) {
    sums.values.par_chunks_mut(PART).zip(terms.values.par_chunks(PART)).for_each(|(sums, terms)| {
        vectored(
            #[inline(always)]
            || {
                for (sum, term) in sums.iter_mut().zip(terms) {
                    *sum += term;
                }
            },
        );
    });
}

/// The mean of each channel over all pixels; a map of one pixel.
pub(super) fn mean(x: &Map, pools: &Pools) -> Map {
    let mut y = Map::blank(pools, [1, 1], x.channels);
    y.values.fill(0.0);
    for pixel in x.values.chunks_exact(x.channels) {
        y.values.iter_mut().zip(pixel).for_each(|(sum, value)| *sum += value);
    }
    let share = 1.0 / x.pixels() as f32;
    y.values.iter_mut().for_each(|sum| *sum *= share);
    y
}

/// Back from the means' gradient to that of an input of size `input`.
pub(super) fn mean_backward(gradient: &Map, input: Size, pools: &Pools) -> Map {
    let mut x = Map::blank(pools, input, gradient.channels);
    let share = 1.0 / x.pixels() as f32;
    for pixel in x.values.chunks_exact_mut(gradient.channels) {
        pixel.iter_mut().zip(&*gradient.values).for_each(|(value, mean)| *value = share * mean);
    }
    x
}

/// The maximum of every window, and which of its pixels it is: the first, where several are.
pub(super) fn maximum(window: Window, x: &Map, pools: &Pools) -> (Map, Buffer<u8>) {
    let mut y = Map::blank(pools, window.output(x.size), x.channels);
    let mut marks = pools.marks.take(y.values.len());
    let (before, row, channels) = (window.before(x.size), y.size[1] * x.channels, x.channels);
    y.values.par_chunks_mut(row).zip(marks.par_chunks_mut(row)).enumerate().for_each(
        |(line, (out, marks))| {
            let (y_from, y_to, y) = taps(window, before[0], x.size[0], line);
            vectored(
                #[inline(always)]
                || {
                    let pixels = out.chunks_exact_mut(channels).zip(marks.chunks_exact_mut(channels));
                    for (at, (out, marks)) in pixels.enumerate() {
                        let (x_from, x_to, left) = taps(window, before[1], x.size[1], at);
                        out.fill(f32::NEG_INFINITY);
                        for ky in y_from..y_to {
                            for kx in x_from..x_to {
                                let tap = (ky * window.kernel + kx) as u8;
                                let from = ((y + ky - y_from) * x.size[1] + left + kx - x_from) * channels;
                                let from = &x.values[from..from + channels];
                                for ((best, mark), value) in out.iter_mut().zip(marks.iter_mut()).zip(from) {
                                    let better = *value > *best;
                                    *best = if better { *value } else { *best };
                                    *mark = if better { tap } else { *mark };
                                }
                            }
                        }
                    }
                },
            );
        },
    );
    (y, marks)
}

/// Back from the maxima's gradient to that of an input of size `input`.
pub(super) fn maximum_backward(
    window: Window,
    gradient: &Map,
    marks: &[u8],
    input: Size,
    pools: &Pools,
) -> Map {
    let mut result = Map::blank(pools, input, gradient.channels);
    let (before, channels) = (window.before(input), gradient.channels);
    let [high, wide] = gradient.size;
    result.values.par_chunks_mut(input[1] * channels).enumerate().for_each(|(line, out)| {
        let rows = covering(window, before[0], high, line);
        vectored(
            #[inline(always)]
            || {
                for (pixel, out) in out.chunks_exact_mut(channels).enumerate() {
                    let columns = covering(window, before[1], wide, pixel);
                    out.fill(0.0);
                    for wy in rows.0..rows.1 {
                        for wx in columns.0..columns.1 {
                            let ky = line + before[0] - wy * window.stride;
                            let kx = pixel + before[1] - wx * window.stride;
                            let tap = (ky * window.kernel + kx) as u8;
                            let at = (wy * wide + wx) * channels;
                            let passed = gradient.values[at..at + channels].iter();
                            for ((sum, passed), mark) in
                                out.iter_mut().zip(passed).zip(&marks[at..at + channels])
                            {
                                *sum += if *mark == tap { *passed } else { 0.0 };
                            }
                        }
                    }
                }
            },
        );
    });
    result
}
