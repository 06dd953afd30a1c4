//! What the virtual plotter has in common with the real one, row by row of the manual's tables.

use proptest::prelude::*;

use super::*;
use crate::run_program;
use traceur_core::machine::Firmware;

pub(super) struct Bench {
    pub(super) plotter: VirtualHpgl,
    pub(super) now: Duration,
}

impl Bench {
    pub(super) fn new(id: &str) -> Self {
        Self::with(id, |_| {})
    }

    fn with(id: &str, change: impl Fn(&mut Hpgl)) -> Self {
        let profile = Profile::built_in(id).unwrap();
        let Firmware::Hpgl(mut hpgl) = profile.firmware.clone() else { panic!() };
        change(&mut hpgl);
        Self { plotter: VirtualHpgl::new(&profile, &hpgl), now: Duration::ZERO }
    }

    /// Sends bytes at once, gives what is said at once.
    pub(super) fn send(&mut self, bytes: &str) -> String {
        self.plotter.receive(self.now, bytes.as_bytes());
        String::from_utf8(self.plotter.poll_output()).unwrap()
    }

    /// Sends bytes at once, lets all come to rest, gives what was said.
    pub(super) fn say(&mut self, bytes: &str) -> String {
        let mut said = self.send(bytes);
        while let Some(wake) = self.plotter.next_wake(self.now) {
            self.now = wake;
            said += &self.send("");
        }
        said
    }

    /// The corners of all marks, in plotter units.
    fn marks(&self) -> Vec<Vec<(i64, i64)>> {
        let unit = self.plotter.hpgl.unit;
        let units = |point: &Point| ((point.x / unit).round() as i64, (point.y / unit).round() as i64);
        self.plotter
            .trace()
            .strokes()
            .iter()
            .map(|stroke| stroke.points().iter().map(units).collect())
            .collect()
    }
}

/// Answers of a 7475A that has just been switched on, with `|` for CR.
#[track_caller]
pub(super) fn check(bytes: &str, expected: &str) {
    assert_eq!(Bench::new("hp7475a").say(bytes).replace('\r', "|"), expected, "{bytes}");
}

/// Marks that a 7475A leaves.
#[track_caller]
fn draws(bytes: &str, expected: &[&[(i64, i64)]]) {
    let mut bench = Bench::new("hp7475a");
    bench.say(bytes);
    assert_eq!(bench.marks(), expected, "{bytes}");
}

#[test]
fn syntax_two_letters_then_parameters_by_comma_space_or_sign_up_to_a_terminator_or_the_next_letters() {
    let expected: &[&[(i64, i64)]] = &[&[(100, 200), (300, 400), (300, 500)]];
    for text in [
        "PA100,200;PD;PA300,400,300,500;PU;",
        "pa100 200PDPA300 400 300 500PU;",
        "PA+100+200;\r\nPD300,400;PD 300 , 500;PU",
    ] {
        draws(&format!("{text};"), expected);
    }
    draws("PA0,500;PR100-100;PD50+50;PU;", &[&[(100, 400), (150, 450)]]);
}

#[test]
fn syntax_fractions_of_integers_are_truncated() {
    draws("PA100.9,200.9;PD;PU;", &[&[(100, 200), (100, 200)]]);
}

#[test]
fn syntax_odd_coordinate_count_is_error_2_but_complete_pairs_are_plotted() {
    draws("PA100,100;PD200,200,300;PU;", &[&[(100, 100), (200, 200)]]);
    check("PA100,100,5;OE;OE;", "2|0|");
}

#[test]
fn syntax_out_of_range_coordinate_is_error_3_and_the_point_is_ignored() {
    draws("PA100,100;PD40000,100,200,200;PU;", &[&[(100, 100), (200, 200)]]);
    check("PA40000,0;OE;", "3|");
}

#[test]
fn syntax_label_text_ends_at_the_terminator() {
    check("LBPU;OI;\x03OE;", "0|");
    check("DT#;LBOI;#OE;", "0|");
    check("DT\0;OE;", "3|");
}

#[test]
fn unit_is_0_02488_mm_although_of_answers_40_40() {
    let mut bench = Bench::new("hp7475a");
    assert_eq!(bench.say("PA1000,0;PD;PU;OF;"), "40,40\r");
    assert!((bench.plotter.trace().strokes()[0].start().x - 24.88).abs() < 1e-9);
    let mut other = Bench::new("hp7550a");
    other.say("PA1000,0;PD;PU;");
    assert!((other.plotter.trace().strokes()[0].start().x - 25.0).abs() < 1e-9);
}

