//! The rasterizer, forward and backward, beside what diffvg needs for the same: `cargo bench --bench rasterizer`.
//!
//! Random cubics 1.5 px wide: start anywhere, control points moved on by a normal step of 0.08 of the canvas. diffvg's
//! figures are of the same distribution on two calm threads of the machine on which this was designed.

use std::time::Instant;

use candle_core::{Device, Var};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use traceur_core::color::{Ink, Srgb};
use traceur_generator::rasterizer::Rasterizer;

/// Size px, strokes, diffvg's ms forward and backward.
const CASES: [(usize, usize, f64); 4] =
    [(224, 64, 349.0), (224, 256, 919.0), (512, 256, 4496.0), (512, 1024, 14_085.0)];

#[expect(clippy::print_stdout, reason = "the table is what a bench is run for")]
fn main() {
    let threads = rayon::current_num_threads();
    println!("{threads} threads; ms, the median and the best of 40 steps forward and backward");
    println!("size px   strokes   forward   both   best of both   diffvg   times faster");
    for (size, count, diffvg) in CASES {
        let [forward, both, best] = measure(size, count);
        let ratio = diffvg / both;
        println!(
            "{size:7}   {count:7}   {forward:7.1}   {both:4.1}   {best:12.1}   {diffvg:6.0}   {ratio:12.0}"
        );
    }
}

fn measure(size: usize, count: usize) -> [f64; 3] {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let edge = size as f32;
    let mut points = Vec::new();
    for _ in 0..count {
        let mut at = [0, 1].map(|_| edge * random.random::<f32>());
        for _ in 0..4 {
            points.extend(at);
            // The sum of twelve even numbers is normal enough.
            let mut normal = || (0..12).map(|_| random.random::<f32>()).sum::<f32>() - 6.0;
            at = at.map(|x| x + 0.08 * edge * normal());
        }
    }
    let colors = [Srgb::new(205, 25, 45), Srgb::new(29, 40, 140), Srgb::new(25, 25, 25)];
    let rasterizer = Rasterizer {
        width_px: size,
        height_px: size,
        softness_px: 1.0,
        widths_px: vec![1.5; count],
        inks: colors.map(|color| Ink::new(color, 0.1)).to_vec(),
        pass_of: (0..count).map(|stroke| stroke % 3).collect(),
    };
    let points = Var::from_vec(points, (count, 4, 2), &Device::Cpu).expect("the shape fits");
    let (mut forward, mut both) = (Vec::new(), Vec::new());
    for _ in 0..40 {
        let began = Instant::now();
        let picture = rasterizer.draw(&points).expect("the shapes fit");
        forward.push(1e3 * began.elapsed().as_secs_f64());
        // The gradient of a plain sum is a constant: next to nothing but the rasterizer's own work is timed.
        let loss = picture.sum_all().expect("a sum");
        let begin_backward = Instant::now();
        let gradients = loss.backward().expect("the rasterizer has a gradient");
        assert!(gradients.get(&points).is_some());
        both.push(forward[forward.len() - 1] + 1e3 * begin_backward.elapsed().as_secs_f64());
    }
    forward.sort_by(f64::total_cmp);
    both.sort_by(f64::total_cmp);
    [forward[20], both[20], both[0]]
}
