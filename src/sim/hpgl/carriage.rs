//! Pen and paper in motion: what the mechanics do, one vector at a time, and the trace of it.

use std::collections::VecDeque;
use std::time::Duration;

use crate::{MotionTrace, TracePiece};
use traceur_core::geometry::Point;
use traceur_core::machine::{Hpgl, Lift, Profile};
use traceur_motion::Trapezoid;

/// One thing for the mechanics to do. Points are plotter units of the sheet, not rotated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Move {
    /// Straight on, with the pen as it is.
    To(Point),
    /// The pen goes down or up, unless it is there.
    Pen(bool),
    /// The pen is put back, and this one fetched; 0: none.
    Fetch(u32),
    /// From here on the pen draws so fast (mm/s) and speeds up so hard (mm/s²).
    Speed(f64, f64),
}

/// What holds the pen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holder {
    /// A pen that was put in by hand.
    ByHand,
    /// Nothing: it has been put back.
    Empty,
    /// The pen of this place in the carousel.
    Slot(u32),
}

#[derive(Debug, Clone)]
pub(super) struct Carriage {
    pub(super) moves: VecDeque<Move>,
    pub(super) at: Point,
    pub(super) down: bool,
    pub(super) holder: Holder,
    pub(super) trace: MotionTrace,
    unit: f64,
    draw_speed: f64,
    travel_speed: f64,
    acceleration: f64,
    down_delay: f64,
    up_delay: f64,
    pen_change: f64,
}

impl Carriage {
    pub(super) fn new(profile: &Profile, hpgl: &Hpgl, at: Point) -> Self {
        let (up_delay, down_delay) = match profile.lift {
            Lift::Pen { up_delay, down_delay } => (up_delay, down_delay),
            Lift::Servo { .. } | Lift::EbbServo { .. } | Lift::Z { .. } => (0.0, 0.0),
        };
        Self {
            moves: VecDeque::new(),
            at,
            down: false,
            holder: Holder::ByHand,
            trace: MotionTrace::default(),
            unit: hpgl.unit,
            draw_speed: profile.limits.draw_speed,
            travel_speed: profile.limits.travel_speed,
            acceleration: profile.limits.acceleration,
            down_delay,
            up_delay,
            pen_change: hpgl.pen_change,
        }
    }

    /// Begins the next move at `now`; gives when it ends. A move that has begun is in the trace.
    pub(super) fn begin(&mut self, now: Duration) -> Option<Duration> {
        let (to, seconds) = match self.moves.pop_front()? {
            Move::To(to) => {
                let length = self.at.distance(to) * self.unit;
                if length == 0.0 {
                    return Some(now);
                }
                let speed = if self.down { self.draw_speed } else { self.travel_speed };
                (to, Trapezoid::between_stops(length, speed, self.acceleration).seconds())
            }
            Move::Pen(down) if down == self.down => return Some(now),
            Move::Pen(down) => {
                self.down = down;
                (self.at, if down { self.down_delay } else { self.up_delay })
            }
            Move::Fetch(pen) => {
                self.holder = if pen == 0 { Holder::Empty } else { Holder::Slot(pen) };
                (self.at, self.pen_change)
            }
            Move::Speed(speed, acceleration) => {
                (self.draw_speed, self.acceleration) = (speed, acceleration);
                return Some(now);
            }
        };
        let end = now + Duration::try_from_secs_f64(seconds).unwrap_or_default();
        let pen = match self.holder {
            Holder::Slot(pen) => pen,
            Holder::ByHand | Holder::Empty => 0,
        };
        let mm = |point: Point| Point::new(point.x * self.unit, point.y * self.unit);
        self.trace.pieces.push(TracePiece {
            from: mm(self.at),
            to: mm(to),
            // An empty holder leaves no ink.
            pen_down: self.down && self.holder != Holder::Empty,
            pen,
            begin: now,
            end,
        });
        self.at = to;
        Some(end)
    }
}
