//! What a person sees while a plot runs.

use std::time::Duration;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Style, Stylize as _};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::keys::{self, Abilities};
use super::paint::Palette;
use super::picture::Picture;
use crate::cli::terminal::clock;
use traceur_app::status::{Phase, Status};
use traceur_core::pens::Pen;

/// Narrower windows have no picture beside the facts, lower ones none at all.
const LEAST_WIDTH: u16 = 56;
const LEAST_HEIGHT: u16 = 12;
/// Columns of the facts, and between them and the picture.
const FACTS: u16 = 34;
const GAP: u16 = 3;
/// A window this high has room for two messages.
const HIGH: u16 = 20;

/// What stays the same during a plot.
#[derive(Debug, Clone)]
pub(super) struct Facts {
    /// The drawing's name.
    pub(super) title: String,
    /// The machine's name, and its port.
    pub(super) machine: String,
    /// The pen of each pass, and how it is put in.
    pub(super) pens: Vec<(Pen, String)>,
    pub(super) can: Abilities,
    pub(super) palette: Palette,
}

/// Draws all of it.
pub(super) fn draw(frame: &mut Frame, facts: &Facts, status: &Status, picture: &mut Picture, now: Duration) {
    let area = frame.area();
    let Rect { width, height, .. } = area;
    if width < 2 || height < 2 {
        return;
    }
    let inner = Rect { x: area.x + 1, width: width.saturating_sub(2), ..area };
    let foot = Foot::new(facts, status, inner);
    let (head, rest) = rows(inner, u16::from(height > 6) * 2);
    header(frame, facts, head);
    let foot_height = foot.height().min(rest.height);
    let (body, below) = rows(rest, rest.height - foot_height);
    let lines = facts_lines(facts, status, now, body.height);
    let has_picture = width >= LEAST_WIDTH && height >= LEAST_HEIGHT;
    if has_picture {
        let (columns, high) = picture.fit(body.width.saturating_sub(FACTS + GAP), body.height);
        let area = Rect { width: columns, height: high, ..body };
        picture.render(area, facts.palette, frame.buffer_mut());
        let left = columns + GAP;
        let beside = Rect { x: body.x + left, width: body.width.saturating_sub(left), ..body };
        frame.render_widget(Paragraph::new(lines), beside);
    } else {
        frame.render_widget(Paragraph::new(lines), body);
    }
    foot.render(frame, facts, status, below);
}

/// The first `height` rows, and the others.
fn rows(area: Rect, height: u16) -> (Rect, Rect) {
    let height = height.min(area.height);
    let above = Rect { height, ..area };
    (above, Rect { y: area.y + height, height: area.height - height, ..area })
}

fn header(frame: &mut Frame, facts: &Facts, area: Rect) {
    if area.height == 0 {
        return;
    }
    let row = Rect { height: 1, ..area };
    let machine = Line::from(facts.machine.as_str()).style(facts.palette.faint()).right_aligned();
    let room = usize::from(area.width).saturating_sub(facts.machine.chars().count() + 2);
    let title = short_front(&facts.title, room.max(12));
    if room >= 8 {
        frame.render_widget(machine, row);
    }
    frame.render_widget(Line::from(title.bold()), row);
}

/// The end of a text that is too long.
fn short_front(text: &str, room: usize) -> String {
    let long = text.chars().count();
    if long <= room {
        return text.to_owned();
    }
    let tail: String = text.chars().skip(long + 1 - room.max(1)).collect();
    format!("…{tail}")
}

