//! Our order of strokes beside that of others, on the same polylines: `cargo bench --bench toolpath -- [FOLDER]`.
//!
//! Sets are the SVGs of a folder (also `TRACEUR_BENCH_FOLDER`), a set for each pen, and random strokes. vpype takes part
//! where `python3`, or `TRACEUR_BENCH_PYTHON`, has it. Each order is made in a process of its own, by one thread, from the
//! page's corner and with the end free.
//!
//! *Fixed*: a stroke is entered at its ends only and none are joined, as all the others have it; that is what references are
//! for. *Any vertex*: closed strokes are entered where that is best. `cargo bench --bench toolpath -- --reference SET…` makes
//! references: the best of several long searches.

mod nearest;
mod sets;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use serde::{Deserialize, Serialize};
use traceur_core::geometry::{Point, Polyline};
use traceur_core::toolpath::{Objective, Settings, Statistics, order, usual_effort};

use sets::Set;

/// The best that is known of each set with fixed ends; mm. Made by `--reference`.
const REFERENCES: [(&str, f64); 16] = [
    ("dashes20k", 19640.1),
    ("halftone", 4586.3),
    ("pl_hatch3 pen 1", 1600.5),
    ("pl_hatch3 pen 2", 3384.6),
    ("pl_hatch3 pen 3", 2583.6),
    ("plotter124", 420.1),
    ("skull", 7385.7),
    ("dashes 1000", 7222.8),
    ("dashes 5000", 14298.7),
    ("clusters 5000", 7853.7),
    ("lines 5000", 11926.8),
    ("circles 2000", 11129.9),
    ("dashes 10000", 18804.2),
    ("dashes 50000", 36085.6),
    ("clusters 50000", 21907.8),
    ("dashes 200000", 71275.4),
];
/// Strokes up to which vpype's `--two-opt` is tried: its time grows with their square.
const TWO_OPT: usize = 9_000;
/// Seeds of a reference.
const SEEDS: [u64; 2] = [1, 2];

/// What one order costs.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Row {
    /// mm.
    travel: f64,
    lifts: usize,
    /// Of the clock on the wall.
    seconds: f64,
    /// Of the processor.
    cpu: f64,
    /// Memory beyond the strokes, at most.
    grown_mb: f64,
}

#[expect(clippy::print_stdout, reason = "the table is what a bench is run for")]
fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["--one", how, path] => {
            let row = one(how, sets::read(Path::new(path)));
            println!("{}", serde_json::to_string(&row).expect("a row is plain data"));
        }
        ["--reference", names @ ..] => {
            for set in
                sets::all(folder(None)).filter(|set| names.is_empty() || names.contains(&set.name.as_str()))
            {
                println!("    (\"{}\", {:.1}),", set.name, reference(&set));
            }
        }
        folders => table(sets::all(folder(folders.first().copied()))),
    }
}

fn folder(given: Option<&str>) -> Option<PathBuf> {
    given.map(PathBuf::from).or_else(|| std::env::var_os("TRACEUR_BENCH_FOLDER").map(PathBuf::from))
}

