//! The door: bytes become XML that no later parser can choke on.

use std::borrow::Cow;

use resvg::usvg::roxmltree::{self, Document, ParsingOptions};

use super::tags::{self, Keyed, Tag};
use crate::drawing::Error;
use crate::drawing::room::error;

/// Most bytes of one file.
const MOST_BYTES: usize = 256 << 20;
/// Deepest nesting of elements. Real files stay below 30.
const DEEPEST: usize = 256;
/// Most XML nodes, entities expanded.
const MOST_NODES: u32 = 8_000_000;

/// An error at a byte of the text, as `file:line:column`.
pub(super) fn error_at(file: &str, text: &str, at: usize, message: impl Into<String>) -> Error {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(1, |rest| rest.chars().count() + 1);
    Error::Svg { file: format!("{file}:{line}:{column}"), message: message.into() }
}

/// The text of a file: UTF-8, or Latin-1 when its prolog says so; nested at most [`DEEPEST`] deep.
pub(super) fn text<'a>(file: &str, bytes: &'a [u8]) -> Result<Cow<'a, str>, Error> {
    if bytes.len() > MOST_BYTES {
        return Err(error(
            file,
            format!("larger than {} MB: split it into several drawings", MOST_BYTES >> 20),
        ));
    }
    if bytes.starts_with(&[0x1f, 0x8b]) {
        return Err(error(
            file,
            "compressed SVG (svgz): unpack it first, such as `gunzip -c IN.svgz > OUT.svg`",
        ));
    }
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(error(file, "UTF-16 text: save it as UTF-8"));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) if is_latin1(bytes) => Cow::Owned(bytes.iter().map(|byte| char::from(*byte)).collect()),
        Err(reason) => {
            let at = reason.valid_up_to();
            let sound = std::str::from_utf8(&bytes[..at]).unwrap_or_default();
            return Err(error_at(file, sound, at, "not text in UTF-8: is this an SVG file?"));
        }
    };
    if text.trim().is_empty() {
        return Err(error(file, "the file is empty"));
    }
    check_depth(file, &text)?;
    Ok(text)
}

fn is_latin1(bytes: &[u8]) -> bool {
    let prolog = String::from_utf8_lossy(&bytes[..bytes.len().min(200)]).to_lowercase();
    prolog.split("?>").next().is_some_and(|prolog| {
        prolog.contains("encoding")
            && ["iso-8859-1", "latin1", "windows-1252"].iter().any(|name| prolog.contains(name))
    })
}

/// Counts start and end tags, without recursion, before any recursive parser sees the text.
fn check_depth(file: &str, text: &str) -> Result<(), Error> {
    let mut depth = 0_usize;
    for tag in tags::tags(text, 0) {
        match tag {
            Tag::End => depth = depth.saturating_sub(1),
            Tag::Start { at, is_closed, .. } => {
                depth += usize::from(!is_closed);
                if depth > DEEPEST {
                    return Err(error_at(file, text, at, too_deep()));
                }
            }
        }
    }
    Ok(())
}

fn too_deep() -> String {
    format!("elements are nested more than {DEEPEST} deep: ungroup them")
}

/// Parses the XML and checks that its root is an `<svg>`.
pub(super) fn parse<'a>(file: &str, keyed: &'a Keyed<'_>) -> Result<Document<'a>, Error> {
    let options = || ParsingOptions { allow_dtd: true, nodes_limit: MOST_NODES, ..ParsingOptions::default() };
    let text = keyed.original;
    let document = Document::parse_with_options(&keyed.text, options()).map_err(|reason| {
        // Said of the text as it was given: by line and column there.
        let reason = Document::parse_with_options(text, options()).err().unwrap_or(reason);
        if matches!(reason, roxmltree::Error::UnclosedRootNode | roxmltree::Error::UnexpectedEndOfStream) {
            return error_at(file, text, text.len(), "the file is cut short: it ends before `</svg>`");
        }
        let pos = reason.pos();
        Error::Svg {
            file: format!("{file}:{}:{}", pos.row, pos.col),
            message: format!("not well-formed XML: {reason}"),
        }
    })?;
    let root = document.root_element();
    if root.tag_name().name() != "svg" {
        let message = format!("the root element is <{}>, not <svg>", root.tag_name().name());
        return Err(error_at(file, text, keyed.place(root.range().start), message));
    }
    // Entities can nest deeper than the text does.
    let mut depths = vec![0_usize];
    for node in document.root().descendants().skip(1) {
        let parent = node.parent().map_or(0, |parent| parent.id().get_usize());
        let depth = depths.get(parent).copied().unwrap_or(0) + 1;
        let id = node.id().get_usize();
        depths.resize(depths.len().max(id + 1), 0);
        depths[id] = depth;
        if depth > DEEPEST + 2 {
            return Err(error(file, too_deep()));
        }
    }
    Ok(document)
}
