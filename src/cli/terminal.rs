//! Words, tables and progress bars; JSON for scripts.

#![expect(clippy::print_stderr, reason = "this is the one place that speaks to people")]

use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use tracing_subscriber::EnvFilter;

use super::{Color, Failure, Talk};

/// Where and how loudly to speak.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terminal {
    json: bool,
    quiet: bool,
    verbose: bool,
    color: bool,
    choice: Color,
}

impl Terminal {
    pub(super) fn new(talk: &Talk) -> Self {
        let color = is_colored(talk.color, io::stderr().is_terminal());
        let level = match (talk.quiet, talk.verbose) {
            (true, _) => "error",
            (false, 0) => "warn",
            (false, 1) => "traceur=info,warn",
            (false, 2) => "traceur=debug,warn",
            (false, _) => "traceur=trace,info",
        };
        // A second terminal in one process (a test) keeps the first one's subscriber.
        let _ = tracing_subscriber::fmt()
            .with_env_filter(EnvFilter::new(level))
            .with_writer(|| Log)
            .with_ansi(color)
            .with_target(false)
            .without_time()
            .try_init();
        Self { json: talk.json, quiet: talk.quiet, verbose: talk.verbose > 0, color, choice: talk.color }
    }

    /// Whether stdout is kept for JSON.
    pub(super) fn is_for_scripts(&self) -> bool {
        self.json
    }

    /// Whether to write in color to a stream that is a terminal or none.
    pub(super) fn wants_color(&self, is_terminal: bool) -> bool {
        is_colored(self.choice, is_terminal)
    }

    /// Whether words to the person are colored.
    pub(super) fn wants_color_on_stderr(&self) -> bool {
        self.color
    }

    /// The error line.
    pub(super) fn error(&self, failure: &Failure) {
        let red = if self.color { ("\x1b[1;31m", "\x1b[0m") } else { ("", "") };
        let text = failure.to_string().replace('\n', " ");
        eprintln!("{}error{}: {text}", red.0, red.1);
    }

    /// A word to the person at the terminal; on stderr, so that stdout stays for results.
    pub(super) fn say(&self, text: impl AsRef<str>) {
        if !self.quiet {
            write_line(text.as_ref());
        }
    }

    /// Whether a picture may be shown instead of lines: a person watches, and wants neither events nor details.
    pub(super) fn has_screen(&self) -> bool {
        let dumb = std::env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb");
        !self.json && !self.quiet && !self.verbose && !dumb && io::stderr().is_terminal()
    }

    /// A question, which is asked even where nothing else is said.
    pub(super) fn ask(&self, text: impl AsRef<str>) {
        write_line(text.as_ref());
    }

    /// A warning; stderr.
    pub(super) fn warn(&self, text: impl AsRef<str>) {
        tracing::warn!("{}", text.as_ref());
    }

    /// A command's result: `value` for scripts under `--json`, else `text` for people; stdout.
    pub(super) fn result(
        &self,
        value: &impl Serialize,
        text: impl FnOnce() -> String,
    ) -> Result<(), Failure> {
        let text = if self.json {
            serde_json::to_string(value).map_err(|error| Failure::Input(error.to_string()))?
        } else if self.quiet {
            return Ok(());
        } else {
            text()
        };
        self.stdout(format!("{}\n", text.trim_end()).as_bytes())
    }

    /// One event of a long command: a JSON line under `--json`, nothing else.
    pub(super) fn event(&self, value: &impl Serialize) -> Result<(), Failure> {
        if !self.json {
            return Ok(());
        }
        let text = serde_json::to_string(value).map_err(|error| Failure::Input(error.to_string()))?;
        self.stdout(format!("{text}\n").as_bytes())
    }

    /// Raw bytes to stdout.
    pub(super) fn stdout(&self, bytes: &[u8]) -> Result<(), Failure> {
        let mut stdout = io::stdout().lock();
        match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Failure::Closed),
            Err(error) => Err(Failure::Input(format!("stdout: {error}"))),
        }
    }

    /// Text that was asked for, to stderr.
    pub(super) fn stderr(&self, text: &str) -> Result<(), Failure> {
        let written = io::stderr().lock().write_all(text.as_bytes());
        written.map_err(|error| Failure::Input(format!("stderr: {error}")))
    }

    /// A progress bar with the time left; nothing when stderr is no terminal, or under `--quiet`.
    pub(super) fn progress(&self, what: &str, steps: u64) -> ProgressBar {
        let bar = ProgressBar::new(steps);
        if self.quiet || !io::stderr().is_terminal() {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        let template = "{prefix:>9} [{bar:24}] {percent:>3} %  {eta:>3} left  {wide_msg}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_prefix(what.to_owned());
        bar.enable_steady_tick(Duration::from_millis(200));
        bar
    }

    /// Asks the person to press Enter; false at the end of input.
    pub(super) fn wait_for_enter(&self, text: &str) -> bool {
        eprintln!("{text}");
        let mut line = String::new();
        matches!(io::stdin().read_line(&mut line), Ok(read) if read > 0)
    }
}

/// `--color`, else color on a terminal without `NO_COLOR`.
fn is_colored(choice: Color, is_terminal: bool) -> bool {
    match choice {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => is_terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
    }
}

/// Lines that wait while something else has the screen.
static HELD: Mutex<Option<Vec<String>>> = Mutex::new(None);

fn held() -> MutexGuard<'static, Option<Vec<String>>> {
    HELD.lock().unwrap_or_else(PoisonError::into_inner)
}

fn write_line(line: &str) {
    match held().as_mut() {
        Some(lines) => lines.push(line.to_owned()),
        None => eprintln!("{line}"),
    }
}

/// Keeps lines off the screen while this lives; what nobody took is written at its end.
#[derive(Debug)]
pub(super) struct Hold;

impl Hold {
    pub(super) fn begin() -> Self {
        *held() = Some(Vec::new());
        Self
    }

    /// What was to be written since the last time.
    pub(super) fn take(&self) -> Vec<String> {
        held().as_mut().map(std::mem::take).unwrap_or_default()
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        for line in held().take().unwrap_or_default() {
            eprintln!("{line}");
        }
    }
}

/// Where diagnostics go.
struct Log;

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match held().as_mut() {
            Some(lines) => lines.extend(String::from_utf8_lossy(bytes).lines().map(str::to_owned)),
            None => io::stderr().write_all(bytes)?,
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A table with columns as wide as they need to be; the first column is left, the others right.
pub(super) fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    let mut widths: Vec<usize> = header.iter().map(|cell| cell.chars().count()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: Vec<&str>| {
        let padded = cells.iter().zip(&widths).enumerate().map(|(column, (cell, width))| {
            if column == 0 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
        });
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    let mut text = line(header.to_vec());
    for row in rows {
        text += &line(row.iter().map(String::as_str).collect());
    }
    text
}

/// `3 h 05 min`, `4 min 05 s`, `12.3 s`.
pub(super) fn clock(seconds: f64) -> String {
    if seconds < 60.0 {
        return format!("{seconds:.1} s");
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a plot lasts hours, not ages"
    )]
    let whole = seconds.round() as u64;
    if whole < 3600 {
        format!("{} min {:02} s", whole / 60, whole % 60)
    } else {
        format!("{} h {:02} min", whole / 3600, whole % 3600 / 60)
    }
}
