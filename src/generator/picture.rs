//! The picture that was wanted: a final drawing at any resolution, in linear light.

use super::rasterizer::{Polylines, paint_polylines};
use traceur_core::drawing::Drawing;
use traceur_core::geometry::flatten;

/// A picture of a whole page, row by row from the top left; linear sRGB light, 0 to 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    /// Columns.
    pub width_px: usize,
    /// Rows.
    pub height_px: usize,
    /// One a pixel, `width_px · height_px` of them.
    pub rgb: Vec<[f32; 3]>,
}

/// Greatest distance between a curve and the picture's pieces of it; px.
const FLATNESS_PX: f64 = 0.05;
/// Width of the edge between ink and paper; px.
const SOFTNESS_PX: f32 = 1.0;

/// Draws the whole page at `dpi` pixels an inch, layer by layer with each pen's ink and tip.
///
/// Strokes are unions: a stroke that crosses itself inks once. Edges are 1 px soft.
#[must_use]
pub fn draw(drawing: &Drawing, dpi: f64) -> Picture {
    let (width_px, height_px) = drawing.page.size_px(dpi);
    let scale = (width_px as f64 / drawing.page.width, height_px as f64 / drawing.page.height);
    let px_per_mm = 0.5 * (scale.0 + scale.1);
    let passes: Vec<_> = drawing
        .layers
        .iter()
        .map(|layer| {
            let lines = layer
                .strokes
                .iter()
                .flat_map(|stroke| flatten(&stroke.path, FLATNESS_PX / px_per_mm))
                .map(|line| {
                    let px =
                        |p: &traceur_core::geometry::Point| [(p.x * scale.0) as f32, (p.y * scale.1) as f32];
                    line.points().iter().map(px).collect::<Vec<_>>()
                })
                .collect();
            Polylines { ink: layer.pen.ink(), width_px: (layer.pen.tip * px_per_mm) as f32, lines }
        })
        .collect();
    let rgb = paint_polylines((width_px, height_px), SOFTNESS_PX, &passes);
    Picture { width_px, height_px, rgb }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kurbo::BezPath;
    use traceur_core::color::{linear, to_srgb8};
    use traceur_core::drawing::{Layer, Page, Stroke};
    use traceur_core::pens::Inventory;

    #[test]
    fn a_thick_line_has_its_pens_color_and_self_crossings_ink_once() {
        let mut pen = Inventory::built_in("fineliner-12").unwrap().pens[0].clone();
        pen.tip = 4.0;
        let path = BezPath::from_svg("M2 10 L18 10 L18 2 L10 2 L10 18").unwrap();
        let drawing = Drawing {
            page: Page { width: 20.0, height: 20.0 },
            layers: vec![Layer { pen: pen.clone(), strokes: vec![Stroke { path, group: 0 }] }],
        };
        let picture = draw(&drawing, 72.0);
        assert_eq!((picture.width_px, picture.height_px), (57, 57));
        let at = |x: f64, y: f64| picture.rgb[(y * 57.0 / 20.0) as usize * 57 + (x * 57.0 / 20.0) as usize];
        assert_eq!(to_srgb8(at(5.0, 10.0)), pen.color);
        assert!(at(10.0, 10.0).iter().zip(linear(pen.color)).all(|(a, b)| (a - b).abs() < 1e-3));
        assert_eq!(at(1.0, 1.0), [1.0; 3]);
    }
}
