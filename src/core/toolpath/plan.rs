//! From a drawing to passes.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;

use super::cost::Route;
use super::order::order_along;
use super::sequence::{interleave, join_neighbors, shuffle};
use super::split::{Split, split};
use super::{Doubled, Objective, Order, Pass, Settings, Statistics, Toolpath, dedup, join, usual_effort};
use crate::drawing::{Drawing, Layer};
use crate::geometry::{Polyline, Rect, clip, flatten, simplify};
use crate::pens::{Pen, PenSet};

/// How a drawing becomes a toolpath.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// What may be drawn on, in page space: the part of the page that the machine reaches; mm.
    pub area: Rect,
    /// Greatest distance between a curve and its polyline; mm, positive.
    pub flatten_tolerance: f64,
    /// Ends up to this far apart touch; mm. 0 joins only what meets exactly.
    pub join_tolerance: f64,
    /// Strokes are drawn once where they lie within this of each other; mm. `None`: as often as they are in the drawing.
    pub dedup_tolerance: Option<f64>,
    /// Which order the strokes of a pen are drawn in.
    pub order: Order,
    /// What the best order makes small.
    pub objective: Objective,
    /// Thousand travels that the search for the best order looks at, for each stroke; `None`: [`usual_effort()`] of the
    /// whole drawing.
    pub effort: Option<usize>,
    /// Of the random numbers of the search and of [`Order::Random`].
    pub seed: u64,
    /// Greatest distance by which leaving out vertices may move a line; mm. 0 leaves out none.
    pub simplify_tolerance: f64,
    /// Strokes shorter than this once they are joined, dots too, are not drawn; mm. 0 keeps all.
    pub least_stroke: f64,
    /// Where a pass ends because its pen needs ink; `None`: never.
    pub split: Option<Split>,
}

impl Options {
    /// The best order for travel, and the usual tolerances: 0.01 mm for curves (0.05 mm shows as corners in a circle of 3 mm) and for leaving out vertices,
    /// 0.1 mm for touching ends.
    #[must_use]
    pub fn new(area: Rect) -> Self {
        Self {
            area,
            flatten_tolerance: 0.01,
            join_tolerance: 0.1,
            dedup_tolerance: None,
            order: Order::default(),
            objective: Objective::Travel,
            effort: None,
            seed: 1,
            simplify_tolerance: 0.01,
            least_stroke: 0.0,
            split: None,
        }
    }
}

/// What planning did to the strokes of one pass.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct PassReport {
    /// The pen's id.
    pub pen: String,
    /// All strokes of the pen as they were in the drawing: flattened and clipped, in the order given. The first pass of a
    /// pen has them; its passes after a refill have none.
    pub before: Statistics,
    /// Its strokes as they will be plotted.
    pub after: Statistics,
}

/// What planning did.
#[derive(Debug, Clone, PartialEq, Default, serde::Serialize)]
pub struct Report {
    /// Sum over the passes of the strokes as they were in the drawing: flattened and clipped, in the order given.
    pub before: Statistics,
    /// Sum over the passes of the strokes as they will be plotted.
    pub after: Statistics,
    /// One a pass, first pass first.
    pub passes: Vec<PassReport>,
    /// Length that lay outside the area and is not drawn; mm.
    pub clipped_mm: f64,
    /// Strokes without length that are drawn: one touch of the pen each.
    pub dots: usize,
    /// Strokes of which nothing is drawn: all of it lies outside, or the same pen draws the same dot already.
    pub dropped: usize,
    /// What was left out because the same pen draws it already.
    pub doubled: Doubled,
    /// Vertices left out, because the line stays within the tolerance without them.
    pub simplified: usize,
    /// Strokes left out because they are too short.
    pub tiny: usize,
}

/// Turns a drawing into passes, light pens first: each pen's strokes are flattened, clipped to the area, joined where they
/// touch, put in an order with little travel, and simplified. Layers of the same pen become one pass, or one a refill; a
/// pen without strokes has none.
///
/// The best order is never worse for its objective than the order given, refills apart: where joining would make it so,
/// that pen's strokes stay unjoined.
#[must_use]
pub fn plan(drawing: &Drawing, options: &Options) -> (Toolpath, Report) {
    plan_watched(drawing, options, &mut |_| ControlFlow::Continue(()))
}

