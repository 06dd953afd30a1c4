//! From the colors of a drawing to the pens there are.
//!
//! Colors that look alike are one. As many as there are pens, or fewer, get a pen each, at the least sum of CIEDE2000
//! differences weighted by their ink; more are gathered by k-means in Lab first. A color that would get a quite
//! different pen shares the nearest one.

use std::collections::HashMap;

use pathfinding::matrix::Matrix;
use pathfinding::prelude::kuhn_munkres_min;

use super::Matching;
use crate::color::{Lab, Srgb, Srgb8, cluster, cluster_robust, delta_e, lab, nearest_center, to_hex};
use crate::pens::Pen;

/// A ΔE2000 beyond which two colors share a pen rather than take one that looks quite different.
const SHARE_BEYOND: f32 = 40.0;
/// So much worse than the nearest pen is quite different too, unless it is near enough: else a row of grays would take
/// every pen there is.
const SHARE_WORSE: f32 = 12.0;
/// A ΔE2000 up to which a pen is near enough for a color.
const NEAR: f32 = 20.0;
/// A ΔE2000 below which two colors of a drawing are one to the eye.
const ALIKE: f32 = 5.0;
/// More colors than this are first gathered into steps of 16 a channel.
const MANY: usize = 1024;
/// Most clusters that are tried where their number is free.
const MOST_TRIED: usize = 16;
/// Of the k-means; any number, so that the same drawing gets the same pens.
const SEED: u64 = 7;

/// A color of the drawing, or several that one pen draws, and their pen.
#[derive(Debug, Clone, PartialEq)]
pub struct Match {
    /// Their mean, or the color itself, as it is seen on white paper.
    pub color: Srgb8,
    /// How many colors of the file these are.
    pub colors: usize,
    /// Their share of the inked area, 0 to 1.
    pub share: f64,
    /// Id of the pen.
    pub pen: String,
    /// The pen's own color.
    pub pen_color: Srgb8,
    /// From the color to the pen's; CIEDE2000.
    pub delta_e: f32,
    /// Whether the user said so.
    pub by_hand: bool,
}

/// A color with the area that it inks; mm².
#[derive(Debug, Clone, Copy)]
pub(super) struct Inked {
    /// As it is seen on white paper.
    pub(super) color: Srgb8,
    pub(super) area: f64,
    /// The pen that was told, by its place among the pens.
    pub(super) told: Option<usize>,
}

/// For each color the place of its pen, and what to tell of it. `pens` is not empty.
pub(super) fn assign(colors: &[Inked], pens: &[Pen], matching: &Matching<'_>) -> (Vec<usize>, Vec<Match>) {
    let mut pen_of = vec![0; colors.len()];
    let total: f64 = colors.iter().map(|inked| inked.area).sum::<f64>().max(1e-9);
    let mut matches = Vec::new();
    let mut tell = |members: &[usize], color: Srgb8, pen: usize, by_hand: bool| {
        matches.push(Match {
            color,
            colors: members.len(),
            share: members.iter().map(|index| colors[*index].area).sum::<f64>() / total,
            pen: pens[pen].id.clone(),
            pen_color: pens[pen].color,
            delta_e: difference(color, pens[pen].color),
            by_hand,
        });
    };
    let mut free = Vec::new();
    for (index, inked) in colors.iter().enumerate() {
        if let Some(pen) = inked.told {
            pen_of[index] = pen;
            tell(&[index], inked.color, pen, true);
        } else {
            free.push(index);
        }
    }
    let clusters = gather(colors, &free, pens, matching);
    let chosen = clusters.pens(pens);
    for (cluster, pen) in chosen.iter().enumerate() {
        let members = &clusters.members[cluster];
        if members.is_empty() {
            continue;
        }
        members.iter().for_each(|index| pen_of[*index] = *pen);
        tell(members, clusters.centers[cluster], *pen, false);
    }
    matches.sort_by(|a, b| b.share.total_cmp(&a.share));
    (pen_of, matches)
}

