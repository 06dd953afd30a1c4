//! The picture that an SVG's viewer shows.

use resvg::tiny_skia::{Color, Pixmap, Transform};
use resvg::usvg::Tree;

use super::MM_PER_PX;
use crate::drawing::{Error, Page, room};
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

/// An SVG that was read, ready to be shown as its viewer would show it.
#[derive(Debug)]
pub struct Viewer {
    /// The file's name, for messages.
    file: String,
    tree: Tree,
}

impl Viewer {
    pub(super) fn new(file: &str, tree: Tree) -> Self {
        Self { file: file.into(), tree }
    }

    /// Draws it on white paper. Texts and images stay blank. Without a view, the sheet is its own page.
    ///
    /// # Errors
    /// When the picture would be empty or have more than 200 million pixels.
    pub fn render(&self, dpi: f64, view: Option<&View>) -> Result<Picture, Error> {
        room::with_room(&self.file, || self.draw(dpi, view))
    }

    fn draw(&self, dpi: f64, view: Option<&View>) -> Result<Picture, Error> {
        let own =
            [self.tree.size().width(), self.tree.size().height()].map(|edge| f64::from(edge) * MM_PER_PX);
        let [width, height] = view.map_or(own, |view| [view.page.width, view.page.height]);
        let scale = dpi / 25.4;
        let size = [width, height].map(|edge| (edge * scale).round().max(1.0));
        let is_sound = scale > 0.0 && size[0] * size[1] <= MOST_PIXELS;
        let pixmap = is_sound.then(|| Pixmap::new(size[0] as u32, size[1] as u32)).flatten();
        let mut pixmap = pixmap.ok_or_else(|| {
            let message = format!("a picture of {} x {} pixels: use less than {dpi} dpi", size[0], size[1]);
            room::error(&self.file, message)
        })?;
        pixmap.fill(Color::WHITE);
        let to_pixels = Affine::scale_non_uniform(size[0] / width, size[1] / height);
        for copy in view.map_or(&[Affine::IDENTITY][..], |view| &view.copies) {
            let [a, b, c, d, e, f] =
                (to_pixels * *copy * Affine::scale(MM_PER_PX)).as_coeffs().map(|value| value as f32);
            resvg::render(&self.tree, Transform::from_row(a, b, c, d, e, f), &mut pixmap.as_mut());
        }
        let rgb = pixmap.pixels().iter().map(|pixel| [pixel.red(), pixel.green(), pixel.blue()]).collect();
        Ok(Picture { width_px: size[0] as usize, height_px: size[1] as usize, rgb })
    }
}
