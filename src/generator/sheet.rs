//! Large sheets: a small drawing is laid side by side, and the whole is tuned through windows.
//!
//! A network's activations for a sheet of A3 take gigabytes and a step takes seconds, while a texture that excites a
//! channel does so wherever it lies. So a part is made at its own size, copied over the sheet, and every step then cuts
//! the sheet into windows from a random offset and moves all strokes by the mean of the windows' gradients: strokes at
//! seams are in the middle of some window as often as others.

use std::fmt;
use std::str::FromStr;

use kurbo::Shape as _;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::Canvas;
use super::spline::each;
use traceur_core::drawing::Drawing;
use traceur_core::geometry::{Affine, Point, Rect, Vec2};
use traceur_core::pens::Pen;

/// Edge of a window; px.
pub(super) const WINDOW_PX: usize = 224;
/// From one window to the next; px. Neighbors share the difference, so that each stroke is well inside some window.
const STRIDE_PX: usize = 160;
/// Edge of the crops by which a sheet is judged; px.
const CROP_PX: usize = 160;
/// How many of them are looked at.
const CROPS: usize = 12;
/// Most parts of a sheet.
const MOST_CELLS: usize = 400;

/// How the copies lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Arrangement {
    /// All alike.
    #[default]
    Repeat,
    /// Every other one mirrored, so that neighbors' edges are the same.
    Mirror,
    /// Every other row shifted by half a part.
    Brick,
}

impl FromStr for Arrangement {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "repeat" => Ok(Self::Repeat),
            "mirror" => Ok(Self::Mirror),
            "brick" => Ok(Self::Brick),
            _ => Err(format!("`{text}` is no arrangement: use repeat, mirror or brick")),
        }
    }
}

/// How a sheet is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grid {
    /// Parts beside each other.
    pub columns: usize,
    /// Parts below each other.
    pub rows: usize,
    /// How they lie.
    pub arrangement: Arrangement,
    /// How many of them are different; they take turns.
    pub parts: usize,
}

/// Strokes of a part (control points, as many a stroke, px of the part's canvas) and their passes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Piece {
    pub(super) points: Vec<f32>,
    pub(super) pass_of: Vec<usize>,
}

/// A finished drawing that becomes a part of a sheet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Given {
    /// Width and height of its ink; mm.
    size: [f64; 2],
    /// Index of the pen, and 4 x, y pairs from the ink's corner (mm), of each cubic.
    cubics: Vec<(usize, [f64; 8])>,
}

impl Given {
    /// The cubics of a drawing by pens out of `pens`; `None` when it has no stroke of theirs.
    #[must_use]
    pub fn of(drawing: &Drawing, pens: &[Pen]) -> Option<Self> {
        let mut cubics = Vec::new();
        let mut ink: Option<Rect> = None;
        for layer in &drawing.layers {
            let Some(pen) = pens.iter().position(|pen| *pen == layer.pen) else { continue };
            for segment in layer.strokes.iter().flat_map(|stroke| stroke.path.segments()) {
                let cubic = segment.to_cubic();
                let corners = [cubic.p0, cubic.p1, cubic.p2, cubic.p3];
                ink = Some(ink.map_or(cubic.bounding_box(), |ink| ink.union(cubic.bounding_box())));
                cubics.push((pen, corners.map(|point| [point.x, point.y]).concat()));
            }
        }
        let ink = ink?;
        let from = |(pen, values): (usize, Vec<f64>)| {
            (pen, std::array::from_fn(|i| values[i] - [ink.x0, ink.y0][i % 2]))
        };
        Some(Self { size: [ink.width(), ink.height()], cubics: cubics.into_iter().map(from).collect() })
    }

    /// The pens that are used, by index.
    pub(super) fn pens(&self) -> impl Iterator<Item = usize> + '_ {
        self.cubics.iter().map(|(pen, _)| *pen)
    }

    /// As large as fits a part's `drawable` (mm), in the middle; `pass` tells a pen's pass.
    pub(super) fn piece(&self, part: &Canvas, drawable: Rect, pass: impl Fn(usize) -> usize) -> Piece {
        let [width, height] = self.size.map(|edge| edge.max(1e-3));
        let scale = (drawable.width() / width).min(drawable.height() / height);
        let corner = drawable.center() - Vec2::new(0.5 * width, 0.5 * height) * scale;
        let mut piece = Piece { points: Vec::new(), pass_of: Vec::new() };
        for (pen, cubic) in &self.cubics {
            for pair in cubic.chunks_exact(2) {
                let at = part.to_px((corner + Vec2::new(pair[0], pair[1]) * scale).clamp(drawable));
                piece.points.extend([at.x as f32, at.y as f32]);
            }
            piece.pass_of.push(pass(*pen));
        }
        piece
    }
}

