//! The stages in a row: a scene becomes a drawing.

use super::colors::Match;
use super::fill::{self, Filling};
use super::hide::Visibility;
use super::marks;
use super::matching::{self, Group, Matching};
use super::place;
use super::{Label, Scene, SceneLayer, Skipped};
use crate::drawing::page::GREATEST;
use crate::drawing::{Arrangement, Drawing, Error, Layout, Page, room};

/// What each stage is to do. By default a drawing keeps its colors and its place, and filled shapes are drawn along their
/// edge.
#[derive(Debug, Clone, Copy, Default)]
pub struct Stages<'a> {
    /// How marks find their pens.
    pub matching: Matching<'a>,
    /// How areas and wide strokes are inked.
    pub filling: Filling,
    /// Whether filled shapes hide what lies below them, paper-colored ones too. `None`: where areas are inked.
    pub occlude: Option<bool>,
    /// Where the drawing goes; `None`: it stays where it is.
    pub layout: Option<&'a Layout>,
}

/// What a scene became.
#[derive(Debug, Clone, PartialEq)]
pub struct Drawn {
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
    /// The scene's layers that are drawn, when layers were made by label or id.
    pub layers: Vec<LayerDrawn>,
}

/// A layer of the scene and its pen.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerDrawn {
    /// Its id; may be empty.
    pub id: String,
    /// Its label, taken apart.
    pub label: Label,
    /// Id of the pen that draws it.
    pub pen: String,
}

impl Scene {
    /// Takes the scene through all stages. Each subpath becomes a stroke.
    ///
    /// # Errors
    /// One sentence: a page that could not be paper, a layout that cannot be, a color that was told a pen and stands
    /// nowhere, nothing to draw.
    pub fn draw(self, stages: &Stages<'_>) -> Result<Drawn, Error> {
        let name = self.name.clone();
        room::with_room(&name, || self.through(stages))
    }

    fn through(self, stages: &Stages<'_>) -> Result<Drawn, Error> {
        let Self { name, page, shapes, mut clips, layers, skipped, changed } = self;
        check_page(&name, page)?;
        let hides = stages.occlude.unwrap_or(stages.filling.fill.pattern().is_some());
        let mut choice = marks::choose(shapes, stages.filling.fill, hides);
        let mut skipped = skipped.and(choice.skipped);
        changed.into_iter().for_each(|(what, count)| *choice.changed.entry(what).or_default() += count);
        let mut warnings: Vec<String> =
            choice.changed.iter().map(|(what, count)| format!("{what} ({count} times)")).collect();
        let assigned = matching::assign(choice.marks, &layers, stages, &mut skipped, &mut warnings);
        let (mut groups, mapping) = assigned.map_err(|message| room::error(&name, message))?;
        warnings.extend(unheeded(&layers));
        let drawn_layers = layers_drawn(&groups, &layers);
        let layout = stages.layout.cloned().unwrap_or_default();
        let arrangement = place::place(&layout, page, &mut groups, &mut choice.covers, &mut clips)?;
        let (shown, hidden_mm) =
            Visibility::new(clips, choice.covers, stages.filling.fat).show(&groups, &mut skipped);
        let inked = fill::ink(groups, shown, hides, &stages.filling);
        let drawing = place::copied(inked.layers, &arrangement);
        let reasons = skipped.reasons();
        if drawing.layers.is_empty() {
            return Err(room::error(&name, format!("nothing to draw: {}", why_nothing(&reasons))));
        }
        warnings.extend(reasons);
        Ok(Drawn {
            drawing,
            arrangement,
            filled_mm: inked.filled_mm,
            hidden_mm,
            mapping,
            widened: inked.widened,
            warnings,
            skipped,
            layers: drawn_layers,
        })
    }
}

fn check_page(name: &str, page: Page) -> Result<(), Error> {
    if page.is_sane() {
        return Ok(());
    }
    let Page { width, height } = page;
    let message = format!(
        "a page of {width:.4} x {height:.4} mm: width and height must be between 1 and {GREATEST} mm"
    );
    Err(room::error(name, message))
}

fn why_nothing(reasons: &[String]) -> String {
    if reasons.is_empty() { "the file has no shapes".into() } else { reasons.join("; ") }
}

fn unheeded(layers: &[SceneLayer]) -> impl Iterator<Item = String> + '_ {
    layers.iter().filter_map(|layer| {
        let codes = layer.label.unheeded();
        (!codes.is_empty() && !layer.label.is_left_out)
            .then(|| format!("layer `{}`: {} is not acted on", layer.label.name, codes.join(" ")))
    })
}

fn layers_drawn(groups: &[Group], layers: &[SceneLayer]) -> Vec<LayerDrawn> {
    let each =
        groups.iter().flat_map(|group| group.sources.iter().flatten().map(move |index| (*index, group)));
    each.map(|(index, group)| LayerDrawn {
        id: layers[index].id.clone(),
        label: layers[index].label.clone(),
        pen: group.pen.id.clone(),
    })
    .collect()
}
