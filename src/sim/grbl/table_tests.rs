//! What the real firmware does, row by row of the table that was observed on gnea/grbl 1.1h, compiled for the host.

use super::*;
use traceur_core::machine::Firmware;

pub(super) fn switched_on(id: &str) -> VirtualGrbl {
    with(id, |_| {})
}

fn with(id: &str, change: impl Fn(&mut Grbl)) -> VirtualGrbl {
    let mut profile = Profile::built_in(id).unwrap();
    let Firmware::Grbl(grbl) = &mut profile.firmware else { panic!("{:?}", profile.firmware) };
    change(grbl);
    let grbl = grbl.clone();
    VirtualGrbl::new(&profile, &grbl)
}

/// Sends bytes at once, lets all come to rest, gives what was said after the banner.
pub(super) fn say(plotter: &mut VirtualGrbl, now: &mut Duration, bytes: &[u8]) -> String {
    plotter.poll_output();
    plotter.receive(*now, bytes);
    settle(plotter, now);
    said(plotter)
}

pub(super) fn settle(plotter: &mut VirtualGrbl, now: &mut Duration) {
    while let Some(wake) = plotter.next_wake(*now) {
        *now = wake;
        plotter.receive(wake, b"");
    }
}

fn said(plotter: &mut VirtualGrbl) -> String {
    String::from_utf8(plotter.poll_output()).unwrap().replace("\r\n", " ").trim().to_owned()
}

/// A plotter and its time.
struct Bench {
    plotter: VirtualGrbl,
    now: Duration,
}

impl Bench {
    fn new() -> Self {
        Self::of(switched_on("grbl-servo"))
    }

    fn of(mut plotter: VirtualGrbl) -> Self {
        plotter.poll_output();
        Self { plotter, now: Duration::ZERO }
    }

    /// What is said once all has come to rest.
    fn say(&mut self, bytes: &[u8]) -> String {
        say(&mut self.plotter, &mut self.now, bytes)
    }

    /// What is said at once.
    fn at_once(&mut self, bytes: &[u8]) -> String {
        self.plotter.poll_output();
        self.plotter.receive(self.now, bytes);
        said(&mut self.plotter)
    }

    fn wait(&mut self, seconds: f64) -> String {
        self.plotter.poll_output();
        self.now += Duration::from_secs_f64(seconds);
        self.plotter.receive(self.now, b"");
        said(&mut self.plotter)
    }
}

#[test]
fn row_banner() {
    let mut plotter = switched_on("grbl-servo");
    assert_eq!(plotter.poll_output(), b"\r\nGrbl 1.1h ['$' for help]\r\n");
    plotter.receive(Duration::ZERO, b"\x18");
    assert_eq!(plotter.poll_output(), b"\r\nGrbl 1.1h ['$' for help]\r\n");
    let mut locked = with("grbl-servo", |grbl| grbl.homing = true);
    assert_eq!(locked.poll_output(), b"\r\nGrbl 1.1h ['$' for help]\r\n[MSG:'$H'|'$X' to unlock]\r\n");
}

#[test]
fn row_dollar_i() {
    assert_eq!(Bench::new().say(b"$I\n"), "[VER:1.1h.20190830:] [OPT:V,15,128] ok");
}

#[test]
fn row_dollar_dollar() {
    let said = Bench::new().say(b"$$\n");
    let numbers: Vec<u32> =
        said.split(' ').filter_map(|line| line.strip_prefix('$')?.split_once('=')?.0.parse().ok()).collect();
    let expected: Vec<u32> = (0..=6)
        .chain(10..=13)
        .chain(20..=27)
        .chain(30..=32)
        .chain(100..=102)
        .chain(110..=112)
        .chain(120..=122)
        .chain(130..=132)
        .collect();
    assert_eq!(numbers, expected);
    assert!(said.starts_with("$0=10 ") && said.contains(" $11=0.020 ") && said.contains(" $100=80.000 "));
    assert!(said.ends_with(" $132=200.000 ok"), "{said}");
}

