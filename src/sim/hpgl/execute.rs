//! The instructions, one by one.

use std::ops::RangeInclusive;

use super::VirtualHpgl;
use super::carriage::Move;
use super::drafter::Fill;
use super::letters::{Direction, Letters, Size};
use super::parser::{Mnemonic, Step};
use kurbo::Rect;
use traceur_core::geometry::Point;

/// Beyond this no coordinate goes.
const FARTHEST: f64 = 32_767.999_9;

impl VirtualHpgl {
    pub(super) fn execute(&mut self, step: Step) {
        match step {
            Step::Begin(name) => match &name {
                b"PU" => self.drafter.lift(),
                b"PD" if self.lever_up => self.fail(8, name),
                b"PD" => self.drafter.lower(),
                _ => self.drafter.relative = name == *b"PR",
            },
            Step::Pair(name, pair) => self.pair(name, pair),
            Step::End(_, 0) => {}
            Step::End(name, _) => self.fail(2, name),
            Step::Do(name, params) => self.instruction(name, &params),
            Step::Character(name, character) => match (&name, character) {
                (b"DT", None) => self.parser.terminator = 3,
                (b"DT", Some(5 | 27 | 0 | 128..)) => self.fail(3, name),
                (b"DT", Some(character)) => self.parser.terminator = character,
                (_, Some(0..=32 | 127..)) => self.symbol = None,
                (_, character) => self.symbol = character,
            },
            Step::Letter(byte) => {
                if self.lever_up {
                    self.fail(8, *b"LB");
                } else {
                    self.letters.letter(&mut self.drafter, byte);
                }
            }
            Step::LabelEnd => {}
            Step::Stray(byte) => self.fail(1, [byte, b' ']),
        }
    }

    fn pair(&mut self, name: Mnemonic, pair: [f64; 2]) {
        if self.lever_up {
            return self.fail(8, name);
        }
        let to = match self.place(pair, self.drafter.relative) {
            Ok(to) => to,
            Err(code) => return self.fail(code, name),
        };
        self.drafter.vector(to);
        self.letters.margin = self.drafter.at;
        if self.symbol.is_some() {
            self.letters.symbol(&mut self.drafter);
        }
    }

    /// Where a pair of coordinates leads, unless it is out of range (3), or leads beyond what numbers hold (6). Whole numbers
    /// count when there is no scaling.
    fn place(&self, pair: [f64; 2], relative: bool) -> Result<Point, u8> {
        if pair.iter().any(|value| value.abs() > FARTHEST) {
            return Err(3);
        }
        let pair = if self.drafter.scale.is_none() { pair.map(f64::trunc) } else { pair };
        let to = self.drafter.target(pair, relative).round();
        if to.x.abs() <= FARTHEST && to.y.abs() <= FARTHEST { Ok(to) } else { Err(6) }
    }

    fn instruction(&mut self, name: Mnemonic, params: &[f64]) {
        let text = String::from_utf8_lossy(&name).into_owned();
        if !self.hpgl.knows(&text) {
            return self.fail(1, name);
        }
        let is_extra = self.hpgl.instructions.contains(&text);
        let done = match &name {
            b"IN" | b"DF" | b"IP" | b"SC" | b"IW" | b"PS" | b"RO" | b"IM" => self.set_up(name, params),
            b"SP" | b"VS" | b"LT" | b"FT" | b"PT" | b"TL" | b"FS" | b"AS" if !is_force(name) || is_extra => {
                self.choose(name, params)
            }
            b"CI" | b"AA" | b"AR" | b"EA" | b"ER" | b"RA" | b"RR" | b"EW" | b"WG" | b"XT" | b"YT" => {
                if self.lever_up { Err(8) } else { self.draw(name, params) }
            }
            b"SI" | b"SR" | b"DI" | b"DR" | b"SL" | b"CP" | b"CA" | b"CS" | b"SA" | b"SS" | b"UC" => {
                self.write(name, params)
            }
            [b'O', _] | b"DP" | b"DC" => self.answer(name, params),
            b"AP" | b"AF" | b"PG" | b"AH" | b"EC" | b"VA" | b"VN" => Ok(()),
            _ if is_extra => {
                self.object(name, 0);
                Ok(())
            }
            _ => Err(1),
        };
        if let Err(code) = done {
            self.fail(code, name);
        }
    }

