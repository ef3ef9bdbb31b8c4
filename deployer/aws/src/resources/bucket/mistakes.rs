//! Bucket settings that S3 rejects ("General purpose bucket naming rules", S3 user guide).

use super::Bucket;
use crate::resources::lint;

/// Reserved beginnings of bucket names.
const BEGINNINGS: [&str; 3] = ["xn--", "sthree-", "amzn-s3-demo-"];
/// Reserved ends of bucket names.
const ENDINGS: [&str; 5] = ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"];

impl Bucket {
    pub(super) fn found_mistakes(&self) -> Vec<String> {
        let name = self.name.as_str();
        let mut mistakes: Vec<String> = lint::name(name, 3..=63, "-").collect();
        if name.chars().any(|c| c.is_ascii_uppercase()) {
            mistakes.push("a bucket name cannot contain capital letters".into());
        }
        if [name.chars().next(), name.chars().last()].contains(&Some('-')) {
            mistakes.push("a bucket name must begin and end with a letter or a digit".into());
        }
        let beginnings = BEGINNINGS.iter().filter(|reserved| name.starts_with(**reserved));
        mistakes.extend(beginnings.map(|reserved| format!("S3 reserves names that begin with `{reserved}`")));
        let endings = ENDINGS.iter().filter(|reserved| name.ends_with(**reserved));
        mistakes.extend(endings.map(|reserved| format!("S3 reserves names that end with `{reserved}`")));
        let keys = self.encryption.kms_key.iter().chain(&self.former_keys);
        mistakes.extend(keys.filter_map(|key| lint::key_arn(Some(key))));
        mistakes
    }
}

#[cfg(test)]
mod tests {
    use engine::scope::Scope;

    use super::*;
    use crate::testing::scope;

    fn mistakes(stack: &str, thing: &str) -> Vec<String> {
        let scope = Scope { stack: stack.into(), ..scope() };
        Bucket::new(&scope, thing).found_mistakes()
    }

    #[test]
    fn bucket_name_mistakes_are_found() {
        assert_eq!(mistakes("demo", "archive"), [""; 0]);
        let long = mistakes("demo", "archive-of-everything-that-ever-was");
        assert_eq!(long, ["the name must have 3 to 63 characters, but has 73"]);
        assert_eq!(mistakes("Demo", "archive"), ["a bucket name cannot contain capital letters"]);
        assert_eq!(mistakes("sthree", "archive"), ["S3 reserves names that begin with `sthree-`"]);
        // A dot in the name breaks TLS: the wildcard of the certificate covers one label.
        assert_eq!(
            mistakes("c.art", "archive"),
            ["the name may contain letters, digits and `-`, but not `.`"]
        );
    }
}
