//! What a drawing should do: excite a neuron from every near view, with little ink, no strokes on strokes and no knots.

use std::collections::BTreeMap;

use candle_core::{D, Device, Tensor};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::aim::{Aim, Target};
use super::augment::View;
use super::network::{Layer, Network};
use super::rasterizer::{Rasterizer, encode};
use super::schedule::arcs;
use super::settings::Settings;
use super::spline::Spline;
use super::style::Wanted;
use super::{Canvas, Error, Picture};
use traceur_core::color::{Ink, Srgb8};
use traceur_core::drawing::Page;
use traceur_core::geometry::Rect;

/// The spread of a usual channel of EfficientNet-Lite0 on usual strokes: one that weighs as much as its activations are.
const USUAL_SPREAD: f64 = 6.0;
/// Sum over all pixels and colors of the size of the loss's slopes, for a usual channel.
const USUAL_SLOPE: f64 = 100.0;
/// Least and greatest factor that an aim makes of the weights.
const SCALES: [f64; 2] = [0.01, 100.0];
/// Edge of the picture of usual strokes; px.
const USUAL_PX: usize = 160;
/// Edge of the squares of it that are compared; px.
const PLACE_PX: usize = 16;

/// Weights of the terms beside the excitation, for a usual channel: each is multiplied by how much the loss of the aim at
/// hand depends on the picture, relative to that.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Weights {
    /// Of the mean coverage above 1: strokes on strokes.
    pub overlap: f64,
    /// Of the mean coverage. It counts every pen alike: by darkness, pale pens would win and hardly be seen.
    pub ink: f64,
    /// Of hooks, knots and uneven control legs, a stroke.
    pub shape: f64,
    /// Of control points nearer than 4 px to the edge of the drawable area.
    pub margin: f64,
    /// Of turns along a stroke, 1 - cos each.
    pub bend: f64,
    /// Of the mean length of a stroke in arcs of 24 px.
    pub length: f64,
}

impl Default for Weights {
    fn default() -> Self {
        Self { overlap: 60.0, ink: 20.0, shape: 3.0, margin: 1.0, bend: 0.0, length: 0.0 }
    }
}

impl Weights {
    /// Sets one by its field's name.
    ///
    /// # Errors
    /// In a clause: a name that there is not, a value that is no number.
    pub fn set(&mut self, name: &str, value: f64) -> Result<(), String> {
        let names = self.fields().map(|(name, _)| name).join(", ");
        let field = self.fields().into_iter().find(|(own, _)| *own == name);
        let (_, field) = field.ok_or_else(|| format!("no such weight; there are {names}"))?;
        if !value.is_finite() {
            return Err(format!("{value} is no weight: give a number"));
        }
        *field = value;
        Ok(())
    }

    /// The name of the first that is no number.
    pub(super) fn first_mistake(mut self) -> Option<&'static str> {
        self.fields().into_iter().find(|(_, value)| !value.is_finite()).map(|(name, _)| name)
    }

    fn fields(&mut self) -> [(&'static str, &mut f64); 6] {
        [
            ("ink", &mut self.ink),
            ("overlap", &mut self.overlap),
            ("shape", &mut self.shape),
            ("margin", &mut self.margin),
            ("bend", &mut self.bend),
            ("length", &mut self.length),
        ]
    }
}

/// One term of the loss.
#[derive(Debug, Clone, PartialEq)]
pub struct Term {
    /// A word, for logs.
    pub name: String,
    /// What was measured.
    pub value: f32,
    /// Its weight in the loss; below 0 for what is made large.
    pub weight: f64,
}

/// The terms of one step.
pub(super) struct Terms {
    /// See [`Objective::excitation`].
    pub(super) excitation: f32,
    /// What is made small; a scalar.
    pub(super) loss: Tensor,
    /// What it is the sum of.
    pub(super) parts: Vec<Term>,
}

/// A loss in the making.
#[derive(Default)]
struct Sum {
    loss: Option<Tensor>,
    parts: Vec<Term>,
}

impl Sum {
    /// Adds `weight` times a scalar.
    fn add(&mut self, name: &str, value: &Tensor, weight: f64) -> Result<(), Error> {
        self.parts.push(Term { name: name.into(), value: value.to_scalar()?, weight });
        let part = (value * weight)?;
        self.loss = Some(match self.loss.take() {
            Some(loss) => (loss + part)?,
            None => part,
        });
        Ok(())
    }
}

