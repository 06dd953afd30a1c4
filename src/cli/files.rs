//! Files in and out: `-` is stdin or stdout; whole files or none.

use std::path::Path;

use super::{Failure, Terminal};

pub(super) use traceur_app::files::{OutFolder, check_writable, is_dash, read, read_text};

/// Writes a whole file, or stdout for `-`: beside its place first, then renamed, so that nobody ever sees half.
pub(super) fn write(path: &Path, bytes: &[u8], terminal: &Terminal) -> Result<(), Failure> {
    if is_dash(path) {
        return terminal.stdout(bytes);
    }
    Ok(traceur_app::files::write(path, bytes)?)
}
