//! Words, tables and progress bars; JSON for scripts.

use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use tracing_subscriber::EnvFilter;

use super::{Color, Failure, OutputArgs, interrupt};
use traceur_core::color::Srgb8;
use traceur_core::text::steers;

/// Where and how loudly to speak.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terminal {
    json: bool,
    quiet: bool,
    /// There are so many lines that a picture would only hide them.
    floods: bool,
    color: bool,
    choice: Color,
}

impl Terminal {
    pub(super) fn new(output: &OutputArgs) -> Self {
        let color = is_colored(output.color(), io::stderr().is_terminal());
        let level = match (output.quiet, output.verbose) {
            (true, _) => "error",
            (false, 0) => "warn",
            (false, 1) => "traceur=info,warn",
            (false, _) => "traceur=trace,warn",
        };
        // A second terminal in one process (a test) keeps the first one's subscriber.
        let _ = tracing_subscriber::fmt()
            .with_env_filter(EnvFilter::new(level))
            .with_writer(|| Log)
            .with_ansi(color)
            .with_target(false)
            .without_time()
            .try_init();
        Self {
            json: output.json,
            quiet: output.quiet,
            floods: output.verbose > 1,
            color,
            choice: output.color(),
        }
    }

    /// Whether stdout is kept for JSON.
    pub(super) fn is_for_scripts(&self) -> bool {
        self.json
    }

    /// Whether only errors are wanted.
    pub(super) fn is_quiet(&self) -> bool {
        self.quiet
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
        let text = plain(&failure.to_string().replace('\n', " "));
        // Nobody hears it where the terminal has gone.
        let _ = writeln!(io::stderr(), "{}error{}: {text}", red.0, red.1);
    }

    /// A patch of a color, two cells wide, for stdout; nothing where colors can't be or are not wanted.
    pub(super) fn chip(&self, color: Srgb8) -> String {
        if !self.wants_color(io::stdout().is_terminal()) {
            return String::new();
        }
        format!("\x1b[48;2;{};{};{}m  \x1b[0m", color.red, color.green, color.blue)
    }

    /// A word to the person at the terminal; on stderr, so that stdout stays for results.
    pub(super) fn say(&self, text: impl AsRef<str>) {
        if !self.quiet {
            write_line(&plain(text.as_ref()));
        }
    }

    /// Whether a picture may be shown instead of lines: a person watches, and wants neither events nor bytes.
    pub(super) fn has_screen(&self) -> bool {
        let dumb = std::env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb");
        !self.json && !self.quiet && !self.floods && !dumb && io::stderr().is_terminal()
    }

    /// Rings, if anybody can hear it.
    pub(super) fn bell(&self) {
        if !self.quiet && io::stderr().is_terminal() {
            let _ = io::stderr().write_all(b"\x07");
        }
    }

    /// A question, which is asked even where nothing else is said.
    pub(super) fn ask(&self, text: impl AsRef<str>) {
        write_line(&plain(text.as_ref()));
    }

    /// A warning; stderr.
    pub(super) fn warn(&self, text: impl AsRef<str>) {
        tracing::warn!("{}", plain(text.as_ref()));
    }

    /// A command's result: `value` for scripts under `--json`, else `text` for people; stdout.
    pub(super) fn result(
        &self,
        value: &impl Serialize,
        text: impl FnOnce() -> String,
    ) -> Result<(), Failure> {
        if self.json {
            return self.event(value);
        }
        if self.quiet {
            return Ok(());
        }
        self.stdout(format!("{}\n", tame(text().trim_end())).as_bytes())
    }

