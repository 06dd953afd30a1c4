//! Pictures that are wanted on a sheet: photos, and what a viewer shows of SVGs.

use std::io::Cursor;
use std::path::Path;

use image::{DynamicImage, ImageDecoder, ImageReader};

use crate::input::Kind;
use crate::preview::{GAP_DPI, of_rgb8, resized};
use crate::{Error, files, swatch};
use traceur_core::drawing::svg::{self, WideLine};
use traceur_core::drawing::{Page, pixels};
use traceur_core::geometry::{Affine, Rect};
use traceur_generator::Picture;

/// Decodes a PNG or a JPEG, the right way up. `give` says what would be right, `enough` what a smaller one is.
///
/// # Errors
/// What can't be decoded, and what has more pixels than [`swatch::MOST_PX`], before a pixel is.
pub fn photo(name: &str, bytes: &[u8], give: &str, enough: &str) -> Result<DynamicImage, Error> {
    let unreadable =
        |error: image::ImageError| Error::Input(format!("{name}: {error}: {give}").replace('\n', " "));
    let reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format();
    let mut reader = reader.map_err(|error| Error::Input(format!("{name}: {error}")))?;
    // The limit is ours.
    reader.no_limits();
    let mut decoder = reader.into_decoder().map_err(unreadable)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > swatch::MOST_PX as u64 {
        return Err(Error::Input(format!(
            "{name}: {width} x {height} pixels are too many, {} million at most: {enough}",
            swatch::MOST_PX / 1_000_000
        )));
    }
    let orientation = decoder.orientation().map_err(unreadable)?;
    let mut photo = DynamicImage::from_decoder(decoder).map_err(unreadable)?;
    photo.apply_orientation(orientation);
    Ok(photo)
}

/// Most pixels of a sheet.
const MOST_PX: f64 = 40e6;
/// Longer edge of the sheet of a photo when none is asked for; mm.
const PHOTO_EDGE: f64 = 210.0;

/// A picture as its file has it.
#[derive(Debug)]
pub enum Source {
    /// Pixels, the right way up.
    Photo(DynamicImage),
    /// An SVG.
    Svg(Box<svg::Source>),
}

impl Source {
    /// Reads a PNG, a JPEG or an SVG; `-` is stdin.
    ///
    /// # Errors
    /// When it can't be read, or is none of them.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let bytes = files::read(path)?;
        let name = if files::is_dash(path) { "stdin".to_owned() } else { path.display().to_string() };
        if Kind::of(path, &bytes) == Kind::Svg {
            return Ok(Self::Svg(Box::new(svg::read(&name, &bytes)?)));
        }
        photo(&name, &bytes, "give a PNG, a JPEG or an SVG", "a smaller copy is enough").map(Self::Photo)
    }

    /// The sheet that fits it.
    #[must_use]
    pub fn page(&self) -> Page {
        match self {
            Self::Svg(svg) => svg.scene.page,
            Self::Photo(photo) => {
                let (width, height) = (f64::from(photo.width().max(1)), f64::from(photo.height().max(1)));
                let scale = PHOTO_EDGE / width.max(height);
                let mm = |px: f64| (px * scale * 10.0).round().max(10.0) / 10.0;
                Page { width: mm(width), height: mm(height) }
            }
        }
    }

    /// Where it lies on a sheet: as large as fits inside the margin (mm), in the middle.
    fn place(&self, page: Page, margin: f64) -> Result<Rect, Error> {
        let inner = page.rect().inset(-margin);
        if inner.width() < 1.0 || inner.height() < 1.0 || margin < 0.0 {
            return Err(Error::Input(format!("a margin of {margin} mm leaves nothing of the page")));
        }
        let own = self.page();
        let scale = (inner.width() / own.width).min(inner.height() / own.height);
        Ok(Rect::from_center_size(inner.center(), (own.width * scale, own.height * scale)))
    }

    /// The whole sheet as it should look, white around the picture; `margin` in mm.
    ///
    /// # Errors
    /// When the margin leaves nothing, or the SVG can't be drawn.
    pub fn on(&self, page: Page, margin: f64) -> Result<Picture, Error> {
        let place = self.place(page, margin)?;
        let most = (MOST_PX / (page.width * page.height)).sqrt() * 25.4;
        let dpi = GAP_DPI.min(most);
        let px = |mm: f64| pixels(mm, dpi);
        let (width_px, height_px) = page.size_px(dpi);
        let (left, top) = (
            (px(place.x0 + 1.0) - px(1.0)).min(width_px - 1),
            (px(place.y0 + 1.0) - px(1.0)).min(height_px - 1),
        );
        let inner = self.picture(dpi * place.width() / self.page().width)?;
        let inner =
            resized(&inner, px(place.width()).min(width_px - left), px(place.height()).min(height_px - top));
        let mut rgb = vec![[1.0; 3]; width_px * height_px];
        for (row, light) in inner.rgb.chunks_exact(inner.width_px).enumerate() {
            let at = (top + row) * width_px + left;
            rgb[at..at + inner.width_px].copy_from_slice(light);
        }
        Ok(Picture { width_px, height_px, rgb })
    }

    /// The picture alone; an SVG so that its longer edge has `edge_px`.
    ///
    /// # Errors
    /// When the SVG can't be drawn.
    pub fn alone(&self, edge_px: f64) -> Result<Picture, Error> {
        let own = self.page();
        self.picture(edge_px * 25.4 / own.width.max(own.height).max(0.1))
    }

    /// The picture alone; an SVG at `dpi` of its own size.
    fn picture(&self, dpi: f64) -> Result<Picture, Error> {
        match self {
            Self::Svg(svg) => {
                let seen = svg.viewer.render(dpi, None)?;
                Ok(of_rgb8(seen.width_px, seen.height_px, &seen.rgb))
            }
            Self::Photo(photo) => {
                let pixels: Vec<[u8; 3]> = photo
                    .to_rgba8()
                    .pixels()
                    .map(|pixel| {
                        let [r, g, b, a] = pixel.0.map(u32::from);
                        // On white paper.
                        let over = |c: u32| ((c * a + 255 * (255 - a) + 127) / 255) as u8;
                        [over(r), over(g), over(b)]
                    })
                    .collect();
                Ok(of_rgb8(photo.width() as usize, photo.height() as usize, &pixels))
            }
        }
    }

    /// The lines that it is made of, where they lie on a sheet; none of a photo. `margin` in mm.
    ///
    /// # Errors
    /// When the margin leaves nothing.
    pub fn lines(&self, page: Page, margin: f64) -> Result<Vec<WideLine>, Error> {
        let Self::Svg(svg) = self else { return Ok(Vec::new()) };
        let place = self.place(page, margin)?;
        let scale = place.width() / svg.scene.page.width;
        let to_page = Affine::translate(place.origin().to_vec2()) * Affine::scale(scale);
        let line = |line: WideLine| WideLine { path: to_page * line.path, width: line.width * scale };
        Ok(svg.scene.lines().into_iter().map(line).collect())
    }
}
