//! The picture that an SVG's viewer shows.

use resvg::tiny_skia::{Color, Pixmap, Transform};

use super::{door, marks};
use crate::drawing::Error;

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

/// Draws an SVG on white paper as its viewer would; `file` is its name for messages. Texts and images stay blank.
///
/// # Errors
/// When it is not a sound SVG, or the picture would be empty or have more than 200 million pixels.
pub fn render(file: &str, bytes: &[u8], dpi: f64) -> Result<Picture, Error> {
    let text = door::text(file, bytes)?;
    door::with_room(file, || {
        let survey = {
            let document = door::parse(file, &text)?;
            super::layers::survey(file, &text, &document)?
        };
        let tree = marks::tree(file, &survey.text)?;
        let scale = dpi / 96.0;
        let size = [tree.size().width(), tree.size().height()]
            .map(|edge| (f64::from(edge) * scale).round().max(1.0));
        let is_sound = scale > 0.0 && size[0] * size[1] <= MOST_PIXELS;
        let pixmap = is_sound.then(|| Pixmap::new(size[0] as u32, size[1] as u32)).flatten();
        let mut pixmap = pixmap.ok_or_else(|| {
            door::error(
                file,
                format!("a picture of {} x {} pixels: use less than {dpi} dpi", size[0], size[1]),
            )
        })?;
        pixmap.fill(Color::WHITE);
        let [x, y] = [size[0] / f64::from(tree.size().width()), size[1] / f64::from(tree.size().height())];
        resvg::render(&tree, Transform::from_scale(x as f32, y as f32), &mut pixmap.as_mut());
        let rgb = pixmap.pixels().iter().map(|pixel| [pixel.red(), pixel.green(), pixel.blue()]).collect();
        Ok(Picture { width_px: size[0] as usize, height_px: size[1] as usize, rgb })
    })
}
