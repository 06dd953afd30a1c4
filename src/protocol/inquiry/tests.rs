//! Inquiries by themselves and with virtual plotters.

use proptest::prelude::*;

use super::*;
use traceur_core::machine::BUILT_IN;

fn profile(id: &str) -> Profile {
    Profile::built_in(id).unwrap()
}

fn greeted() -> Greeting {
    Greeting { banner: "Grbl 1.1h ['$' for help]".into(), locked: false }
}

fn memory() -> Memory {
    Memory { home: false, zeroed: false, mark: 77 }
}

/// Sends what is due as text; each piece of it.
fn sent<T>(inquiry: &mut Inquiry<T>) -> Vec<String> {
    std::iter::from_fn(|| inquiry.poll_transmit())
        .map(|bytes| String::from_utf8(bytes).unwrap().trim_end().to_owned())
        .collect()
}

/// Lets an inquiry have its way with a machine that answers at once what `answers` gives, in pieces of `cut` bytes; all that
/// was sent, the answer, and when it came.
fn drive<T>(
    mut inquiry: Inquiry<T>,
    cut: usize,
    mut answers: impl FnMut(&str) -> String,
) -> (Vec<String>, Result<T, Error>, Duration) {
    let (mut all, mut now) = (Vec::new(), Duration::ZERO);
    for _ in 0..20_000 {
        let lines = sent(&mut inquiry);
        for line in &lines {
            for piece in answers(line).as_bytes().chunks(cut) {
                inquiry.handle_bytes(now, piece);
            }
        }
        let has_asked = !lines.is_empty();
        all.extend(lines);
        if let Some(answer) = inquiry.poll_answer() {
            assert_eq!(inquiry.poll_timeout(), None);
            all.extend(sent(&mut inquiry));
            return (all, answer, now);
        }
        if !has_asked {
            now = inquiry.poll_timeout().unwrap().max(now);
            inquiry.handle_timeout(now);
        }
    }
    panic!("it goes on for ever: {:?}", all.last());
}

/// A FluidNC of two axes.
fn two_axes(line: &str) -> String {
    match line {
        "?" => "<Idle|MPos:12.500,-3.000|FS:0,0>\r\n".into(),
        "$#" => "[G54:2.500,1.000]\r\n[G92:0.000,0.000]\r\nok\r\n".into(),
        "$I" => "[VER:3.7 FluidNC v3.7.8:]\r\n[OPT:PHS]\r\nok\r\n".into(),
        "$G" => "[GC:G0 G54 G17 G21 G90 G94 M3 M9 T0 F0 S700]\r\nok\r\n".into(),
        _ => "ok\r\n".into(),
    }
}

#[test]
fn a_board_of_two_axes_tells_how_it_stands() {
    let (said, answer, _) = drive(status(&profile("grbl-servo"), &greeted()), 9, two_axes);
    assert_eq!(said, ["?", "$#", "$I", "$G"]);
    let expected = DeviceStatus {
        state: "Idle".into(),
        position: Some([10.0, -4.0]),
        pen_down: Some(true),
        motor_power: None,
        firmware: "Grbl 3.7 FluidNC v3.7.8".into(),
        trouble: None,
    };
    assert_eq!(answer.unwrap(), expected);
}

#[test]
fn an_eibotboard_goes_home_at_the_speed_of_a_plot() {
    let ebb = |line: &str| match line {
        "QC" => "0394,0300\r\nOK\r\n".into(),
        "QG" => "00\r\n".into(),
        _ => "OK\r\n".to_owned(),
    };
    let profile = profile("axidraw-v3");
    let (said, answer, _) = drive(home(&profile, &Greeting::default()), 3, ebb);
    answer.unwrap();
    let pass = traceur_core::toolpath::Pass {
        pen: traceur_core::pens::Inventory::built_in("black").unwrap().pens.remove(0),
        strokes: Vec::new(),
    };
    let placement = traceur_core::machine::Placement::of_page(&profile, 200.0, 200.0).unwrap();
    let program = crate::return_to_zero(&profile, &placement, &pass).unwrap();
    let line = &program.statements.last().unwrap().line;
    assert!(line == "HM,3200" && said.contains(line), "{line}: {said:?}");
}

#[test]
fn a_refusal_tells_the_line_and_what_the_answer_means() {
    let (_, answer, _) =
        drive(jog(&profile("grbl-servo"), &greeted(), [1.0, 0.0]), 64, |_| "error:15\r\n".into());
    let told = answer.unwrap_err().to_string();
    assert!(told.starts_with("the plotter answered error:15 to `$J=G91G21X1Y0F"), "{told}");
    let locked = Greeting { locked: true, ..greeted() };
    let (said, answer, _) = drive(jog(&profile("grbl-servo"), &locked, [1.0, 0.0]), 64, two_axes);
    assert_eq!((said.len(), answer), (0, Err(Fault::Locked.into())));
}

