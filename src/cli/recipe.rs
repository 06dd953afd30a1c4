//! Recipes: whole jobs in TOML, built in or the user's.

use std::path::Path;

use serde::Deserialize;

use super::{Failure, files};
use traceur_core::config;
use traceur_core::units;

/// The recipes inside the program: name and TOML text.
pub(super) const BUILT_IN: [(&str, &str); 1] = [("first-ink", include_str!("../../recipes/first-ink.toml"))];

/// A whole job.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Recipe {
    #[serde(rename = "format", deserialize_with = "config::de_format")]
    _format: u32,
    pub(super) name: String,
    #[serde(default)]
    pub(super) about: String,
    /// Of all chance.
    #[serde(default)]
    pub(super) seed: u64,
    pub(super) paper: Paper,
    pub(super) generate: Generate,
    pub(super) plot: Plot,
}

/// The sheet.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Paper {
    pub(super) page: String,
    /// White edge; mm.
    #[serde(deserialize_with = "units::de_length")]
    pub(super) margin: f64,
}

/// What is drawn, and with what.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Generate {
    /// One, or several with weights, as `--neuron` has them.
    #[serde(deserialize_with = "one_or_several")]
    pub(super) neuron: String,
    pub(super) pens: String,
    #[serde(default = "four")]
    pub(super) max_pens: usize,
    /// How full the sheet is: airy, rich or dense. Default: short strokes, and white as it comes.
    #[serde(default)]
    pub(super) manner: Option<String>,
    /// Share of the drawable area that is left white, such as "30%". Default: the manner's, or as it comes.
    #[serde(default)]
    pub(super) white: Option<String>,
    /// Cubics of a stroke. Default: the manner's, or 1.
    #[serde(default)]
    pub(super) spans: Option<usize>,
    /// Default: by the sheet's area.
    #[serde(default)]
    pub(super) strokes: Option<usize>,
    /// Copies of a part that make the sheet, such as `3x2`. Default: the sheet is one drawing.
    #[serde(default)]
    pub(super) repeat: Option<String>,
    /// How they lie: repeat, mirror or brick.
    #[serde(default)]
    pub(super) arrange: Option<String>,
    /// How many of them are different.
    #[serde(default)]
    pub(super) parts: Option<usize>,
    /// Drawings that are the parts: SVG files.
    #[serde(default)]
    pub(super) join: Vec<String>,
    /// Steps with the whole sheet, once it is laid out.
    #[serde(default)]
    pub(super) sheet_steps: Option<usize>,
    /// Default: what converges.
    #[serde(default)]
    pub(super) steps: Option<usize>,
    /// Length of all strokes; m.
    #[serde(default)]
    pub(super) metres: Option<f64>,
    /// Of the steps, those in free color.
    #[serde(default)]
    pub(super) free_steps: Option<usize>,
    /// Random views a step.
    #[serde(default)]
    pub(super) views: Option<usize>,
    /// How far views go.
    #[serde(default)]
    pub(super) jitter: Jitter,
    /// A picture whose style is wanted, or `mondrian`.
    #[serde(default)]
    pub(super) style: Option<String>,
    /// The weight of the style.
    #[serde(default)]
    pub(super) lambda: Option<f64>,
    /// Where the style is looked at: `lite0:b2`.
    #[serde(default)]
    pub(super) style_layers: Vec<String>,
    /// Of what the drawing should be beside exciting.
    #[serde(default)]
    pub(super) weights: Weights,
    /// Length of the shortest stroke; mm.
    #[serde(default, deserialize_with = "units::de_length_option")]
    pub(super) feature: Option<f64>,
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

/// How far views go; nothing: as usual.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Jitter {
    pub(super) scale: Option<f64>,
    pub(super) rotation_degrees: Option<f64>,
    pub(super) shift_px: Option<f64>,
    pub(super) perspective: Option<f64>,
    pub(super) crop: Option<f64>,
    pub(super) tint: Option<f64>,
    pub(super) noise: Option<f64>,
}

/// Weights of the terms beside the excitation; nothing: as usual.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Weights {
    pub(super) ink: Option<f64>,
    pub(super) overlap: Option<f64>,
    pub(super) shape: Option<f64>,
    pub(super) margin: Option<f64>,
    pub(super) bend: Option<f64>,
    pub(super) length: Option<f64>,
}

fn four() -> usize {
    4
}

/// What plots it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Plot {
    pub(super) machine: String,
    #[serde(default = "three_hundred")]
    pub(super) dpi: f64,
}

fn three_hundred() -> f64 {
    300.0
}

impl Recipe {
    /// A built-in recipe by name, or a file; `settings` are `key.key=value` changes to it.
    pub(super) fn load(name: &str, settings: &[String]) -> Result<Self, Failure> {
        let (file, text) = text_of(name)?;
        let recipe: Self = config::parse(&file, &text)?;
        let recipe = if settings.is_empty() { recipe } else { with_settings(&file, &text, settings)? };
        if !(10.0..=1200.0).contains(&recipe.plot.dpi) {
            return Err(Failure::Input(format!("{file}: plot.dpi is {}: give 10 to 1200", recipe.plot.dpi)));
        }
        Ok(recipe)
    }
}

fn text_of(name: &str) -> Result<(String, String), Failure> {
    if let Some((name, text)) = BUILT_IN.iter().find(|(known, _)| *known == name) {
        return Ok((format!("built-in {name}"), (*text).to_owned()));
    }
    let path = Path::new(name);
    if !path.exists() && path.extension().is_none() && !files::is_dash(path) {
        let names = BUILT_IN.map(|(name, _)| name);
        let guess =
            config::nearest(name, names).map_or(String::new(), |known| format!(" (did you mean `{known}`?)"));
        return Err(Failure::Input(format!(
            "no recipe `{name}`{guess}: the built-in ones are {}, or give a TOML file",
            names.join(", ")
        )));
    }
    Ok((name.to_owned(), files::read_text(path)?))
}

/// The recipe with `--set` changes: a value is TOML if it can be, else a text.
fn with_settings(file: &str, text: &str, settings: &[String]) -> Result<Recipe, Failure> {
    let mut table: toml::Table = config::parse(file, text)?;
    for setting in settings {
        let wrong = |why: &str| {
            Failure::Input(format!("--set {setting}: {why}, such as `--set generate.strokes=300`"))
        };
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
    let changed = toml::to_string(&table).map_err(|error| Failure::Input(format!("--set: {error}")))?;
    Ok(config::parse(&format!("{file} with --set"), &changed)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(settings: &[&str]) -> Result<Recipe, Failure> {
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
        assert_eq!(recipe.generate.weights.ink, Some(7.0));
        let settings = crate::cli::settings::of(&recipe).unwrap();
        assert_eq!((settings.weights.ink, settings.aim.targets().len()), (7.0, 2));
        let recipe =
            load(&["generate.style=mondrian", "generate.lambda=20", "generate.jitter.crop=0.2"]).unwrap();
        let settings = crate::cli::settings::of(&recipe).unwrap();
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
            let recipe = load(&[setting]).and_then(|recipe| crate::cli::settings::of(&recipe));
            if let Err(error) = recipe {
                assert!(error.to_string().contains(expected), "{setting}: {error}");
            } else {
                assert!(expected.is_empty(), "{setting}");
            }
        }
        let layers = load(&["generate.style=mondrian", "generate.style_layers=[\"b99\"]"]).unwrap();
        assert!(crate::cli::settings::of(&layers).unwrap_err().to_string().contains("lite0 has stem"));
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
