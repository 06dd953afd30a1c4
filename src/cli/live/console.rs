//! The screen and the keys of a plot, in a thread of their own: a slow terminal never slows the pen.

use std::io::{self, BufWriter, IsTerminal as _, Stderr, Write as _};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use ratatui::Terminal as Canvas;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::event::{self, Event as Input, KeyEvent};
use ratatui::crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use ratatui::crossterm::{cursor, execute};

use super::Shared;
use super::keys::{self, Answer, Wish};
use super::picture::Picture;
use super::screen;
use crate::cli::terminal::Hold;

/// Between two looks at the plot.
const FRAME: Duration = Duration::from_millis(100);

/// Whether the terminal is not as it was.
static TAKEN: AtomicBool = AtomicBool::new(false);
static BEGIN: Once = Once::new();

/// The whole window, with keys as they are pressed; given back when this goes, or anything panics.
struct Window {
    canvas: Canvas<CrosstermBackend<BufWriter<Stderr>>>,
}

impl Window {
    fn open() -> io::Result<Self> {
        BEGIN.call_once(|| {
            let before = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |panic| {
                give_back();
                before(panic);
            }));
        });
        TAKEN.store(true, Ordering::SeqCst);
        let opened = enable_raw_mode()
            .and_then(|()| execute!(io::stderr(), EnterAlternateScreen, cursor::Hide))
            .and_then(|()| Canvas::new(CrosstermBackend::new(BufWriter::new(io::stderr()))));
        if opened.is_err() {
            give_back();
        }
        Ok(Self { canvas: opened? })
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        give_back();
    }
}

/// The terminal as it was; nothing can be done about a terminal that is gone.
fn give_back() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        let _ = execute!(io::stderr(), LeaveAlternateScreen, cursor::Show);
        let _ = disable_raw_mode();
    }
}

/// Shows the plot until it is over. What was said meanwhile is written below it then.
/// `delay`: a plot that is over by then has no window.
pub(super) fn show(shared: &Shared, picture: Picture, delay: Duration) {
    let until = Instant::now() + delay;
    while Instant::now() < until {
        if shared.is_over() {
            return;
        }
        std::thread::sleep(FRAME / 10);
    }
    let hold = Hold::begin();
    let mut said = Vec::new();
    // Without a window the plot goes on all the same.
    if let Ok(mut window) = Window::open() {
        let followed = follow(shared, picture, &mut window, &hold, &mut said);
        // The terminal is gone, and whoever watched the pen with it.
        if followed.is_err() && !shared.is_over() {
            shared.wish(Wish::Stop);
        }
    }
    drop(hold);
    for line in said {
        shared.terminal.say(line);
    }
}

fn follow(
    shared: &Shared,
    mut picture: Picture,
    window: &mut Window,
    hold: &Hold,
    said: &mut Vec<String>,
) -> io::Result<()> {
    while !shared.is_over() {
        let lines = hold.take();
        {
            let mut board = shared.board();
            for line in &lines {
                board.say(plain(line));
            }
        }
        said.extend(lines);
        if shared.notice() {
            io::stderr().write_all(b"\x07")?;
        }
        window.canvas.draw(|frame| {
            let mut board = shared.board();
            let now = shared.now();
            board.advance(now);
            board.take_skipped().into_iter().for_each(|skip| picture.skip(skip));
            picture.ink(board.pass, board.place());
            screen::draw(frame, &shared.facts, &board, &mut picture, now);
        })?;
        if let Some(key) = key()? {
            let answer = keys::answer(key, shared.board().phase, shared.facts.can);
            match answer {
                Answer::Wish(wish) => shared.wish(wish),
                Answer::Say(text) => shared.board().say(text),
                Answer::Nothing => {}
            }
        }
    }
    Ok(())
}

/// The next key, if one is pressed within a frame. A terminal that has gone is an error: crossterm would read its end over and
/// over, and never come back.
fn key() -> io::Result<Option<KeyEvent>> {
    let until = Instant::now() + FRAME;
    loop {
        if !gives_keys() {
            return Err(io::ErrorKind::NotConnected.into());
        }
        if event::poll(Duration::ZERO)? {
            let input = event::read()?;
            return Ok(if let Input::Key(key) = input { Some(key) } else { None });
        }
        if Instant::now() >= until {
            return Ok(None);
        }
        std::thread::sleep(FRAME / 5);
    }
}

/// Whether there still is a terminal that keys come from.
fn gives_keys() -> bool {
    io::stdin().is_terminal() || super::terminal_beside_stdin()
}

/// Without colors and what stands before a diagnostic's words.
fn plain(line: &str) -> String {
    let mut text = String::new();
    let mut parts = line.split('\x1b');
    text.push_str(parts.next().unwrap_or_default());
    for part in parts {
        text.push_str(part.split_once('m').map_or("", |(_, rest)| rest));
    }
    let text = text.trim_start();
    let words = text.strip_prefix("WARN").or_else(|| text.strip_prefix("INFO"));
    words.map_or(text, str::trim_start).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diagnostic_is_read_without_its_colors() {
        assert_eq!(plain("\x1b[33m WARN\x1b[0m the pen runs dry"), "the pen runs dry");
        assert_eq!(plain(" INFO job: paused"), "job: paused");
        assert_eq!(plain("plain words"), "plain words");
    }
}
