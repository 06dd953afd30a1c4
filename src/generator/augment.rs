//! Random views of a picture: what a network likes only from one exact place is no drawing.

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::rasterizer::values;
use super::tensors::slice;

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
    /// Greatest share of the width and the height that a random window leaves out.
    pub crop: f64,
    /// Greatest change of each primary of the light on the paper.
    pub tint: f64,
    /// Greatest change of each number of the view, by noise.
    pub noise: f64,
}

impl Default for Jitter {
    fn default() -> Self {
        Self {
            scale: 0.1,
            rotation: 8.0_f64.to_radians(),
            shift_px: 8.0,
            perspective: 0.05,
            crop: 0.0,
            tint: 0.0,
            noise: 0.0,
        }
    }
}

impl Jitter {
    /// Sets one by the name that recipes have for it: that of its field, and `rotation_degrees`.
    ///
    /// # Errors
    /// In a clause: a name that there is not, a value that is out of range.
    pub fn set(&mut self, name: &str, value: f64) -> std::result::Result<(), String> {
        let of_rotation = name == "rotation_degrees";
        let value = if of_rotation { value.to_radians() } else { value };
        let names = self.fields().map(|(name, ..)| name).join(", ");
        let field = self.fields().into_iter().find(|(own, ..)| *own == name);
        let (_, field, most) = field.ok_or_else(|| format!("no such jitter; there are {names}"))?;
        if !(0.0..=most).contains(&value) {
            return Err(format!("give 0 to {}", if of_rotation { 180.0 } else { most }));
        }
        *field = value;
        Ok(())
    }

    /// The name and the value of the first that is out of range.
    pub(super) fn first_mistake(mut self) -> Option<(&'static str, f64)> {
        let fields = self.fields().map(|(name, value, most)| (name, *value, most));
        fields
            .into_iter()
            .find(|(_, value, most)| !(0.0..=*most).contains(value))
            .map(|(name, value, _)| (name, value))
    }

    /// Each with its name and the greatest value that makes sense; the least is 0.
    fn fields(&mut self) -> [(&'static str, &mut f64, f64); 7] {
        [
            ("scale", &mut self.scale, 0.9),
            ("rotation_degrees", &mut self.rotation, std::f64::consts::PI),
            ("shift_px", &mut self.shift_px, 1000.0),
            ("perspective", &mut self.perspective, 0.4),
            ("crop", &mut self.crop, 0.9),
            ("tint", &mut self.tint, 1.0),
            ("noise", &mut self.noise, 1.0),
        ]
    }
}

/// Where a view's pixels come from, and in which light they are seen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct View {
    /// A homography from view px to picture px, row by row.
    matrix: [f64; 9],
    /// Factors of red, green and blue.
    tint: [f32; 3],
    /// Greatest change of a number.
    noise: f32,
    seed: u32,
}

impl View {
    /// The picture itself.
    pub const IDENTITY: Self = Self::of([1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]);