/// The colors as at most `most` of them, where there are no pens to match; each with its own center.
pub(super) fn reduce(colors: &[Inked], most: usize, robust: bool) -> Vec<Srgb8> {
    let free: Vec<usize> = (0..colors.len()).collect();
    let groups = alike(colors, &free);
    let clusters = if groups.centers.len() <= most { groups } else { groups.clustered(colors, most, robust) };
    let mut center_of = vec![Srgb8::new(0, 0, 0); colors.len()];
    for (members, center) in clusters.members.iter().zip(&clusters.centers) {
        members.iter().for_each(|index| center_of[*index] = *center);
    }
    center_of
}

/// Colors that share a pen.
#[derive(Debug, Clone, Default)]
struct Clusters {
    centers: Vec<Srgb8>,
    /// Places of the colors.
    members: Vec<Vec<usize>>,
    /// Area that they ink; mm².
    areas: Vec<f64>,
}

fn gather(colors: &[Inked], free: &[usize], pens: &[Pen], matching: &Matching<'_>) -> Clusters {
    let groups = alike(colors, free);
    let most = matching.most.unwrap_or(pens.len()).clamp(1, pens.len());
    if groups.centers.len() <= most {
        return groups;
    }
    if matching.most.is_some() {
        return groups.clustered(colors, most, matching.robust);
    }
    // A pen for every cluster: with too many clusters, pens that suit none are forced upon some.
    let tried = (1..=most.min(MOST_TRIED)).map(|count| groups.clustered(colors, count, matching.robust));
    let worth = |clusters: &Clusters| -> f64 {
        let chosen = clusters.pens(pens);
        let each = clusters.members.iter().zip(chosen);
        each.flat_map(|(members, pen)| members.iter().map(move |index| (colors[*index], pen)))
            .map(|(inked, pen)| inked.area * f64::from(difference(inked.color, pens[pen].color)))
            .sum()
    };
    tried
        .map(|clusters| (worth(&clusters), clusters))
        .reduce(|best, other| if other.0 < best.0 - 1e-9 { other } else { best })
        .map_or(groups, |best| best.1)
}

/// Groups of colors that the eye can't tell apart, the largest first; each has the color of its largest member.
fn alike(colors: &[Inked], free: &[usize]) -> Clusters {
    // A step is 16 of 256 where there are so many colors that they can't be compared by pairs.
    let step = |color: Srgb8| {
        let channels: [u8; 3] = color.into();
        if free.len() > MANY { channels.map(|channel| channel / 16) } else { channels }
    };
    let mut bins: Vec<Vec<usize>> = Vec::new();
    let mut places: HashMap<[u8; 3], usize> = HashMap::new();
    for index in free {
        let place = *places.entry(step(colors[*index].color)).or_insert(bins.len());
        match bins.get_mut(place) {
            Some(bin) => bin.push(*index),
            None => bins.push(vec![*index]),
        }
    }
    let area = |bin: &[usize]| bin.iter().map(|index| colors[*index].area).sum::<f64>();
    bins.sort_by(|a, b| area(b).total_cmp(&area(a)));
    let mut groups = Clusters::default();
    for bin in bins {
        let largest = bin.iter().copied().max_by(|a, b| colors[*a].area.total_cmp(&colors[*b].area));
        let Some(color) = largest.map(|index| colors[index].color) else { continue };
        let near = groups.centers.iter().position(|center| difference(*center, color) < ALIKE);
        let size = area(&bin);
        match near {
            Some(group) => {
                groups.members[group].extend(bin);
                groups.areas[group] += size;
            }
            None => {
                groups.centers.push(color);
                groups.members.push(bin);
                groups.areas.push(size);
            }
        }
    }
    groups
}

impl Clusters {
    /// These groups in at most `count` clusters.
    fn clustered(&self, colors: &[Inked], count: usize, robust: bool) -> Self {
        let labs: Vec<Lab> = self.centers.iter().map(|color| to_lab(*color)).collect();
        let weights: Vec<f32> = self.areas.iter().map(|area| *area as f32).collect();
        let find = if robust { cluster_robust } else { cluster };
        let centers = find(&labs, &weights, count, SEED);
        let mut gathered = Self {
            centers: Vec::new(),
            members: vec![Vec::new(); centers.len()],
            areas: vec![0.0; centers.len()],
        };
        for (group, color) in labs.iter().enumerate() {
            let center = nearest_center(*color, &centers);
            gathered.members[center].extend(&self.members[group]);
            gathered.areas[center] += self.areas[group];
        }
        gathered.centers = centers.iter().map(|center| from_lab(*center)).collect();
        // One color alone is itself, not a rounded mean.
        for (center, members) in gathered.centers.iter_mut().zip(&gathered.members) {
            if let [index] = members.as_slice() {
                *center = colors[*index].color;
            }
        }
        gathered
    }

