//! A machine moved by keys: jogging, and the pen's heights.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

use crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use crossterm::terminal::{disable_raw_mode, enable_raw_mode};

use super::Failure;
use super::held_device::HeldDevice;
use traceur_core::machine::{Lift, Origin, Profile};
use traceur_job::DeviceStatus;
use traceur_protocol::Height;

/// What an arrow key moves by; mm.
const STEPS: [f64; 5] = [0.1, 1.0, 5.0, 10.0, 50.0];

/// What a profile's lift is measured in, and its two heights.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Measure {
    up: f64,
    down: f64,
    /// The profile's keys of both.
    keys: [&'static str; 2],
    unit: &'static str,
    /// What a key changes it by, and Shift with it.
    steps: [f64; 2],
    range: [f64; 2],
    /// Whether percent are counted from down to up.
    relative: bool,
}

impl Measure {
    /// `None`: the pen has no heights to choose.
    pub(super) fn of(profile: &Profile) -> Option<Self> {
        match profile.lift {
            Lift::EbbServo { up_percent, down_percent, .. } => Some(Self {
                up: up_percent,
                down: down_percent,
                keys: ["up_percent", "down_percent"],
                unit: "%",
                steps: [1.0, 5.0],
                range: [0.0, 100.0],
                relative: false,
            }),
            Lift::Servo { up_s, down_s, .. } => Some(Self {
                up: f64::from(up_s),
                down: f64::from(down_s),
                keys: ["up_s", "down_s"],
                unit: "",
                steps: [5.0, 25.0],
                range: [0.0, 1000.0],
                relative: true,
            }),
            Lift::Z { up, down, .. } => Some(Self {
                up,
                down,
                keys: ["up", "down"],
                unit: "mm",
                steps: [0.1, 0.5],
                range: [0.0, 200.0],
                relative: true,
            }),
            Lift::Pen { .. } => None,
        }
    }

    /// A height that was given in percent.
    pub(super) fn of_percent(self, percent: f64) -> f64 {
        if self.relative { self.down + (self.up - self.down) * percent / 100.0 } else { percent }
    }

    /// As its profile writes it.
    fn text(self, value: f64) -> String {
        match self.unit {
            "mm" => format!("{}mm", tidy(value)),
            _ => tidy(value),
        }
    }
}

/// Without the dust of additions.
fn tidy(value: f64) -> String {
    format!("{}", (value * 100.0).round() / 100.0 + 0.0)
}

/// Whether there are keys to press and somebody to see.
pub(super) fn at_a_terminal() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Keys one by one, as long as it lives.
struct Keys;

impl Keys {
    fn begin() -> Result<Self, Failure> {
        enable_raw_mode().map_err(|error| Failure::Device(format!("the terminal gives no keys: {error}")))?;
        Ok(Self)
    }

    /// Waits for the next key.
    fn next(&self) -> Result<KeyEvent, Failure> {
        loop {
            if let Some(key) = self.read()? {
                return Ok(key);
            }
        }
    }

    /// Waits for whatever the terminal tells next; `None`: it was no key. Ctrl-C is Escape.
    fn read(&self) -> Result<Option<KeyEvent>, Failure> {
        let event = event::read().map_err(|error| Failure::Device(format!("the keyboard: {error}")))?;
        let Event::Key(key) = event else { return Ok(None) };
        let is_ctrl_c = key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL);
        let key = if is_ctrl_c { KeyEvent::from(KeyCode::Esc) } else { key };
        Ok((key.kind != KeyEventKind::Release).then_some(key))
    }

    /// Forgets what was typed while the machine moved: a key that was held down shall not move it on afterwards. False if
    /// the end was asked for.
    fn forget(&self) -> Result<bool, Failure> {
        let mut goes_on = true;
        while event::poll(Duration::ZERO).unwrap_or(false) {
            goes_on &= !self.read()?.is_some_and(|key| is_end(key.code));
        }
        Ok(goes_on)
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        // OK to ignore: there is no other terminal to say it on.
        let _ = disable_raw_mode();
        let _ = writeln!(io::stderr());
    }
}

fn is_end(code: KeyCode) -> bool {
    matches!(code, KeyCode::Char('q') | KeyCode::Esc)
}

/// One line that is written over and over, no wider than the terminal.
fn show(text: &str) {
    let width = crossterm::terminal::size().map_or(80, |(width, _)| usize::from(width)).max(20);
    let text: String = text.chars().take(width - 1).collect();
    // OK to ignore: a terminal that went away is told of by its keys.
    let _ = write!(io::stderr(), "\r\x1b[2K{text}");
    let _ = io::stderr().flush();
}

fn place(status: &DeviceStatus) -> String {
    let pen = status.pen_down.map_or("", |down| if down { ", pen down" } else { ", pen up" });
    let at = status.position.map_or("somewhere".into(), |[x, y]| format!("{x:.2}, {y:.2} mm"));
    format!("{at}{pen}")
}

