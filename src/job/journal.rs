//! What a job has done, line by line, so that it can go on after anything.
//!
//! A line is a JSON object with a number that counts up, and the checksum of what stands before it. Lines are only added.
//! What the last whole line says was on the paper is on the paper; what was drawn after it is drawn again. Only a
//! [`Completed`](traceur_protocol::Event::Completed) leads to a line about strokes.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::Place;

/// How long a line about a stroke may wait for the disk. A killed process loses none of it, a dead computer so much.
const SYNC: Duration = Duration::from_secs(1);
/// Room for the journal that a plot must find; bytes.
pub const ROOM: u64 = 1 << 20;

/// Something that a job has done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Entry {
    /// Plotting began, or went on from here.
    Begin {
        /// Where.
        from: Place,
        /// The port.
        port: String,
    },
    /// From here on the pen may be anywhere.
    Moving,
    /// All strokes before this place are on the paper.
    Drawn(Place),
    /// The pass is on the paper and the pen at home.
    PassDone {
        /// Index of the pass.
        pass: usize,
    },
    /// Plotting ended before its end, as somebody wished.
    Stopped,
    /// Plotting ended before its end, by trouble.
    Failed {
        /// Which.
        why: String,
    },
    /// All is on the paper.
    Done,
}

/// A line as it stands in the file, without its checksum.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Counts up from 0.
    pub seq: u64,
    /// When; seconds since 1970.
    pub at: u64,
    /// What was done.
    #[serde(flatten)]
    pub entry: Entry,
}

/// Why a journal could not be read.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The system refuses.
    #[error("{path}: {reason}")]
    Io {
        /// The file.
        path: String,
        /// What the system says.
        reason: String,
    },
    /// A line in the middle is not what was written.
    #[error(
        "{path}:{line}: the journal is damaged here ({reason}), although lines follow: what was drawn is not known; look at the paper and say `--from-stroke`"
    )]
    Damaged {
        /// The file.
        path: String,
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
}

impl Record {
    fn to_line(&self) -> serde_json::Result<String> {
        let json = serde_json::to_string(self)?;
        let body = json.strip_suffix('}').unwrap_or(&json);
        Ok(format!("{body},\"crc\":\"{:08x}\"}}\n", crc32c::crc32c(body.as_bytes())))
    }

    fn parse(line: &str, seq: u64) -> Result<Self, String> {
        let (body, crc) = line.rsplit_once(",\"crc\":\"").ok_or("it has no checksum")?;
        let crc = crc.strip_suffix("\"}").and_then(|hex| u32::from_str_radix(hex, 16).ok());
        if crc != Some(crc32c::crc32c(body.as_bytes())) {
            return Err("its checksum is wrong".into());
        }
        let record: Self = serde_json::from_str(&format!("{body}}}")).map_err(|error| error.to_string())?;
        if record.seq != seq {
            return Err(format!("it is line {}, not {seq}", record.seq));
        }
        Ok(record)
    }
}

/// The records of a journal, and the length of what is sound. A last line that was not wholly written is left out: it says
/// nothing.
///
/// # Errors
/// A damaged line that others follow.
pub fn parse(path: &str, bytes: &[u8]) -> Result<(Vec<Record>, u64), Error> {
    let (mut records, mut sound) = (Vec::new(), 0);
    let mut lines = bytes.split_inclusive(|byte| *byte == b'\n').peekable();
    while let Some(line) = lines.next() {
        let text = std::str::from_utf8(line).map_err(|_| "it is no text".to_owned());
        let seq = records.len() as u64;
        let record = text.and_then(|text| {
            let whole = text.strip_suffix('\n').ok_or("it was not wholly written")?;
            Record::parse(whole, seq)
        });
        match record {
            Ok(record) => {
                records.push(record);
                sound += line.len() as u64;
            }
            Err(_) if lines.peek().is_none() => break,
            Err(reason) => {
                return Err(Error::Damaged { path: path.into(), line: records.len() + 1, reason });
            }
        }
    }
    Ok((records, sound))
}

/// How far a job has come.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Past {
    /// All strokes before this place are on the paper.
    pub drawn: Place,
    /// The pen is at home, as far as the job knows: nothing has moved, or the last thing done was to end a pass.
    pub home: bool,
    /// How the last line leaves it.
    pub end: Option<Entry>,
    /// When it was written; seconds since 1970.
    pub at: u64,
    /// When the first one was.
    pub began: u64,
    /// The port that was used last.
    pub port: Option<String>,
}

