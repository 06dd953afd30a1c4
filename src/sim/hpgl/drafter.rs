//! What the instructions mean: frames, windows, pens and lines, as moves for the carriage.
//!
//! Points are plotter units in the frame that the host sees; [`Drafter::to_sheet`] turns them for `RO90`.

use kurbo::Rect;

use super::carriage::Move;
use traceur_core::geometry::Point;
use traceur_core::machine::{Hpgl, Paper};

/// `LT` patterns: shares of the pattern's length, drawn and not drawn in turn.
const PATTERNS: [&[f64]; 6] = [
    &[0.0, 1.0],
    &[0.5, 0.5],
    &[0.7, 0.3],
    &[0.8, 0.1, 0.0, 0.1],
    &[0.7, 0.1, 0.1, 0.1],
    &[0.5, 0.1, 0.1, 0.1, 0.1, 0.1],
];
/// More dashes in one vector are drawn as a line.
const DASHES: f64 = 10_000.0;

/// How a surface is filled.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Fill {
    /// `FT` 1 to 5.
    pub(super) kind: u32,
    /// Between lines; plotter units. `None`: 1 % of the diagonal.
    pub(super) spacing: Option<f64>,
    /// Of the lines; degrees.
    pub(super) angle: f64,
}

#[derive(Debug, Clone)]
pub(super) struct Drafter {
    pub(super) paper: Paper,
    pub(super) unit: f64,
    pub(super) rotated: bool,
    pub(super) p1: Point,
    pub(super) p2: Point,
    pub(super) window: Rect,
    /// `SC`: xmin, xmax, ymin, ymax.
    pub(super) scale: Option<[f64; 4]>,
    pub(super) relative: bool,
    /// Where the host has sent the pen; it may lie outside the window.
    pub(super) at: Point,
    /// Whether the host wants the pen down.
    pub(super) pen_down: bool,
    /// Where the pen will be, and whether down, after all moves so far.
    planned: (Point, bool),
    pub(super) line_type: Option<i32>,
    /// Percent of the diagonal.
    pub(super) pattern_length: f64,
    phase: f64,
    pub(super) fill: Fill,
    /// `PT`; mm.
    pub(super) pen_thickness: f64,
    pub(super) moves: Vec<Move>,
}

impl Drafter {
    pub(super) fn new(hpgl: &Hpgl, paper: Paper) -> Self {
        let mut drafter = Self {
            paper,
            unit: hpgl.unit,
            rotated: false,
            p1: Point::ORIGIN,
            p2: Point::ORIGIN,
            window: Rect::ZERO,
            scale: None,
            relative: false,
            at: Point::ORIGIN,
            pen_down: false,
            planned: (Point::ORIGIN, false),
            line_type: None,
            pattern_length: 4.0,
            phase: 0.0,
            fill: Fill { kind: 1, spacing: None, angle: 0.0 },
            pen_thickness: 0.3,
            moves: Vec::new(),
        };
        drafter.initialize();
        drafter.at = drafter.hard_clip().origin();
        drafter.planned.0 = drafter.at;
        drafter
    }

    /// `IN`, as far as it is about drawing.
    pub(super) fn initialize(&mut self) {
        self.rotated = false;
        self.default_scaling_points();
        self.default_values();
        self.lift();
    }

    /// `DF`, as far as it is about drawing.
    pub(super) fn default_values(&mut self) {
        self.window = self.hard_clip();
        self.scale = None;
        self.relative = false;
        self.line_type = None;
        self.pattern_length = 4.0;
        self.phase = 0.0;
        self.fill = Fill { kind: 1, spacing: None, angle: 0.0 };
        self.pen_thickness = 0.3;
    }

    pub(super) fn default_scaling_points(&mut self) {
        let clip = self.hard_clip();
        let point = |given: Option<[i32; 2]>, default: Point| match given {
            Some([x, y]) => Point::new(f64::from(x), f64::from(y)),
            None => default,
        };
        self.p1 = point(self.paper.p1, clip.origin());
        self.p2 = point(self.paper.p2, Point::new(clip.x1, clip.y1));
    }

    /// What the pen reaches, in the host's frame.
    pub(super) fn hard_clip(&self) -> Rect {
        let ([x0, x1], [y0, y1]) = (self.paper.x_range.map(f64::from), self.paper.y_range.map(f64::from));
        if self.rotated { Rect::new(y0, 0.0, y1, x1 - x0) } else { Rect::new(x0, y0, x1, y1) }
    }

    /// From the host's frame to the sheet's.
    pub(super) fn to_sheet(&self, point: Point) -> Point {
        if self.rotated { Point::new(f64::from(self.paper.x_range[1]) - point.y, point.x) } else { point }
    }

