//! The plotting process is killed again and again; the plotter, a process of its own, lives on; `resume` finishes the
//! drawing. No stroke is lost, and no more is drawn twice than fits the plotter's buffers.
//!
//! `TRACEUR_KILLS=200` says how many moments are tried on each machine.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde_json::Value;
use traceur_core::geometry::{Point, Polyline};
use traceur_core::machine::{Placement, Profile};
use traceur_job::Store;

/// Moments on each machine, unless said otherwise.
const KILLS: usize = 12;
/// For anything that a process is waited for.
const PATIENCE: Duration = Duration::from_secs(60);
/// Farther than this from a stroke's begin is another one; mm.
const NEAR: f64 = 0.15;

/// Three pens, a dozen strokes each: short and long, straight and curved, a dot.
fn drawing() -> String {
    let mut svg = String::from(
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="120mm" height="80mm" viewBox="0 0 120 80" fill="none" stroke-width="0.5">"#,
    );
    for (index, color) in ["e6b800", "cd192d", "191919"].iter().enumerate() {
        let left = 8 + 38 * index;
        for row in 0..11 {
            let (x, y) = (left + row % 3, 6 + 6 * row);
            let path = match row % 4 {
                0 => format!("M{x} {y} h28"),
                1 => format!("M{x} {y} q6 4 14 0 t14 1"),
                2 => format!("M{x} {y} h2"),
                _ => format!("M{x} {y} l9 2 l9 -2 l9 2"),
            };
            svg += &format!("<path d=\"{path}\" stroke=\"#{color}\"/>");
        }
        svg += &format!("<path d=\"M{} 76 h0\" stroke=\"#{color}\" stroke-linecap=\"round\"/>", left + 30);
    }
    svg + "</svg>"
}

/// A process whose lines are read by a thread.
pub(crate) struct Process {
    pub(crate) child: Child,
    lines: mpsc::Receiver<String>,
}

impl Process {
    pub(crate) fn start(bench: &Bench, words: &[&str]) -> Self {
        Self::spawn(bench, Command::new(env!("CARGO_BIN_EXE_traceur")).args(words))
    }

    /// One that may write no more to files once it is told so, and only hears of that.
    #[cfg(target_os = "linux")]
    pub(crate) fn start_with_quota(bench: &Bench, words: &[&str]) -> Self {
        let shell = ["-c", "trap '' XFSZ; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_traceur")];
        Self::spawn(bench, Command::new("sh").args(shell).args(words))
    }

    fn spawn(bench: &Bench, command: &mut Command) -> Self {
        let mut child = command
            .current_dir(bench.folder.path())
            .env("XDG_STATE_HOME", bench.folder.path().join("state"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = lines(child.stdout.take().unwrap());
        Self { child, lines }
    }

    /// Sends it a signal: `TERM`, `INT`.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
    }

    /// The next line; `None` once it has ended.
    pub(crate) fn line(&self) -> Option<String> {
        match self.lines.recv_timeout(PATIENCE) {
            Ok(line) => Some(line),
            Err(mpsc::RecvTimeoutError::Disconnected) => None,
            Err(mpsc::RecvTimeoutError::Timeout) => panic!("nothing is said any more"),
        }
    }

    /// Its exit code and what it said on stderr.
    pub(crate) fn end(mut self) -> (Option<i32>, String) {
        while self.line().is_some() {}
        let mut said = String::new();
        let mut stderr = BufReader::new(self.child.stderr.take().unwrap());
        std::io::Read::read_to_string(&mut stderr, &mut said).unwrap();
        (self.child.wait().unwrap().code(), said)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lines(stdout: ChildStdout) -> mpsc::Receiver<String> {
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines() {
            let Ok(line) = line else { return };
            if send.send(line).is_err() {
                return;
            }
        }
    });
    receive
}

pub(crate) struct Bench {
    pub(crate) folder: tempfile::TempDir,
    machine: &'static str,
}

