//! Pictures of a page: linear light for the optics, eight bits for files.

use std::io::Cursor;

use image::{ImageFormat, RgbImage};

use traceur_core::color::{Srgb8, linear, to_srgb8};
use traceur_generator::Picture;
use traceur_sim::ink::Paper;

/// Why a picture could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The PNG encoder's refusal.
    #[error("the picture could not be encoded: {0}")]
    Encode(#[from] image::ImageError),
    /// Two pictures of different shapes can't be compared.
    #[error("the pictures could not be compared: {0}")]
    Compare(String),
    /// The encoder of a terminal's pixels refused it.
    #[error("the picture could not be shown: {0}; choose `--show=blocks`")]
    Terminal(String),
}

/// The ink on a sheet as a picture.
#[must_use]
pub fn of_paper(paper: Paper) -> Picture {
    Picture { width_px: paper.width_px, height_px: paper.height_px, rgb: paper.light }
}

/// A picture of eight-bit sRGB pixels, row by row.
#[must_use]
pub fn of_rgb8(width_px: usize, height_px: usize, pixels: &[[u8; 3]]) -> Picture {
    let rgb = pixels.iter().map(|[r, g, b]| linear(Srgb8::new(*r, *g, *b))).collect();
    Picture { width_px, height_px, rgb }
}

/// The picture at another size: each new pixel is the mean light of the area that it covers.
#[must_use]
pub fn resized(picture: &Picture, width_px: usize, height_px: usize) -> Picture {
    let across = Shares::new(picture.width_px, width_px);
    let down = Shares::new(picture.height_px, height_px);
    let mut rows = vec![[0.0_f32; 3]; width_px * picture.height_px];
    for (row, target) in picture.rgb.chunks(picture.width_px).zip(rows.chunks_mut(width_px)) {
        across.average(target, |from| row[from]);
    }
    let mut rgb = vec![[0.0_f32; 3]; width_px * height_px];
    let mut column = vec![[0.0_f32; 3]; height_px];
    for x in 0..width_px {
        down.average(&mut column, |from| rows[from * width_px + x]);
        for (y, value) in column.iter().enumerate() {
            rgb[y * width_px + x] = *value;
        }
    }
    Picture { width_px, height_px, rgb }
}

/// Eight-bit sRGB.
#[must_use]
pub fn to_image(picture: &Picture) -> RgbImage {
    let (width_px, height_px) = (as_u32(picture.width_px), as_u32(picture.height_px));
    RgbImage::from_fn(width_px, height_px, |x, y| {
        image::Rgb(to_srgb8(picture.rgb[y as usize * picture.width_px + x as usize]).into())
    })
}

/// The bytes of a PNG file.
///
/// # Errors
/// The encoder's.
pub fn to_png(picture: &Picture) -> Result<Vec<u8>, Error> {
    encoded_png(&to_image(picture))
}

pub(super) fn encoded_png(image: &RgbImage) -> Result<Vec<u8>, Error> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, ImageFormat::Png)?;
    Ok(bytes.into_inner())
}

fn as_u32(pixels: usize) -> u32 {
    u32::try_from(pixels).unwrap_or(u32::MAX)
}

/// For each new pixel of a row, which old pixels it covers and how much of it each fills.
struct Shares(Vec<Vec<(usize, f32)>>);

impl Shares {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "pixel numbers and shares")]
    fn new(from: usize, to: usize) -> Self {
        let scale = from as f64 / to as f64;
        let shares = (0..to).map(|new| {
            let (low, high) = (new as f64 * scale, (new + 1) as f64 * scale);
            let last = (high.ceil() as usize).min(from);
            (low as usize..last)
                .map(|old| (old, (high.min(old as f64 + 1.0) - low.max(old as f64)).max(0.0) / scale))
                .map(|(old, share)| (old, share as f32))
                .collect()
        });
        Self(shares.collect())
    }

    fn average(&self, target: &mut [[f32; 3]], source: impl Fn(usize) -> [f32; 3]) {
        for (target, shares) in target.iter_mut().zip(&self.0) {
            *target = [0.0; 3];
            for (from, share) in shares {
                let light = source(*from);
                for channel in 0..3 {
                    target[channel] += light[channel] * share;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resizing_keeps_the_mean_light() {
        let rgb: Vec<_> = (0_u16..35).map(|i| [f32::from(i) / 35.0, 0.5, 1.0]).collect();
        let picture = Picture { width_px: 7, height_px: 5, rgb };
        let mean = |picture: &Picture| {
            picture.rgb.iter().map(|light| light[0]).sum::<f32>() / picture.rgb.len() as f32
        };
        for (width_px, height_px) in [(3, 2), (7, 5), (1, 1), (14, 11)] {
            assert!((mean(&resized(&picture, width_px, height_px)) - mean(&picture)).abs() < 1e-5);
        }
        assert_eq!(resized(&picture, 7, 5), picture);
    }
}