impl fmt::Display for Grid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.columns, self.rows)
    }
}

impl FromStr for Grid {
    type Err = String;

    /// Reads `3x2`: three parts beside each other, two below.
    fn from_str(text: &str) -> Result<Self, String> {
        let numbers = text
            .split_once('x')
            .and_then(|(columns, rows)| Some((columns.parse().ok()?, rows.parse().ok()?)));
        let grid = numbers.map(|(columns, rows)| Self {
            columns,
            rows,
            arrangement: Arrangement::default(),
            parts: 1,
        });
        grid.filter(Self::is_sane).ok_or_else(|| {
            format!("`{text}` is no grid: write COLUMNSxROWS of 1 to {MOST_CELLS} parts, such as 3x2")
        })
    }
}

impl Grid {
    /// Whether it has 1 to 400 parts, and no more different ones than that.
    #[must_use]
    pub fn is_sane(&self) -> bool {
        let cells = self.columns.checked_mul(self.rows).filter(|cells| (1..=MOST_CELLS).contains(cells));
        cells.is_some_and(|cells| (1..=cells).contains(&self.parts))
    }

    /// How many parts.
    pub(super) fn cells(&self) -> usize {
        self.columns * self.rows
    }

    /// Which of `parts` different ones lies in a cell: neighbors are different ones, where there are any.
    fn part_in(&self, column: usize, row: usize, parts: usize) -> usize {
        let shift = if self.columns.is_multiple_of(parts) { row } else { 0 };
        (row * self.columns + column + shift) % parts
    }

    /// Copies of the parts (px of the canvas `part`) all over a sheet's `drawable` (mm), in px of the sheet's canvas.
    pub(super) fn lay(&self, pieces: &[Piece], part: &Canvas, sheet: &Canvas, drawable: Rect) -> Piece {
        let (width, height) = (drawable.width() / self.columns as f64, drawable.height() / self.rows as f64);
        let (mut laid, mut pass_of) = (Vec::new(), Vec::new());
        for cell in 0..self.cells() {
            let (column, row) = (cell % self.columns, cell / self.columns);
            let Piece { points, pass_of: passes } = &pieces[self.part_in(column, row, pieces.len())];
            pass_of.extend_from_slice(passes);
            let corner = drawable.origin().to_vec2() + Vec2::new(column as f64 * width, row as f64 * height);
            let to_page = Affine::translate(corner) * self.turn(column, row, width, height);
            for controls in points.chunks_exact(each(points.len(), passes.len())) {
                let at =
                    |pair: &[f32]| to_page * part.to_mm(Point::new(f64::from(pair[0]), f64::from(pair[1])));
                let mut corners: Vec<Point> = controls.chunks_exact(2).map(at).collect();
                let middle = corners.iter().map(|point| point.x).sum::<f64>() / corners.len() as f64;
                if middle > drawable.x1 {
                    corners.iter_mut().for_each(|point| point.x -= drawable.width());
                }
                for corner in corners {
                    let at = sheet.to_px(corner.clamp(drawable));
                    laid.extend([at.x as f32, at.y as f32]);
                }
            }
        }
        Piece { points: laid, pass_of }
    }

    /// What is done to a part before it goes to its cell.
    fn turn(&self, column: usize, row: usize, width: f64, height: f64) -> Affine {
        match self.arrangement {
            Arrangement::Repeat => Affine::IDENTITY,
            Arrangement::Brick => Affine::translate((0.5 * width * (row % 2) as f64, 0.0)),
            Arrangement::Mirror => {
                let flip = |odd: bool, edge: f64| if odd { (-1.0, edge) } else { (1.0, 0.0) };
                let ((sx, dx), (sy, dy)) = (flip(column % 2 == 1, width), flip(row % 2 == 1, height));
                Affine::new([sx, 0.0, 0.0, sy, dx, dy])
            }
        }
    }

