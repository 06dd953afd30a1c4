//! Where a plotter stands before a job goes on: it says so itself, or nobody knows.

use super::inquire::inquire;
use super::{Connection, Error, Work};
use traceur_core::machine::Firmware;
use traceur_core::toolpath::Pass;
use traceur_protocol::encode;
use traceur_protocol::inquiry::{self, Memory, Position};

/// Waits until the plotter rests, lifts its pen, and asks where it is: see [`inquiry::position`]. A virtual plotter in this
/// process knows.
///
/// # Errors
/// When it does not answer, or the connection ends.
pub async fn stand(work: &Work<'_>, connection: &mut Connection, memory: Memory) -> Result<Position, Error> {
    let Some(link) = connection.link() else { return Ok(Position::Known) };
    let position = inquire(link, inquiry::position(work.profile, lift(work), memory)).await?;
    match &work.profile.firmware {
        Firmware::Grbl(grbl) => connection.attach(grbl.homing),
        Firmware::Ebb(_) => connection.attach(false),
        // Its session sets the handshake up, and asks for the name.
        Firmware::Hpgl(_) => {}
    }
    Ok(position)
}

/// Lifts the pen of a plotter whose session gave up, as far as it still obeys.
pub(super) async fn rescue(work: &Work<'_>, connection: &mut Connection) {
    let Some(link) = connection.link() else { return };
    // OK to ignore: the connection may be what failed.
    let _ = inquire(link, inquiry::rescue(work.profile, lift(work))).await;
}

/// What lifts the machine's pen.
fn lift(work: &Work<'_>) -> Vec<String> {
    let Some(pass) = work.toolpath.passes.first() else { return Vec::new() };
    encode(0, &Pass { pen: pass.pen.clone(), strokes: Vec::new() }, work.profile, work.placement).lift
}
