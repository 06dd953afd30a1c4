//! What TensorBoard shows of a run.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use super::tensorboard::{EventFile, Parameter};
use super::{Error, picture};
use crate::{Outcome, Picture, Progress, Run, Settings};

/// Longest edge of logged pictures; px.
const EDGE_PX: u32 = 640;
/// By these, runs are compared in the table of parameters.
const METRICS: [&str; 3] = ["final/excitation", "final/white", "final/loss"];
/// Lists longer than this are data, not parameters.
const MOST_ITEMS: usize = 32;

/// An event file of one run: every term of the loss, the excitation, the share of white, the learning rate, pictures,
/// parameters and the recipe.
#[derive(Debug)]
pub struct Log {
    events: EventFile,
    every: usize,
}

impl Log {
    /// Begins a log in `folder`; a picture is kept every `every` steps. `now` is the time since the Unix epoch.
    ///
    /// # Errors
    /// When the folder can't be written.
    pub fn begin(folder: &Path, settings: &Settings, every: usize, now: Duration) -> Result<Self, Error> {
        let mut events = EventFile::create(folder, now)?;
        let group = folder.file_name().map_or(String::new(), |name| name.to_string_lossy().into_owned());
        events.parameters(now, &group, &parameters(settings), &METRICS)?;
        events.text(0, now, "recipe", &format!("```\n{}```", as_text(settings)))?;
        Ok(Self { events, every: every.max(1) })
    }

    /// Logs what a step did; `run` is after it.
    ///
    /// # Errors
    /// When the file can't be written, or the run can't be drawn.
    pub fn step(&mut self, run: &Run, progress: &Progress, now: Duration) -> Result<(), Error> {
        let mut values = vec![
            ("excitation".to_owned(), progress.excitation),
            ("loss/total".to_owned(), progress.loss),
            ("rate_px".to_owned(), progress.rate_px as f32),
        ];
        for term in &progress.terms {
            values.push((format!("loss/{}", term.name), term.value * term.weight as f32));
            if term.name != "excitation" {
                values.push((term.name.clone(), term.value));
            }
        }
        values.push(("white".to_owned(), run.white()?));
        self.events.scalars(progress.step, now, &values)?;
        if progress.step.is_multiple_of(self.every) || progress.step == 1 {
            self.picture(progress.step, "drawing", &run.picture()?, now)?;
        }
        Ok(())
    }

    /// Logs how it ended; `drawing` is the picture of it after `step` steps.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn end(
        &mut self,
        step: usize,
        outcome: &Outcome,
        drawing: &Picture,
        is_whole: bool,
        now: Duration,
    ) -> Result<(), Error> {
        let excitation = &outcome.excitation;
        let values = [
            ("final/excitation", excitation.tuned),
            ("final/excitation_free", excitation.free),
            ("final/excitation_snapped", excitation.snapped),
            ("final/white", outcome.white),
            ("final/loss", outcome.loss),
        ];
        let values = values.map(|(tag, value)| (tag.to_owned(), value));
        self.events.scalars(step, now, &values)?;
        self.picture(step, "final", drawing, now)?;
        self.events.end(now, is_whole)
    }

    fn picture(&mut self, step: usize, tag: &str, picture: &Picture, now: Duration) -> Result<(), Error> {
        let image = picture::thumbnail(picture, EDGE_PX);
        self.events.image(step, now, tag, image.dimensions(), &picture::to_png(&image)?)
    }
}

/// The settings as flat names and values: pens by their ids, pictures left out.
#[must_use]
pub fn parameters(settings: &Settings) -> Vec<(String, Parameter)> {
    let mut value = serde_json::to_value(settings).unwrap_or_default();
    if let Some(pens) = value.get_mut("pens") {
        *pens = settings.pens.iter().map(|pen| pen.id.as_str()).collect::<Vec<_>>().join(" ").into();
    }
    let mut flat = Vec::new();
    flatten(String::new(), value, &mut flat);
    flat
}

/// The settings as people read them, one a line.
fn as_text(settings: &Settings) -> String {
    let line = |(name, value): (String, Parameter)| match value {
        Parameter::Number(number) => format!("{name} = {number}\n"),
        Parameter::Flag(flag) => format!("{name} = {flag}\n"),
        Parameter::Text(text) => format!("{name} = {text:?}\n"),
    };
    parameters(settings).into_iter().map(line).collect()
}

fn flatten(name: String, value: Value, into: &mut Vec<(String, Parameter)>) {
    let parameter = match value {
        Value::Null => return,
        Value::Bool(flag) => Parameter::Flag(flag),
        Value::Number(number) => Parameter::Number(number.as_f64().unwrap_or(f64::NAN)),
        Value::String(text) => Parameter::Text(text),
        Value::Array(items) => {
            if items.len() > MOST_ITEMS {
                return;
            }
            let text = |item: &Value| item.as_str().map_or_else(|| item.to_string(), ToOwned::to_owned);
            Parameter::Text(items.iter().map(text).collect::<Vec<_>>().join(" "))
        }
        Value::Object(fields) => {
            for (key, value) in fields {
                let name = if name.is_empty() { key } else { format!("{name}.{key}") };
                flatten(name, value, into);
            }
            return;
        }
    };
    into.push((name, parameter));
}

#[cfg(test)]
mod tests {
    use super::*;
    use traceur_core::drawing::Page;
    use traceur_core::pens::Inventory;

    #[test]
    fn parameters_are_flat_and_pens_are_named() {
        let pens = Inventory::built_in("black").unwrap().pens;
        let page = Page { width: 100.0, height: 50.0 };
        let settings = Settings::new(page, "lite0:b4:11".parse().unwrap(), pens);
        let flat = parameters(&settings);
        let of = |name: &str| flat.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
        assert_eq!(of("page.width"), Some(Parameter::Number(100.0)));
        assert_eq!(of("weights.ink"), Some(Parameter::Number(settings.weights.ink)));
        assert_eq!(of("pens"), Some(Parameter::Text("black".into())));
        assert_eq!(of("strokes"), None);
    }
}
