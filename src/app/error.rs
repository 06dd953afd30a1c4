//! All that can go wrong, gathered from the modules.

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
}
