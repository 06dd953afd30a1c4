//! What each pen draws: for scripts and for people.

use super::terminal::table;
use traceur_app::rounded;
use traceur_generator::PenUse;

/// What each pen draws.
pub(super) fn report_pens(pens: &[PenUse]) -> Vec<serde_json::Value> {
    let report =
        |pen: &PenUse| serde_json::json!({ "id": pen.id, "strokes": pen.strokes, "mm": rounded(pen.mm) });
    pens.iter().map(report).collect()
}

/// The same for people.
pub(super) fn pen_table(pens: &[PenUse]) -> String {
    let row =
        |pen: &PenUse| vec![pen.id.clone(), pen.strokes.to_string(), format!("{:.2} m", pen.mm / 1000.0)];
    table(&["pen", "strokes", "ink"], &pens.iter().map(row).collect::<Vec<_>>())
}
