//! How color is written, compared and laid on paper: palette's spaces and the optical model of ink that the
//! generator and the simulated paper share.

mod clusters;
mod ink;

pub use clusters::{cluster, cluster_robust, nearest_center};
pub use ink::{Ink, Srgb8, linear, parse_hex, to_hex, to_srgb8};
pub use palette::{Lab, LinSrgb, Srgb};

use palette::{IntoColor, color_difference::Ciede2000};

/// The CIEDE2000 difference of two sRGB colors (Sharma, Wu and Dalal 2005); about 1 is just seen, 100 is black
/// against white.
#[must_use]
pub fn delta_e(a: Srgb<f32>, b: Srgb<f32>) -> f32 {
    lab(a).difference(lab(b))
}

/// CIE L*a*b* under D65 of an sRGB color.
#[must_use]
pub fn lab(color: Srgb<f32>) -> Lab {
    color.into_color()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn black_is_a_hundred_from_white() {
        assert!((delta_e(Srgb::new(0.0, 0.0, 0.0), Srgb::new(1.0, 1.0, 1.0)) - 100.0).abs() < 0.1);
    }
}
