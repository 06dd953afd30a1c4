//! From strokes to HP-GL.

use crate::{Origin, Program, Statement};
use traceur_core::geometry::{Point, Polyline};
use traceur_core::machine::{Dialect, Hpgl, Placement, Profile};
use traceur_core::toolpath::Pass;
use traceur_motion::{Turn, Units, Vectors, hpgl_speed, hpgl_units, hpgl_vectors};

/// Encodes the strokes of `pass`, the `pass_index`-th of its toolpath, in plotter units: initializes, fetches the pen, puts
/// it back.
///
/// Coordinates are absolute, so errors do not add up. Points that round to the point before are left out, but a dot stays a
/// dot. Arcs turn by whole degrees, which every model reads, and the rest of a degree is a line: their chords stay within
/// half a unit of the circle. Arcs and lines stay within 0.015 mm of the polyline. `VS` is sent for a pen that must go slower than the
/// machine only: naming a speed costs the 7475A three quarters of its acceleration.
///
/// A statement that ends a stroke `drains`: the session may ask for the position behind it.
#[must_use]
pub fn encode(
    pass_index: usize,
    pass: &Pass,
    profile: &Profile,
    hpgl: &Hpgl,
    placement: &Placement,
) -> Program {
    let mut encoder = Encoder {
        hpgl,
        limit: longest_statement(hpgl.buffer_bytes),
        statements: Vec::new(),
        line: String::new(),
        listing: false,
        down: false,
        origin: None,
    };
    encoder.begin(pass_index, pass, profile, placement);
    for (index, stroke) in pass.strokes.iter().enumerate() {
        encoder.stroke(Origin { pass: pass_index, stroke: index, vertex: 0 }, stroke, placement);
    }
    encoder.word("PU;SP0;");
    encoder.flush(true);
    let slot = hpgl.place(pass_index, pass.pen.slot);
    Program {
        dialect: Dialect::Hpgl,
        title: format!(
            "traceur pass {}: pen {} in place {}, {} strokes",
            pass_index + 1,
            pass.pen.id,
            slot,
            pass.strokes.len()
        ),
        statements: encoder.statements,
        lift: vec!["PU;SP0;".into()],
    }
}

/// Bytes of a statement: a few fit into the plotter's buffer at once, and one with its marker into two thirds of the
/// smallest. The longest instruction is `AA-16000,-11000,-189,4;`.
pub(super) fn longest_statement(buffer_bytes: usize) -> usize {
    (buffer_bytes / 4).clamp(28, 96)
}

struct Encoder<'a> {
    hpgl: &'a Hpgl,
    limit: usize,
    statements: Vec<Statement>,
    line: String,
    /// The line ends in a list of coordinates that may go on.
    listing: bool,
    down: bool,
    /// Of the last coordinates in the line.
    origin: Option<Origin>,
}

