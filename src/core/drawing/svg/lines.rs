//! The lines of an SVG as its viewer shows them: with their widths, whatever pens there are.

use kurbo::BezPath;

use super::options::Fill;
use super::{MM_PER_PX, door, layers, marks};
use crate::drawing::{Error, Page};

/// One stroked subpath.
#[derive(Debug, Clone, PartialEq)]
pub struct WideLine {
    /// Its middle; mm.
    pub path: BezPath,
    /// Its width; mm.
    pub width: f64,
}

/// The size of an SVG and its stroked subpaths, bottom first; `file` is its name for messages. Clip paths are not
/// applied.
///
/// # Errors
/// When it is not a sound SVG.
pub fn lines(file: &str, bytes: &[u8]) -> Result<(Page, Vec<WideLine>), Error> {
    let text = door::text(file, bytes)?;
    door::with_room(file, || {
        let survey = {
            let document = door::parse(file, &text)?;
            layers::survey(file, &text, &document)?
        };
        let tree = marks::tree(file, &survey.text)?;
        let mm = |px: f32| (f64::from(px) * MM_PER_PX * 1000.0).round() / 1000.0;
        let page = Page { width: mm(tree.size().width()), height: mm(tree.size().height()) };
        let found = marks::find(&tree, &survey.layers, Fill::None);
        let lines = found.marks.into_iter().filter_map(|mark| Some((mark.width?, mark.path)));
        let split = |(width, path): (f64, BezPath)| {
            marks::split(&path).into_iter().map(move |path| WideLine { path, width })
        };
        Ok((page, lines.flat_map(split).collect()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_their_widths_in_mm() {
        let svg =
            br##"<svg xmlns="http://www.w3.org/2000/svg" width="96" height="48"><g transform="scale(2)">
            <path d="M1 2 L10 2 M4 4 L4 9" stroke="#f00" stroke-width="6" stroke-opacity="0.3" fill="none"/>
            <rect width="5" height="5"/></g></svg>"##;
        let (page, lines) = lines("x.svg", svg).unwrap();
        assert!((page.width - 25.4).abs() < 1e-9 && lines.len() == 2);
        assert!(lines.iter().all(|line| (line.width - 3.175).abs() < 1e-6), "{lines:?}");
    }
}
