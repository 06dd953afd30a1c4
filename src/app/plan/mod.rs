//! From a drawing to a toolpath on a machine, with what it costs: what `plan`, `export`, `preview`, `plot` and `run` share.

mod losses;
mod report;

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;

use rayon::prelude::*;
use serde::Serialize;

use self::losses::{note_losses, note_turn};
use self::report::report;
pub use self::report::{Before, Counts, Mapped, Ordered, PassReport, Report};
use crate::files::OutFolder;
use crate::input::{Input, Laid};
use crate::listener::{Listener, Work};
use crate::timetable::Timetable;
use crate::{Error, rounded};
use traceur_core::drawing::Drawing;
use traceur_core::geometry::Rect;
use traceur_core::machine::{Dialect, Placement, Profile};
use traceur_core::pens::Pen;
use traceur_core::toolpath::{self, Doubled, Objective, Pass, Statistics, Toolpath, TravelTime, lint};
use traceur_protocol::Program;

/// How a toolpath is to be made.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// How strokes are joined, ordered and simplified. The area is the machine's, the objective that of `optimize` on it.
    pub toolpath: toolpath::Options,
    /// What the best order makes small.
    pub optimize: Optimize,
    /// Layers of ink at a spot that the paper bears.
    pub most_overdraw: f64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            toolpath: toolpath::Options::new(Rect::ZERO),
            optimize: Optimize::Time,
            most_overdraw: lint::Limits::default().most_overdraw,
        }
    }
}

impl Options {
    /// The toolpath's options for what may be drawn on, on a machine with a page in it.
    fn on(&self, area: Rect, profile: &Profile, placement: &Placement) -> toolpath::Options {
        let objective = match self.optimize {
            Optimize::Time => Objective::Time(TravelTime::new(profile, placement)),
            Optimize::Travel => Objective::Travel,
        };
        toolpath::Options { area, objective, ..self.toolpath }
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
        ordered: Some(Ordered { order: options.toolpath.order, optimize: options.optimize, stopped }),
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
