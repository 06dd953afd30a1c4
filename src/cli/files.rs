//! Files in and out: `-` is stdin or stdout; whole files or none.

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use super::{Failure, Terminal};

/// Whether this path means stdin or stdout.
pub(super) fn is_dash(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// The bytes of a file, or of stdin for `-`.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    if is_dash(path) {
        let mut bytes = Vec::new();
        let read = io::stdin().read_to_end(&mut bytes);
        return read.map(|_| bytes).map_err(|error| Failure::Input(format!("stdin: {error}")));
    }
    fs::read(path).map_err(|error| unreadable(path, &error))
}

/// The text of a file.
pub(super) fn read_text(path: &Path) -> Result<String, Failure> {
    String::from_utf8(read(path)?)
        .map_err(|_| Failure::Input(format!("{}: not a text file (its bytes are not UTF-8)", path.display())))
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    let hint = match error.kind() {
        io::ErrorKind::NotFound => "check the name, or give `-` to read from stdin",
        io::ErrorKind::PermissionDenied => "you may not read it: check its permissions",
        _ => "give a readable file",
    };
    Failure::Input(format!("{}: {}; {hint}", path.display(), plain(error)))
}

/// The system's words for an error, without its number.
fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_lowercase()
}

/// Writes a whole file, or stdout for `-`: beside its place first, then renamed, so that nobody ever sees half.
pub(super) fn write(path: &Path, bytes: &[u8], terminal: &Terminal) -> Result<(), Failure> {
    if is_dash(path) {
        return terminal.stdout(bytes);
    }
    let unwritable = |error: &io::Error| {
        let text = format!("{}: {}; choose a place that you may write to", path.display(), plain(error));
        Failure::Input(text)
    };
    if path.is_dir() {
        return Err(Failure::Input(format!("{}: is a folder; give a file name", path.display())));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = new_file(folder).map_err(|error| unwritable(&error))?;
    file.write_all(bytes).map_err(|error| unwritable(&error))?;
    file.persist(path).map_err(|error| unwritable(&error.error))?;
    Ok(())
}

/// A temporary file with the permissions that a new file has, not those of a secret.
fn new_file(folder: &Path) -> io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".traceur-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
}

/// A folder for a command's outputs: made if it is missing, and tried before the work begins.
#[derive(Debug)]
pub(super) struct OutFolder {
    path: PathBuf,
}

impl OutFolder {
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        let unwritable = |error: io::Error| {
            let text =
                format!("{}: {}; choose a folder that you may write to", path.display(), plain(&error));
            Failure::Input(text)
        };
        fs::create_dir_all(path).map_err(unwritable)?;
        new_file(path).map_err(unwritable)?;
        Ok(Self { path: path.to_owned() })
    }

    /// Writes one file and gives its path.
    pub(super) fn write(&self, name: &str, bytes: &[u8], terminal: &Terminal) -> Result<PathBuf, Failure> {
        let path = self.path.join(name);
        write(&path, bytes, terminal)?;
        Ok(path)
    }

    /// Warns of programs that are not among `written`: an earlier run left them, and they look like passes of this one.
    pub(super) fn warn_of_other_programs(&self, written: &[PathBuf], terminal: &Terminal) {
        let Ok(entries) = fs::read_dir(&self.path) else { return };
        let mut others: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        others.retain(|path| {
            path.extension().is_some_and(|e| e == "gcode" || e == "ebb" || e == "hpgl")
                && !written.contains(path)
        });
        others.sort();
        for other in others {
            terminal.warn(format!("{} is from an earlier run: not part of this drawing", other.display()));
        }
    }
}

/// Refuses an output that can't be written, before the work for it begins.
pub(super) fn check_writable(path: &Path) -> Result<(), Failure> {
    if is_dash(path) {
        return Ok(());
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let refused = |why: String| {
        Failure::Input(format!("{}: {why}; choose a place that you may write to", path.display()))
    };
    if path.is_dir() {
        return Err(refused("is a folder".into()));
    }
    new_file(folder).map(drop).map_err(|error| refused(plain(&error)))
}
