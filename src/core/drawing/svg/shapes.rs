//! From usvg's tree to a scene's shapes: paths in mm, each with its color and layer.

use std::collections::{BTreeMap, HashMap};

use kurbo::{BezPath, Cap, Join, PathEl, Point, Shape as _};
use resvg::tiny_skia::{PathSegment, Transform};
use resvg::usvg;

use super::MM_PER_PX;
use super::layers::Survey;
use crate::color::Srgb8;
use crate::drawing::Error;
use crate::drawing::room::error;
use crate::drawing::scene::{
    Clip, FilledPath, Paint, SceneLayer, Shape, Skipped, StrokedPath, is_dot, split,
};
use crate::geometry::{Affine, FillRule};

/// Farthest coordinate that is still believed; mm.
const FARTHEST: f64 = 1e6;
/// Most dashes of one path.
const MOST_DASHES: f64 = 200_000.0;

/// Options of usvg under which it opens no file.
pub(super) fn options() -> usvg::Options<'static> {
    let image_href_resolver = usvg::ImageHrefResolver {
        resolve_data: Box::new(|_, _, _| None),
        resolve_string: Box::new(|_, _| None),
    };
    usvg::Options { image_href_resolver, ..usvg::Options::default() }
}

/// Resolves CSS, transforms, `use` and shapes by usvg.
pub(super) fn tree(file: &str, document: &usvg::roxmltree::Document<'_>) -> Result<usvg::Tree, Error> {
    usvg::Tree::from_xmltree(document, &options()).map_err(|reason| {
        let message = match reason {
            usvg::Error::InvalidSize => {
                "width and height (or the viewBox) are not positive: give a size such as `210mm`".into()
            }
            usvg::Error::ElementsLimitReached => "more than a million elements".into(),
            usvg::Error::ParsingFailed(usvg::roxmltree::Error::NodesLimitReached) => {
                "more than a million elements, or `use` nested too deep".into()
            }
            other => other.to_string(),
        };
        error(file, message)
    })
}

/// What a tree shows.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The lowest first.
    pub(super) shapes: Vec<Shape>,
    pub(super) clips: Vec<Clip>,
    pub(super) skipped: Skipped,
    /// Things that the shapes have otherwise than the file, and how often.
    pub(super) changed: BTreeMap<&'static str, usize>,
}

/// Collects the shapes of `tree`.
pub(super) fn find(tree: &usvg::Tree, survey: &Survey) -> Found {
    let Survey { layers, keys, .. } = survey;
    let mut finder = Finder { layers, keys, groups: 0, found: Found::default() };
    finder.group(tree.root(), &Place { opacity: 1.0, ..Place::default() });
    finder.found
}

struct Finder<'a> {
    layers: &'a [SceneLayer],
    keys: &'a HashMap<String, usize>,
    /// Groups so far.
    groups: u32,
    found: Found,
}

/// Where in the tree a node stands.
#[derive(Clone, Default)]
struct Place {
    layer: Option<usize>,
    group: u32,
    clips: Vec<usize>,
    /// Of all groups around it.
    opacity: f32,
}

impl Finder<'_> {
    fn group(&mut self, group: &usvg::Group, place: &Place) {
        let mut place = place.clone();
        if place.layer.is_none() {
            place.layer = self.keys.get(group.id()).copied();
        }
        if !group.id().is_empty() {
            self.groups += 1;
            place.group = self.groups;
        }
        if group.opacity().get() == 0.0 {
            self.found.skipped.hidden += 1;
            return;
        }
        place.opacity *= group.opacity().get();
        let mut clip = group.clip_path();
        while let Some(path) = clip {
            place.clips.push(self.found.clips.len());
            self.found.clips.push(clip_of(path, group.abs_transform()));
            clip = path.clip_path();
        }
        if group.mask().is_some() {
            self.change("masks are not applied");
        }
        if !group.filters().is_empty() {
            self.change("filters are not applied");
        }
        for node in group.children() {
            match node {
                usvg::Node::Group(group) => self.group(group, &place),
                usvg::Node::Path(path) => self.path(path, &place),
                usvg::Node::Image(_) | usvg::Node::Text(_) => {}
            }
        }
    }

    fn change(&mut self, what: &'static str) {
        *self.found.changed.entry(what).or_default() += 1;
    }

    fn path(&mut self, node: &usvg::Path, place: &Place) {
        if place.layer.is_some_and(|index| self.layers[index].label.is_left_out) {
            self.found.skipped.left_out += 1;
            return;
        }
        let stroke = node.stroke().filter(|stroke| stroke.opacity().get() > 0.0);
        let fill = node.fill().filter(|fill| fill.opacity().get() > 0.0);
        if !node.is_visible() || (stroke.is_none() && fill.is_none()) {
            self.found.skipped.unpainted += 1;
            return;
        }
        let to_page = page_space(node.abs_transform());
        let local = curve(node.data());
        let whole = to_page * local.clone();
        let bounds = whole.control_box();
        if ![bounds.x0, bounds.y0, bounds.x1, bounds.y1].iter().all(|edge| edge.abs() < FARTHEST) {
            self.found.skipped.far += 1;
            return;
        }
        let fill = fill.map(|fill| FilledPath {
            path: whole.clone(),
            rule: rule(Some(fill.rule())),
            paint: paint(fill.paint(), fill.opacity().get() * place.opacity),
        });
        let stroke = stroke.map(|stroke| self.stroked(stroke, local, whole, to_page, place));
        let Place { layer, group, ref clips, .. } = *place;
        self.found.shapes.push(Shape { fill, stroke, layer, group, clips: clips.clone() });
    }

    /// A stroke along `whole`, which is `local` in the path's own units.
    fn stroked(
        &mut self,
        stroke: &usvg::Stroke,
        local: BezPath,
        whole: BezPath,
        to_page: Affine,
        place: &Place,
    ) -> StrokedPath {
        let mut path = self.dashed(local, stroke).map_or(whole, |dashed| to_page * dashed);
        if stroke.linecap() == usvg::LineCap::Butt {
            let subpaths = split(&path);
            let before = subpaths.len();
            let kept: Vec<_> = subpaths.into_iter().filter(|path| !is_dot(path)).collect();
            self.found.skipped.unpainted += before - kept.len();
            path = kept.into_iter().flatten().collect();
        }
        StrokedPath {
            path,
            width: f64::from(stroke.width().get()) * to_page.determinant().abs().sqrt(),
            cap: cap(stroke.linecap()),
            join: join(stroke.linejoin()),
            paint: paint(stroke.paint(), stroke.opacity().get() * place.opacity),
        }
    }

    /// The dashes of a path in its own units; `None`: it is solid.
    fn dashed(&mut self, path: BezPath, stroke: &usvg::Stroke) -> Option<BezPath> {
        let dashes: Vec<f64> = stroke.dasharray()?.iter().map(|dash| f64::from(*dash)).collect();
        let period: f64 = dashes.iter().sum();
        let is_sound = dashes.iter().all(|dash| *dash >= 0.0) && period > 0.0 && period.is_finite();
        if !is_sound || path.perimeter(0.1) / period * dashes.len() as f64 > MOST_DASHES {
            self.change("dashes too fine to draw are solid lines");
            return None;
        }
        Some(kurbo::dash(path.into_iter(), f64::from(stroke.dashoffset()), &dashes).collect())
    }
}

