//! Where everything stands on a swatch, and the strokes that draw it.

use super::{Error, font};
use traceur_core::drawing::{Drawing, Layer, Page, Stroke};
use traceur_core::geometry::{Point, Polyline, Rect};
use traceur_core::pens::{Pen, PenSet};

/// White edge of the sheet; mm.
const MARGIN: f64 = 7.0;
/// Radius of a corner mark's dot, and of its ring inside and outside; mm.
pub(super) const DOT: f64 = 1.1;
pub(super) const RING: [f64; 2] = [2.1, 3.0];
/// White around a patch in its cell; mm.
const GAP: f64 = 0.75;
/// Least height of a cell; mm.
const LEAST_CELL: f64 = 6.0;
/// Greatest height of a row, and edge of a pair's cell; mm.
const MOST_ROW: f64 = 18.0;
const MOST_PAIR: f64 = 28.0;
/// Between the rows and the pairs; mm.
const BETWEEN: f64 = 6.0;
/// What is above the first row and below the pairs, beside the margin and the corner marks; mm.
const HEAD: f64 = 5.5;
const FOOT: f64 = 1.5;
/// Widest tip that draws corner marks of the usual size; with others they grow. mm.
const MARK_TIP: f64 = 1.1;
/// Gaps of the ladder at its left and right end; tips.
const LADDER: [f64; 2] = [0.4, 2.4];
/// Tips that lines are spaced by; mm. A swatch is drawn for the nearest, so that a tip that was measured and written to the
/// pen's file gives the same swatch.
pub(super) const TIPS: [f64; 22] = [
    0.03, 0.05, 0.08, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1.0, 1.2, 1.5, 1.8, 2.2, 2.7, 3.3, 4.0,
    5.0, 6.0,
];

/// What of one pen stands in its row; mm on the page.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    /// The tip that its lines are spaced for.
    pub(super) tip: f64,
    pub(super) cell: Rect,
    pub(super) solid: Rect,
    pub(super) hatch: Rect,
    pub(super) lines: Rect,
    pub(super) ladder: Rect,
}

impl Row {
    /// From line to line, for lines that are drawn with this tip.
    pub(super) fn pitch(tip: f64) -> f64 {
        3.0 * tip
    }

    /// Where the single lines stand, if they are spaced for this tip.
    pub(super) fn line_places(&self, tip: f64) -> Vec<f64> {
        let pitch = Self::pitch(tip);
        let count = (self.lines.width() / pitch).floor();
        let left = self.lines.x0 + (self.lines.width() - (count - 1.0) * pitch) / 2.0;
        (0..).map(f64::from).take_while(|index| *index < count).map(|index| left + index * pitch).collect()
    }

    /// Where the rungs of the ladder stand.
    fn rungs(&self) -> Vec<f64> {
        let mut rungs = Vec::new();
        let mut x = self.ladder.x0 + self.tip / 2.0;
        while x <= self.ladder.x1 - self.tip / 2.0 && rungs.len() < 5000 {
            rungs.push(x);
            let share = (x - self.ladder.x0) / self.ladder.width();
            x += self.tip * (LADDER[0] + share * (LADDER[1] - LADDER[0]));
        }
        rungs
    }
}

/// Two pens one over the other, or one over itself.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pair {
    /// Indices of the pens, as they are named: that drawn first, and that drawn over it.
    pub(super) below: usize,
    pub(super) above: usize,
    pub(super) patch: Rect,
}

/// A swatch of pens on a sheet.
#[derive(Debug, Clone, PartialEq)]
pub struct Swatch {
    /// The sheet.
    pub page: Page,
    /// Its pens, as they were named.
    pub pens: Vec<Pen>,
    pub(super) rows: Vec<Row>,
    pub(super) pairs: Vec<Pair>,
    title: String,
    /// Size of the corner marks, 1 as [`DOT`] and [`RING`] have it.
    pub(super) marks: f64,
}

