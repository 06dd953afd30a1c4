//! What a drawing is asked to be.

use serde::{Deserialize, Serialize};

use super::aim::Aim;
use super::augment::Jitter;
use super::forms;
use super::sheet::{Given, Grid};
use super::spline::MOST_SPANS;
use super::stage::Stage;
use super::style::Style;
use super::{Canvas, Error, Weights};
use traceur_core::drawing::Page;
use traceur_core::geometry::Rect;
use traceur_core::pens::Pen;

/// Usual length of the shortest strokes; px.
const SHORTEST_PX: f64 = 14.0;

/// Fewer steps with pens than these are not interrupted.
pub(super) const LEAST_STEPS: usize = 20;
/// Share of the steps with pens in which lines are mixtures of them.
const MIXED: f64 = 0.7;

/// What to generate, and how. A checkpoint holds all of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The sheet.
    #[serde(with = "forms::PageForm")]
    pub page: Page,
    /// Blank edge of the sheet that no stroke enters; mm.
    pub margin: f64,
    /// What to excite.
    #[serde(with = "forms::text")]
    pub aim: Aim,
    /// In which manner.
    pub style: Option<Style>,
    /// Pens to choose from.
    #[serde(with = "forms::pens")]
    pub pens: Vec<Pen>,
    /// How many of them at most.
    pub most_pens: usize,
    /// Pens lighter than this CIE lightness are not chosen while there are darker ones: they fill without being seen.
    pub lightest: f32,
    /// Strokes, within 5 %. `None`: by area, or by length.
    pub strokes: Option<usize>,
    /// Cubics of a stroke, 1 to 6: a path on which they join smoothly.
    pub spans: usize,
    /// Least and greatest share of the drawable area that is left white, 0 to 1: the weight of ink is moved until it is so.
    /// `None`, or a length is wanted: as it comes.
    pub white: Option<[f64; 2]>,
    /// Length of all strokes; mm, within 5 %. `None`: as it comes.
    pub length: Option<f64>,
    /// Length of the shortest strokes; mm. `None`: 14 px of the canvas.
    pub feature: Option<f64>,
    /// Steps in free color.
    pub free_steps: usize,
    /// Steps with the pens.
    pub tune_steps: usize,
    /// Step of the control points; px.
    pub step_px: f64,
    /// Views and first arcs follow from it.
    pub seed: u64,
    /// Of the objective's terms.
    pub weights: Weights,
    /// How far views may go.
    pub jitter: Jitter,
    /// Views a step.
    pub views: usize,
    /// About how many pixels the canvas may have; a part's, when there is a grid.
    pub most_px: usize,
    /// Whether the sheet is made of copies of a part.
    pub grid: Option<Grid>,
    /// Steps with the whole of such a sheet.
    pub sheet_steps: usize,
    /// Drawings that are the parts of the sheet, as many as the grid has different ones; none: parts are made.
    pub given: Vec<Given>,
}

impl Settings {
    /// The usual settings.
    #[must_use]
    pub fn new(page: Page, aim: Aim, pens: Vec<Pen>) -> Self {
        Self {
            page,
            margin: 8.0,
            aim,
            style: None,
            pens,
            most_pens: 4,
            lightest: 80.0,
            strokes: None,
            spans: 1,
            white: None,
            length: None,
            feature: None,
            free_steps: 50,
            tune_steps: 180,
            step_px: 1.6,
            seed: 1,
            weights: Weights::default(),
            jitter: Jitter::default(),
            views: 1,
            most_px: 260_000,
            grid: None,
            sheet_steps: 80,
            given: Vec::new(),
        }
    }

    /// Looks whether they can work, whoever made them: a page and pens, and every number in its range.
    ///
    /// # Errors
    /// One sentence: the first that can't.
    pub fn check(&self) -> Result<(), Error> {
        let wrong = if self.most_pens == 0 || self.strokes == Some(0) {
            "no pens or no strokes to draw with: allow one at least".into()
        } else if self.length.is_some_and(|length| !(1.0..=1e8).contains(&length)) {
            "metres of ink: give a length such as 25".into()
        } else if self.feature.is_some_and(|feature| !(0.01..=100.0).contains(&feature)) {
            "generate.feature: give a length such as \"2mm\"".into()
        } else if !(1..=64).contains(&self.views) {
            format!("{} views a step: give 1 to 64", self.views)
        } else if !(1..=MOST_SPANS).contains(&self.spans) {
            format!("{} cubics a stroke: give 1 to {MOST_SPANS}", self.spans)
        } else if self.grid.is_some_and(|grid| !grid.is_sane()) {
            "a sheet has 1 to 400 parts, and no more different ones than that".into()
        } else if let Some((name, value)) = self.jitter.first_mistake() {
            format!("jitter {name} of {value} is out of its range")
        } else if let Some(name) = self.weights.first_mistake() {
            format!("the weight {name} is no number")
        } else {
            return self.canvas().map(drop);
        };
        Err(Error::Setting(wrong))
    }

