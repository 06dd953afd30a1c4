//! Who hears what goes on meanwhile: a terminal, a page, a test.

use std::ops::ControlFlow;

/// Hears of work as it goes on. Its words are sentences for a person, without a line end.
pub trait Listener {
    /// Something worth knowing.
    fn note(&self, text: &str);

    /// Something that may spoil the result.
    fn warn(&self, text: &str);

    /// A piece of work begins. What is given hears how far it is, and is dropped at its end.
    fn begin(&self, work: Work) -> Box<dyn Progress + '_>;
}

/// Work that may take more than a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// The best order of strokes is looked for. Whoever hears of it may end it: the best so far is kept.
    Order,
    /// Ink is laid on a virtual paper, pass by pass.
    Ink,
}

/// Hears how far a piece of work is.
pub trait Progress {
    /// So much of it is done, from 0 to 1; `doing` is what is at hand, or empty. `Break` ends a work that can be ended;
    /// others go on to their end.
    fn at(&mut self, share: f64, doing: &str) -> ControlFlow<()>;
}

/// Nobody listens.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Listener for Silent {
    fn note(&self, _: &str) {}

    fn warn(&self, _: &str) {}

    fn begin(&self, _: Work) -> Box<dyn Progress + '_> {
        Box::new(Self)
    }
}

impl Progress for Silent {
    fn at(&mut self, _: f64, _: &str) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}
