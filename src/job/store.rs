//! The folder of jobs: each with all that it began with, so that nothing edited later matters, and its journal.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Place;
use super::journal::{self, Journal, Past, ROOM};
use traceur_core::machine::Profile;
use traceur_core::toolpath::{Toolpath, file};

/// What a line of the journal takes at most; bytes.
const LINE: u64 = 128;
/// Finished jobs that are kept.
const KEPT: usize = 20;
const ABOUT: &str = "job.json";
const TOOLPATH: &str = "toolpath.json";
const MACHINE: &str = "machine.toml";
const JOURNAL: &str = "journal.jsonl";

/// Why a job can't be kept or found.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The folder of jobs, or a file in it.
    #[error("{path}: {reason}")]
    Io {
        /// The file or folder.
        path: String,
        /// What the system says.
        reason: String,
    },
    /// A file of the job is not what was written.
    #[error("{path}: {reason}: this job can't go on")]
    Unreadable {
        /// The file.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// No job has this name.
    #[error("no job `{name}`{}: `traceur jobs` lists them", others(.known))]
    Unknown {
        /// What was asked for.
        name: String,
        /// The ids that there are.
        known: Vec<String>,
    },
    /// The journal.
    #[error(transparent)]
    Journal(#[from] journal::Error),
}

fn others(known: &[String]) -> String {
    if known.is_empty() { ", nor any other".into() } else { format!("; there are {}", known.join(", ")) }
}

/// What a job is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// 1.
    format: u32,
    /// The drawing, for people.
    pub drawing: String,
    /// The machine's id.
    pub machine: String,
    /// Where it was to be plotted.
    pub port: String,
    /// Planned; s.
    pub seconds: f64,
    /// The pen stays up.
    #[serde(default)]
    pub dry: bool,
    /// A page that fits only turned is turned.
    pub turns_pages: bool,
}

impl About {
    /// A job that draws `drawing` in so many seconds on a machine.
    #[must_use]
    pub fn new(drawing: &str, profile: &Profile, port: &str, seconds: f64, dry: bool) -> Self {
        let (machine, turns_pages) = (profile.id.clone(), profile.bed.turns_pages);
        Self { format: 1, drawing: drawing.into(), machine, port: port.into(), seconds, dry, turns_pages }
    }
}

/// All that a job is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// What it is.
    pub about: About,
    /// What is drawn.
    pub toolpath: Toolpath,
    /// The machine's profile, as it was.
    pub machine: String,
}

impl Case {
    /// The machine.
    ///
    /// # Errors
    /// When this version does not read the profile.
    pub fn profile(&self) -> Result<Profile, traceur_core::machine::Error> {
        let mut profile = Profile::parse(MACHINE, &self.machine)?;
        profile.bed.turns_pages = self.about.turns_pages;
        Ok(profile)
    }

    /// Strokes of all passes.
    #[must_use]
    pub fn strokes(&self) -> usize {
        self.strokes_before(Place { pass: usize::MAX, stroke: 0 })
    }

    /// How many strokes come before a place.
    #[must_use]
    pub fn strokes_before(&self, place: Place) -> usize {
        let passes = self.toolpath.passes.iter().take(place.pass).map(|pass| pass.strokes.len());
        passes.sum::<usize>() + place.stroke
    }

    /// The place of a stroke, counted from 1 over all passes; `None`: there is no such stroke.
    #[must_use]
    pub fn place_of(&self, number: u64) -> Option<Place> {
        let mut left = usize::try_from(number.checked_sub(1)?).ok()?;
        for (pass, of) in self.toolpath.passes.iter().enumerate() {
            if left < of.strokes.len() {
                return Some(Place { pass, stroke: left });
            }
            left -= of.strokes.len();
        }
        None
    }

    /// The begin of the next pass for a place at the end of one: nobody mounts a pen that has drawn all it was to draw. The
    /// last pen is still brought home.
    #[must_use]
    pub fn behind_whole_pass(&self, place: Place) -> Place {
        let passes = &self.toolpath.passes;
        match passes.get(place.pass) {
            Some(pass) if place.stroke >= pass.strokes.len() && place.pass + 1 < passes.len() => {
                Place { pass: place.pass + 1, stroke: 0 }
            }
            _ => place,
        }
    }
}

/// The folder of jobs.
#[derive(Debug, Clone)]
pub struct Store {
    root: PathBuf,
}

/// A job in the folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stored {
    /// Counts up.
    pub number: u64,
    /// `12-poster`.
    pub id: String,
    folder: PathBuf,
}

impl Store {
    /// Jobs in this folder, which need not be there yet.
    #[must_use]
    pub fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// All jobs, oldest first.
    #[must_use]
    pub fn jobs(&self) -> Vec<Stored> {
        let entries = fs::read_dir(&self.root).into_iter().flatten().flatten();
        let mut jobs: Vec<Stored> = entries
            .filter_map(|entry| {
                let id = entry.file_name().into_string().ok()?;
                let number = id.split('-').next()?.parse().ok()?;
                Some(Stored { number, id, folder: entry.path() })
            })
            .collect();
        jobs.sort();
        jobs
    }