fn facts_lines<'a>(facts: &'a Facts, status: &Status, now: Duration, height: u16) -> Vec<Line<'a>> {
    let mut lines = vec![headline(facts, status, now)];
    let roomy = height >= 11;
    let space = |lines: &mut Vec<Line<'_>>| {
        if roomy {
            lines.push(Line::default());
        }
    };
    if let Some((pen, how)) = facts.pens.get(status.pass) {
        space(&mut lines);
        lines.push(pen_line(pen, facts.palette, true));
        if status.phase == Phase::PenChange {
            lines.extend(
                wrapped(how, usize::from(FACTS) - 2).into_iter().map(|line| Line::from(format!("  {line}"))),
            );
            if let Some(before) = status.pass.checked_sub(1).and_then(|before| facts.pens.get(before)) {
                lines.push(
                    Line::from(format!("  in place of {}", before.0.name)).style(facts.palette.faint()),
                );
            }
            return lines;
        }
        if roomy {
            lines.push(Line::from(format!("  {} mm", pen.tip)).style(facts.palette.faint()));
        }
    }
    space(&mut lines);
    lines.extend(figures(facts, status));
    let next = facts.pens.iter().skip(status.pass + 1);
    let room = usize::from(height).saturating_sub(lines.len() + usize::from(roomy));
    if room > 0 && next.len() > 0 {
        space(&mut lines);
        let shown = if next.len() > room { room - 1 } else { room };
        let more = next.len().saturating_sub(shown);
        let mut label = Some("then");
        for (pen, _) in next.take(shown) {
            let mut line = pen_line(pen, facts.palette, false);
            line.spans.insert(
                0,
                Span::styled(format!("{:<9}", label.take().unwrap_or_default()), facts.palette.faint()),
            );
            lines.push(line);
        }
        if more > 0 {
            let what = if more == 1 { "pass" } else { "passes" };
            lines.push(
                Line::from(format!("{:<9}and {more} more {what}", label.take().unwrap_or_default()))
                    .style(facts.palette.faint()),
            );
        }
    }
    lines
}

fn headline<'a>(facts: &Facts, status: &Status, now: Duration) -> Line<'a> {
    let count = status.timetable.passes.len();
    let pass = format!("pass {} of {count}", status.pass + 1);
    let waits = status
        .waits(now)
        .map_or(String::new(), |waits| format!(" for {}", roughly(waits.as_secs_f64().floor())));
    let notice = |text: String| Line::from(text).style(facts.palette.notice());
    match status.phase {
        Phase::Connecting => Line::from("looking for the plotter …"),
        Phase::Drawing | Phase::Over => Line::from(pass),
        Phase::Pausing => notice("pausing …".into()),
        Phase::Paused => notice(format!("paused{waits}, pen up")),
        Phase::Stopping => notice("stopping, then the pen goes up …".into()),
        Phase::PenChange => notice(format!("{pass}: put in this pen")),
    }
}

fn pen_line<'a>(pen: &Pen, palette: Palette, bold: bool) -> Line<'a> {
    let name = Span::raw(pen.name.clone());
    Line::from(vec![
        Span::styled("■", palette.chip(pen)),
        Span::raw(" "),
        if bold { name.bold() } else { name },
    ])
}

/// Figures of the pass at hand.
fn figures<'a>(facts: &Facts, status: &Status) -> Vec<Line<'a>> {
    let Some(pass) = status.timetable.passes.get(status.pass) else { return Vec::new() };
    let place = status.place();
    let at = (place.strokes + usize::from(place.share > 0.0)).clamp(1, pass.strokes().max(1));
    let mut rows = vec![
        ("stroke", format!("{} of {}", thousands(at), thousands(pass.strokes()))),
        (
            "drawn",
            format!("{:.2} of {:.2} m", status.draw_mm() / 1000.0, status.timetable.draw_mm() / 1000.0),
        ),
    ];
    let speed = match (status.phase, place.speed) {
        (Phase::Drawing, Some(speed)) => format!("{:.0} mm/s", speed * status.factor()),
        (Phase::Drawing, None) => "travels".into(),
        _ => "rests".into(),
    };
    let percent = status.speed_percent.filter(|percent| *percent != 100);
    rows.push(("speed", speed + &percent.map_or(String::new(), |percent| format!(", set to {percent} %"))));
    let label = |text| Span::styled(format!("{text:<9}"), facts.palette.faint());
    rows.into_iter().map(|(name, value)| Line::from(vec![label(name), Span::raw(value)])).collect()
}

