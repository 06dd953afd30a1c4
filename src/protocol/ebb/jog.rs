//! The commands of a machine that is moved by hand.

use super::LowLevelMove;
use super::encode::pen;
use crate::{Height, Program, Statement};
use traceur_core::geometry::Point;
use traceur_core::machine::{Ebb, Lift, Placement, Profile};
use traceur_core::toolpath::Pass;
use traceur_motion::travel_slices;

/// `HM` knows no ramps: a speed at which the carriage starts and stops at once; mm/s along the longer way.
const HOME_SPEED: f64 = 40.0;

/// Brings the carriage to where the board's counters are zero.
pub(super) fn home_line(ebb: &Ebb) -> String {
    let rate = (HOME_SPEED * ebb.steps_per_mm).min(ebb.step_rate).round();
    format!("HM,{rate}")
}

/// The program that lifts the pen of `pass` and brings the carriage to where the board's counters are zero.
pub(crate) fn home_program(profile: &Profile, ebb: &Ebb, placement: &Placement, pass: &Pass) -> Program {
    let empty = Pass { pen: pass.pen.clone(), strokes: Vec::new() };
    let mut program = super::encode(0, &empty, profile, ebb, placement);
    let lines = program.lift.iter().cloned().chain([home_line(ebb)]);
    program.statements = lines.map(|line| Statement { line, origin: None, drains: false }).collect();
    program
}

/// A way (mm, machine axes) with the profile's ramps and travel speed, from wherever the pen is.
pub(super) fn jog_lines(by: [f64; 2], profile: &Profile, ebb: &Ebb) -> Vec<String> {
    let slices = travel_slices(Point::new(by[0], by[1]), profile, ebb);
    slices.iter().map(|slice| LowLevelMove::of(slice).to_line()).collect()
}

/// What moves the pen: the servo's two places, and the move to one of them. Any height but the profile's own is set as the
/// place of the pen that is down, until the next plot sets it anew.
pub(super) fn pen_lines(profile: &Profile, ebb: &Ebb, height: Height) -> Vec<String> {
    let mut lift = profile.lift.clone();
    if let (Lift::EbbServo { down_percent, .. }, Height::At(percent)) = (&mut lift, height) {
        *down_percent = percent.clamp(0.0, 100.0);
    }
    let Some(pulses) = ebb.pulses(&lift) else { return Vec::new() };
    let down = height != Height::Up;
    vec![
        format!("SC,4,{}", pulses.up),
        format!("SC,5,{}", pulses.down),
        format!("SC,11,{}", pulses.up_rate),
        format!("SC,12,{}", pulses.down_rate),
        pen(ebb, down, ebb.lift_ms(&lift, down)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use traceur_core::machine::Firmware;

    #[test]
    fn a_jog_is_a_ramped_move_of_whole_steps() {
        let profile = Profile::built_in("axidraw-v3").unwrap();
        let Firmware::Ebb(ebb) = &profile.firmware else { panic!("{profile:?}") };
        let lines = jog_lines([10.0, -5.0], &profile, ebb);
        let moves: Vec<LowLevelMove> = lines.iter().map(|line| LowLevelMove::parse(line).unwrap()).collect();
        let sum = |motor: usize| moves.iter().map(|m| m.motors[motor].steps).sum::<i32>();
        assert_eq!([sum(0), sum(1)], [400, 1200]);
        assert!(moves.len() > 5 && jog_lines([0.0, 0.0], &profile, ebb).is_empty());
    }

    #[test]
    fn a_height_of_its_own_is_where_the_pen_is_down() {
        let profile = Profile::built_in("axidraw-v3").unwrap();
        let Firmware::Ebb(ebb) = &profile.firmware else { panic!("{profile:?}") };
        let lines = pen_lines(&profile, ebb, Height::At(50.0));
        assert!(lines[1] == "SC,5,18843" && lines[4].starts_with("SP,0,"), "{lines:?}");
        assert!(pen_lines(&profile, ebb, Height::Up)[4].starts_with("SP,1,"));
    }
}
