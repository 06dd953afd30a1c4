//! Where a drawing lies on its sheet: turned, scaled, fitted, copied, and cut over several sheets.

use kurbo::{Affine, Vec2};

use super::{Drawing, Error, Layer, Page, Stroke};
use crate::geometry::{Point, Polyline, Rect, clip, flatten};

/// The white edge where one is needed and none was named; mm.
pub const USUAL_MARGIN: f64 = 10.0;
/// Longest line of a registration mark; mm.
const MARK: f64 = 5.0;
/// From the picture to its registration marks; mm.
const MARK_GAP: f64 = 1.0;
/// Most copies, and most sheets.
const MOST: usize = 10_000;

/// What is to become of a drawing. The default changes nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct Layout {
    /// The sheet; `None`: the drawing's own, turned and scaled with it.
    pub page: Option<Page>,
    /// Whether the sheet is turned so that it is wider than high.
    pub landscape: bool,
    /// White edge that nothing is drawn in; mm. `None`: [`USUAL_MARGIN`] where the ink is placed, else 0.
    pub margin: Option<f64>,
    /// Whether the ink is scaled to fill the sheet within its margins.
    pub fit: bool,
    /// Factor for all lengths, positive.
    pub scale: f64,
    /// Angle by which it is turned, clockwise on paper; rad.
    pub turn: f64,
    /// Whether left and right, and above and below, change places; before it is turned.
    pub mirror: [bool; 2],
    /// Where within the margins the ink goes: 0 is left and top, 1 right and bottom. `None`: it stays where the drawing
    /// has it, or goes to the middle when it is fitted or copied.
    pub align: Option<[f64; 2]>,
    /// How often it is drawn on the sheet.
    pub copies: Copies,
    /// From copy to copy; mm.
    pub gap: f64,
    /// Over how many sheets it is cut.
    pub tiles: Tiles,
}

/// How often a drawing is drawn on a sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Copies {
    /// So many, in the grid that uses the sheet best.
    Count(usize),
    /// Columns and rows.
    Grid(usize, usize),
}

/// Over how many sheets a drawing is cut.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Tiles {
    /// One.
    One,
    /// Columns and rows of the sheet; the ink is scaled to fill them, unless it is scaled otherwise.
    Grid(usize, usize),
    /// As many of this sheet as the drawing needs at its size.
    Sheets(Page),
}

impl Default for Layout {
    fn default() -> Self {
        Self {
            page: None,
            landscape: false,
            margin: None,
            fit: false,
            scale: 1.0,
            turn: 0.0,
            mirror: [false; 2],
            align: None,
            copies: Copies::Count(1),
            gap: USUAL_MARGIN / 2.0,
            tiles: Tiles::One,
        }
    }
}

/// Where everything goes.
#[derive(Debug, Clone, PartialEq)]
pub struct Arrangement {
    /// One sheet of paper.
    pub page: Page,
    /// What may be drawn on, of every sheet; mm.
    pub area: Rect,
    /// From the drawing as it was read to each of its copies on the whole picture; mm.
    pub copies: Vec<Affine>,
    /// One a sheet: from the whole picture to the sheet; mm.
    pub sheets: Vec<Vec2>,
    /// Whether the picture is cut over several sheets.
    pub is_cut: bool,
}

