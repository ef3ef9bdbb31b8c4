//! The requirements of an organisation for all resources in its accounts: a permissions boundary, tags, KMS
//! keys, and the role or profile to use.

use std::collections::BTreeMap;

use engine::scope::Tags;
use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::Environment;
use super::arn::{Boundary, KeyArn, RoleArn};
use super::mistakes::Mistake;
use super::tag::{TagKey, TagValue};
use aws::AwsNames;
use aws::Login;
use aws::resources::Keys;

/// The maximum number of an organisation's tags: AWS allows 50 on a resource ("Tag naming limits and
/// requirements", Tagging AWS resources user guide), and 10 of them are reserved for the deployer.
const MOST_TAGS: usize = 50 - 10;

/// The requirements of an organisation.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Org {
    /// The policy that bounds every role.
    #[schemars(with = "Option<Boundary>")]
    permissions_boundary: Option<Spanned<Boundary>>,
    /// The tags of every resource.
    #[schemars(with = "Option<BTreeMap<TagKey, TagValue>>")]
    tags: Option<Spanned<BTreeMap<TagKey, TagValue>>>,
    /// The KMS keys that encrypt stored data.
    pub kms: Kms,
    /// The profile of the AWS configuration files to use.
    profile: Option<Profile>,
    /// The role to work as.
    assume_role: Option<AssumeRole>,
}

/// KMS keys: a default, and one for each kind of resource that needs its own.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Kms {
    /// The key of everything that has no key of its own.
    #[schemars(with = "Option<KeyArn>")]
    default: Option<Spanned<KeyArn>>,
    /// The key of tables.
    #[schemars(with = "Option<KeyArn>")]
    table: Option<Spanned<KeyArn>>,
    /// The key of Kinesis streams.
    #[schemars(with = "Option<KeyArn>")]
    stream: Option<Spanned<KeyArn>>,
    /// The key of buckets.
    #[schemars(with = "Option<KeyArn>")]
    bucket: Option<Spanned<KeyArn>>,
    /// The key of log groups.
    #[schemars(with = "Option<KeyArn>")]
    logs: Option<Spanned<KeyArn>>,
    /// The key of the environment variables of functions.
    #[schemars(with = "Option<KeyArn>")]
    functions: Option<Spanned<KeyArn>>,
    /// Keys that existing data may still be encrypted with.
    #[schemars(with = "Vec<KeyArn>")]
    former: Vec<Spanned<KeyArn>>,
}

/// The role to work as.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AssumeRole {
    /// The role.
    #[schemars(with = "RoleArn")]
    arn: Spanned<RoleArn>,
    /// The external id that the role's trust policy asks for.
    external_id: Option<ExternalId>,
}

/// The external id of a role ("AssumeRole", STS API reference).
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
struct ExternalId(String);

/// A profile of the AWS configuration files.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
struct Profile(String);

impl Org {
    /// Returns the ARN of the policy that bounds every role.
    pub fn permissions_boundary(&self) -> Option<String> {
        self.permissions_boundary.as_ref().map(|boundary| boundary.get_ref().to_string())
    }

    /// Returns the tags that every resource gets in addition to the deployer's own.
    pub fn tags(&self) -> Tags {
        let tags = self.tags.iter().flat_map(|tags| tags.get_ref());
        tags.map(|(key, value)| (key.to_string(), value.to_string())).collect()
    }

    /// Returns the profile and the role that provide the credentials.
    pub fn login(&self) -> Login {
        Login {
            profile: self.profile.as_ref().map(|profile| profile.0.clone()),
            role: self.assume_role.as_ref().map(|role| role.arn.get_ref().to_string()),
            external_id: self
                .assume_role
                .as_ref()
                .and_then(|role| role.external_id.as_ref())
                .map(|id| id.0.clone()),
        }
    }

