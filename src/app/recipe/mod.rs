//! Recipes: whole jobs in TOML, built in or the user's.

mod settings;
pub mod sweep;

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use crate::{Error, files};
use traceur_core::config;
use traceur_core::units;

/// The recipes inside the program: name and TOML text.
pub const BUILT_IN: [(&str, &str); 1] = [("first-ink", include_str!("../built-in/recipes/first-ink.toml"))];

/// A whole job.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    #[serde(rename = "format", deserialize_with = "config::de_format")]
    _format: u32,
    /// For people and for names of files.
    pub name: String,
    /// What it draws, for people.
    #[serde(default)]
    pub about: String,
    /// Of all chance.
    #[serde(default)]
    pub seed: u64,
    /// The sheet.
    pub paper: Paper,
    /// What is drawn.
    pub generate: Generate,
    /// What plots it.
    pub plot: Plot,
}

/// The sheet.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Paper {
    /// Such as `A5 landscape`.
    pub page: String,
    /// White edge; mm.
    #[serde(deserialize_with = "units::de_length")]
    pub margin: f64,
}

/// What is drawn, and with what.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Generate {
    /// One, or several with weights, as `--neuron` has them.
    #[serde(deserialize_with = "one_or_several")]
    pub neuron: String,
    /// As `catalog::pens::choose` takes them.
    pub pens: String,
    /// Most pens that are used.
    #[serde(default = "four")]
    pub max_pens: usize,
    /// How full the sheet is, and with what strokes: plain, airy, rich or dense. Default: rich.
    #[serde(default)]
    pub manner: Option<String>,
    /// Share of the drawable area that is left white, such as "30%". Default: the manner's.
    #[serde(default)]
    pub white: Option<String>,
    /// Cubics of a stroke. Default: the manner's.
    #[serde(default)]
    pub spans: Option<usize>,
    /// Default: by the sheet's area.
    #[serde(default)]
    pub strokes: Option<usize>,
    /// Copies of a part that make the sheet, such as `3x2`. Default: the sheet is one drawing.
    #[serde(default)]
    pub repeat: Option<String>,
    /// How they lie: repeat, mirror or brick.
    #[serde(default)]
    pub arrange: Option<String>,
    /// How many of them are different.
    #[serde(default)]
    pub parts: Option<usize>,
    /// Drawings that are the parts: SVG files.
    #[serde(default)]
    pub join: Vec<String>,
    /// Steps with the whole sheet, once it is laid out.
    #[serde(default)]
    pub sheet_steps: Option<usize>,
    /// Default: what converges.
    #[serde(default)]
    pub steps: Option<usize>,
    /// Length of all strokes; m.
    #[serde(default)]
    pub metres: Option<f64>,
    /// Of the steps, those in free color.
    #[serde(default)]
    pub free_steps: Option<usize>,
    /// Random views a step.
    #[serde(default)]
    pub views: Option<usize>,
    /// How far views go.
    #[serde(default)]
    pub jitter: BTreeMap<String, f64>,
    /// A picture whose style is wanted, or `mondrian`.
    #[serde(default)]
    pub style: Option<String>,
    /// The weight of the style.
    #[serde(default)]
    pub lambda: Option<f64>,
    /// Where the style is looked at: `lite0:b2`.
    #[serde(default)]
    pub style_layers: Vec<String>,
    /// Of what the drawing should be beside exciting.
    #[serde(default)]
    pub weights: BTreeMap<String, f64>,
    /// Length of the shortest stroke; mm.
    #[serde(default, deserialize_with = "units::de_length_option")]
    pub feature: Option<f64>,
}

fn one_or_several<'de, D: serde::Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "a neuron such as \"lite0:b6:24\", or a list of them")]
    enum Neurons {
        One(String),
        Several(Vec<String>),
    }
    Ok(match Neurons::deserialize(from)? {
        Neurons::One(neuron) => neuron,
        Neurons::Several(neurons) => neurons.join("+"),
    })
}

fn four() -> usize {
    4
}

/// What plots it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plot {
    /// As `catalog::machines::choose` takes it.
    pub machine: String,
    /// Pixels an inch of the picture of the ink; 10 to 1200.
    #[serde(default = "three_hundred")]
    pub dpi: f64,
}

fn three_hundred() -> f64 {
    300.0
}

impl Recipe {
    /// A built-in recipe by name, or a file; `settings` are `key.key=value` changes to it.
    ///
    /// # Errors
    /// When there is none of that name, and what is wrong in it.
    pub fn load(name: &str, settings: &[String]) -> Result<Self, Error> {
        let (file, text) = text_of(name)?;
        let recipe: Self = config::parse(&file, &text)?;
        let recipe = if settings.is_empty() { recipe } else { with_settings(&file, &text, settings)? };
        if !(10.0..=1200.0).contains(&recipe.plot.dpi) {
            return Err(Error::Input(format!("{file}: plot.dpi is {}: give 10 to 1200", recipe.plot.dpi)));
        }
        Ok(recipe)
    }

    /// The generator's settings.
    ///
    /// # Errors
    /// What is out of range, not there, or can't be read.
    pub fn settings(&self) -> Result<traceur_generator::Settings, Error> {
        settings::of(self)
    }
}

