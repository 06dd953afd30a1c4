//! Streams a program by character counting, and knows what has been drawn.

use std::collections::VecDeque;
use std::time::Duration;

use super::{Replies, Reply, alarm_meaning, error_meaning};
use crate::{Event, Fault, Program, Session as _, State, Status};
use traceur_core::machine::{Grbl, Lift, Profile};

/// How long a board may take to start before it is spoken to.
const BANNER: Duration = Duration::from_millis(2500);
/// Between probes of a board that gave no banner.
const PROBE: Duration = Duration::from_millis(1000);
const PROBES: usize = 5;
/// Quiet after the first answer, so that late answers to probes are not taken for answers to statements.
const SETTLE: Duration = Duration::from_millis(200);
const POLL: Duration = Duration::from_millis(200);
/// Idle while lines are unanswered (gnea/grbl#1507): longer than this is a stall.
const STALL: Duration = Duration::from_secs(2);
/// Without any answer to `?`.
const SILENCE: Duration = Duration::from_secs(10);
/// For the machine to come to rest, or to restart.
const STOP: Duration = Duration::from_secs(5);
/// For the answer to `$I`. Without it the profile's numbers hold.
const ASK: Duration = Duration::from_secs(1);
/// For the search for the switches, during which GRBL answers nothing at all (`limits.c`).
const HOMING: Duration = Duration::from_secs(180);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Waiting for the banner; so many probes were sent.
    Connecting {
        probes: usize,
    },
    /// Connected; streaming begins after a quiet time.
    Settling,
    /// `$I` was sent.
    Asking,
    /// `$H` was sent.
    Homing,
    Streaming,
    /// `!` was sent; 0x18 follows when the machine stands still.
    Stopping,
    /// 0x18 was sent; the banner follows, and then the lines that lift the pen if it may be down.
    Resetting {
        lift: bool,
    },
    /// The pen is being lifted; so many lift lines are answered.
    Lifting {
        done: usize,
    },
    Closed,
}

/// Streams a program by character counting. A pause is `!`, going on `~`; a stop is `!`, then a reset once the machine
/// stands still, so that it keeps its position, then the pen goes up.
///
/// How many bytes may be on their way is the firmware's own word (`$I`): `[OPT:V,15,128]`, or `[OPT:VNMSL,100,1024,3,0]`
/// from grblHAL, which adds more numbers behind. FluidNC gives letters only (`[OPT:PHS]`): there the profile's number holds.
#[derive(Debug, Clone)]
pub struct Session {
    program: Program,
    window: usize,
    planner_blocks: usize,
    homes: bool,
    /// The tool number that is left in the parser, which a restart wipes out; `false`: it is not sent yet.
    mark: Option<(u8, bool)>,
    /// What lifts the pen after a stop, `$X` before it if the machine is locked by then.
    lift: Vec<String>,
    /// A dwell is reported as Idle, so a stall is longer than any dwell.
    stall: Duration,
    phase: Phase,
    paused: bool,
    replies: Replies,
    next: usize,
    in_flight: VecDeque<usize>,
    in_flight_bytes: usize,
    idle_reports: usize,
    outgoing: VecDeque<Vec<u8>>,
    events: VecDeque<Event>,
    /// When the phase began, or its last probe was sent.
    phase_begin: Duration,
    next_poll: Duration,
    last_heard: Duration,
    idle_since: Option<Duration>,
    nudged: bool,
}

impl Session {
    /// A session for a freshly opened port, whose board may be restarting.
    #[must_use]
    pub fn new(program: Program, profile: &Profile, grbl: &Grbl) -> Self {
        let dwell = match profile.lift {
            Lift::Servo { up_delay, down_delay, .. } => up_delay.max(down_delay),
            _ => 0.0,
        };
        Self {
            lift: program.lift.clone(),
            program,
            window: window(grbl.rx_buffer_bytes),
            planner_blocks: grbl.planner_blocks,
            homes: grbl.homing,
            mark: None,
            stall: STALL + Duration::try_from_secs_f64(dwell).unwrap_or_default(),
            phase: Phase::Connecting { probes: 0 },
            paused: false,
            replies: Replies::default(),
            next: 0,
            in_flight: VecDeque::new(),
            in_flight_bytes: 0,
            idle_reports: 0,
            outgoing: VecDeque::new(),
            events: VecDeque::new(),
            phase_begin: Duration::ZERO,
            next_poll: Duration::ZERO,
            last_heard: Duration::ZERO,
            idle_since: None,
            nudged: false,
        }
    }
}

impl Session {
    /// The same for a port that is open already: nobody is waited for. Unless it `homes`, the switches are not looked for.
    #[must_use]
    pub fn attached(mut self, homes: bool) -> Self {
        self.homes &= homes;
        self.phase = Phase::Asking;
        self.outgoing.push_back(b"$I\n".to_vec());
        self
    }

