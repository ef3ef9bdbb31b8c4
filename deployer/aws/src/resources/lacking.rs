//! Classifies permission errors of a function's role: propagating, or denied. Lambda reports both with the
//! same text, so the policy in the stack decides.

use engine::error::{Class, Error};

use crate::arn_part;
use crate::policy::Policy;

/// Classifies an error about a missing permission of a function's role.
///
/// If the stack's policy grants all actions, the grant has not propagated yet, and waiting helps. Otherwise
/// the error becomes a denial that names the missing actions. `concerned` are the ARNs of the resources in
/// the call.
pub(super) fn judged(error: Error, policy: Option<&Policy>, concerned: &[&str]) -> Error {
    let (Class::Propagating, Some(policy)) = (error.class, policy) else {
        return error;
    };
    let asked = asked_for(&error.message, concerned);
    if asked.is_empty() {
        return error;
    }
    let lacking: Vec<&(String, String)> =
        asked.iter().filter(|(action, resource)| !policy.allows(action, resource)).collect();
    let Some((_, resource)) = lacking.first() else {
        return error.hint(
            "the role's policy grants this: check whether its permissions boundary, or a policy of the organisation, \
             denies it",
        );
    };
    let actions: Vec<&str> = lacking.iter().map(|(action, _)| action.as_str()).collect();
    let message = format!("the role lacks {} on {resource}: {}", actions.join(", "), error.message);
    Error { class: Class::Denied, message, ..error }
        .hint("the role's policy does not grant this: grant it to the function in the stack")
}

/// Returns the actions that a message says the role needs, each with its resource.
fn asked_for(message: &str, concerned: &[&str]) -> Vec<(String, String)> {
    // "Cannot access stream <arn>. Please ensure the role can perform the GetRecords,
    // GetShardIterator, DescribeStream, and ListStreams Actions on your stream in IAM."
    if let Some((_, named)) = message.split_once("role can perform the ") {
        let list = named.split(" on ").next().unwrap_or_default();
        let stream = message.split_whitespace().find(|word| word.starts_with("arn:"));
        let Some(stream) = stream.map(|arn| arn.trim_end_matches('.')).or(concerned.first().copied()) else {
            return Vec::new();
        };
        let service = service(stream);
        let words = list.split([',', ' ']).filter(|word| word.starts_with(|c: char| c.is_ascii_uppercase()));
        let operations = words.filter(|word| !word.to_lowercase().starts_with("action"));
        return operations.map(|operation| (format!("{service}:{operation}"), stream.to_owned())).collect();
    }
    // "The provided execution role does not have permissions to call SendMessage on SQS"
    if let Some((_, named)) = message.split_once("does not have permissions to call ") {
        let mut words = named.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
        let (Some(operation), Some("on"), Some(service_name)) = (words.next(), words.next(), words.next())
        else {
            return Vec::new();
        };
        let service_name = service_name.to_lowercase();
        let of_service = concerned.iter().find(|arn| service(arn) == service_name);
        let resource = match of_service {
            // Lambda writes discarded batches under this prefix ("Retaining discarded batches").
            Some(bucket) if operation == "PutObject" => format!("{bucket}/aws/lambda/*"),
            Some(arn) => (*arn).to_owned(),
            None => "*".to_owned(),
        };
        return vec![(format!("{service_name}:{operation}"), resource)];
    }
    Vec::new()
}

fn service(arn: &str) -> &str {
    arn_part(arn, 2).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Statement;

    const STREAM: &str = "arn:aws:kinesis:eu-central-1:111111111111:stream/demo-dev-events";
    const TABLE: &str =
        "arn:aws:dynamodb:eu-central-1:111111111111:table/demo-dev-events/stream/2026-01-01T00:00:00.000";
    const BUCKET: &str = "arn:aws:s3:::archive";

    fn refused(message: &str) -> Error {
        Error::new(Class::Propagating, "CreateEventSourceMapping", message)
    }

    fn cannot_access(stream: &str) -> Error {
        refused(&format!(
            "Cannot access stream {stream}. Please ensure the role can perform the GetRecords, \
             GetShardIterator, DescribeStream, ListShards, and ListStreams Actions on your stream in IAM."
        ))
    }

    fn polling(service_actions: &[&'static str], resource: &str) -> Policy {
        let listing = Statement::new("List", ["kinesis:ListStreams"], ["*".to_owned()]);
        Policy::allowing(&[Statement::new("Poll", service_actions, [resource.to_owned()]), listing])
    }

    const ALL: &[&str] =
        &["kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:DescribeStream", "kinesis:ListShards"];

    #[test]
    fn granted_permission_is_waited_for() {
        let error = judged(cannot_access(STREAM), Some(&polling(ALL, STREAM)), &[STREAM]);
        assert_eq!(error.class, Class::Propagating);
        assert!(error.hint.expect("the error has a hint").contains("boundary"));
    }

    #[test]
    fn missing_permission_is_named_at_once() {
        let error = judged(cannot_access(STREAM), Some(&polling(&ALL[1..], STREAM)), &[STREAM]);
        assert_eq!(error.class, Class::Denied);
        assert!(error.message.starts_with(&format!("the role lacks kinesis:GetRecords on {STREAM}: Cannot")));
        let elsewhere = judged(cannot_access(STREAM), Some(&polling(ALL, "arn:other")), &[STREAM]);
        assert!(
            elsewhere.message.contains("kinesis:GetShardIterator, kinesis:DescribeStream"),
            "{elsewhere}"
        );
    }

    #[test]
    fn missing_action_has_the_service_of_the_stream() {
        let error = judged(cannot_access(TABLE), Some(&polling(ALL, "*")), &[TABLE]);
        assert!(error.message.contains("dynamodb:GetRecords"), "{error}");
    }

    #[test]
    fn discarded_batches_need_permission_on_lambdas_prefix() {
        let text = "The provided execution role does not have permissions to call PutObject on S3.";
        let grant = |resource: &str| {
            Policy::allowing(&[Statement::new("S", ["s3:PutObject"], [format!("{BUCKET}/{resource}")])])
        };
        let class = |resource: &str| judged(refused(text), Some(&grant(resource)), &[STREAM, BUCKET]).class;
        assert_eq!(class("aws/lambda/*"), Class::Propagating);
        assert_eq!(class("*"), Class::Propagating);
        assert_eq!(class("events/*"), Class::Denied);
    }

    #[test]
    fn permission_error_without_policy_or_action_is_unchanged() {
        assert_eq!(judged(cannot_access(STREAM), None, &[STREAM]).class, Class::Propagating);
        let assumed = refused("The role defined for the function cannot be assumed by Lambda.");
        assert_eq!(judged(assumed.clone(), Some(&Policy::allowing(&[])), &[STREAM]), assumed);
        let other = Error::other("CreateFunction", "does not have permissions to call Something on SQS");
        assert_eq!(judged(other.clone(), Some(&Policy::allowing(&[])), &[STREAM]), other);
    }
}
