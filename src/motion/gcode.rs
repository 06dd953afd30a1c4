//! What a G-code machine is sent for a stroke, and what its planner makes of it.
//!
//! The encoder writes these pieces and the plan times them, so that both speak of the same motion.

use traceur_core::geometry::{ArcOptions, Piece, Point, Vec2, arc_center, fit_arcs};
use traceur_core::machine::{Grbl, Profile};

/// Greatest distance between a stroke and its pieces, before rounding; mm. Above the tolerance of flattening (0.01 mm), so
/// that arcs span the pieces that flattening made, and well below any tip.
const TOLERANCE: f64 = 0.015;
/// Greatest distance between an arc and the chords that the firmware cuts it into; mm. GRBL's default `$12`.
const CHORD_TOLERANCE: f64 = 0.002;
/// Beyond this radius (mm) the firmware's 32-bit floats would lose hundredths.
const MOST_RADIUS: f64 = 500.0;
/// GRBL refuses an arc (`error:33`) whose radii differ by more than 0.005 mm and 0.1 %; mm.
const RADII_APART: f64 = 0.004;

/// Lines and arcs along `points` (machine mm), as a G-code machine is sent them: ends rounded to 0.01 mm, a middle to
/// 0.001 mm from where its arc begins. Pieces between which the motors would stand still are left out, so a dot gives
/// none. An arc's `sweep` is positive from x to y: G3.
#[must_use]
pub fn gcode_pieces(points: &[Point], profile: &Profile, grbl: &Grbl) -> Vec<Piece> {
    let Some(first) = points.first() else { return Vec::new() };
    let mut path = Path { pieces: Vec::new(), at: hundredth(*first), grbl };
    let options = options(profile, grbl);
    let mut begin = 0;
    for piece in fit_arcs(points, &options) {
        match piece {
            Piece::Line { to, last } => path.line(to, last),
            Piece::Arc { to, sweep, last, .. } => {
                if !path.arc(to, sweep, last) {
                    (begin + 1..=last).for_each(|vertex| path.line(points[vertex], vertex));
                }
            }
        }
        begin = piece.last();
    }
    path.pieces
}

/// The ends of the straight moves that the firmware makes of `pieces` from `from` on, each with the last source vertex that
/// it covers; machine mm, where the motors can stand.
///
/// Source: gnea/grbl 1.1h, `motion_control.c` (`mc_arc`) and `planner.c` (`plan_buffer_line`).
#[must_use]
pub fn gcode_path(from: Point, pieces: &[Piece], grbl: &Grbl) -> Vec<(Point, usize)> {
    let step = |point: Point| Point::new(grbl.to_step(point.x), grbl.to_step(point.y));
    let mut ends = Vec::new();
    let mut at = hundredth(from);
    for piece in pieces {
        if let Piece::Arc { center, sweep, last, .. } = *piece {
            let (radius, spoke) = (at.distance(center), at - center);
            let chord = 2.0 * (CHORD_TOLERANCE * (2.0 * radius - CHORD_TOLERANCE)).max(0.0).sqrt();
            let count = (sweep.abs() * radius / chord).floor();
            let mut index = 1.0;
            while index < count {
                let (sin, cos) = (sweep * index / count).sin_cos();
                let turned = Vec2::new(spoke.x * cos - spoke.y * sin, spoke.x * sin + spoke.y * cos);
                ends.push((step(center + turned), last));
                index += 1.0;
            }
        }
        ends.push((step(piece.to()), piece.last()));
        at = piece.to();
    }
    ends
}

/// Arcs that are worth it. The firmware's chords of a small arc are so short that the planner's blocks would not hold a way
/// to stop from the drawing speed: those are sent as lines.
fn options(profile: &Profile, grbl: &Grbl) -> ArcOptions {
    let limits = &profile.limits;
    let stopping = limits.draw_speed.powi(2) / (2.0 * limits.acceleration);
    let chord = stopping / grbl.planner_blocks as f64;
    let least_radius = (chord * chord / (8.0 * CHORD_TOLERANCE)).clamp(0.2, 5.0);
    ArcOptions {
        least_radius: if grbl.arcs { least_radius } else { f64::INFINITY },
        most_radius: MOST_RADIUS,
        least_chord: 0.2,
        ..ArcOptions::new(TOLERANCE)
    }
}

struct Path<'a> {
    pieces: Vec<Piece>,
    /// Where it ends, rounded.
    at: Point,
    grbl: &'a Grbl,
}

