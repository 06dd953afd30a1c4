//! All that can go wrong, gathered from the modules.

/// An error of any module. Each variant's text says what, where and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A quantity with a unit.
    #[error(transparent)]
    Units(#[from] crate::units::Error),
    /// A TOML file.
    #[error(transparent)]
    Config(#[from] crate::config::Error),
    /// Pens, sets and inventories.
    #[error(transparent)]
    Pens(#[from] crate::pens::Error),
    /// Machine profiles.
    #[error(transparent)]
    Machine(#[from] crate::machine::Error),
    /// Drawings and SVG.
    #[error(transparent)]
    Drawing(#[from] crate::drawing::Error),
    /// Charts of pens.
    #[error(transparent)]
    Chart(#[from] crate::chart::Error),
    /// Drawings that are made.
    #[error(transparent)]
    Generator(#[from] crate::generator::Error),
    /// Logs, films and sweeps.
    #[error(transparent)]
    Experiment(#[from] crate::experiment::Error),
    /// What is to be excited.
    #[error(transparent)]
    Aim(#[from] crate::generator::aim::ParseAimError),
    /// Names of networks.
    #[error(transparent)]
    Neuron(#[from] crate::generator::network::ParseNeuronError),
    /// Networks.
    #[error(transparent)]
    Network(#[from] crate::generator::network::Error),
    /// Weights of networks.
    #[error(transparent)]
    Weights(#[from] crate::generator::weights::Error),
    /// Pictures.
    #[error(transparent)]
    Preview(#[from] crate::preview::Error),
    /// Serial ports.
    #[error(transparent)]
    Transport(#[from] crate::transport::Error),
    /// G-code files on a virtual plotter.
    #[error(transparent)]
    Sim(#[from] crate::sim::Error),
    /// Plotting.
    #[error(transparent)]
    Job(#[from] crate::job::Error),
    /// Jobs that are kept.
    #[error(transparent)]
    Store(#[from] crate::job::StoreError),
}
