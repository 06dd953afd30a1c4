//! What jobs, machines that are moved by hand, and virtual plotters wait on.

use super::Error;

/// A runtime with a clock, sockets and signals, on the thread that blocks on it. The threads of a serial port end with their
/// port: end the runtime with `shutdown_timeout`, which does not wait for them.
///
/// # Errors
/// When the system gives no more descriptors.
pub fn runtime() -> Result<tokio::runtime::Runtime, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Error::Runtime { reason: error.to_string() })
}