    const fn of(matrix: [f64; 9]) -> Self {
        Self { matrix, tint: [1.0; 3], noise: 0.0, seed: 0 }
    }

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
        let mut view = Self::of([r0[0], r0[1], r0[2], r1[0], r1[1], r1[2], px, py, w]);
        if jitter.crop > 0.0 {
            let left_out = jitter.crop * rng.random::<f64>();
            let corner = [width_px, height_px].map(|edge| edge as f64 * left_out * rng.random::<f64>());
            view.look_into(1.0 - left_out, corner);
        }
        if jitter.tint > 0.0 {
            view.tint = std::array::from_fn(|_| (1.0 - jitter.tint * rng.random::<f64>()) as f32);
        }
        if jitter.noise > 0.0 {
            (view.noise, view.seed) = (jitter.noise as f32, rng.random());
        }
        view
    }

    /// Looks through a window only: `share` of the width and the height, from `corner` (view px).
    fn look_into(&mut self, share: f64, [x, y]: [f64; 2]) {
        for row in self.matrix.chunks_exact_mut(3) {
            row[2] += row[0] * x + row[1] * y;
            row[0] *= share;
            row[1] *= share;
        }
    }

    /// Noise of one number of the view: the same on any thread.
    fn noise_at(&self, index: usize) -> f32 {
        // The finaliser of MurmurHash3 (public domain, A. Appleby): every bit of the index reaches every other.
        let mut bits = (index as u32).wrapping_mul(0x9e37_79b9) ^ self.seed;
        bits = (bits ^ (bits >> 16)).wrapping_mul(0x85eb_ca6b);
        bits = (bits ^ (bits >> 13)).wrapping_mul(0xc2b2_ae35);
        bits ^= bits >> 16;
        self.noise * (2.0 * (bits >> 8) as f32 / (1_u32 << 24) as f32 - 1.0)
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
            let tint = self.view.tint[channel % 3];
            for (column, pixel) in pixels.iter_mut().enumerate() {
                let missing = |(at, weight): (usize, f32)| weight * (1.0 - from[at]);
                *pixel = tint * (1.0 - self.taps(column, row).map(missing).sum::<f32>());
                if self.view.noise > 0.0 {
                    *pixel += self.view.noise_at(line * self.width + column);
                }
            }
        });
        Ok((CpuStorage::F32(view), Shape::from((channels, self.height, self.width))))
    }

    fn bwd(&self, picture: &Tensor, _: &Tensor, to_view: &Tensor) -> Result<Option<Tensor>> {
        let to_view = values(to_view)?;
        let plane = self.width * self.height;
        let mut to_picture = vec![0.0_f32; to_view.len()];
        // A channel is scattered by one thread, row by row: the order of the sums is fixed.
        let channels = to_picture.par_chunks_mut(plane).zip(to_view.par_chunks(plane)).enumerate();
        channels.for_each(|(channel, (into, from))| {
            let tint = self.view.tint[channel % 3];
            for (pixel, g) in from.iter().enumerate() {
                for (at, weight) in self.taps(pixel % self.width, pixel / self.width) {
                    into[at] += weight * tint * g;
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
        let away = View::of([1.0, 0.0, 1000.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]);
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
    fn a_window_shows_a_part_of_the_picture_larger() {
        let mut view = View::IDENTITY;
        view.look_into(0.5, [20.0, 10.0]);
        let source = |column, row| view.source(column, row);
        assert_eq!((source(0, 0), source(99, 49)), ((19.75, 9.75), (69.25, 34.25)));
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let jitter = Jitter {
            scale: 0.0,
            rotation: 0.0,
            shift_px: 0.0,
            perspective: 0.0,
            crop: 0.4,
            ..Jitter::default()
        };
        for _ in 0..50 {
            let view = View::random(&mut rng, jitter, 200, 100);
            for (column, row) in [(0, 0), (199, 99)] {
                let (x, y) = view.source(column, row);
                assert!((-0.5..199.5).contains(&x) && (-0.5..99.5).contains(&y), "{x} {y}");
            }
        }
    }

    #[test]
    fn the_paper_may_be_tinted_and_noisy() {
        let jitter = Jitter { tint: 0.1, noise: 0.02, ..Jitter::default() };
        let view = View::random(&mut ChaCha8Rng::seed_from_u64(4), jitter, 60, 40);
        let white = Tensor::ones((3, 40, 60), candle_core::DType::F32, &Device::Cpu).unwrap();
        let seen = values(&view.see(&white).unwrap()).unwrap();
        assert!(seen.iter().all(|v| (0.88..1.02).contains(v)));
        let mean = seen[..2400].iter().sum::<f32>() / 2400.0;
        assert!((mean - view.tint[0]).abs() < 2e-3 && view.tint[0] < 1.0, "{mean}");
        assert!(seen.iter().any(|v| (v - mean).abs() > 0.01));
    }

    #[test]
    fn the_gradient_is_the_transpose_of_the_view() {
        // <see(a) - see(0), b> = <a, see^T(b)> for any a and b.
        let mut rng = ChaCha8Rng::seed_from_u64(6);
        let jitter = Jitter { crop: 0.2, tint: 0.2, noise: 0.1, ..Jitter::default() };
        let view = View::random(&mut rng, jitter, 30, 20);
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