/// The same; `watch` hears now and then what share of the search for the best order is done, and may end it.
#[must_use]
pub fn plan_watched(
    drawing: &Drawing,
    options: &Options,
    watch: &mut dyn FnMut(f64) -> ControlFlow<()>,
) -> (Toolpath, Report) {
    let mut toolpath = Toolpath { page: drawing.page, passes: Vec::new() };
    let mut report = Report::default();
    let all = drawing.strokes().max(1);
    let settings = Settings {
        objective: options.objective,
        effort: Some(options.effort.unwrap_or_else(|| usual_effort(all))),
        seed: options.seed,
    };
    let mut done = 0;
    for (pen, layers) in by_pen(&drawing.layers) {
        let of_pen: usize = layers.iter().map(|layer| layer.strokes.len()).sum();
        let mut watch = |share: f64| watch((done as f64 + share * of_pen as f64) / all as f64);
        let (mut before, strokes) = match options.order {
            Order::InsideGroups => groups(&layers, options, &settings, &mut report, &mut watch),
            _ => {
                let given = marks(&layers, options, &mut report);
                let route = options.objective.whole();
                (Statistics::of(&given), arrange(given, &route, options, &settings, &mut report, &mut watch))
            }
        };
        done += of_pen;
        if strokes.is_empty() {
            continue;
        }
        report.before += before;
        for strokes in fills(refine(strokes, options, &mut report), options) {
            let after = Statistics::of(&strokes);
            report.after += after;
            report.passes.push(PassReport {
                pen: pen.id.clone(),
                before: std::mem::take(&mut before),
                after,
            });
            toolpath.passes.push(Pass { pen: pen.clone(), strokes });
        }
    }
    (toolpath, report)
}

/// The passes as they would be without planning: flattened and clipped, in the order given. What planning is compared
/// with.
#[must_use]
pub fn as_given(drawing: &Drawing, options: &Options) -> Toolpath {
    let passes = by_pen(&drawing.layers)
        .into_iter()
        .map(|(pen, layers)| Pass { pen, strokes: marks(&layers, options, &mut Report::default()) })
        .filter(|pass| !pass.strokes.is_empty());
    Toolpath { page: drawing.page, passes: passes.collect() }
}

/// Each pen with its layers, in pass order.
fn by_pen(layers: &[Layer]) -> Vec<(Pen, Vec<&Layer>)> {
    let mut of_pen: HashMap<&str, Vec<&Layer>> = HashMap::new();
    for layer in layers {
        of_pen.entry(&layer.pen.id).or_default().push(layer);
    }
    let pens = PenSet::new(of_pen.values().map(|layers| layers[0].pen.clone()).collect());
    pens.pens().iter().map(|pen| (pen.clone(), of_pen.remove(pen.id.as_str()).unwrap_or_default())).collect()
}

/// What the strokes of some layers draw inside the area.
fn marks(layers: &[&Layer], options: &Options, report: &mut Report) -> Vec<Polyline> {
    let mut marks = Vec::new();
    for stroke in layers.iter().flat_map(|layer| &layer.strokes) {
        for line in flatten(&stroke.path, options.flatten_tolerance) {
            let parts = clip(&line, options.area);
            let kept: f64 = parts.iter().map(Polyline::length).sum();
            report.clipped_mm += (line.length() - kept).max(0.0);
            report.dropped += usize::from(parts.is_empty());
            marks.extend(parts);
        }
    }
    marks
}

/// A dot drawn twice looks like one.
fn without_equal_dots(mut strokes: Vec<Polyline>, report: &mut Report) -> Vec<Polyline> {
    let mut seen = HashSet::new();
    let given = strokes.len();
    strokes.retain(|stroke| {
        let at = stroke.start();
        // Adding zero makes −0 and 0 the same place.
        !is_dot(stroke) || seen.insert(((at.x + 0.0).to_bits(), (at.y + 0.0).to_bits()))
    });
    report.dropped += given - strokes.len();
    report.dots += seen.len();
    strokes
}

fn is_dot(stroke: &Polyline) -> bool {
    stroke.points().iter().all(|point| *point == stroke.start())
}

