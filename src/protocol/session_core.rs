//! What the sessions of all dialects share: the phase, what waits to be sent and told, and what comes due when.

use std::collections::VecDeque;
use std::time::Duration;

use super::{Event, Fault};

/// What comes due in a phase, and what follows then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Timer {
    /// A greeting was not answered: it is sent again, and after the last one nobody is there.
    Greet,
    /// It has been quiet for long enough: the next phase begins.
    Settle,
    /// An answer that can be done without did not come: the next phase begins.
    Proceed,
    /// A question about state, errors or power is due.
    Poll,
    /// Free bytes may be asked for again.
    Room,
    /// The machine did not come to rest: it is reset.
    Halt,
    /// What must be answered was not: it is asked whether it is still there, or given up.
    Silence,
}

/// The deadlines of a phase, the most urgent first: one at least, so that no session waits for ever.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadlines {
    first: (Timer, Duration),
    second: Option<(Timer, Duration)>,
}

impl Deadlines {
    pub(crate) fn at(timer: Timer, time: Duration) -> Self {
        Self { first: (timer, time), second: None }
    }

    /// With another one, which waits for the first if both are due.
    pub(crate) fn and(self, timer: Timer, time: Duration) -> Self {
        Self { second: Some((timer, time)), ..self }
    }

    fn next(&self) -> Duration {
        self.second.map_or(self.first.1, |(_, time)| time.min(self.first.1))
    }

    fn due(&self, now: Duration) -> Option<Timer> {
        let mut both = std::iter::once(self.first).chain(self.second);
        both.find(|(_, time)| now >= *time).map(|(timer, _)| timer)
    }
}

/// A session whose deadlines follow from its phase, so that what is waited for and what is done then can't disagree.
pub(crate) trait Timed {
    /// Those of the phase at hand; `None` when the session is over. No phase waits for a person only: where a person is
    /// waited for, the machine is asked meanwhile.
    fn deadlines(&self) -> Option<Deadlines>;

    /// Does what follows when `timer` is due. It is not due any more then.
    fn expire(&mut self, now: Duration, timer: Timer);

    /// Does what is due.
    fn expire_due(&mut self, now: Duration) {
        if let Some(timer) = self.deadlines().and_then(|deadlines| deadlines.due(now)) {
            self.expire(now, timer);
        }
    }

    /// When something is due next.
    fn next_deadline(&self) -> Option<Duration> {
        self.deadlines().map(|deadlines| deadlines.next())
    }
}

/// What a session is doing.
pub(crate) trait Phase: Copy + Eq {
    /// It is over.
    const CLOSED: Self;
}

/// What each session holds.
#[derive(Debug, Clone)]
pub(crate) struct Core<P> {
    pub(crate) phase: P,
    /// When the phase began, or began anew.
    phase_begin: Duration,
    /// When the machine is to be asked again.
    pub(crate) next_poll: Duration,
    outgoing: VecDeque<Vec<u8>>,
    events: VecDeque<Event>,
}

impl<P: Phase> Core<P> {
    pub(crate) fn new(phase: P) -> Self {
        Self {
            phase,
            phase_begin: Duration::ZERO,
            next_poll: Duration::ZERO,
            outgoing: VecDeque::new(),
            events: VecDeque::new(),
        }
    }

    pub(crate) fn enter(&mut self, now: Duration, phase: P) {
        (self.phase, self.phase_begin) = (phase, now);
    }

    pub(crate) fn send(&mut self, bytes: impl Into<Vec<u8>>) {
        self.outgoing.push_back(bytes.into());
    }

    /// Before whatever still waits here.
    pub(crate) fn send_first(&mut self, bytes: impl Into<Vec<u8>>) {
        self.outgoing.push_front(bytes.into());
    }

    /// Throws away what still waits here.
    pub(crate) fn unsend(&mut self) {
        self.outgoing.clear();
    }

    pub(crate) fn tell(&mut self, event: Event) {
        self.events.push_back(event);
    }

    /// Tells the last event.
    pub(crate) fn end(&mut self, event: Event) {
        self.tell(event);
        self.phase = P::CLOSED;
    }

    /// Gives up, unless the session is over.
    pub(crate) fn fault(&mut self, fault: Fault) {
        if self.phase != P::CLOSED {
            self.end(Event::Fault(fault));
        }
    }

    pub(crate) fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        self.outgoing.pop_front()
    }

    pub(crate) fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// So long after the phase began.
    pub(crate) fn after(&self, time: Duration) -> Duration {
        self.phase_begin + time
    }

    pub(crate) fn waited(&self, now: Duration) -> Duration {
        now.saturating_sub(self.phase_begin)
    }
}

/// Lets time pass over a session whose machine says nothing, until it is over; gives when that was, and the last event. It
/// must have something to wait for all the while, and each deadline must be dealt with when it has come, not before.
#[cfg(test)]
pub(crate) fn silence(session: &mut (impl crate::Session + Timed)) -> (Duration, Option<Event>) {
    fn drain(session: &mut impl crate::Session, last: &mut Option<Event>) -> usize {
        let sent = std::iter::from_fn(|| session.poll_transmit()).count();
        let told: Vec<Event> = std::iter::from_fn(|| session.poll_event()).collect();
        let count = sent + told.len();
        *last = told.into_iter().next_back().or(last.take());
        count
    }
    let (mut last, mut now) = (None, Duration::ZERO);
    drain(session, &mut last);
    for _ in 0..10_000 {
        let Some(timeout) = session.poll_timeout() else { return (now, last) };
        if timeout > now {
            session.handle_timeout(now.max(timeout - Duration::from_millis(1)));
            assert_eq!(drain(session, &mut last), 0, "too early: {session:?}");
        }
        now = now.max(timeout);
        session.handle_timeout(now);
        drain(session, &mut last);
        assert!(session.poll_timeout().is_none_or(|next| next > now), "it stays due: {session:?}");
    }
    panic!("it goes on for ever: {session:?}");
}
