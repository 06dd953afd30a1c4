//! Drawing a picture with pens, so that from arm's length the plot is seen as the picture.
//!
//! Comes in: a [`Picture`] of the page (a photo, or what a viewer shows of a drawing), the drawing's own lines if it has
//! any, pens. Goes out: a [`Drawing`]. The pens are fixed from the first step, and ink is laid as the plotter will lay it.
//!
//! ```text
//! own lines ─► parallels ─┐
//!                         ├─► [ add where the error is ─► optimise ─► prune, swap pens ] × rounds ─► optimise ─► Drawing
//! picture ─► pens, flow ──┘
//! ```
//!
//! Deliberately absent: networks (no candle here: the loss is a sum over tiles, and has its gradient by hand), files.

mod flow;
mod mixing;
mod own;
mod revise;
mod seen;
mod strokes;

#[cfg(test)]
mod tests;

use kurbo::BezPath;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

pub use seen::Sight;

use super::objective::resample;
use super::rasterizer::TILE;
use super::{Canvas, Error, PenUse, Picture};
use flow::Flow;
use mixing::Mixing;
use revise::Judge;
use seen::Wanted;
use strokes::{Line, chains};
use traceur_core::color::{Ink, Srgb};
use traceur_core::drawing::svg::WideLine;
use traceur_core::drawing::{Drawing, Layer, Page, Stroke};
use traceur_core::geometry::{Point, Rect, flatten};
use traceur_core::pens::Pen;

/// Edge of the squares that the eye averages at arm's length; mm. It is eight pixels of the canvas, or fewer.
const SEEN: f64 = 2.8;
/// About how many pixels a canvas may have.
const MOST_PX: f64 = 2.2e6;
/// Area of the page for each stroke, by default; mm².
const AREA_PER_STROKE: f64 = 22.1;
/// Length of a new stroke against what a budget leaves for each: shorter ones follow the picture, and they grow.
const SHARE_OF_BUDGET: f32 = 0.5;
/// Length of a new stroke without a budget; mm.
const USUAL_LENGTH: f64 = 8.0;

/// What is to be drawn, and with what.
#[derive(Debug, Clone, PartialEq)]
pub struct Wish {
    /// The sheet.
    pub page: Page,
    /// Blank edge of the sheet that no line's middle enters; mm. Half a tip is kept in any case.
    pub margin: f64,
    /// What the whole sheet should look like.
    pub picture: Picture,
    /// Lines that the picture is made of and that should stay lines.
    pub own: Vec<WideLine>,
    /// Pens to choose from.
    pub pens: Vec<Pen>,
    /// How many of them at most.
    pub most_pens: usize,
    /// Strokes at most. `None`: by area.
    pub strokes: Option<usize>,
    /// Length of all lines at most; mm.
    pub length: Option<f64>,
    /// Steps of the control points.
    pub steps: usize,
    /// Rounds of adding, pruning and swapping.
    pub rounds: usize,
    /// Of all chance.
    pub seed: u64,
    /// Of the loss.
    pub sight: Sight,
    /// Step of the control points; px.
    pub step_px: f32,
    /// Step of a drawing's own lines against that of the others.
    pub own_pace: f32,
    /// Of the squared change of a stroke's shape; px⁻².
    pub stiffness: f32,
    /// What a pixel of line must gain at least.
    pub thrift: f32,
}

impl Wish {
    /// The usual settings.
    #[must_use]
    pub fn new(page: Page, picture: Picture, pens: Vec<Pen>) -> Self {
        Self {
            page,
            margin: 0.0,
            picture,
            own: Vec::new(),
            pens,
            most_pens: 6,
            strokes: None,
            length: None,
            steps: 200,
            rounds: 12,
            seed: 1,
            sight: Sight::TONES,
            step_px: 0.6,
            own_pace: 0.3,
            stiffness: 4e-6,
            thrift: 1e-5,
        }
    }

    /// The usual settings for a picture that is made of lines, which stay lines.
    #[must_use]
    pub fn from_lines(page: Page, picture: Picture, own: Vec<WideLine>, pens: Vec<Pen>) -> Self {
        let strokes = Self { rounds: 6, step_px: 1.2, stiffness: 1e-5, ..Self::new(page, picture, pens) };
        Self { own, sight: Sight::LINES, ..strokes }
    }
}

