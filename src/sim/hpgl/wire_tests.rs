//! Device control and the wire, row by row.

use std::time::Duration;

use super::tests::{Bench, check};
use crate::VirtualPlotter as _;

#[test]
fn esc_parentheses_and_letters_switch_on_and_off_and_are_ignored_at_d() {
    check("\x1b.)OI;\x1b.(OI;\x1b.ZOI;\x1b.YOI;", "7475A|7475A|7475A|7475A|");
}

#[test]
fn esc_at_sets_the_buffer_size() {
    check("\x1b.@100:\x1b.B\x1b.@:\x1b.B", "100|1024|");
}

#[test]
fn esc_b_gives_the_free_bytes() {
    let mut bench = Bench::new("hp7475a");
    assert_eq!(bench.send("\x1b.B"), "1024\r");
    // What is being drawn has left the buffer.
    bench.send("PA9000,0;PA0,0;");
    assert_eq!(bench.send("\x1b.B"), "1018\r");
    assert_eq!(Bench::new("hp7440a").send("\x1b.B"), "60\r");
}

#[test]
fn esc_e_is_the_first_error_of_the_wire_and_clears_it() {
    check("\x1b.E", "0|");
    check("\x1b.x\x1b.E\x1b.E", "11|0|");
    check("\x1b.Mx\x1b.E", "12|");
    check("\x1b.M99999:\x1b.E", "13|");
    check("\x1b.I1;2;3;4;5;6;7;8;9;10;11;12;13:\x1b.E", "14|");
}

#[test]
fn esc_e_10_is_a_question_while_an_answer_is_under_way() {
    let mut bench = Bench::new("hp7475a");
    // 1000 * 1.1875 / 1.2 ms.
    assert_eq!(bench.send("\x1b.M1000:\x1b.B\x1b.O"), "");
    assert_eq!(bench.say(""), "1024\r");
    assert_eq!(bench.now.as_millis(), 989);
    assert_eq!(bench.say("\x1b.M:\x1b.E\x1b.E"), "10\r0\r");
}

#[test]
fn esc_e_15_is_a_byte_that_came_broken() {
    let mut bench = Bench::new("hp7475a");
    bench.plotter.break_byte(bench.now);
    assert_eq!(bench.send("\x1b.E\x1b.E"), "15\r0\r");
}

#[test]
fn esc_e_17_is_a_wrong_baud_rate_on_a_dpx_and_15_elsewhere() {
    for (id, expected) in [("dpx-3300", "17\r"), ("hp7475a", "15\r")] {
        let mut bench = Bench::new(id);
        bench.plotter.mistune_byte(bench.now);
        assert_eq!(bench.send("\x1b.E"), expected);
    }
}

#[test]
fn esc_n_delays_each_character_of_an_answer() {
    let mut bench = Bench::new("hp7475a");
    // 100 * 1.1875 / 1.2 ms, and as long again for each character but the first.
    assert_eq!(bench.send("\x1b.N100:\x1b.B"), "1");
    assert_eq!(bench.say(""), "024\r");
    assert_eq!(bench.now.as_millis(), 4 * 98 + 3);
    assert_eq!(bench.say("OE;"), "0\r", "what is buffered answers so too");
    assert_eq!(bench.say("\x1b.N:\x1b.M1000:\x1b.L"), "1024\r");
    let before = bench.now;
    bench.say("\x1b.N100:\x1b.B");
    assert_eq!((bench.now - before).as_millis(), 1385, "after the turnaround delay");
}

#[test]
fn dtr_falls_at_80_free_and_rises_at_512_while_hardwire_is_on() {
    let mut bench = Bench::new("hp7475a");
    bench.send("PA16000,0;");
    bench.send(&";".repeat(943));
    assert!(bench.plotter.is_ready());
    bench.send(";");
    assert!(!bench.plotter.is_ready());
    bench.say("");
    assert!(bench.plotter.is_ready());
    let mut off = Bench::new("hp7475a");
    off.send("\x1b.@;0:PA16000,0;");
    off.send(&";".repeat(1000));
    assert!(off.plotter.is_ready());
}

#[test]
fn esc_e_16_is_a_buffer_overflow_and_the_bytes_are_lost() {
    let mut bench = Bench::new("hp7475a");
    bench.send("PA16000,0;");
    bench.send(&"PU;".repeat(400));
    assert_eq!(bench.send("\x1b.B\x1b.E\x1b.E"), "0\r16\r0\r");
}

