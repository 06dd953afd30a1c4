//! Ctrl-C, while something runs that can end well before its time.

use std::sync::Once;
#[cfg(unix)]
use std::sync::OnceLock;
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
    let Ok(runtime) = traceur_job::runtime() else { return };
    runtime.block_on(async {
        while tokio::signal::ctrl_c().await.is_ok() {
            if LISTENERS.load(Ordering::SeqCst) == 0 {
                std::process::exit(INTERRUPTED);
            }
            PRESSED.store(true, Ordering::SeqCst);
        }
    });
}

/// How the process was asked to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// Ctrl-C.
    ByHand,
    /// By a signal: somebody shuts down, the terminal has gone. Such signals come twice at times and mean no more then.
    BySystem,
}

/// Completes at Ctrl-C, or at the polite signals to end.
pub(super) async fn asked_to_end() -> Asked {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let hang_up = async {
            let outlives = outlives_its_terminal();
            match signal(SignalKind::hangup()) {
                Ok(mut hang_up) if !outlives => drop(hang_up.recv().await),
                _ => std::future::pending().await,
            }
        };
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => return Asked::ByHand,
                _ = terminate.recv() => {}
                () = hang_up => {}
            }
            return Asked::BySystem;
        }
    }
    // Without a handler, Ctrl-C ends the process, as it always does.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
    Asked::ByHand
}

/// Whether it was started by `nohup`, or by whatever else lets nothing hang it up. Asked before the first handler is there.
#[cfg(unix)]
fn outlives_its_terminal() -> bool {
    static ANSWER: OnceLock<bool> = OnceLock::new();
    /// SIGHUP in a mask of signals.
    const HANG_UP: u64 = 1;
    *ANSWER.get_or_init(|| {
        // Linux; elsewhere nobody can be asked.
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        ignored
            .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
            .is_some_and(|mask| mask & HANG_UP != 0)
    })
}

/// The same for a thread that has nothing else to do.
pub(super) fn wait_for_end() {
    match traceur_job::runtime() {
        Ok(runtime) => drop(runtime.block_on(asked_to_end())),
        Err(_) => loop {
            std::thread::park();
        },
    }
}
