//! Reading: what other programs wrote becomes a drawing.

use kurbo::Shape as _;

use super::draw::Scene;
use super::ink::{self, Group};
use super::layers::{self, Layer as Source};
use super::marks::{self, Found};
use super::matching::Match;
use super::options::{ReadOptions, Skipped};
use super::{Label, MM_PER_PX, door};
use crate::drawing::page::GREATEST;
use crate::drawing::{Arrangement, Drawing, Error, Layer, Layout, Page, Stroke};
use crate::geometry::{Affine, FillRule, Rect};

/// What a file gave.
#[derive(Debug, Clone, PartialEq)]
pub struct Import {
    /// The drawing, laid out: at least one layer, each with at least one stroke and its own pen. When it is cut over
    /// several sheets, this is the whole picture.
    pub drawing: Drawing,
    /// Where it lies on its sheets.
    pub arrangement: Arrangement,
    /// Length of the lines that ink areas, of one copy; mm.
    pub filled_mm: f64,
    /// Length of line that filled shapes above hide, of one copy; mm.
    pub hidden_mm: f64,
    /// Which pen the colors found, the most used first; empty where layers name their pens, or pens were made.
    pub mapping: Vec<Match>,
    /// Strokes wider than their pen's line that became several lines.
    pub widened: usize,
    /// What was left out or drawn otherwise than asked, a sentence each.
    pub warnings: Vec<String>,
    /// How much was left out.
    pub skipped: Skipped,
    /// The file's layers that are drawn, when layers were made by label or id.
    pub layers: Vec<SourceLayer>,
}

/// A layer as the file had it.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceLayer {
    /// Its id; may be empty.
    pub id: String,
    /// Its label, taken apart.
    pub label: Label,
    /// Id of the pen that draws it.
    pub pen: String,
}

/// Reads an SVG; `file` is its name for messages.
///
/// Width and height give the page: mm, cm, in, pt, or px at 96 to the inch. Each subpath is a stroke.
///
/// # Errors
/// One sentence, with line and column where there are any: bytes that are no SVG, no size that could be paper,
/// coordinates that are not finite, nothing to draw, too large or too deep.
pub fn read(file: &str, bytes: &[u8], options: &ReadOptions<'_>) -> Result<Import, Error> {
    let text = door::text(file, bytes)?;
    door::with_room(file, || read_text(file, &text, options))
}

fn read_text(file: &str, text: &str, options: &ReadOptions<'_>) -> Result<Import, Error> {
    let survey = {
        let document = door::parse(file, text)?;
        layers::survey(file, text, &document)?
    };
    let tree = marks::tree(file, &survey.text)?;
    let size = tree.size();
    // usvg's pixels are f32: to the nearest µm they say again what the file said.
    let mm = |px: f32| (f64::from(px) * MM_PER_PX * 1000.0).round() / 1000.0;
    let page = Page { width: mm(size.width()), height: mm(size.height()) };
    if !page.is_sane() {
        let Page { width, height } = page;
        let message = format!(
            "a page of {width:.4} x {height:.4} mm: width and height must be between 1 and {GREATEST} mm"
        );
        return Err(door::error(file, message));
    }
    let mut found = marks::find(&tree, &survey.layers, options.fill);
    let mut skipped = Skipped {
        texts: survey.skipped.texts,
        images: survey.skipped.images,
        hidden: survey.skipped.hidden + found.skipped.hidden,
        ..found.skipped
    };
    let changed = found.changed.iter().map(|(what, count)| format!("{what} ({count} times)"));
    let mut warnings: Vec<String> = changed.collect();
    let marks = std::mem::take(&mut found.marks);
    let assigned = ink::assign(marks, &survey.layers, options, &mut skipped, &mut warnings);
    let (mut groups, mapping) = assigned.map_err(|message| door::error(file, message))?;
    warnings.extend(unheeded(&survey.layers));
    let layers = sources(&groups, &survey.layers);
    let usual = Layout::default();
    let arrangement = lay_out(options.layout.unwrap_or(&usual), page, &mut groups, &mut found)?;
    let drawn = Scene::new(found, options).draw(groups, &mut skipped);
    let layers_drawn = copied(drawn.layers, &arrangement);
    let reasons = skipped.reasons();
    if layers_drawn.is_empty() {
        let reasons = if reasons.is_empty() { "the file has no shapes".into() } else { reasons.join("; ") };
        return Err(door::error(file, format!("nothing to draw: {reasons}")));
    }
    warnings.extend(reasons);
    Ok(Import {
        drawing: Drawing { page: arrangement.page, layers: layers_drawn },
        arrangement,
        filled_mm: drawn.filled_mm,
        hidden_mm: drawn.hidden_mm,
        mapping,
        widened: drawn.widened,
        warnings,
        skipped,
        layers,
    })
}

