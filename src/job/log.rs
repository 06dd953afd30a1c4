//! What `-v` says of a job.

use tracing::info;

use super::{News, Operator};
use traceur_protocol::Event;

/// Tells the operator, and the log.
pub(super) fn tell(operator: &mut impl Operator, news: &News<'_>) {
    log(news);
    operator.hear(news);
}

/// Statements and polled answers are too many for a log: the bytes tell them.
fn log(news: &News<'_>) {
    match news {
        News::Pass { from } => info!(stroke = from.stroke + 1, "the pass begins"),
        News::Session { event, .. } => log_event(event),
        News::Drawn(_) => {}
        News::Paused => info!("paused"),
        News::Resumed => info!("goes on"),
        News::Skipped(place) => info!(stroke = place.stroke + 1, "skipped"),
        News::PassDone { .. } => info!("the pass is done"),
        News::Speed(percent) => info!(percent, "speed"),
        News::Height(nudges) => info!(nudges, "height of the pen"),
        News::Unable(control) => info!(?control, "the machine can't"),
    }
}

fn log_event(event: &Event) {
    match event {
        Event::Connected { banner } => info!("the plotter answers: {}", banner.escape_debug()),
        Event::Push(text) => info!("the plotter says: {}", text.escape_debug()),
        Event::Garbled(text) => info!("noise on the wire: {}", text.escape_debug()),
        Event::Error { reply, line, .. } => {
            info!("the plotter refuses `{}`: {}", line.escape_debug(), reply.escape_debug());
        }
        Event::Alarm { reply, .. } => info!("alarm: {}", reply.escape_debug()),
        Event::Fault(fault) => info!("{fault}"),
        Event::Stopped => info!("stopped"),
        Event::Accepted { .. } | Event::Completed { .. } | Event::Status(_) | Event::Finished => {}
    }
}