impl Bench {
    pub(crate) fn new(machine: &'static str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("drawing.svg"), drawing()).unwrap();
        Self { folder, machine }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The strokes as they shall be drawn, in the machine's millimetres.
    fn wanted(&self) -> Vec<Polyline> {
        let plan =
            Process::start(self, &["plan", "drawing.svg", "-m", self.machine, "-o", "plan.json", "-q"]);
        assert_eq!(plan.end().0, Some(0));
        let plan: Value =
            serde_json::from_str(&std::fs::read_to_string(self.path("plan.json")).unwrap()).unwrap();
        let profile = Profile::built_in(self.machine).unwrap();
        let placement = Placement::of_page(&profile, 120.0, 80.0).unwrap();
        let point =
            |at: &Value| placement.to_machine(Point::new(at[0].as_f64().unwrap(), at[1].as_f64().unwrap()));
        let passes = plan["passes"].as_array().unwrap();
        let strokes = passes.iter().flat_map(|pass| pass["strokes"].as_array().unwrap());
        strokes.map(|stroke| Polyline::new(stroke.as_array().unwrap().iter().map(point).collect())).collect()
    }

    /// A virtual plotter of its own process at `port`.
    pub(crate) fn plotter(&self, fault: &str) -> Process {
        self.plotter_at("max", fault)
    }

    pub(crate) fn plotter_at(&self, speed: &str, fault: &str) -> Process {
        let words = ["sim", self.machine, "--pty", "port", "--trace", "trace.jsonl", "--json"];
        let sim = Process::start(self, &[&words[..], &["--speed", speed, "--fault", fault]].concat());
        assert!(sim.line().unwrap().contains("ready"));
        sim
    }

    /// Runs `traceur` to its end: exit code and stderr.
    pub(crate) fn run(&self, words: &str) -> (i32, String) {
        let (code, said) = Process::start(self, &words.split(' ').collect::<Vec<_>>()).end();
        (code.expect("it was not killed"), said)
    }

    /// Ends a plotter, which writes what it drew.
    pub(crate) fn switch_off(&self, sim: Process) {
        sim.signal("TERM");
        assert_eq!(sim.end().0, Some(0));
    }

    /// Whether the pen is up at the end of the trace.
    pub(crate) fn pen_is_up(&self) -> bool {
        let text = std::fs::read_to_string(self.path("trace.jsonl")).unwrap();
        text.lines().last().is_none_or(|line| line.contains("\"pen_down\":false"))
    }

    /// The jobs that are kept.
    pub(crate) fn store(&self) -> Store {
        Store::new(self.path("state/traceur/jobs"))
    }

    /// What the pen did on the paper.
    pub(crate) fn ink(&self) -> Vec<Polyline> {
        let text = std::fs::read_to_string(self.path("trace.jsonl")).unwrap();
        let (mut strokes, mut down) = (Vec::<Vec<Point>>::new(), false);
        for line in text.lines() {
            let piece: Value = serde_json::from_str(line).unwrap();
            let point =
                |name: &str| Point::new(piece[name][0].as_f64().unwrap(), piece[name][1].as_f64().unwrap());
            let on_paper = piece["pen_down"].as_bool().unwrap();
            if on_paper {
                if !down {
                    strokes.push(vec![point("from_mm")]);
                }
                strokes.last_mut().unwrap().push(point("to_mm"));
            }
            down = on_paper;
        }
        strokes.into_iter().map(Polyline::new).collect()
    }
}

/// The same numbers each time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

fn off(point: Point, line: &Polyline) -> f64 {
    let near = |pair: &[Point]| {
        let along = pair[1] - pair[0];
        let share = if along.hypot2() > 0.0 {
            ((point - pair[0]).dot(along) / along.hypot2()).clamp(0.0, 1.0)
        } else {
            0.0
        };
        point.distance(pair[0] + along * share)
    };
    line.points().windows(2).map(near).fold(f64::INFINITY, f64::min)
}

/// How many lines an undisturbed plot tells.
fn lines_of_a_plot(machine: &'static str) -> u64 {
    let bench = Bench::new(machine);
    let sim = bench.plotter("");
    let plot =
        Process::start(&bench, &["plot", "drawing.svg", "-m", machine, "--port", "port", "--yes", "--json"]);
    let lines = std::iter::from_fn(|| plot.line()).count() as u64;
    assert_eq!(plot.end().0, Some(0), "{machine}");
    bench.switch_off(sim);
    lines
}

/// Draws once, killed at up to `most` moments, each anywhere in the lines that are left of a plot's `all`. Gives how many
/// these were, and how many strokes were begun twice.
fn draw(machine: &'static str, most: usize, all: u64, chance: &mut Chance) -> (usize, usize) {
    let bench = Bench::new(machine);
    let wanted = bench.wanted();
    let sim = bench.plotter("");
    let (mut kills, mut left, began) = (0, all, Instant::now());
    let mut words = vec!["plot", "drawing.svg", "-m", machine, "--port", "port", "--yes", "--json"];
    loop {
        assert!(began.elapsed() < PATIENCE * 10, "it never ends");
        let mut plot = Process::start(&bench, &words);
        // One that was killed at its very end is done, and `resume` alone would find no other.
        words = vec!["resume", "1", "--yes", "--json"];
        if kills == most {
            let (code, said) = plot.end();
            assert_eq!(code, Some(0), "{machine}: {said}");
            break;
        }
        // The first line tells that the job is kept: from there on it can go on.
        let lines = 1 + chance.below(left);
        left = left.saturating_sub(lines).max(10);
        let ended = (0..lines).any(|_| plot.line().is_none());
        if ended {
            let (code, said) = plot.end();
            assert_eq!(code, Some(0), "{machine}: {said}");
            break;
        }
        // Somewhere between two lines.
        let _ = plot.lines.recv_timeout(Duration::from_micros(chance.below(3_000)));
        plot.child.kill().unwrap();
        plot.child.wait().unwrap();
        kills += 1;
    }
    bench.switch_off(sim);
    let ink = bench.ink();
    let mut twice = 0;
    for (index, stroke) in wanted.iter().enumerate() {
        let mut points = stroke.points().iter();
        let lost = points.find(|point| ink.iter().all(|line| off(**point, line) > NEAR));
        assert!(lost.is_none(), "{machine}: stroke {index} is lost at {lost:?} after {kills} kills");
        let begun = ink.iter().filter(|line| line.start().distance(stroke.start()) < NEAR).count();
        assert!(begun > 0, "{machine}: stroke {index} is never begun");
        twice += begun - 1;
    }
    for line in &ink {
        for point in line.points() {
            assert!(
                wanted.iter().any(|stroke| off(*point, stroke) < NEAR),
                "{machine}: {point:?} was not asked for"
            );
        }
    }
    (kills, twice)
}

/// `bound`: strokes that may be drawn twice for each kill.
#[expect(clippy::print_stdout, reason = "with many moments, the figures are what it is run for")]
fn check(machine: &'static str, bound: usize) {
    let count = std::env::var("TRACEUR_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(KILLS);
    let (mut kills, mut twice, mut chance) = (0, 0, Chance(0x5eed + machine.len() as u64));
    let (mut drawings, mut worst, all) = (0, 0.0_f64, lines_of_a_plot(machine));
    while kills < count {
        let (killed, repeated) = draw(machine, 6.min(count - kills), all, &mut chance);
        assert!(repeated <= killed * bound, "{machine}: {repeated} strokes again after {killed} kills");
        (kills, twice, drawings) = (kills + killed, twice + repeated, drawings + 1);
        worst = worst.max(repeated as f64 / killed.max(1) as f64);
        assert!(drawings < 10 * count, "nothing is ever killed");
    }
    println!(
        "{machine}: {kills} kills in {drawings} drawings of {all} lines: 0 strokes lost, {twice} drawn again, {worst:.1} a kill in \
         the worst drawing"
    );
}

#[test]
fn a_grbl_job_survives_being_killed() {
    // 127 bytes of G-code, at least 28 a stroke, and the one that is being drawn.
    check("grbl-servo", 6);
}

#[test]
fn an_ebb_job_survives_being_killed() {
    // The stroke that is being drawn, and the one whose first command waits.
    check("axidraw-v3", 2);
}

#[test]
fn an_hpgl_job_survives_being_killed() {
    // 256 bytes, at least 18 a stroke, and the one that is being drawn.
    check("hp7475a", 15);
}