/// A paint as one color.
fn paint(paint: &usvg::Paint, opacity: f32) -> Paint {
    let (color, instead) = match paint {
        usvg::Paint::Color(color) => (srgb(*color), None),
        usvg::Paint::LinearGradient(gradient) => mean(gradient.stops()),
        usvg::Paint::RadialGradient(gradient) => mean(gradient.stops()),
        usvg::Paint::Pattern(_) => (Srgb8::new(0, 0, 0), Some("patterns are drawn in black")),
    };
    Paint { color, opacity, instead }
}

fn mean(stops: &[usvg::Stop]) -> (Srgb8, Option<&'static str>) {
    let mean = |channel: fn(usvg::Color) -> u8| {
        let sum: usize = stops.iter().map(|stop| usize::from(channel(stop.color()))).sum();
        u8::try_from(sum / stops.len().max(1)).unwrap_or(u8::MAX)
    };
    let color = Srgb8::new(mean(|color| color.red), mean(|color| color.green), mean(|color| color.blue));
    (color, Some("gradients are drawn in their mean color"))
}

fn cap(cap: usvg::LineCap) -> Cap {
    match cap {
        usvg::LineCap::Butt => Cap::Butt,
        usvg::LineCap::Round => Cap::Round,
        usvg::LineCap::Square => Cap::Square,
    }
}

fn join(join: usvg::LineJoin) -> Join {
    match join {
        usvg::LineJoin::Miter | usvg::LineJoin::MiterClip => Join::Miter,
        usvg::LineJoin::Round => Join::Round,
        usvg::LineJoin::Bevel => Join::Bevel,
    }
}

fn srgb(color: usvg::Color) -> Srgb8 {
    Srgb8::new(color.red, color.green, color.blue)
}

fn rule(rule: Option<usvg::FillRule>) -> FillRule {
    match rule {
        Some(usvg::FillRule::EvenOdd) => FillRule::EvenOdd,
        _ => FillRule::NonZero,
    }
}

fn clip_of(clip: &usvg::ClipPath, of_group: Transform) -> Clip {
    let mut shapes = Vec::new();
    clip_shapes(clip.root(), of_group.pre_concat(clip.transform()), &mut shapes);
    shapes
}

fn clip_shapes(group: &usvg::Group, to_root: Transform, shapes: &mut Clip) {
    for node in group.children() {
        match node {
            usvg::Node::Group(group) => clip_shapes(group, to_root, shapes),
            usvg::Node::Path(path) => {
                let rule = rule(path.fill().map(usvg::Fill::rule));
                let shape = page_space(to_root.pre_concat(path.abs_transform())) * curve(path.data());
                let bounds = shape.control_box();
                // Clamped, so that a clip of "everything" is not flattened into millions of pieces.
                if [bounds.x0, bounds.y0, bounds.x1, bounds.y1].iter().all(|edge| edge.abs() < FARTHEST) {
                    shapes.push((shape, rule));
                } else if bounds.is_finite() {
                    shapes.push((bounds.to_path(0.1), rule));
                }
            }
            usvg::Node::Image(_) | usvg::Node::Text(_) => {}
        }
    }
}

/// From a path's own units to mm on the page.
fn page_space(transform: Transform) -> Affine {
    let coefficients =
        [transform.sx, transform.ky, transform.kx, transform.sy, transform.tx, transform.ty].map(f64::from);
    Affine::scale(MM_PER_PX) * Affine::new(coefficients)
}

fn curve(path: &resvg::tiny_skia::Path) -> BezPath {
    let point = |point: resvg::tiny_skia::Point| Point::new(f64::from(point.x), f64::from(point.y));
    let element = |segment| match segment {
        PathSegment::MoveTo(to) => PathEl::MoveTo(point(to)),
        PathSegment::LineTo(to) => PathEl::LineTo(point(to)),
        PathSegment::QuadTo(a, to) => PathEl::QuadTo(point(a), point(to)),
        PathSegment::CubicTo(a, b, to) => PathEl::CurveTo(point(a), point(b), point(to)),
        PathSegment::Close => PathEl::ClosePath,
    };
    path.segments().map(element).collect()
}