/// Jogs by the arrow keys, which go the way that is seen on the page.
pub(super) fn jog(held: &mut HeldDevice, profile: &Profile) -> Result<(), Failure> {
    let keys = Keys::begin()?;
    let up = match profile.bed.origin {
        Origin::TopLeft => -1.0,
        Origin::BottomLeft => 1.0,
    };
    let mut step = 2;
    let mut word = "arrows move, 1-5 set the step, u/d pen, h home, z zero, q ends".to_owned();
    loop {
        let status = held.status()?;
        show(&format!("{} | step {} mm | {word}", place(&status), STEPS[step]));
        let code = keys.next()?.code;
        let way = |x: f64, y: f64| [x * STEPS[step], y * up * STEPS[step]];
        let by = match code {
            KeyCode::Left => Some(way(-1.0, 0.0)),
            KeyCode::Right => Some(way(1.0, 0.0)),
            KeyCode::Up => Some(way(0.0, 1.0)),
            KeyCode::Down => Some(way(0.0, -1.0)),
            _ => None,
        };
        let done = match (by, code) {
            (Some(by), _) => held.order(async |hand| hand.jog(by).await),
            (_, KeyCode::Char('u')) => held.order(async |hand| hand.pen(Height::Up).await),
            (_, KeyCode::Char('d')) => held.order(async |hand| hand.pen(Height::Down).await),
            (_, KeyCode::Char('h')) => held.order(async |hand| hand.home().await),
            (_, KeyCode::Char('z')) => held.order(async |hand| hand.zero().await),
            (_, KeyCode::Char(digit @ '1'..='5')) => {
                step = digit as usize - '1' as usize;
                Ok(())
            }
            (_, code) if is_end(code) => return Ok(()),
            _ => continue,
        };
        // What the machine can't do is told, and does not end the hand's work; a lost machine does.
        word = match done {
            Ok(()) => "q ends".into(),
            Err(Failure::Input(why)) => why,
            Err(other) => return Err(other),
        };
        if !keys.forget()? {
            return Ok(());
        }
    }
}

/// Finds both heights. Gives what is to be set in the profile, as `machines new --set` takes it; nothing if it was left
/// without Enter.
pub(super) fn calibrate(held: &mut HeldDevice, mut measure: Measure) -> Result<Vec<String>, Failure> {
    let keys = Keys::begin()?;
    let begin = measure;
    let mut setting_down = true;
    loop {
        let value = if setting_down { measure.down } else { measure.up };
        held.order(async |hand| hand.pen(Height::At(value)).await)?;
        if !keys.forget()? {
            return Ok(Vec::new());
        }
        show(&format!(
            "pen {} at {}{} | \u{2191}\u{2193} raise and lower (Shift: more), Tab the other height, Enter writes, q leaves",
            if setting_down { "DOWN" } else { "UP" },
            tidy(value),
            measure.unit,
        ));
        let key = keys.next()?;
        let size = measure.steps[usize::from(key.modifiers.contains(KeyModifiers::SHIFT))];
        // Which numbers are higher, the profile knows.
        let upwards = if begin.up >= begin.down { size } else { -size };
        let change = match key.code {
            KeyCode::Up | KeyCode::Char('u' | 'U' | '+') => upwards,
            KeyCode::Down | KeyCode::Char('d' | 'D' | '-') => -upwards,
            KeyCode::Tab => {
                setting_down = !setting_down;
                continue;
            }
            KeyCode::Enter => break,
            code if is_end(code) => {
                held.order(async |hand| hand.pen(Height::Up).await)?;
                return Ok(Vec::new());
            }
            _ => continue,
        };
        let changed = (value + change).clamp(measure.range[0], measure.range[1]);
        if setting_down {
            measure.down = changed;
        } else {
            measure.up = changed;
        }
    }
    held.order(async |hand| hand.pen(Height::Up).await)?;
    let mut settings = Vec::new();
    for (key, old, new) in
        [(measure.keys[0], begin.up, measure.up), (measure.keys[1], begin.down, measure.down)]
    {
        if (old - new).abs() > 1e-9 {
            settings.push(format!("lift.{key}={}", measure.text(new)));
        }
    }
    Ok(settings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_are_the_servos_own_or_the_way_from_down_to_up() {
        let measure = |id: &str| Measure::of(&Profile::built_in(id).unwrap());
        assert_eq!(measure("axidraw-v3").unwrap().of_percent(45.0), 45.0);
        assert_eq!(measure("grbl-servo").unwrap().of_percent(25.0), 600.0, "S700 is down, S300 is up");
        assert_eq!(measure("hp7475a"), None);
        let z = measure("grbl-z").unwrap();
        assert_eq!(z.text(0.1 + 0.2), "0.3mm");
    }
}
