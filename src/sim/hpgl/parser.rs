//! HP-GL from bytes: two letters, parameters, a terminator or the next letters.

use std::collections::VecDeque;

/// Two capital letters.
pub(super) type Mnemonic = [u8; 2];

/// One thing for the plotter to do.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Step {
    /// A PU, PD, PA or PR has begun, before its first parameter.
    Begin(Mnemonic),
    /// The next pair of coordinates of a PU, PD, PA or PR.
    Pair(Mnemonic, [f64; 2]),
    /// A PU, PD, PA or PR ends; so many parameters were left without a partner.
    End(Mnemonic, usize),
    /// Any other instruction with all its parameters.
    Do(Mnemonic, Vec<f64>),
    /// DT or SM with its character; `None`: without.
    Character(Mnemonic, Option<u8>),
    /// The next character of a label.
    Letter(u8),
    /// A label ends.
    LabelEnd,
    /// A byte that begins no instruction, or no number.
    Stray(u8),
}

/// Parameters that are kept; those beyond are counted as too many all the same.
const KEPT: usize = 64;
/// No number is longer.
const DIGITS: usize = 24;

#[derive(Debug, Clone, Default)]
enum State {
    #[default]
    Between,
    First(u8),
    Params(Mnemonic),
    Character(Mnemonic),
    Label,
    /// Everything up to the terminator is part of a mistake.
    Skip,
}

/// Turns bytes into [`Step`]s.
#[derive(Debug, Clone)]
pub(super) struct Parser {
    state: State,
    params: Vec<f64>,
    number: Vec<u8>,
    /// What ends a label.
    pub(super) terminator: u8,
}

impl Default for Parser {
    fn default() -> Self {
        Self { state: State::Between, params: Vec::new(), number: Vec::new(), terminator: 3 }
    }
}

impl Parser {
    /// Forgets the instruction at hand.
    pub(super) fn reset(&mut self) {
        *self = Self { terminator: self.terminator, ..Self::default() };
    }

    /// Takes one byte.
    pub(super) fn push(&mut self, byte: u8, steps: &mut VecDeque<Step>) {
        match self.state {
            State::Between => self.between(byte, steps),
            State::First(first) => {
                if byte.is_ascii_alphabetic() {
                    self.begin([first, byte.to_ascii_uppercase()], steps);
                } else if !byte.is_ascii_whitespace() {
                    steps.push_back(Step::Do([first, b'?'], Vec::new()));
                    self.state = if byte == b';' { State::Between } else { State::Skip };
                }
            }
            State::Params(name) => self.param(name, byte, steps),
            State::Character(name) => {
                let character = (byte != b';').then_some(byte);
                steps.push_back(Step::Character(name, character));
                self.state = State::Between;
            }
            State::Label => {
                if byte == self.terminator {
                    steps.push_back(Step::LabelEnd);
                    self.state = State::Between;
                } else {
                    steps.push_back(Step::Letter(byte));
                }
            }
            State::Skip if byte == b';' => self.state = State::Between,
            State::Skip if byte.is_ascii_alphabetic() => self.between(byte, steps),
            State::Skip => {}
        }
    }

    fn between(&mut self, byte: u8, steps: &mut VecDeque<Step>) {
        if byte.is_ascii_alphabetic() {
            self.state = State::First(byte.to_ascii_uppercase());
        } else if byte > b' ' && byte != b';' && byte != b',' && byte != 0x7f {
            steps.push_back(Step::Stray(byte));
            self.state = State::Skip;
        } else {
            self.state = State::Between;
        }
    }

    fn begin(&mut self, name: Mnemonic, steps: &mut VecDeque<Step>) {
        self.params.clear();
        self.number.clear();
        self.state = match &name {
            b"LB" => State::Label,
            b"DT" | b"SM" => State::Character(name),
            _ => {
                if plots(name) {
                    steps.push_back(Step::Begin(name));
                }
                State::Params(name)
            }
        };
    }

    fn param(&mut self, name: Mnemonic, byte: u8, steps: &mut VecDeque<Step>) {
        match byte {
            b'0'..=b'9' | b'.' => {
                if self.number.len() < DIGITS {
                    self.number.push(byte);
                }
            }
            b'-' | b'+' => {
                // A sign parts two numbers as a comma does.
                self.end_number(name, steps);
                self.number.push(byte);
            }
            b';' => {
                self.end(name, steps);
                self.state = State::Between;
            }
            _ if byte.is_ascii_alphabetic() => {
                self.end(name, steps);
                self.between(byte, steps);
            }
            _ if byte <= b' ' || byte == b',' => self.end_number(name, steps),
            _ => {
                self.end(name, steps);
                steps.push_back(Step::Stray(byte));
                self.state = State::Skip;
            }
        }
    }

    fn end_number(&mut self, name: Mnemonic, steps: &mut VecDeque<Step>) {
        if self.number.is_empty() {
            return;
        }
        let text = String::from_utf8_lossy(&self.number).into_owned();
        self.number.clear();
        // A lone sign or point is no number; the plotter takes it for nothing.
        let Ok(value) = text.parse::<f64>() else { return };
        if self.params.len() < KEPT {
            self.params.push(value);
        }
        if plots(name) && self.params.len() == 2 {
            steps.push_back(Step::Pair(name, [self.params[0], self.params[1]]));
            self.params.clear();
        }
    }

    fn end(&mut self, name: Mnemonic, steps: &mut VecDeque<Step>) {
        self.end_number(name, steps);
        let params = std::mem::take(&mut self.params);
        steps.push_back(if plots(name) { Step::End(name, params.len()) } else { Step::Do(name, params) });
    }
}

/// Whether the instruction's coordinates are plotted pair by pair as they come.
fn plots(name: Mnemonic) -> bool {
    matches!(&name, b"PU" | b"PD" | b"PA" | b"PR")
}
