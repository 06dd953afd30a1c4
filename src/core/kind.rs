//! What an error means to whoever chooses an exit code, or whether to try again.

/// The kind of an error, whatever its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// What was asked for can't be done so: a file, an option, a drawing that does not fit.
    Input,
    /// The machine, or the way to it, failed.
    Device,
    /// Nobody knows where the pen is. The job may go on once it is put at its zero.
    Lost,
    /// It ended before its end because somebody wished so, and may be begun again.
    Stopped,
}
