//! From strokes to the board's commands.

use super::LowLevelMove;
use crate::{Origin, Program, Statement};
use traceur_core::machine::{Dialect, Ebb, Placement, Profile};
use traceur_core::toolpath::Pass;
use traceur_motion::{Stepped, stepped};

/// Encodes the strokes of `pass`, the `pass_index`-th of its toolpath: servo and motors are set up, the pen goes up, and
/// all ends at the machine's origin with the pen up and the motors on.
///
/// Every move is an `LM` of at most 15 ms (longer only where a step takes longer), which takes exactly the ticks that the
/// plan gives it: its rates are chosen so that the last step falls into the last tick. Positions are rounded to whole
/// steps from the machine's zero, so that no drift can add up. The accumulators are cleared by each move, so that firmware
/// 2 and 3 do the same. `SM` and `XM` are not used: their rates are rounded differently in each version.
#[must_use]
pub fn encode(
    pass_index: usize,
    pass: &Pass,
    profile: &Profile,
    ebb: &Ebb,
    placement: &Placement,
) -> Program {
    let mut statements = Vec::new();
    let mut push = |line: String, origin: Option<Origin>| {
        // Whether an answer proves anything depends on the queue, which the session knows.
        statements.push(Statement { line, origin, drains: false });
    };
    for line in set_up(profile, ebb) {
        push(line, None);
    }
    let at = |stroke: Option<usize>, vertex| stroke.map(|stroke| Origin { pass: pass_index, stroke, vertex });
    for item in stepped(pass, profile, ebb, placement) {
        match item {
            Stepped::Run { stroke, slices, .. } => {
                for slice in &slices {
                    push(LowLevelMove::of(slice).to_line(), at(stroke, slice.vertex));
                }
            }
            Stepped::Lift { stroke, vertex, down, ms, .. } => push(pen(ebb, down, ms), at(stroke, vertex)),
        }
    }
    Program {
        dialect: Dialect::Ebb,
        title: format!("traceur pass {}: pen {}", pass_index + 1, plain(&pass.pen.id)),
        statements,
        lift: vec![pen(ebb, false, ebb.lift_ms(&profile.lift, false))],
    }
}

/// What makes the board ready: the servo's pulses and rates, its power, the motors.
fn set_up(profile: &Profile, ebb: &Ebb) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(pulses) = ebb.pulses(&profile.lift) {
        lines.push(format!("SC,4,{}", pulses.up));
        lines.push(format!("SC,5,{}", pulses.down));
        lines.push(format!("SC,11,{}", pulses.up_rate));
        lines.push(format!("SC,12,{}", pulses.down_rate));
    }
    lines.push(format!("SR,{},1", (ebb.servo_power_timeout * 1000.0).round() as u32));
    // Both parameters: firmware 3.0.3 answers nothing to one.
    lines.push(format!("EM,{0},{0}", ebb.microstep_mode));
    lines
}

/// The command that puts the pen down or lifts it, and holds the next one back for so long.
pub(super) fn pen(ebb: &Ebb, down: bool, ms: u16) -> String {
    // RB1 is what the board takes without being told.
    let pin = if ebb.servo_pin == 1 { String::new() } else { format!(",{}", ebb.servo_pin) };
    format!("SP,{},{ms}{pin}", u8::from(!down))
}

fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() || " .,:-_".contains(c) { c } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use traceur_core::geometry::{Point, Polyline};
    use traceur_core::machine::Firmware;
    use traceur_core::pens::Inventory;
    use traceur_motion::plan;

    fn program(id: &str, strokes: &[&[(f64, f64)]]) -> (Program, f64) {
        let profile = Profile::built_in(id).unwrap();
        let Firmware::Ebb(ebb) = &profile.firmware else { panic!("{id}") };
        let pen = Inventory::built_in("black").unwrap().pens.remove(0);
        let strokes = strokes.iter().map(|s| Polyline::new(s.iter().map(|p| Point::from(*p)).collect()));
        let pass = Pass { pen, strokes: strokes.collect() };
        let placement = Placement::new(&profile, 100.0);
        let seconds = plan(&pass, &profile, &placement).seconds();
        (encode(1, &pass, &profile, ebb, &placement), seconds)
    }

    /// Ticks of the timed commands.
    fn ticks(program: &Program) -> u64 {
        let of = |line: &str| match line.split(',').collect::<Vec<_>>()[..] {
            ["LM", ..] => u64::from(LowLevelMove::parse(line).unwrap().ticks().unwrap()),
            ["SP", _, ms, ..] => ms.parse::<u64>().unwrap() * 25,
            _ => 0,
        };
        program.statements.iter().map(|statement| of(&statement.line)).sum()
    }

    #[test]
    fn a_small_drawing_reads_as_expected() {
        let (program, _) = program("axidraw-v3", &[&[(0.5, 0.0), (0.5, 1.0)], &[(0.5, 1.0), (0.5, 1.0)]]);
        let text = program.to_text().replace('\r', "\n");
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write("tests/golden/small.ebb", &text).unwrap();
        }
        assert_eq!(text, include_str!("../tests/golden/small.ebb"));
    }

    #[test]
    fn the_plan_takes_what_the_commands_take() {
        let curve: Vec<(f64, f64)> = (0..400)
            .map(|n| {
                let (sin, cos) = (f64::from(n) * 0.05).sin_cos();
                (50.0 + 40.0 * cos, 50.0 + 30.0 * sin)
            })
            .collect();
        for id in ["axidraw-v3", "axidraw-minikit", "idraw-ebb"] {
            let (program, seconds) =
                program(id, &[&curve, &[(3.0, 4.0), (3.0, 4.0)], &[(0.0, 0.0), (90.0, 70.0), (0.0, 0.004)]]);
            assert!((seconds * 25_000.0 - ticks(&program) as f64).abs() < 1e-6, "{id}");
        }
    }

    #[test]
    fn statements_know_their_vertex() {
        let (program, _) = program("axidraw-v3", &[&[(0.0, 0.0), (30.0, 0.0), (30.0, 20.0)]]);
        let of = |index: usize| program.statements[index].origin;
        assert_eq!(of(0), None);
        assert_eq!(of(7), Some(Origin { pass: 1, stroke: 0, vertex: 0 }));
        let vertices: Vec<usize> =
            program.statements[8..].iter().filter_map(|s| Some(s.origin?.vertex)).collect();
        assert!(vertices.is_sorted() && vertices.first() == Some(&1) && vertices.last() == Some(&2));
        assert_eq!(program.statements[program.statements.len() - 1].origin, None);
    }

    #[test]
    fn no_move_is_longer_than_a_pause_may_wait() {
        let (program, _) = program("axidraw-v3", &[&[(0.0, 0.0), (200.0, 90.0)]]);
        let moves = program.statements.iter().filter_map(|s| LowLevelMove::parse(&s.line));
        let longest = moves.map(|lm| lm.ticks().unwrap()).max().unwrap();
        assert!(longest <= 475, "{longest} ticks");
        assert!(program.statements.len() > 150);
    }

    #[test]
    fn a_narrow_band_servo_has_its_pin() {
        let mut profile = Profile::built_in("axidraw-v3").unwrap();
        if let Firmware::Ebb(ebb) = &mut profile.firmware {
            ebb.servo_pin = 2;
            assert_eq!(pen(ebb, true, 99), "SP,0,99,2");
        }
    }
}
