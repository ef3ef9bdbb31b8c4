//! Makes text safe for terminals: keeps the deployer's own colours, and escapes other control characters.

use std::borrow::Cow;
use std::fmt::Write;

use super::text::is_unseen;

/// The destination of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Destination {
    /// Whether it is a terminal, which obeys control characters.
    pub(super) terminal: bool,
    /// Whether it shows colours.
    pub(super) colours: bool,
}

impl Destination {
    /// Returns text of the deployer for this destination. The deployer writes no control sequences except
    /// colours, so all others come from untrusted text; and untrusted text is made printable before it is
    /// inserted into the deployer's text.
    pub(super) fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let plain = |letter: char| !(letter == ESCAPE || self.terminal && is_obeyed(letter));
        if text.chars().all(plain) {
            return Cow::Borrowed(text);
        }
        let mut written = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(letter) = rest.chars().next() {
            if let Some(length) = colour(rest) {
                let (colour, behind) = rest.split_at(length);
                written.push_str(if self.colours { colour } else { "" });
                rest = behind;
                continue;
            }
            rest = &rest[letter.len_utf8()..];
            if self.terminal { show(&mut written, letter) } else { written.push(letter) }
        }
        Cow::Owned(written)
    }

    /// Returns text without colours of the deployer, such as an error message, for this destination.
    pub(super) fn untrusted<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if !self.terminal || !text.chars().any(is_obeyed) {
            return Cow::Borrowed(text);
        }
        let mut shown = String::with_capacity(text.len());
        text.chars().for_each(|letter| show(&mut shown, letter));
        Cow::Owned(shown)
    }

    /// Returns untrusted data for this destination: byte for byte, or for a terminal with control characters
    /// escaped as in JSON.
    pub(super) fn data<'a>(&self, data: &'a [u8]) -> Cow<'a, [u8]> {
        if !self.terminal {
            return Cow::Borrowed(data);
        }
        let text = String::from_utf8_lossy(data);
        let mut shown = self.untrusted(&text).into_owned();
        if !shown.ends_with('\n') {
            shown.push('\n');
        }
        Cow::Owned(shown.into_bytes())
    }
}

const ESCAPE: char = '\u{1b}';

/// Returns the length of the colour at the start of a text ("Select Graphic Rendition", ECMA-48).
fn colour(text: &str) -> Option<usize> {
    let numbers = text.strip_prefix("\u{1b}[")?;
    let end = numbers.find(|letter: char| !matches!(letter, '0'..='9' | ';' | ':'))?;
    numbers[end..].starts_with('m').then_some(text.len() - numbers.len() + end + 1)
}

/// Returns whether a terminal obeys this character instead of showing it.
fn is_obeyed(letter: char) -> bool {
    letter.is_control() && !matches!(letter, '\n' | '\t') || is_unseen(letter)
}

fn show(shown: &mut String, letter: char) {
    if is_obeyed(letter) {
        // Control characters and those of `is_unseen` are in Unicode's first plane: four digits, as in JSON.
        let _ = write!(shown, "\\u{:04x}", u32::from(letter));
    } else {
        shown.push(letter);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLOUR_TERMINAL: Destination = Destination { terminal: true, colours: true };
    const PLAIN_TERMINAL: Destination = Destination { terminal: true, colours: false };
    const PIPE: Destination = Destination { terminal: false, colours: false };

    const OURS: &str = "\u{1b}[1m\u{1b}[38;5;9merror\u{1b}[0m: grün ✓\n\tnext";
    /// A title for the window, a cleared screen, a bell, a line written over, DEL, C1, and text
    /// that runs backwards.
    const THEIRS: &str = "\u{1b}]0;t\u{7}\u{1b}[2Ja\rb\u{7f}\u{9b}2J\u{202e}";

    #[test]
    fn colours_are_kept_only_where_they_show() {
        assert_eq!(COLOUR_TERMINAL.text(OURS), OURS);
        assert_eq!(PLAIN_TERMINAL.text(OURS), "error: grün ✓\n\tnext");
        assert_eq!(PIPE.text(OURS), "error: grün ✓\n\tnext");
    }

    #[test]
    fn control_characters_are_written_out_on_terminals_only() {
        let shown = r"\u001b]0;t\u0007\u001b[2Ja\u000db\u007f\u009b2J\u202e";
        for terminal in [COLOUR_TERMINAL, PLAIN_TERMINAL] {
            assert_eq!(terminal.text(THEIRS), shown);
            assert_eq!(terminal.data(THEIRS.as_bytes()), format!("{shown}\n").as_bytes());
        }
        assert_eq!(PIPE.text(THEIRS), THEIRS);
        assert_eq!(PIPE.data(THEIRS.as_bytes()), THEIRS.as_bytes());
    }

    #[test]
    fn errors_have_no_colours_of_others_on_terminals() {
        assert_eq!(COLOUR_TERMINAL.untrusted("no\u{1b}[31mpe\nnext"), "no\\u001b[31mpe\nnext");
        assert_eq!(PIPE.untrusted(THEIRS), THEIRS);
    }

    #[test]
    fn data_has_no_colours_on_terminals() {
        assert_eq!(COLOUR_TERMINAL.data(b"\x1b[8mhidden\n"), b"\\u001b[8mhidden\n".as_slice());
    }

    #[test]
    fn data_in_a_pipe_may_be_no_text() {
        assert_eq!(PIPE.data(b"\xff\x00\x7f"), b"\xff\x00\x7f".as_slice());
    }

    #[test]
    fn json_on_terminals_stays_the_same_value() {
        let json = serde_json::to_string(&THEIRS).expect("text is JSON");
        let shown = COLOUR_TERMINAL.data(json.as_bytes()).into_owned();
        assert_eq!(serde_json::from_slice::<String>(&shown).expect("it is JSON"), THEIRS);
    }
}