#[test]
fn row_question_mark() {
    let mut bench = Bench::new();
    let first = "<Idle|MPos:0.000,0.000,0.000|Bf:15,128|FS:0,0|WCO:0.000,0.000,0.000>";
    assert_eq!(bench.at_once(b"?"), first);
    assert_eq!(bench.at_once(b"?"), "<Idle|MPos:0.000,0.000,0.000|Bf:15,128|FS:0,0|Ov:100,100,100>");
    for _ in 0..8 {
        assert_eq!(bench.at_once(b"?"), "<Idle|MPos:0.000,0.000,0.000|Bf:15,128|FS:0,0>");
    }
    assert_eq!(bench.at_once(b"?"), first, "every tenth when idle");
    bench.say(b"G1X400F600\n");
    bench.at_once(b"G1X0F600\n");
    let with_offset = |bench: &mut Bench| bench.at_once(b"?").contains("WCO");
    let until = |bench: &mut Bench| (1..100).find(|_| with_offset(bench));
    until(&mut bench);
    assert_eq!(until(&mut bench), Some(30), "every thirtieth when busy");
    bench.say(b"M3S500\n");
    assert!(bench.at_once(b"?").contains("|FS:0,500"));
    bench.say(b"M5\nM3S500\n");
    let report = bench.at_once(b"?");
    assert!(report.ends_with("|Ov:100,100,100|A:S>"), "{report}");
    bench.say(b"$10=1\n");
    assert!(!bench.at_once(b"?").contains("Bf"));
    bench.say(b"$10=0\nG92X5\n");
    assert!(bench.at_once(b"?").contains("|WPos:5.000,0.000,0.000|"));
    let mut homing = Bench::of(with("grbl-z", |grbl| grbl.homing = true));
    homing.say(b"$X\n");
    // A long way beyond the switch at the least end of x.
    homing.say(b"G91G0X-70\n");
    assert!(homing.at_once(b"?").contains("|Pn:X"));
}

#[test]
fn row_500_line_program_by_character_counting() {
    let lines: Vec<String> = (0..505).map(|n| format!("G1X{}Y{}F6000", n % 7, n % 11)).collect();
    for window in [127, 128] {
        let mut bench = Bench::new();
        let (mut sent, mut answered, mut held) = (0, 0, 0);
        while answered < lines.len() {
            while sent < lines.len() && held + lines[sent].len() < window {
                bench.plotter.receive(bench.now, format!("{}\n", lines[sent]).as_bytes());
                held += lines[sent].len() + 1;
                sent += 1;
            }
            let wake = bench.plotter.next_wake(bench.now).unwrap_or(bench.now);
            bench.now = wake;
            bench.plotter.receive(wake, b"");
            for reply in said(&mut bench.plotter).split_whitespace() {
                assert_eq!(reply, "ok");
                held -= lines[answered].len() + 1;
                answered += 1;
            }
        }
        settle(&mut bench.plotter, &mut bench.now);
        assert_eq!(bench.plotter.dropped_bytes(), 0);
        assert!(bench.at_once(b"?").contains("MPos:0.000,9.000,0.000"), "504 % 7, 504 % 11");
    }
}

#[test]
fn row_rx_overflow() {
    let mut bench = Bench::new();
    let line = "G1X100.000Y100.000F1000\n";
    let said = bench.at_once(line.repeat(60).as_bytes());
    // The 128 bytes of the ring and no more, as nothing is parsed while they come.
    assert_eq!(bench.plotter.dropped_bytes(), 60 * line.len() - 128);
    assert!(!said.contains("error"));
    assert!(bench.say(b"").matches("ok").count() < 10);
    let mut full = Bench::new();
    full.at_once("G1X1F60\nX0\n".repeat(8).as_bytes());
    full.at_once("X1\nX0\n".repeat(100).as_bytes());
    assert!(full.at_once(b"?").contains("|Bf:0,0|"));
}

#[test]
fn row_line_length() {
    let line = |zeros: usize| format!("G1F100X{}\n", "0".repeat(zeros));
    assert_eq!(Bench::new().say(line(72).as_bytes()), "ok");
    assert_eq!(Bench::new().say(line(73).as_bytes()), "error:11");
    let spaced = format!("G1 F100 X1{} (a comment)\n", " ".repeat(40));
    assert_eq!(Bench::new().say(spaced.as_bytes()), "ok");
}

#[test]
fn row_feed_hold() {
    let mut bench = Bench::new();
    bench.at_once(b"G1X100F3000\n");
    bench.wait(1.0);
    bench.at_once(b"!");
    assert!(bench.at_once(b"?").starts_with("<Hold:1|"));
    bench.wait(0.5);
    assert!(bench.at_once(b"?").starts_with("<Hold:0|"));
    assert_eq!(bench.say(b"G1X1\nG1X2\nG1X3\nG1X4\n"), "");
    assert!(bench.at_once(b"?").contains("|Bf:14,108|"));
    assert_eq!(bench.say(b"~"), "ok ok ok ok");
    assert!(bench.at_once(b"?").contains("MPos:4.000"));
}