    /// The job of this id, number, or drawing: of several of the same drawing the last.
    ///
    /// # Errors
    /// When there is none: with those that are.
    pub fn find(&self, name: &str) -> Result<Stored, Error> {
        let jobs = self.jobs();
        let fits = |job: &&Stored| {
            job.id == name
                || name.parse() == Ok(job.number)
                || job.id.split_once('-').is_some_and(|(_, drawing)| drawing == name)
        };
        jobs.iter().rev().find(fits).cloned().ok_or_else(|| Error::Unknown {
            name: name.into(),
            known: jobs.iter().rev().take(5).map(|job| job.id.clone()).collect(),
        })
    }

    /// Keeps a new job, and looks whether there is room for its journal.
    ///
    /// # Errors
    /// When the folder can't be written or the disk is full.
    pub fn add(&self, case: &Case) -> Result<Stored, Error> {
        fs::create_dir_all(&self.root).map_err(|error| refused(&self.root, &error))?;
        self.forget_old();
        let temporary = tempfile::Builder::new()
            .prefix(".new-")
            .tempdir_in(&self.root)
            .map_err(|error| refused(&self.root, &error))?;
        let unwritable = |error: serde_json::Error| Error::Io {
            path: temporary.path().display().to_string(),
            reason: error.to_string(),
        };
        let about = serde_json::to_string(&case.about).map_err(unwritable)?;
        let files =
            [(ABOUT, about), (TOOLPATH, file::to_json(&case.toolpath)), (MACHINE, case.machine.clone())];
        for (name, text) in &files {
            write(&temporary.path().join(name), text.as_bytes())?;
        }
        let room = temporary.path().join("room");
        write(&room, &vec![0; usize::try_from(case.strokes() as u64 * LINE + ROOM).unwrap_or(usize::MAX)])?;
        fs::remove_file(&room).map_err(|error| refused(&room, &error))?;
        let mut number = self.jobs().last().map_or(1, |job| job.number + 1);
        let name = slug(&case.about.drawing);
        loop {
            let id = format!("{number}-{name}");
            let folder = self.root.join(&id);
            match fs::rename(temporary.path(), &folder) {
                Ok(()) => {
                    tracing::info!(id, "the job is saved");
                    return Ok(Stored { number, id, folder });
                }
                // Somebody else's job has taken it.
                Err(_) if folder.exists() => number += 1,
                Err(error) => return Err(refused(&folder, &error)),
            }
        }
    }

    /// Finished jobs but the last few go.
    fn forget_old(&self) {
        let done = |job: &Stored| {
            let past = job.past();
            past.is_ok_and(|past| past.end == Some(journal::Entry::Done)) && !job.is_busy()
        };
        let jobs: Vec<Stored> = self.jobs().into_iter().filter(done).collect();
        for job in jobs.iter().rev().skip(KEPT) {
            // OK to ignore: it is only a matter of room.
            let _ = job.remove();
        }
    }
}

impl Stored {
    /// What it is made of.
    ///
    /// # Errors
    /// When a file of it is gone or damaged.
    pub fn case(&self) -> Result<Case, Error> {
        let path = self.folder.join(TOOLPATH);
        let toolpath = file::from_json(read(&path)?.as_bytes());
        let toolpath = toolpath.map_err(|error| unreadable(&path, error.to_string()))?;
        Ok(Case { about: self.about()?, toolpath, machine: read(&self.folder.join(MACHINE))? })
    }

    /// What it is.
    ///
    /// # Errors
    /// When its file is gone or damaged.
    pub fn about(&self) -> Result<About, Error> {
        let path = self.folder.join(ABOUT);
        let about: About =
            serde_json::from_str(&read(&path)?).map_err(|error| unreadable(&path, error.to_string()))?;
        if about.format == 1 { Ok(about) } else { Err(unreadable(&path, "its format is not known".into())) }
    }

    /// Its journal.
    #[must_use]
    pub fn journal(&self) -> PathBuf {
        self.folder.join(JOURNAL)
    }

    /// How many strokes each of its passes has.
    ///
    /// # Errors
    /// As [`Stored::case`].
    pub fn strokes(&self) -> Result<Vec<usize>, Error> {
        Ok(self.case()?.toolpath.passes.iter().map(|pass| pass.strokes.len()).collect())
    }

    /// How far it has come.
    ///
    /// # Errors
    /// When its journal is damaged.
    pub fn past(&self) -> Result<Past, Error> {
        match fs::read(self.journal()) {
            Ok(bytes) => Ok(Past::of(&journal::parse(&self.journal().display().to_string(), &bytes)?.0)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Past::of(&[])),
            Err(error) => Err(refused(&self.journal(), &error)),
        }
    }

