//! Flags for where a drawing goes on its sheets, and how its fills are inked.

use clap::ValueEnum;

use super::Failure;
use traceur_core::drawing::scene::{Fill, Hatching};
use traceur_core::drawing::{Copies, Layout, Page, Tiles};
use traceur_core::units;

/// Where the drawing goes.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Layout")]
pub(super) struct LayoutArgs {
    /// Sheet: `A4`, `A5 landscape`, `210x297mm`. Default: the drawing's own.
    #[arg(long, value_parser = page)]
    pub(super) page: Option<Page>,
    /// Turn the sheet so that it is wider than high.
    #[arg(long)]
    landscape: bool,
    /// White edge, such as `15mm`. Default: 10mm with --fit, --center, --align, --copies and --tile, else none.
    #[arg(long, value_name = "LENGTH", value_parser = length)]
    margin: Option<f64>,
    /// Scale the ink to fill the sheet within its margins.
    #[arg(long, conflicts_with = "scale")]
    fit: bool,
    /// Scale by a factor: `2`, `0.5`, `70%`.
    #[arg(long, value_name = "FACTOR", value_parser = factor)]
    scale: Option<f64>,
    /// Turn clockwise, such as `90deg`; a sheet that --page does not name turns too.
    #[arg(long, value_name = "ANGLE", value_parser = angle, allow_hyphen_values = true)]
    rotate: Option<f64>,
    /// Mirror: `x` left and right, `y` above and below.
    #[arg(long, value_enum, value_delimiter = ',')]
    mirror: Vec<Axis>,
    /// Put the ink in the middle of the sheet.
    #[arg(long, conflicts_with = "align")]
    center: bool,
    /// Put the ink at an edge or corner, within the margins.
    #[arg(long, value_enum, value_name = "PLACE")]
    align: Option<Align>,
    /// Draw it several times on a sheet: `6`, or `2x3` columns and rows.
    #[arg(long, value_name = "N", value_parser = copies)]
    copies: Option<Copies>,
    /// Gap between copies.
    #[arg(long, value_name = "LENGTH", value_parser = length, default_value = "5mm")]
    gap: f64,
    /// Cut it over several sheets, with registration marks: `2x2` columns and rows to fill, or a sheet such as `A4`, as
    /// many as its size takes.
    #[arg(long, value_name = "GRID|PAGE", value_parser = tiles)]
    tile: Option<Tiles>,
    /// Leave a page as it is that fits the machine only when it is turned.
    #[arg(long)]
    pub(super) no_rotate: bool,
    /// Which of the sheets, from 1, row by row. Default: each, into numbered files.
    #[arg(long, value_name = "N", requires = "tile")]
    pub(super) sheet: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Axis {
    X,
    Y,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Align {
    TopLeft,
    Top,
    TopRight,
    Left,
    Center,
    Right,
    BottomLeft,
    Bottom,
    BottomRight,
}

impl Align {
    fn shares(self) -> [f64; 2] {
        match self {
            Self::TopLeft => [0.0, 0.0],
            Self::Top => [0.5, 0.0],
            Self::TopRight => [1.0, 0.0],
            Self::Left => [0.0, 0.5],
            Self::Center => [0.5, 0.5],
            Self::Right => [1.0, 0.5],
            Self::BottomLeft => [0.0, 1.0],
            Self::Bottom => [0.5, 1.0],
            Self::BottomRight => [1.0, 1.0],
        }
    }
}

impl LayoutArgs {
    pub(super) fn layout(&self) -> Layout {
        let center = self.center.then_some(Align::Center);
        Layout {
            page: self.page,
            landscape: self.landscape,
            margin: self.margin,
            fit: self.fit,
            scale: self.scale.unwrap_or(1.0),
            turn: self.rotate.unwrap_or(0.0),
            mirror: [self.mirror.contains(&Axis::X), self.mirror.contains(&Axis::Y)],
            align: self.align.or(center).map(Align::shares),
            copies: self.copies.unwrap_or(Copies::Count(1)),
            gap: self.gap,
            tiles: self.tile.unwrap_or(Tiles::One),
        }
    }

    /// Refuses layout flags for an input whose lines have their places already.
    pub(super) fn refuse_for(&self, what: &str) -> Result<(), Failure> {
        let page_only = Layout { page: self.page, ..Layout::default() };
        if self.layout() == page_only {
            return Ok(());
        }
        Err(Failure::Input(format!("{what} has its layout already: give the layout flags with the SVG")))
    }
}

/// How filled shapes are drawn.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Fills")]
pub(super) struct FillArgs {
    /// What becomes of filled shapes.
    #[arg(long, value_enum, default_value_t = Fills::Outline)]
    fill: Fills,
    /// From line to line, such as `0.5mm`. Default: the pen's tip.
    #[arg(long, value_name = "LENGTH", value_parser = positive_length)]
    hatch_spacing: Option<f64>,
    /// Direction of the lines.
    #[arg(long, value_name = "ANGLE", value_parser = angle, default_value = "45deg", allow_hyphen_values = true)]
    hatch_angle: f64,
    /// Draw a line along the edge of hatched shapes too.
    #[arg(long)]
    fill_outline: bool,
    /// Filled shapes hide what lies below them, white ones too. `auto`: where they are hatched.
    #[arg(
        long,
        value_enum,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "on",
        default_value_t = Occlude::Auto
    )]
    occlude: Occlude,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Fills {
    /// Nothing but their stroke.
    None,
    /// Their edge, unless they have a stroke.
    Outline,
    /// Parallel lines.
    Hatch,
    /// Lines both ways.
    Crosshatch,
    /// Rings from the edge inward.
    Concentric,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Occlude {
    Auto,
    On,
    Off,
}

impl FillArgs {
    pub(super) fn fill(&self) -> Fill {
        match self.fill {
            Fills::None => Fill::None,
            Fills::Outline => Fill::Outline,
            Fills::Hatch => Fill::Hatch,
            Fills::Crosshatch => Fill::Crosshatch,
            Fills::Concentric => Fill::Concentric,
        }
    }

    pub(super) fn hatching(&self) -> Hatching {
        Hatching { spacing: self.hatch_spacing, angle: self.hatch_angle, outline: self.fill_outline }
    }

    pub(super) fn occlude(&self) -> Option<bool> {
        match self.occlude {
            Occlude::Auto => None,
            Occlude::On => Some(true),
            Occlude::Off => Some(false),
        }
    }
}

fn page(text: &str) -> Result<Page, String> {
    Page::parse(text).map_err(|error| error.to_string())
}

/// Reads a length.
pub(super) fn length(text: &str) -> Result<f64, String> {
    units::length(text).map_err(|error| error.to_string())
}

/// Reads a length that is more than nothing.
pub(super) fn positive_length(text: &str) -> Result<f64, String> {
    length(text).and_then(|mm| if mm > 1e-3 { Ok(mm) } else { Err("give more than 0.001mm".into()) })
}

fn angle(text: &str) -> Result<f64, String> {
    units::angle(text).map_err(|error| error.to_string())
}

fn factor(text: &str) -> Result<f64, String> {
    let (number, share) = text.strip_suffix('%').map_or((text, 1.0), |percent| (percent, 0.01));
    match number.trim().parse::<f64>() {
        Ok(factor) if (1e-3..=1e3).contains(&(factor * share)) => Ok(factor * share),
        _ => Err("give a factor between 0.001 and 1000, such as `1.5` or `70%`".into()),
    }
}

/// Columns and rows, such as `2x3`.
fn grid(text: &str) -> Option<(usize, usize)> {
    let (columns, rows) = text.split_once(['x', 'X'])?;
    let count = |text: &str| text.trim().parse().ok().filter(|count| (1..=100).contains(count));
    Some((count(columns)?, count(rows)?))
}

fn copies(text: &str) -> Result<Copies, String> {
    if let Some((columns, rows)) = grid(text) {
        return Ok(Copies::Grid(columns, rows));
    }
    match text.trim().parse() {
        Ok(count) if (1..=1000).contains(&count) => Ok(Copies::Count(count)),
        _ => Err("give a number such as `6`, or columns and rows such as `2x3`".into()),
    }
}

fn tiles(text: &str) -> Result<Tiles, String> {
    if let Some((columns, rows)) = grid(text) {
        return Ok(Tiles::Grid(columns, rows));
    }
    let wrong = |_| "give columns and rows such as `2x2`, or a sheet such as `A4` or `210x297mm`".to_owned();
    Page::parse(text).map(Tiles::Sheets).map_err(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grids_pages_and_factors_are_told_apart() {
        assert_eq!(tiles("2x3"), Ok(Tiles::Grid(2, 3)));
        assert_eq!(tiles("210x297mm"), Ok(Tiles::Sheets(Page { width: 210.0, height: 297.0 })));
        assert_eq!(copies("6"), Ok(Copies::Count(6)));
        assert_eq!(factor("70%").map(|factor| (factor * 100.0).round()), Ok(70.0));
        for text in ["0", "-1", "2x", "0x3", "x", "1e9", "nan"] {
            assert!(tiles(text).is_err() && copies(text).is_err(), "{text}");
        }
        for text in ["0", "-1", "nan", "%", "1e9"] {
            assert!(factor(text).is_err(), "{text}");
        }
    }
}
