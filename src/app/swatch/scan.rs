//! A picture of a plotted swatch: pixels, light between them, and smaller copies.

use super::Error;
use traceur_core::color::{Srgb8, linear};
use traceur_core::geometry::Point;

/// Most pixels of a scan that is read.
pub const MOST_PX: usize = 100_000_000;

/// A scan or photo, eight-bit sRGB.
#[derive(Debug, Clone, PartialEq)]
pub struct Scan {
    width_px: usize,
    height_px: usize,
    rgb: Vec<u8>,
    /// Linear light of each eight-bit value.
    light: [f32; 256],
}

impl Scan {
    /// A picture of `rgb` bytes, three a pixel, row by row from the top left.
    ///
    /// # Errors
    /// When the bytes are not those of a picture of this size, or it is smaller than 100 x 100 pixels.
    pub fn new(width_px: usize, height_px: usize, rgb: Vec<u8>) -> Result<Self, Error> {
        if width_px.min(height_px) < 100 {
            return Err(Error::Scan(format!(
                "{width_px} x {height_px} pixels are too few to read a chart: scan at 300 dpi"
            )));
        }
        if width_px.checked_mul(height_px).and_then(|pixels| pixels.checked_mul(3)) != Some(rgb.len()) {
            return Err(Error::Scan("the picture is cut short".into()));
        }
        let light = std::array::from_fn(|value| {
            let value = u8::try_from(value).unwrap_or(u8::MAX);
            linear(Srgb8::new(value, value, value))[0]
        });
        Ok(Self { width_px, height_px, rgb, light })
    }

    /// The light at a place, px; between pixels as if it changed evenly. Outside, that of the nearest pixel.
    pub(super) fn light_at(&self, at: Point) -> [f64; 3] {
        let (x, y) = (
            (at.x - 0.5).clamp(0.0, (self.width_px - 1) as f64),
            (at.y - 0.5).clamp(0.0, (self.height_px - 1) as f64),
        );
        let (left, top) = (x.floor(), y.floor());
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the picture")]
        let (column, row) = (left as usize, top as usize);
        let (right, below) = ((column + 1).min(self.width_px - 1), (row + 1).min(self.height_px - 1));
        let (along, down) = (x - left, y - top);
        let pixel = |column: usize, row: usize, channel: usize| {
            f64::from(self.light[usize::from(self.rgb[3 * (row * self.width_px + column) + channel])])
        };
        std::array::from_fn(|channel| {
            let upper = pixel(column, row, channel) * (1.0 - along) + pixel(right, row, channel) * along;
            let lower = pixel(column, below, channel) * (1.0 - along) + pixel(right, below, channel) * along;
            upper * (1.0 - down) + lower * down
        })
    }

    pub(super) fn holds(&self, at: Point) -> bool {
        at.x >= 0.0 && at.y >= 0.0 && at.x < self.width_px as f64 && at.y < self.height_px as f64
    }

    /// How dark each pixel of a smaller copy is in its darkest channel, eight bits as sRGB has it; at most `longest` px.
    pub(super) fn darkest(&self, longest: usize) -> Gray {
        let step = self.width_px.max(self.height_px).div_ceil(longest).max(1);
        let (width_px, height_px) = (self.width_px / step, self.height_px / step);
        let mut values = Vec::with_capacity(width_px * height_px);
        for row in 0..height_px {
            for column in 0..width_px {
                let mut sums = [0_u32; 3];
                for y in row * step..(row + 1) * step {
                    let at = 3 * (y * self.width_px + column * step);
                    for pixel in self.rgb[at..at + 3 * step].chunks_exact(3) {
                        for (sum, value) in sums.iter_mut().zip(pixel) {
                            *sum += u32::from(*value);
                        }
                    }
                }
                let least = sums.into_iter().min().unwrap_or(0) as usize / (step * step);
                values.push(u8::try_from(least).unwrap_or(u8::MAX));
            }
        }
        Gray { width_px, height_px, step, values }
    }
}

/// A small gray copy of a scan.
pub(super) struct Gray {
    pub(super) width_px: usize,
    pub(super) height_px: usize,
    /// Pixels of the scan along the edge of one of these.
    pub(super) step: usize,
    pub(super) values: Vec<u8>,
}
