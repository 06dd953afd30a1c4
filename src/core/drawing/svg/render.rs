//! The picture that an SVG's viewer shows.

use resvg::tiny_skia::{Color, Pixmap, Transform};

use super::{MM_PER_PX, door, marks};
use crate::drawing::{Error, Page};
use crate::geometry::Affine;

/// Most pixels of a picture.
const MOST_PIXELS: f64 = 200e6;

/// A picture in sRGB, rows from the top.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Pixels a row.
    pub width_px: usize,
    /// Rows.
    pub height_px: usize,
    /// sRGB, row by row.
    pub rgb: Vec<[u8; 3]>,
}

/// Where an SVG is drawn: on a sheet, once by each map (mm) from its own page.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// The sheet.
    pub page: Page,
    /// From the SVG's page to the sheet.
    pub copies: Vec<Affine>,
}

/// Draws an SVG on white paper as its viewer would; `file` is its name for messages. Texts and images stay blank.
/// Without a view, the sheet is its own page.
///
/// # Errors
/// When it is not a sound SVG, or the picture would be empty or have more than 200 million pixels.
pub fn render(file: &str, bytes: &[u8], dpi: f64, view: Option<&View>) -> Result<Picture, Error> {
    let text = door::text(file, bytes)?;
    door::with_room(file, || {
        let survey = {
            let document = door::parse(file, &text)?;
            super::layers::survey(file, &text, &document)?
        };
        let tree = marks::tree(file, &survey.text)?;
        let own = [tree.size().width(), tree.size().height()].map(|edge| f64::from(edge) * MM_PER_PX);
        let [width, height] = view.map_or(own, |view| [view.page.width, view.page.height]);
        let scale = dpi / 25.4;
        let size = [width, height].map(|edge| (edge * scale).round().max(1.0));
        let is_sound = scale > 0.0 && size[0] * size[1] <= MOST_PIXELS;
        let pixmap = is_sound.then(|| Pixmap::new(size[0] as u32, size[1] as u32)).flatten();
        let mut pixmap = pixmap.ok_or_else(|| {
            door::error(
                file,
                format!("a picture of {} x {} pixels: use less than {dpi} dpi", size[0], size[1]),
            )
        })?;
        pixmap.fill(Color::WHITE);
        let to_pixels = Affine::scale_non_uniform(size[0] / width, size[1] / height);
        for copy in view.map_or(&[Affine::IDENTITY][..], |view| &view.copies) {
            let [a, b, c, d, e, f] =
                (to_pixels * *copy * Affine::scale(MM_PER_PX)).as_coeffs().map(|value| value as f32);
            resvg::render(&tree, Transform::from_row(a, b, c, d, e, f), &mut pixmap.as_mut());
        }
        let rgb = pixmap.pixels().iter().map(|pixel| [pixel.red(), pixel.green(), pixel.blue()]).collect();
        Ok(Picture { width_px: size[0] as usize, height_px: size[1] as usize, rgb })
    })
}
