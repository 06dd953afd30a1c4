//! A picture in the terminal: as pixels where it can show them, else as colored half-blocks, braille dots or letters.
//!
//! In come a picture, how the terminal shows things and how many cells there are; out come lines of text. Nothing is
//! printed or asked here. Not here: tmux's passthrough of pixels (inside tmux, cells are used).

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use icy_sixel::SixelImage;

use super::{Error, resized, to_image, to_png};
use traceur_core::color::to_srgb8;
use traceur_generator::Picture;

/// How a terminal shows a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// Pixels, by kitty's graphics protocol (kitty, Ghostty, WezTerm, Konsole).
    Kitty,
    /// Pixels, by iTerm2's inline images.
    Iterm,
    /// Pixels, by DEC's sixels (foot, mlterm, xterm -ti vt340, Windows Terminal).
    Sixel,
    /// Half-blocks of 16.7 million colors, two pixels a cell.
    Blocks,
    /// Half-blocks of the 256 colors that nearly every terminal has.
    Blocks256,
    /// Braille dots without color, eight a cell, the paper framed.
    Braille,
    /// ASCII letters without color, darker ones for more ink, the paper framed.
    Ascii,
}

/// A size in the cells of a terminal, each about twice as high as wide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cells {
    /// Cells across.
    pub columns: usize,
    /// Cells down.
    pub rows: usize,
}

/// Most cells either way: no screen is larger, and a hostile `COLUMNS` makes no large picture.
const MOST_CELLS: usize = 1000;
/// Pixels of a cell where the terminal shows pixels; it scales them to what its cells are.
const CELL_PX: [usize; 2] = [10, 20];
/// Kitty takes the encoded bytes in pieces of at most this, a multiple of four.
const KITTY_PIECE: usize = 4096;

impl Look {
    /// What suits a terminal, told by its environment as far as programs there can know it.
    ///
    /// `is_terminal`: whether a person looks at it. `color`: whether colors are wanted; pixels are color too.
    pub fn of(variable: impl Fn(&str) -> Option<String>, is_terminal: bool, color: bool) -> Self {
        let value = |name: &str| variable(name).unwrap_or_default();
        let (term, program) = (value("TERM"), value("TERM_PROGRAM"));
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().map(value).find(|text| !text.is_empty());
        let is_ascii = locale.is_some_and(|text| {
            let text = text.to_lowercase();
            !text.contains("utf-8") && !text.contains("utf8")
        });
        if is_ascii || term == "linux" && !color {
            return Self::Ascii;
        }
        if !color || is_terminal && (term == "dumb" || term.is_empty()) {
            return Self::Braille;
        }
        let is_multiplexed =
            variable("TMUX").is_some() || term.starts_with("screen") || term.starts_with("tmux");
        if is_terminal && !is_multiplexed {
            let has = |name: &str| variable(name).is_some();
            if term.contains("kitty")
                || has("KITTY_WINDOW_ID")
                || program == "ghostty"
                || term.contains("ghostty")
            {
                return Self::Kitty;
            }
            if program == "iTerm.app" || program == "WezTerm" || value("LC_TERMINAL") == "iTerm2" {
                return Self::Iterm;
            }
            let sixel = ["foot", "mlterm", "yaft", "contour"];
            if sixel.iter().any(|name| term.starts_with(name)) || term.contains("sixel") || has("WT_SESSION")
            {
                return Self::Sixel;
            }
        }
        let depth = value("COLORTERM");
        let is_true =
            depth == "truecolor" || depth == "24bit" || term.contains("direct") || has_true_color(&term);
        if is_true { Self::Blocks } else { Self::Blocks256 }
    }
}

/// Terminals of 24-bit color that don't say so in `COLORTERM` over a remote shell.
fn has_true_color(term: &str) -> bool {
    ["kitty", "ghostty", "foot", "alacritty", "wezterm"].iter().any(|name| term.contains(name))
}

