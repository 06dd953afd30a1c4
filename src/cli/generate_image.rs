//! `traceur generate --image` and `--from`: a picture, drawn with pens.

use std::time::Instant;

use super::generate::Args;
use super::{Failure, Terminal, files, pen_use};
use traceur_app::catalog;
use traceur_app::preview::GAP_DPI;
use traceur_app::preview::Gap;
use traceur_app::rounded;
use traceur_app::wanted::Source;
use traceur_core::drawing::{Page, svg};
use traceur_generator::draw;
use traceur_generator::image::{Outcome, Wish, imitate};

pub(super) fn run(args: &Args, terminal: &Terminal) -> Result<(), Failure> {
    files::check_writable(&args.output())?;
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
    files::write(&args.output(), svg::write(&outcome.drawing).as_bytes(), terminal)?;
    if files::is_dash(&args.output()) {
        return Ok(());
    }
    // A sum of nothing is minus zero.
    let metres = outcome.pens.iter().map(|pen| pen.mm).sum::<f64>() / 1000.0 + 0.0;
    args.show.show_drawing(&outcome.drawing, terminal)?;
    let value = serde_json::json!({
        "loss": outcome.loss,
        "white": outcome.white,
        "strokes": outcome.drawing.strokes(),
        "metres": rounded(metres),
        "pens": pen_use::report_pens(&outcome.pens),
        "gap": gap,
        "seconds": rounded(seconds),
    });
    terminal.result(&value, || format!("{}\n{}", args.output().display(), summary(&outcome, metres, &gap)))
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
    let mut pens = catalog::pens::choose(args.pens.as_deref().unwrap_or("fineliner-12"))?;
    args.passes.apply(&mut pens);
    let picture = source.on(page, margin)?;
    let own = if args.from.is_some() { source.lines(page, margin)? } else { Vec::new() };
    let mut wish = if own.is_empty() {
        Wish::new(page, picture, pens)
    } else {
        Wish::from_lines(page, picture, own, pens)
    };
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
    Ok(wish)
}

fn summary(outcome: &Outcome, metres: f64, gap: &Gap) -> String {
    format!(
        "{} strokes, {metres:.2} m; gap to the picture: ΔE {:.1}, as seen {:.1}; {:.0} % white\n{}",
        outcome.drawing.strokes(),
        gap.delta_e,
        gap.delta_e_seen,
        outcome.white * 100.0,
        pen_use::pen_table(&outcome.pens)
    )
}
