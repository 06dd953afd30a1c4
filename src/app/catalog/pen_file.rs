//! Pen files that are edited: one editor at a time, whole files or none.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::folders;
use super::pens::read_text;
use crate::{Error, files};
use traceur_core::pens::{BUILT_IN, edit};

/// The set that is edited when none is named.
const USUAL: &str = "mine";

/// The file that is meant: a path, or the name of one of the user's own sets; `None`: their set `mine`.
///
/// # Errors
/// A name that is built in, and a name where there is no home folder.
pub fn place(file: Option<&str>) -> Result<PathBuf, Error> {
    let name = file.unwrap_or(USUAL);
    let path = Path::new(name);
    let is_name = path.extension().is_none() && path.components().count() == 1 && !path.is_file();
    if !is_name {
        return Ok(path.to_owned());
    }
    let none = || Error::Input("there is no home folder to keep it in: give a path with --file".into());
    let own = folders::pens().ok_or_else(none)?.join(format!("{name}.toml"));
    if !own.exists() && BUILT_IN.iter().any(|(id, _)| *id == name) {
        return Err(Error::Input(format!(
            "`{name}` is built in and can't be changed: give the set another name with --file; `traceur pens show {name} --toml` gives a copy to begin with"
        )));
    }
    Ok(own)
}

/// Reads a pen file, changes its text and writes it back; nobody else edits it meanwhile. `change` is given the file's name
/// for messages and its text. A file that is not there yet is begun as a set of this `name`; without one it is an error.
///
/// # Errors
/// Those of `change`, and when the file can't be read or written; then it is as it was.
pub fn change(
    path: &Path,
    name: Option<&str>,
    change: impl FnOnce(&str, &str) -> Result<String, Error>,
) -> Result<String, Error> {
    // A link stays a link to the changed file.
    let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let file = path.display().to_string();
    let failed =
        |error: io::Error| Error::Input(format!("{file}: {error}; choose a place that you may write to"));
    if let Some(folder) = real.parent().filter(|_| name.is_some() && !real.exists()) {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    let lock = Lock::wait(&real).map_err(failed)?;
    let text = match name {
        Some(name) if !real.exists() => edit::new_file(&id(&real), name),
        _ => read_text(&real)
            .map_err(|error| Error::Input(error.to_string().replace(&real.display().to_string(), &file)))?,
    };
    let changed = change(&file, &text)?;
    if changed != text {
        files::write(&real, changed.as_bytes())?;
    }
    drop(lock);
    Ok(changed)
}

fn id(path: &Path) -> String {
    let stem = path.file_stem().map_or(String::new(), |stem| stem.to_string_lossy().into_owned());
    traceur_core::pens::slug(&stem, "pens")
}

/// A lock file beside a file: held by whoever edits it, gone when nobody does.
struct Lock {
    path: PathBuf,
    _file: File,
}

impl Lock {
    /// Waits until nobody else holds it. A lock of a process that died is free.
    fn wait(path: &Path) -> io::Result<Self> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let lock = path.with_file_name(format!(".{name}.lock"));
        loop {
            let file = File::options().create(true).truncate(false).write(true).open(&lock)?;
            file.lock()?;
            // Whoever held it may have removed it while we waited: then another file stands, or will stand, in its place.
            if is_same(&file, &lock) {
                return Ok(Self { path: lock, _file: file });
            }
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if cfg!(unix) {
            // While it is held, so that nobody's but our own lock is removed. If it can't be, it lies there and does no harm.
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(unix)]
fn is_same(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    match (file.metadata(), fs::metadata(path)) {
        (Ok(held), Ok(there)) => (held.dev(), held.ino()) == (there.dev(), there.ino()),
        _ => false,
    }
}

/// Elsewhere lock files are left lying.
#[cfg(not(unix))]
fn is_same(_: &File, _: &Path) -> bool {
    true
}
