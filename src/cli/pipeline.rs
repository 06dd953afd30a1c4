//! From a drawing to bytes and from bytes to ink: what `run`, `plan`, `export`, `preview` and `plot` share.

use std::collections::HashMap;
use std::path::PathBuf;

use kurbo::Shape as _;
use rayon::prelude::*;
use serde::Serialize;

use super::files::OutFolder;
use super::matching::Mapped;
use super::order::{OrderArgs, Ordered, Watch};
use super::terminal::{clock, plain, table};
use super::{
    Failure, Terminal,
    input::{Input, Laid},
};
use traceur_app::preview::{Gap, of_paper, of_rgb8, off_page_mm};
use traceur_core::drawing::{Drawing, Page};
use traceur_core::geometry::{Polyline, Rect};
use traceur_core::machine::{Dialect, Placement, Profile};
use traceur_core::pens::Pen;
use traceur_core::toolpath::{self, Doubled, Options, Pass, Split, Statistics, Toolpath, lint};
use traceur_generator::Picture;
use traceur_protocol::Program;
use traceur_sim::MotionTrace;
use traceur_sim::ink::Paper;

/// A toolpath on a machine, with what it costs and the bytes for it.
#[derive(Debug)]
pub(super) struct Planned {
    pub(super) toolpath: Toolpath,
    pub(super) programs: Vec<Program>,
    pub(super) report: Report,
}

impl Planned {
    /// Looks for what may go wrong on paper.
    fn lint(&mut self, profile: &Profile, wishes: &Wishes, texts: usize) -> Result<(), Failure> {
        let page = &self.toolpath.page;
        let placement = Placement::of_page(profile, page.width, page.height)?;
        let (toolpath, clipped) = (&self.toolpath, self.report.counts.clipped_mm);
        let most = wishes.most_overdraw;
        self.report.lint = super::lint::findings(toolpath, profile, &placement, most, clipped, texts);
        Ok(())
    }

    /// Writes the program of each pass into a folder and gives their paths, in plotting order.
    pub(super) fn write_programs(
        &self,
        folder: &OutFolder,
        terminal: &Terminal,
    ) -> Result<Vec<PathBuf>, Failure> {
        let passes = self.programs.iter().zip(&self.toolpath.passes).enumerate();
        let written: Result<Vec<PathBuf>, Failure> = passes
            .map(|(index, (program, pass))| {
                let name = program_name(index, &pass.pen, program.dialect);
                Ok(folder.write(&name, program.to_text().as_bytes())?)
            })
            .collect();
        let written = written?;
        for other in folder.other_programs(&written) {
            terminal.warn(format!("{} is from an earlier run: not part of this drawing", other.display()));
        }
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
    /// Which pen the drawing's colors found; empty where none was looked for.
    pub(super) mapping: Vec<Mapped>,
    /// What may go wrong on paper.
    pub(super) lint: Vec<lint::Finding>,
    #[serde(flatten)]
    pub(super) counts: Counts,
    /// How the order came about; nothing for a saved plan, whose order is kept.
    #[serde(flatten)]
    pub(super) ordered: Option<Ordered>,
}

/// What became of the drawing on its way.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(super) struct Counts {
    /// Length that lay outside the drawable area and was cut off.
    pub(super) clipped_mm: f64,
    /// Length that lay hidden below filled shapes.
    pub(super) hidden_mm: f64,
    /// Length of the lines that ink filled shapes.
    pub(super) hatch_mm: f64,
    /// Vertices left out.
    pub(super) simplified_vertices: usize,
    /// Strokes of which nothing is drawn: outside, or the same dot again.
    pub(super) dropped_strokes: usize,
    /// Strokes shorter than asked for.
    pub(super) tiny_strokes: usize,
    /// Strokes without length.
    pub(super) dots: usize,
    /// Stops to refill a pen.
    pub(super) refills: usize,
    /// What was left out because the same pen draws it already.
    pub(super) doubled: Doubled,
}

/// The cost of the order that came in.
#[derive(Debug, Clone, Copy, Default, Serialize)]
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

/// How a toolpath is to be made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wishes {
    pub(super) order: OrderArgs,
    /// mm.
    pub(super) simplify: f64,
    /// mm.
    pub(super) min_stroke: f64,
    pub(super) split: Option<Split>,
    /// Layers of ink at a spot that the paper bears.
    pub(super) most_overdraw: f64,
}

impl Default for Wishes {
    fn default() -> Self {
        let Options { simplify_tolerance, least_stroke, split, .. } = Options::new(Rect::ZERO);
        Self {
            order: OrderArgs::default(),
            simplify: simplify_tolerance,
            min_stroke: least_stroke,
            split,
            most_overdraw: lint::Limits::default().most_overdraw,
        }
    }
}

