//! What is plotted: an SVG, a saved plan, or a program for a plotter.

use std::path::Path;
use std::rc::Rc;

use crate::Error;
use crate::listener::Listener;
use traceur_core::drawing::Drawing;
use traceur_core::drawing::scene::{Drawn, Match, Stages};
use traceur_core::drawing::svg::{self, View, Viewer};
use traceur_core::geometry::Rect;
use traceur_core::pens::PassOrder;
use traceur_core::toolpath::{self, Toolpath};

/// What a file is, by its name and its first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An SVG; and what is nothing else, so that its reader says what is wrong.
    Svg,
    /// A saved plan, in JSON.
    Plan,
    /// G-code, EBB commands or HP-GL.
    Program,
    /// A photo, or another picture of pixels.
    Pixels,
}

impl Kind {
    /// What the file of this name with these bytes is.
    #[must_use]
    pub fn of(path: &Path, bytes: &[u8]) -> Self {
        const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
        let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
        let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
        if path.extension().is_some_and(|e| e.eq_ignore_ascii_case("svg")) {
            return Self::Svg;
        }
        match first {
            Some(b'{') => Self::Plan,
            Some(c) if c.is_ascii_alphabetic() || b"$;(%/\x1b".contains(c) => Self::Program,
            Some(b'<') | None => Self::Svg,
            // PNG, JPEG and WebP begin with such; GIF is told by its reader.
            Some(c) if !c.is_ascii() => Self::Pixels,
            Some(_) => Self::Svg,
        }
    }
}

/// What was read.
#[derive(Debug)]
pub enum Input {
    /// An SVG, laid out.
    Drawing(Box<Laid>),
    /// A saved plan.
    Toolpath(Toolpath),
    /// Somebody's program for a plotter.
    Program(Vec<u8>),
}

/// A drawing on its sheet.
#[derive(Debug)]
pub struct Laid {
    /// Its strokes, by pen.
    pub drawing: Drawing,
    /// What may be drawn on of the sheet, margins and all; mm.
    pub area: Rect,
    /// The SVG as its viewer shows it.
    pub viewer: Rc<Viewer>,
    /// Where that lies on the sheet.
    pub view: View,
    /// Length of the lines that ink areas; mm.
    pub filled_mm: f64,
    /// Length of what lies hidden below areas; mm.
    pub hidden_mm: f64,
    /// Which pen the colors found.
    pub mapping: Vec<Match>,
    /// Texts that are no paths yet.
    pub texts: usize,
}

/// One sheet of what was read.
#[derive(Debug)]
pub struct Sheet {
    /// Its number, from 1, where there are several.
    pub number: Option<usize>,
    /// What is on it.
    pub input: Input,
}

/// How an SVG is read.
#[derive(Debug, Clone, Default)]
pub struct Reading<'a> {
    /// How it becomes strokes of pens on sheets.
    pub stages: Stages<'a>,
    /// Which layer is drawn first, where layers make their own pens.
    pub pass_order: PassOrder,
    /// The only sheet that is wanted, from 1.
    pub sheet: Option<usize>,
}

/// Reads a saved plan; `name` is its file's, for messages.
///
/// # Errors
/// What in it is no plan.
pub fn read_plan(name: &str, bytes: &[u8]) -> Result<Sheet, Error> {
    let toolpath = toolpath::file::from_json(bytes).map_err(|error| {
        Error::Input(format!("{name}: {error}; make a plan with `traceur plan IN -o OUT.json`"))
    })?;
    Ok(Sheet { number: None, input: Input::Toolpath(toolpath) })
}

/// Reads an SVG, a drawing for each sheet that is not empty; `name` is its file's, for messages.
///
/// # Errors
/// What can't be read or laid out, a sheet that is not there, and when there is nothing to draw.
pub fn read_svg(
    name: &str,
    bytes: Vec<u8>,
    reading: &Reading<'_>,
    listener: &dyn Listener,
) -> Result<Vec<Sheet>, Error> {
    let source = svg::read(name, &bytes)?;
    drop(bytes);
    let mut drawn = source.scene.draw(&reading.stages)?;
    if reading.stages.matching.pens.is_empty() && reading.pass_order == PassOrder::Given {
        PassOrder::Given.apply(drawn.drawing.layers.iter_mut().map(|layer| &mut layer.pen));
    }
    for warning in &drawn.warnings {
        listener.warn(warning);
    }
    if drawn.widened > 0 {
        let (count, s) = (drawn.widened, if drawn.widened == 1 { "" } else { "s" });
        listener.note(&format!(
            "{count} stroke{s} wider than the pen became parallel lines (--fat-strokes single draws one)"
        ));
    }
    sheets(&drawn, &Rc::new(source.viewer), reading.sheet, listener)
}

/// The chosen sheet, or all that are not empty.
fn sheets(
    drawn: &Drawn,
    viewer: &Rc<Viewer>,
    chosen: Option<usize>,
    listener: &dyn Listener,
) -> Result<Vec<Sheet>, Error> {
    let count = drawn.arrangement.sheets.len();
    let chosen = match chosen {
        Some(number) if (1..=count).contains(&number) => number - 1..number,
        Some(number) => {
            return Err(Error::Input(format!("--sheet {number}: there are {count} sheets")));
        }
        None => 0..count,
    };
    let is_alone = chosen.len() == 1;
    let mut sheets = Vec::new();
    for index in chosen {
        match sheet(drawn, viewer, index) {
            Some(laid) => sheets.push(Sheet {
                number: (!is_alone).then_some(index + 1),
                input: Input::Drawing(Box::new(laid)),
            }),
            None => listener.note(&format!("sheet {} of {count} is empty", index + 1)),
        }
    }
    if sheets.is_empty() {
        return Err(Error::Input("nothing to draw: the sheet is empty".into()));
    }
    Ok(sheets)
}

/// What lies on the sheet of this index; `None`: nothing.
fn sheet(drawn: &Drawn, viewer: &Rc<Viewer>, index: usize) -> Option<Laid> {
    let drawing = drawn.arrangement.cut(&drawn.drawing, index).filter(|drawing| drawing.strokes() > 0)?;
    let page = drawing.page;
    Some(Laid {
        // What is cut over sheets ends at the margins already, and its registration marks lie beyond.
        area: if drawn.arrangement.is_cut { page.rect() } else { drawn.arrangement.area },
        viewer: Rc::clone(viewer),
        view: View { page, copies: drawn.arrangement.copies_on(index) },
        filled_mm: drawn.filled_mm,
        hidden_mm: drawn.hidden_mm,
        mapping: drawn.mapping.clone(),
        texts: drawn.skipped.texts,
        drawing,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_apart_by_name_and_first_byte() {
        for (name, bytes, kind) in [
            ("a", &b"<svg/>"[..], Kind::Svg),
            ("a", b"\xef\xbb\xbf\n<svg/>", Kind::Svg),
            ("a.SVG", b"{", Kind::Svg),
            ("a", b" {\"format\":1}", Kind::Plan),
            ("a", b"\xef\xbb\xbf{}", Kind::Plan),
            ("a", b"G21", Kind::Program),
            ("a", b"\x1b.J", Kind::Program),
            ("a.png", b"\x89PNG", Kind::Pixels),
            ("a.jpg", b"\xff\xd8", Kind::Pixels),
            ("a", b"", Kind::Svg),
        ] {
            assert_eq!(Kind::of(Path::new(name), bytes), kind, "{name} {bytes:?}");
        }
    }
}
