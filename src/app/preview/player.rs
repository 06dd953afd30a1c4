//! The player: one HTML file that draws the sheet along modelled time, without a server or anything from outside.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Serialize;

use super::playback::{Moment, Playback, PlayedPass};
use traceur_core::color::{Srgb8, to_hex};
use traceur_core::geometry::Point;
use traceur_core::text::printable;
use traceur_core::toolpath::Statistics;

const PAGE: &str = include_str!("player/page.html");
const PARTS: [(&str, &str); 5] = [
    ("style", include_str!("player/style.css")),
    ("recording", include_str!("player/recording.js")),
    ("painter", include_str!("player/painter.js")),
    ("gestures", include_str!("player/gestures.js")),
    ("player", include_str!("player/player.js")),
];

/// Coordinates in the file are whole multiples of this; mm.
const QUANTUM: f64 = 0.01;
/// When a moment may be left out of a mark: a plotter's steps are below these, and a tip is far above.
const OF_MARKS: Slack = Slack { across: 0.02, along: 0.5 };
/// The same for a way with the pen up.
const OF_TRAVEL: Slack = Slack { across: 0.2, along: 2.0 };
/// Most moments in a row that are left out, which bounds the work.
const MOST_LEFT_OUT: usize = 64;

/// What the player says beside the drawing.
#[derive(Debug, Clone, Copy)]
pub struct Labels<'a> {
    /// The drawing's name.
    pub title: &'a str,
    /// The machine's name.
    pub machine: &'a str,
    /// The paper's color.
    pub paper: Srgb8,
}

/// The HTML file of a player. The same playback gives the same bytes.
#[must_use]
pub fn to_html(playback: &Playback, labels: &Labels) -> String {
    let mut packer = Packer::default();
    let passes: Vec<PassFacts> = playback.passes.iter().map(|pass| packer.pack(pass)).collect();
    let corner = |point: &Point| [rounded(point.x), rounded(point.y)];
    let facts = Facts {
        format: 1,
        title: printable(labels.title),
        machine: printable(labels.machine),
        page_mm: [playback.page.width, playback.page.height],
        bed_mm: playback.bed.each_ref().map(corner),
        paper: to_hex(labels.paper),
        quantum_mm: QUANTUM,
        seconds: rounded(playback.seconds),
        moments: packer.moments,
        passes,
    };
    let title = escaped(&facts.title);
    // Writing numbers and text as JSON does not fail.
    let facts = serde_json::to_string(&facts).unwrap_or_default().replace('<', "\\u003c");
    let moves = BASE64_STANDARD.encode(&packer.bytes);
    let own = [("title", title.as_str()), ("facts", facts.as_str()), ("moves", moves.as_str())];
    filled(PAGE, |name| own.iter().chain(&PARTS).find(|(own, _)| *own == name).map_or("", |(_, text)| text))
}

/// The data block's JSON half.
#[derive(Debug, Serialize)]
struct Facts {
    format: u32,
    title: String,
    machine: String,
    page_mm: [f64; 2],
    bed_mm: [[f64; 2]; 4],
    paper: String,
    quantum_mm: f64,
    seconds: f64,
    /// Corners, waits and changes of speed in all moves.
    moments: usize,
    passes: Vec<PassFacts>,
}

#[derive(Debug, Serialize)]
struct PassFacts {
    id: String,
    name: String,
    color: String,
    tip_mm: f64,
    opacity: f32,
    begin: f64,
    end: f64,
    /// Marks and ways between them.
    moves: usize,
    draw_mm: f64,
    travel_mm: f64,
}

/// Writes the data block's binary half: for each move a number `2 * moments + pen_down`, then for each moment how far
/// x and y went (in quanta, signed as 0, -1, 1, -2, …) and how long that took (ms). Numbers are LEB128. Place and time
/// begin at 0; a move's first moment is the last of the move before, and is written only for the place where a pass
/// begins elsewhere, as a move with the pen up.
#[derive(Debug, Default)]
struct Packer {
    bytes: Vec<u8>,
    at: [i64; 2],
    milliseconds: i64,
    moments: usize,
}

