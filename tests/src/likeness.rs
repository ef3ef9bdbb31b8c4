//! What two places have in common: everything but who owns them, and what AWS makes up or
//! takes from the clock.

use std::sync::LazyLock;

use regex_lite::Regex;

use crate::inventory::Inventory;
use crate::place::Place;

/// What differs from one time to the next, and what is written in its place.
static CHANCE: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    let patterns = [
        (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "UUID"),
        // Unique ids of IAM begin with a word for their kind.
        (r"AROA[A-Z0-9]+", "ID"),
        (r"seconds: \d+, subsecond_nanos: \d+", "TIME"),
        (r"creation_time: Some\(\d+\)", "TIME"),
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:[\d.]+Z?", "TIME"),
        // How many runs there were before.
        (r"releases/\d{10}\.json", "releases/NUMBER"),
        // A hash of what names the account.
        (r"\b\d+:[0-9a-f]{32}\b", "STAMP"),
    ];
    patterns.map(|(pattern, text)| (Regex::new(pattern).expect("it is tested"), text)).into()
});

/// Returns the text without what is by chance.
pub(crate) fn impersonal(text: &str, account: &str) -> String {
    let text = text.replace(account, "ACCOUNT");
    CHANCE.iter().fold(text, |text, (pattern, instead)| pattern.replace_all(&text, *instead).into_owned())
}

impl Place<'_> {
    /// Returns everything that is in the account as it would be in any other. Of a stamp, which
    /// is a hash of what names the account, it shows whether there is one; `drift` tells
    /// whether it is right.
    pub fn likeness(&self) -> Inventory {
        let alike = |text: String| impersonal(&text, &self.account);
        self.inventory().into_iter().map(|(name, text)| (alike(name), alike(text))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn likeness_leaves_out_random_values() {
        let text = "arn:aws:iam::123456789012:role/a AROAXYZ1 1:0123456789abcdef0123456789abcdef DateTime { seconds: 17, subsecond_nanos: 0 } \
                    0b0a2b5e-7f5d-4a55-9b06-0f6f4a3e0c11 2026-01-02T03:04:05.678";
        let expected = "arn:aws:iam::ACCOUNT:role/a ID STAMP DateTime { TIME } UUID TIME";
        assert_eq!(impersonal(text, "123456789012"), expected);
    }
}