/// An objective on a canvas.
#[derive(Debug, Clone)]
pub(super) struct Objective {
    networks: Vec<Network>,
    /// All that must be seen of the networks.
    layers: Vec<Layer>,
    aim: Aim,
    /// Of each target: makes excitations of any channel weigh alike.
    gains: Vec<f64>,
    style: Option<Wanted>,
    weights: Weights,
    /// What the aim makes of the weights: 1 for a usual channel.
    pub(super) scale: f64,
    /// Whether ink is balanced for a share of white.
    is_balanced: bool,
    /// Strokes shorter than this are knots; px.
    shortest_px: f64,
    /// Left, top, right and bottom of the drawable area; px.
    pub(super) inside: [f32; 4],
}

impl Objective {
    /// The objective of `settings`; `inside`: left, top, right and bottom of the drawable area, px.
    pub(super) fn new(settings: &Settings, inside: [f32; 4]) -> Result<Self, Error> {
        let targets = settings.aim.targets();
        let mut layers: Vec<Layer> = targets.iter().map(|(target, _)| target.layer()).collect();
        layers.extend(settings.style.iter().flat_map(|style| &style.layers));
        layers.sort_unstable();
        layers.dedup();
        let mut nets: Vec<_> = layers.iter().map(|layer| layer.net()).collect();
        nets.dedup();
        let networks = nets.into_iter().map(Network::load).collect::<Result<_, _>>()?;
        let mut objective = Self {
            networks,
            layers,
            aim: settings.aim.clone(),
            gains: Vec::new(),
            style: None,
            weights: settings.weights,
            scale: 1.0,
            is_balanced: settings.balanced_white().is_some(),
            shortest_px: settings.shortest_px(&settings.canvas()?),
            inside,
        };
        let usual = objective.look(&usual_strokes()?)?;
        for (target, _) in targets {
            objective.gains.push(USUAL_SPREAD / spread(*target, &usual[&target.layer()])?);
        }
        if let Some(style) = &settings.style {
            objective.style = Some(Wanted::new(style, &objective.look(&style.planes()?)?)?);
        }
        tracing::debug!(aim = %objective.aim, gains = ?objective.gains, "objective");
        Ok(objective)
    }

    /// The same on a canvas whose first pixel is at `corner` (px) of this one.
    pub(super) fn shifted(&self, [left, top]: [f32; 2]) -> Self {
        let [x0, y0, x1, y1] = self.inside;
        Self { inside: [x0 - left, y0 - top, x1 - left, y1 - top], ..self.clone() }
    }

    /// The terms for a picture [4, H, W] of strokes by control `points` [N, n + 3, 2], seen by some views; `ink`: the weight
    /// of ink.
    pub(super) fn terms(
        &self,
        picture: &Tensor,
        points: &Tensor,
        views: &[View],
        ink: f64,
    ) -> Result<Terms, Error> {
        let rgb = picture.narrow(0, 0, 3)?;
        let seen = views.iter().map(|view| view.see(&rgb)).collect::<Result<Vec<_>, _>>()?;
        let seen = self.look(&Tensor::stack(&seen, 0)?)?;
        let coverage = picture.narrow(0, 3, 1)?;
        let (weights, scale) = (&self.weights, self.scale);
        let mut sum = Sum::default();
        // Where ink is wanted for itself, to leave less white, it is not wanted on ink.
        let wanted_ink = if self.is_balanced { (-ink).max(0.0) } else { 0.0 };
        sum.add("overlap", &(&coverage - 1.0)?.relu()?.mean_all()?, self.overlap_weight() + wanted_ink)?;
        sum.add("ink", &coverage.mean_all()?, ink)?;
        let mut excitation = 0.0;
        for ((target, weight), gain) in self.aim.targets().iter().zip(&self.gains) {
            let value = value(*target, &seen[&target.layer()])?;
            excitation += weight * f64::from(value.to_scalar::<f32>()?);
            let name =
                if self.gains.len() == 1 { "excitation".into() } else { format!("excitation {target}") };
            sum.add(&name, &value, -weight * gain)?;
        }
        if let Some(wanted) = &self.style {
            sum.add("style", &wanted.distance(&seen)?, wanted.lambda)?;
        }
        let [bad, bends, lengths] = shape(points, self.shortest_px)?;
        sum.add("shape", &bad, scale * weights.shape)?;
        sum.add("margin", &self.margin(points)?, scale * weights.margin)?;
        if weights.bend != 0.0 {
            sum.add("bend", &bends, scale * weights.bend)?;
        }
        if weights.length != 0.0 {
            sum.add("length", &lengths, scale * weights.length)?;
        }
        let loss = sum.loss.expect("terms were added");
        Ok(Terms { excitation: excitation as f32, loss, parts: sum.parts })
    }

