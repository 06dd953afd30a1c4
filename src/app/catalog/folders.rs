//! Where a person's own files are kept.

use std::path::PathBuf;

use etcetera::{BaseStrategy as _, choose_base_strategy};

/// What the program remembers between runs, such as `~/.local/state/traceur`; `None` without a home.
#[must_use]
pub fn state() -> Option<PathBuf> {
    let base = choose_base_strategy().ok()?;
    Some(base.state_dir().unwrap_or_else(|| base.data_dir()).join("traceur"))
}

/// The folder of a person's own machine profiles, such as `~/.config/traceur/machines`; `None` without a home.
#[must_use]
pub fn machines() -> Option<PathBuf> {
    Some(choose_base_strategy().ok()?.config_dir().join("traceur").join("machines"))
}

/// The folder of a person's own pens, such as `~/.config/traceur/pens`; `None` without a home.
#[must_use]
pub fn pens() -> Option<PathBuf> {
    Some(choose_base_strategy().ok()?.config_dir().join("traceur").join("pens"))
}

/// The folder of jobs, such as `~/.local/state/traceur/jobs`; `None` without a home.
#[must_use]
pub fn jobs() -> Option<PathBuf> {
    Some(state()?.join("jobs"))
}
