//! Flags for which pen draws which color, and how lines are drawn that no pen can draw; the mapping for people.

use clap::ValueEnum;
use serde::Serialize;

use super::terminal::table;
use super::{Failure, Terminal};
use traceur_core::color::{Srgb8, parse_hex, to_hex};
use traceur_core::config;
use traceur_core::drawing::scene::{ByHand, FatStrokes, Match, Matching, Opacity};
use traceur_core::pens::Pen;

/// From colors to pens.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Colors and widths")]
pub(super) struct MatchArgs {
    /// Use at most this many pens: the drawing's colors are gathered by k-means. Default: as many as look best.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=100))]
    colors: Option<u8>,
    /// Gather colors so that rare ones don't pull the others.
    #[arg(long)]
    robust: bool,
    /// Draw a color with this pen, whatever is nearest: `#f00=red`; may be given again.
    #[arg(long, value_name = "COLOR=PEN", value_parser = by_hand, requires = "pens")]
    map: Vec<ByHand>,
    /// How a stroke of more than 1.5 tips is drawn. Default: lines, where its pen was found by color.
    #[arg(long, value_enum, value_name = "HOW")]
    fat_strokes: Option<Fat>,
    /// How a transparent line is drawn: by a lighter pen or by lines further apart.
    #[arg(long, value_enum, value_name = "HOW", default_value_t = OpacityArg::Auto)]
    opacity: OpacityArg,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Fat {
    /// Parallel lines as wide as it is.
    Lines,
    /// A line along its outline.
    Outline,
    /// One line along its middle.
    Single,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum OpacityArg {
    /// Spacing where a stroke or an area has several lines, else color.
    Auto,
    /// The pen of the color that is seen on white.
    Color,
    /// The pen of the full color, its lines further apart.
    Spacing,
}

/// Reads `#f00=red`.
fn by_hand(text: &str) -> Result<ByHand, String> {
    let (color, pen) = text
        .split_once('=')
        .filter(|(color, pen)| !color.is_empty() && !pen.is_empty())
        .ok_or("write a color, `=` and the id of a pen, such as `#f00=red`")?;
    Ok(ByHand { color: parse_color(color)?, pen: pen.trim().to_owned() })
}

/// A color as hex, or by its CSS name.
fn parse_color(text: &str) -> Result<Srgb8, String> {
    let text = text.trim();
    palette::named::from_str(&text.to_ascii_lowercase()).map_or_else(|| parse_hex(text), Ok)
}

impl MatchArgs {
    /// How colors find their pens.
    ///
    /// # Errors
    /// A pen that is not among `pens`: with the nearest.
    pub(super) fn matching<'a>(&'a self, pens: &'a [Pen]) -> Result<Matching<'a>, Failure> {
        for told in &self.map {
            if pens.iter().any(|pen| pen.id == told.pen) {
                continue;
            }
            let ids = pens.iter().map(|pen| pen.id.as_str());
            let guess = config::nearest(&told.pen, ids.clone());
            let guess = guess.map_or(String::new(), |id| format!(" (did you mean `{id}`?)"));
            return Err(Failure::Input(format!(
                "--map {}={}: no such pen in the set{guess}; it holds {}",
                to_hex(told.color),
                told.pen,
                ids.collect::<Vec<_>>().join(", ")
            )));
        }
        Ok(Matching {
            pens,
            most: self.colors.map(usize::from),
            robust: self.robust,
            by_hand: &self.map,
            opacity: match self.opacity {
                OpacityArg::Auto => Opacity::Auto,
                OpacityArg::Color => Opacity::Color,
                OpacityArg::Spacing => Opacity::Spacing,
            },
            ..Matching::default()
        })
    }

    pub(super) fn fat(&self) -> Option<FatStrokes> {
        self.fat_strokes.map(|fat| match fat {
            Fat::Lines => FatStrokes::Lines,
            Fat::Outline => FatStrokes::Outline,
            Fat::Single => FatStrokes::Single,
        })
    }
}

/// A row of the mapping, for scripts.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Mapped {
    /// The color as it is seen on white paper, or the mean of several.
    color: String,
    /// How many colors of the file it stands for.
    colors: usize,
    /// Of the inked area; 0 to 1.
    share: f64,
    pen: String,
    pen_color: String,
    delta_e: f64,
    /// Whether --map said so.
    by_hand: bool,
}

impl From<&Match> for Mapped {
    fn from(found: &Match) -> Self {
        Self {
            color: to_hex(found.color),
            colors: found.colors,
            share: super::pipeline::rounded(found.share),
            pen: found.pen.clone(),
            pen_color: to_hex(found.pen_color),
            delta_e: (f64::from(found.delta_e) * 10.0).round() / 10.0,
            by_hand: found.by_hand,
        }
    }
}

/// Stands for a chip of color until the columns are as wide as they need to be.
const CHIP: &str = "██";
/// Most rows that people are shown.
const MOST_ROWS: usize = 16;

/// Tells which pen draws which color, unless nothing changes.
pub(super) fn tell(mapping: &[Match], terminal: &Terminal) {
    if terminal.is_for_scripts() || mapping.iter().all(|found| found.delta_e < 1.0) {
        return;
    }
    let with_chips = terminal.wants_color_on_stderr();
    let rows: Vec<Vec<String>> = mapping
        .iter()
        .take(MOST_ROWS)
        .map(|found| {
            let chip = |rest: String| if with_chips { format!("{CHIP} {rest}") } else { rest };
            let several =
                if found.colors > 1 { format!(" and {} like it", found.colors - 1) } else { String::new() };
            vec![
                chip(to_hex(found.color) + &several),
                format!("{:.1} %", 100.0 * found.share),
                chip(found.pen.clone()),
                format!("{:.1}{}", found.delta_e, if found.by_hand { " (--map)" } else { "" }),
            ]
        })
        .collect();
    let mut lines =
        table(&["color", "ink", "pen", "ΔE"], &rows).lines().map(str::to_owned).collect::<Vec<_>>();
    if with_chips {
        for (line, found) in lines.iter_mut().skip(1).zip(mapping) {
            for color in [found.color, found.pen_color] {
                let (r, g, b) = color.into();
                *line = line.replacen(CHIP, &format!("\x1b[48;2;{r};{g};{b}m  \x1b[0m"), 1);
            }
        }
    }
    if mapping.len() > MOST_ROWS {
        lines.push(format!("and {} more: --json shows all", mapping.len() - MOST_ROWS));
    }
    terminal.say(lines.join("\n"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colors_are_hex_or_css_names() {
        let told = by_hand("Red=fine-05").unwrap();
        assert_eq!((to_hex(told.color).as_str(), told.pen.as_str()), ("#ff0000", "fine-05"));
        assert_eq!(to_hex(by_hand("#0F0=x").unwrap().color), "#00ff00");
        for bad in ["", "red", "=red", "#f00=", "reddish=red", "#ggg=red"] {
            assert!(by_hand(bad).unwrap_err().contains('#'), "{bad}");
        }
    }
}
