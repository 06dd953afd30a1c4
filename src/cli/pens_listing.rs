//! Pens as rows: for scripts and for people.

use super::Terminal;
use super::terminal::table;
use traceur_core::color::{Srgb8, to_hex};
use traceur_core::pens::Pen;
use traceur_core::pens::form::PenForm;

/// Pens for scripts and for people.
#[derive(Debug)]
pub(super) struct Listing {
    pub(super) rows: Vec<PenForm>,
}

impl Listing {
    pub(super) fn of(pens: &[Pen]) -> Self {
        Self { rows: pens.iter().cloned().map(PenForm).collect() }
    }

    /// A table with a chip before each pen.
    pub(super) fn to_text(&self, terminal: &Terminal) -> String {
        let cells = |PenForm(pen): &PenForm| {
            vec![
                pen.id.clone(),
                to_hex(pen.color),
                format!("{} mm", pen.tip),
                format!("{:.0} %", pen.opacity * 100.0),
                pen.speed.map_or("-".into(), |speed| format!("{speed:.0} mm/s")),
                pen.slot.map_or("-".into(), |slot| slot.to_string()),
                pen.name.clone(),
            ]
        };
        let rows: Vec<Vec<String>> = self.rows.iter().map(cells).collect();
        let colors: Vec<Srgb8> = self.rows.iter().map(|row| row.0.color).collect();
        chipped(&["pen", "color", "tip", "opacity", "speed", "slot", "name"], &rows, &colors, terminal)
    }
}

/// A table with a chip before each row, where the terminal has colors.
pub(super) fn chipped(
    header: &[&str],
    rows: &[Vec<String>],
    colors: &[Srgb8],
    terminal: &Terminal,
) -> String {
    let text = table(header, rows);
    let chips: Vec<String> = colors.iter().map(|color| terminal.chip(*color)).collect();
    if chips.iter().all(String::is_empty) {
        return text;
    }
    let mut lines = text.lines();
    let mut chipped = format!("    {}\n", lines.next().unwrap_or_default());
    for (line, chip) in lines.zip(chips) {
        chipped += &format!("{chip}  {line}\n");
    }
    chipped
}
