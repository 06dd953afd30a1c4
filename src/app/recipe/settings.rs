//! From a recipe to the generator's settings.

use std::path::Path;

use super::{Generate, Recipe};
use crate::wanted::Source;
use crate::{Error, catalog, files};
use traceur_core::drawing::scene::{Matching, Stages};
use traceur_core::drawing::{Page, svg};
use traceur_core::pens::Pen;
use traceur_generator::network::{Layer, Net};
use traceur_generator::{Aim, Arrangement, Given, Grid, Manner, Settings, Style, parse_share};

/// The style that needs no file.
const BUILT_IN_STYLE: &str = "mondrian";
/// Longer edge of an SVG that is looked at for its style; px.
const STYLE_EDGE_PX: f64 = 224.0;

/// Ready settings of a recipe.
pub(super) fn of(recipe: &Recipe) -> Result<Settings, Error> {
    let generate = &recipe.generate;
    let page = Page::parse(&recipe.paper.page)?;
    let aim: Aim = generate.neuron.parse()?;
    let mut settings = Settings::new(page, aim, catalog::pens::choose(&generate.pens)?);
    settings = settings.in_manner(manner(generate).map_err(Error::Input)?);
    compose(&mut settings, generate).map_err(Error::Input)?;
    settings.margin = recipe.paper.margin;
    settings.most_pens = generate.max_pens;
    settings.strokes = generate.strokes;
    settings.seed = recipe.seed;
    settings.length = generate.metres.map(|metres| 1000.0 * metres);
    settings.feature = generate.feature;
    settings.views = generate.views.unwrap_or(settings.views);
    settings.grid = grid(generate).map_err(Error::Input)?;
    settings.given = given(generate, &settings.pens)?;
    settings.sheet_steps = generate.sheet_steps.unwrap_or(settings.sheet_steps);
    divide_steps(&mut settings, generate)?;
    settings.style = style(generate, settings.aim.net())?;
    adjust(&mut settings, generate)?;
    settings.check()?;
    Ok(settings)
}

/// Drawings that are joined keep their strokes and their white, unless a manner is named.
fn manner(generate: &Generate) -> Result<Manner, String> {
    let usual = if generate.join.is_empty() { Manner::default() } else { Manner::Plain };
    generate.manner.as_deref().map_or(Ok(usual), str::parse)
}

/// What the manner leaves open.
fn compose(settings: &mut Settings, generate: &Generate) -> Result<(), String> {
    if generate.strokes.is_some() {
        // So many strokes leave as much white as they leave.
        settings.white = settings.white.map(|_| [0.0, 1.0]);
    }
    if let Some(white) = &generate.white {
        if generate.metres.is_some() {
            return Err("both a share of white and metres of ink: give one of them".into());
        }
        let share = parse_share(white)?;
        settings.white = Some([share; 2]);
    }
    settings.spans = generate.spans.unwrap_or(settings.spans);
    Ok(())
}

fn grid(generate: &Generate) -> Result<Option<Grid>, String> {
    let Some(repeat) = &generate.repeat else {
        if generate.arrange.is_some() || generate.parts.is_some() || !generate.join.is_empty() {
            return Err(
                "arrange, parts and join are for copies: say how many too, such as `repeat = \"3x2\"`".into(),
            );
        }
        return Ok(None);
    };
    let arrangement = generate.arrange.as_deref().map_or(Ok(Arrangement::default()), str::parse)?;
    let parts = if generate.join.is_empty() { generate.parts.unwrap_or(1) } else { generate.join.len() };
    let grid = Grid { arrangement, parts, ..repeat.parse()? };
    if !grid.is_sane() {
        return Err(format!("{} different parts of {repeat}: give 1 to as many as there are", grid.parts));
    }
    Ok(Some(grid))
}

/// The drawings that are to be joined, by the pens that there are.
fn given(generate: &Generate, pens: &[Pen]) -> Result<Vec<Given>, Error> {
    let read = |name: &String| {
        let path = Path::new(name);
        let stages = Stages { matching: Matching { pens, ..Matching::default() }, ..Stages::default() };
        let drawn = svg::read(name, &files::read(path)?)?.scene.draw(&stages)?;
        Given::of(&drawn.drawing, pens)
            .ok_or_else(|| Error::Input(format!("{name}: nothing in it is drawn by the pens that there are")))
    };
    generate.join.iter().map(read).collect()
}

/// The share of the free colors stays as it is by default.
fn divide_steps(settings: &mut Settings, generate: &Generate) -> Result<(), Error> {
    let usual = settings.free_steps + settings.tune_steps;
    let steps = generate.steps.unwrap_or(usual);
    let free = generate.free_steps.unwrap_or(settings.free_steps * steps / usual);
    settings.tune_steps = steps.checked_sub(free).ok_or_else(|| {
        Error::Input(format!("{free} steps in free color, but {steps} steps in all: give fewer"))
    })?;
    settings.free_steps = free;
    Ok(())
}

fn style(generate: &Generate, net: Net) -> Result<Option<Style>, Error> {
    let Some(name) = &generate.style else { return Ok(None) };
    let picture = if name == BUILT_IN_STYLE {
        Style::mondrian()
    } else {
        Source::read(Path::new(name))?.alone(STYLE_EDGE_PX)?
    };
    let mut style = Style::new(&picture, net);
    style.lambda = generate.lambda.unwrap_or(style.lambda);
    if !style.lambda.is_finite() {
        return Err(Error::Input(format!(
            "a style cannot count {} times: give lambda a number",
            style.lambda
        )));
    }
    if !generate.style_layers.is_empty() {
        let layers = generate.style_layers.iter().map(|name| layer(name.trim(), net));
        style.layers = layers.collect::<Result<_, _>>()?;
    }
    Ok(Some(style))
}

/// `net:layer`, or a layer of the network that is excited.
fn layer(name: &str, own: Net) -> Result<Layer, Error> {
    let (net, layer) = match name.split_once(':') {
        Some((net, layer)) => (net.parse()?, layer),
        None => (own, name),
    };
    Layer::named(net, layer).ok_or_else(|| {
        let known: Vec<String> = Layer::all(net).map(|layer| layer.to_string()).collect();
        Error::Input(format!("style layer `{name}`: {net} has {}", known.join(", ")))
    })
}

/// Sets weights and jitters by name.
fn adjust(settings: &mut Settings, generate: &Generate) -> Result<(), Error> {
    for (name, value) in &generate.weights {
        let set = settings.weights.set(name, *value);
        set.map_err(|why| Error::Input(format!("generate.weights.{name}: {why}")))?;
    }
    for (name, value) in &generate.jitter {
        let set = settings.jitter.set(name, *value);
        set.map_err(|why| Error::Input(format!("generate.jitter.{name}: {why}")))?;
    }
    Ok(())
}
