//! In which order strokes are drawn, as flags have it.

use clap::ValueEnum;

use super::layout::length;
use traceur_app::plan;
use traceur_core::toolpath::{self, Order};

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
        let order = match self.order {
            Orders::Best => Order::Best,
            Orders::Keep => Order::Keep,
            Orders::Random => Order::Random,
            Orders::Interleave => Order::Interleave,
            Orders::InsideGroups => Order::InsideGroups,
        };
        let optimize = match self.optimize {
            Optimize::Time => plan::Optimize::Time,
            Optimize::Travel => plan::Optimize::Travel,
        };
        let toolpath = toolpath::Options {
            order,
            effort: self.effort,
            join_tolerance: self.join,
            dedup_tolerance: self.dedup,
            seed: self.seed,
            ..options.toolpath
        };
        plan::Options { toolpath, optimize, ..options }
    }
}