    /// One event of a long command: a JSON line under `--json`, nothing else.
    pub(super) fn event(&self, value: &impl Serialize) -> Result<(), Failure> {
        if !self.json {
            return Ok(());
        }
        let text = serde_json::to_string(value).map_err(|error| Failure::Input(error.to_string()))?;
        self.stdout(format!("{}\n", tame_json(&text)).as_bytes())
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

    /// Asks the person to press Enter; false at the end of input, and at Ctrl-C or another signal to end.
    pub(super) fn wait_for_enter(&self, text: &str) -> bool {
        write_line(&plain(text));
        let _interrupt = interrupt::Interrupt::listen();
        let (tell, answers) = mpsc::channel();
        let told = tell.clone();
        // Threads that wait for a line or a signal can't be woken; they end with the process.
        let _ = std::thread::Builder::new().name("line".into()).spawn(move || {
            let mut line = String::new();
            let _ = told.send(matches!(io::stdin().read_line(&mut line), Ok(read) if read > 0));
        });
        let _ = std::thread::Builder::new().name("signal".into()).spawn(move || {
            interrupt::wait_for_end();
            let _ = tell.send(false);
        });
        answers.recv().unwrap_or(false)
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

/// The text without what would steer a terminal, a replacement character in its place: it may come from anybody's file.
pub(super) fn plain(text: &str) -> String {
    text.chars().map(|c| if steers(c) && c != '\n' { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// A result's text, which may hold anybody's words: as [`plain`] has it, but for tabs and for the colors of chips.
fn tame(text: &str) -> String {
    let mut tame = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let piece = match leading_color(rest) {
            Some(color) => color,
            None => &rest[..c.len_utf8()],
        };
        let is_harmless = piece.len() > c.len_utf8() || c == '\t';
        tame += &if is_harmless { piece.to_owned() } else { plain(piece) };
        rest = &rest[piece.len()..];
    }
    tame
}

/// The escape sequence that `text` begins with, if all that it does is to color.
fn leading_color(text: &str) -> Option<&str> {
    let numbers = text.strip_prefix("\x1b[")?;
    let end = numbers.find(|c: char| !c.is_ascii_digit() && c != ';')?;
    numbers[end..].starts_with('m').then(|| &text[..end + 3])
}

/// JSON text that says the same without a character that steers a terminal; outside of its strings there are none.
fn tame_json(text: &str) -> String {
    let mut tame = String::with_capacity(text.len());
    for c in text.chars() {
        if steers(c) {
            tame += &format!("\\u{:04x}", u32::from(c));
        } else {
            tame.push(c);
        }
    }
    tame
}

/// Lines that wait while something else has the screen.
static HELD: Mutex<Option<Vec<String>>> = Mutex::new(None);

fn held() -> MutexGuard<'static, Option<Vec<String>>> {
    HELD.lock().unwrap_or_else(PoisonError::into_inner)
}

fn write_line(line: &str) {
    match held().as_mut() {
        Some(lines) => lines.push(line.to_owned()),
        // Nobody reads it where the terminal has gone, and that ends no plot.
        None => drop(writeln!(io::stderr(), "{line}")),
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
        let lines = held().take().unwrap_or_default();
        for line in lines {
            write_line(&line);
        }
    }
}

/// Where diagnostics go.
struct Log;

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match held().as_mut() {
            Some(lines) => lines.extend(String::from_utf8_lossy(bytes).lines().map(str::to_owned)),
            // As with words.
            None => drop(io::stderr().write_all(bytes)),
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A table with columns as wide as they need to be; the first column is left, the others right.
pub(super) fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    let rows: Vec<Vec<String>> =
        rows.iter().map(|row| row.iter().map(|cell| plain(cell).replace('\n', " ")).collect()).collect();
    let mut widths: Vec<usize> = header.iter().map(|cell| cell.chars().count()).collect();
    for row in &rows {
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
    for row in &rows {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_is_replaced() {
        for (text, expected) in [
            ("plain, ü, 墨\nnext", "plain, ü, 墨\nnext"),
            ("\x1b]0;title\x07name", "�]0;title�name"),
            ("\x1b[2Jgone\x1b[1A", "�[2Jgone�[1A"),
            ("\u{9b}2Jgone\u{85}", "�2Jgone�"),
            ("a\rb\x08c\td\x7f", "a�b�c\td�"),
            ("abc\u{202e}cba", "abc�cba"),
            ("\x1b[48;2;1;2;3m  \x1b[0m red", "\x1b[48;2;1;2;3m  \x1b[0m red"),
            ("\x1b[31", "�[31"),
        ] {
            assert_eq!(tame(text), expected, "{text:?}");
        }
        assert_eq!(plain("\x1b[31mred"), "�[31mred");
    }

    #[test]
    fn json_says_the_same_without_what_steers_a_terminal() {
        let text = serde_json::json!({ "name": "a\u{9b}2J\u{202e}b\x1b" }).to_string();
        let tame = tame_json(&text);
        assert!(!tame.chars().any(steers), "{tame:?}");
        let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(read(&text), read(&tame));
    }
}
