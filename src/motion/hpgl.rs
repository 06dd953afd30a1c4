//! What an HP-GL plotter is sent for a stroke, and how long it takes over it.
//!
//! The encoder writes these vectors and the plan times them, so that both speak of the same motion.

use std::f64::consts::TAU;

use super::{Motion, Plan, Trapezoid};
use traceur_core::geometry::{ArcOptions, Piece, Point, fit_arcs};
use traceur_core::machine::{Hpgl, Lift, Placement, Profile};
use traceur_core::toolpath::Pass;

/// How far lines and arcs may be from the polyline that they stand for; mm. Flattening was within 0.01 mm.
const FIT_TOLERANCE: f64 = 0.015;
/// Pieces that an arc must replace to be worth its bytes: itself, and the line to its exact end.
const FEWEST: usize = 3;
/// Beyond this no coordinate goes.
const FARTHEST: i64 = 32_767;
/// The plotter's own chord angle; degrees.
const DEFAULT_CHORD: u32 = 5;

/// A place in plotter units.
pub type Units = (i64, i64);

/// A vector, or several along an arc.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Vectors {
    /// Where it leads; plotter units.
    pub to: Units,
    /// The arc before the line to there.
    pub arc: Option<Turn>,
    /// The last source vertex that it covers.
    pub last: usize,
}

/// An arc of whole degrees, which every model reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    /// Its middle; plotter units.
    pub center: Units,
    /// How far it turns, positive from x to y; degrees, never 0.
    pub degrees: i32,
    /// How far each of its chords turns; degrees.
    pub chord: u32,
}

impl Turn {
    /// Whether its chords are those that the plotter takes by itself.
    #[must_use]
    pub fn has_default_chord(&self) -> bool {
        self.chord == DEFAULT_CHORD
    }
}

/// The place in plotter units nearest to a machine point (mm).
#[must_use]
pub fn hpgl_units(point: Point, hpgl: &Hpgl) -> Units {
    let whole = |mm: f64| {
        #[expect(clippy::cast_possible_truncation, reason = "clamped")]
        let units = (mm / hpgl.unit).round().clamp(-FARTHEST as f64, FARTHEST as f64) as i64;
        units
    };
    (whole(point.x), whole(point.y))
}

/// The vectors along `points` (machine mm), from the first one's place on. Places that round to the one before are left
/// out, so a dot gives none. Chords of arcs stay within half a unit of the circle.
#[must_use]
pub fn hpgl_vectors(points: &[Point], hpgl: &Hpgl) -> Vec<Vectors> {
    let Some(first) = points.first() else { return Vec::new() };
    let mut vectors = Vec::new();
    let mut at = hpgl_units(*first, hpgl);
    for piece in pieces(points, hpgl) {
        let (to, last) = (hpgl_units(piece.to(), hpgl), piece.last());
        let arc = if let Piece::Arc { center, to, sweep, .. } = piece {
            turn(center, center.distance(to), sweep, hpgl)
        } else {
            None
        };
        // An arc of whole degrees ends near its end only, and a line leads there.
        if to != at || arc.is_some() {
            vectors.push(Vectors { to, arc, last });
        }
        at = to;
    }
    vectors
}

fn pieces(points: &[Point], hpgl: &Hpgl) -> Vec<Piece> {
    let chord_error = hpgl.unit / 2.0;
    let options = ArcOptions {
        least_radius: if hpgl.knows("AA") { 0.2 } else { f64::INFINITY },
        // Where a chord of one degree leaves the circle too far, lines are as good.
        most_radius: chord_error / (1.0 - 0.5_f64.to_radians().cos()),
        least_chord: 8.0 * hpgl.unit,
        ..ArcOptions::new(FIT_TOLERANCE)
    };
    let fitted = fit_arcs(points, &options);
    let mut pieces = Vec::with_capacity(fitted.len());
    let mut from = 0;
    for piece in fitted {
        match piece {
            Piece::Arc { last, .. } if last - from <= FEWEST => {
                pieces.extend((from + 1..=last).map(|last| Piece::Line { to: points[last], last }));
            }
            _ => pieces.push(piece),
        }
        from = piece.last();
    }
    pieces
}

fn turn(center: Point, radius: f64, sweep: f64, hpgl: &Hpgl) -> Option<Turn> {
    let center = hpgl_units(center, hpgl);
    #[expect(clippy::cast_possible_truncation, reason = "at most a turn")]
    let degrees = sweep.clamp(-TAU, TAU).to_degrees().trunc() as i32;
    if degrees == 0 || center.0.abs() >= FARTHEST || center.1.abs() >= FARTHEST {
        return None;
    }
    let widest = (2.0 * (1.0 - hpgl.unit / 2.0 / radius).clamp(-1.0, 1.0).acos()).to_degrees();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "1 to 5")]
    let chord = widest.floor().clamp(1.0, f64::from(DEFAULT_CHORD)) as u32;
    Some(Turn { center, degrees, chord })
}

