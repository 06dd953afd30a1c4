//! `run RECIPE --port …` plots as `plot` does: over whatever port is named, with a journal, or it fails.

use std::net::TcpListener;

use serde_json::Value;

use super::killed_and_resumed::{Bench, Process};
use traceur_core::geometry::Polyline;

/// Two pens on a small sheet, made in a moment.
const SMALL: &str = "run first-ink --set paper.page=60x50mm --set paper.margin=4mm --set generate.steps=8 \
                     --set generate.max_pens=2 --set plot.dpi=72 --yes --json --port";

fn events(bench: &Bench, port: &str) -> (Option<i32>, Vec<Value>, String) {
    let words: Vec<&str> = SMALL.split_whitespace().chain([port]).collect();
    let run = Process::start(bench, &words);
    let lines: Vec<Value> =
        std::iter::from_fn(|| run.line()).map(|line| serde_json::from_str(&line).unwrap()).collect();
    let (code, said) = run.end();
    (code, lines, said)
}

/// What the report that comes first promises to draw; mm.
fn promised(events: &[Value]) -> f64 {
    events[0]["draw_mm"].as_f64().unwrap()
}

fn names(events: &[Value]) -> Vec<&str> {
    let names = events[1..].iter().map(|event| event["event"].as_str().unwrap());
    names.filter(|name| !["completed", "progress"].contains(name)).collect()
}

#[test]
fn over_a_socket_all_passes_are_drawn_in_one_connection() {
    let bench = Bench::new("grbl-servo");
    let words = ["sim", "grbl-servo", "--tcp", "127.0.0.1:0", "--speed", "max", "--trace", "trace.jsonl"];
    let sim = Process::start(&bench, &[&words[..], &["--json"]].concat());
    let ready: Value = serde_json::from_str(&sim.line().unwrap()).unwrap();
    let (code, events, said) = events(&bench, ready["port"].as_str().unwrap());
    assert_eq!(code, Some(0), "{said}");
    let passes = ["pass", "pass_done", "pass", "pass_done"];
    assert_eq!(names(&events), [&["job", "connected", "checked"][..], &passes, &["done"]].concat());
    bench.switch_off(sim);
    let drawn: f64 = bench.ink().iter().map(Polyline::length).sum();
    assert!((drawn / promised(&events) - 1.0).abs() < 0.02, "{drawn} mm of {}", promised(&events));
}

#[test]
fn a_port_that_refuses_is_a_fault_of_the_device() {
    let bench = Bench::new("grbl-servo");
    // Nobody listens there any more.
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (code, events, said) = events(&bench, &format!("tcp://{address}"));
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains(&address.to_string()) && said.contains("traceur resume 1-first-ink"), "{said}");
    assert!(promised(&events) > 0.0, "what was made is kept: {events:?}");
}

#[test]
fn a_run_that_is_cut_off_goes_on_as_a_job() {
    let bench = Bench::new("grbl-servo");
    let sim = bench.plotter("power-loss=1500B");
    let (code, events, said) = events(&bench, "port");
    assert!(code == Some(3) && said.contains("traceur resume 1-first-ink"), "{code:?} {said}");
    let jobs = bench.store().jobs();
    assert_eq!(jobs.iter().map(|job| job.id.as_str()).collect::<Vec<_>>(), ["1-first-ink"]);
    let (code, said) = bench.run("resume 1 --yes --zeroed");
    assert_eq!(code, 0, "{said}");
    bench.switch_off(sim);
    let drawn: f64 = bench.ink().iter().map(Polyline::length).sum();
    assert!(drawn > 0.99 * promised(&events), "{drawn} mm of {}", promised(&events));
}
