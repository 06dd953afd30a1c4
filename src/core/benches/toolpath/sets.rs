//! What is put in order.

use std::f64::consts::TAU;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use traceur_core::drawing::scene::Stages;
use traceur_core::drawing::svg;
use traceur_core::geometry::{Point, Polyline, Rect};
use traceur_core::toolpath::{Options, as_given};

/// A pen of a drawing with fewer strokes is left out: every order of them is good.
const FEWEST: usize = 100;

/// Strokes of one pen, in the order given.
pub(crate) struct Set {
    pub(crate) name: String,
    pub(crate) strokes: Vec<Polyline>,
}

/// Those of a folder's SVGs, and generated ones; each is made when it is asked for.
pub(crate) fn all(folder: Option<PathBuf>) -> impl Iterator<Item = Set> {
    let mut files: Vec<PathBuf> = folder
        .and_then(|folder| std::fs::read_dir(folder).ok())
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "svg"))
        .collect();
    files.sort();
    let kinds = [
        ("dashes", 1_000),
        ("dashes", 5_000),
        ("clusters", 5_000),
        ("lines", 5_000),
        ("circles", 2_000),
        ("dashes", 10_000),
        ("dashes", 50_000),
        ("clusters", 50_000),
        ("dashes", 200_000),
    ];
    files
        .into_iter()
        .flat_map(|path| of_file(&path))
        .chain(kinds.into_iter().map(|(kind, count)| random(kind, count)))
}

fn of_file(path: &Path) -> Vec<Set> {
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let Ok(bytes) = std::fs::read(path) else { return Vec::new() };
    let drawn = svg::read(&name, &bytes).and_then(|source| source.scene.draw(&Stages::default()));
    let Ok(drawn) = drawn else { return Vec::new() };
    let area = Rect::new(-1e5, -1e5, 1e5, 1e5);
    let passes = as_given(&drawn.drawing, &Options::new(area)).passes;
    let is_one = passes.len() == 1;
    let set = |(index, strokes)| {
        let name = if is_one { name.clone() } else { format!("{name} pen {}", index + 1) };
        Set { name, strokes }
    };
    let passes = passes.into_iter().map(|pass| pass.strokes).enumerate();
    passes.filter(|(_, strokes)| strokes.len() >= FEWEST).map(set).collect()
}

/// Random strokes on an A3 sheet.
fn random(kind: &str, count: usize) -> Set {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let centers: Vec<Point> = (0..40)
        .map(|_| Point::new(random.random_range(30.0..260.0), random.random_range(30.0..380.0)))
        .collect();
    let stroke = |index: usize| {
        let mut about = |reach: f64| (0..6).map(|_| random.random_range(-reach..reach)).sum::<f64>();
        let at = match kind {
            "clusters" => centers[index % centers.len()] + kurbo::Vec2::new(about(6.0), about(6.0)),
            _ => Point::new(random.random_range(5.0..290.0), random.random_range(5.0..415.0)),
        };
        let toward = |angle: f64, length: f64| at + kurbo::Vec2::from_angle(angle) * length;
        let angle = random.random_range(0.0..TAU);
        Polyline::new(match kind {
            "circles" => {
                let radius = random.random_range(0.3..2.0);
                (0..=24).map(|k| toward(f64::from(k % 24) * TAU / 24.0, radius)).collect()
            }
            "lines" => vec![at, toward(angle, random.random_range(1.0..40.0))],
            _ => vec![at, toward(angle, 1.5)],
        })
    };
    Set { name: format!("{kind} {count}"), strokes: (0..count).map(stroke).collect() }
}

/// One stroke a line: `x,y x,y …`; mm.
pub(crate) fn write(path: &Path, strokes: &[Polyline]) {
    let mut text = String::new();
    for stroke in strokes {
        for (index, point) in stroke.points().iter().enumerate() {
            let space = if index > 0 { " " } else { "" };
            write!(text, "{space}{},{}", point.x, point.y).expect("a string takes all");
        }
        text.push('\n');
    }
    std::fs::write(path, text).expect("the temporary file can be written");
}

/// What [`write`] wrote.
pub(crate) fn read(path: &Path) -> Vec<Polyline> {
    let text = std::fs::read_to_string(path).expect("the file of strokes can be read");
    let number = |word: &str| word.parse().expect("a number");
    let point = |word: &str| {
        let (x, y) = word.split_once(',').expect("x,y");
        Point::new(number(x), number(y))
    };
    text.lines().map(|line| Polyline::new(line.split(' ').map(point).collect())).collect()
}