#[test]
fn row_question_mark_flood() {
    let mut bench = Bench::new();
    assert_eq!(bench.at_once(&[b'?'; 32]).matches('<').count(), 1, "requests coalesce");
}

#[test]
fn row_reset_while_moving() {
    let mut bench = Bench::new();
    bench.at_once(b"G1X100F600\n");
    bench.wait(1.0);
    let said = bench.at_once(b"\x18");
    assert_eq!(said, "ALARM:3  Grbl 1.1h ['$' for help] [MSG:'$H'|'$X' to unlock]");
    assert_eq!(bench.say(b"G0X1\n"), "error:9");
    assert_eq!(bench.say(b"$X\nG0X1\n"), "[MSG:Caution: Unlocked] ok ok");
}

#[test]
fn row_reset_at_rest() {
    let mut bench = Bench::new();
    bench.at_once(b"G1X100F600\n");
    bench.wait(1.0);
    bench.at_once(b"!");
    bench.wait(1.0);
    let before = bench.at_once(b"?");
    assert_eq!(bench.at_once(b"\x18"), "Grbl 1.1h ['$' for help]");
    let after = bench.at_once(b"?");
    let position = |report: &str| report.split('|').nth(1).map(str::to_owned);
    assert!(position(&before) == position(&after) && after.starts_with("<Idle|"), "{before} {after}");
}

#[test]
fn row_soft_limit() {
    let mut bench = Bench::new();
    assert_eq!(bench.say(b"$22=1\n$20=1\n"), "ok ok");
    assert_eq!(bench.say(b"G0X1\n"), "ALARM:2 [MSG:Reset to continue]", "machine space is all negative");
    assert_eq!(bench.say(b"$X\n?"), "");
    assert!(bench.say(b"\x18").ends_with("[MSG:'$H'|'$X' to unlock]"));
    assert_eq!(bench.say(b"G0X-1\n"), "error:9");
    assert_eq!(bench.say(b"$X\nG0X-1\n"), "[MSG:Caution: Unlocked] ok ok");
    assert_eq!(bench.say(b"G0X-431\n"), "ALARM:2 [MSG:Reset to continue]");
}

#[test]
fn row_dollar_h() {
    assert_eq!(Bench::new().say(b"$H\n"), "error:5");
    let mut bench = Bench::new();
    bench.say(b"$22=1\n$23=3\n$27=2\n$130=300\n$131=200\n$132=50\n");
    let before = bench.now;
    assert_eq!(bench.at_once(b"$H\n?"), "");
    let homed = bench.say(b"");
    assert!(homed.starts_with("<Home|MPos:-298.000,-198.000,-2.000|") && homed.ends_with("> ok"), "{homed}");
    assert!(bench.now - before > Duration::from_secs(5));
    assert!(bench.at_once(b"?").starts_with("<Idle|MPos:-298.000,-198.000,-2.000|"));
    // The homed place is the page's corner again.
    assert_eq!(bench.plotter.trace().pieces.last().unwrap().to, traceur_core::geometry::Point::ORIGIN);
    bench.plotter.remove_switches();
    let failed = bench.say(b"$H\n");
    assert_eq!(failed, "ALARM:9 ok  Grbl 1.1h ['$' for help] [MSG:'$H'|'$X' to unlock]");
    bench.at_once(b"$H\n");
    bench.wait(0.5);
    let broken = bench.at_once(b"\x18");
    assert_eq!(broken, "ALARM:6 ok  Grbl 1.1h ['$' for help] [MSG:'$H'|'$X' to unlock]");
}

#[test]
fn row_jog() {
    let mut bench = Bench::new();
    assert_eq!(bench.at_once(b"$J=G91 X10 F1000\n"), "ok");
    bench.wait(0.2);
    assert!(bench.at_once(b"?").starts_with("<Jog|"));
    assert_eq!(bench.at_once(b"G0X1\n"), "error:9");
    bench.at_once(b"\x85");
    bench.wait(0.5);
    let report = bench.at_once(b"?");
    let x: f64 = report.split(['|', ':', ',']).nth(2).unwrap().parse().unwrap();
    assert!(report.starts_with("<Idle|") && x > 2.0 && x < 9.0, "{report}");
    bench.say(b"$J=G90X0F1000\n");
    bench.at_once(b"G1X100F600\n");
    bench.wait(0.2);
    assert_eq!(bench.at_once(b"$J=X10F100\n"), "error:8");
    assert_eq!(Bench::new().say(b"$J=X10\n"), "error:22");
    assert_eq!(Bench::new().say(b"$J=X10F100S3\n"), "error:36");
    assert_eq!(Bench::new().say(b"$J=X10F100M3\n$JX1\n"), "error:16 error:3");
}