    /// Corners (px) of crops whose middles lie on seams between parts, and of ones in the middles of parts.
    pub(super) fn crops(&self, canvas: &Canvas, drawable: Rect) -> (Vec<[usize; 2]>, Vec<[usize; 2]>) {
        let (width, height) = (drawable.width() / self.columns as f64, drawable.height() / self.rows as f64);
        let (mut seams, mut centers) = (Vec::new(), Vec::new());
        for row in 0..self.rows {
            for column in 0..self.columns {
                let at = |x: f64, y: f64| {
                    let middle = drawable.origin() + Vec2::new(x * width, y * height);
                    around(canvas, canvas.to_px(middle))
                };
                let (x, y) = (column as f64, row as f64);
                centers.push(at(x + 0.5, y + 0.5));
                if column > 0 {
                    seams.push(at(x, y + 0.5));
                }
                if row > 0 {
                    seams.push(at(x + 0.5, y));
                }
            }
        }
        (seams, centers)
    }
}

trait Clamp {
    fn clamp(self, to: Rect) -> Self;
}

impl Clamp for Point {
    fn clamp(self, to: Rect) -> Self {
        Self::new(self.x.clamp(to.x0, to.x1), self.y.clamp(to.y0, to.y1))
    }
}

/// Rows and columns of the crops of a canvas.
pub(super) fn crop_size(canvas: &Canvas) -> [usize; 2] {
    [canvas.width_px.min(CROP_PX), canvas.height_px.min(CROP_PX)]
}

/// The corner of the crop about `middle`, as near as the canvas allows.
fn around(canvas: &Canvas, middle: Point) -> [usize; 2] {
    let [width, height] = crop_size(canvas);
    let corner = |middle: f64, crop: usize, all: usize| {
        ((middle - 0.5 * crop as f64).max(0.0) as usize).min(all - crop)
    };
    [corner(middle.x, width, canvas.width_px), corner(middle.y, height, canvas.height_px)]
}

/// Corners (px) of the crops by which a sheet is judged: random ones, always the same.
pub(super) fn random_crops(canvas: &Canvas) -> Vec<[usize; 2]> {
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let [width, height] = crop_size(canvas);
    let mut corner =
        || [rng.random_range(0..=canvas.width_px - width), rng.random_range(0..=canvas.height_px - height)];
    (0..CROPS).map(|_| corner()).collect()
}

/// Corners (px, they may be negative) of windows that cover a canvas, from a random offset.
pub(super) fn windows(rng: &mut ChaCha8Rng, canvas: &Canvas) -> Vec<[f32; 2]> {
    let mut along = |edge: usize| {
        let first = -(rng.random_range(0..STRIDE_PX) as f32);
        // What is left of the last one is at least what neighbors share.
        let end = edge as f32 - (WINDOW_PX - STRIDE_PX) as f32;
        (0..).map(move |i| first + (i * STRIDE_PX) as f32).take_while(move |from| *from < end)
    };
    let columns: Vec<f32> = along(canvas.width_px).collect();
    let rows: Vec<f32> = along(canvas.height_px).collect();
    rows.iter().flat_map(|y| columns.iter().map(|x| [*x, *y])).collect()
}

