//! Activations of one picture, and the memory they live in, which is used again.
//!
//! Fresh pages cost more than many of the operations here: a buffer that is done goes back to its pool, and the next
//! step finds it there.

use std::collections::VecDeque;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};

/// Buffers that a pool keeps for later; one step of the deepest network needs fewer.
const KEPT: usize = 256;

/// Memory for numbers of one kind. Cloning shares it.
#[derive(Debug, Clone, Default)]
pub(super) struct Pool<T>(Arc<Mutex<VecDeque<Vec<T>>>>);

impl<T: Copy + Default> Pool<T> {
    /// A buffer of `count` numbers, whatever they are.
    pub(super) fn take(&self, count: usize) -> Buffer<T> {
        let mut free = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = |values: &&Vec<T>| values.len() >= count && values.len() <= 2 * count;
        let best = free.iter().filter(fits).map(Vec::len).min();
        let found = best.and_then(|size| free.iter().position(|values| values.len() == size));
        let values = found.and_then(|index| free.remove(index));
        drop(free);
        let values = values.unwrap_or_else(|| vec![T::default(); count]);
        Buffer { values, count, pool: self.0.clone() }
    }
}

#[cfg(test)]
impl<T> Pool<T> {
    /// Numbers that wait to be used again.
    pub(super) fn waiting(&self) -> usize {
        self.0.lock().unwrap().iter().map(Vec::len).sum()
    }
}

/// A part of a pool's memory; goes back when dropped.
#[derive(Debug)]
pub(super) struct Buffer<T> {
    values: Vec<T>,
    count: usize,
    pool: Arc<Mutex<VecDeque<Vec<T>>>>,
}

impl<T> Deref for Buffer<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.values[..self.count]
    }
}

impl<T> DerefMut for Buffer<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.values[..self.count]
    }
}

impl<T> Drop for Buffer<T> {
    fn drop(&mut self) {
        let mut free = self.pool.lock().unwrap_or_else(PoisonError::into_inner);
        if free.len() >= KEPT {
            free.pop_front();
        }
        free.push_back(std::mem::take(&mut self.values));
    }
}

/// The pools of a network.
#[derive(Debug, Clone, Default)]
pub(super) struct Pools {
    pub(super) numbers: Pool<f32>,
    /// One byte for each activation: whether it let its gradient pass, or from which pixel it came.
    pub(super) marks: Pool<u8>,
}

/// Height and width of a map, pixels.
pub(super) type Size = [usize; 2];

/// Activations [height, width, channels], or their gradient.
#[derive(Debug)]
pub(super) struct Map {
    pub(super) size: Size,
    pub(super) channels: usize,
    pub(super) values: Buffer<f32>,
}

impl Map {
    /// A map whose numbers are still to be written.
    pub(super) fn blank(pools: &Pools, size: Size, channels: usize) -> Self {
        Self { size, channels, values: pools.numbers.take(size[0] * size[1] * channels) }
    }

    pub(super) fn copy(&self, pools: &Pools) -> Self {
        let mut copy = Self::blank(pools, self.size, self.channels);
        copy.values.copy_from_slice(&self.values);
        copy
    }

    pub(super) fn pixels(&self) -> usize {
        self.size[0] * self.size[1]
    }
}

/// How a window moves over a map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    /// Edge, pixels.
    pub(crate) kernel: usize,
    pub(crate) stride: usize,
    pub(crate) padding: Padding,
}

/// Blank pixels around a map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Padding {
    /// As many on every side; PyTorch's way.
    Even(usize),
    /// TensorFlow's "same": ⌈size / stride⌉ windows, the odd pixel goes after.
    Same,
}

impl Window {
    /// Windows along an axis of `size` pixels, and blank pixels before it.
    fn along(self, size: usize) -> (usize, usize) {
        match self.padding {
            Padding::Even(padding) => {
                ((size + 2 * padding).saturating_sub(self.kernel) / self.stride + 1, padding)
            }
            Padding::Same => {
                let count = size.div_ceil(self.stride);
                (count, ((count - 1) * self.stride + self.kernel).saturating_sub(size) / 2)
            }
        }
    }

    /// Height and width of the output.
    pub(super) fn output(self, input: Size) -> Size {
        input.map(|size| self.along(size).0)
    }

    /// Blank pixels above and at the left.
    pub(super) fn before(self, input: Size) -> Size {
        input.map(|size| self.along(size).1)
    }
}

/// The part of window `at` that lies on an axis of `size` pixels: taps from, taps to, and the pixel under the first.
pub(super) fn taps(window: Window, before: usize, size: usize, at: usize) -> (usize, usize, usize) {
    let start = at * window.stride;
    let from = before.saturating_sub(start).min(window.kernel);
    let to = (size + before).saturating_sub(start).min(window.kernel).max(from);
    (from, to, (start + from).saturating_sub(before))
}

/// The windows of an axis that cover pixel `at`, `count` there are: from, to (exclusive).
pub(super) fn covering(window: Window, before: usize, count: usize, at: usize) -> (usize, usize) {
    let end = ((at + before) / window.stride + 1).min(count);
    let begin = (at + before + 1).saturating_sub(window.kernel).div_ceil(window.stride);
    (begin.min(end), end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_and_the_pixels_it_covers_know_each_other() {
        for kernel in 1..=7 {
            for (stride, size) in [(1, 7), (1, 12), (2, 7), (2, 8), (2, 15), (3, 16)] {
                for padding in [Padding::Same, Padding::Even(kernel / 2), Padding::Even(0)] {
                    let window = Window { kernel, stride, padding };
                    if size < kernel {
                        continue;
                    }
                    let (count, before) = window.along(size);
                    let mut covered = vec![Vec::new(); size];
                    for at in 0..count {
                        let (from, to, pixel) = taps(window, before, size, at);
                        for tap in from..to {
                            assert_eq!(pixel + tap - from + before, at * stride + tap);
                            covered[pixel + tap - from].push(at);
                        }
                    }
                    for (pixel, windows) in covered.iter().enumerate() {
                        let (begin, end) = covering(window, before, count, pixel);
                        assert_eq!(*windows, (begin..end).collect::<Vec<_>>(), "{window:?} {size} {pixel}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_buffer_is_used_again() {
        let pool = Pool::<f32>::default();
        let address = pool.take(1000).as_ptr();
        assert_eq!(pool.take(900).as_ptr(), address);
        assert_ne!(pool.take(10).as_ptr(), address);
    }
}
