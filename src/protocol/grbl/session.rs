//! Streams a program by character counting, and knows what has been drawn.

#[cfg(test)]
mod phase_tests;

use std::collections::VecDeque;
use std::time::Duration;

use super::{Replies, Reply, alarm_meaning, error_meaning};
use crate::session_core::{Core, Deadlines, Timed, Timer};
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

impl crate::session_core::Phase for Phase {
    const CLOSED: Self = Self::Closed;
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
    core: Core<Phase>,
    paused: bool,
    replies: Replies,
    next: usize,
    in_flight: VecDeque<usize>,
    in_flight_bytes: usize,
    idle_reports: usize,
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
            core: Core::new(Phase::Connecting { probes: 0 }),
            paused: false,
            replies: Replies::default(),
            next: 0,
            in_flight: VecDeque::new(),
            in_flight_bytes: 0,
            idle_reports: 0,
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
        self.core.phase = Phase::Asking;
        self.core.send(b"$I\n");
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
        self.expire_due(now);
        self.stream();
    }

    fn pause(&mut self, _: Duration) {
        if self.core.phase == Phase::Streaming && !self.paused {
            self.paused = true;
            self.core.send(b"!");
        }
    }

    fn resume(&mut self, _: Duration) {
        if self.core.phase == Phase::Streaming {
            self.paused = false;
            self.idle_since = None;
            self.core.send(b"~");
        }
    }

    fn stop(&mut self, now: Duration) {
        match self.core.phase {
            Phase::Connecting { .. } | Phase::Settling | Phase::Asking => self.stopped(),
            // Only a reset is heard while the machine looks for its switches. Nothing has been drawn.
            Phase::Homing => self.reset(now, false),
            Phase::Streaming => {
                // Before whatever still waits here.
                self.core.send_first(b"!");
                self.core.next_poll = now;
                self.core.enter(now, Phase::Stopping);
                self.handle_timeout(now);
            }
            _ => {}
        }
    }

    fn abort(&mut self, now: Duration) {
        match self.core.phase {
            Phase::Streaming | Phase::Stopping => {
                self.core.unsend();
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
        self.core.send_first(bytes);
        true
    }

    fn set_mark(&mut self, mark: u8) {
        self.mark = Some((mark, false));
        // A stop resets the parser.
        self.lift.push(format!("T{mark}"));
    }

    fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        self.core.poll_transmit()
    }

    fn poll_event(&mut self) -> Option<Event> {
        self.core.poll_event()
    }

    fn poll_timeout(&self) -> Option<Duration> {
        self.next_deadline()
    }
}

impl Timed for Session {
    fn deadlines(&self) -> Option<Deadlines> {
        let core = &self.core;
        Some(match core.phase {
            Phase::Connecting { probes: 0 } => Deadlines::at(Timer::Greet, core.after(BANNER)),
            Phase::Connecting { .. } => Deadlines::at(Timer::Greet, core.after(PROBE)),
            Phase::Settling => Deadlines::at(Timer::Settle, core.after(SETTLE)),
            Phase::Asking => Deadlines::at(Timer::Proceed, core.after(ASK)),
            Phase::Homing => Deadlines::at(Timer::Silence, core.after(HOMING)),
            Phase::Streaming => Deadlines::at(Timer::Poll, core.next_poll),
            Phase::Stopping => Deadlines::at(Timer::Halt, core.after(STOP)).and(Timer::Poll, core.next_poll),
            Phase::Resetting { .. } | Phase::Lifting { .. } => {
                Deadlines::at(Timer::Silence, core.after(STOP))
            }
            Phase::Closed => return None,
        })
    }

    fn expire(&mut self, now: Duration, timer: Timer) {
        match timer {
            Timer::Greet => self.probe(now),
            Timer::Settle => {
                self.core.send(b"$I\n");
                self.core.enter(now, Phase::Asking);
            }
            Timer::Proceed => self.begin(now),
            Timer::Poll => self.poll(now),
            Timer::Halt => self.reset(now, true),
            Timer::Silence => self.core.fault(Fault::Silent),
            // No phase waits for it: room is counted here.
            Timer::Room => {}
        }
    }
}

impl Session {
    fn probe(&mut self, now: Duration) {
        let Phase::Connecting { probes } = self.core.phase else { return };
        if probes == PROBES {
            return self.core.fault(Fault::NoAnswer);
        }
        self.core.send(b"\n");
        self.core.enter(now, Phase::Connecting { probes: probes + 1 });
    }

