//! What is drawn so far, in braille dots of the pens' colors.

use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::board::Skip;
use super::paint::Palette;
use super::schedule::Place;
use traceur_core::geometry::{Point, Polyline};
use traceur_core::toolpath::Toolpath;

/// Dots of a character.
const DOTS: [usize; 2] = [2, 4];
/// The bit of each dot in a braille character, by row and column (Unicode, chapter 21.1).
const BITS: [[u32; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];
const BLANK: u32 = 0x2800;

const NOTHING: u8 = 0;
/// To be drawn.
const PENCIL: u8 = u8::MAX;

/// A sheet on the screen.
#[derive(Debug)]
pub(super) struct Picture {
    toolpath: Arc<Toolpath>,
    /// Columns and rows of characters.
    size: [usize; 2],
    /// The pass, from 1, whose ink a dot has; [`NOTHING`] or [`PENCIL`].
    dots: Vec<u8>,
    /// Pass and stroke up to which all is inked.
    inked: (usize, usize),
    /// Strokes whose rest was left out.
    skipped: Vec<Skip>,
    head: Option<[usize; 2]>,
}

impl Picture {
    pub(super) fn new(toolpath: Arc<Toolpath>) -> Self {
        Self { toolpath, size: [0, 0], dots: Vec::new(), inked: (0, 0), skipped: Vec::new(), head: None }
    }

    /// The characters that the sheet takes within so many columns and rows: a dot is as wide as it is high.
    pub(super) fn fit(&self, columns: u16, rows: u16) -> (u16, u16) {
        let page = self.toolpath.page;
        let [wide, high] = DOTS.map(|dots| dots as f64);
        let scale = (f64::from(columns) * wide / page.width).min(f64::from(rows) * high / page.height);
        let cells = |mm: f64, dots: f64, most: u16| ((mm * scale / dots).ceil() as u16).clamp(1, most.max(1));
        (cells(page.width, wide, columns), cells(page.height, high, rows))
    }

    /// The rest of this stroke is not drawn.
    pub(super) fn skip(&mut self, skip: Skip) {
        self.skipped.push(skip);
    }

    /// Inks all up to a place of a pass.
    pub(super) fn ink(&mut self, pass: usize, place: Place) {
        if (pass, place.strokes) < self.inked {
            // It went back: begin anew.
            self.resize(self.size);
        }
        let toolpath = Arc::clone(&self.toolpath);
        while self.inked < (pass, place.strokes) {
            let (at, stroke) = self.inked;
            let Some(line) = toolpath.passes.get(at).and_then(|pass| pass.strokes.get(stroke)) else {
                if at >= pass {
                    break;
                }
                self.inked = (at + 1, 0);
                continue;
            };
            let skipped = self.skipped.iter().find(|skip| (skip.pass, skip.stroke) == self.inked);
            let share = skipped.map_or(1.0, |skip| skip.share);
            if share > 0.0 {
                self.draw(line, share, number(at));
            }
            self.inked = (at, stroke + 1);
        }
        self.head = None;
        if place.share > 0.0
            && let Some(line) = toolpath.passes.get(pass).and_then(|pass| pass.strokes.get(place.strokes))
        {
            let end = self.draw(line, place.share, number(pass));
            self.head = self.dot(end);
        }
    }

    /// Draws the sheet at the begin of `area`, which it fits.
    pub(super) fn render(&mut self, area: Rect, palette: Palette, buffer: &mut Buffer) {
        let size = [usize::from(area.width), usize::from(area.height)];
        if self.size != size {
            let inked = self.inked;
            self.resize(size);
            self.ink(inked.0, Place { strokes: inked.1, ..Place::default() });
        }
        let inks: Vec<Style> = self.toolpath.passes.iter().map(|pass| palette.ink(&pass.pen)).collect();
        let head = self.head.map(|[x, y]| [x / DOTS[0], y / DOTS[1]]);
        for row in 0..size[1] {
            for column in 0..size[0] {
                let (bits, of) = self.cell(column, row, palette.pencil().is_some());
                let ink = match of {
                    NOTHING => Style::new(),
                    PENCIL => palette.pencil().unwrap_or_default(),
                    pass => inks.get(usize::from(pass) - 1).copied().unwrap_or_default(),
                };
                let mut style = palette.paper().patch(ink);
                if head == Some([column, row]) {
                    style = style.reversed();
                }
                let symbol = char::from_u32(BLANK + bits).unwrap_or(' ');
                let position = (area.x + column as u16, area.y + row as u16);
                if let Some(cell) = buffer.cell_mut(position) {
                    cell.set_char(symbol).set_style(style);
                }
            }
        }
    }

    /// The dots of a character that are shown, and whose they are: ink hides pencil, and most dots win.
    fn cell(&self, column: usize, row: usize, pencil: bool) -> (u32, u8) {
        let width = self.size[0] * DOTS[0];
        let mut dots = [(0, NOTHING); 8];
        for (y, bits) in BITS.iter().enumerate() {
            for (x, bit) in bits.iter().enumerate() {
                let of = self.dots[(row * DOTS[1] + y) * width + column * DOTS[0] + x];
                dots[y * DOTS[0] + x] = (*bit, of);
            }
        }
        let count = |of: u8| dots.iter().filter(|dot| dot.1 == of).count();
        let inked = dots.iter().map(|dot| dot.1).filter(|of| *of != NOTHING && *of != PENCIL);
        let of = inked.max_by_key(|of| (count(*of), *of)).unwrap_or(if pencil { PENCIL } else { NOTHING });
        let shown = |dot: u8| if of == PENCIL { dot == PENCIL } else { dot != NOTHING && dot != PENCIL };
        (dots.iter().filter(|dot| shown(dot.1)).map(|dot| dot.0).sum(), of)
    }

    fn resize(&mut self, size: [usize; 2]) {
        self.size = size;
        self.dots = vec![NOTHING; size[0] * DOTS[0] * size[1] * DOTS[1]];
        self.inked = (0, 0);
        self.head = None;
        let toolpath = Arc::clone(&self.toolpath);
        for line in toolpath.passes.iter().flat_map(|pass| &pass.strokes) {
            self.draw(line, 1.0, PENCIL);
        }
    }

    /// Draws a share of a stroke, and gives its end.
    fn draw(&mut self, line: &Polyline, share: f64, of: u8) -> Point {
        let mut left = if share < 1.0 { line.length() * share } else { f64::INFINITY };
        let step = self.mm_a_dot() / 2.0;
        let mut end = line.start();
        self.set(end, of);
        for pair in line.points().windows(2) {
            let length = pair[0].distance(pair[1]);
            let part = if length > left { left / length } else { 1.0 };
            end = pair[0].lerp(pair[1], part);
            let steps = (length * part / step).ceil().max(1.0);
            // A huge stroke on a small sheet still ends.
            for at in 1..=(steps.min(1e6) as usize) {
                self.set(pair[0].lerp(end, at as f64 / steps), of);
            }
            left -= length;
            if left <= 0.0 {
                break;
            }
        }
        end
    }

    fn set(&mut self, point: Point, of: u8) {
        if let Some([x, y]) = self.dot(point) {
            self.dots[y * self.size[0] * DOTS[0] + x] = of;
        }
    }

    fn dot(&self, point: Point) -> Option<[usize; 2]> {
        let (x, y) = (point.x / self.mm_a_dot(), point.y / self.mm_a_dot());
        let inside = x >= 0.0
            && y >= 0.0
            && (x as usize) < self.size[0] * DOTS[0]
            && (y as usize) < self.size[1] * DOTS[1];
        inside.then_some([x as usize, y as usize])
    }

    fn mm_a_dot(&self) -> f64 {
        let page = self.toolpath.page;
        let across = page.width / (self.size[0].max(1) * DOTS[0]) as f64;
        across.max(page.height / (self.size[1].max(1) * DOTS[1]) as f64)
    }
}

/// A pass's number among the dots.
fn number(pass: usize) -> u8 {
    u8::try_from(pass + 1).unwrap_or(PENCIL - 1).min(PENCIL - 1)
}

#[cfg(test)]
mod tests {
    use super::super::schedule::tests::toolpath;
    use super::*;

    fn shown(picture: &mut Picture, palette: Palette) -> Vec<String> {
        let (width, height) = picture.fit(10, 5);
        let area = Rect::new(0, 0, width, height);
        let mut buffer = Buffer::empty(area);
        picture.render(area, palette, &mut buffer);
        let row = |y| (0..width).map(|x| buffer[(x, y)].symbol().to_owned()).collect();
        (0..height).map(row).collect()
    }

    fn dots(rows: &[String]) -> u32 {
        rows.iter().flat_map(|row| row.chars()).map(|c| (u32::from(c) - BLANK).count_ones()).sum()
    }

    #[test]
    fn ink_grows_stroke_by_stroke() {
        let mut picture = Picture::new(Arc::new(toolpath()));
        assert_eq!(dots(&shown(&mut picture, Palette::Plain)), 0);
        let mut last = 0;
        for strokes in 1..=4 {
            picture.ink(0, Place { strokes, ..Place::default() });
            let now = dots(&shown(&mut picture, Palette::Plain));
            assert!(now > last, "{strokes}: {now} {last}");
            last = now;
        }
        picture.ink(1, Place { strokes: 1, ..Place::default() });
        assert!(dots(&shown(&mut picture, Palette::Plain)) > last + 20);
        picture.ink(0, Place { strokes: 4, ..Place::default() });
        assert_eq!(dots(&shown(&mut picture, Palette::Plain)), last, "a resume goes back");
    }

    #[test]
    fn half_a_stroke_is_half_inked() {
        let mut picture = Picture::new(Arc::new(toolpath()));
        shown(&mut picture, Palette::Plain);
        picture.ink(0, Place { share: 0.5, ..Place::default() });
        let half = dots(&shown(&mut picture, Palette::Plain));
        picture.ink(0, Place { strokes: 1, ..Place::default() });
        let whole = dots(&shown(&mut picture, Palette::Plain));
        assert!(half.abs_diff(whole / 2) <= 1, "{half} {whole}");
    }

    #[test]
    fn what_is_to_come_is_seen_only_in_color() {
        let mut picture = Picture::new(Arc::new(toolpath()));
        assert!(dots(&shown(&mut picture, Palette::True)) > 40);
        assert_eq!(dots(&shown(&mut picture, Palette::Plain)), 0);
    }

    #[test]
    fn a_skipped_stroke_has_no_ink() {
        let mut picture = Picture::new(Arc::new(toolpath()));
        picture.skip(Skip { pass: 0, stroke: 0, share: 0.0 });
        shown(&mut picture, Palette::Plain);
        picture.ink(0, Place { strokes: 1, ..Place::default() });
        assert_eq!(dots(&shown(&mut picture, Palette::Plain)), 0);
    }

    #[test]
    fn a_sheet_keeps_its_shape_in_any_window() {
        let mut toolpath = toolpath();
        toolpath.page.height = 200.0;
        let picture = Picture::new(Arc::new(toolpath));
        assert_eq!(picture.fit(80, 10), (10, 10));
        assert_eq!(picture.fit(5, 80), (5, 5));
        assert_eq!(picture.fit(0, 0), (1, 1));
    }
}
