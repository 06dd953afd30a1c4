//! Where a plot is: what was heard from the machine, and what must be true in between.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use crate::timetable::{Reached, Timetable};
use traceur_core::pens::Pen;
use traceur_job::{Control, News};
use traceur_protocol::{Event, Origin, State};

/// Messages that are kept.
const MESSAGES: usize = 50;
/// The pace is that of about this long; s.
const MEMORY: f64 = 60.0;
/// For how long the expected pace counts at the begin; s.
const TRUST: f64 = 5.0;

/// An open pen that waits for so long is told of: ink dries.
const NOTICES: [Duration; 4] =
    [Duration::from_secs(60), Duration::from_secs(300), Duration::from_secs(900), Duration::from_secs(3600)];

/// What the plot waits for, if it waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Phase {
    /// Nobody has answered yet, or not all.
    #[default]
    Connecting,
    /// Strokes are drawn.
    Drawing,
    /// A pause was asked for.
    Pausing,
    /// The pen is up and waits for a person.
    Paused,
    /// It is to end soon.
    Stopping,
    /// The next pen is to be put in.
    PenChange,
    /// It is over.
    Over,
}

/// A stroke whose rest is left out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Skip {
    /// Its pass.
    pub pass: usize,
    /// Its index in the pass.
    pub stroke: usize,
    /// How much of it is drawn, from 0 to 1.
    pub share: f64,
}

/// Where a plot is. Times are since its begin, in the person's time; modelled time is the machine's.
#[derive(Debug)]
pub struct Status {
    /// When what is drawn.
    pub timetable: Arc<Timetable>,
    /// The pen of each pass.
    pub pens: Vec<Pen>,
    /// What it waits for.
    pub phase: Phase,
    /// The pass at hand.
    pub pass: usize,
    /// Asked for; percent of the plan's speed.
    pub speed_percent: Option<u32>,
    messages: VecDeque<String>,
    /// A wish is on its way that may bring the machine to rest for a moment.
    asked: bool,
    /// The machine's own button, or what it has instead, holds it.
    held: bool,
    /// What was left out and is not shown yet.
    skipped: Vec<Skip>,
    /// Modelled time since the pass's begin: what is drawn, what is sent, what was shown.
    drawn: f64,
    sent: f64,
    shown: f64,
    /// When `drawn` was heard.
    heard: Duration,
    /// Notices that were given in this wait.
    noticed: usize,
    /// Since when the plot waits for a person, and how long it did before.
    waits_since: Option<Duration>,
    waited: Duration,
    /// Modelled and real time, of late.
    late: [f64; 2],
}

impl Status {
    /// A plot that has not begun; `pace`: modelled seconds that are expected to pass in a second.
    pub fn new(timetable: Arc<Timetable>, pens: Vec<Pen>, pace: f64) -> Self {
        Self {
            timetable,
            pens,
            phase: Phase::Connecting,
            pass: 0,
            speed_percent: None,
            messages: VecDeque::new(),
            asked: false,
            held: false,
            skipped: Vec::new(),
            drawn: 0.0,
            sent: 0.0,
            shown: 0.0,
            heard: Duration::ZERO,
            noticed: 0,
            waits_since: None,
            waited: Duration::ZERO,
            late: [pace * TRUST, TRUST],
        }
    }

    /// The pen of this pass is to be put in.
    pub fn wait_for_pen(&mut self, pass: usize, now: Duration) {
        self.go_to(pass, 0, now);
        self.wait(Phase::PenChange, now);
    }

    /// What the runner tells.
    pub fn hear(&mut self, news: &News<'_>, now: Duration) {
        match news {
            News::Pass { from } => {
                self.go_on(now);
                self.go_to(from.pass, from.stroke, now);
                self.asked = false;
                if self.phase == Phase::Connecting {
                    self.phase = Phase::Drawing;
                }
            }
            News::Session { event, origin, .. } => self.hear_session(event, *origin, now),
            News::Paused => {
                self.asked = false;
                self.wait(Phase::Paused, now);
            }
            News::Resumed => {
                self.asked = false;
                self.go_on(now);
            }
            News::PassDone { .. } => {
                let end = self.timetable.passes.get(self.pass).map_or(0.0, |pass| pass.seconds);
                self.draw(end, now);
            }
            News::Skipped(place) => {
                let at = self.place();
                let share = if at.strokes == place.stroke { at.share } else { 0.0 };
                self.skipped.push(Skip { pass: place.pass, stroke: place.stroke, share });
                self.say(format!("stroke {} is left out", place.stroke + 1));
            }
            News::Speed(percent) => {
                self.speed_percent = Some(*percent);
                self.say(format!("speed {percent} %"));
            }
            News::Height(nudges) => self.say(format!("pen height {nudges:+}, from the next stroke on")),
            News::Unable(control) => self.say(unable(*control)),
            _ => {}
        }
    }