    /// Whether a process plots it now.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        Journal::is_busy(&self.journal())
    }

    /// Forgets what its journal tells, which is kept beside.
    ///
    /// # Errors
    /// When the folder can't be written.
    pub fn set_journal_aside(&self) -> Result<(), Error> {
        let aside = self.folder.join("journal.damaged.jsonl");
        fs::rename(self.journal(), aside).map_err(|error| refused(&self.journal(), &error))
    }

    /// A number from 2 to 255 for the board's memory, to know it again.
    #[must_use]
    pub fn mark(&self) -> u8 {
        u8::try_from(crc32c::crc32c(self.id.as_bytes()) % 254 + 2).unwrap_or(2)
    }

    /// Removes it for good.
    ///
    /// # Errors
    /// When a process plots it, or the folder can't be written.
    pub fn remove(&self) -> Result<(), Error> {
        fs::remove_dir_all(&self.folder).map_err(|error| refused(&self.folder, &error))
    }
}

fn read(path: &Path) -> Result<String, Error> {
    fs::read_to_string(path).map_err(|error| refused(path, &error))
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let write = || {
        let mut file = fs::File::create(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(|error| refused(path, &error))
}

fn refused(path: &Path, error: &io::Error) -> Error {
    Error::Io { path: path.display().to_string(), reason: traceur_core::text::os_reason(error) }
}

fn unreadable(path: &Path, reason: String) -> Error {
    Error::Unreadable { path: path.display().to_string(), reason }
}

/// A drawing's name as a part of an id.
fn slug(drawing: &str) -> String {
    let plain = |c: char| if c.is_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let text: String = drawing.chars().map(plain).collect();
    let words: Vec<&str> = text.split('-').filter(|word| !word.is_empty()).collect();
    let name: String = words.join("-").chars().take(30).collect();
    if name.is_empty() { "drawing".into() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;
    use traceur_core::drawing::Page;
    use traceur_core::geometry::{Point, Polyline};
    use traceur_core::machine::BUILT_IN;
    use traceur_core::pens::{Inventory, Pen};
    use traceur_core::toolpath::Pass;

    fn case() -> Case {
        let pens = Inventory::built_in("fineliner-12").unwrap().pens;
        let passes = pens.into_iter().take(3).map(|pen| {
            let pen = Pen { supply: Some(0.1 + 0.2), pass: Some(2), ..pen };
            let points = (0..200).map(|n| {
                let (sin, cos) = (f64::from(n) * 0.7).sin_cos();
                Point::new(50.0 + 40.0 * cos, 50.0 + sin / 3.0)
            });
            Pass { pen, strokes: vec![Polyline::new(points.collect())] }
        });
        Case {
            about: About::new(
                "My Poster (2).svg",
                &Profile::built_in("grbl-servo").unwrap(),
                "auto",
                12.5,
                false,
            ),
            toolpath: Toolpath { page: Page { width: 100.0, height: 100.0 }, passes: passes.collect() },
            machine: BUILT_IN[0].1.into(),
        }
    }

    #[test]
    fn a_job_comes_back_to_the_last_bit() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path().join("state/jobs"));
        assert!(store.jobs().is_empty());
        let first = store.add(&case()).unwrap();
        let second = store.add(&case()).unwrap();
        assert_eq!((first.id.as_str(), second.id.as_str()), ("1-my-poster-2-svg", "2-my-poster-2-svg"));
        assert_eq!(store.find("1").unwrap().case().unwrap(), case());
        assert_eq!(store.find("my-poster-2-svg").unwrap(), second);
        assert!(store.find("3").unwrap_err().to_string().contains("2-my-poster-2-svg"));
        first.remove().unwrap();
        assert_eq!(store.jobs(), [second]);
    }

    #[test]
    fn a_damaged_job_says_which_file() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path().into());
        let job = store.add(&case()).unwrap();
        for text in ["", "{}", "{\"format\":2,\"kind\":\"traceur-plan\",\"page_mm\":[1e999,0],\"passes\":[]}"]
        {
            fs::write(job.folder.join(TOOLPATH), text).unwrap();
            assert!(job.case().unwrap_err().to_string().contains(TOOLPATH), "{text}");
        }
    }

    #[test]
    fn a_job_of_an_earlier_version_is_refused_in_one_clear_line() {
        let folder = tempfile::tempdir().unwrap();
        let job = Store::new(folder.path().into()).add(&case()).unwrap();
        let old = "{\"format\":1,\"page_mm\":[100.0,100.0],\"passes\":[{\"id\":\"red\",\"name\":\"Red\",\
            \"color\":\"#c8232b\",\"tip_mm\":0.35,\"opacity\":0.0,\"speed_mm_s\":null,\"slot\":null,\
            \"metres_mm\":null,\"strokes\":[\"1,2 3,4\"]}]}";
        fs::write(job.folder.join(TOOLPATH), old).unwrap();
        let error = job.case().unwrap_err().to_string();
        let expected = "toolpath.json: kept by an earlier version of traceur, in a format that this one does not read: \
            this job can't go on";
        assert!(error.ends_with(expected), "{error}");
    }
}
