//! Between tensors, whose channels are outermost, and maps, whose channels are innermost.

use super::architecture::Input;
use super::map::{Map, Pools, Size};
use rayon::prelude::*;

/// Pixels of one task.
const PART: usize = 1024;
/// Edge of the squares that are turned at a time.
const SQUARE: usize = 16;

/// A map from planes [channels, h·w].
pub(super) fn read(planes: &[f32], size: Size, pools: &Pools) -> Map {
    let pixels = size[0] * size[1];
    let mut map = Map::blank(pools, size, planes.len() / pixels);
    let channels = map.channels;
    map.values.par_chunks_mut(PART * channels).enumerate().for_each(|(part, out)| {
        let (first, count) = (part * PART, out.len() / channels);
        for from in (0..count).step_by(SQUARE) {
            let to = count.min(from + SQUARE);
            for (channel, plane) in planes.chunks_exact(pixels).enumerate() {
                for (pixel, value) in (from..to).zip(&plane[first + from..first + to]) {
                    out[pixel * channels + channel] = *value;
                }
            }
        }
    });
    map
}

/// The planes [channels, h·w] of a map.
pub(super) fn write(map: &Map) -> Vec<f32> {
    let (pixels, channels) = (map.pixels(), map.channels);
    let mut planes = vec![0.0; map.values.len()];
    planes.par_chunks_mut(SQUARE * pixels).enumerate().for_each(|(part, planes)| {
        let first = part * SQUARE;
        for (pixel, values) in map.values.chunks_exact(channels).enumerate() {
            for (plane, value) in planes.chunks_exact_mut(pixels).zip(&values[first..]) {
                plane[pixel] = *value;
            }
        }
    });
    planes
}

/// A network's input from a picture's planes [3, h·w], sRGB in 0 to 1.
pub(super) fn read_picture(planes: &[f32], size: Size, input: Input, pools: &Pools) -> Map {
    let mut map = Map::blank(pools, size, 3);
    let pixels = map.pixels();
    let planes = input.order.map(|color| &planes[color * pixels..][..pixels]);
    for (pixel, values) in map.values.chunks_exact_mut(3).enumerate() {
        for channel in 0..3 {
            values[channel] = planes[channel][pixel] * input.scale[channel] + input.shift[channel];
        }
    }
    map
}

/// From the gradient by a network's input to that by the picture's planes.
pub(super) fn write_picture(gradient: &Map, input: Input) -> Vec<f32> {
    let pixels = gradient.pixels();
    let mut planes = vec![0.0; 3 * pixels];
    for channel in 0..3 {
        let plane = &mut planes[input.order[channel] * pixels..][..pixels];
        for (to, values) in plane.iter_mut().zip(gradient.values.chunks_exact(3)) {
            *to = values[channel] * input.scale[channel];
        }
    }
    planes
}