/// Plans what was read. A program that somebody else wrote has no plan.
pub(super) fn plan_input(
    input: &Input,
    wishes: &Wishes,
    profile: &Profile,
    terminal: &Terminal,
) -> Result<Planned, Failure> {
    match input {
        Input::Drawing(laid) => {
            let Laid { drawing, area, filled_mm, hidden_mm, .. } = laid.as_ref();
            let mut planned = plan(drawing, Some(*area), wishes, profile, terminal)?;
            planned.report.counts.hatch_mm = rounded(*filled_mm);
            planned.report.counts.hidden_mm = rounded(*hidden_mm);
            planned.lint(profile, wishes, laid.texts)?;
            planned.report.mapping = laid.mapping.iter().map(Mapped::from).collect();
            Ok(planned)
        }
        Input::Toolpath(toolpath) => {
            let placement = Placement::of_page(profile, toolpath.page.width, toolpath.page.height)?;
            check_reach(toolpath, profile, &placement)?;
            tell_turn(&placement, profile, terminal);
            let mut planned = keep(toolpath.clone(), profile, &placement);
            planned.lint(profile, wishes, 0)?;
            Ok(planned)
        }
        Input::Program(_) => Err(Failure::Input(
            "this is a program for a plotter already: use `traceur preview` to see it".into(),
        )),
    }
}

/// Clips, joins, orders, times and encodes a drawing. `area` is what may be drawn on of the page, if not all.
pub(super) fn plan(
    drawing: &Drawing,
    area: Option<Rect>,
    wishes: &Wishes,
    profile: &Profile,
    terminal: &Terminal,
) -> Result<Planned, Failure> {
    let page = drawing.page;
    let placement = Placement::of_page(profile, page.width, page.height)?;
    tell_turn(&placement, profile, terminal);
    let reach = placement.reach(page.width);
    // Ink that was fitted to the margins ends there to the rounding of numbers.
    let area = area.map_or(reach, |area| area.inflate(1e-3, 1e-3).intersect(reach));
    let options = Options {
        simplify_tolerance: wishes.simplify,
        least_stroke: wishes.min_stroke,
        split: wishes.split,
        ..wishes.order.options(profile, &placement, Options::new(area))
    };
    let mut watch = Watch::new(terminal);
    let (toolpath, report) = toolpath::plan_watched(drawing, &options, &mut |share| watch.hear(share));
    let stopped = watch.stopped();
    drop(watch);
    if stopped {
        terminal.say("the search was stopped: this is the best order so far");
    }
    if toolpath.passes.is_empty() {
        let (width, height) = (area.width(), area.height());
        let why = if report.tiny > 0 {
            format!("all {} strokes are shorter than --min-stroke", report.tiny)
        } else {
            let help = mend(drawing, area, profile);
            let id = &profile.id;
            format!(
                "no stroke lies inside the {width:.1} x {height:.1} mm that `{id}` reaches on this page; {help}"
            )
        };
        return Err(Failure::Input(format!("nothing to draw: {why}")));
    }
    if report.clipped_mm >= 0.05 {
        terminal.warn(format!(
            "{:.1} mm of line lay outside the drawable area and were cut off; {}",
            report.clipped_mm,
            mend(drawing, area, profile)
        ));
    }
    if report.tiny > 0 {
        terminal.say(format!("{} strokes shorter than --min-stroke are left out", report.tiny));
    }
    if report.doubled.mm > 0.0 {
        let (strokes, mm) = (report.doubled.strokes, report.doubled.mm);
        terminal.say(format!("drawn twice and left out: {strokes} strokes and parts of others, {mm:.1} mm"));
    }
    let given = toolpath::as_given(drawing, &options);
    let mut of_pen: HashMap<&str, Before> = HashMap::new();
    for pass in &given.passes {
        of_pen.insert(&pass.pen.id, before(pass, profile, &placement));
    }
    // The first pass of a pen has all that came in for it; those after a refill have nothing.
    let passes = toolpath.passes.iter();
    let before: Vec<Before> =
        passes.map(|pass| of_pen.remove(pass.pen.id.as_str()).unwrap_or_default()).collect();
    let counts = Counts {
        clipped_mm: rounded(report.clipped_mm),
        simplified_vertices: report.simplified,
        dropped_strokes: report.dropped,
        tiny_strokes: report.tiny,
        dots: report.dots,
        doubled: Doubled { mm: rounded(report.doubled.mm), ..report.doubled },
        refills: toolpath.passes.windows(2).filter(|pair| pair[0].pen.id == pair[1].pen.id).count(),
        ..Counts::default()
    };
    let mut planned = assemble(toolpath, profile, &placement, &before, counts);
    planned.report.ordered = Some(wishes.order.report(stopped));
    Ok(planned)
}

