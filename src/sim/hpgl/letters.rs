//! Labels: where each character stands. There is no stroke font here: a character other than a space leaves the outline
//! of its box (width x height as set by SI or SR, slanted as set by SL), so that sizes and places can be seen.

use kurbo::Vec2;

use super::drafter::Drafter;
use traceur_core::geometry::Point;

/// How large characters are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Size {
    /// Width and height; mm.
    Absolute(f64, f64),
    /// Width and height; percent of P2 - P1.
    Relative(f64, f64),
}

/// Where a line of text runs to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Direction {
    /// Run and rise in plotter units.
    Absolute(f64, f64),
    /// Run and rise as shares of P2 - P1.
    Relative(f64, f64),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Letters {
    pub(super) size: Size,
    pub(super) direction: Direction,
    /// Tangent of the slant.
    pub(super) slant: f64,
    /// Where a carriage return leads.
    pub(super) margin: Point,
}

impl Letters {
    pub(super) fn new() -> Self {
        Self {
            size: Size::Relative(0.75, 1.5),
            direction: Direction::Relative(1.0, 0.0),
            slant: 0.0,
            margin: Point::ORIGIN,
        }
    }

    /// The vectors of a character's width and height, in plotter units.
    fn axes(&self, drafter: &Drafter) -> (Vec2, Vec2) {
        let span = drafter.p2 - drafter.p1;
        let (width, height) = match self.size {
            Size::Absolute(width, height) => (width / drafter.unit, height / drafter.unit),
            Size::Relative(width, height) => (width / 100.0 * span.x.abs(), height / 100.0 * span.y.abs()),
        };
        let along = match self.direction {
            Direction::Absolute(run, rise) => Vec2::new(run, rise),
            Direction::Relative(run, rise) => Vec2::new(run * span.x.abs(), rise * span.y.abs()),
        };
        let along = if along.hypot() > 0.0 { along.normalize() } else { Vec2::new(1.0, 0.0) };
        let up = Vec2::new(-along.y, along.x);
        (along * width, up * height)
    }

    /// Moves by so many character cells and lines, pen up.
    pub(super) fn advance(&self, drafter: &mut Drafter, cells: f64, lines: f64) {
        let (along, up) = self.axes(drafter);
        let down = drafter.pen_down;
        drafter.lift();
        drafter.vector(drafter.at + along * 1.5 * cells + up * 2.0 * lines);
        drafter.pen_down = down;
    }

    /// One character of a label.
    pub(super) fn letter(&mut self, drafter: &mut Drafter, byte: u8) {
        match byte {
            8 => self.advance(drafter, -1.0, 0.0),
            10 => self.advance(drafter, 0.0, -1.0),
            11 => self.advance(drafter, 0.0, 1.0),
            13 => {
                let (down, margin) = (drafter.pen_down, self.margin);
                drafter.lift();
                drafter.vector(margin);
                drafter.pen_down = down;
            }
            b' ' => self.advance(drafter, 1.0, 0.0),
            33..=126 | 160.. => {
                self.outline(drafter, drafter.at);
                self.advance(drafter, 1.0, 0.0);
            }
            _ => {}
        }
    }

    /// The box of a character whose lower left corner is `corner`.
    pub(super) fn outline(&self, drafter: &mut Drafter, corner: Point) {
        let (along, up) = self.axes(drafter);
        let up = up + along.normalize() * self.slant * up.hypot();
        if !(along.is_finite() && up.is_finite()) {
            return;
        }
        drafter.outline(&[corner, corner + along, corner + along + up, corner + up, corner]);
    }

    /// The box of a character in the middle of the pen's place (`SM`).
    pub(super) fn symbol(&self, drafter: &mut Drafter) {
        let (along, up) = self.axes(drafter);
        self.outline(drafter, drafter.at - along / 2.0 - up / 2.0);
    }

    /// `UC`: pen control and steps on a grid of 6 x 16 to a cell.
    pub(super) fn user_defined(&self, drafter: &mut Drafter, params: &[f64]) {
        let (along, up) = self.axes(drafter);
        let (begin, down) = (drafter.at, drafter.pen_down);
        drafter.lift();
        let mut steps = params.iter();
        while let Some(step) = steps.next() {
            if *step >= 99.0 {
                drafter.lower();
            } else if *step <= -99.0 {
                drafter.lift();
            } else if let Some(rise) = steps.next() {
                let to = drafter.at + along * (1.5 / 6.0 * step) + up * (2.0 / 16.0 * rise);
                drafter.vector(to);
            }
        }
        drafter.lift();
        drafter.vector(begin);
        drafter.pen_down = down;
        self.advance(drafter, 1.0, 0.0);
    }
}
