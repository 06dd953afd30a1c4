//! What firmware does, row by row of what is known of it.

use std::time::Duration;

use proptest::prelude::*;

use super::{VirtualEbb, run_program};
use crate::VirtualPlotter as _;
use traceur_core::geometry::Point;
use traceur_core::machine::{Ebb, Firmware, Profile, Version};

pub(super) const V2: Version = Version(2, 8, 1);
pub(super) const V3: Version = Version(3, 0, 3);

fn profile() -> (Profile, Ebb) {
    let profile = Profile::built_in("axidraw-v3").unwrap();
    let Firmware::Ebb(ebb) = profile.firmware.clone() else { panic!("{profile:?}") };
    (profile, ebb)
}

pub(super) fn board(firmware: Version) -> VirtualEbb {
    let (profile, ebb) = profile();
    VirtualEbb::with_firmware(&profile, &ebb, firmware)
}

pub(super) fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// What it says at once.
pub(super) fn at(board: &mut VirtualEbb, now: u64, bytes: &str) -> String {
    board.receive(ms(now), bytes.as_bytes());
    String::from_utf8(board.poll_output()).unwrap()
}

/// What fresh boards say at once.
#[track_caller]
pub(super) fn check(firmware: Version, sent: &str, expected: &str) {
    assert_eq!(at(&mut board(firmware), 0, sent), expected, "{sent:?}");
}

#[track_caller]
fn both(sent: &str, expected: &str) {
    check(V2, sent, expected);
    check(V3, sent, expected);
}

#[test]
fn v_is_one_line_without_ok() {
    check(V2, "V\r", "EBBv13_and_above EB Firmware Version 2.8.1\r\n");
    check(V3, "v\r", "EBBv13_and_above EB Firmware Version 3.0.3\r\n");
}

#[test]
fn a_i_mr_and_pi_are_one_line_without_ok() {
    for query in ["A\r", "I\r", "MR,100\r", "PI,B,2\r"] {
        for firmware in [V2, V3] {
            let said = at(&mut board(firmware), 0, query);
            let name = query.trim_end().split(',').next().unwrap();
            assert!(said.starts_with(name) && said.ends_with("\r\n") && !said.contains("OK"), "{said:?}");
            assert_eq!(said.matches('\n').count(), 1, "{said:?}");
        }
    }
    // Low means on: the motors' enable pins, before and after.
    let mut board = board(V3);
    assert_eq!(at(&mut board, 0, "PI,E,0\rEM,1,1\r"), "PI,1\r\nOK\r\n");
    assert_eq!(at(&mut board, 1, "PI,E,0\r"), "PI,0\r\n");
}

#[test]
fn letters_are_case_insensitive_and_cr_lf_counts_once() {
    both("sl,5\r\nSl,6\nqp\r\n\r\n\n\r", "OK\r\nOK\r\n1\n\rOK\r\n");
}

#[test]
fn several_commands_in_one_write_are_parsed_in_order() {
    both("SL,7\rSC,4,9000\rSC,99,1\rQP\r", "OK\r\nOK\r\nOK\r\n1\n\rOK\r\n");
}

#[test]
fn backspace_edits_and_control_characters_are_dropped() {
    both("QPX\x08\r", " \x081\n\rOK\r\n");
    both("Q\x01\x1bP\r", "1\n\rOK\r\n");
}

#[test]
fn longer_than_the_buffer_is_error_3() {
    both(&"9".repeat(256), "!3 Err: RX Buffer overrun\r\n");
    both(
        &format!("{}\r", "9".repeat(255)),
        "!8 Err: Unknown command '99:3939'\r\n!7 Err: Extra parameter\r\n",
    );
}

#[test]
fn queries_end_their_lines_as_they_always_have() {
    check(V2, "QS\r", "0,0\n\rOK\r\n");
    check(V2, "QM\r", "QM,0,0,0,0\n\r");
    check(V2, "QG\r", "D0\r\n");
    check(V3, "QG\r", "10\r\n");
    both("QB\r", "0\r\nOK\r\n");
    both("QE\r", "0,0\n\rOK\r\n");
    both("QT\r", "\r\nOK\r\n");
    both("QR\r", "0\r\nOK\r\n");
    check(V2, "QC\r", "0394,0300\r\nOK\r\n");
    check(V3, "QC\r", "394,300\r\nOK\r\n");
    check(V2, "QN\r", "0000000000\r\nOK\r\n");
    check(V3, "QU,2\r", "QU,32\r\nOK\r\n");
    check(V2, "QU,2\r", "!8 Err: Unknown command 'QU:5155'\r\n!7 Err: Extra parameter\r\n");
}