    /// A wish goes to the machine.
    pub fn ask(&mut self, phase: Option<Phase>, now: Duration) {
        self.asked = true;
        match phase {
            Some(Phase::Drawing) => self.go_on(now),
            Some(phase) => self.phase = phase,
            None => {}
        }
    }

    /// The pen is before this stroke.
    fn go_to(&mut self, pass: usize, stroke: usize, now: Duration) {
        let drawn = self.timetable.passes.get(pass).map_or(0.0, |pass| pass.before(stroke));
        (self.pass, self.drawn, self.sent, self.shown) = (pass, drawn, drawn, drawn);
        self.heard = now;
    }

    fn hear_session(&mut self, event: &Event, origin: Option<Origin>, now: Duration) {
        let Some(pass) = self.timetable.passes.get(self.pass) else { return };
        match (event, origin) {
            (Event::Accepted { .. }, Some(origin)) => self.sent = self.sent.max(pass.at(origin)),
            (Event::Completed { .. }, Some(origin)) => self.draw(pass.at(origin), now),
            (Event::Status(status), _) => self.hear_state(status.state, now),
            (Event::Push(text), _) if text.contains("button") => {
                (self.held, self.asked) = (true, false);
                self.say("paused by the plotter's own button: space goes on");
            }
            (Event::Push(text), _) if !text.starts_with(['$', '[']) && !text.contains(':') => self.say(text),
            (Event::Garbled(text), _) => self.say(format!("noise on the wire: {text}")),
            _ => {}
        }
    }

    /// Nobody asked here, and yet it rests: somebody did at the machine.
    fn hear_state(&mut self, state: State, now: Duration) {
        match (state, self.phase) {
            (State::Hold { complete }, Phase::Drawing | Phase::Pausing) if !self.asked => {
                if !self.held {
                    self.held = true;
                    self.say("paused at the plotter: space goes on, or what paused it there");
                }
                if complete { self.wait(Phase::Paused, now) } else { self.phase = Phase::Pausing }
            }
            (State::Run, Phase::Paused | Phase::Pausing) if self.held => self.go_on(now),
            (State::Run, _) => self.asked = false,
            _ => {}
        }
    }

    fn draw(&mut self, drawn: f64, now: Duration) {
        let real = self.active(now).saturating_sub(self.active(self.heard)).as_secs_f64();
        let modelled = (drawn - self.drawn).max(0.0);
        let fading = (-real / MEMORY).exp();
        self.late = [self.late[0] * fading + modelled, self.late[1] * fading + real];
        self.drawn = self.drawn.max(drawn);
        self.sent = self.sent.max(drawn);
        self.heard = now;
    }

    fn wait(&mut self, phase: Phase, now: Duration) {
        self.phase = phase;
        self.waits_since = self.waits_since.or(Some(now));
    }

    /// The person lets it go on.
    pub fn go_on(&mut self, now: Duration) {
        if let Some(since) = self.waits_since.take() {
            self.waited += now.saturating_sub(since);
        }
        self.held = false;
        if matches!(self.phase, Phase::Paused | Phase::Pausing | Phase::PenChange) {
            self.phase = Phase::Drawing;
        }
    }

    /// Time without that for which it waited for a person. Not exact for a time before the last wait.
    fn active(&self, now: Duration) -> Duration {
        let waits = self.waits_since.map_or(Duration::ZERO, |since| now.saturating_sub(since));
        now.saturating_sub(self.waited).saturating_sub(waits)
    }

    /// How long it has waited for a person.
    pub fn waits(&self, now: Duration) -> Option<Duration> {
        self.waits_since.map(|since| now.saturating_sub(since))
    }

    /// Modelled seconds a second.
    pub fn pace(&self) -> f64 {
        (self.late[0] / self.late[1].max(1e-9)).max(1e-3)
    }

    /// Modelled time of the pass at hand: what is drawn, and what must have been drawn since, but never more than was sent.
    pub fn advance(&mut self, now: Duration) -> f64 {
        let since = self.active(now).saturating_sub(self.active(self.heard)).as_secs_f64();
        let reckoned = (self.drawn + since * self.pace()).min(self.sent).max(self.drawn);
        self.shown = self.shown.max(reckoned);
        self.shown
    }

    /// How much faster than planned the pen was asked to go.
    pub fn factor(&self) -> f64 {
        f64::from(self.speed_percent.unwrap_or(100)) / 100.0
    }