    /// What the targets' activations are for pictures [B, 3, H, W], sRGB: the sum of weight times value, as the networks have it.
    pub(super) fn excitation(&self, rgb: &Tensor) -> Result<f32, Error> {
        let seen = self.look(rgb)?;
        let mut sum = 0.0;
        for (target, weight) in self.aim.targets() {
            sum += weight * f64::from(value(*target, &seen[&target.layer()])?.to_scalar::<f32>()?);
        }
        Ok(sum as f32)
    }

    /// The relative distance of pictures [B, 3, H, W], sRGB, to the style, if there is one.
    pub(super) fn style_of(&self, rgb: &Tensor) -> Result<Option<f32>, Error> {
        let Some(wanted) = &self.style else { return Ok(None) };
        Ok(Some(wanted.distance(&self.look(rgb)?)?.to_scalar()?))
    }

    /// How much the loss depends on a picture, by its slopes [4, H, W] there, relative to a usual channel's: only the aim and
    /// the style see the colors, so the weights of the other terms have no part in it.
    pub(super) fn scale_of(slopes: &Tensor) -> Result<f64, Error> {
        let [_, height, width] = *slopes.dims() else { return Ok(1.0) };
        let mean = f64::from(slopes.narrow(0, 0, 3)?.abs()?.mean_all()?.to_scalar::<f32>()?);
        let [least, most] = SCALES;
        let slope = 3.0 * mean * (height * width) as f64;
        tracing::trace!(slope, "of the aim");
        Ok((slope / USUAL_SLOPE).clamp(least, most))
    }

    /// What ink on ink weighs.
    pub(super) fn overlap_weight(&self) -> f64 {
        self.scale * self.weights.overlap
    }

    /// The activations of all layers for pictures [B, 3, H, W], sRGB.
    fn look(&self, rgb: &Tensor) -> Result<BTreeMap<Layer, Tensor>, Error> {
        let mut seen = BTreeMap::new();
        for network in &self.networks {
            let own = |layer: &&Layer| layer.net() == network.net();
            let layers: Vec<Layer> = self.layers.iter().filter(own).copied().collect();
            seen.extend(layers.iter().copied().zip(network.forward(rgb, &layers)?));
        }
        Ok(seen)
    }

    /// Squared depth of the control points in the outermost 4 px; mean.
    fn margin(&self, points: &Tensor) -> Result<Tensor, Error> {
        let [left, top, right, bottom] = self.inside;
        let edge = |x: f32, y: f32| Tensor::from_slice(&[x, y], (1, 1, 2), points.device());
        let before = edge(left + 4.0, top + 4.0)?.broadcast_sub(points)?.relu()?.sqr()?;
        let after = points.broadcast_sub(&edge(right - 4.0, bottom - 4.0)?)?.relu()?.sqr()?;
        Ok((before + after)?.mean_all()?)
    }
}

/// Excitation of a target by its layer's activations [B, c, h, w]; a scalar.
fn value(target: Target, activations: &Tensor) -> Result<Tensor, Error> {
    let (_, _, h, w) = activations.dims4()?;
    Ok(match target {
        Target::Channel(neuron) => activations.narrow(1, neuron.channel(), 1)?.mean_all()?,
        Target::Spot(neuron, [x, y]) => {
            let cell = |share: f64, count: usize| ((share * count as f64) as usize).min(count - 1);
            let channel = activations.narrow(1, neuron.channel(), 1)?;
            channel.narrow(2, cell(y, h), 1)?.narrow(3, cell(x, w), 1)?.mean_all()?
        }
        Target::Layer(_) => (activations.relu()?.sqr()?.mean_all()? + 1e-12)?.sqrt()?,
    })
}

