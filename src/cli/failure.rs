//! How a command ends when it does not end well.

use traceur_core::ErrorKind;

/// Why a command stopped.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// The user's input can't be used.
    #[error("{0}")]
    Input(String),
    /// The plot stopped, and may be begun again.
    #[error("{0}")]
    Stopped(String),
    /// The device, or the way to it, failed.
    #[error("{0}")]
    Device(String),
    /// The library's own error, and what more there is to say of it here.
    #[error("{error}{more}")]
    Library {
        #[source]
        error: Box<traceur_app::Error>,
        more: String,
    },
    /// Whoever read our stdout went away.
    #[error("stdout was closed")]
    Closed,
}

impl Failure {
    /// The same with more text.
    pub(super) fn with(mut self, more: &str) -> Self {
        match &mut self {
            Self::Input(text) | Self::Stopped(text) | Self::Device(text) => {
                text.push_str(more);
            }
            Self::Library { more: text, .. } => text.push_str(more),
            Self::Closed => {}
        }
        self
    }

    /// What kind of end it is; `None`: nobody has a reason to complain.
    pub(super) fn kind(&self) -> Option<ErrorKind> {
        Some(match self {
            Self::Closed => return None,
            Self::Input(_) => ErrorKind::Input,
            Self::Stopped(_) => ErrorKind::Stopped,
            Self::Device(_) => ErrorKind::Device,
            Self::Library { error, .. } => error.kind(),
        })
    }

    pub(super) fn exit_code(&self) -> u8 {
        match self.kind() {
            None => 0,
            Some(ErrorKind::Stopped | ErrorKind::Lost) => 1,
            Some(ErrorKind::Input) => 2,
            Some(ErrorKind::Device) => 3,
        }
    }
}

impl<E: Into<traceur_app::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Library { error: Box::new(error.into()), more: String::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exit_code_follows_from_the_kind_and_the_source_is_kept() {
        let closed = || traceur_job::transport::Error::Closed { reason: "unplugged".into() };
        let failure = Failure::from(closed()).with("; `traceur resume 1` goes on");
        assert_eq!(failure.exit_code(), 3);
        assert_eq!(failure.to_string(), format!("{}; `traceur resume 1` goes on", closed()));
        assert!(std::error::Error::source(&failure).is_some());
        let lost = Failure::from(traceur_job::Error::Lost("it restarted".into()));
        let input = Failure::from(traceur_job::Port::parse("sim@").unwrap_err());
        assert_eq!([lost.exit_code(), input.exit_code(), Failure::Closed.exit_code()], [1, 2, 0]);
    }
}
