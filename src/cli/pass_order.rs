//! The flag for which pen draws first.

use clap::ValueEnum;

use traceur_core::drawing::Drawing;
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
        match self.pass_order {
            Passes::Lightness => PassOrder::Lightness.apply(pens),
            Passes::Given => PassOrder::Given.apply(pens),
        }
    }

    /// The same for the pens of a drawing's own layers: given is the order of the file.
    pub(super) fn apply_to_layers(self, drawing: &mut Drawing) {
        if let Passes::Given = self.pass_order {
            PassOrder::Given.apply(drawing.layers.iter_mut().map(|layer| &mut layer.pen));
        }
    }
}