/// Each inquiry of each machine, and how it ends when nobody answers.
fn silent(profile: &Profile) -> Vec<(&'static str, Result<(), Error>, Duration)> {
    fn end<T>(name: &'static str, inquiry: Inquiry<T>) -> (&'static str, Result<(), Error>, Duration) {
        let (_, answer, time) = drive(inquiry, 1, |_| String::new());
        (name, answer.map(drop), time)
    }
    let lift = || vec!["M3S300".to_owned()];
    vec![
        end("greet", greet(profile)),
        end("home", home(profile, &greeted())),
        end("jog", jog(profile, &greeted(), [1.0, 1.0])),
        end("pen", pen(profile, &greeted(), Height::Down)),
        end("zero", zero(profile, &greeted())),
        end("status", status(profile, &greeted())),
        end("position", position(profile, lift(), memory())),
        end("rescue", rescue(profile, lift())),
    ]
}

#[test]
fn no_inquiry_waits_for_ever() {
    let mut inquiries = 0;
    for (id, _) in BUILT_IN {
        let profile = profile(id);
        for (name, answer, time) in silent(&profile) {
            inquiries += 1;
            assert!(time <= Duration::from_secs(200), "{id} {name}: {time:?}");
            let needs_none =
                name == "rescue" || (name == "position" && profile.firmware.baud() == Some(9600));
            assert_eq!(answer.is_ok(), needs_none, "{id} {name}: {answer:?}");
        }
    }
    assert!(inquiries >= 3 * 8);
    for question in crate::QUESTIONS {
        let (said, answer, time) = drive(identity(question), 1, |_| String::new());
        assert_eq!((said.len(), answer, time), (1, Ok(None), question.patience));
    }
}

#[test]
fn a_rescue_lifts_the_pen_of_a_board_that_says_nothing() {
    for (id, expected) in [
        ("grbl-servo", ["\u{18}", "$X\nM3S300"].as_slice()),
        ("axidraw-v3", &["\rM3S300"]),
        ("hp7475a", &["\u{1b}.(\u{1b}.J\u{1b}.KPU;"]),
    ] {
        let (said, ..) = drive(rescue(&profile(id), vec!["M3S300".into()]), 1, |_| String::new());
        assert_eq!(said, expected, "{id}");
    }
}

#[test]
fn a_board_that_has_forgotten_the_job_is_lost() {
    let tool = |tool: u8| {
        move |line: &str| match line {
            "?" => "<Idle|MPos:1.000,2.000,0.000|FS:0,0>\r\n".to_owned(),
            "$G" => format!("[GC:G0 G54 G17 G21 G90 G94 M3 M9 T{tool} F0 S0]\r\nok\r\n"),
            _ => "ok\r\n".into(),
        }
    };
    let ask = || position(&profile("grbl-servo"), vec!["M3S300".into()], memory());
    let (said, known, _) = drive(ask(), 5, tool(77));
    assert_eq!(known, Ok(Position::Known));
    assert_eq!(said[said.len() - 4..], ["@", "$G", "M3S300", "T77"]);
    let (said, lost, _) = drive(ask(), 5, tool(0));
    assert!(matches!(&lost, Ok(Position::Lost(why)) if why.contains("restarted")), "{lost:?}");
    assert_eq!(said.last().unwrap(), "M3S300", "the pen is up all the same, and no mark is left");
}

proptest! {
    #[test]
    fn noise_is_no_answer_and_no_panic(noise in prop::collection::vec(any::<u8>(), 0..200), id in 0_usize..3) {
        let profile = profile(["grbl-servo", "axidraw-v3", "hp7475a"][id]);
        let mut inquiry = greet(&profile);
        inquiry.handle_bytes(Duration::ZERO, &noise);
        let mut steps = 0;
        while let Some(timeout) = inquiry.poll_timeout() {
            inquiry.handle_timeout(timeout);
            steps += 1;
            prop_assert!(steps < 100);
        }
        prop_assert!(inquiry.poll_answer().is_some());
    }

    #[test]
    fn any_split_gives_the_same_answer(cut in 1_usize..40) {
        let whole = drive(status(&profile("grbl-servo"), &greeted()), 4096, two_axes);
        prop_assert_eq!(drive(status(&profile("grbl-servo"), &greeted()), cut, two_axes), whole);
    }
}
