//! Which pen draws which mark.

use std::collections::{HashMap, HashSet};

use kurbo::{PathEl, Point, Shape as _};

use super::colors::{self, Inked, Match};
use super::marks::Mark;
use super::width::{FAT, ink_share};
use super::{FatStrokes, SceneLayer, Skipped, Stages};
use crate::color::{Srgb8, delta_e, to_hex};
use crate::pens::{Pen, PenSet};

/// Greatest ΔE2000 from white that still is the paper's color.
const PAPER: f32 = 3.0;

/// What becomes a layer, and so a pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LayersBy {
    /// Top-level groups, by Inkscape's label, else their id.
    Label,
    /// Top-level groups, by their id.
    Id,
    /// Each stroke color.
    Color,
    /// By label when there is an Inkscape layer or one of ours, else by color. A single layer that names no pen says
    /// nothing: then by color too.
    #[default]
    Auto,
}

/// A color that was told its pen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ByHand {
    /// As the file has it.
    pub color: Srgb8,
    /// Id of the pen.
    pub pen: String,
}

/// What is drawn of a line or an area that is partly transparent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Opacity {
    /// Spacing for areas and for strokes wide enough for several lines, color for the others.
    #[default]
    Auto,
    /// The pen of the color that is seen on white paper.
    Color,
    /// The pen of the full color, its lines further apart where there are several.
    Spacing,
}

/// How marks find their pens: by what their layers say, else by their colors.
#[derive(Debug, Clone, Copy, Default)]
pub struct Matching<'a> {
    /// What becomes a layer.
    pub layers: LayersBy,
    /// The pens there are. Empty: a pen is made for each layer, from its color and stroke width.
    pub pens: &'a [Pen],
    /// Most pens that are used. `None`: as many as bring the drawing nearest.
    pub most: Option<usize>,
    /// Whether rare colors must not pull the others.
    pub robust: bool,
    /// Colors that were told their pens.
    pub by_hand: &'a [ByHand],
    /// What is drawn of transparency.
    pub opacity: Opacity,
}

/// The marks of one pen.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) pen: Pen,
    pub(super) marks: Vec<Mark>,
    /// Whether the pen was made from the marks' color and width.
    pub(super) is_made: bool,
    /// The top-level layers that it came from, with the number of marks of each.
    pub(super) sources: Vec<Option<usize>>,
}

/// Gives every mark to a pen, and says which colors went to which. Groups come in the file's order, or light to dark when
/// they are made by color.
pub(super) fn assign(
    mut marks: Vec<Mark>,
    layers: &[SceneLayer],
    stages: &Stages<'_>,
    skipped: &mut Skipped,
    warnings: &mut Vec<String>,
) -> Result<(Vec<Group>, Vec<Match>), String> {
    let matching = &stages.matching;
    let named: Vec<Option<Pen>> = layers.iter().map(|layer| named_pen(layer, matching)).collect();
    let by_layer = by_layer(&marks, layers, &named, matching.layers);
    let pen_of = |mark: &Mark| if by_layer { named[mark.layer?].as_ref() } else { None };

    marks.iter_mut().for_each(|mark| mark.is_spaced = is_spaced(mark, matching, stages.filling.fat));
    let told = |mark: &Mark| matching.by_hand.iter().any(|told| told.color == mark.color);
    let is_paper = |mark: &Mark| {
        difference(seen(mark, matching), Srgb8::new(255, 255, 255)) < PAPER
            && pen_of(mark).is_none()
            && !told(mark)
    };
    let (paper, mut marks): (Vec<Mark>, Vec<Mark>) = marks.into_iter().partition(is_paper);
    if marks.is_empty() && !paper.is_empty() {
        warnings.push("everything is white, as on black paper: drawn with the darkest pen".into());
        let darkest = matching.pens.iter().min_by(|a, b| a.lightness().total_cmp(&b.lightness()));
        let color = darkest.map_or(Srgb8::new(0, 0, 0), |pen| pen.color);
        marks = paper.into_iter().map(|mark| Mark { color, opacity: 1.0, ..mark }).collect();
    } else {
        skipped.paper_colored += paper.len();
    }
    check_told(&marks, matching)?;
    if by_layer {
        Ok(assign_layers(marks, layers, &named, matching, warnings))
    } else {
        Ok(assign_colors(marks, matching))
    }
}

