//! The KMS keys of a thing, and the part that a role has in encryption: it uses keys by way of
//! one service only.

use std::collections::BTreeSet;

use engine::change::Change;

use super::sid::sid;
use crate::policy::Statement;

/// The KMS keys of a thing that keeps data: who is to read it all needs all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keys {
    /// What is new is encrypted with this one; nothing means none of ours.
    pub today: Option<String>,
    /// What is there already may be encrypted with these.
    pub former: Vec<String>,
}

/// A key that is the first one.
impl From<Option<String>> for Keys {
    fn from(today: Option<String>) -> Self {
        Self { today, former: Vec::new() }
    }
}

/// Returns the statement that lets a role use these keys through a service, such as `dynamodb`,
/// and not by itself ("kms:ViaService", AWS KMS developer guide). Nothing for the keys that
/// AWS manages: they serve everybody in the account who may use the service.
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

/// Tells whether a change of the key leaves roles without the one that is live: what is there
/// already stays encrypted with it, and they may use the new one and the former ones only.
pub(super) fn is_left_behind(change: &Change, former: &[String]) -> bool {
    let own = change.live.as_str().filter(|key| !key.contains("alias/aws/"));
    own.is_some_and(|key| !former.iter().any(|known| known == key))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_key_is_used_through_its_service_in_its_region() {
        let key = "arn:aws:kms:eu-central-1:111111111111:key/1234".to_owned();
        let statement = through("kinesis", "kms:GenerateDataKey", [&key], &["stream", "events"]);
        let statement = statement.expect("a key of our own");
        assert_eq!(statement.sid, "GenerateDataKeyStreamEvents");
        assert_eq!(statement.actions, ["kms:GenerateDataKey"]);
        assert_eq!(statement.resources, [key]);
        let via =
            ("StringEquals", "kms:ViaService".to_owned(), "kinesis.eu-central-1.amazonaws.com".to_owned());
        assert_eq!(statement.conditions, [via]);
    }

    #[test]
    fn keys_of_aws_need_no_permission() {
        assert_eq!(through("kinesis", "kms:Decrypt", None, &[]), None);
        assert_eq!(through("kinesis", "kms:Decrypt", [&"alias/aws/kinesis".to_owned()], &[]), None);
    }

    #[test]
    fn a_former_key_is_used_beside_the_one_of_today_or_without_one() {
        let [old, new] = ["old", "new"].map(|id| format!("arn:aws:kms:eu-central-1:111111111111:key/{id}"));
        let resources = |keys: &[&String]| through("s3", "kms:Decrypt", keys.iter().copied(), &[]);
        let resources = |keys: &[&String]| resources(keys).expect("keys of our own").resources;
        assert_eq!(resources(&[&new, &old, &new]), [new.clone(), old.clone()]);
        assert_eq!(resources(&[&old]), [old]);
    }

    #[test]
    fn a_key_of_our_own_that_is_not_among_the_former_ones_is_left_behind() {
        let [old, new] = ["old", "new"].map(|id| format!("arn:aws:kms:eu-central-1:111111111111:key/{id}"));
        let left = |live: Value, desired: Value, former: &[String]| {
            is_left_behind(&Change::new("kms_key", live, desired), former)
        };
        for desired in [json!(new), json!("alias/aws/kinesis"), Value::Null] {
            assert!(left(json!(old), desired.clone(), &[]), "{desired}");
            assert!(!left(json!(old), desired.clone(), &[new.clone(), old.clone()]), "{desired}");
        }
        for managed in [Value::Null, json!("alias/aws/kinesis")] {
            assert!(!left(managed.clone(), json!(new), &[]), "{managed} needs no permission");
        }
    }
}
