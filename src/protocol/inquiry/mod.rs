//! What is said to a machine outside a program: who is there, how it stands, where it is, and what is ordered by hand.
//!
//! Comes in: a profile, bytes and the time. Goes out: bytes, and one answer. Deliberately absent: ports and clocks, and
//! programs, which are streamed by sessions. No order is answered before the machine rests.
//!
//! An [`Inquiry`] is a machine of the same kind as a [`Session`](crate::Session). Its steps stand in each dialect's
//! `inquiry` file as `async fn`, so that the compiler makes the states; nothing but the inquiry itself polls them, and they
//! wait for nothing but replies and time.

mod dialogue;
#[cfg(test)]
mod tests;

pub(crate) use dialogue::{Dialogue, Parser, Repeated};

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use dialogue::Wire;

use crate::lines::{Line, Lines};
use crate::{Fault, Height, Identity, Question, ebb, grbl, hpgl, identify};
use traceur_core::ErrorKind;
use traceur_core::machine::{Firmware, Profile};

/// Why an inquiry has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The machine can't do, or does not want, what is asked of it; or it does not answer.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// It refused a line.
    #[error("the plotter answered {reply} to `{line}`: {meaning}")]
    Refused {
        /// The line.
        line: String,
        /// What it said.
        reply: String,
        /// What that means.
        meaning: String,
    },
    /// This machine has no such thing.
    #[error("{0}")]
    Unable(&'static str),
}

impl Error {
    /// What it means to whoever asked.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Fault(_) | Self::Refused { .. } => ErrorKind::Device,
            Self::Unable(_) => ErrorKind::Input,
        }
    }
}

/// What a machine said of itself when it was greeted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Greeting {
    /// Such as `Grbl 1.1h ['$' for help]`; empty if it gave none.
    pub banner: String,
    /// It obeys nothing before it is homed or unlocked.
    pub locked: bool,
}

/// How a machine stands.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Standing {
    /// What it does, in its own word or ours: `Idle`, `Alarm`, `ready`.
    pub state: String,
    /// Where the pen is, from the zero that drawings count from, along the machine's axes; mm.
    pub position: Option<[f64; 2]>,
    /// Whether the pen is down; `None`: it can not tell.
    pub pen_down: Option<bool>,
    /// Whether its motors have power; `None`: it can not tell.
    pub motor_power: Option<bool>,
    /// Firmware or model.
    pub firmware: String,
    /// What it complains about.
    pub trouble: Option<String>,
}

/// What is known of a plotter's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Position {
    /// It knows where its pen is, which is up.
    Known,
    /// Nobody knows: why.
    Lost(String),
}

/// What is known of a job that goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// As far as the job knows, the pen is at home.
    pub home: bool,
    /// Somebody has put it there by hand.
    pub zeroed: bool,
    /// The number that the job left in the board's memory.
    pub mark: u8,
}

/// Sans-IO dialogue outside a program. Time is since the inquiry's start, and never goes back.
///
/// After [`greet`] and its kin, and after each call of `handle_bytes` or `handle_timeout`, drain
/// [`Inquiry::poll_transmit`] and ask for [`Inquiry::poll_answer`]; then wait for bytes or for [`Inquiry::poll_timeout`].
///
/// ```
/// # use std::time::Duration;
/// use traceur_core::machine::Profile;
/// use traceur_protocol::inquiry;
///
/// let profile = Profile::built_in("grbl-servo").expect("it is built in");
/// let mut plotter = traceur_sim::plotter(&profile);
/// let mut inquiry = inquiry::greet(&profile);
/// let mut now = Duration::ZERO;
/// let greeting = loop {
///     while let Some(bytes) = inquiry.poll_transmit() {
///         plotter.receive(now, &bytes);
///     }
///     if let Some(answer) = inquiry.poll_answer() {
///         break answer?;
///     }
///     let timeout = inquiry.poll_timeout().expect("it waits until it has answered");
///     now = plotter.next_wake(now).map_or(timeout, |wake| wake.min(timeout));
///     plotter.receive(now, b"");
///     inquiry.handle_bytes(now, &plotter.poll_output());
///     inquiry.handle_timeout(now);
/// };
/// assert_eq!(greeting.banner, "Grbl 1.1h ['$' for help]");
/// # Ok::<(), inquiry::Error>(())
/// ```
pub struct Inquiry<T> {
    wire: Wire,
    /// Until they have come to an end.
    steps: Option<Steps<T>>,
    answer: Option<Result<T, Error>>,
}

type Steps<T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send>>;

