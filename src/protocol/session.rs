//! What every dialect's session can do.

use std::fmt::Debug;
use std::time::Duration;

use super::Event;

/// Sans-IO streaming of one program. Time is since the session's start, and never goes back.
///
/// After each call of `handle_bytes`, `handle_timeout`, `pause`, `resume` or `stop`, drain [`Session::poll_transmit`]
/// and [`Session::poll_event`] until they give `None`, then wait for bytes or for [`Session::poll_timeout`].
///
/// The whole loop, with a virtual plotter in the place of a port and of a clock:
///
/// ```
/// # use std::time::Duration;
/// use traceur_core::machine::{Dialect, Profile};
/// use traceur_protocol::{Event, Program, Statement};
///
/// let profile = Profile::built_in("grbl-servo").expect("it is built in");
/// let statement = |line: &str, drains| Statement { line: line.into(), origin: None, drains };
/// let program = Program {
///     dialect: Dialect::Grbl,
///     title: "ten millimetres".into(),
///     statements: vec![statement("G21G91", false), statement("G1X10F600", false), statement("G4P0", true)],
///     lift: vec!["M3S300".into()],
/// };
/// let mut session = traceur_protocol::session(program, &profile);
/// let mut plotter = traceur_sim::plotter(&profile);
/// let mut now = Duration::ZERO;
/// let mut drawn = None;
/// loop {
///     // Bytes for the plotter.
///     while let Some(bytes) = session.poll_transmit() {
///         plotter.receive(now, &bytes);
///     }
///     // What there is to know.
///     while let Some(event) = session.poll_event() {
///         match event {
///             Event::Completed { upto } => drawn = Some(upto),
///             Event::Fault(fault) => return Err(fault),
///             _ => {}
///         }
///     }
///     // Until something is due on either side.
///     let Some(timeout) = session.poll_timeout() else { break };
///     now = plotter.next_wake(now).map_or(timeout, |wake| wake.min(timeout));
///     plotter.receive(now, b"");
///     // Bytes from the plotter, and the time.
///     session.handle_bytes(now, &plotter.poll_output());
///     if now >= timeout {
///         session.handle_timeout(now);
///     }
/// }
/// assert_eq!(drawn, Some(2));
/// # Ok::<(), traceur_protocol::Fault>(())
/// ```
pub trait Session: Debug + Send {
    /// Takes bytes from the plotter, split anywhere.
    fn handle_bytes(&mut self, now: Duration, bytes: &[u8]);

    /// Does what is due. Call it when [`Session::poll_timeout`] has come; earlier is harmless.
    fn handle_timeout(&mut self, now: Duration);

    /// Brings the machine to rest soon, able to go on. Nothing happens if it rests already.
    fn pause(&mut self, now: Duration);

    /// Goes on after [`Session::pause`], or after a pause of the machine's own.
    fn resume(&mut self, now: Duration);

    /// Stops for good, with the pen up. [`Event::Stopped`] follows.
    fn stop(&mut self, now: Duration);

    /// Stops at once, with the pen up, even if the machine loses its position. [`Event::Stopped`] or an alarm follows.
    fn abort(&mut self, now: Duration) {
        self.stop(now);
    }

    /// Leaves this number, 1 to 255, in the board's memory where it has one that a restart wipes out. Before all else.
    fn set_mark(&mut self, _mark: u8) {}

    /// Goes at `percent` of the usual speed from now on, within what the machine can do; false if it can only go at 100 %.
    fn set_speed(&mut self, _now: Duration, _percent: u32) -> bool {
        false
    }

    /// The next bytes for the plotter.
    fn poll_transmit(&mut self) -> Option<Vec<u8>>;

    /// The next thing to know.
    fn poll_event(&mut self) -> Option<Event>;

    /// When to call [`Session::handle_timeout`]; `None` when the session is over: nothing more will be sent. Ask again
    /// after each other call.
    fn poll_timeout(&self) -> Option<Duration>;

    /// Whether the session is over.
    fn is_closed(&self) -> bool {
        self.poll_timeout().is_none()
    }
}