#[test]
fn in_and_df_set_the_defaults_and_in_also_lifts_the_pen_and_clears_errors() {
    let mut bench = Bench::new("hp7475a");
    bench.say("PA100,100;PD;SC0,10,0,10;IP0,0,1000,1000;XX;");
    assert_eq!(bench.say("DF;OC;OP;"), "100,100,1\r0,0,1000,1000\r");
    assert_eq!(bench.say("IN;OA;OE;OP;"), "100,100,0\r0\r170,602,15370,10602\r");
}

#[test]
fn ip_without_parameters_is_the_default_and_with_p1_only_p2_moves_along() {
    check("IP100,200;OP;IP;OP;", "100,200,15300,10200|170,602,15370,10602|");
    check("IP1,2,3;OE;", "2|");
}

#[test]
fn sc_maps_p1_and_p2() {
    draws("IP0,0,1000,2000;SC0,10,0,10;PA1,1;PD2.5,2.5;PU;", &[&[(100, 200), (250, 500)]]);
    check("IP0,0,1000,2000;SC0,10,0,10;PA5,5;OC;OA;", "5.0000,5.0000,0|500,1000,0|");
    check("SC1,1,0,5;OE;", "3|");
}

#[test]
fn iw_clips_vectors_and_the_pen_lifts_at_the_edge() {
    let window = "IW100,100,200,200;";
    draws(
        &format!("{window}PA150,150;PD300,150,300,180,150,180;PU;"),
        &[&[(150, 150), (200, 150)], &[(200, 180), (150, 180)]],
    );
    check(&format!("{window}OW;PA150,150;PD300,150;OA;OC;"), "100,100,200,200|200,150,0|300,150,1|");
    check("IW;OW;", "0,0,16158,11040|");
}

#[test]
fn pd_outside_the_window_does_not_lower() {
    check("IW100,100,200,200;PA300,300;PD;OA;", "200,200,0|");
    draws("PA20000,5000;PD;PU;", &[]);
}

#[test]
fn pu_and_pd_coordinates_follow_the_last_pa_or_pr() {
    draws(
        "PA100,100;PR;PD10,10,10,10;PU5,5;PD;PU;",
        &[&[(100, 100), (110, 110), (120, 120)], &[(125, 125), (125, 125)]],
    );
}

#[test]
fn sp_fetches_0_or_none_stores_and_out_of_range_is_ignored() {
    let mut bench = Bench::new("hp7475a");
    bench.say("PA10,10;PD;PU;SP2;PA20,20;PD;PU;SP7;PA30,30;PD;PU;SP0;PA40,40;PD;PU;SP6;PA50,50;PD;PU;SP;");
    let pens: Vec<(u32, usize)> =
        bench.plotter.trace().strokes_by_pen().iter().map(|(pen, strokes)| (*pen, strokes.len())).collect();
    // By hand; the second twice, as there is no seventh; nothing after SP0.
    assert_eq!(pens, [(0, 1), (2, 2), (6, 1)]);
    assert_eq!(bench.say("OE;"), "0\r");
}

#[test]
fn sp_of_an_empty_stall_goes_to_the_next_pen() {
    let drawn = |empty: &[u32], text: &str| {
        let mut bench = Bench::new("hp7475a");
        empty.iter().for_each(|place| bench.plotter.empty_stall(*place));
        bench.say(&format!("{text}PA10,10;PD;PU;"));
        bench.plotter.trace().strokes_by_pen().keys().copied().collect::<Vec<_>>()
    };
    assert_eq!((drawn(&[2, 3], "SP2;"), drawn(&[6], "SP6;")), (vec![4], vec![1]));
    assert_eq!(drawn(&[1, 2, 3, 4, 5, 6], "SP2;"), [0; 0], "no pen at all");
}

