//! Who is there: what each dialect's firmware answers to a question that moves nothing.

use std::time::Duration;

use traceur_core::machine::Dialect;

/// What to ask, at which speed, and how long a board may take; in order.
pub const QUESTIONS: [Question; 3] = [
    // An EBB answers at any speed. To GRBL these are two unknown commands, to HP-GL two unknown instructions.
    Question { baud: 115_200, bytes: b"V\r$I\n", patience: Duration::from_millis(2500) },
    // Asked again for boards that start anew when their port is opened.
    Question { baud: 115_200, bytes: b"\r$I\n", patience: Duration::from_millis(1000) },
    // HP-GL's own question; what came before may have left half an instruction.
    Question { baud: 9600, bytes: b";OI;", patience: Duration::from_millis(1500) },
];

/// One question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question {
    /// Serial speed; bits a second.
    pub baud: u32,
    /// What is sent.
    pub bytes: &'static [u8],
    /// How long to wait for the answer.
    pub patience: Duration,
}

/// Who answered.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Identity {
    /// What it speaks.
    pub dialect: Dialect,
    /// What it calls itself.
    pub name: String,
}

/// Recognises a firmware by what it has said so far; `None` if nothing in it is known.
///
/// ```
/// # use {traceur_core::machine::Dialect, traceur_protocol::identify};
/// let found = identify(b"EBBv13_and_above EB Firmware Version 2.8.1\r\n").unwrap();
/// assert_eq!((found.dialect, found.name.as_str()), (Dialect::Ebb, "EBBv13_and_above EB Firmware Version 2.8.1"));
/// assert!(identify(b"login: ").is_none());
/// ```
#[must_use]
pub fn identify(said: &[u8]) -> Option<Identity> {
    let text = String::from_utf8_lossy(said);
    let found = |dialect, name: &str| Some(Identity { dialect, name: name.to_owned() });
    text.split(['\r', '\n']).map(str::trim).find_map(|line| {
        if line.contains("EBB") && line.contains("Firmware Version") {
            found(Dialect::Ebb, line.trim_start_matches("V,"))
        } else if line.starts_with("Grbl") || line.starts_with("[VER:") {
            // `Grbl 1.1h ['$' for help]`, `[VER:1.1h.20190830:]`; grblHAL and FluidNC begin alike.
            found(Dialect::Grbl, line)
        } else if is_model(line) {
            found(Dialect::Hpgl, line)
        } else {
            None
        }
    })
}

/// Whether a line is all that HP-GL's `OI` answers: `7475A`, `7550A`, `DXY-1150A`, `DPX-3300`.
fn is_model(line: &str) -> bool {
    let hp = line.len() == 5 && line.starts_with('7') && line.ends_with(['A', 'B']);
    let digits = line.get(1..4).is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
    hp && digits || ["DXY", "DPX"].iter().any(|maker| line.starts_with(maker) && line.len() < 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(said: &str, expected: Option<Dialect>) {
        assert_eq!(identify(said.as_bytes()).map(|found| found.dialect), expected, "{said}");
    }

    #[test]
    fn each_firmware_is_known_by_its_answer_among_its_complaints() {
        check("error:2\r\n[VER:1.1h.20190830:]\r\n[OPT:V,15,128]\r\nok\r\n", Some(Dialect::Grbl));
        check("\r\nGrbl 1.1h ['$' for help]\r\n", Some(Dialect::Grbl));
        check(
            "!8 Err: Unknown command '$I'\r\nEBBv13_and_above EB Firmware Version 3.0.3\n",
            Some(Dialect::Ebb),
        );
        check("V,EBBv13_and_above EB Firmware Version 3.0.3\n", Some(Dialect::Ebb));
        check("7475A\r", Some(Dialect::Hpgl));
        check("DXY-1150A\r", Some(Dialect::Hpgl));
        for noise in ["", "ok", "74", "7475A and more", "\u{fffd}7x5A", "7äA"] {
            check(noise, None);
        }
    }
}