#[test]
fn row_m0() {
    let mut bench = Bench::new();
    assert_eq!(bench.say(b"G1X1F600\nM0\nG1X2\n"), "ok");
    assert!(bench.at_once(b"?").starts_with("<Hold:0|MPos:1.000"));
    assert_eq!(bench.say(b"~"), "ok ok");
    assert_eq!(bench.say(b"M3S500\n"), "ok");
    assert_eq!(
        bench.say(b"G91\nM2\n$G\n"),
        "ok [MSG:Pgm End] ok [GC:G1 G54 G17 G21 G90 G94 M5 M9 T0 F600 S500] ok"
    );
    assert_eq!(bench.say(b"M30\n"), "[MSG:Pgm End] ok");
}

#[test]
fn row_door_sleep_check() {
    let mut bench = Bench::new();
    bench.at_once(b"M3S700\nG1X100F600\n");
    bench.wait(1.0);
    assert_eq!(bench.at_once(b"$SLP\n$C\n"), "error:8 error:8");
    assert_eq!(bench.at_once(b"\x84"), "[MSG:Check Door]");
    assert!(bench.at_once(b"?").starts_with("<Door:2|"));
    bench.wait(1.0);
    let report = bench.at_once(b"?");
    assert!(report.starts_with("<Door:0|") && report.contains("|FS:0,0"), "{report}");
    bench.at_once(b"~");
    assert!(bench.at_once(b"?").starts_with("<Door:3|"), "the spindle comes back");
    bench.wait(5.0);
    let report = bench.at_once(b"?");
    assert!(report.starts_with("<Run|") && report.contains(",700"), "{report}");
    bench.say(b"");
    assert!(bench.at_once(b"?").contains("MPos:100.000"));
    assert_eq!(bench.say(b"$C\n"), "[MSG:Enabled] ok");
    assert_eq!(bench.say(b"G1X1F100\nFOO\n"), "ok error:2");
    assert!(bench.at_once(b"?").starts_with("<Check|MPos:100.000"));
    assert_eq!(bench.say(b"$C\n"), "[MSG:Disabled] ok  Grbl 1.1h ['$' for help]");
    assert_eq!(bench.say(b"$SLP\n"), "ok [MSG:Sleeping]");
    assert!(bench.at_once(b"?").starts_with("<Sleep|"));
    assert_eq!(bench.say(b"$X\n"), "");
    assert_eq!(bench.say(b"\x18"), "Grbl 1.1h ['$' for help] [MSG:'$H'|'$X' to unlock]");
}

#[test]
fn row_spindle_words_drain() {
    for word in ["M3S700", "S700", "M5", "G4P0"] {
        let mut bench = Bench::new();
        bench.say(b"M3S300\n");
        assert_eq!(bench.at_once(format!("G1X10F600\n{word}\nX11\n").as_bytes()), "ok", "{word}");
        assert_eq!(bench.say(b""), "ok ok");
    }
    let mut bench = Bench::new();
    bench.say(b"M3S300\n");
    assert_eq!(bench.at_once(b"G1X10F600\nM3S300\nX11\n"), "ok ok ok", "the same state again does not");
    let mut bench = Bench::new();
    bench.say(b"G4P.12\n");
    assert_eq!(bench.now, Duration::from_millis(150), "a dwell lasts whole steps of 50 ms");
}

#[test]
fn row_arcs() {
    for (line, code) in [("G2X10Y0I3J0F100", 33), ("G2X10Y0R1F100", 34), ("G2X10Y0F100", 35)] {
        assert_eq!(Bench::new().say(format!("{line}\n").as_bytes()), format!("error:{code}"));
    }
    for program in ["G3X10Y0I-10J0F3000", "G2X-10Y0R10F1000\nG2X10Y0R-10"] {
        let mut bench = Bench::new();
        bench.say(b"G0X10\nM3S700\n");
        assert!(!bench.say(format!("{program}\n").as_bytes()).contains("error"));
        let stroke = &bench.plotter.trace().strokes()[0];
        // 62.8 mm in chords of 0.4 mm.
        assert!((150..170).contains(&stroke.points().len()), "{}", stroke.points().len());
        for pair in stroke.points().windows(2) {
            let off = (pair[0].midpoint(pair[1]).to_vec2().hypot() - 10.0).abs();
            assert!(off < 0.017, "{off}");
        }
    }
}

