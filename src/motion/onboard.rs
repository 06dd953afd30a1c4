//! A pass, timed on a machine that plans on board (GRBL): the same look-ahead over the same pieces.

use super::gcode::hundredth;
use super::{AxisLimits, Motion, Plan, Segment, gcode_path, gcode_pieces, plan_segments_within};
use traceur_core::geometry::Point;
use traceur_core::machine::{Grbl, Lift, Placement, Profile};
use traceur_core::toolpath::Pass;

/// Times `pass` as the G-code of it runs: the pen goes up first, and the head ends at the origin.
pub(super) fn plan_onboard(pass: &Pass, profile: &Profile, grbl: &Grbl, placement: &Placement) -> Plan {
    let speed = pass.pen.speed.unwrap_or(f64::INFINITY).min(profile.limits.draw_speed);
    let mut onboard = Onboard {
        plan: Plan::default(),
        now: 0.0,
        at: Point::ORIGIN,
        // Where a machine counts from when it is switched on.
        height: 0.0,
        run: Vec::new(),
        limits: AxisLimits::of(profile),
        grbl,
    };
    onboard.lift(&profile.lift, false);
    for (index, stroke) in pass.strokes.iter().enumerate() {
        let points: Vec<Point> = stroke.points().iter().map(|point| placement.to_machine(*point)).collect();
        let Some(first) = points.first() else { continue };
        onboard.travel(*first);
        onboard.lift(&profile.lift, true);
        for (to, _) in gcode_path(*first, &gcode_pieces(&points, profile, grbl), grbl) {
            onboard.line(to, whole_feed(speed), Some(index));
        }
        onboard.lift(&profile.lift, false);
    }
    onboard.travel(Point::ORIGIN);
    onboard.drain();
    onboard.plan
}

/// What is in one run of moves without a stop.
enum Item {
    Move { from: Point, to: Point, stroke: Option<usize> },
    Lift { at: Point, down: bool },
}

struct Onboard<'a> {
    plan: Plan,
    now: f64,
    at: Point,
    /// Of the Z axis; mm.
    height: f64,
    run: Vec<(Segment, Item)>,
    limits: AxisLimits,
    grbl: &'a Grbl,
}

impl Onboard<'_> {
    fn travel(&mut self, to: Point) {
        let to = hundredth(to);
        self.line(Point::new(self.grbl.to_step(to.x), self.grbl.to_step(to.y)), f64::INFINITY, None);
    }

    fn line(&mut self, to: Point, feed: f64, stroke: Option<usize>) {
        let from = std::mem::replace(&mut self.at, to);
        if let Some(segment) = Segment::flat(from, to, feed) {
            self.run.push((segment, Item::Move { from, to, stroke }));
        }
    }

    fn lift(&mut self, lift: &Lift, down: bool) {
        match *lift {
            Lift::Servo { up_delay, down_delay, .. } => {
                // The S word waits until all stands still.
                self.drain();
                let seconds = Grbl::dwell(if down { down_delay } else { up_delay });
                self.plan.motions.push(Motion::Lift { begin: self.now, at: self.at, down, seconds });
                self.now += seconds;
            }
            Lift::Z { up, down: low, speed, .. } => {
                let to = self.grbl.to_step(if down { low } else { up });
                let from = std::mem::replace(&mut self.height, to);
                if let Some(segment) = Segment::new([0.0, 0.0, from], [0.0, 0.0, to], whole_feed(speed)) {
                    self.run.push((segment, Item::Lift { at: self.at, down }));
                }
                if !down {
                    // The encoder's G4P0.
                    self.drain();
                }
            }
            _ => {}
        }
    }

    /// Times what has gathered, from standing to standing.
    fn drain(&mut self) {
        let (segments, items): (Vec<Segment>, Vec<Item>) = self.run.drain(..).unzip();
        let trapezoids = plan_segments_within(&segments, &self.limits, self.grbl.planner_blocks);
        for (trapezoid, item) in trapezoids.into_iter().zip(items) {
            let (begin, seconds) = (self.now, trapezoid.seconds());
            self.plan.motions.push(match item {
                Item::Move { from, to, stroke } => Motion::Move { begin, from, to, stroke, trapezoid },
                Item::Lift { at, down } => Motion::Lift { begin, at, down, seconds },
            });
            self.now += seconds;
        }
    }
}

/// The speed of an F word, which is whole mm a minute and not 0.
fn whole_feed(speed: f64) -> f64 {
    (speed * 60.0).round().max(1.0) / 60.0
}