#[test]
fn bl_and_rb_say_nothing() {
    both("RB\r", "");
    both("BL\r", "");
}

#[test]
fn the_future_syntax_names_every_reply() {
    let mut board = board(V3);
    assert_eq!(at(&mut board, 0, "CU,10,1\r"), "\n");
    assert_eq!(at(&mut board, 0, "V\r"), "V,EBBv13_and_above EB Firmware Version 3.0.3\n");
    assert_eq!(at(&mut board, 0, "SM,10,1,1\rQS\rQM\r"), "SM\nQS,0,0\nQM,0,0,0,1\n");
    assert_eq!(at(&mut board, 99, "QG\rQC\rSL,3\rQL\r"), "QG,10\nQC,394,300\nSL\nQL,3\n");
    assert_eq!(at(&mut board, 99, "SM,0,1,1\r"), "SM,!6 Err: Invalid parameter value\n");
    assert_eq!(at(&mut board, 99, "SM\r"), "SM,!4 Err: Missing parameter(s)\n");
    assert_eq!(at(&mut board, 99, "CU,10,0\r"), "CUOK\r\n");
    assert_eq!(at(&mut board, 99, "QP\r"), "1\n\rOK\r\n");
}

#[test]
fn firmware_2_ignores_what_it_can_not_configure() {
    check(V2, "CU,10,1\rQP\r", "OK\r\n1\n\rOK\r\n");
    check(V3, "CU,99,1\r", "OK\r\n!6 Err: Invalid parameter value\r\n");
}

#[test]
fn ok_can_be_switched_off() {
    both("CU,1,0\rSL,1\r", "\r\n\r\n");
}

#[test]
fn errors_have_their_texts_and_no_ok() {
    both("SM,10\r", "!4 Err: Missing parameter(s)\r\n");
    both("SM,10.5,1,1\r", "!5 Err: Need comma next, found: '.'\r\n");
    both("SM 10,1,1\r", "!5 Err: Need comma next, found: ' '\r\n");
    both("SM,+10,1,1\r", "!5 Err: Need comma next, found: '+'\r\n");
    both("SM,-10,1,1\r", "!6 Err: Invalid parameter value\r\n");
    both("SL,256\r", "!6 Err: Invalid parameter value\r\n");
    both("XX\r", "!8 Err: Unknown command 'XX:5858'\r\n");
    both("B\r", "!8 Err: Unknown command 'B:42'\r\n");
}

#[test]
fn error_1_never_comes_too_fast_is_error_0_or_nothing() {
    for firmware in [V2, V3] {
        for fast in [
            "SM,1,26,26",
            "XM,1,26,0",
            "LM,2147483647,9,0,2147483647,9,0",
            "LT,9,2147483647,0,0,0",
            "HM,25001",
        ] {
            let said = at(&mut board(firmware), 0, &format!("{fast}\r"));
            assert!(!said.contains("!1"), "{fast}: {said}");
        }
    }
}

#[test]
fn error_2_never_comes_a_host_that_does_not_read_is_waited_for() {
    let mut board = board(V3);
    board.receive(ms(0), "QS\r".repeat(500).as_bytes());
    let said = at(&mut board, 0, "QP\r");
    assert_eq!(said.len(), "0,0\n\rOK\r\n".len() * 500 + "1\n\rOK\r\n".len(), "nothing is lost");
}

#[test]
fn an_extra_parameter_is_an_error_after_the_ok() {
    both("SM,10,1,1,0,9\r", "OK\r\n!7 Err: Extra parameter\r\n");
    both("QP,1\r", "1\n\rOK\r\n!7 Err: Extra parameter\r\n");
}

#[test]
fn xm_and_hm_of_firmware_3_say_ok_before_their_error() {
    check(V3, "XM,10\r", "OK\r\n!4 Err: Missing parameter(s)\r\n");
    check(V3, "HM\r", "OK\r\n!4 Err: Missing parameter(s)\r\n");
    check(V2, "XM,10\r", "!4 Err: Missing parameter(s)\r\n");
}

