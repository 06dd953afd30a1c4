//! `traceur pens swatch` and `measure`: a chart of the pens, and what a scan of it tells.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::pass_order::PassArgs;
use super::pens_listing::Listing;
use super::terminal::plain;
use super::{Failure, Terminal, files};
use traceur_app::catalog::pen_file;
use traceur_app::catalog::pens::{Chosen, choose_with_files};
use traceur_app::rounded;
use traceur_app::swatch::{self, Reading, Scan, Swatch};
use traceur_app::wanted::photo;
use traceur_core::color::{delta_e, to_hex};
use traceur_core::drawing::scene::Stages;
use traceur_core::drawing::svg;
use traceur_core::drawing::{Drawing, Page};
use traceur_core::pens::Pen;
use traceur_core::pens::edit::{self, Change};

/// What names the pens of a chart in its SVG, in the order of its rows.
const MARK: &str = "traceur:chart=\"";

/// A chart to plot and to pin to the wall.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  traceur pens swatch -p cmyk -o swatch.svg
  traceur plot swatch.svg -m axidraw-v3 --port auto
  traceur pens measure scan.png -p cmyk --chart swatch.svg

Each pen has a solid patch, a patch hatched at tip spacing, single lines, and a ladder of growing gaps: where its white
begins, the scale above shows the true width of the tip. Below, each pen lies over each.")]
pub(super) struct SwatchArgs {
    /// The mounted pens: `SET`, `SET:id,id`, `black,red,stabilo:44`, or a TOML file.
    #[arg(short, long)]
    pens: String,
    #[command(flatten)]
    passes: PassArgs,
    /// Sheet: `A5`, `A4 landscape`, `210x297mm`.
    #[arg(long, default_value = "A5", value_parser = page)]
    page: Page,
    /// What stands at its top. Default: the pens' set.
    #[arg(long)]
    title: Option<String>,
    /// The SVG to write; `-` for stdout.
    #[arg(short, long, default_value = "swatch.svg")]
    output: PathBuf,
}

/// What a scan or photo of the plotted chart tells.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  traceur pens measure scan.png -p my-pens --chart swatch.svg
  traceur pens measure photo.jpg -p my-pens.toml --write
  traceur pens measure scan.png -p cmyk --json

A flat scan at 300 dpi without \"improvement\" of colors is best. A photo does, sharp, in even light, with the whole chart in
it. Colors are measured against the paper between the patches.")]
pub(super) struct MeasureArgs {
    /// PNG or JPEG; `-` for stdin.
    scan: PathBuf,
    /// The pens as they are known: where the chart's pens are looked up by id, and `--write` writes to.
    #[arg(short, long, required_unless_present = "chart")]
    pens: Option<String>,
    /// The chart's SVG as `pens swatch` wrote it. Default: the chart is made again from the pens and `--page`.
    #[arg(long, value_name = "SVG")]
    chart: Option<PathBuf>,
    #[command(flatten)]
    passes: PassArgs,
    /// The chart's sheet.
    #[arg(long, default_value = "A5", value_parser = page)]
    page: Page,
    /// Write what was measured to the pens' files.
    #[arg(long, requires = "pens")]
    write: bool,
}

fn page(text: &str) -> Result<Page, String> {
    Page::parse(text).map_err(|error| error.to_string())
}

pub(super) fn swatch(args: &SwatchArgs, terminal: &Terminal) -> Result<(), Failure> {
    files::check_writable(&args.output)?;
    let chosen = choose_with_files(&args.pens)?;
    let title =
        args.title.clone().unwrap_or_else(|| match chosen.iter().all(|pen| pen.set == chosen[0].set) {
            true => chosen[0].set.clone(),
            false => format!("{} pens", chosen.len()),
        });
    let mut pens: Vec<Pen> = chosen.into_iter().map(|chosen| chosen.pen).collect();
    args.passes.apply(&mut pens);
    let chart = Swatch::new(args.page, pens, &title)?;
    let drawing = chart.drawing();
    let ids: Vec<&str> = chart.pens.iter().map(|pen| pen.id.as_str()).collect();
    let text = svg::write(&drawing);
    let text = text.replacen("traceur:format=", &format!("{MARK}{}\" traceur:format=", ids.join(" ")), 1);
    files::write(&args.output, text.as_bytes(), terminal)?;
    if files::is_dash(&args.output) {
        return Ok(());
    }
    let mm = ink_mm(&drawing);
    let value = serde_json::json!({
        "output": args.output,
        "pens": Listing::of(&chart.pens).rows,
        "strokes": drawing.strokes(),
        "draw_mm": rounded(mm),
    });
    terminal.result(&value, || {
        let output = args.output.display();
        plain(&format!(
            "{output}: {} pens, {} strokes, {:.1} m of ink\nplot it, scan it, then: traceur pens measure SCAN.png -p {} --chart {output}",
            chart.pens.len(),
            drawing.strokes(),
            mm / 1000.0,
            args.pens
        ))
    })
}

