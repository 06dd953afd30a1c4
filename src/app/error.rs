//! All that can go wrong, gathered from the modules.

use traceur_core::ErrorKind;

/// An error of any module. Each variant's text says what, where and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// What was asked for can't be done: what, where and what helps.
    #[error("{0}")]
    Input(String),
    /// A quantity with a unit.
    #[error(transparent)]
    Units(#[from] traceur_core::units::Error),
    /// A TOML file.
    #[error(transparent)]
    Config(#[from] traceur_core::config::Error),
    /// Pens, sets and inventories.
    #[error(transparent)]
    Pens(#[from] traceur_core::pens::Error),
    /// Machine profiles.
    #[error(transparent)]
    Machine(#[from] traceur_core::machine::Error),
    /// Drawings and SVG.
    #[error(transparent)]
    Drawing(#[from] traceur_core::drawing::Error),
    /// Swatches of pens.
    #[error(transparent)]
    Swatch(#[from] crate::swatch::Error),
    /// Drawings that are made.
    #[error(transparent)]
    Generator(#[from] traceur_generator::Error),
    /// Logs, films and sweeps.
    #[error(transparent)]
    Experiment(#[from] traceur_generator::experiment::Error),
    /// What is to be excited.
    #[error(transparent)]
    Aim(#[from] traceur_generator::aim::ParseAimError),
    /// Names of networks.
    #[error(transparent)]
    Neuron(#[from] traceur_generator::network::ParseNeuronError),
    /// Networks.
    #[error(transparent)]
    Network(#[from] traceur_generator::network::Error),
    /// Weights of networks.
    #[error(transparent)]
    Weights(#[from] traceur_generator::weights::Error),
    /// Pictures.
    #[error(transparent)]
    Preview(#[from] crate::preview::Error),
    /// Serial ports.
    #[error(transparent)]
    Transport(#[from] traceur_job::transport::Error),
    /// G-code files on a virtual plotter.
    #[error(transparent)]
    Sim(#[from] traceur_sim::Error),
    /// Plotting.
    #[error(transparent)]
    Job(#[from] traceur_job::Error),
    /// Jobs that are kept.
    #[error(transparent)]
    Store(#[from] traceur_job::StoreError),
    /// What jobs have done.
    #[error(transparent)]
    Journal(#[from] traceur_job::journal::Error),
    /// What pens have drawn.
    #[error(transparent)]
    Odometer(#[from] traceur_job::OdometerError),
}

impl Error {
    /// What it means to whoever asked for it: an exit code, another try, a question to the person at the plotter.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Transport(error) => error.kind(),
            Self::Job(error) => error.kind(),
            Self::Input(_) | Self::Units(_) | Self::Config(_) | Self::Pens(_) | Self::Machine(_) => {
                ErrorKind::Input
            }
            Self::Drawing(_) => ErrorKind::Input,
            Self::Generator(_) | Self::Experiment(_) | Self::Aim(_) | Self::Neuron(_) => ErrorKind::Input,
            Self::Network(_) | Self::Weights(_) | Self::Swatch(_) | Self::Preview(_) => ErrorKind::Input,
            // Of a program that somebody wrote, and of files.
            Self::Sim(_) | Self::Store(_) | Self::Journal(_) | Self::Odometer(_) => ErrorKind::Input,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use traceur_job::transport;
    use traceur_protocol::{Fault, inquiry};

    #[test]
    fn the_kind_is_that_of_the_crate_where_it_arose() {
        let (name, reason) = (String::from("x"), String::from("y"));
        let closed = transport::Error::Closed { reason: reason.clone() };
        for (error, kind) in [
            (traceur_core::units::length("1 mile").unwrap_err().into(), ErrorKind::Input),
            (traceur_job::Port::parse("").unwrap_err().into(), ErrorKind::Input),
            (
                traceur_job::Error::from(inquiry::Error::Unable("it has no such thing")).into(),
                ErrorKind::Input,
            ),
            (transport::Error::Serve { name, reason }.into(), ErrorKind::Input),
            (closed.clone().into(), ErrorKind::Device),
            (traceur_job::Error::from(closed).into(), ErrorKind::Device),
            (traceur_job::Error::from(inquiry::Error::from(Fault::Silent)).into(), ErrorKind::Device),
            (traceur_job::Error::Lost("it restarted".into()).into(), ErrorKind::Lost),
        ] {
            let error: Error = error;
            assert_eq!(error.kind(), kind, "{error}");
        }
    }
}
