//! From usvg's tree to marks: paths in mm, each with its color and layer.

use std::collections::HashMap;

use kurbo::{BezPath, Cap, Join, PathEl, Point, Shape};
use resvg::tiny_skia::{PathSegment, Transform};
use resvg::usvg;

use super::layers::Layer;
use super::options::{Fill, Skipped};
use super::{MM_PER_PX, door};
use crate::color::Srgb8;
use crate::drawing::Error;
use crate::geometry::{Affine, FillRule, Rect};

/// Farthest coordinate that is still believed; mm.
const FARTHEST: f64 = 1e6;
/// Opacity above which a fill hides what lies below it.
const OPAQUE: f32 = 0.99;
/// Most dashes of one path.
const MOST_DASHES: f64 = 200_000.0;

/// Something visible.
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
    /// Index of its top-level layer.
    pub(super) layer: Option<usize>,
    /// Number of the innermost group with an id that it stands in.
    pub(super) group: u32,
    /// It shows inside all of these clips only, by index.
    pub(super) clips: Vec<usize>,
    /// What is painted later is higher.
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

/// The filled shapes, mm, whose union something is clipped to.
pub(super) type Clip = Vec<(BezPath, FillRule)>;

impl Mark {
    /// Bounds of its path, within its clips; `None`: nothing of it shows. mm.
    pub(super) fn bounds(&self, clips: &[Clip], map: Affine) -> Option<Rect> {
        let whole = (map * self.path.clone()).bounding_box();
        self.clips.iter().try_fold(whole, |bounds, clip| {
            let shapes = clips[*clip].iter().map(|(path, _)| (map * path.clone()).bounding_box());
            let clip = shapes.reduce(|a, b| a.union(b))?;
            bounds.overlaps(clip).then(|| bounds.intersect(clip))
        })
    }
}

/// Everything usvg found.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) marks: Vec<Mark>,
    /// Opaque fills, paper-colored ones too; lowest first.
    pub(super) covers: Vec<Cover>,
    pub(super) clips: Vec<Clip>,
    pub(super) skipped: Skipped,
    /// Things drawn otherwise than the file asks, and how often.
    pub(super) changed: std::collections::BTreeMap<&'static str, usize>,
}

/// Options of usvg under which it opens no file.
pub(super) fn options() -> usvg::Options<'static> {
    let image_href_resolver = usvg::ImageHrefResolver {
        resolve_data: Box::new(|_, _, _| None),
        resolve_string: Box::new(|_, _| None),
    };
    usvg::Options { image_href_resolver, ..usvg::Options::default() }
}

/// Parses by usvg.
pub(super) fn tree(file: &str, text: &str) -> Result<usvg::Tree, Error> {
    usvg::Tree::from_str(text, &options()).map_err(|reason| {
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
        door::error(file, message)
    })
}

/// Collects the marks of `tree`.
pub(super) fn find(tree: &usvg::Tree, layers: &[Layer], fill: Fill) -> Found {
    let keys = layers.iter().enumerate().map(|(index, layer)| (layer.key.as_str(), index)).collect();
    let mut finder = Finder { layers, keys, fill, height: 0, groups: 0, found: Found::default() };
    finder.group(tree.root(), &Place { opacity: 1.0, ..Place::default() });
    finder.found
}

