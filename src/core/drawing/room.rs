//! A thread with a large stack, in which what a file says can neither overflow the stack nor end the program.

use super::Error;

/// Stack of the thread; bytes. The SVG parsers recurse.
const STACK: usize = 256 << 20;

/// An error about the file as a whole.
pub(super) fn error(file: &str, message: impl Into<String>) -> Error {
    Error::Svg { file: file.into(), message: message.into() }
}

/// Runs `work` with a stack that fits the recursion of the SVG parsers; a panic in there becomes an error.
pub(super) fn with_room<T: Send>(
    file: &str,
    work: impl FnOnce() -> Result<T, Error> + Send,
) -> Result<T, Error> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work);
        let thread = thread.map_err(|reason| error(file, format!("no thread to read it in: {reason}")))?;
        thread
            .join()
            .unwrap_or_else(|_| Err(error(file, "the SVG reader failed on it: please report the file")))
    })
}
