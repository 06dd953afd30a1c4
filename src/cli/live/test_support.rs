//! A plot for the tests of what is seen of it.

use std::sync::Arc;

use traceur_app::timetable::Timetable;
use traceur_core::drawing::Page;
use traceur_core::geometry::Polyline;
use traceur_core::machine::{Placement, Profile};
use traceur_core::pens::{Inventory, Pen};
use traceur_core::toolpath::{Pass, Toolpath};

/// `black` of its own set, else a fineliner.
pub(super) fn pen(id: &str) -> Pen {
    let set = if id == "black" { "black" } else { "fineliner-12" };
    Inventory::built_in(set).unwrap().pen(id).unwrap().clone()
}

/// Two pens: three lines and a dot, then a square.
pub(super) fn toolpath() -> Toolpath {
    let strokes = vec![
        Polyline::from([(10.0, 10.0), (90.0, 10.0)]),
        Polyline::from([(90.0, 20.0), (50.0, 20.0), (10.0, 20.0)]),
        Polyline::from([(10.0, 30.0), (10.0, 30.0)]),
        Polyline::from([(10.0, 40.0), (90.0, 40.0)]),
    ];
    let square = Polyline::from([(20.0, 50.0), (80.0, 50.0), (80.0, 90.0), (20.0, 90.0), (20.0, 50.0)]);
    let passes = vec![Pass { pen: pen("red"), strokes }, Pass { pen: pen("black"), strokes: vec![square] }];
    Toolpath { page: Page { width: 100.0, height: 100.0 }, passes }
}

/// When it is drawn.
pub(super) fn timetable(machine: &str) -> Arc<Timetable> {
    let profile = Profile::built_in(machine).unwrap();
    let placement = Placement::of_page(&profile, 100.0, 100.0).unwrap();
    Arc::new(Timetable::new(&toolpath(), &profile, &placement))
}
