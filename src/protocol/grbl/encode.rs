//! From strokes to G-code lines.

use crate::{Origin, Program, Statement};
use traceur_core::geometry::{Piece, Point, Polyline};
use traceur_core::machine::{Dialect, Grbl, Lift, Placement, Profile};
use traceur_core::toolpath::Pass;
use traceur_core::units::FeedRate;
use traceur_motion::gcode_pieces;

/// Encodes the strokes of `pass`, the `pass_index`-th of its toolpath: pen up first and last, ends at the machine's
/// origin.
///
/// The lines and arcs are those of [`gcode_pieces`]: absolute coordinates rounded to 0.01 mm, so errors do not add up, and
/// nothing that the motors can't do, but a dot stays a dot. No word is said twice, and the planner is drained only where
/// the pen goes up or down. There is no M2 or M5 at the end: both would take the signal from a servo, and the pen might
/// fall.
#[must_use]
pub fn encode(
    pass_index: usize,
    pass: &Pass,
    profile: &Profile,
    grbl: &Grbl,
    placement: &Placement,
) -> Program {
    let speed =
        pass.pen.speed.map_or(profile.limits.draw_speed, |speed| speed.min(profile.limits.draw_speed));
    let mut encoder = Encoder {
        profile,
        grbl,
        spindle: false,
        feed: FeedRate::from_speed(speed),
        statements: Vec::new(),
        origin: None,
        motion: None,
        modal_feed: String::new(),
        at: None,
    };
    encoder.push("G21G90G17G94G54".into(), false);
    encoder.pen(false);
    for (index, stroke) in pass.strokes.iter().enumerate() {
        encoder.stroke(Origin { pass: pass_index, stroke: index, vertex: 0 }, stroke, placement);
    }
    encoder.origin = None;
    encoder.travel((0, 0));
    encoder.push("G4P0".into(), true);
    Program {
        dialect: Dialect::Grbl,
        title: title(pass_index, pass),
        statements: encoder.statements,
        lift: match profile.lift {
            Lift::Servo { up_s, .. } => vec![format!("M3S{up_s}")],
            Lift::Z { up, speed, .. } => {
                vec![format!("G21G90G1Z{}F{}", number(up, 2), FeedRate::from_speed(speed))]
            }
            // No GRBL profile has another.
            _ => Vec::new(),
        },
    }
}

/// Only letters, digits and plain marks: `?`, `!`, `~` and bytes from 0x80 would be commands to GRBL even in a comment.
fn title(pass_index: usize, pass: &Pass) -> String {
    let text = format!(
        "traceur pass {}: pen {} {}, tip {} mm, {} strokes",
        pass_index + 1,
        pass.pen.id,
        pass.pen.name,
        pass.pen.tip,
        pass.strokes.len()
    );
    let plain = |c: char| if c.is_ascii_alphanumeric() || " .,:-_".contains(c) { c } else { '_' };
    text.chars().map(plain).collect()
}

struct Encoder<'a> {
    profile: &'a Profile,
    grbl: &'a Grbl,
    /// Whether M3 is in force, so that an S word alone moves the servo.
    spindle: bool,
    feed: FeedRate,
    statements: Vec<Statement>,
    origin: Option<Origin>,
    /// The G word in force.
    motion: Option<&'static str>,
    /// The F word in force.
    modal_feed: String,
    /// Where the pen is, in hundredths of a mm; `None` before the first move.
    at: Option<(i64, i64)>,
}

