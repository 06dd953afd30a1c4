//! What a person asks of a job while it runs.

use tokio::sync::mpsc;

/// A wish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Control {
    /// Rest soon, pen up, able to go on.
    Pause,
    /// Go on.
    Resume,
    /// End for good where the machine keeps its position, pen up.
    Stop,
    /// End at once, pen up; the position may be lost.
    Abort,
    /// Leave out the rest of the stroke that is being drawn.
    Skip,
    /// A tenth of the usual speed faster, where the machine can.
    Faster,
    /// A tenth of the usual speed slower, where the machine can.
    Slower,
    /// The usual speed.
    NormalSpeed,
    /// The pen a little higher on the paper, for the rest of the job.
    PenHigher,
    /// The pen a little lower on the paper, for the rest of the job.
    PenLower,
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