#[expect(clippy::print_stdout, reason = "the table is what a bench is run for")]
fn table(sets: impl Iterator<Item = Set>) {
    let python = std::env::var("TRACEUR_BENCH_PYTHON").unwrap_or_else(|_| "python3".into());
    let has_vpype =
        Command::new(&python).args(["-c", "import vpype_cli"]).output().is_ok_and(|out| out.status.success());
    if !has_vpype {
        println!("vpype is left out: `{python}` has none; name another python in TRACEUR_BENCH_PYTHON\n");
    }
    println!("Travel with the pen up; CPU seconds; memory beyond the strokes.\n");
    println!(
        "| set | strokes | order | travel mm | lifts | over reference | seconds | CPU s | MB |\n|---|---:|---|---:|---:|---:|---:|---:|---:|"
    );
    let temporary = tempfile::tempdir().expect("a place for temporary files");
    for set in sets {
        let path = temporary.path().join("strokes.txt");
        sets::write(&path, &set.strokes);
        let best = REFERENCES.iter().find(|(name, _)| *name == set.name).map(|(_, mm)| *mm);
        let given = Statistics::of(&set.strokes);
        println!(
            "| {} | {} | file | {:.0} | {} | | | | |",
            set.name, given.strokes, given.travel_mm, given.lifts
        );
        let tell = |how: &str, row: Option<Row>| {
            let Some(row) = row else { return println!("| | | {how} | – | | | | | |") };
            let over = best
                .filter(|_| how != "any vertex")
                .map(|best| format!("{:.2} %", 100.0 * (row.travel / best - 1.0)));
            println!(
                "| | | {how} | {:.0} | {} | {} | {:.2} | {:.2} | {:.0} |",
                row.travel,
                row.lifts,
                over.unwrap_or_default(),
                row.seconds,
                row.cpu,
                row.grown_mb
            );
        };
        for how in ["nearest neighbor", "first", "fixed", "any vertex"] {
            if how != "any vertex" || set.strokes.iter().any(Polyline::is_closed) {
                let this = std::env::current_exe().expect("this program has a path");
                tell(how, run(Command::new(this).args(["--one", how]).arg(&path)));
            }
        }
        for how in ["linesort", "two-opt"] {
            if has_vpype && (how == "linesort" || given.strokes <= TWO_OPT) {
                let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/toolpath/peer.py");
                tell(&format!("vpype {how}"), run(Command::new(&python).arg(script).arg(&path).arg(how)));
            }
        }
    }
}

fn run(command: &mut Command) -> Option<Row> {
    serde_json::from_slice(&command.output().ok()?.stdout).ok()
}

/// One order in this process.
fn one(how: &str, strokes: Vec<Polyline>) -> Row {
    let strokes = if how == "any vertex" { strokes } else { strokes.iter().map(ends).collect() };
    let (memory, begin, cpu) = (kilobytes("VmRSS"), Instant::now(), cpu_seconds());
    let ordered = match how {
        "nearest neighbor" => nearest::order(strokes),
        _ => search(strokes, None, 1, how == "first"),
    };
    let (cpu, seconds) = (cpu_seconds() - cpu, begin.elapsed().as_secs_f64());
    let statistics = Statistics::of(&ordered);
    Row {
        travel: statistics.travel_mm,
        lifts: statistics.lifts,
        seconds,
        cpu,
        grown_mb: (kilobytes("VmHWM") - memory).max(0.0) / 1024.0,
    }
}

fn search(strokes: Vec<Polyline>, effort: Option<usize>, seed: u64, first: bool) -> Vec<Polyline> {
    let settings = Settings { objective: Objective::Travel, effort, seed };
    order(strokes, &settings, &mut |_| if first { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
}

/// The best of two searches, each twenty times as long as the usual one, or eight times with more than 10 000 strokes; mm.
fn reference(set: &Set) -> f64 {
    let count = set.strokes.len();
    let effort = usual_effort(count) * if count > 10_000 { 8 } else { 20 };
    let strokes: Vec<Polyline> = set.strokes.iter().map(ends).collect();
    let travel = |seed: &u64| Statistics::of(&search(strokes.clone(), Some(effort), *seed, false)).travel_mm;
    SEEDS.iter().map(travel).fold(f64::INFINITY, f64::min)
}

/// A stroke that can be entered at its ends only.
fn ends(stroke: &Polyline) -> Polyline {
    let at = |point: Point| Point::new(point.x, point.y);
    Polyline::new(vec![at(stroke.start()), at(stroke.end())])
}

/// Of this thread so far; of the clock where the system doesn't say.
fn cpu_seconds() -> f64 {
    let schedule = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds: Option<f64> = schedule.split(' ').next().and_then(|word| word.parse().ok());
    nanoseconds.map_or_else(
        || {
            std::time::SystemTime::now()
                .duration_since(std::time::UNIX_EPOCH)
                .map_or(0.0, |since| since.as_secs_f64())
        },
        |nanoseconds| nanoseconds * 1e-9,
    )
}

/// A line of this process's status; 0 where the system has none.
fn kilobytes(line: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let found = status.lines().find_map(|text| text.strip_prefix(line)?.strip_prefix(':'));
    found.and_then(|text| text.split_whitespace().next()?.parse().ok()).unwrap_or(0.0)
}
