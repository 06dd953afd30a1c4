//! One command's letters and numbers, read as the firmware reads them.

/// What went wrong; the firmware's error numbers, printed later. One bit each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Errors(pub(super) u8);

impl Errors {
    pub(super) const OVERRUN: u8 = 1 << 3;
    pub(super) const MISSING: u8 = 1 << 4;
    /// Printed already.
    pub(super) const PRINTED: u8 = 1 << 5;
    pub(super) const LIMIT: u8 = 1 << 6;
    pub(super) const EXTRA: u8 = 1 << 7;

    /// The first one counts.
    pub(super) fn set(&mut self, bit: u8) {
        if !self.any() {
            self.0 = bit;
        }
    }

    pub(super) fn any(self) -> bool {
        self.0 != 0
    }

    /// Their lines, lowest number first, without line ends.
    pub(super) fn lines(self) -> impl Iterator<Item = &'static str> {
        [
            (Self::OVERRUN, "!3 Err: RX Buffer overrun"),
            (Self::MISSING, "!4 Err: Missing parameter(s)"),
            (Self::LIMIT, "!6 Err: Invalid parameter value"),
            (Self::EXTRA, "!7 Err: Extra parameter"),
        ]
        .into_iter()
        .filter(move |(bit, _)| self.0 & bit != 0)
        .map(|(_, line)| line)
    }
}

/// A command's line, without its end.
#[derive(Debug)]
pub(super) struct Line<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// A type of number, by its least and greatest value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kind(i64, i64);

pub(super) const U8: Kind = Kind(0, 255);
pub(super) const U16: Kind = Kind(0, 65_535);
pub(super) const I16: Kind = Kind(-32_768, 32_767);
pub(super) const U32: Kind = Kind(0, 4_294_967_295);
pub(super) const I32: Kind = Kind(-2_147_483_648, 2_147_483_647);

/// Why there is no number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Absent {
    /// The line ends here.
    Missing,
    /// Something else stands where its comma should.
    NoComma(u8),
    /// It is out of its range.
    Limit,
}

impl<'a> Line<'a> {
    /// A line and its command: one letter, or two.
    pub(super) fn new(bytes: &'a [u8]) -> (Self, String) {
        let length = match bytes {
            [_, b',', ..] | [_] => 1,
            _ => bytes.len().min(2),
        };
        let name = bytes[..length].iter().map(|byte| char::from(byte.to_ascii_uppercase())).collect();
        (Self { bytes, at: length }, name)
    }

    /// Whether all of it has been read.
    pub(super) fn is_read(&self) -> bool {
        self.at >= self.bytes.len()
    }

    /// The next number.
    pub(super) fn number(&mut self, kind: Kind) -> Result<i64, Absent> {
        match self.bytes.get(self.at) {
            None => return Err(Absent::Missing),
            Some(b',') => self.at += 1,
            Some(other) => return Err(Absent::NoComma(*other)),
        }
        if self.is_read() {
            return Err(Absent::Missing);
        }
        let negative = self.bytes[self.at] == b'-';
        if negative {
            self.at += 1;
            if kind.0 >= 0 {
                return Err(Absent::Limit);
            }
        }
        let (mut value, mut digits) = (0_u32, 0);
        while let Some(digit) = self.bytes.get(self.at).filter(|byte| byte.is_ascii_digit())
            && digits < 10
        {
            value = value.wrapping_mul(10).wrapping_add(u32::from(digit - b'0'));
            digits += 1;
            self.at += 1;
        }
        let value = if negative { -i64::from(value) } else { i64::from(value) };
        if (kind.0..=kind.1).contains(&value) { Ok(value) } else { Err(Absent::Limit) }
    }

    /// All that follows the next comma, up to one more.
    pub(super) fn text(&mut self, most: usize) -> String {
        if self.bytes.get(self.at) != Some(&b',') {
            return String::new();
        }
        self.at += 1;
        let rest = &self.bytes[self.at..];
        let length = rest.iter().position(|byte| *byte == b',').unwrap_or(rest.len()).min(most);
        self.at += length;
        String::from_utf8_lossy(&rest[..length]).into_owned()
    }

    /// Reads over all the rest.
    pub(super) fn skip(&mut self) {
        self.at = self.bytes.len();
    }
}
