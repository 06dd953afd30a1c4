//! What shows of each mark, cut by clip paths and by what lies above.

use std::cell::OnceCell;

use kurbo::{BezPath, Shape as _};

use super::marks::{Cover, Mark};
use super::matching::Group;
use super::width::{ink_share, lines_across, outline};
use super::{Clip, FatStrokes, Skipped, split};
use crate::geometry::{Area, FillRule, Polyline, Rect, Region, flatten};

/// All that decides what shows.
pub(super) struct Visibility {
    clips: Vec<ClipShape>,
    /// What hides; the highest first. Empty: nothing does.
    covers: Vec<Cover>,
    /// How strokes wider than their pen's line are drawn.
    fat: Option<FatStrokes>,
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
#[derive(Debug)]
pub(super) enum Shown {
    Lines(Vec<BezPath>, u32),
    /// With the share of it that is inked.
    Area(Area, f64, u32),
    /// The outline of a stroke wider than the pen's line, and the distance of the lines for it; mm.
    Fat(Area, f64, u32),
}

impl Visibility {
    /// `covers`: the lowest first.
    pub(super) fn new(clips: Vec<Clip>, mut covers: Vec<Cover>, fat: Option<FatStrokes>) -> Self {
        let clip = |shapes| ClipShape { shapes, region: OnceCell::new(), area: OnceCell::new() };
        covers.reverse();
        Self { clips: clips.into_iter().map(clip).collect(), covers, fat }
    }

    /// What shows of each group's marks, and how much line is hidden; mm. The work goes from the top down, so that what
    /// hides is there before what it hides.
    pub(super) fn show(&self, groups: &[Group], skipped: &mut Skipped) -> (Vec<Vec<Shown>>, f64) {
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
                None => self.stroke(mark, groups[group].pen.tip, &above, &mut hidden_mm, skipped),
            };
        }
        (shown.into_iter().map(|marks| marks.into_iter().flatten().collect()).collect(), hidden_mm)
    }

    /// What shows of a mark that is drawn along its path, by a pen with this tip; mm.
    fn stroke(
        &self,
        mark: &Mark,
        tip: f64,
        above: &[&Hiding],
        hidden_mm: &mut f64,
        skipped: &mut Skipped,
    ) -> Option<Shown> {
        match lines_across(mark, tip, self.fat).map(|lines| (lines, outline(mark))) {
            Some((lines, whole)) if lines > 1.0 && !whole.is_empty() => {
                let spacing = mark.width.unwrap_or(tip) / lines;
                let area = self.area(mark, whole, above, skipped);
                area.map(|area| Shown::Fat(area, spacing, mark.group))
            }
            _ => self.lines(mark, above, hidden_mm, skipped).map(|lines| Shown::Lines(lines, mark.group)),
        }
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
        let subpaths = split(&mark.path);
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

fn length(lines: &[Polyline]) -> f64 {
    lines.iter().map(Polyline::length).sum()
}

/// Whether two boxes meet, those without width or height too.
fn touch(a: Rect, b: Rect) -> bool {
    a.x0 <= b.x1 && b.x0 <= a.x1 && a.y0 <= b.y1 && b.y0 <= a.y1
}