/// A color that was told its pen must be there.
fn check_told(marks: &[Mark], matching: &Matching<'_>) -> Result<(), String> {
    for told in matching.by_hand {
        if !marks.iter().any(|mark| mark.color == told.color) {
            let known: HashSet<[u8; 3]> = marks.iter().map(|mark| channels(mark.color)).collect();
            let mut known: Vec<[u8; 3]> = known.into_iter().collect();
            known.sort_unstable();
            let known: Vec<Srgb8> = known.into_iter().map(Srgb8::from).collect();
            return Err(colors::unknown(told.color, &known));
        }
    }
    Ok(())
}

/// The place of the pen that a color of the file was told.
fn told_pen(color: Srgb8, matching: &Matching<'_>) -> Option<usize> {
    let told = matching.by_hand.iter().rev().find(|told| told.color == color)?;
    matching.pens.iter().position(|pen| pen.id == told.pen)
}

/// A group for each layer: with the pen that it names, else one found for its main color, else one made for it.
fn assign_layers(
    marks: Vec<Mark>,
    layers: &[SceneLayer],
    named: &[Option<Pen>],
    matching: &Matching<'_>,
    warnings: &mut Vec<String>,
) -> (Vec<Group>, Vec<Match>) {
    let of_layers = gather(marks, |mark| mark.layer);
    let name_of = |layer: Option<usize>| {
        layer.map_or("loose marks".into(), |index| name(&layers[index], index, matching.layers))
    };
    // The layers that name no pen, with the color that most of each has.
    let mut unnamed: Vec<(usize, Inked)> = Vec::new();
    for (place, (layer, marks)) in of_layers.iter().enumerate() {
        if layer.is_some_and(|index| named[index].is_some()) {
            continue;
        }
        let colors = weigh(marks.iter().map(|mark| (channels(seen(mark, matching)), length(mark))));
        if colors.len() > 1 {
            let most = to_hex(colors[0].0.into());
            warnings.push(format!("layer `{}` has {} colors: {most} is used", name_of(*layer), colors.len()));
        }
        let color = colors.first().map_or(Srgb8::new(0, 0, 0), |(color, _)| Srgb8::from(*color));
        let own = weigh(marks.iter().map(|mark| (channels(mark.color), length(mark))));
        let told = own.first().and_then(|(color, _)| told_pen(Srgb8::from(*color), matching));
        unnamed.push((place, Inked { color, area: marks.iter().map(area).sum(), told }));
    }
    let inked: Vec<Inked> = unnamed.iter().map(|(_, inked)| *inked).collect();
    let (pens, matches) = if matching.pens.is_empty() {
        (Vec::new(), Vec::new())
    } else {
        colors::assign(&inked, matching.pens, matching)
    };
    let mut groups = Groups::default();
    let mut used: Vec<String> = Vec::new();
    for (place, (layer, mut marks)) in of_layers.into_iter().enumerate() {
        let of_unnamed = unnamed.iter().position(|(other, _)| *other == place);
        let found = of_unnamed.and_then(|index| Some(matching.pens[*pens.get(index)?].clone()));
        marks.iter_mut().for_each(|mark| mark.is_matched = found.is_some());
        let mut is_made = false;
        let pen = layer.and_then(|index| named[index].clone()).or(found).unwrap_or_else(|| {
            is_made = true;
            let name = name_of(layer);
            let color = of_unnamed.map_or(Srgb8::new(0, 0, 0), |index| unnamed[index].1.color);
            pen_for(unique(slug(&name), &used), name, color, &marks)
        });
        used.push(pen.id.clone());
        groups.add(pen, is_made, layer, marks);
    }
    (groups.0, matches)
}