/// Where the pen stops along a vector from `from`, its end included; plotter units.
fn stops(from: Units, vectors: &Vectors) -> Vec<Units> {
    let mut stops = Vec::new();
    if let Some(Turn { center, degrees, chord }) = vectors.arc {
        let (x, y) = ((from.0 - center.0) as f64, (from.1 - center.1) as f64);
        let count = degrees.unsigned_abs().div_ceil(chord);
        for index in 1..=count {
            let angle = f64::from(degrees).to_radians() * f64::from(index) / f64::from(count);
            let (sin, cos) = angle.sin_cos();
            #[expect(clippy::cast_possible_truncation, reason = "within 32 bits, as radius and center are")]
            let stop = |middle: i64, way: f64| middle + way.round() as i64;
            stops.push((stop(center.0, x * cos - y * sin), stop(center.1, x * sin + y * cos)));
        }
    }
    stops.push(vectors.to);
    stops
}

/// The greatest speed of `VS` that is not above a pen's; mm/s. `None`: nothing need be said, as the pen may go as fast as the
/// machine.
#[must_use]
pub fn hpgl_speed(pass: &Pass, profile: &Profile, hpgl: &Hpgl) -> Option<f64> {
    let speed = pass.pen.speed.filter(|speed| *speed < profile.limits.draw_speed)?;
    Some((speed / hpgl.speed_step + 1e-9).floor().max(1.0) * hpgl.speed_step)
}

/// Times `pass` as its HP-GL runs: the pen is fetched, each vector goes from stop to stop, and the pen is put back.
pub(super) fn plan_vectors(pass: &Pass, profile: &Profile, hpgl: &Hpgl, placement: &Placement) -> Plan {
    let limits = &profile.limits;
    let set = hpgl_speed(pass, profile, hpgl);
    let mut drafted = Drafted {
        plan: Plan::default(),
        now: 0.0,
        at: (0, 0),
        unit: hpgl.unit,
        travel_speed: limits.travel_speed,
        draw_speed: set.unwrap_or(limits.draw_speed),
        acceleration: set.and(hpgl.set_speed_acceleration).unwrap_or(limits.acceleration),
    };
    let (up_delay, down_delay) = match profile.lift {
        Lift::Pen { up_delay, down_delay } => (up_delay, down_delay),
        // No other lift passes for an HP-GL machine.
        Lift::Servo { .. } | Lift::EbbServo { .. } | Lift::Z { .. } => (0.0, 0.0),
    };
    drafted.stand(false, hpgl.pen_change);
    for (index, stroke) in pass.strokes.iter().enumerate() {
        let points: Vec<Point> = stroke.points().iter().map(|point| placement.to_machine(*point)).collect();
        drafted.vector(hpgl_units(points[0], hpgl), None);
        drafted.stand(true, down_delay);
        for vectors in hpgl_vectors(&points, hpgl) {
            for stop in stops(drafted.at, &vectors) {
                drafted.vector(stop, Some(index));
            }
        }
        drafted.stand(false, up_delay);
    }
    drafted.stand(false, hpgl.pen_change);
    drafted.plan
}

struct Drafted {
    plan: Plan,
    now: f64,
    at: Units,
    unit: f64,
    travel_speed: f64,
    draw_speed: f64,
    acceleration: f64,
}

impl Drafted {
    fn mm(&self, (x, y): Units) -> Point {
        Point::new(x as f64 * self.unit, y as f64 * self.unit)
    }

    fn vector(&mut self, to: Units, stroke: Option<usize>) {
        let (from, to_mm) = (self.mm(self.at), self.mm(to));
        if to == self.at {
            return;
        }
        self.at = to;
        let speed = if stroke.is_some() { self.draw_speed } else { self.travel_speed };
        let trapezoid = Trapezoid::between_stops(from.distance(to_mm), speed, self.acceleration);
        self.plan.motions.push(Motion::Move { begin: self.now, from, to: to_mm, stroke, trapezoid });
        self.now += trapezoid.seconds();
    }

    /// The pen goes up or down, or is changed with the pen up.
    fn stand(&mut self, down: bool, seconds: f64) {
        self.plan.motions.push(Motion::Lift { begin: self.now, at: self.mm(self.at), down, seconds });
        self.now += seconds;
    }
}
