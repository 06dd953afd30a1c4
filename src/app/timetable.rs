//! When each stroke is drawn, as the machine's model has it.

use rayon::prelude::*;

use traceur_core::machine::{Placement, Profile};
use traceur_core::toolpath::{Pass, Toolpath};
use traceur_motion::Motion;
use traceur_protocol::Origin;

/// The passes of a plot, timed.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Timetable {
    /// First pass first.
    pub passes: Vec<Timed>,
    /// When each pass begins, and when the last one ends; s of modelled time.
    begins: Vec<f64>,
}

/// One pass, timed from its begin.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Timed {
    /// How long all of it takes; s.
    pub seconds: f64,
    /// When the pen goes down for each stroke, and when it is up again; s.
    spans: Vec<[f64; 2]>,
    /// Length of ink before each stroke, and of all; mm.
    before_mm: Vec<f64>,
    /// How far along its stroke each point lies, from 0 to 1; stroke after stroke.
    shares: Vec<f32>,
    /// Points before each stroke.
    points_before: Vec<usize>,
}

/// How far a pass is.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Reached {
    /// Strokes that are whole.
    pub strokes: usize,
    /// How much of the next stroke is drawn, from 0 to 1.
    pub share: f64,
    /// Ink so far; mm.
    pub draw_mm: f64,
    /// Mean speed of the stroke that is being drawn; mm/s. `None`: the pen travels.
    pub speed: Option<f64>,
}

impl Timetable {
    /// Times every pass of `toolpath`.
    #[must_use]
    pub fn new(toolpath: &Toolpath, profile: &Profile, placement: &Placement) -> Self {
        let passes: Vec<Timed> =
            toolpath.passes.par_iter().map(|pass| Timed::new(pass, profile, placement)).collect();
        let mut begins = vec![0.0];
        for pass in &passes {
            begins.push(begins[begins.len() - 1] + pass.seconds);
        }
        Self { passes, begins }
    }

    /// How long all passes take; s.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.begins.last().copied().unwrap_or_default()
    }

    /// When a pass begins; s.
    #[must_use]
    pub fn begin(&self, pass: usize) -> f64 {
        self.begins.get(pass).copied().unwrap_or_else(|| self.seconds())
    }

    /// Length of all ink; mm.
    #[must_use]
    pub fn draw_mm(&self) -> f64 {
        self.passes.iter().map(Timed::draw_mm).sum()
    }
}

impl Timed {
    fn new(pass: &Pass, profile: &Profile, placement: &Placement) -> Self {
        let plan = traceur_motion::plan(pass, profile, placement);
        let mut timed = Self {
            seconds: plan.seconds(),
            spans: spans(&plan, pass.strokes.len()),
            before_mm: vec![0.0],
            shares: Vec::new(),
            points_before: Vec::new(),
        };
        let mut before = 0.0;
        for stroke in &pass.strokes {
            let length = stroke.length();
            let mut along = 0.0;
            timed.points_before.push(timed.shares.len());
            timed.shares.push(0.0);
            for pair in stroke.points().windows(2) {
                along += pair[0].distance(pair[1]);
                // A dot is whole once it has been touched.
                timed.shares.push(if length > 0.0 { (along / length) as f32 } else { 1.0 });
            }
            before += length;
            timed.before_mm.push(before);
        }
        timed
    }

    /// Strokes.
    #[must_use]
    pub fn strokes(&self) -> usize {
        self.spans.len()
    }

    /// Length of its ink; mm.
    #[must_use]
    pub fn draw_mm(&self) -> f64 {
        self.before_mm.last().copied().unwrap_or_default()
    }

    /// When the pen is where a statement of this origin leads; s since the pass's begin.
    #[must_use]
    pub fn at(&self, origin: Origin) -> f64 {
        let Some([begin, end]) = self.spans.get(origin.stroke) else { return self.seconds };
        let points = self.points_before[origin.stroke] + origin.vertex;
        let share = self.shares.get(points).copied().unwrap_or(1.0);
        begin + (end - begin) * f64::from(share)
    }

    /// When this stroke and all before it are drawn; s since the pass's begin.
    #[must_use]
    pub fn before(&self, stroke: usize) -> f64 {
        stroke.checked_sub(1).map_or(0.0, |last| self.spans.get(last).map_or(self.seconds, |span| span[1]))
    }

    /// Where the pen is, so long after the pass's begin.
    #[must_use]
    pub fn place(&self, seconds: f64) -> Reached {
        let strokes = self.spans.partition_point(|[_, end]| *end <= seconds);
        let before = self.before_mm.get(strokes).copied().unwrap_or_default();
        let whole = Reached { strokes, share: 0.0, draw_mm: before, speed: None };
        match self.spans.get(strokes) {
            Some([begin, end]) if *begin < seconds => {
                let share = ((seconds - begin) / (end - begin)).clamp(0.0, 1.0);
                let length = self.before_mm[strokes + 1] - before;
                Reached {
                    share,
                    draw_mm: before + share * length,
                    speed: Some(length / (end - begin)),
                    ..whole
                }
            }
            _ => whole,
        }
    }
}

