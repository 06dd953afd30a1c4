//! Reading a swatch: what each pen's ink and tip are.
//!
//! Symbols, all of linear light as shares of the paper's: `T` a pen's color (light from paper under its line), `o` its
//! opacity, `w` its tip. A solid patch is `T`. Lines `g` apart let `1 - (w / g)(1 - T)` of the light through, whatever
//! blurs them, so their mean tells `w`. One pen over another gives `(1 - o) T' T + o T`, where `T'` is the lower one's: all
//! patches in which a pen lies above tell its `o` together.

use super::layout::{Row, Swatch, TIPS};
use super::light::Lit;
use super::{Error, Scan, fiducial};
use traceur_core::color::{Ink, Srgb, Srgb8, delta_e, to_srgb8};
use traceur_core::geometry::Rect;
use traceur_core::pens::Pen;

/// How sure the light of a patch is (variance), against how sure the pen's file is of its opacity.
const DOUBT: f64 = 1e-4;
/// Mean ΔE2000 between the picture and the model with the best inks; above, something is amiss.
const AMISS: f64 = 6.0;

/// What was read of one pen.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// The pen, its color, tip and opacity as measured; the tip to 0.01 mm, the opacity to 0.01.
    pub pen: Pen,
    /// Mean ΔE2000 between the pen's patches in the picture and as the swatch's pens had them.
    pub before: f64,
    /// The same with the measured pens.
    pub after: f64,
    /// Whether its patches overprint others so faintly that the opacity could not be told: it is the file's.
    pub opacity_unknown: bool,
    /// Whether the pen left hardly any ink: then nothing is known of it.
    pub failed: bool,
    /// What is doubtful about it, for people.
    pub doubt: Option<String>,
}

/// Measures the pens of a swatch in a picture of it, in the order of [`Swatch::pens`]; `known` is what is thought of them now,
/// in the same order, which may be other than when the swatch was made.
///
/// # Errors
/// When the corner marks are not found, the paper is too dark or too small in the picture, or what stands there is not this
/// swatch.
pub fn measure(swatch: &Swatch, known: &[Pen], scan: &Scan) -> Result<Vec<Reading>, Error> {
    let map = fiducial::locate(scan, swatch)?;
    let lit = Lit::new(scan, swatch, map)?;
    let seen = Seen::new(swatch, &lit);
    let mut readings: Vec<Reading> =
        known.iter().enumerate().map(|(index, pen)| seen.read(swatch, &lit, index, pen)).collect();
    let measured: Vec<Pen> = readings.iter().map(|reading| reading.pen.clone()).collect();
    for (index, reading) in readings.iter_mut().enumerate() {
        reading.before = seen.gap(swatch, known, index);
        reading.after = seen.gap(swatch, &measured, index);
    }
    let off = readings.iter().map(|reading| reading.after).sum::<f64>() / readings.len().max(1) as f64;
    if off > AMISS {
        return Err(Error::Scan(format!(
            "what stands in the picture is not what these pens draw (ΔE {off:.0} even with the best inks): is it the chart of other pens, or of another order? --chart swatch.svg says which"
        )));
    }
    Ok(readings)
}

/// The light of all patches, as shares of the paper's.
struct Seen {
    solids: Vec<[f64; 3]>,
    /// In the order of the swatch's.
    pairs: Vec<[f64; 3]>,
}

/// The inside of a patch, far enough from its edges for a picture that is a little off.
fn inside(patch: Rect) -> Rect {
    patch.inset(-(0.22 * patch.width().min(patch.height())).clamp(0.9, 2.5))
}

impl Seen {
    fn new(swatch: &Swatch, lit: &Lit<'_>) -> Self {
        Self {
            solids: swatch.rows.iter().map(|row| lit.share(inside(row.solid))).collect(),
            pairs: swatch.pairs.iter().map(|pair| lit.share(inside(pair.patch))).collect(),
        }
    }

    fn read(&self, swatch: &Swatch, lit: &Lit<'_>, index: usize, pen: &Pen) -> Reading {
        let row = &swatch.rows[index];
        let color = self.solids[index].map(|light| light.clamp(0.0, 1.0));
        let (opacity, opacity_unknown) = self.opacity(swatch, index, pen.opacity);
        let (tip, spaced) = tip(row, lit, color);
        let (mut doubt, mut failed) = (None, false);
        let missing = color.map(|light| 1.0 - light).into_iter().fold(0.0, f64::max);
        if missing < 0.05 {
            failed = true;
            doubt = Some("hardly any ink: did the pen write?".to_owned());
        } else if tip < 0.55 * spaced {
            doubt = Some(format!(
                "its lines are so fine that its patches are not solid: set its tip to {tip:.2}mm, and plot another chart"
            ));
        } else if tip > 2.5 * spaced {
            doubt = Some("its lines run together: set a wider tip, and plot another chart".to_owned());
        }
        let rounded = |value: f64| (value * 100.0).round() / 100.0;
        let measured = Pen {
            color: to_color(color),
            tip: rounded(tip).clamp(0.01, 50.0),
            opacity: narrow(rounded(opacity)),
            ..pen.clone()
        };
        Reading { pen: measured, before: 0.0, after: 0.0, opacity_unknown, failed, doubt }
    }

