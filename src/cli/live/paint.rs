//! Colors that this terminal has.

use ratatui::style::{Color, Style};

use traceur_core::color::{Srgb, Srgb8, lab};
use traceur_core::pens::Pen;

/// Levels of the color cube of 256-color terminals.
const CUBE: [i32; 6] = [0, 95, 135, 175, 215, 255];
/// Paper as the screen shows it.
const PAPER: [u8; 3] = [250, 250, 245];
/// What is still to be drawn.
const PENCIL: [u8; 3] = [205, 205, 200];
/// Lighter ink than this is hard to see on white; CIE lightness.
const LIGHTEST: f32 = 78.0;

/// How colors are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Palette {
    /// Not at all (`NO_COLOR`).
    Plain,
    /// As one of 256.
    Indexed,
    /// As red, green and blue.
    True,
}

impl Palette {
    /// By what the terminal says of itself: the values of `COLORTERM` and `TERM`.
    pub(super) fn of(color: bool, colorterm: &str, term: &str) -> Self {
        match (color, colorterm) {
            (false, _) => Self::Plain,
            (true, "truecolor" | "24bit") => Self::True,
            (true, _) if term.ends_with("-direct") => Self::True,
            (true, _) => Self::Indexed,
        }
    }

    /// A pen's own color on a scrap of paper: black shows on a dark screen too.
    pub(super) fn chip(self, pen: &Pen) -> Style {
        self.paper().patch(self.style(rgb(pen.color)))
    }

    /// A pen's line on [`Palette::paper`]: its color, darker where it could not be seen.
    pub(super) fn ink(self, pen: &Pen) -> Style {
        let color: Srgb<f32> = pen.color.into_format();
        let mut channels = rgb(pen.color);
        let lightness = lab(color).l;
        if lightness > LIGHTEST {
            channels = channels.map(|channel| (f32::from(channel) * LIGHTEST / lightness) as u8);
        }
        self.style(channels)
    }

    /// The sheet.
    pub(super) fn paper(self) -> Style {
        match self.color(PAPER) {
            Some(color) => Style::new().bg(color),
            None => Style::new(),
        }
    }

    /// What is still to be drawn; `None` where it could not be told from ink.
    pub(super) fn pencil(self) -> Option<Style> {
        self.color(PENCIL).map(|color| Style::new().fg(color))
    }

    /// A word that stands out: it waits for somebody.
    pub(super) fn notice(self) -> Style {
        match self {
            Self::Plain => Style::new().bold(),
            _ => Style::new().fg(Color::Yellow).bold(),
        }
    }

    /// A word that is there for those who look for it.
    pub(super) fn faint(self) -> Style {
        match self {
            Self::Plain => Style::new(),
            _ => Style::new().fg(Color::DarkGray),
        }
    }

    fn style(self, channels: [u8; 3]) -> Style {
        self.color(channels).map_or_else(Style::new, |color| Style::new().fg(color))
    }

    fn color(self, [red, green, blue]: [u8; 3]) -> Option<Color> {
        match self {
            Self::Plain => None,
            Self::True => Some(Color::Rgb(red, green, blue)),
            Self::Indexed => Some(Color::Indexed(indexed([red, green, blue]))),
        }
    }
}

fn rgb(color: Srgb8) -> [u8; 3] {
    [color.red, color.green, color.blue]
}

/// The nearest of the color cube and the grays.
fn indexed(channels: [u8; 3]) -> u8 {
    let wanted = channels.map(i32::from);
    let off = |color: [i32; 3]| (0..3).map(|i| (color[i] - wanted[i]).pow(2)).sum::<i32>();
    let cube = (0..216_u8).map(|i| {
        let level = |part: u8| CUBE[usize::from(part)];
        (16 + i, [level(i / 36), level(i / 6 % 6), level(i % 6)])
    });
    let grays = (0..24_u8).map(|i| (232 + i, [8 + 10 * i32::from(i); 3]));
    cube.chain(grays).min_by_key(|(_, color)| off(*color)).map_or(15, |(index, _)| index)
}

#[cfg(test)]
mod tests {
    use super::super::test_support::pen;
    use super::*;

    #[test]
    fn the_nearest_of_256_colors_is_found() {
        assert_eq!(indexed([255, 0, 0]), 196);
        assert_eq!(indexed([0, 0, 0]), 16);
        assert_eq!(indexed([128, 128, 128]), 244);
    }

    #[test]
    fn no_color_means_no_color() {
        let plain = Palette::of(false, "truecolor", "xterm-256color");
        let styles =
            [plain.chip(&pen("red")), plain.ink(&pen("red")), plain.paper(), plain.notice(), plain.faint()];
        assert!(styles.iter().all(|style| style.fg.is_none() && style.bg.is_none()), "{styles:?}");
        assert_eq!(plain.pencil(), None);
        assert_eq!(Palette::of(true, "", "xterm-256color"), Palette::Indexed);
        assert_eq!(Palette::of(true, "24bit", "xterm"), Palette::True);
    }

    #[test]
    fn yellow_ink_can_be_seen_on_paper() {
        let of = |id| (Palette::True.chip(&pen(id)).fg, Palette::True.ink(&pen(id)).fg);
        let (chip, ink) = of("yellow");
        assert_ne!(chip, ink);
        let (chip, ink) = of("black");
        assert_eq!(chip, ink);
    }
}
