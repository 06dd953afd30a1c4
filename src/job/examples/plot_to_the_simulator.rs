//! Plots a square on a virtual plotter, in virtual time: `cargo run -p traceur-job --example plot_to_the_simulator`.

#![allow(clippy::print_stdout, reason = "an example shows what it did")]

use traceur_core::drawing::Page;
use traceur_core::geometry::{Point, Polyline};
use traceur_core::machine::{Placement, Profile};
use traceur_core::pens::{BUILT_IN, Inventory};
use traceur_core::toolpath::{Pass, Toolpath};
use traceur_job::{Connection, Controls, News, Operator, PenChange, Place, Work, plot};
use traceur_sim::Faults;

/// Says what is drawn, and always has the pen at hand.
struct Teller;

impl Operator for Teller {
    fn hear(&mut self, news: &News<'_>) {
        if let News::Drawn(place) = news {
            println!("on paper: {} strokes of pass {}", place.stroke, place.pass);
        }
    }

    async fn change_pen(&mut self, _: usize) -> PenChange {
        PenChange::Done
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let profile = Profile::built_in("axidraw-v3")?;
    let page = Page { width: 100.0, height: 100.0 };
    let placement = Placement::of_page(&profile, page.width, page.height)?;
    let (name, text) = BUILT_IN[0];
    let pen = Inventory::parse(name, text)?.pens.remove(0);
    let corners = [(20.0, 20.0), (80.0, 20.0), (80.0, 80.0), (20.0, 80.0), (20.0, 20.0)];
    let square = Polyline::new(corners.into_iter().map(Point::from).collect());
    let toolpath = Toolpath { page, passes: vec![Pass { pen, strokes: vec![square] }] };
    let work = Work {
        toolpath: &toolpath,
        profile: &profile,
        placement: &placement,
        from: Place::default(),
        overlap: 0.0,
        mark: None,
        returns: true,
        dry: false,
    };
    let mut connection = Connection::simulated(&profile, &Faults::default(), None);
    let (mut controls, mut teller) = (Controls::none(), Teller);
    let plotting = plot(&work, &mut connection, &mut controls, &mut teller);
    let outcome = traceur_job::runtime()?.block_on(plotting)?;
    println!("finished: {}, {:.1} s of the plotter's time", outcome.finished, outcome.seconds);
    Ok(())
}
