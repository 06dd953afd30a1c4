//! From marks to strokes: what shows of each, cut by clip paths and by what lies above, drawn or inked.

use std::cell::OnceCell;

use kurbo::{BezPath, Shape as _};
use palette::Srgb;

use super::ink::Group;
use super::marks::{self, Clip, Cover, Found, Mark};
use super::options::{FatStrokes, ReadOptions, Skipped};
use crate::drawing::{Layer, Stroke};
use crate::geometry::{Area, FillRule, FillStyle, Pattern, Polyline, Rect, Region, fill, flatten};

/// Gaps up to twice this between areas of one color are closed; mm.
const SEAM: f64 = 0.005;
/// A stroke wider than this is more than its pen's line; tips.
pub(super) const FAT: f64 = 1.5;

/// All that decides what shows.
pub(super) struct Scene<'a> {
    clips: Vec<ClipShape>,
    /// What hides; the highest first. Empty: nothing does.
    covers: Vec<Cover>,
    is_hiding: bool,
    options: &'a ReadOptions<'a>,
}

/// Layers with what became of their marks.
pub(super) struct Drawn {
    /// Those that have strokes.
    pub(super) layers: Vec<Layer>,
    /// Length of the lines that ink areas; mm.
    pub(super) filled_mm: f64,
    /// Length of line that is hidden; mm.
    pub(super) hidden_mm: f64,
    /// Strokes wider than their pen's line that became several lines.
    pub(super) widened: usize,
}

/// A clip path in the two forms that lines and areas are cut with, each made when it is first needed.
struct ClipShape {
    shapes: Clip,
    region: OnceCell<Region>,
    area: OnceCell<Area>,
}

impl ClipShape {
    fn region(&self) -> &Region {
        self.region.get_or_init(|| Region::new(&self.shapes))
    }

    fn area(&self) -> &Area {
        self.area.get_or_init(|| {
            let areas: Vec<Area> = self.shapes.iter().map(|(path, rule)| Area::new(path, *rule)).collect();
            Area::union(&areas)
        })
    }
}

/// A part of the page that hides what lies below.
struct Hiding {
    bounds: Rect,
    area: Area,
    region: Region,
}

/// What shows of a mark, and the group it stands in.
enum Shown {
    Lines(Vec<BezPath>, u32),
    /// With the share of it that is inked.
    Area(Area, f64, u32),
    /// The outline of a stroke wider than the pen's line, and the distance of the lines for it; mm.
    Fat(Area, f64, u32),
}

impl<'a> Scene<'a> {
    pub(super) fn new(found: Found, options: &'a ReadOptions<'a>) -> Self {
        let clip = |shapes| ClipShape { shapes, region: OnceCell::new(), area: OnceCell::new() };
        let is_hiding = options.occlude.unwrap_or(options.fill.pattern().is_some());
        let mut covers = if is_hiding { found.covers } else { Vec::new() };
        covers.reverse();
        Self { clips: found.clips.into_iter().map(clip).collect(), covers, is_hiding, options }
    }

    /// The strokes of every pen's marks.
    pub(super) fn draw(&self, groups: Vec<Group>, skipped: &mut Skipped) -> Drawn {
        let (shown, hidden_mm) = self.show(&groups, skipped);
        let mut drawn = Drawn { layers: Vec::new(), filled_mm: 0.0, hidden_mm, widened: 0 };
        for (group, shown) in groups.into_iter().zip(shown) {
            let mut strokes = Vec::new();
            let mut areas = Vec::new();
            for mark in shown {
                match mark {
                    Shown::Lines(paths, group) => {
                        strokes.extend(paths.into_iter().map(|path| Stroke { path, group }));
                    }
                    Shown::Area(area, opacity, group) => areas.push((area, opacity, group)),
                    Shown::Fat(area, spacing, number) => {
                        drawn.widened += 1;
                        let stroke = |path| Stroke { path, group: number };
                        strokes.extend(self.fat_lines(&area, spacing, group.pen.tip).into_iter().map(stroke));
                    }
                }
            }
            // What touches in one color is one area, without a seam. Cuts fit each other to the rounding of numbers only.
            if self.is_hiding && areas.len() > 1 {
                let number = areas[0].2;
                let mut by_share: Vec<(f64, Vec<Area>)> = Vec::new();
                for (area, share, _) in areas {
                    match by_share.iter_mut().find(|(of_all, _)| *of_all == share) {
                        Some((_, all)) => all.push(area),
                        None => by_share.push((share, vec![area])),
                    }
                }
                let whole = |(share, all): (f64, Vec<Area>)| {
                    (Area::union(&all).grown(SEAM).shrunk(SEAM), share, number)
                };
                areas = by_share.into_iter().map(whole).collect();
            }
            for (area, share, group_of_area) in areas {
                let lines = self.fill(&area, share, group.pen.tip);
                drawn.filled_mm += lines.iter().map(Polyline::length).sum::<f64>();
                strokes
                    .extend(lines.iter().map(|line| Stroke { path: line.to_path(), group: group_of_area }));
            }
            if !strokes.is_empty() {
                drawn.layers.push(Layer { pen: group.pen, strokes });
            }
        }
        drawn
    }

