//! A person in front of a plot: what they see and hear, and what their keys do.
//!
//! ```text
//! runner ─ news ─► Board ◄─ thread: Screen, keys ─ wishes ─► runner
//!            └───► Voice: lines, JSON events, --on-event
//! ```

mod board;
mod check;
mod console;
mod hook;
mod keys;
mod mount;
mod paint;
mod picture;
mod schedule;
mod screen;
mod voice;

use std::io::{self, BufRead as _, IsTerminal as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use self::board::{Board, Phase};
use self::check::Checked;
use self::keys::{Abilities, Wish};
use self::mount::Holder;
use self::picture::Picture;
use self::schedule::Schedule;
use self::screen::Facts;
use self::voice::Voice;
use super::interrupt::{self, Asked};
use super::terminal::clock;
use super::{Failure, Terminal};
use traceur_core::color::to_hex;
use traceur_core::machine::{Dialect, Lift, Placement, Profile};
use traceur_core::toolpath::Toolpath;
use traceur_job::{Control, News, Operator, PenChange, Remote};
use traceur_protocol::Event;

/// How a plot is shown and what it asks, as flags have it.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct LiveArgs {
    /// Lines instead of the live view.
    #[arg(long)]
    plain: bool,
    /// Ask nothing: the pens change themselves, or are the right ones.
    #[arg(short, long)]
    yes: bool,
    /// Run this in a shell at each event but `progress` and `completed`: TRACEUR_EVENT, TRACEUR_PEN, TRACEUR_PASS … are in
    /// its environment, the event as JSON is on its stdin.
    #[arg(long, value_name = "CMD")]
    on_event: Option<String>,
}

impl LiveArgs {
    /// Whether somebody is asked to do what a hand must do.
    pub(super) fn asks(&self) -> bool {
        !self.yes
    }
}

/// A plot that is over sooner than this needs no window.
const HASTE: Duration = Duration::from_secs(1);
/// For the window to be given back; a terminal that is gone may never let go of its thread.
const FAREWELL: Duration = Duration::from_secs(1);

/// What the parts share.
struct Shared {
    terminal: Terminal,
    facts: Facts,
    began: Instant,
    board: Mutex<Board>,
    voice: Mutex<Voice>,
    remote: Remote,
    /// To whom is asked for a pen.
    gate: UnboundedSender<Wish>,
    over: AtomicBool,
    /// It is to end at once: an alarm about that is no trouble.
    aborted: AtomicBool,
}

impl Shared {
    fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn voice(&self) -> MutexGuard<'_, Voice> {
        self.voice.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }

    /// Hands a wish on.
    fn wish(&self, wish: Wish) {
        let phase = {
            let (mut board, now) = (self.board(), self.now());
            let phase = board.phase;
            match wish {
                Wish::Pause => board.ask(Some(Phase::Pausing), now),
                Wish::Stop | Wish::Abort => board.ask(Some(Phase::Stopping), now),
                Wish::GoOn if phase != Phase::PenChange => board.ask(Some(Phase::Drawing), now),
                Wish::Skip => board.ask(None, now),
                _ => {}
            }
            phase
        };
        let control = match wish {
            Wish::Scribble | Wish::GoOn | Wish::PenHigher | Wish::PenLower if phase == Phase::PenChange => {
                let _ = self.gate.send(wish);
                return;
            }
            Wish::Scribble => return,
            Wish::GoOn => Control::Resume,
            Wish::Pause => Control::Pause,
            Wish::Skip => Control::Skip,
            Wish::Stop => Control::Stop,
            Wish::Abort => {
                self.aborted.store(true, Ordering::SeqCst);
                Control::Abort
            }
            Wish::Faster => Control::Faster,
            Wish::Slower => Control::Slower,
            Wish::NormalSpeed => Control::NormalSpeed,
            Wish::PenHigher => Control::PenHigher,
            Wish::PenLower => Control::PenLower,
        };
        self.remote.send(control);
    }

    /// Tells of a pen that waits open for too long; true when it did.
    fn notice(&self) -> bool {
        let (after, pen) = {
            let mut board = self.board();
            let now = self.now();
            let Some(after) = board.notice(now) else { return false };
            // Before a change the pen of the pass before is still in.
            let mounted =
                if board.phase == Phase::PenChange { board.pass.checked_sub(1) } else { Some(board.pass) };
            (after, mounted.and_then(|pass| board.pens.get(pass)).map(|pen| pen.name.clone()))
        };
        let waits = clock(after.as_secs_f64());
        let text = match pen {
            Some(pen) => format!("{pen} has waited uncapped for {waits}: cap it if you are busy elsewhere"),
            None => format!("the plot has waited for its first pen for {waits}"),
        };
        self.board().say(text.clone());
        let mut voice = self.voice();
        voice.bell();
        voice.line(text);
        voice.event(json!({ "event": "waiting", "seconds": after.as_secs() }));
        true
    }
}