fn text_of(name: &str) -> Result<(String, String), Error> {
    if let Some((name, text)) = BUILT_IN.iter().find(|(known, _)| *known == name) {
        return Ok((format!("built-in {name}"), (*text).to_owned()));
    }
    let path = Path::new(name);
    if !path.exists() && path.extension().is_none() && !files::is_dash(path) {
        let names = BUILT_IN.map(|(name, _)| name);
        let guess =
            config::nearest(name, names).map_or(String::new(), |known| format!(" (did you mean `{known}`?)"));
        return Err(Error::Input(format!(
            "no recipe `{name}`{guess}: the built-in ones are {}, or give a TOML file",
            names.join(", ")
        )));
    }
    Ok((name.to_owned(), files::read_text(path)?))
}

/// The recipe with `--set` changes: a value is TOML if it can be, else a text.
fn with_settings(file: &str, text: &str, settings: &[String]) -> Result<Recipe, Error> {
    let mut table: toml::Table = config::parse(file, text)?;
    for setting in settings {
        let wrong =
            |why: &str| Error::Input(format!("--set {setting}: {why}, such as `--set generate.strokes=300`"));
        let (keys, value) = setting.split_once('=').ok_or_else(|| wrong("write KEY=VALUE"))?;
        let parsed: Option<toml::Table> = toml::from_str(&format!("v = {value}")).ok();
        let value =
            parsed.and_then(|mut t| t.remove("v")).unwrap_or_else(|| toml::Value::String(value.into()));
        let mut keys: Vec<&str> = keys.split('.').map(str::trim).collect();
        let last = keys.pop().filter(|key| !key.is_empty()).ok_or_else(|| wrong("the key is empty"))?;
        let mut at = &mut table;
        for key in keys {
            let next = at.entry(key).or_insert_with(|| toml::Value::Table(toml::Table::new()));
            at = next.as_table_mut().ok_or_else(|| wrong("the key goes through a value"))?;
        }
        at.insert(last.into(), value);
    }
    let changed = toml::to_string(&table).map_err(|error| Error::Input(format!("--set: {error}")))?;
    Ok(config::parse(&format!("{file} with --set"), &changed)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(settings: &[&str]) -> Result<Recipe, Error> {
        Recipe::load("first-ink", &settings.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn settings_change_the_recipe() {
        let recipe = load(&["generate.strokes=12", "paper.page=a5 landscape", "seed=9"]).unwrap();
        assert_eq!((recipe.generate.strokes, recipe.seed), (Some(12), 9));
        assert_eq!(recipe.paper.page, "a5 landscape");
    }

    #[test]
    fn neurons_may_be_a_list_and_weights_a_table() {
        let recipe =
            load(&[r#"generate.neuron=["lite0:b6:24", "lite0:b7:15*0.5"]"#, "generate.weights.ink=7"])
                .unwrap();
        assert_eq!(recipe.generate.neuron, "lite0:b6:24+lite0:b7:15*0.5");
        assert_eq!(recipe.generate.weights["ink"], 7.0);
        let settings = recipe.settings().unwrap();
        assert_eq!((settings.weights.ink, settings.aim.targets().len()), (7.0, 2));
        let recipe =
            load(&["generate.style=mondrian", "generate.lambda=20", "generate.jitter.crop=0.2"]).unwrap();
        let settings = recipe.settings().unwrap();
        let style = settings.style.unwrap();
        assert_eq!((style.lambda, style.layers.len(), settings.jitter.crop), (20.0, 3, 0.2));
    }

    #[test]
    fn generator_settings_that_cannot_work_are_explained() {
        for (setting, expected) in [
            ("generate.views=0", "give 1 to 64"),
            ("generate.free_steps=1000", "give fewer"),
            ("generate.jitter.noise=3", "generate.jitter.noise: give 0 to 1"),
            ("generate.feature=0mm", "generate.feature"),
            ("generate.metres=0", "metres of ink"),
            ("generate.neuron=7", "a neuron such as"),
            ("generate.style_layers=[\"b99\"]", ""),
        ] {
            let recipe = load(&[setting]).and_then(|recipe| recipe.settings());
            if let Err(error) = recipe {
                assert!(error.to_string().contains(expected), "{setting}: {error}");
            } else {
                assert!(expected.is_empty(), "{setting}");
            }
        }
        let layers = load(&["generate.style=mondrian", "generate.style_layers=[\"b99\"]"]).unwrap();
        assert!(layers.settings().unwrap_err().to_string().contains("lite0 has stem"));
    }

    #[test]
    fn what_is_counted_or_given_is_not_filled_up() {
        let settings = |set: &[&str]| load(set).unwrap().settings().unwrap();
        let rich = settings(&["generate.manner=rich"]);
        assert_eq!((rich.spans, rich.white), (4, Some([0.58, 0.68])));
        assert_eq!(settings(&["generate.manner=rich", "generate.neuron=lite0:b9"]).white, Some([0.38, 0.46]));
        assert_eq!(settings(&["generate.manner=rich", "generate.strokes=60"]).white, Some([0.0, 1.0]));
        let white = ["generate.manner=rich", "generate.strokes=60", "generate.white=50%"];
        assert_eq!(settings(&white).white, Some([0.5, 0.5]));
        assert_eq!(settings(&[]).white, None, "first-ink is plain");
    }

    #[test]
    fn wrong_settings_are_explained() {
        for (setting, expected) in [
            ("generate.stroks=12", "did you mean `strokes`?"),
            ("seed", "write KEY=VALUE"),
            ("seed.x=1", "goes through a value"),
            ("paper.margin=3", "invalid type: integer"),
        ] {
            let error = load(&[setting]).unwrap_err().to_string();
            assert!(error.contains(expected), "{setting}: {error}");
        }
        assert!(
            Recipe::load("first-inc", &[]).unwrap_err().to_string().contains("did you mean `first-ink`?")
        );
    }
}
