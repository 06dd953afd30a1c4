//! `--on-event CMD`: a plot calls its owner.

use std::io::Write as _;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long the last commands may take once the plot is over, before nobody hears how they ended.
const PATIENCE: Duration = Duration::from_secs(2);
/// Events that come too often for a command each.
const TOO_MANY: [&str; 2] = ["completed", "progress"];

/// Runs a command for each event, beside the plot.
#[derive(Debug)]
pub(super) struct Hook {
    command: String,
    job: String,
    ended: Receiver<Option<String>>,
    tell: Sender<Option<String>>,
    running: usize,
    warned: bool,
}

impl Hook {
    /// `job`: what is plotted.
    pub(super) fn new(command: &str, job: &str) -> Self {
        let (tell, ended) = mpsc::channel();
        Self { command: command.to_owned(), job: job.to_owned(), ended, tell, running: 0, warned: false }
    }

    /// Starts the command for this event; the first trouble with any is given back.
    pub(super) fn run(&mut self, event: &Value) -> Option<String> {
        let name = event["event"].as_str().unwrap_or_default();
        if TOO_MANY.contains(&name) {
            return self.trouble(Duration::ZERO);
        }
        match self.start(name, event) {
            Ok(mut child) => {
                // A pipe holds more than an event, so this does not wait; a command that reads nothing is in order.
                if let Some(mut stdin) = child.stdin.take() {
                    let _ = stdin.write_all(format!("{event}\n").as_bytes());
                }
                self.running += 1;
                let tell = self.tell.clone();
                // Without the thread nobody hears how it ended.
                let _ = std::thread::Builder::new().name("on-event".into()).spawn(move || {
                    let ended = child.wait();
                    let trouble =
                        ended.ok().filter(|status| !status.success()).map(|status| status.to_string());
                    let _ = tell.send(trouble);
                });
                self.trouble(Duration::ZERO)
            }
            Err(error) => self.warn(format!("can't be started: {error}")),
        }
    }

    /// Waits a moment for the last ones.
    pub(super) fn finish(&mut self) -> Option<String> {
        self.trouble(PATIENCE)
    }

    fn start(&self, name: &str, event: &Value) -> std::io::Result<Child> {
        let mut command = shell(&self.command);
        command.env("TRACEUR_EVENT", name).env("TRACEUR_JOB", &self.job);
        for (key, value) in event.as_object().into_iter().flatten() {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            // A NUL can't stand in the environment.
            if key != "event" && !text.contains('\0') {
                command.env(format!("TRACEUR_{}", key.to_ascii_uppercase()), text);
            }
        }
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()
    }

    fn trouble(&mut self, patience: Duration) -> Option<String> {
        let until = Instant::now() + patience;
        let mut first = None;
        while self.running > 0 {
            let Ok(ended) = self.ended.recv_timeout(until.saturating_duration_since(Instant::now())) else {
                break;
            };
            self.running -= 1;
            if let Some(trouble) = ended {
                first = first.or_else(|| self.warn(format!("ended with {trouble}")));
            }
        }
        first
    }

    fn warn(&mut self, what: String) -> Option<String> {
        let is_first = !std::mem::replace(&mut self.warned, true);
        is_first.then(|| format!("--on-event `{}` {what}; the plot goes on", self.command))
    }
}

/// In a process group of its own: Ctrl-C at the terminal is for the plot.
#[cfg(unix)]
fn shell(text: &str) -> Command {
    use std::os::unix::process::CommandExt as _;
    let mut command = Command::new("sh");
    command.args(["-c", text]).process_group(0);
    command
}

#[cfg(not(unix))]
fn shell(text: &str) -> Command {
    let mut command = Command::new("cmd");
    command.args(["/C", text]);
    command
}

#[cfg(all(test, unix))]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_command_knows_the_event() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("heard");
        let text = format!(
            "{{ echo \"$TRACEUR_EVENT $TRACEUR_JOB $TRACEUR_PEN $TRACEUR_PASS\"; cat; }} > {}",
            path.display()
        );
        let mut hook = Hook::new(&text, "in.svg");
        let event = json!({ "event": "pen_change", "pen": "red; rm -rf x", "pass": 2 });
        assert_eq!(hook.run(&event), None);
        assert_eq!(hook.finish(), None);
        let heard = std::fs::read_to_string(path).unwrap();
        assert_eq!(heard, format!("pen_change in.svg red; rm -rf x 2\n{event}\n"));
    }

    #[test]
    fn a_failing_command_is_one_warning() {
        let mut hook = Hook::new("exit 3", "in.svg");
        let told: Vec<String> = (0..5).filter_map(|_| hook.run(&json!({ "event": "pass" }))).collect();
        let told: Vec<String> = told.into_iter().chain(hook.finish()).collect();
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].contains("exit 3") && told[0].contains("exit status: 3"), "{told:?}");
    }

    #[test]
    fn frequent_events_start_nothing() {
        let mut hook = Hook::new("exit 3", "in.svg");
        assert_eq!((hook.run(&json!({ "event": "progress" })), hook.finish()), (None, None));
    }
}
