//! What GRBL says, from bytes that may be split anywhere.

use crate::lines::Lines;
use crate::{State, Status};

/// One thing that the firmware said.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// A line was taken in.
    Ok,
    /// A line was refused; see [`error_meaning`](super::error_meaning).
    Error(u32),
    /// The machine stopped itself; see [`alarm_meaning`](super::alarm_meaning).
    Alarm(u32),
    /// It has just started: `Grbl 1.1h ['$' for help]`, `GrblHAL 1.1f ['$' or '$HELP' for help]`, `Grbl 3.7 [FluidNC …]`.
    Banner(String),
    /// `<…>`, asked for with `?`.
    Status(Status),
    /// The inside of `[…]`: messages and answers to `$` commands.
    Message(String),
    /// `$N=V`.
    Setting(String),
    /// `>…`: a start-up line that was run.
    StartUp(String),
    /// Nothing that GRBL says: noise on the wire, or another baud rate.
    Garbled(String),
}

/// Turns bytes into replies. Feed it bytes in pieces of any size: the replies are the same.
#[derive(Debug, Clone, Default)]
pub struct Replies {
    /// No line of GRBL 1.1 is longer.
    lines: Lines<256>,
}

impl Replies {
    /// Takes one byte; gives the reply that it ends.
    pub fn push(&mut self, byte: u8) -> Option<Reply> {
        let line = self.lines.push(byte)?;
        Some(if line.is_cut { Reply::Garbled(line.text) } else { parse(&line.text) })
    }

    /// Takes bytes; gives all replies that they end.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<Reply> {
        bytes.iter().filter_map(|byte| self.push(*byte)).collect()
    }
}

fn parse(text: &str) -> Reply {
    let inside = |open: char, close: char| text.strip_prefix(open).and_then(|rest| rest.strip_suffix(close));
    let number = |prefix: &str| text.strip_prefix(prefix).and_then(|rest| rest.parse::<u16>().ok());
    if text.chars().any(|c| c.is_control() || c == char::REPLACEMENT_CHARACTER) {
        return Reply::Garbled(text.into());
    }
    if text == "ok" {
        Reply::Ok
    } else if let Some(code) = number("error:") {
        Reply::Error(code.into())
    } else if let Some(code) = number("ALARM:") {
        Reply::Alarm(code.into())
    } else if text.starts_with("Grbl") {
        Reply::Banner(text.into())
    } else if let Some(status) = inside('<', '>').and_then(status) {
        Reply::Status(status)
    } else if let Some(message) = inside('[', ']') {
        Reply::Message(message.into())
    } else if let Some(setting) = text.strip_prefix('$').filter(|rest| rest.contains('=')) {
        Reply::Setting(format!("${setting}"))
    } else if let Some(line) = text.strip_prefix('>') {
        Reply::StartUp(line.into())
    } else {
        Reply::Garbled(text.into())
    }
}

fn status(text: &str) -> Option<Status> {
    let mut fields = text.split('|');
    let state = match fields.next()? {
        "Idle" => State::Idle,
        // grblHAL puts a number behind these: `Run:1`, `Alarm:11`.
        run if run == "Run" || run.starts_with("Run:") => State::Run,
        "Hold:0" => State::Hold { complete: true },
        hold if hold.starts_with("Hold") => State::Hold { complete: false },
        "Jog" => State::Jog,
        alarm if alarm == "Alarm" || alarm.starts_with("Alarm:") => State::Alarm,
        "Check" => State::Check,
        "Home" => State::Home,
        "Sleep" => State::Sleep,
        "Tool" => State::Tool,
        door if door.starts_with("Door") => State::Door,
        _ => return None,
    };
    let mut status = Status { state, machine: None, work: None, offset: None, free: None };
    for field in fields {
        let Some((name, value)) = field.split_once(':') else { continue };
        match name {
            "MPos" => status.machine = Some(numbers(value)?),
            "WPos" => status.work = Some(numbers(value)?),
            "WCO" => status.offset = Some(numbers(value)?),
            "Bf" => {
                let (blocks, bytes) = value.split_once(',')?;
                status.free = Some((blocks.parse().ok()?, bytes.parse().ok()?));
            }
            _ => {}
        }
    }
    Some(status)
}

/// The axes of a place, x, y and z; mm.
pub(super) fn numbers(text: &str) -> Option<[f64; 3]> {
    let mut values = text.split(',').map(|value| value.parse::<f64>().ok().filter(|value| value.is_finite()));
    // FluidNC reports as many axes as its machine has: two at least.
    Some([values.next()??, values.next()??, values.next().unwrap_or(Some(0.0))?])
}

/// The tool of `[GC:G0 G54 G17 G21 G90 G94 M5 M9 T0 F0 S0]`.
pub(super) fn tool(reply: &Reply) -> Option<u32> {
    let Reply::Message(text) = reply else { return None };
    let words = text.strip_prefix("GC:")?.split(' ');
    words.filter_map(|word| word.strip_prefix('T')).find_map(|number| number.parse().ok())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: &[Reply]) {
        assert_eq!(Replies::default().feed(text.as_bytes()), expected, "{text}");
    }

    #[test]
    fn every_kind_of_reply_is_told_apart() {
        check("ok\r\nerror:22\r\nALARM:2\r\n", &[Reply::Ok, Reply::Error(22), Reply::Alarm(2)]);
        check("\r\nGrbl 1.1h ['$' for help]\r\n", &[Reply::Banner("Grbl 1.1h ['$' for help]".into())]);
        check(
            "[MSG:Pgm End]\r\n$20=0\r\n",
            &[Reply::Message("MSG:Pgm End".into()), Reply::Setting("$20=0".into())],
        );
        check(">G20:ok\r\n", &[Reply::StartUp("G20:ok".into())]);
        check(
            "<Hold:0|MPos:1.000,-2.500,0.000|Bf:15,128|FS:0,500|WCO:0.000,0.000,0.000>\r\n",
            &[Reply::Status(Status {
                state: State::Hold { complete: true },
                machine: Some([1.0, -2.5, 0.0]),
                work: None,
                offset: Some([0.0; 3]),
                free: Some((15, 128)),
            })],
        );
    }

    #[test]
    fn noise_is_an_event() {
        for text in ["o\n", "okk\n", "error:\n", "error:-1\n", "<Idle|MPos:1>\n", "<Flying>\n", "\u{1}ok\n"] {
            let replies = Replies::default().feed(text.as_bytes());
            assert!(matches!(replies[..], [Reply::Garbled(_)]), "{text}: {replies:?}");
        }
        assert!(matches!(Replies::default().feed(&[0xff, 0x80, b'\n'])[..], [Reply::Garbled(_)]));
        assert!(matches!(
            Replies::default().feed(&[b"ok".repeat(500), b"\n".into()].concat())[..],
            [Reply::Garbled(_)]
        ));
    }

    proptest! {
        #[test]
        fn any_split_gives_the_same_replies(
            pieces in prop::collection::vec(prop_oneof![
                Just(b"ok\r\n".to_vec()), Just(b"error:9\r\n".to_vec()), Just(b"<Idle|MPos:0,0,0>\r\n".to_vec()),
                prop::collection::vec(any::<u8>(), 0..40),
            ], 0..20),
            cut in 1_usize..7,
        ) {
            let bytes = pieces.concat();
            let mut replies = Replies::default();
            let split: Vec<Reply> = bytes.chunks(cut).flat_map(|chunk| replies.feed(chunk)).collect();
            prop_assert_eq!(split, Replies::default().feed(&bytes));
        }
    }
}
