//! The scene of a drawing that was made, not read.

use std::collections::BTreeMap;

use kurbo::{Cap, Join};

use super::{Label, Paint, Scene, SceneLayer, Shape, Skipped, StrokedPath};
use crate::drawing::{Drawing, Layer};

impl Scene {
    /// The scene that a drawing shows: every stroke as wide and as colored as its pen, on a layer that asks for this pen.
    /// It is what [`svg::read`](crate::drawing::svg::read) gives of the drawing's SVG, to the SVG's rounding.
    ///
    /// ```
    /// use traceur_core::drawing::scene::{Scene, Stages};
    /// use traceur_core::drawing::{Copies, Layout, svg};
    ///
    /// let bytes = br#"<svg xmlns="http://www.w3.org/2000/svg" width="20mm" height="20mm" viewBox="0 0 20 20">
    ///     <path d="M5 5H15" stroke="black"/></svg>"#;
    /// let drawing = svg::read("line.svg", bytes)?.scene.draw(&Stages::default())?.drawing;
    /// let layout = Layout { copies: Copies::Count(2), fit: true, margin: Some(1.0), ..Layout::default() };
    /// let stages = Stages { layout: Some(&layout), ..Stages::default() };
    /// assert_eq!(Scene::of(&drawing).draw(&stages)?.drawing.strokes(), 2);
    /// # Ok::<(), traceur_core::drawing::Error>(())
    /// ```
    #[must_use]
    pub fn of(drawing: &Drawing) -> Self {
        let shapes = drawing.layers.iter().enumerate().flat_map(|(index, layer)| shapes(index, layer));
        Self {
            name: "drawing".into(),
            page: drawing.page,
            shapes: shapes.collect(),
            clips: Vec::new(),
            layers: (1..).zip(&drawing.layers).map(layer).collect(),
            skipped: Skipped::default(),
            changed: BTreeMap::new(),
        }
    }
}

fn layer((number, layer): (u32, &Layer)) -> SceneLayer {
    let label = Label { number: Some(number), name: layer.pen.name.clone(), ..Label::default() };
    SceneLayer { id: layer.pen.id.clone(), label, is_marked: true, pen: Some(layer.pen.clone()) }
}

fn shapes(index: usize, layer: &Layer) -> impl Iterator<Item = Shape> + '_ {
    let paint = Paint { color: layer.pen.color, opacity: 1.0, instead: None };
    layer.strokes.iter().map(move |stroke| Shape {
        fill: None,
        stroke: Some(StrokedPath {
            path: stroke.path.clone(),
            width: layer.pen.tip,
            cap: Cap::Round,
            join: Join::Round,
            paint,
        }),
        layer: Some(index),
        group: stroke.group,
        clips: Vec::new(),
    })
}
