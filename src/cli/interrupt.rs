//! Ctrl-C, while something runs that can end well before its time.

use std::sync::Once;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// How many listen; when nobody does, Ctrl-C ends the process.
static LISTENERS: AtomicUsize = AtomicUsize::new(0);
static PRESSED: AtomicBool = AtomicBool::new(false);
static BEGIN: Once = Once::new();
/// What a shell sees of a process that Ctrl-C ended.
const INTERRUPTED: i32 = 130;

/// Someone who deals with Ctrl-C, as long as this lives.
#[derive(Debug)]
pub(super) struct Interrupt;

impl Interrupt {
    pub(super) fn listen() -> Self {
        if LISTENERS.fetch_add(1, Ordering::SeqCst) == 0 {
            PRESSED.store(false, Ordering::SeqCst);
        }
        BEGIN.call_once(|| {
            // Without the thread Ctrl-C ends the process, as it always does.
            let _ = std::thread::Builder::new().name("ctrl-c".into()).spawn(wait);
        });
        Self
    }

    /// Whether Ctrl-C was pressed since this one, or the first of several, began to listen.
    pub(super) fn is_pressed(&self) -> bool {
        PRESSED.load(Ordering::SeqCst)
    }
}

impl Drop for Interrupt {
    fn drop(&mut self) {
        LISTENERS.fetch_sub(1, Ordering::SeqCst);
    }
}

/// tokio's handler stays for as long as the process lives, so this does too.
fn wait() {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
    runtime.block_on(async {
        while tokio::signal::ctrl_c().await.is_ok() {
            if LISTENERS.load(Ordering::SeqCst) == 0 {
                std::process::exit(INTERRUPTED);
            }
            PRESSED.store(true, Ordering::SeqCst);
        }
    });
}

/// Completes at Ctrl-C, or at the polite signals to end.
pub(super) async fn asked_to_end() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let (Ok(mut terminate), Ok(mut hang_up)) =
            (signal(SignalKind::terminate()), signal(SignalKind::hangup()))
        {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
                _ = hang_up.recv() => {}
            }
            return;
        }
    }
    // Without a handler, Ctrl-C ends the process, as it always does.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
