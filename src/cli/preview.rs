//! `traceur preview`: the bytes through the virtual plotter, the ink on paper.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::input::{Input, InputArgs, Sheet, stem};
use super::matching::Mapped;
use super::pipeline::{self, file_word, rounded};
use super::show::ShowArgs;
use super::simulated::{Simulated, simulate};
use super::terminal::clock;
use super::wanted::Source;
use super::{Failure, Terminal, files};
use traceur_app::preview::{
    Gap, Heat, Labels, Playback, PlayedPass, TRAVEL, TRAVEL_WIDTH, of_paper, off_page_mm, to_html, to_png,
    to_svg,
};
use traceur_core::color::{Ink, Srgb8, delta_e, linear, parse_hex, to_srgb8};
use traceur_core::drawing::Page;
use traceur_core::geometry::Polyline;
use traceur_core::machine::Profile;
use traceur_core::pens::Pen;
use traceur_core::toolpath::Statistics;
use traceur_core::toolpath::lint::Finding;
use traceur_generator::Picture;
use traceur_sim::ink::Paper;

/// Send the bytes to the virtual plotter and see the ink on its paper.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  traceur preview drawing.svg -p fineliner-12 -o ink.png
  traceur preview drawing.svg -o play.html            a player for the browser
  traceur preview drawing.svg -o ink.png --heat       ink-heat.png: how often each spot is inked
  traceur preview drawing.svg -o ink.png --per-pass   ink-1-yellow.png, ink-2-black.png, ...
  traceur preview drawing.svg -p gel.toml --paper black -o ink.png
  traceur preview drawing.svg -m grbl-z --travel -o marks.svg
  traceur preview logo.svg --fill concentric --page A5 --fit -o ink.png
  traceur preview poster.svg --tile 2x2 -o ink.png    ink-1.png to ink-4.png
  traceur preview drawing.svg -p cmyk --show          in the terminal
  traceur preview somebody-elses.gcode -m grbl-z -o ink.png --page A4")]
pub(super) struct Args {
    #[command(flatten)]
    input: InputArgs,
    /// Picture of the ink (`.png`), its marks (`.svg`), or a player (`.html`). Default: the input's name with `-ink.png`; with
    /// `--show`, none.
    #[arg(short, long)]
    output: Option<PathBuf>,
    /// Pixels an inch of the picture.
    #[arg(long, default_value_t = 300.0, value_parser = parse_dpi)]
    dpi: f64,
    /// The paper: `white`, `cream`, `black` or `#rrggbb`.
    #[arg(long, value_name = "COLOR", value_parser = parse_paper, default_value = "white")]
    paper: Srgb8,
    /// Show the ways with the pen up: blue lines in a picture, a layer of its own in an SVG.
    #[arg(long)]
    travel: bool,
    /// Also a picture or SVG of each pass alone: `ink-1-black.png`.
    #[arg(long)]
    per_pass: bool,
    /// Also a map of how often each spot is inked, `ink-heat.png`, and the worst spots in words.
    #[arg(long)]
    heat: bool,
    /// Picture (PNG, JPEG, SVG) that the ink is compared with, filling the sheet. Default: the drawing itself.
    #[arg(long, value_name = "FILE")]
    wanted: Option<PathBuf>,
    #[command(flatten)]
    show: ShowArgs,
}

/// Below this ΔE2000 a line is not seen on its paper.
const LEAST_SEEN: f32 = 5.0;
/// How many spots of overdraw are listed.
const WORST: usize = 5;
const WHITE: Srgb8 = Srgb8::new(255, 255, 255);

/// Reads a resolution.
pub(super) fn parse_dpi(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(dpi) if (10.0..=1200.0).contains(&dpi) => Ok(dpi),
        _ => Err("give a number between 10 and 1200".into()),
    }
}

fn parse_paper(text: &str) -> Result<Srgb8, String> {
    match text.to_ascii_lowercase().as_str() {
        "white" => Ok(WHITE),
        "cream" => Ok(Srgb8::new(0xf6, 0xee, 0xd9)),
        "black" => Ok(Srgb8::new(0x16, 0x16, 0x17)),
        hex if hex.starts_with('#') => parse_hex(hex),
        _ => Err("give `white`, `cream`, `black` or a color such as `#f4ead5`".into()),
    }
}

