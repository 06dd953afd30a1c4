//! The commands that ask, and how the board speaks.

use super::board::{Board, Order, Running};
use super::course::Until;
use super::parser::{Errors, Line, U8};

/// What the supply's and the current's voltage read as: 9 V, and a pot in the middle.
const CURRENT: u16 = 394;
const SUPPLY: u16 = 300;
/// What leaks from USB when the supply is off.
const NO_SUPPLY: u16 = 20;

impl Board {
    /// Whether it is a command that asks; if so, it is answered.
    pub(super) fn answer(&mut self, name: &str, line: &mut Line<'_>) -> bool {
        match name {
            "V" => {
                let version = if self.v3 { "3.0.3" } else { "2.8.1" };
                self.tell(&format!("EBBv13_and_above EB Firmware Version {version}"));
            }
            "A" => self.tell_always(&format!("A,00:{CURRENT:04},11:{:04}", self.supply())),
            "I" => self.tell_always("I,128,255,130,000,007"),
            "MR" => {
                line.skip();
                self.tell_always("MR,000");
            }
            "PI" => self.pi(line),
            "QB" => {
                let pressed = u8::from(std::mem::take(&mut self.button));
                self.value(&pressed.to_string(), "\r\n");
            }
            "QC" if self.v3 => self.value(&format!("{CURRENT},{}", self.supply()), "\r\n"),
            "QC" => self.value(&format!("{CURRENT:04},{:04}", self.supply()), "\r\n"),
            "QE" => {
                let size = 16 >> (self.mode.clamp(1, 5) - 1);
                let [one, two] = self.enabled.map(|on| if on { size } else { 0 });
                self.value(&format!("{one},{two}"), "\n\r");
            }
            "QG" => self.qg(),
            "QL" => self.ql(line),
            "QM" => {
                let [running, one, two, fifo] = self.moving().map(u8::from);
                let comma = if self.future { "" } else { "QM," };
                self.print_name(true);
                self.print(&format!("{comma}{running},{one},{two},{fifo}"));
                self.end_line("\n\r");
            }
            "QN" if self.v3 => self.value(&self.nodes.to_string(), "\r\n"),
            "QN" => self.value(&format!("{:010}", self.nodes), "\r\n"),
            "QP" => self.value(if self.servo.state_up { "1" } else { "0" }, "\n\r"),
            "QR" => {
                let on = self.servo_power_until.is_some_and(|until| self.tick < until);
                self.value(if on { "1" } else { "0" }, "\r\n");
            }
            "QS" => {
                let so_far = self.steps_so_far();
                let [one, two] = [0, 1].map(|motor| self.counters[motor] + so_far[motor]);
                self.value(&format!("{one},{two}"), "\n\r");
            }
            "QT" => self.value(&self.nickname.clone(), "\r\n"),
            "QU" if self.v3 => self.qu(line),
            "ES" => self.es(line),
            _ => return false,
        }
        true
    }

    fn supply(&self) -> u16 {
        if self.motor_power { SUPPLY } else { NO_SUPPLY }
    }

    /// What runs, whether motors 1 and 2 move, and whether something waits.
    fn moving(&self) -> [bool; 4] {
        let motor = |index: usize| match self.current {
            Some(Running { order: Order::Motors { courses, .. }, runs: Some(runs), begin, .. }) => {
                courses[index].until != Until::Steps(0)
                    && runs[index].end.is_none_or(|end| begin + end > self.tick)
            }
            _ => false,
        };
        [self.current.is_some(), motor(0), motor(1), !self.fifo.is_empty()]
    }

    fn qg(&mut self) {
        let [running, one, two, fifo] = self.moving();
        let bits = [
            fifo,
            two,
            one,
            running,
            self.servo.state_up,
            std::mem::take(&mut self.button),
            // Firmware 2 gives the pins RB2 and RB5.
            if self.v3 { std::mem::take(&mut self.power_dropped) } else { self.limits.pins & 1 << 2 != 0 },
            if self.v3 { self.limits.triggered } else { self.limits.pins & 1 << 5 != 0 },
        ];
        let value = bits.iter().rev().fold(0_u8, |value, bit| value << 1 | u8::from(*bit));
        self.tell(&format!("{value:02X}"));
    }

    fn ql(&mut self, line: &mut Line<'_>) {
        let index = if self.v3 { self.optional(line, U8).unwrap_or(0) } else { 0 };
        if self.errors.any() {
            return;
        }
        let value = self.storage[index.clamp(0, 31) as usize];
        self.value(&if self.v3 { value.to_string() } else { format!("{value:03}") }, "\r\n");
    }

