//! The rasterizer against a slow twin in f64, and its gradients against finite differences of the twin.

use candle_core::{Device, Tensor, Var};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;
use traceur_core::color::Srgb8;

/// Random arcs on a small canvas, two inks, one stroke narrower than a pixel.
fn scene() -> (Rasterizer, Vec<f32>, Vec<f32>, Vec<f32>) {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let (count, width_px, height_px) = (12, 40, 37);
    let mut points = Vec::new();
    for _ in 0..count {
        let (mut x, mut y) = (rng.random_range(0.0..40.0_f32), rng.random_range(0.0..37.0_f32));
        for _ in 0..4 {
            points.extend([x, y]);
            x += rng.random_range(-9.0..9.0_f32);
            y += rng.random_range(-9.0..9.0_f32);
        }
    }
    let colors = (0..3 * count).map(|_| rng.random_range(0.01..0.9)).collect();
    let weights = (0..4 * width_px * height_px).map(|_| rng.random_range(-1.0..1.0)).collect();
    let rasterizer = Rasterizer {
        width_px,
        height_px,
        softness_px: 1.7,
        widths_px: (0..count).map(|i| if i == 3 { 0.6 } else { 1.2 + 0.2 * i as f32 }).collect(),
        inks: vec![Ink::new(Srgb8::new(230, 60, 40), 0.1), Ink::new(Srgb8::new(20, 40, 140), 0.6)],
        pass_of: (0..count).map(|i| i % 2).collect(),
    };
    (rasterizer, points, colors, weights)
}

/// The picture [4, H, W], straight from the formulas.
fn twin(rasterizer: &Rasterizer, points: &[f64], colors: Option<&[f64]>, counts: &[usize]) -> Vec<f64> {
    let (width, height) = (rasterizer.width_px, rasterizer.height_px);
    let softness = f64::from(rasterizer.softness_px);
    let mut picture = vec![0.0; 4 * width * height];
    for pixel in 0..width * height {
        let (x, y) = ((pixel % width) as f64 + 0.5, (pixel / width) as f64 + 0.5);
        let mut light = [1.0_f64; 3];
        let mut sum = 0.0;
        let passes = if colors.is_some() { 1 } else { rasterizer.inks.len() };
        for pass in 0..passes {
            let mut passage = [1.0; 3];
            for stroke in 0..counts.len() {
                if colors.is_none() && rasterizer.pass_of[stroke] != pass {
                    continue;
                }
                let line = corners(&points[8 * stroke..8 * stroke + 8], counts[stroke]);
                let distance = line
                    .windows(2)
                    .map(|pair| {
                        kurbo::ParamCurveNearest::nearest(
                            &kurbo::Line::new(pair[0], pair[1]),
                            (x, y).into(),
                            1e-12,
                        )
                        .distance_sq
                        .sqrt()
                    })
                    .fold(f64::MAX, f64::min);
                let width = f64::from(rasterizer.widths_px[stroke]);
                let (half, share) = if width < 1.0 { (0.5, width) } else { (0.5 * width, 1.0) };
                let t = ((half - distance) / softness + 0.5).clamp(0.0, 1.0);
                let c = share * t * t * (3.0 - 2.0 * t);
                sum += c;
                for channel in 0..3 {
                    let k = match colors {
                        Some(colors) => 1.0 - colors[3 * stroke + channel],
                        None => f64::from(rasterizer.inks[pass].strength[channel]),
                    };
                    passage[channel] *= 1.0 - c * k;
                }
            }
            for channel in 0..3 {
                let limit = match colors {
                    Some(_) => 0.0,
                    None => f64::from(rasterizer.inks[pass].limit[channel]),
                };
                light[channel] = limit + (light[channel] - limit) * passage[channel];
            }
        }
        for channel in 0..3 {
            let linear = light[channel];
            picture[channel * width * height + pixel] =
                if linear <= 0.003_130_8 { 12.92 * linear } else { 1.055 * linear.powf(1.0 / 2.4) - 0.055 };
        }
        picture[3 * width * height + pixel] = sum;
    }
    picture
}

fn corners(points: &[f64], count: usize) -> Vec<kurbo::Point> {
    let point = |i: usize| kurbo::Point::new(points[2 * i], points[2 * i + 1]);
    let cubic = kurbo::CubicBez::new(point(0), point(1), point(2), point(3));
    (0..=count).map(|i| kurbo::ParamCurve::eval(&cubic, i as f64 / count as f64)).collect()
}

