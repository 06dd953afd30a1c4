//! From strokes to G-code lines.

use std::fmt::Write as _;

use crate::geometry::{Point, Polyline};
use crate::machine::{Dialect, Lift, Placement, Profile};
use crate::protocol::{Origin, Program, Statement};
use crate::toolpath::Pass;
use crate::units::FeedRate;

/// Encodes the strokes of `pass`, the `pass_index`-th of its toolpath: pen up first and last, ends at the machine's
/// origin.
///
/// Absolute coordinates are rounded to 0.01 mm, so errors do not add up. Points that round to the point before are
/// left out, but a dot stays a dot. There is no M2 or M5 at the end: both would take the signal from a servo, and the
/// pen might fall.
#[must_use]
pub fn encode(pass_index: usize, pass: &Pass, profile: &Profile, placement: &Placement) -> Program {
    let speed =
        pass.pen.speed.map_or(profile.limits.draw_speed, |speed| speed.min(profile.limits.draw_speed));
    let mut encoder = Encoder {
        lift: &profile.lift,
        feed: FeedRate::from_speed(speed),
        statements: Vec::new(),
        origin: None,
        motion: None,
        modal_feed: String::new(),
        at: None,
    };
    encoder.push("G21G90G17G94G54".into(), false);
    encoder.pen_up();
    for (index, stroke) in pass.strokes.iter().enumerate() {
        encoder.stroke(pass_index, index, stroke, placement);
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
                vec![format!("G21G90G1Z{}F{}", hundredths(round(up)), FeedRate::from_speed(speed))]
            }
            // No GRBL profile has it.
            Lift::EbbServo { .. } | Lift::Pen { .. } => Vec::new(),
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
    lift: &'a Lift,
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
    fn stroke(&mut self, pass: usize, stroke: usize, line: &Polyline, placement: &Placement) {
        let place = |point: &Point| {
            let machine = placement.to_machine(*point);
            (round(machine.x), round(machine.y))
        };
        let Some(first) = line.points.first() else { return };
        self.origin = Some(Origin { pass, stroke, vertex: 0 });
        self.travel(place(first));
        self.pen_down();
        for (vertex, point) in line.points.iter().enumerate().skip(1) {
            self.origin = Some(Origin { pass, stroke, vertex });
            self.draw(place(point));
        }
        self.pen_up();
    }

    fn travel(&mut self, to: (i64, i64)) {
        if let Some(words) = self.words(to) {
            let motion = self.motion("G0");
            self.push(format!("{motion}{words}"), false);
        }
    }

    fn draw(&mut self, to: (i64, i64)) {
        if let Some(words) = self.words(to) {
            let (motion, feed) = (self.motion("G1"), self.feed(self.feed));
            self.push(format!("{motion}{words}{feed}"), false);
        }
    }

    fn pen_down(&mut self) {
        match *self.lift {
            Lift::Servo { down_s, down_delay, .. } => self.servo(down_s, down_delay),
            Lift::Z { down, speed, .. } => self.z(down, speed),
            Lift::EbbServo { .. } | Lift::Pen { .. } => {}
        }
    }

    fn pen_up(&mut self) {
        match *self.lift {
            Lift::Servo { up_s, up_delay, .. } => self.servo(up_s, up_delay),
            Lift::Z { up, speed, .. } => {
                self.z(up, speed);
                // A Z machine drains nowhere by itself: this ok proves that the stroke is on the paper.
                self.push("G4P0".into(), true);
            }
            Lift::EbbServo { .. } | Lift::Pen { .. } => {}
        }
    }

    fn servo(&mut self, s: u32, delay: f64) {
        self.push(format!("M3S{s}"), true);
        self.push(format!("G4P{}", number(delay, 3)), true);
    }

    fn z(&mut self, height: f64, speed: f64) {
        let (motion, feed) = (self.motion("G1"), self.feed(FeedRate::from_speed(speed)));
        self.push(format!("{motion}Z{}{feed}", hundredths(round(height))), false);
    }

    /// The axis words of a move that goes somewhere.
    fn words(&mut self, to: (i64, i64)) -> Option<String> {
        let mut words = String::new();
        if self.at.is_none_or(|at| at.0 != to.0) {
            words.push('X');
            words.push_str(&hundredths(to.0));
        }
        if self.at.is_none_or(|at| at.1 != to.1) {
            words.push('Y');
            words.push_str(&hundredths(to.1));
        }
        self.at = Some(to);
        (!words.is_empty()).then_some(words)
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

/// To hundredths of a mm.
fn round(mm: f64) -> i64 {
    (mm * 100.0).round() as i64
}

/// Hundredths of a mm as mm, without trailing zeros.
fn hundredths(value: i64) -> String {
    let mut text = String::new();
    let (sign, size) = (if value < 0 { "-" } else { "" }, value.unsigned_abs());
    // OK because writing to a String can't fail.
    let _ = write!(text, "{sign}{}.{:02}", size / 100, size % 100);
    trim(text)
}

fn number(value: f64, decimals: usize) -> String {
    trim(format!("{value:.decimals$}"))
}

fn trim(text: String) -> String {
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pens::{BUILT_IN, Inventory};

    pub(crate) fn pass(strokes: &[&[(f64, f64)]]) -> Pass {
        let pen = Inventory::parse("black", BUILT_IN[2].1).unwrap().pens.remove(0);
        let strokes = strokes.iter().map(|s| Polyline::new(s.iter().map(|p| Point::from(*p)).collect()));
        Pass { pen, strokes: strokes.collect() }
    }

    fn check(profile: &str, strokes: &[&[(f64, f64)]], expected: &str) {
        let profile = Profile::built_in(profile).unwrap();
        let program = encode(0, &pass(strokes), &profile, &Placement::new(&profile, 100.0));
        let lines: Vec<&str> = program.statements.iter().map(|s| s.line.as_str()).collect();
        assert_eq!(lines.join(" "), expected);
    }

    #[test]
    fn a_servo_pass_reads_as_expected() {
        check(
            "grbl-servo",
            &[&[(10.0, 90.0), (20.0, 90.0), (20.004, 90.0), (20.5, 79.876)], &[(0.5, 100.0), (0.5, 100.0)]],
            "G21G90G17G94G54 M3S300 G4P0.12 G0X10Y10 M3S700 G4P0.15 G1X20F3000 X20.5Y20.12 M3S300 G4P0.12 \
             G0X0.5Y0 M3S700 G4P0.15 M3S300 G4P0.12 X0 G4P0",
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
        let text = encode(2, &pass, &profile, &Placement::new(&profile, 100.0)).to_text();
        assert!(text.starts_with("; traceur pass 3: pen "), "{text}");
        assert!(text.is_ascii() && !text.contains(['!', '~', '?', '$', '%', '\u{18}']), "{text}");
        assert!(text.lines().nth(1) == Some("G21G90G17G94G54") && text.ends_with("\nG4P0\n"), "{text}");
    }

    #[test]
    fn statements_know_their_vertex() {
        let profile = Profile::built_in("grbl-servo").unwrap();
        let pass = pass(&[&[(0.0, 0.0), (1.0, 1.0)], &[(2.0, 2.0), (2.0, 2.0), (3.0, 3.0)]]);
        let program = encode(4, &pass, &profile, &Placement::new(&profile, 100.0));
        let last = program.statements.iter().rfind(|s| s.line == "X3Y97F3000" || s.line == "G1X3Y97");
        assert_eq!(last.unwrap().origin, Some(Origin { pass: 4, stroke: 1, vertex: 2 }));
        assert_eq!(program.statements[0].origin, None);
    }
}