    /// The place of each cluster's pen. No more clusters than pens.
    fn pens(&self, pens: &[Pen]) -> Vec<usize> {
        let used: Vec<usize> =
            (0..self.centers.len()).filter(|cluster| !self.members[*cluster].is_empty()).collect();
        let mut chosen = vec![0; self.centers.len()];
        let differences: Vec<Vec<f32>> = used
            .iter()
            .map(|cluster| pens.iter().map(|pen| difference(self.centers[*cluster], pen.color)).collect())
            .collect();
        let total: f64 = self.areas.iter().sum::<f64>().max(1e-9);
        // The main color gets the pen that suits it; a trace of ink still counts.
        #[expect(clippy::cast_possible_truncation, reason = "a difference is 0 to about 120")]
        let costs = used.iter().zip(&differences).map(|(cluster, row)| {
            let weight = 0.1 + self.areas[*cluster] / total;
            row.iter().map(|delta| (f64::from(*delta) * weight * 1e4).round() as i64).collect::<Vec<i64>>()
        });
        let own = match Matrix::from_rows(costs) {
            Ok(costs) if costs.rows > 0 && costs.rows <= costs.columns => kuhn_munkres_min(&costs).1,
            _ => vec![0; used.len()],
        };
        for ((cluster, row), own) in used.iter().zip(&differences).zip(own) {
            let nearest = (0..row.len()).min_by(|a, b| row[*a].total_cmp(&row[*b])).unwrap_or(0);
            let is_different = row[own] > SHARE_BEYOND || row[own] > NEAR.max(row[nearest] + SHARE_WORSE);
            chosen[*cluster] = if is_different { nearest } else { own };
        }
        chosen
    }
}

/// What is wrong when a color was told a pen and stands nowhere: the nearest that does.
pub(super) fn unknown(color: Srgb8, known: &[Srgb8]) -> String {
    let nearest = known.iter().min_by(|a, b| difference(**a, color).total_cmp(&difference(**b, color)));
    let hint = nearest.map_or("it names its pens by layer: try `--layers color`".into(), |nearest| {
        format!("the nearest that is there is {}", to_hex(*nearest))
    });
    format!("--map {}: the drawing has no such color; {hint}", to_hex(color))
}

fn difference(a: Srgb8, b: Srgb8) -> f32 {
    delta_e(a.into_format(), b.into_format())
}

fn to_lab(color: Srgb8) -> Lab {
    lab(color.into_format())
}

