//! `traceur generate --image` and `--from`: a picture, drawn with pens.

use std::time::Instant;

use super::generate::{self, Args};
use super::pipeline::{GAP_DPI, rounded};
use super::wanted::Source;
use super::{Failure, Terminal, files, pens};
use crate::drawing::{Page, svg};
use crate::generator::draw;
use crate::generator::image::{Outcome, OwnLine, Wish, imitate};
use crate::preview::Gap;

pub(super) fn run(args: &Args, terminal: &Terminal) -> Result<(), Failure> {
    let wish = wish(args)?;
    let began = Instant::now();
    let bar = terminal.progress("generate", wish.steps as u64);
    let outcome = imitate(&wish, &mut |progress| {
        bar.set_message(format!("{} strokes, seen ΔE about {:.1}", progress.strokes, progress.loss));
        bar.set_position(progress.step as u64);
    })?;
    bar.finish_and_clear();
    let seconds = began.elapsed().as_secs_f64();
    let gap = Gap::measure(&wish.picture, &draw(&outcome.drawing, GAP_DPI), &wish.page, 0.0)?;
    files::write(&args.output, svg::write(&outcome.drawing).as_bytes(), terminal)?;
    if files::is_dash(&args.output) {
        return Ok(());
    }
    let metres = outcome.pens.iter().map(|pen| pen.mm).sum::<f64>() / 1000.0;
    let value = serde_json::json!({
        "loss": outcome.loss,
        "white": outcome.white,
        "strokes": outcome.drawing.strokes(),
        "metres": rounded(metres),
        "pens": generate::report_pens(&outcome.pens),
        "gap": gap,
        "seconds": rounded(seconds),
    });
    terminal.result(&value, || format!("{}\n{}", args.output.display(), summary(&outcome, metres, &gap)))
}

fn wish(args: &Args) -> Result<Wish, Failure> {
    let path = args.image.as_ref().or(args.from.as_ref());
    let path = path.ok_or_else(|| Failure::Input("give --image or --from".into()))?;
    let source = Source::read(path)?;
    if args.from.is_some() && matches!(source, Source::Photo(_)) {
        return Err(Failure::Input(format!("{}: not an SVG: give photos by --image", path.display())));
    }
    let page = match &args.page {
        Some(page) => Page::parse(page)?,
        None => source.page(),
    };
    if !page.is_sane() {
        return Err(Failure::Input(format!("{}: no page of that size: give --page", path.display())));
    }
    let margin = args.margin.unwrap_or(0.0);
    let pens = pens::choose(args.pens.as_deref().unwrap_or("fineliner-12"))?;
    let mut wish = Wish::new(page, source.on(page, margin)?, pens);
    if args.from.is_some() {
        let own = source.lines(page, margin)?;
        wish.own = own.into_iter().map(|line| OwnLine { path: line.path, width: line.width }).collect();
    }
    wish.margin = margin;
    wish.most_pens = args.max_pens.unwrap_or(wish.most_pens);
    wish.strokes = args.strokes;
    if let Some(metres) = args.metres {
        if !(0.001..=100_000.0).contains(&metres) {
            return Err(Failure::Input(format!("--metres {metres}: give a length such as 25")));
        }
        wish.length = Some(1000.0 * metres);
    }
    wish.steps = args.steps.unwrap_or(wish.steps);
    wish.seed = args.seed.unwrap_or(wish.seed);
    tune(&mut wish);
    Ok(wish)
}

fn tune(wish: &mut Wish) {
    let read = |name: &str| std::env::var(name).ok().and_then(|v| v.parse::<f32>().ok());
    let set = |name: &str, place: &mut f32| if let Some(v) = read(name) { *place = v };
    set("T_FINE", &mut wish.sight.fine);
    set("T_SEEN", &mut wish.sight.seen);
    set("T_COARSE", &mut wish.sight.coarse);
    set("T_ROUND", &mut wish.sight.round);
    set("T_OVERLAP", &mut wish.sight.overlap);
    set("T_STEP", &mut wish.step_px);
    set("T_PACE", &mut wish.own_pace);
    set("T_STIFF", &mut wish.stiffness);
    set("T_THRIFT", &mut wish.thrift);
    if let Some(v) = read("T_ROUNDS") { wish.rounds = v as usize }
}

fn summary(outcome: &Outcome, metres: f64, gap: &Gap) -> String {
    format!(
        "{} strokes, {metres:.2} m; gap to the picture: ΔE {:.1}, as seen {:.1}; {:.0} % white\n{}",
        outcome.drawing.strokes(),
        gap.delta_e,
        gap.delta_e_seen,
        outcome.white * 100.0,
        generate::pen_table(&outcome.pens)
    )
}
