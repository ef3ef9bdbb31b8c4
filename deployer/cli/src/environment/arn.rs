//! ARNs of resources that an organisation created and an environment file names.

use std::fmt;

use aws::{AwsNames, arn_part};
use engine::scope::Scope;
use schemars::JsonSchema;
use serde::Deserialize;

/// Any resource, for [`aws::resources::existing::Existing`] and settings of an application.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
pub struct Arn(String);

impl fmt::Display for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Arn {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let service = part(&text, 2);
        // The ARN of a bucket has neither a Region nor an account.
        if !service.is_empty()
            && (service == "s3" && part(&text, 0) == "arn" && !part(&text, 5).is_empty()
                || is(&text, service, ""))
        {
            Ok(Self(text))
        } else {
            Err(format!(
                "`{text}` is not an ARN, such as `arn:aws:dynamodb:eu-central-1:111111111111:table/orders`"
            ))
        }
    }
}

/// A policy that bounds roles.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
pub(super) struct Boundary(String);

/// A role.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
pub(super) struct RoleArn(String);

/// A KMS key. No alias: AWS names the key when asked what something is encrypted with, and
/// policies are about keys.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
pub(super) struct KeyArn(String);

/// An SNS topic.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
pub(super) struct TopicArn(String);

/// A version of a layer.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
pub(super) struct LayerArn(String);

/// An SQS queue or an SNS topic, neither of them FIFO.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
pub(super) struct DeadLetterArn(String);

impl LayerArn {
    /// Returns whether functions of this scope can use the layer. It may be in another account.
    pub(super) fn is_in(&self, scope: &Scope) -> bool {
        (part(&self.0, 1), part(&self.0, 3)) == (scope.partition(), &scope.region)
    }
}

impl Boundary {
    /// Returns whether roles of this account can have this boundary: its policy must be of the same account or
    /// of AWS.
    pub(super) fn is_in(&self, partition: &str, account: &str) -> bool {
        let owner = part(&self.0, 4);
        part(&self.0, 1) == partition && (owner == account || owner == "aws")
    }
}

impl RoleArn {
    /// Returns whether the role is in this account.
    pub(super) fn is_in(&self, partition: &str, account: &str) -> bool {
        (part(&self.0, 1), part(&self.0, 4)) == (partition, account)
    }
}

impl KeyArn {
    /// Returns whether the key is in this Region. It may be in another account.
    pub(super) fn is_in(&self, partition: &str, region: &str) -> bool {
        (part(&self.0, 1), part(&self.0, 3)) == (partition, region)
    }
}

impl TopicArn {
    /// Returns whether the topic is in this Region, as alarms require. It may be in another account.
    pub(super) fn is_in(&self, partition: &str, region: &str) -> bool {
        (part(&self.0, 1), part(&self.0, 3)) == (partition, region)
    }
}

/// See [`arn_part`].
fn part(arn: &str, number: usize) -> &str {
    arn_part(arn, number).unwrap_or_default()
}

/// Returns whether a text is an ARN of this service whose last part starts with `resource`, such as `role/`.
fn is(arn: &str, service: &str, resource: &str) -> bool {
    let account = part(arn, 4);
    let digits = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    let named = part(arn, 5).strip_prefix(resource).is_some_and(|name| !name.is_empty());
    part(arn, 0) == "arn"
        && part(arn, 1).starts_with("aws")
        && part(arn, 2) == service
        && (digits || account == "aws")
        && named
        && !arn.contains(char::is_whitespace)
}

impl TryFrom<String> for Boundary {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if is(&text, "iam", "policy/") {
            Ok(Self(text))
        } else {
            Err(format!(
                "`{text}` is not the ARN of a policy, such as `arn:aws:iam::111111111111:policy/boundary`"
            ))
        }
    }
}

impl TryFrom<String> for RoleArn {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if is(&text, "iam", "role/") {
            Ok(Self(text))
        } else {
            Err(format!(
                "`{text}` is not the ARN of a role, such as `arn:aws:iam::111111111111:role/deployer`"
            ))
        }
    }
}

impl TryFrom<String> for KeyArn {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if is(&text, "kms", "key/") && !part(&text, 3).is_empty() {
            Ok(Self(text))
        } else {
            Err(format!(
                "`{text}` is not the ARN of a KMS key, such as \
                 `arn:aws:kms:eu-central-1:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab`"
            ))
        }
    }
}

impl TryFrom<String> for TopicArn {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let nothing_more = !part(&text, 5).contains(':');
        if is(&text, "sns", "") && nothing_more && !part(&text, 3).is_empty() {
            Ok(Self(text))
        } else {
            Err(format!(
                "`{text}` is not the ARN of an SNS topic, such as \
                 `arn:aws:sns:eu-central-1:111111111111:alarms`"
            ))
        }
    }
}

impl TryFrom<String> for LayerArn {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let version = part(&text, 5).split(':').nth(2).is_some_and(|version| version.parse::<u64>().is_ok());
        if is(&text, "lambda", "layer:") && version && !part(&text, 3).is_empty() {
            Ok(Self(text))
        } else {
            Err(format!(
                "`{text}` is not the ARN of a layer's version, such as \
                 `arn:aws:lambda:eu-central-1:111111111111:layer:tools:3`"
            ))
        }
    }
}

impl TryFrom<String> for DeadLetterArn {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let named = (is(&text, "sqs", "") || is(&text, "sns", "")) && !part(&text, 5).contains(':');
        if named && !part(&text, 3).is_empty() && !text.ends_with(".fifo") {
            Ok(Self(text))
        } else {
            Err(format!(
                "`{text}` is not the ARN of a standard queue or topic, such as \
                 `arn:aws:sqs:eu-central-1:111111111111:dead-letters`"
            ))
        }
    }
}

impl fmt::Display for LayerArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for DeadLetterArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for TopicArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Boundary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for RoleArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for KeyArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