impl Path<'_> {
    fn line(&mut self, to: Point, last: usize) {
        let to = hundredth(to);
        if self.moves_to(to) {
            self.pieces.push(Piece::Line { to, last });
            self.at = to;
        }
    }

    /// Whether it can be drawn with rounded numbers.
    fn arc(&mut self, to: Point, sweep: f64, last: usize) -> bool {
        let to = hundredth(to);
        let offset = arc_center(self.at, to, sweep) - self.at;
        let center = self.at + Vec2::new(thousandth(offset.x), thousandth(offset.y));
        let apart = (self.at.distance(center) - to.distance(center)).abs();
        if apart.is_nan() || apart > RADII_APART || !self.moves_to(to) {
            return false;
        }
        let (a, b) = (self.at - center, to - center);
        let turned = a.cross(b).atan2(a.dot(b));
        let sweep =
            if turned * sweep < 0.0 { turned + std::f64::consts::TAU.copysign(sweep) } else { turned };
        self.pieces.push(Piece::Arc { center, to, sweep, last });
        self.at = to;
        true
    }

    fn moves_to(&self, to: Point) -> bool {
        let step = |mm| self.grbl.to_step(mm);
        step(to.x) != step(self.at.x) || step(to.y) != step(self.at.y)
    }
}

/// To hundredths of a mm: what the encoder writes for X and Y.
pub(super) fn hundredth(point: Point) -> Point {
    let round = |mm: f64| (mm * 100.0).round() / 100.0;
    Point::new(round(point.x), round(point.y))
}

/// To thousandths of a mm: what the encoder writes for I and J.
fn thousandth(mm: f64) -> f64 {
    (mm * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use traceur_core::machine::Firmware;

    fn pieces(points: &[Point]) -> (Vec<Piece>, Vec<(Point, usize)>) {
        let profile = Profile::built_in("grbl-servo").unwrap();
        let Firmware::Grbl(grbl) = &profile.firmware else { panic!("{:?}", profile.firmware) };
        let pieces = gcode_pieces(points, &profile, grbl);
        let path = gcode_path(points[0], &pieces, grbl);
        (pieces, path)
    }

    fn circle(radius: f64, count: u32) -> Vec<Point> {
        let turn = std::f64::consts::TAU / f64::from(count);
        (0..=count).map(|n| Point::new(50.0, 50.0) + Vec2::from_angle(turn * f64::from(n)) * radius).collect()
    }

    #[test]
    fn a_circle_is_two_arcs_and_a_tiny_one_is_lines() {
        let (big, path) = pieces(&circle(20.0, 300));
        assert!(big.len() == 2 && big.iter().all(|piece| matches!(piece, Piece::Arc { .. })), "{big:?}");
        assert!(path.iter().all(|(point, _)| (point.distance(Point::new(50.0, 50.0)) - 20.0).abs() < 0.02));
        let (small, _) = pieces(&circle(0.5, 60));
        assert!(small.iter().all(|piece| matches!(piece, Piece::Line { .. })), "{small:?}");
    }

    #[test]
    fn what_the_motors_can_not_do_is_left_out() {
        let dot = Point::new(33.333, 44.444);
        assert!(pieces(&[dot, dot]).0.is_empty());
        let line: Vec<Point> = (0..500).map(|n| Point::new(f64::from(n) * 0.004, 0.0)).collect();
        assert_eq!(pieces(&line).0.len(), 1);
    }

    proptest! {
        #[test]
        fn grbl_accepts_every_arc(turns in prop::collection::vec(-0.3..0.3_f64, 5..60), step in 0.05..3.0_f64) {
            let (mut at, mut way) = (Point::new(100.0, 100.0), 0.0);
            let mut points = vec![at];
            for turn in turns {
                way += turn;
                at += Vec2::from_angle(way) * step;
                points.push(at);
            }
            let mut from = hundredth(points[0]);
            let (pieces, path) = pieces(&points);
            for piece in &pieces {
                if let Piece::Arc { center, to, .. } = piece {
                    prop_assert!((from.distance(*center) - to.distance(*center)).abs() < 0.005);
                }
                from = piece.to();
            }
            prop_assert!(from.distance(at) < 0.02);
            let mut last = hundredth(points[0]);
            for (point, _) in path {
                prop_assert!(point.distance(last) < 70.0);
                last = point;
            }
        }
    }
}