/// The largest size with the shape of `width` x `height` within `most`, at least one cell.
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and MOST_CELLS")]
pub fn fit(width: f64, height: f64, most: Cells) -> Cells {
    let limit = |cells: usize| cells.clamp(1, MOST_CELLS) as f64;
    let (columns, rows) = (limit(most.columns), limit(most.rows));
    // A cell is two units high.
    let scale = (columns / width.max(1e-9)).min(2.0 * rows / height.max(1e-9));
    let cells = |units: f64, limit: f64| units.round().clamp(1.0, limit) as usize;
    Cells { columns: cells(width * scale, columns), rows: cells(height * scale / 2.0, rows) }
}

/// The picture as text for the terminal, as large as fits, each line ended.
///
/// # Errors
/// Those of the picture's encoders.
pub fn show(picture: &Picture, look: Look, most: Cells) -> Result<String, Error> {
    let shape = (picture.width_px as f64, picture.height_px as f64);
    // A frame takes a cell on each side.
    let inner = Cells { columns: most.columns.saturating_sub(2), rows: most.rows.saturating_sub(2) };
    let framed = |lines: fn(&Picture, Cells) -> Vec<String>| {
        let cells = fit(shape.0, shape.1, inner);
        (cells, lines(picture, cells))
    };
    let cells = fit(shape.0, shape.1, most);
    Ok(match look {
        Look::Kitty => kitty(picture, cells)?,
        Look::Iterm => iterm(picture, cells)?,
        Look::Sixel => sixel(picture, cells)?,
        Look::Blocks => joined(&blocks(picture, cells, true_color)),
        Look::Blocks256 => joined(&blocks(picture, cells, of_256)),
        Look::Braille => {
            let (cells, lines) = framed(braille);
            frame(&lines, cells.columns, ["┌", "─", "┐", "│", "└", "┘"])
        }
        Look::Ascii => {
            let (cells, lines) = framed(ascii);
            frame(&lines, cells.columns, ["+", "-", "+", "|", "+", "+"])
        }
    })
}

