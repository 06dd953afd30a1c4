//! What may go wrong on paper, before it does: strokes off the bed, specks, ink upon ink, and the like.
//!
//! Comes in: the toolpath as it would be plotted, and what is known of its drawing. Goes out: a list of findings, each
//! with its place, how often, and what to do. Deliberately absent: anything that changes the toolpath.

mod neighbors;

use super::Toolpath;
use crate::geometry::{Point, Polyline, Rect};
use neighbors::close_lines;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Good to know.
    Note,
    /// The ink will not be what the drawing is.
    Warning,
}

/// One kind of trouble.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Finding {
    /// A short name for scripts, such as `overdraw`.
    pub kind: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// How often: strokes, places or pens, as the text says.
    pub count: usize,
    /// Where it is worst; page mm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_mm: Option<[f64; 2]>,
    /// The pens that it is about.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pens: Vec<String>,
    /// What it is and what to do about it.
    pub text: String,
}

/// What is too much.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Layers of ink at a spot that the paper bears.
    pub most_overdraw: f64,
    /// Strokes shorter than this are specks, unless the drawing is made of them; mm.
    pub speck: f64,
    /// Share of the specks among the strokes from which the drawing is made of them.
    pub specks_meant: f64,
    /// Line for each lift below which lifting is most of the work; mm.
    pub least_per_lift: f64,
}

impl Default for Limits {
    /// What cartridge paper and an ordinary lift of 0.2 s bear.
    fn default() -> Self {
        Self { most_overdraw: 4.0, speck: 0.3, specks_meant: 0.25, least_per_lift: 2.0 }
    }
}

/// What is known of the drawing beside its toolpath.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Known<'a> {
    /// What the machine reaches of the page; mm.
    pub reach: Rect,
    /// Width and height of the machine's bed; mm.
    pub bed: (f64, f64),
    /// Length that lay outside of what can be drawn on, and was cut off; mm.
    pub clipped_mm: f64,
    /// Texts that are no paths yet.
    pub texts: usize,
    /// Pens with the ink that is left in them; mm. Those that are not here never run dry.
    pub ink: &'a [(String, f64)],
    /// Pairs of pens that look alike, and their CIEDE2000 difference.
    pub alike: &'a [(String, String, f32)],
}

/// Fewer lifts than this are no trouble, however short the strokes.
const FEW_LIFTS: usize = 200;
/// Inked area with more layers than allowed below which it is a crossing of lines; mm².
const LEAST_SOAKED: f64 = 4.0;
/// Edge of the squares in which layers are counted; mm. Larger on large pages.
const SQUARE: f64 = 1.0;
/// Most squares, and most samples along all lines.
const MOST: f64 = 4e6;

/// Looks at a toolpath; the worst findings first.
#[must_use]
pub fn lint(toolpath: &Toolpath, known: &Known<'_>, limits: &Limits) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(off_page(toolpath, known));
    findings.extend(orientation(toolpath, known));
    findings.extend(texts(known));
    findings.extend(dry(toolpath, known));
    findings.extend(alike(known));
    findings.extend(overdraw(toolpath, limits));
    findings.extend(close_lines(toolpath));
    findings.extend(specks(toolpath, limits));
    findings.extend(lifts(toolpath, limits));
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    findings
}

fn rounded(point: Point) -> Option<[f64; 2]> {
    let tenth = |mm: f64| (mm * 10.0).round() / 10.0;
    Some([tenth(point.x), tenth(point.y)])
}

fn strokes(toolpath: &Toolpath) -> impl Iterator<Item = &Polyline> {
    toolpath.passes.iter().flat_map(|pass| &pass.strokes)
}

