//! Random views of a picture: what a network likes only from one exact place is no drawing.

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::rasterizer::{slice, values};

/// How far views may go.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Jitter {
    /// Scale is between 1 - this and 1 + this.
    pub scale: f64,
    /// Greatest rotation; radians.
    pub rotation: f64,
    /// Greatest shift; px.
    pub shift_px: f64,
    /// Greatest change of scale from the center to an edge by perspective.
    pub perspective: f64,
}

impl Default for Jitter {
    fn default() -> Self {
        Self { scale: 0.1, rotation: 8.0_f64.to_radians(), shift_px: 8.0, perspective: 0.05 }
    }
}

/// Where a view's pixels come from: a homography from view px to picture px, row by row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct View {
    matrix: [f64; 9],
}

impl View {
    /// The picture itself.
    pub const IDENTITY: Self = Self { matrix: [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0] };

    /// A random view of a picture of this size, about its center.
    pub fn random(rng: &mut ChaCha8Rng, jitter: Jitter, width_px: usize, height_px: usize) -> Self {
        let mut within = |most: f64| most * (2.0 * rng.random::<f64>() - 1.0);
        let scale = 1.0 / (1.0 + within(jitter.scale));
        let (sin, cos) = within(jitter.rotation).sin_cos();
        let shift = (within(jitter.shift_px), within(jitter.shift_px));
        let (cx, cy) = (0.5 * width_px as f64, 0.5 * height_px as f64);
        let (px, py) = (within(jitter.perspective) / cx, within(jitter.perspective) / cy);
        // From the view's center, with v = (x - cx, y - cy): picture = center + shift + A v / (1 + p·v).
        let a = [scale * cos, -scale * sin, scale * sin, scale * cos];
        let (ox, oy, w) = (cx + shift.0, cy + shift.1, 1.0 - px * cx - py * cy);
        let row = |a0: f64, a1: f64, o: f64| [a0 + o * px, a1 + o * py, o * w - a0 * cx - a1 * cy];
        let (r0, r1) = (row(a[0], a[1], ox), row(a[2], a[3], oy));
        Self { matrix: [r0[0], r0[1], r0[2], r1[0], r1[1], r1[2], px, py, w] }
    }

    /// The view of `picture` [3, H, W] (sRGB), bilinear, with white outside; the same shape.
    ///
    /// # Errors
    /// candle's, when the shape or the type (f32) is another.
    pub fn see(self, picture: &Tensor) -> Result<Tensor> {
        let (_, height, width) = picture.dims3()?;
        picture.contiguous()?.apply_op1(See { view: self, width, height })
    }

    /// Picture coordinates, relative to the first pixel's center, of the view's pixel.
    fn source(&self, column: usize, row: usize) -> (f32, f32) {
        let m = &self.matrix;
        let (x, y) = (column as f64 + 0.5, row as f64 + 0.5);
        let w = m[6] * x + m[7] * y + m[8];
        let (sx, sy) = ((m[0] * x + m[1] * y + m[2]) / w, (m[3] * x + m[4] * y + m[5]) / w);
        ((sx - 0.5) as f32, (sy - 0.5) as f32)
    }
}

struct See {
    view: View,
    width: usize,
    height: usize,
}

impl See {
    /// The four pixels that a view's pixel mixes, and their weights; pixels outside are left out.
    fn taps(&self, column: usize, row: usize) -> impl Iterator<Item = (usize, f32)> {
        let (x, y) = self.view.source(column, row);
        let (x0, y0) = (x.floor(), y.floor());
        let (fx, fy) = (x - x0, y - y0);
        let (x0, y0) = (x0 as i64, y0 as i64);
        let (width, height) = (self.width as i64, self.height as i64);
        [
            (x0, y0, (1.0 - fx) * (1.0 - fy)),
            (x0 + 1, y0, fx * (1.0 - fy)),
            (x0, y0 + 1, (1.0 - fx) * fy),
            (x0 + 1, y0 + 1, fx * fy),
        ]
        .into_iter()
        .filter(move |(x, y, _)| (0..width).contains(x) && (0..height).contains(y))
        .map(move |(x, y, weight)| ((y * width + x) as usize, weight))
    }
}