/// The strokes (`each` numbers) that may ink a window, each reaching `reach_px` beyond its control points.
pub(super) fn strokes_in(points: &[f32], each: usize, [left, top]: [f32; 2], reach_px: f32) -> Vec<usize> {
    let edge = WINDOW_PX as f32 + reach_px;
    let overlaps = |cubic: &[f32]| {
        [(0, left), (1, top)].into_iter().all(|(axis, from)| {
            let values = || cubic.iter().skip(axis).step_by(2).map(|value| value - from);
            values().any(|value| value < edge) && values().any(|value| value > -reach_px)
        })
    };
    points
        .chunks_exact(each)
        .enumerate()
        .filter(|(_, cubic)| overlaps(cubic))
        .map(|(index, _)| index)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canvases() -> (Rect, Canvas, Canvas) {
        let drawable = Rect::new(10.0, 10.0, 110.0, 70.0);
        (
            drawable,
            Canvas::around(Rect::new(0.0, 0.0, 50.0, 30.0), 0.5, usize::MAX),
            Canvas::around(drawable, 0.5, usize::MAX),
        )
    }

    fn laid(arrangement: Arrangement) -> Vec<Point> {
        let (drawable, part, sheet) = canvases();
        let corners = [(5.0, 3.0), (10.0, 3.0), (10.0, 6.0), (45.0, 6.0)].map(|at| part.to_px(at.into()));
        let points: Vec<f32> = corners.iter().flat_map(|p| [p.x as f32, p.y as f32]).collect();
        let grid = Grid { columns: 2, rows: 2, arrangement, parts: 1 };
        let laid = grid.lay(&[Piece { points, pass_of: vec![0] }], &part, &sheet, drawable).points;
        let mm = |pair: &[f32]| sheet.to_mm(Point::new(f64::from(pair[0]), f64::from(pair[1])));
        // The first point of each copy.
        laid.chunks_exact(8).map(|cubic| mm(&cubic[..2])).collect()
    }

    #[test]
    fn copies_lie_as_they_are_arranged() {
        for (arrangement, expected) in [
            (Arrangement::Repeat, [(15.0, 13.0), (65.0, 13.0), (15.0, 43.0), (65.0, 43.0)]),
            (Arrangement::Mirror, [(15.0, 13.0), (105.0, 13.0), (15.0, 67.0), (105.0, 67.0)]),
            // The last one's middle went over the right edge: it comes in at the left and is held at the edge.
            (Arrangement::Brick, [(15.0, 13.0), (65.0, 13.0), (40.0, 43.0), (90.0, 43.0)]),
        ] {
            for (at, expected) in laid(arrangement).into_iter().zip(expected) {
                assert!(at.distance(expected.into()) < 0.01, "{arrangement:?}: {at:?}, not {expected:?}");
            }
        }
    }

    #[test]
    fn neighbors_are_different_parts() {
        for columns in 1..7 {
            for rows in 1..7 {
                for parts in 2..=columns * rows {
                    let grid = Grid { columns, rows, arrangement: Arrangement::Repeat, parts };
                    let part = |column, row| grid.part_in(column, row, parts);
                    let mut used = vec![false; parts];
                    for (column, row) in (0..columns * rows).map(|cell| (cell % columns, cell / columns)) {
                        used[part(column, row)] = true;
                        assert!(column == 0 || part(column, row) != part(column - 1, row), "{grid:?}");
                        assert!(row == 0 || part(column, row) != part(column, row - 1), "{grid:?}");
                    }
                    assert!(used.iter().all(|used| *used), "{grid:?}");
                }
            }
        }
    }

    #[test]
    fn windows_cover_the_sheet_from_any_offset() {
        let (_, _, sheet) = canvases();
        for seed in 0..20 {
            let windows = windows(&mut ChaCha8Rng::seed_from_u64(seed), &sheet);
            for x in (0..sheet.width_px).step_by(7) {
                for y in (0..sheet.height_px).step_by(7) {
                    let covers = |from: f32, at: usize| (0.0..WINDOW_PX as f32).contains(&(at as f32 - from));
                    assert!(windows.iter().any(|[left, top]| covers(*left, x) && covers(*top, y)), "{x} {y}");
                }
            }
        }
    }

    #[test]
    fn a_window_has_the_strokes_that_touch_it() {
        let inside = [5.0, 5.0, 6.0, 6.0, 7.0, 7.0, 8.0, 8.0];
        let beside = inside.map(|value: f32| value - 20.0);
        let points: Vec<f32> = inside.into_iter().chain(beside).collect();
        assert_eq!(strokes_in(&points, 8, [0.0, 0.0], 2.0), [0]);
        assert_eq!(strokes_in(&points, 8, [0.0, 0.0], 13.0), [0, 1]);
        assert_eq!(strokes_in(&points, 8, [-30.0, -30.0], 0.0), [0, 1]);
    }

    #[test]
    fn grids_are_read() {
        assert_eq!(
            "3x2".parse::<Grid>().unwrap(),
            Grid { columns: 3, rows: 2, arrangement: Arrangement::Repeat, parts: 1 }
        );
        for text in ["", "3", "0x2", "axb", "1000x1000", "3x2x1", "-1x2"] {
            assert!(text.parse::<Grid>().unwrap_err().contains("such as 3x2"), "{text}");
        }
    }
}