fn off_page(toolpath: &Toolpath, known: &Known<'_>) -> Option<Finding> {
    let reach = known.reach.inflate(0.01, 0.01);
    let is_off = |point: &Point| {
        !(reach.x0..=reach.x1).contains(&point.x) || !(reach.y0..=reach.y1).contains(&point.y)
    };
    let mut off = strokes(toolpath).filter(|stroke| stroke.points().iter().any(is_off)).peekable();
    let at = off.peek().and_then(|stroke| stroke.points().iter().copied().find(|point| is_off(point)));
    let count = off.count();
    let text = if count > 0 {
        format!("{count} strokes leave what the machine reaches: --fit or --center moves them inside")
    } else if known.clipped_mm >= 0.05 {
        format!(
            "{:.1} mm of line lay off the page or the bed and are cut off: --fit keeps all",
            known.clipped_mm
        )
    } else {
        return None;
    };
    let at_mm = at.and_then(rounded);
    Some(Finding {
        kind: "off-page",
        severity: Severity::Warning,
        count: count.max(1),
        at_mm,
        pens: Vec::new(),
        text,
    })
}

/// A page that the bed would take if it were turned.
fn orientation(toolpath: &Toolpath, known: &Known<'_>) -> Option<Finding> {
    let (width, height) = (toolpath.page.width, toolpath.page.height);
    let fits = |width: f64, height: f64| width <= known.bed.0 + 0.1 && height <= known.bed.1 + 0.1;
    if fits(width, height) || !fits(height, width) {
        return None;
    }
    let text = format!(
        "the page is {width:.0} x {height:.0} mm and the bed {:.0} x {:.0} mm: --rotate 90deg turns the drawing and its sheet",
        known.bed.0, known.bed.1
    );
    Some(Finding {
        kind: "orientation",
        severity: Severity::Warning,
        count: 1,
        at_mm: None,
        pens: Vec::new(),
        text,
    })
}

fn texts(known: &Known<'_>) -> Option<Finding> {
    let count = known.texts;
    let s = if count == 1 { " is" } else { "s are" };
    let text = format!(
        "{count} text{s} still text and not drawn: convert to paths (Inkscape: Path > Object to Path)"
    );
    let finding =
        Finding { kind: "text", severity: Severity::Warning, count, at_mm: None, pens: Vec::new(), text };
    (count > 0).then_some(finding)
}

/// Pens whose ink does not reach to the end of what they draw between two refills.
fn dry(toolpath: &Toolpath, known: &Known<'_>) -> Option<Finding> {
    let mut pens: Vec<String> = Vec::new();
    let mut texts = Vec::new();
    for (index, pass) in toolpath.passes.iter().enumerate() {
        let id = &pass.pen.id;
        let is_first = toolpath.passes[..index].iter().all(|before| before.pen.id != *id);
        let left = known.ink.iter().find(|(pen, _)| pen == id).map(|(_, left)| *left);
        // What follows a refill begins with a full pen, which is not known here.
        let Some(left) = left.filter(|_| is_first && !pens.contains(id)) else { continue };
        let needed: f64 = pass.strokes.iter().map(Polyline::length).sum();
        if needed > left {
            texts.push(format!(
                "`{id}` has ink for {:.1} m and draws {:.1} m: refill it first (then `pens log --refilled {id}`), or stop for it with --split-mm {:.0}m",
                left.max(0.0) / 1000.0,
                needed / 1000.0,
                (left / 1000.0).floor().max(1.0)
            ));
            pens.push(id.clone());
        }
    }
    (!pens.is_empty()).then(|| Finding {
        kind: "dry-pen",
        severity: Severity::Warning,
        count: pens.len(),
        at_mm: None,
        pens,
        text: texts.join("; "),
    })
}

fn alike(known: &Known<'_>) -> Option<Finding> {
    let (first, second, difference) = known.alike.first()?;
    let more = known.alike.len() - 1;
    let more = if more > 0 { format!(", and {more} more pairs") } else { String::new() };
    let mut pens: Vec<String> =
        known.alike.iter().flat_map(|(first, second, _)| [first.clone(), second.clone()]).collect();
    pens.sort();
    pens.dedup();
    let text = format!(
        "`{first}` and `{second}` look alike (ΔE {difference:.1}){more}: leave one out of --pens and save a pen change"
    );
    Some(Finding {
        kind: "alike-pens",
        severity: Severity::Note,
        count: known.alike.len(),
        at_mm: None,
        pens,
        text,
    })
}

