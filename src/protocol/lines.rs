//! Bytes cut into lines, whatever ends them and wherever they are split.

/// Collects bytes to lines of at most `LONGEST` bytes; what is beyond is lost, and said so.
#[derive(Debug, Clone, Default)]
pub(super) struct Lines<const LONGEST: usize> {
    bytes: Vec<u8>,
    is_cut: bool,
}

/// One line, without its end and without white space around it; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) text: String,
    /// Whether it was longer: noise on the wire, or another baud rate.
    pub(super) is_cut: bool,
}

impl<const LONGEST: usize> Lines<LONGEST> {
    /// Takes a byte; gives the line that it ends.
    pub(super) fn push(&mut self, byte: u8) -> Option<Line> {
        if matches!(byte, b'\r' | b'\n') {
            return self.end();
        }
        if self.bytes.len() < LONGEST {
            self.bytes.push(byte);
        } else {
            self.is_cut = true;
        }
        None
    }

    fn end(&mut self) -> Option<Line> {
        let Self { bytes, is_cut } = std::mem::take(self);
        let text = String::from_utf8_lossy(&bytes).trim().to_owned();
        (!text.is_empty()).then_some(Line { text, is_cut })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_without_end_is_bounded() {
        let mut lines = Lines::<16>::default();
        assert!((0..100_000).all(|_| lines.push(b'x').is_none()));
        assert_eq!(lines.bytes.len(), 16);
        assert_eq!(lines.push(b'\n'), Some(Line { text: "x".repeat(16), is_cut: true }));
        let next: Vec<Line> = b" \r\nok \r".iter().filter_map(|byte| lines.push(*byte)).collect();
        assert_eq!(next, [Line { text: "ok".into(), is_cut: false }]);
    }
}