/// What is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Png,
    Svg,
    Html,
}

impl Form {
    fn of(output: &Path) -> Result<Self, Failure> {
        if files::is_dash(output) {
            return Ok(Self::Png);
        }
        let extension = output.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        match extension.to_ascii_lowercase().as_str() {
            "png" => Ok(Self::Png),
            "svg" => Ok(Self::Svg),
            "html" | "htm" => Ok(Self::Html),
            _ => Err(Failure::Input(format!("{}: name it `.png`, `.svg` or `.html`", output.display()))),
        }
    }
}

pub(super) fn run(args: &Args, terminal: &Terminal) -> Result<(), Failure> {
    let output = args.output.clone().unwrap_or_else(|| format!("{}-ink.png", stem(&args.input.input)).into());
    files::check_writable(&output)?;
    let form = Form::of(&output)?;
    let is_stream = files::is_dash(&output);
    if is_stream && (args.heat || args.per_pass) {
        return Err(Failure::Input("--heat and --per-pass write files: give -o a file name".into()));
    }
    if form == Form::Html && args.per_pass {
        return Err(Failure::Input(
            "a player shows each pass already: --per-pass is for `.png` and `.svg`".into(),
        ));
    }
    let profile = args.input.profile()?;
    let sheets = args.input.read_sheets(terminal)?;
    if is_stream && sheets.len() > 1 {
        return Err(Failure::Input(format!(
            "{} sheets don't fit in one stream: choose one with --sheet",
            sheets.len()
        )));
    }
    let is_written = args.output.is_some() || !args.show.is_wanted();
    let job = Job { args, profile: &profile, form, is_written, terminal };
    let reports: Result<Vec<Report>, Failure> =
        sheets.iter().map(|sheet| job.preview(sheet, &sheet.file(&output))).collect();
    let reports = reports?;
    if is_stream {
        return Ok(());
    }
    let text = || reports.iter().map(Report::to_text).collect::<Vec<_>>().join("\n");
    match reports.as_slice() {
        [report] => terminal.result(report, text)?,
        many => terminal.result(&serde_json::json!({ "sheets": many }), text)?,
    }
    reports.iter().try_for_each(|report| args.input.lint.tell(&report.lint, terminal))
}

/// What is the same for each sheet.
struct Job<'a> {
    args: &'a Args,
    profile: &'a Profile,
    form: Form,
    /// Whether the main output is wanted, and not only what is named after it.
    is_written: bool,
    terminal: &'a Terminal,
}

