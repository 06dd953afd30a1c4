//! How fast the pen may go around a corner.

use super::Limits;

/// |cos θ| beyond which a corner counts as a reversal, or as none; GRBL's own bound.
const STRAIGHT: f64 = 0.999_999;

/// Greatest squared speed at the corner between two moves along the unit vectors `before` and `after`; mm²/s².
///
/// The corner is replaced in thought by an arc that stays within δ of it; the speed is that at which the arc's
/// centripetal acceleration is the machine's: v² = a·δ·sin(θ/2) / (1 − sin(θ/2)). Straight on is infinite, a reversal
/// 0. Source: GRBL 1.1h, `planner.c`, `plan_buffer_line`.
#[must_use]
pub fn junction_v2(before: [f64; 3], after: [f64; 3], limits: &impl Limits) -> f64 {
    let cos_theta = -(0..3).map(|axis| before[axis] * after[axis]).sum::<f64>();
    if cos_theta > STRAIGHT {
        return 0.0;
    }
    if cos_theta < -STRAIGHT {
        return f64::INFINITY;
    }
    let turn = [after[0] - before[0], after[1] - before[1], after[2] - before[2]];
    let size = turn[0].hypot(turn[1]).hypot(turn[2]);
    let acceleration = limits.acceleration_along(turn.map(|along| along / size));
    let sin_half = (0.5 * (1.0 - cos_theta)).sqrt();
    acceleration * limits.junction_deviation() * sin_half / (1.0 - sin_half)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::AxisLimits;

    const LIMITS: AxisLimits =
        AxisLimits { speed: [100.0; 3], acceleration: [600.0; 3], junction_deviation: 0.02 };

    fn v2(degrees: f64) -> f64 {
        let (sin, cos) = degrees.to_radians().sin_cos();
        junction_v2([1.0, 0.0, 0.0], [cos, sin, 0.0], &LIMITS)
    }

    #[test]
    fn straight_on_is_free_and_a_reversal_stops() {
        assert_eq!(v2(0.0), f64::INFINITY);
        assert_eq!(v2(180.0), 0.0);
    }

    #[test]
    fn a_right_angle_is_grbls_formula() {
        // The turn points along (−1, 1): both axes share it, so a = 600·√2.
        let half = 0.5_f64.sqrt();
        assert!((v2(90.0) - 600.0 * 2.0_f64.sqrt() * 0.02 * half / (1.0 - half)).abs() < 1e-9);
    }

    #[test]
    fn sharper_is_slower() {
        assert!((1..18).all(|step| v2(f64::from(step) * 10.0 - 5.0) > v2(f64::from(step) * 10.0 + 5.0)));
    }
}
