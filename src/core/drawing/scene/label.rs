//! The words in a layer's label that AxiDraw's software understands.

/// A layer's label, taken apart by AxiDraw's grammar: `%` or `!`, a number, `+D`, `+H` and `+S` in any order, a name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Label {
    /// `%`: documentation, never drawn.
    pub is_left_out: bool,
    /// `!`: stop before this layer.
    pub pause: bool,
    /// Leading number.
    pub number: Option<u32>,
    /// `+D`: wait before each stroke; milliseconds.
    pub delay_ms: Option<u32>,
    /// `+H`: height of the lowered pen; percent of its travel.
    pub height_percent: Option<u32>,
    /// `+S`: speed of drawing; percent of the machine's.
    pub speed_percent: Option<u32>,
    /// The rest.
    pub name: String,
}

impl Label {
    /// Takes a label apart. Any text is a label.
    ///
    /// ```
    /// # use traceur_core::drawing::scene::Label;
    /// let label = Label::parse("!2 +S40 +d250 Micron 05");
    /// assert_eq!((label.pause, label.number, label.speed_percent), (true, Some(2), Some(40)));
    /// assert_eq!((label.delay_ms, label.name.as_str()), (Some(250), "Micron 05"));
    /// assert!(Label::parse("% notes").is_left_out);
    /// ```
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut label = Self::default();
        let mut rest = text.trim();
        if let Some(after) = rest.strip_prefix('%') {
            return Self { is_left_out: true, name: after.trim().into(), ..label };
        }
        if let Some(after) = rest.strip_prefix('!') {
            (label.pause, rest) = (true, after.trim_start());
        }
        if let Some((number, after)) = leading_number(rest) {
            (label.number, rest) = (Some(number), after);
        }
        while let Some(code) = rest.trim_start().strip_prefix('+') {
            let mut letters = code.chars();
            let field = match letters.next().map(|letter| letter.to_ascii_lowercase()) {
                Some('d') => &mut label.delay_ms,
                Some('h') => &mut label.height_percent,
                Some('s') => &mut label.speed_percent,
                _ => break,
            };
            let Some((number, after)) = leading_number(letters.as_str()) else { break };
            (*field, rest) = (Some(number), after);
        }
        label.name = rest.trim_start_matches([' ', '-', '_', ':', '.']).trim_end().into();
        label
    }

    /// The codes that a traceur drawing has no place for, as they were written.
    #[must_use]
    pub fn unheeded(&self) -> Vec<String> {
        let codes = [('D', self.delay_ms), ('H', self.height_percent), ('S', self.speed_percent)];
        let numbers = codes.into_iter().filter_map(|(code, number)| Some(format!("+{code}{}", number?)));
        self.pause.then(|| "!".to_owned()).into_iter().chain(numbers).collect()
    }
}

fn leading_number(text: &str) -> Option<(u32, &str)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    Some((text[..digits].parse().ok()?, &text[digits..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_words_are_a_name_and_odd_codes_stay_in_it() {
        assert_eq!(Label::parse("Layer 1"), Label { name: "Layer 1".into(), ..Label::default() });
        assert_eq!(Label::parse("1-black").name, "black");
        assert_eq!(Label::parse("3 +X5 red").name, "+X5 red");
        assert_eq!(Label::parse("99999999999 red").number, None);
        assert_eq!(Label::parse("5+S10+H40 x").unheeded(), ["+H40", "+S10"]);
    }
}
