//! An IAM role: its trust policy, and the one inline policy with its grants.
//!
//! Every other permission of the role shows as a difference: a second inline policy, a managed policy
//! attached by hand, a permissions boundary. Permissions added by hand are the drift that matters most.

mod policies;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_sdk_iam::types::Tag;
use engine::error::{Class, Error, GoneIsNone};
use engine::resource::{
    Changed, Effect, ImportId, KindInfo, LeftOut, Live, Neighbours, Resource, Risk, Tags, changed,
};
use engine::scope::Scope;
use futures::{join, try_join};
use serde::{Deserialize, Serialize};
use struct_to_enum::FieldName;

use self::policies::{attached_policies, delete_inline, detach, inline_policies, inline_policy_names};
use crate::policy::{Policy, Statement};
use crate::resources::created::retry_not_found;
use crate::resources::lint;
use crate::{Aws, AwsNames, Called};

/// The name of the inline policy with the grants of the stack.
const GRANTS: &str = "grants";
/// The default of `MaxSessionDuration` ("CreateRole", IAM API reference).
const SESSION_SECONDS: i32 = 3600;
/// The quotas of a role, in characters without white space ("IAM and AWS STS quotas"). The quota of the trust
/// policy can be raised.
const MOST_INLINE: usize = 10_240;
const MOST_TRUST: usize = 2_048;

/// A role. Fields are changed in the order of their declaration.
#[derive(Debug, Clone, Serialize, FieldName)]
#[stem_name_derive(PartialOrd, Ord, Deserialize)]
#[stem_name_attr(serde(rename_all = "snake_case"))]
#[stem_name_attr(expect(missing_docs, reason = "the fields have them"))]
pub struct Role {
    name: String,
    path: String,
    #[serde(skip)]
    #[stem_name(skip)]
    arn: String,
    /// The trust policy: who may assume the role.
    trust: Policy,
    description: String,
    max_session_seconds: i32,
    /// ARN of the permissions boundary, a managed policy.
    permissions_boundary: Option<String>,
    /// Inline policies by name.
    inline_policies: BTreeMap<String, Policy>,
    /// ARNs of attached managed policies.
    managed_policies: BTreeSet<String>,
}

impl Role {
    /// Returns the role for `thing` that an AWS service such as `lambda.amazonaws.com` assumes, with these
    /// grants.
    pub fn for_service(scope: &Scope, thing: &str, service: &str, grants: Policy) -> Self {
        Self {
            arn: scope.role_arn(thing),
            description: format!("Execution role of {}", scope.name(thing)),
            name: scope.role_name(thing),
            path: scope.role_path(),
            trust: Policy::trusting(service),
            inline_policies: [(GRANTS.to_owned(), grants)].into(),
            managed_policies: BTreeSet::new(),
            permissions_boundary: None,
            max_session_seconds: SESSION_SECONDS,
        }
    }

    /// Returns the role with this permissions boundary.
    pub fn bounded_by(mut self, boundary: Option<String>) -> Self {
        self.permissions_boundary = boundary;
        self
    }

    /// Returns the ARN.
    pub fn arn(&self) -> &str {
        &self.arn
    }
}

impl Resource for Role {
    type Cloud = Aws;
    type Field = RoleFieldName;
    const INFO: KindInfo = KindInfo {
        // IAM is eventually consistent; Terraform allows two minutes (terraform-provider-aws,
        // internal/service/iam, propagationTimeout).
        settles_within: Duration::from_secs(120),
        left_out: &[
            LeftOut {
                what: "contents of managed policies",
                why: "an attached policy is a difference already",
            },
            LeftOut { what: "last use", why: "it is not configuration" },
            LeftOut { what: "instance profiles", why: "a role that only Lambda assumes has no use in one" },
            LeftOut {
                what: "policies elsewhere that name the role",
                why: "they belong to buckets, keys and organisations",
            },
        ],
        ..KindInfo::new("iam.role")
    };

    fn name(&self) -> &str {
        &self.name
    }

    fn arn(&self) -> Option<&str> {
        Some(&self.arn)
    }

    fn import_ids(&self) -> Vec<ImportId> {
        let of = |separator: &str, of: &str| format!("{}{separator}{of}", self.name);
        let inline = self.inline_policies.keys();
        let inline =
            inline.map(|policy| ImportId::new("aws_iam_role_policy", of(":", policy)).of_part(policy));
        let attached = self.managed_policies.iter().map(|arn| {
            let policy = arn.rsplit('/').next().unwrap_or(arn);
            ImportId::new("aws_iam_role_policy_attachment", of("/", arn)).of_part(policy)
        });
        let role = ImportId::new("aws_iam_role", &self.name);
        [role].into_iter().chain(inline).chain(attached).collect()
    }

