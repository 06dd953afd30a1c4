//! What the XML says that usvg's tree does not: top-level layers, our own facts about pens, and what is left out.

use std::collections::HashMap;

use resvg::usvg::roxmltree::{Document, Node};

use super::tags::Keyed;
use super::{INKSCAPE, NAMESPACE, door};
use crate::color::parse_hex;
use crate::drawing::Error;
use crate::drawing::scene::{Label, SceneLayer, Skipped};
use crate::pens::Pen;

/// What the XML says.
pub(super) struct Survey {
    /// The direct child `<g>`s of the root.
    pub(super) layers: Vec<SceneLayer>,
    /// The index of each by the id by which usvg's tree knows it.
    pub(super) keys: HashMap<String, usize>,
    pub(super) skipped: Skipped,
}

/// Looks at the XML before usvg does.
pub(super) fn survey(file: &str, keyed: &Keyed<'_>, document: &Document<'_>) -> Result<Survey, Error> {
    let root = document.root_element();
    let (mut layers, mut keys) = (Vec::new(), HashMap::new());
    for node in root.children().filter(|node| node.tag_name().name() == "g") {
        // What an entity brought in stands elsewhere in the text, and has no id of its own.
        if node.range().start < root.range().start {
            continue;
        }
        let key = node.attribute("id").unwrap_or_default();
        keys.insert(key.to_owned(), layers.len());
        layers.push(SceneLayer {
            id: keyed.original_id(key).to_owned(),
            label: Label::parse(node.attribute((INKSCAPE, "label")).unwrap_or_default()),
            is_marked: node.attribute((INKSCAPE, "groupmode")) == Some("layer")
                || node.has_attribute((INKSCAPE, "label")),
            pen: pen(node),
        });
    }
    let mut skipped = Skipped::default();
    for node in root.descendants().filter(Node::is_element) {
        check_numbers(file, keyed, node)?;
        match node.tag_name().name() {
            "text" if is_drawn(node) => skipped.texts += 1,
            "image" if is_drawn(node) => skipped.images += 1,
            _ if hides(node) && node.parent_element().is_some_and(is_drawn) => skipped.hidden += 1,
            _ => {}
        }
    }
    Ok(Survey { layers, keys, skipped })
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
fn check_numbers(file: &str, keyed: &Keyed<'_>, node: Node<'_, '_>) -> Result<(), Error> {
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
            return Err(door::error_at(file, keyed.original, keyed.place(node.range().start), message));
        }
    }
    Ok(())
}

/// The pen that our own attributes describe; `None` when there are none or they make no sense.
fn pen(node: Node<'_, '_>) -> Option<Pen> {
    let own = |name| node.attribute((NAMESPACE, name));
    let pen = Pen {
        id: own("pen")?.to_owned(),
        name: own("name").unwrap_or(own("pen")?).to_owned(),
        color: parse_hex(own("color")?).ok()?,
        tip: own("tip")?.parse().ok()?,
        opacity: own("opacity").and_then(|text| text.parse().ok()).unwrap_or(0.0),
        speed: own("speed")
            .and_then(|text| text.parse().ok())
            .filter(|speed: &f64| *speed > 0.0 && speed.is_finite()),
        slot: own("slot").and_then(|text| text.parse().ok()),
        metres: None,
        pass: own("pass").and_then(|text| text.parse().ok()),
    };
    let is_sound =
        !pen.id.is_empty() && (0.01..=50.0).contains(&pen.tip) && (0.0..=1.0).contains(&pen.opacity);
    is_sound.then_some(pen)
}