    /// From the sheet's frame to the host's.
    pub(super) fn to_host(&self, sheet: Point) -> Point {
        if self.rotated { Point::new(sheet.y, f64::from(self.paper.x_range[1]) - sheet.x) } else { sheet }
    }

    /// The moves so far are thrown away: the pen is where it is, in the sheet's frame.
    pub(super) fn forget(&mut self, sheet: Point, down: bool) {
        self.moves.clear();
        self.at = self.to_host(sheet);
        self.pen_down = down;
        self.planned = (self.at, down);
    }

    /// Plotter units of one user unit along x and y.
    pub(super) fn user_unit(&self) -> (f64, f64) {
        match self.scale {
            None => (1.0, 1.0),
            Some([x0, x1, y0, y1]) => {
                ((self.p2.x - self.p1.x) / (x1 - x0), (self.p2.y - self.p1.y) / (y1 - y0))
            }
        }
    }

    /// User units to plotter units.
    pub(super) fn user_point(&self, [x, y]: [f64; 2]) -> Point {
        match self.scale {
            None => Point::new(x, y),
            Some([x0, _, y0, _]) => {
                let (ux, uy) = self.user_unit();
                Point::new(self.p1.x + (x - x0) * ux, self.p1.y + (y - y0) * uy)
            }
        }
    }

    /// Plotter units to user units.
    pub(super) fn to_user(&self, point: Point) -> [f64; 2] {
        match self.scale {
            None => [point.x, point.y],
            Some([x0, _, y0, _]) => {
                let (ux, uy) = self.user_unit();
                [(point.x - self.p1.x) / ux + x0, (point.y - self.p1.y) / uy + y0]
            }
        }
    }

    /// Where coordinates lead, absolute or relative as the host has chosen.
    pub(super) fn target(&self, pair: [f64; 2], relative: bool) -> Point {
        if relative {
            let (ux, uy) = self.user_unit();
            Point::new(self.at.x + pair[0] * ux, self.at.y + pair[1] * uy)
        } else {
            self.user_point(pair)
        }
    }

    pub(super) fn diagonal(&self) -> f64 {
        self.p1.distance(self.p2)
    }

    pub(super) fn lift(&mut self) {
        self.pen_down = false;
        self.pen(false);
    }

    /// Lowers the pen, which outside the window stays up.
    pub(super) fn lower(&mut self) {
        self.pen_down = true;
        if contains(self.window, self.at) {
            self.pen(true);
        }
    }

    /// Goes to `to` with the pen as the host wants it, and only within the window.
    pub(super) fn vector(&mut self, to: Point) {
        let from = self.at;
        let to = to.round();
        self.at = to;
        let Some((enter, leave)) = clip(from, to, self.window) else {
            return self.pen(false);
        };
        if !self.pen_down {
            return self.go(leave);
        }
        if self.planned.0 != enter {
            self.pen(false);
            self.go(enter);
        }
        self.stroke(enter, leave);
        if leave != to {
            self.pen(false);
        }
    }

    /// Draws along `points` from a pen-up move to the first, then goes back: position and pen are as before.
    pub(super) fn outline(&mut self, points: &[Point]) {
        let (at, down) = (self.at, self.pen_down);
        for (index, point) in points.iter().enumerate() {
            if index == 0 {
                self.lift();
                self.vector(*point);
                self.lower();
            } else {
                self.vector(*point);
            }
        }
        self.lift();
        self.vector(at);
        self.pen_down = down;
    }

    /// Fills the inside of the polygon `edge` in the way of `FT`, even-odd.
    pub(super) fn hatch(&mut self, edge: &[Point]) {
        let fill = self.fill;
        let solid = fill.kind <= 2;
        let spacing = if solid {
            self.pen_thickness / self.unit
        } else {
            fill.spacing.unwrap_or(self.diagonal() / 100.0)
        };
        // Closer lines than a fine pen's would only be slow.
        let spacing = spacing.abs().max(4.0);
        let line_type = self.line_type;
        if solid {
            self.line_type = None;
        }
        let angles = [Some(fill.angle), (fill.kind == 4).then_some(fill.angle + 90.0)];
        for angle in angles.into_iter().flatten() {
            for line in hatch_lines(edge, spacing, angle.to_radians()) {
                self.outline(&line);
            }
        }
        self.line_type = line_type;
    }

