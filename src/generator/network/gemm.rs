//! Matrix products with a frozen right-hand side: rows of pixels times columns of weights.
//!
//! The weights are cut into panels of up to 48 columns, in which the columns of one inner index are contiguous. A tile
//! of 8 rows by one panel stays in registers over the whole inner dimension, so every sum is one chain of fused
//! multiply-adds in the order of the inner index: the bits depend neither on threads nor on the width of vectors.

use pulp::{Arch, Simd, WithSimd};

/// Columns that any vector unit divides.
pub(super) const VECTOR: usize = 16;
/// Most vectors of a panel; 8 rows of 3 leave registers for the operands where there are 32.
const MOST_VECTORS: usize = 3;

/// A frozen matrix [inner, columns].
#[derive(Debug)]
pub(super) struct Panels {
    inner: usize,
    columns: usize,
    /// Vectors of each panel.
    vectors: Vec<usize>,
    /// Panel by panel [inner, 16 · vectors], zeros after the last column.
    values: Vec<f32>,
    /// Added to every row of a product; as many as the panels are wide.
    bias: Vec<f32>,
}

/// Rows of numbers at equal distances.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rows<'a> {
    pub(super) values: &'a [f32],
    pub(super) count: usize,
    /// From the beginning of a row to that of the next.
    pub(super) stride: usize,
}

impl Panels {
    /// The matrix whose value at (inner, column) is `value(inner, column)`.
    pub(super) fn new(inner: usize, columns: usize, value: impl Fn(usize, usize) -> f32) -> Self {
        let total = columns.div_ceil(VECTOR);
        let panels = total.div_ceil(MOST_VECTORS).max(1);
        let vectors: Vec<_> =
            (0..panels).map(|panel| total * (panel + 1) / panels - total * panel / panels).collect();
        let mut values = Vec::with_capacity(inner * total * VECTOR);
        let mut first = 0;
        for count in &vectors {
            for i in 0..inner {
                let column = |c| if c < columns { value(i, c) } else { 0.0 };
                values.extend((first..first + count * VECTOR).map(column));
            }
            first += count * VECTOR;
        }
        Self { inner, columns, vectors, values, bias: vec![0.0; total * VECTOR] }
    }

    /// The same, with a bias for every column.
    pub(super) fn with_bias(mut self, bias: &[f32]) -> Self {
        self.bias[..bias.len()].copy_from_slice(bias);
        self
    }

    pub(super) fn inner(&self) -> usize {
        self.inner
    }

    pub(super) fn columns(&self) -> usize {
        self.columns
    }

    /// `rows` [count, inner] times the matrix, plus the bias, into `out` [count, columns].
    pub(super) fn multiply(&self, rows: Rows<'_>, out: &mut [f32]) {
        Arch::new().dispatch(Product { panels: self, rows, out });
    }
}

struct Product<'a> {
    panels: &'a Panels,
    rows: Rows<'a>,
    out: &'a mut [f32],
}

impl WithSimd for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let (mut first, mut rest) = (0, &self.panels.values[..]);
        for vectors in &self.panels.vectors {
            let (panel, after) = rest.split_at(self.panels.inner * vectors * VECTOR);
            let (panel, _) = S::as_simd_f32s(panel);
            // A panel as this machine's vectors, taken a few at a time.
            let width = vectors * VECTOR / S::F32_LANES;
            if width.is_multiple_of(3) {
                self.panel::<S, 3>(simd, panel, width, first);
            } else if width.is_multiple_of(2) {
                self.panel::<S, 2>(simd, panel, width, first);
            } else {
                self.panel::<S, 1>(simd, panel, width, first);
            }
            first += vectors * VECTOR;
            rest = after;
        }
    }
}

impl Product<'_> {
    /// The columns from `first` on, `V` vectors at a time.
    #[inline(always)]
    fn panel<S: Simd, const V: usize>(&mut self, simd: S, panel: &[S::f32s], width: usize, first: usize) {
        for part in (0..width).step_by(V) {
            let column = first + part * S::F32_LANES;
            if column >= self.panels.columns {
                return;
            }
            let mut row = 0;
            if S::REGISTER_COUNT >= 32 {
                while row + 8 <= self.rows.count {
                    self.tile::<S, 8, V>(simd, panel, width, part, row, column);
                    row += 8;
                }
            }
            while row + 4 <= self.rows.count {
                self.tile::<S, 4, V>(simd, panel, width, part, row, column);
                row += 4;
            }
            while row < self.rows.count {
                self.tile::<S, 1, V>(simd, panel, width, part, row, column);
                row += 1;
            }
        }
    }

    /// `R` rows by `V` vectors.
    #[inline(always)]
    fn tile<S: Simd, const R: usize, const V: usize>(
        &mut self,
        simd: S,
        panel: &[S::f32s],
        width: usize,
        part: usize,
        row: usize,
        column: usize,
    ) {
        let inner = self.panels.inner;
        let rows: [&[f32]; R] =
            std::array::from_fn(|r| &self.rows.values[(row + r) * self.rows.stride..][..inner]);
        let mut sums = [[simd.splat_f32s(0.0); V]; R];
        for (k, weights) in panel.chunks_exact(width).take(inner).enumerate() {
            let weights: &[S::f32s] = &weights[part..part + V];
            for r in 0..R {
                let x = simd.splat_f32s(rows[r][k]);
                for v in 0..V {
                    sums[r][v] = simd.mul_add_f32s(x, weights[v], sums[r][v]);
                }
            }
        }
        let (bias, _) = S::as_simd_f32s(&self.panels.bias[column..][..V * S::F32_LANES]);
        let columns = self.panels.columns;
        for (r, sums) in sums.iter().enumerate() {
            let out = &mut self.out[(row + r) * columns..][..columns];
            for (v, sum) in sums.iter().enumerate() {
                let (from, sum) = (column + v * S::F32_LANES, simd.add_f32s(*sum, bias[v]));
                if from + S::F32_LANES <= columns {
                    S::as_mut_simd_f32s(&mut out[from..from + S::F32_LANES]).0[0] = sum;
                } else if from < columns {
                    simd.partial_store_f32s(&mut out[from..], sum);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_is_the_sum_of_products_whatever_its_shape() {
        for (count, inner, columns) in
            [(1, 1, 1), (3, 5, 7), (8, 16, 16), (13, 27, 40), (21, 9, 80), (9, 33, 130)]
        {
            let number = |i: usize| (i * 7919 % 2003) as f32 / 1001.0 - 1.0;
            let stride = inner + 2;
            let rows: Vec<f32> = (0..count * stride).map(number).collect();
            let weight = |i: usize, c: usize| number(3 * (i * columns + c) + 1);
            let bias: Vec<f32> = (0..columns).map(|c| number(c + 11)).collect();
            let mut out = vec![f32::NAN; count * columns];
            let panels = Panels::new(inner, columns, weight).with_bias(&bias);
            panels.multiply(Rows { values: &rows, count, stride }, &mut out);
            for r in 0..count {
                for c in 0..columns {
                    let products =
                        (0..inner).map(|i| f64::from(rows[r * stride + i]) * f64::from(weight(i, c)));
                    let expected = f64::from(bias[c]) + products.sum::<f64>();
                    let found = f64::from(out[r * columns + c]);
                    assert!(
                        (found - expected).abs() < 1e-5,
                        "{count} x {inner} x {columns}: {found} {expected}"
                    );
                }
            }
        }
    }
}
