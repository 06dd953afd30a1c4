//! Claims about reading and writing as a whole. Each fixture is one issue.

use kurbo::{PathEl, Shape};
use proptest::prelude::*;

use super::*;
use crate::drawing::scene::{Drawn, Fill, Filling, Matching, Scene, Stages};
use crate::drawing::{Drawing, Error, Layer, Layout, Page, Stroke};
use crate::geometry::{Area, BezPath, FillRule};
use crate::pens::{BUILT_IN, Inventory, Pen};

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!("../../tests/fixtures/", $name, ".svg")).as_slice()
    };
}

fn pens(index: usize) -> Vec<Pen> {
    Inventory::parse("built-in", BUILT_IN[index].1).unwrap().pens
}

fn draw(bytes: &[u8], stages: &Stages<'_>) -> Result<Drawn, Error> {
    read("a.svg", bytes)?.scene.draw(stages)
}

fn import(bytes: &[u8]) -> Drawn {
    draw(bytes, &Stages::default()).unwrap()
}

fn failure(bytes: &[u8]) -> String {
    draw(bytes, &Stages::default()).unwrap_err().to_string()
}

fn by(pens: &[Pen]) -> Stages<'_> {
    Stages { matching: Matching { pens, ..Matching::default() }, ..Stages::default() }
}

fn filled(fill: Fill) -> Stages<'static> {
    Stages { filling: Filling { fill, ..Filling::default() }, ..Stages::default() }
}

fn points(path: &BezPath) -> Vec<kurbo::Point> {
    path.iter().filter_map(|element: PathEl| element.end_point()).collect()
}

fn sample() -> Drawing {
    let stroke = |text: &str| Stroke { path: BezPath::from_svg(text).unwrap(), group: 0 };
    let strokes =
        ["M10 10 C 20.12345 0 30 20 40 10", "M1 2 L3 4 L-0.00001 6", "M5 5 Q 6 6 7 5 Z", "M8 8 L8 8"]
            .map(stroke);
    let layer = |pen| Layer { pen, strokes: strokes.to_vec() };
    Drawing { page: Page { width: 210.0, height: 297.0 }, layers: pens(0).into_iter().map(layer).collect() }
}

#[test]
fn strokes_know_the_group_that_they_stand_in() {
    let text = br#"<svg xmlns="http://www.w3.org/2000/svg" width="20mm" height="20mm" viewBox="0 0 20 20" stroke="red" fill="none">
        <path d="M1 1H2"/><g id="a"><path d="M1 2H2"/><g id="b"><path d="M1 3H2"/></g><path d="M1 4H2"/></g></svg>"#;
    let groups: Vec<u32> = import(text).drawing.layers[0].strokes.iter().map(|stroke| stroke.group).collect();
    assert!(groups[0] != groups[1] && groups[1] != groups[2] && groups[1] == groups[3], "{groups:?}");
}

#[test]
fn what_is_written_reads_back_with_its_pens() {
    let drawing = sample();
    let text = write(&drawing);
    let back = import(text.as_bytes());
    assert_eq!(back.warnings, Vec::<String>::new());
    assert!(
        (back.drawing.page.width - 210.0).abs() < 1e-3 && (back.drawing.page.height - 297.0).abs() < 1e-3
    );
    assert_eq!(back.drawing.layers.len(), drawing.layers.len());
    for (was, is) in drawing.layers.iter().zip(&back.drawing.layers) {
        assert_eq!((&was.pen, was.strokes.len()), (&is.pen, is.strokes.len()));
        for (was, is) in was.strokes.iter().zip(&is.strokes) {
            let (was, is) = (points(&was.path), points(&is.path));
            assert_eq!(was.len(), is.len());
            assert!(was.iter().zip(&is).all(|(a, b)| a.distance(*b) < 1e-3));
        }
    }
    assert_eq!(text, write(&drawing), "the same bytes again");
}