impl Swatch {
    /// Lays a swatch out. `title` stands at its top.
    ///
    /// # Errors
    /// When there is no pen, or more or wider ones than the sheet holds.
    pub fn new(page: Page, pens: Vec<Pen>, title: &str) -> Result<Self, Error> {
        let count = pens.len() as f64;
        if pens.is_empty() {
            return Err(Error::Layout("no pen to chart: name one, such as `-p black`".into()));
        }
        let marks = (nearest_tip(pens[writer(&pens)].tip) / MARK_TIP).max(1.0);
        let edges = MARGIN + 2.0 * RING[1] * marks;
        let room = page.height - 2.0 * edges - HEAD - FOOT - BETWEEN;
        let right = page.width - MARGIN;
        let row_height = (0.5 * room / count).clamp(LEAST_CELL, MOST_ROW);
        let pair_edge =
            ((room - count * row_height) / count).min((right - MARGIN - 10.0) / count).min(MOST_PAIR);
        if pair_edge < LEAST_CELL || page.width < 90.0 {
            let fits = (room / (2.0 * LEAST_CELL)).min((right - MARGIN - 10.0) / LEAST_CELL).floor().max(0.0);
            return Err(Error::Layout(format!(
                "{count} pens don't fit on a sheet of {} x {} mm, which holds {fits}: give a larger --page, or fewer pens",
                page.width, page.height
            )));
        }
        let most_tip = (row_height.min(pair_edge) - 2.0 * GAP) * 0.6;
        if let Some(wide) = pens.iter().find(|pen| pen.tip > most_tip) {
            return Err(Error::Layout(format!(
                "pen `{}`: a tip of {} mm is too wide for the patches of this sheet, which take {most_tip:.1} mm: give a larger --page, or fewer pens",
                wide.id, wide.tip
            )));
        }
        let mut swatch =
            Self { page, pens, rows: Vec::new(), pairs: Vec::new(), title: title.to_owned(), marks };
        swatch.place_rows(edges + HEAD, row_height);
        swatch.place_pairs(edges + HEAD + count * row_height + BETWEEN, pair_edge);
        Ok(swatch)
    }

    fn place_rows(&mut self, first: f64, height: f64) {
        let width = self.page.width - 2.0 * MARGIN;
        // Shares of the row: label, solid, hatch, lines, ladder.
        let ends = [0.0, 0.24, 0.36, 0.48, 0.7, 1.0].map(|share| MARGIN + share * width);
        for (index, pen) in (0_u32..).zip(&self.pens) {
            let top = first + f64::from(index) * height;
            let cell = |column: usize| {
                Rect::new(ends[column] + GAP, top + GAP, ends[column + 1] - GAP, top + height - GAP)
            };
            self.rows.push(Row {
                tip: nearest_tip(pen.tip),
                cell: Rect::new(MARGIN, top, MARGIN + width, top + height),
                solid: cell(1),
                hatch: cell(2),
                lines: cell(3),
                ladder: cell(4),
            });
        }
    }

    /// A triangle: each pen has a line, and in it a cell for each pen up to itself.
    fn place_pairs(&mut self, top: f64, edge: f64) {
        let count = self.pens.len() as f64;
        let left = MARGIN + ((self.page.width - 2.0 * MARGIN) - count * edge) / 2.0;
        let order = self.pass_order();
        let place = |pen: usize| order.iter().position(|other| *other == pen);
        for line in 0..self.pens.len() {
            for column in 0..=line {
                let (below, above) =
                    if place(column) <= place(line) { (column, line) } else { (line, column) };
                let corner = Point::new(left + column as f64 * edge, top + line as f64 * edge);
                let patch = Rect::from_origin_size(corner, (edge, edge)).inset(-GAP);
                self.pairs.push(Pair { below, above, patch });
            }
        }
    }

