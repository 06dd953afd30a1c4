//! A plotter at the other end, for as long as a job lasts: opening a port anew would restart most boards.

use std::time::{Duration, Instant};

use super::session_handler::SessionHandler;
use super::virtual_connection::VirtualConnection;
use super::{Controls, EBB_USB_BAUD, Error, Port, flow, the_one_port};
use crate::transport::{self, Link};
use traceur_core::machine::Profile;
use traceur_protocol::{Program, Session};
use traceur_sim::{Faults, MotionTrace};

/// Longer than this beyond what was waited for, and this process slept: the plotter's answers are not late.
const JUMP: Duration = Duration::from_secs(2);

/// A plotter at the other end.
#[derive(Debug)]
pub struct Connection {
    way: Way,
    /// Somebody has spoken to the plotter over it.
    attached: bool,
    /// The first session still looks for the switches.
    homes: bool,
}

#[derive(Debug)]
enum Way {
    Wire(Link),
    Virtual(Box<VirtualConnection>),
}

impl Connection {
    /// Opens a port; most boards restart now.
    ///
    /// # Errors
    /// When it can't be opened.
    pub async fn open(port: &Port, profile: &Profile) -> Result<Self, Error> {
        let connection = match port {
            Port::Sim { pace } => Self::simulated(profile, &Faults::default(), *pace),
            Port::Tcp(address) => Self::over(transport::connect(address).await?),
            Port::Serial(_) | Port::Auto => Self::over(open_serial(port, profile)?),
        };
        tracing::info!("connected to {port}");
        Ok(connection)
    }

    /// Over any link, in real time.
    #[must_use]
    pub fn over(link: Link) -> Self {
        Self { way: Way::Wire(link), attached: false, homes: true }
    }

    /// A virtual plotter in this process, behind a line with `faults`. `pace` is times real time; `None`: as fast as it can.
    #[must_use]
    pub fn simulated(profile: &Profile, faults: &Faults, pace: Option<f64>) -> Self {
        Self {
            way: Way::Virtual(Box::new(VirtualConnection::new(profile, faults, pace))),
            attached: false,
            homes: true,
        }
    }

    /// What the pen of a virtual plotter in this process has done so far.
    #[must_use]
    pub fn trace(&self) -> Option<&MotionTrace> {
        match &self.way {
            Way::Wire(_) => None,
            Way::Virtual(desk) => Some(desk.trace()),
        }
    }

    /// The link, if there is one.
    pub(super) fn link(&mut self) -> Option<&mut Link> {
        match &mut self.way {
            Way::Wire(link) => Some(link),
            Way::Virtual(_) => None,
        }
    }

    /// The plotter has been spoken to: the next session need not wait for it, but `homes` it first.
    pub(super) fn attach(&mut self, homes: bool) {
        (self.attached, self.homes) = (true, homes);
    }

    /// The session for the next program.
    pub(super) fn session(&self, program: Program, profile: &Profile) -> Box<dyn Session> {
        if self.attached {
            traceur_protocol::next_session(program, profile, self.homes)
        } else {
            traceur_protocol::session(program, profile)
        }
    }

    /// Drives a session to its end; gives how long that took, in the plotter's time.
    pub(super) async fn drive(
        &mut self,
        session: &mut dyn Session,
        controls: &mut Controls,
        handler: &mut impl SessionHandler,
    ) -> Result<Duration, Error> {
        let time = match &mut self.way {
            Way::Wire(link) => drive(link, session, controls, handler).await,
            Way::Virtual(desk) => desk.drive(session, controls, handler).await,
        };
        self.attach(false);
        time
    }
}

/// A serial device, or the only one that is there.
pub(super) fn open_serial(port: &Port, profile: &Profile) -> Result<Link, Error> {
    let name = match port {
        Port::Serial(name) => name.clone(),
        _ => the_one_port(profile.firmware.dialect())?,
    };
    let baud = profile.firmware.baud().unwrap_or(EBB_USB_BAUD);
    Ok(transport::open(&name, baud, flow(&profile.firmware))?)
}

async fn drive(
    link: &mut Link,
    session: &mut dyn Session,
    controls: &mut Controls,
    handler: &mut impl SessionHandler,
) -> Result<Duration, Error> {
    let mut watch = Stopwatch::new(Instant::now());
    loop {
        while let Some(bytes) = session.poll_transmit() {
            link.send(bytes)?;
        }
        let now = watch.now;
        while let Some(event) = session.poll_event() {
            handler.hear(now, &event);
        }
        let Some(timeout) = session.poll_timeout() else { return Ok(now) };
        let wait = timeout.saturating_sub(now);
        tokio::select! {
            biased;
            control = controls.next() => {
                let now = watch.tick(Instant::now(), wait);
                handler.wish(control, session, now);
            }
            bytes = link.receive() => {
                let bytes = bytes?;
                session.handle_bytes(watch.tick(Instant::now(), wait), &bytes);
            }
            () = tokio::time::sleep(wait) => session.handle_timeout(watch.tick(Instant::now(), wait)),
        }
    }
}

/// A session's time, which stands still while this process sleeps: a laptop that was closed, a job that was stopped with
/// Ctrl-Z. The answers that came meanwhile are read before anything is called late.
#[derive(Debug)]
struct Stopwatch {
    at: Instant,
    now: Duration,
}

impl Stopwatch {
    fn new(at: Instant) -> Self {
        Self { at, now: Duration::ZERO }
    }

    /// The time at `at`, after a wait that was to take at most `wait`.
    fn tick(&mut self, at: Instant, wait: Duration) -> Duration {
        let passed = at.saturating_duration_since(self.at);
        self.at = at;
        self.now += if passed > wait + JUMP { wait.min(JUMP) } else { passed };
        self.now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_stands_still_while_the_process_sleeps() {
        let (begin, second) = (Instant::now(), Duration::from_secs(1));
        let mut watch = Stopwatch::new(begin);
        assert_eq!(watch.tick(begin + second, second), second);
        assert_eq!(watch.tick(begin + second * 30_000, second), second * 2);
        assert_eq!(watch.tick(begin + second * 30_002, second), second * 4);
        // A clock that goes back is no time at all.
        assert_eq!(watch.tick(begin, second), second * 4);
    }
}