/// One group's strokes after the other's, as they will be drawn; and what they were.
fn groups(
    layers: &[&Layer],
    options: &Options,
    settings: &Settings,
    report: &mut Report,
    watch: &mut dyn FnMut(f64) -> ControlFlow<()>,
) -> (Statistics, Vec<Polyline>) {
    let whole = settings.objective.whole();
    let (mut given, mut drawn): (Vec<Polyline>, Vec<Polyline>) = (Vec::new(), Vec::new());
    let groups = groups_of(layers);
    for (index, group) in groups.iter().enumerate() {
        let marks = marks(&[group], options, report);
        given.extend(marks.iter().cloned());
        let from = drawn.last().map_or(whole.from, Polyline::end);
        let to = whole.to.filter(|_| index + 1 == groups.len());
        let mut watch = |share: f64| watch((index as f64 + share) / groups.len() as f64);
        drawn.extend(arrange(marks, &Route { from, to, ..whole }, options, settings, report, &mut watch));
    }
    (Statistics::of(&given), drawn)
}

/// The strokes of each group, in the order of the drawing.
fn groups_of(layers: &[&Layer]) -> Vec<Layer> {
    let runs = layers.iter().flat_map(|layer| {
        let runs = layer.strokes.chunk_by(|a, b| a.group == b.group);
        runs.map(|strokes| Layer { pen: layer.pen.clone(), strokes: strokes.to_vec() })
    });
    runs.collect()
}

/// The strokes of one pen or group as they will be drawn.
fn arrange(
    given: Vec<Polyline>,
    route: &Route,
    options: &Options,
    settings: &Settings,
    report: &mut Report,
    watch: &mut dyn FnMut(f64) -> ControlFlow<()>,
) -> Vec<Polyline> {
    let most = route.cost(&given);
    let mut strokes = without_equal_dots(given, report);
    if let Some(tolerance) = options.dedup_tolerance {
        let (kept, doubled) = dedup(strokes, tolerance);
        report.doubled += doubled;
        strokes = kept;
    }
    let tolerance = options.join_tolerance;
    match options.order {
        Order::Keep => join_neighbors(strokes, tolerance),
        Order::Random => shuffle(join(strokes, tolerance), settings.seed),
        Order::Interleave => interleave(join(strokes, tolerance), settings, watch),
        Order::Best | Order::InsideGroups => {
            let joined = order_along(join(strokes.clone(), tolerance), route, settings, watch);
            if route.cost(&joined) <= most { joined } else { order_along(strokes, route, settings, watch) }
        }
    }
}

/// Without what is too short, and without the vertices that make no difference. Neither lengthens the travel.
fn refine(mut strokes: Vec<Polyline>, options: &Options, report: &mut Report) -> Vec<Polyline> {
    let given = strokes.len();
    strokes.retain(|stroke| stroke.length() >= options.least_stroke);
    report.tiny += given - strokes.len();
    if options.simplify_tolerance > 0.0 {
        for stroke in &mut strokes {
            let fewer = simplify(stroke, options.simplify_tolerance);
            report.simplified += stroke.points().len() - fewer.points().len();
            *stroke = fewer;
        }
    }
    strokes
}

