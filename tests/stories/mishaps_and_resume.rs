//! What befalls a plot ends with the pen up, a true word, the right exit code, and a job that can go on or says why not.

use super::killed_and_resumed::{Bench, Process};
use traceur_core::geometry::Polyline;
use traceur_core::pens::odometer::PenKey;
use traceur_job::Odometer;
use traceur_job::journal::Entry;

const PLOT: &str = "plot drawing.svg --port port --yes -q -m";

#[test]
fn a_grbl_board_that_lost_its_power_is_not_trusted() {
    let bench = Bench::new("grbl-servo");
    let sim = bench.plotter("power-loss=1500B");
    let (code, said) = bench.run(&format!("{PLOT} grbl-servo"));
    assert!(
        code == 3 && said.contains("restarted") && said.contains("traceur resume 1-drawing"),
        "{code} {said}"
    );
    let (code, said) = bench.run("resume --yes");
    assert!(code == 1 && said.contains("has restarted") && said.contains("--zeroed"), "{code} {said}");
    let (code, said) = bench.run("resume --yes --zeroed");
    assert_eq!(code, 0, "{said}");
    bench.switch_off(sim);
    assert!(bench.pen_is_up());
}

#[test]
fn an_axidraw_that_lost_its_power_is_not_trusted() {
    let bench = Bench::new("axidraw-v3");
    let sim = bench.plotter("power-loss=2500B");
    let (code, said) = bench.run(&format!("{PLOT} axidraw-v3"));
    assert!(code == 3 && said.contains("restarted"), "{code} {said}");
    let (code, said) = bench.run("resume --yes");
    assert!(code == 1 && said.contains("home corner") && said.contains("--zeroed"), "{code} {said}");
    let (code, said) = bench.run("resume 1 --yes --zeroed");
    assert_eq!(code, 0, "{said}");
    bench.switch_off(sim);
    assert!(bench.pen_is_up());
}

#[test]
fn motors_without_power_draw_nothing_more() {
    let bench = Bench::new("axidraw-v3");
    let sim = bench.plotter("motor-power-off=2500B");
    for words in [format!("{PLOT} axidraw-v3"), "resume --yes".into()] {
        let (code, said) = bench.run(&words);
        assert!(code == 3 && said.contains("motors have no power"), "{words}: {code} {said}");
    }
    bench.switch_off(sim);
    assert!(bench.pen_is_up());
}

#[test]
fn a_pulled_cable_ends_the_job_and_a_plugged_one_goes_on() {
    let bench = Bench::new("grbl-servo");
    let sim = bench.plotter("unplug=1500B");
    let (code, said) = bench.run(&format!("{PLOT} grbl-servo"));
    assert!(code == 3 && said.contains("ended") && said.contains("traceur resume"), "{code} {said}");
    let (mut code, mut said) = bench.run("resume --yes");
    // On a busy machine it is plugged in again by now.
    if code != 0 {
        assert!(code == 3 && said.contains("port"), "{code} {said}");
        assert!(sim.line().unwrap().contains("ready"));
        (code, said) = bench.run("resume --yes");
    }
    assert_eq!(code, 0, "{said}");
    bench.switch_off(sim);
    assert!(bench.pen_is_up());
}

#[test]
fn a_bad_wire_never_leaves_the_pen_down() {
    for (machine, seed) in [("grbl-servo", 1), ("axidraw-v3", 2), ("hp7475a", 3)] {
        let bench = Bench::new(machine);
        let sim = bench.plotter(&format!("flip=0.0004,drop=0.0002,seed={seed}"));
        let (code, said) = bench.run(&format!("{PLOT} {machine}"));
        assert!(code == 0 || code == 3 && said.contains("traceur resume"), "{machine}: {code} {said}");
        bench.switch_off(sim);
        assert!(bench.pen_is_up(), "{machine}: {code} {said}");
    }
}

#[test]
fn a_profile_that_is_gone_and_a_drawing_that_changed_do_not_matter() {
    let bench = Bench::new("grbl-servo");
    let (code, _) = bench.run("machines new mine --from grbl-servo -o mine.toml");
    assert_eq!(code, 0);
    let sim = bench.plotter("");
    let words = ["plot", "drawing.svg", "-m", "mine.toml", "--port", "port", "--yes", "--json"];
    let mut plot = Process::start(&bench, &words);
    while !plot.line().unwrap().contains("\"stroke\":5") {}
    plot.child.kill().unwrap();
    plot.child.wait().unwrap();
    std::fs::remove_file(bench.path("mine.toml")).unwrap();
    std::fs::write(bench.path("drawing.svg"), "gone").unwrap();
    let (code, said) = bench.run("jobs");
    assert_eq!(code, 0, "{said}");
    let (code, said) = bench.run("resume drawing --yes --overlap 2mm");
    assert_eq!(code, 0, "{said}");
    bench.switch_off(sim);
    assert!(bench.pen_is_up());
}

