//! Random and mutated bytes at every parser: an answer or an error, never a panic.

use proptest::prelude::*;
use traceur_core::drawing::scene::Stages;
use traceur_core::drawing::svg;
use traceur_core::machine::{BUILT_IN, Profile};
use traceur_core::pens::Inventory;

use crate::support::{Bench, SVG};

fn profile() -> Profile {
    Profile::parse(BUILT_IN[0].0, BUILT_IN[0].1).unwrap()
}

/// A text with some of its bytes replaced, so that most of it still parses.
fn mutated(text: &'static str) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec((0..text.len(), any::<u8>()), 0..12).prop_map(move |changes| {
        let mut bytes = text.as_bytes().to_vec();
        for (at, byte) in changes {
            bytes[at] = byte;
        }
        bytes
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn svg(bytes in prop_oneof![prop::collection::vec(any::<u8>(), 0..300), mutated(SVG)]) {
        let _ = svg::read("random.svg", &bytes).and_then(|source| source.scene.draw(&Stages::default()));
    }

    #[test]
    fn pens(bytes in prop_oneof![prop::collection::vec(any::<u8>(), 0..300), mutated(traceur_core::pens::BUILT_IN[1].1)]) {
        let _ = Inventory::parse("random.toml", &String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn machines(bytes in prop_oneof![prop::collection::vec(any::<u8>(), 0..300), mutated(BUILT_IN[1].1)]) {
        let _ = Profile::parse("random.toml", &String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn programs(bytes in prop_oneof![
        prop::collection::vec(any::<u8>(), 0..300),
        mutated("G21 G90\nG0 X1 Y2\nM3 S700\nG4 P0.1\nG1 X30 Y4 F3000\nG2 X5 Y5 I1 J2\n$J=G91 X1 F100\n?~!\nM3 S300\nM2\n"),
    ]) {
        let _ = traceur_sim::run_program(&bytes, &profile());
    }
}

/// A PNG that says it has 30,000 x 30,000 pixels, and holds none.
fn huge_picture() -> Vec<u8> {
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    for (kind, data) in [
        (b"IHDR", [&30_000_u32.to_be_bytes()[..], &30_000_u32.to_be_bytes(), &[8, 2, 0, 0, 0]].concat()),
        (b"IDAT", vec![0x78, 0x9c, 0x03, 0, 0, 0, 0, 1]),
        (b"IEND", Vec::new()),
    ] {
        let mut crc = flate2::Crc::new();
        crc.update(kind);
        crc.update(&data);
        png.extend(u32::try_from(data.len()).unwrap().to_be_bytes());
        png.extend(kind);
        png.extend(data);
        png.extend(crc.sum().to_be_bytes());
    }
    png
}

#[test]
fn pictures_too_large_to_hold_are_refused_before_they_are_decoded() {
    let bench = Bench::new();
    bench.file("huge.png", huge_picture());
    bench.file("in.svg", SVG);
    for words in [
        "pens measure huge.png --pens black",
        "generate --image huge.png --steps 1 -o out.svg",
        "preview in.svg --wanted huge.png -o ink.png",
    ] {
        bench.run(words).refused(&["huge.png", "30000 x 30000 pixels are too many", "100 million at most"]);
    }
}