    /// How many moves the firmware's planner holds, by its own word once it has answered `$I`.
    #[must_use]
    pub fn planner_blocks(&self) -> usize {
        self.planner_blocks
    }
}

impl crate::Session for Session {
    fn handle_bytes(&mut self, now: Duration, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.last_heard = now;
        }
        for byte in bytes {
            if let Some(reply) = self.replies.push(*byte) {
                self.handle_reply(now, reply);
                // After each reply, so that the events do not depend on how the bytes were split.
                self.stream();
            }
        }
    }

    fn handle_timeout(&mut self, now: Duration) {
        let waited = now.saturating_sub(self.phase_begin);
        match self.phase {
            Phase::Connecting { probes } => {
                if waited < if probes == 0 { BANNER } else { PROBE } {
                    return;
                }
                if probes == PROBES {
                    return self.fault(Fault::NoAnswer);
                }
                self.outgoing.push_back(b"\n".to_vec());
                self.enter(now, Phase::Connecting { probes: probes + 1 });
                return;
            }
            Phase::Settling if waited >= SETTLE => {
                self.outgoing.push_back(b"$I\n".to_vec());
                self.enter(now, Phase::Asking);
                return;
            }
            Phase::Asking if waited >= ASK => return self.begin(now),
            Phase::Homing if waited >= HOMING => return self.fault(Fault::Silent),
            Phase::Stopping if waited >= STOP => return self.reset(now, true),
            Phase::Resetting { .. } | Phase::Lifting { .. } if waited >= STOP => {
                return self.fault(Fault::Silent);
            }
            Phase::Streaming => self.watch(now),
            Phase::Closed => return,
            _ => {}
        }
        if matches!(self.phase, Phase::Streaming | Phase::Stopping) && now >= self.next_poll {
            self.outgoing.push_back(b"?".to_vec());
            self.next_poll = now + POLL;
        }
        self.stream();
    }

    fn pause(&mut self, _: Duration) {
        if self.phase == Phase::Streaming && !self.paused {
            self.paused = true;
            self.outgoing.push_back(b"!".to_vec());
        }
    }

    fn resume(&mut self, _: Duration) {
        if self.phase == Phase::Streaming {
            self.paused = false;
            self.idle_since = None;
            self.outgoing.push_back(b"~".to_vec());
        }
    }

    fn stop(&mut self, now: Duration) {
        match self.phase {
            Phase::Connecting { .. } | Phase::Settling | Phase::Asking => self.stopped(),
            // Only a reset is heard while the machine looks for its switches. Nothing has been drawn.
            Phase::Homing => self.reset(now, false),
            Phase::Streaming => {
                // Before whatever still waits here.
                self.outgoing.push_front(b"!".to_vec());
                self.next_poll = now;
                self.enter(now, Phase::Stopping);
                self.handle_timeout(now);
            }
            _ => {}
        }
    }

    fn abort(&mut self, now: Duration) {
        match self.phase {
            Phase::Streaming | Phase::Stopping => {
                self.outgoing.clear();
                self.reset(now, true);
            }
            _ => self.stop(now),
        }
    }

    /// The feed override, 10 to 200 %; travels keep their speed.
    fn set_speed(&mut self, _: Duration, percent: u32) -> bool {
        // Real-time bytes: 100 %, then tens up or down (gnea/grbl config.h).
        let tens = (i64::from(percent.clamp(10, 200)) - 100) / 10;
        let mut bytes = vec![0x90];
        bytes.resize(1 + tens.unsigned_abs() as usize, if tens > 0 { 0x91 } else { 0x92 });
        self.outgoing.push_front(bytes);
        true
    }

    fn set_mark(&mut self, mark: u8) {
        self.mark = Some((mark, false));
        // A stop resets the parser.
        self.lift.push(format!("T{mark}"));
    }

    fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        self.outgoing.pop_front()
    }

    fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    fn poll_timeout(&self) -> Option<Duration> {
        match self.phase {
            Phase::Connecting { probes: 0 } => Some(self.phase_begin + BANNER),
            Phase::Connecting { .. } => Some(self.phase_begin + PROBE),
            Phase::Settling => Some(self.phase_begin + SETTLE),
            Phase::Asking => Some(self.phase_begin + ASK),
            Phase::Homing => Some(self.phase_begin + HOMING),
            Phase::Streaming => Some(self.next_poll),
            Phase::Stopping => Some(self.next_poll.min(self.phase_begin + STOP)),
            Phase::Resetting { .. } | Phase::Lifting { .. } => Some(self.phase_begin + STOP),
            Phase::Closed => None,
        }
    }
}