#[test]
fn a_state_folder_that_can_not_be_written_is_told_before_anything_moves() {
    let bench = Bench::new("grbl-servo");
    let sim = bench.plotter("");
    std::fs::write(bench.path("state"), "in the way").unwrap();
    let (code, said) = bench.run(&format!("{PLOT} grbl-servo"));
    assert!(code == 2 && said.contains("--no-journal"), "{code} {said}");
    let (code, said) = bench.run(&format!("{PLOT} grbl-servo --no-journal --dry-run --frame --times 2"));
    assert_eq!(code, 0, "{said}");
    bench.switch_off(sim);
    let text = std::fs::read_to_string(bench.path("trace.jsonl")).unwrap();
    assert!(text.lines().count() > 50 && !text.contains("\"pen_down\":true"));
}

#[test]
fn a_damaged_journal_is_told_and_a_stroke_can_be_named() {
    let bench = Bench::new("hp7475a");
    let sim = bench.plotter("");
    let (code, said) = bench.run(&format!("{PLOT} hp7475a"));
    assert_eq!(code, 0, "{said}");
    let journal = bench.path("state/traceur/jobs/1-drawing/journal.jsonl");
    let text = std::fs::read_to_string(&journal).unwrap();
    std::fs::write(&journal, text.replacen("drawn", "drown", 1)).unwrap();
    let (code, said) = bench.run("resume 1 --yes");
    assert!(code == 2 && said.contains("journal.jsonl:") && said.contains("--from-stroke"), "{code} {said}");
    let (code, said) = bench.run("resume 1 --yes --from-stroke 30");
    assert_eq!(code, 0, "{said}");
    let (code, said) = bench.run("resume 1 --yes --from-stroke 3000");
    assert!(code == 2 && said.contains("3000"), "{code} {said}");
    bench.switch_off(sim);
}

/// Starts a plot, and waits until so many strokes are drawn.
fn begun(bench: &Bench, machine: &str, strokes: usize) -> Process {
    let words = ["plot", "drawing.svg", "-m", machine, "--port", "port", "--yes", "--json"];
    let plot = Process::start(bench, &words);
    until_stroke(&plot, strokes);
    plot
}

fn until_stroke(plot: &Process, strokes: usize) {
    let drawn = |line: &str| {
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        event["event"] == "completed" && event["stroke"].as_u64() >= Some(strokes as u64)
    };
    while !drawn(&plot.line().expect("it ended too soon")) {}
}

#[test]
fn an_alarm_ends_the_job_and_no_place_is_guessed() {
    let bench = Bench::new("grbl-servo");
    let sim = bench.plotter("limit-switch=1500B");
    let (code, said) = bench.run(&format!("{PLOT} grbl-servo"));
    assert!(code == 3 && said.contains("ALARM:1") && said.contains("traceur resume"), "{code} {said}");
    let (code, said) = bench.run("resume --yes");
    assert!(code == 1 && said.contains("--zeroed"), "{code} {said}");
    let (code, said) = bench.run("resume --yes --zeroed");
    assert_eq!(code, 0, "{said}");
    bench.switch_off(sim);
    assert!(bench.pen_is_up());
}

#[cfg(unix)]
#[test]
fn a_board_that_refuses_all_as_it_is_locked_is_told_before_anything_moves() {
    use std::io::{Read as _, Write as _};
    let bench = Bench::new("grbl-servo");
    let sim = bench.plotter("");
    let mut port = std::fs::OpenOptions::new().read(true).write(true).open(bench.path("port")).unwrap();
    let mut say = |text: &[u8], awaited: &str| {
        port.write_all(text).unwrap();
        let mut said = String::new();
        while !said.contains(awaited) {
            let mut bytes = [0; 64];
            let count = port.read(&mut bytes).unwrap();
            said.push_str(&String::from_utf8_lossy(&bytes[..count]));
        }
    };
    say(b"$SLP\n", "ok");
    say(b"\x18", "unlock");
    say(b"X1\n", "error:9");
    drop(port);
    let (code, said) = bench.run(&format!("{PLOT} grbl-servo"));
    assert!(code == 3 && said.contains("locked") && said.contains("$X"), "{code} {said}");
    bench.switch_off(sim);
    assert!(bench.ink().is_empty());
}

