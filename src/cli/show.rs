//! `--show`: the paper, drawn where you are.

use std::io::{self, IsTerminal};

use clap::ValueEnum;
use terminal_size::{Height, Width, terminal_size, terminal_size_of};

use super::{Failure, Terminal};
use traceur_app::preview::terminal::{self, Cells, Look};
use traceur_core::drawing::Drawing;
use traceur_generator::Picture;

/// Whether and how to draw the paper in the terminal.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
pub(super) struct ShowArgs {
    /// Draw the paper in the terminal: as pixels where it shows them (kitty, iTerm2, sixel), else as half-blocks; as
    /// braille without color.
    #[arg(long, value_enum, value_name = "HOW", num_args = 0..=1, require_equals = true, default_missing_value = "auto")]
    pub(super) show: Option<Show>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Show {
    /// What the terminal shows best.
    Auto,
    /// Pixels by kitty's protocol.
    Kitty,
    /// Pixels by iTerm2's protocol.
    Iterm,
    /// Pixels as sixels.
    Sixel,
    /// Half-blocks of 24-bit color.
    Blocks,
    /// Half-blocks of 256 colors.
    Blocks256,
    /// Dots without color.
    Braille,
    /// Letters without color.
    Ascii,
}

/// Where the size of a terminal is not known.
const USUAL: Cells = Cells { columns: 80, rows: 24 };
/// Rows for the command's words and the prompt.
const KEPT_ROWS: usize = 4;

impl ShowArgs {
    pub(super) fn is_wanted(self) -> bool {
        self.show.is_some()
    }

    /// Draws a drawing with its pens' ink, if that was asked for.
    pub(super) fn show_drawing(self, drawing: &Drawing, terminal: &Terminal) -> Result<(), Failure> {
        if !self.is_wanted() {
            return Ok(());
        }
        // Enough for the pixels of a large screen, and for few on a page of metres.
        let dpi = (1500.0 * 25.4 / drawing.page.width.max(drawing.page.height)).min(150.0);
        self.show(&traceur_generator::draw(drawing, dpi), terminal)
    }

    /// Draws the picture on stdout, or on stderr where stdout is for scripts, if that was asked for.
    pub(super) fn show(self, picture: &Picture, terminal: &Terminal) -> Result<(), Failure> {
        let Some(show) = self.show else { return Ok(()) };
        let on_stderr = terminal.is_for_scripts();
        let is_terminal = if on_stderr { io::stderr().is_terminal() } else { io::stdout().is_terminal() };
        let look = match show {
            Show::Auto => {
                Look::of(|name| std::env::var(name).ok(), is_terminal, terminal.wants_color(is_terminal))
            }
            Show::Kitty => Look::Kitty,
            Show::Iterm => Look::Iterm,
            Show::Sixel => Look::Sixel,
            Show::Blocks => Look::Blocks,
            Show::Blocks256 => Look::Blocks256,
            Show::Braille => Look::Braille,
            Show::Ascii => Look::Ascii,
        };
        let size = screen(on_stderr);
        let most = Cells { rows: size.rows.saturating_sub(KEPT_ROWS), ..size };
        let text = terminal::show(picture, look, most)?;
        if on_stderr { terminal.stderr(&text) } else { terminal.stdout(text.as_bytes()) }
    }
}

/// The terminal's cells: as the system, then as `COLUMNS` and `LINES` say, else 80 x 24.
pub(super) fn screen(on_stderr: bool) -> Cells {
    let asked = if on_stderr { terminal_size_of(io::stderr()) } else { terminal_size() };
    let variable = |name| std::env::var(name).ok().and_then(|text| text.parse::<usize>().ok());
    match asked {
        Some((Width(columns), Height(rows))) if columns > 0 && rows > 0 => {
            Cells { columns: columns.into(), rows: rows.into() }
        }
        _ => Cells {
            columns: variable("COLUMNS").unwrap_or(USUAL.columns),
            rows: variable("LINES").unwrap_or(USUAL.rows),
        },
    }
}
