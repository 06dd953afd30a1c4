//! TOML files that people write: parsed with errors that name the file, the line, the key and the nearest known
//! key. Every file carries `format = 1`.

use serde::de::DeserializeOwned;

/// Why a TOML file could not be used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
#[error("{file}:{line}: {message}")]
pub struct Error {
    /// The file's name, as the user gave it, or `built-in NAME`.
    pub file: String,
    /// Line of the trouble, counted from 1.
    pub line: usize,
    /// What is wrong there and what to do.
    pub message: String,
}

impl Error {
    /// An error at the line of `text` that holds the byte `offset`.
    #[must_use]
    pub fn at(file: &str, text: &str, offset: usize, message: impl Into<String>) -> Self {
        let line = text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1;
        Self { file: file.into(), line, message: message.into() }
    }
}

/// Parses `text` as a `T`. Give `T` `#[serde(deny_unknown_fields)]`, so that a typo is an error.
///
/// # Errors
/// Bad TOML, wrong types, missing or unknown keys: with file, line, key and the nearest known key.
pub fn parse<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, Error> {
    toml::from_str(text).map_err(|error| {
        let offset = error.span().map_or(0, |span| span.start);
        Error::at(file, text, offset, explain(error.message()))
    })
}

/// For `#[serde(deserialize_with)]` on the `format` key: this version reads format 1 only.
///
/// # Errors
/// When the number is another.
pub fn de_format<'de, D: serde::Deserializer<'de>>(input: D) -> Result<u32, D::Error> {
    let format: u32 = serde::Deserialize::deserialize(input)?;
    if format == 1 {
        return Ok(format);
    }
    Err(serde::de::Error::custom(format!("format {format} is not known: this version reads `format = 1`")))
}

/// Adds the nearest known name to serde's "unknown field" message.
fn explain(message: &str) -> String {
    let message = message.trim().replace('\n', " ");
    let mut quoted = message.split('`').skip(1).step_by(2);
    let (true, Some(unknown)) = (message.starts_with("unknown "), quoted.next()) else {
        return message;
    };
    match nearest(unknown, quoted) {
        Some(known) => format!("{message}; did you mean `{known}`?"),
        None => message,
    }
}

/// The name of `known` that is nearest to `name` in spelling, if any is near enough to be meant.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.chars().count() / 3)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only the parsing is looked at")]
    struct Sample {
        #[serde(deserialize_with = "de_format")]
        format: u32,
        tip: String,
    }

    #[test]
    fn a_typo_names_file_line_key_and_nearest() {
        let error = parse::<Sample>("my.toml", "format = 1\ntpi = \"1mm\"\n").unwrap_err().to_string();
        assert!(error.starts_with("my.toml:2: unknown field `tpi`"), "{error}");
        assert!(error.ends_with("did you mean `tip`?"), "{error}");
    }

    #[test]
    fn another_format_is_refused() {
        let error = parse::<Sample>("my.toml", "tip = \"1mm\"\nformat = 7").unwrap_err().to_string();
        assert!(error.starts_with("my.toml:2: format 7 is not known"), "{error}");
    }

    #[test]
    fn nothing_near_means_no_guess() {
        assert_eq!(nearest("zebra", ["tip", "color"]), None);
    }
}
