//! Who is on this side of a session.

use std::time::Duration;

use super::Control;
use traceur_protocol::{Event, Session};

/// Who listens to a session, and deals with wishes.
pub(super) trait SessionHandler {
    /// Does what is wished for.
    fn wish(&mut self, control: Control, session: &mut dyn Session, now: Duration);
    /// Hears an event; time is since the session's start.
    fn hear(&mut self, now: Duration, event: &Event);
}