impl Layout {
    /// Whether anything changes.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Lays out a drawing that was made for `page`. `ink` tells the bounds of all ink under a map (mm); it is asked only
    /// where they matter.
    ///
    /// # Errors
    /// When margins leave no room, copies don't fit, or there would be too many sheets; it says what helps.
    pub fn arrange(&self, page: Page, ink: impl Fn(Affine) -> Rect) -> Result<Arrangement, Error> {
        let turned = self.turned(page);
        let own = turned.transform_rect_bbox(page.rect());
        let paper = self.page.unwrap_or(Page { width: own.width(), height: own.height() });
        let paper = if self.landscape { paper.landscape() } else { paper };
        let sheet = if let Tiles::Sheets(sheet) = self.tiles { sheet } else { paper };
        let margin = self.margin.unwrap_or(if self.places() { USUAL_MARGIN } else { 0.0 });
        let area = sheet.rect().inset(-margin);
        if !(sheet.is_sane() && paper.is_sane()) || area.width() < 1.0 || area.height() < 1.0 {
            return Err(Error::Layout(format!(
                "--margin: {margin} mm on all sides leave no room on a sheet of {:.0} x {:.0} mm",
                sheet.width, sheet.height
            )));
        }
        let (columns, rows) = match self.tiles {
            Tiles::One => (1, 1),
            Tiles::Grid(columns, rows) => (columns.max(1), rows.max(1)),
            Tiles::Sheets(_) => (count(paper.width, area.width()), count(paper.height, area.height())),
        };
        if columns.saturating_mul(rows) > MOST {
            return Err(Error::Layout(format!("--tile: {columns} x {rows} sheets are too many")));
        }
        let (room, sheets) = match self.tiles {
            Tiles::One => (area, vec![Vec2::ZERO]),
            _ => {
                let size = (area.width() * columns as f64, area.height() * rows as f64);
                let corner = |(row, column): (usize, usize)| {
                    Vec2::new(margin - column as f64 * area.width(), margin - row as f64 * area.height())
                };
                let places = (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column)));
                (Rect::from_origin_size((0.0, 0.0), size), places.map(corner).collect())
            }
        };
        let copies = if self.places() { self.place(turned, room, ink)? } else { vec![turned] };
        let is_cut = self.tiles != Tiles::One;
        Ok(Arrangement { page: sheet, area, copies, sheets, is_cut })
    }

    /// Whether the ink is put somewhere, and so its bounds matter.
    fn places(&self) -> bool {
        self.fits() || self.align.is_some() || self.copies != Copies::Count(1) || self.tiles != Tiles::One
    }

    fn fits(&self) -> bool {
        self.fit || (matches!(self.tiles, Tiles::Grid(..)) && self.scale == 1.0)
    }

    /// Mirrored, turned and scaled, the sheet's corner again at the origin.
    fn turned(&self, page: Page) -> Affine {
        let [x, y] = self.mirror.map(|is_mirrored| if is_mirrored { -1.0 } else { 1.0 });
        // Quarter turns are exact, so that edges stay where they belong.
        let (sin, cos) = self.turn.sin_cos();
        let [sin, cos] = [sin, cos].map(|v| if (v - v.round()).abs() < 1e-12 { v.round() } else { v });
        let turn = Affine::new([cos, sin, -sin, cos, 0.0, 0.0]);
        let map = turn * Affine::scale_non_uniform(self.scale * x, self.scale * y);
        let corner = map.transform_rect_bbox(page.rect()).origin();
        map.then_translate(-corner.to_vec2())
    }

    /// The copies in `room`.
    fn place(&self, turned: Affine, room: Rect, ink: impl Fn(Affine) -> Rect) -> Result<Vec<Affine>, Error> {
        if self.tiles != Tiles::One && !self.fits() && self.align.is_none() && self.copies == Copies::Count(1)
        {
            return Ok(vec![turned]);
        }
        let ink = ink(turned);
        let (columns, rows, most) = self.grid(ink, room)?;
        let scale = if self.fits() { most } else { 1.0 };
        if !(1e-6..1e6).contains(&scale) {
            return Err(Error::Layout("--fit: there is no ink to fit".into()));
        }
        if scale > most * (1.0 + 1e-9) && self.copies != Copies::Count(1) {
            return Err(Error::Layout(format!(
                "--copies: {columns} x {rows} copies of {:.1} x {:.1} mm don't fit the {:.1} x {:.1} mm within the margins: add --fit",
                ink.width(),
                ink.height(),
                room.width(),
                room.height()
            )));
        }
        let step = [ink.width(), ink.height()].map(|edge| edge * scale + self.gap);
        let whole = [step[0] * columns as f64 - self.gap, step[1] * rows as f64 - self.gap];
        let [x, y] = self.align.unwrap_or([0.5, 0.5]);
        let corner =
            Point::new(room.x0 + (room.width() - whole[0]) * x, room.y0 + (room.height() - whole[1]) * y);
        let scaled = turned.then_translate(-ink.origin().to_vec2()).then_scale(scale);
        let places = (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column)));
        let place = |(row, column): (usize, usize)| {
            scaled.then_translate(corner.to_vec2() + Vec2::new(step[0] * column as f64, step[1] * row as f64))
        };
        let count = if let Copies::Count(count) = self.copies { count } else { usize::MAX };
        Ok(places.map(place).take(count).collect())
    }

    /// Columns and rows of the copies, and by how much each could be scaled there.
    fn grid(&self, ink: Rect, room: Rect) -> Result<(usize, usize, f64), Error> {
        let most = |columns: usize, rows: usize| {
            let share = |whole: f64, count: usize, edge: f64| {
                let cell = (whole - (count as f64 - 1.0) * self.gap) / count as f64;
                // Without ink on this axis, the other decides.
                if edge > 1e-9 { cell / edge } else { f64::INFINITY }
            };
            share(room.width(), columns, ink.width()).min(share(room.height(), rows, ink.height()))
        };
        let (columns, rows) = match self.copies {
            Copies::Grid(columns, rows) => (columns.max(1), rows.max(1)),
            Copies::Count(count) => {
                let grid = |columns: usize| (columns, count.max(1).div_ceil(columns));
                let grids = (1..=count.clamp(1, MOST)).map(grid);
                grids.max_by(|a, b| most(a.0, a.1).total_cmp(&most(b.0, b.1))).unwrap_or((1, 1))
            }
        };
        if columns.saturating_mul(rows) > MOST {
            return Err(Error::Layout(format!("--copies: more than {MOST} are too many")));
        }
        Ok((columns, rows, most(columns, rows)))
    }
}

