//! A drawing's own lines as lines of a tip's width: a wide one as parallels, a pale one as parallels further apart.

use kurbo::{CubicBez, ParamCurve, ParamCurveArclen, ParamCurveDeriv, PathSeg};

use super::mixing::Mixing;
use crate::Canvas;
use traceur_core::drawing::svg::WideLine;
use traceur_core::geometry::Point;

/// Length of the pieces into which lines are cut, so that each part can have its own pen; px.
const PIECE_PX: f64 = 22.0;
/// Runs of pieces shorter than this are left to later strokes; px.
const SHORTEST_PX: f64 = 12.0;
/// sRGB distance between two pieces of one color.
const ALIKE: f32 = 0.16;
/// Less ink than this is not worth a line.
const FAINTEST: f32 = 0.10;
/// A piece of which more than this lies under finer lines is left out.
const TAKEN: f32 = 0.6;

/// A stroke made of one: control points (x, y pairs; 3 n + 1 points, px) and its pass.
pub(super) struct Parallel {
    pub(super) controls: Vec<f32>,
    pub(super) pass: usize,
}

/// A part of a line, short enough to have one color.
struct Piece {
    cubic: CubicBez,
    /// sRGB that is to be seen along it; `None`: finer lines take its place.
    color: Option<[f32; 3]>,
}

/// The picture and what lines have taken of it already.
struct Ground<'a> {
    canvas: &'a Canvas,
    rgb: &'a [f32],
    taken: Vec<bool>,
}

/// The strokes for `lines`, on the picture (sRGB planes [3, H, W]) that they made. Fine lines come first and keep their
/// place. `tips`: width of each pass's line; px.
pub(super) fn parallels(
    lines: &[WideLine],
    canvas: &Canvas,
    inside: [f64; 4],
    rgb: &[f32],
    mixing: &Mixing,
    tips: &[f32],
) -> Vec<Parallel> {
    let mut ground = Ground { canvas, rgb, taken: vec![false; canvas.width_px * canvas.height_px] };
    let mut order: Vec<&WideLine> = lines.iter().rev().collect();
    order.sort_by(|a, b| a.width.total_cmp(&b.width));
    let mut strokes = Vec::new();
    for line in order {
        let width = line.width * canvas.px_per_mm;
        let pieces = ground.pieces(line, width, inside);
        for run in runs(&pieces) {
            ground.draw(run, width, inside, mixing, tips, &mut strokes);
        }
        pieces.iter().for_each(|piece| ground.take(&piece.cubic, width));
    }
    strokes
}

