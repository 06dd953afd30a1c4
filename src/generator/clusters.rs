//! From free colors to pens: k-means in Lab, then the nearest pen of the inventory.

use palette::color_difference::Ciede2000;

use traceur_core::color::{Lab, Srgb, cluster, lab, nearest_center};
use traceur_core::pens::Pen;

/// A ΔE2000 beyond which two clusters share a pen rather than take one that looks quite different.
const SHARE_BEYOND: f32 = 40.0;

/// The pen of each stroke: an index into `pens`, at most `most` different ones.
///
/// `colors`: sRGB of each stroke's line, 0 to 1; `weights`: its inked area, any unit.
pub(super) fn choose(
    colors: &[[f32; 3]],
    weights: &[f32],
    pens: &[Pen],
    most: usize,
    seed: u64,
) -> Vec<usize> {
    let labs: Vec<Lab> = colors.iter().map(|c| lab(Srgb::new(c[0], c[1], c[2]))).collect();
    let centers = cluster(&labs, weights, most, seed);
    let cluster_of: Vec<usize> = labs.iter().map(|color| nearest_center(*color, &centers)).collect();
    let mut heavy: Vec<(f32, usize)> = (0..centers.len()).map(|cluster| (0.0, cluster)).collect();
    for (cluster, weight) in cluster_of.iter().zip(weights) {
        heavy[*cluster].0 += weight;
    }
    heavy.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let pen_colors: Vec<Lab> = pens.iter().map(|pen| lab(pen.color.into_format())).collect();
    let mut pen_of = vec![0; centers.len()];
    let mut taken = vec![false; pens.len()];
    for (_, cluster) in heavy {
        let difference = |pen: &usize| centers[cluster].difference(pen_colors[*pen]);
        let best = |free: bool| {
            (0..pens.len())
                .filter(|pen| !(free && taken[*pen]))
                .min_by(|a, b| difference(a).total_cmp(&difference(b)))
        };
        let own = best(true).filter(|pen| difference(pen) <= SHARE_BEYOND);
        let pen = own.or_else(|| best(false)).unwrap_or(0);
        taken[pen] = true;
        pen_of[cluster] = pen;
    }
    cluster_of.into_iter().map(|cluster| pen_of[cluster]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use traceur_core::pens::Inventory;

    #[test]
    fn colors_near_a_pen_take_it_and_at_most_so_many_are_taken() {
        let pens = Inventory::built_in("fineliner-12").unwrap().pens;
        let colors: Vec<[f32; 3]> = (0..40)
            .map(|i| if i % 2 == 0 { [0.80, 0.10 + 0.001 * i as f32, 0.18] } else { [0.12, 0.16, 0.55] })
            .collect();
        let chosen = choose(&colors, &[1.0; 40], &pens, 2, 7);
        assert!(chosen.iter().enumerate().all(|(i, pen)| pens[*pen].id == ["red", "blue"][i % 2]));
        assert_eq!(chosen, choose(&colors, &[1.0; 40], &pens, 2, 7));
    }
}
