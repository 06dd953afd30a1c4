//! What GRBL's numbers mean, and what to do about them.

/// What `error:N` means (gnea/grbl 1.1h, `report.h` and `gcode.c`).
#[must_use]
pub fn error_meaning(code: u32) -> &'static str {
    match code {
        1 => "a word has no letter: the line is garbled or is not G-code",
        2 => "a number is missing or malformed",
        3 => "the `$` command is not known to this firmware",
        4 => "a value that must be positive is negative",
        5 => "homing is not enabled (`$22=0`)",
        6 => "the step pulse must be at least 3 µs (`$0`)",
        7 => "the settings could not be read: the firmware restored its defaults",
        8 => "this command needs an idle machine",
        9 => "the machine is locked by an alarm or a jog: home it with `$H` or unlock it with `$X`",
        10 => "soft limits need homing (`$22=1`)",
        11 => "the line is longer than the firmware's line buffer",
        12 => "the setting would make the step rate too high",
        13 => "the safety door is open",
        14 => "the start-up line or build info is longer than its memory",
        15 => "the jog would leave the bed",
        16 => "the jog has no `=` or holds a forbidden word",
        17 => "laser mode needs a PWM output",
        20 => "this G-code command is not supported",
        21 => "two commands of one modal group stand in one line",
        22 => "no feed rate has been set (F)",
        23 => "this G or M command needs a whole number",
        24 => "two commands of this line both want the axis words",
        25 => "a word is repeated in the line",
        26 => "the command needs axis words and has none",
        27 => "the line number is out of range",
        28 => "a value word is missing (such as P or L)",
        29 => "this work coordinate system is not supported",
        30 => "G53 works with G0 and G1 only",
        31 => "axis words stand in a line that does not use them",
        32 => "the arc has no axis words in its plane",
        33 => "the arc can't be drawn: its end does not lie on its circle",
        34 => "the arc's radius is too small for its end point",
        35 => "the arc has no centre offset in its plane",
        36 => "the line holds words that no command uses",
        37 => "the tool length offset works on one axis only",
        38 => "the tool number is too high",
        _ => "not in the list of GRBL 1.1",
    }
}

/// What `ALARM:N` means (gnea/grbl 1.1h, `report.h`).
#[must_use]
pub fn alarm_meaning(code: u32) -> &'static str {
    match code {
        1 => "a limit switch was hit: the position is lost, home the machine again",
        2 => "the target lies outside the soft limits: is the page placed on the bed?",
        3 => "reset while moving: the position is lost, home the machine again",
        4 => "the probe was not in its starting state",
        5 => "the probe touched nothing",
        6 => "homing was interrupted by a reset",
        7 => "homing was interrupted by the safety door",
        8 => "homing could not leave the limit switch",
        9 => "homing found no limit switch",
        10 => "homing found no second limit switch",
        _ => "not in the list of GRBL 1.1",
    }
}