impl<T> Inquiry<T> {
    /// An inquiry that has taken its first steps.
    fn new<F>(steps: impl FnOnce(Wire) -> F) -> Self
    where
        F: Future<Output = Result<T, Error>> + Send + 'static,
    {
        let wire = Wire::default();
        let steps: Steps<T> = Box::pin(steps(wire.clone()));
        let mut inquiry = Self { wire, steps: Some(steps), answer: None };
        inquiry.go_on(Duration::ZERO);
        inquiry
    }

    /// Takes bytes from the plotter, split anywhere.
    pub fn handle_bytes(&mut self, now: Duration, bytes: &[u8]) {
        if !bytes.is_empty() {
            let mut traffic = self.wire.lock();
            traffic.incoming.extend(bytes);
            traffic.heard = now;
        }
        self.go_on(now);
    }

    /// Does what is due. Call it when [`Inquiry::poll_timeout`] has come; earlier is harmless.
    pub fn handle_timeout(&mut self, now: Duration) {
        self.go_on(now);
    }

    /// The next bytes for the plotter. Send them all, even when the answer is there.
    pub fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        self.wire.lock().outgoing.pop_front()
    }

    /// The answer, once.
    pub fn poll_answer(&mut self) -> Option<Result<T, Error>> {
        self.answer.take()
    }

    /// When to call [`Inquiry::handle_timeout`]; `None` when the inquiry has come to its end. Ask again after each other
    /// call.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Duration> {
        self.steps.as_ref().map(|_| self.wire.lock().deadline)
    }

    fn go_on(&mut self, now: Duration) {
        self.wire.lock().now = now;
        let Some(steps) = &mut self.steps else { return };
        if let Poll::Ready(answer) = steps.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            (self.steps, self.answer) = (None, Some(answer));
        }
    }
}

impl<T> fmt::Debug for Inquiry<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ended = self.steps.is_none();
        f.debug_struct("Inquiry").field("wire", &self.wire).field("ended", &ended).finish_non_exhaustive()
    }
}

/// Waits for a freshly opened machine, and asks who it is. The answer to it is what the orders below ask for.
///
/// Fails when nobody answers, or the firmware is too old.
#[must_use]
pub fn greet(profile: &Profile) -> Inquiry<Greeting> {
    let firmware = profile.firmware.clone();
    Inquiry::new(|wire| async move {
        match &firmware {
            Firmware::Grbl(_) => grbl::inquiry::greet(&mut Dialogue::over(wire)).await,
            Firmware::Ebb(table) => ebb::inquiry::greet(&mut Dialogue::over(wire), table).await,
            Firmware::Hpgl(_) => hpgl::inquiry::greet(&mut Dialogue::over(wire)).await,
        }
    })
}

/// Sends the machine home with the pen up: to its switches, to where it counts from, or to its sheet's corner. It is not
/// locked any more then.
///
/// Fails when the machine does not know where that is, or refuses.
#[must_use]
pub fn home(profile: &Profile, greeting: &Greeting) -> Inquiry<()> {
    let (profile, greeting) = (profile.clone(), greeting.clone());
    Inquiry::new(|wire| async move {
        match &profile.firmware {
            Firmware::Grbl(table) => {
                grbl::inquiry::home(&mut Dialogue::over(wire), &profile, table, &greeting).await
            }
            Firmware::Ebb(table) => ebb::inquiry::home(&mut Dialogue::over(wire), &profile, table).await,
            Firmware::Hpgl(_) => hpgl::inquiry::home(&mut Dialogue::over(wire)).await,
        }
    })
}

/// Moves by so much along the machine's axes, the pen as it is; mm.
///
/// Fails when the machine is locked, has no power for its motors, or refuses.
#[must_use]
pub fn jog(profile: &Profile, greeting: &Greeting, by: [f64; 2]) -> Inquiry<()> {
    let (profile, greeting) = (profile.clone(), greeting.clone());
    Inquiry::new(move |wire| async move {
        match &profile.firmware {
            Firmware::Grbl(_) => grbl::inquiry::jog(&mut Dialogue::over(wire), &profile, &greeting, by).await,
            Firmware::Ebb(table) => ebb::inquiry::jog(&mut Dialogue::over(wire), &profile, table, by).await,
            Firmware::Hpgl(table) => hpgl::inquiry::jog(&mut Dialogue::over(wire), table, by).await,
        }
    })
}

