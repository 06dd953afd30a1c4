//! From a drawing to bytes and from bytes to ink: what `run`, `plan`, `export`, `preview` and `plot` share.

use std::path::PathBuf;

use serde::Serialize;

use super::files::OutFolder;
use super::order::{OrderArgs, Ordered, Watch};
use super::terminal::{clock, table};
use super::{Failure, Terminal, input::Input};
use crate::drawing::svg;
use crate::drawing::{Drawing, Page};
use crate::generator::Picture;
use crate::geometry::{Polyline, Rect};
use crate::machine::{Placement, Profile};
use crate::motion;
use crate::pens::Pen;
use crate::preview::{Gap, of_paper, of_rgb8, off_page_mm};
use crate::protocol::grbl::{self, Program};
use crate::sim::ink::Paper;
use crate::toolpath::{self, Doubled, Options, Pass, Statistics, Toolpath};

/// A toolpath on a machine, with what it costs and the bytes for it.
#[derive(Debug)]
pub(super) struct Planned {
    pub(super) toolpath: Toolpath,
    pub(super) programs: Vec<Program>,
    pub(super) report: Report,
}

impl Planned {
    /// Writes the program of each pass into a folder and gives their paths, in plotting order.
    pub(super) fn write_programs(
        &self,
        folder: &OutFolder,
        terminal: &Terminal,
    ) -> Result<Vec<PathBuf>, Failure> {
        let passes = self.programs.iter().zip(&self.toolpath.passes).enumerate();
        let written: Result<Vec<PathBuf>, Failure> = passes
            .map(|(index, (program, pass))| {
                folder.write(&program_name(index, &pass.pen), program.to_text().as_bytes(), terminal)
            })
            .collect();
        let written = written?;
        folder.warn_of_other_programs(&written, terminal);
        Ok(written)
    }
}

/// What `plan --json` says.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) strokes: usize,
    pub(super) draw_mm: f64,
    pub(super) travel_mm: f64,
    pub(super) lifts: usize,
    pub(super) seconds: f64,
    /// The same before joining and ordering.
    pub(super) input: Before,
    pub(super) passes: Vec<PassReport>,
    /// Left, top, right, bottom of all ink; page mm.
    pub(super) bounds_mm: [f64; 4],
    /// Length that lay outside the drawable area and was cut off.
    pub(super) clipped_mm: f64,
    /// What was left out because the same pen draws it already.
    pub(super) doubled: Doubled,
    /// How the order came about; nothing for a saved plan, whose order is kept.
    #[serde(flatten)]
    pub(super) ordered: Option<Ordered>,
}

/// The cost of the order that came in.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Before {
    pub(super) strokes: usize,
    pub(super) travel_mm: f64,
    pub(super) lifts: usize,
    pub(super) seconds: f64,
}

/// The cost of one pass.
#[derive(Debug, Serialize)]
pub(super) struct PassReport {
    pub(super) pen: String,
    pub(super) strokes: usize,
    pub(super) draw_mm: f64,
    pub(super) travel_mm: f64,
    pub(super) lifts: usize,
    pub(super) seconds: f64,
    pub(super) input: Before,
}

/// Plans what was read. A program that somebody else wrote has no plan.
pub(super) fn plan_input(
    input: &Input,
    order: &OrderArgs,
    profile: &Profile,
    terminal: &Terminal,
) -> Result<Planned, Failure> {
    match input {
        Input::Drawing { drawing, .. } => plan(drawing, order, profile, terminal),
        Input::Toolpath(toolpath) => check_reach(toolpath, profile).map(|()| keep(toolpath.clone(), profile)),
        Input::Program(_) => Err(Failure::Input(
            "this is a program for a plotter already: use `traceur preview` to see it".into(),
        )),
    }
}

