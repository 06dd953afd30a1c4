//! `-v` says what happens to a job, `-vv` every byte on the wire, both ways.

use serde_json::Value;

use super::killed_and_resumed::{self, Process};
use crate::support::{Bench, Ran, SVG};

/// Plots over a socket to a virtual plotter, with these words before the verb.
fn plotted(bench: &Bench, words: &str) -> Ran {
    let beside = killed_and_resumed::Bench::new("grbl-servo");
    let sim =
        Process::start(&beside, &["sim", "grbl-servo", "--tcp", "127.0.0.1:0", "--speed", "max", "--json"]);
    let ready: Value = serde_json::from_str(&sim.line().unwrap()).unwrap();
    let port = ready["port"].as_str().unwrap();
    let state = bench.path("state");
    let state = [("XDG_STATE_HOME", state.to_str().unwrap())];
    bench.start(&format!("{words} plot in.svg -m grbl-servo --port {port} --yes"), &state, b"")
}

fn bench() -> Bench {
    let bench = Bench::new();
    bench.file("in.svg", SVG);
    bench
}

/// The bytes that the log shows behind an arrow.
fn bytes(log: &str, arrow: &str) -> String {
    let lines = log.lines().filter(|line| line.trim_start().starts_with("TRACE"));
    let escaped = lines.filter_map(|line| line.split_once(arrow)).map(|(_, text)| text);
    let (mut bytes, mut rest) = (String::new(), escaped.collect::<String>());
    while let Some(at) = rest.find('\\') {
        bytes += &rest[..at];
        let (byte, length) = match &rest[at + 1..at + 2] {
            "n" => ('\n', 2),
            "r" => ('\r', 2),
            "x" => (char::from(u8::from_str_radix(&rest[at + 2..at + 4], 16).unwrap()), 4),
            other => (other.chars().next().unwrap(), 2),
        };
        bytes.push(byte);
        rest.drain(..at + length);
    }
    bytes + &rest
}

#[test]
fn twice_verbose_shows_the_programs_bytes_and_the_answers() {
    let bench = bench();
    bench.run("export in.svg -m grbl-servo -o out").done();
    let programs = bench.files().into_iter().filter(|name| name.ends_with(".gcode"));
    let programs: Vec<String> = programs.map(|name| bench.read(&name)).collect();
    let ran = plotted(&bench, "-vv");
    let log = &ran.done().stderr;
    assert!(log.chars().all(|c| c == '\n' || !c.is_control()), "control bytes are escaped");
    // The questions about its state stand anywhere between.
    let sent = bytes(log, "-> ").replace('?', "");
    let mut lines = sent.lines();
    let statements = |program: &String| -> Vec<String> {
        program.lines().filter(|line| !line.starts_with([';', '('])).map(str::to_owned).collect()
    };
    let statements: Vec<String> = programs.iter().flat_map(statements).collect();
    for statement in &statements {
        assert!(lines.any(|line| line == statement), "`{statement}` in its place: {sent}");
    }
    let oks = bytes(log, "<- ").lines().filter(|line| *line == "ok").count();
    assert!(statements.len() > 20 && oks >= statements.len(), "{oks} of {}", statements.len());
}

#[test]
fn once_verbose_says_what_happens_and_nothing_is_said_by_itself() {
    let bench = bench();
    let ran = plotted(&bench, "-v");
    let lines: Vec<&str> = ran.done().stderr.lines().filter(|line| line.contains("INFO")).collect();
    for (words, times) in [
        ("the job is saved", 1),
        ("connected to tcp://127.0.0.1:", 1),
        ("the plotter answers: Grbl", 1),
        ("pass{number=1 ", 2),
        ("pass{number=2 ", 2),
        ("the pass begins stroke=1", 2),
        ("the pass is done", 2),
    ] {
        let found = lines.iter().filter(|line| line.contains(words)).count();
        assert!(found >= times, "{words}: {lines:#?}");
    }
    let ran = plotted(&bench, "");
    assert!(!ran.done().stderr.contains("INFO"), "{}", ran.stderr);
}
