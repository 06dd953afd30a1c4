//! The contact sheet: all drawings of a sweep in one picture, with their words.

use std::path::{Path, PathBuf};

use image::imageops::FilterType;
use image::{Rgb, RgbImage, imageops};
use noto_sans_mono_bitmap::{FontWeight, RasterHeight, get_raster, get_raster_width};

use super::super::Error;
use super::{Row, Table};

/// A drawing's place; px.
const CELL_PX: u32 = 240;
const GAP_PX: u32 = 14;
/// A line of words; px.
const LINE_PX: u32 = 18;
/// Drawings side by side at most; a wider sheet is no sheet.
const MOST_ACROSS: usize = 12;
/// Most drawings of a sheet, so that it stays below 100 million pixels.
const MOST_CELLS: usize = 1200;
const PAPER: Rgb<u8> = Rgb([236, 236, 232]);
const LETTERS: [u8; 3] = [40, 40, 40];

/// The sheet of a table whose runs are in `folder`: the best line first. At most 1,200 drawings; the rest is left out.
///
/// # Errors
/// When a drawing's picture can't be read.
pub fn contact_sheet(table: &Table, folder: &Path) -> Result<RgbImage, Error> {
    let mut lines = table.lines();
    if table.columns.is_none() {
        let across = (table.rows.len() as f64).sqrt().ceil().clamp(1.0, MOST_ACROSS as f64) as usize;
        lines = lines.concat().chunks(across).map(<[_]>::to_vec).collect();
    }
    lines = lines.iter().flat_map(|line| line.chunks(MOST_ACROSS).map(<[_]>::to_vec)).collect();
    let across = lines.iter().map(Vec::len).max().unwrap_or(1).max(1);
    lines.truncate(MOST_CELLS / across);
    let words = table.rows.first().map_or(1, |row| row.set.len() + 1);
    let (across, down, words) = (as_u32(across), as_u32(lines.len()), as_u32(words));
    let high_px = lines.iter().flatten().map(|row| height(folder, row)).max().unwrap_or(CELL_PX);
    let row_px = high_px + words * LINE_PX + GAP_PX;
    let mut sheet =
        RgbImage::from_pixel(across * (CELL_PX + GAP_PX) + GAP_PX, down * row_px + GAP_PX + LINE_PX, PAPER);
    write(&mut sheet, (GAP_PX, GAP_PX / 2), &table.name);
    for (y, line) in lines.iter().enumerate() {
        for (x, row) in line.iter().enumerate() {
            let (left, top) =
                (GAP_PX + as_u32(x) * (CELL_PX + GAP_PX), GAP_PX + LINE_PX + as_u32(y) * row_px);
            let path = picture_of(folder, row);
            let bytes = std::fs::read(&path).map_err(Error::at(&path))?;
            let drawing =
                image::load_from_memory(&bytes)?.resize(CELL_PX, CELL_PX, FilterType::Triangle).into_rgb8();
            let (dx, dy) = ((CELL_PX - drawing.width()) / 2, high_px.saturating_sub(drawing.height()) / 2);
            imageops::replace(&mut sheet, &drawing, (left + dx).into(), (top + dy).into());
            let mut words = row.words();
            let (excitation, white) = (row.excitation.tuned, row.white * 100.0);
            words.insert(0, format!("{excitation:.1} {white:.0} % white {:.1} m", row.metres));
            for (index, word) in words.iter().enumerate() {
                write(&mut sheet, (left, top + high_px + 2 + as_u32(index) * LINE_PX), word);
            }
        }
    }
    Ok(sheet)
}

fn picture_of(folder: &Path, row: &Row) -> PathBuf {
    folder.join(&row.folder).join("drawing.png")
}

/// Height of a drawing that is as wide or as high as its place, as far as it is known; px.
fn height(folder: &Path, row: &Row) -> u32 {
    let size = image::image_dimensions(picture_of(folder, row)).unwrap_or((1, 1));
    let (width, height) = (f64::from(size.0.max(1)), f64::from(size.1.max(1)));
    (height * f64::from(CELL_PX) / width.max(height)).ceil() as u32
}

fn as_u32(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// Writes a line from its upper left corner, cut at the width of a drawing.
fn write(sheet: &mut RgbImage, (left, top): (u32, u32), text: &str) {
    let width = get_raster_width(FontWeight::Regular, RasterHeight::Size16);
    for (index, letter) in text.chars().take(CELL_PX as usize / width).enumerate() {
        let glyph = |letter| get_raster(letter, FontWeight::Regular, RasterHeight::Size16);
        let Some(glyph) = glyph(letter).or_else(|| glyph('?')) else { continue };
        for (y, row) in glyph.rows().enumerate() {
            for (x, cover) in row.iter().enumerate() {
                let at = (left + as_u32(index * width + x), top + as_u32(y));
                if let Some(pixel) = sheet.get_pixel_mut_checked(at.0, at.1) {
                    for (channel, ink) in pixel.0.iter_mut().zip(LETTERS) {
                        let mix =
                            u32::from(*channel) * u32::from(255 - cover) + u32::from(ink) * u32::from(*cover);
                        *channel = (mix / 255) as u8;
                    }
                }
            }
        }
    }
}
