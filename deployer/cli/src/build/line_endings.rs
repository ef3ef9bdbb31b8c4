//! Converts text to the line endings that git stores, for any checkout. It must not know which files are
//! read.

use std::borrow::Cow;

/// Returns text with `\n` for each `\r\n`, and binary content unchanged.
///
/// Git for Windows checks text out with `\r\n` (`core.autocrlf`), and the same commit must have
/// one fingerprint everywhere.
pub(super) fn unified(content: &[u8]) -> Cow<'_, [u8]> {
    if !content.contains(&b'\r') || !is_text(content) {
        return Cow::Borrowed(content);
    }
    let next = content.iter().skip(1).map(Some).chain([None]);
    let kept = content.iter().zip(next).filter(|pair| !matches!(pair, (b'\r', Some(b'\n'))));
    Cow::Owned(kept.map(|(byte, _)| *byte).collect())
}

/// Returns whether content is text by git's own rule (`convert_is_binary` in git's `convert.c`), which
/// decides what a checkout converts: no NUL, no `\r` without `\n`, and at most one control character per 128
/// others.
fn is_text(content: &[u8]) -> bool {
    let (mut printable, mut control) = (0_usize, 0_usize);
    for (at, byte) in content.iter().enumerate() {
        match byte {
            0 => return false,
            b'\r' if content.get(at + 1) != Some(&b'\n') => return false,
            b'\r' | b'\n' => {}
            // Backspace, tab, form feed and escape count as text.
            8 | b'\t' | 12 | 27 => printable += 1,
            0..32 | 127 => control += 1,
            _ => printable += 1,
        }
    }
    printable / 128 >= control
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_gets_unix_line_endings() {
        for (content, expected) in [
            (&b"a\r\nb\r\n"[..], &b"a\nb\n"[..]),
            (b"mixed\r\nendings\n", b"mixed\nendings\n"),
            ("umlaut \u{fc}\r\n".as_bytes(), "umlaut \u{fc}\n".as_bytes()),
            (b"\r\n\r\n", b"\n\n"),
            (b"a\nb", b"a\nb"),
            (b"", b""),
        ] {
            assert_eq!(unified(content), expected);
        }
    }

    #[test]
    fn binary_content_is_not_changed() {
        for content in [&b"\x89PNG\r\n\x1a\n\0"[..], b"a\rb\r\n", b"\r\n\r", b"\x01\x02\r\n", b"\x1a\r\n"] {
            assert_eq!(unified(content), content);
        }
    }
}
