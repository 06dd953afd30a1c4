//! What is drawn of each shape: its area, its edge, its stroke.

use std::collections::BTreeMap;

use kurbo::{BezPath, Cap, Join, Shape as _};

use super::{Clip, FilledPath, Paint, Shape, Skipped, StrokedPath};
use crate::color::Srgb8;
use crate::geometry::{Affine, FillRule, Pattern, Rect};

/// How a shape with a fill is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fill {
    /// Along its edge, unless it has a stroke.
    #[default]
    Outline,
    /// Inked with parallel lines, beside its stroke if it has one.
    Hatch,
    /// Inked with parallel lines and more across, beside its stroke if it has one.
    Crosshatch,
    /// Inked with rings along its edge, beside its stroke if it has one.
    Concentric,
    /// Only its stroke, if it has one.
    None,
}

impl Fill {
    /// How its area is inked, if it is.
    #[must_use]
    pub fn pattern(self) -> Option<Pattern> {
        match self {
            Self::Hatch => Some(Pattern::Hatch),
            Self::Crosshatch => Some(Pattern::Crosshatch),
            Self::Concentric => Some(Pattern::Concentric),
            Self::Outline | Self::None => None,
        }
    }
}

/// Opacity above which a fill hides what lies below it.
const OPAQUE: f32 = 0.99;

/// Something to be drawn.
#[derive(Debug, Clone)]
pub(super) struct Mark {
    /// mm.
    pub(super) path: BezPath,
    /// The rule by which it is to be hatched; `None`: it is drawn along its path.
    pub(super) area: Option<FillRule>,
    pub(super) color: Srgb8,
    /// 1 is opaque.
    pub(super) opacity: f32,
    /// Width of the stroke; mm. `None`: it has only a fill.
    pub(super) width: Option<f64>,
    /// Ends and corners of the stroke.
    pub(super) cap: Cap,
    pub(super) join: Join,
    /// Whether its pen was found by its color.
    pub(super) is_matched: bool,
    /// Whether its opacity is drawn by lines further apart, not by a pen of another color.
    pub(super) is_spaced: bool,
    /// Index of its layer.
    pub(super) layer: Option<usize>,
    /// Number of the innermost group that it stands in.
    pub(super) group: u32,
    /// It shows inside all of these clips only, by index.
    pub(super) clips: Vec<usize>,
    /// What is painted later is higher: the index of its shape.
    pub(super) height: usize,
}

/// A shape whose fill hides what lies below it.
#[derive(Debug, Clone)]
pub(super) struct Cover {
    /// mm.
    pub(super) path: BezPath,
    pub(super) rule: FillRule,
    /// It hides inside all of these clips only, by index.
    pub(super) clips: Vec<usize>,
    pub(super) height: usize,
}

/// What was chosen of a scene's shapes.
#[derive(Debug, Default)]
pub(super) struct Choice {
    /// The lowest first.
    pub(super) marks: Vec<Mark>,
    /// Opaque fills, paper-colored ones too, the lowest first. Empty where nothing hides.
    pub(super) covers: Vec<Cover>,
    pub(super) skipped: Skipped,
    /// Things drawn otherwise than the file asks, and how often.
    pub(super) changed: BTreeMap<&'static str, usize>,
}

/// Chooses what is drawn of `shapes`, and what hides others where anything `hides`.
pub(super) fn choose(shapes: Vec<Shape>, fill: Fill, hides: bool) -> Choice {
    let mut choice = Choice::default();
    for (height, shape) in shapes.into_iter().enumerate() {
        if hides {
            choice.covers.extend(cover(&shape, height));
        }
        choice.add(shape, height, fill);
    }
    choice
}

/// What the shape hides by, if it is opaque.
fn cover(shape: &Shape, height: usize) -> Option<Cover> {
    let filled = shape.fill.as_ref().filter(|filled| filled.paint.opacity > OPAQUE)?;
    Some(Cover { path: filled.path.clone(), rule: filled.rule, clips: shape.clips.clone(), height })
}

impl Choice {
    fn add(&mut self, shape: Shape, height: usize, how: Fill) {
        let Shape { fill, stroke, layer, group, clips } = shape;
        let mark = |path, paint: Paint| Mark {
            path,
            area: None,
            color: paint.color,
            opacity: paint.opacity,
            width: None,
            cap: Cap::Round,
            join: Join::Round,
            is_matched: false,
            is_spaced: false,
            layer,
            group,
            clips: clips.clone(),
            height,
        };
        if let Some(FilledPath { path, rule, paint }) = fill {
            if how.pattern().is_some() {
                self.note(paint);
                self.marks.push(Mark { area: Some(rule), ..mark(path, paint) });
            } else if how == Fill::Outline && stroke.is_none() {
                self.note(paint);
                self.marks.push(mark(path, paint));
            } else if stroke.is_none() {
                self.skipped.filled += 1;
            }
        }
        if let Some(StrokedPath { path, width, cap, join, paint }) = stroke {
            self.note(paint);
            self.marks.push(Mark { width: Some(width), cap, join, ..mark(path, paint) });
        }
    }

    /// Takes note of a color that stands for something else.
    fn note(&mut self, paint: Paint) {
        if let Some(what) = paint.instead {
            *self.changed.entry(what).or_default() += 1;
        }
    }
}

impl Mark {
    /// Bounds of its path, within its clips, under a map; `None`: nothing of it shows. mm.
    pub(super) fn bounds(&self, clips: &[Clip], map: Affine) -> Option<Rect> {
        let whole = (map * self.path.clone()).bounding_box();
        self.clips.iter().try_fold(whole, |bounds, clip| {
            let shapes = clips[*clip].iter().map(|(path, _)| (map * path.clone()).bounding_box());
            let clip = shapes.reduce(|a, b| a.union(b))?;
            bounds.overlaps(clip).then(|| bounds.intersect(clip))
        })
    }
}
