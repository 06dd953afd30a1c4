//! From a checkpoint of the whole EfficientNet-Lite0 to the folded convolutions up to the cut.

use super::legacy::Array;
use super::pickle::Result;
use crate::generator::network::shape::{BLOCKS, STEM};
use std::collections::BTreeMap;

/// What TensorFlow's EfficientNet adds to a variance before the square root.
const EPSILON: f64 = 1e-3;

/// Folds every batch normalisation into the convolution before it (`w·γ/√(σ²+ε)`, bias `β − μ·γ/√(σ²+ε)`, computed in
/// f64) and keeps stem to b9. The names that come out are those that [`super::tensors`] describes.
pub(super) fn fold(state: &BTreeMap<String, Array>) -> Result<BTreeMap<String, Array>> {
    let mut folded = BTreeMap::new();
    let mut put = |from: &str, norm: &str, to: &str, source: &[usize], shape: &[usize]| {
        let weight = find(state, &format!("{from}.weight"), source)?;
        let channels = &shape[..1];
        let [gamma, beta, mean, variance] = ["weight", "bias", "running_mean", "running_var"]
            .map(|part| find(state, &format!("{norm}.{part}"), channels));
        let (gamma, beta, mean, variance) = (gamma?, beta?, mean?, variance?);
        let (mut weights, mut bias) = (Vec::with_capacity(weight.len()), Vec::with_capacity(shape[0]));
        for (channel, kernel) in weight.chunks_exact(weight.len() / shape[0]).enumerate() {
            let scale = f64::from(gamma[channel]) / (f64::from(variance[channel]) + EPSILON).sqrt();
            weights.extend(kernel.iter().map(|weight| (f64::from(*weight) * scale) as f32));
            bias.push((f64::from(beta[channel]) - f64::from(mean[channel]) * scale) as f32);
        }
        if weights.iter().chain(&bias).any(|number| !number.is_finite()) {
            return Err(format!("{from}: a folded weight isn't finite"));
        }
        folded.insert(format!("{to}.weight"), Array { shape: shape.to_vec(), values: weights });
        folded.insert(format!("{to}.bias"), Array { shape: channels.to_vec(), values: bias });
        Ok(())
    };
    put("_conv_stem", "_bn0", "stem", &[STEM, 3, 3, 3], &[STEM, 3, 3, 3])?;
    for (index, shape) in BLOCKS.iter().enumerate() {
        let (inputs, hidden, outputs, k) = (shape.inputs, shape.hidden, shape.outputs, shape.kernel);
        let part = |name: &str| format!("_blocks.{index}._{name}");
        let to = |name: &str| format!("b{index}.{name}");
        if shape.expands() {
            put(
                &part("expand_conv"),
                &part("bn0"),
                &to("expand"),
                &[hidden, inputs, 1, 1],
                &[hidden, inputs],
            )?;
        }
        put(&part("depthwise_conv"), &part("bn1"), &to("depthwise"), &[hidden, 1, k, k], &[hidden, k, k])?;
        put(
            &part("project_conv"),
            &part("bn2"),
            &to("project"),
            &[outputs, hidden, 1, 1],
            &[outputs, hidden],
        )?;
    }
    Ok(folded)
}

fn find<'a>(state: &'a BTreeMap<String, Array>, name: &str, shape: &[usize]) -> Result<&'a [f32]> {
    let array =
        state.get(name).ok_or_else(|| format!("no tensor {name}: not the weights of EfficientNet-Lite0"))?;
    if array.shape != shape {
        return Err(format!("{name} has shape {:?}, not {shape:?}", array.shape));
    }
    Ok(&array.values)
}