    /// Where the pen is, as last reckoned.
    pub fn place(&self) -> Reached {
        self.timetable.passes.get(self.pass).map_or_else(Reached::default, |pass| pass.place(self.shown))
    }

    /// Modelled time of all that is drawn, as last reckoned; s.
    pub fn seconds(&self) -> f64 {
        if self.phase == Phase::Over && self.is_whole() {
            return self.timetable.seconds();
        }
        self.timetable.begin(self.pass) + self.shown
    }

    fn is_whole(&self) -> bool {
        self.timetable.passes.get(self.pass + 1).is_none()
            && self.timetable.passes.last().is_none_or(|pass| self.drawn >= pass.seconds)
    }

    /// What is known to be drawn of the pass at hand.
    pub fn known_place(&self) -> Reached {
        self.timetable.passes.get(self.pass).map_or_else(Reached::default, |pass| pass.place(self.drawn))
    }

    /// What is known to be drawn of all, from 0 to 1, by modelled time.
    pub fn known_share(&self) -> f64 {
        let all = self.timetable.seconds();
        if all > 0.0 { ((self.timetable.begin(self.pass) + self.drawn) / all).clamp(0.0, 1.0) } else { 1.0 }
    }

    /// From 0 to 1, by modelled time.
    pub fn share(&self) -> f64 {
        let all = self.timetable.seconds();
        if all > 0.0 { (self.seconds() / all).clamp(0.0, 1.0) } else { 1.0 }
    }

    /// How long the rest takes at the pace of late, without pen changes; s.
    pub fn left(&self) -> f64 {
        (self.timetable.seconds() - self.seconds()).max(0.0) / self.pace()
    }

    /// Ink of all passes so far; mm.
    pub fn draw_mm(&self) -> f64 {
        let before: f64 = self.timetable.passes.iter().take(self.pass).map(|pass| pass.draw_mm()).sum();
        before + self.place().draw_mm
    }

    /// What to tell a person for whom the plot has waited for a while with an open pen; once a stage.
    pub fn notice(&mut self, now: Duration) -> Option<Duration> {
        let waits = self.waits(now).unwrap_or_default();
        let stage = NOTICES.iter().filter(|after| **after <= waits).count();
        if stage <= self.noticed {
            self.noticed = stage;
            return None;
        }
        self.noticed = stage;
        Some(NOTICES[stage - 1])
    }

    /// What was left out since the last time.
    pub fn take_skipped(&mut self) -> Vec<Skip> {
        std::mem::take(&mut self.skipped)
    }

    /// Something to read.
    pub fn say(&mut self, text: impl Into<String>) {
        let text = text.into();
        if self.messages.back() == Some(&text) {
            return;
        }
        if self.messages.len() == MESSAGES {
            self.messages.pop_front();
        }
        self.messages.push_back(text);
    }

    /// The last messages, newest last.
    pub fn messages(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.messages.iter().map(String::as_str)
    }
}