/// Moves the pen up or down.
///
/// Fails when the machine is locked, refuses, or knows no heights but two.
#[must_use]
pub fn pen(profile: &Profile, greeting: &Greeting, height: Height) -> Inquiry<()> {
    let (profile, greeting) = (profile.clone(), greeting.clone());
    Inquiry::new(move |wire| async move {
        match &profile.firmware {
            Firmware::Grbl(_) => {
                grbl::inquiry::pen(&mut Dialogue::over(wire), &profile, &greeting, height).await
            }
            Firmware::Ebb(table) => {
                ebb::inquiry::pen(&mut Dialogue::over(wire), &profile, table, height).await
            }
            Firmware::Hpgl(_) => hpgl::inquiry::pen(&mut Dialogue::over(wire), height).await,
        }
    })
}

/// Says that drawings count from here.
///
/// Fails when the machine is locked, or has a zero of its own.
#[must_use]
pub fn zero(profile: &Profile, greeting: &Greeting) -> Inquiry<()> {
    let (firmware, greeting) = (profile.firmware.clone(), greeting.clone());
    Inquiry::new(|wire| async move {
        match &firmware {
            Firmware::Grbl(_) => grbl::inquiry::zero(&mut Dialogue::over(wire), &greeting).await,
            Firmware::Ebb(table) => ebb::inquiry::zero(&mut Dialogue::over(wire), table).await,
            Firmware::Hpgl(_) => Err(Error::Unable(
                "an HP-GL plotter counts from a corner of its own sheet: there is nothing to set",
            )),
        }
    })
}

/// Asks how the machine stands.
///
/// Fails when it does not answer.
#[must_use]
pub fn standing(profile: &Profile, greeting: &Greeting) -> Inquiry<Standing> {
    let (profile, greeting) = (profile.clone(), greeting.clone());
    Inquiry::new(|wire| async move {
        match &profile.firmware {
            Firmware::Grbl(_) => {
                grbl::inquiry::standing(&mut Dialogue::over(wire), &profile, &greeting).await
            }
            Firmware::Ebb(table) => ebb::inquiry::standing(&mut Dialogue::over(wire), table, &greeting).await,
            Firmware::Hpgl(table) => hpgl::inquiry::standing(&mut Dialogue::over(wire), table).await,
        }
    })
}

/// Waits until the plotter of a job that goes on rests, lifts its pen with the lines of `lift`
/// ([`Program::lift`](crate::Program::lift)), and asks whether it still counts from the job's zero.
///
/// GRBL and the EiBotBoard count steps from there for as long as they do not restart. That they have not is told by a number
/// that the job left in a memory which a restart, or another program, wipes out: the tool number of GRBL's parser, the
/// board's `SL`. Without it the position is lost, unless the machine can look for its switches. An HP-GL plotter finds its
/// own place when it is switched on.
///
/// Fails when it does not answer.
#[must_use]
pub fn position(profile: &Profile, lift: Vec<String>, memory: Memory) -> Inquiry<Position> {
    let profile = profile.clone();
    Inquiry::new(move |wire| async move {
        match &profile.firmware {
            Firmware::Grbl(table) => {
                let mut talk = Dialogue::over(wire);
                grbl::inquiry::position(&mut talk, &profile.lift, table, &lift, memory).await
            }
            Firmware::Ebb(table) => {
                ebb::inquiry::position(&mut Dialogue::over(wire), table, &lift, memory).await
            }
            Firmware::Hpgl(_) => Ok(hpgl::inquiry::position(&mut Dialogue::over(wire))),
        }
    })
}

/// Lifts the pen of a plotter whose session gave up, as far as it still obeys, with the lines of `lift`. What it answers is
/// of no interest.
#[must_use]
pub fn rescue(profile: &Profile, lift: Vec<String>) -> Inquiry<()> {
    let firmware = profile.firmware.clone();
    Inquiry::new(move |wire| async move {
        match &firmware {
            Firmware::Grbl(_) => grbl::inquiry::rescue(&mut Dialogue::over(wire), &lift).await,
            Firmware::Ebb(_) => ebb::inquiry::rescue(&mut Dialogue::over(wire), &lift).await,
            Firmware::Hpgl(_) => hpgl::inquiry::rescue(&mut Dialogue::over(wire)).await,
        }
        Ok(())
    })
}

/// Puts one of the [`QUESTIONS`](crate::QUESTIONS) to a port; `None` if nobody that is known answers.
#[must_use]
pub fn identity(question: Question) -> Inquiry<Option<Identity>> {
    Inquiry::new(move |wire| async move {
        let mut talk = Dialogue::<Lines<256>>::over(wire);
        Ok(talk.ask(question.bytes, question.patience, |line| identify(line.text.as_bytes())).await)
    })
}

impl Parser for Lines<256> {
    type Reply = Line;

    fn push(&mut self, byte: u8) -> Option<Line> {
        Self::push(self, byte)
    }
}
