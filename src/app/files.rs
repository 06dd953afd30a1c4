//! Files in and out: whole files or none, and errors that say what to do.
//!
//! Where a file is read, `-` is the process's standard input; where one is written, it is whoever calls who knows what `-`
//! means.

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use crate::Error;
use traceur_core::text::os_reason;

/// Whether this path means stdin or stdout.
#[must_use]
pub fn is_dash(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// The bytes of a file, or of stdin for `-`.
///
/// # Errors
/// When it can't be read.
pub fn read(path: &Path) -> Result<Vec<u8>, Error> {
    if is_dash(path) {
        let mut bytes = Vec::new();
        let read = io::stdin().read_to_end(&mut bytes);
        return read.map(|_| bytes).map_err(|error| Error::Input(format!("stdin: {error}")));
    }
    fs::read(path).map_err(|error| unreadable(path, &error))
}

/// The text of a file, or of stdin for `-`.
///
/// # Errors
/// When it can't be read, and when it is no UTF-8.
pub fn read_text(path: &Path) -> Result<String, Error> {
    String::from_utf8(read(path)?)
        .map_err(|_| Error::Input(format!("{}: not a text file (its bytes are not UTF-8)", path.display())))
}

fn unreadable(path: &Path, error: &io::Error) -> Error {
    let hint = match error.kind() {
        io::ErrorKind::NotFound => "check the name, or give `-` to read from stdin",
        io::ErrorKind::PermissionDenied => "you may not read it: check its permissions",
        _ => "give a readable file",
    };
    Error::Input(format!("{}: {}; {hint}", path.display(), os_reason(error)))
}

/// Writes a whole file: beside its place first, then renamed, so that nobody ever sees half.
///
/// # Errors
/// When it can't be written; then the file is as it was.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let unwritable = |error: &io::Error| {
        let text = format!("{}: {}; choose a place that you may write to", path.display(), os_reason(error));
        Error::Input(text)
    };
    if path.is_dir() {
        return Err(Error::Input(format!("{}: is a folder; give a file name", path.display())));
    }
    let mut file = new_file(folder_of(path)).map_err(|error| unwritable(&error))?;
    file.write_all(bytes).map_err(|error| unwritable(&error))?;
    file.persist(path).map_err(|error| unwritable(&error.error))?;
    Ok(())
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A temporary file with the permissions that a new file has, not those of a secret.
fn new_file(folder: &Path) -> io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".traceur-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
}

/// A folder for outputs: made if it is missing, and tried before the work begins.
#[derive(Debug)]
pub struct OutFolder {
    path: PathBuf,
}

impl OutFolder {
    /// Makes it, if it is missing.
    ///
    /// # Errors
    /// When no file can be written there.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let unwritable = |error: io::Error| {
            let text =
                format!("{}: {}; choose a folder that you may write to", path.display(), os_reason(&error));
            Error::Input(text)
        };
        fs::create_dir_all(path).map_err(unwritable)?;
        new_file(path).map_err(unwritable)?;
        Ok(Self { path: path.to_owned() })
    }

    /// Writes one file and gives its path.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<PathBuf, Error> {
        let path = self.path.join(name);
        write(&path, bytes)?;
        Ok(path)
    }

    /// The programs in it that are not among `written`, sorted: an earlier run left them, and they look like passes of this
    /// one.
    #[must_use]
    pub fn other_programs(&self, written: &[PathBuf]) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(&self.path) else { return Vec::new() };
        let mut others: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        others.retain(|path| {
            path.extension().is_some_and(|e| e == "gcode" || e == "ebb" || e == "hpgl")
                && !written.contains(path)
        });
        others.sort();
        others
    }
}

/// Refuses an output that can't be written, before the work for it begins; `-` always can.
///
/// # Errors
/// When it is a folder, or in one that no file can be written to.
pub fn check_writable(path: &Path) -> Result<(), Error> {
    if is_dash(path) {
        return Ok(());
    }
    let refused = |why: String| {
        Error::Input(format!("{}: {why}; choose a place that you may write to", path.display()))
    };
    if path.is_dir() {
        return Err(refused("is a folder".into()));
    }
    new_file(folder_of(path)).map(drop).map_err(|error| refused(os_reason(&error)))
}
