//! Few colors for many: k-means in Lab, weighted, and one that rare colors don't pull.

use kmeans_colors::get_kmeans;
use palette::Lab;
use palette::color_difference::EuclideanDistance as _;
use rand::distr::Distribution as _;
use rand::distr::weighted::WeightedIndex;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// k-means is begun this many times; the tightest clusters win.
const STARTS: u64 = 8;
/// Most clusters: the crate counts them in a byte.
const MOST: usize = 200;
/// Samples that the robust search tries.
const TRIES: u64 = 48;
/// A color further than this from every center is an outlier, however far it is; squared distance in Lab.
const OUTLIER: f32 = 20.0 * 20.0;

/// The centers of at most `most` clusters; the same for the same arguments.
///
/// `weights`: of each color, any unit.
#[must_use]
pub fn cluster(colors: &[Lab], weights: &[f32], most: usize, seed: u64) -> Vec<Lab> {
    if colors.is_empty() || most == 0 {
        return Vec::new();
    }
    let mean = (weights.iter().sum::<f32>() / weights.len().max(1) as f32).max(1e-6);
    // The crate knows no weights: a color stands in the buffer once for each quarter of the mean weight.
    let copies = |weight: f32| ((4.0 * weight / mean).round() as usize).clamp(1, 64);
    let buffer: Vec<Lab> = colors
        .iter()
        .zip(weights)
        .flat_map(|(color, weight)| std::iter::repeat_n(*color, copies(*weight)))
        .collect();
    let spread = |centers: &[Lab]| -> f32 {
        buffer.iter().map(|c| c.distance_squared(centers[nearest_center(*c, centers)])).sum()
    };
    (0..STARTS)
        .map(|start| get_kmeans(most.min(MOST), 60, 0.1, false, &buffer, seed.wrapping_add(start)).centroids)
        .min_by(|a, b| spread(a).total_cmp(&spread(b)))
        .unwrap_or_default()
}

/// As [`cluster`], but a color far from every center counts no more than one at the border, so that rare odd colors
/// pull no center to them (random samples, the best consensus: Torr and Zisserman's MSAC, 2000).
#[must_use]
pub fn cluster_robust(colors: &[Lab], weights: &[f32], most: usize, seed: u64) -> Vec<Lab> {
    let Ok(chance) = WeightedIndex::new(weights.iter().map(|weight| weight.max(1e-9))) else {
        return cluster(colors, weights, most, seed);
    };
    let cost = |centers: &[Lab]| -> f32 {
        let each = colors.iter().zip(weights);
        each.map(|(color, weight)| {
            weight * color.distance_squared(centers[nearest_center(*color, centers)]).min(OUTLIER)
        })
        .sum()
    };
    let mut best: Option<(f32, Vec<Lab>)> = None;
    for number in 0..TRIES {
        let mut random = ChaCha8Rng::seed_from_u64(seed.wrapping_add(number));
        let mut centers: Vec<Lab> = Vec::new();
        for _ in 0..8 * most {
            let color = colors[chance.sample(&mut random)];
            // A center near another says nothing new, but sometimes all colors are near.
            let is_new = centers.iter().all(|center| center.distance_squared(color) > OUTLIER / 4.0);
            if centers.len() < most && (is_new || random.random_bool(0.05)) {
                centers.push(color);
            }
        }
        for _ in 0..8 {
            settle(&mut centers, colors, weights);
        }
        let cost = cost(&centers);
        if best.as_ref().is_none_or(|best| cost < best.0) {
            best = Some((cost, centers));
        }
    }
    best.map_or_else(Vec::new, |best| best.1)
}

/// Moves each center to the mean of those of its colors that are no outliers.
fn settle(centers: &mut [Lab], colors: &[Lab], weights: &[f32]) {
    let mut sums = vec![(Lab::new(0.0, 0.0, 0.0), 0.0_f32); centers.len()];
    for (color, weight) in colors.iter().zip(weights) {
        let center = nearest_center(*color, centers);
        if color.distance_squared(centers[center]) < OUTLIER {
            sums[center].0 += *color * *weight;
            sums[center].1 += weight;
        }
    }
    for (center, (sum, weight)) in centers.iter_mut().zip(sums) {
        if weight > 0.0 {
            *center = sum / weight;
        }
    }
}

/// The center that a color belongs to; 0 when there is none.
#[must_use]
pub fn nearest_center(color: Lab, centers: &[Lab]) -> usize {
    (0..centers.len())
        .min_by(|a, b| color.distance_squared(centers[*a]).total_cmp(&color.distance_squared(centers[*b])))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::color::{Srgb, lab};

    /// Shades of red and of blue, much of each, and a trace of green.
    fn colors() -> (Vec<Lab>, Vec<f32>) {
        let mut colors = Vec::new();
        for shade in 0..10 {
            let shade = 0.01 * shade as f32;
            colors.push(lab(Srgb::new(0.8 + shade, 0.1, 0.1)));
            colors.push(lab(Srgb::new(0.1, 0.1, 0.8 + shade)));
        }
        let mut weights = vec![10.0; colors.len()];
        colors.push(lab(Srgb::new(0.1, 1.0, 0.1)));
        weights.push(4.0);
        (colors, weights)
    }

    #[test]
    fn a_rare_color_does_not_pull_a_robust_center() {
        let (colors, weights) = colors();
        let off = |centers: &[Lab]| -> f32 {
            colors[..20].iter().map(|c| c.distance_squared(centers[nearest_center(*c, centers)])).sum()
        };
        let (plain, robust) = (cluster(&colors, &weights, 2, 1), cluster_robust(&colors, &weights, 2, 1));
        assert_eq!((plain.len(), robust.len()), (2, 2));
        assert!(off(&robust) < 0.8 * off(&plain), "{} {}", off(&robust), off(&plain));
        assert_eq!(robust, cluster_robust(&colors, &weights, 2, 1));
    }

    #[test]
    fn nothing_and_one_color_are_no_trouble() {
        let one = [lab(Srgb::new(0.5, 0.5, 0.5))];
        assert!(cluster_robust(&[], &[], 3, 0).is_empty());
        assert!(!cluster_robust(&one, &[1.0], 3, 0).is_empty());
        assert!(!cluster(&one, &[1.0], 3, 0).is_empty());
    }
}
