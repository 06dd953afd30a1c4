//! The 1,000 classes of ImageNet's challenge of 2012, by their names and synonyms.

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

/// One class a line, in the order of the networks' outputs: names and synonyms, between commas.
const LIST: &str = include_str!("built-in/imagenet-classes.txt");

/// A class. Read from any of its names, in any case, hyphens or spaces between words, or from its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Class(usize);

/// The names of each class, as the list has them and as they are compared.
static NAMES: LazyLock<Vec<Vec<(&str, String)>>> = LazyLock::new(|| {
    let names = |line: &'static str| line.split(',').map(|name| (name.trim(), plain(name))).collect();
    LIST.lines().map(names).collect()
});

impl Class {
    /// All of them, by number.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..NAMES.len()).map(Self)
    }

    /// The place among a classifier's outputs, 0 to 999.
    #[must_use]
    pub fn number(self) -> usize {
        self.0
    }

    /// The first name.
    #[must_use]
    pub fn name(self) -> &'static str {
        NAMES[self.0][0].0
    }

    /// All names; the first is the usual one.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        NAMES[self.0].iter().map(|(name, _)| *name)
    }

    /// The classes that have a word or a part of one in any of their names, by number.
    #[must_use]
    pub fn search(word: &str) -> Vec<Self> {
        let word = plain(word);
        Self::all().filter(|class| NAMES[class.0].iter().any(|(_, name)| name.contains(&word))).collect()
    }

    /// The class with the name that is most like a text.
    #[must_use]
    pub fn nearest(text: &str) -> &'static str {
        let text = plain(text);
        let likeness = |name: &str| (strsim::jaro_winkler(name, &text) * 1e6) as u64;
        let names = NAMES.iter().flatten();
        names.max_by_key(|(_, name)| likeness(name)).map_or("", |(name, _)| name)
    }
}

/// The first name, or the number where classes share that name.
impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.name().parse() == Ok(*self) { f.write_str(self.name()) } else { write!(f, "{}", self.0) }
    }
}

/// Why a text names no class.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseClassError {
    /// No class has this name.
    #[error(
        "`{text}` is none of ImageNet's 1,000 classes (did you mean `{nearest}`?); `traceur models classes WORD` finds them"
    )]
    Unknown {
        /// What was given.
        text: String,
        /// The name that is most like it.
        nearest: &'static str,
    },
    /// Several classes have this name.
    #[error("`{text}` is the name of several classes: write the number, one of {}", listed(.classes))]
    Ambiguous {
        /// What was given.
        text: String,
        /// Which ones.
        classes: Vec<Class>,
    },
}

fn listed(classes: &[Class]) -> String {
    let words = |class: &Class| {
        let names: Vec<_> = class.names().collect();
        format!("{} ({})", class.0, names.join(", "))
    };
    classes.iter().map(words).collect::<Vec<_>>().join(", ")
}

impl FromStr for Class {
    type Err = ParseClassError;

    /// A first name goes before a synonym: `gong` is the gong, and not the chime that is called so too.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wanted = plain(text);
        if let Some(class) = wanted.parse().ok().filter(|number| *number < NAMES.len()) {
            return Ok(Self(class));
        }
        let among = |first: bool| -> Vec<Self> {
            let count = |class: &Self| if first { 1 } else { NAMES[class.0].len() };
            let is_one =
                |class: &Self| NAMES[class.0][..count(class)].iter().any(|(_, name)| *name == wanted);
            Self::all().filter(is_one).collect()
        };
        let mut found = among(true);
        if found.is_empty() {
            found = among(false);
        }
        match found.as_slice() {
            [class] => Ok(*class),
            [] => Err(ParseClassError::Unknown { text: text.into(), nearest: Self::nearest(text) }),
            _ => Err(ParseClassError::Ambiguous { text: text.into(), classes: found }),
        }
    }
}

/// A name as it is compared: lower case, words between single spaces, no apostrophes and stops.
fn plain(name: &str) -> String {
    let kept = name.chars().filter(|letter| !matches!(letter, '\'' | '’' | '.'));
    let spaced: String = kept.map(|letter| if matches!(letter, '-' | '_') { ' ' } else { letter }).collect();
    spaced.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Result<usize, ParseClassError> {
        text.parse().map(Class::number)
    }

    #[test]
    fn classes_are_found_by_any_name_however_it_is_written() {
        for (text, expected) in [
            ("pineapple", 953),
            ("ananas", 953),
            ("King Penguin", 145),
            ("king-penguin", 145),
            ("bicycle-built-for-two", 444),
            ("tandem bicycle", 444),
            ("jack o lantern", 607),
            ("jack-o'-lantern", 607),
            ("gong", 577),
            ("953", 953),
            ("spider web", 815),
        ] {
            assert_eq!(number(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn every_class_is_read_as_it_is_written() {
        assert_eq!(Class::all().count(), 1000);
        for class in Class::all() {
            assert_eq!(class.to_string().parse(), Ok(class));
        }
        assert_eq!(Class(134).to_string(), "134");
    }

    #[test]
    fn a_near_miss_is_suggested_and_a_shared_name_is_told_apart() {
        let error = |text: &str| number(text).unwrap_err().to_string();
        assert!(error("pineaple").contains("did you mean `pineapple`?"));
        assert!(error("unbrella").contains("did you mean `umbrella`?"));
        assert!(error("crane").contains("134 (crane), 517 (crane)"));
        assert!(error("panda").contains("387 (lesser panda") && error("panda").contains("388 (giant panda"));
        assert!(error("1000").contains("none of ImageNet's"));
    }

    #[test]
    fn words_are_searched_in_all_names() {
        let found: Vec<_> = Class::search("Terrier").into_iter().map(Class::name).collect();
        assert!(found.len() > 20 && found.contains(&"Airedale"), "{found:?}");
        let numbers: Vec<_> = Class::search("AIRSHIP").into_iter().map(Class::number).collect();
        assert_eq!(numbers, [405]);
    }
}