/// `12 345`.
fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// At spaces, to lines of so many characters.
pub(super) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// The rows below: how far, what was said, which keys.
struct Foot {
    bar: String,
    messages: Vec<String>,
    keys: Vec<Vec<(&'static str, &'static str)>>,
    spaced: bool,
}

impl Foot {
    fn new(facts: &Facts, status: &Status, area: Rect) -> Self {
        let width = usize::from(area.width);
        let rows = if area.height >= HIGH { 2 } else { usize::from(area.height >= 8) };
        // The newest is whole if it can be; as many rows whatever is said, so that nothing jumps.
        let mut messages: Vec<String> = Vec::new();
        for text in status.messages().rev() {
            let mut lines = wrapped(text, width);
            if messages.is_empty() && lines.len() > rows {
                lines.truncate(rows);
                lines.last_mut().into_iter().for_each(|last| last.push('…'));
            }
            if messages.len() + lines.len() > rows {
                break;
            }
            messages.splice(0..0, lines);
        }
        messages.resize(rows, String::new());
        let keys = wrapped_keys(&keys::help(status.phase, facts.can), width);
        Self { bar: figures_of_bar(status), messages, keys, spaced: area.height >= HIGH }
    }

    fn height(&self) -> u16 {
        let spaces = if self.spaced { 3 } else { 0 };
        // The keys' row stays free when there are none, so that nothing jumps.
        (1 + spaces + self.messages.len() + self.keys.len().max(1)) as u16
    }

    fn render(self, frame: &mut Frame, facts: &Facts, status: &Status, area: Rect) {
        let mut lines = Vec::new();
        if self.spaced {
            lines.push(Line::default());
        }
        lines.push(bar_line(&self.bar, status.share(), usize::from(area.width), facts.palette));
        if self.spaced {
            lines.push(Line::default());
        }
        lines.extend(self.messages.into_iter().map(Line::from));
        let free = usize::from(area.height).saturating_sub(lines.len() + self.keys.len());
        lines.extend(std::iter::repeat_n(Line::default(), free));
        lines.extend(self.keys.iter().map(|keys| keys_line(keys, facts.palette)));
        frame.render_widget(Paragraph::new(lines), area);
    }
}

fn figures_of_bar(status: &Status) -> String {
    let percent = (status.share() * 100.0).floor();
    match status.phase {
        Phase::Over => format!("{percent:.0} %"),
        _ => format!("{percent:.0} %  {} left", roughly(status.left())),
    }
}

/// Nobody needs tenths of a second of what is left.
pub(super) fn roughly(seconds: f64) -> String {
    match seconds {
        s if s < 60.0 => format!("{:.0} s", s.ceil()),
        s if s < 600.0 => clock(s),
        s if s < 3600.0 => format!("{:.0} min", s / 60.0),
        s => clock(s),
    }
}

fn bar_line<'a>(figures: &str, share: f64, width: usize, palette: Palette) -> Line<'a> {
    // The figures may grow shorter; the bar does not move for it.
    let room = width.saturating_sub(figures.chars().count().max(20) + 2);
    let full = (share * room as f64).floor() as usize;
    let done = Style::new().bold();
    Line::from(vec![
        Span::styled("━".repeat(full), done),
        Span::styled("─".repeat(room - full), palette.faint()),
        Span::raw(format!("  {figures}")),
    ])
}

fn wrapped_keys(
    keys: &[(&'static str, &'static str)],
    width: usize,
) -> Vec<Vec<(&'static str, &'static str)>> {
    let mut rows: Vec<Vec<(&str, &str)>> = Vec::new();
    let mut room = 0;
    for (key, what) in keys {
        let wide = key.len() + what.len() + 4;
        if rows.is_empty() || wide > room + 3 {
            if rows.len() == 2 {
                break;
            }
            rows.push(Vec::new());
            room = width;
        }
        room = room.saturating_sub(wide);
        if let Some(row) = rows.last_mut() {
            row.push((key, what));
        }
    }
    rows
}

