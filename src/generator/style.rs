//! Gram style: how the channels of shallow layers go together, wherever it is in the picture.
//!
//! Gatys, Ecker and Bethge, "A Neural Algorithm of Artistic Style" (2015). The distance is relative, ‖G − Gs‖ / ‖Gs‖ with
//! Frobenius norms: absolute ones differ by more than 300 times from network to network.

use std::collections::BTreeMap;

use candle_core::{D, Device, Tensor};

use serde::{Deserialize, Serialize};

use super::forms;
use super::network::{LEAST_SIZE, Layer, Net};
use super::rasterizer::encode;
use super::{Error, Picture};

/// Longest edge at which a style is looked at; px. Larger pictures are averaged down to it.
const MOST_EDGE_PX: usize = 224;

/// A picture whose style is wanted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Style {
    /// The picture; a pixel of it is as large as one of the canvas.
    #[serde(with = "forms::PictureForm")]
    pub picture: Picture,
    /// Layers whose channels are compared, of any network.
    #[serde(with = "forms::layers")]
    pub layers: Vec<Layer>,
    /// λ: the weight of the sum over layers of the relative distances, for excitations of about 20.
    pub lambda: f64,
}

impl Style {
    /// The usual λ: about one in twenty of the excitation is given for the style.
    pub const LAMBDA: f64 = 5.0;

    /// A style at the usual layers of a network, with the usual λ. The picture is averaged down to a longest edge of
    /// 224 px, if it is larger.
    #[must_use]
    pub fn new(picture: &Picture, net: Net) -> Self {
        let (width, height) = (picture.width_px, picture.height_px);
        let scale = (MOST_EDGE_PX as f64 / width.max(height).max(1) as f64).min(1.0);
        let edge = |px: usize| ((px as f64 * scale).round() as usize).max(1);
        Self {
            picture: averaged(picture, edge(width), edge(height)),
            layers: usual_layers(net),
            lambda: Self::LAMBDA,
        }
    }

    /// A composition of our own in the manner of Mondrian: black lines, a few fields of red, yellow and blue.
    #[must_use]
    pub fn mondrian() -> Picture {
        const EDGE: usize = 160;
        const COLUMNS: [usize; 4] = [26, 61, 112, 138];
        const ROWS: [usize; 4] = [33, 52, 97, 129];
        const FIELDS: [([usize; 4], [f32; 3]); 5] = [
            ([61, 97, 112, 129], [0.70, 0.02, 0.02]),
            ([0, 0, 26, 33], [0.86, 0.60, 0.01]),
            ([138, 52, 160, 97], [0.02, 0.08, 0.40]),
            ([112, 129, 138, 160], [0.86, 0.60, 0.01]),
            ([26, 33, 61, 52], [0.02, 0.08, 0.40]),
        ];
        let color = |x: usize, y: usize| {
            let on = |lines: [usize; 4], at: usize| lines.iter().any(|line| (*line..line + 3).contains(&at));
            if on(COLUMNS, x) || on(ROWS, y) {
                return [0.005; 3];
            }
            let field = FIELDS
                .iter()
                .find(|([x0, y0, x1, y1], _)| (*x0..*x1).contains(&x) && (*y0..*y1).contains(&y));
            field.map_or([0.95; 3], |(_, color)| *color)
        };
        let rgb = (0..EDGE * EDGE).map(|pixel| color(pixel % EDGE, pixel / EDGE)).collect();
        Picture { width_px: EDGE, height_px: EDGE, rgb }
    }

    /// The picture for a network: sRGB [1, 3, h, w].
    pub(super) fn planes(&self) -> Result<Tensor, Error> {
        let (w, h) = (self.picture.width_px, self.picture.height_px);
        if w.min(h) < LEAST_SIZE || self.picture.rgb.len() != w * h {
            return Err(Error::Setting(format!(
                "a style of {w} x {h} pixels is too small or too narrow: its shorter edge needs {LEAST_SIZE}, where the longer one has {MOST_EDGE_PX}"
            )));
        }
        let mut planes = vec![0.0; 3 * w * h];
        for (pixel, rgb) in self.picture.rgb.iter().enumerate() {
            for channel in 0..3 {
                planes[channel * w * h + pixel] = encode(rgb[channel]);
            }
        }
        Ok(Tensor::from_vec(planes, (1, 3, h, w), &Device::Cpu)?)
    }
}