impl Job<'_> {
    fn preview(&self, sheet: &Sheet, output: &Path) -> Result<Report, Failure> {
        let Simulated { playback, lint } =
            simulate(&sheet.input, &self.args.input, self.profile, self.terminal)?;
        self.check_size(&playback.page)?;
        let marks = playback.marks();
        self.warn_of_unseen(&marks);
        let picture = (self.form == Form::Png || self.args.show.is_wanted())
            .then(|| self.picture(&playback.page, &playback.passes));
        if self.is_written {
            let bytes = match (self.form, &picture) {
                (Form::Png, Some(picture)) => to_png(picture)?,
                (Form::Html, _) => self.player(&playback, sheet).into_bytes(),
                _ => to_svg(&playback, self.args.paper, self.args.travel).into_bytes(),
            };
            files::write(output, &bytes, self.terminal)?;
        }
        if let Some(picture) = &picture {
            self.args.show.show(picture, self.terminal)?;
        }
        let draw_mm: f64 = marks.iter().flat_map(|(_, strokes)| strokes).map(Polyline::length).sum();
        let off_page: f64 = marks.iter().map(|(_, strokes)| off_page_mm(strokes, &playback.page)).sum();
        let passes: Vec<PassReport> = playback.passes.iter().map(PassReport::of).collect();
        Ok(Report {
            output: self.is_written.then(|| output.display().to_string()),
            seconds: rounded(playback.seconds),
            draw_mm: rounded(draw_mm),
            travel_mm: rounded(passes.iter().map(|pass| pass.travel_mm).sum()),
            off_page_mm: rounded(off_page),
            gap: self.gap(&sheet.input, &playback.page, &marks)?,
            passes,
            per_pass: self.write_passes(&playback, output)?,
            overdraw: self.write_heat(&playback.page, &marks, output)?,
            mapping: match &sheet.input {
                Input::Drawing(laid) => laid.mapping.iter().map(Mapped::from).collect(),
                Input::Toolpath(_) | Input::Program(_) => Vec::new(),
            },
            lint,
        })
    }

    fn check_size(&self, page: &Page) -> Result<(), Failure> {
        let pixels = page.width * page.height * (self.args.dpi / 25.4).powi(2);
        let is_painted = self.form == Form::Png || self.args.heat || self.args.show.is_wanted();
        if is_painted && pixels > 2e8 {
            return Err(Failure::Input(format!(
                "{} dpi of this page is too large a picture: give a smaller --dpi",
                self.args.dpi
            )));
        }
        Ok(())
    }

    /// A glaze on black paper darkens what is dark already.
    fn warn_of_unseen(&self, marks: &[(Pen, Vec<Polyline>)]) {
        let mut told: Vec<&str> = Vec::new();
        for (pen, _) in marks {
            if !told.contains(&pen.id.as_str()) && !is_seen(pen, self.args.paper) {
                told.push(&pen.id);
                let is_like_paper = difference(pen.color, self.args.paper) < LEAST_SEEN;
                let why =
                    if is_like_paper { "its color is the paper's" } else { "its ink lets the paper through" };
                self.terminal.warn(format!("{} can't be seen on this paper; {why}", pen.name));
            }
        }
    }

    /// The paper with these passes on it.
    fn picture(&self, page: &Page, passes: &[PlayedPass]) -> Picture {
        let mut paper = Paper::of_color(self.args.paper, page.width, page.height, self.args.dpi);
        let marks: Vec<_> = passes.iter().map(|pass| (pass.pen.clone(), pass.strokes())).collect();
        pipeline::lay(&mut paper, &marks, self.terminal);
        if self.args.travel {
            let travels: Vec<Polyline> = passes.iter().flat_map(PlayedPass::travels).collect();
            paper.lay(&travels, TRAVEL_WIDTH, &Ink::new(TRAVEL, 1.0));
        }
        of_paper(paper)
    }

    fn player(&self, playback: &Playback, sheet: &Sheet) -> String {
        let name = if files::is_dash(&self.args.input.input) {
            "drawing".into()
        } else {
            stem(&self.args.input.input)
        };
        let title = sheet.number.map_or(name.clone(), |number| format!("{name}, sheet {number}"));
        let labels = Labels { title: &title, machine: &self.profile.name, paper: self.args.paper };
        to_html(playback, &labels)
    }

    /// How far the ink, on white paper as viewers have it, is from the picture that was wanted.
    fn gap(
        &self,
        input: &Input,
        page: &Page,
        marks: &[(Pen, Vec<Polyline>)],
    ) -> Result<Option<Gap>, Failure> {
        let wanted = match &self.args.wanted {
            Some(wanted) => Some(Source::read(wanted)?.on(*page, 0.0)?),
            None => pipeline::viewed(input)?,
        };
        let Some(wanted) = wanted else { return Ok(None) };
        let inked = pipeline::ink(page, marks, pipeline::GAP_DPI, self.terminal);
        Ok(Some(inked.gap(&wanted, page)?))
    }

    /// A file for each pass alone; their names.
    fn write_passes(&self, playback: &Playback, output: &Path) -> Result<Option<Vec<String>>, Failure> {
        if !self.args.per_pass {
            return Ok(None);
        }
        let written = playback.passes.iter().enumerate().map(|(index, pass)| {
            let path = beside(output, &format!("{}-{}", index + 1, file_word(&pass.pen.id)));
            let alone = std::slice::from_ref(pass);
            let bytes = if self.form == Form::Svg {
                let alone = Playback { passes: alone.to_vec(), ..Playback::clone(playback) };
                to_svg(&alone, self.args.paper, self.args.travel).into_bytes()
            } else {
                to_png(&self.picture(&playback.page, alone))?
            };
            files::write(&path, &bytes, self.terminal)?;
            Ok(path.display().to_string())
        });
        written.collect::<Result<_, Failure>>().map(Some)
    }

    fn write_heat(
        &self,
        page: &Page,
        marks: &[(Pen, Vec<Polyline>)],
        output: &Path,
    ) -> Result<Option<Overdraw>, Failure> {
        if !self.args.heat {
            return Ok(None);
        }
        let mut heat = Heat::new(page, self.args.dpi);
        marks.iter().for_each(|(pen, strokes)| heat.add(strokes, pen.tip));
        let path = beside(output, "heat").with_extension("png");
        files::write(&path, &heat.to_png()?, self.terminal)?;
        let worst = heat
            .worst(WORST)
            .into_iter()
            .map(|spot| Worst { at_mm: [rounded(spot.at.x), rounded(spot.at.y)], times: spot.times });
        Ok(Some(Overdraw {
            output: path.display().to_string(),
            most: heat.most(),
            shares: heat.shares().map(rounded),
            worst: worst.collect(),
        }))
    }
}

