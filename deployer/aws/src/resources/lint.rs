//! Configuration checks that several kinds share. They make no calls.

use std::ops::RangeInclusive;

/// Returns the mistakes in the length and the characters of a name.
pub(super) fn name(
    name: &str,
    lengths: RangeInclusive<usize>,
    others: &str,
) -> impl Iterator<Item = String> + use<> {
    let length = name.chars().count();
    let (least, most) = (*lengths.start(), *lengths.end());
    let wrong = (!lengths.contains(&length))
        .then(|| format!("the name must have {least} to {most} characters, but has {length}"));
    let odd = name.chars().find(|c| !c.is_ascii_alphanumeric() && !others.contains(*c));
    let odd = odd.map(|odd| format!("the name may contain letters, digits and `{others}`, but not `{odd}`"));
    wrong.into_iter().chain(odd)
}

/// Returns a mistake if AWS does not accept the number.
pub(super) fn range(what: &str, value: i64, range: RangeInclusive<i64>) -> Option<String> {
    let (least, most) = (range.start(), range.end());
    (!range.contains(&value)).then(|| format!("{what} must be {least} to {most}, but is {value}"))
}

/// Returns a mistake if AWS does not know the value.
pub(super) fn one_of(what: &str, value: &str, known: &[&str]) -> Option<String> {
    (!known.contains(&value)).then(|| format!("{what} must be {}, but is {value}", known.join(" or ")))
}

/// Returns a mistake if a key is not given as the ARN that AWS returns: every read would show a difference.
pub(super) fn key_arn(key: Option<&str>) -> Option<String> {
    let alias = key.filter(|key| !key.starts_with("arn:") || key.contains(":alias/"))?;
    Some(format!("`{alias}` is not the ARN of a KMS key: give the ARN, because AWS returns that form"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_a_length_and_an_alphabet() {
        let wrong = |text: &str| name(text, 3..=8, "_.-").collect::<Vec<_>>();
        assert_eq!(wrong("a-b_c.1"), [""; 0]);
        assert_eq!(wrong("ab"), ["the name must have 3 to 8 characters, but has 2"]);
        assert_eq!(wrong("a/b"), ["the name may contain letters, digits and `_.-`, but not `/`"]);
        assert_eq!(wrong("ä").len(), 2);
    }

    #[test]
    fn value_that_aws_does_not_know_is_a_mistake() {
        assert_eq!(one_of("the mode", "On", &["On", "Off"]), None);
        let mistake = one_of("the mode", "on", &["On", "Off"]);
        assert_eq!(mistake.as_deref(), Some("the mode must be On or Off, but is on"));
    }

    #[test]
    fn key_given_as_an_alias_is_a_mistake() {
        assert_eq!(key_arn(None), None);
        assert_eq!(key_arn(Some("arn:aws:kms:eu-central-1:111111111111:key/1")), None);
        assert!(key_arn(Some("alias/events")).is_some());
        assert!(key_arn(Some("arn:aws:kms:eu-central-1:111111111111:alias/events")).is_some());
    }
}
