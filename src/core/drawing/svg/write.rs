//! Writing: one Inkscape layer a pen.

use std::fmt::Write as _;

use kurbo::{BezPath, PathEl, Point};
use svg::Document;
use svg::node::element::{Group, Path};

use super::{INKSCAPE, NAMESPACE};
use crate::color::{Srgb8, to_hex};
use crate::drawing::{Drawing, Layer};
use crate::pens::form;
use crate::text::printable;

/// Writes a drawing in mm: one direct child `<g>` of the root a pen, numbered in pass order, that AxiDraw, vpype, saxi
/// and Inkscape take as a layer. Points are rounded to 0.0001 mm. The same drawing gives the same bytes.
#[must_use]
pub fn write(drawing: &Drawing) -> String {
    let mut text = document(drawing).to_string();
    text.push('\n');
    text
}

/// The document that [`write()`] writes, its layers the root's only children.
#[must_use]
pub fn document(drawing: &Drawing) -> Document {
    let (width, height) = (number(drawing.page.width), number(drawing.page.height));
    let mut document = Document::new()
        .set("width", format!("{width}mm"))
        .set("height", format!("{height}mm"))
        .set("viewBox", format!("0 0 {width} {height}"))
        .set("xmlns:inkscape", INKSCAPE)
        .set("xmlns:traceur", NAMESPACE)
        .set("traceur:format", 1);
    let mut strokes = Vec::new();
    for (index, layer) in drawing.layers.iter().enumerate() {
        let color = unused(layer.pen.color, &strokes);
        strokes.push(color);
        document = document.add(group(index + 1, layer, color));
    }
    document
}

fn group(pass: usize, layer: &Layer, color: Srgb8) -> Group {
    let pen = &layer.pen;
    let mut group = Group::new()
        .set("id", format!("layer{pass}-{}", slug(&pen.id)))
        .set("inkscape:groupmode", "layer")
        .set("inkscape:label", format!("{pass} {}", printable(&pen.name)))
        .set("fill", "none")
        .set("stroke", to_hex(color))
        .set("stroke-width", number(pen.tip))
        .set("stroke-linecap", "round")
        .set("stroke-linejoin", "round");
    for (name, value) in form::to_attributes(pen) {
        group = group.set(format!("traceur:{name}"), value);
    }
    layer.strokes.iter().fold(group, |group, stroke| group.add(Path::new().set("d", data(&stroke.path))))
}

/// The color, or the nearest in blue that no layer has: saxi knows layers by their color only.
fn unused(color: Srgb8, used: &[Srgb8]) -> Srgb8 {
    let step = |by: u8| {
        Srgb8::new(color.red, color.green, if color.blue < 128 { color.blue + by } else { color.blue - by })
    };
    (0..=127).map(step).find(|color| !used.contains(color)).unwrap_or(color)
}

fn slug(id: &str) -> String {
    id.chars().map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' }).collect()
}

/// At most four decimals, without trailing zeros.
fn number(value: f64) -> String {
    let text = format!("{value:.4}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".into() } else { text.into() }
}

/// The `d` of a path; mm, rounded to 0.0001.
#[must_use]
pub fn data(path: &BezPath) -> String {
    let mut data = String::new();
    let mut add = |letter: char, points: &[Point]| {
        data.push(letter);
        for (index, point) in points.iter().enumerate() {
            let gap = if index > 0 { " " } else { "" };
            // Writing to a string does not fail.
            let _ = write!(data, "{gap}{} {}", number(point.x), number(point.y));
        }
    };
    for element in path.iter() {
        match element {
            PathEl::MoveTo(to) => add('M', &[to]),
            PathEl::LineTo(to) => add('L', &[to]),
            PathEl::QuadTo(a, to) => add('Q', &[a, to]),
            PathEl::CurveTo(a, b, to) => add('C', &[a, b, to]),
            PathEl::ClosePath => add('Z', &[]),
        }
    }
    data
}
