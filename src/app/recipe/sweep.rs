//! Sweeps: every combination of some settings of a recipe, in TOML.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::Recipe;
use crate::{Error, files};
use traceur_core::config;
use traceur_generator::experiment::sweep::Cell;

/// The sweeps inside the program: name and TOML text.
const BUILT_IN: [(&str, &str); 3] = [
    ("catalogue", include_str!("../built-in/recipes/catalogue.sweep.toml")),
    ("channels", include_str!("../built-in/recipes/channels.sweep.toml")),
    ("styles", include_str!("../built-in/recipes/styles.sweep.toml")),
];
/// More runs than this are a mistake in a list.
const MOST_CELLS: usize = 10_000;

/// A sweep, as its file has it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sweep {
    #[serde(rename = "format", deserialize_with = "config::de_format")]
    _format: u32,
    /// Of its folder too.
    pub name: String,
    /// For people.
    #[serde(default)]
    pub about: String,
    #[serde(default = "first_ink")]
    recipe: String,
    /// The key whose values stand side by side in the contact sheet.
    #[serde(default)]
    pub columns: Option<String>,
    #[serde(default)]
    set: toml::Table,
    grid: toml::Table,
}

fn first_ink() -> String {
    "first-ink".into()
}

/// A built-in sweep by name, or a file: its name for messages, and what it says.
///
/// # Errors
/// When there is none, and what is wrong in it.
pub fn load(name: &str) -> Result<(String, Sweep), Error> {
    let built_in = BUILT_IN.iter().find(|(known, _)| *known == name);
    let (file, text) = match built_in {
        Some((_, text)) => (format!("built-in {name}"), (*text).to_owned()),
        None => {
            let path = Path::new(name);
            if !files::is_dash(path) && !path.exists() && path.extension().is_none() {
                let names = BUILT_IN.map(|(name, _)| name).join(", ");
                return Err(Error::Input(format!(
                    "no sweep `{name}`: the built-in ones are {names}, or give a TOML file"
                )));
            }
            (name.to_owned(), files::read_text(path)?)
        }
    };
    let sweep: Sweep = config::parse(&file, &text)?;
    let is_name =
        |name: &str| !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', '\0']);
    if !is_name(&sweep.name) {
        return Err(Error::Input(format!("{file}: name `{}`: give one that a folder may have", sweep.name)));
    }
    Ok((file, sweep))
}

/// All combinations of the grid, each checked; `file` is its name for messages.
///
/// # Errors
/// When the grid is none, has more than 10,000 combinations, or one of them can't be done.
pub fn cells(file: &str, sweep: &Sweep) -> Result<Vec<Cell>, Error> {
    let wrong = |what: String| Error::Input(format!("{file}: {what}"));
    let (mut fixed, mut axes) = (Vec::new(), Vec::new());
    leaves("", &sweep.set, &mut fixed);
    leaves("", &sweep.grid, &mut axes);
    let mut grid: Vec<Vec<(String, toml::Value)>> = vec![Vec::new()];
    for (key, values) in axes {
        let list = values.as_array().filter(|list| !list.is_empty()).ok_or_else(|| {
            wrong(format!("grid.{key} is no list of values: write such as `{key} = [1, 2]`"))
        })?;
        if grid.len() * list.len() > MOST_CELLS {
            return Err(wrong(format!("the grid has more than {MOST_CELLS} runs: shorten its lists")));
        }
        let with = |value: &toml::Value| (key.clone(), value.clone());
        grid = grid
            .iter()
            .flat_map(|set| list.iter().map(move |value| [set.clone(), vec![with(value)]].concat()))
            .collect();
    }
    if let Some(columns) = &sweep.columns {
        let known: Vec<&str> = grid[0].iter().map(|(key, _)| key.as_str()).collect();
        if !known.contains(&columns.as_str()) {
            return Err(wrong(format!(
                "columns = `{columns}` is not in the grid, which has {}",
                known.join(", ")
            )));
        }
    }
    let recipe = beside(file, &sweep.recipe);
    let cell = |set: &Vec<(String, toml::Value)>| {
        let changes: Vec<String> =
            fixed.iter().chain(set).map(|(key, value)| format!("{key}={value}")).collect();
        let settings = Recipe::load(&recipe, &changes).and_then(|recipe| recipe.settings());
        let set: BTreeMap<String, String> =
            set.iter().map(|(key, value)| (key.clone(), words(value))).collect();
        match settings {
            Ok(settings) => Ok(Cell { set, settings }),
            Err(error) => Err(wrong(format!("{}: {error}", changes.join(", ")))),
        }
    };
    grid.iter().map(cell).collect()
}

/// The recipe's file beside the sweep's, if there is one; else as it is called.
fn beside(file: &str, recipe: &str) -> String {
    let path = Path::new(file).parent().map(|folder| folder.join(recipe)).filter(|path| path.is_file());
    path.map_or_else(|| recipe.to_owned(), |path| path.display().to_string())
}

/// The dotted keys of all values that are no tables.
fn leaves(prefix: &str, table: &toml::Table, into: &mut Vec<(String, toml::Value)>) {
    for (key, value) in table {
        let key = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        match value {
            toml::Value::Table(table) => leaves(&key, table, into),
            value => into.push((key, value.clone())),
        }
    }
}

fn words(value: &toml::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<Vec<Cell>, Error> {
        let text = format!("format = 1\nname = \"x\"\n{text}");
        cells("x.toml", &config::parse("x.toml", &text)?)
    }

    #[test]
    fn a_grid_is_every_combination() {
        let cells = of("[set]\ngenerate.steps = 20\n[grid]\nseed = [1, 2]\n\"generate.neuron\" = [\"lite0:bricks\", \"lite0:b4:11\", \"lite0:grid\"]").unwrap();
        assert_eq!(cells.len(), 6);
        let seeds: Vec<u64> = cells.iter().map(|cell| cell.settings.seed).collect();
        assert_eq!(seeds.iter().filter(|seed| **seed == 2).count(), 3);
        assert!(cells.iter().all(|cell| cell.settings.free_steps + cell.settings.tune_steps == 20));
        assert_eq!(cells[0].set["generate.neuron"], "lite0:bricks");
    }

    #[test]
    fn mistakes_are_explained() {
        for (text, expected) in [
            ("[grid]\nseed = 3", "grid.seed is no list"),
            ("[grid]\nseed = []", "grid.seed is no list"),
            ("[grid]\nsede = [1]", "did you mean `seed`?"),
            ("[grid]\ngenerate.neuron = [\"lite0:bricks\", \"lite0:brick\"]", "did you mean `bricks`?"),
            ("columns = \"generate.pens\"\n[grid]\nseed = [1]", "is not in the grid, which has seed"),
            ("clumns = \"seed\"\n[grid]\nseed = [1]", "did you mean `columns`?"),
            ("recipe = \"first-inc\"\n[grid]\nseed = [1]", "did you mean `first-ink`?"),
        ] {
            let error = of(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
        let list = (0..200).map(|i| i.to_string()).collect::<Vec<_>>().join(", ");
        let error = of(&format!("[grid]\nseed = [{list}]\ngenerate.strokes = [{list}]")).unwrap_err();
        assert!(error.to_string().contains("more than 10000 runs"), "{error}");
    }

    #[test]
    fn built_in_sweeps_are_sound() {
        for (name, _) in BUILT_IN {
            let (file, sweep) = load(name).unwrap();
            assert!(cells(&file, &sweep).unwrap().len() > 3, "{name}");
        }
        assert!(
            load("chanels")
                .unwrap_err()
                .to_string()
                .contains("built-in ones are catalogue, channels, styles")
        );
    }
}