/// The strokes of one pass, or of one a refill; none without strokes.
fn fills(strokes: Vec<Polyline>, options: &Options) -> Vec<Vec<Polyline>> {
    match &options.split {
        _ if strokes.is_empty() => Vec::new(),
        Some(at) => split(strokes, at),
        None => vec![strokes],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drawing::{Page, Stroke};
    use crate::geometry::{BezPath, Point};
    use crate::pens::Inventory;
    use proptest::prelude::*;

    const PAGE: Page = Page { width: 100.0, height: 100.0 };

    /// With little effort, so that the tests are quick.
    fn options() -> Options {
        Options { effort: Some(1), ..Options::new(Rect::new(0.0, 0.0, 100.0, 100.0)) }
    }

    fn pen(index: usize) -> Pen {
        Inventory::built_in("fineliner-12").unwrap().pens.remove(index)
    }

    fn stroke(path: &str) -> Stroke {
        Stroke { path: BezPath::from_svg(path).unwrap(), group: 0 }
    }

    fn drawing(layers: Vec<(Pen, Vec<Stroke>)>) -> Drawing {
        Drawing {
            page: PAGE,
            layers: layers.into_iter().map(|(pen, strokes)| Layer { pen, strokes }).collect(),
        }
    }

    fn one_pen(strokes: Vec<Stroke>) -> (Toolpath, Report) {
        plan(&drawing(vec![(pen(0), strokes)]), &options())
    }

    #[test]
    fn an_empty_drawing_has_no_passes() {
        assert_eq!(plan(&drawing(vec![]), &options()).1, Report::default());
        assert!(one_pen(vec![]).0.passes.is_empty());
    }

    #[test]
    fn what_lies_outside_is_not_drawn_and_is_counted() {
        let (toolpath, report) = one_pen(vec![stroke("M200 0 L210 0"), stroke("M200 200 L200 200")]);
        assert!(toolpath.passes.is_empty());
        assert_eq!((report.clipped_mm, report.dropped, report.dots), (10.0, 2, 0));
        let (toolpath, report) = one_pen(vec![stroke("M90 5 L130 5")]);
        assert_eq!((toolpath.passes[0].strokes[0].end(), report.clipped_mm), (Point::new(100.0, 5.0), 30.0));
    }

    #[test]
    fn two_hundred_thousand_equal_dots_are_one() {
        let (toolpath, report) = one_pen(vec![stroke("M7 7 L7 7"); 200_000]);
        assert_eq!((toolpath.passes[0].strokes.len(), report.dots, report.dropped), (1, 1, 199_999));
        assert_eq!((report.before.strokes, report.after.lifts), (200_000, 1));
    }

    #[test]
    fn a_million_vertices_stay_one_stroke() {
        let path: BezPath = (0..1_000_000)
            .map(|n| {
                let (sin, cos) = (f64::from(n) * 0.01).sin_cos();
                let at = Point::new(50.0 + 40.0 * cos, 50.0 + 40.0 * sin);
                if n == 0 { kurbo::PathEl::MoveTo(at) } else { kurbo::PathEl::LineTo(at) }
            })
            .collect();
        let drawing = drawing(vec![(pen(0), vec![Stroke { path, group: 0 }])]);
        let (toolpath, report) = plan(&drawing, &options());
        let kept = toolpath.passes[0].strokes[0].points().len();
        assert!(report.simplified + kept == 1_000_000 && kept < 300_000, "{report:?}");
        let (toolpath, _) = plan(&drawing, &Options { simplify_tolerance: 0.0, ..options() });
        assert_eq!(toolpath.passes[0].strokes[0].points().len(), 1_000_000);
    }

    #[test]
    fn short_strokes_are_dropped_once_they_are_joined() {
        let strokes =
            vec![stroke("M1 1 L1 1"), stroke("M5 5 L5.4 5"), stroke("M9 9 L9.4 9"), stroke("M9.4 9 L9.8 9")];
        let options = Options { least_stroke: 0.5, ..options() };
        let (toolpath, report) = plan(&drawing(vec![(pen(0), strokes)]), &options);
        assert_eq!((toolpath.passes[0].strokes.len(), report.tiny), (1, 2));
    }

    #[test]
    fn a_pen_that_needs_ink_has_several_passes() {
        let options = Options { split: Some(Split { most: 15.0, overlap: 1.0 }), ..options() };
        let (toolpath, report) = plan(&drawing(vec![(pen(0), vec![stroke("M0 5 H40")])]), &options);
        assert_eq!(toolpath.passes.len(), 3);
        assert_eq!((report.passes[0].before.strokes, report.passes[1].before.strokes), (1, 0));
        assert!((report.after.draw_mm - 42.0).abs() < 1e-9);
    }

    #[test]
    fn pens_go_light_to_dark_and_each_has_one_pass() {
        let line = || vec![stroke("M1 1 L9 9")];
        let dark_first =
            drawing(vec![(pen(0), line()), (pen(3), line()), (pen(0), line()), (pen(5), vec![])]);
        let (toolpath, report) = plan(&dark_first, &options());
        assert_eq!(toolpath.passes.len(), 2);
        assert!(toolpath.passes[0].pen.lightness() >= toolpath.passes[1].pen.lightness());
        assert_eq!(report.before.strokes, 3);
    }

    #[test]
    fn a_thousand_pens_make_a_thousand_passes() {
        let layer = |n: u32| (Pen { id: format!("pen-{n}"), ..pen(0) }, vec![stroke("M1 1 L9 9")]);
        assert_eq!(plan(&drawing((0..1000).map(layer).collect()), &options()).0.passes.len(), 1000);
    }

    #[test]
    fn a_line_drawn_twice_is_drawn_once_where_that_is_asked_for() {
        let twice = || drawing(vec![(pen(0), vec![stroke("M1 1 H50"), stroke("M40 1 H10 V9")])]);
        assert_eq!(plan(&twice(), &options()).1.doubled, Doubled::default());
        let (toolpath, report) = plan(&twice(), &Options { dedup_tolerance: Some(0.05), ..options() });
        assert!((report.doubled.mm - 30.0).abs() < 1e-9 && report.doubled.strokes == 0, "{report:?}");
        assert!((Statistics::of(&toolpath.passes[0].strokes).draw_mm - 57.0).abs() < 1e-9);
    }

    fn begins(order: Order, strokes: &[Stroke]) -> Vec<f64> {
        let options = Options { order, ..options() };
        let (toolpath, _) = plan(&drawing(vec![(pen(0), strokes.to_vec())]), &options);
        toolpath.passes[0].strokes.iter().map(|stroke| stroke.start().x).collect()
    }

    #[test]
    fn the_order_is_the_one_asked_for() {
        let mut strokes: Vec<Stroke> = [40, 10, 30, 20].map(|x| stroke(&format!("M{x} 5 V6"))).to_vec();
        strokes[0].group = 1;
        strokes[1].group = 1;
        assert_eq!(begins(Order::Best, &strokes), [10.0, 20.0, 30.0, 40.0]);
        assert_eq!(begins(Order::Keep, &strokes), [40.0, 10.0, 30.0, 20.0]);
        assert_eq!(begins(Order::InsideGroups, &strokes), [10.0, 40.0, 30.0, 20.0]);
        for order in [Order::Random, Order::Interleave] {
            let mut begins = begins(order, &strokes);
            begins.sort_by(f64::total_cmp);
            assert_eq!(begins, [10.0, 20.0, 30.0, 40.0]);
        }
    }

    #[test]
    fn seconds_are_no_more_than_in_the_order_given() {
        let profile = crate::machine::Profile::built_in("grbl-servo").unwrap();
        let objective = Objective::Time(crate::toolpath::TravelTime::new(
            &profile,
            &crate::machine::Placement::new(&profile, 100.0),
        ));
        let far: Vec<Stroke> =
            (0..40).map(|n| stroke(&format!("M{} {} h2", n * 37 % 90, n * 53 % 90))).collect();
        let drawing = drawing(vec![(pen(0), far)]);
        let [quick, given] =
            [plan(&drawing, &Options { objective, ..options() }).0, as_given(&drawing, &options())]
                .map(|toolpath| objective.of(&toolpath.passes[0].strokes));
        assert!(quick < 0.7 * given, "{quick} {given}");
    }

    proptest! {
        #[test]
        fn pens_keep_their_marks_and_travel_is_no_longer(
            layers in prop::collection::vec(
                (0_usize..3, prop::collection::vec(prop::collection::vec((0_u8..30, 0_u8..30), 2..5), 0..20)), 0..5),
            order in prop::sample::select(vec![Order::Best, Order::Keep, Order::Random, Order::Interleave, Order::InsideGroups]),
        ) {
            let path = |points: &Vec<(u8, u8)>| {
                let words: Vec<String> = points.iter().map(|p| format!("{} {}", p.0, p.1)).collect();
                stroke(&format!("M{}", words.join(" L")))
            };
            let drawing = drawing(layers.iter().map(|(index, strokes)| (pen(*index), strokes.iter().map(path).collect())).collect());
            let (toolpath, report) = plan(&drawing, &Options { order, ..options() });
            let is_by_chance = matches!(order, Order::Random | Order::Interleave);
            prop_assert!(is_by_chance || report.after.travel_mm <= report.before.travel_mm + 1e-6);
            for pass in &toolpath.passes {
                let given = drawing.layers.iter().filter(|layer| layer.pen == pass.pen).flat_map(|layer| &layer.strokes);
                let given: f64 = given.flat_map(|stroke| flatten(&stroke.path, 0.05)).map(|line| line.length()).sum();
                let drawn = Statistics::of(&pass.strokes).draw_mm;
                prop_assert!((given - drawn).abs() < 1e-6, "{} {}", given, drawn);
            }
        }
    }
}