    fn poll(&mut self, now: Duration) {
        if self.core.phase == Phase::Streaming {
            self.watch(now);
        }
        if self.core.phase != Phase::Closed {
            self.core.send(b"?");
            self.core.next_poll = now + POLL;
        }
    }

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
                self.core.tell(Event::Push(text));
                let may_home = matches!(
                    self.core.phase,
                    Phase::Connecting { .. } | Phase::Settling | Phase::Asking | Phase::Homing
                );
                // After a reset the pen's lift unlocks it, and homing does too.
                if locked
                    && !(self.homes && may_home)
                    && !matches!(self.core.phase, Phase::Resetting { .. } | Phase::Lifting { .. })
                {
                    self.core.fault(Fault::Locked);
                }
            }
            Reply::Setting(text) | Reply::StartUp(text) => self.core.tell(Event::Push(text)),
            Reply::Garbled(text) => self.core.tell(Event::Garbled(text)),
        }
    }

    fn handle_alarm(&mut self, code: u32) {
        if self.core.phase == Phase::Closed {
            return;
        }
        let statement = self.in_flight.front().copied();
        let origin = statement.and_then(|index| self.program.statements[index].origin);
        self.core.tell(Event::Alarm {
            code,
            reply: format!("ALARM:{code}"),
            meaning: alarm_meaning(code).to_owned(),
            statement,
            origin,
        });
        match self.core.phase {
            // The reset came before all stood still: the banner follows, and the pen must go up all the same.
            Phase::Resetting { lift: true } => self.lift.insert(0, "$X".into()),
            // The reset broke off the search for the switches: an `ok` and the banner follow.
            Phase::Resetting { lift: false } => {}
            _ => self.core.phase = Phase::Closed,
        }
    }

    fn handle_banner(&mut self, now: Duration, banner: String) {
        match self.core.phase {
            Phase::Connecting { .. } => self.connected(now, banner),
            Phase::Settling => self.core.enter(now, Phase::Settling),
            Phase::Resetting { lift: true } => {
                self.core.enter(now, Phase::Lifting { done: 0 });
                self.lift();
            }
            Phase::Resetting { lift: false } => self.stopped(),
            _ => self.core.fault(Fault::Restarted),
        }
    }

    fn connected(&mut self, now: Duration, banner: String) {
        self.core.tell(Event::Connected { banner });
        self.core.enter(now, Phase::Settling);
    }

    /// Begins the program, or the search for the switches before it.
    fn begin(&mut self, now: Duration) {
        if let (Phase::Asking, Some((mark, sent @ false))) = (self.core.phase, &mut self.mark) {
            *sent = true;
            self.core.send(format!("T{mark}\n"));
            return self.core.enter(now, Phase::Asking);
        }
        if self.homes && self.core.phase == Phase::Asking {
            self.core.send(b"$H\n");
            return self.core.enter(now, Phase::Homing);
        }
        self.core.next_poll = now;
        self.core.enter(now, Phase::Streaming);
        self.handle_timeout(now);
    }

    fn stopped(&mut self) {
        self.core.end(Event::Stopped);
    }

    fn handle_ok(&mut self, now: Duration) {
        match self.core.phase {
            Phase::Connecting { .. } => self.connected(now, String::new()),
            Phase::Streaming | Phase::Stopping => {
                let Some(statement) = self.answered() else {
                    return self.core.tell(Event::Garbled("ok, but no line was waiting for it".into()));
                };
                self.core.tell(Event::Accepted { statement });
                if self.program.statements[statement].drains {
                    self.core.tell(Event::Completed { upto: statement });
                }
            }
            Phase::Lifting { done } => {
                self.core.enter(now, Phase::Lifting { done: done + 1 });
                self.lift();
            }
            Phase::Settling => self.core.enter(now, Phase::Settling),
            Phase::Asking | Phase::Homing => self.begin(now),
            Phase::Resetting { .. } | Phase::Closed => {}
        }
    }

    fn handle_error(&mut self, now: Duration, code: u32) {
        match self.core.phase {
            // The newline of the probe ended a line of somebody else.
            Phase::Connecting { .. } => self.connected(now, String::new()),
            Phase::Streaming | Phase::Stopping => {
                let Some(statement) = self.answered() else {
                    return self
                        .core
                        .tell(Event::Garbled(format!("error:{code}, but no line was waiting for it")));
                };
                let Some(refused) = self.program.statements.get(statement) else { return };
                self.core.tell(Event::Error {
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
                self.core.tell(Event::Push(format!("$H: error:{code}, {}", error_meaning(code))));
                self.core.fault(Fault::NoHoming);
            }
            _ => {}
        }
    }

    fn handle_status(&mut self, now: Duration, status: Status) {
        self.core.tell(Event::Status(status));
        let idle = status.state == State::Idle;
        let still = idle || status.state == State::Hold { complete: true };
        match self.core.phase {
            Phase::Stopping if still => self.reset(now, true),
            Phase::Streaming if status.state == State::Alarm => self.core.fault(Fault::Locked),
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
                        self.core.tell(Event::Completed { upto });
                    }
                    self.core.end(Event::Finished);
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
            return self.core.fault(Fault::Silent);
        }
        let Some(since) = self.idle_since.filter(|_| !self.paused && !self.in_flight.is_empty()) else {
            return;
        };
        if now.saturating_sub(since) < self.stall {
            return;
        }
        if self.nudged {
            return self.core.fault(Fault::Stalled);
        }
        self.nudged = true;
        self.idle_since = None;
        self.core.send(b"~");
    }

    fn stream(&mut self) {
        if self.core.phase != Phase::Streaming {
            return;
        }
        while let Some(statement) = self.program.statements.get(self.next) {
            let bytes = statement.line.len() + 1;
            if self.in_flight_bytes + bytes > self.window {
                break;
            }
            self.core.send([statement.line.as_bytes(), b"\n"].concat());
            self.in_flight.push_back(self.next);
            self.in_flight_bytes += bytes;
            self.next += 1;
        }
    }

    fn reset(&mut self, now: Duration, lift: bool) {
        self.core.send(vec![0x18]);
        self.core.enter(now, Phase::Resetting { lift });
    }

    /// Sends the next line that lifts the pen, or ends.
    fn lift(&mut self) {
        let Phase::Lifting { done } = self.core.phase else { return };
        match self.lift.get(done) {
            Some(line) => self.core.send([line.as_bytes(), b"\n"].concat()),
            None => self.stopped(),
        }
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
