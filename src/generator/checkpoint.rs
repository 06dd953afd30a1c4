//! A run, kept in a file: with it the run goes on in another process, to the same bytes.
//!
//! ```text
//! "traceur checkpoint\n" │ format, u32 LE │ SHA-256 of the rest │ MessagePack: version, settings, state
//! ```
//!
//! The settings are inside, pens and all, so that nothing that is edited meanwhile matters.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::schedule::{Run, State};
use super::settings::Settings;
use super::spline::MOST_SPANS;
use super::stage::Stage;
use super::{Error, network};

const MAGIC: &[u8; 19] = b"traceur checkpoint\n";
/// Raised when a field changes its meaning; a new or missing field explains itself.
const FORMAT: u32 = 2;
/// Where the payload begins.
const HEAD: usize = MAGIC.len() + 4 + 32;
/// More pixels or steps than this are no settings of ours.
const MOST: usize = 100_000_000;

/// Why a file is no checkpoint that can be continued.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotACheckpoint {
    /// Other bytes.
    #[error("not a checkpoint of traceur: give the file that a stopped `generate` named")]
    Magic,
    /// Of a newer or older program.
    #[error(
        "a checkpoint of format {0}: this version reads format {FORMAT}; continue with the version that wrote it"
    )]
    Format(u32),
    /// Cut off or changed.
    #[error("the checkpoint is damaged (its checksum differs): begin again without --continue")]
    Damaged,
    /// Whole, but of other fields.
    #[error("the checkpoint was written by traceur {version}, this is {}: continue with that version ({why})", env!("CARGO_PKG_VERSION"))]
    Fields {
        /// Who wrote it.
        version: String,
        /// What could not be read.
        why: String,
    },
    /// Whole, but its parts contradict one another.
    #[error("the checkpoint contradicts itself in {0}: begin again without --continue")]
    Contradiction(&'static str),
}

#[derive(Serialize)]
struct Out<'a> {
    version: &'a str,
    settings: &'a Settings,
    state: &'a State,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct In {
    #[serde(rename = "version")]
    _version: String,
    settings: Settings,
    state: State,
}

#[derive(Deserialize)]
struct Writer {
    version: String,
}

impl Run {
    /// The run as bytes, for [`Run::restore`].
    #[must_use]
    pub fn save(&self) -> Vec<u8> {
        let out = Out { version: env!("CARGO_PKG_VERSION"), settings: self.settings(), state: self.state() };
        let payload = rmp_serde::to_vec_named(&out).expect("settings and states have no maps with odd keys");
        let mut bytes = MAGIC.to_vec();
        bytes.extend(FORMAT.to_le_bytes());
        bytes.extend(Sha256::digest(&payload));
        bytes.extend(payload);
        bytes
    }

    /// The run that [`Run::save`] saw. Its next steps are those that it would have done.
    ///
    /// # Errors
    /// Bytes that are no whole checkpoint of this version, and failures of the network.
    pub fn restore(bytes: &[u8]) -> Result<Self, Error> {
        let saved = read(bytes)?;
        Self::with(saved.settings, saved.state)
    }
}