    /// How many of a pen's lines make the width of a mark, where they are several. At least one and a half tips wide.
    fn lines_across(&self, mark: &Mark, tip: f64) -> Option<f64> {
        let fat = self.options.fat.or(mark.is_matched.then_some(FatStrokes::Lines))?;
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
    fn outline(mark: &Mark) -> Area {
        let style = kurbo::Stroke::new(mark.width.unwrap_or(0.0)).with_caps(mark.cap).with_join(mark.join);
        let outline = kurbo::stroke(mark.path.iter(), &style, &kurbo::StrokeOpts::default(), 0.01);
        Area::new(&outline, FillRule::NonZero)
    }

    /// The lines for the outline of a wide stroke.
    fn fat_lines(&self, area: &Area, spacing: f64, tip: f64) -> Vec<BezPath> {
        if self.options.fat == Some(FatStrokes::Outline) {
            return area.shrunk(tip / 2.0).edges().iter().map(Polyline::to_path).collect();
        }
        // The outermost lines stand half a spacing inside the edge.
        let inner = if spacing > tip { area.shrunk((spacing - tip) / 2.0) } else { area.clone() };
        let style = FillStyle { pattern: Pattern::Concentric, spacing, angle: 0.0, tip, outline: false };
        fill(&inner, &style).iter().map(Polyline::to_path).collect()
    }

    fn fill(&self, area: &Area, share: f64, tip: f64) -> Vec<Polyline> {
        let hatching = &self.options.hatching;
        let style = FillStyle {
            pattern: self.options.fill.pattern().unwrap_or(Pattern::Hatch),
            spacing: hatching.spacing.unwrap_or(tip) / share,
            angle: hatching.angle,
            tip,
            outline: hatching.outline,
        };
        fill(area, &style)
    }

    /// What shows of each group's marks, and how much line is hidden; mm. The work goes from the top down, so that what
    /// hides is there before what it hides.
    fn show(&self, groups: &[Group], skipped: &mut Skipped) -> (Vec<Vec<Shown>>, f64) {
        let mut marks: Vec<(usize, usize, &Mark)> = Vec::new();
        for (group, of_group) in groups.iter().enumerate() {
            marks.extend(of_group.marks.iter().enumerate().map(|(place, mark)| (group, place, mark)));
        }
        marks.sort_by_key(|(_, _, mark)| std::cmp::Reverse(mark.height));
        let mut shown: Vec<Vec<Option<Shown>>> =
            groups.iter().map(|group| group.marks.iter().map(|_| None).collect()).collect();
        let mut covers = self.covers.iter().peekable();
        let mut hiding: Vec<Hiding> = Vec::new();
        let mut hidden_mm = 0.0;
        for (group, place, mark) in marks {
            while let Some(cover) = covers.next_if(|cover| cover.height > mark.height) {
                self.hide(cover, &mut hiding);
            }
            let bounds = mark.path.bounding_box();
            let above: Vec<&Hiding> = hiding.iter().filter(|above| touch(above.bounds, bounds)).collect();
            shown[group][place] = match mark.area {
                Some(rule) => {
                    let area = self.area(mark, Area::new(&mark.path, rule), &above, skipped);
                    area.map(|area| Shown::Area(area, ink_share(mark), mark.group))
                }
                None => {
                    let tip = groups[group].pen.tip;
                    match self.lines_across(mark, tip).map(|lines| (lines, Self::outline(mark))) {
                        Some((lines, whole)) if lines > 1.0 && !whole.is_empty() => {
                            let spacing = mark.width.unwrap_or(tip) / lines;
                            let area = self.area(mark, whole, &above, skipped);
                            area.map(|area| Shown::Fat(area, spacing, mark.group))
                        }
                        _ => self
                            .lines(mark, &above, &mut hidden_mm, skipped)
                            .map(|lines| Shown::Lines(lines, mark.group)),
                    }
                }
            };
        }
        (shown.into_iter().map(|marks| marks.into_iter().flatten().collect()).collect(), hidden_mm)
    }

    /// Adds a cover to what hides what comes. What it hides itself need not hide any more.
    fn hide(&self, cover: &Cover, hiding: &mut Vec<Hiding>) {
        let area = self.clipped(Area::new(&cover.path, cover.rule), &cover.clips);
        let Some(bounds) = area.bounds() else { return };
        hiding
            .retain(|above| bounds.union(above.bounds) != bounds || !above.area.without([&area]).is_empty());
        let region = Region::new(&[(area.to_path(), FillRule::NonZero)]);
        hiding.push(Hiding { bounds, area, region });
    }

    fn clipped(&self, area: Area, clips: &[usize]) -> Area {
        clips.iter().fold(area, |area, clip| area.within(self.clips[*clip].area()))
    }

    fn area(&self, mark: &Mark, whole: Area, above: &[&Hiding], skipped: &mut Skipped) -> Option<Area> {
        let clipped = self.clipped(whole, &mark.clips);
        if clipped.is_empty() {
            skipped.clipped += usize::from(!mark.clips.is_empty());
            return None;
        }
        let visible = clipped.without(above.iter().map(|above| &above.area));
        skipped.hidden_below += usize::from(visible.is_empty());
        Some(visible).filter(|area| !area.is_empty())
    }

    /// The mark's subpaths, or what shows of them. What nothing cuts keeps its curves.
    fn lines(
        &self,
        mark: &Mark,
        above: &[&Hiding],
        hidden_mm: &mut f64,
        skipped: &mut Skipped,
    ) -> Option<Vec<BezPath>> {
        let subpaths = marks::split(&mark.path);
        if subpaths.is_empty() || (mark.clips.is_empty() && above.is_empty()) {
            return Some(subpaths);
        }
        let mut paths = Vec::new();
        let mut is_clipped = true;
        for path in subpaths {
            let lines = flatten(&path, 0.01);
            let clipped = mark.clips.iter().fold(lines.clone(), |lines, clip| {
                lines.iter().flat_map(|line| self.clips[*clip].region().clip(line)).collect()
            });
            is_clipped &= clipped.is_empty();
            let visible = above.iter().fold(clipped.clone(), |lines, above| {
                let carve = |line: &Polyline| {
                    if touch(line.bounds(), above.bounds) {
                        above.region.carve(line)
                    } else {
                        vec![line.clone()]
                    }
                };
                lines.iter().flat_map(carve).collect()
            });
            *hidden_mm += length(&clipped) - length(&visible);
            if visible == lines {
                paths.push(path);
            } else {
                paths.extend(visible.iter().map(Polyline::to_path));
            }
        }
        if paths.is_empty() && is_clipped {
            skipped.clipped += 1;
        } else if paths.is_empty() {
            skipped.hidden_below += 1;
        }
        Some(paths).filter(|paths| !paths.is_empty())
    }
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

fn length(lines: &[Polyline]) -> f64 {
    lines.iter().map(Polyline::length).sum()
}

/// Whether two boxes meet, those without width or height too.
fn touch(a: Rect, b: Rect) -> bool {
    a.x0 <= b.x1 && b.x0 <= a.x1 && a.y0 <= b.y1 && b.y0 <= a.y1
}