/// From each way down of the pen to its next way up. Where the plan has not one a stroke, the time is shared out evenly.
fn spans(plan: &traceur_motion::Plan, strokes: usize) -> Vec<[f64; 2]> {
    let mut spans: Vec<[f64; 2]> = Vec::with_capacity(strokes);
    let mut is_down = false;
    for motion in &plan.motions {
        if let Motion::Lift { begin, down, seconds, .. } = motion {
            if *down {
                spans.push([*begin, begin + seconds]);
            } else if is_down && let Some(span) = spans.last_mut() {
                span[1] = *begin;
            }
            is_down = *down;
        }
    }
    if spans.len() != strokes {
        let each = plan.seconds() / strokes.max(1) as f64;
        spans = (0..strokes).map(|index| [index as f64 * each, (index + 1) as f64 * each]).collect();
    }
    // Never nothing: a share of it is asked for.
    for span in &mut spans {
        span[1] = span[1].max(span[0] + 1e-6);
    }
    spans
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use traceur_core::drawing::Page;
    use traceur_core::geometry::Polyline;
    use traceur_core::pens::{Inventory, Pen};

    pub(crate) fn pen(id: &str) -> Pen {
        let set = if id == "black" { "black" } else { "fineliner-12" };
        Inventory::built_in(set).unwrap().pen(id).unwrap().clone()
    }

    /// Two pens: three lines and a dot, then a square.
    pub(crate) fn toolpath() -> Toolpath {
        let strokes = vec![
            Polyline::from([(10.0, 10.0), (90.0, 10.0)]),
            Polyline::from([(90.0, 20.0), (50.0, 20.0), (10.0, 20.0)]),
            Polyline::from([(10.0, 30.0), (10.0, 30.0)]),
            Polyline::from([(10.0, 40.0), (90.0, 40.0)]),
        ];
        let square = Polyline::from([(20.0, 50.0), (80.0, 50.0), (80.0, 90.0), (20.0, 90.0), (20.0, 50.0)]);
        let passes =
            vec![Pass { pen: pen("red"), strokes }, Pass { pen: pen("black"), strokes: vec![square] }];
        Toolpath { page: Page { width: 100.0, height: 100.0 }, passes }
    }

    pub(crate) fn timetable(machine: &str) -> Timetable {
        let profile = Profile::built_in(machine).unwrap();
        let toolpath = toolpath();
        let placement = Placement::of_page(&profile, 100.0, 100.0).unwrap();
        Timetable::new(&toolpath, &profile, &placement)
    }

    #[test]
    fn every_machine_draws_its_strokes_one_after_another() {
        for machine in ["grbl-servo", "grbl-z", "axidraw-v3", "hp7475a"] {
            let timetable = timetable(machine);
            let pass = &timetable.passes[0];
            assert_eq!(pass.strokes(), 4, "{machine}");
            assert!((pass.draw_mm() - 240.0).abs() < 1e-9);
            assert!(pass.spans.windows(2).all(|pair| pair[0][1] <= pair[1][0] + 1e-9), "{machine}");
            assert!(pass.spans.iter().all(|[begin, end]| begin < end && *end <= pass.seconds), "{machine}");
            assert_eq!(pass.at(Origin { pass: 0, stroke: 1, vertex: 0 }), pass.spans[1][0], "{machine}");
            assert_eq!(pass.at(Origin { pass: 0, stroke: 1, vertex: 2 }), pass.before(2), "{machine}");
            let middle = (pass.spans[1][0] + pass.spans[1][1]) / 2.0;
            assert!((pass.at(Origin { pass: 0, stroke: 1, vertex: 1 }) - middle).abs() < 1e-6, "{machine}");
        }
    }

    #[test]
    fn a_place_knows_the_strokes_before_it_and_its_own() {
        let timetable = timetable("grbl-servo");
        let pass = &timetable.passes[0];
        assert_eq!(pass.place(0.0), Reached::default());
        let middle = (pass.spans[1][0] + pass.spans[1][1]) / 2.0;
        let place = pass.place(middle);
        assert_eq!(place.strokes, 1);
        assert!((place.draw_mm - 120.0).abs() < 1e-9 && place.speed.is_some(), "{place:?}");
        let end = pass.place(1e9);
        assert_eq!((end.strokes, end.draw_mm, end.speed), (4, pass.draw_mm(), None));
    }

    #[test]
    fn passes_follow_each_other() {
        let timetable = timetable("axidraw-v3");
        assert_eq!(timetable.begin(1), timetable.passes[0].seconds);
        assert_eq!(timetable.seconds(), timetable.passes[0].seconds + timetable.passes[1].seconds);
        assert_eq!(timetable.draw_mm(), 240.0 + 200.0);
        assert_eq!(timetable.begin(9), timetable.seconds());
        let nowhere = Origin { pass: 0, stroke: 99, vertex: 3 };
        assert_eq!(timetable.passes[0].at(nowhere), timetable.passes[0].seconds);
    }
}