fn keys_line<'a>(keys: &[(&'static str, &'static str)], palette: Palette) -> Line<'a> {
    let spans = keys.iter().flat_map(|(key, what)| {
        [Span::raw(*key).bold(), Span::styled(format!(" {what}   "), palette.faint())]
    });
    Line::from(spans.collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    use super::super::test_support::{pen, timetable, toolpath};
    use super::*;
    use traceur_job::{News, Place};
    use traceur_protocol::{Event, Origin};

    fn s(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    fn facts() -> Facts {
        let pens = ["red", "black"].map(|id| (pen(id), "0.5 mm tip, upright".to_owned())).to_vec();
        let can = Abilities { speed: true, heights: true, scribble: false };
        Facts {
            title: "a/long/way/to/drawing.svg".into(),
            machine: "GRBL plotter · /dev/ttyUSB0".into(),
            pens,
            can,
            palette: Palette::Plain,
        }
    }

    /// In the middle of the first pass.
    fn status() -> Status {
        let mut status = Status::new(timetable("grbl-servo"), vec![pen("red"), pen("black")], 1.0);
        status.hear(&News::Pass { from: Place { pass: 0, stroke: 0 } }, s(0.0));
        let origin = Some(Origin { pass: 0, stroke: 0, vertex: 1 });
        status.hear(&News::Session { pass: 0, event: &Event::Completed { upto: 0 }, origin }, s(2.0));
        status.advance(s(2.0));
        status
    }

    fn shown(status: &Status, width: u16, height: u16, now: f64) -> String {
        let mut picture = Picture::new(Arc::new(toolpath()));
        picture.ink(status.pass, status.place());
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| draw(frame, &facts(), status, &mut picture, s(now))).unwrap();
        let buffer = terminal.backend().buffer();
        let row = |y| (0..width).map(|x| buffer[(x, y)].symbol()).collect::<String>();
        (0..height).map(|y| row(y).trim_end().to_owned() + "\n").collect()
    }

    #[test]
    fn what_matters_is_in_every_window() {
        for (width, height) in [(80, 24), (120, 40), (40, 12), (200, 60), (60, 14)] {
            let text = shown(&status(), width, height, 2.0);
            for word in [
                "drawing.svg",
                "pass 1 of 2",
                &pen("red").name,
                "stroke",
                "of 4",
                " %",
                "left",
                "space pause",
                "q stop",
            ] {
                assert!(text.contains(word), "{width} x {height}: {word}\n{text}");
            }
            assert!(text.lines().all(|line| line.chars().count() <= usize::from(width)), "{text}");
        }
    }

    #[test]
    fn the_next_pens_are_seen_where_there_is_room() {
        assert!(shown(&status(), 80, 24, 2.0).contains(&format!("then     ■ {}", pen("black").name)));
    }

    #[test]
    fn no_window_is_too_small() {
        for width in 0..30 {
            for height in 0..10 {
                shown(&status(), width, height, 2.0);
            }
        }
    }

    #[test]
    fn a_pen_change_says_which_pen_and_how() {
        let mut status = status();
        status.wait_for_pen(1, s(10.0));
        let text = shown(&status, 80, 24, 12.0);
        for word in [
            "pass 2 of 2: put in this pen",
            &pen("black").name,
            "0.5 mm tip",
            "in place of",
            "Enter go on",
            "q stop",
        ] {
            assert!(text.contains(word), "{word}\n{text}");
        }
    }

    #[test]
    fn a_pause_says_how_long_and_how_to_go_on() {
        let mut status = status();
        status.hear(&News::Paused, s(10.0));
        let text = shown(&status, 40, 12, 75.0);
        assert!(text.contains("paused for 1 min 05 s, pen up") && text.contains("space go on"), "{text}");
    }

    #[test]
    fn long_words_are_broken_at_spaces() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(short_front("a/long/way/drawing.svg", 12), "…drawing.svg");
        assert_eq!(thousands(1_234_567), "1 234 567");
    }
}
