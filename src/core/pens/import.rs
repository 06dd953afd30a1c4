//! Other programs' lists of pens: vpype's, vpype-penset's, DrawingBotV3's, tables, and plain lists of colors.
//!
//! What each looks like: vpype's `[pen_config.NAME]` has `layers` with `name`, `color` and `pen_width`; vpype-penset's
//! `[penset]` has `pens` with `color`, `name` and `width` in mm; DrawingBotV3 saves pens in JSON as objects with `type`
//! (the maker), `name`, `argb` (a signed 32-bit number) and `strokeSize`, inside presets of any depth.

use serde_json::Value as Json;
use toml::Value as Toml;

use super::{Error, Inventory, Pen};
use crate::color::{Srgb8, parse_hex, to_hex};
use crate::units;

/// Most pens of one file: more is no list of pens.
const MOST: usize = 2000;

/// A set that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    /// Short name, made from its name.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// Its pens, with ids made from their names; at least one.
    pub pens: Vec<Pen>,
}

/// Reads the sets of another program's file. `file` is its name, for messages and for sets without one; `tip` (mm) is that
/// of pens whose width is not told. Which program's it is shows in the text.
///
/// # Errors
/// When no pens are found, or one has a color or width that makes no sense: with the pen or line.
pub fn import(file: &str, text: &str, tip: f64) -> Result<Vec<Imported>, Error> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let found = read(file, text).map_err(|message| Error::Import { file: file.into(), message })?;
    let wrong = |message: &str| Error::Import { file: file.into(), message: message.into() };
    if found.iter().map(|set| set.pens.len()).sum::<usize>() > MOST {
        return Err(wrong(&format!("more than {MOST} pens: give a shorter list")));
    }
    let mut sets: Vec<Imported> = Vec::new();
    for set in found.into_iter().filter(|set| !set.pens.is_empty()) {
        let ids: Vec<&str> = sets.iter().map(|set| set.id.as_str()).collect();
        let id = unique(&slug(&set.name, "pens"), &ids);
        let mut pens: Vec<Pen> = Vec::new();
        for found in set.pens {
            let tip = found.tip.unwrap_or(tip);
            if !(0.01..=50.0).contains(&tip) {
                return Err(wrong(&format!(
                    "pen `{}`: a tip of {tip} mm is not between 0.01 and 50 mm",
                    found.name
                )));
            }
            let ids: Vec<&str> = pens.iter().map(|pen| pen.id.as_str()).collect();
            let id = unique(&slug(&found.name, to_hex(found.color).trim_start_matches('#')), &ids);
            pens.push(Pen { id, name: found.name, color: found.color, tip, ..found.rest });
        }
        sets.push(Imported { id, name: set.name, pens });
    }
    if sets.is_empty() {
        return Err(wrong(
            "no pens found: give vpype's or vpype-penset's TOML, DrawingBotV3's JSON, a CSV with a `color` column, or a list of colors such as `#1d4f9e`",
        ));
    }
    Ok(sets)
}

/// A set as its file has it.
struct Found {
    name: String,
    pens: Vec<FoundPen>,
}

struct FoundPen {
    name: String,
    color: Srgb8,
    tip: Option<f64>,
    /// What only our own files tell.
    rest: Pen,
}

impl FoundPen {
    fn new(name: Option<&str>, color: Srgb8, tip: Option<f64>) -> Self {
        let name = name.map(str::trim).filter(|name| !name.is_empty());
        let name =
            name.map_or_else(|| to_hex(color), |name| name.chars().filter(|c| !c.is_control()).collect());
        let rest = Pen::new("", "", color, 0.0);
        Self { name, color, tip, rest }
    }
}

fn read(file: &str, text: &str) -> Result<Vec<Found>, String> {
    let trimmed = text.trim_start();
    if trimmed.starts_with(['{', '['])
        && let Ok(json) = serde_json::from_str::<Json>(text)
    {
        return from_json(file, &json);
    }
    // A list of colors behind `#` is a TOML of comments.
    if let Ok(table) = text.parse::<toml::Table>()
        && !table.is_empty()
    {
        return from_toml(file, text, &table);
    }
    if trimmed.starts_with('{') {
        let error = serde_json::from_str::<Json>(text).err().map_or(String::new(), |error| error.to_string());
        return Err(format!("not JSON that can be read: {error}"));
    }
    match from_table(file, text)? {
        Some(found) => Ok(vec![found]),
        None => from_list(file, text).map(|found| vec![found]),
    }
}