impl Past {
    /// What these records tell.
    #[must_use]
    pub fn of(records: &[Record]) -> Self {
        let mut past = Self { home: true, ..Self::default() };
        past.began = records.first().map_or(0, |record| record.at);
        for record in records {
            past.at = record.at;
            match &record.entry {
                Entry::Begin { from, port } => {
                    past.drawn = *from;
                    past.port = Some(port.clone());
                    past.end = None;
                }
                Entry::Moving => past.home = false,
                Entry::Drawn(place) => {
                    past.drawn = *place;
                    past.home = false;
                }
                Entry::PassDone { pass } => {
                    past.drawn = Place { pass: pass + 1, stroke: 0 };
                    past.home = true;
                }
                end => past.end = Some(end.clone()),
            }
        }
        past
    }
}

/// A journal that is being written.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    /// Length of what is sound; bytes.
    length: u64,
    next: u64,
    /// When the disk was last waited for.
    synced: Instant,
    /// A line could not be written.
    failed: bool,
}

impl Journal {
    /// Opens the journal of a job, or begins it, for this process alone. What is left of a line that was not wholly written
    /// is cut off.
    ///
    /// # Errors
    /// When it can't be written, another process writes it, or it is damaged.
    pub fn open(path: &Path) -> Result<(Self, Vec<Record>), Error> {
        let failed = |reason: String| Error::Io { path: path.display().to_string(), reason };
        let wrong = |error: io::Error| failed(error.to_string());
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(wrong)?;
        file.try_lock().map_err(|_| failed("this job is being plotted by another process".into()))?;
        let bytes = std::fs::read(path).map_err(wrong)?;
        let (records, length) = parse(&path.display().to_string(), &bytes)?;
        file.set_len(length).map_err(wrong)?;
        file.seek(SeekFrom::End(0)).map_err(wrong)?;
        let next = records.len() as u64;
        let journal = Self { path: path.into(), file, length, next, synced: Instant::now(), failed: false };
        Ok((journal, records))
    }

    /// Whether another process writes the journal at `path`.
    #[must_use]
    pub fn is_busy(path: &Path) -> bool {
        File::open(path).is_ok_and(|file| file.try_lock_shared().is_err())
    }

    /// Adds a line. The disk is waited for at once, but for strokes: there about every second.
    ///
    /// # Errors
    /// When it can't be written, the first time of several in a row. The next line is tried all the same: what it says of
    /// strokes holds for all before it.
    pub fn write(&mut self, entry: Entry) -> Result<(), Error> {
        let patient = matches!(entry, Entry::Drawn(_));
        let at = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let record = Record { seq: self.next, at: at.map_or(0, |at| at.as_secs()), entry };
        let failed = |reason: String| Error::Io { path: self.path.display().to_string(), reason };
        let line = record.to_line().map_err(|error| failed(error.to_string()))?;
        let due = !patient || self.synced.elapsed() >= SYNC;
        match self.append(line.as_bytes(), due) {
            Ok(()) => {
                self.next += 1;
                self.length += line.len() as u64;
                self.failed = false;
                Ok(())
            }
            Err(error) => {
                // OK to ignore: what is half written is cut off before the next line, or when it is opened again.
                let _ = self.file.set_len(self.length);
                let _ = self.file.seek(SeekFrom::Start(self.length));
                let again = std::mem::replace(&mut self.failed, true);
                let (path, reason) = (self.path.display().to_string(), error.to_string());
                if again { Ok(()) } else { Err(Error::Io { path, reason }) }
            }
        }
    }

