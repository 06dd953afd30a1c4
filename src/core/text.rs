//! Texts that come from files or from the system, on their way to people.

/// Whether a character steers a screen: it is a control character, or turns the direction of writing.
#[must_use]
pub fn steers(c: char) -> bool {
    let turns = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    c.is_control() || turns
}

/// Without what steers a screen: no file is to do so, or to break XML.
#[must_use]
pub fn printable(text: &str) -> String {
    text.chars().filter(|c| !steers(*c)).collect()
}

/// The system's words for an error of files or ports, without its number, to stand in a sentence.
#[must_use]
pub fn os_reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_lowercase()
}
