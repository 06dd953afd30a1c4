//! A machine moved by hand: home, jog, pen, zero, and how it stands.
//!
//! Comes in: a profile, a port, one order after another. Goes out: how the machine stands after it. No order returns before
//! the machine rests. What is said is `traceur_protocol::inquiry`'s affair. Deliberately absent: programs, which are
//! streamed by sessions.

use super::connection::open_serial;
use super::inquire::inquire;
use super::{Error, Port, Speed, VirtualMachine};
use crate::transport::{self, Link};
use traceur_core::machine::Profile;
use traceur_protocol::Height;
use traceur_protocol::inquiry::{self, Greeting, Standing};
use traceur_sim::Faults;

/// A connection to a machine that is moved by hand.
#[derive(Debug)]
pub struct Hand {
    link: Link,
    profile: Profile,
    greeting: Greeting,
}

impl Hand {
    /// Opens a port and waits for the machine's answer. A virtual plotter (`sim`) is a fresh one. Opening the port makes
    /// most GRBL boards start anew.
    ///
    /// # Errors
    /// When the port can't be opened, nobody answers, or the firmware is too old.
    pub async fn open(profile: &Profile, port: &Port) -> Result<Self, Error> {
        let link = match port {
            Port::Sim { pace } => virtual_link(profile, *pace),
            Port::Tcp(address) => transport::connect(address).await?,
            Port::Serial(_) | Port::Auto => open_serial(port, profile)?,
        };
        Self::over(link, profile).await
    }

    /// The same over an open link.
    ///
    /// # Errors
    /// As [`Hand::open`].
    pub async fn over(mut link: Link, profile: &Profile) -> Result<Self, Error> {
        let greeting = inquire(&mut link, inquiry::greet(profile)).await?;
        Ok(Self { link, profile: profile.clone(), greeting })
    }

    /// Goes home with the pen up: to its switches, to where it counts from, or to its sheet's corner.
    ///
    /// # Errors
    /// When the machine does not know where that is, or refuses.
    pub async fn home(&mut self) -> Result<(), Error> {
        inquire(&mut self.link, inquiry::home(&self.profile, &self.greeting)).await?;
        self.greeting.locked = false;
        Ok(())
    }

    /// Moves by so much along the machine's axes, the pen as it is; mm.
    ///
    /// # Errors
    /// When the machine is locked, has no power for its motors, or refuses.
    pub async fn jog(&mut self, by: [f64; 2]) -> Result<(), Error> {
        inquire(&mut self.link, inquiry::jog(&self.profile, &self.greeting, by)).await
    }

    /// Moves the pen up or down.
    ///
    /// # Errors
    /// When the machine is locked, refuses, or knows no heights but two.
    pub async fn pen(&mut self, height: Height) -> Result<(), Error> {
        inquire(&mut self.link, inquiry::pen(&self.profile, &self.greeting, height)).await
    }

    /// Says that drawings count from here.
    ///
    /// # Errors
    /// When the machine is locked, or has a zero of its own.
    pub async fn zero(&mut self) -> Result<(), Error> {
        inquire(&mut self.link, inquiry::zero(&self.profile, &self.greeting)).await
    }

    /// How it stands.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn standing(&mut self) -> Result<Standing, Error> {
        inquire(&mut self.link, inquiry::standing(&self.profile, &self.greeting)).await
    }
}

/// The wire of a fresh virtual plotter, which lives as long as the runtime.
fn virtual_link(profile: &Profile, pace: Option<f64>) -> Link {
    let (ours, mut theirs) = Link::pair();
    let speed = pace.map_or(Speed::Max, Speed::Times);
    let mut machine = VirtualMachine::new(profile, &Faults::default(), speed);
    tokio::spawn(async move {
        let mut never = std::pin::pin!(std::future::pending());
        machine.serve(&mut theirs, &mut never, || false, |_| {}).await
    });
    ours
}

#[cfg(test)]
mod tests;