    /// Returns the mistakes in values that do not fit the environment's account or Region, or each other.
    pub(super) fn mistakes(&self, of: &Environment) -> Vec<Mistake> {
        let scope = of.scope("any");
        let (account, partition) = (&scope.account, scope.partition());
        let mut mistakes = Vec::new();
        if let Some(boundary) = &self.permissions_boundary
            && !boundary.get_ref().is_in(partition, account)
        {
            let message = format!("the boundary is not a policy of account {account} or of AWS");
            mistakes.push(Mistake::new(boundary.span(), message));
        }
        if let Some(role) = &self.assume_role
            && !role.arn.get_ref().is_in(partition, account)
        {
            let message = format!("the role to assume is not in account {account}");
            mistakes.push(Mistake::new(role.arn.span(), message));
        }
        let elsewhere = self.kms.all().filter(|key| !key.get_ref().is_in(partition, &scope.region));
        mistakes.extend(elsewhere.map(|key| {
            let message =
                format!("the key is not in {}: a key encrypts in its own Region only", scope.region);
            Mistake::new(key.span(), message)
        }));
        if let Some(tags) = &self.tags
            && let Some(message) = tag_mistake(tags.get_ref())
        {
            mistakes.push(Mistake::new(tags.span(), message));
        }
        mistakes
    }
}

impl Kms {
    /// Returns the keys for tables.
    pub fn table(&self) -> Keys {
        self.keys(self.table.as_ref())
    }

    /// Returns the keys for Kinesis streams.
    pub fn stream(&self) -> Keys {
        self.keys(self.stream.as_ref())
    }

    /// Returns the keys for buckets.
    pub fn bucket(&self) -> Keys {
        self.keys(self.bucket.as_ref())
    }

    /// Returns the key for log groups.
    pub fn logs(&self) -> Option<String> {
        self.own_or_default(self.logs.as_ref())
    }

    /// Returns the key for the environment variables of functions.
    pub fn functions(&self) -> Option<String> {
        self.own_or_default(self.functions.as_ref())
    }

    /// Returns the former keys.
    pub fn former(&self) -> Vec<String> {
        self.former.iter().map(|key| key.get_ref().to_string()).collect()
    }

    fn keys(&self, own: Option<&Spanned<KeyArn>>) -> Keys {
        Keys { today: self.own_or_default(own), former: self.former() }
    }

    fn own_or_default(&self, own: Option<&Spanned<KeyArn>>) -> Option<String> {
        own.or(self.default.as_ref()).map(|key| key.get_ref().to_string())
    }

    fn all(&self) -> impl Iterator<Item = &Spanned<KeyArn>> {
        let keys = [&self.default, &self.table, &self.stream, &self.bucket, &self.logs, &self.functions];
        keys.into_iter().flatten().chain(&self.former)
    }
}

/// Returns a mistake in the tags as a whole: too many tags, or two keys that differ in case only.
fn tag_mistake(tags: &BTreeMap<TagKey, TagValue>) -> Option<String> {
    if tags.len() > MOST_TAGS {
        return Some(format!(
            "{} tags are too many: {MOST_TAGS} of the 50 that AWS allows can be used, and the deployer needs the rest",
            tags.len(),
        ));
    }
    // Roles cannot have two keys that differ in case only ("Tags for AWS Identity and Access
    // Management resources", IAM user guide).
    let mut lower: Vec<String> = tags.keys().map(|key| key.to_string().to_lowercase()).collect();
    lower.sort();
    let twice = lower.windows(2).find(|pair| pair[0] == pair[1])?;
    Some(format!("the tag `{}` is there twice: for roles, capitals make no difference", twice[0]))
}

impl TryFrom<String> for ExternalId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let right = |c: char| c.is_ascii_alphanumeric() || "_+=,.@:/-".contains(c);
        if (2..=1224).contains(&text.len()) && text.chars().all(right) {
            Ok(Self(text))
        } else {
            Err("an external id has 2 to 1224 letters, digits and _+=,.@:/-".into())
        }
    }
}

impl TryFrom<String> for Profile {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text.is_empty() || text.contains(['[', ']', '\n', '#']) || text.trim() != text {
            Err(format!("`{text}` is not the name of a profile of the AWS configuration files"))
        } else {
            Ok(Self(text))
        }
    }
}
