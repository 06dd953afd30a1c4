//! A machine that is moved by hand, from the terminal.

use super::Failure;
use traceur_core::machine::Profile;
use traceur_job::{DeviceStatus, ManualControl, Port};

/// A machine under manual control, and the runtime that the control lives by.
pub(super) struct HeldDevice {
    runtime: tokio::runtime::Runtime,
    control: ManualControl,
}

impl HeldDevice {
    pub(super) fn open(profile: &Profile, port: &str) -> Result<Self, Failure> {
        let port = Port::parse(port)?;
        port.check(profile.firmware.dialect())?;
        let runtime = traceur_job::runtime()?;
        let control = runtime.block_on(ManualControl::open(profile, &port))?;
        Ok(Self { runtime, control })
    }

    /// Gives an order, and waits until the machine rests. Ctrl-C ends the program, as it always does.
    pub(super) fn order(
        &mut self,
        what: impl AsyncFnOnce(&mut ManualControl) -> Result<(), traceur_job::Error>,
    ) -> Result<(), Failure> {
        Ok(self.runtime.block_on(what(&mut self.control))?)
    }

    pub(super) fn status(&mut self) -> Result<DeviceStatus, Failure> {
        Ok(self.runtime.block_on(self.control.status())?)
    }
}