/// A group for each color, or for each pen that was found for colors.
fn assign_colors(marks: Vec<Mark>, matching: &Matching<'_>) -> (Vec<Group>, Vec<Match>) {
    // What was told its pen is told by the color in the file.
    let by_color = gather(marks, |mark| (channels(seen(mark, matching)), told_pen(mark.color, matching)));
    let inked: Vec<Inked> = by_color
        .iter()
        .map(|((color, told), marks)| Inked {
            color: Srgb8::from(*color),
            area: marks.iter().map(area).sum(),
            told: *told,
        })
        .collect();
    let mut groups = Groups::default();
    let mut matches = Vec::new();
    if matching.pens.is_empty() {
        let robust = matching.robust;
        let reduced = matching.most.map(|most| colors::reduce(&inked, most, robust));
        let mut by_pen: Vec<(Srgb8, Vec<Mark>)> = Vec::new();
        for (index, (_, marks)) in by_color.into_iter().enumerate() {
            let color = reduced.as_ref().map_or(inked[index].color, |reduced| reduced[index]);
            match by_pen.iter_mut().find(|(other, _)| reduced.is_some() && *other == color) {
                Some((_, all)) => all.extend(marks),
                None => by_pen.push((color, marks)),
            }
        }
        for (color, marks) in by_pen {
            let hex = to_hex(color);
            groups.add(pen_for(hex.trim_start_matches('#').into(), hex, color, &marks), true, None, marks);
        }
    } else {
        let (pens, found) = colors::assign(&inked, matching.pens, matching);
        matches = found;
        for (pen, (_, mut marks)) in pens.into_iter().zip(by_color) {
            marks.iter_mut().for_each(|mark| mark.is_matched = true);
            groups.add(matching.pens[pen].clone(), false, None, marks);
        }
    }
    let mut groups = groups.0;
    let order = PenSet::new(groups.iter().map(|group| group.pen.clone()).collect());
    groups.sort_by_key(|group| order.pens().iter().position(|pen| pen.id == group.pen.id));
    (groups, matches)
}

/// The marks by pen, each pen once.
#[derive(Default)]
struct Groups(Vec<Group>);

impl Groups {
    fn add(&mut self, pen: Pen, is_made: bool, source: Option<usize>, marks: Vec<Mark>) {
        match self.0.iter_mut().find(|group| group.pen.id == pen.id) {
            Some(group) => {
                group.marks.extend(marks);
                group.sources.push(source);
            }
            None => self.0.push(Group { pen, marks, is_made, sources: vec![source] }),
        }
    }
}

/// The color that is to be seen of a mark on white paper. Pens that are made for a drawing have its full colors, so that
/// two transparencies of one color are not two pens.
fn seen(mark: &Mark, matching: &Matching<'_>) -> Srgb8 {
    let is_full = matching.pens.is_empty() && matching.most.is_none();
    if is_full || mark.is_spaced {
        return mark.color;
    }
    let over = |channel: u8| {
        let (ink, paper) = (f32::from(channel) * mark.opacity, 255.0 * (1.0 - mark.opacity));
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a mean of two bytes")]
        let byte = (ink + paper).round().clamp(0.0, 255.0) as u8;
        byte
    };
    Srgb8::from(channels(mark.color).map(over))
}

/// Whether a mark's opacity is drawn by lines further apart.
fn is_spaced(mark: &Mark, matching: &Matching<'_>, fat: Option<FatStrokes>) -> bool {
    match matching.opacity {
        Opacity::Color => false,
        Opacity::Spacing => true,
        Opacity::Auto => {
            let is_lines = matches!(fat, None | Some(FatStrokes::Lines));
            let tip = matching.pens.iter().map(|pen| pen.tip).fold(0.0, f64::max);
            let is_wide = is_lines && mark.width.is_some_and(|width| width > FAT * tip);
            !matching.pens.is_empty() && (mark.area.is_some() || is_wide)
        }
    }
}

/// The area that a mark inks, roughly; mm². What has neither area nor width counts as a thin line.
fn area(mark: &Mark) -> f64 {
    let whole = match mark.area {
        Some(_) => mark.path.area().abs(),
        None => length(mark) * mark.width.unwrap_or(0.3),
    };
    whole * ink_share(mark)
}

/// Whether layers, not colors, are the passes.
fn by_layer(marks: &[Mark], layers: &[SceneLayer], named: &[Option<Pen>], by: LayersBy) -> bool {
    match by {
        LayersBy::Label | LayersBy::Id => true,
        LayersBy::Color => false,
        LayersBy::Auto => {
            let mut used: Vec<Option<usize>> = marks.iter().map(|mark| mark.layer).collect();
            used.sort_unstable();
            used.dedup();
            let is_marked = |index: usize| layers[index].is_marked || layers[index].pen.is_some();
            // Inkscape puts everything on one layer when its user never asked for layers.
            let says_nothing = used.len() == 1 && used[0].is_some_and(|index| named[index].is_none());
            used.iter().flatten().any(|index| is_marked(*index)) && !says_nothing
        }
    }
}

