//! Device control: `ESC . letter`, heard at once and never buffered.

use std::time::Duration;

/// One device control instruction, with its parameters; an empty one is `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Control {
    pub(super) letter: u8,
    pub(super) params: Vec<Option<u32>>,
}

impl Control {
    /// The parameter at `index`, if it was given.
    pub(super) fn param(&self, index: usize) -> Option<u32> {
        self.params.get(index).copied().flatten()
    }

    /// The characters from `index` on, as far as ten of them are allowed.
    pub(super) fn characters(&self, index: usize) -> Vec<u8> {
        let given = self.params.iter().skip(index).flatten();
        given.filter_map(|code| u8::try_from(*code).ok()).filter(|code| *code != 0).collect()
    }
}

/// What became of a byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Heard {
    /// It belongs to a device control instruction that has not ended yet.
    Part,
    /// It ends this one.
    Control(Control),
    /// It breaks one: the extended error's number. The byte is lost.
    Broken(u8),
    /// It is for the buffer.
    Data,
}

/// Most parameters of any instruction: `ESC.I` with its block, its enquiry and ten characters.
const PARAMS: usize = 12;

#[derive(Debug, Clone, Default)]
enum State {
    #[default]
    Out,
    Escape,
    Dot,
    Params {
        letter: u8,
        params: Vec<Option<u32>>,
        number: Option<u32>,
    },
}

/// Picks device control instructions out of the bytes.
#[derive(Debug, Clone, Default)]
pub(super) struct EscapeParser {
    state: State,
}

impl EscapeParser {
    pub(super) fn hear(&mut self, byte: u8) -> Heard {
        match std::mem::take(&mut self.state) {
            State::Out if byte == 0x1b => self.go(State::Escape),
            State::Out => Heard::Data,
            State::Escape if byte == b'.' => self.go(State::Dot),
            // An escape without its point is nothing to this plotter, and so is the byte after it.
            State::Escape => Heard::Part,
            State::Dot => match byte {
                b'(' | b')' | b'Y' | b'Z' | b'B' | b'E' | b'J' | b'K' | b'L' | b'O' | b'R' | b'A' => {
                    Heard::Control(Control { letter: byte, params: Vec::new() })
                }
                b'@' | b'H' | b'I' | b'M' | b'N' => {
                    self.go(State::Params { letter: byte, params: Vec::new(), number: None })
                }
                _ => Heard::Broken(11),
            },
            State::Params { letter, mut params, number } => match byte {
                b'0'..=b'9' => {
                    let digit = u32::from(byte - b'0');
                    let number = Some(number.unwrap_or(0).saturating_mul(10).saturating_add(digit));
                    self.go(State::Params { letter, params, number })
                }
                b';' | b':' => {
                    if number.is_some_and(|number| number > 54_612) {
                        return Heard::Broken(13);
                    }
                    if params.len() == PARAMS {
                        return Heard::Broken(14);
                    }
                    if byte == b';' || number.is_some() {
                        params.push(number);
                    }
                    if byte == b':' {
                        return Heard::Control(Control { letter, params });
                    }
                    self.go(State::Params { letter, params, number: None })
                }
                b' ' => self.go(State::Params { letter, params, number }),
                _ => Heard::Broken(12),
            },
        }
    }

    fn go(&mut self, state: State) -> Heard {
        self.state = state;
        Heard::Part
    }
}

/// How the plotter paces its host.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) enum Pacing {
    /// ENQ is answered by ACK whatever the room: no protection.
    #[default]
    Dummy,
    /// The enquiry character is answered by `ack` as soon as a block has room.
    Enquiry { enq: u8, ack: Vec<u8> },
    /// Xoff when so little is free, Xon when there is room again.
    Xon { xon: Vec<u8> },
}

/// What device control has set.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    /// Bytes of the buffer in use.
    pub(super) size: usize,
    pub(super) block_mode: bool,
    /// Whether DTR falls when the buffer fills.
    pub(super) hardwire: bool,
    /// How long an answer to device control waits.
    pub(super) turnaround: Duration,
    /// From one character of an answer to the next.
    pub(super) spacing: Duration,
    /// Block size, or free bytes at which Xoff is sent.
    pub(super) block: usize,
    pub(super) pacing: Pacing,
    pub(super) xoff: Vec<u8>,
    /// What ends an answer.
    pub(super) terminator: Vec<u8>,
    /// The first extended error since it was last read; 0: none.
    pub(super) error: u8,
}

impl Settings {
    pub(super) fn new(size: usize) -> Self {
        Self {
            size,
            block_mode: false,
            hardwire: true,
            turnaround: Duration::ZERO,
            spacing: Duration::ZERO,
            block: 80,
            pacing: Pacing::Dummy,
            xoff: Vec::new(),
            terminator: b"\r".to_vec(),
            error: 0,
        }
    }

    /// Notes an extended error, unless an earlier one has not been read yet.
    pub(super) fn fail(&mut self, code: u8) {
        if self.error == 0 {
            self.error = code;
        }
    }

    /// Takes in an instruction that sets something.
    pub(super) fn set(&mut self, control: &Control, capacity: usize) {
        match control.letter {
            b'@' => {
                self.size = match control.param(0) {
                    Some(size) => (size as usize).clamp(1, capacity),
                    None => capacity,
                };
                self.hardwire = control.param(1).is_none_or(|bits| bits & 1 != 0);
                self.block_mode = control.param(1).is_some_and(|bits| bits & 16 != 0);
            }
            b'H' | b'I' => {
                self.block = control.param(0).map_or(80, |block| block as usize);
                let characters = control.characters(2);
                self.pacing = match (control.letter, control.param(1).and_then(|c| u8::try_from(c).ok())) {
                    (_, Some(enq)) if enq != 0 => Pacing::Enquiry { enq, ack: characters },
                    (b'I', _) if !characters.is_empty() => Pacing::Xon { xon: characters },
                    _ => Pacing::Dummy,
                };
            }
            b'N' => {
                self.spacing = counted(control.param(0));
                self.xoff = control.characters(1);
            }
            b'M' => {
                self.turnaround = counted(control.param(0));
                let given = |index| control.param(index).and_then(|c| u8::try_from(c).ok());
                let ends: Vec<u8> = [given(3), given(4)].into_iter().flatten().filter(|c| *c != 0).collect();
                self.terminator = if ends.is_empty() { b"\r".to_vec() } else { ends };
            }
            b'R' => {
                let error = self.error;
                *self = Self { error, ..Self::new(self.size) };
            }
            _ => {}
        }
    }

    /// How many bytes must be free before Xon follows Xoff: half the buffer, or just more than where Xoff came.
    pub(super) fn xon_room(&self) -> usize {
        (self.size / 2).max(self.block + 1).min(self.size)
    }
}

/// A delay as the plotter counts it; 0 to 54 612 all give less than a minute.
fn counted(parameter: Option<u32>) -> Duration {
    let ms = f64::from(parameter.unwrap_or(0)) * 1.1875 % 65_536.0 / 1.2;
    Duration::from_secs_f64(ms / 1000.0)
}
