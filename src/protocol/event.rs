//! What a session tells, whatever the dialect.

use std::fmt;

use super::Origin;
use traceur_core::machine::Version;

/// What a session tells. Only `Completed` means drawn.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The firmware is there; its banner, if it gave one.
    Connected {
        /// Such as `Grbl 1.1h ['$' for help]`, or empty.
        banner: String,
    },
    /// The firmware took this statement in; it may not have been drawn yet.
    Accepted {
        /// Index in the program.
        statement: usize,
    },
    /// This statement and all before it have been drawn.
    Completed {
        /// Index in the program, inclusive.
        upto: usize,
    },
    /// Something unasked: a message, a setting, a start-up line.
    Push(String),
    /// An answer to the polling.
    Status(Status),
    /// Noise on the wire.
    Garbled(String),
    /// A statement was refused. The session brings the machine to rest and lifts the pen; [`Event::Stopped`] follows.
    Error {
        /// The firmware's number.
        code: u32,
        /// What it said.
        reply: String,
        /// What that means.
        meaning: String,
        /// The refused statement's index in the program.
        statement: usize,
        /// The refused line.
        line: String,
        /// Where in the drawing it comes from.
        origin: Option<Origin>,
    },
    /// The machine stopped itself, and is locked. It ends the session, unless this was being stopped anyway: then the machine
    /// is unlocked, its pen lifted, and [`Event::Stopped`] follows.
    Alarm {
        /// The firmware's number.
        code: u32,
        /// What it said.
        reply: String,
        /// What that means.
        meaning: String,
        /// The oldest unanswered statement's index in the program.
        statement: Option<usize>,
        /// Where in the drawing it comes from.
        origin: Option<Origin>,
    },
    /// Something else makes going on unsafe. Nothing more is sent.
    Fault(Fault),
    /// Stopped on request or after an error: the machine stands still and knows its position.
    Stopped,
    /// All statements have been drawn and the machine is idle.
    Finished,
}

/// Why a session gave up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// No banner and no answer to a probe.
    #[error("the plotter does not answer: check its power, the port and the baud rate")]
    NoAnswer,
    /// The board restarted by itself.
    #[error("the plotter restarted in the middle: its position is lost, home it and start again")]
    Restarted,
    /// Idle with lines unanswered, and `~` did not help: bytes were lost.
    #[error("the plotter is idle but owes answers: bytes were lost on the wire")]
    Stalled,
    /// It answers nothing any more.
    #[error("the plotter fell silent: check its cable")]
    Silent,
    /// Nothing comes back over the cable (HP-GL).
    #[error(
        "the plotter does not answer: check that it is on, that its rear switches are at the profile's baud rate, 8 bits and no parity, and that its cable also leads back (pins 2 and 3 crossed; pin 20 of the plotter to CTS for the hardwire handshake)"
    )]
    Deaf,
    /// Its pen is elsewhere than where it was sent (HP-GL).
    #[error(
        "the pen is not where it was sent: bytes were lost or changed on the wire, or the plotter is set to another sheet than the page's, or reaches less than its profile says"
    )]
    Strayed,
    /// It can't look for its switches (GRBL).
    #[error(
        "the plotter refuses to home: set `$22=1` if it has limit switches, or `homing = false` in its profile"
    )]
    NoHoming,
    /// It is locked after an alarm (GRBL).
    #[error("the plotter is locked by an alarm: home it with `$H` or unlock it with `$X`")]
    Locked,
    /// Its firmware is too old for what is sent to it.
    #[error("the board's firmware is {version}, and {least} is needed: update it, or use another driver")]
    OldFirmware {
        /// What it has.
        version: Version,
        /// What its profile asks for.
        least: Version,
    },
    /// The board is on, but its motors are not: they have lost their place.
    #[error(
        "the motors have no power: plug in the plotter's own supply (USB is not enough), move the pen to its home corner, and start again"
    )]
    NoMotorPower,
}

/// What the machine is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Nothing. A dwell (G4) is reported as this too.
    Idle,
    /// Moving.
    Run,
    /// Held by `!` or M0; `complete` once it stands still (`Hold:0`).
    Hold {
        /// Whether it stands still.
        complete: bool,
    },
    /// Moving by `$J`.
    Jog,
    /// Locked.
    Alarm,
    /// The safety door is open.
    Door,
    /// Checking G-code without moving (`$C`).
    Check,
    /// Looking for its switches.
    Home,
    /// Asleep (`$SLP`).
    Sleep,
    /// Waiting for a tool to be changed (grblHAL).
    Tool,
}

impl fmt::Display for State {
    /// GRBL's own word.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Idle => "Idle",
            Self::Run => "Run",
            Self::Hold { .. } => "Hold",
            Self::Jog => "Jog",
            Self::Alarm => "Alarm",
            Self::Door => "Door",
            Self::Check => "Check",
            Self::Home => "Home",
            Self::Sleep => "Sleep",
            Self::Tool => "Tool",
        })
    }
}

/// Where the machine is and what it does, as it says itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Status {
    /// What the machine is doing.
    pub state: State,
    /// `MPos`: machine position x, y, z; mm.
    pub machine: Option<[f64; 3]>,
    /// `WPos`: work position x, y, z; mm.
    pub work: Option<[f64; 3]>,
    /// `WCO`: machine position less work position; mm. GRBL says it now and then.
    pub offset: Option<[f64; 3]>,
    /// `Bf`: free planner blocks and free receive bytes.
    pub free: Option<(usize, usize)>,
}
