//! How a command ends when it does not end well.

/// Why a command stopped.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// The user's input can't be used.
    #[error("{0}")]
    Input(String),
    /// The plot stopped, and may be begun again.
    #[error("{0}")]
    Stopped(String),
    /// Nobody knows where the pen is; the job may go on once it is put at its zero.
    #[error("{0}")]
    Lost(String),
    /// The device, or the way to it, failed.
    #[error("{0}")]
    Device(String),
    /// Whoever read our stdout went away.
    #[error("stdout was closed")]
    Closed,
}

impl Failure {
    /// The same with more text.
    pub(super) fn with(mut self, more: &str) -> Self {
        match &mut self {
            Self::Input(text) | Self::Stopped(text) | Self::Lost(text) | Self::Device(text) => {
                text.push_str(more);
            }
            Self::Closed => {}
        }
        self
    }

    pub(super) fn exit_code(&self) -> u8 {
        match self {
            Self::Closed => 0,
            Self::Stopped(_) | Self::Lost(_) => 1,
            Self::Input(_) => 2,
            Self::Device(_) => 3,
        }
    }
}

impl<E: Into<traceur_app::Error>> From<E> for Failure {
    /// The library's errors are about input; its own text is kept on one line.
    fn from(error: E) -> Self {
        Self::Input(error.into().to_string())
    }
}