impl Encoder<'_> {
    fn stroke(&mut self, origin: Origin, line: &Polyline, placement: &Placement) {
        let points: Vec<Point> = line.points().iter().map(|point| placement.to_machine(*point)).collect();
        let Some(first) = points.first() else { return };
        self.origin = Some(origin);
        self.travel(hundredth(*first));
        self.pen(true);
        for piece in gcode_pieces(&points, self.profile, self.grbl) {
            self.origin = Some(Origin { vertex: piece.last(), ..origin });
            self.draw(&piece);
        }
        self.pen(false);
    }

    fn travel(&mut self, to: (i64, i64)) {
        let words = self.words(to);
        if !words.is_empty() {
            let motion = self.motion("G0");
            self.push(format!("{motion}{words}"), false);
        }
    }

    fn draw(&mut self, piece: &Piece) {
        let from = self.at.unwrap_or_default();
        let words = self.words(hundredth(piece.to()));
        let (motion, middle) = match piece {
            Piece::Line { .. } => ("G1", String::new()),
            Piece::Arc { center, sweep, .. } => {
                let offset = *center - Point::new(from.0 as f64 / 100.0, from.1 as f64 / 100.0);
                let word = |letter, offset: f64| match number(offset, 3) {
                    zero if zero == "0" => String::new(),
                    number => format!("{letter}{number}"),
                };
                (if *sweep > 0.0 { "G3" } else { "G2" }, word("I", offset.x) + &word("J", offset.y))
            }
        };
        let (motion, feed) = (self.motion(motion), self.feed(self.feed));
        self.push(format!("{motion}{words}{middle}{feed}"), false);
    }

    fn pen(&mut self, down: bool) {
        match self.profile.lift {
            Lift::Servo { up_s, down_s, up_delay, down_delay } => {
                let (s, delay) = if down { (down_s, down_delay) } else { (up_s, up_delay) };
                // A changed S word waits for the planner to run dry; the same one again would not (`gcode.c`).
                let spindle = if std::mem::replace(&mut self.spindle, true) { "" } else { "M3" };
                self.push(format!("{spindle}S{s}"), true);
                if delay > 0.0 {
                    self.push(format!("G4P{}", number(delay, 3)), true);
                }
            }
            Lift::Z { up, down: low, speed, .. } => {
                let (motion, feed) = (self.motion("G1"), self.feed(FeedRate::from_speed(speed)));
                let height = number(if down { low } else { up }, 2);
                self.push(format!("{motion}Z{height}{feed}"), false);
                if !down {
                    // A Z machine drains nowhere by itself: this ok proves that the stroke is on the paper.
                    self.push("G4P0".into(), true);
                }
            }
            _ => {}
        }
    }

    /// The axis words of a move that goes somewhere.
    fn words(&mut self, to: (i64, i64)) -> String {
        let mut words = String::new();
        if self.at.is_none_or(|at| at.0 != to.0) {
            words = format!("X{}", number(to.0 as f64 / 100.0, 2));
        }
        if self.at.is_none_or(|at| at.1 != to.1) {
            words += &format!("Y{}", number(to.1 as f64 / 100.0, 2));
        }
        self.at = Some(to);
        words
    }

    fn motion(&mut self, word: &'static str) -> &'static str {
        if self.motion.replace(word) == Some(word) { "" } else { word }
    }

    fn feed(&mut self, feed: FeedRate) -> String {
        // A slow pen is no reason for F0, which GRBL refuses.
        let word = format!("F{}", if feed.speed() < 1.0 / 60.0 { "1".into() } else { feed.to_string() });
        if word == self.modal_feed {
            return String::new();
        }
        self.modal_feed.clone_from(&word);
        word
    }

    fn push(&mut self, line: String, drains: bool) {
        debug_assert!(line.len() <= 79 && line.is_ascii(), "GRBL takes 79 characters: {line}");
        self.statements.push(Statement { line, origin: self.origin, drains });
    }
}

/// To hundredths of a mm, as [`gcode_pieces`] rounds.
fn hundredth(point: Point) -> (i64, i64) {
    let round = |mm: f64| (mm * 100.0).round() as i64;
    (round(point.x), round(point.y))
}