/// How much a target's activations [1, c, h, w] of the usual strokes differ from place to place: their standard
/// deviation. Places are squares of 16 px: what fires in single points, as fine layers do, can't be had everywhere.
fn spread(target: Target, activations: &Tensor) -> Result<f64, Error> {
    let (_, _, h, _) = activations.dims4()?;
    let activations = &activations.avg_pool2d((h * PLACE_PX / USUAL_PX).max(1))?;
    let deviation = |values: &Tensor| -> Result<f64, Error> {
        let mean = values.mean_all()?;
        Ok(f64::from(values.broadcast_sub(&mean)?.sqr()?.mean_all()?.sqrt()?.to_scalar::<f32>()?))
    };
    let all = deviation(activations)?.max(1e-6);
    Ok(match target {
        // A channel that strokes leave cold has a spread of nearly nothing.
        Target::Channel(neuron) | Target::Spot(neuron, _) => {
            deviation(&activations.narrow(1, neuron.channel(), 1)?)?.max(0.1 * all)
        }
        Target::Layer(_) => all,
    })
}

/// The picture [1, 3, H, W] by which targets are compared: black arcs of all directions.
fn usual_strokes() -> Result<Tensor, Error> {
    const COUNT: usize = 110;
    let inside = Rect::new(6.0, 6.0, USUAL_PX as f64 - 6.0, USUAL_PX as f64 - 6.0);
    let points = arcs(&mut ChaCha8Rng::seed_from_u64(0), COUNT, inside);
    let rasterizer = Rasterizer {
        width_px: USUAL_PX,
        height_px: USUAL_PX,
        softness_px: 1.0,
        widths_px: vec![1.6; COUNT],
        inks: vec![Ink::new(Srgb8::new(0, 0, 0), 0.1)],
        pass_of: vec![0; COUNT],
    };
    let points = Tensor::from_vec(points, (COUNT, 4, 2), &Device::Cpu)?;
    Ok(rasterizer.draw(&points)?.narrow(0, 0, 3)?.unsqueeze(0)?)
}

/// Three means over the strokes of control polygons [N, n + 3, 2]: how bad they are, namely turns beyond a right angle and
/// a bit (hooks), legs of uneven length (cusps), strokes that are too short (knots); how much they turn; their length in arcs.
fn shape(points: &Tensor, shortest_px: f64) -> Result<[Tensor; 3], Error> {
    let count = points.dim(1)?;
    let spline = Spline::of(2 * count, 1).ok_or_else(|| Error::Setting("no such strokes".into()))?;
    let shares: Vec<f32> = spline.shares().iter().map(|share| (1.0 / share) as f32).collect();
    let shares = Tensor::from_vec(shares, (1, count - 1), points.device())?;
    let legs = (points.narrow(1, 1, count - 1)? - points.narrow(1, 0, count - 1)?)?;
    let lengths = (legs.sqr()?.sum(D::Minus1)? + 0.01)?.sqrt()?;
    let directions = legs.broadcast_div(&lengths.unsqueeze(D::Minus1)?)?;
    let cosines =
        (directions.narrow(1, 0, count - 2)? * directions.narrow(1, 1, count - 2)?)?.sum(D::Minus1)?;
    let hooks = (0.1 - &cosines)?.relu()?.sqr()?.sum(D::Minus1)?;
    let total = lengths.sum_keepdim(D::Minus1)?;
    let uneven = (lengths.broadcast_div(&total)?.broadcast_mul(&shares)? - 1.0)?.sqr()?.sum(D::Minus1)?;
    let short = (1.0 - (total.squeeze(D::Minus1)? / shortest_px)?)?.relu()?.sqr()?;
    let bad = ((hooks + (uneven * 0.5)?)? + (short * 4.0)?)?.mean_all()?;
    let bends = (1.0 - cosines)?.sum(D::Minus1)?.mean_all()?;
    Ok([bad, bends, (total.mean_all()? / 24.0)?])
}

/// The excitation of any picture of the whole page, such as the simulated ink: averaged to the canvas of `settings`,
/// and judged exactly as the generator judges its own.
///
/// # Errors
/// When the settings have no drawable area, or the network fails.
pub fn excitation_of(picture: &Picture, settings: &Settings) -> Result<f32, Error> {
    let canvas = settings.canvas()?;
    let objective = Objective::new(&Settings { style: None, ..settings.clone() }, [0.0; 4])?;
    let rgb = resample(picture, settings.page, &canvas);
    objective.excitation(&Tensor::from_vec(rgb, (1, 3, canvas.height_px, canvas.width_px), &Device::Cpu)?)
}

