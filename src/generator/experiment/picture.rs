//! Pictures as files' pixels: eight-bit sRGB, resized in linear light, PNG.

use std::io::Cursor;

use image::{ImageFormat, Rgb, RgbImage, imageops};

use super::Error;
use crate::Picture;
use traceur_core::color::to_srgb8;

/// The picture with no edge longer than `most_px`, averaged in linear light.
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and most_px")]
pub fn thumbnail(picture: &Picture, most_px: u32) -> RgbImage {
    let pixels = picture.rgb.iter().flatten().copied().collect();
    let edge = |px: usize| u32::try_from(px).unwrap_or(u32::MAX);
    let (width, height) = (edge(picture.width_px), edge(picture.height_px));
    let Some(linear) = image::ImageBuffer::<Rgb<f32>, Vec<f32>>::from_raw(width, height, pixels) else {
        return RgbImage::new(1, 1);
    };
    let scale = (f64::from(most_px) / f64::from(width.max(height).max(1))).min(1.0);
    let scaled = |px: u32| (f64::from(px) * scale).round().max(1.0) as u32;
    let small = if scale < 1.0 {
        imageops::resize(&linear, scaled(width), scaled(height), imageops::FilterType::Triangle)
    } else {
        linear
    };
    RgbImage::from_fn(small.width(), small.height(), |x, y| Rgb(to_srgb8(small.get_pixel(x, y).0).into()))
}

/// The bytes of a PNG file.
///
/// # Errors
/// The encoder's.
pub fn to_png(image: &RgbImage) -> Result<Vec<u8>, Error> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, ImageFormat::Png)?;
    Ok(bytes.into_inner())
}