#[test]
fn layers_are_numbered_and_differ_in_id_and_stroke() {
    let mut drawing = sample();
    let twin = Pen { id: "twin".into(), ..drawing.layers[0].pen.clone() };
    drawing.layers.push(Layer { pen: twin, strokes: drawing.layers[0].strokes.clone() });
    let text = write(&drawing);
    assert!(text.contains(r#"inkscape:label="1 Blue 0.5""#), "{}", &text[..900]);
    let values =
        |key: &str| text.split(key).skip(1).map(|rest| rest.split('"').next().unwrap()).collect::<Vec<_>>();
    for key in [" id=\"", " stroke=\""] {
        let mut values = values(key);
        values.sort_unstable();
        values.dedup();
        assert_eq!(values.len(), drawing.layers.len(), "{key}");
    }
    assert_eq!(import(text.as_bytes()).drawing.layers.len(), drawing.layers.len());
}

#[test]
fn axidraw_labels_are_heeded_or_reported() {
    let pens = pens(1);
    let import = draw(fixture!("axidraw-labels"), &by(&pens)).unwrap();
    let ids: Vec<_> = import.drawing.layers.iter().map(|layer| layer.pen.id.as_str()).collect();
    assert_eq!(ids, ["black", "magenta"], "by its label, by its color");
    assert_eq!((import.skipped.left_out, import.skipped.hidden), (1, 1));
    assert!(
        import.warnings.iter().any(|warning| warning.contains("! +D10 +S40 is not acted on")),
        "{:?}",
        import.warnings
    );
}

#[test]
fn clip_paths_cut_and_spare_the_curves_inside() {
    let drawing = import(fixture!("clip")).drawing;
    assert_eq!(drawing.strokes(), 3);
    let strokes = &drawing.layers[0].strokes;
    let bounds = strokes[0].path.bounding_box();
    assert!((bounds.x0 - 20.0).abs() < 0.01 && (bounds.x1 - 40.0).abs() < 0.01, "{bounds:?}");
    assert!(strokes[2].path.iter().any(|element| matches!(element, PathEl::CurveTo(..))));
}

#[test]
fn css_use_and_transforms_are_resolved_in_mm() {
    let import = import(fixture!("css-use-transform"));
    assert!((import.drawing.page.width - 101.6).abs() < 1e-3);
    let bounds = import.drawing.layers[0].strokes[0].path.bounding_box();
    assert!(
        (bounds.x0 - 25.4).abs() < 1e-3
            && (bounds.x1 - 30.48).abs() < 1e-3
            && (bounds.y0 - 5.08).abs() < 1e-3
    );
    assert_eq!(import.drawing.layers[0].pen.id, "0000ff");
    assert!((import.drawing.layers[0].pen.tip - 0.508).abs() < 1e-3);
}

#[test]
fn dashes_and_dots_are_strokes() {
    assert_eq!(import(fixture!("dashes")).drawing.strokes(), 10);
    let dots = import(fixture!("dots"));
    assert_eq!((dots.drawing.strokes(), dots.skipped.unpainted), (3, 1));
}

#[test]
fn fills_are_outlined_hatched_or_left() {
    let strokes = |fill| draw(fixture!("fills"), &filled(fill)).map(|import| import.drawing.strokes());
    assert_eq!(strokes(Fill::Outline), Ok(2));
    assert!((1..8).contains(&strokes(Fill::Hatch).unwrap()));
    assert!((30..50).contains(&strokes(Fill::Concentric).unwrap()));
    let none = strokes(Fill::None).unwrap_err().to_string();
    assert!(none.contains("nothing to draw: 2 filled shapes left out"), "{none}");
}

/// What a layer inks, as an area: its strokes as wide as its pen's tip.
fn inked(layer: &Layer) -> Area {
    let options = kurbo::StrokeOpts::default();
    let ink = |stroke: &Stroke| {
        let wide = kurbo::stroke(stroke.path.clone(), &kurbo::Stroke::new(layer.pen.tip), &options, 0.01);
        Area::new(&wide, FillRule::NonZero)
    };
    Area::union(&layer.strokes.iter().map(ink).collect::<Vec<_>>())
}

fn overlap(stages: &Stages<'_>) -> Vec<(String, Area)> {
    let import = draw(fixture!("overlap"), stages).unwrap();
    import.drawing.layers.iter().map(|layer| (layer.pen.id.clone(), inked(layer))).collect()
}

#[test]
fn what_lies_above_carves_what_lies_below() {
    let hatched = filled(Fill::Hatch);
    let size = |layers: &[(String, Area)], id: &str| {
        layers.iter().find(|layer| layer.0 == id).map_or(0.0, |layer| layer.1.size())
    };
    let layers = overlap(&hatched);
    // The line shows left of, between and right of the shapes: 5 + 3 + 6 mm less what the white one hides of the gap.
    for (id, expected) in [("ff0000", 20.0 * 20.0 - 7.0 * 10.0), ("00ffff", 16.0), ("0000ff", 10.86 * 0.5)] {
        let size = size(&layers, id);
        assert!((size - expected).abs() < 0.06 * expected + 0.5, "{id}: {size} instead of {expected}");
    }
    for (index, (a, above)) in layers.iter().enumerate() {
        for (b, below) in &layers[index + 1..] {
            // The half transparent one hides nothing.
            let shared = above.within(below).size();
            assert!(shared < 1.0 || [a, b].contains(&&"00ffff".to_owned()), "{a} and {b} share {shared} mm²");
        }
    }
    let all = overlap(&Stages { occlude: Some(false), ..hatched });
    assert!((size(&all, "ff0000") - 400.0).abs() < 20.0 && (size(&all, "0000ff") - 30.0).abs() < 0.5);
    let outlines = overlap(&Stages { occlude: Some(true), ..Stages::default() });
    let plain = overlap(&Stages::default());
    assert!((size(&outlines, "0000ff") - 5.43).abs() < 0.5 && (size(&plain, "0000ff") - 30.0).abs() < 0.5);
}

#[test]
fn clip_paths_nest_and_scale_with_their_shape() {
    let hatched = filled(Fill::Hatch);
    let layers = overlap(&hatched);
    let disc = &layers.iter().find(|layer| layer.0 == "ff00ff").unwrap().1;
    // The upper half of a disc of 5 mm around 30, 40.
    let bounds = disc.bounds().unwrap();
    assert!((bounds.y0 - 35.0).abs() < 0.1 && (bounds.y1 - 40.0).abs() < 0.1, "{bounds:?}");
    assert!((disc.size() - std::f64::consts::PI * 12.5).abs() < 4.0, "{}", disc.size());
}

#[test]
fn a_layout_moves_curves_fills_and_made_pens_alike() {
    let layout = Layout { fit: true, page: Some(Page { width: 120.0, height: 140.0 }), ..Layout::default() };
    let stages = Stages { layout: Some(&layout), ..filled(Fill::Hatch) };
    let import = draw(fixture!("fills"), &stages).unwrap();
    let layer = &import.drawing.layers[0];
    let bounds = inked(layer).bounds().unwrap();
    assert!((bounds.x0 - 10.0).abs() < 0.1 && (bounds.y0 - 20.0).abs() < 0.1, "{bounds:?}");
    assert!((bounds.x1 - 110.0).abs() < 0.1 && (bounds.y1 - 120.0).abs() < 0.1, "{bounds:?}");
    assert!(
        (layer.pen.tip - 1.0).abs() < 1e-6,
        "0.3 mm, the default, grew with the shape: {}",
        layer.pen.tip
    );
    let twice = Layout { copies: crate::drawing::Copies::Count(2), fit: true, ..Layout::default() };
    let stages = Stages { layout: Some(&twice), ..Stages::default() };
    assert_eq!(draw(fixture!("clip"), &stages).unwrap().drawing.strokes(), 6);
}

#[test]
fn white_alone_is_drawn_with_the_darkest_pen() {
    let pens = pens(1);
    let import = draw(fixture!("white-on-black"), &by(&pens)).unwrap();
    assert_eq!(import.drawing.layers[0].pen.id, "black");
    assert!((import.drawing.page.width - 25.4).abs() < 1e-3);
}

#[test]
fn texts_and_images_are_counted_and_nothing_is_opened() {
    let error = failure(fixture!("text-and-image"));
    assert!(
        error.contains("nothing to draw: 1 text left out") && error.contains("1 image left out"),
        "{error}"
    );
}

#[test]
fn bad_input_is_one_clear_error() {
    let svg =
        |inner: &str, size: &str| format!("<svg xmlns=\"http://www.w3.org/2000/svg\" {size}>{inner}</svg>");
    let line = "<path stroke=\"black\" d=\"M0 0L5 5\"/>";
    let deep = format!("{}{}", "<g>".repeat(100_000), "</g>".repeat(100_000));
    for (text, expected) in [
        (String::new(), "a.svg: the file is empty"),
        ("<svg>\n<g>".into(), "a.svg:2:4: the file is cut short"),
        (" \n".into(), "a.svg: the file is empty"),
        ("hello".into(), "not well-formed XML"),
        ("<svg>\n<g".into(), "a.svg:2:"),
        ("<html/>".into(), "the root element is <html>"),
        ("\u{1f}".into(), "not well-formed XML"),
        (svg("", ""), "nothing to draw: the file has no shapes"),
        (svg(line, "width=\"1e9mm\" height=\"1e9mm\""), "between 1 and 10000 mm"),
        (svg(line, "width=\"0\" height=\"0\""), "are not positive"),
        (svg(line, "width=\"-5mm\" height=\"5mm\""), "are not positive"),
        (
            svg("\n<path stroke=\"red\" d=\"M0 0 L NaN 5\"/>", ""),
            "a.svg:2:1: <path> has the coordinate `NaN`",
        ),
        (svg("<line stroke=\"red\" x1=\"1e999\" x2=\"5\"/>", ""), "has the coordinate `1e999`"),
        (svg(&deep, ""), "nested more than 256 deep"),
    ] {
        let error = failure(text.as_bytes());
        assert!(error.contains(expected), "{error}");
        assert!(!error.trim().contains('\n'), "{error}");
    }
    assert!(failure(&[0x1f, 0x8b, 8, 0]).contains("gunzip"));
    assert!(failure(b"<svg>\xff</svg>").contains("a.svg:1:6: not text in UTF-8"));
}

#[test]
fn bombs_neither_hang_nor_blow_up() {
    assert!(failure(fixture!("entities")).contains("a.svg:"));
    assert!(failure(fixture!("use-bomb")).contains("a.svg:"));
}

/// The strokes of each layer as points, and the layers' pens.
fn outcome(drawn: &Drawn) -> Vec<(Pen, Vec<Vec<kurbo::Point>>)> {
    let strokes = |layer: &Layer| layer.strokes.iter().map(|stroke| points(&stroke.path)).collect();
    drawn.drawing.layers.iter().map(|layer| (layer.pen.clone(), strokes(layer))).collect()
}

#[test]
fn a_drawing_goes_through_the_stages_as_its_svg_does() {
    let drawing = sample();
    let text = write(&drawing);
    let fit = Layout { fit: true, turn: 1.0, copies: crate::drawing::Copies::Count(3), ..Layout::default() };
    let tiled = Layout { tiles: crate::drawing::Tiles::Grid(2, 2), ..Layout::default() };
    let pens: Vec<Pen> = pens(0).into_iter().map(|pen| Pen { tip: 2.0 * pen.tip, ..pen }).collect();
    for layout in [None, Some(&fit), Some(&tiled)] {
        let stages = Stages { layout, ..filled(Fill::Hatch) };
        for stages in [stages, Stages { matching: by(&pens).matching, ..stages }] {
            let direct = Scene::of(&drawing).draw(&stages).unwrap();
            let read = draw(text.as_bytes(), &stages).unwrap();
            assert_eq!(direct.layers.len(), drawing.layers.len());
            assert_eq!(direct.warnings, read.warnings);
            assert!((direct.drawing.page.width - read.drawing.page.width).abs() < 1e-2);
            for ((pen, strokes), (pen_read, strokes_read)) in outcome(&direct).iter().zip(&outcome(&read)) {
                assert_eq!((pen, strokes.len()), (pen_read, strokes_read.len()));
                let pairs = strokes.iter().flatten().zip(strokes_read.iter().flatten());
                assert!(pairs.into_iter().all(|(a, b)| a.distance(*b) < 0.02), "{}", pen.id);
            }
        }
    }
}

#[test]
fn groups_without_an_id_of_their_own_are_layers_too() {
    let group = |attributes: &str, y: u8| {
        format!(r#"<g {attributes} inkscape:groupmode="layer"><path stroke="red" d="M0 {y}H5"/></g>"#)
    };
    let groups = [r#"inkscape:label="A""#, r#"id="a""#, r#"id="a" inkscape:label="B""#];
    let groups = (1..).zip(groups).map(|(y, attributes)| group(attributes, y)).collect::<String>();
    let spaces =
        r#"xmlns="http://www.w3.org/2000/svg" xmlns:inkscape="http://www.inkscape.org/namespaces/inkscape""#;
    // A tag in an entity is none of the file's.
    let doctype = r#"<!DOCTYPE svg [<!ENTITY x "<g><g>"> <!-- it's ] > -->]>"#;
    let text =
        format!("<!-- <g> -->{doctype}<svg {spaces} width=\"20\" height=\"20\"><!-- <g> -->{groups}</svg>");
    let drawn = import(text.as_bytes());
    let layers: Vec<_> =
        drawn.layers.iter().map(|layer| (layer.id.as_str(), layer.label.name.as_str())).collect();
    assert_eq!(layers, [("", "A"), ("a", ""), ("a", "B")]);
    assert_eq!(drawn.drawing.layers.len(), 3);
}

#[test]
fn places_are_those_of_the_file_as_it_is() {
    let text = |inner: &str| format!("<svg width=\"9\" height=\"9\"><g/><g id=''/>\n<g/><g/>{inner}</svg>");
    let wrong = failure(text("<path d=\"M0 0L1 nan\"/>").as_bytes());
    assert!(wrong.starts_with("a.svg:2:9: <path> has the coordinate"), "{wrong}");
    let wrong = failure(text("<path d=\"M0 0\" d=\"\"/>").as_bytes());
    assert!(wrong.starts_with("a.svg:2:24: not well-formed XML"), "{wrong}");
}

#[test]
fn a_drawing_without_namespace_is_read() {
    let import = import(b"<svg width='10mm' height='10mm'><g><path d='M0 0L5 5' stroke='red'/></g></svg>");
    assert_eq!(import.drawing.strokes(), 1);
}

#[test]
fn pictures_have_the_pages_size_and_white_paper() {
    let viewer = |bytes| read("a.svg", bytes).unwrap().viewer;
    let picture = viewer(fixture!("fills")).render(50.8, None).unwrap();
    assert_eq!((picture.width_px, picture.height_px, picture.rgb.len()), (100, 100, 10_000));
    assert_eq!(picture.rgb[0], [255; 3]);
    let turned = Layout { turn: std::f64::consts::PI, ..Layout::default() };
    let stages = Stages { layout: Some(&turned), ..Stages::default() };
    let Source { scene, viewer: overlap } = read("a.svg", fixture!("overlap")).unwrap();
    let arrangement = scene.draw(&stages).unwrap().arrangement;
    let view = View { page: arrangement.page, copies: arrangement.copies };
    let turned = overlap.render(50.8, Some(&view)).unwrap();
    let plain = overlap.render(50.8, None).unwrap();
    let differ = turned.rgb.iter().rev().zip(&plain.rgb).filter(|(a, b)| a != b).count();
    assert!(differ < turned.rgb.len() / 50, "{differ} pixels differ");
    for dpi in [0.0, -1.0, f64::NAN, 1e9] {
        assert!(viewer(fixture!("fills")).render(dpi, None).is_err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = draw(&bytes, &Stages::default());
    }

    #[test]
    fn mutated_drawings_never_panic(
        which in 0_usize..7,
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        end in any::<prop::sample::Index>(),
    ) {
        let fixtures = [
            fixture!("axidraw-labels"), fixture!("clip"), fixture!("css-use-transform"), fixture!("dashes"),
            fixture!("dots"), fixture!("fills"), fixture!("white-on-black"),
        ];
        let mut bytes = fixtures[which].to_vec();
        for (index, byte) in edits {
            let index = index.index(bytes.len());
            bytes[index] = byte;
        }
        if end.index(4) == 0 {
            bytes.truncate(end.index(bytes.len()));
        }
        for fill in [Fill::Hatch, Fill::Outline] {
            let result = draw(&bytes, &filled(fill));
            let failed = result.is_err_and(|error| error.to_string().contains("reader failed"));
            prop_assert!(!failed, "a parser panicked");
        }
    }
}
