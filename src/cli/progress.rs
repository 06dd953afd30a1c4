//! How a person follows work as it goes on, and ends what can be ended.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use indicatif::ProgressBar;

use super::Terminal;
use super::interrupt::Interrupt;
use super::terminal::plain;
use traceur_app::listener::{Listener, Progress, Work};

impl Listener for Terminal {
    fn note(&self, text: &str) {
        self.say(text);
    }

    fn warn(&self, text: &str) {
        Self::warn(self, text);
    }

    fn begin(&self, work: Work) -> Box<dyn Progress + '_> {
        match work {
            Work::Order => Box::new(Search::begin(self)),
            Work::Ink => Box::new(Bar::begin(self, "ink")),
        }
    }
}

/// A bar for work that goes on to its end.
struct Bar(ProgressBar);

impl Bar {
    const STEPS: f64 = 1000.0;

    fn begin(terminal: &Terminal, what: &str) -> Self {
        Self(terminal.progress(what, Self::STEPS as u64))
    }
}

impl Progress for Bar {
    fn at(&mut self, share: f64, doing: &str) -> ControlFlow<()> {
        self.0.set_message(plain(doing));
        self.0.set_position((share * Self::STEPS) as u64);
        ControlFlow::Continue(())
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// Searches shorter than this have no bar.
const QUIET: Duration = Duration::from_secs(1);

/// A search that Ctrl-C ends.
struct Search<'a> {
    terminal: &'a Terminal,
    interrupt: Interrupt,
    begin: Instant,
    bar: Option<Bar>,
}

impl<'a> Search<'a> {
    fn begin(terminal: &'a Terminal) -> Self {
        Self { terminal, interrupt: Interrupt::listen(), begin: Instant::now(), bar: None }
    }
}

impl Progress for Search<'_> {
    fn at(&mut self, share: f64, _: &str) -> ControlFlow<()> {
        if self.bar.is_none() && self.begin.elapsed() > QUIET {
            self.bar = Some(Bar::begin(self.terminal, "order"));
        }
        if let Some(bar) = &mut self.bar {
            // Nothing else ends a bar's work.
            let _ = bar.at(share, "Ctrl-C keeps the best so far");
        }
        if self.interrupt.is_pressed() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}