fn ink_mm(drawing: &Drawing) -> f64 {
    let strokes = drawing.layers.iter().flat_map(|layer| &layer.strokes);
    strokes
        .map(|stroke| {
            stroke.path.segments().map(|piece| kurbo::ParamCurveArclen::arclen(&piece, 0.01)).sum::<f64>()
        })
        .sum()
}

pub(super) fn measure(args: &MeasureArgs, terminal: &Terminal) -> Result<(), Failure> {
    let mut chosen = args.pens.as_deref().map(choose_with_files).transpose()?.unwrap_or_default();
    args.passes.apply(chosen.iter_mut().map(|chosen| &mut chosen.pen));
    if args.write
        && let Some(built_in) = chosen.iter().find(|chosen| chosen.file.is_none())
    {
        return Err(Failure::Input(format!(
            "pen `{}` is built in and can't be written: copy its set to a file of your own, `traceur pens show {} --toml > {}-own.toml`",
            built_in.id, built_in.set, built_in.set
        )));
    }
    let chart = match &args.chart {
        Some(path) => read_chart(path)?,
        None => Swatch::new(args.page, chosen.iter().map(|chosen| chosen.pen.clone()).collect(), "")?,
    };
    let known_as = |pen: &Pen| chosen.iter().find(|chosen| chosen.pen.id == pen.id);
    if args.pens.is_some()
        && let Some(pen) = chart.pens.iter().find(|pen| known_as(pen).is_none())
    {
        return Err(Failure::Input(format!(
            "the chart has a pen `{}` that --pens does not name: name all its pens",
            plain(&pen.id)
        )));
    }
    let known: Vec<Pen> =
        chart.pens.iter().map(|pen| known_as(pen).map_or(pen, |chosen| &chosen.pen).clone()).collect();
    let scan = read_scan(&args.scan)?;
    let bar = terminal.progress("measure", 1);
    let readings = swatch::measure(&chart, &known, &scan);
    bar.finish_and_clear();
    let readings = readings?;
    let findings: Vec<Finding<'_>> = known
        .iter()
        .zip(&readings)
        .map(|(pen, reading)| Finding { known: pen, chosen: known_as(pen), reading })
        .collect();
    if args.write {
        write(&findings)?;
    }
    let value: Vec<_> = findings.iter().map(Finding::to_json).collect();
    terminal.result(&serde_json::json!({ "pens": value, "written": args.write }), || {
        let mut text: String = findings.iter().map(|finding| finding.to_text(terminal)).collect();
        let changed = findings.iter().filter(|finding| finding.change() != Change::default()).count();
        text += &match (changed, args.write, args.pens.is_some()) {
            (0, ..) => "the pens are as their files say".to_owned(),
            (_, true, _) => format!("{changed} pens written"),
            (_, false, true) => "--write puts this into the pens' files".to_owned(),
            (_, false, false) => "-p PENS --write puts this into the pens' files".to_owned(),
        };
        text
    })
}

/// The chart that an SVG of `pens swatch` shows.
fn read_chart(path: &Path) -> Result<Swatch, Failure> {
    let name = path.display().to_string();
    let bytes = files::read(path)?;
    let no_chart = || Failure::Input(format!("{name}: not a chart that `traceur pens swatch` wrote"));
    let text = std::str::from_utf8(&bytes).map_err(|_| no_chart())?;
    let (_, ids) = text.split_once(MARK).ok_or_else(no_chart)?;
    let ids: Vec<&str> = ids.split('"').next().unwrap_or_default().split(' ').collect();
    let drawn = svg::read(&name, &bytes)?.scene.draw(&Stages::default())?;
    let mut layers: Vec<Pen> = drawn.drawing.layers.into_iter().map(|layer| layer.pen).collect();
    let mut pens = Vec::new();
    for id in ids {
        let at = layers.iter().position(|pen| pen.id == id).ok_or_else(no_chart)?;
        pens.push(layers.swap_remove(at));
    }
    Ok(Swatch::new(drawn.drawing.page, pens, "")?)
}