#[test]
fn vs_has_steps_and_a_cap_and_a_parameter_lowers_the_acceleration() {
    let seconds = |setting: &str| {
        let mut bench = Bench::new("hp7475a");
        bench.say(&format!("{setting}PA0,0;PD;PA10000,0;"));
        let piece = bench.plotter.trace().pieces.last().unwrap().clone();
        (piece.end - piece.begin).as_secs_f64()
    };
    let length = 248.8;
    assert!((seconds("") - (length / 381.0 + 381.0 / 19_600.0)).abs() < 1e-6);
    assert!((seconds("VS127;") - (length / 381.0 + 381.0 / 4_900.0)).abs() < 1e-6);
    assert!((seconds("VS10;") - (length / 98.8 + 98.8 / 4_900.0)).abs() < 1e-6);
    assert_eq!(seconds("VS10;VS;"), seconds(""));
    check("VS200;OE;", "3|");
}

#[test]
fn fs_and_as_are_error_1_where_the_model_has_them_not() {
    check("FS1;OE;AS1;OE;", "1|1|");
    assert_eq!(Bench::new("hp7440a").say("FS1;OE;"), "1\r");
    assert_eq!(Bench::new("hp7550a").say("FS1;AS2;OE;"), "0\r");
    assert_eq!(Bench::new("dpx-3300").say("FS9;OE;AS2;OE;"), "0\r1\r");
}

#[test]
fn lt_0_is_dots_1_to_6_patterns_none_solid() {
    // 4 % of the diagonal of P1 and P2, half drawn.
    draws("IP0,0,3000,4000;LT2;PA0,0;PD400,0;PU;", &[&[(0, 0), (100, 0)], &[(200, 0), (300, 0)]]);
    draws("LT0;PA0,0;PD400,0;PU;", &[&[(0, 0), (0, 0)], &[(400, 0), (400, 0)]]);
    draws("LT2;LT;PA0,0;PD4000,0;PU;", &[&[(0, 0), (4000, 0)]]);
    draws("IP0,0,3000,4000;LT-2;PA0,0;PD100,0;PU;", &[&[(0, 0), (50, 0)]]);
    check("LT7;OE;", "3|");
}

#[test]
fn ci_draws_around_the_pen_which_is_then_as_before() {
    let mut bench = Bench::new("hp7475a");
    assert_eq!(bench.say("PA1000,1000;CI100,90;OA;"), "1000,1000,0\r");
    assert_eq!(bench.marks(), [[(1100, 1000), (1000, 1100), (900, 1000), (1000, 900), (1100, 1000)]]);
    let mut fine = Bench::new("hp7475a");
    fine.say("PA1000,1000;CI500;");
    assert_eq!(fine.marks()[0].len(), 73, "the chord angle is 5 degrees");
}

#[test]
fn aa_and_ar_go_counterclockwise_for_positive_angles() {
    draws("PA1000,500;PD;AA500,500,180,90;PU;", &[&[(1000, 500), (500, 1000), (0, 500)]]);
    draws("PA1000,500;PD;AR-500,0,-90,90;PU;", &[&[(1000, 500), (500, 0)]]);
    check("AA1,2;OE;AA0,0,90,0;OE;", "2|3|");
}

#[test]
fn a_7440a_has_no_arcs_rectangles_wedges_and_fills_without_its_cartridge() {
    for name in ["CI5", "AA0,0,9", "AR0,0,9", "EA5,5", "ER5,5", "RA5,5", "WG5,0,9", "EW5,0,9", "FT1"] {
        assert_eq!(Bench::new("hp7440a").say(&format!("{name};OE;")), "1\r", "{name}");
    }
}

#[test]
fn rectangles_and_wedges_leave_position_and_pen_as_they_were() {
    draws("PA100,100;EA200,300;", &[&[(100, 100), (200, 100), (200, 300), (100, 300), (100, 100)]]);
    check(
        "PA100,100;ER50,50;OA;RR50,50;OA;EW100,0,90;OA;WG100,0,90;OA;",
        "100,100,0|100,100,0|100,100,0|100,100,0|",
    );
    draws("PA500,500;EW100,0,90,90;", &[&[(500, 500), (600, 500), (500, 600), (500, 500)]]);
}

