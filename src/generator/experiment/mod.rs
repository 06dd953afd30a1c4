//! What is learned from runs: TensorBoard logs, films of a drawing as it evolves, and sweeps over many recipes with
//! their tables and contact sheets.
//!
//! Comes in: a [`crate::Run`], or many settings. Goes out: files in a folder. Deliberately absent: clocks
//! (the caller tells the time), and recipes, which are the command line's.

pub mod log;
pub mod picture;
pub mod sweep;
pub mod tensorboard;
pub mod timelapse;

pub use log::Log;
pub use timelapse::Timelapse;

/// Why an experiment stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file or folder.
    #[error("{path}: {}; choose a place that you may write to", traceur_core::text::os_reason(.source))]
    File {
        /// Which one.
        path: String,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The generator.
    #[error(transparent)]
    Generator(#[from] crate::Error),
    /// JSON that can't be written.
    #[error("a result could not be written: {0}")]
    Json(#[from] serde_json::Error),
    /// A picture's encoder.
    #[error("a picture could not be written or read: {0}")]
    Picture(#[from] image::ImageError),
}

impl Error {
    fn at(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.display().to_string();
        move |source| Self::File { path, source }
    }
}

/// Writes a whole file or none.
fn write(path: &std::path::Path, bytes: &[u8]) -> Result<(), Error> {
    let folder = path.parent().unwrap_or(std::path::Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".traceur-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(folder).map_err(Error::at(path))?;
    std::io::Write::write_all(&mut file, bytes).map_err(Error::at(path))?;
    file.persist(path).map_err(|error| Error::at(path)(error.error))?;
    Ok(())
}
