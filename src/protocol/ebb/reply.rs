//! What the board says, line by line.

use crate::lines::Lines;

/// One line, of any kind of line end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reply {
    /// `OK`.
    Ok,
    /// `!6 Err: …`, with or without the command's name before it.
    Error { code: u32, text: String },
    /// A value, or in the future syntax a command's name with or without one.
    Line(String),
}

/// Turns bytes into replies. Which of CR and LF ends a line, and in which order, differs from command to command.
#[derive(Debug, Clone, Default)]
pub(crate) struct Replies {
    /// All that is longer is noise.
    lines: Lines<256>,
}

impl Replies {
    /// Takes a byte; gives the reply that it ends.
    pub(super) fn push(&mut self, byte: u8) -> Option<Reply> {
        self.lines.push(byte).map(|line| read(line.text))
    }
}

fn read(line: String) -> Reply {
    if line == "OK" {
        return Reply::Ok;
    }
    if let Some(at) = line.find('!').filter(|at| *at <= 3) {
        let digits: String = line[at + 1..].chars().take_while(char::is_ascii_digit).collect();
        if let Ok(code) = digits.parse() {
            return Reply::Error { code, text: line[at..].to_owned() };
        }
    }
    Reply::Line(line)
}

/// Whether nothing moves and nothing waits, by the two hexadecimal digits of `QG`.
pub(super) fn rests(bits: &str) -> Option<bool> {
    (bits.len() == 2).then(|| u8::from_str_radix(bits, 16).ok())?.map(|bits| bits & 0x0F == 0)
}

/// What an error's number means, and what to do.
#[must_use]
pub fn error_meaning(code: u32) -> &'static str {
    match code {
        0 => "no motor can make this move: the step rate is too high or too low",
        1 => "no motor can make this step rate",
        2 => "the board's answers were not taken from it in time",
        3 => "more than 255 characters: bytes were changed on the wire",
        4 => "a number is missing: bytes were lost on the wire",
        5 => "a comma is missing: bytes were changed on the wire",
        6 => "a number is out of its range: bytes were changed on the wire, or the profile is wrong",
        7 => "too many numbers: bytes were changed on the wire, or the firmware is too old for the command",
        8 => {
            "the board does not know the command: bytes were changed on the wire, or its firmware is too old"
        }
        9 | 10 => "the command's checksum is wrong or missing: switch it off with `CU,54,0`",
        _ => "see docs/ebb.html of evil-mad/EggBot",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replies(bytes: &[u8]) -> Vec<Reply> {
        let mut replies = Replies::default();
        bytes.iter().filter_map(|byte| replies.push(*byte)).collect()
    }

    #[test]
    fn all_line_ends_are_read() {
        let line = |text: &str| Reply::Line(text.into());
        assert_eq!(
            replies(b"OK\r\nQM,0,0,0,0\n\r1\n\rOK\r\n"),
            [Reply::Ok, line("QM,0,0,0,0"), line("1"), Reply::Ok]
        );
        assert_eq!(replies(b"SM\nQC,1,2\n\n"), [line("SM"), line("QC,1,2")]);
    }

    #[test]
    fn errors_are_read_in_both_syntaxes() {
        for text in ["!6 Err: Invalid parameter value\r\n", "SM,!6 Err: Invalid parameter value\n"] {
            let text_of = "!6 Err: Invalid parameter value".to_owned();
            assert_eq!(replies(text.as_bytes()), [Reply::Error { code: 6, text: text_of }]);
        }
        assert_eq!(replies(b"what!\r"), [Reply::Line("what!".into())]);
    }
}
