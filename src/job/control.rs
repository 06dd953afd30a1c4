//! What a person asks of a job while it runs.

use std::time::Duration;

use tokio::sync::mpsc;

use crate::protocol::Session;

/// A wish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Control {
    /// Rest soon, pen up, able to go on.
    Pause,
    /// Go on.
    Resume,
    /// End for good where the machine keeps its position, pen up.
    Stop,
}

impl Control {
    pub(super) fn apply(self, session: &mut dyn Session, now: Duration) {
        match self {
            Self::Pause => session.pause(now),
            Self::Resume => session.resume(now),
            Self::Stop => session.stop(now),
        }
    }
}

/// Sends wishes to a job; clone it for each key, signal or button that may.
#[derive(Debug, Clone)]
pub struct Remote(mpsc::UnboundedSender<Control>);

impl Remote {
    /// Sends a wish; nothing happens if the job is over.
    pub fn send(&self, control: Control) {
        let _ = self.0.send(control);
    }
}

/// Where a job hears wishes.
#[derive(Debug)]
pub struct Controls(Option<mpsc::UnboundedReceiver<Control>>);

impl Controls {
    /// For a job that nobody interrupts.
    #[must_use]
    pub fn none() -> Self {
        Self(None)
    }

    /// A remote and what hears it.
    #[must_use]
    pub fn channel() -> (Remote, Self) {
        let (send, receive) = mpsc::unbounded_channel();
        (Remote(send), Self(Some(receive)))
    }

    /// The next wish; never, once all remotes are gone.
    pub(super) async fn next(&mut self) -> Control {
        if let Some(receive) = &mut self.0
            && let Some(control) = receive.recv().await
        {
            return control;
        }
        self.0 = None;
        std::future::pending().await
    }
}
