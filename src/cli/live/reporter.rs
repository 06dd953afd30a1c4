//! What a plot tells: lines for people without a screen, JSON for scripts, a command for far-away ears.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::hook::Hook;
use super::screen::roughly;
use crate::cli::{Failure, Terminal};
use traceur_app::rounded;
use traceur_app::status::{Phase, Status};
use traceur_job::News;
use traceur_protocol::Event;

/// Lines about progress come no sooner after each other, and no nearer.
const LINE_EVERY: Duration = Duration::from_secs(2);
const LINE_PERCENT: u32 = 5;

/// Who is told what.
#[derive(Debug)]
pub(super) struct Reporter {
    terminal: Terminal,
    /// Nothing else shows what happens.
    lines: bool,
    hook: Option<Hook>,
    /// What the plotter said of itself.
    pub(super) banner: Option<String>,
    is_paused: bool,
    percent: u32,
    line_percent: u32,
    line_at: Instant,
    /// Stdout is gone.
    pub(super) closed: Result<(), Failure>,
}

impl Reporter {
    /// `job`: its name for people, in every event of the hook.
    pub(super) fn new(terminal: Terminal, lines: bool, on_event: Option<&str>, job: &str) -> Self {
        Self {
            terminal,
            lines,
            hook: on_event.map(|command| Hook::new(command, job)),
            banner: None,
            is_paused: false,
            percent: 0,
            line_percent: 0,
            line_at: Instant::now(),
            closed: Ok(()),
        }
    }

    /// An event for scripts and for the hook.
    pub(super) fn event(&mut self, event: Value) {
        if self.closed.is_ok() {
            self.closed = self.terminal.event(&event);
        }
        if let Some(warning) = self.hook.as_mut().and_then(|hook| hook.run(&event)) {
            self.terminal.warn(warning);
        }
    }

    /// A line for people who have no screen.
    pub(super) fn line(&self, text: impl AsRef<str>) {
        if self.lines {
            self.terminal.say(text);
        }
    }

    /// Rings, where no screen does.
    pub(super) fn bell(&self) {
        if self.lines {
            self.terminal.bell();
        }
    }

    /// What the runner tells.
    pub(super) fn tell(&mut self, news: &News<'_>, status: &Status) {
        if status.phase != Phase::Paused {
            self.resumed();
        }
        match news {
            News::Session { event, origin, .. } => {
                if let Some(value) = self.of_session(event, *origin) {
                    self.event(value);
                }
                self.progress(status);
            }
            News::Pass { from } if from.stroke == 0 => {
                let Some(pass) = status.timetable.passes.get(from.pass) else { return };
                let of = status.timetable.passes.len();
                let pen = &status.pens[from.pass];
                self.line(format!(
                    "pass {} of {of}: {}, {} strokes, {:.2} m, about {}",
                    from.pass + 1,
                    pen.name,
                    pass.strokes(),
                    pass.draw_mm() / 1000.0,
                    roughly(pass.seconds)
                ));
                self.event(json!({
                    "event": "pass", "pass": from.pass + 1, "of": of, "pen": pen.id, "strokes": pass.strokes(),
                    "draw_mm": rounded(pass.draw_mm()), "seconds": rounded(pass.seconds),
                }));
            }
            News::PassDone { pass } => {
                self.progress(status);
                self.event(
                    json!({ "event": "pass_done", "pass": pass + 1, "of": status.timetable.passes.len() }),
                );
            }
            News::Skipped(place) => self.both(
                &format!("stroke {} is left out", place.stroke + 1),
                json!({ "event": "skipped", "pass": place.pass + 1, "stroke": place.stroke + 1 }),
            ),
            News::Speed(percent) => {
                self.both(&format!("speed {percent} %"), json!({ "event": "speed", "percent": percent }));
            }
            _ => {}
        }
    }

    /// The pen is up and waits.
    pub(super) fn paused(&mut self) {
        self.is_paused = true;
        self.both("paused, pen up", json!({ "event": "paused" }));
    }

    /// The phase is another than paused.
    fn resumed(&mut self) {
        if std::mem::take(&mut self.is_paused) {
            self.both("goes on", json!({ "event": "resumed" }));
        }
    }

    fn both(&mut self, line: &str, event: Value) {
        self.line(line);
        self.event(event);
    }

    fn progress(&mut self, status: &Status) {
        // A virtual plotter may be far ahead of what a person could follow.
        let percent = (status.known_share() * 100.0).floor() as u32;
        if percent > self.percent {
            self.percent = percent;
            let place = status.known_place();
            let pass = status.timetable.passes.get(status.pass);
            self.event(json!({
                "event": "progress", "percent": percent, "pass": status.pass + 1, "stroke": place.strokes,
                "strokes": pass.map_or(0, |pass| pass.strokes()), "seconds_left": rounded(status.left()),
            }));
        }
        let is_due = percent >= self.line_percent + LINE_PERCENT && self.line_at.elapsed() >= LINE_EVERY;
        if is_due && percent < 100 {
            self.line_percent = percent - percent % LINE_PERCENT;
            self.line_at = Instant::now();
            let metres = status.draw_mm() / 1000.0;
            self.line(format!("{percent:>3} %  {metres:.2} m drawn, {} left", roughly(status.left())));
        }
    }

    /// The events that scripts want of what a session tells.
    fn of_session(&mut self, event: &Event, origin: Option<traceur_protocol::Origin>) -> Option<Value> {
        Some(match event {
            // Each pass has a session, and there is one plotter.
            Event::Connected { .. } if self.banner.is_some() => return None,
            Event::Connected { banner } => {
                self.banner = Some(banner.clone());
                json!({ "event": "connected", "banner": banner })
            }
            Event::Completed { upto } => {
                let mut value = json!({ "event": "completed", "statement": upto + 1 });
                if let Some(origin) = origin {
                    value["pass"] = json!(origin.pass + 1);
                    value["stroke"] = json!(origin.stroke + 1);
                }
                value
            }
            Event::Error { code, meaning, line, .. } => {
                json!({ "event": "error", "code": code, "meaning": meaning, "line": line })
            }
            Event::Alarm { code, meaning, .. } => {
                json!({ "event": "alarm", "code": code, "meaning": meaning })
            }
            Event::Fault(fault) => {
                json!({ "event": "fault", "meaning": fault.to_string() })
            }
            other => {
                tracing::debug!(?other, "event");
                return None;
            }
        })
    }

    /// The last commands are heard, for a moment.
    pub(super) fn finish(&mut self) {
        if let Some(warning) = self.hook.as_mut().and_then(Hook::finish) {
            self.terminal.warn(warning);
        }
    }
}