#[test]
fn esc_h_answers_enquiries_when_a_block_has_room() {
    let mut bench = Bench::new("hp7475a");
    assert_eq!(bench.send("\x1b.H500;5;6:\x05"), "\x06");
    bench.send("PA16000,0;");
    bench.send(&"PU;".repeat(200));
    assert_eq!(bench.send("\x05"), "");
    assert_eq!(bench.say(""), "\x06");
}

#[test]
fn esc_i_sends_xoff_at_81_free_and_xon_at_512() {
    let mut bench = Bench::new("hp7475a");
    assert_eq!(bench.send("\x1b.I81;;17:\x1b.N;19:PA16000,0;"), "");
    assert_eq!(bench.send(&";".repeat(942)), "");
    assert_eq!(bench.send(";"), "\x13");
    assert_eq!(bench.say(""), "\x11");
    let mut small = Bench::new("hp7440a");
    small.send("\x1b.I20;;17:\x1b.N;19:PA9000,0;");
    assert_eq!(small.send(&";".repeat(40)), "\x13");
}

#[test]
fn without_a_handshake_an_enquiry_always_gets_an_acknowledgement() {
    let mut bench = Bench::new("hp7475a");
    bench.send("PA16000,0;");
    bench.send(&"PU;".repeat(400));
    assert_eq!(bench.send("\x05"), "\x06");
}

#[test]
fn esc_m_sets_what_ends_an_answer() {
    check("\x1b.M;;;10:OE;", "0\n");
    check("\x1b.M;;;13;10:\x1b.B", "1024|\n");
    check("\x1b.M;;;10:\x1b.R\x1b.B", "1024|");
}

#[test]
fn esc_k_throws_the_buffer_away_and_finishes_the_vector() {
    let mut bench = Bench::new("hp7475a");
    bench.send("PA0,0;PD9000,0,9000,5000;OA;");
    bench.now = bench.plotter.next_wake(bench.now).unwrap();
    bench.send("");
    assert_eq!(bench.say("\x1b.K\x1b.BOA;"), "1024\r9000,0,1\r");
    // A label that never ended is gone too.
    assert_eq!(bench.say("LBhello\x1b.KOE;"), "0\r");
}

#[test]
fn esc_j_forgets_a_device_control_answer() {
    let mut bench = Bench::new("hp7475a");
    bench.send("PA16000,0;\x1b.L\x1b.J");
    assert_eq!(bench.say(""), "");
}

#[test]
fn esc_l_gives_the_size_once_the_buffer_is_empty() {
    let mut bench = Bench::new("hp7475a");
    assert_eq!(bench.send("PA16000,0;\x1b.L"), "");
    assert_eq!(bench.say(""), "1024\r");
}

#[test]
fn esc_o_tells_empty_view_and_paper_lever() {
    let mut bench = Bench::new("hp7475a");
    assert_eq!(bench.send("\x1b.O"), "8\r");
    bench.send("PA9000,0;PA0,0;OA;");
    bench.plotter.press_view(bench.now);
    assert_eq!(bench.say("\x1b.O"), "16\r");
    bench.plotter.press_view(Duration::from_secs(60));
    bench.now = Duration::from_secs(60);
    assert_eq!(bench.say(""), "0,0,0\r");
    bench.plotter.move_lever(bench.now, true);
    assert_eq!(bench.say("\x1b.O"), "40\r");
}

#[test]
fn esc_a_asks_a_dpx_for_its_model_and_is_error_11_elsewhere() {
    assert_eq!(Bench::new("dpx-3300").say("\x1b.A"), "DPX-3300\r");
    check("\x1b.A\x1b.E", "11|");
}

#[test]
fn block_mode_holds_each_block_until_esc_e() {
    let mut bench = Bench::new("hp7475a");
    assert_eq!(bench.say("\x1b.@;16:OI;"), "");
    assert_eq!(bench.say("\x1b.E"), "0\r7475A\r");
    // A block with an error is thrown away.
    assert_eq!(bench.say("OI;\x1b.x\x1b.E"), "11\r");
    assert_eq!(bench.say("\x1b.B\x1b.E"), "1024\r0\r");
}