impl Encoder<'_> {
    fn begin(&mut self, pass_index: usize, pass: &Pass, profile: &Profile, placement: &Placement) {
        self.line.push_str("IN;");
        if let Some(ps) = placement.ps() {
            self.line.push_str(&format!("PS{ps};"));
        }
        self.line.push_str(&format!("PU;SP{};", self.hpgl.place(pass_index, pass.pen.slot)));
        if let Some(speed) = hpgl_speed(pass, profile, self.hpgl) {
            let text = format!("{:.2}", speed / 10.0);
            self.line.push_str(&format!("VS{};", text.trim_end_matches('0').trim_end_matches('.')));
        }
        self.flush(false);
    }

    fn stroke(&mut self, first: Origin, stroke: &Polyline, placement: &Placement) {
        let points: Vec<Point> = stroke.points().iter().map(|point| placement.to_machine(*point)).collect();
        let Some(start) = points.first() else { return };
        self.travel(first, hpgl_units(*start, self.hpgl));
        for Vectors { to, arc, last } in hpgl_vectors(&points, self.hpgl) {
            let origin = Origin { vertex: last, ..first };
            if let Some(turn) = arc {
                self.arc(origin, turn);
            }
            self.draw(origin, to);
        }
        if !self.down {
            // A dot.
            self.lower();
        }
        self.origin = Some(Origin { vertex: points.len() - 1, ..first });
        self.flush(true);
    }

    fn travel(&mut self, origin: Origin, to: Units) {
        self.word(&format!("PU{},{};", to.0, to.1));
        (self.down, self.origin) = (false, Some(origin));
    }

    fn draw(&mut self, origin: Origin, to: Units) {
        let pair = format!("{},{}", to.0, to.1);
        if self.listing && self.line.len() + pair.len() + 2 <= self.limit {
            self.line.push_str(&format!(",{pair}"));
        } else {
            self.word(&format!("PD{pair}"));
            self.listing = true;
        }
        (self.down, self.origin) = (true, Some(origin));
    }

    fn arc(&mut self, origin: Origin, turn: Turn) {
        if !self.down {
            self.lower();
        }
        let chord = if turn.has_default_chord() { String::new() } else { format!(",{}", turn.chord) };
        self.word(&format!("AA{},{},{}{chord};", turn.center.0, turn.center.1, turn.degrees));
        self.origin = Some(origin);
    }

    fn lower(&mut self) {
        self.word("PD;");
        self.down = true;
    }

    /// Begins another instruction in this statement, or in the next one when this is full.
    fn word(&mut self, text: &str) {
        self.end_list();
        if self.line.len() + text.len() + 1 > self.limit {
            self.flush(false);
        }
        self.line.push_str(text);
    }

    fn end_list(&mut self) {
        if std::mem::take(&mut self.listing) {
            self.line.push(';');
        }
    }

    fn flush(&mut self, drains: bool) {
        self.end_list();
        if !self.line.is_empty() {
            debug_assert!(self.line.len() <= self.limit, "{}", self.line);
            let line = std::mem::take(&mut self.line);
            self.statements.push(Statement { line, origin: self.origin, drains });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use traceur_core::machine::Firmware;
    use traceur_core::pens::Inventory;

    fn program(id: &str, strokes: &[&[(f64, f64)]], change: impl Fn(&mut Pass)) -> Program {
        let profile = Profile::built_in(id).unwrap();
        let Firmware::Hpgl(hpgl) = &profile.firmware else { panic!() };
        let pen = Inventory::built_in("black").unwrap().pens.remove(0);
        let strokes = strokes.iter().map(|s| Polyline::new(s.iter().map(|p| Point::from(*p)).collect()));
        let mut pass = Pass { pen, strokes: strokes.collect() };
        pass.pen.slot = None;
        change(&mut pass);
        encode(2, &pass, &profile, hpgl, &Placement::of_page(&profile, 297.0, 210.0).unwrap())
    }

    fn check(id: &str, strokes: &[&[(f64, f64)]], expected: &str) {
        assert_eq!(program(id, strokes, |_| {}).to_text(), expected);
    }

    fn circle() -> Vec<(f64, f64)> {
        (0..=120)
            .map(|i| {
                let angle = f64::from(i) * 3_f64.to_radians();
                (150.0 + 30.0 * angle.cos(), 100.0 + 30.0 * angle.sin())
            })
            .collect()
    }

    #[test]
    fn a_stroke_is_one_travel_and_one_list() {
        // 0,0 is 10 mm from the left and 206 mm from the top; 0.02488 mm a unit.
        check(
            "hp7475a",
            &[&[(10.0, 206.0), (20.0, 206.0), (20.0, 196.0)]],
            "IN;PS4;PU;SP3;PU0,0;PD402,0,402,402;PU;SP0;",
        );
        check(
            "dxy-1150",
            &[&[(10.0, 206.0), (20.0, 206.0), (20.0, 196.0)]],
            "IN;PU;SP3;PU400,160;PD800,160,800,560;PU;SP0;",
        );
    }

    #[test]
    fn a_dot_stays_a_dot_and_repeated_points_vanish() {
        check("hp7475a", &[&[(10.0, 206.0), (10.001, 206.0)]], "IN;PS4;PU;SP3;PU0,0;PD;PU;SP0;");
        check(
            "hp7475a",
            &[&[(10.0, 206.0), (10.001, 206.0), (11.0, 206.0), (11.001, 206.0)]],
            "IN;PS4;PU;SP3;PU0,0;PD40,0;PU;SP0;",
        );
    }

    #[test]
    fn the_pens_own_place_and_speed_are_used() {
        let text = |slot, speed| {
            let change = move |pass: &mut Pass| (pass.pen.slot, pass.pen.speed) = (slot, speed);
            program("hp7475a", &[], change).to_text()
        };
        assert_eq!(text(Some(5), Some(100.0)), "IN;PS4;PU;SP5;VS9.88;PU;SP0;");
        assert_eq!(text(Some(7), Some(1.0)), "IN;PS4;PU;SP3;VS0.38;PU;SP0;");
        assert_eq!(text(None, Some(1000.0)), "IN;PS4;PU;SP3;PU;SP0;");
    }

    #[test]
    fn a_circle_is_two_arcs_where_the_model_has_them() {
        let text = program("hp7475a", &[&circle()], |_| {}).to_text();
        assert_eq!(text.matches("AA").count(), 2, "{text}");
        // 30 mm: half a unit of sagitta is 3.2 degrees.
        assert!(text.contains(",3;PD"), "{text}");
        let lines = program("hp7440a", &[&circle()], |_| {}).to_text();
        assert!(!lines.contains("AA") && lines.len() > 5 * text.len(), "{}", lines.len());
    }

    #[test]
    fn the_plan_takes_as_long_as_the_virtual_plotter() {
        let wave: Vec<(f64, f64)> =
            (0..200).map(|i| (30.0 + f64::from(i), 80.0 + 7.0 * f64::from(i % 2))).collect();
        // A DPX counts from the middle of its sheet, and stands at a corner when it is switched on.
        for id in ["hp7475a", "hp7440a", "hp7550a", "dxy-1150"] {
            for speed in [None, Some(100.0)] {
                let profile = Profile::built_in(id).unwrap();
                let placement = Placement::of_page(&profile, 297.0, 210.0).unwrap();
                let mut pen = Inventory::built_in("black").unwrap().pens.remove(0);
                pen.speed = speed;
                let dot = vec![(50.0, 50.0); 2];
                let strokes = [circle(), wave.clone(), dot]
                    .map(|points| Polyline::new(points.iter().map(|point| Point::from(*point)).collect()));
                let pass = Pass { pen, strokes: strokes.to_vec() };
                let planned = traceur_motion::plan(&pass, &profile, &placement).seconds();
                let program = crate::encode(0, &pass, &profile, &placement);
                let taken =
                    traceur_sim::run_program(program.to_text().as_bytes(), &profile).unwrap().seconds();
                assert!((planned - taken).abs() < 1e-3, "{id} {speed:?}: {planned} planned, {taken} taken");
            }
        }
    }

    #[test]
    fn statements_are_short_and_carry_their_last_vertex() {
        for id in ["hp7475a", "hp7440a"] {
            let wave: Vec<(f64, f64)> =
                (0..200).map(|i| (20.0 + f64::from(i), 100.0 + 7.0 * f64::from(i % 2))).collect();
            let program = program(id, &[&wave, &wave[..2]], |_| {});
            let limit = if id == "hp7440a" { 28 } else { 96 };
            assert!(program.statements.iter().all(|s| s.line.len() <= limit && s.line.ends_with(';')));
            let vertices: Vec<usize> = program
                .statements
                .iter()
                .filter_map(|s| Some((s.origin?, s.origin?.vertex)))
                .filter(|(o, _)| o.stroke == 0)
                .map(|(_, v)| v)
                .collect();
            assert!(vertices.windows(2).all(|pair| pair[0] < pair[1]) && vertices.last() == Some(&199));
            assert_eq!(program.statements.iter().filter(|s| s.drains).count(), 3);
        }
    }
}