/// Moves everything to where the first copy goes. What a viewer doesn't show of the file, because it lies off its page,
/// is not moved onto another.
fn lay_out(
    layout: &Layout,
    page: Page,
    groups: &mut [Group],
    found: &mut Found,
) -> Result<Arrangement, Error> {
    if !layout.is_default() {
        let on_page = page.rect().inflate(1e-3, 1e-3);
        let clip = found.clips.len();
        found.clips.push(vec![(on_page.to_path(0.1), FillRule::NonZero)]);
        for mark in groups.iter_mut().flat_map(|group| &mut group.marks) {
            if on_page.union(mark.path.bounding_box()) != on_page {
                mark.clips.push(clip);
            }
        }
    }
    let marks = || groups.iter().flat_map(|group| &group.marks);
    let ink = |map| {
        let bounds = marks().filter_map(|mark| mark.bounds(&found.clips, map));
        bounds.reduce(|a, b| a.union(b)).unwrap_or(Rect::ZERO)
    };
    let arrangement = layout.arrange(page, ink)?;
    let map = arrangement.copies[0];
    if map != Affine::IDENTITY {
        let scale = map.determinant().abs().sqrt();
        for group in groups {
            for mark in &mut group.marks {
                mark.path.apply_affine(map);
                mark.width = mark.width.map(|width| width * scale);
            }
            if group.is_made {
                group.pen.tip = (group.pen.tip * scale).clamp(0.01, 50.0);
            }
        }
        found.covers.iter_mut().for_each(|cover| cover.path.apply_affine(map));
        found.clips.iter_mut().flatten().for_each(|(path, _)| path.apply_affine(map));
    }
    Ok(arrangement)
}

/// The first copy's layers, with the strokes of all copies.
fn copied(mut layers: Vec<Layer>, arrangement: &Arrangement) -> Vec<Layer> {
    let (first, others) = arrangement.copies.split_first().expect("there is a first copy");
    for layer in &mut layers {
        let given = layer.strokes.clone();
        for copy in others {
            let shift = Affine::translate(copy.translation() - first.translation());
            layer.strokes.extend(
                given.iter().map(|stroke| Stroke { path: shift * stroke.path.clone(), group: stroke.group }),
            );
        }
    }
    layers
}

fn unheeded(layers: &[Source]) -> impl Iterator<Item = String> + '_ {
    layers.iter().filter_map(|layer| {
        let codes = layer.label.unheeded();
        (!codes.is_empty() && !layer.label.is_left_out)
            .then(|| format!("layer `{}`: {} is not acted on", layer.label.name, codes.join(" ")))
    })
}

fn sources(groups: &[Group], layers: &[Source]) -> Vec<SourceLayer> {
    let each =
        groups.iter().flat_map(|group| group.sources.iter().flatten().map(move |index| (*index, group)));
    each.map(|(index, group)| SourceLayer {
        id: layers[index].id.clone(),
        label: layers[index].label.clone(),
        pen: group.pen.id.clone(),
    })
    .collect()
}