#[test]
fn row_errors() {
    for (line, code) in [
        ("FOO", 2),
        ("G1 X", 2),
        ("$99=1", 3),
        ("F-1", 4),
        ("$0=2", 6),
        ("G1X1", 22),
        ("X1e3", 20),
        ("G99", 20),
        ("M99", 20),
        ("G10L5P1X1", 20),
        ("G0X1G92", 24),
        ("X1 X2", 25),
        ("N99999999", 27),
        ("G4", 28),
        ("T256", 38),
        ("%", 1),
        ("*cs", 1),
    ] {
        assert_eq!(Bench::new().say(format!("{line}\n").as_bytes()), format!("error:{code}"), "{line}");
    }
    let mut bench = Bench::new();
    bench.at_once(b"G1X100F600\n");
    assert_eq!(bench.at_once(b"$I\n"), "error:8");
    let mut bench = Bench::new();
    assert_eq!(bench.say(b"G1X1F600\nFOO\nG1X2\nG1Y\nG1X3\n"), "ok error:2 ok error:2 ok");
    assert!(bench.at_once(b"?").contains("MPos:3.000"));
}

#[test]
fn row_bytes_from_0x80() {
    let mut bench = Bench::new();
    assert_eq!(bench.say(b"G1\xc3\xa4X\xff1F6\xb000\n"), "ok");
    assert!(bench.at_once(b"?").contains("MPos:1.000"));
    assert_eq!(bench.say(b"G1X2;\xfe and more\n(G1X9)\n"), "ok ok");
    assert!(bench.at_once(b"?").contains("MPos:2.000"));
}

#[test]
fn overrides_change_the_speed_at_once_and_are_reported() {
    let mut bench = Bench::new();
    bench.at_once(b"G1X400F1800\n");
    bench.wait(2.0);
    assert!(bench.at_once(b"?").contains("|FS:1800,"));
    bench.at_once(b"\x91\x91\x93");
    bench.wait(1.0);
    let report = bench.at_once(b"?");
    assert!(report.contains("|FS:2178,0|") && report.contains("|Ov:121,100,100"), "{report}");
    bench.at_once(&[0x92; 30]);
    bench.wait(1.0);
    assert!(bench.at_once(b"?").contains("|FS:180,"));
    bench.at_once(b"\x90");
    bench.say(b"");
    assert!(bench.at_once(b"?").contains("MPos:400.000"));
    bench.at_once(b"\x97G0X0\n");
    bench.wait(2.0);
    assert!(bench.at_once(b"?").contains("|FS:1800,"), "a quarter of 7200");
    assert!(bench.at_once(b"\x18").contains("ALARM:3"));
}

#[test]
fn settings_and_start_up_lines_outlive_a_reset() {
    let mut bench = Bench::new();
    assert_eq!(bench.say(b"$N0=FOO\n$N0=G1F300\n$N\n"), "error:2 ok $N0=G1F300 $N1= ok");
    assert_eq!(bench.say(b"$110=60\nG10L2P1X-5\nG92Y3\n"), "ok ok ok");
    assert_eq!(bench.say(b"\x18"), "Grbl 1.1h ['$' for help] >G1F300:ok");
    let parameters = bench.say(b"$#\n");
    assert!(parameters.starts_with("[G54:-5.000,0.000,0.000] [G55:"), "{parameters}");
    assert!(parameters.ends_with("[G92:0.000,0.000,0.000] [TLO:0.000] [PRB:0.000,0.000,0.000:0] ok"));
    bench.at_once(b"G0X15\n");
    bench.wait(1.0);
    assert!(bench.at_once(b"?").contains("|FS:60,"), "$110 is in force");
    bench.say(b"");
    assert_eq!(bench.say(b"$RST=*\n"), "[MSG:Restoring defaults] ok  Grbl 1.1h ['$' for help]");
    assert!(bench.say(b"$$\n").contains("$110=7200.000") && bench.say(b"$N\n").starts_with("$N0= $N1="));
    assert_eq!(bench.say(b"$RST=x\n$SLPX\n$HX\n"), "error:3 error:3 error:3");
}