/// The pen that a layer names: by our own attributes, or by its label or id.
fn named_pen(layer: &SceneLayer, matching: &Matching<'_>) -> Option<Pen> {
    if let Some(own) = &layer.pen {
        return Some(matching.pens.iter().find(|pen| pen.id == own.id).unwrap_or(own).clone());
    }
    let label = Some(words(&layer.label.name)).filter(|_| matching.layers != LayersBy::Id);
    let texts = [label, Some(words(&layer.id))];
    texts.into_iter().flatten().find_map(|text| {
        let fits =
            |name: &str| Some(words(name)).filter(|name| name.len() > 2 && text.contains(name.as_str()));
        let scored = matching.pens.iter().filter_map(|pen| {
            let fit =
                [&pen.id, &pen.name].into_iter().filter_map(|name| fits(name)).map(|name| name.len()).max();
            Some((fit?, pen))
        });
        // The longest name; the first pen among equals.
        scored.rev().max_by_key(|(fit, _)| *fit).map(|(_, pen)| pen.clone())
    })
}

/// Lower case words between single spaces, with one before and after, so that only whole words are found in it.
fn words(text: &str) -> String {
    let text = text.to_lowercase();
    let words: Vec<&str> =
        text.split(|c: char| !c.is_alphanumeric() && c != '.').filter(|word| !word.is_empty()).collect();
    format!(" {} ", words.join(" "))
}

fn name(layer: &SceneLayer, index: usize, by: LayersBy) -> String {
    let label = Some(&layer.label.name).filter(|_| by != LayersBy::Id);
    let names = [label, Some(&layer.id)];
    names.into_iter().flatten().find(|name| !name.is_empty()).cloned().unwrap_or_else(|| {
        layer.label.number.map_or_else(|| format!("layer {}", index + 1), |number| format!("layer {number}"))
    })
}

fn slug(name: &str) -> String {
    let plain: String =
        name.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { ' ' }).collect();
    let slug = plain.split_whitespace().collect::<Vec<_>>().join("-");
    if slug.is_empty() { "layer".into() } else { slug }
}

fn unique(id: String, used: &[String]) -> String {
    if !used.contains(&id) {
        return id;
    }
    let numbered = (2..).map(|number: u32| format!("{id}-{number}"));
    numbered.into_iter().find(|id| !used.contains(id)).unwrap_or(id)
}

/// A pen made from the marks that it is to draw.
fn pen_for(id: String, name: String, color: Srgb8, marks: &[Mark]) -> Pen {
    let widths =
        weigh(marks.iter().filter_map(|mark| Some(((mark.width? * 1000.0).round() as u64, length(mark)))));
    let tip = widths.first().map_or(0.3, |(width, _)| *width as f64 / 1000.0).clamp(0.01, 50.0);
    Pen { id, name, color, tip, opacity: 0.0, speed: None, slot: None, metres: None, pass: None }
}

fn difference(a: Srgb8, b: Srgb8) -> f32 {
    delta_e(a.into_format(), b.into_format())
}

/// A color as a key.
fn channels(color: Srgb8) -> [u8; 3] {
    color.into()
}

/// Sums by key; the heaviest first, the first seen among equals.
fn weigh<K: Copy + Eq + std::hash::Hash>(items: impl Iterator<Item = (K, f64)>) -> Vec<(K, f64)> {
    let mut sums: Vec<(K, f64)> = Vec::new();
    let mut places: HashMap<K, usize> = HashMap::new();
    for (key, weight) in items {
        let place = *places.entry(key).or_insert(sums.len());
        match sums.get_mut(place) {
            Some(sum) => sum.1 += weight,
            None => sums.push((key, weight)),
        }
    }
    sums.sort_by(|a, b| b.1.total_cmp(&a.1));
    sums
}

/// Groups in the order in which the keys were first seen.
fn gather<K: Copy + Eq + std::hash::Hash>(marks: Vec<Mark>, key: impl Fn(&Mark) -> K) -> Vec<(K, Vec<Mark>)> {
    let mut groups: Vec<(K, Vec<Mark>)> = Vec::new();
    let mut places: HashMap<K, usize> = HashMap::new();
    for mark in marks {
        let key = key(&mark);
        let place = *places.entry(key).or_insert(groups.len());
        match groups.get_mut(place) {
            Some(group) => group.1.push(mark),
            None => groups.push((key, vec![mark])),
        }
    }
    groups
}

/// Length of a mark's control polygon: near enough to compare; mm.
fn length(mark: &Mark) -> f64 {
    let mut at = Point::ORIGIN;
    let mut length = 0.0;
    for element in mark.path.iter() {
        if let PathEl::MoveTo(to) = element {
            at = to;
        } else if let Some(to) = element.end_point() {
            length += at.distance(to);
            at = to;
        }
    }
    length
}