fn specks(toolpath: &Toolpath, limits: &Limits) -> Option<Finding> {
    let mut finding: Option<Finding> = None;
    for pass in &toolpath.passes {
        // Drawings of dots are made of them.
        let least = limits.speck.min(pass.pen.tip);
        let is_speck = |stroke: &&Polyline| stroke.length() < least;
        let count = pass.strokes.iter().filter(is_speck).count();
        if count == 0 || count as f64 > limits.specks_meant * pass.strokes.len() as f64 {
            continue;
        }
        let at = pass.strokes.iter().find(is_speck).map(Polyline::start);
        let finding = finding.get_or_insert_with(|| Finding {
            kind: "specks",
            severity: Severity::Note,
            count: 0,
            at_mm: at.and_then(rounded),
            pens: Vec::new(),
            text: String::new(),
        });
        finding.count += count;
        if !finding.pens.contains(&pass.pen.id) {
            finding.pens.push(pass.pen.id.clone());
        }
    }
    finding.map(|finding| Finding {
        text: format!(
            "{} specks shorter than {} mm: --min-stroke 0.3mm leaves them out",
            finding.count, limits.speck
        ),
        ..finding
    })
}

fn lifts(toolpath: &Toolpath, limits: &Limits) -> Option<Finding> {
    let mut pens = Vec::new();
    let (mut count, mut length) = (0, 0.0);
    for pass in &toolpath.passes {
        let of_pass: f64 = pass.strokes.iter().map(Polyline::length).sum();
        if pass.strokes.len() >= FEW_LIFTS && of_pass < limits.least_per_lift * pass.strokes.len() as f64 {
            pens.push(pass.pen.id.clone());
            count += pass.strokes.len();
            length += of_pass;
        }
    }
    let each = length / count.max(1) as f64;
    let text = format!(
        "{count} lifts for {:.1} m of line, {each:.1} mm each: most of the time is lifting; --join and --min-stroke save lifts",
        length / 1000.0
    );
    (count > 0).then_some(Finding { kind: "lifts", severity: Severity::Note, count, at_mm: None, pens, text })
}

