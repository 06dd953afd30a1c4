//! Which pens a hand must put in, and how.

use std::collections::BTreeMap;

use traceur_core::geometry::{Point, Polyline, Rect};
use traceur_core::machine::{Firmware, Lift, Profile};
use traceur_core::pens::Pen;
use traceur_core::toolpath::Toolpath;

/// Where the pens of a job go.
#[derive(Debug, Clone, PartialEq)]
pub enum Holder {
    /// One holder: each pass's pen is put in by hand.
    One,
    /// A carousel that holds all pens of the job; by place.
    Carousel(BTreeMap<u32, Pen>),
    /// A carousel, but these two pens of the job are for the same place.
    Crowded {
        /// Whose place that is.
        place: u32,
        /// Their names.
        pens: [String; 2],
        /// Places in the carousel.
        places: u32,
    },
}

/// How this machine holds the pens of `toolpath`.
#[must_use]
pub fn holder(toolpath: &Toolpath, profile: &Profile) -> Holder {
    let hpgl = match &profile.firmware {
        Firmware::Hpgl(hpgl) if hpgl.pens > 1 => hpgl,
        _ => return Holder::One,
    };
    let mut held: BTreeMap<u32, Pen> = BTreeMap::new();
    for (index, pass) in toolpath.passes.iter().enumerate() {
        let place = hpgl.place(index, pass.pen.slot);
        match held.get(&place) {
            Some(other) if other.id != pass.pen.id => {
                let pens = [other.name.clone(), pass.pen.name.clone()];
                return Holder::Crowded { place, pens, places: hpgl.pens };
            }
            _ => drop(held.insert(place, pass.pen.clone())),
        }
    }
    Holder::Carousel(held)
}

/// How this pass's pen is put in.
#[must_use]
pub fn how(pass: usize, pen: &Pen, profile: &Profile) -> String {
    if let Firmware::Hpgl(hpgl) = &profile.firmware
        && hpgl.pens > 1
    {
        return format!("{} mm tip, in place {} of the carousel", pen.tip, hpgl.place(pass, pen.slot));
    }
    let above = match profile.lift {
        Lift::Z { up, down, .. } => format!("{:.1} mm", (up - down).abs()),
        _ => "2 to 3 mm".into(),
    };
    format!("{} mm tip, upright, {above} above the paper as the holder stands now", pen.tip)
}

/// Least room for a scribble, and how far it stays from ink and edge; mm.
const LEAST_ROOM: f64 = 3.0;
const CLEAR: f64 = 1.5;
/// Size of a scribble; mm.
const SCRIBBLE: [f64; 2] = [12.0, 5.0];
/// Ways to and fro in it.
const WAYS: usize = 6;

/// A zigzag beside the drawing's `ink`, where the machine reaches, for the `index`-th pass; `None`: there is no room. It is
/// in the widest margin, each next to the one before; page mm.
#[must_use]
pub fn scribble(ink: Rect, reach: Rect, index: usize) -> Option<Polyline> {
    let margins = [
        Rect { y0: ink.y1, ..reach },
        Rect { y1: ink.y0, ..reach },
        Rect { x0: ink.x1, ..reach },
        Rect { x1: ink.x0, ..reach },
    ];
    let rooms = margins.map(|margin| margin.inset(-CLEAR));
    let narrow = |room: &Rect| room.width().min(room.height());
    let is_room = |room: &&Rect| room.x1 > room.x0 && room.y1 > room.y0 && narrow(room) >= LEAST_ROOM;
    let room = rooms.iter().filter(is_room).max_by(|a, b| narrow(a).total_cmp(&narrow(b)))?;
    let [long, high] = SCRIBBLE;
    let along = room.width() >= room.height();
    let (most, across) = if along { (room.width(), room.height()) } else { (room.height(), room.width()) };
    let (long, high) = (long.min(most), high.min(across));
    let places = (most / (long + CLEAR)).floor().max(1.0) as usize;
    let begin = (index % places) as f64 * (long + CLEAR);
    let point = |way: usize| {
        let (u, v) =
            (begin + long * way as f64 / WAYS as f64, if way.is_multiple_of(2) { 0.0 } else { high });
        if along { Point::new(room.x0 + u, room.y0 + v) } else { Point::new(room.x0 + v, room.y0 + u) }
    };
    Some(Polyline::new((0..=WAYS).map(point).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timetable::tests::{pen, toolpath};

    fn profile(id: &str) -> Profile {
        Profile::built_in(id).unwrap()
    }

    #[test]
    fn a_carousel_takes_pens_by_their_own_place_or_by_pass() {
        let mut toolpath = toolpath();
        for pass in &mut toolpath.passes {
            pass.pen.slot = None;
        }
        let Holder::Carousel(held) = holder(&toolpath, &profile("hp7475a")) else { panic!() };
        assert_eq!(
            held.iter().map(|(place, pen)| (*place, pen.id.as_str())).collect::<Vec<_>>(),
            [(1, "red"), (2, "black")]
        );
        toolpath.passes[1].pen.slot = Some(1);
        let crowded = Holder::Crowded { place: 1, pens: [pen("red").name, pen("black").name], places: 6 };
        assert_eq!(holder(&toolpath, &profile("hp7475a")), crowded);
        assert_eq!(holder(&toolpath, &profile("axidraw-v3")), Holder::One);
    }

    #[test]
    fn a_refill_is_no_second_pen() {
        let mut toolpath = toolpath();
        toolpath.passes[1].pen = toolpath.passes[0].pen.clone();
        toolpath.passes[1].pen.slot = Some(2);
        toolpath.passes[0].pen.slot = Some(2);
        assert!(matches!(holder(&toolpath, &profile("hp7475a")), Holder::Carousel(held) if held.len() == 1));
    }

    #[test]
    fn a_scribble_is_outside_the_ink_and_inside_the_reach() {
        let reach = Rect::new(0.0, 0.0, 100.0, 100.0);
        let inks = [
            Rect::new(10.0, 10.0, 90.0, 90.0),
            Rect::new(0.0, 0.0, 100.0, 92.0),
            Rect::new(0.0, 20.0, 100.0, 100.0),
            Rect::new(7.0, 0.0, 100.0, 100.0),
        ];
        for ink in inks {
            for index in 0..20 {
                let line = scribble(ink, reach, index).unwrap();
                let bounds = line.bounds();
                assert!(reach.union(bounds) == reach, "{ink:?} {bounds:?}");
                assert!(ink.intersect(bounds).area() == 0.0, "{ink:?} {bounds:?}");
                assert!(line.length() > 15.0, "{}", line.length());
            }
        }
        assert_eq!(scribble(Rect::new(3.0, 3.0, 97.0, 97.0), reach, 0), None);
    }

    #[test]
    fn two_pens_scribble_beside_each_other() {
        let reach = Rect::new(0.0, 0.0, 100.0, 100.0);
        let ink = Rect::new(0.0, 0.0, 100.0, 80.0);
        let lines = [0, 1].map(|index| scribble(ink, reach, index).unwrap().bounds());
        assert_eq!(lines[0].intersect(lines[1]).area(), 0.0);
    }

    #[test]
    fn the_way_of_the_pen_tells_how_high_it_is_put_in() {
        assert!(how(0, &pen("red"), &profile("grbl-z")).contains("3.0 mm above the paper"));
        assert!(how(1, &pen("red"), &profile("axidraw-v3")).contains("2 to 3 mm above"));
        let mut pen = pen("red");
        pen.slot = Some(4);
        assert!(how(1, &pen, &profile("hp7475a")).contains("in place 4 of the carousel"));
    }
}