/// Says how the paper must lie on a bed, where that is not as the drawing is seen. A plotter with sheets takes each in one
/// way only.
fn tell_turn(placement: &Placement, profile: &Profile, terminal: &Terminal) {
    if placement.is_turned() && profile.firmware.dialect() != Dialect::Hpgl {
        terminal.say(format!(
            "the page is turned to fit `{}`: lay its top to the left; --no-rotate leaves it upright",
            profile.id
        ));
    }
}

/// What helps when a drawing does not fit.
fn mend(drawing: &Drawing, area: Rect, profile: &Profile) -> String {
    let (page, bed) = (drawing.page, &profile.bed);
    let paths =
        drawing.layers.iter().flat_map(|layer| &layer.strokes).map(|stroke| stroke.path.bounding_box());
    let ink = paths.reduce(|a, b| a.union(b)).unwrap_or(Rect::ZERO);
    let (width, height) = (ink.width(), ink.height());
    if page.width > bed.width + 0.1 || page.height > bed.height + 0.1 {
        if page.width <= bed.height + 0.1 && page.height <= bed.width + 0.1 {
            return format!(
                "the page of {:.1} x {:.1} mm fits the bed of `{}` when it is turned: leave out --no-rotate",
                page.width, page.height, profile.id
            );
        }
        let (w, h) = (page.width.min(bed.width), page.height.min(bed.height));
        return format!(
            "the page of {:.1} x {:.1} mm is larger than the bed of {:.1} x {:.1} mm of `{}`: --page {w}x{h}mm --fit makes it fit, \
             --tile {w}x{h}mm cuts it over several sheets",
            page.width, page.height, bed.width, bed.height, profile.id
        );
    }
    let size = format!("the ink takes {width:.1} x {height:.1} mm");
    if width <= area.width() && height <= area.height() {
        format!("{size} and fits: --center moves it inside")
    } else if height <= area.width() && width <= area.height() {
        format!("{size}: --rotate 90deg --center makes it fit")
    } else {
        format!("{size}: --fit makes it fit")
    }
}

/// A saved toolpath is drawn as it stands.
fn keep(toolpath: Toolpath, profile: &Profile, placement: &Placement) -> Planned {
    let before: Vec<Before> = toolpath.passes.iter().map(|pass| before(pass, profile, placement)).collect();
    assemble(toolpath, profile, placement, &before, Counts::default())
}

fn check_reach(toolpath: &Toolpath, profile: &Profile, placement: &Placement) -> Result<(), Failure> {
    let area = placement.reach(toolpath.page.width);
    let strokes = toolpath.passes.iter().flat_map(|pass| &pass.strokes);
    let outside =
        strokes.into_iter().find(|stroke| !traceur_core::geometry::inside(stroke, area.inflate(1e-3, 1e-3)));
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
        seconds: rounded(traceur_motion::plan(pass, profile, placement).seconds()),
    }
}