/// Clips, joins, orders, times and encodes a drawing.
pub(super) fn plan(
    drawing: &Drawing,
    order: &OrderArgs,
    profile: &Profile,
    terminal: &Terminal,
) -> Result<Planned, Failure> {
    let page = drawing.page;
    let placement = Placement::new(profile, page.height);
    let options = order.options(profile, page.height, Options::new(placement.reach(profile, page.width)));
    let mut watch = Watch::new(terminal);
    let (toolpath, report) = toolpath::plan_watched(drawing, &options, &mut |share| watch.hear(share));
    let stopped = watch.stopped();
    drop(watch);
    if stopped {
        terminal.say("the search was stopped: this is the best order so far");
    }
    if toolpath.passes.is_empty() {
        return Err(Failure::Input(format!(
            "nothing to draw: no stroke lies inside the {} x {} mm that `{}` reaches on this page",
            options.area.width(),
            options.area.height(),
            profile.id
        )));
    }
    if report.clipped_mm >= 0.05 {
        terminal.warn(format!(
            "{:.1} mm of line lay outside the drawable area and were cut off",
            report.clipped_mm
        ));
    }
    if report.doubled.mm > 0.0 {
        let (strokes, mm) = (report.doubled.strokes, report.doubled.mm);
        terminal.say(format!("drawn twice and left out: {strokes} strokes and parts of others, {mm:.1} mm"));
    }
    let given = toolpath::as_given(drawing, &options);
    let before: Vec<Before> = given.passes.iter().map(|pass| before(pass, profile, &placement)).collect();
    let mut planned = assemble(toolpath, profile, &placement, &before, report.clipped_mm);
    planned.report.ordered = Some(order.report(stopped));
    planned.report.doubled = Doubled { mm: rounded(report.doubled.mm), ..report.doubled };
    Ok(planned)
}

/// A saved toolpath is drawn as it stands.
fn keep(toolpath: Toolpath, profile: &Profile) -> Planned {
    let placement = Placement::new(profile, toolpath.page.height);
    let before: Vec<Before> = toolpath.passes.iter().map(|pass| before(pass, profile, &placement)).collect();
    assemble(toolpath, profile, &placement, &before, 0.0)
}

fn check_reach(toolpath: &Toolpath, profile: &Profile) -> Result<(), Failure> {
    let area = Placement::new(profile, toolpath.page.height).reach(profile, toolpath.page.width);
    let strokes = toolpath.passes.iter().flat_map(|pass| &pass.strokes);
    let outside =
        strokes.into_iter().find(|stroke| !crate::geometry::inside(stroke, area.inflate(1e-3, 1e-3)));
    match outside {
        None => Ok(()),
        Some(stroke) => Err(Failure::Input(format!(
            "the plan leaves what `{}` reaches, at {:.1}, {:.1} mm: plan the drawing again for this machine",
            profile.id,
            stroke.bounds().x1,
            stroke.bounds().y1
        ))),
    }
}

fn before(pass: &Pass, profile: &Profile, placement: &Placement) -> Before {
    let statistics = Statistics::of(&pass.strokes);
    Before {
        strokes: statistics.strokes,
        travel_mm: rounded(statistics.travel_mm),
        lifts: statistics.lifts,
        seconds: rounded(motion::plan(pass, profile, placement).seconds()),
    }
}

fn assemble(
    toolpath: Toolpath,
    profile: &Profile,
    placement: &Placement,
    before: &[Before],
    clipped_mm: f64,
) -> Planned {
    let passes: Vec<PassReport> = toolpath
        .passes
        .iter()
        .zip(before)
        .map(|(pass, before)| {
            let statistics = Statistics::of(&pass.strokes);
            PassReport {
                pen: pass.pen.id.clone(),
                strokes: statistics.strokes,
                draw_mm: rounded(statistics.draw_mm),
                travel_mm: rounded(statistics.travel_mm),
                lifts: statistics.lifts,
                seconds: rounded(motion::plan(pass, profile, placement).seconds()),
                input: *before,
            }
        })
        .collect();
    let sum = |of: fn(&PassReport) -> f64| rounded(passes.iter().map(of).sum());
    let bounds =
        toolpath.passes.iter().flat_map(|pass| &pass.strokes).map(Polyline::bounds).reduce(|a, b| a.union(b));
    let bounds = bounds.unwrap_or(Rect::ZERO);
    let programs = toolpath
        .passes
        .iter()
        .enumerate()
        .map(|(index, pass)| grbl::encode(index, pass, profile, placement))
        .collect();
    let report = Report {
        strokes: passes.iter().map(|pass| pass.strokes).sum(),
        draw_mm: sum(|pass| pass.draw_mm),
        travel_mm: sum(|pass| pass.travel_mm),
        lifts: passes.iter().map(|pass| pass.lifts).sum(),
        seconds: sum(|pass| pass.seconds),
        input: Before {
            strokes: passes.iter().map(|pass| pass.input.strokes).sum(),
            travel_mm: sum(|pass| pass.input.travel_mm),
            lifts: passes.iter().map(|pass| pass.input.lifts).sum(),
            seconds: sum(|pass| pass.input.seconds),
        },
        passes,
        bounds_mm: [bounds.x0, bounds.y0, bounds.x1, bounds.y1].map(rounded),
        clipped_mm: rounded(clipped_mm),
        doubled: Doubled::default(),
        ordered: None,
    };
    Planned { toolpath, programs, report }
}