/// Told after each step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// Steps done.
    pub step: usize,
    /// Steps in all.
    pub steps: usize,
    /// Strokes at present.
    pub strokes: usize,
    /// About the ΔE2000 that is seen.
    pub loss: f32,
}

/// What came out.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The strokes; every point of them is in the drawable area.
    pub drawing: Drawing,
    /// The last step's loss.
    pub loss: f32,
    /// Share of the sheet without ink.
    pub white: f32,
    /// One a layer.
    pub pens: Vec<PenUse>,
}

/// Draws a picture with pens; `progress` is called after each step. The same wish gives the same drawing on any number of
/// threads.
///
/// # Errors
/// When there are no pens or no strokes to draw with, or the margin leaves less than 10 mm.
pub fn imitate(wish: &Wish, progress: &mut dyn FnMut(Progress)) -> Result<Outcome, Error> {
    let drawable = drawable(wish)?;
    let canvas = canvas(wish.page);
    let rgb = resample(&wish.picture, wish.page, &canvas);
    let wanted = Wanted::new(&rgb, &canvas);
    let flow = Flow::new(&rgb, &canvas);
    let pens = mixing::choose(&wish.pens, wish.most_pens, &squares(&rgb, &canvas));
    let inks: Vec<(Ink, f32)> =
        pens.iter().map(|pen| (ink(pen), (pen.tip * canvas.px_per_mm) as f32)).collect();
    let (from, to) = (canvas.to_px(drawable.origin()), canvas.to_px(Point::new(drawable.x1, drawable.y1)));
    let mut run = Run {
        wish,
        canvas,
        drawable,
        inside: [from.x as f32, from.y as f32, to.x as f32, to.y as f32],
        wanted,
        flow,
        rgb,
        pens,
        inks,
        rng: ChaCha8Rng::seed_from_u64(wish.seed),
        lines: Vec::new(),
        thrift: wish.thrift,
        loss: 0.0,
        done: 0,
    };
    run.all(progress);
    Ok(run.outcome())
}

/// A pen's ink in sRGB values in the place of light.
///
/// A line is hardly wider than a pixel of the canvas, so most pixels are part ink, part paper. The eye's squares are means
/// of sRGB values of a sharp picture: in light, each such pixel would be too pale. Inks multiply in sRGB nearly as they do
/// in light, since it is nearly a power of it.
fn ink(pen: &Pen) -> Ink {
    let color: Srgb<f32> = pen.color.into_format();
    let color = [color.red, color.green, color.blue];
    let strength = color.map(|t| (1.0 - (1.0 - pen.opacity) * t).clamp(0.002, 0.998));
    let limit = std::array::from_fn(|i| (1.0 - (1.0 - color[i]) / strength[i]).clamp(0.0, 1.0));
    Ink { strength, limit }
}

fn drawable(wish: &Wish) -> Result<Rect, Error> {
    let tip = wish.pens.iter().map(|pen| pen.tip).fold(0.0, f64::max);
    if wish.pens.is_empty() || wish.most_pens == 0 || wish.strokes == Some(0) {
        return Err(Error::Setting("no pens or no strokes to draw with: allow one at least".into()));
    }
    let inset = wish.margin.max(0.5 * tip);
    let drawable = wish.page.rect().inset(-inset);
    if drawable.width() < 10.0 || drawable.height() < 10.0 || wish.margin < 0.0 {
        let (width, height) = (wish.page.width, wish.page.height);
        return Err(Error::Setting(format!(
            "a margin of {inset} mm leaves too little of a page of {width} x {height} mm: leave 10 mm at least"
        )));
    }
    Ok(drawable)
}

/// The whole page, eight pixels to a square of 2.8 mm, or fewer when the page is large.
fn canvas(page: Page) -> Canvas {
    let squares = page.width * page.height / (SEEN * SEEN);
    let edge_px = (MOST_PX / squares).sqrt().floor().clamp(2.0, 8.0);
    let px_per_mm = edge_px / SEEN;
    let edge = |mm: f64| (mm * px_per_mm / TILE as f64 - 1e-6).ceil() * TILE as f64;
    let (width, height) = (edge(page.width), edge(page.height));
    let area = Rect::new(0.0, 0.0, width / px_per_mm, height / px_per_mm);
    Canvas { area, width_px: width as usize, height_px: height as usize, px_per_mm }
}