/// As short as GRBL's `read_float` takes it: no zeros at either end. At least one decimal.
pub(super) fn number(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    let (sign, size) = match text.strip_prefix('-') {
        Some(size) => ("-", size),
        None => ("", text.as_str()),
    };
    match size.trim_end_matches('0').trim_end_matches('.').trim_start_matches('0') {
        "" => "0".into(),
        short => format!("{sign}{short}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use traceur_core::machine::Firmware;
    use traceur_core::pens::Inventory;

    pub(crate) fn pass(strokes: &[&[(f64, f64)]]) -> Pass {
        let pen = Inventory::built_in("black").unwrap().pens.remove(0);
        let strokes = strokes.iter().map(|s| Polyline::new(s.iter().map(|p| Point::from(*p)).collect()));
        Pass { pen, strokes: strokes.collect() }
    }

    fn encoded(index: usize, pass: &Pass, profile: &Profile) -> Program {
        let Firmware::Grbl(grbl) = &profile.firmware else { panic!("{:?}", profile.firmware) };
        encode(index, pass, profile, grbl, &Placement::new(profile, 100.0))
    }

    fn check(profile: &str, strokes: &[&[(f64, f64)]], expected: &str) {
        let profile = Profile::built_in(profile).unwrap();
        let program = encoded(0, &pass(strokes), &profile);
        let lines: Vec<&str> = program.statements.iter().map(|s| s.line.as_str()).collect();
        assert_eq!(lines.join(" "), expected);
    }

    #[test]
    fn a_servo_pass_reads_as_expected() {
        check(
            "grbl-servo",
            &[&[(10.0, 90.0), (20.0, 90.0), (20.004, 90.0), (20.5, 79.876)], &[(0.5, 100.0), (0.5, 100.0)]],
            "G21G90G17G94G54 M3S300 G4P.12 G0X10Y10 S700 G4P.15 G1X20F3000 X20.5Y20.12 S300 G4P.12 \
             G0X.5Y0 S700 G4P.15 S300 G4P.12 X0 G4P0",
        );
    }

    #[test]
    fn a_z_pass_reads_as_expected() {
        check(
            "grbl-z",
            &[&[(10.0, 90.0), (20.0, 90.0)], &[(1.0, 101.0), (1.0, 101.0)]],
            "G21G90G17G94G54 G1Z3F900 G4P0 G0X10Y10 G1Z0 X20F3000 Z3F900 G4P0 G0X1Y-1 G1Z0 Z3 G4P0 G0X0Y0 G4P0",
        );
    }

    #[test]
    fn a_pen_name_can_not_become_a_command() {
        let mut pass = pass(&[&[(0.0, 0.0), (1.0, 1.0)]]);
        pass.pen.name = "Ä!~?\n$X\u{18}%".into();
        let profile = Profile::built_in("grbl-servo").unwrap();
        let text = encoded(2, &pass, &profile).to_text();
        assert!(text.starts_with("; traceur pass 3: pen "), "{text}");
        assert!(text.is_ascii() && !text.contains(['!', '~', '?', '$', '%', '\u{18}']), "{text}");
        assert!(text.lines().nth(1) == Some("G21G90G17G94G54") && text.ends_with("\nG4P0\n"), "{text}");
    }

    #[test]
    fn numbers_are_as_short_as_grbl_reads_them() {
        for (value, expected) in [
            (0.5, ".5"),
            (-0.25, "-.25"),
            (0.0, "0"),
            (-0.001, "0"),
            (10.0, "10"),
            (100.1, "100.1"),
            (-20.07, "-20.07"),
        ] {
            assert_eq!(number(value, 2), expected);
        }
    }

    #[test]
    fn an_arc_takes_at_most_a_third_of_the_bytes_of_its_lines() {
        let circle: Vec<(f64, f64)> = (0..=200)
            .map(|n| (std::f64::consts::TAU * f64::from(n) / 200.0).sin_cos())
            .map(|(sin, cos)| (60.0 + 25.0 * cos, 50.0 + 25.0 * sin))
            .collect();
        let arcs = Profile::built_in("grbl-servo").unwrap();
        let mut lines = arcs.clone();
        let Firmware::Grbl(grbl) = &mut lines.firmware else { panic!("{:?}", arcs.firmware) };
        grbl.arcs = false;
        let bytes = |profile| encoded(0, &pass(&[&circle]), profile).to_text().len();
        assert!(3 * bytes(&arcs) <= bytes(&lines), "{} of {}", bytes(&arcs), bytes(&lines));
        let text = encoded(0, &pass(&[&circle]), &arcs).to_text();
        assert!(text.contains("\nG2X") || text.contains("\nG3X"), "{text}");
    }

    #[test]
    fn statements_know_their_vertex() {
        let profile = Profile::built_in("grbl-servo").unwrap();
        let pass = pass(&[&[(0.0, 0.0), (1.0, 1.0)], &[(2.0, 2.0), (2.0, 2.0), (3.0, 3.0)]]);
        let program = encoded(4, &pass, &profile);
        let last = program.statements.iter().rfind(|s| s.line == "G1X3Y97");
        assert_eq!(last.unwrap().origin, Some(Origin { pass: 4, stroke: 1, vertex: 2 }));
        assert_eq!(program.statements[0].origin, None);
    }
}
