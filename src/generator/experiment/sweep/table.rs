//! The rows of a sweep, best first, as JSON and as CSV.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{Row, short};

/// What a sweep came to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Table {
    /// The sweep's name.
    pub name: String,
    /// What it is for.
    pub about: String,
    /// The key whose values stand side by side, if any.
    pub columns: Option<String>,
    /// Sorted by excitation, highest first.
    pub rows: Vec<Row>,
}

impl Table {
    /// Sorts the rows.
    #[must_use]
    pub fn new(name: String, about: String, columns: Option<String>, mut rows: Vec<Row>) -> Self {
        rows.sort_by(|a, b| {
            b.excitation.tuned.total_cmp(&a.excitation.tuned).then_with(|| a.set.cmp(&b.set))
        });
        Self { name, about, columns, rows }
    }

    /// Lines of rows to show: those that differ only in `columns` are side by side, in the order of its values; the
    /// line with the highest excitation is first. Without columns, one line has all rows.
    #[must_use]
    pub fn lines(&self) -> Vec<Vec<&Row>> {
        let Some(columns) = &self.columns else { return vec![self.rows.iter().collect()] };
        let others = |row: &Row| {
            let mut set = row.set.clone();
            set.remove(columns);
            set
        };
        let mut lines: Vec<Vec<&Row>> = Vec::new();
        for row in &self.rows {
            match lines.iter_mut().find(|line| others(line[0]) == others(row)) {
                Some(line) => line.push(row),
                None => lines.push(vec![row]),
            }
        }
        let value = |row: &Row| row.set.get(columns).cloned().unwrap_or_default();
        for line in &mut lines {
            line.sort_by(|a, b| {
                let (a, b) = (value(a), value(b));
                match (a.parse::<f64>(), b.parse::<f64>()) {
                    (Ok(a), Ok(b)) => a.total_cmp(&b),
                    _ => a.cmp(&b),
                }
            });
        }
        lines
    }

    /// The table for spreadsheets: RFC 4180, a header, then the rows.
    #[must_use]
    pub fn to_csv(&self) -> String {
        let keys: BTreeSet<&String> = self.rows.iter().flat_map(|row| row.set.keys()).collect();
        let figures = ["excitation", "free", "snapped", "white", "loss", "strokes", "metres", "drawing"];
        let header = keys.iter().map(|key| quoted(key)).chain(figures.map(ToOwned::to_owned));
        let mut csv = header.collect::<Vec<_>>().join(",") + "\r\n";
        for row in &self.rows {
            let value = |key: &&String| quoted(row.set.get(*key).map_or("", String::as_str));
            let mut cells: Vec<String> = keys.iter().map(value).collect();
            let excitation = &row.excitation;
            cells.extend(
                [excitation.tuned, excitation.free, excitation.snapped, row.white, row.loss]
                    .map(|f| f.to_string()),
            );
            cells.extend([row.strokes.to_string(), format!("{:.3}", row.metres)]);
            cells.push(quoted(&format!("{}/drawing.svg", row.folder)));
            csv += &(cells.join(",") + "\r\n");
        }
        csv
    }
}

impl Row {
    /// What was changed, in a line each: the last word of a key and its value.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        self.set.iter().map(|(key, value)| format!("{} {value}", short(key))).collect()
    }
}

fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}
