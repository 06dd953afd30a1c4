//! The XML pre-pass: top-level layers, our own facts about pens, and what is left out.

use std::borrow::Cow;
use std::collections::HashSet;

use resvg::usvg::roxmltree::{Document, Node};

use super::options::Skipped;
use super::{INKSCAPE, Label, NAMESPACE, door};
use crate::drawing::Error;
use crate::pens::{Pen, form};

const SVG: &str = "http://www.w3.org/2000/svg";

/// A direct child `<g>` of the root.
#[derive(Debug, Clone)]
pub(super) struct Layer {
    /// The id by which usvg's tree knows it.
    pub(super) key: String,
    /// Its own id; may be empty.
    pub(super) id: String,
    pub(super) label: Label,
    pub(super) is_inkscape: bool,
    /// The pen that our own attributes describe.
    pub(super) pen: Option<Pen>,
}

/// What the pre-pass found.
pub(super) struct Survey {
    /// The text, in which every layer has its own id.
    pub(super) text: String,
    pub(super) layers: Vec<Layer>,
    pub(super) skipped: Skipped,
}

/// Looks at the XML before usvg does.
pub(super) fn survey(file: &str, text: &str, document: &Document<'_>) -> Result<Survey, Error> {
    let root = document.root_element();
    let mut edits: Vec<(std::ops::Range<usize>, String)> = Vec::new();
    if root.tag_name().namespace().is_none() {
        let at = name_end(text, root);
        edits.push((at..at, format!(" xmlns=\"{SVG}\"")));
    }
    let mut taken: HashSet<&str> = HashSet::new();
    let mut layers = Vec::new();
    for (index, node) in root.children().filter(|node| node.tag_name().name() == "g").enumerate() {
        // What an entity brought in stands elsewhere in the text, and cannot be edited there.
        if node.range().start < root.range().start {
            continue;
        }
        let id = node.attribute("id").unwrap_or_default();
        let mut key = id.to_owned();
        if id.is_empty() || !taken.insert(id) {
            key = format!("traceur-layer-{index}");
            match node.attribute_node("id") {
                Some(attribute) => edits.push((attribute.range_value(), key.clone())),
                None => {
                    let at = name_end(text, node);
                    edits.push((at..at, format!(" id=\"{key}\"")));
                }
            }
        }
        layers.push(Layer {
            key,
            id: id.into(),
            label: Label::parse(node.attribute((INKSCAPE, "label")).unwrap_or_default()),
            is_inkscape: node.attribute((INKSCAPE, "groupmode")) == Some("layer")
                || node.has_attribute((INKSCAPE, "label")),
            pen: form::from_attributes(|name| node.attribute((NAMESPACE, name))),
        });
    }
    let mut skipped = Skipped::default();
    for node in root.descendants().filter(Node::is_element) {
        check_numbers(file, text, node)?;
        match node.tag_name().name() {
            "text" if is_drawn(node) => skipped.texts += 1,
            "image" if is_drawn(node) => skipped.images += 1,
            _ if hides(node) && node.parent_element().is_some_and(is_drawn) => skipped.hidden += 1,
            _ => {}
        }
    }
    Ok(Survey { text: edit(text, edits), layers, skipped })
}

/// Whether nothing above keeps it from being drawn, as far as attributes tell.
fn is_drawn(node: Node<'_, '_>) -> bool {
    let keeps = ["defs", "symbol", "clipPath", "mask", "pattern", "marker", "metadata"];
    node.ancestors().all(|node| !hides(node) && !keeps.contains(&node.tag_name().name()))
}

fn hides(node: Node<'_, '_>) -> bool {
    let style = node.attribute("style").unwrap_or_default();
    node.attribute("display") == Some("none")
        || style.split(';').any(|rule| {
            rule.split_once(':').is_some_and(|(key, value)| key.trim() == "display" && value.trim() == "none")
        })
}

/// Refuses NaN, infinity and numbers that no `f32` can hold: usvg would drop the shape and say nothing.
fn check_numbers(file: &str, text: &str, node: Node<'_, '_>) -> Result<(), Error> {
    let names =
        ["d", "points", "x", "y", "x1", "y1", "x2", "y2", "cx", "cy", "r", "rx", "ry", "width", "height"];
    for attribute in node.attributes().filter(|attribute| names.contains(&attribute.name())) {
        let value = attribute.value();
        let is_number_part = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
        let suspects = || value.split(|c| !is_number_part(c)).filter(|word| word.len() > 2);
        let wrong = suspects().find(|word| {
            let lower = word.to_ascii_lowercase();
            lower.contains("nan")
                || lower.contains("inf")
                || ((lower.contains('e') || word.len() > 30)
                    && lower
                        .trim_start_matches(|c: char| c.is_ascii_alphabetic())
                        .parse::<f64>()
                        .is_ok_and(|number| number.abs() > 1e30))
        });
        if let Some(wrong) = wrong {
            let message = format!(
                "<{}> has the coordinate `{}` in `{}`, which is not a finite number",
                node.tag_name().name(),
                wrong.chars().take(40).collect::<String>(),
                attribute.name()
            );
            return Err(door::error_at(file, text, node.range().start, message));
        }
    }
    Ok(())
}

/// Where the name in a start tag ends.
fn name_end(text: &str, node: Node<'_, '_>) -> usize {
    let start = node.range().start + 1;
    let is_end = |c: char| c.is_whitespace() || c == '/' || c == '>';
    text[start..].find(is_end).map_or(text.len(), |end| start + end)
}

fn edit(text: &str, mut edits: Vec<(std::ops::Range<usize>, String)>) -> String {
    edits.sort_by_key(|(range, _)| range.start);
    let mut edited: Vec<Cow<'_, str>> = Vec::new();
    let mut at = 0;
    for (range, new) in edits {
        edited.push(text[at..range.start].into());
        edited.push(new.into());
        at = range.end;
    }
    edited.push(text[at..].into());
    edited.concat()
}
