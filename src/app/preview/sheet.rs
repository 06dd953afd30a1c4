//! The inked sheet as an SVG: marks by pass, paper, and the ways with the pen up, each a layer.

use svg::node::element::{Group, Path, Rectangle};

use super::playback::Playback;
use traceur_core::color::{Srgb8, to_hex};
use traceur_core::drawing::{Drawing, Layer, Stroke, svg as drawing_svg};
use traceur_core::geometry::Polyline;

/// The color of a way with the pen up.
pub const TRAVEL: Srgb8 = Srgb8::new(0x2f, 0x80, 0xed);
/// The width of its line; mm.
pub const TRAVEL_WIDTH: f64 = 0.1;

/// Below this opacity an ink lets through what lies below it, as far as SVG can tell.
const GLAZE: f32 = 0.5;

/// The text of an SVG whose layers are the marks of each pass, over a layer of paper unless that is white. `travel` adds
/// a layer of the ways with the pen up. Paper and travel have labels that begin with `%`, so that plotters leave them out.
#[must_use]
pub fn to_svg(playback: &Playback, paper: Srgb8, travel: bool) -> String {
    let layers = playback
        .passes
        .iter()
        .map(|pass| Layer { pen: pass.pen.clone(), strokes: pass.strokes().iter().map(to_stroke).collect() });
    let drawing = Drawing { page: playback.page, layers: layers.collect() };
    let mut document = drawing_svg::document(&drawing);
    let children = document.get_children_mut();
    for (child, layer) in children.iter_mut().zip(&drawing.layers) {
        if layer.pen.opacity < GLAZE
            && let Some(attributes) = child.get_attributes_mut()
        {
            attributes.insert("style".into(), "mix-blend-mode:multiply".into());
        }
    }
    if paper != Srgb8::new(255, 255, 255) {
        let sheet = Rectangle::new().set("width", "100%").set("height", "100%").set("fill", to_hex(paper));
        children.insert(0, Box::new(layer_of("paper").add(sheet)));
    }
    if travel {
        children.push(Box::new(travels(playback)));
    }
    let mut text = document.to_string();
    text.push('\n');
    text
}

fn travels(playback: &Playback) -> Group {
    let group = layer_of("travel")
        .set("fill", "none")
        .set("stroke", to_hex(TRAVEL))
        .set("stroke-width", TRAVEL_WIDTH);
    let lines = playback.passes.iter().flat_map(|pass| pass.travels());
    lines.fold(group, |group, line| group.add(Path::new().set("d", drawing_svg::data(&line.to_path()))))
}

fn layer_of(name: &str) -> Group {
    Group::new().set("id", name).set("inkscape:groupmode", "layer").set("inkscape:label", format!("% {name}"))
}

fn to_stroke(line: &Polyline) -> Stroke {
    Stroke { path: line.to_path(), group: 0 }
}
