//! Letters of single lines, for a pen to write.
//!
//! A letter is drawn on a grid 4 wide and 6 high, its corners as pairs of digits, its strokes between `|`.

use traceur_core::geometry::{Point, Polyline};

const LETTERS: [(char, &str); 52] = [
    ('A', "06 02 20 42 46|04 44"),
    ('B', "03 33 44 45 36 06 00 30 41 42 33"),
    ('C', "41 30 10 01 05 16 36 45"),
    ('D', "00 06 26 44 42 20 00"),
    ('E', "40 00 06 46|03 33"),
    ('F', "40 00 06|03 33"),
    ('G', "41 30 10 01 05 16 36 45 43 23"),
    ('H', "00 06|03 43|40 46"),
    ('I', "00 06"),
    ('J', "40 45 36 16 05"),
    ('K', "00 06|40 03 46"),
    ('L', "00 06 46"),
    ('M', "06 00 23 40 46"),
    ('N', "06 00 46 40"),
    ('O', "10 30 41 45 36 16 05 01 10"),
    ('P', "06 00 30 41 42 33 03"),
    ('Q', "10 30 41 45 36 16 05 01 10|24 46"),
    ('R', "06 00 30 41 42 33 03|23 46"),
    ('S', "41 30 10 01 02 13 33 44 45 36 16 05"),
    ('T', "00 40|20 26"),
    ('U', "00 05 16 36 45 40"),
    ('V', "00 26 40"),
    ('W', "00 16 22 36 40"),
    ('X', "00 46|40 06"),
    ('Y', "00 23 40|23 26"),
    ('Z', "00 40 06 46"),
    ('0', "10 20 31 35 26 16 05 01 10"),
    ('1', "01 10 16"),
    ('2', "01 10 30 41 42 06 46"),
    ('3', "00 40 22 32 43 45 36 16 05"),
    ('4', "36 30 04 44"),
    ('5', "40 00 02 32 43 45 36 16 05"),
    ('6', "30 20 02 05 16 36 45 44 33 13 04"),
    ('7', "00 40 16"),
    ('8', "13 02 01 10 30 41 42 33 13 04 05 16 36 45 44 33"),
    ('9', "16 26 44 41 30 10 01 02 13 33 42"),
    ('.', "05 06"),
    (',', "15 07"),
    (':', "01 02|05 06"),
    (';', "11 12|15 07"),
    ('-', "03 33"),
    ('_', "06 46"),
    ('+', "03 43|21 25"),
    ('=', "02 42|04 44"),
    ('/', "06 40"),
    ('%', "06 40|10 20 21 11 10|25 35 36 26 25"),
    ('#', "02 42|04 44|10 16|30 36"),
    ('(', "10 01 05 16"),
    (')', "00 11 15 06"),
    ('\'', "00 01"),
    ('!', "00 04|05 06"),
    ('&', "46 11 20 31 04 05 16 26 43"),
];

/// Between letters; grid units.
const GAP: f64 = 1.8;
/// Width of what has no letter; grid units.
const BLANK: f64 = 2.0;

/// The strokes of a text whose capitals are `height` mm high, the first one's top left corner at `at`. What has no letter is
/// left blank.
pub(super) fn write(text: &str, at: Point, height: f64) -> Vec<Polyline> {
    let scale = height / 6.0;
    let mut strokes = Vec::new();
    let mut x = 0.0;
    for c in text.chars() {
        let mut width = BLANK;
        if let Some(letter) = letter(c) {
            width = 0.0;
            for stroke in letter.split('|') {
                let corner = |pair: &str| {
                    let mut digits = pair.bytes().map(|digit| f64::from(digit - b'0'));
                    Point::new(digits.next().unwrap_or(0.0), digits.next().unwrap_or(0.0))
                };
                let corners: Vec<Point> = stroke.split(' ').map(corner).collect();
                width = corners.iter().map(|corner| corner.x).fold(width, f64::max);
                let place =
                    |corner: &Point| Point::new(at.x + (x + corner.x) * scale, at.y + corner.y * scale);
                strokes.push(Polyline::new(corners.iter().map(place).collect()));
            }
        }
        x += width + GAP;
    }
    strokes
}

/// How wide a text is; mm.
pub(super) fn width(text: &str, height: f64) -> f64 {
    let widths = text.chars().map(|c| {
        let right = |pair: &str| f64::from(pair.as_bytes()[0] - b'0');
        letter(c).map_or(BLANK, |letter| letter.split([' ', '|']).map(right).fold(0.0, f64::max)) + GAP
    });
    (widths.sum::<f64>() - GAP).max(0.0) * height / 6.0
}

/// As much of the text as fits `most` mm.
pub(super) fn fitting(text: &str, height: f64, most: f64) -> String {
    let mut fitting = text.trim().to_owned();
    while !fitting.is_empty() && width(&fitting, height) > most {
        fitting.pop();
    }
    fitting.trim_end().to_owned()
}

fn letter(c: char) -> Option<&'static str> {
    let plain = match c {
        'à'..='å' | 'À'..='Å' => 'A',
        'è'..='ë' | 'È'..='Ë' => 'E',
        'ì'..='ï' | 'Ì'..='Ï' => 'I',
        'ò'..='ö' | 'Ò'..='Ö' | 'ø' | 'Ø' => 'O',
        'ù'..='ü' | 'Ù'..='Ü' => 'U',
        'ç' | 'Ç' => 'C',
        'ñ' | 'Ñ' => 'N',
        'ß' => 'S',
        '×' => 'X',
        _ => c.to_ascii_uppercase(),
    };
    LETTERS.iter().find(|(known, _)| *known == plain).map(|(_, strokes)| *strokes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_letter_is_on_its_grid() {
        for (c, strokes) in LETTERS {
            for pair in strokes.split([' ', '|']) {
                assert_eq!(pair.len(), 2, "{c}");
                assert!(pair.bytes().all(|digit| (b'0'..=b'7').contains(&digit)), "{c}");
            }
        }
    }

    #[test]
    fn a_text_is_as_wide_as_it_says_and_any_text_does_no_harm() {
        for text in ["Blue 0.5", "Été: 44/100 %", "\u{1b}[31m漢字", ""] {
            let right = write(text, Point::ORIGIN, 3.0)
                .iter()
                .flat_map(|stroke| stroke.points().iter().map(|point| point.x))
                .fold(0.0, f64::max);
            assert!(right <= width(text, 3.0) + 1e-9, "{text}");
        }
        assert_eq!(fitting("Cobalt blue", 2.0, width("Cobalt", 2.0) + 0.01), "Cobalt");
    }
}