/// Means of sRGB planes over squares of 8 px that are not white.
fn squares(rgb: &[f32], canvas: &Canvas) -> Vec<[f32; 3]> {
    let plane = canvas.width_px * canvas.height_px;
    let mut squares = Vec::new();
    for top in (0..canvas.height_px).step_by(8) {
        for left in (0..canvas.width_px).step_by(8) {
            let mut sum = [0.0; 3];
            for pixel in (0..64).map(|i| (top + i / 8) * canvas.width_px + left + i % 8) {
                (0..3).for_each(|channel| sum[channel] += rgb[channel * plane + pixel] / 64.0);
            }
            if sum.iter().any(|s| *s < 0.97) {
                squares.push(sum);
            }
        }
    }
    squares
}

struct Run<'a> {
    wish: &'a Wish,
    canvas: Canvas,
    drawable: Rect,
    /// Left, top, right and bottom of the drawable area; px.
    inside: [f32; 4],
    wanted: Wanted,
    flow: Flow,
    /// The picture, sRGB planes.
    rgb: Vec<f32>,
    pens: Vec<Pen>,
    /// Ink and width (px) of each pass.
    inks: Vec<(Ink, f32)>,
    rng: ChaCha8Rng,
    lines: Vec<Line>,
    thrift: f32,
    loss: f32,
    done: usize,
}

