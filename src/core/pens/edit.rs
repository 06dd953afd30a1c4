//! Changing a pen file as its owner would: what is not changed stays as it is, comments, order and all.

use toml_edit::{ArrayOfTables, Decor, DocumentMut, InlineTable, Item, RawString, Table, TableLike, Value};

use super::{Error, Inventory, Pen};
use crate::color::{Srgb8, to_hex};
use crate::config;

/// What is to be written of a pen; `None` leaves a key as it is.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Change {
    /// Short name.
    pub id: Option<String>,
    /// Name for people.
    pub name: Option<String>,
    /// Color of one line on white paper.
    pub color: Option<Srgb8>,
    /// Width of its line; mm.
    pub tip: Option<f64>,
    /// 0 (transparent) to 1 (covers).
    pub opacity: Option<f32>,
    /// Greatest drawing speed; mm/s.
    pub speed: Option<f64>,
    /// Place in the holder or carousel, from 1.
    pub slot: Option<u32>,
    /// How long a line a full one draws; mm.
    pub supply: Option<f64>,
}

impl Change {
    /// All that is told of a pen.
    #[must_use]
    pub fn of(pen: &Pen) -> Self {
        // The pass is of a job, not of the pen.
        let Pen { id, name, color, tip, opacity, speed, slot, supply, pass: _ } = pen.clone();
        Self {
            id: Some(id),
            name: Some(name),
            color: Some(color),
            tip: Some(tip),
            opacity: Some(opacity).filter(|opacity| *opacity > 0.0),
            speed,
            slot,
            supply,
        }
    }

    /// The keys and values, in the order in which a new pen has them.
    fn values(&self) -> Vec<(&'static str, Value)> {
        let values = [
            ("id", self.id.as_deref().map(Value::from)),
            ("name", self.name.as_deref().map(Value::from)),
            ("color", self.color.map(|color| to_hex(color).into())),
            ("tip", self.tip.map(|tip| format!("{}mm", short(tip)).into())),
            ("opacity", self.opacity.map(|opacity| short(opacity.into()).into())),
            ("speed", self.speed.map(|speed| format!("{}mm/s", short(speed)).into())),
            ("slot", self.slot.map(|slot| i64::from(slot).into())),
            ("metres", self.supply.map(|mm| format!("{}m", short(mm / 1000.0)).into())),
        ];
        values.into_iter().filter_map(|(key, value)| Some((key, value?))).collect()
    }
}