impl Ground<'_> {
    /// The pieces inside, in order; where the line leaves, a piece without a color parts the runs.
    fn pieces(&self, line: &WideLine, width: f64, inside: [f64; 4]) -> Vec<Piece> {
        let [left, top, right, bottom] = inside;
        let is_inside = |p: Point| p.x >= left && p.x <= right && p.y >= top && p.y <= bottom;
        let mut pieces = Vec::new();
        for segment in line.path.segments() {
            let PathSeg::Cubic(cubic) = PathSeg::Cubic(segment.to_cubic()) else { continue };
            let px = |p: Point| self.canvas.to_px(p);
            let cubic = CubicBez::new(px(cubic.p0), px(cubic.p1), px(cubic.p2), px(cubic.p3));
            let length = cubic.arclen(0.5);
            if !length.is_finite() || length < 0.5 {
                continue;
            }
            let count = (length / PIECE_PX).round().clamp(1.0, 400.0) as usize;
            for i in 0..count {
                let part = cubic.subsegment(i as f64 / count as f64..(i + 1) as f64 / count as f64);
                let whole = (0..=4).all(|k| is_inside(part.eval(f64::from(k) / 4.0)));
                let color = whole.then(|| self.color(&part, width)).flatten();
                pieces.push(Piece { cubic: part, color });
            }
        }
        pieces
    }

    /// Calls `see` with each pixel under a piece of a line.
    fn under(&self, cubic: &CubicBez, width: f64, mut see: impl FnMut(usize)) {
        let steps = (cubic.arclen(0.5) / 1.5).ceil().clamp(2.0, 60.0) as usize;
        let across = (width / 1.0).ceil().clamp(1.0, 200.0) as i32;
        for i in 0..=steps {
            let t = i as f64 / steps as f64;
            let (at, normal) = (cubic.eval(t), normal(cubic, t));
            for j in 0..=across {
                let offset = (f64::from(j) / f64::from(across) - 0.5) * (width - 1.0).max(0.0);
                let point = at + normal * offset;
                if point.x >= 0.0 && point.y >= 0.0 {
                    let (x, y) = (point.x as usize, point.y as usize);
                    if x < self.canvas.width_px && y < self.canvas.height_px {
                        see(y * self.canvas.width_px + x);
                    }
                }
            }
        }
    }

    /// What is seen under a piece where no finer line lies.
    fn color(&self, cubic: &CubicBez, width: f64) -> Option<[f32; 3]> {
        let plane = self.taken.len();
        let (mut sum, mut free, mut all) = ([0.0_f32; 3], 0.0_f32, 0.0_f32);
        self.under(cubic, width, |pixel| {
            all += 1.0;
            if !self.taken[pixel] {
                free += 1.0;
                (0..3).for_each(|channel| sum[channel] += self.rgb[channel * plane + pixel]);
            }
        });
        (all > 0.0 && free >= (1.0 - TAKEN) * all).then(|| sum.map(|s| s / free))
    }

    fn take(&mut self, cubic: &CubicBez, width: f64) {
        let mut pixels = Vec::new();
        self.under(cubic, width, |pixel| pixels.push(pixel));
        pixels.into_iter().for_each(|pixel| self.taken[pixel] = true);
    }

    /// Parallels along a run of pieces of one color.
    fn draw(
        &self,
        run: &[Piece],
        width: f64,
        inside: [f64; 4],
        mixing: &Mixing,
        tips: &[f32],
        strokes: &mut Vec<Parallel>,
    ) {
        let length: f64 = run.iter().map(|piece| piece.cubic.arclen(0.5)).sum();
        if length < SHORTEST_PX {
            return;
        }
        let colors: Vec<[f32; 3]> = run.iter().filter_map(|piece| piece.color).collect();
        let color =
            std::array::from_fn(|i| colors.iter().map(|c| c[i]).sum::<f32>() / colors.len().max(1) as f32);
        let coverages = mixing.coverages(color);
        let passes = shares(&coverages, width as f32, tips);
        let count = passes.len();
        for (index, pass) in passes.into_iter().enumerate() {
            let room = (width - f64::from(tips[pass])).max(0.0);
            let offset = if count > 1 { room * (index as f64 / (count - 1) as f64 - 0.5) } else { 0.0 };
            let controls = offset_chain(run, offset, inside);
            strokes.push(Parallel { controls, pass });
        }
    }
}

/// The passes of the parallels of a line `width` px wide that is to be covered so: side by side, the pens mixed.
fn shares(coverages: &[f32], width: f32, tips: &[f32]) -> Vec<usize> {
    let total: f32 = coverages.iter().sum();
    if total < FAINTEST {
        return Vec::new();
    }
    let wanted: Vec<f32> = coverages.iter().zip(tips).map(|(c, tip)| c * width.max(*tip) / tip).collect();
    let count = wanted.iter().sum::<f32>().round() as usize;
    // A line that is narrower than its ink says remains a line while it is half there.
    let count = if count == 0 && total >= 0.3 { 1 } else { count };
    let mut given = vec![0.0_f32; wanted.len()];
    let sum = wanted.iter().sum::<f32>().max(1e-6);
    (0..count)
        .map(|index| {
            let due = |pass: usize| wanted[pass] / sum * (index + 1) as f32 - given[pass];
            let pass = (0..wanted.len()).max_by(|a, b| due(*a).total_cmp(&due(*b))).unwrap_or(0);
            given[pass] += 1.0;
            pass
        })
        .collect()
}

/// Runs of pieces that meet and are of one color.
fn runs(pieces: &[Piece]) -> Vec<&[Piece]> {
    let same = |a: &Piece, b: &Piece| match (a.color, b.color) {
        (Some(x), Some(y)) => {
            let far = (0..3).map(|i| (x[i] - y[i]).powi(2)).sum::<f32>().sqrt();
            far < ALIKE && a.cubic.p3.distance(b.cubic.p0) < 0.5
        }
        _ => false,
    };
    pieces.chunk_by(same).filter(|run| run[0].color.is_some()).collect()
}

