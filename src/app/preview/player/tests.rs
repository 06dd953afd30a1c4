//! What stands in a player's file.

use super::*;
use crate::preview::playback::tests::playback;

const LABELS: Labels = Labels { title: "two marks", machine: "a plotter", paper: Srgb8::new(255, 255, 255) };

/// Two marks and a dot of two pens.
fn small() -> Playback {
    playback(&[
        (5.0, 5.0, false, 1),
        (5.0, 5.0, true, 1),
        (25.004, 5.0, true, 1),
        (25.0, 15.0, true, 1),
        (10.0, 20.0, false, 2),
        (10.0, 20.0, true, 2),
        (0.0, 0.0, false, 0),
    ])
}

fn between<'a>(text: &'a str, begin: &str, end: &str) -> &'a str {
    let (_, rest) = text.split_once(begin).unwrap();
    rest.split_once(end).unwrap().0
}

/// What the packer wrote: pen down, and the moments in quanta and ms.
fn unpacked(bytes: &[u8]) -> Vec<(bool, Vec<[i64; 3]>)> {
    let mut bytes = bytes.iter();
    let mut number = || {
        let (mut number, mut shift) = (0_u64, 0);
        for byte in bytes.by_ref() {
            number |= u64::from(byte & 0x7f) << shift;
            shift += 7;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    };
    let mut at = [0_i64; 3];
    let mut moves = Vec::new();
    while let Some(head) = number() {
        let moments = (0..head / 2).map(|_| {
            for place in &mut at[..2] {
                let gone = number().unwrap();
                *place += (gone >> 1).cast_signed() ^ -(gone & 1).cast_signed();
            }
            at[2] += number().unwrap().cast_signed();
            at
        });
        moves.push((head % 2 == 1, moments.collect()));
    }
    moves
}

#[test]
fn the_data_block_is_as_it_was() {
    let html = to_html(&small(), &LABELS);
    let facts = between(&html, "id=\"facts\">", "</script>");
    let moves = between(&html, "id=\"moves\">", "</script>");
    let text = format!("{facts}\n{moves}\n");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write("tests/golden/player-data.txt", &text).unwrap();
    }
    assert_eq!(text, include_str!("../../tests/golden/player-data.txt"));
}

#[test]
fn what_is_packed_comes_out_again() {
    let mut packer = Packer::default();
    let facts: Vec<PassFacts> = small().passes.iter().map(|pass| packer.pack(pass)).collect();
    let moves = unpacked(&packer.bytes);
    assert_eq!(facts.iter().map(|pass| pass.moves).sum::<usize>(), moves.len());
    assert_eq!(moves.iter().map(|(_, moments)| moments.len()).sum::<usize>(), packer.moments);
    let marks: Vec<_> =
        moves.iter().filter(|(down, _)| *down).map(|(_, moments)| moments.as_slice()).collect();
    assert_eq!(marks[0], [[500, 500, 2000], [2500, 500, 3000], [2500, 1500, 4000]]);
    assert_eq!(marks[1], [[1000, 2000, 6000]]);
    assert_eq!(moves.last().unwrap().1, [[0, 0, 7000]]);
}

#[test]
fn moments_on_the_way_are_left_out_and_waits_and_corners_are_not() {
    let moment = |x: f64, y: f64, time| Moment { at: Point::new(x, y), time };
    let even: Vec<Moment> = (0..200).map(|i| moment(f64::from(i), 0.0, f64::from(i))).collect();
    assert!(thinned(&even, OF_MARKS).len() < 9);
    let wait = [moment(0.0, 0.0, 0.0), moment(0.0, 0.0, 1.0), moment(9.0, 0.0, 2.0)];
    let corner = [moment(0.0, 0.0, 0.0), moment(4.0, 0.3, 1.0), moment(8.0, 0.0, 2.0)];
    let back = [moment(0.0, 0.0, 0.0), moment(9.0, 0.0, 1.0), moment(0.0, 0.0, 2.0)];
    for kept in [wait, corner, back] {
        assert_eq!(thinned(&kept, OF_TRAVEL), kept);
    }
}

#[test]
fn hostile_names_stay_text() {
    let mut hostile = small();
    let name = "</script><img src=x onerror=alert(1)>\u{1b}[31m\u{9b}2J\u{202e}{{moves}}<!--";
    hostile.passes[0].pen.name = name.into();
    hostile.passes[0].pen.id = name.into();
    let tame = to_html(&small(), &LABELS);
    let html = to_html(&hostile, &Labels { title: name, machine: name, ..LABELS });
    for needle in ["<img", "<!--", "\u{1b}", "\u{9b}", "\u{202e}"] {
        assert_eq!(html.matches(needle).count(), tame.matches(needle).count(), "{needle:?}");
    }
    assert_eq!(html.matches('<').count(), tame.matches('<').count());
    assert!(html.contains("<title>&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;[31m2J{{moves}}&lt;!--"));
    let facts: serde_json::Value =
        serde_json::from_str(between(&html, "id=\"facts\">", "</script>")).unwrap();
    assert_eq!(facts["passes"][0]["name"], "</script><img src=x onerror=alert(1)>[31m2J{{moves}}<!--");
}

#[test]
fn the_file_needs_nothing_from_outside() {
    let html = to_html(&small(), &LABELS);
    for outside in ["http://", "https://", "src=", "@import", "url(", "fetch(", "XMLHttpRequest", "import("] {
        assert!(!html.contains(outside), "{outside}");
    }
    assert!(html.contains("default-src 'none'"));
    let unfilled = PAGE.split("{{").skip(1).map(|piece| piece.split_once("}}").unwrap().0);
    let known =
        |name: &str| ["title", "facts", "moves"].contains(&name) || PARTS.iter().any(|(own, _)| *own == name);
    assert!(unfilled.into_iter().all(known));
}
