//! From a drawing to a toolpath on a machine, with what it costs: what `plan`, `export`, `preview`, `plot` and `run` share.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;

use kurbo::Shape as _;
use rayon::prelude::*;
use serde::Serialize;

use crate::files::OutFolder;
use crate::input::{Input, Laid};
use crate::listener::{Listener, Work};
use crate::timetable::{Timed, Timetable};
use crate::{Error, rounded};
use traceur_core::color::to_hex;
use traceur_core::drawing::Drawing;
use traceur_core::drawing::scene::Match;
use traceur_core::geometry::{Polyline, Rect};
use traceur_core::machine::{Dialect, Placement, Profile};
use traceur_core::pens::Pen;
use traceur_core::toolpath::{
    self, Doubled, Objective, Order, Pass, Split, Statistics, Toolpath, TravelTime, lint,
};
use traceur_protocol::Program;

/// How a toolpath is to be made.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Which order the strokes of a pen are drawn in.
    pub order: Order,
    /// What the best order makes small.
    pub optimize: Optimize,
    /// As [`toolpath::Options::effort`].
    pub effort: Option<usize>,
    /// Ends up to this far apart are joined; mm.
    pub join: f64,
    /// Strokes are drawn once where they lie within this of each other; mm. `None`: as often as they are in the drawing.
    pub dedup: Option<f64>,
    /// Of the random numbers of the search.
    pub seed: u64,
    /// Greatest distance by which leaving out vertices may move a line; mm.
    pub simplify: f64,
    /// Shorter strokes are not drawn; mm.
    pub least_stroke: f64,
    /// Where a pass ends because its pen needs ink; `None`: never.
    pub split: Option<Split>,
    /// Layers of ink at a spot that the paper bears.
    pub most_overdraw: f64,
}

impl Default for Options {
    fn default() -> Self {
        let usual = toolpath::Options::new(Rect::ZERO);
        Self {
            order: usual.order,
            optimize: Optimize::Time,
            effort: usual.effort,
            join: usual.join_tolerance,
            dedup: usual.dedup_tolerance,
            seed: usual.seed,
            simplify: usual.simplify_tolerance,
            least_stroke: usual.least_stroke,
            split: usual.split,
            most_overdraw: lint::Limits::default().most_overdraw,
        }
    }
}

impl Options {
    /// The core's options for what may be drawn on, on a machine with a page in it.
    fn on(&self, area: Rect, profile: &Profile, placement: &Placement) -> toolpath::Options {
        toolpath::Options {
            order: self.order,
            objective: match self.optimize {
                Optimize::Time => Objective::Time(TravelTime::new(profile, placement)),
                Optimize::Travel => Objective::Travel,
            },
            effort: self.effort,
            join_tolerance: self.join,
            dedup_tolerance: self.dedup,
            seed: self.seed,
            simplify_tolerance: self.simplify,
            least_stroke: self.least_stroke,
            split: self.split,
            ..toolpath::Options::new(area)
        }
    }
}

/// What the best order makes small.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Optimize {
    /// The time that the machine takes between strokes.
    Time,
    /// The way with the pen up.
    Travel,
}

/// A toolpath on a machine, with what it costs.
#[derive(Debug)]
pub struct Planned {
    /// The strokes, pass by pass.
    pub toolpath: Arc<Toolpath>,
    /// What draws them.
    pub profile: Profile,
    /// How the page lies in it.
    pub placement: Placement,
    /// When each stroke is drawn.
    pub timetable: Arc<Timetable>,
    /// What it costs, and what became of the drawing.
    pub report: Report,
}

impl Planned {
    /// The program of a pass, by its index.
    ///
    /// # Panics
    /// When there is no such pass.
    #[must_use]
    pub fn program(&self, pass: usize) -> Program {
        traceur_protocol::encode(pass, &self.toolpath.passes[pass], &self.profile, &self.placement)
    }

    /// The programs of all passes, in plotting order.
    #[must_use]
    pub fn programs(&self) -> Vec<Program> {
        (0..self.toolpath.passes.len()).into_par_iter().map(|pass| self.program(pass)).collect()
    }

    /// Looks for what may go wrong on paper.
    fn lint(&mut self, most_overdraw: f64, texts: usize) {
        let clipped = self.report.counts.clipped_mm;
        self.report.lint = crate::lint::findings(
            &self.toolpath,
            &self.profile,
            &self.placement,
            most_overdraw,
            clipped,
            texts,
        );
    }

