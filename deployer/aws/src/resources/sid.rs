//! Ids of policy statements.

/// Returns the words as one `Sid`, which has letters and digits only ("IAM JSON policy
/// elements: Sid"): `["write", "archive", "events/"]` is `WriteArchiveEvents`.
pub(super) fn sid(words: &[&str]) -> String {
    let words = words.iter().flat_map(|word| word.split(|c: char| !c.is_ascii_alphanumeric()));
    words
        .filter_map(|word| {
            let first = word.chars().next()?.to_ascii_uppercase();
            Some(format!("{first}{}", &word[1..]))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sid_has_letters_and_digits_only() {
        assert_eq!(sid(&["write", "archive", "events/"]), "WriteArchiveEvents");
        assert_eq!(sid(&["poll", "dead-letters_2"]), "PollDeadLetters2");
        assert_eq!(sid(&["write", "archive", ""]), "WriteArchive");
    }
}