fn unable(control: Control) -> &'static str {
    match control {
        Control::PenHigher | Control::PenLower => "the pen goes no further that way",
        Control::Faster | Control::Slower | Control::NormalSpeed => "this machine has no speed override",
        _ => "this machine can't do that",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timetable::tests::{pen, timetable};
    use traceur_job::Place;

    fn s(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    fn origin(stroke: usize, vertex: usize) -> Option<Origin> {
        Some(Origin { pass: 0, stroke, vertex })
    }

    fn sent(stroke: usize, vertex: usize) -> News<'static> {
        News::Session { pass: 0, event: &Event::Accepted { statement: 0 }, origin: origin(stroke, vertex) }
    }

    fn drawn(stroke: usize, vertex: usize) -> News<'static> {
        News::Session { pass: 0, event: &Event::Completed { upto: 0 }, origin: origin(stroke, vertex) }
    }

    fn begin(pass: usize) -> News<'static> {
        News::Pass { from: Place { pass, stroke: 0 } }
    }

    fn status() -> Status {
        let mut status = Status::new(Arc::new(timetable("grbl-servo")), vec![pen("red"), pen("black")], 1.0);
        status.hear(&begin(0), s(0.0));
        status
    }

    #[test]
    fn the_pen_is_reckoned_between_reports_but_never_beyond_what_was_sent() {
        let mut status = status();
        assert_eq!(status.advance(s(5.0)), 0.0, "nothing was sent");
        status.hear(&sent(0, 1), s(0.0));
        let end = status.timetable.passes[0].before(1);
        assert!((status.advance(s(0.5)) - 0.5).abs() < 1e-9);
        assert_eq!(status.advance(s(1e6)), end);
        assert_eq!(status.advance(s(0.1)), end, "never back");
    }

    #[test]
    fn time_at_rest_is_not_drawing_time() {
        let mut status = status();
        status.hear(&sent(3, 1), s(0.0));
        status.advance(s(1.0));
        status.hear(&News::Paused, s(1.0));
        assert_eq!((status.phase, status.waits(s(61.0))), (Phase::Paused, Some(s(60.0))));
        assert!((status.advance(s(100.0)) - 1.0).abs() < 1e-9);
        status.hear(&News::Resumed, s(101.0));
        assert!((status.advance(s(101.5)) - 1.5).abs() < 1e-9);
        assert_eq!(status.phase, Phase::Drawing);
    }

    fn state(state: State) -> News<'static> {
        let status = traceur_protocol::Status { state, machine: None, work: None, offset: None, free: None };
        // A test's few bytes.
        let event: &'static Event = Box::leak(Box::new(Event::Status(status)));
        News::Session { pass: 0, event, origin: None }
    }

    #[test]
    fn a_machines_own_button_pauses_and_a_wish_of_ours_is_no_button() {
        let mut status = status();
        status.ask(None, s(1.0));
        status.hear(&state(State::Hold { complete: true }), s(1.0));
        assert_eq!(status.phase, Phase::Drawing, "a skip holds it for a moment");
        status.hear(&begin(0), s(1.0));
        let event: &'static Event =
            Box::leak(Box::new(Event::Push("the status's button was pressed".into())));
        status.hear(&News::Session { pass: 0, event, origin: None }, s(2.0));
        status.hear(&state(State::Hold { complete: false }), s(2.0));
        assert_eq!(status.phase, Phase::Pausing);
        status.hear(&state(State::Hold { complete: true }), s(3.0));
        assert_eq!((status.phase, status.waits(s(4.0))), (Phase::Paused, Some(s(1.0))));
        assert!(status.messages().next_back().unwrap().contains("own button"));
        status.ask(Some(Phase::Drawing), s(5.0));
        assert_eq!((status.phase, status.waits(s(6.0))), (Phase::Drawing, None));
    }

    #[test]
    fn what_is_left_follows_the_pace_of_late() {
        let mut status = status();
        let all = status.timetable.seconds();
        assert!((status.left() - all).abs() < 1e-9);
        // Everything takes twice as long as planned.
        for stroke in 0..4 {
            let at = status.timetable.passes[0].before(stroke + 1);
            status.hear(&drawn(stroke, 2), s(2.0 * at));
            status.advance(s(2.0 * at));
        }
        let (drawn, left) = (status.seconds(), status.left());
        assert!(drawn > 3.0, "{drawn}");
        assert!(left > 1.2 * (all - drawn) && left < 2.0 * (all - drawn), "{left} of {all}, {drawn} drawn");
    }

    #[test]
    fn a_finished_plot_is_whole() {
        let mut status = status();
        status.hear(&News::PassDone { pass: 0 }, s(20.0));
        status.wait_for_pen(1, s(20.0));
        assert_eq!((status.phase, status.draw_mm()), (Phase::PenChange, 240.0));
        status.hear(&begin(1), s(21.0));
        assert!(status.share() > 0.3 && status.share() < 0.9, "{}", status.share());
        status.hear(&News::PassDone { pass: 1 }, s(40.0));
        status.phase = Phase::Over;
        assert_eq!((status.share(), status.left()), (1.0, 0.0));
        status.advance(s(40.0));
        assert!((status.draw_mm() - 440.0).abs() < 1e-9);
    }

    #[test]
    fn an_open_pen_that_waits_is_told_of_at_growing_distances() {
        let mut status = status();
        status.wait_for_pen(1, s(0.0));
        let told: Vec<u64> =
            (0..4000).filter_map(|t| status.notice(s(f64::from(t)))).map(|after| after.as_secs()).collect();
        assert_eq!(told, [60, 300, 900, 3600]);
        status.hear(&begin(1), s(4000.0));
        assert_eq!(status.notice(s(4001.0)), None);
        status.hear(&News::Paused, s(5000.0));
        assert_eq!(status.notice(s(5060.0)), Some(s(60.0)));
    }

    #[test]
    fn messages_do_not_pile_up() {
        let mut status = status();
        for number in 0..1000 {
            status.say(format!("{number}"));
            status.say(format!("{number}"));
        }
        assert_eq!(status.messages().count(), MESSAGES);
        assert_eq!(status.messages().next_back(), Some("999"));
    }
}
