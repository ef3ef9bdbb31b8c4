//! The comparable part of a place's inventory: without owners, random values and times.

use std::sync::LazyLock;

use regex_lite::Regex;

use crate::inventory::Inventory;
use crate::place::Place;

/// Values that differ each time, and their replacements.
static CHANCE: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    let patterns = [
        (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "UUID"),
        // Unique ids of IAM start with a prefix for their kind.
        (r"AROA[A-Z0-9]+", "ID"),
        (r"seconds: \d+, subsecond_nanos: \d+", "TIME"),
        (r"creation_time: Some\(\d+\)", "TIME"),
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:[\d.]+Z?", "TIME"),
        // AWS chooses the address of a URL.
        (r"https://[a-z0-9]+\.lambda-url\.", "https://ID.lambda-url."),
        // The number of earlier runs.
        (r"releases/\d{10}\.json", "releases/NUMBER"),
        // A hash that depends on the account.
        (r"\b\d+:[0-9a-f]{32}\b", "STAMP"),
    ];
    patterns.map(|(pattern, text)| (Regex::new(pattern).expect("the pattern is valid"), text)).into()
});

/// Returns the text without the account and random values.
pub(crate) fn impersonal(text: &str, account: &str) -> String {
    let text = text.replace(account, "ACCOUNT");
    CHANCE.iter().fold(text, |text, (pattern, instead)| pattern.replace_all(&text, *instead).into_owned())
}

impl Place<'_> {
    /// Returns everything in the account, without what differs between accounts. A stamp is a hash that
    /// depends on the account, so only its presence is compared; `drift` checks its value.
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