    fn effect(&self, field: RoleFieldName, _live: &Self) -> Effect {
        use RoleFieldName as Field;
        match field {
            Field::Path => Effect::Refuse("a role's path cannot be changed: delete the role, then run `up`"),
            Field::Name
            | Field::Trust
            | Field::Description
            | Field::MaxSessionSeconds
            | Field::PermissionsBoundary
            | Field::InlinePolicies
            | Field::ManagedPolicies => Effect::InPlace(Risk::Safe),
        }
    }

    fn mistakes(&self, _stack: &Neighbours<'_>) -> Vec<String> {
        let mut mistakes: Vec<String> = lint::name(&self.name, 1..=64, "_+=,.@-").collect();
        let inline: usize = self.inline_policies.values().map(Policy::length).sum();
        if inline > MOST_INLINE {
            mistakes.push(format!(
                "the inline policies have {inline} characters in total; the maximum is {MOST_INLINE}"
            ));
        }
        let trust = self.trust.length();
        if trust > MOST_TRUST {
            mistakes.push(format!("the trust policy has {trust} characters; the quota is {MOST_TRUST}"));
        }
        let seconds = self.max_session_seconds.into();
        mistakes.extend(lint::range("the maximum session duration in seconds", seconds, 3600..=43_200));
        mistakes
    }