#[test]
fn sm_with_zero_ms_is_error_6() {
    both("SM,0,1,1\r", "!6 Err: Invalid parameter value\r\n");
}

#[test]
fn sm_limits_of_firmware_2() {
    check(V2, "SM,16777216,1,1\r", "!0 Err: <move_duration> larger than 16777215 ms.\n\r");
    check(V2, "SM,1,16777216,1\r", "!0 Err: <axis1> larger than 16777215 steps.\n\r");
    check(V2, "SM,10,1,260\r", "!0 Err: <axis2> step rate > 25K steps/second.\n\r");
    // Whole numbers: 259 / 10 is 25.
    check(V2, "SM,10,1,250\r", "OK\r\n");
    check(V2, "SM,1311,1,1\r", "!0 Err: <axis1> step rate < 1.31Hz.\n\r");
    check(V2, "SM,1310,1,1\r", "OK\r\n");
    check(V2, "SM,5000,0,0\r", "OK\r\n");
}

#[test]
fn sm_limits_of_firmware_3() {
    check(V3, "SM,10,1,260\r", "!0 Err: <axis2> step rate too high\n\r");
    check(V3, "SM,4294967295,1,1\r", "!0 Err: <axis1> step rate too slow\n\r");
    check(V3, "SM,100000,1,1\r", "OK\r\n");
}

#[test]
fn cu_2_switches_the_limit_checks_off() {
    check(V3, "CU,2,0\rSM,10,1,260\r", "OK\r\nOK\r\n");
    check(
        V2,
        "CU,2,0\rSM,16777216,1,1\r",
        "OK\r\nMajor malfunction Axis1 StepCounter zero\n\rMajor malfunction Axis2 StepCounter zero\n\rOK\r\n",
    );
}

#[test]
fn xm_limits_count_the_sum_and_the_difference() {
    check(V2, "XM,10,200,100\r", "!0 Err: <axis1> step rate > 25K steps/second.\n\r");
    check(V2, "XM,10,200,-100\r", "!0 Err: <axis2> step rate > 25K steps/second.\n\r");
    let mut board = board(V2);
    at(&mut board, 0, "XM,100,300,100\r");
    assert_eq!(at(&mut board, 200, "QS\r"), "400,200\n\rOK\r\n");
    // Motor steps: (400 + 200) / 160 and (400 - 200) / 160 mm.
    assert_eq!(board.trace().pieces.last().unwrap().to, Point::new(3.75, 1.25));
}

#[test]
fn lm_that_can_not_move_is_error_6() {
    for line in ["LM,0,5,0,0,5,0\r", "LM,100,0,1,100,0,1\r", "LM,0,5,0,100,0,1\r"] {
        both(line, "!6 Err: Invalid parameter value\r\n");
    }
    check(V3, "LM,-100,-5,0,0,0,0\r", "!6 Err: Invalid parameter value\r\n");
    check(V2, "LM,-100,5,0,0,0,0\r", "!6 Err: Invalid parameter value\r\n");
}

#[test]
fn lt_with_zero_intervals_is_error_6_and_lasts_its_ticks() {
    both("LT,0,5,0,5,0\r", "!6 Err: Invalid parameter value\r\n");
    for firmware in [V2, V3] {
        let mut board = board(firmware);
        // 1000 steps/s for 0.1 s, one motor backwards.
        at(&mut board, 0, "LT,2500,85899346,0,-85899346,0,3\r");
        assert_eq!(at(&mut board, 101, "QS\rQM\r"), "100,-100\n\rOK\r\nQM,0,0,0,0\n\r");
    }
}

#[test]
fn both_firmwares_take_the_same_steps_of_an_lm_with_cleared_accumulators() {
    let run = |firmware| {
        let mut board = board(firmware);
        at(&mut board, 0, "EM,1,1\rLM,572662360,120,1908874,33405302,-7,111351,3\r");
        (0..16).map(|tick| at(&mut board, tick, "QS\r")).collect::<String>()
    };
    assert_eq!(run(V2), run(V3));
    assert!(run(V2).ends_with("120,-7\n\rOK\r\n"), "{}", run(V2));
}

