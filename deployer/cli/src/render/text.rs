//! How a value is written: on one line, safe to print, and never a secret.

use std::fmt::Write;

use serde_json::Value;

/// What the form of a secret begins with (`resources::function::Secret`).
const HASH: &str = "sha256:";
/// How long that form is after its beginning.
const HASH_DIGITS: usize = 16;
/// How many of the digits are shown: enough to see that two are unlike.
const SHOWN_DIGITS: usize = 8;

/// Returns a value as it reads best on one line; nothing for nothing.
pub(super) fn value(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(masked(text).unwrap_or_else(|| plain(text))),
        other => Some(compact(other)),
    }
}

/// Returns a value as JSON on one line: what differs, differs here.
pub(super) fn compact(value: &Value) -> String {
    printable(&value.to_string())
}

/// Returns text with everything that a terminal or a reader would take for something else
/// written out: control characters, line breaks, what turns the direction of writing around,
/// and what cannot be seen.
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

/// Text is quoted where its ends could not be told otherwise.
fn plain(text: &str) -> String {
    if text.is_empty() || text.trim() != text { compact(&text.into()) } else { printable(text) }
}

/// Returns the stand-in of a secret's hash; a hash invites to look for what it means.
fn masked(text: &str) -> Option<String> {
    let digits = text.strip_prefix(HASH)?;
    let is_hash = digits.len() == HASH_DIGITS && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    is_hash.then(|| format!("••• ({HASH}{}…)", &digits[..SHOWN_DIGITS]))
}

/// Format characters and separators of lines, after Unicode's general categories Cf, Zl, Zp.
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
    fn text_with_blank_ends_is_quoted() {
        let written = [json!("a"), json!(" a"), json!(""), json!(5), json!(null)].map(|whole| value(&whole));
        assert_eq!(written.map(|text| text.unwrap_or_default()), ["a", "\" a\"", "\"\"", "5", ""]);
    }
}
