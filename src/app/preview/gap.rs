//! The gap: how far the ink of the streamed bytes is from the picture that was wanted.

use image_compare::Algorithm;
use palette::Srgb;
use rayon::prelude::*;
use serde::Serialize;

use super::{Error, resized, to_image};
use traceur_core::color::delta_e;
use traceur_core::drawing::Page;
use traceur_core::geometry::{Polyline, clip};
use traceur_generator::Picture;

/// Resolution at which ink and drawing are compared: twice the gap's own, so that both are averaged alike.
pub const GAP_DPI: f64 = 144.0;

/// Both pictures are compared at this resolution.
const DPI: f64 = 72.0;
/// Edge of the squares that the eye averages at arm's length; mm.
const SEEN: f64 = 2.8;

/// Excitation of the chosen channel by both pictures.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Excitation {
    /// By the picture that was wanted.
    pub wanted: f64,
    /// By the ink.
    pub inked: f64,
}

/// How far the ink is from the picture that was wanted.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Gap {
    /// Mean CIEDE2000 of the pixels at 72 dpi.
    pub delta_e: f64,
    /// Mean CIEDE2000 after averaging the sRGB values of both pictures, as fine as they are, over 2.8 mm squares.
    pub delta_e_seen: f64,
    /// Structural similarity of the 72 dpi pictures (Wang et al. 2004), the least of the three channels; 1 is equal.
    pub ssim: f64,
    /// Share of the inked length outside the page.
    pub off_page: f64,
    /// Of the chosen channel, where one was chosen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub excitation: Option<Excitation>,
}

impl Gap {
    /// Compares two pictures of the same page; `off_page` is the share of inked length outside it.
    ///
    /// # Errors
    /// When the structural comparison refuses the pictures.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a page is 1 mm to 10 m")]
    pub fn measure(wanted: &Picture, inked: &Picture, page: &Page, off_page: f64) -> Result<Self, Error> {
        let (width_px, height_px) = page.size_px(DPI);
        let squares = |mm: f64| ((mm / SEEN).round() as usize).max(1);
        // Of the pictures as they come: a pixel that is part ink, part paper has a paler sRGB value than its parts' mean.
        let seen = |picture: &Picture| resized(&encoded(picture), squares(page.width), squares(page.height));
        let delta_e_seen = mean_delta_e(&seen(wanted), &seen(inked));
        let (wanted, inked) = (resized(wanted, width_px, height_px), resized(inked, width_px, height_px));
        let ssim = image_compare::rgb_similarity_structure(
            &Algorithm::MSSIMSimple,
            &to_image(&wanted),
            &to_image(&inked),
        )
        .map_err(|error| Error::Compare(error.to_string()))?
        .score;
        Ok(Self {
            delta_e: mean_delta_e(&encoded(&wanted), &encoded(&inked)),
            delta_e_seen,
            ssim,
            off_page,
            excitation: None,
        })
    }
}

/// The picture with sRGB values in the place of light.
fn encoded(picture: &Picture) -> Picture {
    let encode = |light: &[f32; 3]| <[f32; 3]>::from(Srgb::from_linear(palette::LinSrgb::from(*light)));
    Picture { rgb: picture.rgb.iter().map(encode).collect(), ..*picture }
}

fn mean_delta_e(a: &Picture, b: &Picture) -> f64 {
    let pairs: Vec<f32> =
        a.rgb.par_iter().zip(&b.rgb).map(|(a, b)| delta_e((*a).into(), (*b).into())).collect();
    pairs.iter().copied().map(f64::from).sum::<f64>() / pairs.len() as f64
}

/// A program's finest step: a point that far off the edge was rounded there; mm.
const STEP: f64 = 0.01;

/// Length of the strokes outside the page; mm.
#[must_use]
pub fn off_page_mm(strokes: &[Polyline], page: &Page) -> f64 {
    let outside = |stroke: &Polyline| {
        let inside: f64 = clip(stroke, page.rect().inflate(STEP, STEP)).iter().map(Polyline::length).sum();
        (stroke.length() - inside).max(0.0)
    };
    let sum: f64 = strokes.iter().map(outside).sum();
    if sum < 1e-9 { 0.0 } else { sum }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: Page = Page { width: 60.0, height: 40.0 };

    fn flat(light: f32) -> Picture {
        Picture { width_px: 170, height_px: 113, rgb: vec![[light; 3]; 170 * 113] }
    }

    #[test]
    fn equal_pictures_have_no_gap() {
        let gap = Gap::measure(&flat(0.4), &flat(0.4), &PAGE, 0.0).unwrap();
        assert_eq!((gap.delta_e, gap.delta_e_seen), (0.0, 0.0));
        assert!(gap.ssim > 0.999);
    }

    #[test]
    fn black_for_white_is_the_whole_gap() {
        let gap = Gap::measure(&flat(1.0), &flat(0.0), &PAGE, 0.0).unwrap();
        assert!((gap.delta_e - 100.0).abs() < 0.1 && gap.ssim < 0.1, "{gap:?}");
    }

    #[test]
    fn a_fine_pattern_is_seen_as_its_mean_srgb_value() {
        let mut stripes = flat(1.0);
        for (index, light) in stripes.rgb.iter_mut().enumerate() {
            *light = [f32::from(index % 170 % 2 == 0); 3];
        }
        let gap = Gap::measure(&stripes, &flat(0.214), &PAGE, 0.0).unwrap();
        assert!(gap.delta_e_seen < 1.0 && gap.delta_e > 30.0, "{gap:?}");
    }

    #[test]
    fn length_off_the_page_is_counted() {
        let line = Polyline::new(vec![(-10.0, 5.0).into(), (50.0, 5.0).into()]);
        assert!((off_page_mm(&[line], &PAGE) - 10.0).abs() < 2.0 * STEP + 1e-9);
    }
}