/// The file's name without folders and extension.
fn stem(file: &str) -> &str {
    let name = file.rsplit(['/', '\\']).next().unwrap_or(file);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

fn from_toml(file: &str, text: &str, table: &toml::Table) -> Result<Vec<Found>, String> {
    if table.contains_key("pen") && table.contains_key("format") {
        let own = Inventory::parse(file, text).map_err(|error| error.to_string())?;
        let pens = own.pens.into_iter().map(|pen| FoundPen {
            name: pen.name.clone(),
            color: pen.color,
            tip: Some(pen.tip),
            rest: pen,
        });
        return Ok(vec![Found { name: own.name, pens: pens.collect() }]);
    }
    let list = |value: Option<&Toml>| value.and_then(Toml::as_array).cloned().unwrap_or_default();
    let mut sets = Vec::new();
    if let Some(configs) = table.get("pen_config").and_then(Toml::as_table) {
        for (name, config) in configs {
            let pens: Result<Vec<_>, _> = list(config.get("layers"))
                .iter()
                .map(|layer| toml_pen(layer, "pen_width", vpype_length))
                .collect();
            sets.push(Found { name: name.clone(), pens: pens?.into_iter().flatten().collect() });
        }
    }
    if let Some(set) = table.get("penset") {
        let pens: Result<Vec<_>, _> =
            list(set.get("pens")).iter().map(|pen| toml_pen(pen, "width", |mm| mm)).collect();
        let name = set.get("name").and_then(Toml::as_str).unwrap_or_else(|| stem(file));
        sets.push(Found { name: name.into(), pens: pens?.into_iter().flatten().collect() });
    }
    Ok(sets)
}

/// A bare number of vpype's is CSS pixels.
fn vpype_length(px: f64) -> f64 {
    px * 25.4 / 96.0
}

/// A pen of a TOML table; `None` where no color is told. `bare` makes mm of a width without a unit.
fn toml_pen(pen: &Toml, width: &str, bare: fn(f64) -> f64) -> Result<Option<FoundPen>, String> {
    let name = pen.get("name").and_then(Toml::as_str);
    let Some(text) = pen.get("color").and_then(Toml::as_str) else { return Ok(None) };
    let color = color(text)?;
    let tip = match pen.get(width) {
        None => None,
        Some(Toml::Float(number)) => Some(bare(*number)),
        #[expect(clippy::cast_precision_loss, reason = "no pen is as wide as that")]
        Some(Toml::Integer(number)) => Some(bare(*number as f64)),
        Some(Toml::String(text)) => Some(units::length(text).map_err(|error| error.to_string())?),
        Some(other) => return Err(format!("`{width} = {other}` is no width")),
    };
    Ok(Some(FoundPen::new(name, color, tip)))
}

fn from_json(file: &str, json: &Json) -> Result<Vec<Found>, String> {
    let mut pens = Vec::new();
    gather(json, &mut pens)?;
    let name = ["name", "presetName", "subType"].iter().find_map(|key| json.get(key)?.as_str());
    Ok(vec![Found { name: name.unwrap_or_else(|| stem(file)).into(), pens }])
}

/// Every pen in a JSON value, however deep.
fn gather(json: &Json, pens: &mut Vec<FoundPen>) -> Result<(), String> {
    match json {
        Json::Array(items) => items.iter().try_for_each(|item| match item.as_str() {
            Some(text) if parse_hex(text).is_ok() => {
                pens.push(FoundPen::new(None, color(text)?, None));
                Ok(())
            }
            _ => gather(item, pens),
        }),
        Json::Object(object) => match json_color(object)? {
            Some(color) => {
                let text = |key: &str| object.get(key).and_then(Json::as_str);
                // Colors that are sampled from the picture are no pens.
                if text("type") == Some("Special") {
                    return Ok(());
                }
                let name = match (text("type"), text("name")) {
                    (Some(maker), Some(name)) => Some(format!("{maker} {name}")),
                    (_, name) => name.map(str::to_owned),
                };
                let number = |key: &str| object.get(key).and_then(Json::as_f64);
                // DrawingBotV3 writes 1 where no width was chosen.
                let tip =
                    number("width").or(number("tip")).or(number("strokeSize").filter(|size| *size != 1.0));
                pens.push(FoundPen::new(name.as_deref(), color, tip));
                Ok(())
            }
            None => object.values().try_for_each(|value| gather(value, pens)),
        },
        _ => Ok(()),
    }
}

fn json_color(object: &serde_json::Map<String, Json>) -> Result<Option<Srgb8>, String> {
    if let Some(argb) = object.get("argb") {
        let argb = argb.as_i64().filter(|argb| (-(1_i64 << 31)..1_i64 << 32).contains(argb));
        let argb = argb.ok_or_else(|| "an `argb` is no 32-bit number".to_owned())?;
        let [_, _, _, _, _, red, green, blue] = argb.to_be_bytes();
        return Ok(Some(Srgb8::new(red, green, blue)));
    }
    match ["color", "colour", "hex"].iter().find_map(|key| object.get(*key)?.as_str()) {
        Some(text) => color(text).map(Some),
        None => Ok(None),
    }
}

/// The columns of a table that tell something of a pen.
#[derive(Default)]
struct Columns {
    color: Option<usize>,
    name: Option<usize>,
    maker: Option<usize>,
    tip: Option<usize>,
}

/// A table with a header, its cells between commas, semicolons or tabs; `None`: it has no column for colors.
fn from_table(file: &str, text: &str) -> Result<Option<Found>, String> {
    let header = text.lines().next().unwrap_or_default();
    let delimiter = *b";\t,"
        .iter()
        .max_by_key(|mark| header.bytes().filter(|byte| byte == *mark).count())
        .unwrap_or(&b',');
    let rows = cells(text, delimiter);
    let Some((_, header)) = rows.first() else { return Ok(None) };
    let mut columns = Columns::default();
    for (index, title) in header.iter().enumerate() {
        let title = title.to_lowercase();
        let has = |words: &[&str]| words.iter().any(|word| title.contains(word));
        let column = if has(&["color", "colour", "hex", "argb", "rgb"]) {
            &mut columns.color
        } else if has(&["width", "tip", "stroke", "size"]) {
            &mut columns.tip
        } else if has(&["type", "brand", "maker", "manufacturer"]) {
            &mut columns.maker
        } else if has(&["name", "pen", "label"]) {
            &mut columns.name
        } else {
            continue;
        };
        column.get_or_insert(index);
    }
    // The title itself may be a color, in a list.
    let Some(at) = columns.color.filter(|at| color(&header[*at]).is_err()) else { return Ok(None) };
    let mut pens = Vec::new();
    for (line, row) in rows.iter().skip(1) {
        let cell = |column: Option<usize>| {
            column.and_then(|at| row.get(at)).map(String::as_str).filter(|cell| !cell.is_empty())
        };
        let Some(text) = row.get(at).filter(|text| !text.is_empty()) else { continue };
        let color = table_color(text).map_err(|error| format!("line {line}: {error}"))?;
        let tip = cell(columns.tip).map(|text| match text.parse::<f64>() {
            Ok(mm) => Ok(mm),
            Err(_) => units::length(text).map_err(|error| format!("line {line}: {error}")),
        });
        let name =
            [cell(columns.maker), cell(columns.name)].into_iter().flatten().collect::<Vec<_>>().join(" ");
        pens.push(FoundPen::new(Some(&name), color, tip.transpose()?));
    }
    Ok(Some(Found { name: stem(file).into(), pens }))
}

/// The rows of a table, each with the line that it begins on, from 1; cells without white at their ends.
fn cells(text: &str, delimiter: u8) -> Vec<(u64, Vec<String>)> {
    use csv_core::ReadRecordResult;
    let mut reader = csv_core::ReaderBuilder::new().delimiter(delimiter).build();
    // Unquoted text is never longer than the text.
    let mut cells = vec![0; text.len() + 1];
    let mut ends = vec![0; text.len() + 2];
    let (mut rows, mut at) = (Vec::new(), 0);
    loop {
        let line = reader.line();
        let (mut written, mut count) = (0, 0);
        loop {
            let (result, read, more, fields) =
                reader.read_record(&text.as_bytes()[at..], &mut cells[written..], &mut ends[count..]);
            (at, written, count) = (at + read, written + more, count + fields);
            match result {
                ReadRecordResult::Record => break,
                ReadRecordResult::InputEmpty => {}
                _ => return rows,
            }
        }
        let starts = std::iter::once(&0).chain(&ends);
        let cell = |(from, to): (&usize, &usize)| {
            String::from_utf8_lossy(cells.get(*from..*to).unwrap_or_default()).trim().to_owned()
        };
        rows.push((line, starts.zip(&ends[..count]).map(cell).collect()));
    }
}

/// A color, or the signed number of DrawingBotV3.
fn table_color(text: &str) -> Result<Srgb8, String> {
    match text.parse::<i32>() {
        Ok(argb) if argb < 0 => {
            let [_, red, green, blue] = argb.to_be_bytes();
            Ok(Srgb8::new(red, green, blue))
        }
        _ => color(text),
    }
}

/// Colors, one or more a line, each with a name before or behind it if the line has one; `//` and `;` begin comments.
fn from_list(file: &str, text: &str) -> Result<Found, String> {
    let mut pens = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with("//") || line.starts_with(';') {
            continue;
        }
        let is_mark = |c: char| c.is_whitespace() || ",;\"'".contains(c);
        let words: Vec<&str> = line.split(is_mark).filter(|word| !word.is_empty()).collect();
        let is_hex = |word: &&&str| word.starts_with('#') || word.len() == 6;
        let colors: Vec<(&str, Srgb8)> =
            words.iter().filter(is_hex).filter_map(|word| Some((*word, parse_hex(word).ok()?))).collect();
        match colors.as_slice() {
            [] => {
                let line: String = line.chars().filter(|c| !c.is_control()).take(40).collect();
                return Err(format!(
                    "line {}: no color in `{line}`: write such as `#1d4f9e Blue`",
                    index + 1
                ));
            }
            [(color_word, color)] => {
                let name: Vec<&str> = words.iter().copied().filter(|word| word != color_word).collect();
                pens.push(FoundPen::new(Some(&name.join(" ")), *color, None));
            }
            many => pens.extend(many.iter().map(|(_, color)| FoundPen::new(None, *color, None))),
        }
    }
    Ok(Found { name: stem(file).into(), pens })
}