/// Layers that see color, line and corner, in a network of this kind.
fn usual_layers(net: Net) -> Vec<Layer> {
    let names: &[&str] = match net {
        Net::Lite0 | Net::Lite0Whole | Net::Lite1 | Net::Lite2 => &["stem", "b0", "b2"],
        Net::Hed16 | Net::Vgg16 | Net::Vgg19 => &["conv1_2", "conv2_2"],
        Net::Resnet18 | Net::Resnet50 => &["stem", "layer1"],
        Net::MobilenetV2 => &["f0", "f1", "f3"],
    };
    names.iter().filter_map(|name| Layer::named(net, name)).collect()
}

/// Means over `w` times `h` boxes; not more than the picture has pixels.
fn averaged(picture: &Picture, w: usize, h: usize) -> Picture {
    let span = |i: usize, count: usize, of: usize| {
        let from = i * of / count;
        from..((i + 1) * of).div_ceil(count).max(from + 1).min(of)
    };
    let mean = |x: usize, y: usize| {
        let (columns, rows) = (span(x, w, picture.width_px), span(y, h, picture.height_px));
        let count = (columns.len() * rows.len()) as f32;
        let mut sum = [0.0; 3];
        for row in rows {
            for light in &picture.rgb[row * picture.width_px..][columns.clone()] {
                (0..3).for_each(|channel| sum[channel] += light[channel]);
            }
        }
        sum.map(|sum: f32| sum / count)
    };
    if picture.rgb.len() != picture.width_px * picture.height_px || picture.rgb.is_empty() {
        return Picture { width_px: 0, height_px: 0, rgb: Vec::new() };
    }
    Picture { width_px: w, height_px: h, rgb: (0..w * h).map(|pixel| mean(pixel % w, pixel / w)).collect() }
}

/// G = F Fᵀ / (c h w) of the rectified activations [B, c, h, w] of one layer; [B, c, c].
pub(super) fn gram(activations: &Tensor) -> Result<Tensor, Error> {
    let (_, c, h, w) = activations.dims4()?;
    let features = activations.relu()?.flatten_from(2)?;
    let products = features.matmul(&features.t()?)?;
    Ok((products / (c * h * w) as f64)?)
}

/// The Gram matrices of a style.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) lambda: f64,
    /// Gs [1, c, c] and its norm, a layer.
    grams: BTreeMap<Layer, (Tensor, f64)>,
}

impl Wanted {
    /// From the style's own activations.
    pub(super) fn new(style: &Style, seen: &BTreeMap<Layer, Tensor>) -> Result<Self, Error> {
        let mut grams = BTreeMap::new();
        for layer in &style.layers {
            if let Some(activations) = seen.get(layer) {
                let gram = gram(activations)?;
                let norm = f64::from(gram.sqr()?.sum_all()?.sqrt()?.to_scalar::<f32>()?);
                grams.insert(*layer, (gram, norm.max(1e-12)));
            }
        }
        Ok(Self { lambda: style.lambda, grams })
    }

