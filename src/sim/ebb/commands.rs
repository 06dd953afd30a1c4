//! The commands that do something.

use super::board::{Board, Order, Stuck};
use super::moves::Low;
use super::parser::{Absent, Errors, I16, I32, Kind, Line, U8, U16, U32};

/// Longest delay and way of `SM` in firmware 2.
const MOST: i64 = 0xFF_FFFF;

impl Board {
    /// A whole line has come.
    pub(super) fn command(&mut self, bytes: &[u8]) {
        let (mut line, name) = Line::new(bytes);
        self.name = name;
        self.named = false;
        if self.checksums {
            let Some(checked) = self.checked(bytes) else { return };
            (line, _) = Line::new(checked);
        }
        let name = self.name.clone();
        if !self.do_command(&name, &mut line) && !self.answer(&name, &mut line) {
            let codes: String = name.bytes().map(|byte| format!("{byte:02X}")).collect();
            self.print(&format!("!8 Err: Unknown command '{name}:{codes}'"));
            self.end_line("\r\n");
        }
        if !line.is_read() && !self.errors.any() && name != "R" {
            self.errors.set(Errors::EXTRA);
        }
    }

    /// The command without its checksum: what makes all its bytes 0 together. `None` when an error was printed.
    fn checked<'a>(&mut self, bytes: &'a [u8]) -> Option<&'a [u8]> {
        let comma = bytes.iter().rposition(|byte| *byte == b',').filter(|at| bytes.len() - at <= 5);
        let trouble = match comma {
            None => "!10 Err: No checksum found but required".to_owned(),
            Some(at) => {
                let sum = bytes[..at].iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte)).wrapping_neg();
                let given =
                    std::str::from_utf8(&bytes[at + 1..]).ok().and_then(|text| text.parse::<u8>().ok());
                if given == Some(sum) {
                    return Some(&bytes[..at]);
                }
                format!("!9 Err: Checksum incorrect, expected {sum}")
            }
        };
        self.print_name(false);
        self.print_named(&trouble);
        self.end_line("\r\n");
        None
    }

    /// Whether it is a command that does something; if so, it is done.
    fn do_command(&mut self, name: &str, line: &mut Line<'_>) -> bool {
        match name {
            "SM" => self.sm(line),
            "XM" => self.xm(line),
            "LM" => self.lm(line, false),
            "L3" if self.v3 => self.lm(line, true),
            "LT" => self.lt(line, false),
            "T3" if self.v3 => self.lt(line, true),
            "HM" => self.hm(line),
            "SP" => self.sp(line),
            "TP" => self.tp(line),
            "S2" => self.s2(line),
            "SC" => self.sc(line),
            "SR" => self.sr(line),
            "EM" => self.em(line),
            "CS" => self.cs(),
            "SL" => self.sl(line),
            "NI" | "ND" | "SN" => self.count(name, line),
            "ST" => self.st(line),
            "CU" => self.cu(line),
            "R" => {
                self.print_name(false);
                self.acknowledge();
                self.reset();
            }
            // The board drops from the bus, and says nothing more.
            "RB" | "BL" => self.reset(),
            "SE" | "C" | "O" | "AC" | "PO" | "PD" | "PC" | "PG" | "T" | "MW" => {
                self.print_name(false);
                line.skip();
                self.acknowledge();
            }
            _ => return false,
        }
        true
    }

    /// A number that must be there; what is wrong with it is noted.
    pub(super) fn required(&mut self, line: &mut Line<'_>, kind: Kind) -> i64 {
        match line.number(kind) {
            Ok(number) => return number,
            Err(Absent::Missing) => self.errors.set(Errors::MISSING),
            Err(Absent::NoComma(_)) if self.errors.any() => {}
            Err(Absent::NoComma(byte)) => {
                self.print_named(&format!("!5 Err: Need comma next, found: '{}'", char::from(byte)));
                self.end_line("\r\n");
                self.errors.set(Errors::PRINTED);
            }
            Err(Absent::Limit) => self.errors.set(Errors::LIMIT),
        }
        0
    }

    /// A number that may be missing.
    pub(super) fn optional(&mut self, line: &mut Line<'_>, kind: Kind) -> Option<i64> {
        match line.number(kind) {
            Ok(number) => Some(number),
            Err(Absent::Limit) => {
                self.errors.set(Errors::LIMIT);
                None
            }
            Err(Absent::Missing | Absent::NoComma(_)) => None,
        }
    }

    fn sm(&mut self, line: &mut Line<'_>) {
        self.print_name(false);
        let ms = self.required(line, U32) as u32;
        let one = self.required(line, I32);
        let two = self.optional(line, I32).unwrap_or(0);
        let clear = self.optional(line, U32).unwrap_or(0);
        self.check_time(ms, if self.v3 { clear } else { 0 });
        if self.errors.any() || !self.check_rates(ms, [one, two]) {
            return;
        }
        if let Some(order) = self.simple(ms, [one, two], clear) {
            self.queue([order]);
        }
    }

    fn xm(&mut self, line: &mut Line<'_>) {
        self.print_name(false);
        let ms = self.required(line, U32) as u32;
        let (a, b) = (self.required(line, I32), self.required(line, I32));
        let clear = self.optional(line, U32).unwrap_or(0).min(3);
        self.check_time(ms, clear);
        let steps =
            [i64::from((a as i32).wrapping_add(b as i32)), i64::from((a as i32).wrapping_sub(b as i32))];
        if self.errors.any() {
            // Firmware 3.0.3 does not return here: the OK comes, and then the error.
            if self.v3 {
                self.acknowledge();
            }
            return;
        }
        if !self.check_rates(ms, steps) {
            return;
        }
        if let Some(order) = self.simple(ms, steps, clear) {
            self.queue([order]);
        }
    }

    fn check_time(&mut self, ms: u32, clear: i64) {
        if self.limit_checks && (ms == 0 || clear > 3) {
            self.errors.set(Errors::LIMIT);
        }
    }

    /// Firmware 2's limits of a simple move, in whole numbers as it has them. False when an error was printed.
    fn check_rates(&mut self, ms: u32, steps: [i64; 2]) -> bool {
        if self.v3 || !self.limit_checks {
            return true;
        }
        let ms = i64::from(ms);
        let mut trouble = (ms > MOST).then(|| "<move_duration> larger than 16777215 ms.".to_owned());
        for (motor, steps) in steps.iter().enumerate() {
            let (axis, steps) = (motor + 1, steps.abs());
            if steps > MOST {
                trouble = trouble.or_else(|| Some(format!("<axis{axis}> larger than 16777215 steps.")));
            } else if steps / ms > 25 {
                trouble = trouble.or_else(|| Some(format!("<axis{axis}> step rate > 25K steps/second.")));
            } else if steps != 0 && ms / 1311 >= steps {
                trouble = trouble.or_else(|| Some(format!("<axis{axis}> step rate < 1.31Hz.")));
            }
        }
        if let Some(trouble) = &trouble {
            self.print_named(&format!("!0 Err: {trouble}"));
            self.end_line("\n\r");
            // The rest of the line is no news.
        }
        trouble.is_none()
    }

    fn lm(&mut self, line: &mut Line<'_>, jerk: bool) {
        self.print_name(false);
        let mut low = Low::default();
        for motor in 0..2 {
            let rate = self.required(line, if self.v3 { I32 } else { U32 });
            low.rate[motor] = rate.min(0x7FFF_FFFF);
            low.steps[motor] = self.required(line, I32);
            low.acceleration[motor] = self.required(line, I32);
            if jerk {
                low.jerk[motor] = self.required(line, I32);
            }
        }
        low.clear = self.optional(line, U32).unwrap_or(0);
        if self.errors.any() {
            return;
        }
        let still = |motor: usize| {
            low.steps[motor] == 0
                || (low.rate[motor] == 0 && low.acceleration[motor] == 0 && low.jerk[motor] == 0)
        };
        if (self.limit_checks || !self.v3) && still(0) && still(1) {
            return self.errors.set(Errors::LIMIT);
        }
        self.low_level(low);
    }

    fn lt(&mut self, line: &mut Line<'_>, jerk: bool) {
        self.print_name(false);
        let intervals = self.required(line, U32) as u32;
        let mut low = Low { intervals: Some(intervals), ..Low::default() };
        for motor in 0..2 {
            low.rate[motor] = self.required(line, I32);
            low.acceleration[motor] = self.required(line, I32);
            if jerk {
                low.jerk[motor] = self.required(line, I32);
            }
        }
        low.clear = self.optional(line, U32).unwrap_or(0);
        if self.errors.any() {
            return;
        }
        if intervals == 0 {
            return self.errors.set(Errors::LIMIT);
        }
        self.low_level(low);
    }

    fn hm(&mut self, line: &mut Line<'_>) {
        self.print_name(false);
        let rate = self.required(line, U32) as u32;
        let one = self.optional(line, I32).unwrap_or(0);
        let two = self.optional(line, I32).unwrap_or(0);
        if rate == 0 {
            self.errors.set(Errors::LIMIT);
        }
        if self.errors.any() {
            if self.v3 {
                self.acknowledge();
            }
            return;
        }
        self.home_later(if self.v3 { rate.min(25_000) } else { rate }, [one, two]);
    }

    fn sp(&mut self, line: &mut Line<'_>) {
        self.print_name(false);
        let state = self.required(line, U8);
        let ms = self.optional(line, U16).unwrap_or(0) as u16;
        let pin = self.optional(line, U8);
        if self.errors.any() {
            return;
        }
        let pin = pin.filter(|pin| *pin <= 7).unwrap_or(1) as u8 + 3;
        if pin != self.servo.pin {
            self.servo.go(self.tick, self.servo.pin, 0, 0);
            self.servo.pin = pin;
        }
        if self.v3 && (state == 2 || state == 3) {
            // At once, beside the queue.
            let pulses = self.servo.pulses;
            self.power_servo();
            self.servo.go(self.tick, pin, pulses.up, pulses.up_rate);
            return self.acknowledge();
        }
        self.move_pen(state != 0, ms);
    }

    fn tp(&mut self, line: &mut Line<'_>) {
        self.print_name(false);
        let ms = self.optional(line, U16).unwrap_or(0) as u16;
        if !self.errors.any() {
            self.move_pen(!self.servo.state_up, ms);
        }
    }

    fn move_pen(&mut self, up: bool, ms: u16) {
        let pulses = self.servo.pulses;
        let (pulse, rate) = if up { (pulses.up, pulses.up_rate) } else { (pulses.down, pulses.down_rate) };
        self.power_servo();
        let ticks = 25 * u64::from(ms);
        self.queue([Order::Servo { pin: self.servo.pin, pulse, rate, ticks }]);
    }

    fn power_servo(&mut self) {
        let ticks = u64::from(self.servo_timeout) * 25;
        self.servo_power_until = Some(if ticks == 0 { u64::MAX } else { self.tick + ticks });
    }

    fn s2(&mut self, line: &mut Line<'_>) {
        let pulse = self.optional(line, U16).unwrap_or(0) as u16;
        let pin = self.optional(line, U8).unwrap_or(0) as u8;
        let rate = self.optional(line, U16).unwrap_or(0) as u16;
        let ms = self.optional(line, U16).unwrap_or(0);
        self.print_name(false);
        if self.errors.any() {
            return;
        }
        if pin > 24 {
            return self.errors.set(Errors::LIMIT);
        }
        if pulse == 0 {
            self.servo.go(self.tick, pin, 0, 0);
            return self.acknowledge();
        }
        if pin == 4 {
            self.power_servo();
        }
        self.queue([Order::Servo { pin, pulse, rate, ticks: 25 * ms as u64 }]);
    }

    fn sc(&mut self, line: &mut Line<'_>) {
        self.print_name(false);
        let what = self.required(line, U8);
        let value = self.required(line, U16) as u16;
        if self.errors.any() {
            return;
        }
        let pulses = &mut self.servo.pulses;
        match what {
            4 => pulses.up = value,
            5 => pulses.down = value,
            10 => (pulses.up_rate, pulses.down_rate) = (value, value),
            11 => pulses.up_rate = value,
            12 => pulses.down_rate = value,
            // The rest is accepted, and unknown numbers are ignored.
            _ => {}
        }
        self.acknowledge();
    }

    fn sr(&mut self, line: &mut Line<'_>) {
        self.print_name(false);
        let timeout = self.required(line, U32) as u32;
        let state = self.optional(line, U8);
        if self.errors.any() {
            return;
        }
        self.servo_timeout = timeout;
        match state {
            Some(0) => self.servo_power_until = None,
            Some(_) => self.power_servo(),
            None => {}
        }
        self.acknowledge();
    }

    fn em(&mut self, line: &mut Line<'_>) {
        self.print_name(false);
        let one = self.required(line, U8);
        if self.errors.any() {
            return;
        }
        let two = self.optional(line, U8);
        if self.errors.any() {
            return;
        }
        match two {
            Some(two) => self.queue([Order::Enable { modes: [one as u8, two as u8] }]),
            // Firmware 3.0.3 forgets to answer, and does nothing.
            None if self.v3 => {}
            None => {
                let second = u8::from(self.enabled[1]);
                self.queue([Order::Enable { modes: [one as u8, second] }]);
            }
        }
    }

    fn cs(&mut self) {
        self.print_name(false);
        let so_far = self.steps_so_far();
        // What runs goes on counting from here.
        self.counters = so_far.map(|steps| -steps);
        self.accumulators = [0; 2];
        self.acknowledge();
    }

    fn sl(&mut self, line: &mut Line<'_>) {
        self.print_name(false);
        let value = self.required(line, U8);
        let index = if self.v3 { self.optional(line, U8).unwrap_or(0) } else { 0 };
        if self.errors.any() {
            return;
        }
        self.storage[index.clamp(0, 31) as usize] = value as u8;
        self.acknowledge();
    }

    fn count(&mut self, name: &str, line: &mut Line<'_>) {
        self.print_name(false);
        match name {
            "NI" => self.nodes = self.nodes.saturating_add(1),
            "ND" => self.nodes = self.nodes.saturating_sub(1),
            _ => {
                let value = self.required(line, U32);
                if self.errors.any() {
                    return;
                }
                self.nodes = value as u32;
            }
        }
        self.acknowledge();
    }

    fn st(&mut self, line: &mut Line<'_>) {
        self.print_name(false);
        self.nickname = line.text(16);
        self.acknowledge();
    }

    fn cu(&mut self, line: &mut Line<'_>) {
        // In the syntax that is in force before it; the line's end is in that after it.
        self.print_name(false);
        let what = self.required(line, U8);
        let value = self.required(line, I16);
        if self.errors.any() {
            return;
        }
        let flag = (0..=1).contains(&value);
        let switch = value == 1;
        match what {
            1 if flag => self.acknowledges = switch,
            2 if flag => self.limit_checks = switch,
            1 | 2 => self.errors.set(Errors::LIMIT),
            _ if !self.v3 => {}
            4 => {
                let depth = value.clamp(1, 32) as usize;
                if !self.is_idle() {
                    self.stuck = Some(Stuck::Depth(depth));
                    return;
                }
                self.depth = depth;
            }
            10 if flag => self.future = switch,
            3 if flag => {}
            50 => self.enables_motors = value != 0,
            51 => {
                self.limits.mask = (value & 0xFF) as u8;
                self.limits.triggered &= self.limits.mask != 0;
            }
            52 => self.limits.target = (value & 0xFF) as u8,
            53 => self.limits.tells = switch,
            54 => self.checksums = switch,
            61 => {}
            60 => self.power_threshold = (value & 0x3FF) as u16,
            _ => self.errors.set(Errors::LIMIT),
        }
        self.acknowledge();
    }
}