    /// Writes programs, one a pass, into a folder and gives their paths, in plotting order.
    ///
    /// # Errors
    /// When one can't be written.
    pub fn write(
        &self,
        programs: &[Program],
        folder: &OutFolder,
        listener: &dyn Listener,
    ) -> Result<Vec<PathBuf>, Error> {
        let passes = programs.iter().zip(&self.toolpath.passes).enumerate();
        let written: Result<Vec<PathBuf>, Error> = passes
            .map(|(index, (program, pass))| {
                let name = program_name(index, &pass.pen, program.dialect);
                folder.write(&name, program.to_text().as_bytes())
            })
            .collect();
        let written = written?;
        for other in folder.other_programs(&written) {
            listener.warn(&format!("{} is from an earlier run: not part of this drawing", other.display()));
        }
        Ok(written)
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
#[must_use]
pub fn file_word(text: &str) -> String {
    let safe = |c: char| if c.is_alphanumeric() || "._-".contains(c) { c } else { '-' };
    text.chars().map(safe).take(60).collect()
}

/// What `plan --json` says. Lengths in mm, times in s, to thousandths.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Strokes of all passes.
    pub strokes: usize,
    /// Length of ink.
    pub draw_mm: f64,
    /// Length of the ways with the pen up between strokes.
    pub travel_mm: f64,
    /// How often the pen is lifted.
    pub lifts: usize,
    /// How long all of it takes, pen changes apart.
    pub seconds: f64,
    /// The same before joining and ordering.
    pub input: Before,
    /// First pass first.
    pub passes: Vec<PassReport>,
    /// Left, top, right, bottom of all ink; page mm.
    pub bounds_mm: [f64; 4],
    /// Which pen the drawing's colors found; empty where none was looked for.
    pub mapping: Vec<Mapped>,
    /// What may go wrong on paper.
    pub lint: Vec<lint::Finding>,
    /// What became of the drawing on its way.
    #[serde(flatten)]
    pub counts: Counts,
    /// How the order came about; nothing for a saved plan, whose order is kept.
    #[serde(flatten)]
    pub ordered: Option<Ordered>,
}

/// What became of the drawing on its way.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Counts {
    /// Length that lay outside the drawable area and was cut off.
    pub clipped_mm: f64,
    /// Length that lay hidden below filled shapes.
    pub hidden_mm: f64,
    /// Length of the lines that ink filled shapes.
    pub hatch_mm: f64,
    /// Vertices left out.
    pub simplified_vertices: usize,
    /// Strokes of which nothing is drawn: outside, or the same dot again.
    pub dropped_strokes: usize,
    /// Strokes shorter than asked for.
    pub tiny_strokes: usize,
    /// Strokes without length.
    pub dots: usize,
    /// Stops to refill a pen.
    pub refills: usize,
    /// What was left out because the same pen draws it already.
    pub doubled: Doubled,
}

/// The cost of the order that came in.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Before {
    /// Strokes.
    pub strokes: usize,
    /// Length of the ways with the pen up.
    pub travel_mm: f64,
    /// How often the pen is lifted.
    pub lifts: usize,
    /// How long it takes.
    pub seconds: f64,
}

/// The cost of one pass.
#[derive(Debug, Serialize)]
pub struct PassReport {
    /// The pen's id.
    pub pen: String,
    /// Strokes.
    pub strokes: usize,
    /// Length of ink.
    pub draw_mm: f64,
    /// Length of the ways with the pen up.
    pub travel_mm: f64,
    /// How often the pen is lifted.
    pub lifts: usize,
    /// How long it takes.
    pub seconds: f64,
    /// The same before joining and ordering; nothing for a pass after a refill.
    pub input: Before,
}

/// How the order came about.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Ordered {
    /// Which was wanted.
    pub order: Order,
    /// What was made small.
    pub optimize: Optimize,
    /// Whether the search was ended before its end.
    pub stopped: bool,
}

/// A color and its pen, for scripts.
#[derive(Debug, Clone, Serialize)]
pub struct Mapped {
    /// The color as it is seen on white paper, or the mean of several.
    pub color: String,
    /// How many colors of the file it stands for.
    pub colors: usize,
    /// Of the inked area; 0 to 1.
    pub share: f64,
    /// The pen's id.
    pub pen: String,
    /// The pen's color.
    pub pen_color: String,
    /// How far apart they are; CIEDE2000.
    pub delta_e: f64,
    /// Whether it was told so.
    pub by_hand: bool,
}

impl From<&Match> for Mapped {
    fn from(found: &Match) -> Self {
        Self {
            color: to_hex(found.color),
            colors: found.colors,
            share: rounded(found.share),
            pen: found.pen.clone(),
            pen_color: to_hex(found.pen_color),
            delta_e: (f64::from(found.delta_e) * 10.0).round() / 10.0,
            by_hand: found.by_hand,
        }
    }
}

