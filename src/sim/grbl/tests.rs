//! What the virtual plotter has in common with the real one.

use proptest::prelude::*;

use super::table_tests::{say, switched_on};
use super::*;
use crate::run_program;
use traceur_core::machine::Firmware;

fn profile(id: &str) -> Profile {
    Profile::built_in(id).unwrap()
}

fn check(lines: &str, expected: &str) {
    let mut plotter = switched_on("grbl-servo");
    assert_eq!(say(&mut plotter, &mut Duration::default(), lines.as_bytes()), expected, "{lines}");
}

#[test]
fn errors_have_grbls_numbers() {
    for (line, code) in [
        ("FOO", 2),
        ("G1X", 2),
        ("$foo", 2),
        ("$99=1", 3),
        ("F-1", 4),
        ("$0=2", 6),
        ("$20=1", 10),
        ("G1X1", 22),
        ("X1E3", 20),
        ("G99", 20),
        ("M99", 20),
        ("G10L5P1X1", 20),
        ("G10L2P1X1G92", 24),
        ("X1X2", 25),
        ("N99999999", 27),
        ("G4", 28),
        ("T256", 38),
        ("%", 1),
        ("G0G1X1", 24),
        ("G90G91X1", 21),
        ("M7", 20),
        ("G59.1", 23),
        ("G1.5", 23),
        ("G2X10Y0I3J0F100", 33),
        ("G2X10Y0R1F100", 34),
        ("G2X10Y0F100", 35),
        ("G0X1R5", 36),
        ("G80X1", 31),
        ("$H", 5),
        ("G53G2X1I1F1", 30),
    ] {
        check(&format!("{line}\n"), &format!("error:{code}"));
    }
    check("\n;x\n(a) \n", "ok ok ok");
    check(&format!("G1F100X{}\n", "0".repeat(80)), "error:11");
}

#[test]
fn lines_behind_an_error_still_run() {
    let mut plotter = switched_on("grbl-servo");
    let said = say(&mut plotter, &mut Duration::default(), b"G1X1F600\nFOO\nG1X2\nG1Y\nG1X3\n");
    assert_eq!(said, "ok error:2 ok error:2 ok");
    assert_eq!(plotter.trace().pieces.last().unwrap().to.x, 3.0);
}

#[test]
fn what_does_not_fit_is_lost_without_a_word() {
    let mut plotter = switched_on("grbl-servo");
    let said = say(&mut plotter, &mut Duration::default(), "G1X100.000Y100.000F1000\n".repeat(60).as_bytes());
    assert!(plotter.dropped_bytes() > 900 && !said.contains("error:3"), "{said}");
}

#[test]
fn a_held_machine_parses_nothing_until_resumed() {
    let mut plotter = switched_on("grbl-servo");
    let mut now = Duration::ZERO;
    plotter.receive(now, b"G1X100F3000\n");
    now = Duration::from_secs(1);
    plotter.receive(now, b"!");
    plotter.poll_output();
    assert!(say(&mut plotter, &mut now, b"?").contains("Run") || plotter.planner.hold != Hold::No);
    assert_eq!(say(&mut plotter, &mut now, b"G1X1\nG1X2\n"), "");
    assert!(say(&mut plotter, &mut now, b"?").starts_with("<Hold:0|"));
    assert_eq!(say(&mut plotter, &mut now, b"~"), "ok ok");
    assert_eq!(plotter.trace().pieces.last().unwrap().to.x, 2.0);
}

#[test]
fn a_reset_while_moving_locks() {
    let mut plotter = switched_on("grbl-servo");
    plotter.receive(Duration::ZERO, b"G1X100F600\n");
    let mut now = Duration::from_secs(1);
    plotter.receive(now, b"");
    assert!(say(&mut plotter, &mut now, b"\x18").starts_with("ALARM:3"));
    assert_eq!(say(&mut plotter, &mut now, b"X1\n"), "error:9");
}

#[test]
fn a_move_takes_its_trapezoid() {
    // 100 mm at 50 mm/s and 600 mm/s²: 2 s of cruise and one ramp more.
    let trace = run_program(b"G1X100F3000\n", &profile("grbl-servo")).unwrap();
    let seconds = trace.pieces[0].end.as_secs_f64();
    assert!((seconds - (2.0 + 50.0 / 600.0)).abs() < 1e-6, "{seconds}");
    // A point in the middle of a straight line costs nothing.
    let split = run_program(b"G1X50F3000\nX100\n", &profile("grbl-servo")).unwrap();
    assert!((split.pieces[1].end.as_secs_f64() - seconds).abs() < 1e-6);
}

#[test]
fn arcs_stay_on_their_circle() {
    for program in ["G1X10F3000\nM3S700\nG3X10Y0I-10J0\n", "G0X10\nM3S700\nG2X-10Y0R10F1000\nG2X10Y0R-10\n"] {
        let trace = run_program(program.as_bytes(), &profile("grbl-servo")).unwrap();
        let stroke = &trace.strokes()[0];
        assert!(stroke.points().len() > 50);
        for pair in stroke.points().windows(2) {
            let off = (pair[0].midpoint(pair[1]).to_vec2().hypot() - 10.0).abs();
            assert!(off < 0.02, "{off}");
        }
    }
}

#[test]
fn refused_files_name_their_line() {
    let error = run_program(b"; by hand!\nG21\nG1 X1\n", &profile("grbl-z")).unwrap_err().to_string();
    assert_eq!(error, "line 3 `G1X1`: the plotter refuses it with error:22 (no feed rate)");
    assert!(run_program(b"%\nG0 X1 (why?)\nM0\nM2\n%\n", &profile("grbl-z")).is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_bytes_make_it_panic(pieces in prop::collection::vec(prop_oneof![
        any::<u8>().prop_map(|byte| vec![byte]),
        prop::sample::select(b"GMXYZFSPIJR$=0123456789.-\n\n?!~\x18\x84\x85\x90\x91\x92\x97\xa0".to_vec())
            .prop_map(|byte| vec![byte]),
        prop::sample::select(vec!["$H\n", "$X\n", "$SLP\n", "$C\n", "$J=X9F9\n", "$RST=*\n", "$$\n", "G2X9I4F9\n"])
            .prop_map(|line| line.as_bytes().to_vec()),
        (0..140_u32, any::<u32>()).prop_map(|(number, value)| format!("${number}={value}\n").into_bytes()),
    ], 0..200), pause in 1_u64..2000, homes in any::<bool>()) {
        let profile = profile("grbl-z");
        let Firmware::Grbl(grbl) = &profile.firmware else { panic!("{:?}", profile.firmware) };
        let mut plotter = VirtualGrbl::new(&profile, &Grbl { homing: homes, ..grbl.clone() });
        for (index, piece) in pieces.iter().enumerate() {
            plotter.receive(Duration::from_millis(pause * index as u64), piece);
            plotter.poll_output();
        }
    }
}
