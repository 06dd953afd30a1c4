//! What the plotter's numbers mean, with what to do.

/// An answer to `OE;`.
#[must_use]
pub fn error_meaning(code: u32) -> &'static str {
    match code {
        0 => "no error",
        1 => "it does not know an instruction: is the profile that of this model?",
        2 => "an instruction had too few or too many parameters: bytes were lost on the wire",
        3 => {
            "a parameter was out of range: bytes were changed on the wire, or the profile is another model's"
        }
        5 => "it does not have that character set",
        6 => "a position was beyond what its numbers hold",
        7 => {
            "its buffer overflowed: the handshake does not work, check the cable and the profile's `handshake`"
        }
        8 => "it was told to draw with the paper lever up: load the paper and lower it",
        _ => "an error that only its manual explains",
    }
}

/// An answer to `ESC.E`.
#[must_use]
pub fn extended_error_meaning(code: u32) -> &'static str {
    match code {
        0 => "no error",
        10 => "it was asked while it was still answering",
        11 => "it does not know a device control instruction: is the profile that of this model?",
        12 => "a device control instruction was malformed: bytes were lost on the wire",
        13 => "a device control parameter was out of range",
        14 => "a device control instruction had too many parameters",
        15 => {
            "framing, parity or overrun: set its baud rate, 8 bits and no parity as in the profile, and check the cable"
        }
        16 => {
            "its buffer overflowed: the handshake does not work, check the cable and the profile's `handshake`"
        }
        17 => "the baud rate does not fit",
        _ => "an error that only its manual explains",
    }
}