    /// Σ ‖G − Gs‖ / ‖Gs‖ over the layers, mean over views; a scalar.
    pub(super) fn distance(&self, seen: &BTreeMap<Layer, Tensor>) -> Result<Tensor, Error> {
        let mut sum = Tensor::zeros((), candle_core::DType::F32, &Device::Cpu)?;
        for (layer, (wanted, norm)) in &self.grams {
            if let Some(activations) = seen.get(layer) {
                let off = gram(activations)?.broadcast_sub(wanted)?;
                // The root has no slope at 0.
                let off = (off.sqr()?.sum((D::Minus2, D::Minus1))? + 1e-12)?.sqrt()?;
                sum = (sum + (off.mean_all()? / *norm)?)?;
            }
        }
        Ok(sum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Network;
    use candle_core::Var;

    fn seen(network: &Network, style: &Style, picture: &Tensor) -> BTreeMap<Layer, Tensor> {
        let activations = network.forward(picture, &style.layers).unwrap();
        style.layers.iter().copied().zip(activations).collect()
    }

    #[test]
    fn a_gram_matrix_is_the_sum_of_products_of_rectified_channels() {
        let values: Vec<f32> = vec![1.0, 2.0, -3.0, 0.5, -1.0, 4.0, 2.0, 0.0];
        let activations = Tensor::from_vec(values, (1, 2, 2, 2), &Device::Cpu).unwrap();
        let products: Vec<f32> = gram(&activations).unwrap().flatten_all().unwrap().to_vec1().unwrap();
        assert_eq!(products, [5.25, 8.0, 8.0, 20.0].map(|sum| sum / 8.0));
    }

    #[test]
    fn a_style_is_at_distance_0_from_itself_and_white_paper_is_far() {
        let network = Network::lite0().unwrap();
        let style = Style::new(&Style::mondrian(), Net::Lite0);
        let own = seen(&network, &style, &style.planes().unwrap());
        let wanted = Wanted::new(&style, &own).unwrap();
        let distance = |seen| wanted.distance(&seen).unwrap().to_scalar::<f32>().unwrap();
        assert!(distance(own) < 1e-3);
        let white = Tensor::ones((2, 3, 96, 64), candle_core::DType::F32, &Device::Cpu).unwrap();
        assert!(distance(seen(&network, &style, &white)) > 0.5);
    }

    #[test]
    fn the_gradient_of_the_distance_is_the_finite_difference() {
        let network = Network::lite0().unwrap();
        let style = Style::new(&Style::mondrian(), Net::Lite0);
        let wanted = Wanted::new(&style, &seen(&network, &style, &style.planes().unwrap())).unwrap();
        let values: Vec<f32> =
            (0..3 * 40 * 48).map(|i| 0.5 + 0.4 * ((i * i % 97) as f32 / 97.0 - 0.5)).collect();
        let picture = Var::from_vec(values, (1, 3, 40, 48), &Device::Cpu).unwrap();
        let distance = |picture: &Tensor| wanted.distance(&seen(&network, &style, picture)).unwrap();
        let gradient = distance(&picture).backward().unwrap().get(&picture).unwrap().clone();
        let size = gradient.sqr().unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap();
        let step = (&gradient * (f64::from(size.sqrt()).recip() * 0.02)).unwrap();
        let at = |sign: f64| {
            let moved = (picture.as_tensor() + (&step * sign).unwrap()).unwrap();
            distance(&moved).to_scalar::<f32>().unwrap()
        };
        let numeric = (at(1.0) - at(-1.0)) / 0.04;
        assert!((numeric - size.sqrt()).abs() < 0.02 * size.sqrt(), "{numeric} {}", size.sqrt());
    }

    #[test]
    fn large_styles_are_averaged_down_and_slivers_are_refused() {
        let picture = |width_px: usize, height_px: usize| Picture {
            width_px,
            height_px,
            rgb: (0..width_px * height_px).map(|pixel| [(pixel % 2) as f32; 3]).collect(),
        };
        let planes = |w, h| Style::new(&picture(w, h), Net::Hed16).planes();
        assert_eq!(planes(448, 300).unwrap().dims(), [1, 3, 150, 224]);
        assert_eq!(planes(64, 48).unwrap().dims(), [1, 3, 48, 64]);
        let mean: f32 = planes(448, 300).unwrap().mean_all().unwrap().to_scalar().unwrap();
        assert!((mean - encode(0.5)).abs() < 1e-3, "{mean}");
        assert!(planes(1000, 20).unwrap_err().to_string().contains("too narrow"));
    }
}