/// Plans what was read. A program that somebody else wrote has no plan.
///
/// # Errors
/// When nothing of it lies where the machine reaches, or it is a program.
pub fn plan_input(
    input: &Input,
    options: &Options,
    profile: &Profile,
    listener: &dyn Listener,
) -> Result<Planned, Error> {
    match input {
        Input::Drawing(laid) => {
            let Laid { drawing, area, filled_mm, hidden_mm, .. } = laid.as_ref();
            let mut planned = plan(drawing, Some(*area), options, profile, listener)?;
            planned.report.counts.hatch_mm = rounded(*filled_mm);
            planned.report.counts.hidden_mm = rounded(*hidden_mm);
            planned.lint(options.most_overdraw, laid.texts);
            planned.report.mapping = laid.mapping.iter().map(Mapped::from).collect();
            Ok(planned)
        }
        Input::Toolpath(toolpath) => keep(toolpath, options, profile, listener),
        Input::Program(_) => Err(Error::Input(
            "this is a program for a plotter already: use `traceur preview` to see it".into(),
        )),
    }
}

/// Clips, joins, orders and times a drawing. `area` is what may be drawn on of the page, if not all; mm.
///
/// # Errors
/// When nothing of it lies where the machine reaches.
pub fn plan(
    drawing: &Drawing,
    area: Option<Rect>,
    options: &Options,
    profile: &Profile,
    listener: &dyn Listener,
) -> Result<Planned, Error> {
    let page = drawing.page;
    let placement = Placement::of_page(profile, page.width, page.height)?;
    note_turn(&placement, profile, listener);
    let reach = placement.reach(page.width);
    // Ink that was fitted to the margins ends there to the rounding of numbers.
    let area = area.map_or(reach, |area| area.inflate(1e-3, 1e-3).intersect(reach));
    let core = options.on(area, profile, &placement);
    let (toolpath, told, stopped) = search(drawing, &core, listener);
    note_losses(drawing, area, &toolpath, &told, profile, listener)?;
    let given = toolpath::as_given(drawing, &core);
    let before = befores(&given, &toolpath, &told, profile, &placement);
    let counts = Counts {
        clipped_mm: rounded(told.clipped_mm),
        simplified_vertices: told.simplified,
        dropped_strokes: told.dropped,
        tiny_strokes: told.tiny,
        dots: told.dots,
        doubled: Doubled { mm: rounded(told.doubled.mm), ..told.doubled },
        refills: toolpath.passes.windows(2).filter(|pair| pair[0].pen.id == pair[1].pen.id).count(),
        ..Counts::default()
    };
    let timetable = Arc::new(Timetable::new(&toolpath, profile, &placement));
    let report = Report {
        ordered: Some(Ordered { order: options.order, optimize: options.optimize, stopped }),
        ..report(&toolpath, &timetable, &before, counts)
    };
    Ok(Planned { toolpath: Arc::new(toolpath), profile: profile.clone(), placement, timetable, report })
}

/// A saved toolpath is drawn as it stands.
fn keep(
    toolpath: &Toolpath,
    options: &Options,
    profile: &Profile,
    listener: &dyn Listener,
) -> Result<Planned, Error> {
    let placement = Placement::of_page(profile, toolpath.page.width, toolpath.page.height)?;
    check_reach(toolpath, profile, &placement)?;
    note_turn(&placement, profile, listener);
    let timetable = Arc::new(Timetable::new(toolpath, profile, &placement));
    let passes = toolpath.passes.iter().zip(&timetable.passes);
    let before: Vec<Before> =
        passes.map(|(pass, timed)| Before::of(&Statistics::of(&pass.strokes), timed.seconds)).collect();
    let report = report(toolpath, &timetable, &before, Counts::default());
    let toolpath = Arc::new(toolpath.clone());
    let mut planned = Planned { toolpath, profile: profile.clone(), placement, timetable, report };
    planned.lint(options.most_overdraw, 0);
    Ok(planned)
}

/// The toolpath, what the core tells of it, and whether the search for its order was ended before its end.
fn search(
    drawing: &Drawing,
    options: &toolpath::Options,
    listener: &dyn Listener,
) -> (Toolpath, toolpath::Report, bool) {
    let mut progress = listener.begin(Work::Order);
    let mut stopped = false;
    let (toolpath, told) = toolpath::plan_watched(drawing, options, &mut |share| {
        let goes_on = progress.at(share, "");
        stopped |= goes_on.is_break();
        goes_on
    });
    // It may have been ended since it was last asked.
    stopped |= progress.at(1.0, "") == ControlFlow::Break(());
    drop(progress);
    if stopped {
        listener.note("the search was stopped: this is the best order so far");
    }
    (toolpath, told, stopped)
}