impl Packer {
    fn pack(&mut self, pass: &PlayedPass) -> PassFacts {
        let mut moves = 0;
        for played in &pass.moves {
            let kept = thinned(&played.moments, if played.pen_down { OF_MARKS } else { OF_TRAVEL });
            if quanta(kept[0].at) != self.at {
                self.pack_move(false, &kept[..1]);
                moves += 1;
            }
            self.pack_move(played.pen_down, &kept[1..]);
            moves += 1;
        }
        let statistics = Statistics::of(&pass.strokes());
        let [begin, end] = pass.span().map(rounded);
        PassFacts {
            id: printable(&pass.pen.id),
            name: printable(&pass.pen.name),
            color: to_hex(pass.pen.color),
            tip_mm: rounded(pass.pen.tip),
            opacity: pass.pen.opacity,
            begin,
            end,
            moves,
            draw_mm: rounded(statistics.draw_mm),
            travel_mm: rounded(statistics.travel_mm),
        }
    }

    fn pack_move(&mut self, pen_down: bool, moments: &[Moment]) {
        self.moments += moments.len();
        self.number(2 * moments.len() as u64 + u64::from(pen_down));
        for moment in moments {
            let at = quanta(moment.at);
            for (from, to) in self.at.into_iter().zip(at) {
                let gone = to - from;
                self.number(((gone << 1) ^ (gone >> 63)).cast_unsigned());
            }
            let milliseconds = whole(moment.time * 1000.0).max(self.milliseconds);
            self.number((milliseconds - self.milliseconds).cast_unsigned());
            (self.at, self.milliseconds) = (at, milliseconds);
        }
    }

    fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.bytes.push(number.to_le_bytes()[0] | 0x80);
            number >>= 7;
        }
        self.bytes.push(number.to_le_bytes()[0]);
    }
}

fn quanta(point: Point) -> [i64; 2] {
    [whole(point.x / QUANTUM), whole(point.y / QUANTUM)]
}

/// The nearest whole number within what a page, a bed and a year can hold.
#[expect(clippy::cast_possible_truncation, reason = "clamped")]
fn whole(value: f64) -> i64 {
    value.round().clamp(-1e11, 1e11) as i64
}

/// µm and ms.
fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0 + 0.0
}

/// How far the pen may be from where it was when moments are left out.
#[derive(Debug, Clone, Copy)]
struct Slack {
    /// Beside its line; mm.
    across: f64,
    /// Ahead or behind on its line; mm.
    along: f64,
}

/// The moments that matter; the first and the last always do.
fn thinned(moments: &[Moment], slack: Slack) -> Vec<Moment> {
    let mut kept = vec![moments[0]];
    let mut anchor = 0;
    for next in 1..moments.len() {
        let between = &moments[anchor + 1..next];
        let fits = |moment: &Moment| slack.allows(moment, &moments[anchor], &moments[next]);
        if between.len() > MOST_LEFT_OUT || !between.iter().all(fits) {
            anchor = next - 1;
            kept.push(moments[anchor]);
        }
    }
    kept.push(moments[moments.len() - 1]);
    kept
}

impl Slack {
    /// Whether the pen is as good as at `moment` when it goes evenly from `from` to `to`.
    fn allows(self, moment: &Moment, from: &Moment, to: &Moment) -> bool {
        let (way, gone) = (to.at - from.at, moment.at - from.at);
        let length = way.hypot();
        if length <= self.across {
            return gone.hypot() <= self.across;
        }
        let share = if to.time > from.time { (moment.time - from.time) / (to.time - from.time) } else { 0.0 };
        let (across, along) = (way.cross(gone) / length, way.dot(gone) / length);
        let is_between = (-self.across..=length + self.across).contains(&along);
        across.abs() <= self.across && is_between && (along - share * length).abs() <= self.along
    }
}

fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// The template with each `{{name}}` in its place, in one go: what is filled in is not looked at again.
fn filled<'a>(template: &str, part: impl Fn(&str) -> &'a str) -> String {
    let mut pieces = template.split("{{");
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (name, rest) = piece.split_once("}}").unwrap_or((piece, ""));
        text.push_str(part(name));
        text.push_str(rest);
    }
    text
}

#[cfg(test)]
mod tests;
