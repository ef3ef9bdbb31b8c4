//! Mistakes that several kinds share, told offline.

use std::ops::RangeInclusive;

/// Says what is wrong with the length of a name and with its characters.
pub(super) fn name(
    name: &str,
    lengths: RangeInclusive<usize>,
    others: &str,
) -> impl Iterator<Item = String> + use<> {
    let length = name.chars().count();
    let (least, most) = (*lengths.start(), *lengths.end());
    let wrong = (!lengths.contains(&length))
        .then(|| format!("a name has {least} to {most} characters, and this one has {length}"));
    let odd = name.chars().find(|c| !c.is_ascii_alphanumeric() && !others.contains(*c));
    let odd = odd.map(|odd| format!("a name has letters, digits and `{others}`, and no `{odd}`"));
    wrong.into_iter().chain(odd)
}

/// Says so where a number is not one that AWS takes.
pub(super) fn range(what: &str, value: i64, range: RangeInclusive<i64>) -> Option<String> {
    let (least, most) = (range.start(), range.end());
    (!range.contains(&value)).then(|| format!("{what} is {least} to {most}, and here it is {value}"))
}

/// Says so where a key is not named the way in which AWS reads it back: it would be another
/// one on every look.
pub(super) fn key_arn(key: Option<&str>) -> Option<String> {
    let alias = key.filter(|key| !key.starts_with("arn:") || key.contains(":alias/"))?;
    Some(format!("the KMS key is read back as the ARN of a key, so `{alias}` has to be given as one"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_a_length_and_an_alphabet() {
        let wrong = |text: &str| name(text, 3..=8, "_.-").collect::<Vec<_>>();
        assert_eq!(wrong("a-b_c.1"), [""; 0]);
        assert_eq!(wrong("ab"), ["a name has 3 to 8 characters, and this one has 2"]);
        assert_eq!(wrong("a/b"), ["a name has letters, digits and `_.-`, and no `/`"]);
        assert_eq!(wrong("ä").len(), 2);
    }

    #[test]
    fn key_given_as_an_alias_is_a_mistake() {
        assert_eq!(key_arn(None), None);
        assert_eq!(key_arn(Some("arn:aws:kms:eu-central-1:111111111111:key/1")), None);
        assert!(key_arn(Some("alias/events")).is_some());
        assert!(key_arn(Some("arn:aws:kms:eu-central-1:111111111111:alias/events")).is_some());
    }
}
