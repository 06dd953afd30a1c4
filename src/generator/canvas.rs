//! The raster on which a drawing is optimised.

use super::Picture;
use traceur_core::color::Srgb;
use traceur_core::drawing::Page;
use traceur_core::geometry::{Point, Rect};

/// Where the pixels of a picture lie on the page.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Canvas {
    /// The part of the page that the pixels cover; page mm. It may reach over the page's edge.
    pub area: Rect,
    /// Columns.
    pub width_px: usize,
    /// Rows.
    pub height_px: usize,
    /// Pixels a mm, the same in both directions.
    pub px_per_mm: f64,
}

/// Width that a pen's line has on the canvas when the budget allows; px.
const LINE_PX: f64 = 1.6;
/// White around the drawable area, so that a network sees a stroke's outer side; px.
const BORDER_PX: f64 = 6.0;
/// Edges are multiples of this, so that a network's strides fit; px.
const GRID_PX: f64 = 16.0;

impl Canvas {
    /// A canvas around `drawable` (page mm) on which a line of a `tip` mm pen is 1.6 px wide, or narrower so that
    /// there are about `most_px` pixels at most (260,000 is usual: cost grows with pixels).
    ///
    /// The canvas is larger than `drawable` by 6 to 14 px on each side.
    #[must_use]
    pub fn around(drawable: Rect, tip: f64, most_px: usize) -> Self {
        let budget = (most_px as f64 / (drawable.width() * drawable.height()).max(1.0)).sqrt();
        let px_per_mm = (LINE_PX / tip).min(budget);
        let edge = |mm: f64| ((mm * px_per_mm + 2.0 * BORDER_PX) / GRID_PX).ceil() * GRID_PX;
        let (width, height) = (edge(drawable.width()), edge(drawable.height()));
        let area = Rect::from_center_size(drawable.center(), (width / px_per_mm, height / px_per_mm));
        Self { area, width_px: width as usize, height_px: height as usize, px_per_mm }
    }

    /// Page mm to canvas px; the origin is the corner of the first pixel, so its center is at (0.5, 0.5).
    #[must_use]
    pub fn to_px(&self, point: Point) -> Point {
        ((point - self.area.origin()) * self.px_per_mm).to_point()
    }

    /// Canvas px to page mm.
    #[must_use]
    pub fn to_mm(&self, point: Point) -> Point {
        self.area.origin() + point.to_vec2() / self.px_per_mm
    }

    /// The whole page at the canvas's resolution with `srgb` (planes [3 or more, H, W]) on it, white around.
    pub(super) fn on_page(&self, page: Page, srgb: &[f32]) -> Picture {
        let px = |mm: f64| ((mm * self.px_per_mm).round() as usize).max(1);
        let (width_px, height_px) = (px(page.width), px(page.height));
        let first = |mm: f64| (mm * self.px_per_mm).round() as i64;
        let (left, top) = (first(self.area.x0), first(self.area.y0));
        let plane = self.width_px * self.height_px;
        let mut rgb = vec![[1.0; 3]; width_px * height_px];
        for (y, row) in rgb.chunks_exact_mut(width_px).enumerate() {
            for (x, light) in row.iter_mut().enumerate() {
                let (column, line) = (x as i64 - left, y as i64 - top);
                if (0..self.width_px as i64).contains(&column) && (0..self.height_px as i64).contains(&line) {
                    let at = line as usize * self.width_px + column as usize;
                    let color = Srgb::new(srgb[at], srgb[plane + at], srgb[2 * plane + at]).into_linear();
                    *light = [color.red, color.green, color.blue];
                }
            }
        }
        Picture { width_px, height_px, rgb }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_canvas_holds_the_drawable_area_and_keeps_the_budget() {
        for (width, height) in [(132.0, 89.0), (194.0, 132.0), (20.0, 300.0)] {
            let drawable = Rect::new(8.0, 8.0, 8.0 + width, 8.0 + height);
            let canvas = Canvas::around(drawable, 0.5, 260_000);
            assert!(canvas.area.contains_rect(drawable));
            assert_eq!((canvas.width_px % 16, canvas.height_px % 16), (0, 0));
            assert!(canvas.width_px * canvas.height_px < 300_000);
            assert!(canvas.px_per_mm <= 3.2 + 1e-9);
            let there = canvas.to_mm(canvas.to_px(drawable.center()));
            assert!(there.distance(drawable.center()) < 1e-9);
        }
    }
}