    /// The opacity that fits best all patches in which the pen lies above, and whether that says little.
    fn opacity(&self, swatch: &Swatch, index: usize, known: f32) -> (f64, bool) {
        let above = self.solids[index];
        let (mut product, mut square) = (0.0, 0.0);
        for (pair, seen) in swatch.pairs.iter().zip(&self.pairs) {
            if pair.above != index {
                continue;
            }
            let below = self.solids[pair.below];
            for channel in 0..3 {
                let most = above[channel] * (1.0 - below[channel]);
                product += most * (seen[channel] - below[channel] * above[channel]);
                square += most * most;
            }
        }
        let opacity = (product + DOUBT * f64::from(known)) / (square + DOUBT);
        (opacity.clamp(0.0, 1.0), square < 3.0 * DOUBT)
    }

    /// Mean ΔE2000 between the pen's patches and what the pens would make of them.
    fn gap(&self, swatch: &Swatch, pens: &[Pen], index: usize) -> f64 {
        let inks: Vec<Ink> = pens.iter().map(Pen::ink).collect();
        let lay = |below: [f32; 3], pen: usize| inks[pen].lay(below, inks[pen].passage(1.0));
        let mut gaps = vec![difference(self.solids[index], lay([1.0; 3], index))];
        for (pair, seen) in swatch.pairs.iter().zip(&self.pairs) {
            if pair.above == index || pair.below == index {
                gaps.push(difference(*seen, lay(lay([1.0; 3], pair.below), pair.above)));
            }
        }
        gaps.iter().sum::<f64>() / gaps.len() as f64
    }
}

/// The tip's width from the mean light of single lines, and the tip that they were spaced for; mm.
///
/// The lines may have been spaced for the tip that the file had when the swatch was made: the spacing whose lines are
/// darkest against the white between them is taken.
fn tip(row: &Row, lit: &Lit<'_>, color: [f64; 3]) -> (f64, f64) {
    let missing = color.map(|light| (1.0 - light).max(0.0));
    let weight = missing.iter().map(|missing| missing * missing).sum::<f64>().max(1e-9);
    let coverage = |part: Rect| {
        let light = lit.share(part);
        light.iter().zip(&missing).map(|(light, missing)| (1.0 - light) * missing).sum::<f64>() / weight
    };
    let (top, bottom) = (inside(row.lines).y0, inside(row.lines).y1);
    let contrast = |tip: f64| {
        let places = row.line_places(tip);
        let pitch = Row::pitch(tip);
        let thin = |x: f64| coverage(Rect::new(x - tip / 4.0, top, x + tip / 4.0, bottom));
        let lines: f64 = places.iter().map(|x| thin(*x)).sum::<f64>() / places.len().max(1) as f64;
        let gaps = places.iter().skip(1).map(|x| thin(x - pitch / 2.0)).sum::<f64>();
        lines - gaps / places.len().saturating_sub(1).max(1) as f64
    };
    let near = TIPS
        .into_iter()
        .filter(|tip| (0.55..1.8).contains(&(tip / row.tip)) && row.line_places(*tip).len() > 1);
    let scored = near.map(|tip| (contrast(tip), tip));
    let spaced = scored.max_by(|a, b| a.0.total_cmp(&b.0)).map_or(row.tip, |(_, tip)| tip);
    let places = row.line_places(spaced);
    let (first, last) =
        (places.first().copied().unwrap_or(row.lines.x0), places.last().copied().unwrap_or(row.lines.x1));
    let half = Row::pitch(spaced) / 2.0;
    (coverage(Rect::new(first - half, top, last + half, bottom)) * 2.0 * half, spaced)
}

fn to_color(light: [f64; 3]) -> Srgb8 {
    to_srgb8(light.map(narrow))
}

#[expect(clippy::cast_possible_truncation, reason = "a share needs no more than an f32")]
fn narrow(value: f64) -> f32 {
    value as f32
}

fn difference(seen: [f64; 3], expected: [f32; 3]) -> f64 {
    let srgb = |light: [f32; 3]| -> Srgb<f32> {
        Srgb::from_linear(traceur_core::color::LinSrgb::from(light.map(|light| light.clamp(0.0, 1.0))))
    };
    f64::from(delta_e(srgb(seen.map(narrow)), srgb(expected)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use traceur_core::color::linear;

    #[test]
    fn light_becomes_the_color_that_made_it() {
        let color = Srgb8::new(29, 79, 158);
        assert_eq!(to_color(linear(color).map(f64::from)), color);
    }
}