    /// The pens' indices, first pass first.
    fn pass_order(&self) -> Vec<usize> {
        let set = PenSet::new(self.pens.clone());
        let index = |pen: &Pen| self.pens.iter().position(|other| other.id == pen.id).unwrap_or(0);
        set.pens().iter().map(index).collect()
    }

    /// The middles of the corner marks: top left, top right, bottom right, bottom left.
    pub(super) fn corners(&self) -> [Point; 4] {
        let at = MARGIN + RING[1] * self.marks;
        let (right, bottom) = (self.page.width - at, self.page.height - at);
        [(at, at), (right, at), (right, bottom), (at, bottom)].map(Point::from)
    }

    /// The bar beside the top left mark, which tells it from the others.
    pub(super) fn key(&self) -> Rect {
        let mark = self.corners()[0];
        let corner = |x, y| mark + self.marks * traceur_core::geometry::Vec2::new(x, y);
        Rect::from_points(corner(4.6, -0.8), corner(9.6, 0.8))
    }

    /// All places that ink may be on, somewhat larger than it.
    pub(super) fn inked(&self) -> Vec<Rect> {
        let edge = 2.0 * RING[1] * self.marks;
        let marks = self.corners().map(|mark| Rect::from_center_size(mark, (edge, edge)));
        let mut inked: Vec<Rect> = marks.into();
        inked.push(self.key());
        inked.extend(self.rows.iter().flat_map(|row| [row.solid, row.hatch, row.lines, row.ladder]));
        inked.extend(self.pairs.iter().map(|pair| pair.patch));
        inked.extend(self.words().iter().map(Polyline::bounds));
        inked
    }

    /// The swatch as strokes, a layer a pen in pass order.
    #[must_use]
    pub fn drawing(&self) -> Drawing {
        let mut strokes: Vec<Vec<Polyline>> = vec![Vec::new(); self.pens.len()];
        for (row, strokes) in self.rows.iter().zip(&mut strokes) {
            strokes.push(zigzag(row.solid, row.tip, row.tip / 2.0, false));
            strokes.push(zigzag(row.hatch, row.tip, row.tip, false));
            strokes.extend(uprights(&row.line_places(row.tip), row.lines, row.tip));
            strokes.push(joined(&uprights(&row.rungs(), row.ladder, row.tip)));
        }
        for pair in &self.pairs {
            let tip = |pen: usize| self.rows[pen].tip;
            strokes[pair.below].push(zigzag(pair.patch, tip(pair.below), tip(pair.below) / 2.0, false));
            // Over itself, the ends stay apart: strokes that meet would become one, which does not ink itself twice.
            let patch = if pair.below == pair.above { pair.patch.inset(-0.3) } else { pair.patch };
            strokes[pair.above].push(zigzag(patch, tip(pair.above), tip(pair.above) / 2.0, true));
        }
        let writer = writer(&self.pens);
        strokes[writer].extend(self.marks(self.rows[writer].tip));
        strokes[writer].extend(self.words());
        let layer = |index: usize| Layer {
            pen: self.pens[index].clone(),
            strokes: strokes[index].iter().map(|line| Stroke { path: line.to_path(), group: 0 }).collect(),
        };
        Drawing { page: self.page, layers: self.pass_order().into_iter().map(layer).collect() }
    }

    /// The corner marks, a dot in a ring each, and the bar.
    fn marks(&self, tip: f64) -> Vec<Polyline> {
        let mut marks = Vec::new();
        for corner in self.corners() {
            marks.extend(rings(corner, [0.0, DOT * self.marks], tip));
            marks.extend(rings(corner, RING.map(|radius| radius * self.marks), tip));
        }
        marks.push(zigzag(self.key(), tip, 0.7 * tip, false));
        marks
    }

