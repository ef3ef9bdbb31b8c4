//! Values as text: on one line, printable, and with secrets masked.

use std::fmt::Write;

use serde_json::{Number, Value};

/// The prefix of the hash that replaces a secret (`resources::function::Secret`).
const HASH: &str = "sha256:";
/// The number of hexadecimal digits after the prefix.
const HASH_DIGITS: usize = 16;
/// How many of the digits are shown: enough to see that two hashes differ.
const SHOWN_DIGITS: usize = 8;
/// The least number of hexadecimal digits of a fingerprint or checksum, which is cut.
const FINGERPRINT_DIGITS: usize = 32;

/// Returns a value in readable form on one line, or `None` for null.
pub(super) fn value(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(masked(text).or_else(|| cut(text)).unwrap_or_else(|| plain(text))),
        Value::Number(number) => Some(whole(number)),
        other => Some(compact(other)),
    }
}

/// Returns a value as JSON on one line; different values give different text.
pub(super) fn compact(value: &Value) -> String {
    printable(&value.to_string())
}

/// Returns text with everything escaped that a terminal or a reader would misread: control characters, line
/// breaks, changes of the writing direction, and invisible characters.
pub(super) fn printable(text: &str) -> String {
    let mut printable = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\n' | '\r' | '\t' => printable.extend(letter.escape_default()),
            letter if letter.is_control() || is_unseen(letter) => {
                let _ = write!(printable, "{}", letter.escape_unicode());
            }
            letter => printable.push(letter),
        }
    }
    printable
}

/// Returns printable text, in quotes if it is empty, or starts or ends with white space.
fn plain(text: &str) -> String {
    if text.is_empty() || text.trim() != text { compact(&text.into()) } else { printable(text) }
}

/// Returns the masked form of a secret's hash: the complete hash would help to guess the secret.
fn masked(text: &str) -> Option<String> {
    let digits = text.strip_prefix(HASH)?;
    let is_hash = digits.len() == HASH_DIGITS && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    is_hash.then(|| format!("••• ({HASH}{}…)", &digits[..SHOWN_DIGITS]))
}

/// Returns the first digits of a fingerprint, which may follow a version: `1:69ae3c1f…`.
fn cut(text: &str) -> Option<String> {
    let (version, digits) = text.rsplit_once(':').map_or(("", text), |(version, digits)| (version, digits));
    let is_version = version.len() <= 3 && version.bytes().all(|digit| digit.is_ascii_digit());
    let is_hash = digits.len() >= FINGERPRINT_DIGITS && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    let shown = text.len() - digits.len() + SHOWN_DIGITS;
    (is_version && is_hash).then(|| format!("{}…", &text[..shown]))
}

/// Returns a number without a fraction that is zero: `864000` for 864000.0.
fn whole(number: &Number) -> String {
    let number = number.to_string();
    number.strip_suffix(".0").unwrap_or(&number).to_owned()
}

/// Returns whether a character is a format character or a separator of lines (after Unicode's general
/// categories Cf, Zl, Zp).
pub(super) fn is_unseen(letter: char) -> bool {
    matches!(
        letter,
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn terminal_escapes_are_written_out() {
        assert_eq!(printable("a\u{1b}[2Jb\r\n\tc\u{202e}d"), "a\\u{1b}[2Jb\\r\\n\\tc\\u{202e}d");
        assert_eq!(printable("grün, 日本, ✓"), "grün, 日本, ✓");
    }

    #[test]
    fn secret_is_shown_as_masked_hash() {
        assert_eq!(value(&json!("sha256:2cf24dba5fb0a30e")).as_deref(), Some("••• (sha256:2cf24dba…)"));
        assert_eq!(value(&json!("sha256:other")).as_deref(), Some("sha256:other"));
    }

    #[test]
    fn fingerprint_is_cut() {
        let fingerprint = "3d58489f78f2279da8c798c704110f2d";
        assert_eq!(value(&json!(fingerprint)).as_deref(), Some("3d58489f…"));
        assert_eq!(value(&json!(format!("1:{fingerprint}"))).as_deref(), Some("1:3d58489f…"));
        assert_eq!(value(&json!("deadbeef")).as_deref(), Some("deadbeef"));
        let arn = format!("arn:{fingerprint}");
        assert_eq!(value(&json!(arn)), Some(arn), "part of a name is not cut");
    }

    #[test]
    fn number_has_no_empty_fraction() {
        assert_eq!(
            [json!(864_000.0), json!(0.5), json!(3)].map(|n| value(&n).unwrap_or_default()),
            ["864000", "0.5", "3"]
        );
    }

    #[test]
    fn text_with_blank_ends_is_quoted() {
        let written = [json!("a"), json!(" a"), json!(""), json!(5), json!(null)].map(|whole| value(&whole));
        assert_eq!(written.map(|text| text.unwrap_or_default()), ["a", "\" a\"", "\"\"", "5", ""]);
    }
}
