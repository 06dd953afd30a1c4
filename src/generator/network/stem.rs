//! The stem: a 3x3 convolution of stride 2 from a picture's three channels, with the picture's normalisation.

use super::plane::{Plane, Window};
use super::shape::STEM;
use pulp::Arch;
use rayon::prelude::*;

const KERNEL: usize = 3;
/// Output channels that share one task.
const GROUP: usize = 8;

#[derive(Debug)]
pub(super) struct Stem {
    /// Kernels [32, 3, 3, 3].
    pub(super) weight: Vec<f32>,
    pub(super) bias: Vec<f32>,
}

fn window(input: [usize; 2]) -> Window {
    Window { kernel: KERNEL, stride: 2, input }
}

impl Stem {
    /// From sRGB in 0 to 1 [3, h·w] to [32, h'·w'], with the output's height and width.
    pub(super) fn forward(&self, x: &[f32], input: [usize; 2]) -> (Vec<f32>, [usize; 2]) {
        let window = window(input);
        let [pixels, outputs] = [window.input, window.output()].map(|[h, w]| h * w);
        let planes: Vec<Plane> = x
            .par_chunks_exact(pixels)
            .map(|channel| {
                let mut plane = Plane::new(window);
                // (255 x - 127) / 128, as the weights were trained; the padding is zero after it.
                Arch::new().dispatch(|| plane.fill(channel, |value| (value * 255.0 - 127.0) / 128.0));
                plane
            })
            .collect();
        let mut y = vec![0.0; STEM * outputs];
        y.par_chunks_exact_mut(outputs).zip(&self.bias).enumerate().for_each(|(channel, (y, bias))| {
            Arch::new().dispatch(|| {
                y.fill(*bias);
                for (plane, kernel) in planes.iter().zip(self.kernels(channel)) {
                    plane.gather(kernel, y);
                }
            });
        });
        (y, window.output())
    }

    /// From the output's gradient [32, h'·w'] to that of the picture [3, h·w].
    pub(super) fn backward(&self, gradient: &[f32], input: [usize; 2]) -> Vec<f32> {
        let window = window(input);
        let [pixels, outputs] = [window.input, window.output()].map(|[h, w]| h * w);
        let parts: Vec<Vec<f32>> = gradient
            .par_chunks(GROUP * outputs)
            .enumerate()
            .map(|(group, gradient)| {
                let mut part = vec![0.0; 3 * pixels];
                Arch::new().dispatch(|| {
                    let mut plane = Plane::new(window);
                    for (color, part) in part.chunks_exact_mut(pixels).enumerate() {
                        plane.clear();
                        for (channel, gradient) in gradient.chunks_exact(outputs).enumerate() {
                            let kernel = self.kernels(group * GROUP + channel).nth(color).unwrap_or_default();
                            plane.scatter(kernel, gradient);
                        }
                        plane.extract(part);
                    }
                });
                part
            })
            .collect();
        let mut total = vec![0.0; 3 * pixels];
        for part in &parts {
            for (total, part) in total.iter_mut().zip(part) {
                *total += part * (255.0 / 128.0);
            }
        }
        total
    }

    /// The kernels of an output channel, one for each color.
    fn kernels(&self, channel: usize) -> impl Iterator<Item = &[f32]> {
        const SIZE: usize = KERNEL * KERNEL;
        self.weight[channel * 3 * SIZE..][..3 * SIZE].chunks_exact(SIZE)
    }
}