/// Rounded to what a person would write: 0.001.
fn short(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

/// The text of a new file without pens; it becomes an [`Inventory`] with the first.
#[must_use]
pub fn new_file(id: &str, name: &str) -> String {
    let mut document = DocumentMut::new();
    document["format"] = 1.into();
    document["id"] = id.into();
    document["name"] = name.into();
    document.to_string()
}

/// The TOML `text` with more pens at its end. `file` is its name for error messages.
///
/// # Errors
/// When the text is no TOML, has a pen of such an id, or would not be an inventory with the new pens.
pub fn add(file: &str, text: &str, pens: &[Change]) -> Result<String, Error> {
    let mut document = parse(file, text)?;
    pens.iter().try_for_each(|pen| add_one(file, &mut document, pen))?;
    checked(file, &document)
}

fn add_one(file: &str, document: &mut DocumentMut, pen: &Change) -> Result<(), Error> {
    if let Some(id) = &pen.id
        && ids(document).contains(id)
    {
        let message = format!("there is a pen `{id}` already: change it with `pens set {id}`");
        return Err(Error::Edit { file: file.into(), message });
    }
    match pens_of(document) {
        Some(Pens::Inline(array)) => {
            let mut table = InlineTable::new();
            pen.values().into_iter().for_each(|(key, value)| {
                table.insert(key, value);
            });
            let prefix = array.iter().last().and_then(|last| last.decor().prefix().cloned());
            array.push(table);
            if let (Some(prefix), Some(last)) = (prefix, array.iter_mut().last()) {
                // Only the indentation: a comment stays with the pen that it stands above.
                let text = prefix.as_str().unwrap_or_default();
                let indent = text.rfind('\n').map_or(text, |at| &text[at..]);
                last.decor_mut().set_prefix(indent);
            }
        }
        other => {
            let mut table = Table::new();
            pen.values().into_iter().for_each(|(key, value)| {
                table.insert(key, Item::Value(value));
            });
            table.decor_mut().set_prefix("\n");
            match other {
                Some(Pens::Tables(tables)) => tables.push(table),
                _ => {
                    let mut tables = ArrayOfTables::new();
                    tables.push(table);
                    document["pen"] = Item::ArrayOfTables(tables);
                }
            }
            below_the_rest(document);
        }
    }
    Ok(())
}

/// A comment at the end of the file belongs to the pens above it: the new pen goes below.
fn below_the_rest(document: &mut DocumentMut) {
    let trailing = document.trailing().as_str().unwrap_or_default().to_owned();
    if trailing.trim().is_empty() {
        return;
    }
    document.set_trailing("");
    if let Some(Pens::Tables(tables)) = pens_of(document) {
        let last = tables.len() - 1;
        if let Some(table) = tables.get_mut(last) {
            let gap = if trailing.ends_with('\n') { "\n" } else { "\n\n" };
            table.decor_mut().set_prefix(format!("{trailing}{gap}"));
        }
    }
}

/// The TOML `text` with some values of the pen `id` changed, and the keys `unset` gone.
///
/// # Errors
/// When the text is no TOML, has no such pen, or would be no inventory.
pub fn set(file: &str, text: &str, id: &str, change: &Change, unset: &[String]) -> Result<String, Error> {
    let mut document = parse(file, text)?;
    let place = place(file, text, &document, id)?;
    let mut pens = pens_of(&mut document);
    if let Some(table) = pens.as_mut().and_then(|pens| pens.table(place)) {
        for (key, value) in change.values() {
            put(table, key, value);
        }
        for key in unset {
            if table.remove(key).is_none() {
                let message = format!("pen `{id}` has no key `{key}` to unset");
                return Err(Error::Edit { file: file.into(), message });
            }
        }
    }
    checked(file, &document)
}

/// Writes a value; the comment behind the old one stays.
fn put(table: &mut dyn TableLike, key: &str, mut value: Value) {
    match table.get_mut(key).and_then(Item::as_value_mut) {
        Some(old) => {
            *value.decor_mut() = old.decor().clone();
            *old = value;
        }
        None => {
            table.insert(key, Item::Value(value));
        }
    }
}

/// The TOML `text` without the pens `remove`. Their comments stay, before what came after them.
///
/// # Errors
/// When the text is no TOML, has no such pen, or no pen would be left.
pub fn remove(file: &str, text: &str, remove: &[String]) -> Result<String, Error> {
    let mut document = parse(file, text)?;
    for id in remove {
        let at = place(file, text, &document, id)?;
        let mut orphans = String::new();
        match pens_of(&mut document) {
            Some(Pens::Tables(tables)) => {
                if let Some(table) = tables.get(at) {
                    orphans = comments(table);
                    let position = table.position();
                    tables.remove(at);
                    if let Some(next) = tables.get_mut(at) {
                        prepend(next.decor_mut(), &orphans);
                        // The first table of the file must not come to stand before its own keys.
                        next.set_position(next.position().or(position));
                        orphans.clear();
                    }
                }
                if !orphans.trim().is_empty() {
                    let trailing = document.trailing().as_str().unwrap_or_default();
                    document.set_trailing(format!("{orphans}{trailing}"));
                }
            }
            Some(Pens::Inline(array)) => {
                let removed = array.remove(at);
                let above = text_of(removed.decor().prefix());
                if above.contains('#') {
                    match array.get_mut(at) {
                        Some(next) => prepend(next.decor_mut(), &above),
                        None => {
                            let trailing = array.trailing().as_str().unwrap_or_default();
                            array.set_trailing(format!("{above}{trailing}"));
                        }
                    }
                }
            }
            None => {}
        }
    }
    if ids(&document).is_empty() {
        let message = "that would leave no pen: a pen file has at least one".into();
        return Err(Error::Edit { file: file.into(), message });
    }
    checked(file, &document)
}

/// All comments that stand above and in a pen's table, as lines.
fn comments(table: &Table) -> String {
    let mut lines = text_of(table.decor().prefix());
    let mut add = |text: String| {
        for line in text.lines().map(str::trim).filter(|line| line.starts_with('#')) {
            lines += line;
            lines.push('\n');
        }
    };
    add(text_of(table.decor().suffix()));
    for (key, item) in table.iter() {
        if let Some(key) = table.key(key) {
            add(text_of(key.leaf_decor().prefix()));
        }
        if let Some(value) = item.as_value() {
            add(text_of(value.decor().suffix()));
        }
    }
    lines
}

fn prepend(decor: &mut Decor, text: &str) {
    let old = text_of(decor.prefix());
    decor.set_prefix(format!("{text}{old}"));
}

fn text_of(raw: Option<&RawString>) -> String {
    raw.and_then(RawString::as_str).unwrap_or_default().to_owned()
}

fn parse(file: &str, text: &str) -> Result<DocumentMut, Error> {
    text.parse::<DocumentMut>().map_err(|error| {
        let offset = error.span().map_or(0, |span| span.start);
        config::Error::at(file, text, offset, error.message().trim().replace('\n', " ")).into()
    })
}

/// The edited text, if it is an inventory.
fn checked(file: &str, document: &DocumentMut) -> Result<String, Error> {
    let text = document.to_string();
    Inventory::parse(&format!("{file} as it would be"), &text)?;
    Ok(text)
}

/// The pens of a document, in either way that TOML has for them.
enum Pens<'a> {
    /// `[[pen]]`.
    Tables(&'a mut ArrayOfTables),
    /// `pen = [{ … }]`.
    Inline(&'a mut toml_edit::Array),
}

impl Pens<'_> {
    fn table(&mut self, index: usize) -> Option<&mut dyn TableLike> {
        match self {
            Self::Tables(tables) => Some(tables.get_mut(index)?),
            Self::Inline(array) => Some(array.get_mut(index)?.as_inline_table_mut()?),
        }
    }
}

fn pens_of(document: &mut DocumentMut) -> Option<Pens<'_>> {
    match document.get_mut("pen")? {
        Item::ArrayOfTables(tables) => Some(Pens::Tables(tables)),
        Item::Value(Value::Array(array)) => Some(Pens::Inline(array)),
        _ => None,
    }
}