/// Spots with more ink than the paper bears: layers are the inked area in a square over the square.
fn overdraw(toolpath: &Toolpath, limits: &Limits) -> Option<Finding> {
    let page = toolpath.page;
    let square = SQUARE.max((page.width * page.height / MOST).sqrt());
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most MOST squares")]
    let cells = |mm: f64| (mm / square).ceil().max(1.0) as usize;
    let (columns, rows) = (cells(page.width), cells(page.height));
    let mut layers = vec![0.0_f32; columns * rows];
    let total: f64 = strokes(toolpath).map(Polyline::length).sum();
    let step = (square / 4.0).max(total / MOST);
    for pass in &toolpath.passes {
        for stroke in &pass.strokes {
            for pair in stroke.points().windows(2) {
                let length = pair[0].distance(pair[1]);
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "at most about MOST"
                )]
                let count = (length / step).ceil().max(1.0) as usize;
                let ink = (length / count as f64 * pass.pen.tip / (square * square)) as f32;
                for i in 0..count {
                    let at = pair[0].lerp(pair[1], (i as f64 + 0.5) / count as f64).to_vec2() / square;
                    #[expect(
                        clippy::cast_possible_truncation,
                        clippy::cast_sign_loss,
                        reason = "checked to be inside"
                    )]
                    if at.x >= 0.0 && at.y >= 0.0 && at.x < columns as f64 && at.y < rows as f64 {
                        layers[at.y as usize * columns + at.x as usize] += ink;
                    }
                }
            }
        }
    }
    let most = limits.most_overdraw as f32;
    let soaked = layers.iter().filter(|ink| **ink > most).count();
    if (soaked as f64) * square * square < LEAST_SOAKED {
        return None;
    }
    let (worst, ink) = layers.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1))?;
    let middle = |cell: usize| (cell as f64 + 0.5) * square;
    let at = Point::new(middle(worst % columns), middle(worst / columns));
    let text = format!(
        "{:.0} mm² of paper get more than {:.0} layers of ink, {ink:.1} at the worst: the paper may tear; draw fewer lines there, or take thicker paper and a higher --most-overdraw",
        soaked as f64 * square * square,
        limits.most_overdraw
    );
    Some(Finding {
        kind: "overdraw",
        severity: Severity::Warning,
        count: soaked,
        at_mm: rounded(at),
        pens: Vec::new(),
        text,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drawing::Page;
    use crate::pens::Inventory;
    use crate::toolpath::Pass;

    const PAGE: Page = Page { width: 100.0, height: 80.0 };
    const KNOWN: Known<'static> = Known {
        reach: Rect { x0: 0.0, y0: 0.0, x1: 100.0, y1: 80.0 },
        bed: (300.0, 200.0),
        clipped_mm: 0.0,
        texts: 0,
        ink: &[],
        alike: &[],
    };

    fn line(points: &[(f64, f64)]) -> Polyline {
        Polyline::new(points.iter().map(|point| Point::from(*point)).collect())
    }

    fn toolpath(strokes: Vec<Polyline>) -> Toolpath {
        let pen = Inventory::built_in("fineliner-12").unwrap().pens.swap_remove(0);
        Toolpath { page: PAGE, passes: vec![Pass { pen, strokes }] }
    }

    fn kinds(toolpath: &Toolpath, known: &Known<'_>) -> Vec<&'static str> {
        lint(toolpath, known, &Limits::default()).iter().map(|finding| finding.kind).collect()
    }

    /// Lines across, this far apart.
    fn hatching(spacing: f64, count: usize) -> Vec<Polyline> {
        (0..count)
            .map(|i| line(&[(10.0, 10.0 + spacing * i as f64), (60.0, 10.0 + spacing * i as f64)]))
            .collect()
    }

    #[test]
    fn a_sound_drawing_has_no_findings() {
        // A solid fill of the 0.5 mm pen, and one across it.
        let mut strokes = hatching(0.5, 80);
        strokes
            .extend((0..80).map(|i| line(&[(10.0 + 0.5 * i as f64, 10.0), (10.0 + 0.5 * i as f64, 50.0)])));
        strokes.push(line(&[(1.0, 1.0), (99.0, 1.0), (99.0, 79.0), (1.0, 79.0), (1.0, 1.0)]));
        assert_eq!(kinds(&toolpath(strokes), &KNOWN), [] as [&str; 0]);
    }

    #[test]
    fn what_leaves_the_reach_is_found_with_its_place() {
        let findings =
            lint(&toolpath(vec![line(&[(50.0, 50.0), (120.0, 50.0)])]), &KNOWN, &Limits::default());
        assert_eq!(
            (findings[0].kind, findings[0].count, findings[0].at_mm),
            ("off-page", 1, Some([120.0, 50.0]))
        );
        let known = Known { clipped_mm: 3.0, ..KNOWN };
        assert_eq!(kinds(&toolpath(hatching(2.0, 3)), &known), ["off-page"]);
    }

    #[test]
    fn a_page_that_fits_the_bed_turned_is_found() {
        let known = Known { bed: (90.0, 110.0), ..KNOWN };
        assert_eq!(kinds(&toolpath(hatching(2.0, 3)), &known), ["orientation"]);
        let known = Known { bed: (50.0, 50.0), ..KNOWN };
        assert_eq!(kinds(&toolpath(hatching(2.0, 3)), &known), [] as [&str; 0]);
    }

    #[test]
    fn ink_upon_ink_is_found() {
        let mut strokes = Vec::new();
        for _ in 0..6 {
            strokes.extend(hatching(0.5, 20));
        }
        let findings = lint(&toolpath(strokes), &KNOWN, &Limits::default());
        assert_eq!(findings[0].kind, "overdraw");
        let [x, y] = findings[0].at_mm.unwrap();
        assert!((10.0..60.0).contains(&x) && (9.0..21.0).contains(&y), "{x} {y}");
    }

    #[test]
    fn lines_closer_than_the_tip_are_found_and_crossings_are_not() {
        assert_eq!(kinds(&toolpath(hatching(0.25, 10)), &KNOWN), ["close-lines"]);
        let bar = line(&[(10.0, 10.0), (60.0, 10.0), (60.0, 10.2), (10.0, 10.2), (10.0, 10.0)]);
        assert_eq!(kinds(&toolpath(vec![bar]), &KNOWN), [] as [&str; 0], "a narrow bar, or a line of 0.7 mm");
        let star = (0..12).map(|i| {
            let (sin, cos) = (f64::from(i) * 0.26).sin_cos();
            line(&[(50.0 - 30.0 * cos, 40.0 - 30.0 * sin), (50.0 + 30.0 * cos, 40.0 + 30.0 * sin)])
        });
        assert_eq!(kinds(&toolpath(star.collect()), &KNOWN), [] as [&str; 0]);
    }

    #[test]
    fn a_few_specks_are_found_and_a_drawing_of_dots_is_not_blamed() {
        let dot =
            |i: usize| line(&[(10.0 + 3.0 * (i % 25) as f64, 60.0), (10.1 + 3.0 * (i % 25) as f64, 60.0)]);
        let mut strokes = hatching(2.0, 20);
        strokes.extend((0..3).map(dot));
        let findings = lint(&toolpath(strokes), &KNOWN, &Limits::default());
        assert_eq!((findings[0].kind, findings[0].count), ("specks", 3));
        assert_eq!(kinds(&toolpath((0..25).map(dot).collect()), &KNOWN), [] as [&str; 0]);
    }

    #[test]
    fn many_short_strokes_are_found() {
        let short = |i: usize| {
            line(&[((i % 90) as f64, (i / 90) as f64 * 3.0), ((i % 90) as f64 + 0.5, (i / 90) as f64 * 3.0)])
        };
        assert_eq!(kinds(&toolpath((0..900).map(short).collect()), &KNOWN), ["lifts"]);
    }

    #[test]
    fn a_pen_that_will_run_dry_is_told_of_once() {
        let mut toolpath = toolpath(hatching(2.0, 10));
        let ink = [("blue".to_owned(), 499.0)];
        let known = Known { ink: &ink, ..KNOWN };
        let findings = lint(&toolpath, &known, &Limits::default());
        assert_eq!((findings[0].kind, findings[0].count), ("dry-pen", 1));
        assert!(findings[0].text.contains("--split-mm"), "{}", findings[0].text);
        let enough = [("blue".to_owned(), 501.0)];
        assert_eq!(kinds(&toolpath, &Known { ink: &enough, ..KNOWN }), [] as [&str; 0]);
        // After a refill it is not known how full the pen is.
        let second = toolpath.passes[0].clone();
        toolpath.passes.push(second);
        assert_eq!(lint(&toolpath, &known, &Limits::default())[0].count, 1);
    }

    #[test]
    fn pens_that_look_alike_are_told_of() {
        let alike = [("a".to_owned(), "b".to_owned(), 3.0), ("a".to_owned(), "c".to_owned(), 4.0)];
        let findings =
            lint(&toolpath(hatching(2.0, 3)), &Known { alike: &alike, ..KNOWN }, &Limits::default());
        assert_eq!(findings[0].pens, ["a", "b", "c"]);
    }

    #[test]
    fn text_is_told_of() {
        assert_eq!(kinds(&toolpath(hatching(2.0, 3)), &Known { texts: 2, ..KNOWN }), ["text"]);
    }
}