#[cfg(unix)]
#[test]
fn a_signal_to_end_stops_as_q_does() {
    for machine in ["grbl-servo", "axidraw-v3", "hp7475a"] {
        let bench = Bench::new(machine);
        let sim = bench.plotter("");
        let plot = begun(&bench, machine, 3);
        plot.signal("TERM");
        let (code, said) = plot.end();
        assert!(code == Some(1) && said.contains("traceur resume 1-drawing"), "{machine}: {code:?} {said}");
        assert_eq!(bench.store().find("1").unwrap().past().unwrap().end, Some(Entry::Stopped), "{machine}");
        let (code, said) = bench.run("resume --yes");
        assert_eq!(code, 0, "{machine}: {said}");
        bench.switch_off(sim);
        assert!(bench.pen_is_up(), "{machine}");
    }
}

#[test]
fn a_pass_that_is_all_drawn_asks_for_its_pen_no_more() {
    let bench = Bench::new("grbl-servo");
    let sim = bench.plotter("");
    let (code, said) = bench.run(&format!("{PLOT} grbl-servo"));
    assert_eq!(code, 0, "{said}");
    // Killed on the way home behind the first pass.
    let path = bench.store().find("1").unwrap().journal();
    let text = std::fs::read_to_string(&path).unwrap();
    let kept = text.lines().take_while(|line| !line.contains("pass-done")).map(|line| format!("{line}\n"));
    std::fs::write(&path, kept.collect::<String>()).unwrap();
    let (code, said) = bench.run("resume 1 --yes --zeroed");
    assert!(code == 0 && said.contains("12 of 36") && said.contains("going on in pass 2 of 3"), "{said}");
    bench.switch_off(sim);
}

#[cfg(unix)]
#[test]
fn ctrl_c_twice_ends_at_once_with_the_pen_up() {
    for machine in ["grbl-servo", "axidraw-v3", "hp7475a"] {
        let bench = Bench::new(machine);
        let sim = bench.plotter_at("2", "");
        let mut plot = begun(&bench, machine, 1);
        // The second one must come before the machine rests, and may not be heard as one with the first.
        while plot.child.try_wait().unwrap().is_none() {
            plot.signal("INT");
        }
        let (code, said) = plot.end();
        assert!(code == Some(1) && said.contains("traceur resume"), "{machine}: {code:?} {said}");
        assert_eq!(bench.store().find("1").unwrap().past().unwrap().end, Some(Entry::Stopped), "{machine}");
        bench.switch_off(sim);
        assert!(bench.pen_is_up(), "{machine}: {said}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_fills_up_stops_no_stroke_and_is_told() {
    let bench = Bench::new("grbl-servo");
    let sim = bench.plotter("");
    let words = ["plot", "drawing.svg", "-m", "grbl-servo", "--port", "port", "--yes", "--json"];
    let plot = Process::start_with_quota(&bench, &words);
    until_stroke(&plot, 3);
    let id = plot.child.id().to_string();
    let limited = std::process::Command::new("prlimit").args(["--fsize=1", "--pid", &id]).status();
    assert!(limited.unwrap().success());
    let (code, said) = plot.end();
    assert!(code == Some(0) && said.contains("plotting goes on") && said.contains("--from-stroke"), "{said}");
    let past = bench.store().find("1").unwrap().past().unwrap();
    assert!(past.drawn.stroke >= 1 && past.end.is_none(), "{past:?}");
    bench.switch_off(sim);
    let once = bench.ink().len();
    assert_eq!(once, 36, "each stroke is drawn once");
}

#[test]
fn the_odometer_counts_no_stroke_twice() {
    let bench = Bench::new("grbl-servo");
    let sim = bench.plotter("");
    let mut plot = begun(&bench, "grbl-servo", 4);
    for _ in 0..3 {
        plot.child.kill().unwrap();
        plot.child.wait().unwrap();
        plot = Process::start(&bench, &["resume", "--yes", "--json"]);
        until_stroke(&plot, 1);
    }
    let (code, said) = plot.end();
    assert_eq!(code, Some(0), "{said}");
    bench.switch_off(sim);
    let odometer = Odometer::open(&bench.path("state/traceur/odometer.log")).unwrap();
    let passes = bench.store().find("1").unwrap().case().unwrap().toolpath.passes;
    for (index, pass) in passes.iter().enumerate() {
        let counted = odometer.metres(&PenKey::from(&pass.pen)) * 1000.0;
        let length: f64 = pass.strokes.iter().map(Polyline::length).sum();
        assert!(counted <= length + 0.01, "pass {index}: {counted} of {length} mm");
        // The log is exact to micrometers. What a killed process had not written yet is lost: the last pass was never killed.
        assert!(
            counted > 0.0 && (index < 2 || counted > length - 0.01),
            "pass {index}: {counted} of {length} mm"
        );
    }
}
