//! In which order strokes are drawn, as flags have it; and how a person follows the search for it and ends it.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use clap::ValueEnum;
use indicatif::ProgressBar;

use super::Terminal;
use super::interrupt::Interrupt;
use traceur_app::listener::Progress;
use traceur_app::plan;
use traceur_core::toolpath::Order;
use traceur_core::units;

/// What is drawn before what.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(super) struct OrderArgs {
    /// Which order the strokes of a pen are drawn in.
    #[arg(long, value_enum, default_value_t = Orders::Best)]
    order: Orders,
    /// What the best order makes small: the machine's time, or the way with the pen up.
    #[arg(long, value_enum, default_value_t = Optimize::Time)]
    optimize: Optimize,
    /// How long to search for the best order: thousand travels looked at for each stroke. Default: about 1 s up to 5 000
    /// strokes, 5 s for 50 000; Ctrl-C keeps the best so far.
    #[arg(long, value_name = "N")]
    effort: Option<usize>,
    /// Ends of strokes that lie so near each other are joined; `0mm` joins only what meets exactly.
    #[arg(long, value_name = "LENGTH", value_parser = length, default_value = "0.1mm")]
    join: f64,
    /// Draw once what the drawing has twice within this distance.
    #[arg(long, value_name = "LENGTH", value_parser = length, num_args = 0..=1, default_missing_value = "0.05mm")]
    dedup: Option<f64>,
    /// Of the random numbers in the search and in `--order random`.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Orders {
    /// That which takes the least time, or travel.
    Best,
    /// That of the file; only neighbors that touch end to start are joined.
    Keep,
    /// By chance.
    Random,
    /// Strokes side by side long after each other, so that ink may dry.
    Interleave,
    /// The best inside each group of the file, one group after another.
    InsideGroups,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Optimize {
    Time,
    Travel,
}

impl OrderArgs {
    /// The options of a plan with this order.
    pub(super) fn options(&self, options: plan::Options) -> plan::Options {
        plan::Options {
            order: match self.order {
                Orders::Best => Order::Best,
                Orders::Keep => Order::Keep,
                Orders::Random => Order::Random,
                Orders::Interleave => Order::Interleave,
                Orders::InsideGroups => Order::InsideGroups,
            },
            optimize: match self.optimize {
                Optimize::Time => plan::Optimize::Time,
                Optimize::Travel => plan::Optimize::Travel,
            },
            effort: self.effort,
            join: self.join,
            dedup: self.dedup,
            seed: self.seed,
            ..options
        }
    }
}

fn length(text: &str) -> Result<f64, String> {
    units::length(text).map_err(|error| error.to_string())
}

/// Searches shorter than this have no progress bar.
const QUIET: Duration = Duration::from_secs(1);
/// Steps of the bar.
const STEPS: f64 = 1000.0;

/// A person in front of a search: sees how far it is, and ends it by Ctrl-C.
pub(super) struct Watch<'a> {
    terminal: &'a Terminal,
    interrupt: Interrupt,
    begin: Instant,
    bar: Option<ProgressBar>,
}

impl<'a> Watch<'a> {
    pub(super) fn new(terminal: &'a Terminal) -> Self {
        Self { terminal, interrupt: Interrupt::listen(), begin: Instant::now(), bar: None }
    }
}

impl Progress for Watch<'_> {
    fn at(&mut self, share: f64, _: &str) -> ControlFlow<()> {
        if self.bar.is_none() && self.begin.elapsed() > QUIET {
            let bar = self.terminal.progress("order", STEPS as u64);
            bar.set_message("Ctrl-C keeps the best so far");
            self.bar = Some(bar);
        }
        if let Some(bar) = &self.bar {
            bar.set_position((share * STEPS) as u64);
        }
        if self.interrupt.is_pressed() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
