//! In which order strokes are drawn, as flags have it; and how a person follows the search for it and ends it.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use clap::ValueEnum;
use indicatif::ProgressBar;
use serde::Serialize;

use super::Terminal;
use super::interrupt::Interrupt;
use traceur_core::machine::{Placement, Profile};
use traceur_core::toolpath::{Objective, Options, Order, TravelTime};
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

impl Default for OrderArgs {
    fn default() -> Self {
        Self { order: Orders::Best, optimize: Optimize::Time, effort: None, join: 0.1, dedup: None, seed: 1 }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
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

#[derive(Debug, Clone, Copy, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Optimize {
    Time,
    Travel,
}

/// How the order came about, for the report.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Ordered {
    order: Orders,
    optimize: Optimize,
    /// Whether Ctrl-C ended the search.
    stopped: bool,
}

impl OrderArgs {
    /// The toolpath's options with this order, on a machine with a page in it.
    pub(super) fn options(&self, profile: &Profile, placement: &Placement, options: Options) -> Options {
        let order = match self.order {
            Orders::Best => Order::Best,
            Orders::Keep => Order::Keep,
            Orders::Random => Order::Random,
            Orders::Interleave => Order::Interleave,
            Orders::InsideGroups => Order::InsideGroups,
        };
        let objective = match self.optimize {
            Optimize::Time => Objective::Time(TravelTime::new(profile, placement)),
            Optimize::Travel => Objective::Travel,
        };
        Options {
            order,
            objective,
            effort: self.effort,
            join_tolerance: self.join,
            dedup_tolerance: self.dedup,
            seed: self.seed,
            ..options
        }
    }

    /// For the report; `stopped`: whether Ctrl-C ended the search.
    pub(super) fn report(&self, stopped: bool) -> Ordered {
        Ordered { order: self.order, optimize: self.optimize, stopped }
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

    /// Whether Ctrl-C was pressed.
    pub(super) fn stopped(&self) -> bool {
        self.interrupt.is_pressed()
    }

    /// Hears what share of the search is done.
    pub(super) fn hear(&mut self, share: f64) -> ControlFlow<()> {
        if self.bar.is_none() && self.begin.elapsed() > QUIET {
            let bar = self.terminal.progress("order", STEPS as u64);
            bar.set_message("Ctrl-C keeps the best so far");
            self.bar = Some(bar);
        }
        if let Some(bar) = &self.bar {
            bar.set_position((share * STEPS) as u64);
        }
        if self.stopped() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
