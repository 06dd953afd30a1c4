//! The log of how far each pen has drawn: appended to as it happens, never rewritten.
//!
//! Each append takes the file's lock, so that two plots at once lose nothing, and is on the disk when it returns, so that a
//! crash loses what was added since the last one: a metre of line or ten seconds.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use traceur_core::pens::odometer::{Event, PenKey, Record, Sum, sums};

/// Line that may be lost in a crash; mm.
const MOST_UNWRITTEN: f64 = 1000.0;
/// How long it may wait to be written.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// Most of a log that is read; a line is about 100 bytes.
const MOST_BYTES: u64 = 256 << 20;

/// Why the log could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file.
    #[error("{}: {source}; the pens' odometer needs to read and write there", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// Counts what pens draw.
///
/// ```no_run
/// # use {traceur_core::pens::odometer::PenKey, traceur_job::Odometer};
/// # fn plot(pen: &traceur_core::pens::Pen) -> Result<(), traceur_job::OdometerError> {
/// let mut odometer = Odometer::open("odometer.log".as_ref())?;
/// let key = PenKey::from(pen);
/// odometer.add(&key, 120.0, "skull.svg")?; // after each stroke
/// odometer.flush()?; // when a pass ends; dropping it flushes too
/// println!("{} m since the last refill", odometer.metres(&key));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Odometer {
    path: PathBuf,
    sums: Vec<Sum>,
    /// What is not written yet, by pen and job; mm.
    unwritten: BTreeMap<(PenKey, String), f64>,
    written: Instant,
}

impl Odometer {
    /// Reads the log at `path`, or begins it with the first [`Self::add`].
    ///
    /// # Errors
    /// When it is there and can't be read.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let log = read(path).map_err(|source| Error::File { path: path.into(), source })?;
        Ok(Self { path: path.into(), sums: sums(&log), unwritten: BTreeMap::new(), written: Instant::now() })
    }

    /// Counts `mm` of line that a pen drew for `job`, a name for people. Call it as each stroke is completed: it is cheap,
    /// and writes once a metre or every ten seconds.
    ///
    /// # Errors
    /// When the log can't be written; what was added is kept for the next try.
    pub fn add(&mut self, pen: &PenKey, mm: f64, job: &str) -> Result<(), Error> {
        if mm.is_finite() && mm > 0.0 {
            *self.unwritten.entry((pen.clone(), job.to_owned())).or_default() += mm;
        }
        let waiting: f64 = self.unwritten.values().sum();
        if waiting >= MOST_UNWRITTEN || (waiting > 0.0 && self.written.elapsed() >= LONGEST_WAIT) {
            return self.flush();
        }
        Ok(())
    }

    /// Writes what was added, to the disk.
    ///
    /// # Errors
    /// When the log can't be written; what was added is kept for the next try.
    pub fn flush(&mut self) -> Result<(), Error> {
        self.written = Instant::now();
        if self.unwritten.is_empty() {
            return Ok(());
        }
        let time = now();
        let record = |((pen, job), mm): (&(PenKey, String), &f64)| Record {
            time,
            pen: pen.clone(),
            event: Event::Drew { mm: *mm, job: job.clone() },
        };
        let records: Vec<Record> = self.unwritten.iter().map(record).collect();
        self.append(&records)?;
        self.unwritten.clear();
        Ok(())
    }

    /// Notes that a pen is full again.
    ///
    /// # Errors
    /// When the log can't be written.
    pub fn refilled(&mut self, pen: &PenKey) -> Result<(), Error> {
        self.flush()?;
        self.append(&[Record { time: now(), pen: pen.clone(), event: Event::Refilled }])
    }

    /// Line since the pen was last refilled; m.
    #[must_use]
    pub fn metres(&self, pen: &PenKey) -> f64 {
        let written = self.sums.iter().find(|sum| sum.pen == *pen).map_or(0.0, |sum| sum.since_refill);
        let unwritten: f64 = self.unwritten.iter().filter(|((of, _), _)| of == pen).map(|(_, mm)| mm).sum();
        (written + unwritten) / 1000.0
    }

    /// What is known of each pen, as it was written.
    #[must_use]
    pub fn sums(&self) -> &[Sum] {
        &self.sums
    }

    /// Appends to the file under its lock, then reads what others wrote meanwhile.
    fn append(&mut self, records: &[Record]) -> Result<(), Error> {
        let failed = |source| Error::File { path: self.path.clone(), source };
        let text: String = records.iter().map(Record::to_line).collect();
        append(&self.path, &text).map_err(failed)?;
        self.sums = sums(&read(&self.path).map_err(failed)?);
        Ok(())
    }
}