/// Area averages in linear light, white off the page; sRGB planes [3, H, W].
pub(super) fn resample(picture: &Picture, page: Page, canvas: &Canvas) -> Vec<f32> {
    let columns = spans(canvas.width_px, canvas.area.x0, canvas.px_per_mm, picture.width_px, page.width);
    let rows = spans(canvas.height_px, canvas.area.y0, canvas.px_per_mm, picture.height_px, page.height);
    let plane = canvas.width_px * canvas.height_px;
    let mut rgb = vec![0.0; 3 * plane];
    for (y, row) in rows.iter().enumerate() {
        for (x, column) in columns.iter().enumerate() {
            let mut missing = [0.0_f32; 3];
            for (py, wy) in row {
                for (px, wx) in column {
                    let light = picture.rgb[py * picture.width_px + px];
                    for channel in 0..3 {
                        missing[channel] += wy * wx * (1.0 - light[channel]);
                    }
                }
            }
            for channel in 0..3 {
                rgb[channel * plane + y * canvas.width_px + x] = encode(1.0 - missing[channel]);
            }
        }
    }
    rgb
}

/// For each canvas pixel along one axis: the picture's pixels under it and their shares of it.
fn spans(count: usize, origin: f64, px_per_mm: f64, pixels: usize, page: f64) -> Vec<Vec<(usize, f32)>> {
    let scale = pixels as f64 / page;
    let at = |i: usize| (origin + i as f64 / px_per_mm) * scale;
    (0..count)
        .map(|i| {
            let (from, to) = (at(i), at(i + 1));
            let (first, last) =
                (from.floor().max(0.0) as usize, to.ceil().clamp(0.0, pixels as f64) as usize);
            let share = |p: usize| (to.min(p as f64 + 1.0) - from.max(p as f64)).max(0.0) / (to - from);
            (first..last).map(|p| (p, share(p) as f32)).collect()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use traceur_core::pens::Inventory;

    fn objective(aim: &str) -> Objective {
        let pens = Inventory::built_in("fineliner-12").unwrap().pens;
        let page = Page { width: 60.0, height: 50.0 };
        Objective::new(&Settings::new(page, aim.parse().unwrap(), pens), [0.0; 4]).unwrap()
    }

    #[test]
    fn targets_add_up_with_their_weights() {
        let strokes = usual_strokes().unwrap();
        let of = |aim: &str| objective(aim).excitation(&strokes).unwrap();
        let (bubbles, arches) = (of("lite0:b6:24"), of("lite0:b7:15"));
        let sum = of("lite0:b6:24+lite0:b7:15*-0.5");
        assert!((sum - (bubbles - 0.5 * arches)).abs() < 1e-4, "{sum} {bubbles} {arches}");
        assert!(of("lite0:b5") > 0.0);
    }

    #[test]
    fn one_neuron_sees_its_place_only() {
        let white = Tensor::ones((1, 3, 160, 160), candle_core::DType::F32, &Device::Cpu).unwrap();
        let strokes = usual_strokes().unwrap();
        // White on the left, strokes on the right.
        let half =
            Tensor::cat(&[white.narrow(3, 0, 80).unwrap(), strokes.narrow(3, 80, 80).unwrap()], 3).unwrap();
        let of = |aim: &str, picture: &Tensor| objective(aim).excitation(picture).unwrap();
        let left = "lite0:b4:11@0.1,0.5";
        assert_eq!(of(left, &half), of(left, &white));
        assert_ne!(of("lite0:b4:11@0.8,0.5", &half), of("lite0:b4:11@0.8,0.5", &white));
    }

    #[test]
    fn channels_of_any_network_weigh_alike() {
        let gains = |aim: &str| objective(aim).gains;
        let spreads: Vec<f64> = ["lite0:b6:24", "hed16:conv3_3:166"]
            .iter()
            .map(|aim| {
                let objective = objective(aim);
                let seen = objective.look(&usual_strokes().unwrap()).unwrap();
                let (target, _) = objective.aim.targets()[0];
                objective.gains[0] * spread(target, &seen[&target.layer()]).unwrap()
            })
            .collect();
        assert!(spreads.iter().all(|spread| (spread - USUAL_SPREAD).abs() < 1e-6), "{spreads:?}");
        assert!(gains("hed16:conv3_3:166")[0] < 0.6 * gains("lite0:b6:24")[0]);
    }
}
