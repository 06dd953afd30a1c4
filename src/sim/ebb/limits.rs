//! Switches at port B that end all motion (firmware 3: `CU,51` to `CU,53`).

/// Port B with nothing plugged in: what is an input is pulled up.
const OPEN: u8 = 0b1110_0101;

/// What of port B is watched, and what has come of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limits {
    /// The levels of port B's pins.
    pub(super) pins: u8,
    /// `CU,51`: the pins that are watched.
    pub(super) mask: u8,
    /// `CU,52`: the levels that they trigger at.
    pub(super) target: u8,
    /// `CU,53`: whether a trigger is told unasked.
    pub(super) tells: bool,
    /// No motion is taken any more.
    pub(super) triggered: bool,
    /// Port B as it was then.
    pub(super) seen: u8,
}

impl Default for Limits {
    fn default() -> Self {
        Self { pins: OPEN, mask: 0, target: 0, tells: false, triggered: false, seen: 0 }
    }
}

impl Limits {
    /// Whether a watched pin has its target's level now and had not before.
    pub(super) fn trigger(&mut self) -> bool {
        if self.triggered || !(self.pins ^ self.target) & self.mask == 0 {
            return false;
        }
        (self.triggered, self.seen) = (true, self.pins);
        true
    }
}

#[cfg(test)]
mod tests {

    use crate::ebb::tests::{V2, V3, at, board, check, ms};

    #[test]
    fn cu_51_to_53_end_all_motion_at_a_switch() {
        let mut board = board(V3);
        assert_eq!(at(&mut board, 0, "CU,52,0\rCU,53,1\rCU,51,4\r"), "OK\r\nOK\r\nOK\r\n");
        assert_eq!(at(&mut board, 0, "SM,100,100,0\r"), "OK\r\n");
        assert_eq!(at(&mut board, 10, "SM,100,100,0\r"), "OK\r\n");
        board.switch_pin(ms(50), 2, false);
        assert_eq!(at(&mut board, 50, ""), "Limit switch triggered. PortB=E1\r\n", "told once");
        assert_eq!(at(&mut board, 60, "QM\rQU,1\r"), "QM,0,0,0,0\n\rQU,E1\r\nOK\r\n");
        assert_eq!(at(&mut board, 60, "QG\r"), "90\r\n", "bit 7, and the pen up");
        // What would move is taken and forgotten, until the switch is let go and the stop is cleared.
        board.switch_pin(ms(60), 2, true);
        assert_eq!(at(&mut board, 60, "CS\rSM,10,10,0\r"), "OK\r\nOK\r\n");
        assert_eq!(at(&mut board, 90, "QS\rCU,51,0\rSM,10,10,0\r"), "0,0\n\rOK\r\nOK\r\nOK\r\n");
        assert_eq!(at(&mut board, 120, "QS\rQG\r"), "10,0\n\rOK\r\n10\r\n");
    }

    #[test]
    fn em_clears_a_stop_and_a_switch_still_closed_stops_again() {
        let mut board = board(V3);
        at(&mut board, 0, "CU,51,4\r");
        board.switch_pin(ms(1), 2, false);
        assert_eq!(at(&mut board, 2, "QG\rEM,1,1\r"), "90\r\nOK\r\n");
        assert_eq!(at(&mut board, 3, "QG\r"), "90\r\n");
        board.switch_pin(ms(3), 2, true);
        at(&mut board, 3, "EM,1,1\r");
        assert_eq!(at(&mut board, 4, "QG\r"), "10\r\n");
    }

    #[test]
    fn qg_of_firmware_2_gives_the_pins_rb2_and_rb5() {
        let mut board = board(V2);
        assert_eq!(at(&mut board, 0, "QG\r"), "D0\r\n");
        board.switch_pin(ms(0), 5, false);
        assert_eq!(at(&mut board, 0, "QG\r"), "50\r\n");
        check(V2, "CU,51,4\rQG\r", "OK\r\nD0\r\n");
    }

    #[test]
    fn cu_50_leaves_the_motors_off() {
        let mut board = board(V3);
        assert_eq!(at(&mut board, 0, "CU,50,0\rSM,10,5,5\r"), "OK\r\nOK\r\n");
        assert_eq!(at(&mut board, 20, "QE\r"), "0,0\n\rOK\r\n");
    }

    #[test]
    fn cu_54_wants_a_checksum_behind_each_command() {
        let mut board = board(V3);
        assert_eq!(at(&mut board, 0, "CU,54,1\r"), "OK\r\n");
        assert_eq!(at(&mut board, 0, "QB,109\r"), "0\r\nOK\r\n");
        assert_eq!(at(&mut board, 0, "SM,1000,1000,1000,153\r"), "OK\r\n");
        assert_eq!(at(&mut board, 0, "V,100\r"), "!9 Err: Checksum incorrect, expected 170\r\n");
        assert_eq!(at(&mut board, 0, "QB\r"), "!10 Err: No checksum found but required\r\n");
        assert_eq!(at(&mut board, 0, "CU,10,1,126\r"), "\n");
        assert_eq!(at(&mut board, 0, "V,100\r"), "V,!9 Err: Checksum incorrect, expected 170\n");
        assert_eq!(at(&mut board, 0, "V\r"), "V,!10 Err: No checksum found but required\n");
        assert_eq!(at(&mut board, 0, "CU,54,0,119\rQB\r"), "CU\nQB,0\n");
        check(V2, "CU,54,1\rQB\r", "OK\r\n0\r\nOK\r\n");
    }

    #[test]
    fn td_is_an_unknown_command() {
        check(V2, "TD\r", "!8 Err: Unknown command 'TD:5444'\r\n");
        // What an unknown command leaves unread is an extra parameter, as for the firmware.
        check(V3, "TD,1\r", "!8 Err: Unknown command 'TD:5444'\r\n!7 Err: Extra parameter\r\n");
    }

    #[test]
    fn cu_3_the_led_and_cu_61_are_taken_and_change_nothing() {
        check(V3, "CU,3,1\rCU,3,0\rCU,61,300\rQG\r", "OK\r\nOK\r\nOK\r\n10\r\n");
        check(V3, "CU,3,2\r", "OK\r\n!6 Err: Invalid parameter value\r\n");
        check(V3, "CU,62,1\r", "OK\r\n!6 Err: Invalid parameter value\r\n");
        check(V2, "CU,3,1\rCU,61,300\r", "OK\r\nOK\r\n");
    }
}