impl Session {
    fn handle_reply(&mut self, now: Duration, reply: Reply) {
        match reply {
            Reply::Banner(banner) => self.handle_banner(now, banner),
            Reply::Status(status) => self.handle_status(now, status),
            Reply::Ok => self.handle_ok(now),
            Reply::Error(code) => self.handle_error(now, code),
            Reply::Alarm(code) => self.handle_alarm(code),
            Reply::Message(text) => {
                let locked = text.contains("to unlock");
                if let Some((blocks, bytes)) = buffers(&text) {
                    (self.planner_blocks, self.window) = (blocks, window(bytes));
                }
                self.events.push_back(Event::Push(text));
                let may_home = matches!(
                    self.phase,
                    Phase::Connecting { .. } | Phase::Settling | Phase::Asking | Phase::Homing
                );
                // After a reset the pen's lift unlocks it, and homing does too.
                if locked
                    && !(self.homes && may_home)
                    && !matches!(self.phase, Phase::Resetting { .. } | Phase::Lifting { .. })
                {
                    self.fault(Fault::Locked);
                }
            }
            Reply::Setting(text) | Reply::StartUp(text) => self.events.push_back(Event::Push(text)),
            Reply::Garbled(text) => self.events.push_back(Event::Garbled(text)),
        }
    }

    fn handle_alarm(&mut self, code: u32) {
        if self.phase == Phase::Closed {
            return;
        }
        let statement = self.in_flight.front().copied();
        let origin = statement.and_then(|index| self.program.statements[index].origin);
        self.events.push_back(Event::Alarm {
            code,
            reply: format!("ALARM:{code}"),
            meaning: alarm_meaning(code).to_owned(),
            statement,
            origin,
        });
        match self.phase {
            // The reset came before all stood still: the banner follows, and the pen must go up all the same.
            Phase::Resetting { lift: true } => self.lift.insert(0, "$X".into()),
            // The reset broke off the search for the switches: an `ok` and the banner follow.
            Phase::Resetting { lift: false } => {}
            _ => self.phase = Phase::Closed,
        }
    }

    fn handle_banner(&mut self, now: Duration, banner: String) {
        match self.phase {
            Phase::Connecting { .. } => self.connected(now, banner),
            Phase::Settling => self.enter(now, Phase::Settling),
            Phase::Resetting { lift: true } => {
                self.enter(now, Phase::Lifting { done: 0 });
                self.lift();
            }
            Phase::Resetting { lift: false } => self.stopped(),
            _ => self.fault(Fault::Restarted),
        }
    }

    fn connected(&mut self, now: Duration, banner: String) {
        self.events.push_back(Event::Connected { banner });
        self.enter(now, Phase::Settling);
    }

    /// Begins the program, or the search for the switches before it.
    fn begin(&mut self, now: Duration) {
        if let (Phase::Asking, Some((mark, sent @ false))) = (self.phase, &mut self.mark) {
            *sent = true;
            self.outgoing.push_back(format!("T{mark}\n").into_bytes());
            return self.enter(now, Phase::Asking);
        }
        if self.homes && self.phase == Phase::Asking {
            self.outgoing.push_back(b"$H\n".to_vec());
            return self.enter(now, Phase::Homing);
        }
        self.next_poll = now;
        self.enter(now, Phase::Streaming);
        self.handle_timeout(now);
    }

    fn stopped(&mut self) {
        self.events.push_back(Event::Stopped);
        self.phase = Phase::Closed;
    }

    fn handle_ok(&mut self, now: Duration) {
        match self.phase {
            Phase::Connecting { .. } => self.connected(now, String::new()),
            Phase::Streaming | Phase::Stopping => {
                let Some(statement) = self.answered() else {
                    return self
                        .events
                        .push_back(Event::Garbled("ok, but no line was waiting for it".into()));
                };
                self.events.push_back(Event::Accepted { statement });
                if self.program.statements[statement].drains {
                    self.events.push_back(Event::Completed { upto: statement });
                }
            }
            Phase::Lifting { done } => {
                self.enter(now, Phase::Lifting { done: done + 1 });
                self.lift();
            }
            Phase::Settling => self.enter(now, Phase::Settling),
            Phase::Asking | Phase::Homing => self.begin(now),
            Phase::Resetting { .. } | Phase::Closed => {}
        }
    }