fn count(whole: f64, part: f64) -> usize {
    // A hair's breadth needs no sheet of its own.
    ((whole / part - 1e-6).ceil().clamp(1.0, 1e6)) as usize
}

impl Arrangement {
    /// From the drawing as it was read to each of its copies on one sheet, counted from 0; mm.
    #[must_use]
    pub fn copies_on(&self, sheet: usize) -> Vec<Affine> {
        let shift = self.sheets.get(sheet).copied().unwrap_or_default();
        self.copies.iter().map(|copy| copy.then_translate(shift)).collect()
    }

    /// Cuts one sheet, counted from 0 row by row, out of the whole picture, with registration marks at its corners in
    /// the color that shows best. `None`: there is no such sheet.
    #[must_use]
    pub fn cut(&self, whole: &Drawing, sheet: usize) -> Option<Drawing> {
        let shift = *self.sheets.get(sheet)?;
        if !self.is_cut {
            return Some(whole.clone());
        }
        let layer = |layer: &Layer| Layer {
            pen: layer.pen.clone(),
            strokes: layer.strokes.iter().flat_map(|stroke| cut(stroke, shift, self.area)).collect(),
        };
        let mut layers: Vec<Layer> = whole.layers.iter().map(layer).collect();
        layers.retain(|layer| !layer.strokes.is_empty());
        let darkest = layers.iter_mut().min_by(|a, b| a.pen.lightness().total_cmp(&b.pen.lightness()));
        if let Some(darkest) = darkest {
            darkest.strokes.extend(self.registration_marks());
        }
        Some(Drawing { page: self.page, layers })
    }