    fn stroke(&mut self, from: Point, to: Point) {
        let Some(line_type) = self.line_type else {
            self.pen(true);
            return self.go(to);
        };
        let pattern = match line_type.unsigned_abs() {
            0 => {
                // Dots at the ends of vectors only.
                self.pen(false);
                self.go(to);
                return self.pen(true);
            }
            kind => PATTERNS[(kind as usize - 1).min(PATTERNS.len() - 1)],
        };
        let length = from.distance(to);
        let mut period = (self.pattern_length / 100.0 * self.diagonal()).max(1.0);
        if line_type < 0 {
            // A whole number of patterns in each vector.
            period = length / (length / period).round().max(1.0);
            self.phase = 0.0;
        }
        if length == 0.0 || length / period * pattern.len() as f64 > DASHES {
            self.pen(true);
            return self.go(to);
        }
        let mut along = 0.0;
        while along < length {
            let (down, rest) = dash_at(pattern, self.phase, period);
            let step = rest.min(length - along);
            if down {
                self.pen(true);
            } else {
                self.pen(false);
            }
            along += step;
            self.phase = (self.phase + step / period).fract();
            self.go(from.lerp(to, (along / length).min(1.0)).round());
            if step < 1e-9 {
                // A dot, or rounding at the end of a dash: on to the next.
                self.phase = (self.phase + 1e-6).fract();
            }
        }
    }

    pub(super) fn pen(&mut self, down: bool) {
        if self.planned.1 != down {
            self.planned.1 = down;
            self.moves.push(Move::Pen(down));
        }
    }

    fn go(&mut self, to: Point) {
        if self.planned.0 != to {
            self.planned.0 = to;
            self.moves.push(Move::To(self.to_sheet(to)));
        }
    }
}

/// Whether a dash is drawn at this phase (0 to 1), and how much of it is left.
fn dash_at(pattern: &[f64], phase: f64, period: f64) -> (bool, f64) {
    let mut end = 0.0;
    for (index, share) in pattern.iter().enumerate() {
        end += share;
        if phase < end - 1e-9 || (*share == 0.0 && (phase - end).abs() < 1e-9) {
            return (index % 2 == 0, (end - phase).max(0.0) * period);
        }
    }
    (pattern.len() % 2 == 1, (1.0 - phase).max(0.0) * period)
}

fn contains(window: Rect, point: Point) -> bool {
    (window.x0..=window.x1).contains(&point.x) && (window.y0..=window.y1).contains(&point.y)
}

/// The part of a vector inside the window, its ends rounded to whole units.
fn clip(from: Point, to: Point, window: Rect) -> Option<(Point, Point)> {
    let delta = to - from;
    let (mut enter, mut leave) = (0.0_f64, 1.0_f64);
    for (along, low, high) in
        [(delta.x, window.x0 - from.x, window.x1 - from.x), (delta.y, window.y0 - from.y, window.y1 - from.y)]
    {
        if along == 0.0 {
            if low > 0.0 || high < 0.0 {
                return None;
            }
            continue;
        }
        let (near, far) = if along > 0.0 { (low / along, high / along) } else { (high / along, low / along) };
        (enter, leave) = (enter.max(near), leave.min(far));
    }
    let at = |share: f64| {
        if share == 0.0 {
            from
        } else if share == 1.0 {
            to
        } else {
            (from + delta * share).round()
        }
    };
    (enter <= leave).then(|| (at(enter), at(leave)))
}

/// Lines across the inside of a polygon (even-odd), every other one backwards.
fn hatch_lines(edge: &[Point], spacing: f64, angle: f64) -> Vec<[Point; 2]> {
    let turn = kurbo::Affine::rotate(-angle);
    let flat: Vec<Point> = edge.iter().map(|point| turn * *point).collect();
    let (Some(first), Some(last)) = (flat.first(), flat.last()) else { return Vec::new() };
    let closed: Vec<(Point, Point)> =
        flat.windows(2).map(|pair| (pair[0], pair[1])).chain([(*last, *first)]).collect();
    let low = flat.iter().map(|p| p.y).fold(f64::INFINITY, f64::min);
    let high = flat.iter().map(|p| p.y).fold(f64::NEG_INFINITY, f64::max);
    let mut lines = Vec::new();
    let (mut y, mut row) = (low + spacing / 2.0, 0_usize);
    while y < high {
        let mut crossings: Vec<f64> = closed
            .iter()
            .filter(|(a, b)| (a.y <= y) != (b.y <= y))
            .map(|(a, b)| a.x + (y - a.y) / (b.y - a.y) * (b.x - a.x))
            .collect();
        crossings.sort_by(f64::total_cmp);
        for pair in crossings.chunks_exact(2) {
            let (a, b) = (Point::new(pair[0], y), Point::new(pair[1], y));
            let back = kurbo::Affine::rotate(angle);
            lines.push(if row.is_multiple_of(2) { [back * a, back * b] } else { [back * b, back * a] });
        }
        y += spacing;
        row += 1;
    }
    lines
}