/// Someone at the plotter.
pub(super) struct Live {
    shared: Arc<Shared>,
    gate: UnboundedReceiver<Wish>,
    /// Which passes need a hand.
    by_hand: Vec<bool>,
    ask: Ask,
    how: Vec<String>,
    checked: Checked,
    /// Tests of pens so far.
    tests: usize,
    watch: Option<JoinHandle<()>>,
    /// Why it stopped before a pass.
    stopped_at: Option<String>,
}

/// How a person is asked for a pen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ask {
    Nothing,
    Keys,
    Lines,
    /// Somebody should be asked, and nobody is there.
    Nobody,
}

/// What is plotted where.
pub(super) struct Subject<'a> {
    pub(super) title: String,
    pub(super) toolpath: &'a Arc<Toolpath>,
    pub(super) profile: &'a Profile,
    pub(super) placement: &'a Placement,
    /// As it was written.
    pub(super) port: &'a str,
    /// There is paper, and a pen must be put on it.
    pub(super) is_real: bool,
    /// Modelled seconds a second; `None`: as fast as it can.
    pub(super) pace: Option<f64>,
    /// The drawing came from stdin.
    pub(super) reads_stdin: bool,
}

impl Live {
    /// Before anything moves. `remote` reaches the job.
    ///
    /// # Errors
    /// When the plot can't go well: ink beyond what the machine reaches, pens without a place.
    pub(super) fn new(
        args: &LiveArgs,
        subject: &Subject<'_>,
        remote: Remote,
        terminal: &Terminal,
    ) -> Result<Self, Failure> {
        let Subject { toolpath, profile, .. } = *subject;
        // A virtual carousel holds whatever is asked of it.
        let can_change = !args.yes || !subject.is_real;
        let checked = check::check(toolpath, profile, subject.placement, can_change)?;
        let has_keys = io::stdin().is_terminal() || (subject.reads_stdin && terminal_beside_stdin());
        let has_screen = has_keys && !args.plain && terminal.has_screen();
        let by_hand = by_hand(toolpath, profile);
        let ask = match (subject.is_real && !args.yes, has_screen) {
            (false, _) => Ask::Nothing,
            (true, true) => Ask::Keys,
            (true, false) if io::stdin().is_terminal() => Ask::Lines,
            (true, false) => Ask::Nobody,
        };
        let passes = toolpath.passes.iter().enumerate();
        let how: Vec<String> = passes.map(|(index, pass)| mount::how(index, &pass.pen, profile)).collect();
        let pens: Vec<_> = toolpath.passes.iter().map(|pass| pass.pen.clone()).collect();
        let environment = |name: &str| std::env::var(name).unwrap_or_default();
        let palette = paint::Palette::of(
            terminal.wants_color_on_stderr(),
            &environment("COLORTERM"),
            &environment("TERM"),
        );
        let facts = Facts {
            title: subject.title.clone(),
            machine: format!("{} · {}", profile.name, subject.port),
            pens: pens.iter().cloned().zip(how.iter().cloned()).collect(),
            can: Abilities {
                scribble: mount::scribble(checked.ink, checked.reach, 0).is_some(),
                ..abilities(profile)
            },
            palette,
        };
        let schedule = Schedule::new(toolpath, profile, subject.placement);
        let (send, gate) = unbounded_channel();
        let shared = Arc::new(Shared {
            terminal: *terminal,
            facts,
            began: Instant::now(),
            board: Mutex::new(Board::new(schedule, pens, subject.pace.unwrap_or(1.0))),
            voice: Mutex::new(Voice::new(*terminal, !has_screen, args.on_event.as_deref(), &subject.title)),
            remote,
            gate: send,
            over: AtomicBool::new(false),
            aborted: AtomicBool::new(false),
        });
        let delay = if subject.pace.is_some() { Duration::ZERO } else { HASTE };
        let picture = has_screen.then(|| Picture::new(Arc::clone(toolpath)));
        let watch = watch(Arc::clone(&shared), picture, delay);
        Ok(Self { shared, gate, by_hand, ask, how, checked, tests: 0, watch, stopped_at: None })
    }

