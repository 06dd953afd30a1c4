//! How far each pen has drawn: the records, one a line, and their sums.
//!
//! A line is text between tabs, with a checksum at its end. What a crash cut, or a disk garbled, fails its checksum and
//! counts for nothing. Deliberately absent: the file (`job` appends to it).

use sha2::{Digest as _, Sha256};

use super::Pen;

/// Which pen: its id and its name, so that the `black` of two sets are two pens.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PenKey {
    /// Its id.
    pub id: String,
    /// Its name for people.
    pub name: String,
}

impl From<&Pen> for PenKey {
    fn from(pen: &Pen) -> Self {
        Self { id: one_line(&pen.id), name: one_line(&pen.name) }
    }
}

/// What happened to a pen.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// It drew.
    Drew {
        /// Length of the line; mm.
        mm: f64,
        /// What was plotted: a name for people.
        job: String,
    },
    /// It is full again.
    Refilled,
}

/// One line of the log.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// When, in seconds since 1970.
    pub time: u64,
    /// Which pen.
    pub pen: PenKey,
    /// What.
    pub event: Event,
}

impl Record {
    /// The line, with its end.
    #[must_use]
    pub fn to_line(&self) -> String {
        let (mm, job) = match &self.event {
            Event::Drew { mm, job } => (format!("{mm:.3}"), one_line(job)),
            Event::Refilled => ("refilled".into(), String::new()),
        };
        let PenKey { id, name } = &self.pen;
        let body = format!("{}\t{}\t{}\t{mm}\t{job}", self.time, one_line(id), one_line(name));
        format!("{body}\t{}\n", checksum(&body))
    }

    /// Reads a line; `None`: it is cut or garbled.
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        let (body, sum) = line.trim_end_matches(['\n', '\r']).rsplit_once('\t')?;
        if sum != checksum(body) {
            return None;
        }
        let mut fields = body.split('\t');
        let time = fields.next()?.parse().ok()?;
        let pen = PenKey { id: fields.next()?.to_owned(), name: fields.next()?.to_owned() };
        let (mm, job) = (fields.next()?, fields.next()?.to_owned());
        let event = if mm == "refilled" {
            Event::Refilled
        } else {
            let mm: f64 = mm.parse().ok()?;
            Event::Drew { mm: Some(mm).filter(|mm| mm.is_finite() && *mm >= 0.0)?, job }
        };
        Some(Self { time, pen, event })
    }
}

/// What one pen has done.
#[derive(Debug, Clone, PartialEq)]
pub struct Sum {
    /// Which pen.
    pub pen: PenKey,
    /// Since it was last refilled; mm.
    pub since_refill: f64,
    /// Ever; mm.
    pub total: f64,
    /// How often it was refilled.
    pub refills: usize,
    /// What it drew last; empty: nothing.
    pub last_job: String,
    /// When something last happened to it, in seconds since 1970.
    pub last_time: u64,
}

impl Sum {
    fn new(pen: PenKey) -> Self {
        Self { pen, since_refill: 0.0, total: 0.0, refills: 0, last_job: String::new(), last_time: 0 }
    }
}

/// The sums of a log, by pen; lines that are no records are left out.
#[must_use]
pub fn sums(log: &str) -> Vec<Sum> {
    let mut sums: std::collections::BTreeMap<PenKey, Sum> = std::collections::BTreeMap::new();
    for record in log.lines().filter_map(Record::parse) {
        let sum = sums.entry(record.pen.clone()).or_insert_with(|| Sum::new(record.pen));
        sum.last_time = record.time;
        match record.event {
            Event::Drew { mm, job } => {
                sum.since_refill += mm;
                sum.total += mm;
                sum.last_job = job;
            }
            Event::Refilled => {
                sum.since_refill = 0.0;
                sum.refills += 1;
            }
        }
    }
    sums.into_values().collect()
}

/// A pen's or a job's name may hold anything; a line of the log may not.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect()
}

/// Eight hexadecimal digits of the text's SHA-256: enough to know a line that was cut.
fn checksum(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(id: &str, event: Event) -> Record {
        Record { time: 1_700_000_000, pen: PenKey { id: id.into(), name: format!("{id} pen") }, event }
    }

    fn drew(id: &str, mm: f64) -> Record {
        record(id, Event::Drew { mm, job: "a\tjob\nof two lines".into() })
    }

    #[test]
    fn a_record_comes_back_on_one_line() {
        let line = drew("red", 12.5).to_line();
        assert_eq!(line.lines().count(), 1);
        let back = Record::parse(&line).unwrap();
        assert_eq!(back.event, Event::Drew { mm: 12.5, job: "a job of two lines".into() });
        assert_eq!(Record::parse(&record("red", Event::Refilled).to_line()).unwrap().event, Event::Refilled);
    }

    #[test]
    fn a_log_cut_at_every_byte_loses_at_most_its_last_line() {
        let log: String =
            [drew("red", 10.0), drew("red", 5.0), drew("blue", 7.0)].map(|r| r.to_line()).concat();
        for cut in 0..log.len() {
            let whole = log[..cut].lines().count() - usize::from(cut > 0 && !log[..cut].ends_with('\n'));
            let total: f64 = sums(&log[..cut]).iter().map(|sum| sum.total).sum();
            let expected: f64 = [10.0, 5.0, 7.0].iter().take(whole).sum();
            // Without its line break alone, a line is whole.
            let with_last: f64 = [10.0, 5.0, 7.0].iter().take(whole + 1).sum();
            assert!(
                total == expected || (total == with_last && log.as_bytes()[cut] == b'\n'),
                "{cut}: {total}"
            );
        }
    }

    #[test]
    fn a_refill_begins_to_count_anew() {
        let log = [drew("red", 10.0), record("red", Event::Refilled), drew("red", 3.0)]
            .map(|r| r.to_line())
            .concat();
        let sums = sums(&log);
        assert_eq!((sums[0].since_refill, sums[0].total, sums[0].refills), (3.0, 13.0, 1));
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read(text in proptest::collection::vec(proptest::prelude::any::<char>(), 0..400)) {
            let _ = sums(&String::from_iter(text));
        }
    }
}