/// Tells of what is not drawn.
///
/// # Errors
/// When that is all.
fn note_losses(
    drawing: &Drawing,
    area: Rect,
    toolpath: &Toolpath,
    told: &toolpath::Report,
    profile: &Profile,
    listener: &dyn Listener,
) -> Result<(), Error> {
    if toolpath.passes.is_empty() {
        let (width, height) = (area.width(), area.height());
        let why = if told.tiny > 0 {
            format!("all {} strokes are shorter than --min-stroke", told.tiny)
        } else {
            let help = remedy(drawing, area, profile);
            let id = &profile.id;
            format!(
                "no stroke lies inside the {width:.1} x {height:.1} mm that `{id}` reaches on this page; {help}"
            )
        };
        return Err(Error::Input(format!("nothing to draw: {why}")));
    }
    if told.clipped_mm >= 0.05 {
        listener.warn(&format!(
            "{:.1} mm of line lay outside the drawable area and were cut off; {}",
            told.clipped_mm,
            remedy(drawing, area, profile)
        ));
    }
    if told.tiny > 0 {
        listener.note(&format!("{} strokes shorter than --min-stroke are left out", told.tiny));
    }
    if told.doubled.mm > 0.0 {
        let (strokes, mm) = (told.doubled.strokes, told.doubled.mm);
        listener
            .note(&format!("drawn twice and left out: {strokes} strokes and parts of others, {mm:.1} mm"));
    }
    Ok(())
}

/// Says how the paper must lie on a bed, where that is not as the drawing is seen. A plotter with sheets takes each in one
/// way only.
fn note_turn(placement: &Placement, profile: &Profile, listener: &dyn Listener) {
    if placement.is_turned() && profile.firmware.dialect() != Dialect::Hpgl {
        listener.note(&format!(
            "the page is turned to fit `{}`: lay its top to the left; --no-rotate leaves it upright",
            profile.id
        ));
    }
}

/// What helps when a drawing does not fit.
fn remedy(drawing: &Drawing, area: Rect, profile: &Profile) -> String {
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

fn check_reach(toolpath: &Toolpath, profile: &Profile, placement: &Placement) -> Result<(), Error> {
    let area = placement.reach(toolpath.page.width);
    let strokes = toolpath.passes.iter().flat_map(|pass| &pass.strokes);
    let outside =
        strokes.into_iter().find(|stroke| !traceur_core::geometry::inside(stroke, area.inflate(1e-3, 1e-3)));
    match outside {
        None => Ok(()),
        Some(stroke) => Err(Error::Input(format!(
            "the plan leaves what `{}` reaches, at {:.1}, {:.1} mm: plan the drawing again for this machine",
            profile.id,
            stroke.bounds().x1,
            stroke.bounds().y1
        ))),
    }
}

impl Before {
    fn of(statistics: &Statistics, seconds: f64) -> Self {
        Self {
            strokes: statistics.strokes,
            travel_mm: rounded(statistics.travel_mm),
            lifts: statistics.lifts,
            seconds: rounded(seconds),
        }
    }
}

/// What each pass would cost as it was `given`. The first pass of a pen has all that came in for it; those after a refill
/// have nothing.
fn befores(
    given: &Toolpath,
    toolpath: &Toolpath,
    told: &toolpath::Report,
    profile: &Profile,
    placement: &Placement,
) -> Vec<Before> {
    let seconds = |pass: &Pass| traceur_motion::plan(pass, profile, placement).seconds();
    let mut of_pen: HashMap<&str, f64> =
        given.passes.par_iter().map(|pass| (pass.pen.id.as_str(), seconds(pass))).collect();
    let passes = toolpath.passes.iter().zip(&told.passes);
    passes
        .map(|(pass, told)| {
            of_pen.remove(pass.pen.id.as_str()).map_or_else(Before::default, |s| Before::of(&told.before, s))
        })
        .collect()
}

fn report(toolpath: &Toolpath, timetable: &Timetable, before: &[Before], counts: Counts) -> Report {
    let passes = toolpath.passes.iter().zip(&timetable.passes).zip(before);
    let passes: Vec<PassReport> =
        passes.map(|((pass, timed), before)| PassReport::of(pass, timed, *before)).collect();
    let sum = |of: fn(&PassReport) -> f64| rounded(passes.iter().map(of).sum());
    let bounds =
        toolpath.passes.iter().flat_map(|pass| &pass.strokes).map(Polyline::bounds).reduce(|a, b| a.union(b));
    let bounds = bounds.unwrap_or(Rect::ZERO);
    Report {
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
    }
}

impl PassReport {
    fn of(pass: &Pass, timed: &Timed, input: Before) -> Self {
        let statistics = Statistics::of(&pass.strokes);
        Self {
            pen: pass.pen.id.clone(),
            strokes: statistics.strokes,
            draw_mm: rounded(statistics.draw_mm),
            travel_mm: rounded(statistics.travel_mm),
            lifts: statistics.lifts,
            seconds: rounded(timed.seconds),
            input,
        }
    }
}
