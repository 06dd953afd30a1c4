//! Orders the strokes of an SVG, and says what it saves: `cargo run -p traceur-core --example order_strokes -- FILE.svg`.
//!
//! Without a file it orders a small drawing of its own.

#![allow(clippy::print_stdout, reason = "an example shows what it did")]

use traceur_core::drawing::scene::Stages;
use traceur_core::drawing::svg;
use traceur_core::geometry::Rect;
use traceur_core::toolpath::{Options, plan};

const SMALL: &str = r#"<svg xmlns="http://www.w3.org/2000/svg" width="100mm" height="60mm" viewBox="0 0 100 60">
  <g stroke="black" fill="none"><path d="M5 5 H30"/><path d="M95 55 H70"/><path d="M30 5 V30"/><circle cx="50" cy="30" r="12"/></g>
</svg>"#;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let file = std::env::args().nth(1);
    let bytes = match &file {
        Some(path) => std::fs::read(path)?,
        None => SMALL.into(),
    };
    let name = file.as_deref().unwrap_or("small.svg");
    let drawing = svg::read(name, &bytes)?.scene.draw(&Stages::default())?.drawing;
    let page = Rect::new(0.0, 0.0, drawing.page.width, drawing.page.height);
    let (toolpath, report) = plan(&drawing, &Options::new(page));
    for (pass, said) in toolpath.passes.iter().zip(&report.passes) {
        println!(
            "{}: {} strokes become {}, travel {:.0} mm becomes {:.0} mm",
            pass.pen.name,
            said.before.strokes,
            said.after.strokes,
            said.before.travel_mm,
            said.after.travel_mm
        );
    }
    Ok(())
}