    /// All that is written, and the marks on the ladders' scale.
    fn words(&self) -> Vec<Polyline> {
        let mut scribe = Scribe { tip: self.rows[writer(&self.pens)].tip, words: Vec::new() };
        let (key, mark) = (self.key(), RING[1] * self.marks);
        let title = (4.5 * scribe.tip).clamp(2.8, 2.0 * mark);
        let room = self.corners()[1].x - mark - 3.0 - key.x1 - 3.0;
        let text = font::fitting(&self.title, title, room);
        scribe.write(&text, Point::new(key.x1 + 3.0, key.center().y), title, Align::Left);
        self.head_columns(&mut scribe);
        for (number, (row, pen)) in (1..).zip(self.rows.iter().zip(&self.pens)) {
            let height = (0.4 * row.solid.height()).clamp(1.8, 2.6);
            let text =
                font::fitting(&format!("{number} {}", pen.name), height, row.solid.x0 - 1.0 - row.cell.x0);
            scribe.write(&text, Point::new(row.cell.x0, row.cell.center().y), height, Align::Left);
        }
        self.number_pairs(&mut scribe);
        scribe.words
    }

    /// What stands above the first row, and the scale of the ladders.
    fn head_columns(&self, scribe: &mut Scribe) {
        let first = &self.rows[0];
        let middle = first.cell.y0 - 0.5 - SMALL / 2.0;
        for (text, cell) in [("SOLID", first.solid), ("HATCH", first.hatch), ("LINES", first.lines)] {
            let text = font::fitting(text, SMALL, cell.width());
            scribe.write(&text, Point::new(cell.x0, middle), SMALL, Align::Left);
        }
        scribe.write("TIPS", Point::new(first.ladder.x0 - 1.0, middle), SMALL, Align::Right);
        for (tips, text) in [(0.5, ".5"), (1.0, "1"), (1.5, "1.5"), (2.0, "2")] {
            let share = (tips - LADDER[0]) / (LADDER[1] - LADDER[0]);
            let x = first.ladder.x0 + share * first.ladder.width();
            scribe.write(text, Point::new(x, middle), SMALL, Align::Middle);
            scribe.line(Point::new(x, first.cell.y0 - 0.15), Point::new(x, first.ladder.y0 - 0.3));
        }
    }

    /// The pens' numbers beside the pairs' lines and below their columns.
    fn number_pairs(&self, scribe: &mut Scribe) {
        let mut pairs = self.pairs.iter();
        let mut last = Vec::new();
        for line in 1..=self.pens.len() {
            last = pairs.by_ref().take(line).map(|pair| pair.patch).collect();
            if let Some(cell) = last.last() {
                let beside = Point::new(cell.x1 + 1.4, cell.center().y);
                scribe.write(&line.to_string(), beside, SMALL, Align::Left);
            }
        }
        for (number, cell) in (1..).zip(&last) {
            let below = Point::new(cell.center().x, cell.y1 + 1.2 + SMALL / 2.0);
            scribe.write(&number.to_string(), below, SMALL, Align::Middle);
        }
        let bottom = last.first().map_or(0.0, |cell| cell.y1);
        let below = Point::new(self.page.width / 2.0, bottom + 1.2 + 1.5 * SMALL + 1.6);
        let room = self.page.width - 2.0 * (MARGIN + 2.0 * RING[1] * self.marks + 3.0);
        let is_given = self.pens.iter().any(|pen| pen.pass.is_some());
        let text = if is_given { "EACH OVER EACH, AS NAMED" } else { "EACH OVER EACH, LIGHTER FIRST" };
        scribe.write(&font::fitting(text, SMALL, room), below, SMALL, Align::Middle);
    }
}

/// Height of all words but the title and the pens' names; mm.
const SMALL: f64 = 2.2;

/// Where a text begins.
enum Align {
    Left,
    Middle,
    Right,
}

/// Writes with a pen.
struct Scribe {
    tip: f64,
    words: Vec<Polyline>,
}