#[test]
fn accumulators_persist_unless_they_are_cleared() {
    let mut board = board(V3);
    at(&mut board, 0, "LT,10,1000,0,0,0\rLT,10,1000,0,0,0\r");
    assert_eq!(at(&mut board, 10, "QU,200\r"), "OK\r\nQU,20000,0\r\nOK\r\n");
    assert_eq!(at(&mut board, 10, "LT,10,1000,0,0,0,3\r"), "OK\r\n");
    assert_eq!(at(&mut board, 20, "QU,200\r"), "QU,10000,0\r\nOK\r\n");
    at(&mut board, 20, "LT,10,-1000,0,0,0,1\r");
    assert_eq!(at(&mut board, 30, "QU,200\r"), "QU,2147473647,0\r\nOK\r\n");
}

#[test]
fn em_is_queued_and_zeroes_the_counters() {
    for firmware in [V2, V3] {
        let mut board = board(firmware);
        assert_eq!(at(&mut board, 0, "SM,100,50,50\r"), "OK\r\n");
        assert_eq!(at(&mut board, 1, "EM,2,2\r"), "OK\r\n");
        assert_eq!(at(&mut board, 99, "QE\rQS\r"), "16,16\n\rOK\r\n49,49\n\rOK\r\n");
        assert_eq!(at(&mut board, 102, "QE\rQS\r"), "8,8\n\rOK\r\n0,0\n\rOK\r\n");
        // Eighths of a step from now on.
        at(&mut board, 102, "SM,100,40,40\r");
        at(&mut board, 300, "");
        assert_eq!(board.trace().pieces.last().unwrap().to, Point::new(0.625 + 1.0, 0.0));
    }
}

#[test]
fn em_with_one_parameter_gets_no_answer_from_firmware_3() {
    check(V3, "EM,2\r", "");
    check(V2, "EM,2\r", "OK\r\n");
}

#[test]
fn a_stuck_parser_reads_nothing_not_even_es() {
    for firmware in [V2, V3] {
        let mut board = board(firmware);
        let sent = "SM,100,10,10\rSM,100,10,10\rSM,100,10,10\rES\rQG\r";
        // The first is not taken before the next interrupt: it fills the queue, and the second is stuck.
        assert_eq!(at(&mut board, 0, sent), "OK\r\n");
        assert_eq!(at(&mut board, 1, ""), "OK\r\n");
        assert_eq!(at(&mut board, 99, ""), "");
        let said = at(&mut board, 101, "");
        assert!(said.starts_with("OK\r\n1"), "the third is in, then ES: {said:?}");
        assert!(said.ends_with(if firmware == V2 { "D0\r\n" } else { "10\r\n" }), "{said:?}");
    }
}

#[test]
fn es_gives_what_was_left() {
    let mut two = board(V2);
    at(&mut two, 0, "SM,100,100,-50\r");
    at(&mut two, 1, "SM,100,7,8\r");
    // 50 ms of 100 are gone, at a rate of 15 bits in moves of more than 30 ms.
    assert_eq!(at(&mut two, 51, "ES\r"), "1,7,8,50,25\n\rOK\r\n");
    assert_eq!(
        at(&mut two, 51, "ES\rQE\rES,1\rQE\r"),
        "0,0,0,0,0\n\rOK\r\n16,16\n\rOK\r\n0,0,0,0,0\n\rOK\r\n0,0\n\rOK\r\n"
    );
    let mut three = board(V3);
    at(&mut three, 0, "SM,100,100,-50\r");
    assert_eq!(at(&mut three, 51, "ES\rES\rQS\r"), "1\n\rOK\r\n0\n\rOK\r\n50,-25\n\rOK\r\n");
}

#[test]
fn qs_is_live_and_cs_zeroes() {
    let mut board = board(V3);
    at(&mut board, 0, "SM,1000,1000,500\r");
    assert_eq!(at(&mut board, 500, "QS\r"), "499,249\n\rOK\r\n");
    assert_eq!(at(&mut board, 500, "CS\rQS\r"), "OK\r\n0,0\n\rOK\r\n");
    assert_eq!(at(&mut board, 1100, "QS\r"), "501,251\n\rOK\r\n");
}

