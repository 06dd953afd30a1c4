//! `traceur device`: a machine moved by hand.

use clap::Subcommand;
use serde_json::json;

use super::device_keys::{self, Measure};
use super::held_device::HeldDevice;
use super::{Failure, Terminal};
use traceur_app::catalog;
use traceur_app::rounded;
use traceur_core::machine::Profile;
use traceur_core::units;
use traceur_job::DeviceStatus;
use traceur_protocol::Height;

/// Move a machine by hand: home, jog, pen, zero, status.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  traceur device status -m axidraw-v3 --port auto
  traceur device jog -m axidraw-v3 --port auto               arrow keys; q ends
  traceur device jog 10mm -5mm -m grbl-servo --port /dev/ttyUSB0
  traceur device pen down -m grbl-z --port /dev/ttyACM0
  traceur device pen 45% -m axidraw-v3 --port auto
  traceur device pen --calibrate -m axidraw-v3 --port auto   keys; Enter writes your own profile
  traceur device zero -m axidraw-v3 --port auto              here is the home corner")]
pub(super) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Go home with the pen up: to its switches, to where drawings count from, or to the sheet's corner.
    Home(At),
    /// Move along the machine's axes, the pen as it is; without a way, by the arrow keys.
    Jog {
        /// Along x, such as `10mm` or `-0.5in`.
        #[arg(value_parser = signed_length, allow_hyphen_values = true, requires = "y")]
        x: Option<f64>,
        /// Along y: away from the home corner of an AxiDraw, up the page on most others.
        #[arg(value_parser = signed_length, allow_hyphen_values = true)]
        y: Option<f64>,
        #[command(flatten)]
        at: At,
    },
    /// Move the pen: `up`, `down`, or a height such as `45%`.
    Pen {
        /// `up`, `down`, or percent: of the servo's travel on an EBB, else of the way from down to up.
        #[arg(value_parser = height, required_unless_present = "calibrate", conflicts_with = "calibrate")]
        to: Option<Wanted>,
        /// Find both heights by keys, and write them into your own profile.
        #[arg(long)]
        calibrate: bool,
        #[command(flatten)]
        at: At,
    },
    /// Drawings count from here: this is the home corner.
    Zero(At),
    /// What it does, where its pen is, and what it complains about.
    Status(At),
}

/// Which machine, and where.
#[derive(Debug, clap::Args)]
pub(super) struct At {
    /// Machine: an id or a TOML file.
    #[arg(short, long)]
    pub(super) machine: String,
    /// A serial device, `auto`, `tcp://host:port`, or `sim` (a fresh virtual plotter).
    #[arg(long)]
    port: String,
}

/// A height as it was typed.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Wanted {
    Up,
    Down,
    Percent(f64),
}

fn height(text: &str) -> Result<Wanted, String> {
    let percent = || text.strip_suffix('%')?.trim().parse().ok().filter(|p| (0.0..=100.0).contains(p));
    match text {
        "up" => Ok(Wanted::Up),
        "down" => Ok(Wanted::Down),
        _ => percent().map(Wanted::Percent).ok_or_else(|| "give `up`, `down`, or `0%` to `100%`".to_owned()),
    }
}

fn signed_length(text: &str) -> Result<f64, String> {
    let (sign, size) = text.strip_prefix('-').map_or((1.0, text), |size| (-1.0, size));
    units::length(size).map(|mm| sign * mm).map_err(|error| error.to_string())
}

pub(super) fn run(args: &Args, terminal: &Terminal) -> Result<(), Failure> {
    let at = match &args.verb {
        Verb::Home(at) | Verb::Zero(at) | Verb::Status(at) => at,
        Verb::Jog { at, .. } | Verb::Pen { at, .. } => at,
    };
    let profile = catalog::machines::choose(&at.machine)?;
    let measure = Measure::of(&profile);
    if matches!(args.verb, Verb::Pen { calibrate: true, .. }) && measure.is_none() {
        return Err(Failure::Input(format!(
            "`{}` lifts its pen by itself: there are no heights to find",
            profile.id
        )));
    }
    let by_keys = matches!(args.verb, Verb::Jog { x: None, .. } | Verb::Pen { calibrate: true, .. });
    if by_keys && !device_keys::at_a_terminal() {
        return Err(Failure::Input(
            "keys need a terminal: give a way such as `device jog 10mm 0mm`, or a height such as `device pen 45%`".into(),
        ));
    }
    let mut held = HeldDevice::open(&profile, &at.port)?;
    match &args.verb {
        Verb::Home(_) => held.order(async |hand| hand.home().await)?,
        Verb::Jog { x: Some(x), y, .. } => {
            let by = [*x, y.unwrap_or(0.0)];
            held.order(async |hand| hand.jog(by).await)?;
        }
        Verb::Jog { x: None, .. } => device_keys::jog(&mut held, &profile)?,
        Verb::Pen { calibrate: true, .. } => {
            if let Some(measure) = measure {
                let settings = device_keys::calibrate(&mut held, measure)?;
                if !settings.is_empty() {
                    let path = catalog::machines::amend(&at.machine, &settings)?;
                    terminal.say(format!("{}: {} written", path.display(), settings.join(", ")));
                }
            }
        }
        Verb::Pen { to, .. } => {
            let height = to_height(to.unwrap_or(Wanted::Up), measure);
            held.order(async |hand| hand.pen(height).await)?;
        }
        Verb::Zero(_) => held.order(async |hand| hand.zero().await)?,
        Verb::Status(_) => {}
    }
    let status = held.status()?;
    tell(&status, &profile, terminal)
}

/// In the measure of the profile's lift.
fn to_height(wanted: Wanted, measure: Option<Measure>) -> Height {
    match (wanted, measure) {
        (Wanted::Up, _) => Height::Up,
        (Wanted::Down, _) => Height::Down,
        (Wanted::Percent(percent), None) => Height::At(percent),
        (Wanted::Percent(percent), Some(measure)) => Height::At(measure.of_percent(percent)),
    }
}

fn tell(status: &DeviceStatus, profile: &Profile, terminal: &Terminal) -> Result<(), Failure> {
    let pen = status.pen_down.map(|down| if down { "down" } else { "up" });
    let value = json!({
        "machine": &profile.id,
        "state": &status.state,
        "position_mm": status.position.map(|at| at.map(rounded)),
        "pen": pen,
        "motor_power": status.motor_power,
        "firmware": &status.firmware,
        "trouble": &status.trouble,
    });
    terminal.result(&value, || {
        let mut text = format!("{} ({}): {}", profile.name, status.firmware, status.state);
        if let Some([x, y]) = status.position {
            text += &format!(", at {x:.2}, {y:.2} mm");
        }
        if let Some(pen) = pen {
            text += &format!(", pen {pen}");
        }
        match status.motor_power {
            Some(true) => text += ", motors have power",
            Some(false) => text += ", motors have no power",
            None => {}
        }
        if let Some(trouble) = &status.trouble {
            text += &format!("\n{trouble}");
        }
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_may_go_back_and_heights_are_words_or_percent() {
        assert_eq!((signed_length("-0.5in"), signed_length("3mm")), (Ok(-12.7), Ok(3.0)));
        assert!(signed_length("--3mm").is_err() && signed_length("3").is_err());
        assert_eq!((height("45%"), height("up")), (Ok(Wanted::Percent(45.0)), Ok(Wanted::Up)));
        assert!(height("101%").is_err() && height("nan%").is_err() && height("45").is_err());
    }
}
