//! Encodes two strokes as G-code for a built-in machine: `cargo run -p traceur-protocol --example encode_gcode`.

#![allow(clippy::print_stdout, reason = "an example shows what it did")]

use traceur_core::geometry::{Point, Polyline};
use traceur_core::machine::{Placement, Profile};
use traceur_core::pens::{BUILT_IN, Inventory};
use traceur_core::toolpath::Pass;
use traceur_protocol::encode;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let profile = Profile::built_in("grbl-servo")?;
    let placement = Placement::of_page(&profile, 100.0, 100.0)?;
    let (name, text) = BUILT_IN[0];
    let pen = Inventory::parse(name, text)?.pens.remove(0);
    let line =
        |points: &[(f64, f64)]| Polyline::new(points.iter().map(|point| Point::from(*point)).collect());
    let strokes =
        vec![line(&[(10.0, 10.0), (60.0, 10.0)]), line(&[(60.0, 20.0), (10.0, 20.0), (10.0, 40.0)])];
    let program = encode(0, &Pass { pen, strokes }, &profile, &placement);
    print!("{}", program.to_text());
    Ok(())
}
