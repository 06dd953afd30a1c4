//! What is looked at before anything moves.

use serde_json::{Value, json};

use super::mount::{self, Holder};
use crate::cli::Failure;
use crate::cli::pipeline::rounded;
use traceur_core::geometry::{Polyline, Rect};
use traceur_core::machine::{Firmware, Placement, Profile};
use traceur_core::toolpath::Toolpath;

/// What was looked at, and found in order.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Checked {
    /// Each as a few words.
    words: Vec<String>,
    /// Bounds of the ink, and what the machine reaches of the page; mm.
    pub(super) ink: Rect,
    pub(super) reach: Rect,
    event: Value,
}

impl Checked {
    /// In one line; `banner`: what the plotter says of itself.
    pub(super) fn line(&self, banner: &str) -> String {
        // GRBL adds how to get help.
        let who = banner.split(" [").next().filter(|who| !who.is_empty()).unwrap_or("the plotter");
        format!("checked: {who} answers; {}", self.words.join("; "))
    }

    /// For scripts.
    pub(super) fn event(&self) -> Value {
        self.event.clone()
    }
}

/// Looks at the ink's bounds and the pens' places. `by_hand`: somebody can change a pen.
pub(super) fn check(
    toolpath: &Toolpath,
    profile: &Profile,
    placement: &Placement,
    by_hand: bool,
) -> Result<Checked, Failure> {
    let (ink, reach) = inside(toolpath, profile, placement)?;
    let mut words = vec![format!(
        "ink of {:.0} x {:.0} mm within {:.0} x {:.0} mm",
        ink.width(),
        ink.height(),
        reach.width(),
        reach.height()
    )];
    words.push(pens(toolpath, profile, by_hand)?);
    words.push(zero(profile).to_owned());
    let sides = |rect: Rect| [rect.x0, rect.y0, rect.x1, rect.y1].map(rounded);
    let event = json!({
        "event": "checked", "bounds_mm": sides(ink), "reach_mm": sides(reach),
        "pens": toolpath.passes.iter().map(|pass| pass.pen.id.as_str()).collect::<Vec<_>>(),
        "checked": words,
    });
    Ok(Checked { words, ink, reach, event })
}

fn inside(toolpath: &Toolpath, profile: &Profile, placement: &Placement) -> Result<(Rect, Rect), Failure> {
    let strokes = toolpath.passes.iter().flat_map(|pass| &pass.strokes);
    let ink = strokes.map(Polyline::bounds).reduce(|a, b| a.union(b)).unwrap_or(Rect::ZERO);
    let reach = placement.reach(toolpath.page.width);
    // Coordinates are written to hundredths.
    let (a, b) = (ink, reach.inflate(0.01, 0.01));
    if a.x0 < b.x0 || a.y0 < b.y0 || a.x1 > b.x1 || a.y1 > b.y1 {
        return Err(Failure::Input(format!(
            "the ink goes from {:.1}, {:.1} to {:.1}, {:.1} mm, and `{}` reaches {:.1}, {:.1} to {:.1}, {:.1} mm of this page: \
             plan the drawing again for this machine, or --fit it",
            a.x0, a.y0, a.x1, a.y1, profile.id, b.x0, b.y0, b.x1, b.y1
        )));
    }
    Ok((ink, reach))
}

fn pens(toolpath: &Toolpath, profile: &Profile, by_hand: bool) -> Result<String, Failure> {
    let count = toolpath.passes.len();
    match mount::holder(toolpath, profile) {
        Holder::One if count == 1 => Ok("one pen".into()),
        Holder::One => Ok(format!("{count} passes, pens by hand")),
        Holder::Carousel(held) => {
            let pens: Vec<String> = held.iter().map(|(place, pen)| format!("{place} {}", pen.name)).collect();
            Ok(format!("in the carousel {}", pens.join(", ")))
        }
        Holder::Crowded { place, pens: [one, other], places } if !by_hand => Err(Failure::Input(format!(
            "{one} and {other} are both for place {place} of the {places} in the carousel: give one another `slot`, or plot \
             without --yes and change them by hand"
        ))),
        Holder::Crowded { place, pens: [one, other], .. } => Ok(format!(
            "{count} passes, by hand: {one} and {other} are both for place {place} of the carousel"
        )),
    }
}

/// What the job takes for the machine's zero.
fn zero(profile: &Profile) -> &'static str {
    match &profile.firmware {
        Firmware::Grbl(grbl) if grbl.homing => "homed by its switches",
        Firmware::Grbl(_) => "zero where it says",
        Firmware::Ebb(ebb) if ebb.motor_power_least > 0 => "motors have power; home is where the pen stands",
        Firmware::Ebb(_) => "home is where the pen stands",
        Firmware::Hpgl(_) => "zero its own",
    }
}

#[cfg(test)]
mod tests {
    use super::super::schedule::tests::toolpath;
    use super::*;

    fn checked(machine: &str, toolpath: &Toolpath, by_hand: bool) -> Result<Checked, Failure> {
        let profile = Profile::built_in(machine).unwrap();
        let placement = Placement::of_page(&profile, 100.0, 100.0).unwrap();
        check(toolpath, &profile, &placement, by_hand)
    }

    fn refused(machine: &str, toolpath: &Toolpath) -> String {
        checked(machine, toolpath, false).unwrap_err().to_string()
    }

    #[test]
    fn what_is_in_order_is_one_line() {
        for machine in ["grbl-servo", "axidraw-v3", "hp7475a"] {
            let line = checked(machine, &toolpath(), true).unwrap().line("Grbl 1.1h");
            assert!(line.starts_with("checked: Grbl 1.1h answers; ink of 80 x 80 mm within 100 x"), "{line}");
        }
        let line = checked("axidraw-v3", &toolpath(), false).unwrap().line("Grbl 1.1h");
        assert!(line.contains("home is where"), "{line}");
    }

    #[test]
    fn ink_beyond_the_reach_is_refused() {
        let mut toolpath = toolpath();
        let stroke = &mut toolpath.passes[1].strokes[0];
        let mut points = stroke.points().to_vec();
        points[1].x = 120.0;
        *stroke = Polyline::new(points);
        let text = refused("grbl-servo", &toolpath);
        assert!(text.contains("120.0") && text.contains("--fit"), "{text}");
    }

    #[test]
    fn two_pens_for_one_place_need_a_hand() {
        let mut toolpath = toolpath();
        toolpath.passes[0].pen.slot = Some(2);
        toolpath.passes[1].pen.slot = Some(2);
        let text = refused("hp7475a", &toolpath);
        assert!(text.contains("place 2 of the 6") && text.contains("--yes"), "{text}");
        assert!(checked("hp7475a", &toolpath, true).unwrap().line("Grbl 1.1h").contains("by hand"));
        assert!(checked("axidraw-v3", &toolpath, false).is_ok(), "it has no carousel");
    }
}