    /// Ctrl-C and the polite signals to end; the second Ctrl-C ends it at once.
    pub(super) fn signals(&self) -> impl Future<Output = ()> + use<> {
        let shared = Arc::clone(&self.shared);
        async move {
            loop {
                let asked = interrupt::asked_to_end().await;
                if shared.is_over() {
                    return;
                }
                let is_stopping = shared.board().phase == Phase::Stopping;
                let (said, wish) = match asked {
                    Asked::ByHand if is_stopping => ("ending at once", Wish::Abort),
                    Asked::ByHand => ("stopping; Ctrl-C again ends it at once", Wish::Stop),
                    Asked::BySystem => ("stopping", Wish::Stop),
                };
                shared.voice().line(said);
                shared.wish(wish);
            }
        }
    }

    /// All is in order, and something may move.
    pub(super) fn checked(&self) {
        let mut voice = self.shared.voice();
        self.shared.terminal.say(self.checked.line(voice.banner.as_deref().unwrap_or_default()));
        voice.event(self.checked.event());
    }

    /// An event that is not the runner's.
    pub(super) fn event(&self, event: serde_json::Value) {
        self.shared.voice().event(event);
    }

    /// Gives the terminal back. What ended the job, if it did not end well: trouble that the machine told of, or that it was
    /// stopped.
    pub(super) fn close(&mut self) -> Result<(), Failure> {
        self.shared.board().phase = Phase::Over;
        self.shared.over.store(true, Ordering::SeqCst);
        if let Some(watch) = self.watch.take() {
            let until = Instant::now() + FAREWELL;
            while !watch.is_finished() && Instant::now() < until {
                std::thread::sleep(Duration::from_millis(2));
            }
            // One that does not come back ends with the process.
            if watch.is_finished() {
                let _ = watch.join();
            }
        }
        std::mem::replace(&mut self.shared.voice().closed, Ok(()))
    }

    /// Why it ended before its end: the connection's `error`, trouble that the machine told of, or that it was asked to. All
    /// before this stroke is drawn; `hint` tells how to go on.
    pub(super) fn ended(
        &self,
        error: Option<traceur_job::Error>,
        pass: usize,
        stroke: usize,
        hint: &str,
    ) -> Failure {
        let (name, pass, stroke, strokes, count) = {
            let board = self.shared.board();
            let strokes = |pass: usize| board.schedule.passes.get(pass).map_or(0, |pass| pass.strokes());
            let is_drawn = stroke >= strokes(pass) && pass + 1 < board.pens.len();
            let (pass, stroke) = if is_drawn { (pass + 1, 0) } else { (pass, stroke) };
            (
                board.pens.get(pass).map_or(String::new(), |pen| pen.name.clone()),
                pass,
                stroke,
                strokes(pass),
                board.pens.len(),
            )
        };
        let mut voice = self.shared.voice();
        if let Some(error) = &error {
            voice.event(json!({ "event": "fault", "meaning": error.to_string() }));
        }
        let failure = match (error, voice.trouble.take(), &self.stopped_at) {
            (Some(error), ..) => Failure::from(error).with(hint),
            (None, Some(trouble), _) => Failure::Device(format!("{trouble}{hint}")),
            (None, None, Some(why)) => Failure::Stopped(format!("{why}{hint}")),
            (None, None, None) => Failure::Stopped(format!(
                "stopped before stroke {} of {strokes} of pass {} of {count} ({name}){hint}",
                stroke + 1,
                pass + 1
            )),
        };
        voice.event(json!({
            "event": "stopped", "pass": pass + 1, "stroke": stroke + 1, "strokes": strokes, "why": failure.to_string(),
        }));
        voice.finish();
        failure
    }

    /// Whether it was to end at once. Then an alarm is no trouble: a reset in the middle of a motion leads to one.
    pub(super) fn was_aborted(&self) -> bool {
        self.shared.aborted.load(Ordering::SeqCst)
    }

    /// The last commands of `--on-event` are heard.
    pub(super) fn finish(&self) {
        self.shared.voice().finish();
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        let _ = self.close();
    }
}

impl Operator for Live {
    fn hear(&mut self, news: &News<'_>) {
        let now = self.shared.now();
        let mut board = self.shared.board();
        let before = board.phase;
        board.hear(news, now);
        board.advance(now);
        let mut voice = self.shared.voice();
        if board.phase == Phase::Paused && before != Phase::Paused {
            voice.paused();
        }
        voice.tell(news, &board);
        if self.was_aborted() && is_alarm(news) {
            voice.trouble = None;
        }
    }