#[test]
fn qg_tells_what_moves() {
    let mut board = board(V3);
    assert_eq!(at(&mut board, 0, "SM,100,0,10\r"), "OK\r\n");
    // Executing, motor 2, pen up.
    assert_eq!(at(&mut board, 10, "QG\rQM\r"), "1A\r\nQM,1,0,1,0\n\r");
    assert_eq!(at(&mut board, 10, "SP,0\rQG\rQM\r"), "OK\r\n1B\r\nQM,1,0,1,1\n\r");
    assert_eq!(at(&mut board, 200, "QG\r"), "00\r\n", "pen down");
}

#[test]
fn the_button_is_told_once() {
    let mut board = board(V2);
    board.press_button();
    assert_eq!(at(&mut board, 0, "QB\rQB\r"), "1\r\nOK\r\n0\r\nOK\r\n");
    board.press_button();
    assert_eq!(at(&mut board, 0, "QG\rQG\r"), "F0\r\nD0\r\n");
}

#[test]
fn qc_is_low_without_motor_power_and_the_pen_stays() {
    let mut board = board(V2);
    board.switch_motor_power(false);
    assert_eq!(at(&mut board, 0, "QC\rSM,10,100,0\r"), "0394,0020\r\nOK\r\nOK\r\n");
    assert_eq!(at(&mut board, 20, "QS\r"), "100,0\n\rOK\r\n");
    assert_eq!(board.trace().pieces.last().unwrap().to, Point::ORIGIN);
    let mut board = self::board(V3);
    at(&mut board, 0, "CU,60,250\r");
    board.switch_motor_power(false);
    assert_eq!(at(&mut board, 0, "QG\rQG\r"), "50\r\n10\r\n");
}

#[test]
fn sp_goes_down_with_0_and_up_with_1_and_delays_the_next() {
    let mut board = board(V2);
    assert_eq!(at(&mut board, 0, "SC,4,20641\rSC,5,15248\rSC,10,0\rSP,0,200\r"), "OK\r\nOK\r\nOK\r\nOK\r\n");
    assert_eq!(at(&mut board, 1, "QP\rSM,10,10,10\rQS\r"), "0\n\rOK\r\nOK\r\n0,0\n\rOK\r\n");
    assert_eq!(at(&mut board, 200, "QS\r"), "0,0\n\rOK\r\n");
    assert_eq!(at(&mut board, 211, "QS\rTP\r"), "10,10\n\rOK\r\nOK\r\n");
    assert_eq!(at(&mut board, 212, "QP\rQR\r"), "1\n\rOK\r\n1\r\nOK\r\n");
    let strokes = board.trace().strokes();
    assert_eq!(strokes.len(), 1);
}

#[test]
fn the_servo_slews_by_its_rate_each_24_ms() {
    // From 22565 (boot) to 15248 at 400 in 24 ms: the paper is at 17944.5, twelve periods away.
    let mut board = board(V3);
    at(&mut board, 0, "SC,5,15248\rSP,0,1000\r");
    at(&mut board, 2000, "");
    let down = board.trace().pieces.iter().find(|piece| piece.pen_down).unwrap();
    assert_eq!(down.begin, ms(12 * 24));
}

#[test]
fn s2_moves_the_pen_but_not_what_qp_says() {
    let mut board = board(V2);
    at(&mut board, 0, "S2,15248,4,0,300\r");
    assert_eq!(at(&mut board, 1, "QP\r"), "0\n\rOK\r\n", "any pulse but SC,4's is down");
    at(&mut board, 1, "S2,20000,4,0,300\r");
    at(&mut board, 700, "");
    assert_eq!(at(&mut board, 700, "QP\r"), "0\n\rOK\r\n", "up, but it still says down");
    assert!(board.trace().pieces.iter().any(|piece| piece.pen_down));
    assert!(!board.trace().pieces.last().unwrap().pen_down);
    both("S2,1,25\r", "!6 Err: Invalid parameter value\r\n");
}

#[test]
fn servo_power_ends_after_its_timeout() {
    let mut board = board(V2);
    assert_eq!(at(&mut board, 0, "SR,1000,1\rQR\r"), "OK\r\n1\r\nOK\r\n");
    assert_eq!(at(&mut board, 1001, "QR\r"), "0\r\nOK\r\n");
    at(&mut board, 1001, "SP,1\r");
    assert_eq!(at(&mut board, 1500, "QR\rSR,1000,0\rQR\r"), "1\r\nOK\r\nOK\r\n0\r\nOK\r\n");
}