impl Settings {
    /// SHA-256, in hexadecimal, of all that a drawing depends on: these settings and the program's version.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let payload = rmp_serde::to_vec_named(&(env!("CARGO_PKG_VERSION"), self));
        let payload = payload.expect("settings have no maps with odd keys");
        Sha256::digest(payload).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

fn read(bytes: &[u8]) -> Result<In, NotACheckpoint> {
    if !bytes.starts_with(MAGIC) {
        return Err(NotACheckpoint::Magic);
    }
    let (head, payload) = bytes.split_at_checked(HEAD).ok_or(NotACheckpoint::Damaged)?;
    let (format, checksum) = head[MAGIC.len()..].split_at(4);
    let format = u32::from_le_bytes(format.try_into().expect("four bytes were split off"));
    if format != FORMAT {
        return Err(NotACheckpoint::Format(format));
    }
    if Sha256::digest(payload)[..] != *checksum {
        return Err(NotACheckpoint::Damaged);
    }
    let saved: In = rmp_serde::from_slice(payload).map_err(|error| {
        let version = rmp_serde::from_slice(payload).map(|writer: Writer| writer.version);
        NotACheckpoint::Fields { version: version.unwrap_or_else(|_| "?".into()), why: error.to_string() }
    })?;
    contradiction(&saved).map_or(Ok(saved), |what| Err(NotACheckpoint::Contradiction(what)))
}

/// Whoever knows SHA-256 can write numbers that no run has: they are found before they are drawn with.
fn contradiction(saved: &In) -> Option<&'static str> {
    let settings = &saved.settings;
    let steps = settings.steps();
    if settings.grid.is_some_and(|grid| !grid.is_sane()) {
        return Some("its grid");
    }
    let canvas = settings.at(Stage::Free).and_then(|part| part.canvas());
    let Ok(canvas) = canvas else { return Some("its page and pens") };
    let least = network::LEAST_SIZE;
    let wrong = [
        (!settings.page.is_sane() || !settings.margin.is_finite(), "its page"),
        (settings.most_pens == 0, "its pens"),
        (settings.most_px > MOST || canvas.width_px.min(canvas.height_px) < least, "its canvas"),
        (steps > MOST, "its steps"),
        (!(1..=MOST_SPANS).contains(&settings.spans), "its strokes"),
        (
            settings.white.is_some_and(|white| !white.iter().all(|share| (0.0..=1.0).contains(share))),
            "its white",
        ),
        (!settings.step_px.is_finite() || !(1..=64).contains(&settings.views), "its step"),
    ];
    let wrong = wrong.into_iter().find_map(|(is_wrong, what)| is_wrong.then_some(what));
    wrong.or_else(|| saved.state.misfit(settings))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Aim, Outcome};
    use traceur_core::drawing::{Page, svg};
    use traceur_core::pens::Inventory;

    fn small() -> Run {
        let pens = Inventory::built_in("fineliner-12").unwrap().pens;
        let page = Page { width: 40.0, height: 32.0 };
        let aim: Aim = "lite0:b2:11".parse().unwrap();
        Run::new(Settings {
            margin: 4.0,
            free_steps: 5,
            tune_steps: 6,
            strokes: Some(20),
            most_px: 20_000,
            ..Settings::new(page, aim, pens)
        })
        .unwrap()
    }

    fn finish(mut run: Run) -> Outcome {
        while run.step().unwrap().is_some() {}
        run.outcome().unwrap()
    }

    #[test]
    fn a_run_that_was_stopped_anywhere_ends_with_the_same_bytes() {
        let whole = finish(small());
        let mut run = small();
        for _ in 0..=run.steps() {
            let restored = Run::restore(&run.save()).unwrap();
            assert_eq!(restored.save(), run.save());
            let outcome = finish(restored);
            assert_eq!(outcome, whole, "stopped after {} steps", run.done());
            assert_eq!(svg::write(&outcome.drawing), svg::write(&whole.drawing));
            run.step().unwrap();
        }
    }

    #[test]
    fn looking_at_a_run_does_not_change_it() {
        let whole = finish(small());
        let mut run = small();
        while run.step().unwrap().is_some() {
            run.picture().unwrap();
            run.outcome().unwrap();
        }
        assert_eq!(run.outcome().unwrap(), whole);
    }

    #[test]
    fn a_run_can_be_finished_at_any_step() {
        let mut run = small();
        for _ in 0..3 {
            assert_eq!(run.step().unwrap().unwrap().stage, Stage::Free);
        }
        let outcome = run.outcome().unwrap();
        assert!(outcome.drawing.strokes() > 5 && outcome.drawing.layers.len() <= 4);
        assert!(outcome.excitation.tuned != 0.0 && outcome.excitation.free != 0.0);
    }

    #[test]
    fn other_bytes_are_explained() {
        let bytes = small().save();
        let error = |bytes: &[u8]| read(bytes).map(drop).unwrap_err();
        for cut in 0..bytes.len().min(400) {
            let expected = if cut < MAGIC.len() { NotACheckpoint::Magic } else { NotACheckpoint::Damaged };
            assert_eq!(error(&bytes[..cut]), expected, "cut at {cut}");
        }
        let mut changed = bytes.clone();
        *changed.last_mut().unwrap() ^= 1;
        assert_eq!(error(&changed), NotACheckpoint::Damaged);
        changed.clone_from(&bytes);
        changed[MAGIC.len()] = 7;
        assert!(error(&changed).to_string().contains("format 7"));
        assert_eq!(error(b"<svg/>"), NotACheckpoint::Magic);
    }

    #[test]
    fn whole_checkpoints_of_nonsense_are_refused() {
        let sign = |payload: Vec<u8>| {
            let mut bytes = MAGIC.to_vec();
            bytes.extend(FORMAT.to_le_bytes());
            bytes.extend(Sha256::digest(&payload));
            bytes.extend(payload);
            bytes
        };
        let other = sign(rmp_serde::to_vec_named(&[("version", "9.9")]).unwrap());
        assert!(matches!(read(&other), Err(NotACheckpoint::Fields { .. })));
        let run = small();
        let with = |change: &dyn Fn(&mut Settings)| {
            let mut settings = run.settings().clone();
            change(&mut settings);
            let out = Out { version: "1", settings: &settings, state: run.state() };
            read(&sign(rmp_serde::to_vec_named(&out).unwrap())).map(drop)
        };
        assert_eq!(with(&|_| ()), Ok(()));
        assert!(with(&|s| s.pens.clear()).is_err());
        assert!(with(&|s| s.most_px = usize::MAX).is_err());
        assert!(with(&|s| s.page.width = f64::NAN).is_err());
        assert!(with(&|s| s.free_steps = usize::MAX).is_err());
        assert!(with(&|s| s.margin = 1e9).is_err());
        let mut state = run.state().clone();
        state.drop_a_stroke();
        let out = Out { version: "1", settings: run.settings(), state: &state };
        let error = read(&sign(rmp_serde::to_vec_named(&out).unwrap())).map(drop).unwrap_err();
        assert_eq!(error, NotACheckpoint::Contradiction("its strokes"));
    }
}
