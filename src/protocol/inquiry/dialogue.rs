//! The two ends of an inquiry: the wire that its driver fills and empties, and the dialogue that its steps hold.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use super::Error;
use crate::Fault;

/// Turns bytes into a dialect's replies.
pub(crate) trait Parser: Default {
    type Reply;

    /// Takes one byte; gives the reply that it ends.
    fn push(&mut self, byte: u8) -> Option<Self::Reply>;
}

/// What passes between an inquiry and its driver.
#[derive(Debug, Default)]
pub(super) struct Traffic {
    pub(super) now: Duration,
    pub(super) incoming: VecDeque<u8>,
    pub(super) outgoing: VecDeque<Vec<u8>>,
    /// When the last bytes came.
    pub(super) heard: Duration,
    /// When the step at hand ends without an answer. Each step sets it before it waits.
    pub(super) deadline: Duration,
}

/// Shared by an inquiry and its steps, which run only while the inquiry polls them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wire(Arc<Mutex<Traffic>>);

impl Wire {
    pub(super) fn lock(&self) -> MutexGuard<'_, Traffic> {
        // OK because no step leaves the traffic half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A question that is asked again and again.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Repeated {
    /// Between two of them.
    pub(crate) every: Duration,
    /// For the answer that is looked for.
    pub(crate) limit: Duration,
    /// Without any byte: nobody is there.
    pub(crate) silence: Duration,
}

/// What the steps of an inquiry hold: it sends, and waits for replies or for time. Dropped with its inquiry, and with it
/// all that was said and not read.
#[derive(Debug)]
pub(crate) struct Dialogue<P> {
    wire: Wire,
    parser: P,
}

impl<P: Parser> Dialogue<P> {
    pub(crate) fn over(wire: Wire) -> Self {
        Self { wire, parser: P::default() }
    }

    pub(crate) fn send(&mut self, bytes: impl Into<Vec<u8>>) {
        self.wire.lock().outgoing.push_back(bytes.into());
    }

    /// The next reply; `None` if none comes in time.
    pub(crate) async fn hear(&mut self, patience: Duration) -> Option<P::Reply> {
        let end = self.now() + patience;
        self.hear_until(end).await
    }

    /// The next reply, which must come.
    pub(crate) async fn must_hear(&mut self, patience: Duration) -> Result<P::Reply, Error> {
        Ok(self.hear(patience).await.ok_or(Fault::Silent)?)
    }

    /// Lets late answers pass, until it has been quiet for so long.
    pub(crate) async fn settle(&mut self, quiet: Duration) {
        while self.hear(quiet).await.is_some() {}
    }

    /// Waits; what is said meanwhile is read afterwards.
    pub(crate) async fn pause(&mut self, time: Duration) {
        let end = self.now() + time;
        poll_fn(|_| {
            let mut traffic = self.wire.lock();
            traffic.deadline = end;
            if traffic.now < end { Poll::Pending } else { Poll::Ready(()) }
        })
        .await;
    }

    /// Asks once; gives what `enough` finds in a reply, `None` if it finds nothing in time.
    pub(crate) async fn ask<T>(
        &mut self,
        question: impl Into<Vec<u8>>,
        limit: Duration,
        mut enough: impl FnMut(&P::Reply) -> Option<T>,
    ) -> Option<T> {
        self.send(question);
        let end = self.now() + limit;
        while let Some(reply) = self.hear_until(end).await {
            let found = enough(&reply);
            if found.is_some() {
                return found;
            }
        }
        None
    }

    /// Asks again and again until `enough`, which is told the time too, finds what it looks for.
    pub(crate) async fn ask_repeatedly<T>(
        &mut self,
        question: &[u8],
        repeated: Repeated,
        mut enough: impl FnMut(Duration, &P::Reply) -> Option<T>,
    ) -> Option<T> {
        let begin = self.now();
        let mut due = begin;
        loop {
            let now = self.now();
            let heard = self.wire.lock().heard.max(begin);
            let end = (begin + repeated.limit).min(heard + repeated.silence);
            if now >= end {
                return None;
            }
            if now >= due {
                self.send(question);
                due = now + repeated.every;
            }
            if let Some(reply) = self.hear_until(due.min(end)).await {
                let found = enough(self.now(), &reply);
                if found.is_some() {
                    return found;
                }
            }
        }
    }

    fn now(&self) -> Duration {
        self.wire.lock().now
    }

    async fn hear_until(&mut self, end: Duration) -> Option<P::Reply> {
        poll_fn(|_| {
            let mut traffic = self.wire.lock();
            traffic.deadline = end;
            while let Some(byte) = traffic.incoming.pop_front() {
                if let Some(reply) = self.parser.push(byte) {
                    return Poll::Ready(Some(reply));
                }
            }
            if traffic.now < end { Poll::Pending } else { Poll::Ready(None) }
        })
        .await
    }
}
