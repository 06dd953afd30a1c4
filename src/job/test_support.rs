//! What the tests of this crate share: one program by itself, without a job around it, and how far a mark is off.

use std::time::Duration;

use super::connection::Connection;
use super::session_handler::SessionHandler;
use super::{Control, Controls, Error};
use traceur_core::geometry::{Point, Polyline};
use traceur_core::machine::Profile;
use traceur_protocol::{Event, Program, Session};
use traceur_sim::{Faults, MotionTrace};

/// How far a point is from a line; mm.
pub(crate) fn off(point: Point, line: &Polyline) -> f64 {
    let near = |pair: &[Point]| {
        let (along, rest) = (pair[1] - pair[0], point - pair[0]);
        let part =
            if along.hypot2() == 0.0 { 0.0 } else { (rest.dot(along) / along.hypot2()).clamp(0.0, 1.0) };
        point.distance(pair[0] + along * part)
    };
    line.points().windows(2).map(near).fold(f64::INFINITY, f64::min)
}

/// How a program ended.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Outcome {
    pub(crate) finished: bool,
    /// The last statement that is known to have been drawn with all before it.
    pub(crate) drawn: Option<usize>,
    /// What the pen of a virtual plotter did.
    pub(crate) trace: Option<MotionTrace>,
}

/// Streams `program` over a connection, and does what `controls` ask for meanwhile. `on_event` is called with each event.
pub(crate) async fn stream(
    mut connection: Connection,
    program: Program,
    profile: &Profile,
    controls: &mut Controls,
    on_event: impl FnMut(&Event),
) -> Result<Outcome, Error> {
    let mut session = traceur_protocol::session(program, profile);
    let mut alone = Alone { finished: false, drawn: None, on_event };
    connection.drive(session.as_mut(), controls, &mut alone).await?;
    Ok(Outcome { finished: alone.finished, drawn: alone.drawn, trace: connection.trace().cloned() })
}

/// The same on a virtual plotter that makes no mistakes, as fast as it can.
pub(crate) async fn simulate(
    program: Program,
    profile: &Profile,
    controls: &mut Controls,
    on_event: impl FnMut(&Event),
) -> Result<Outcome, Error> {
    stream(Connection::simulated(profile, &Faults::default(), None), program, profile, controls, on_event)
        .await
}

struct Alone<F> {
    finished: bool,
    drawn: Option<usize>,
    on_event: F,
}

impl<F: FnMut(&Event)> SessionHandler for Alone<F> {
    fn wish(&mut self, control: Control, session: &mut dyn Session, now: Duration) {
        match control {
            Control::Pause => session.pause(now),
            Control::Resume => session.resume(now),
            Control::Stop => session.stop(now),
            Control::Abort => session.abort(now),
            _ => {}
        }
    }

    fn hear(&mut self, _: Duration, event: &Event) {
        match event {
            Event::Completed { upto } => self.drawn = Some(*upto),
            Event::Finished => self.finished = true,
            _ => {}
        }
        (self.on_event)(event);
    }
}
