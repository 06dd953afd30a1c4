//! Weights that were fetched or imported: a folder of the user's cache, one safetensors file a network.
//!
//! Beside `NET.safetensors` stands `NET.sha256`, its checksum when it was put there.

use super::{Error, sha256};
use crate::network::architecture::Net;
use etcetera::BaseStrategy;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The folder: `traceur/models` in the user's cache (`XDG_CACHE_HOME`, where it is set).
///
/// # Errors
///
/// [`Error::Cache`] without a home folder.
pub fn folder() -> Result<PathBuf, Error> {
    let base = etcetera::choose_base_strategy().map_err(|error| Error::Cache {
        path: PathBuf::from("~/.cache"),
        reason: format!("{error}; set XDG_CACHE_HOME"),
    })?;
    Ok(base.cache_dir().join("traceur/models"))
}

/// Where the weights of `net` stand in a cache folder, if they are there.
#[must_use]
pub fn file(folder: &Path, net: Net) -> PathBuf {
    folder.join(format!("{net}.safetensors"))
}

/// Reads the weights of `net` from a cache folder; `None` if they aren't there.
///
/// # Errors
///
/// [`Error::Cache`] if the file can't be read, [`Error::Changed`] if it isn't what was put there.
pub fn read(folder: &Path, net: Net) -> Result<Option<Vec<u8>>, Error> {
    let path = file(folder, net);
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::Cache { path, reason: error.to_string() }),
    };
    let found = sha256(&bytes);
    match fs::read_to_string(checksum(&path)) {
        Ok(expected) if expected.trim() == found => Ok(Some(bytes)),
        _ => Err(Error::Changed { path, net }),
    }
}

/// Puts weights that [`super::import`] wrote into a cache folder, whole or not at all.
///
/// # Errors
///
/// [`Error::Cache`] if the folder can't be written.
pub fn write(folder: &Path, net: Net, bytes: &[u8]) -> Result<PathBuf, Error> {
    let path = file(folder, net);
    let put = |path: &Path, bytes: &[u8]| {
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(bytes)?;
        file.persist(path)?;
        Ok(())
    };
    let all = || -> std::io::Result<()> {
        fs::create_dir_all(folder)?;
        put(&path, bytes)?;
        put(&checksum(&path), sha256(bytes).as_bytes())
    };
    all().map_err(|error| Error::Cache { path: path.clone(), reason: error.to_string() })?;
    Ok(path)
}

fn checksum(path: &Path) -> PathBuf {
    path.with_extension("sha256")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_into_the_cache_is_found_there_unless_it_changed() {
        let folder = tempfile::tempdir().unwrap();
        assert!(read(folder.path(), Net::Vgg16).unwrap().is_none());
        let path = write(folder.path(), Net::Vgg16, b"weights").unwrap();
        assert_eq!(read(folder.path(), Net::Vgg16).unwrap().unwrap(), b"weights");
        fs::write(&path, b"Weights").unwrap();
        let error = read(folder.path(), Net::Vgg16).unwrap_err().to_string();
        assert!(error.contains("models fetch vgg16"), "{error}");
    }
}