impl Run<'_> {
    fn all(&mut self, progress: &mut dyn FnMut(Progress)) {
        let wish = self.wish;
        self.begin_with_own_lines();
        let own = self.lines.len();
        let area = wish.page.width * wish.page.height;
        let most = wish.strokes.unwrap_or(((area / AREA_PER_STROKE) as usize).max(own + own / 2).max(20));
        let budget = wish.length.map_or(f32::MAX, |mm| (mm * self.canvas.px_per_mm) as f32);
        let usual = (USUAL_LENGTH * self.canvas.px_per_mm) as f32;
        let new_px = if budget < f32::MAX {
            (SHARE_OF_BUDGET * budget / most as f32).clamp(0.4 * usual, 4.0 * usual)
        } else {
            usual
        };
        let rounds = wish.rounds.max(1);
        // Two thirds of the steps while strokes come and go, a third to settle.
        let early = wish.steps * 2 / 3;
        for round in 0..rounds {
            let part = (round + 1) as f32 / rounds as f32;
            let mut lines = std::mem::take(&mut self.lines);
            let judge = self.judge();
            let mut rng = self.rng.clone();
            if round > 0 {
                judge.prune_and_swap(&mut lines, round % 2 == 0);
            } else {
                judge.shorten(&mut lines, budget);
            }
            let room = most.saturating_sub(lines.len()).div_ceil(rounds - round);
            judge.add(&mut lines, room, new_px, budget * part, &mut rng);
            (self.lines, self.rng) = (lines, rng);
            let steps = early * (round + 1) / rounds - early * round / rounds;
            self.optimize(steps, budget, progress);
        }
        self.optimize((wish.steps - early) * 2 / 3, budget, progress);
        let mut lines = std::mem::take(&mut self.lines);
        let mut rng = self.rng.clone();
        let judge = self.judge();
        judge.prune_and_swap(&mut lines, true);
        let room = most.saturating_sub(lines.len());
        judge.add(&mut lines, room, new_px, budget, &mut rng);
        (self.lines, self.rng) = (lines, rng);
        self.optimize(wish.steps.saturating_sub(self.done), budget, progress);
        let mut lines = std::mem::take(&mut self.lines);
        let mut rng = self.rng.clone();
        let judge = self.judge();
        judge.prune_and_swap(&mut lines, false);
        if wish.length.is_some() {
            // What pruning freed is spent where it helps most.
            let judge = Judge { thrift: 0.0, ..judge };
            let room = most.saturating_sub(lines.len());
            judge.add(&mut lines, room, new_px, 0.99 * budget, &mut rng);
            judge.shorten(&mut lines, budget);
        }
        self.lines = lines;
    }

    fn begin_with_own_lines(&mut self) {
        let mixing = Mixing::new(&self.pens);
        let tips: Vec<f32> = self.inks.iter().map(|(_, width)| *width).collect();
        let inside = self.inside.map(f64::from);
        let parallels = own::parallels(&self.wish.own, &self.canvas, inside, &self.rgb, &mixing, &tips);
        let pace = self.wish.own_pace;
        self.lines =
            parallels.into_iter().map(|line| Line::keeping(line.controls, line.pass, pace)).collect();
    }

    fn judge(&self) -> Judge<'_> {
        Judge {
            canvas: &self.canvas,
            inside: self.inside,
            wanted: &self.wanted,
            flow: &self.flow,
            sight: self.wish.sight,
            inks: &self.inks,
            thrift: self.thrift,
        }
    }

    /// Moves the control points; with a length budget (px), the price of length follows what is used of it.
    fn optimize(&mut self, steps: usize, budget: f32, progress: &mut dyn FnMut(Progress)) {
        for _ in 0..steps {
            let part = self.done as f32 / self.wish.steps.max(1) as f32;
            let softness = (2.2 - 1.6 * part).max(1.0);
            let drawn = chains(&self.lines, &self.canvas, &self.inks, softness);
            let (wanted, sight) = (&self.wanted, &self.wish.sight);
            let (loss, mut gradient) = drawn.descend(|tile, to| wanted.descend(sight, tile, to));
            let step_px = self.wish.step_px * (0.1 + 0.45 * (1.0 + (std::f32::consts::PI * part).cos()));
            let mut length = 0.0;
            for (line, chain) in self.lines.iter_mut().zip(&drawn.strokes) {
                let gradient = &mut gradient[chain.coordinates()];
                line.regularize(self.wish.stiffness, self.thrift, gradient);
                line.step(gradient, step_px, self.inside);
                length += line.length_px();
            }
            if budget < f32::MAX {
                let change = (length / budget - 0.985).clamp(-0.1, 0.1);
                self.thrift = (self.thrift * (1.0 + change)).clamp(1e-7, 1e-2);
            }
            self.loss = loss as f32;
            self.done += 1;
            let (step, steps, strokes) = (self.done, self.wish.steps, self.lines.len());
            progress(Progress { step, steps, strokes, loss: self.loss });
        }
    }

    fn outcome(self) -> Outcome {
        let drawn = chains(&self.lines, &self.canvas, &self.inks, 1.0);
        let seen = drawn.paint(|tile| {
            let pixels =
                (0..tile.rows).flat_map(|row| (0..tile.columns).map(move |column| row * TILE + column));
            let white = pixels.filter(|pixel| tile.light.iter().all(|plane| plane[*pixel] > 0.95)).count();
            (white, self.wanted.loss(&self.wish.sight, tile))
        });
        let (white, loss) =
            seen.iter().flatten().fold((0, 0.0), |sum, tile| (sum.0 + tile.0, sum.1 + tile.1));
        let mut layers: Vec<Layer> =
            self.pens.iter().map(|pen| Layer { pen: pen.clone(), strokes: Vec::new() }).collect();
        for line in &self.lines {
            let at = |pair: &[f32]| {
                let point = self.canvas.to_mm(Point::new(f64::from(pair[0]), f64::from(pair[1])));
                let Rect { x0, y0, x1, y1 } = self.drawable;
                Point::new(point.x.clamp(x0, x1), point.y.clamp(y0, y1))
            };
            let mut path = BezPath::new();
            path.move_to(at(&line.controls[..2]));
            for cubic in line.controls[2..].chunks_exact(6) {
                path.curve_to(at(&cubic[..2]), at(&cubic[2..4]), at(&cubic[4..]));
            }
            layers[line.pass].strokes.push(Stroke { path, group: 0 });
        }
        layers.retain(|layer| !layer.strokes.is_empty());
        let drawing = Drawing { page: self.wish.page, layers };
        let pens = drawing.layers.iter().map(|layer| PenUse {
            id: layer.pen.id.clone(),
            strokes: layer.strokes.len(),
            mm: layer.strokes.iter().flat_map(|s| flatten(&s.path, 0.05)).map(|line| line.length()).sum(),
        });
        let pens = pens.collect();
        let white = white as f32 / (self.canvas.width_px * self.canvas.height_px) as f32;
        Outcome { pens, drawing, loss: loss as f32, white }
    }
}
