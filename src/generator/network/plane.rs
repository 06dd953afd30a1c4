//! Depthwise convolution of one channel, forward and backward, as sums of whole rows.
//!
//! A [`Plane`] is one padded channel in which a row's even columns stand before its odd ones when the stride is 2, so
//! that the pixels under one tap of the kernel are contiguous for either stride, and no tap needs to look at edges.

/// Where a convolution with TensorFlow's "same" padding reads and writes: the output has ⌈size / stride⌉ pixels, and
/// the odd pixel of padding goes after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) kernel: usize,
    pub(super) stride: usize,
    /// Input height and width, pixels.
    pub(super) input: [usize; 2],
}

impl Window {
    /// Output height and width, pixels.
    pub(super) fn output(self) -> [usize; 2] {
        self.input.map(|size| size.div_ceil(self.stride))
    }

    /// Padding above and at the left, pixels.
    fn before(self) -> [usize; 2] {
        let [h, w] = [0, 1].map(|axis| {
            let spanned = (self.output()[axis] - 1) * self.stride + self.kernel;
            spanned.saturating_sub(self.input[axis]) / 2
        });
        [h, w]
    }

    /// Rows of the padded plane, and columns of one phase of it.
    fn padded(self) -> [usize; 2] {
        let [h, w] = self.output();
        let rows = ((h - 1) * self.stride + self.kernel).max(self.before()[0] + self.input[0]);
        let columns = ((w - 1) * self.stride + self.kernel).max(self.before()[1] + self.input[1]);
        [rows, columns.div_ceil(self.stride)]
    }
}

/// One padded channel; reused for many channels of the same window, as its padding stays zero.
pub(super) struct Plane {
    window: Window,
    before: [usize; 2],
    /// Columns of one phase; a row holds `stride` phases.
    phase: usize,
    values: Vec<f32>,
}

impl Plane {
    pub(super) fn new(window: Window) -> Self {
        let [rows, phase] = window.padded();
        let values = vec![0.0; rows * phase * window.stride];
        Self { window, before: window.before(), phase, values }
    }

    fn row(&self, y: usize) -> &[f32] {
        &self.values[y * self.phase * self.window.stride..][..self.phase * self.window.stride]
    }

    fn row_mut(&mut self, y: usize) -> &mut [f32] {
        &mut self.values[y * self.phase * self.window.stride..][..self.phase * self.window.stride]
    }

    /// Fills the plane with `value(x)` of an unpadded channel.
    #[inline(always)]
    pub(super) fn fill(&mut self, channel: &[f32], value: impl Fn(f32) -> f32) {
        let ([top, left], width, phase) = (self.before, self.window.input[1], self.phase);
        let stride = self.window.stride;
        for (y, pixels) in channel.chunks_exact(width).enumerate() {
            let row = self.row_mut(top + y);
            if stride == 1 {
                for (to, from) in row[left..left + width].iter_mut().zip(pixels) {
                    *to = value(*from);
                }
            } else {
                // Columns left, left + 2, … are of phase left % 2; those between of the other one.
                let (even, odd) = row.split_at_mut(phase);
                let (first, second) = if left % 2 == 0 { (even, odd) } else { (odd, even) };
                let (first, second) = (&mut first[left / 2..], &mut second[left.div_ceil(2)..]);
                let pairs = pixels.chunks_exact(2);
                if let [last] = pairs.remainder() {
                    first[width / 2] = value(*last);
                }
                for ((first, second), pair) in first.iter_mut().zip(second).zip(pairs) {
                    *first = value(pair[0]);
                    *second = value(pair[1]);
                }
            }
        }
    }

    /// Sets every value to zero, before [`Self::scatter`].
    pub(super) fn clear(&mut self) {
        self.values.fill(0.0);
    }

    /// The unpadded channel.
    #[inline(always)]
    pub(super) fn extract(&self, channel: &mut [f32]) {
        let ([top, left], width, phase) = (self.before, self.window.input[1], self.phase);
        for (y, pixels) in channel.chunks_exact_mut(width).enumerate() {
            let row = self.row(top + y);
            if self.window.stride == 1 {
                pixels.copy_from_slice(&row[left..left + width]);
            } else {
                let (even, odd) = row.split_at(phase);
                let (first, second) = if left % 2 == 0 { (even, odd) } else { (odd, even) };
                let (first, second) = (&first[left / 2..], &second[left.div_ceil(2)..]);
                let mut pairs = pixels.chunks_exact_mut(2);
                for ((first, second), pair) in first.iter().zip(second).zip(&mut pairs) {
                    pair[0] = *first;
                    pair[1] = *second;
                }
                if let [last] = pairs.into_remainder() {
                    *last = first[width / 2];
                }
            }
        }
    }

    /// The convolution: adds the sum of the kernel's taps on the plane to every output pixel.
    #[inline(always)]
    pub(super) fn gather(&self, kernel: &[f32], output: &mut [f32]) {
        match self.window.kernel {
            3 => self.gather_by::<3>(kernel, output),
            _ => self.gather_by::<5>(kernel, output),
        }
    }

    #[inline(always)]
    fn gather_by<const K: usize>(&self, kernel: &[f32], output: &mut [f32]) {
        let (width, stride) = (self.window.output()[1], self.window.stride);
        for (y, sums) in output.chunks_exact_mut(width).enumerate() {
            for (ky, weights) in kernel.chunks_exact(K).enumerate() {
                let row = self.row(y * stride + ky);
                let taps: [&[f32]; K] = std::array::from_fn(|kx| self.tap(row, kx, width));
                for (x, sum) in sums.iter_mut().enumerate() {
                    let mut total = *sum;
                    for k in 0..K {
                        total += weights[k] * taps[k][x];
                    }
                    *sum = total;
                }
            }
        }
    }

    /// The pixels of a padded row that tap `kx` of the kernel meets, one for every output column.
    #[inline(always)]
    fn tap<'a>(&self, row: &'a [f32], kx: usize, width: usize) -> &'a [f32] {
        let stride = self.window.stride;
        &row[kx % stride * self.phase + kx / stride..][..width]
    }

    /// The transposed convolution: adds to the plane what the kernel's taps pass back of the output's gradient.
    #[inline(always)]
    pub(super) fn scatter(&mut self, kernel: &[f32], gradient: &[f32]) {
        let (width, stride, size) = (self.window.output()[1], self.window.stride, self.window.kernel);
        let phase = self.phase;
        for (y, passed) in gradient.chunks_exact(width).enumerate() {
            for (ky, weights) in kernel.chunks_exact(size).enumerate() {
                let row = self.row_mut(y * stride + ky);
                for (kx, weight) in weights.iter().enumerate() {
                    let tap = &mut row[kx % stride * phase + kx / stride..][..width];
                    for (sum, passed) in tap.iter_mut().zip(passed) {
                        *sum += weight * passed;
                    }
                }
            }
        }
    }
}
