//! Saved plans: toolpaths in JSON.

use serde::{Deserialize, Serialize};

use crate::Error;
use traceur_core::color::{parse_hex, to_hex};
use traceur_core::drawing::Page;
use traceur_core::geometry::{Point, Polyline};
use traceur_core::pens::Pen;
use traceur_core::toolpath::{Pass, Toolpath};

/// A saved plan: what `plan -o` writes.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PlanFile {
    format: u32,
    kind: String,
    page_mm: [f64; 2],
    passes: Vec<PlanPass>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PlanPass {
    pen: PlanPen,
    strokes: Vec<Vec<[f64; 2]>>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PlanPen {
    id: String,
    name: String,
    color: String,
    tip_mm: f64,
    opacity: f32,
    speed_mm_s: Option<f64>,
    slot: Option<u32>,
    /// What a full pen draws, where it is known; mm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    supply_mm: Option<f64>,
}

const PLAN_KIND: &str = "traceur-plan";

/// The JSON text of a plan, µm exact.
///
/// # Errors
/// None that a toolpath with finite numbers has.
pub fn to_text(toolpath: &Toolpath) -> Result<String, Error> {
    let micrometer = |mm: f64| (mm * 1000.0).round() / 1000.0;
    let passes = toolpath.passes.iter().map(|pass| PlanPass {
        pen: PlanPen {
            id: pass.pen.id.clone(),
            name: pass.pen.name.clone(),
            color: to_hex(pass.pen.color),
            tip_mm: pass.pen.tip,
            opacity: pass.pen.opacity,
            speed_mm_s: pass.pen.speed,
            slot: pass.pen.slot,
            supply_mm: pass.pen.metres,
        },
        strokes: pass
            .strokes
            .iter()
            .map(|stroke| stroke.points().iter().map(|p| [micrometer(p.x), micrometer(p.y)]).collect())
            .collect(),
    });
    let file = PlanFile {
        format: 1,
        kind: PLAN_KIND.into(),
        page_mm: [toolpath.page.width, toolpath.page.height],
        passes: passes.collect(),
    };
    serde_json::to_string(&file).map_err(|error| Error::Input(error.to_string()))
}

/// The toolpath of a saved plan; `file` is its name, for messages.
///
/// # Errors
/// What in it is no plan, or out of range.
pub(crate) fn parse(file: &str, bytes: &[u8]) -> Result<Toolpath, Error> {
    let wrong = |what: String| {
        Error::Input(format!("{file}: {what}; make a plan with `traceur plan IN -o OUT.json`"))
    };
    let plan: PlanFile =
        serde_json::from_slice(bytes).map_err(|error| wrong(format!("not a plan: {error}")))?;
    let page = Page { width: plan.page_mm[0], height: plan.page_mm[1] };
    if plan.format != 1 || plan.kind != PLAN_KIND || !page.is_sane() {
        return Err(wrong("not a plan that this version reads".into()));
    }
    let mut passes = Vec::new();
    for pass in plan.passes {
        let pen = parse_pen(pass.pen).map_err(&wrong)?;
        let mut strokes = Vec::new();
        for stroke in pass.strokes {
            let finite = stroke.iter().flatten().all(|value| value.abs() < 1e5);
            if stroke.len() < 2 || !finite {
                return Err(wrong(format!(
                    "pen `{}`: a stroke needs two points or more, within 100 m",
                    pen.id
                )));
            }
            strokes.push(Polyline::new(stroke.into_iter().map(|[x, y]| Point::new(x, y)).collect()));
        }
        passes.push(Pass { pen, strokes });
    }
    Ok(Toolpath { page, passes })
}

fn parse_pen(pen: PlanPen) -> Result<Pen, String> {
    if !(0.01..=50.0).contains(&pen.tip_mm)
        || !(0.0..=1.0).contains(&pen.opacity)
        || [pen.speed_mm_s, pen.supply_mm].into_iter().flatten().any(|value| value.is_nan() || value <= 0.0)
    {
        return Err(format!("pen `{}`: its tip, opacity, speed or supply is out of range", pen.id));
    }
    Ok(Pen {
        id: crate::printable(&pen.id),
        name: crate::printable(&pen.name),
        color: parse_hex(&pen.color)?,
        tip: pen.tip_mm,
        opacity: pen.opacity,
        speed: pen.speed_mm_s,
        slot: pen.slot,
        metres: pen.supply_mm,
        pass: None,
    })
}