/// `#rgb`, `#rrggbb`, `#rrggbbaa`, or a name that CSS knows.
fn color(text: &str) -> Result<Srgb8, String> {
    let text = text.trim();
    let is_hex = |text: &str| text.chars().all(|c| c.is_ascii_hexdigit());
    let digits = text.trim_start_matches('#');
    if digits.len() == 8 && is_hex(digits) {
        return parse_hex(&digits[..6]);
    }
    match palette::named::from_str(&text.to_lowercase()) {
        Some(color) => Ok(color),
        None => parse_hex(text),
    }
}

/// Lower-case letters and digits of a name between single dashes; `other` where it has none.
#[must_use]
pub fn slug(name: &str, other: &str) -> String {
    let plain: String =
        name.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { ' ' }).collect();
    let slug = plain.split_whitespace().collect::<Vec<_>>().join("-");
    if slug.is_empty() { other.into() } else { slug.chars().take(60).collect() }
}

/// The id, or the first of `id-2`, `id-3`, … that is not used.
#[must_use]
pub fn unique(id: &str, used: &[&str]) -> String {
    if !used.contains(&id) {
        return id.into();
    }
    let numbered = (2_u32..).map(|number| format!("{id}-{number}"));
    numbered.into_iter().find(|id| !used.contains(&id.as_str())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pens of the first set as `id color tip`.
    fn check(file: &str, text: &str, expected: &[&str]) {
        let sets = import(file, text, 0.5).unwrap();
        let pens = sets[0].pens.iter().map(|pen| format!("{} {} {}", pen.id, to_hex(pen.color), pen.tip));
        assert_eq!(pens.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn vpype_pens() {
        let text = "[pen_config.my_pens]\nlayers = [\n { layer_id = 1, name = \"black\", color = \"black\", pen_width = \"0.15mm\" },\n { layer_id = 2, color = \"#f00\" }, { layer_id = 3 } ]\n[pen_config.others]\nlayers = [{ layer_id = 1, color = \"teal\", pen_width = 2 }]\n";
        check("vpype.toml", text, &["black #000000 0.15", "ff0000 #ff0000 0.5"]);
        let sets = import("vpype.toml", text, 0.5).unwrap();
        assert_eq!((sets[1].id.as_str(), sets.len()), ("others", 2));
        assert!((sets[1].pens[0].tip - 0.529).abs() < 0.001);
    }

    #[test]
    fn vpype_penset_pens() {
        let text = "[penset]\nname = \"My Pens\"\n[[penset.pens]]\ncolor = \"#000000\"\nwidth = 0.7\nname = \"Black 0.7\"\n[[penset.pens]]\ncolor = \"#0000ff\"\n";
        check("a.toml", text, &["black-0-7 #000000 0.7", "0000ff #0000ff 0.5"]);
        assert_eq!(import("a.toml", text, 0.5).unwrap()[0].id, "my-pens");
    }

    #[test]
    fn drawingbot_presets_of_any_depth() {
        let text = r#"{"presetType":"drawing_set","presets":[{"presetName":"Mine","data":{"drawingSet":{"pens":[
            {"type":"Copic Original","name":"100 Black","argb":-13554901,"distributionWeight":100,"strokeSize":0.8,"isEnabled":true},
            {"type":"Special","name":"Original Colour","argb":-1,"strokeSize":1.0},
            {"type":"User","name":"Rose","argb":4294901760,"strokeSize":1.0}]}}}]}"#;
        check("set.json", text, &["copic-original-100-black #312b2b 0.8", "user-rose #ff0000 0.5"]);
    }

    #[test]
    fn tables_with_any_mark() {
        check(
            "pens.csv",
            "Type,Name,Colour,Stroke Width\nStabilo,\"88/44, yellow\",#f8dc10,0.4mm\nStabilo,88/41,-16776961,\n",
            &["stabilo-88-44-yellow #f8dc10 0.4", "stabilo-88-41 #0000ff 0.5"],
        );
        check("pens.tsv", "name\thex\ttip\nRed\tcc2233\t0.3\n", &["red #cc2233 0.3"]);
    }

    #[test]
    fn plain_lists() {
        check(
            "list.txt",
            "// mine\n#1d4f9e Ink Blue\nBlue #1d4f90\nBlue #1d4f91\n\n#ff0000, #00ff00\naabbcc\n",
            &[
                "ink-blue #1d4f9e 0.5",
                "blue #1d4f90 0.5",
                "blue-2 #1d4f91 0.5",
                "ff0000 #ff0000 0.5",
                "00ff00 #00ff00 0.5",
                "aabbcc #aabbcc 0.5",
            ],
        );
        check("list.json", r##"["#102030", "#405060"]"##, &["102030 #102030 0.5", "405060 #405060 0.5"]);
    }

    #[test]
    fn our_own_files() {
        check(
            "mine.toml",
            "format = 1\nid = \"mine\"\nname = \"Mine\"\n[[pen]]\nid = \"r\"\nname = \"Red\"\ncolor = \"#cc2233\"\ntip = \"0.35mm\"\nslot = 4\n",
            &["red #cc2233 0.35"],
        );
    }

    #[test]
    fn what_is_no_list_is_refused_with_its_line() {
        for (text, expected) in [
            ("", "no pens found"),
            ("{\"pens\": []}", "no pens found"),
            ("{\"pens\": [}", "not JSON"),
            ("[[1,2],{\"argb\": 1e99}]", "32-bit"),
            ("#ff0000\nhello\n", "line 2: no color in `hello`"),
            ("name,color\nx,#ff\u{1b}[31m\n", "line 2"),
            ("[penset]\npens = [{color = \"#000\", width = 900}]", "between 0.01 and 50"),
        ] {
            let error = import("x", text, 0.5).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
