//! The lines of a scene as they are, with their widths, whatever pens there are.

use kurbo::BezPath;

use crate::drawing::scene::{Scene, split};

/// One stroked subpath.
#[derive(Debug, Clone, PartialEq)]
pub struct WideLine {
    /// Its middle; mm.
    pub path: BezPath,
    /// Its width; mm.
    pub width: f64,
}

impl Scene {
    /// Its stroked subpaths, the lowest first. Clip paths are not applied.
    #[must_use]
    pub fn lines(&self) -> Vec<WideLine> {
        let strokes = self.shapes.iter().filter_map(|shape| shape.stroke.as_ref());
        let lines = strokes.flat_map(|stroke| {
            let width = stroke.width;
            split(&stroke.path).into_iter().map(move |path| WideLine { path, width })
        });
        lines.collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::drawing::svg;

    #[test]
    fn lines_have_their_widths_in_mm() {
        let svg =
            br##"<svg xmlns="http://www.w3.org/2000/svg" width="96" height="48"><g transform="scale(2)">
            <path d="M1 2 L10 2 M4 4 L4 9" stroke="#f00" stroke-width="6" stroke-opacity="0.3" fill="none"/>
            <rect width="5" height="5"/></g></svg>"##;
        let scene = svg::read("x.svg", svg).unwrap().scene;
        let lines = scene.lines();
        assert!((scene.page.width - 25.4).abs() < 1e-9 && lines.len() == 2);
        assert!(lines.iter().all(|line| (line.width - 3.175).abs() < 1e-6), "{lines:?}");
    }
}