    /// Two short lines beyond each corner of the drawn area, where its edges would go on.
    fn registration_marks(&self) -> Vec<Stroke> {
        let length = (self.area.x0.min(self.area.y0) - 2.0 * MARK_GAP).min(MARK);
        if length < 1.0 {
            return Vec::new();
        }
        let mut marks = Vec::new();
        for (x, across) in [(self.area.x0, -1.0), (self.area.x1, 1.0)] {
            for (y, down) in [(self.area.y0, -1.0), (self.area.y1, 1.0)] {
                for way in [Vec2::new(across, 0.0), Vec2::new(0.0, down)] {
                    let from = Point::new(x, y) + way * MARK_GAP;
                    let line = Polyline::new(vec![from, from + way * length]);
                    marks.push(Stroke { path: line.to_path(), group: 0 });
                }
            }
        }
        marks
    }
}

/// What lies in `area` of a stroke that is moved by `shift`; all of it keeps its curves.
fn cut(stroke: &Stroke, shift: Vec2, area: Rect) -> Vec<Stroke> {
    let path = Affine::translate(shift) * stroke.path.clone();
    let bounds = path.control_box();
    let contains = |a: Rect, b: Rect| b.x0 >= a.x0 && b.x1 <= a.x1 && b.y0 >= a.y0 && b.y1 <= a.y1;
    if contains(area, bounds) {
        return vec![Stroke { path, group: stroke.group }];
    }
    if !bounds.overlaps(area) {
        return Vec::new();
    }
    let lines = flatten(&path, 0.01);
    let parts = lines.iter().flat_map(|line| clip(line, area));
    parts.map(|part| Stroke { path: part.to_path(), group: stroke.group }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::BezPath;
    use crate::pens::Inventory;
    use std::f64::consts::FRAC_PI_2;

    const A4: Page = Page { width: 210.0, height: 297.0 };

    /// Ink from 20, 30 to 120, 80 mm.
    fn ink(map: Affine) -> Rect {
        map.transform_rect_bbox(Rect::new(20.0, 30.0, 120.0, 80.0))
    }

    fn bounds(layout: &Layout) -> Vec<Rect> {
        let arrangement = layout.arrange(A4, ink).unwrap();
        arrangement.copies.iter().map(|copy| ink(*copy)).collect()
    }

    fn close(a: Rect, b: Rect) -> bool {
        let both = [(a.x0, b.x0), (a.y0, b.y0), (a.x1, b.x1), (a.y1, b.y1)];
        both.iter().all(|(a, b)| (a - b).abs() < 1e-6)
    }

    #[test]
    fn nothing_asked_changes_nothing() {
        let arrangement = Layout::default().arrange(A4, |_| unreachable!("not asked")).unwrap();
        assert_eq!(
            (arrangement.page, arrangement.area, arrangement.copies.as_slice()),
            (A4, A4.rect(), &[Affine::IDENTITY][..])
        );
        assert!(Layout::default().is_default());
    }

    #[test]
    fn fitted_ink_fills_the_page_within_its_margins() {
        let fit = Layout { fit: true, ..Layout::default() };
        assert!(close(bounds(&fit)[0], Rect::new(10.0, 101.0, 200.0, 196.0)), "{:?}", bounds(&fit));
        let page = Some(Page { width: 100.0, height: 100.0 });
        let top = Layout { page, margin: Some(5.0), align: Some([1.0, 0.0]), ..fit };
        assert!(close(bounds(&top)[0], Rect::new(5.0, 5.0, 95.0, 50.0)), "{:?}", bounds(&top));
    }

    #[test]
    fn a_quarter_turn_turns_the_sheet_and_a_mirror_does_not() {
        let turn = Layout { turn: FRAC_PI_2, ..Layout::default() };
        let arrangement = turn.arrange(A4, ink).unwrap();
        assert_eq!(arrangement.page, Page { width: 297.0, height: 210.0 });
        // The top left corner goes to the top right.
        assert_eq!(arrangement.copies[0] * Point::ORIGIN, Point::new(297.0, 0.0));
        let mirror = Layout { mirror: [true, false], ..Layout::default() };
        assert!(close(bounds(&mirror)[0], Rect::new(90.0, 30.0, 190.0, 80.0)));
        let half = Layout {
            scale: 0.5,
            align: Some([0.0, 0.0]),
            margin: Some(0.0),
            page: Some(A4),
            ..Layout::default()
        };
        assert!(close(bounds(&half)[0], Rect::new(0.0, 0.0, 50.0, 25.0)));
    }

    #[test]
    fn copies_fill_the_sheet_side_by_side() {
        let six = Layout { copies: Copies::Count(6), fit: true, ..Layout::default() };
        let all = bounds(&six);
        assert_eq!(all.len(), 6);
        assert!((all[0].width() / all[0].height() - 2.0).abs() < 1e-9);
        for (index, a) in all.iter().enumerate() {
            assert!(a.x0 > 9.99 && a.y0 > 9.99 && a.x1 < 200.01 && a.y1 < 287.01, "{a:?}");
            assert!(all[index + 1..].iter().all(|b| !a.inflate(2.49, 2.49).overlaps(b.inflate(2.49, 2.49))));
        }
        let three = Layout { copies: Copies::Grid(1, 3), ..Layout::default() };
        assert!(bounds(&three).iter().all(|copy| (copy.width() - 100.0).abs() < 1e-9));
        let error = Layout { copies: Copies::Grid(2, 3), ..Layout::default() }.arrange(A4, ink).unwrap_err();
        assert!(error.to_string().contains("add --fit"), "{error}");
    }

    #[test]
    fn tiles_together_are_the_whole_picture() {
        let tiles = Layout { tiles: Tiles::Grid(2, 2), ..Layout::default() };
        let arrangement = tiles.arrange(A4, ink).unwrap();
        assert_eq!((arrangement.sheets.len(), arrangement.area), (4, Rect::new(10.0, 10.0, 200.0, 287.0)));
        let line = BezPath::from_svg("M20 30 L120 80").unwrap();
        let path = arrangement.copies[0] * line;
        let length = flatten(&path, 0.01)[0].length();
        let pen = Inventory::built_in("fineliner-12").unwrap().pens.remove(0);
        let whole =
            Drawing { page: A4, layers: vec![Layer { pen, strokes: vec![Stroke { path, group: 0 }] }] };
        let mut drawn = 0.0;
        for sheet in 0..4 {
            let Some(sheet) = arrangement.cut(&whole, sheet) else { panic!("four sheets") };
            let Some(layer) = sheet.layers.first() else { continue };
            assert_eq!(layer.strokes.len(), 1 + 8, "registration marks");
            drawn += flatten(&layer.strokes[0].path, 0.01)[0].length();
        }
        assert!((drawn - length).abs() < 1e-6, "{drawn} {length}");
        assert_eq!(arrangement.cut(&whole, 4), None);
    }

    #[test]
    fn a_poster_takes_as_many_sheets_as_it_needs() {
        let poster = Page { width: 380.0, height: 554.0 };
        let tiles = Layout { tiles: Tiles::Sheets(A4), ..Layout::default() };
        assert_eq!(tiles.arrange(poster, |_| unreachable!("not asked")).unwrap().sheets.len(), 4);
        let huge =
            Layout { tiles: Tiles::Sheets(Page { width: 3.0, height: 3.0 }), margin: Some(1.0), ..tiles };
        assert!(huge.arrange(poster, ink).unwrap_err().to_string().contains("too many"));
    }

    #[test]
    fn margins_that_leave_no_room_are_refused() {
        let layout = Layout { fit: true, margin: Some(105.0), ..Layout::default() };
        assert!(layout.arrange(A4, ink).unwrap_err().to_string().contains("leave no room"));
        let dot = Layout { fit: true, ..Layout::default() };
        assert!(dot.arrange(A4, |_| Rect::ZERO).unwrap_err().to_string().contains("no ink to fit"));
    }
}
