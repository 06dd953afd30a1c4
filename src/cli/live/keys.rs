//! What the keys mean.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use traceur_app::status::Phase;

/// What a person wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    Pause,
    /// After a pause, or with the new pen in.
    GoOn,
    Skip,
    /// At the end of a motion, to be resumed.
    Stop,
    /// Now.
    Abort,
    Faster,
    Slower,
    NormalSpeed,
    PenHigher,
    PenLower,
    /// A few lines outside the drawing, with the new pen.
    Scribble,
}

/// What this machine can do while it draws.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Abilities {
    /// A speed override.
    pub(super) speed: bool,
    /// Its pen's heights can be set.
    pub(super) heights: bool,
    /// There is room for a scribble.
    pub(super) scribble: bool,
}

/// What a key leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Wish(Wish),
    /// Why nothing happens.
    Say(&'static str),
    Nothing,
}

/// What this key means in this phase.
pub(super) fn answer(key: KeyEvent, phase: Phase, can: Abilities) -> Answer {
    use Answer::{Nothing, Say};
    if key.kind == KeyEventKind::Release || phase == Phase::Over {
        return Nothing;
    }
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    let waits = matches!(phase, Phase::Paused | Phase::PenChange);
    let wish = match key.code {
        KeyCode::Char('c' | '\\') if control => match phase {
            Phase::Stopping => Wish::Abort,
            _ => Wish::Stop,
        },
        _ if control => return Nothing,
        // A held key is no second wish to stop.
        KeyCode::Char('q' | 'Q') if phase != Phase::Stopping => Wish::Stop,
        _ if phase == Phase::Stopping => return Say("stopping; Ctrl-C again ends it at once"),
        KeyCode::Char(' ') => match phase {
            Phase::Drawing => Wish::Pause,
            Phase::Pausing | Phase::Paused => Wish::GoOn,
            Phase::PenChange => return Say("Enter goes on with the new pen"),
            _ => return Nothing,
        },
        KeyCode::Enter if waits => Wish::GoOn,
        KeyCode::Char('t' | 'T') if phase == Phase::PenChange => {
            if !can.scribble {
                return Say("there is no room for a scribble beside the drawing");
            }
            Wish::Scribble
        }
        KeyCode::Char('s' | 'S') if matches!(phase, Phase::Drawing | Phase::Paused) => Wish::Skip,
        KeyCode::Char('+' | '-' | '=' | '0') if !can.speed => {
            return Say("this machine has no speed override: a pen's own `speed` slows it down");
        }
        KeyCode::Char('+' | '=') => Wish::Faster,
        KeyCode::Char('-') => Wish::Slower,
        KeyCode::Char('0') => Wish::NormalSpeed,
        KeyCode::Char('u' | 'U' | 'd' | 'D') if !can.heights => {
            return Say("this machine's pen has no height that could be set");
        }
        KeyCode::Char('u' | 'U' | 'd' | 'D') if !waits => {
            return Say("pause first (space): then u and d move the pen");
        }
        KeyCode::Char('u' | 'U') => Wish::PenHigher,
        KeyCode::Char('d' | 'D') => Wish::PenLower,
        _ => return Nothing,
    };
    Answer::Wish(wish)
}

/// The keys that do something in this phase, and what; the most important first.
pub(super) fn help(phase: Phase, can: Abilities) -> Vec<(&'static str, &'static str)> {
    let mut keys = match phase {
        Phase::Connecting => return vec![("q", "stop")],
        Phase::Drawing => vec![("space", "pause")],
        Phase::Pausing | Phase::Paused => vec![("space", "go on")],
        Phase::PenChange => vec![("Enter", "go on")],
        Phase::Stopping => return vec![("Ctrl-C", "end at once, pen up")],
        Phase::Over => return vec![],
    };
    keys.push(("q", "stop"));
    if phase == Phase::PenChange && can.scribble {
        keys.push(("t", "test the pen"));
    }
    if matches!(phase, Phase::Drawing | Phase::Paused) {
        keys.push(("s", "skip stroke"));
    }
    if can.heights && matches!(phase, Phase::Paused | Phase::PenChange) {
        keys.push(("u d", "pen height"));
    }
    if can.speed && phase == Phase::Drawing {
        keys.push(("+ -", "speed"));
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Abilities = Abilities { speed: true, heights: true, scribble: true };
    const FEW: Abilities = Abilities { speed: false, heights: false, scribble: false };

    fn key(c: char) -> KeyEvent {
        KeyEvent::new(if c == '\n' { KeyCode::Enter } else { KeyCode::Char(c) }, KeyModifiers::NONE)
    }

    fn wish(c: char, phase: Phase, can: Abilities) -> Answer {
        answer(key(c), phase, can)
    }

    #[test]
    fn space_pauses_and_goes_on() {
        assert_eq!(wish(' ', Phase::Drawing, FEW), Answer::Wish(Wish::Pause));
        assert_eq!(wish(' ', Phase::Paused, FEW), Answer::Wish(Wish::GoOn));
        assert!(matches!(wish(' ', Phase::PenChange, FEW), Answer::Say(_)), "an idle hand changes no pen");
        assert_eq!(wish('\n', Phase::PenChange, FEW), Answer::Wish(Wish::GoOn));
        assert_eq!(wish('\n', Phase::Drawing, FEW), Answer::Nothing);
    }

    #[test]
    fn the_second_ctrl_c_ends_at_once_and_q_never_does() {
        let interrupt = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        assert_eq!(answer(interrupt, Phase::Drawing, FEW), Answer::Wish(Wish::Stop));
        assert_eq!(answer(interrupt, Phase::Stopping, FEW), Answer::Wish(Wish::Abort));
        assert_eq!(wish('q', Phase::Drawing, FEW), Answer::Wish(Wish::Stop));
        assert!(matches!(wish('q', Phase::Stopping, FEW), Answer::Say(_)));
        assert_eq!(answer(interrupt, Phase::Over, FEW), Answer::Nothing);
    }

    #[test]
    fn heights_move_only_while_the_pen_waits() {
        assert!(matches!(wish('u', Phase::Drawing, ALL), Answer::Say(_)));
        assert_eq!(wish('u', Phase::Paused, ALL), Answer::Wish(Wish::PenHigher));
        assert_eq!(wish('d', Phase::PenChange, ALL), Answer::Wish(Wish::PenLower));
    }

    #[test]
    fn what_a_machine_can_not_do_is_said() {
        for c in ['+', '-', '0', 'u'] {
            assert!(matches!(wish(c, Phase::Drawing, FEW), Answer::Say(_)), "{c}");
        }
        assert!(matches!(wish('t', Phase::PenChange, FEW), Answer::Say(_)));
    }

    #[test]
    fn every_key_of_the_help_line_does_what_it_says() {
        let phases = [Phase::Drawing, Phase::Paused, Phase::PenChange, Phase::Stopping, Phase::Connecting];
        for (phase, can) in phases.into_iter().flat_map(|phase| [(phase, ALL), (phase, FEW)]) {
            for (keys, what) in help(phase, can) {
                let pressed: Vec<KeyEvent> = match keys {
                    "space" => vec![key(' ')],
                    "Enter" => vec![key('\n')],
                    "Ctrl-C" => vec![KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL)],
                    letters => letters.split(' ').map(|c| key(c.chars().next().unwrap())).collect(),
                };
                for pressed in pressed {
                    let answer = answer(pressed, phase, can);
                    assert!(matches!(answer, Answer::Wish(_)), "{phase:?} {keys} {what}: {answer:?}");
                }
            }
        }
    }
}
