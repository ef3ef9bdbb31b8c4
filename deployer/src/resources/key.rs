//! The part that a role has in encryption: it uses a KMS key by way of one service only.

use super::sid::sid;
use crate::policy::Statement;

/// Returns the statement that lets a role use this key through a service, such as `dynamodb`,
/// and not by itself ("kms:ViaService", AWS KMS developer guide). Nothing for the keys that
/// AWS manages: they serve everybody in the account who may use the service.
pub(super) fn through(
    service: &str,
    action: &'static str,
    key: Option<&str>,
    thing: &[&str],
) -> Option<Statement> {
    let key = key?;
    let (arn, _) = key.split_once(":key/")?;
    let region = arn.split(':').nth(3)?;
    let verb = action.trim_start_matches("kms:");
    let via = format!("{service}.{region}.amazonaws.com");
    let name = sid(&[&[verb], thing].concat());
    let statement = Statement::new(name, [action], [key.to_owned()]);
    Some(statement.when("StringEquals", "kms:ViaService", via))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_used_through_its_service_in_its_region() {
        let key = "arn:aws:kms:eu-central-1:111111111111:key/1234";
        let statement = through("kinesis", "kms:GenerateDataKey", Some(key), &["stream", "events"]);
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
        assert_eq!(through("kinesis", "kms:Decrypt", Some("alias/aws/kinesis"), &[]), None);
    }
}
