//! Which pen draws which mark.

use std::collections::HashMap;

use kurbo::{PathEl, Point};

use super::layers::Layer;
use super::marks::Mark;
use super::options::{LayersBy, ReadOptions, Skipped};
use crate::color::{Srgb8, delta_e, to_hex};
use crate::pens::{Pen, PenSet};

/// Greatest ΔE2000 from white that still is the paper's color.
const PAPER: f32 = 3.0;

/// The marks of one pen.
pub(super) struct Group {
    pub(super) pen: Pen,
    pub(super) marks: Vec<Mark>,
    /// Whether the pen was made from the marks' color and width.
    pub(super) is_made: bool,
    /// The top-level layers that it came from, with the number of marks of each.
    pub(super) sources: Vec<Option<usize>>,
}

/// Gives every mark to a pen. Groups come in the file's order, or light to dark when they are made by color.
pub(super) fn assign(
    marks: Vec<Mark>,
    layers: &[Layer],
    options: &ReadOptions<'_>,
    skipped: &mut Skipped,
    warnings: &mut Vec<String>,
) -> Vec<Group> {
    let named: Vec<Option<Pen>> = layers.iter().map(|layer| named_pen(layer, options)).collect();
    let by_layer = by_layer(&marks, layers, &named, options.layers);
    let pen_of = |mark: &Mark| if by_layer { named[mark.layer?].as_ref() } else { None };

    let is_paper =
        |mark: &Mark| difference(mark.color, Srgb8::new(255, 255, 255)) < PAPER && pen_of(mark).is_none();
    let (paper, mut marks): (Vec<Mark>, Vec<Mark>) = marks.into_iter().partition(is_paper);
    if marks.is_empty() && !paper.is_empty() {
        warnings.push("everything is white, as on black paper: drawn with the darkest pen".into());
        let darkest = options.pens.iter().min_by(|a, b| a.lightness().total_cmp(&b.lightness()));
        let color = darkest.map_or(Srgb8::new(0, 0, 0), |pen| pen.color);
        marks = paper.into_iter().map(|mark| Mark { color, ..mark }).collect();
    } else {
        skipped.paper_colored += paper.len();
    }

    let mut groups: Vec<Group> = Vec::new();
    let mut add = |pen: Pen, is_made: bool, marks: Vec<Mark>| {
        let source = marks.first().and_then(|mark| mark.layer).filter(|_| by_layer);
        match groups.iter_mut().find(|group| group.pen.id == pen.id) {
            Some(group) => {
                group.marks.extend(marks);
                group.sources.push(source);
            }
            None => groups.push(Group { pen, marks, is_made, sources: vec![source] }),
        }
    };
    if by_layer {
        let mut used: Vec<String> = Vec::new();
        for (layer, marks) in gather(marks, |mark| mark.layer) {
            let pen = layer.and_then(|index| named[index].clone());
            let mut is_made = false;
            let pen = pen.unwrap_or_else(|| {
                let colors = color_lengths(&marks);
                let name =
                    layer.map_or("loose marks".into(), |index| name(&layers[index], index, options.layers));
                if colors.len() > 1 {
                    let most = to_hex(colors[0].0);
                    warnings.push(format!("layer `{name}` has {} colors: {most} is used", colors.len()));
                }
                let color = colors.first().map_or(Srgb8::new(0, 0, 0), |(color, _)| *color);
                nearest(color, options.pens).cloned().unwrap_or_else(|| {
                    is_made = true;
                    let id = unique(slug(&name), &used);
                    pen_for(id, name, color, &marks)
                })
            });
            used.push(pen.id.clone());
            add(pen, is_made, marks);
        }
        return groups;
    }
    let colors = gather(marks, |mark| channels(mark.color));
    if !options.pens.is_empty() && colors.len() > options.pens.len() {
        let message = "{} colors for {} pens: each goes to the nearest pen";
        let message = message.replacen("{}", &colors.len().to_string(), 1);
        warnings.push(message.replacen("{}", &options.pens.len().to_string(), 1));
    }
    for (channels, marks) in colors {
        let color = Srgb8::from(channels);
        let pen = nearest(color, options.pens).cloned().unwrap_or_else(|| {
            let hex = to_hex(color);
            pen_for(hex.trim_start_matches('#').into(), hex, color, &marks)
        });
        add(pen, options.pens.is_empty(), marks);
    }
    let order = PenSet::new(groups.iter().map(|group| group.pen.clone()).collect());
    groups.sort_by_key(|group| order.pens().iter().position(|pen| pen.id == group.pen.id));
    groups
}

/// Whether layers, not colors, are the passes.
fn by_layer(marks: &[Mark], layers: &[Layer], named: &[Option<Pen>], by: LayersBy) -> bool {
    match by {
        LayersBy::Label | LayersBy::Id => true,
        LayersBy::Color => false,
        LayersBy::Auto => {
            let mut used: Vec<Option<usize>> = marks.iter().map(|mark| mark.layer).collect();
            used.sort_unstable();
            used.dedup();
            let is_marked = |index: usize| layers[index].is_inkscape || layers[index].pen.is_some();
            // Inkscape puts everything on one layer when its user never asked for layers.
            let says_nothing = used.len() == 1 && used[0].is_some_and(|index| named[index].is_none());
            used.iter().flatten().any(|index| is_marked(*index)) && !says_nothing
        }
    }
}

/// The pen that a layer names: by our own attributes, or by its label or id.
fn named_pen(layer: &Layer, options: &ReadOptions<'_>) -> Option<Pen> {
    if let Some(own) = &layer.pen {
        return Some(options.pens.iter().find(|pen| pen.id == own.id).unwrap_or(own).clone());
    }
    let label = Some(words(&layer.label.name)).filter(|_| options.layers != LayersBy::Id);
    let texts = [label, Some(words(&layer.id))];
    texts.into_iter().flatten().find_map(|text| {
        let fits =
            |name: &str| Some(words(name)).filter(|name| name.len() > 2 && text.contains(name.as_str()));
        let scored = options.pens.iter().filter_map(|pen| {
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

fn name(layer: &Layer, index: usize, by: LayersBy) -> String {
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
    Pen { id, name, color, tip, opacity: 0.0, speed: None, slot: None }
}

fn nearest(color: Srgb8, pens: &[Pen]) -> Option<&Pen> {
    pens.iter().min_by(|a, b| difference(a.color, color).total_cmp(&difference(b.color, color)))
}

fn difference(a: Srgb8, b: Srgb8) -> f32 {
    delta_e(a.into_format(), b.into_format())
}

/// A color as a key.
fn channels(color: Srgb8) -> [u8; 3] {
    color.into()
}

/// The colors, the most used first.
fn color_lengths(marks: &[Mark]) -> Vec<(Srgb8, f64)> {
    let colors = weigh(marks.iter().map(|mark| (channels(mark.color), length(mark))));
    colors.into_iter().map(|(channels, length)| (channels.into(), length)).collect()
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