    async fn change_pen(&mut self, pass: usize) -> PenChange {
        if self.ask == Ask::Nothing || !self.by_hand.get(pass).copied().unwrap_or(true) {
            return PenChange::Done;
        }
        let (name, count) = {
            let mut board = self.shared.board();
            let now = self.shared.now();
            let is_asked_again = board.phase == Phase::PenChange;
            board.wait_for_pen(pass, now);
            let (pen, count) = (&board.pens[pass], board.pens.len());
            let event = json!({
                "event": "pen_change", "pass": pass + 1, "of": count, "pen": pen.id, "name": pen.name,
                "color": to_hex(pen.color), "tip_mm": pen.tip, "how": self.how[pass],
            });
            if !is_asked_again {
                self.shared.voice().event(event);
            }
            (pen.name.clone(), count)
        };
        let wish = match self.ask {
            Ask::Keys => self.gate.recv().await,
            Ask::Lines => self.ask_by_lines(pass, &name, count).await,
            Ask::Nothing | Ask::Nobody => None,
        };
        let hand = match wish {
            Some(Wish::GoOn) => PenChange::Done,
            Some(Wish::Scribble) => self.scribble(),
            Some(Wish::PenHigher) => PenChange::Adjust(Control::PenHigher),
            Some(Wish::PenLower) => PenChange::Adjust(Control::PenLower),
            _ => PenChange::Stop,
        };
        if hand == PenChange::Stop {
            let nobody =
                if self.ask == Ask::Nobody { ", and nobody can be asked: --yes goes on without" } else { "" };
            self.stopped_at =
                Some(format!("stopped before pass {} of {count}: {name} must be put in{nobody}", pass + 1));
        }
        hand
    }
}

impl Live {
    /// The next free place beside the drawing.
    fn scribble(&mut self) -> PenChange {
        let Some(line) = mount::scribble(self.checked.ink, self.checked.reach, self.tests) else {
            return PenChange::Adjust(Control::NormalSpeed);
        };
        self.tests += 1;
        self.shared.board().say("a zigzag beside the drawing; Enter goes on, t makes another");
        PenChange::Test(line)
    }

    async fn ask_by_lines(&mut self, pass: usize, name: &str, count: usize) -> Option<Wish> {
        let how = &self.how[pass];
        let test = if self.shared.facts.can.scribble { "; t tests it" } else { "" };
        self.shared.terminal.ask(format!(
            "pass {} of {count}: put in {name} ({how}), then press Enter{test}; q stops",
            pass + 1
        ));
        let gate = self.shared.gate.clone();
        // A thread that waits for a line can't be woken; it ends with the process.
        let _ = std::thread::Builder::new().name("line".into()).spawn(move || {
            let mut line = String::new();
            let read = io::stdin().lock().read_line(&mut line);
            let word = line.trim().to_lowercase();
            let _ = gate.send(match (read, word.as_str()) {
                (Ok(read), "") if read > 0 => Wish::GoOn,
                (_, "t") => Wish::Scribble,
                _ => Wish::Stop,
            });
        });
        self.gate.recv().await
    }
}

/// Whether the plotter gave an alarm.
pub(super) fn is_alarm(news: &News<'_>) -> bool {
    matches!(news, News::Session { event: Event::Alarm { .. }, .. })
}

/// Looks after the plot until it is over.
fn watch(shared: Arc<Shared>, picture: Option<Picture>, delay: Duration) -> Option<JoinHandle<()>> {
    /// A notice may be so late.
    const PERIOD: Duration = Duration::from_millis(50);
    let thread = std::thread::Builder::new().name("live".into());
    // Without the thread the plot goes on, unseen.
    let spawned = thread.spawn(move || match picture {
        Some(picture) => console::show(&shared, picture, delay),
        None => {
            while !shared.is_over() {
                std::thread::park_timeout(PERIOD);
                shared.notice();
            }
        }
    });
    spawned.ok()
}

fn by_hand(toolpath: &Toolpath, profile: &Profile) -> Vec<bool> {
    let passes = &toolpath.passes;
    match mount::holder(toolpath, profile) {
        Holder::Carousel(_) => vec![false; passes.len()],
        _ => vec![true; passes.len()],
    }
}

fn abilities(profile: &Profile) -> Abilities {
    Abilities {
        speed: profile.firmware.dialect() == Dialect::Grbl,
        heights: !matches!(profile.lift, Lift::Pen { .. }),
        scribble: false,
    }
}

/// Whether keys can be read although stdin is a pipe.
fn terminal_beside_stdin() -> bool {
    cfg!(unix) && std::fs::File::open("/dev/tty").is_ok()
}