fn check(free: bool) {
    let (rasterizer, points, colors, weights) = scene();
    let count = points.len() / 8;
    let counts: Vec<usize> = points.chunks(8).map(|values| pieces(&cubic(values))).collect();
    let device = Device::Cpu;
    let p = Var::from_vec(points.clone(), (count, 4, 2), &device).unwrap();
    let c = Var::from_vec(colors.clone(), (count, 3), &device).unwrap();
    let w =
        Tensor::from_vec(weights.clone(), (4, rasterizer.height_px, rasterizer.width_px), &device).unwrap();
    let picture = if free { rasterizer.draw_free(&p, &c) } else { rasterizer.draw(&p) }.unwrap();
    let gradients = (&picture * w).unwrap().sum_all().unwrap().backward().unwrap();

    let points: Vec<f64> = points.into_iter().map(f64::from).collect();
    let colors: Vec<f64> = colors.into_iter().map(f64::from).collect();
    let slow = |points: &[f64], colors: &[f64]| twin(&rasterizer, points, free.then_some(colors), &counts);
    let loss = |points: &[f64], colors: &[f64]| -> f64 {
        slow(points, colors).iter().zip(&weights).map(|(v, w)| v * f64::from(*w)).sum()
    };
    let fast = values(&picture).unwrap();
    let worst =
        fast.iter().zip(slow(&points, &colors)).map(|(a, b)| (f64::from(*a) - b).abs()).fold(0.0, f64::max);
    assert!(worst < 2e-4, "forward differs by {worst}");

    let difference = |of: &[f64], i: usize, loss: &dyn Fn(&[f64]) -> f64| {
        let (mut up, mut down) = (of.to_vec(), of.to_vec());
        up[i] += 1e-5;
        down[i] -= 1e-5;
        (loss(&up) - loss(&down)) / 2e-5
    };
    let near = |analytic: &[f32], numeric: &[f64]| {
        let size = numeric.iter().map(|g| g * g).sum::<f64>().sqrt();
        let error =
            analytic.iter().zip(numeric).map(|(a, n)| (f64::from(*a) - n).powi(2)).sum::<f64>().sqrt();
        assert!(size > 1.0 && error < 1e-3 * size, "gradient of size {size} is wrong by {error}");
    };
    let numeric: Vec<f64> =
        (0..points.len()).map(|i| difference(&points, i, &|points| loss(points, &colors))).collect();
    near(&values(gradients.get(&p).unwrap()).unwrap(), &numeric);
    if free {
        let numeric: Vec<f64> =
            (0..colors.len()).map(|i| difference(&colors, i, &|colors| loss(&points, colors))).collect();
        near(&values(gradients.get(&c).unwrap()).unwrap(), &numeric);
    }
}

#[test]
fn passes_of_pens_agree_with_the_slow_twin() {
    check(false);
}

#[test]
fn free_colors_agree_with_the_slow_twin() {
    check(true);
}

#[test]
fn bytes_do_not_depend_on_threads() {
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let (rasterizer, points, ..) = scene();
            let p = Var::from_vec(points, (12, 4, 2), &Device::Cpu).unwrap();
            let picture = rasterizer.draw(&p).unwrap();
            let gradients = picture.sqr().unwrap().sum_all().unwrap().backward().unwrap();
            (values(&picture).unwrap(), values(gradients.get(&p).unwrap()).unwrap())
        })
    };
    assert_eq!(run(1), run(3));
}

#[test]
fn points_that_are_not_numbers_do_no_harm() {
    let (rasterizer, mut points, ..) = scene();
    points[5] = f32::NAN;
    let p = Tensor::from_vec(points, (12, 4, 2), &Device::Cpu).unwrap();
    let picture = rasterizer.draw(&p).unwrap();
    assert_eq!(picture.dims(), [4, 37, 40]);
    let values: Vec<f32> = picture.flatten_all().unwrap().to_vec1().unwrap();
    assert!(
        values.iter().all(|value| value.is_finite()),
        "one stroke without a place leaves the others' picture whole"
    );
    assert!(values.iter().any(|value| *value != values[0]), "the others are drawn");
}

#[test]
fn gradients_of_long_strokes_are_slopes_of_the_picture() {
    let (rasterizer, points, _, weights) = scene();
    // Six points of each of as many strokes.
    let count = points.len() / 12;
    let rasterizer = Rasterizer {
        widths_px: rasterizer.widths_px[..count].to_vec(),
        pass_of: rasterizer.pass_of[..count].to_vec(),
        ..rasterizer
    };
    let tensor = |points: &[f32]| Tensor::from_slice(points, (count, 6, 2), &Device::Cpu).unwrap();
    let weights = Tensor::from_vec(weights, (4, 37, 40), &Device::Cpu).unwrap();
    let loss = |points: &Tensor| (rasterizer.draw(points).unwrap() * &weights).unwrap().sum_all().unwrap();
    let at = Var::from_tensor(&tensor(&points)).unwrap();
    let gradient = values(loss(&at).backward().unwrap().get(&at).unwrap()).unwrap();
    let size = gradient.iter().map(|g| g * g).sum::<f32>().sqrt();
    let moved = |by: f32| {
        let points: Vec<f32> = points.iter().zip(&gradient).map(|(p, g)| p + by * g / size).collect();
        loss(&tensor(&points)).to_scalar::<f32>().unwrap()
    };
    let numeric = (moved(0.02) - moved(-0.02)) / 0.04;
    assert!((numeric - size).abs() < 0.02 * size, "{numeric} {size}");
}