    /// Where strokes may be; page mm.
    ///
    /// # Errors
    /// When the margin leaves less than 10 mm.
    pub fn drawable(&self) -> Result<Rect, Error> {
        let drawable = self.page.rect().inset(-self.margin);
        if drawable.width() >= 10.0 && drawable.height() >= 10.0 && self.margin >= 0.0 {
            return Ok(drawable);
        }
        let (width, height) = (self.page.width, self.page.height);
        Err(Error::Setting(format!(
            "a margin of {} mm leaves too little of a page of {width} x {height} mm: leave 10 mm at least",
            self.margin
        )))
    }

    /// The pens that may be chosen: not the lightest, while there are others.
    pub(super) fn candidates(&self) -> Vec<Pen> {
        let dark: Vec<Pen> =
            self.pens.iter().filter(|pen| pen.lightness() <= self.lightest).cloned().collect();
        if dark.is_empty() { self.pens.clone() } else { dark }
    }

    /// The share of white that the weights are balanced for. `None`: they are taken as they are, as a budget of length needs.
    pub(super) fn balanced_white(&self) -> Option<[f64; 2]> {
        self.white.filter(|_| self.length.is_none())
    }

    /// Cubics of a stroke: those of drawings that are given are single ones.
    pub(super) fn spans(&self) -> usize {
        if self.given.is_empty() { self.spans.clamp(1, MOST_SPANS) } else { 1 }
    }

    /// Coordinates of a stroke's control points.
    pub(super) fn coordinates(&self) -> usize {
        2 * (self.spans() + 3)
    }

    /// The length below which strokes are knots; px.
    pub(super) fn shortest_px(&self, canvas: &Canvas) -> f64 {
        self.feature.map_or(SHORTEST_PX, |mm| mm * canvas.px_per_mm)
    }

    /// The raster that is optimised.
    ///
    /// # Errors
    /// When there is no pen, or the margin leaves nothing.
    pub fn canvas(&self) -> Result<Canvas, Error> {
        let finest = self.pens.iter().map(|pen| pen.tip).min_by(f64::total_cmp);
        let tip = finest.ok_or_else(|| Error::Setting("no pens to draw with: give one at least".into()))?;
        let most_px = match &self.grid {
            // All that a part may have, for each of them.
            Some(grid) => self.most_px.saturating_mul(grid.cells()),
            None => self.most_px,
        };
        Ok(Canvas::around(self.drawable()?, tip, most_px))
    }

    /// What is made in a stage: the sheet, or a part of it.
    pub(super) fn at(&self, stage: Stage) -> Result<Self, Error> {
        match &self.grid {
            Some(grid) if stage != Stage::Sheet => self.part(grid),
            _ => Ok(self.clone()),
        }
    }

    /// The settings of one part of a sheet: the part's own page, to its edges.
    fn part(&self, grid: &Grid) -> Result<Self, Error> {
        let drawable = self.drawable()?;
        let (columns, rows) = (grid.columns as f64, grid.rows as f64);
        let page = Page { width: drawable.width() / columns, height: drawable.height() / rows };
        let strokes = self.strokes.map(|strokes| strokes.div_ceil(grid.cells()));
        let length = self.length.map(|length| length / grid.cells() as f64);
        Ok(Self { page, margin: 0.0, strokes, length, grid: None, ..self.clone() })
    }

    /// Steps of all stages.
    #[must_use]
    pub fn steps(&self) -> usize {
        let (parts, sheet) = self.grid.map_or((1, 0), |grid| (grid.parts, self.sheet_steps));
        self.part_steps().saturating_mul(parts).saturating_add(sheet)
    }

    /// Of the steps with pens, those in which lines are mixtures of them.
    pub(super) fn mix_steps(&self) -> usize {
        let is_mixed = self.tune_steps >= LEAST_STEPS && self.given.is_empty() && self.candidates().len() > 1;
        if is_mixed { (MIXED * self.tune_steps as f64) as usize } else { 0 }
    }

    /// Steps of a drawing, or of each part of a sheet that differs.
    pub(super) fn part_steps(&self) -> usize {
        if self.given.is_empty() { self.free_steps.saturating_add(self.tune_steps) } else { 0 }
    }
}
