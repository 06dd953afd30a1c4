//! `traceur device`: machines moved by hand, in this process and over a pseudo-terminal.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::json;

use crate::support::Bench;

#[test]
fn each_kind_of_machine_tells_how_it_stands() {
    let bench = Bench::new();
    for (machine, state, firmware) in [
        ("grbl-servo", "Idle", "Grbl 1.1h.20190830"),
        ("axidraw-v3", "ready", "EBBv13_and_above EB Firmware Version 2.8.1"),
        ("hp7475a", "ready", "7475A"),
    ] {
        let standing = bench.run(&format!("device status -m {machine} --port sim --json")).json();
        assert_eq!(
            (&standing["state"], &standing["firmware"]),
            (&json!(state), &json!(firmware)),
            "{machine}"
        );
        assert_eq!(standing["position_mm"], json!([0.0, 0.0]), "{standing}");
    }
    let text = bench.run("device jog 12.5mm -0.1in -m axidraw-v3 --port sim").done().stdout.clone();
    assert!(text.contains("at 12.50, -2.54 mm, pen up, motors have power"), "{text}");
    let pen = |words: &str| bench.run(&format!("device pen {words} --port sim --json")).json()["pen"].clone();
    assert_eq!(
        (pen("down -m grbl-z"), pen("up -m hp7475a"), pen("45% -m axidraw-v3")),
        (json!("down"), json!("up"), json!("down"))
    );
}

#[test]
fn what_a_machine_can_not_do_is_said() {
    let bench = Bench::new();
    bench.run("device zero -m hp7475a --port sim").refused(&["its own sheet"]);
    bench.run("device pen 50% -m hp7475a --port sim").refused(&["no height between"]);
    bench.run("device pen --calibrate -m hp7475a --port sim").refused(&["by itself"]);
    bench.run("device home -m grbl-servo --port sim").refused(&["device zero", "homing = true"]);
    bench.run("device jog -m axidraw-v3 --port sim").refused(&["keys need a terminal", "device jog 10mm"]);
    bench.run("device status -m axidraw-v4 --port sim").refused(&["axidraw-v3"]);
    assert_eq!(bench.run("device status -m axidraw-v3 --port /dev/none").code, 3);
}

/// A virtual plotter in a process of its own, which ends with this.
struct Plotter(Child);

impl Plotter {
    fn start(bench: &Bench, machine: &str) -> Self {
        let child = Command::new(env!("CARGO_BIN_EXE_traceur"))
            .args(["sim", machine, "--speed", "max", "--json", "--pty"])
            .arg(bench.path(machine))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let mut plotter = Self(child.unwrap());
        let mut ready = String::new();
        BufReader::new(plotter.0.stdout.take().unwrap()).read_line(&mut ready).unwrap();
        assert!(ready.contains("ready"), "{ready}");
        plotter
    }
}

impl Drop for Plotter {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

#[cfg(unix)]
#[test]
fn a_machine_at_a_port_stays_where_it_was_moved() {
    let bench = Bench::new();
    for machine in ["grbl-servo", "axidraw-v3", "hp7475a"] {
        let _plotter = Plotter::start(&bench, machine);
        let at = |words: &str| {
            let port = bench.path(machine);
            let ran = bench.run(&format!("device {words} -m {machine} --port {} --json", port.display()));
            ran.json()["position_mm"]
                .as_array()
                .unwrap()
                .iter()
                .map(|mm| mm.as_f64().unwrap().round())
                .collect::<Vec<_>>()
        };
        assert_eq!(at("jog 40mm 25mm"), [40.0, 25.0], "{machine}");
        assert_eq!(at("pen down"), [40.0, 25.0], "{machine}");
        match machine {
            "hp7475a" => {}
            _ => assert_eq!(at("zero"), [0.0, 0.0], "{machine}"),
        }
        assert_eq!(at("home"), [0.0, 0.0], "{machine}");
    }
}