fn joined(lines: &[String]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// The lines in a box: top left, edge, top right, side, bottom left, bottom right.
fn frame(lines: &[String], columns: usize, parts: [&str; 6]) -> String {
    let [top_left, edge, top_right, side, bottom_left, bottom_right] = parts;
    let edge = edge.repeat(columns);
    let mut text = format!("{top_left}{edge}{top_right}\n");
    for line in lines {
        text += &format!("{side}{line}{side}\n");
    }
    text + &format!("{bottom_left}{edge}{bottom_right}\n")
}

/// Half-blocks, a line for each row of cells: the upper pixel is the block, the lower the ground. `code` gives the
/// parameters of a color.
fn blocks(picture: &Picture, cells: Cells, code: fn([u8; 3]) -> String) -> Vec<String> {
    let image = to_image(&resized(picture, cells.columns, 2 * cells.rows));
    let row = |y: u32| {
        let mut line = String::new();
        let mut before = None;
        for x in 0..image.width() {
            let pair = (code(image.get_pixel(x, 2 * y).0), code(image.get_pixel(x, 2 * y + 1).0));
            if before.as_ref() != Some(&pair) {
                let _ = write!(line, "\x1b[38;{};48;{}m", pair.0, pair.1);
            }
            line.push('▀');
            before = Some(pair);
        }
        line + "\x1b[0m"
    };
    (0..image.height() / 2).map(row).collect()
}

fn true_color([r, g, b]: [u8; 3]) -> String {
    format!("2;{r};{g};{b}")
}

/// The nearest of xterm's 6 x 6 x 6 cube and its 24 grays, by squared distance in sRGB.
fn of_256(rgb: [u8; 3]) -> String {
    const STEPS: [i32; 6] = [0, 95, 135, 175, 215, 255];
    let rgb = rgb.map(i32::from);
    let distance = |other: [i32; 3]| -> i32 { (0..3).map(|i| (rgb[i] - other[i]).pow(2)).sum() };
    let step = |value: i32| (0..6).min_by_key(|i| (STEPS[*i] - value).abs()).expect("there are six steps");
    let [r, g, b] = rgb.map(step);
    let cube = (16 + 36 * r + 6 * g + b, distance([STEPS[r], STEPS[g], STEPS[b]]));
    let gray = |index: usize| [8 + 10 * i32::try_from(index).unwrap_or(0); 3];
    let grays = (0..24).map(|index| (232 + index, distance(gray(index))));
    let nearest = grays.fold(cube, |best, other| if other.1 < best.1 { other } else { best });
    format!("5;{}", nearest.0)
}

/// Bits of the eight dots of a braille cell, row by row.
const DOTS: [[u32; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];

/// Braille dots where there is ink, a line for each row of cells.
#[must_use]
pub fn braille(picture: &Picture, cells: Cells) -> Vec<String> {
    let (width, height) = (2 * cells.columns, 4 * cells.rows);
    let dots = dotted(&darkness(&resized(picture, width, height)), width);
    let cell = |row: usize, column: usize| {
        let mut bits = 0x2800;
        for (y, bit_row) in DOTS.iter().enumerate() {
            for (x, bit) in bit_row.iter().enumerate() {
                if dots[(4 * row + y) * width + 2 * column + x] {
                    bits |= bit;
                }
            }
        }
        char::from_u32(bits).unwrap_or(' ')
    };
    (0..cells.rows).map(|row| (0..cells.columns).map(|column| cell(row, column)).collect()).collect()
}

/// Letters by how much ink they have.
const SHADES: &[u8] = b" .:-=+*#%@";

fn ascii(picture: &Picture, cells: Cells) -> Vec<String> {
    let dark = darkness(&resized(picture, cells.columns, cells.rows));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index below ten")]
    let letter = |dark: &f32| char::from(SHADES[(dark * 9.0).round().clamp(0.0, 9.0) as usize]);
    dark.chunks(cells.columns).map(|row| row.iter().map(letter).collect()).collect()
}

/// How dark each pixel is against the lightest, 0 to 1; thin lines of a small picture are strengthened.
fn darkness(picture: &Picture) -> Vec<f32> {
    let dark = |light: &[f32; 3]| {
        let [r, g, b]: [u8; 3] = to_srgb8(*light).into();
        1.0 - (0.3 * f32::from(r) + 0.59 * f32::from(g) + 0.11 * f32::from(b)) / 255.0
    };
    let mut values: Vec<f32> = picture.rgb.iter().map(dark).collect();
    let paper = values.iter().copied().fold(1.0, f32::min);
    values.iter_mut().for_each(|value| *value = ((*value - paper) / (1.0 - paper).max(1e-3)).sqrt());
    values
}

/// Dots as dense as the picture is dark, by Floyd and Steinberg's error diffusion.
fn dotted(dark: &[f32], width: usize) -> Vec<bool> {
    let mut left = dark.to_vec();
    let mut dots = vec![false; left.len()];
    for index in 0..left.len() {
        // The smallest trace of ink far from any line is paper.
        let is_ink = left[index] > 0.5 && dark[index] > 0.05;
        dots[index] = is_ink;
        let error = left[index] - f32::from(is_ink);
        let x = index % width;
        for (dx, dy, share) in [(1, 0, 7.0), (-1, 1, 3.0), (0, 1, 5.0), (1, 1, 1.0_f32)] {
            let column = x.checked_add_signed(dx).filter(|column| *column < width);
            let Some(value) = column.and_then(|column| left.get_mut((index - x) + dy * width + column))
            else {
                continue;
            };
            *value += error * share / 16.0;
        }
    }
    dots
}

/// The picture at the pixels of `cells`, never larger than it is.
fn in_pixels(picture: &Picture, cells: Cells) -> Picture {
    let width = (cells.columns * CELL_PX[0]).min(picture.width_px.max(1));
    let height = (cells.rows * CELL_PX[1]).min(picture.height_px.max(1));
    resized(picture, width, height)
}

/// <https://sw.kovidgoyal.net/kitty/graphics-protocol/>: a PNG, shown at once, no answer wanted.
fn kitty(picture: &Picture, cells: Cells) -> Result<String, Error> {
    let encoded = BASE64.encode(to_png(&in_pixels(picture, cells))?);
    let pieces = encoded.as_bytes().chunks(KITTY_PIECE);
    let last = pieces.len().saturating_sub(1);
    let mut text = String::new();
    for (index, piece) in pieces.enumerate() {
        let head = if index == 0 {
            format!("a=T,f=100,q=2,c={},r={},", cells.columns, cells.rows)
        } else {
            String::new()
        };
        let more = u8::from(index < last);
        let _ = write!(text, "\x1b_G{head}m={more};{}\x1b\\", String::from_utf8_lossy(piece));
    }
    Ok(text + "\n")
}

/// <https://iterm2.com/documentation-images.html>.
fn iterm(picture: &Picture, cells: Cells) -> Result<String, Error> {
    let png = to_png(&in_pixels(picture, cells))?;
    Ok(format!(
        "\x1b]1337;File=inline=1;size={};width={};height={};preserveAspectRatio=1:{}\x07\n",
        png.len(),
        cells.columns,
        cells.rows,
        BASE64.encode(&png)
    ))
}

/// Sixels have the terminal's own pixels, whose number is not known here: those of a usual cell are taken.
fn sixel(picture: &Picture, cells: Cells) -> Result<String, Error> {
    let image = to_image(&in_pixels(picture, cells));
    let (width, height) = (image.width() as usize, image.height() as usize);
    let rgba = image.pixels().flat_map(|pixel| [pixel.0[0], pixel.0[1], pixel.0[2], 255]).collect();
    let refused = |error: icy_sixel::SixelError| Error::Terminal(error.to_string());
    let text =
        SixelImage::try_from_rgba(rgba, width, height).and_then(|image| image.encode()).map_err(refused)?;
    Ok(text + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// White, with a black line across the middle and red below it.
    fn picture() -> Picture {
        let (width_px, height_px) = (40, 40);
        let light = |y: usize| match y {
            18..22 => [0.0; 3],
            22.. => [1.0, 0.0, 0.0],
            _ => [1.0; 3],
        };
        let rgb = (0..width_px * height_px).map(|index| light(index / width_px)).collect();
        Picture { width_px, height_px, rgb }
    }

    fn look(variables: &[(&str, &str)], is_terminal: bool, color: bool) -> Look {
        let variable =
            |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        Look::of(variable, is_terminal, color)
    }

    #[test]
    fn a_terminal_is_known_by_its_environment() {
        let utf8 = ("LANG", "en_US.UTF-8");
        for (variables, expected) in [
            (vec![utf8, ("TERM", "xterm-kitty")], Look::Kitty),
            (vec![utf8, ("TERM", "xterm-256color"), ("TERM_PROGRAM", "iTerm.app")], Look::Iterm),
            (vec![utf8, ("TERM", "foot")], Look::Sixel),
            (vec![utf8, ("TERM", "tmux-256color"), ("KITTY_WINDOW_ID", "1"), ("TMUX", "1")], Look::Blocks256),
            (vec![utf8, ("TERM", "xterm-256color"), ("COLORTERM", "truecolor")], Look::Blocks),
            (vec![utf8, ("TERM", "xterm-256color")], Look::Blocks256),
            (vec![utf8, ("TERM", "dumb")], Look::Braille),
            (vec![("LC_ALL", "C"), utf8, ("TERM", "xterm")], Look::Ascii),
        ] {
            assert_eq!(look(&variables, true, true), expected, "{variables:?}");
        }
        assert_eq!(look(&[utf8, ("TERM", "xterm-kitty")], true, false), Look::Braille);
        assert_eq!(look(&[utf8, ("TERM", "xterm-kitty")], false, true), Look::Blocks);
    }

    #[test]
    fn a_picture_fits_and_keeps_its_shape() {
        let most = Cells { columns: 80, rows: 24 };
        assert_eq!(fit(210.0, 297.0, most), Cells { columns: 34, rows: 24 });
        assert_eq!(fit(297.0, 210.0, most), Cells { columns: 68, rows: 24 });
        assert_eq!(fit(1000.0, 10.0, most), Cells { columns: 80, rows: 1 });
        assert_eq!(fit(0.0, f64::MAX, Cells { columns: 0, rows: usize::MAX }).columns, 1);
    }

    #[test]
    fn half_blocks_show_two_pixels_a_cell() {
        let text = show(&picture(), Look::Blocks, Cells { columns: 4, rows: 2 }).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 2);
        assert!(lines[0].starts_with("\x1b[38;2;255;255;255;48;2;"), "{text:?}");
        assert!(lines[1].ends_with("48;2;255;0;0m▀▀▀▀\x1b[0m"), "{text:?}");
        let text = show(&picture(), Look::Blocks256, Cells { columns: 4, rows: 2 }).unwrap();
        assert!(text.starts_with("\x1b[38;5;231;48;5;"), "{text:?}");
    }

    #[test]
    fn without_color_there_are_no_escapes() {
        let text = show(&picture(), Look::Braille, Cells { columns: 12, rows: 7 }).unwrap();
        assert!(!text.contains('\x1b') && text.starts_with("┌──────────┐\n│⠀"), "{text}");
        assert!(text.contains('⣿') || text.contains('⠛') || text.contains('⣤'), "{text}");
        let text = show(&picture(), Look::Ascii, Cells { columns: 12, rows: 7 }).unwrap();
        assert!(text.is_ascii() && text.contains('@') || text.contains('%'), "{text}");
        assert!(!text.contains('\x1b'));
    }

    #[test]
    fn pixels_come_back_from_each_protocol() {
        let most = Cells { columns: 8, rows: 4 };
        let text = show(&picture(), Look::Kitty, most).unwrap();
        assert!(text.starts_with("\x1b_Ga=T,f=100,q=2,c=8,r=4,m=0;"), "{text:?}");
        let payload = text.trim_end().split(';').nth(1).unwrap().trim_end_matches("\x1b\\");
        let png = image::load_from_memory(&BASE64.decode(payload).unwrap()).unwrap().to_rgb8();
        assert_eq!((png.dimensions(), png.get_pixel(5, 39).0), ((40, 40), [255, 0, 0]));
        let text = show(&picture(), Look::Iterm, most).unwrap();
        assert!(text.starts_with("\x1b]1337;File=inline=1;size=") && text.ends_with("\x07\n"));
        let text = show(&picture(), Look::Sixel, most).unwrap();
        let image = SixelImage::decode(text.trim_end().as_bytes()).unwrap();
        // Whole bands of six rows.
        assert_eq!(image.dimensions(), (40, 42));
        assert_eq!(image.pixels[(39 * 40 + 5) * 4..][..3], [255, 0, 0]);
    }

    #[test]
    fn a_large_picture_goes_to_kitty_in_pieces() {
        let noise =
            |i: usize| [(i * 7919 % 997) as f32 / 997.0, (i * 31 % 97) as f32 / 97.0, (i % 89) as f32 / 89.0];
        let picture = Picture { width_px: 200, height_px: 200, rgb: (0..40_000).map(noise).collect() };
        let text = show(&picture, Look::Kitty, Cells { columns: 80, rows: 24 }).unwrap();
        let pieces: Vec<&str> = text.trim_end().split("\x1b\\").filter(|piece| !piece.is_empty()).collect();
        assert!(pieces.len() > 2);
        assert!(pieces.iter().all(|piece| piece.len() < KITTY_PIECE + 60));
        assert!(pieces[1].starts_with("\x1b_Gm=1;") && pieces[pieces.len() - 1].starts_with("\x1b_Gm=0;"));
    }
}