#[test]
fn hm_waits_and_goes_home() {
    for firmware in [V2, V3] {
        let mut board = board(firmware);
        assert_eq!(at(&mut board, 0, "SM,100,300,-100\rHM,1000\r"), "OK\r\n");
        assert_eq!(at(&mut board, 99, "QS\r"), "");
        assert_eq!(at(&mut board, 102, ""), "OK\r\n300,-100\n\rOK\r\n");
        assert_eq!(at(&mut board, 500, "QS\rHM,1000,10,20\r"), "0,0\n\rOK\r\nOK\r\n");
        assert_eq!(at(&mut board, 900, "QS\r"), "10,20\n\rOK\r\n");
        // One step of the short way in 2 s would be too slow: first both, then the long one alone.
        assert_eq!(at(&mut board, 900, "HM,1000,2010,21\r"), "", "the second move does not fit yet");
        assert_eq!(at(&mut board, 901, ""), "OK\r\n");
        assert_eq!(at(&mut board, 950, "QS\r").split(',').nth(1), Some("21\n\rOK\r\n"));
    }
    check(V2, "HM,0\r", "!6 Err: Invalid parameter value\r\n");
}

#[test]
fn a_longer_queue_takes_more_at_once() {
    let mut board = board(V3);
    assert_eq!(at(&mut board, 0, "QU,3\rCU,4,5\rQU,3\r"), "QU,1\r\nOK\r\nOK\r\nQU,5\r\nOK\r\n");
    let sent = "SM,10,1,1\r".repeat(7);
    assert_eq!(at(&mut board, 0, &sent), "OK\r\n".repeat(5));
    assert_eq!(at(&mut board, 1, ""), "OK\r\n");
    assert_eq!(at(&mut board, 100, ""), "OK\r\n");
    // It is changed only when all has ended.
    assert_eq!(at(&mut board, 100, "SM,50,1,1\rCU,4,1\rQP\r"), "OK\r\n");
    assert_eq!(at(&mut board, 151, ""), "OK\r\n1\n\rOK\r\n");
}

#[test]
fn storage_and_nickname_are_kept() {
    check(V3, "SL,9,31\rQL,31\rQL\r", "OK\r\n9\r\nOK\r\n0\r\nOK\r\n");
    check(V2, "SL,9\rQL\r", "OK\r\n009\r\nOK\r\n");
    both("ST,Penelope\rQT\r", "OK\r\nPenelope\r\nOK\r\n");
    both("SL,9\rR\rQP\r", "OK\r\nOK\r\n1\n\rOK\r\n");
}

#[test]
fn a_pause_of_both_zero_is_capped_by_firmware_3() {
    let lasts = |firmware, line: &str| {
        let mut board = board(firmware);
        at(&mut board, 0, line);
        board.receive(ms(1), b"");
        board.next_wake(ms(1)).map(|wake| wake.as_millis())
    };
    assert_eq!(lasts(V3, "SM,200000,0,0\r"), Some(100_000));
    assert_eq!(lasts(V2, "SM,750,0,0\r"), Some(750));
    assert_eq!(lasts(V2, "SM,65537,0,0\r"), None, "longer than it can count: no time at all");
}

#[test]
fn short_sm_of_firmware_2_has_15_bits_of_rate() {
    let ticks = |firmware| {
        let mut board = board(firmware);
        at(&mut board, 0, "SM,25,100,100\r");
        at(&mut board, 1, "");
        (board.next_wake(ms(1)).unwrap().as_nanos() / 40_000) as u64 - 1
    };
    assert_eq!((ticks(V2), ticks(V3)), (626, 625));
}

#[test]
fn firmware_2_drops_the_rest_of_a_packet_behind_an_error() {
    check(V2, "SL,999\rSL,5\rQL\r", "!6 Err: Invalid parameter value\r\n");
    check(V3, "SL,999\rSL,5\rQL\r", "!6 Err: Invalid parameter value\r\nOK\r\n5\r\nOK\r\n");
}

#[test]
fn jerk_bends_the_rate_in_firmware_3() {
    let mut board = board(V3);
    at(&mut board, 0, "T3,2500,0,0,300,0,0,0,3\r");
    // 300 n³ / 6 in the accumulator: 363 steps after 2500 ticks.
    assert_eq!(at(&mut board, 200, "QS\r"), "363,0\n\rOK\r\n");
    check(V2, "T3\r", "!8 Err: Unknown command 'T3:5433'\r\n");
}

