//! Colours, and the format of labels, numbers and durations.

use std::borrow::Cow;
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use engine::plan::{Action, Verdict};
use engine::resource::Risk;

use super::text::printable;

/// Longer text is wrapped at this width.
const COLUMNS: usize = 100;

pub(super) const GOOD: Style = AnsiColor::Green.on_default();
pub(super) const CHANGE: Style = AnsiColor::Yellow.on_default();
pub(super) const BAD: Style = AnsiColor::Red.on_default();
pub(super) const BOLD: Style = Style::new().bold();
pub(super) const DIM: Style = Style::new().dimmed();

/// Returns the sign and colour of an action.
pub(super) fn sign(action: Action) -> (&'static str, Style) {
    match action {
        Action::Create => ("+", GOOD),
        Action::Update => ("~", CHANGE),
        Action::Recreate => ("±", CHANGE),
        Action::Disable => ("x", CHANGE),
        Action::Delete => ("-", BAD),
        Action::Refuse => ("!", BAD),
        Action::Keep => (" ", DIM),
    }
}

/// Returns an action in the past tense: `created`.
pub(super) fn done(action: Action) -> &'static str {
    match action {
        Action::Create => "created",
        Action::Update => "updated",
        Action::Recreate => "recreated",
        Action::Disable => "disabled",
        Action::Delete => "deleted",
        Action::Refuse => "refused",
        Action::Keep => "unchanged",
    }
}

/// Returns a planned action: `to create`.
pub(super) fn to_do(action: Action) -> &'static str {
    match action {
        Action::Create => "to create",
        Action::Update => "to update",
        Action::Recreate => "to recreate",
        Action::Disable => "to disable",
        Action::Delete => "to delete",
        Action::Refuse => "refused",
        Action::Keep => "unchanged",
    }
}

/// Returns the name of a verdict.
pub(super) fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Unknown => "unknown",
        Verdict::Unmanaged => "unmanaged",
        Verdict::Drift => "drift",
        Verdict::Pending => "pending",
        Verdict::Orphan => "orphan",
        Verdict::InSync => "in sync",
    }
}

/// Returns a risk in words, or `None` if the change is safe.
pub(super) fn risk(risk: Risk) -> Option<&'static str> {
    match risk {
        Risk::Safe => None,
        Risk::Interrupts => Some("interrupts"),
        Risk::LosesPosition => Some("loses its position in the stream"),
        Risk::LosesData => Some("loses data"),
    }
}

/// Returns text as indented lines of a readable length. Long words such as ARNs are not broken.
pub(super) fn wrapped(text: &str, indent: &str) -> Vec<String> {
    let options = textwrap::Options::new(COLUMNS)
        .initial_indent(indent)
        .subsequent_indent(indent)
        .break_words(false)
        .word_splitter(textwrap::WordSplitter::NoHyphenation);
    text.lines()
        .flat_map(|line| {
            textwrap::wrap(&printable(line), &options).into_iter().map(Cow::into_owned).collect::<Vec<_>>()
        })
        .collect()
}

/// Returns a duration with the digits that matter: `0.4 s`, `12 s`, `3 min 5 s`.
pub fn duration(took: Duration) -> String {
    let seconds = took.as_secs_f64();
    if seconds < 9.95 {
        format!("{seconds:.1} s")
    } else if seconds < 119.5 {
        format!("{seconds:.0} s")
    } else {
        let seconds = took.as_secs();
        format!("{} min {} s", seconds / 60, seconds % 60)
    }
}

/// Returns a count with its noun: `1 event`, `12,000 events`.
pub fn count(number: impl TryInto<u64>, noun: &str) -> String {
    match thousands(number) {
        one if one == "1" => format!("1 {noun}"),
        many => format!("{many} {noun}s"),
    }
}

/// Returns a number with thousands separators: `12,000`.
pub fn thousands(number: impl TryInto<u64>) -> String {
    let digits = number.try_into().unwrap_or(u64::MAX).to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().filter_map(|group| std::str::from_utf8(group).ok()).collect();
    groups.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_the_digits_that_matter() {
        let written = [40, 9_940, 9_960, 119_000, 185_000].map(|ms| duration(Duration::from_millis(ms)));
        assert_eq!(written, ["0.0 s", "9.9 s", "10 s", "119 s", "3 min 5 s"]);
    }

    #[test]
    fn counts_have_their_thousands_apart() {
        let written = [0, 1, 2, 999, 1_000, 1_234_567].map(|number| count(number, "event"));
        assert_eq!(
            written,
            ["0 events", "1 event", "2 events", "999 events", "1,000 events", "1,234,567 events"]
        );
    }
}