fn ids(document: &DocumentMut) -> Vec<String> {
    let id = |pen: &dyn TableLike| pen.get("id").and_then(Item::as_str).unwrap_or_default().to_owned();
    match document.get("pen") {
        Some(Item::ArrayOfTables(tables)) => tables.iter().map(|table| id(table)).collect(),
        Some(Item::Value(Value::Array(array))) => {
            array.iter().map(|pen| pen.as_inline_table().map_or(String::new(), |table| id(table))).collect()
        }
        _ => Vec::new(),
    }
}

/// Where the pen `id` stands.
fn place(file: &str, text: &str, document: &DocumentMut, id: &str) -> Result<usize, Error> {
    match ids(document).iter().position(|known| known == id) {
        Some(place) => Ok(place),
        // Says what is near, or what else is wrong with the file.
        None => Inventory::parse(file, text)?.pen(id).map(|_| 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINE: &str = include_str!("../tests/fixtures/mine.toml");

    fn comments_of(text: &str) -> Vec<&str> {
        let mut comments: Vec<&str> =
            text.lines().filter_map(|line| line.split_once("# ")).map(|(_, comment)| comment).collect();
        comments.sort_unstable();
        comments
    }

    fn green() -> Change {
        Change {
            id: Some("green".into()),
            name: Some("Green".into()),
            color: Some(Srgb8::new(10, 200, 30)),
            tip: Some(0.4),
            ..Change::default()
        }
    }

    #[test]
    fn a_new_pen_stands_at_the_end_and_all_else_stays() {
        let text = add("mine.toml", MINE, &[green()]).unwrap();
        assert!(text.starts_with(MINE), "{text}");
        assert!(text.ends_with(
            "\n[[pen]]\nid = \"green\"\nname = \"Green\"\ncolor = \"#0ac81e\"\ntip = \"0.4mm\"\n"
        ));
        assert_eq!(Inventory::parse("x", &text).unwrap().pens.len(), 3);
    }

    #[test]
    fn a_changed_value_keeps_its_comment_and_its_place() {
        let change = Change { tip: Some(0.45), opacity: Some(0.2), ..Change::default() };
        let text = set("mine.toml", MINE, "red", &change, &[]).unwrap();
        let expected =
            MINE.replace("'0.5mm'", "\"0.45mm\"").replace("millimeter\n", "millimeter\nopacity = 0.2\n");
        assert_eq!(text, expected);
    }

    #[test]
    fn a_removed_pen_leaves_its_comments() {
        for id in ["red", "blue"] {
            let text = remove("mine.toml", MINE, &[id.to_owned()]).unwrap();
            assert_eq!(comments_of(&text), comments_of(MINE), "{text}");
            assert_eq!(Inventory::parse("x", &text).unwrap().pens.len(), 1);
        }
        let error = remove("mine.toml", MINE, &["red".into(), "blue".into()]).unwrap_err().to_string();
        assert!(error.contains("leave no pen"), "{error}");
    }

    #[test]
    fn inline_pens_are_edited_too() {
        let text = "format = 1\nid = \"a\"\nname = \"A\"\npen = [\n  # first\n  { id = \"x\", name = \"X\", color = \"#123456\", tip = \"1mm\" },\n  # second\n  { id = \"y\", name = \"Y\", color = \"#123456\", tip = \"1mm\" },\n]\n";
        let more = add("a.toml", text, &[green()]).unwrap();
        assert_eq!(Inventory::parse("x", &more).unwrap().pens.len(), 3);
        assert_eq!(comments_of(&more), ["first", "second"]);
        let less = remove("a.toml", &more, &["x".into()]).unwrap();
        assert_eq!(comments_of(&less), ["first", "second"], "{less}");
        let change = Change { tip: Some(2.0), ..Change::default() };
        assert!(set("a.toml", text, "y", &change, &[]).unwrap().contains("tip = \"2mm\""));
    }

    #[test]
    fn a_wrong_edit_is_refused() {
        let refused = |result: Result<String, Error>, expected: &str| {
            let error = result.unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        };
        let twice = Change { id: Some("red".into()), ..green() };
        refused(add("mine.toml", MINE, &[twice]), "`pens set red`");
        let wide = Change { tip: Some(99.0), ..Change::default() };
        refused(set("mine.toml", MINE, "red", &wide, &[]), "between 0.01 and 50 mm");
        refused(set("mine.toml", MINE, "rad", &green(), &[]), "did you mean `red`?");
        refused(set("mine.toml", MINE, "red", &Change::default(), &["slot".into()]), "no key `slot`");
        refused(remove("mine.toml", "pen = 3", &["red".into()]), "mine.toml:1");
        refused(add("mine.toml", "= =", &[green()]), "mine.toml:1");
    }

    #[test]
    fn the_first_pen_makes_an_inventory() {
        let text = add("new.toml", &new_file("new", "New"), &[green()]).unwrap();
        assert_eq!(Inventory::parse("new.toml", &text).unwrap().pens[0].id, "green");
    }
}
