//! From a published checkpoint to the folded convolutions that a network needs.

use super::checkpoint::{Array, Checkpoint};
use super::pickle::Result;
use crate::network::architecture::{Architecture, ConvShape, Net};
use std::collections::BTreeMap;

/// Whose weights these are: the network all of whose convolutions are there; of `wanted`, that it is.
pub(super) fn recognize(checkpoint: &Checkpoint<'_>, wanted: Option<Net>) -> Result<Net> {
    let names = checkpoint.names();
    let fits = |net: &Net| {
        let architecture = net.architecture();
        let stranger = |name: &String| architecture.strangers.iter().any(|start| name.starts_with(start));
        let there = |conv: &&ConvShape| {
            let shape = checkpoint.shape(&format!("{}.weight", conv.source.0));
            shape.is_some_and(|shape| shape == conv.source_weight())
        };
        architecture.convs().iter().all(there) && !names.iter().any(stranger)
    };
    let known = || wanted.map_or_else(|| Net::ALL.map(Net::id).join(", "), |net| net.to_string());
    let mut candidates = Net::ALL.into_iter().filter(|net| wanted.is_none_or(|wanted| wanted == *net));
    candidates.find(fits).ok_or_else(|| {
        let some: Vec<_> = names.iter().take(3).map(String::as_str).collect();
        format!("the weights of none of {} ({} tensors: {} …)", known(), names.len(), some.join(", "))
    })
}

/// Folds every batch normalisation into the convolution before it (`w·γ/√(σ²+ε)`, bias `β − μ·γ/√(σ²+ε)`, computed in
/// f64). The names that come out are those that [`super::tensors`] describes.
pub(super) fn fold(
    checkpoint: &Checkpoint<'_>,
    architecture: &Architecture,
) -> Result<BTreeMap<String, Array>> {
    let mut folded = BTreeMap::new();
    for conv in architecture.convs() {
        let (weight, bias) = fold_conv(checkpoint, conv, architecture.epsilon)?;
        if weight.iter().chain(&bias).any(|number| !number.is_finite()) {
            return Err(format!("{}: a folded weight isn't finite", conv.source.0));
        }
        folded.insert(format!("{}.weight", conv.name), Array { shape: conv.weight(), values: weight });
        folded.insert(format!("{}.bias", conv.name), Array { shape: vec![conv.outputs], values: bias });
    }
    Ok(folded)
}

fn fold_conv(checkpoint: &Checkpoint<'_>, conv: &ConvShape, epsilon: f64) -> Result<(Vec<f32>, Vec<f32>)> {
    let (from, norm) = &conv.source;
    let weight = checkpoint.read(&format!("{from}.weight"), &conv.source_weight())?;
    let Some(norm) = norm else {
        let bias = checkpoint.read(&format!("{from}.bias"), &[conv.outputs])?;
        return Ok((weight, bias));
    };
    let [gamma, beta, mean, variance] = ["weight", "bias", "running_mean", "running_var"]
        .map(|part| checkpoint.read(&format!("{norm}.{part}"), &[conv.outputs]));
    let (gamma, beta, mean, variance) = (gamma?, beta?, mean?, variance?);
    let (mut weights, mut bias) = (Vec::with_capacity(weight.len()), Vec::with_capacity(conv.outputs));
    for (channel, kernel) in weight.chunks_exact(weight.len() / conv.outputs).enumerate() {
        let scale = f64::from(gamma[channel]) / (f64::from(variance[channel]) + epsilon).sqrt();
        weights.extend(kernel.iter().map(|weight| (f64::from(*weight) * scale) as f32));
        bias.push((f64::from(beta[channel]) - f64::from(mean[channel]) * scale) as f32);
    }
    Ok((weights, bias))
}