#[test]
fn l3_takes_its_steps_with_jerk_in_firmware_3() {
    let mut board = board(V3);
    at(&mut board, 0, "L3,85899346,40,0,0,0,0,0,0,3\r");
    assert_eq!(at(&mut board, 50, "QS\rQM\r"), "40,0\n\rOK\r\nQM,0,0,0,0\n\r");
    check(V2, "L3\r", "!8 Err: Unknown command 'L3:4C33'\r\n");
}

#[test]
fn hm_of_firmware_3_holds_its_rate_at_25_000() {
    let mut board = board(V3);
    at(&mut board, 0, "SM,10,20,0\rHM,99999\r");
    assert_eq!(at(&mut board, 50, "QS\r"), "OK\r\n0,0\n\rOK\r\n");
    let mut board = self::board(V2);
    at(&mut board, 0, "SM,100,100,0\rHM,26000\r");
    let said = at(&mut board, 200, "");
    assert_eq!(said, "!0 Err: HM <axis1> step rate > 25K steps/second.\n\r");
}

#[test]
fn qu_6_counts_what_waits() {
    let mut board = board(V3);
    at(&mut board, 0, "CU,4,8\rSM,100,1,1\rSM,100,1,1\rSM,100,1,1\r");
    assert_eq!(at(&mut board, 1, "QU,6\r"), "QU,2\r\nOK\r\n");
}

#[test]
fn files_of_others_run() {
    let (profile, ebb) = profile();
    let text = b"EM,1,1\nSC,4,20000\r\nSC,5,15000\r\nSP,1,200\nXM,500,800,0\nSP,0,500\nXM,500,0,800\nSP,1,500\nHM,3000\n";
    let trace = run_program(text, &profile, &ebb).unwrap();
    let strokes = trace.strokes();
    assert_eq!(strokes.len(), 1);
    assert_eq!((strokes[0].start(), strokes[0].end()), (Point::new(10.0, 0.0), Point::new(10.0, 10.0)));
    assert_eq!(trace.pieces.last().unwrap().to, Point::ORIGIN);
    let error = run_program(b"SM,1,1,1\n\nSM,0,5,5\n", &profile, &ebb).unwrap_err().to_string();
    assert!(error.starts_with("line 3 `SM,0,5,5`: the plotter refuses it with !6 Err"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(prop_oneof![
        any::<u8>(), prop::sample::select(b"SMLTXHQCUPE2R3,,,,,-0123456789\r\r\r\x08".to_vec())
    ], 0..400), three in any::<bool>(), cut in 1_usize..50) {
        let mut board = board(if three { V3 } else { V2 });
        for (index, chunk) in bytes.chunks(cut).enumerate() {
            board.receive(ms(20 * index as u64), chunk);
            board.poll_output();
        }
    }

    #[test]
    fn hostile_moves_end_or_are_given_up(
        numbers in prop::collection::vec(any::<i32>(), 8), name in prop::sample::select(vec!["SM", "XM", "LM", "LT", "L3", "T3", "HM", "S2"]),
    ) {
        let mut board = board(V3);
        let words: Vec<String> = numbers.iter().map(i32::to_string).collect();
        board.receive(ms(0), format!("{name},{}\r", words.join(",")).as_bytes());
        board.receive(ms(1 << 40), b"QS\r");
        board.poll_output();
    }

    #[test]
    fn the_same_bytes_in_any_packets_do_the_same(cut in 1_usize..30) {
        let text = b"SC,4,20000\rEM,1,1\rSP,0,50\rSM,100,50,60\rLM,1000000,5,100,0,0,0,3\rQS\rSP,1,9\rHM,2000\rQM\r";
        let run = |cut: usize| {
            let mut board = board(V3);
            for chunk in text.chunks(cut) {
                board.receive(ms(0), chunk);
            }
            let mut said = board.poll_output();
            for now in 0..200 {
                board.receive(ms(now * 10), b"");
                said.extend(board.poll_output());
            }
            (said, board.trace().clone())
        };
        prop_assert_eq!(run(cut), run(text.len()));
    }
}