struct Finder<'a> {
    layers: &'a [Layer],
    keys: HashMap<&'a str, usize>,
    fill: Fill,
    /// Of the next thing that is painted.
    height: usize,
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
            self.found.clips.push(shapes(path, group.abs_transform()));
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
        let height = self.height;
        self.height += 1;
        let mark = |path, area, color, opacity: usvg::Opacity, width| Mark {
            path,
            area,
            color,
            opacity: opacity.get() * place.opacity,
            width,
            cap: Cap::Round,
            join: Join::Round,
            is_matched: false,
            is_spaced: false,
            layer: place.layer,
            group: place.group,
            clips: place.clips.clone(),
            height,
        };
        if let Some(fill) = fill {
            let rule = match fill.rule() {
                usvg::FillRule::NonZero => FillRule::NonZero,
                usvg::FillRule::EvenOdd => FillRule::EvenOdd,
            };
            if fill.opacity().get() * place.opacity > OPAQUE {
                let clips = place.clips.clone();
                self.found.covers.push(Cover { path: whole.clone(), rule, clips, height });
            }
            match self.fill {
                Fill::Hatch | Fill::Crosshatch | Fill::Concentric => {
                    let color = self.color(fill.paint());
                    self.found.marks.push(mark(whole.clone(), Some(rule), color, fill.opacity(), None));
                }
                Fill::Outline if stroke.is_none() => {
                    let color = self.color(fill.paint());
                    self.found.marks.push(mark(whole.clone(), None, color, fill.opacity(), None));
                }
                Fill::None if stroke.is_none() => self.found.skipped.filled += 1,
                Fill::Outline | Fill::None => {}
            }
        }
        if let Some(stroke) = stroke {
            let color = self.color(stroke.paint());
            let width = f64::from(stroke.width().get()) * to_page.determinant().abs().sqrt();
            let path = self.dashed(local, stroke).map_or(whole, |dashed| to_page * dashed);
            let mut stroke_mark = mark(path, None, color, stroke.opacity(), Some(width));
            (stroke_mark.cap, stroke_mark.join) = (cap(stroke.linecap()), join(stroke.linejoin()));
            if stroke.linecap() == usvg::LineCap::Butt {
                let before = split(&stroke_mark.path).len();
                let kept: Vec<_> =
                    split(&stroke_mark.path).into_iter().filter(|path| !is_dot(path)).collect();
                self.found.skipped.unpainted += before - kept.len();
                stroke_mark.path = kept.into_iter().flatten().collect();
            }
            self.found.marks.push(stroke_mark);
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

    fn color(&mut self, paint: &usvg::Paint) -> Srgb8 {
        match paint {
            usvg::Paint::Color(color) => srgb(*color),
            usvg::Paint::LinearGradient(gradient) => self.mean(gradient.stops()),
            usvg::Paint::RadialGradient(gradient) => self.mean(gradient.stops()),
            usvg::Paint::Pattern(_) => {
                self.change("patterns are drawn in black");
                Srgb8::new(0, 0, 0)
            }
        }
    }

    fn mean(&mut self, stops: &[usvg::Stop]) -> Srgb8 {
        self.change("gradients are drawn in their mean color");
        let mean = |channel: fn(usvg::Color) -> u8| {
            let sum: usize = stops.iter().map(|stop| usize::from(channel(stop.color()))).sum();
            u8::try_from(sum / stops.len().max(1)).unwrap_or(u8::MAX)
        };
        Srgb8::new(mean(|color| color.red), mean(|color| color.green), mean(|color| color.blue))
    }
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

fn shapes(clip: &usvg::ClipPath, of_group: Transform) -> Clip {
    let mut shapes = Vec::new();
    clip_shapes(clip.root(), of_group.pre_concat(clip.transform()), &mut shapes);
    shapes
}

fn clip_shapes(group: &usvg::Group, to_root: Transform, shapes: &mut Clip) {
    for node in group.children() {
        match node {
            usvg::Node::Group(group) => clip_shapes(group, to_root, shapes),
            usvg::Node::Path(path) => {
                let rule = match path.fill().map(usvg::Fill::rule) {
                    Some(usvg::FillRule::EvenOdd) => FillRule::EvenOdd,
                    _ => FillRule::NonZero,
                };
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

/// The subpaths of a path. A lone `M` is nothing; `M Z` is a dot.
pub(super) fn split(path: &BezPath) -> Vec<BezPath> {
    let mut subpaths: Vec<Vec<PathEl>> = Vec::new();
    let mut start = Point::ORIGIN;
    let mut is_open = false;
    for element in path.iter() {
        match element {
            PathEl::MoveTo(to) => {
                subpaths.push(vec![element]);
                (start, is_open) = (to, true);
            }
            _ => {
                if !is_open {
                    subpaths.push(vec![PathEl::MoveTo(start)]);
                }
                if let Some(subpath) = subpaths.last_mut() {
                    if element == PathEl::ClosePath && subpath.len() == 1 {
                        subpath.push(PathEl::LineTo(start));
                    } else {
                        subpath.push(element);
                    }
                }
                is_open = element != PathEl::ClosePath;
            }
        }
    }
    subpaths.into_iter().filter(|subpath| subpath.len() > 1).map(BezPath::from_vec).collect()
}

/// Whether a subpath has no length.
pub(super) fn is_dot(path: &BezPath) -> bool {
    let bounds = path.control_box();
    bounds.width() == 0.0 && bounds.height() == 0.0
}
