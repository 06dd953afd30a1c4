//! What the plotter says, from bytes that may be split anywhere.

use crate::lines::Lines;

/// One thing that the plotter said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// Its buffer fills (0x13).
    Xoff,
    /// There is room again (0x11).
    Xon,
    /// A block has room (0x06).
    Ack,
    /// A whole number: a state, a room, an error.
    Number(u32),
    /// Where the pen is (plotter units), and whether it is down.
    Position {
        /// Along x.
        x: i64,
        /// Along y.
        y: i64,
        /// Whether the pen is on the paper.
        down: bool,
    },
    /// A name, or whatever else it said.
    Text(String),
    /// Noise on the wire, or another baud rate.
    Garbled(String),
}

/// Turns bytes into replies. Feed it bytes in pieces of any size: the replies are the same.
#[derive(Debug, Clone, Default)]
pub struct Replies {
    /// No answer of a plotter is longer.
    lines: Lines<128>,
}

impl Replies {
    /// Takes one byte; gives the reply that it ends. Flow control may come in the middle of a line.
    pub fn push(&mut self, byte: u8) -> Option<Reply> {
        match byte {
            0x13 => return Some(Reply::Xoff),
            0x11 => return Some(Reply::Xon),
            0x06 => return Some(Reply::Ack),
            _ => {}
        }
        let line = self.lines.push(byte)?;
        Some(if line.is_cut { Reply::Garbled(line.text) } else { parse(&line.text) })
    }

    /// Forgets a line that has not ended.
    pub fn forget(&mut self) {
        *self = Self::default();
    }
}

fn parse(text: &str) -> Reply {
    if !text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') {
        return Reply::Garbled(text.into());
    }
    if text.len() < 8
        && text.bytes().all(|byte| byte.is_ascii_digit())
        && let Ok(number) = text.parse()
    {
        return Reply::Number(number);
    }
    position(text).unwrap_or_else(|| Reply::Text(text.into()))
}

fn position(text: &str) -> Option<Reply> {
    let mut fields = text.split(',').map(str::trim);
    // Some models answer with decimals.
    let whole = |field: &str| {
        let value: f64 = field.parse().ok()?;
        #[expect(clippy::cast_possible_truncation, reason = "within a million")]
        let whole = (value.abs() < 1e6).then(|| value.round() as i64);
        whole
    };
    let (x, y) = (whole(fields.next()?)?, whole(fields.next()?)?);
    let down = match fields.next()? {
        "0" => false,
        "1" => true,
        _ => return None,
    };
    fields.next().is_none().then_some(Reply::Position { x, y, down })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn feed(bytes: &[u8]) -> Vec<Reply> {
        let mut replies = Replies::default();
        bytes.iter().filter_map(|byte| replies.push(*byte)).collect()
    }

    #[test]
    fn every_kind_of_reply_is_told_apart() {
        let at = Reply::Position { x: 1000, y: -25, down: true };
        assert_eq!(
            feed(b"1024\r1000,-25,1\r7475A\r"),
            [Reply::Number(1024), at.clone(), Reply::Text("7475A".into())]
        );
        assert_eq!(feed(b"10\x1300,-2\x115,1\r\n\x06"), [Reply::Xoff, Reply::Xon, at, Reply::Ack]);
        assert_eq!(feed(b"\r\n\r"), []);
    }

    #[test]
    fn noise_is_told_as_such() {
        assert!(matches!(feed(b"\xff\x80\r")[..], [Reply::Garbled(_)]));
        assert!(matches!(feed(&[b"7".repeat(500), b"\r".to_vec()].concat())[..], [Reply::Garbled(_)]));
        assert!(matches!(
            feed(b"1,2,3\r1e99,0,0\r1,2,0,4\r,,\r")[..],
            [Reply::Text(_), Reply::Text(_), Reply::Text(_), Reply::Text(_)]
        ));
    }

    proptest! {
        #[test]
        fn any_bytes_are_replies_or_nothing(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(feed(&bytes).len() <= bytes.len());
        }
    }
}