    fn set_up(&mut self, name: Mnemonic, params: &[f64]) -> Result<(), u8> {
        match &name {
            b"IN" => {
                count(params, 0..=1)?;
                self.drafter.initialize();
                self.default_values();
                self.error = 0;
                self.initialized = true;
                self.scaling_points_changed = true;
            }
            b"DF" => {
                count(params, 0..=0)?;
                self.default_values();
            }
            b"IP" => match params {
                [] => {
                    self.drafter.default_scaling_points();
                    self.scaling_points_changed = true;
                }
                [x, y] | [x, y, _, _] => {
                    within(params, -FARTHEST..=FARTHEST)?;
                    let p1 = Point::new(x.trunc(), y.trunc());
                    self.drafter.p2 = match params {
                        [_, _, x, y] => Point::new(x.trunc(), y.trunc()),
                        _ => self.drafter.p2 + (p1 - self.drafter.p1),
                    };
                    self.drafter.p1 = p1;
                    // A point on the other's line would make a scale of nothing.
                    if self.drafter.p1.x == self.drafter.p2.x {
                        self.drafter.p2.x += 1.0;
                    }
                    if self.drafter.p1.y == self.drafter.p2.y {
                        self.drafter.p2.y += 1.0;
                    }
                    self.scaling_points_changed = true;
                }
                _ => return Err(2),
            },
            b"SC" => match params {
                [] => self.drafter.scale = None,
                [x0, x1, y0, y1] => {
                    within(params, -FARTHEST..=FARTHEST)?;
                    if x0 == x1 || y0 == y1 {
                        return Err(3);
                    }
                    self.drafter.scale = Some([*x0, *x1, *y0, *y1]);
                }
                _ => return Err(2),
            },
            b"IW" => match params {
                [] => self.drafter.window = self.drafter.hard_clip(),
                [x0, y0, x1, y1] => {
                    within(params, -FARTHEST..=FARTHEST)?;
                    let (a, b) = (self.drafter.user_point([*x0, *y0]), self.drafter.user_point([*x1, *y1]));
                    let window = Rect::from_points(a.round(), b.round());
                    self.drafter.window = window.intersect(self.drafter.hard_clip());
                }
                _ => return Err(2),
            },
            b"PS" => self.load(params)?,
            b"RO" => {
                count(params, 0..=1)?;
                let rotated = match params.first().map_or(0.0, |angle| angle.trunc()) {
                    0.0 => false,
                    90.0 => true,
                    _ => return Err(3),
                };
                if rotated != self.drafter.rotated {
                    let sheet = self.drafter.to_sheet(self.drafter.at);
                    self.drafter.rotated = rotated;
                    self.drafter.window = self.drafter.hard_clip();
                    self.drafter.forget(sheet, self.carriage.down);
                }
            }
            _ => {
                count(params, 0..=3)?;
                within(params, 0.0..=255.0)?;
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 255")]
                let mask = params.first().map_or(223, |mask| *mask as u32);
                self.error_mask = mask;
            }
        }
        Ok(())
    }

    fn default_values(&mut self) {
        self.drafter.default_values();
        self.letters = Letters { margin: self.drafter.at, ..Letters::new() };
        self.symbol = None;
        self.ticks = [0.5, 0.5];
        self.error_mask = 223;
        self.parser.terminator = 3;
        self.drafter.moves.push(Move::Speed(self.limits[0], self.limits[1]));
    }