impl Scribe {
    /// Writes at half the letters' height; not what would be a blot.
    fn write(&mut self, text: &str, at: Point, height: f64, align: Align) {
        if self.tip > height / 3.2 {
            return;
        }
        let share = match align {
            Align::Left => 0.0,
            Align::Middle => 0.5,
            Align::Right => 1.0,
        };
        let corner = Point::new(at.x - share * font::width(text, height), at.y - height / 2.0);
        self.words.extend(font::write(text, corner, height));
    }

    fn line(&mut self, from: Point, to: Point) {
        self.words.push(Polyline::new(vec![from, to]));
    }
}

/// The pen that writes: the finest of the dark ones, else the darkest.
fn writer(pens: &[Pen]) -> usize {
    let all = || pens.iter().enumerate();
    let dark = all().filter(|(_, pen)| pen.lightness() < 45.0);
    let finest = dark.min_by(|a, b| a.1.tip.total_cmp(&b.1.tip));
    let darkest = || all().min_by(|a, b| a.1.lightness().total_cmp(&b.1.lightness()));
    finest.or_else(darkest).map_or(0, |(index, _)| index)
}

/// The tip of [`TIPS`] that is nearest, as a ratio.
fn nearest_tip(tip: f64) -> f64 {
    let off = |other: f64| (tip / other).ln().abs();
    TIPS.into_iter().min_by(|a, b| off(*a).total_cmp(&off(*b))).unwrap_or(tip)
}

/// One stroke to and fro that inks a patch out to its edges; `spacing` from line to line at most.
fn zigzag(patch: Rect, tip: f64, spacing: f64, upright: bool) -> Polyline {
    let inner = patch.inset(-tip / 2.0);
    let (from, to, across) = if upright {
        (inner.y0, inner.y1, [inner.x0, inner.x1])
    } else {
        (inner.x0, inner.x1, [inner.y0, inner.y1])
    };
    let steps = ((across[1] - across[0]) / spacing).ceil().clamp(1.0, 5000.0);
    let mut points = Vec::new();
    for step in (0..).map(f64::from).take_while(|step| *step <= steps) {
        let at = across[0] + (across[1] - across[0]) * step / steps;
        let ends = if step % 2.0 == 0.0 { [from, to] } else { [to, from] };
        points.extend(ends.map(|along| if upright { Point::new(at, along) } else { Point::new(along, at) }));
    }
    Polyline::new(points)
}

/// Upright lines in a patch, every second one upwards.
fn uprights(places: &[f64], patch: Rect, tip: f64) -> Vec<Polyline> {
    let (top, bottom) = (patch.y0 + tip / 2.0, patch.y1 - tip / 2.0);
    let line = |(index, x): (usize, &f64)| {
        let mut line = Polyline::new(vec![Point::new(*x, top), Point::new(*x, bottom)]);
        if index % 2 == 1 {
            line.reverse();
        }
        line
    };
    places.iter().enumerate().map(line).collect()
}

/// The lines as one stroke.
fn joined(lines: &[Polyline]) -> Polyline {
    Polyline::new(lines.iter().flat_map(|line| line.points().iter().copied()).collect())
}

/// Rings that ink all between two radii.
fn rings(middle: Point, [inside, outside]: [f64; 2], tip: f64) -> Vec<Polyline> {
    let (least, most) = (inside + tip / 2.0, (outside - tip / 2.0).max(0.02));
    let steps = ((most - least).max(0.0) / (0.7 * tip)).ceil();
    let radius = |step: f64| {
        if steps > 0.0 { least.min(most) + (most - least) * step / steps } else { least.min(most) }
    };
    (0..).map(f64::from).take_while(|step| *step <= steps).map(|step| ring(middle, radius(step))).collect()
}

fn ring(middle: Point, radius: f64) -> Polyline {
    let corner = |index: i32| {
        let angle = std::f64::consts::TAU * f64::from(index) / 48.0;
        middle + radius * traceur_core::geometry::Vec2::from_angle(angle)
    };
    Polyline::new((0..=48).map(corner).collect())
}