#[test]
fn ft_and_pt_say_how_surfaces_are_filled() {
    let lines = |setting: &str| {
        let mut bench = Bench::new("hp7475a");
        bench.say(&format!("{setting}PA0,0;RA400,400;"));
        bench.marks()
    };
    // 400 units are 9.95 mm: a line each 0.3 mm, or each 1 mm.
    assert_eq!(lines("").len(), 33);
    assert_eq!(lines("PT1;").len(), 10);
    assert_eq!(
        lines("FT3,100,0;"),
        [[(0, 50), (400, 50)], [(400, 150), (0, 150)], [(0, 250), (400, 250)], [(400, 350), (0, 350)]]
    );
    assert_eq!(lines("FT4,100,0;").len(), 8);
    check("FT6;OE;PT9;OE;", "3|3|");
}

#[test]
fn characters_advance_by_one_and_a_half_widths_and_leave_boxes() {
    let mut bench = Bench::new("hp7475a");
    // 2.488 mm are 100 units.
    assert_eq!(bench.say("SI.2488,.4976;PA1000,1000;LBA B\x03;OA;CP1,-1;OA;"), "1450,1000,0\r1600,600,0\r");
    let bottom = bench.marks()[0].clone();
    assert_eq!(bottom, [(1000, 1000), (1100, 1000), (1100, 1200), (1000, 1200), (1000, 1000)]);
    assert_eq!(bench.marks().len(), 2);
    check("SI.2488,.4976;DI0,1;PA1000,1000;LBA\x03;OA;", "1000,1150,0|");
    check("SI.2488,.4976;PA1000,1000;LBAB\r\n\x03;OA;", "1000,600,0|");
    check("CS5;OE;CS34;CA9;SA;SS;OE;", "5|0|");
}

#[test]
fn sm_xt_and_yt_mark_places() {
    let mut bench = Bench::new("hp7475a");
    bench.say("SI.2488,.2488;SM*;PA1000,1000,2000,1000;SM;PA3000,1000;");
    assert_eq!(bench.marks().len(), 2);
    assert_eq!(bench.marks()[0][0], (950, 950));
    draws(
        "IP0,0,10000,10000;TL1,2;PA500,500;XT;YT;",
        &[&[(500, 600), (500, 300)], &[(600, 500), (300, 500)]],
    );
}

#[test]
fn ps_0_to_3_is_a3_and_4_to_127_is_a4() {
    check("OH;PS4;OH;OP;PS0;OH;", "0,0,16158,11040|0,0,11040,7721|603,521,10603,7721|0,0,16158,11040|");
    check("PS9;OH;PS5;OH;PS1;OH;", "0,0,11040,7721|0,0,10365,7962|0,0,16640,10365|");
    check("PS128;OE;", "3|");
}

#[test]
fn ro_90_turns_the_frame() {
    let mut bench = Bench::new("hp7475a");
    assert_eq!(bench.say("RO90;OH;PA100,200;PD;PU;OA;"), "0,0,11040,16158\r100,200,0\r");
    assert_eq!(bench.marks(), [[(15_958, 100), (15_958, 100)]]);
    assert_eq!(bench.say("RO0;OA;RO45;OE;"), "15958,100,0\r3\r");
}

#[test]
fn outputs_answer_with_carriage_returns() {
    check(
        "OI;OH;OP;OW;OA;OC;OE;OF;OO;",
        "7475A|0,0,16158,11040|170,602,15370,10602|0,0,16158,11040|0,0,0|0,0,0|0|40,40|0,1,0,0,1,0,0,0|",
    );
}

#[test]
fn outputs_are_buffered_and_answered_only_when_reached() {
    let mut bench = Bench::new("hp7475a");
    assert_eq!(bench.send("PA0,0;PD;PA16000,0;OA;"), "");
    assert_eq!(bench.send("\x1b.O"), "0\r");
    assert_eq!(bench.say(""), "16000,0,1\r");
    assert_eq!(bench.send("\x1b.O"), "8\r");
}

#[test]
fn dp_and_od_give_the_digitized_point() {
    let mut bench = Bench::new("hp7475a");
    assert_eq!(bench.say("PA70,80;DP;OS;"), "24\r");
    bench.plotter.press_enter(bench.now);
    assert_eq!(bench.say("OS;OD;OS;DC;OE;"), "20\r70,80,0\r16\r0\r");
}

#[test]
fn nops_do_nothing_and_everything_else_is_error_1() {
    check("AP;AF;PG;AH;EC;VA;VN;OE;", "0|");
    check("XX;OE;ZZ5,5;OE;P5;OE;", "1|1|1|");
}

