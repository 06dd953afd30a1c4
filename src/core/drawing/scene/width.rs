//! Strokes wider than a pen's line, and transparent ones: how many lines they are.

use kurbo::Stroke as StrokeStyle;
use palette::Srgb;

use super::marks::Mark;
use crate::geometry::{Area, FillRule};

/// A stroke wider than this is more than its pen's line; tips.
pub(super) const FAT: f64 = 1.5;

/// How a stroke much wider than the pen's line is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FatStrokes {
    /// As parallel lines within its outline, which together are as wide.
    #[default]
    Lines,
    /// Along its outline.
    Outline,
    /// As one line along its middle.
    Single,
}

/// How many lines of a pen with this tip (mm) make the width of a mark, where they are several. At least one and a half
/// tips wide. `fat` is what was asked for; else it is so where the pen was found by color.
pub(super) fn lines_across(mark: &Mark, tip: f64, fat: Option<FatStrokes>) -> Option<f64> {
    let fat = fat.or(mark.is_matched.then_some(FatStrokes::Lines))?;
    let tips = mark.width? / tip;
    if fat == FatStrokes::Single || tips <= FAT || mark.area.is_some() {
        return None;
    }
    Some(match ink_share(mark) {
        // So many that no paper shows between them.
        share if share >= 1.0 => (tips - 0.1).ceil(),
        share => (tips * share).round().max(1.0),
    })
}

/// The outline of a wide stroke.
pub(super) fn outline(mark: &Mark) -> Area {
    let style = StrokeStyle::new(mark.width.unwrap_or(0.0)).with_caps(mark.cap).with_join(mark.join);
    let outline = kurbo::stroke(mark.path.iter(), &style, &kurbo::StrokeOpts::default(), 0.01);
    Area::new(&outline, FillRule::NonZero)
}

/// The share of a mark that its pen is to ink, 0.02 to 1: so much that the eye, which adds up light, sees lines and paper
/// together as light as a screen shows the transparent mark. Screens mix the bytes of sRGB and not light: black of half
/// opacity lets 21 % of the light through, and so 79 % of the paper is inked.
pub(super) fn ink_share(mark: &Mark) -> f64 {
    if !mark.is_spaced {
        return 1.0;
    }
    // Luminance of sRGB.
    let light = |color: [f32; 3]| {
        let [r, g, b]: [f32; 3] = Srgb::from(color).into_linear().into();
        0.2126 * r + 0.7152 * g + 0.0722 * b
    };
    let color: [f32; 3] = mark.color.into_format().into();
    let missing = 1.0 - light(color);
    // White ink is as good as paper.
    if missing < 0.01 {
        return f64::from(mark.opacity).clamp(0.02, 1.0);
    }
    let seen = color.map(|channel| 1.0 + mark.opacity * (channel - 1.0));
    f64::from((1.0 - light(seen)) / missing).clamp(0.02, 1.0)
}
