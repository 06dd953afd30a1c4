//! Reading: what other programs wrote becomes a drawing.

use std::f64::consts::FRAC_PI_4;

use kurbo::BezPath;

use super::ink::{self, Group};
use super::layers::{self, Layer as Source};
use super::marks::{self, Mark};
use super::options::{ReadOptions, Skipped};
use super::{Label, MM_PER_PX, door};
use crate::drawing::page::GREATEST;
use crate::drawing::{Drawing, Error, Layer, Page, Stroke};
use crate::geometry::{Polyline, flatten, hatch};

/// What a file gave.
#[derive(Debug, Clone, PartialEq)]
pub struct Import {
    /// The drawing: at least one layer, each with at least one stroke and its own pen.
    pub drawing: Drawing,
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
    let page = options.page.unwrap_or(Page { width: mm(size.width()), height: mm(size.height()) });
    let found = marks::find(&tree, &survey.layers, options.fill);
    let mut skipped = Skipped {
        texts: survey.skipped.texts,
        images: survey.skipped.images,
        hidden: survey.skipped.hidden + found.skipped.hidden,
        ..found.skipped
    };
    let changed = found.changed.iter().map(|(what, count)| format!("{what} ({count} times)"));
    let mut warnings: Vec<String> = changed.collect();
    let groups = ink::assign(found.marks, &survey.layers, options, &mut skipped, &mut warnings);
    warnings.extend(unheeded(&survey.layers));
    let layers = sources(&groups, &survey.layers);
    let layers_drawn: Vec<Layer> = groups
        .into_iter()
        .map(|group| draw(group, &mut skipped))
        .filter(|layer| !layer.strokes.is_empty())
        .collect();
    let reasons = skipped.reasons();
    if layers_drawn.is_empty() {
        let reasons = if reasons.is_empty() { "the file has no shapes".into() } else { reasons.join("; ") };
        return Err(door::error(file, format!("nothing to draw: {reasons}")));
    }
    if !page.is_sane() {
        let Page { width, height } = page;
        let message = format!(
            "a page of {width:.4} x {height:.4} mm: width and height must be between 1 and {GREATEST} mm"
        );
        return Err(door::error(file, message));
    }
    warnings.extend(reasons);
    Ok(Import { drawing: Drawing { page, layers: layers_drawn }, warnings, skipped, layers })
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

/// The strokes of a pen's marks.
fn draw(group: Group, skipped: &mut Skipped) -> Layer {
    let mut strokes = Vec::new();
    for mark in &group.marks {
        let before = strokes.len();
        match mark.area {
            Some(rule) => {
                for line in hatch(&mark.path, rule, group.pen.tip, FRAC_PI_4) {
                    strokes.extend(cut(line, mark).iter().map(|line| stroke(line, mark)));
                }
            }
            None => marks::split(&mark.path).into_iter().for_each(|path| {
                let lines = if mark.clips.is_empty() { Vec::new() } else { flatten(&path, 0.02) };
                let parts: Vec<Polyline> = lines.iter().flat_map(|line| cut(line.clone(), mark)).collect();
                // What no clip path touches keeps its curves.
                if parts == lines {
                    strokes.push(Stroke { path, group: mark.group });
                } else {
                    strokes.extend(parts.iter().map(|line| stroke(line, mark)));
                }
            }),
        }
        if strokes.len() == before && !mark.clips.is_empty() {
            skipped.clipped += 1;
        }
    }
    Layer { pen: group.pen, strokes }
}

fn cut(line: Polyline, mark: &Mark) -> Vec<Polyline> {
    mark.clips.iter().fold(vec![line], |lines, clip| lines.iter().flat_map(|line| clip.clip(line)).collect())
}

fn stroke(line: &Polyline, mark: &Mark) -> Stroke {
    let mut path = BezPath::new();
    path.move_to(line.start());
    line.points.iter().skip(1).for_each(|point| path.line_to(*point));
    Stroke { path, group: mark.group }
}