    /// "Actions, resources, and condition keys for AWS Identity and Access Management"
    /// (Service Authorization Reference).
    fn permissions(scope: &Scope) -> Vec<Statement> {
        let roles = scope.iam_arn(&format!("role{}*", scope.role_path()));
        // A missing role has no path that IAM could check: without this ARN, IAM would deny the read instead
        // of answering "not found". A role name is unique in an account, across all paths ("CreateRole", IAM
        // API reference), so the ARN matches no other role.
        let missing = scope.iam_arn(&format!("role/{}", scope.role_name("*")));
        vec![
            // A listing is not about a single role.
            Statement::new("RolesList", ["iam:ListRoles"], ["*".to_owned()]),
            Statement::new(
                "RolesRead",
                ["iam:GetRole", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies", "iam:ListRolePolicies"],
                [roles.clone(), missing],
            ),
            Statement::new(
                "RolesWrite",
                [
                    "iam:AttachRolePolicy",
                    "iam:CreateRole",
                    "iam:DeleteRole",
                    "iam:DeleteRolePermissionsBoundary",
                    "iam:DeleteRolePolicy",
                    "iam:DetachRolePolicy",
                    "iam:PutRolePermissionsBoundary",
                    "iam:PutRolePolicy",
                    "iam:TagRole",
                    "iam:UpdateAssumeRolePolicy",
                    "iam:UpdateRole",
                ],
                [roles],
            ),
        ]
    }

    async fn read(&self, aws: &Aws) -> Result<Option<Live<Self>>, Error> {
        let name = &self.name;
        let (answer, inline_policies, managed_policies) = join!(
            async { aws.iam.get_role().role_name(name).send().await.called() },
            inline_policies(name, aws),
            attached_policies(name, aws),
        );
        // Only GetRole decides whether the role exists.
        let Some(answer) = answer.gone_is_none()? else {
            return Ok(None);
        };
        let inline_policies = inline_policies.map_err(retry_not_found)?;
        let managed_policies = managed_policies.map_err(retry_not_found)?;
        let Some(role) = answer.role else {
            return Err(Error::other("GetRole", format!("the answer for {name} contains no role")));
        };
        Ok(Some(Live {
            identity: Some(role.role_id.clone()),
            tags: Some(tags_of(role.tags())),
            resource: Self {
                name: role.role_name,
                path: role.path,
                arn: role.arn,
                description: role.description.unwrap_or_default(),
                trust: parsed("GetRole", &role.assume_role_policy_document.unwrap_or_default())?,
                inline_policies,
                managed_policies,
                permissions_boundary: role
                    .permissions_boundary
                    .and_then(|boundary| boundary.permissions_boundary_arn),
                max_session_seconds: role.max_session_duration.unwrap_or(SESSION_SECONDS),
            },
        }))
    }

    async fn create(&self, tags: &Tags, aws: &Aws) -> Result<(), Error> {
        let created = aws
            .iam
            .create_role()
            .role_name(&self.name)
            .path(&self.path)
            .description(&self.description)
            .assume_role_policy_document(self.trust.to_json())
            .max_session_duration(self.max_session_seconds)
            .set_permissions_boundary(self.permissions_boundary.clone())
            .set_tags(Some(to_sdk(tags)?))
            .send()
            .await
            .called();
        match created {
            Err(error) if error.class == Class::Exists => {
                let Some(live) = self.read(aws).await? else {
                    // The role was created a moment ago, and has not propagated to all of IAM.
                    return Err(Error { class: Class::Propagating, ..error });
                };
                aws.adopt(error, live.tags.as_ref())?;
                // The interrupted attempt may have used an earlier configuration.
                return self.update(&live.resource, &changed(&live.resource, self), aws).await;
            }
            other => other.map(drop)?,
        }
        self.put_policies(&BTreeMap::new(), aws).await?;
        self.attach_policies(&BTreeSet::new(), aws).await
    }

    async fn update(&self, live: &Self, changed: &Changed<Self>, aws: &Aws) -> Result<(), Error> {
        use RoleFieldName as Field;
        for field in changed {
            match field {
                Field::Trust => self.change_trust(aws).await?,
                // One call sets both fields.
                Field::MaxSessionSeconds if changed.contains(&Field::Description) => {}
                Field::Description | Field::MaxSessionSeconds => self.change_details(aws).await?,
                Field::PermissionsBoundary => self.change_boundary(aws).await?,
                Field::InlinePolicies => self.put_policies(&live.inline_policies, aws).await?,
                Field::ManagedPolicies => self.attach_policies(&live.managed_policies, aws).await?,
                Field::Name | Field::Path => {}
            }
        }
        Ok(())
    }

    async fn tag(&self, tags: &Tags, aws: &Aws) -> Result<(), Error> {
        let call = aws.iam.tag_role().role_name(&self.name).set_tags(Some(to_sdk(tags)?));
        call.send().await.called().map(drop)
    }

    async fn delete(name: &str, aws: &Aws) -> Result<(), Error> {
        let held = try_join!(inline_policy_names(name, aws), attached_policies(name, aws));
        let Some((inline, attached)) = held.gone_is_none()? else {
            return Ok(());
        };
        for policy in &attached {
            detach(name, policy, aws).await?;
        }
        for policy in &inline {
            delete_inline(name, policy, aws).await?;
        }
        let call = aws.iam.delete_role().role_name(name);
        let deleted = call.send().await.called().gone_is_none();
        deleted.map(drop).map_err(in_instance_profile)
    }

    async fn list(scope: &Scope, aws: &Aws) -> Result<Vec<String>, Error> {
        let roles = aws.iam.list_roles().path_prefix(scope.role_path()).into_paginator().items();
        let roles = roles.send().try_collect().await.called()?;
        Ok(roles.into_iter().map(|role| role.role_name).collect())
    }

    async fn tags(name: &str, aws: &Aws) -> Result<Option<Tags>, Error> {
        // A listed role comes without its tags.
        let answer = aws.iam.get_role().role_name(name).send().await.called();
        let role = answer.gone_is_none()?.and_then(|answer| answer.role);
        Ok(role.map(|role| tags_of(role.tags())))
    }
}

/// Makes the error final if the role is in an instance profile. Detached policies disappear within a moment,
/// but a role leaves an instance profile only by hand: the profile is unmanaged, and so are its instances.
fn in_instance_profile(error: Error) -> Error {
    if error.class == Class::InProgress && error.message.contains("instance profile") {
        let error = Error { class: Class::Other, ..error };
        return error.hint(
            "the role is in an instance profile: find it with `aws iam list-instance-profiles-for-role`, and remove \
             the role with `aws iam remove-role-from-instance-profile`",
        );
    }
    error
}

fn parsed(operation: &str, document: &str) -> Result<Policy, Error> {
    Policy::parse(document)
        .map_err(|error| Error::other(operation, format!("a policy document is not JSON: {error}")))
}

fn tags_of(tags: &[Tag]) -> Tags {
    tags.iter().map(|tag| (tag.key.clone(), tag.value.clone())).collect()
}

fn to_sdk(tags: &Tags) -> Result<Vec<Tag>, Error> {
    tags.iter()
        .map(|(key, value)| {
            Tag::builder()
                .key(key)
                .value(value)
                .build()
                .map_err(|error| Error::other("tag", error.to_string()))
        })
        .collect()
}

#[cfg(test)]
mod tests;