impl Drop for Odometer {
    fn drop(&mut self) {
        if let Err(error) = self.flush() {
            tracing::warn!("{error}");
        }
    }
}

fn read(path: &Path) -> io::Result<String> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(String::new()),
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::new();
    file.take(MOST_BYTES).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn append(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut file = OpenOptions::new().create(true).append(true).read(true).open(path)?;
    file.lock()?;
    let appended = (|| {
        let end = file.seek(SeekFrom::End(0))?;
        let mut last = [b'\n'];
        if end > 0 {
            file.seek(SeekFrom::Start(end - 1))?;
            file.read_exact(&mut last)?;
        }
        // After a line that a crash cut, a new one.
        let gap = if last == *b"\n" { "" } else { "\n" };
        file.write_all(format!("{gap}{text}").as_bytes())?;
        file.sync_data()
    })();
    file.unlock()?;
    appended
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pen(id: &str) -> PenKey {
        PenKey { id: id.into(), name: "a pen".into() }
    }

    #[test]
    fn what_is_added_is_there_when_opened_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state").join("odometer.log");
        let mut odometer = Odometer::open(&path).unwrap();
        odometer.add(&pen("red"), 1500.0, "x.svg").unwrap();
        odometer.add(&pen("red"), 250.0, "x.svg").unwrap();
        assert!((odometer.metres(&pen("red")) - 1.75).abs() < 1e-9);
        drop(odometer);
        let mut odometer = Odometer::open(&path).unwrap();
        assert!((odometer.metres(&pen("red")) - 1.75).abs() < 1e-9);
        odometer.refilled(&pen("red")).unwrap();
        assert_eq!((odometer.metres(&pen("red")), odometer.sums()[0].total), (0.0, 1750.0));
    }

    #[test]
    fn two_at_once_lose_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("odometer.log");
        std::thread::scope(|scope| {
            for id in ["red", "red", "blue", "green"] {
                let path = &path;
                scope.spawn(move || {
                    let mut odometer = Odometer::open(path).unwrap();
                    for _ in 0..20 {
                        odometer.add(&pen(id), 1000.0, "x").unwrap();
                    }
                });
            }
        });
        let odometer = Odometer::open(&path).unwrap();
        assert_eq!(["red", "blue", "green"].map(|id| odometer.metres(&pen(id)).round()), [40.0, 20.0, 20.0]);
    }

    #[test]
    fn a_cut_line_does_not_spoil_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("odometer.log");
        Odometer::open(&path).unwrap().add(&pen("red"), 2000.0, "x").unwrap();
        let mut bytes = fs::read(&path).unwrap();
        bytes.extend_from_slice(b"17000\tred\ta pe\xff");
        fs::write(&path, bytes).unwrap();
        Odometer::open(&path).unwrap().add(&pen("red"), 3000.0, "x").unwrap();
        assert_eq!(Odometer::open(&path).unwrap().metres(&pen("red")), 5.0);
    }

    #[test]
    fn a_folder_in_its_place_is_an_error_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let error = Odometer::open(folder.path()).unwrap_err().to_string();
        assert!(error.contains(&folder.path().display().to_string()), "{error}");
    }
}