#[test]
fn os_bits_and_power_up_24() {
    check("OS;OS;", "24|16|");
    check("OS;PD;OS;IP;OS;OP;XX;OS;OE;OS;", "24|17|19|170,602,15370,10602|49|1|17|");
    let mut bench = Bench::new("hp7475a");
    bench.plotter.move_lever(Duration::ZERO, true);
    assert_eq!(bench.say("OS;"), "8\r");
}

#[test]
fn oe_gives_the_first_error_and_clears_it() {
    check("XX;IP1;OE;OE;", "1|0|");
    check("IM0;XX;OE;IM;XX;OE;", "0|1|");
}

#[test]
fn error_6_is_a_position_overflow_and_masked_by_default() {
    check("PA30000,0;PR30000,0;OE;IM255;PR30000,0;OE;IM;PR30000,0;OE;", "0|6|0|");
}

#[test]
fn os_bit_64_is_for_the_serial_poll_of_hp_ib_and_stays_0() {
    check("IM223,255,255;XX;OS;", "56|");
}

#[test]
fn a_vector_with_the_paper_lever_up_is_error_8() {
    let mut bench = Bench::new("hp7475a");
    bench.plotter.move_lever(Duration::ZERO, true);
    assert_eq!(bench.say("PA5,5;OE;\x1b.O"), "8\r40\r");
    assert!(bench.plotter.trace().pieces.is_empty());
}

#[test]
fn limits_of_the_sheets_are_the_manuals() {
    let profile = Profile::built_in("hp7475a").unwrap();
    let Firmware::Hpgl(hpgl) = &profile.firmware else { panic!() };
    let limits: Vec<String> = hpgl
        .papers
        .iter()
        .map(|p| {
            format!("{} {:?} {:?} {:?} {:?}", p.name, p.x_range, p.y_range, p.p1.unwrap(), p.p2.unwrap())
        })
        .collect();
    let expected = [
        "A4 [0, 11040] [0, 7721] [603, 521] [10603, 7721]",
        "A3 [0, 16158] [0, 11040] [170, 602] [15370, 10602]",
        "A [0, 10365] [0, 7962] [250, 596] [10250, 7796]",
        "B [0, 16640] [0, 10365] [522, 259] [15722, 10259]",
    ];
    assert_eq!(limits, expected);
}

#[test]
fn hard_clip_limits_stop_the_pen() {
    check("PS4;PA5000,5000;PD12000,5000;OA;PU;PA12000,9000;OA;", "11040,5000,0|11040,5000,0|");
}

#[test]
fn an_error_never_stops_the_plotter_and_files_tell_of_it() {
    let profile = Profile::built_in("hp7475a").unwrap();
    let trace = run_program(b"IN;SP1;XX;PA5,5;XX;PD10,5;PM0;PU", &profile).unwrap();
    assert_eq!(trace.strokes().len(), 1);
    assert_eq!(
        trace.warnings,
        ["`XX`: error 1 (no such instruction), 2 times", "`PM`: error 1 (no such instruction)"]
    );
    let other = run_program(b"PM0;", &Profile::built_in("hp7550a").unwrap()).unwrap();
    assert_eq!(other.warnings, ["`PM`: this plotter has it, but it is not simulated"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn no_bytes_make_it_panic(pieces in prop::collection::vec(prop_oneof![
        prop::collection::vec(any::<u8>(), 0..6),
        prop::sample::select(vec![
            "PA", "PD", "PU", "PR", "SP1;", "IN;", "SC0,1,0,1;", "IP1,1;", "IW5,5,1,1;", "LT-3,1;", "CI500", "AA3,3,-400,1;",
            "RA900,900;", "WG500,0,-90;", "FT4,10,33;", "LBhi\x03", "SI0,0;", "DI0,1;", "UC99,1,1;", "RO90;", "PS4;", "OA;",
            "\x1b.E", "\x1b.@40;16:", "\x1b.K", "\x1b.I9;;17:", "1,2", "-32767,32767,", "1e9", ";", "TL100;XT;", "VS.1;", "SR50,50;",
        ]).prop_map(|text| text.as_bytes().to_vec()),
    ], 0..60)) {
        let mut bench = Bench::new("hp7475a");
        for (index, piece) in pieces.iter().enumerate() {
            bench.plotter.receive(Duration::from_millis(400 * index as u64), piece);
            bench.plotter.poll_output();
        }
    }
}
