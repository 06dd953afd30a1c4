//! A toolpath as a drawing again.

use std::collections::HashMap;

use traceur_core::drawing::{Drawing, Layer, Stroke};
use traceur_core::geometry::{BezPath, Polyline, flatten};
use traceur_core::toolpath::{Pass, Toolpath};

/// The strokes of a toolpath as a drawing, in drawing order. A stroke that is drawn just as `given` has it, or the other
/// way round, keeps its curves.
#[must_use]
pub fn ordered(toolpath: &Toolpath, given: Option<&Drawing>) -> Drawing {
    let layer = |pass: &Pass| {
        let curves = given.map(|given| Curves::of(given, &pass.pen.id));
        let stroke = |line: &Polyline| {
            curves.as_ref().and_then(|curves| curves.find(line)).unwrap_or_else(|| to_stroke(line))
        };
        Layer { pen: pass.pen.clone(), strokes: pass.strokes.iter().map(stroke).collect() }
    };
    Drawing { page: toolpath.page, layers: toolpath.passes.iter().map(layer).collect() }
}

/// The curved strokes of a pen, by their ends.
struct Curves<'a> {
    by_ends: HashMap<[u64; 4], Vec<(&'a BezPath, f64)>>,
}

impl<'a> Curves<'a> {
    fn of(drawing: &'a Drawing, pen: &str) -> Self {
        let mut by_ends: HashMap<[u64; 4], Vec<(&BezPath, f64)>> = HashMap::new();
        let layers = drawing.layers.iter().filter(|layer| layer.pen.id == pen);
        for stroke in layers.flat_map(|layer| &layer.strokes) {
            let is_curved = stroke
                .path
                .iter()
                .any(|element| matches!(element, kurbo::PathEl::QuadTo(..) | kurbo::PathEl::CurveTo(..)));
            let lines = if is_curved { flatten(&stroke.path, 0.01) } else { Vec::new() };
            if let [line] = lines.as_slice() {
                by_ends.entry(ends(line)).or_default().push((&stroke.path, line.length()));
            }
        }
        Self { by_ends }
    }

    /// The curve that this line is made of: the same ends, and a length that flattening and leaving out vertices explain.
    fn find(&self, line: &Polyline) -> Option<Stroke> {
        let alike = |line: &Polyline| {
            let curves = self.by_ends.get(&ends(line))?;
            let length = line.length();
            curves
                .iter()
                .find(|curve| (curve.1 - length).abs() < 0.01 + 1e-3 * length)
                .map(|curve| curve.0.clone())
        };
        let backward = || {
            let mut reversed = line.clone();
            reversed.reverse();
            alike(&reversed).map(|path| path.reverse_subpaths())
        };
        alike(line).or_else(backward).map(|path| Stroke { path, group: 0 })
    }
}

fn ends(line: &Polyline) -> [u64; 4] {
    [line.start().x, line.start().y, line.end().x, line.end().y].map(f64::to_bits)
}

/// A polyline as a stroke.
#[must_use]
pub fn to_stroke(line: &Polyline) -> Stroke {
    Stroke { path: line.to_path(), group: 0 }
}