fn from_lab(color: Lab) -> Srgb8 {
    use palette::IntoColor as _;
    let color: Srgb<f32> = color.into_color();
    color.into_format()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::color::parse_hex;
    use crate::pens::{BUILT_IN, Inventory};

    fn pens(ids: &[&str]) -> Vec<Pen> {
        let all: Vec<Pen> =
            BUILT_IN.iter().flat_map(|(_, text)| Inventory::parse("x", text).unwrap().pens).collect();
        ids.iter().map(|id| all.iter().rfind(|pen| pen.id == *id).unwrap().clone()).collect()
    }

    fn inked(colors: &[(&str, f64)]) -> Vec<Inked> {
        let inked =
            |(color, area): &(&str, f64)| Inked { color: parse_hex(color).unwrap(), area: *area, told: None };
        colors.iter().map(inked).collect()
    }

    fn ids(colors: &[Inked], pens: &[Pen], matching: &Matching<'_>) -> Vec<String> {
        assign(colors, pens, matching).0.into_iter().map(|pen| pens[pen].id.clone()).collect()
    }

    #[test]
    fn two_reds_get_a_pen_each_at_the_least_sum() {
        let pens = pens(&["red", "brown", "blue"]);
        let colors = inked(&[("#5a2a20", 5.0), ("#d81e2c", 5.0)]);
        assert_eq!(ids(&colors, &pens, &Matching::default()), ["brown", "red"]);
    }

    #[test]
    fn a_color_far_from_what_is_left_shares_the_nearest_pen() {
        let pens = pens(&["red", "blue"]);
        let colors = inked(&[("#d81e2c", 9.0), ("#b01020", 1.0)]);
        assert_eq!(ids(&colors, &pens, &Matching::default()), ["red", "red"]);
    }

    #[test]
    fn colors_that_look_alike_are_one() {
        let pens = pens(&["black", "grey", "blue"]);
        let colors = inked(&[("#000000", 5.0), ("#040404", 4.0), ("#000100", 1.0)]);
        let (pen_of, matches) = assign(&colors, &pens, &Matching::default());
        assert!(pen_of.iter().all(|pen| *pen == 0));
        assert_eq!((matches.len(), matches[0].colors), (1, 3));
        assert!((matches[0].share - 1.0).abs() < 1e-9 && !matches[0].by_hand);
    }

    #[test]
    fn many_grays_do_not_take_pens_that_suit_none() {
        let mut all = Inventory::built_in("fineliner-12").unwrap().pens;
        all.extend(pens(&["black"]));
        let colors: Vec<Inked> = (0..100_u8)
            .map(|i| Inked { color: Srgb8::new(2 * i, 2 * i, 2 * i), area: 1.0, told: None })
            .collect();
        let (pen_of, matches) = assign(&colors, &all, &Matching::default());
        for found in &matches {
            let nearest = all.iter().map(|pen| difference(pen.color, found.color)).fold(f32::MAX, f32::min);
            assert!(found.delta_e <= NEAR.max(nearest + SHARE_WORSE), "{found:?}");
        }
        assert!(pen_of.iter().any(|pen| all[*pen].id == "black") && matches.len() > 3);
        assert_eq!(matches.iter().map(|m| m.colors).sum::<usize>(), 100);
    }

    #[test]
    fn as_many_as_asked_for() {
        let all = Inventory::built_in("fineliner-12").unwrap().pens;
        let colors: Vec<Inked> = (0..=255_u8)
            .step_by(3)
            .map(|i| Inked { color: Srgb8::new(i, 255 - i, i / 2), area: 1.0, told: None })
            .collect();
        for most in [1, 3, 5] {
            let matching = Matching { most: Some(most), ..Matching::default() };
            let mut used = assign(&colors, &all, &matching).0;
            used.sort_unstable();
            used.dedup();
            assert!(used.len() <= most && (most > 3 || used.len() == most), "{most}: {used:?}");
        }
        let mut reduced: Vec<String> = reduce(&colors, 4, false).into_iter().map(to_hex).collect();
        reduced.sort();
        reduced.dedup();
        assert_eq!(reduced.len(), 4);
    }

    #[test]
    fn what_was_told_is_done() {
        let pens = pens(&["red", "blue"]);
        let mut colors = inked(&[("#d81e2c", 9.0), ("#2040b0", 1.0)]);
        colors[0].told = Some(1);
        assert_eq!(ids(&colors, &pens, &Matching::default()), ["blue", "blue"]);
        assert!(unknown(Srgb8::new(255, 0, 0), &[Srgb8::new(250, 0, 0)]).contains("#fa0000"));
    }

    #[test]
    fn any_number_of_colors_is_matched_quickly_enough_to_count() {
        let pens = pens(&["red", "blue"]);
        let colors: Vec<Inked> = (0..30_000_u32)
            .map(|i| {
                let [_, r, g, b] = (i * 559).to_be_bytes();
                Inked { color: Srgb8::new(r, g, b), area: 1.0, told: None }
            })
            .collect();
        let (pen_of, matches) = assign(&colors, &pens, &Matching::default());
        assert_eq!(pen_of.len(), 30_000);
        assert_eq!(matches.iter().map(|m| m.colors).sum::<usize>(), 30_000);
    }
}
