//! A command that waits for its answer.

use super::reply::Reply;

/// What a command was sent for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// The program's statement.
    Statement(usize),
    /// A move or a lift that the program does not have: of a pause, or a part of a statement.
    Extra,
    /// A setting of the session's own.
    Setting,
    /// `QC`: the motors' voltage.
    Power,
    /// `QL`: the mark that a restart wipes out.
    Mark,
    /// `QG`: what moves, and the button.
    General,
}

/// A command that was sent.
#[derive(Debug, Clone)]
pub(super) struct Asking {
    pub(super) asked: Asked,
    /// Whether it goes through the board's queue.
    pub(super) queued: bool,
    /// How long it takes there; ticks.
    pub(super) ticks: u32,
    name: String,
    /// Its value, when the OK is still to come.
    value: Option<String>,
}

/// What a line is to a command that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// The whole answer, with its value.
    Done(String),
    /// A part of it.
    Partial,
    /// Nothing of it.
    Stray(String),
}

impl Asking {
    pub(super) fn new(line: &str, asked: Asked, queued: bool, ticks: u32) -> Self {
        let name = line.split(',').next().unwrap_or_default().to_owned();
        Self { asked, queued, ticks, name, value: None }
    }

    /// Whether it does something, and only says OK.
    pub(super) fn is_command(&self) -> bool {
        matches!(self.asked, Asked::Statement(_) | Asked::Extra | Asked::Setting)
    }

    /// Takes a line that is no error.
    pub(super) fn take(&mut self, reply: Reply, future: bool) -> Answer {
        let line = match reply {
            Reply::Ok => return self.take_ok(),
            Reply::Line(line) | Reply::Error { text: line, .. } => line,
        };
        if future {
            return match line.strip_prefix(self.name.as_str()) {
                Some("") => Answer::Done(String::new()),
                Some(rest) if rest.starts_with(',') => Answer::Done(rest[1..].to_owned()),
                _ => Answer::Stray(line),
            };
        }
        match self.asked {
            // The only one of these without OK.
            Asked::General => Answer::Done(line),
            Asked::Power | Asked::Mark if self.value.is_none() => {
                self.value = Some(line);
                Answer::Partial
            }
            _ => Answer::Stray(line),
        }
    }

    fn take_ok(&mut self) -> Answer {
        match (self.asked, self.value.take()) {
            (_, Some(value)) => Answer::Done(value),
            (Asked::General | Asked::Power | Asked::Mark, None) => {
                Answer::Stray(format!("OK instead of {}", self.name))
            }
            (_, None) => Answer::Done(String::new()),
        }
    }
}
