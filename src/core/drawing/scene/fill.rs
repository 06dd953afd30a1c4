//! Areas and wide strokes become lines as wide as the pen.

use std::f64::consts::FRAC_PI_4;

use kurbo::BezPath;

use super::hide::Shown;
use super::marks::Fill;
use super::matching::Group;
use super::width::FatStrokes;
use crate::drawing::{Layer, Stroke};
use crate::geometry::{Area, FillStyle, Pattern, Polyline, fill};
use crate::pens::Pen;

/// Gaps up to twice this between areas of one color are closed; mm.
const SEAM: f64 = 0.005;

/// Measures of the lines that ink an area.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hatching {
    /// From line to line; mm. `None`: the width of the pen's tip.
    pub spacing: Option<f64>,
    /// Direction of the lines; rad, clockwise on paper from left to right.
    pub angle: f64,
    /// Whether a line along the edge makes it smooth.
    pub outline: bool,
}

impl Default for Hatching {
    fn default() -> Self {
        Self { spacing: None, angle: FRAC_PI_4, outline: false }
    }
}

/// How areas and wide strokes are inked.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Filling {
    /// How a shape with a fill is drawn.
    pub fill: Fill,
    /// The lines that ink an area.
    pub hatching: Hatching,
    /// How a stroke of more than one and a half tips is drawn. `None`: as [`FatStrokes::Lines`] where its pen was found
    /// by color, as one line where a layer names the pen or the pen was made for the drawing.
    pub fat: Option<FatStrokes>,
}

/// Layers with what became of their marks.
#[derive(Debug, Default)]
pub(super) struct Inked {
    /// Those that have strokes.
    pub(super) layers: Vec<Layer>,
    /// Length of the lines that ink areas; mm.
    pub(super) filled_mm: f64,
    /// Strokes wider than their pen's line that became several lines.
    pub(super) widened: usize,
}

/// An area of one color to be inked.
struct ToInk {
    area: Area,
    /// The share of it that is inked, 0 to 1.
    share: f64,
    /// Number of the group it stands in.
    group: u32,
}

/// The strokes of every pen's marks. `is_carved`: areas were cut by others above them.
pub(super) fn ink(groups: Vec<Group>, shown: Vec<Vec<Shown>>, is_carved: bool, filling: &Filling) -> Inked {
    let mut inked = Inked::default();
    for (group, shown) in groups.into_iter().zip(shown) {
        let strokes = inked.strokes(&group.pen, shown, is_carved, filling);
        if !strokes.is_empty() {
            inked.layers.push(Layer { pen: group.pen, strokes });
        }
    }
    inked
}

impl Inked {
    /// One pen's strokes: lines first, then the lines that ink areas.
    fn strokes(&mut self, pen: &Pen, shown: Vec<Shown>, is_carved: bool, filling: &Filling) -> Vec<Stroke> {
        let mut strokes = Vec::new();
        let mut areas = Vec::new();
        for mark in shown {
            match mark {
                Shown::Lines(paths, group) => {
                    strokes.extend(paths.into_iter().map(|path| Stroke { path, group }));
                }
                Shown::Area(area, share, group) => areas.push(ToInk { area, share, group }),
                Shown::Fat(area, spacing, group) => {
                    self.widened += 1;
                    let lines = fat_lines(&area, spacing, pen.tip, filling.fat);
                    strokes.extend(lines.into_iter().map(|path| Stroke { path, group }));
                }
            }
        }
        for to_ink in if is_carved { joined(areas) } else { areas } {
            let lines = lines(&to_ink, pen.tip, filling);
            self.filled_mm += lines.iter().map(Polyline::length).sum::<f64>();
            strokes.extend(lines.iter().map(|line| Stroke { path: line.to_path(), group: to_ink.group }));
        }
        strokes
    }
}

/// What touches in one color is one area, without a seam. Cuts fit each other to the rounding of numbers only.
fn joined(areas: Vec<ToInk>) -> Vec<ToInk> {
    if areas.len() < 2 {
        return areas;
    }
    let group = areas[0].group;
    let mut by_share: Vec<(f64, Vec<Area>)> = Vec::new();
    for ToInk { area, share, .. } in areas {
        match by_share.iter_mut().find(|(of_all, _)| *of_all == share) {
            Some((_, all)) => all.push(area),
            None => by_share.push((share, vec![area])),
        }
    }
    let whole = |(share, all): (f64, Vec<Area>)| {
        let area = Area::union(&all).grown(SEAM).shrunk(SEAM);
        ToInk { area, share, group }
    };
    by_share.into_iter().map(whole).collect()
}

/// The lines for the outline of a wide stroke, `spacing` apart; mm.
fn fat_lines(area: &Area, spacing: f64, tip: f64, fat: Option<FatStrokes>) -> Vec<BezPath> {
    if fat == Some(FatStrokes::Outline) {
        return area.shrunk(tip / 2.0).edges().iter().map(Polyline::to_path).collect();
    }
    // The outermost lines stand half a spacing inside the edge.
    let inner = if spacing > tip { area.shrunk((spacing - tip) / 2.0) } else { area.clone() };
    let style = FillStyle { pattern: Pattern::Concentric, spacing, angle: 0.0, tip, outline: false };
    fill(&inner, &style).iter().map(Polyline::to_path).collect()
}

fn lines(to_ink: &ToInk, tip: f64, filling: &Filling) -> Vec<Polyline> {
    let hatching = &filling.hatching;
    let style = FillStyle {
        pattern: filling.fill.pattern().unwrap_or(Pattern::Hatch),
        spacing: hatching.spacing.unwrap_or(tip) / to_ink.share,
        angle: hatching.angle,
        tip,
        outline: hatching.outline,
    };
    fill(&to_ink.area, &style)
}
