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
    /// The generator.
    #[error(transparent)]
    Generator(#[from] crate::generator::Error),
}