    /// `PS`: 0 to 3 is the larger of the two sheets that a switch tells apart, 4 to 127 the smaller. A real plotter's rear
    /// switch tells metric sheets from US ones; here the number does, as the profile has it.
    fn load(&mut self, params: &[f64]) -> Result<(), u8> {
        count(params, 0..=1)?;
        within(params, 0.0..=127.0)?;
        let Some(ps) = params.first() else { return Ok(()) };
        let large = *ps < 4.0;
        let papers = || self.hpgl.papers.iter().filter_map(|paper| Some((paper, paper.ps?)));
        let same = papers().find(|(_, word)| f64::from(*word) == ps.trunc());
        let paper = same.or_else(|| papers().find(|(_, word)| (*word < 4) == large)).map(|(paper, _)| paper);
        if let Some(paper) = paper.filter(|paper| **paper != self.drafter.paper) {
            self.drafter.paper = paper.clone();
            self.drafter.default_scaling_points();
            self.drafter.window = self.drafter.hard_clip();
        }
        Ok(())
    }

    fn choose(&mut self, name: Mnemonic, params: &[f64]) -> Result<(), u8> {
        match &name {
            b"SP" => {
                count(params, 0..=1)?;
                let pen = params.first().map_or(0.0, |pen| pen.trunc());
                // A pen that the carousel has no place for is not looked for.
                if (0.0..=f64::from(self.hpgl.pens)).contains(&pen) {
                    self.drafter.lift();
                    #[expect(
                        clippy::cast_possible_truncation,
                        clippy::cast_sign_loss,
                        reason = "0 to the carousel's places"
                    )]
                    let pen = self.stall(pen as u32);
                    self.drafter.moves.push(Move::Fetch(pen));
                }
            }
            b"VS" => {
                count(params, 0..=2)?;
                within(params, 0.0..=127.999_9)?;
                let (speed, acceleration) = match params.first() {
                    None => (self.limits[0], self.limits[1]),
                    Some(speed) => {
                        let step = self.hpgl.speed_step;
                        // A hair more, so that 0.1 cm/s counts of 1 mm/s steps.
                        let speed = (speed * 10.0 / step + 1e-6).floor().max(1.0) * step;
                        (
                            speed.min(self.limits[0]),
                            self.hpgl.set_speed_acceleration.unwrap_or(self.limits[1]),
                        )
                    }
                };
                self.drafter.moves.push(Move::Speed(speed, acceleration));
            }
            b"LT" => match params {
                [] => self.drafter.line_type = None,
                [kind, length @ ..] if length.len() <= 1 => {
                    within(&[*kind], -6.0..=6.0)?;
                    within(length, 0.0..=127.999_9)?;
                    #[expect(clippy::cast_possible_truncation, reason = "-6 to 6")]
                    let kind = kind.trunc() as i32;
                    self.drafter.line_type = Some(kind);
                    if let Some(length) = length.first().filter(|length| **length > 0.0) {
                        self.drafter.pattern_length = *length;
                    }
                }
                _ => return Err(2),
            },
            b"FT" => {
                count(params, 0..=3)?;
                let kind = params.first().map_or(1.0, |kind| kind.trunc());
                within(&[kind], 1.0..=5.0)?;
                let (ux, _) = self.drafter.user_unit();
                let spacing =
                    params.get(1).filter(|spacing| **spacing > 0.0).map(|spacing| spacing * ux.abs());
                let angle = params.get(2).copied().unwrap_or(0.0);
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "1 to 5")]
                let kind = kind as u32;
                self.drafter.fill = Fill { kind, spacing, angle };
            }
            b"PT" => {
                count(params, 0..=1)?;
                within(params, 0.1..=5.0)?;
                self.drafter.pen_thickness = params.first().copied().unwrap_or(0.3);
            }
            b"TL" => {
                count(params, 0..=2)?;
                within(params, -127.999_9..=127.999_9)?;
                self.ticks = match params {
                    [] => [0.5, 0.5],
                    [up] => [*up, 0.0],
                    _ => [params[0], params[1]],
                };
            }
            // FS and AS change nothing that can be seen.
            _ => count(params, 0..=2)?,
        }
        Ok(())
    }

    fn draw(&mut self, name: Mnemonic, params: &[f64]) -> Result<(), u8> {
        match &name {
            b"CI" => {
                count(params, 1..=2)?;
                let center = self.drafter.to_user(self.drafter.at);
                let points = self.arc(center, params[0], 0.0, 360.0, params.get(1))?;
                self.drafter.outline(&points);
            }
            b"AA" | b"AR" => {
                count(params, 3..=4)?;
                let center = self.place([params[0], params[1]], name == *b"AR")?;
                let (center, at) = (self.drafter.to_user(center), self.drafter.to_user(self.drafter.at));
                let (dx, dy) = (at[0] - center[0], at[1] - center[1]);
                let points =
                    self.arc(center, dx.hypot(dy), dy.atan2(dx).to_degrees(), params[2], params.get(3))?;
                for point in &points[1..] {
                    self.drafter.vector(*point);
                }
            }
            b"EA" | b"ER" | b"RA" | b"RR" => {
                count(params, 2..=2)?;
                let (from, to) = (self.drafter.at, self.place([params[0], params[1]], name[1] == b'R')?);
                let edge = [from, Point::new(to.x, from.y), to, Point::new(from.x, to.y), from];
                if name[0] == b'E' {
                    self.drafter.outline(&edge);
                } else {
                    self.drafter.hatch(&edge);
                }
            }
            b"EW" | b"WG" => {
                count(params, 3..=4)?;
                let center = self.drafter.to_user(self.drafter.at);
                let mut edge = self.arc(center, params[0], params[1], params[2], params.get(3))?;
                if params[2].abs() < 360.0 {
                    edge.insert(0, self.drafter.at);
                    edge.push(self.drafter.at);
                }
                if name == *b"EW" {
                    self.drafter.outline(&edge);
                } else {
                    self.drafter.hatch(&edge);
                }
            }
            _ => {
                count(params, 0..=0)?;
                let span = self.drafter.p2 - self.drafter.p1;
                let (length, x) = if name == *b"XT" { (span.y, 0.0) } else { (span.x, 1.0) };
                let tick = |share: f64| {
                    let along = share / 100.0 * length.abs();
                    self.drafter.at + kurbo::Vec2::new(along * x, along * (1.0 - x))
                };
                let ends = [tick(self.ticks[0]), tick(-self.ticks[1])];
                self.drafter.outline(&ends);
            }
        }
        Ok(())
    }

    /// Points on a circle around `center` (user units), angles in degrees, the chords all alike; plotter units.
    fn arc(
        &self,
        center: [f64; 2],
        radius: f64,
        start: f64,
        sweep: f64,
        chord: Option<&f64>,
    ) -> Result<Vec<Point>, u8> {
        let chord = chord.map_or(5.0, |chord| chord.abs());
        if !(0.1..=120.0).contains(&chord) || sweep.abs() > FARTHEST || radius.abs() > FARTHEST {
            return Err(3);
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 32768 / 0.1")]
        let count = (sweep.abs() / chord - 1e-9).ceil().max(1.0) as u32;
        let point = |index: u32| {
            let angle = (start + sweep * f64::from(index) / f64::from(count)).to_radians();
            self.drafter.user_point([center[0] + radius * angle.cos(), center[1] + radius * angle.sin()])
        };
        Ok((0..=count).map(point).collect())
    }

    fn write(&mut self, name: Mnemonic, params: &[f64]) -> Result<(), u8> {
        let pair = |default: [f64; 2]| match params {
            [] => Ok(default),
            [a, b] => Ok([*a, *b]),
            _ => Err(2),
        };
        match &name {
            b"SI" | b"SR" => {
                within(params, -127.999_9..=127.999_9)?;
                self.letters.size = if name == *b"SI" {
                    let default =
                        if self.drafter.paper.width > 350.0 { [0.285, 0.375] } else { [0.187, 0.269] };
                    let [width, height] = pair(default)?;
                    Size::Absolute(width * 10.0, height * 10.0)
                } else {
                    let [width, height] = pair([0.75, 1.5])?;
                    Size::Relative(width, height)
                };
            }
            b"DI" | b"DR" => {
                within(params, -FARTHEST..=FARTHEST)?;
                let [run, rise] = pair([1.0, 0.0])?;
                if run == 0.0 && rise == 0.0 {
                    return Err(3);
                }
                self.letters.direction = if name == *b"DI" {
                    Direction::Absolute(run, rise)
                } else {
                    Direction::Relative(run / 100.0, rise / 100.0)
                };
                self.letters.margin = self.drafter.at;
            }
            b"SL" => {
                count(params, 0..=1)?;
                within(params, -3.5..=3.5)?;
                self.letters.slant = params.first().copied().unwrap_or(0.0);
            }
            b"CP" => match params {
                [] => {
                    self.letters.letter(&mut self.drafter, 13);
                    self.letters.letter(&mut self.drafter, 10);
                }
                [cells, lines] => {
                    within(params, -127.999_9..=127.999_9)?;
                    self.letters.advance(&mut self.drafter, *cells, *lines);
                }
                _ => return Err(2),
            },
            b"CA" | b"CS" => {
                count(params, 0..=1)?;
                let set = params.first().map_or(0.0, |set| set.trunc());
                let known =
                    (0.0..=4.0).contains(&set) || (6.0..=9.0).contains(&set) || (30.0..=39.0).contains(&set);
                if !known {
                    return Err(5);
                }
            }
            b"UC" => self.letters.user_defined(&mut self.drafter, params),
            _ => count(params, 0..=0)?,
        }
        Ok(())
    }

    fn answer(&mut self, name: Mnemonic, params: &[f64]) -> Result<(), u8> {
        count(params, 0..=0)?;
        let drafter = &self.drafter;
        let pen = u8::from(self.carriage.down);
        let at = drafter.to_host(self.carriage.at);
        let text = match &name {
            b"OI" => self.hpgl.identity.clone(),
            b"OH" => rectangle(drafter.hard_clip()),
            b"OW" => rectangle(drafter.window),
            b"OP" => {
                self.scaling_points_changed = false;
                let (p1, p2) = (self.drafter.p1, self.drafter.p2);
                format!("{:.0},{:.0},{:.0},{:.0}", p1.x, p1.y, p2.x, p2.y)
            }
            b"OA" => format!("{:.0},{:.0},{pen}", at.x + 0.0, at.y + 0.0),
            b"OC" => {
                let [x, y] = drafter.to_user(drafter.at);
                let decimals = if drafter.scale.is_some() { 4 } else { 0 };
                format!("{:.decimals$},{:.decimals$},{}", x + 0.0, y + 0.0, u8::from(drafter.pen_down))
            }
            b"OE" => std::mem::take(&mut self.error).to_string(),
            b"OF" => "40,40".into(),
            b"OO" => "0,1,0,0,1,0,0,0".into(),
            b"OS" => {
                let status = self.status();
                self.initialized = false;
                status.to_string()
            }
            b"OD" => {
                let (point, down) = self.digitized.take().unwrap_or((at, self.carriage.down));
                format!("{:.0},{:.0},{}", point.x + 0.0, point.y + 0.0, u8::from(down))
            }
            // DP waits for ENTER without holding anything up; DC ends that.
            b"DP" | b"DC" => return Ok(()),
            _ if self.hpgl.instructions.iter().any(|extra| extra.as_bytes() == name) => {
                self.object(name, 0);
                "0".into()
            }
            _ => return Err(1),
        };
        self.say(&text);
        Ok(())
    }

    fn status(&self) -> u32 {
        let bit = |is: bool, value: u32| if is { value } else { 0 };
        bit(self.carriage.down, 1)
            + bit(self.scaling_points_changed, 2)
            + bit(self.digitized.is_some(), 4)
            + bit(self.initialized, 8)
            + bit(!self.lever_up, 16)
            + bit(self.error != 0, 32)
    }
}

/// Whether it is about force or acceleration, which only some models have.
fn is_force(name: Mnemonic) -> bool {
    matches!(&name, b"FS" | b"AS")
}

fn rectangle(rect: Rect) -> String {
    format!("{:.0},{:.0},{:.0},{:.0}", rect.x0, rect.y0, rect.x1, rect.y1)
}

fn count(params: &[f64], range: RangeInclusive<usize>) -> Result<(), u8> {
    if range.contains(&params.len()) { Ok(()) } else { Err(2) }
}

fn within(params: &[f64], range: RangeInclusive<f64>) -> Result<(), u8> {
    if params.iter().all(|value| range.contains(value)) { Ok(()) } else { Err(3) }
}
