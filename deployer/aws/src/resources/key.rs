//! The KMS keys of a resource, and the permission of a role to use them through one service only.

use std::collections::BTreeSet;

use engine::change::Change;

use super::sid::sid;
use crate::policy::Statement;

/// The KMS keys of a resource that holds data. A reader of all the data needs all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keys {
    /// Encrypts new data. Nothing means that the stack names no key.
    pub today: Option<String>,
    /// Earlier keys: existing data may be encrypted with them.
    pub former: Vec<String>,
}

/// Keys without earlier ones.
impl From<Option<String>> for Keys {
    fn from(today: Option<String>) -> Self {
        Self { today, former: Vec::new() }
    }
}

/// Returns the statement that lets a role use these keys through a service such as `dynamodb`, and not
/// directly ("kms:ViaService", AWS KMS developer guide). Returns nothing for keys that AWS manages: every
/// user of the service in the account may use them.
pub(super) fn through<'a>(
    service: &str,
    action: &'static str,
    keys: impl IntoIterator<Item = &'a String>,
    thing: &[&str],
) -> Option<Statement> {
    let keys: BTreeSet<&String> = keys.into_iter().filter(|key| key.contains(":key/")).collect();
    let region = keys.first()?.split(':').nth(3)?;
    let verb = action.trim_start_matches("kms:");
    let via = format!("{service}.{region}.amazonaws.com");
    let name = sid(&[&[verb], thing].concat());
    let statement = Statement::new(name, [action], keys.into_iter().cloned().collect::<Vec<_>>());
    Some(statement.when("StringEquals", "kms:ViaService", via))
}

/// Returns whether this is a change of a resource's KMS key.
pub fn is_of_key(change: &Change) -> bool {
    change.path == "kms_key" || change.path.ends_with(".kms_key")
}

/// Returns whether roles lose access to the live key when it changes. Existing data stays encrypted with it,
/// but roles may use only the new key and the former ones.
pub(super) fn is_left_behind(live: Option<&str>, former: &[String]) -> bool {
    let own = live.filter(|key| !key.contains("alias/aws/"));
    own.is_some_and(|key| !former.iter().any(|known| known == key))
}

#[cfg(test)]
mod tests {
    #[cfg(feature = "sources")]
    use engine::{
        diff::diff,
        resource::{Described, Resource},
    };

    use super::*;

    #[test]
    fn key_is_used_through_its_service_and_region() {
        let key = "arn:aws:kms:eu-central-1:111111111111:key/1234".to_owned();
        let statement = through("kinesis", "kms:GenerateDataKey", [&key], &["stream", "events"]);
        let statement = statement.expect("the key is customer managed");
        assert_eq!(statement.sid, "GenerateDataKeyStreamEvents");
        assert_eq!(statement.actions, ["kms:GenerateDataKey"]);
        assert_eq!(statement.resources, [key]);
        let via =
            ("StringEquals", "kms:ViaService".to_owned(), "kinesis.eu-central-1.amazonaws.com".to_owned());
        assert_eq!(statement.conditions, [via]);
    }

    #[cfg(feature = "sources")]
    #[test]
    fn change_of_a_key_is_known_by_its_path() {
        use crate::resources::{bucket::Bucket, stream::Stream, table::Table};
        use crate::testing::{events_key, scope};

        fn paths<R: Resource>(encrypted: impl Fn(Option<String>) -> R) -> Vec<String> {
            let state = |key: &str| encrypted(Some(format!("arn:aws:kms:r:1:key/{key}"))).state();
            let changes = diff(&state("old"), &state("new"));
            changes.into_iter().filter(is_of_key).map(|change| change.path).collect()
        }
        let scope = scope();
        assert_eq!(paths(|key| Bucket::new(&scope, "a").encrypted_with(key)), ["encryption.kms_key"]);
        assert_eq!(paths(|key| Stream::new(&scope, "a").encrypted_with(key)), ["kms_key"]);
        assert_eq!(paths(|key| Table::new(&scope, "a", events_key()).encrypted_with(key)), ["kms_key"]);
    }

    #[test]
    fn keys_of_aws_need_no_permission() {
        assert_eq!(through("kinesis", "kms:Decrypt", None, &[]), None);
        assert_eq!(through("kinesis", "kms:Decrypt", [&"alias/aws/kinesis".to_owned()], &[]), None);
    }

    #[test]
    fn former_key_is_granted_with_or_without_current_key() {
        let [old, new] = ["old", "new"].map(|id| format!("arn:aws:kms:eu-central-1:111111111111:key/{id}"));
        let resources = |keys: &[&String]| through("s3", "kms:Decrypt", keys.iter().copied(), &[]);
        let resources = |keys: &[&String]| resources(keys).expect("the keys are customer managed").resources;
        assert_eq!(resources(&[&new, &old, &new]), [new.clone(), old.clone()]);
        assert_eq!(resources(&[&old]), [old]);
    }

    #[test]
    fn key_not_listed_as_former_is_left_behind() {
        let [old, new] = ["old", "new"].map(|id| format!("arn:aws:kms:eu-central-1:111111111111:key/{id}"));
        assert!(is_left_behind(Some(&old), &[]));
        assert!(!is_left_behind(Some(&old), &[new, old.clone()]));
        for managed in [None, Some("alias/aws/kinesis")] {
            assert!(!is_left_behind(managed, &[]), "{managed:?} needs no permission");
        }
    }
}
