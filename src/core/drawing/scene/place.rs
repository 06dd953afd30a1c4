//! Lays a scene's marks out on a sheet.

use kurbo::Shape as _;

use super::Clip;
use super::marks::{Cover, Mark};
use super::matching::Group;
use crate::drawing::{Arrangement, Drawing, Error, Layer, Layout, Page, Stroke};
use crate::geometry::{Affine, FillRule, Rect};

/// Moves everything to where the first copy goes. What a viewer doesn't show of the scene, because it lies off its page,
/// is not moved onto another.
pub(super) fn place(
    layout: &Layout,
    page: Page,
    groups: &mut [Group],
    covers: &mut [Cover],
    clips: &mut Vec<Clip>,
) -> Result<Arrangement, Error> {
    if !layout.is_default() {
        clip_to(page, groups, clips);
    }
    let marks = || groups.iter().flat_map(|group| &group.marks);
    let ink = |map| {
        let bounds = marks().filter_map(|mark| mark.bounds(clips, map));
        bounds.reduce(|a, b| a.union(b)).unwrap_or(Rect::ZERO)
    };
    let arrangement = layout.arrange(page, ink)?;
    let map = arrangement.copies[0];
    if map != Affine::IDENTITY {
        groups.iter_mut().for_each(|group| move_group(group, map));
        covers.iter_mut().for_each(|cover| cover.path.apply_affine(map));
        clips.iter_mut().flatten().for_each(|(path, _)| path.apply_affine(map));
    }
    Ok(arrangement)
}

/// Clips what reaches beyond the page to it.
fn clip_to(page: Page, groups: &mut [Group], clips: &mut Vec<Clip>) {
    let on_page = page.rect().inflate(1e-3, 1e-3);
    let clip = clips.len();
    clips.push(vec![(on_page.to_path(0.1), FillRule::NonZero)]);
    for mark in groups.iter_mut().flat_map(|group| &mut group.marks) {
        if on_page.union(mark.path.bounding_box()) != on_page {
            mark.clips.push(clip);
        }
    }
}

/// Moves a group's marks. Strokes, and the pen that was made for them, grow with the drawing.
fn move_group(group: &mut Group, map: Affine) {
    let scale = map.determinant().abs().sqrt();
    let place = |mark: &mut Mark| {
        mark.path.apply_affine(map);
        mark.width = mark.width.map(|width| width * scale);
    };
    group.marks.iter_mut().for_each(place);
    if group.is_made {
        group.pen.tip = (group.pen.tip * scale).clamp(0.01, 50.0);
    }
}

/// The whole picture: the first copy's layers, with the strokes of all copies.
pub(super) fn copied(mut layers: Vec<Layer>, arrangement: &Arrangement) -> Drawing {
    let (first, others) = arrangement.copies.split_first().expect("there is a first copy");
    for layer in &mut layers {
        let given = layer.strokes.clone();
        for copy in others {
            let shift = Affine::translate(copy.translation() - first.translation());
            layer.strokes.extend(
                given.iter().map(|stroke| Stroke { path: shift * stroke.path.clone(), group: stroke.group }),
            );
        }
    }
    Drawing { page: arrangement.page, layers }
}