    fn handle_error(&mut self, now: Duration, code: u32) {
        match self.phase {
            // The newline of the probe ended a line of somebody else.
            Phase::Connecting { .. } => self.connected(now, String::new()),
            Phase::Streaming | Phase::Stopping => {
                let Some(statement) = self.answered() else {
                    return self
                        .events
                        .push_back(Event::Garbled(format!("error:{code}, but no line was waiting for it")));
                };
                let Some(refused) = self.program.statements.get(statement) else { return };
                self.events.push_back(Event::Error {
                    code,
                    reply: format!("error:{code}"),
                    meaning: error_meaning(code).to_owned(),
                    statement,
                    line: refused.line.clone(),
                    origin: refused.origin,
                });
                // The lines behind it are in the buffer and would be drawn: hold at once.
                self.stop(now);
            }
            Phase::Asking | Phase::Lifting { .. } => self.handle_ok(now),
            Phase::Homing => {
                self.events.push_back(Event::Push(format!("$H: error:{code}, {}", error_meaning(code))));
                self.fault(Fault::NoHoming);
            }
            _ => {}
        }
    }

    fn handle_status(&mut self, now: Duration, status: Status) {
        self.events.push_back(Event::Status(status));
        let idle = status.state == State::Idle;
        let still = idle || status.state == State::Hold { complete: true };
        match self.phase {
            Phase::Stopping if still => self.reset(now, true),
            Phase::Streaming if status.state == State::Alarm => self.fault(Fault::Locked),
            Phase::Streaming => {
                self.idle_since = if idle { self.idle_since.or(Some(now)) } else { None };
                if !(idle && self.next == self.program.statements.len() && self.in_flight.is_empty()) {
                    self.idle_reports = 0;
                    return;
                }
                self.idle_reports += 1;
                // Between the last ok and the start of its motion GRBL reports Idle once, if that line does not drain.
                let drained = self.program.statements.last().is_none_or(|last| last.drains);
                if drained || self.idle_reports > 1 {
                    if let (false, Some(upto)) = (drained, self.program.statements.len().checked_sub(1)) {
                        self.events.push_back(Event::Completed { upto });
                    }
                    self.events.push_back(Event::Finished);
                    self.phase = Phase::Closed;
                }
            }
            _ => {}
        }
    }

    /// The oldest unanswered statement, which has just been answered.
    fn answered(&mut self) -> Option<usize> {
        let statement = self.in_flight.pop_front()?;
        self.in_flight_bytes -= self.program.statements[statement].line.len() + 1;
        self.idle_since = None;
        self.nudged = false;
        Some(statement)
    }

    fn watch(&mut self, now: Duration) {
        if now.saturating_sub(self.last_heard) >= SILENCE {
            return self.fault(Fault::Silent);
        }
        let Some(since) = self.idle_since.filter(|_| !self.paused && !self.in_flight.is_empty()) else {
            return;
        };
        if now.saturating_sub(since) < self.stall {
            return;
        }
        if self.nudged {
            return self.fault(Fault::Stalled);
        }
        self.nudged = true;
        self.idle_since = None;
        self.outgoing.push_back(b"~".to_vec());
    }

    fn stream(&mut self) {
        if self.phase != Phase::Streaming {
            return;
        }
        while let Some(statement) = self.program.statements.get(self.next) {
            let bytes = statement.line.len() + 1;
            if self.in_flight_bytes + bytes > self.window {
                break;
            }
            self.outgoing.push_back([statement.line.as_bytes(), b"\n"].concat());
            self.in_flight.push_back(self.next);
            self.in_flight_bytes += bytes;
            self.next += 1;
        }
    }

    fn reset(&mut self, now: Duration, lift: bool) {
        self.outgoing.push_back(vec![0x18]);
        self.enter(now, Phase::Resetting { lift });
    }

    /// Sends the next line that lifts the pen, or ends.
    fn lift(&mut self) {
        let Phase::Lifting { done } = self.phase else { return };
        match self.lift.get(done) {
            Some(line) => self.outgoing.push_back([line.as_bytes(), b"\n"].concat()),
            None => self.stopped(),
        }
    }

    fn fault(&mut self, fault: Fault) {
        if self.phase != Phase::Closed {
            self.events.push_back(Event::Fault(fault));
        }
        self.phase = Phase::Closed;
    }

    fn enter(&mut self, now: Duration, phase: Phase) {
        self.phase = phase;
        self.phase_begin = now;
    }
}

/// Bytes that may be on their way to a buffer of so many: one less, as 1.1 builds before 1.1h held one less than they said.
fn window(bytes: usize) -> usize {
    bytes.saturating_sub(1)
}

/// Planner blocks and receive bytes of `OPT:letters,blocks,bytes…`.
fn buffers(message: &str) -> Option<(usize, usize)> {
    let mut numbers = message.strip_prefix("OPT:")?.split(',').skip(1).map(str::parse);
    let (blocks, bytes) = (numbers.next()?.ok()?, numbers.next()?.ok()?);
    // A line is at most 79 characters and its end: less is no answer of a GRBL.
    (blocks > 0 && bytes > 80).then_some((blocks, bytes))
}