/// Whether one line of this pen differs from the paper under it.
fn is_seen(pen: &Pen, paper: Srgb8) -> bool {
    let ink = pen.ink();
    difference(to_srgb8(ink.lay(linear(paper), ink.passage(1.0))), paper) >= LEAST_SEEN
}

fn difference(a: Srgb8, b: Srgb8) -> f32 {
    delta_e(a.into_format(), b.into_format())
}

/// `ink.png` and `heat`: `ink-heat.png`.
fn beside(path: &Path, word: &str) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let extension = path.extension().map(|e| format!(".{}", e.to_string_lossy())).unwrap_or_default();
    path.with_file_name(format!("{stem}-{word}{extension}"))
}

#[derive(Debug, Serialize)]
struct Report {
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<String>,
    seconds: f64,
    draw_mm: f64,
    travel_mm: f64,
    off_page_mm: f64,
    passes: Vec<PassReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    per_pass: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    overdraw: Option<Overdraw>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gap: Option<Gap>,
    /// Which pen the drawing's colors found.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    mapping: Vec<Mapped>,
    /// What may go wrong on paper.
    lint: Vec<Finding>,
}

#[derive(Debug, Serialize)]
struct PassReport {
    pen: String,
    strokes: usize,
    draw_mm: f64,
    travel_mm: f64,
    seconds: f64,
}

impl PassReport {
    fn of(pass: &PlayedPass) -> Self {
        let statistics = Statistics::of(&pass.strokes());
        let [begin, end] = pass.span();
        Self {
            pen: pass.pen.id.clone(),
            strokes: statistics.strokes,
            draw_mm: rounded(statistics.draw_mm),
            travel_mm: rounded(statistics.travel_mm),
            seconds: rounded(end - begin),
        }
    }
}

/// How often the paper is inked.
#[derive(Debug, Serialize)]
struct Overdraw {
    output: String,
    most: u16,
    /// Of the inked area, that which is inked once, twice, three times, four times or more.
    shares: [f64; 4],
    worst: Vec<Worst>,
}

#[derive(Debug, Serialize)]
struct Worst {
    at_mm: [f64; 2],
    times: u16,
}

impl Report {
    fn to_text(&self) -> String {
        let mut text = self.output.as_ref().map_or(String::new(), |output| format!("{output}: "));
        text += &format!(
            "{} of plotting, {:.2} m drawn, {:.2} m of travel, {:.1} mm off the page",
            clock(self.seconds),
            self.draw_mm / 1000.0,
            self.travel_mm / 1000.0,
            self.off_page_mm
        );
        if let Some(gap) = &self.gap {
            text += &format!(
                "\ngap to the screen: ΔE {:.1}, as seen {:.1}, SSIM {:.3}",
                gap.delta_e, gap.delta_e_seen, gap.ssim
            );
        }
        if let Some(files) = &self.per_pass {
            text += &format!("\npass by pass: {}", files.join(", "));
        }
        if let Some(overdraw) = &self.overdraw {
            text += &overdraw.to_text();
        }
        text
    }
}

impl Overdraw {
    fn to_text(&self) -> String {
        let [once, twice, thrice, more] = self.shares.map(|share| share * 100.0);
        let mut text = format!(
            "\n{}: {once:.1} % of the inked paper is inked once, {twice:.1} % twice, {thrice:.1} % three times, {more:.1} % more often",
            self.output
        );
        for spot in &self.worst {
            text += &format!("\n  {} times at {:.1}, {:.1} mm", spot.times, spot.at_mm[0], spot.at_mm[1]);
        }
        text
    }
}
