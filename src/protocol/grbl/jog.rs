//! The lines of a machine that is moved by hand.

use super::encode::number;
use crate::Height;
use traceur_core::machine::Lift;
use traceur_core::units::FeedRate;

/// A jog by so much (mm, machine axes) at a speed (mm/s). It is cancelled by 0x85 and changes no modal state.
pub(super) fn jog_line(by: [f64; 2], speed: f64) -> String {
    let [x, y] = by.map(|mm| number(mm, 3));
    format!("$J=G91G21X{x}Y{y}F{}", FeedRate::from_speed(speed.max(1.0)))
}

/// What moves the pen; nothing if its lift is none of GRBL's.
pub(super) fn pen_lines(lift: &Lift, height: Height) -> Vec<String> {
    match *lift {
        Lift::Servo { up_s, down_s, up_delay, down_delay } => {
            let (s, delay) = match height {
                Height::Up => (f64::from(up_s), up_delay),
                Height::Down => (f64::from(down_s), down_delay),
                Height::At(s) => (s.max(0.0), up_delay.max(down_delay)),
            };
            vec![format!("M3S{s:.0}"), format!("G4P{}", number(delay, 3))]
        }
        Lift::Z { up, down, speed, .. } => {
            let z = match height {
                Height::Up => up,
                Height::Down => down,
                Height::At(z) => z,
            };
            vec![format!("G21G90G54G1Z{}F{}", number(z, 2), FeedRate::from_speed(speed)), "G4P0".into()]
        }
        // First a profile is checked: no GRBL profile has another.
        Lift::EbbServo { .. } | Lift::Pen { .. } => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use traceur_core::machine::Profile;

    #[test]
    fn lines_are_short_and_have_their_units() {
        assert_eq!(jog_line([10.0, -0.25], 50.0), "$J=G91G21X10Y-.25F3000");
        let servo = Profile::built_in("grbl-servo").unwrap().lift;
        assert_eq!(pen_lines(&servo, Height::Down), ["M3S700", "G4P.15"]);
        assert_eq!(pen_lines(&servo, Height::At(512.4))[0], "M3S512");
        let z = Profile::built_in("grbl-z").unwrap().lift;
        assert_eq!(pen_lines(&z, Height::At(1.5))[0], "G21G90G54G1Z1.5F900");
    }
}
