//! The flag for which pen draws first.

use clap::ValueEnum;

use traceur_core::pens::{PassOrder, Pen};

/// In which order the pens draw.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(super) struct PassArgs {
    /// Which pen draws first: the lightest, or the first that is named.
    #[arg(long, value_enum, default_value_t = Passes::Lightness)]
    pass_order: Passes,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Passes {
    Lightness,
    Given,
}

impl PassArgs {
    /// Marks the pens with the order that was asked for.
    pub(super) fn apply<'a>(self, pens: impl IntoIterator<Item = &'a mut Pen>) {
        self.order().apply(pens);
    }

    /// The order that was asked for.
    pub(super) fn order(self) -> PassOrder {
        match self.pass_order {
            Passes::Lightness => PassOrder::Lightness,
            Passes::Given => PassOrder::Given,
        }
    }
}