impl CustomOp1 for See {
    fn name(&self) -> &'static str {
        "view"
    }

    fn cpu_fwd(&self, picture: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let picture = slice(picture, layout)?;
        let plane = self.width * self.height;
        let channels = picture.len() / plane;
        let mut view = vec![0.0_f32; picture.len()];
        // Rows of all channels beside one another would need a scatter, so each plane walks the same taps.
        view.par_chunks_mut(self.width).enumerate().for_each(|(line, pixels)| {
            let (channel, row) = (line / self.height, line % self.height);
            let from = &picture[channel * plane..(channel + 1) * plane];
            for (column, pixel) in pixels.iter_mut().enumerate() {
                let missing = |(at, weight): (usize, f32)| weight * (1.0 - from[at]);
                *pixel = 1.0 - self.taps(column, row).map(missing).sum::<f32>();
            }
        });
        Ok((CpuStorage::F32(view), Shape::from((channels, self.height, self.width))))
    }

    fn bwd(&self, picture: &Tensor, _: &Tensor, to_view: &Tensor) -> Result<Option<Tensor>> {
        let to_view = values(to_view)?;
        let plane = self.width * self.height;
        let mut to_picture = vec![0.0_f32; to_view.len()];
        // A channel is scattered by one thread, row by row: the order of the sums is fixed.
        to_picture.par_chunks_mut(plane).zip(to_view.par_chunks(plane)).for_each(|(into, from)| {
            for (pixel, g) in from.iter().enumerate() {
                for (at, weight) in self.taps(pixel % self.width, pixel / self.width) {
                    into[at] += weight * g;
                }
            }
        });
        Ok(Some(Tensor::from_vec(to_picture, picture.shape(), picture.device())?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{Device, Var};
    use rand::SeedableRng;

    #[test]
    fn the_identity_changes_nothing_and_a_view_is_white_outside() {
        let data: Vec<f32> = (0..3 * 20 * 30).map(|i| (i % 7) as f32 / 7.0).collect();
        let picture = Tensor::from_vec(data.clone(), (3, 20, 30), &Device::Cpu).unwrap();
        let same = values(&View::IDENTITY.see(&picture).unwrap()).unwrap();
        assert!(same.iter().zip(&data).all(|(a, b)| (a - b).abs() < 1e-6));
        let away = View { matrix: [1.0, 0.0, 1000.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0] };
        assert!(values(&away.see(&picture).unwrap()).unwrap().iter().all(|v| *v == 1.0));
    }

    #[test]
    fn a_random_view_keeps_the_center_near() {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        for _ in 0..50 {
            let view = View::random(&mut rng, Jitter::default(), 200, 100);
            let (x, y) = view.source(100, 50);
            assert!((x - 100.0).abs() < 10.0 && (y - 50.0).abs() < 10.0, "{x} {y}");
            let (x, y) = view.source(0, 0);
            assert!(x.hypot(y) < 50.0, "{x} {y}");
        }
    }

    #[test]
    fn the_gradient_is_the_transpose_of_the_view() {
        // <see(a) - see(0), b> = <a, see^T(b)> for any a and b.
        let mut rng = ChaCha8Rng::seed_from_u64(6);
        let view = View::random(&mut rng, Jitter::default(), 30, 20);
        let mut random = || {
            let data: Vec<f32> = (0..3 * 20 * 30).map(|_| rng.random()).collect();
            Tensor::from_vec(data, (3, 20, 30), &Device::Cpu).unwrap()
        };
        let (a, b) = (Var::from_tensor(&random()).unwrap(), random());
        let loss = (view.see(&a).unwrap() * &b).unwrap().sum_all().unwrap();
        let black = (view.see(&a.zeros_like().unwrap()).unwrap() * &b).unwrap().sum_all().unwrap();
        let gradient = loss.backward().unwrap().get(&a).unwrap().clone();
        let back = (gradient * a.as_tensor()).unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap();
        let forth = (loss - black).unwrap().to_scalar::<f32>().unwrap();
        assert!((forth - back).abs() < 1e-4 * forth.abs(), "{forth} {back}");
    }
}