    fn qu(&mut self, line: &mut Line<'_>) {
        let what = self.required(line, U8);
        if self.errors.any() {
            return;
        }
        let value = match what {
            1 => format!("{:02X}", self.limits.seen),
            2 => "32".to_owned(),
            3 => self.depth.to_string(),
            4 | 5 => "000".to_owned(),
            6 => self.fifo.len().to_string(),
            60 => self.power_threshold.to_string(),
            61 => "0".to_owned(),
            200 => format!("{},{}", self.accumulators[0], self.accumulators[1]),
            _ => return self.errors.set(Errors::LIMIT),
        };
        if self.future {
            return self.tell(&value);
        }
        self.print(&format!("QU,{value}\r\n"));
        self.acknowledge();
    }

    /// The pins that tell of motors and microsteps, low meaning enabled; all others are high.
    fn pi(&mut self, line: &mut Line<'_>) {
        let port = line.text(1).to_ascii_uppercase();
        let pin = self.required(line, U8);
        if self.errors.any() {
            return;
        }
        let high = match (port.as_str(), pin) {
            ("E", 0) => !self.enabled[0],
            ("C", 1) => !self.enabled[1],
            ("E", 2) => matches!(self.mode, 1 | 2 | 4),
            ("E", 1) => self.mode <= 3,
            ("A", 6) => self.mode == 1,
            _ => true,
        };
        self.tell_always(&format!("PI,{}", u8::from(high)));
    }

    fn es(&mut self, line: &mut Line<'_>) {
        let off = self.optional(line, U8);
        if self.errors.any() {
            return;
        }
        let steps = |order: &Order| match order {
            Order::Motors { courses, .. } => courses.map(|course| match course.until {
                Until::Steps(steps) | Until::Ticks(steps) => i64::from(steps),
            }),
            _ => [0; 2],
        };
        let waiting = self.fifo.front().map_or([0; 2], steps);
        let so_far = self.steps_so_far();
        let is_move = |order: &Order| matches!(order, Order::Motors { .. });
        let was_moving = self.current.as_ref().is_some_and(|running| is_move(&running.order));
        let interrupted = was_moving
            || if self.v3 { !self.fifo.is_empty() } else { self.fifo.front().is_some_and(is_move) };
        let mut remaining = [0; 2];
        if (self.v3 || was_moving)
            && let Some(running) = self.cut_short()
        {
            let all = steps(&running.order);
            remaining = [0, 1].map(|motor| all[motor] - so_far[motor].abs());
        }
        // Firmware 2 leaves a pen's move in the queue.
        if self.v3 || self.fifo.front().is_some_and(is_move) {
            self.fifo.clear();
        }
        if off == Some(1) {
            self.enabled = [false; 2];
        }
        let mut text = u8::from(interrupted).to_string();
        if !self.v3 {
            for number in [waiting, remaining].concat() {
                text.push_str(&format!(",{number}"));
            }
        }
        self.value(&text, "\n\r");
    }

    pub(super) fn print(&mut self, text: &str) {
        self.output.extend(text.as_bytes());
    }

    /// An error's text, behind the command's name in the future syntax.
    pub(super) fn print_named(&mut self, text: &str) {
        let comma = if std::mem::take(&mut self.named) { "," } else { "" };
        self.print(&format!("{comma}{text}"));
    }

    /// The command's name, in the future syntax.
    pub(super) fn print_name(&mut self, comma: bool) {
        if self.future {
            let name = self.name.clone();
            self.print(&name);
            self.named = !comma;
            if comma {
                self.print(",");
            }
        }
    }

    pub(super) fn end_line(&mut self, legacy: &str) {
        let end = if self.future { "\n" } else { legacy };
        self.print(end);
    }

    /// What follows a command that is done: OK, or in the future syntax the end of its line.
    pub(super) fn acknowledgement(&mut self) -> String {
        self.named = false;
        match (self.future, self.acknowledges) {
            (true, _) => "\n".into(),
            (false, true) => "OK\r\n".into(),
            (false, false) => "\r\n".into(),
        }
    }

    pub(super) fn acknowledge(&mut self) {
        if self.errors.any() && self.named {
            return;
        }
        let text = self.acknowledgement();
        self.print(&text);
    }

    /// One line, and no OK.
    fn tell(&mut self, text: &str) {
        self.print_name(true);
        self.print(text);
        self.end_line("\r\n");
    }

    /// One line that carries its name in both syntaxes.
    fn tell_always(&mut self, text: &str) {
        self.print(text);
        self.end_line("\r\n");
    }

    /// A value, then OK.
    fn value(&mut self, text: &str, legacy: &str) {
        self.print_name(true);
        self.print(text);
        if self.future {
            return self.print("\n");
        }
        self.print(legacy);
        self.acknowledge();
    }
}