/// Reads a PNG or a JPEG that is small enough to be looked at.
fn read_scan(path: &Path) -> Result<Scan, Failure> {
    let name = if files::is_dash(path) { "stdin".into() } else { path.display().to_string() };
    let bytes = files::read(path)?;
    let picture = photo(&name, &bytes, "give a PNG or a JPEG", "300 dpi are enough")?.into_rgb8();
    let (width, height) = picture.dimensions();
    Scan::new(width as usize, height as usize, picture.into_raw())
        .map_err(|error| Failure::Input(format!("{name}: {error}")))
}

/// A pen as it was known and as it was measured.
struct Finding<'a> {
    known: &'a Pen,
    chosen: Option<&'a Chosen>,
    reading: &'a Reading,
}

impl Finding<'_> {
    /// What is to be changed in the pen's file. A pen that left no ink is not changed.
    fn change(&self) -> Change {
        let (old, new) = (self.known, &self.reading.pen);
        if self.reading.failed {
            return Change::default();
        }
        Change {
            color: Some(new.color).filter(|color| *color != old.color),
            tip: Some(new.tip).filter(|tip| (tip - old.tip).abs() > 0.004),
            opacity: Some(new.opacity)
                .filter(|opacity| (opacity - old.opacity).abs() > 0.004 && !self.reading.opacity_unknown),
            ..Change::default()
        }
    }

    fn color_off(&self) -> f64 {
        let color = |pen: &Pen| pen.color.into_format();
        f64::from(delta_e(color(self.known), color(&self.reading.pen)))
    }

    fn to_json(&self) -> serde_json::Value {
        let (old, new) = (self.known, &self.reading.pen);
        let pen = |pen: &Pen| serde_json::json!({ "color": to_hex(pen.color), "tip_mm": pen.tip, "opacity": pen.opacity });
        serde_json::json!({
            "id": old.id,
            "name": old.name,
            "file": self.chosen.and_then(|chosen| chosen.file.as_ref()),
            "known": pen(old),
            "measured": pen(new),
            "opacity_unknown": self.reading.opacity_unknown,
            "color_delta_e": rounded(self.color_off()),
            "delta_e": { "before": rounded(self.reading.before), "after": rounded(self.reading.after) },
            "doubt": self.reading.doubt,
        })
    }

    /// The edits as TOML, what was there behind them.
    fn to_text(&self, terminal: &Terminal) -> String {
        let (old, new, change) = (self.known, &self.reading.pen, self.change());
        let chips = match terminal.chip(old.color) {
            chip if chip.is_empty() => String::new(),
            chip => format!("{chip}{}  ", terminal.chip(new.color)),
        };
        let mut text = plain(&format!("{} ({})", old.id, old.name));
        text = format!(
            "{chips}{text}: patches ΔE {:.1} before, {:.1} after\n",
            self.reading.before, self.reading.after
        );
        let mut line = |key: &str, value: String, was: String| {
            text += &format!("  {:28} # was {was}\n", format!("{key} = {value}"));
        };
        if let Some(color) = change.color {
            line(
                "color",
                format!("\"{}\"", to_hex(color)),
                format!("{}, ΔE {:.1}", to_hex(old.color), self.color_off()),
            );
        }
        if let Some(tip) = change.tip {
            line("tip", format!("\"{tip}mm\""), format!("{} mm", old.tip));
        }
        if let Some(opacity) = change.opacity {
            line("opacity", format!("{opacity}"), format!("{}", old.opacity));
        }
        if let Some(doubt) = &self.reading.doubt {
            text += &format!("  doubtful: {doubt}\n");
        }
        text
    }
}

/// Writes the changes, file by file.
fn write(findings: &[Finding<'_>]) -> Result<(), Failure> {
    let mut by_file: BTreeMap<&PathBuf, Vec<(&str, Change)>> = BTreeMap::new();
    for finding in findings {
        let change = finding.change();
        if let Some(Chosen { id, file: Some(file), .. }) = finding.chosen
            && change != Change::default()
        {
            by_file.entry(file).or_default().push((id, change));
        }
    }
    for (path, changes) in by_file {
        pen_file::change(path, None, |file, text| {
            let mut text = text.to_owned();
            for (id, change) in &changes {
                text = edit::set(file, &text, id, change, &[])?;
            }
            Ok(text)
        })?;
    }
    Ok(())
}
