//! What an organisation demands of everything in its accounts: a boundary, tags, keys, a way in.

use std::collections::BTreeMap;
use std::ops::Range;

use engine::scope::Tags;
use serde::Deserialize;
use toml::Spanned;

use super::Environment;
use super::arn::{Boundary, KeyArn, RoleArn};
use super::tag::{TagKey, TagValue};
use aws::AwsNames;
use aws::Login;
use aws::resources::Keys;

/// The tags that AWS allows on a resource ("Tag naming limits and requirements", Tagging AWS
/// resources user guide), less those that are kept for the deployer's own.
const MOST_TAGS: usize = 50 - 10;

/// What an organisation demands.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Org {
    permissions_boundary: Option<Spanned<Boundary>>,
    tags: Option<Spanned<BTreeMap<TagKey, TagValue>>>,
    /// The KMS keys that encrypt what is kept.
    pub kms: Kms,
    profile: Option<Profile>,
    assume_role: Option<AssumeRole>,
}

/// KMS keys: one for everything, or for each kind of thing one of its own.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Kms {
    default: Option<Spanned<KeyArn>>,
    table: Option<Spanned<KeyArn>>,
    stream: Option<Spanned<KeyArn>>,
    bucket: Option<Spanned<KeyArn>>,
    logs: Option<Spanned<KeyArn>>,
    functions: Option<Spanned<KeyArn>>,
    /// What is there already may be encrypted with these.
    former: Vec<Spanned<KeyArn>>,
}

/// The role to work as.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct AssumeRole {
    arn: Spanned<RoleArn>,
    external_id: Option<ExternalId>,
}

/// What a role's owner may ask for ("AssumeRole", STS API reference).
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
struct ExternalId(String);

/// A profile of the AWS configuration files.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
struct Profile(String);

impl Org {
    /// Returns the ARN of the policy that bounds every role.
    pub fn permissions_boundary(&self) -> Option<String> {
        self.permissions_boundary.as_ref().map(|boundary| boundary.get_ref().to_string())
    }

    /// Returns the tags that everything gets besides ours.
    pub fn tags(&self) -> Tags {
        let tags = self.tags.iter().flat_map(|tags| tags.get_ref());
        tags.map(|(key, value)| (key.to_string(), value.to_string())).collect()
    }

    /// Returns how to come by credentials.
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

    /// Finds what does not go together with the rest of the environment, and where it is.
    pub(super) fn misfit(&self, of: &Environment) -> Option<(Range<usize>, String)> {
        let scope = of.scope("any");
        let account = &scope.account;
        let partition = scope.partition();
        if let Some(boundary) = &self.permissions_boundary
            && !boundary.get_ref().is_in(partition, account)
        {
            let message = format!("the boundary has to be a policy of account {account}, or one of AWS");
            return Some((boundary.span(), message));
        }
        if let Some(role) = &self.assume_role
            && !role.arn.get_ref().is_in(partition, account)
        {
            let message = format!("the role to assume has to be one of account {account}");
            return Some((role.arn.span(), message));
        }
        for key in self.kms.all() {
            if !key.get_ref().is_in(partition, &scope.region) {
                let message =
                    format!("the key has to be in {}: it encrypts in its own region only", scope.region);
                return Some((key.span(), message));
            }
        }
        let tags = self.tags.as_ref()?;
        let message = unfit(tags.get_ref())?;
        Some((tags.span(), message))
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

    /// Returns the keys that encrypted any of it before.
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

/// Tells what is wrong with tags that are right one by one.
fn unfit(tags: &BTreeMap<TagKey, TagValue>) -> Option<String> {
    if tags.len() > MOST_TAGS {
        return Some(format!(
            "{} tags are too many: {MOST_TAGS} of the 50 that AWS allows can be used, the others are kept for the deployer",
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
