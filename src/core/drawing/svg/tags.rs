//! The tags of an XML text, found without parsing it, and the ids and the namespace that are put into some of them.
//!
//! usvg knows an element of the file by its id only: here every top-level group gets one of its own, so that the XML is
//! parsed once.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

const SVG: &str = "http://www.w3.org/2000/svg";

/// A tag of the text.
pub(super) enum Tag<'a> {
    Start {
        /// Where it begins; byte.
        at: usize,
        /// From `<` to `>`.
        text: &'a str,
        /// Whether it is its own end.
        is_closed: bool,
    },
    End,
}

/// The tags from a byte on, comments and the like left out. Of well-formed XML these are all that there are, but for
/// those in entities.
pub(super) fn tags(text: &str, mut at: usize) -> impl Iterator<Item = Tag<'_>> {
    std::iter::from_fn(move || {
        loop {
            at += text.get(at..)?.find('<')?;
            let rest = &text[at..];
            let skip = |end: &str| rest.find(end).map_or(rest.len(), |found| found + end.len());
            if rest.starts_with("<!--") {
                at += skip("-->");
            } else if rest.starts_with("<![CDATA[") {
                at += skip("]]>");
            } else if rest.starts_with("<?") {
                at += skip("?>");
            } else if rest.starts_with("</") {
                at += 2;
                return Some(Tag::End);
            } else if rest.starts_with("<!") {
                at += 2;
            } else {
                let tag = &rest[..tag_end(rest)];
                let start = Tag::Start { at, text: tag, is_closed: tag.ends_with("/>") };
                at += tag.len();
                return Some(start);
            }
        }
    })
}

/// Length of a start tag; `>` in quotes does not end it.
fn tag_end(tag: &str) -> usize {
    let mut quote = None;
    for (at, byte) in tag.bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => return at + 1,
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), close) if open == close => quote = None,
            _ => {}
        }
    }
    tag.len()
}

/// A text in which every top-level group has an id of its own and the root has a namespace.
#[derive(Debug)]
pub(super) struct Keyed<'a> {
    /// As it was given.
    pub(super) original: &'a str,
    pub(super) text: Cow<'a, str>,
    /// In order: where in the original a piece was replaced, and the length of its replacement; bytes.
    edits: Vec<(Range<usize>, usize)>,
    /// The ids that were given, and what stood in their place.
    given: HashMap<String, String>,
}

impl<'a> Keyed<'a> {
    /// Gives ids to top-level groups that have none, or one that another has, and the SVG namespace to a root without
    /// any.
    pub(super) fn new(original: &'a str) -> Self {
        let mut changes: Vec<(Range<usize>, String)> = Vec::new();
        let mut given = HashMap::new();
        let mut taken = HashSet::new();
        let (mut depth, mut groups) = (0_usize, 0_usize);
        for tag in tags(original, doctype_end(original)) {
            let Tag::Start { at, text, is_closed } = tag else {
                depth = depth.saturating_sub(1);
                continue;
            };
            let name = name(text);
            if depth == 0 && !name.contains(':') && attribute(text, "xmlns").is_none() {
                let place = at + 1 + name.len();
                changes.push((place..place, format!(" xmlns=\"{SVG}\"")));
            }
            if depth == 1 && name.rsplit(':').next() == Some("g") {
                let value = attribute(text, "id");
                let id = value.clone().map_or("", |value| &text[value]);
                if id.is_empty() || !taken.insert(id) {
                    let key = format!("traceur-layer-{groups}");
                    given.insert(key.clone(), id.to_owned());
                    changes.push(match value {
                        Some(value) => (at + value.start..at + value.end, key),
                        None => (at + 1 + name.len()..at + 1 + name.len(), format!(" id=\"{key}\"")),
                    });
                }
                groups += 1;
            }
            depth += usize::from(!is_closed);
        }
        let edits = changes.iter().map(|(range, new)| (range.clone(), new.len())).collect();
        Self { original, text: edit(original, &changes), edits, given }
    }

    /// The id that an element has in the original.
    pub(super) fn original_id<'b>(&'b self, id: &'b str) -> &'b str {
        self.given.get(id).map_or(id, String::as_str)
    }

    /// Where in the original a byte of the text stands.
    pub(super) fn place(&self, at: usize) -> usize {
        let (mut in_text, mut in_original) = (0, 0);
        for (range, length) in &self.edits {
            let start = in_text + (range.start - in_original);
            if at < start {
                break;
            }
            (in_text, in_original) = (start + length, range.end);
            if at < in_text {
                return range.start;
            }
        }
        in_original + (at - in_text)
    }
}

/// The name in a start tag.
fn name(tag: &str) -> &str {
    let is_end = |c: char| c.is_whitespace() || c == '/' || c == '>';
    let name = tag.get(1..).unwrap_or_default();
    name.split(is_end).next().unwrap_or_default()
}

/// Where the value of an attribute stands in a start tag, without its quotes.
fn attribute(tag: &str, wanted: &str) -> Option<Range<usize>> {
    let mut at = 1 + name(tag).len();
    loop {
        let rest = tag.get(at..)?;
        let equals = rest.find('=')?;
        let key = rest[..equals].trim();
        let value = rest[equals + 1..].trim_start();
        let quote = value.chars().next().filter(|c| ['"', '\''].contains(c))?;
        let start = tag.len() - value.len() + 1;
        let end = start + tag[start..].find(quote)?;
        if key == wanted {
            return Some(start..end);
        }
        at = end + 1;
    }
}

/// Where the document type ends, if there is one: entities that it declares may hold tags.
fn doctype_end(text: &str) -> usize {
    let Some(start) = text.find("<!DOCTYPE") else { return 0 };
    if tags(&text[..start], 0).next().is_some() {
        // It stands in the root: it is a comment's or none.
        return 0;
    }
    let mut at = start + "<!DOCTYPE".len();
    let mut depth = 0_usize;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        let skip = |end: &str| rest[1..].find(end).map_or(rest.len(), |found| 1 + found + end.len());
        at += match c {
            '"' => skip("\""),
            '\'' => skip("'"),
            '<' if rest.starts_with("<!--") => skip("-->"),
            '<' if rest.starts_with("<?") => skip("?>"),
            '<' => {
                depth += 1;
                1
            }
            '>' if depth == 0 => return at + 1,
            '>' => {
                depth -= 1;
                1
            }
            _ => c.len_utf8(),
        };
    }
    0
}

fn edit<'a>(text: &'a str, changes: &[(Range<usize>, String)]) -> Cow<'a, str> {
    if changes.is_empty() {
        return text.into();
    }
    let mut edited = String::with_capacity(text.len() + 48 * changes.len());
    let mut at = 0;
    for (range, new) in changes {
        edited.push_str(&text[at..range.start]);
        edited.push_str(new);
        at = range.end;
    }
    edited.push_str(&text[at..]);
    edited.into()
}
