//! From optimised cubics to a drawing: what cannot be seen is left out, and nothing leaves the drawable area.

use kurbo::BezPath;

use super::spline::{Spline, each};
use super::{Canvas, Error, rasterizer::Rasterizer};
use traceur_core::drawing::{Drawing, Layer, Page, Stroke};
use traceur_core::geometry::{Point, Rect};
use traceur_core::pens::Pen;

/// Strokes that show less than this share of themselves are left out.
const LEAST_VISIBLE: f32 = 0.45;
/// Strokes whose ends and handles span less than this share of the shortest length are knots.
const LEAST_SPAN: f64 = 0.57;

/// Whether each stroke is worth drawing: it is no knot, and other strokes do not hide most of it. Strokes are left out
/// the least visible first, so that of two that lie on each other one stays.
pub(super) fn worth_drawing(
    rasterizer: &Rasterizer,
    points: &[f32],
    shortest_px: f64,
) -> Result<Vec<bool>, Error> {
    let least = (LEAST_SPAN * shortest_px) as f32;
    let covered = rasterizer.coverages(points)?;
    let mut sum = vec![0.0_f32; rasterizer.width_px * rasterizer.height_px];
    let mut worth: Vec<bool> =
        points.chunks(each(points.len(), covered.len())).map(|stroke| span(stroke) >= least).collect();
    for (stroke, _) in covered.iter().zip(&worth).filter(|(_, worth)| **worth) {
        stroke.iter().for_each(|(pixel, c)| sum[*pixel] += c);
    }
    let visible = |stroke: &[(usize, f32)], sum: &[f32]| {
        let own: f32 = stroke.iter().map(|(_, c)| c).sum();
        let seen: f32 = stroke.iter().map(|(pixel, c)| c * (1.0 - (sum[*pixel] - c)).clamp(0.0, 1.0)).sum();
        if own > 0.0 { seen / own } else { 0.0 }
    };
    let mut order: Vec<(f32, usize)> =
        covered.iter().enumerate().map(|(index, stroke)| (visible(stroke, &sum), index)).collect();
    order.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    for (_, index) in order {
        if worth[index] && visible(&covered[index], &sum) < LEAST_VISIBLE {
            worth[index] = false;
            covered[index].iter().for_each(|(pixel, c)| sum[*pixel] -= c);
        }
    }
    Ok(worth)
}

fn span(cubic: &[f32]) -> f32 {
    let axis = |axis: usize| {
        let values = cubic.iter().skip(axis).step_by(2);
        values.clone().fold(f32::MIN, |a, b| a.max(*b)) - values.fold(f32::MAX, |a, b| a.min(*b))
    };
    axis(0).hypot(axis(1))
}

/// The drawing of splines by control `points` (x, y pairs, as many a stroke; canvas px). Control points are held inside
/// `drawable` (mm), so by the convex hull every point of a stroke is.
pub(super) fn drawing(
    page: Page,
    drawable: Rect,
    canvas: &Canvas,
    points: &[f32],
    pass_of: &[usize],
    pens: &[Pen],
) -> Drawing {
    let mut layers: Vec<Layer> =
        pens.iter().map(|pen| Layer { pen: pen.clone(), strokes: Vec::new() }).collect();
    let Some(spline) = Spline::of(points.len(), pass_of.len()) else { return Drawing { page, layers } };
    for (controls, pass) in points.chunks_exact(spline.each()).zip(pass_of) {
        let beziers = spline.beziers(controls);
        let at = |i: usize| {
            let point = canvas.to_mm(Point::new(f64::from(beziers[2 * i]), f64::from(beziers[2 * i + 1])));
            Point::new(point.x.clamp(drawable.x0, drawable.x1), point.y.clamp(drawable.y0, drawable.y1))
        };
        let mut path = BezPath::new();
        path.move_to(at(0));
        (1..beziers.len() / 2).step_by(3).for_each(|i| path.curve_to(at(i), at(i + 1), at(i + 2)));
        layers[*pass].strokes.push(Stroke { path, group: 0 });
    }
    layers.retain(|layer| !layer.strokes.is_empty());
    Drawing { page, layers }
}