fn assemble(
    toolpath: Toolpath,
    profile: &Profile,
    placement: &Placement,
    before: &[Before],
    counts: Counts,
) -> Planned {
    let passes: Vec<PassReport> = toolpath
        .passes
        .par_iter()
        .zip(before)
        .map(|(pass, before)| {
            let statistics = Statistics::of(&pass.strokes);
            PassReport {
                pen: pass.pen.id.clone(),
                strokes: statistics.strokes,
                draw_mm: rounded(statistics.draw_mm),
                travel_mm: rounded(statistics.travel_mm),
                lifts: statistics.lifts,
                seconds: rounded(traceur_motion::plan(pass, profile, placement).seconds()),
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
        .par_iter()
        .enumerate()
        .map(|(index, pass)| traceur_protocol::encode(index, pass, profile, placement))
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
        mapping: Vec::new(),
        lint: Vec::new(),
        counts,
        ordered: None,
    };
    Planned { toolpath, programs, report }
}

/// µm and ms: what a reader can use.
pub(super) fn rounded(value: f64) -> f64 {
    // An empty sum is -0.
    (value * 1000.0).round() / 1000.0 + 0.0
}

/// In the table, a pass of the pen before.
const REFILL: &str = "  refill";

impl Report {
    /// Before and after, for people.
    pub(super) fn to_table(&self) -> String {
        let row = |name: &str, strokes, draw: f64, travel: [f64; 2], lifts: [usize; 2], seconds: [f64; 2]| {
            let mut row = vec![name.to_owned(), format!("{strokes}"), format!("{:.2} m", draw / 1000.0)];
            // What came in for a pen is said once, not again at its refills.
            let both = |before: String, after: String| {
                if name == REFILL { after } else { format!("{before} > {after}") }
            };
            row.push(both(format!("{:.2}", travel[0] / 1000.0), format!("{:.2} m", travel[1] / 1000.0)));
            row.push(both(lifts[0].to_string(), lifts[1].to_string()));
            row.push(both(clock(seconds[0]), clock(seconds[1])));
            row
        };
        let mut rows = Vec::new();
        for (index, pass) in self.passes.iter().enumerate() {
            let is_refill = index > 0 && self.passes[index - 1].pen == pass.pen;
            rows.push(row(
                if is_refill { REFILL } else { &pass.pen },
                pass.strokes,
                pass.draw_mm,
                [pass.input.travel_mm, pass.travel_mm],
                [pass.input.lifts, pass.lifts],
                [pass.input.seconds, pass.seconds],
            ));
        }
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
fn program_name(index: usize, pen: &Pen, dialect: Dialect) -> String {
    let extension = match dialect {
        Dialect::Grbl => "gcode",
        Dialect::Ebb => "ebb",
        Dialect::Hpgl => "hpgl",
    };
    format!("{}-{}.{extension}", index + 1, file_word(&pen.id))
}

/// A part of a file's name.
pub(super) fn file_word(text: &str) -> String {
    let safe = |c: char| if c.is_alphanumeric() || "._-".contains(c) { c } else { '-' };
    text.chars().map(safe).take(60).collect()
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

/// Inks the marks (page mm) that each pass's bytes made, on white paper.
pub(super) fn ink(page: &Page, passes: &[(Pen, Vec<Polyline>)], dpi: f64, terminal: &Terminal) -> Inked {
    let mut paper = Paper::white(page.width, page.height, dpi);
    lay(&mut paper, passes, terminal);
    let (mut draw_mm, mut off_page) = (0.0, 0.0);
    for (_, strokes) in passes {
        draw_mm += strokes.iter().map(Polyline::length).sum::<f64>();
        off_page += off_page_mm(strokes, page);
    }
    Inked { picture: of_paper(paper), draw_mm, off_page_mm: off_page }
}

/// Inks the marks of passes on a paper.
pub(super) fn lay(paper: &mut Paper, passes: &[(Pen, Vec<Polyline>)], terminal: &Terminal) {
    let bar = terminal.progress("ink", passes.len() as u64);
    for (pen, strokes) in passes {
        bar.set_message(plain(&pen.name));
        paper.lay(strokes, pen.tip, &pen.ink());
        bar.inc(1);
    }
    bar.finish_and_clear();
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

/// The picture that an SVG's viewer shows, laid out, at [`GAP_DPI`]; `None`: the input is no SVG.
pub(super) fn viewed(input: &Input) -> Result<Option<Picture>, Failure> {
    let Input::Drawing(laid) = input else { return Ok(None) };
    let seen = laid.viewer.render(GAP_DPI, Some(&laid.view))?;
    Ok(Some(of_rgb8(seen.width_px, seen.height_px, &seen.rgb)))
}

/// The marks that a trace left, in page space.
pub(super) fn marks(trace: &MotionTrace, placement: &Placement) -> Vec<Polyline> {
    trace.strokes().into_iter().map(|stroke| on_page(&stroke, placement)).collect()
}

/// The marks that a trace left, by the pen in the carousel's slot.
pub(super) fn marks_by_pen(
    trace: &MotionTrace,
    placement: &Placement,
    pens: &[Pen],
) -> Vec<(Pen, Vec<Polyline>)> {
    let marks = trace.strokes_by_pen().into_iter().filter_map(|(slot, strokes)| {
        let pen = pen_in(slot, pens)?.clone();
        Some((pen, strokes.iter().map(|stroke| on_page(stroke, placement)).collect()))
    });
    marks.collect()
}

/// The pen in a place of the carousel: that of this slot, else in the order given. A pen that was mounted by hand is the
/// first.
pub(super) fn pen_in(slot: u32, pens: &[Pen]) -> Option<&Pen> {
    let numbered = pens.iter().find(|pen| pen.slot == Some(slot) && slot > 0);
    numbered.or_else(|| pens.get(slot.max(1) as usize - 1)).or_else(|| pens.first())
}

fn on_page(stroke: &Polyline, placement: &Placement) -> Polyline {
    stroke.map(|point| placement.to_page(point))
}