/// µm and ms: what a reader can use.
pub(super) fn rounded(value: f64) -> f64 {
    // An empty sum is -0.
    (value * 1000.0).round() / 1000.0 + 0.0
}

impl Report {
    /// Before and after, for people.
    pub(super) fn to_table(&self) -> String {
        let row = |name: &str, strokes, draw: f64, travel: [f64; 2], lifts: [usize; 2], seconds: [f64; 2]| {
            vec![
                name.to_owned(),
                format!("{strokes}"),
                format!("{:.2} m", draw / 1000.0),
                format!("{:.2} > {:.2} m", travel[0] / 1000.0, travel[1] / 1000.0),
                format!("{} > {}", lifts[0], lifts[1]),
                format!("{} > {}", clock(seconds[0]), clock(seconds[1])),
            ]
        };
        let mut rows: Vec<_> = self
            .passes
            .iter()
            .map(|pass| {
                row(
                    &pass.pen,
                    pass.strokes,
                    pass.draw_mm,
                    [pass.input.travel_mm, pass.travel_mm],
                    [pass.input.lifts, pass.lifts],
                    [pass.input.seconds, pass.seconds],
                )
            })
            .collect();
        rows.push(row(
            "all",
            self.strokes,
            self.draw_mm,
            [self.input.travel_mm, self.travel_mm],
            [self.input.lifts, self.lifts],
            [self.input.seconds, self.seconds],
        ));
        table(&["pass", "strokes", "draw", "travel", "lifts", "time"], &rows)
    }
}

/// The file name of a pass's program. A pen's id may hold anything; a file name may not.
fn program_name(index: usize, pen: &Pen) -> String {
    let safe = |c: char| if c.is_alphanumeric() || "._-".contains(c) { c } else { '-' };
    format!("{}-{}.gcode", index + 1, pen.id.chars().map(safe).take(60).collect::<String>())
}

/// The ink of simulated passes on paper.
#[derive(Debug)]
pub(super) struct Inked {
    pub(super) picture: Picture,
    /// Length of ink; mm.
    pub(super) draw_mm: f64,
    /// Length of ink outside the page; mm.
    pub(super) off_page_mm: f64,
}

/// Inks the marks (page mm) that each pass's bytes made.
pub(super) fn ink(page: &Page, passes: &[(Pen, Vec<Polyline>)], dpi: f64, terminal: &Terminal) -> Inked {
    let mut paper = Paper::white(page.width, page.height, dpi);
    let bar = terminal.progress("ink", passes.len() as u64);
    let (mut draw_mm, mut off_page) = (0.0, 0.0);
    for (pen, strokes) in passes {
        bar.set_message(pen.name.clone());
        paper.lay(strokes, pen.tip, &pen.ink());
        draw_mm += strokes.iter().map(Polyline::length).sum::<f64>();
        off_page += off_page_mm(strokes, page);
        bar.inc(1);
    }
    bar.finish_and_clear();
    Inked { picture: of_paper(paper), draw_mm, off_page_mm: off_page }
}

impl Inked {
    /// The gap to a picture of the same page.
    pub(super) fn gap(&self, wanted: &Picture, page: &Page) -> Result<Gap, Failure> {
        let share = if self.draw_mm > 0.0 { self.off_page_mm / self.draw_mm } else { 0.0 };
        Ok(Gap::measure(wanted, &self.picture, page, share)?)
    }
}

/// Resolution at which ink and drawing are compared: twice the gap's own, so that both are averaged alike.
pub(super) const GAP_DPI: f64 = 144.0;

/// The picture that an SVG's viewer shows, at [`GAP_DPI`].
pub(super) fn viewed(file: &str, svg: &[u8]) -> Result<Picture, Failure> {
    let seen = svg::render(file, svg, GAP_DPI)?;
    Ok(of_rgb8(seen.width_px, seen.height_px, &seen.rgb))
}

/// The marks that a trace left, in page space.
pub(super) fn marks(trace: &crate::sim::MotionTrace, placement: &Placement) -> Vec<Polyline> {
    let to_page =
        |stroke: Polyline| Polyline::new(stroke.points.into_iter().map(|p| placement.to_page(p)).collect());
    trace.strokes().into_iter().map(to_page).collect()
}