    fn append(&mut self, line: &[u8], sync: bool) -> io::Result<()> {
        self.file.write_all(line)?;
        if sync {
            self.file.sync_data()?;
            self.synced = Instant::now();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn place() -> impl Strategy<Value = Place> {
        (0_usize..4, 0_usize..1000).prop_map(|(pass, stroke)| Place { pass, stroke })
    }

    /// So many characters at most, of all scripts; none that steers a terminal.
    fn words(most: usize) -> impl Strategy<Value = String> {
        let character = any::<char>().prop_filter("it is to be printed", |c| !c.is_control());
        prop::collection::vec(character, 0..=most).prop_map(String::from_iter)
    }

    fn entry() -> impl Strategy<Value = Entry> {
        prop_oneof![
            1 => (place(), words(12)).prop_map(|(from, port)| Entry::Begin { from, port }),
            1 => Just(Entry::Moving),
            6 => place().prop_map(Entry::Drawn),
            1 => (0_usize..4).prop_map(|pass| Entry::PassDone { pass }),
            1 => Just(Entry::Stopped),
            1 => words(40).prop_map(|why| Entry::Failed { why }),
            1 => Just(Entry::Done),
        ]
    }

    fn written(entries: &[Entry]) -> (Vec<Record>, Vec<String>) {
        let numbered = entries.iter().enumerate();
        let records: Vec<Record> = numbered
            .map(|(n, entry)| Record { seq: n as u64, at: 1_000 + n as u64, entry: entry.clone() })
            .collect();
        let lines = records.iter().map(|record| record.to_line().unwrap()).collect();
        (records, lines)
    }

    proptest! {
        #[test]
        fn a_journal_cut_at_every_byte_tells_all_whole_lines(entries in prop::collection::vec(entry(), 0..12)) {
            let (records, lines) = written(&entries);
            let text = lines.concat();
            for cut in 0..=text.len() {
                let (read, sound) = parse("j", &text.as_bytes()[..cut]).unwrap();
                let (mut whole, mut length) = (0, 0);
                while whole < lines.len() && length + lines[whole].len() <= cut {
                    length += lines[whole].len();
                    whole += 1;
                }
                prop_assert_eq!(&read[..], &records[..whole]);
                prop_assert_eq!(sound, length as u64);
            }
        }

        #[test]
        fn a_changed_byte_is_found(entries in prop::collection::vec(entry(), 2..8), at in any::<prop::sample::Index>(), by in 1_u8..) {
            let (records, lines) = written(&entries);
            let mut bytes = lines.concat().into_bytes();
            let at = at.index(bytes.len());
            bytes[at] ^= by;
            let begin_of_last = bytes.len() - lines[lines.len() - 1].len();
            match parse("j", &bytes) {
                // Of the last line nobody can tell damage from a cut; it may also have become two.
                Ok((read, _)) => prop_assert!(at + 1 >= begin_of_last && records.starts_with(&read)),
                Err(error) => prop_assert!(error.to_string().contains("--from-stroke"), "{}", error),
            }
        }

        #[test]
        fn garbage_is_no_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = parse("j", &bytes);
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_told_once() {
        let file = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let path = PathBuf::from("/dev/full");
        let mut journal = Journal { path, file, length: 0, next: 0, synced: Instant::now(), failed: false };
        let error = journal.write(Entry::Moving).unwrap_err().to_string();
        assert!(error.starts_with("/dev/full: "), "{error}");
        journal.write(Entry::Done).unwrap();
        assert_eq!(journal.next, 0);
    }

    #[test]
    fn what_is_written_is_read_and_only_one_process_writes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        let (mut journal, records) = Journal::open(&path).unwrap();
        assert!(records.is_empty() && Journal::is_busy(&path));
        assert!(Journal::open(&path).unwrap_err().to_string().contains("another process"));
        let place = Place { pass: 1, stroke: 7 };
        journal.write(Entry::Begin { from: Place::default(), port: "/dev/ttyUSB0".into() }).unwrap();
        journal.write(Entry::Moving).unwrap();
        journal.write(Entry::Drawn(place)).unwrap();
        drop(journal);
        assert!(!Journal::is_busy(&path));
        OpenOptions::new().append(true).open(&path).unwrap().write_all(b"{\"seq\":3,\"at").unwrap();
        let (mut journal, records) = Journal::open(&path).unwrap();
        let past = Past::of(&records);
        assert_eq!((past.drawn, past.home, past.end), (place, false, None));
        journal.write(Entry::PassDone { pass: 1 }).unwrap();
        journal.write(Entry::Stopped).unwrap();
        drop(journal);
        let (_, records) = Journal::open(&path).unwrap();
        let past = Past::of(&records);
        assert_eq!(
            (past.drawn, past.home, past.end),
            (Place { pass: 2, stroke: 0 }, true, Some(Entry::Stopped))
        );
    }
}