fn normal(cubic: &CubicBez, t: f64) -> kurbo::Vec2 {
    let mut along = cubic.deriv().eval(t).to_vec2();
    if along.hypot2() < 1e-9 {
        along = cubic.p3 - cubic.p0;
    }
    let length = along.hypot().max(1e-9);
    kurbo::Vec2::new(-along.y / length, along.x / length)
}

/// The run moved sideways: ends and handles by the normals at their ends (Tiller and Hanson, 1984), held inside.
fn offset_chain(run: &[Piece], offset: f64, inside: [f64; 4]) -> Vec<f32> {
    let [left, top, right, bottom] = inside;
    let mut controls = Vec::with_capacity(6 * run.len() + 2);
    let mut push = |point: Point| {
        controls.push(point.x.clamp(left, right) as f32);
        controls.push(point.y.clamp(top, bottom) as f32);
    };
    for (index, piece) in run.iter().enumerate() {
        let cubic = &piece.cubic;
        let begin = match index.checked_sub(1) {
            Some(before) => 0.5 * (normal(cubic, 0.0) + normal(&run[before].cubic, 1.0)),
            None => normal(cubic, 0.0),
        };
        let end = match run.get(index + 1) {
            Some(after) => 0.5 * (normal(cubic, 1.0) + normal(&after.cubic, 0.0)),
            None => normal(cubic, 1.0),
        };
        if index == 0 {
            push(cubic.p0 + begin * offset);
        }
        push(cubic.p1 + begin * offset);
        push(cubic.p2 + end * offset);
        push(cubic.p3 + end * offset);
    }
    controls
}

#[cfg(test)]
mod tests {
    use super::*;
    use traceur_core::geometry::BezPath;
    use traceur_core::geometry::Rect;
    use traceur_core::pens::{BUILT_IN, Inventory, PenSet};

    /// A horizontal line 12 px wide of one color on a white canvas; the strokes for it, and the pens.
    fn strokes_for(color: [f32; 3], width: f64) -> (Vec<Parallel>, Vec<traceur_core::pens::Pen>) {
        let pens = Inventory::parse("x", BUILT_IN.iter().find(|(id, _)| *id == "fineliner-12").unwrap().1)
            .unwrap()
            .pens;
        let pens = PenSet::new(pens).pens().to_vec();
        let canvas =
            Canvas { area: Rect::new(0.0, 0.0, 96.0, 64.0), width_px: 96, height_px: 64, px_per_mm: 1.0 };
        let mut rgb = vec![1.0; 3 * 96 * 64];
        for y in 0..64 {
            for x in 0..96 {
                if (y as f64 + 0.5 - 30.0).abs() < 0.5 * width {
                    (0..3).for_each(|i| rgb[i * 96 * 64 + y * 96 + x] = color[i]);
                }
            }
        }
        let path = BezPath::from_svg("M-30 30 L60 30").unwrap();
        let lines = [WideLine { path, width }];
        let tips = vec![2.0; pens.len()];
        (parallels(&lines, &canvas, [1.0, 1.0, 95.0, 63.0], &rgb, &Mixing::new(&pens), &tips), pens)
    }

    #[test]
    fn a_wide_line_becomes_parallels_inside_its_width() {
        let pen = Inventory::parse("x", BUILT_IN.iter().find(|(id, _)| *id == "fineliner-12").unwrap().1)
            .unwrap()
            .pen("sky")
            .unwrap()
            .clone();
        let color: traceur_core::color::Srgb<f32> = pen.color.into_format();
        let (strokes, pens) = strokes_for(color.into(), 12.0);
        assert!((5..=7).contains(&strokes.len()), "{}", strokes.len());
        for stroke in &strokes {
            assert_eq!(pens[stroke.pass].id, "sky");
            for point in stroke.controls.chunks_exact(2) {
                assert!((point[1] - 30.0).abs() <= 5.01 && point[0] >= 0.99, "{point:?}");
            }
        }
    }

    #[test]
    fn a_pale_line_becomes_parallels_further_apart() {
        let color = [0.255, 0.569, 0.824].map(|c: f32| 1.0 - 0.4 * (1.0 - c));
        let (strokes, _) = strokes_for(color, 12.0);
        assert!((2..=3).contains(&strokes.len()), "{}", strokes.len());
    }

    #[test]
    fn a_line_that_is_not_seen_is_not_drawn() {
        assert!(strokes_for([1.0; 3], 12.0).0.is_empty());
    }
}
