//! The pen's lower height, as a profile has it, moved.

use traceur_core::machine::{Lift, Profile};

/// How far a nudge moves the pen: percent of the servo's range, S of a thousand, hundredths of a mm of Z times ten.
const NUDGE_PERCENT: f64 = 1.0;
const NUDGE_S: i64 = 10;
const NUDGE_MM: f64 = 0.1;
/// Makes the pen's lower height the upper one.
pub(super) fn raise(profile: &mut Profile) {
    match &mut profile.lift {
        Lift::Servo { up_s, down_s, .. } => *down_s = *up_s,
        Lift::Z { up, down, .. } => *down = *up,
        Lift::EbbServo { up_percent, down_percent, .. } => *down_percent = *up_percent,
        Lift::Pen { .. } => {}
    }
}

/// Moves the pen's lower height; false if the machine has none that can be set.
pub(super) fn nudge(profile: &mut Profile, by: i32) -> bool {
    match &mut profile.lift {
        Lift::Servo { up_s, down_s, .. } => {
            let up = if *up_s > *down_s { 1 } else { -1 };
            let next = i64::from(*down_s) + i64::from(by) * up * NUDGE_S;
            match u32::try_from(next) {
                Ok(next) if next != *up_s && next <= 1000 => *down_s = next,
                _ => return false,
            }
        }
        Lift::Z { up, down, .. } => {
            let next = *down + f64::from(by) * NUDGE_MM * (*up - *down).signum();
            if (*up - next) * (*up - *down) <= 0.0 {
                return false;
            }
            *down = next;
        }
        Lift::EbbServo { up_percent, down_percent, .. } => {
            let up = (*up_percent - *down_percent).signum();
            let next = *down_percent + f64::from(by) * NUDGE_PERCENT * up;
            if !(0.0..=100.0).contains(&next) || (*up_percent - next) * up <= 0.0 {
                return false;
            }
            *down_percent = next;
        }
        Lift::Pen { .. } => return false,
    }
    true
}
