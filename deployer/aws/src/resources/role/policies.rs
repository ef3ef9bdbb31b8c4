//! Reads and changes of a role: its trust policy, description, permissions boundary and policies.

use std::collections::{BTreeMap, BTreeSet};

use engine::error::{Error, GoneIsNone};
use futures::future::try_join_all;

use super::{Role, parsed};
use crate::policy::Policy;
use crate::{Aws, Called};

impl Role {
    pub(super) async fn change_trust(&self, aws: &Aws) -> Result<(), Error> {
        let call = aws.iam.update_assume_role_policy().role_name(&self.name);
        let call = call.policy_document(self.trust.to_json());
        call.send().await.called().map(drop)
    }

    pub(super) async fn change_details(&self, aws: &Aws) -> Result<(), Error> {
        let call = aws.iam.update_role().role_name(&self.name).description(&self.description);
        let call = call.max_session_duration(self.max_session_seconds);
        call.send().await.called().map(drop)
    }

    pub(super) async fn change_boundary(&self, aws: &Aws) -> Result<(), Error> {
        match &self.permissions_boundary {
            Some(boundary) => {
                let call = aws.iam.put_role_permissions_boundary().role_name(&self.name);
                let call = call.permissions_boundary(boundary);
                call.send().await.called().map(drop)
            }
            None => {
                let call = aws.iam.delete_role_permissions_boundary().role_name(&self.name);
                call.send().await.called().map(drop)
            }
        }
    }

    /// Writes the inline policies that differ, and deletes those that are not in the stack.
    pub(super) async fn put_policies(&self, live: &BTreeMap<String, Policy>, aws: &Aws) -> Result<(), Error> {
        for (name, policy) in &self.inline_policies {
            if live.get(name) != Some(policy) {
                let call = aws.iam.put_role_policy().role_name(&self.name);
                let call = call.policy_name(name).policy_document(policy.to_json());
                call.send().await.called()?;
            }
        }
        for name in live.keys().filter(|name| !self.inline_policies.contains_key(*name)) {
            delete_inline(&self.name, name, aws).await?;
        }
        Ok(())
    }

    pub(super) async fn attach_policies(&self, live: &BTreeSet<String>, aws: &Aws) -> Result<(), Error> {
        for policy in self.managed_policies.difference(live) {
            let call = aws.iam.attach_role_policy().role_name(&self.name).policy_arn(policy);
            call.send().await.called()?;
        }
        for policy in live.difference(&self.managed_policies) {
            detach(&self.name, policy, aws).await?;
        }
        Ok(())
    }
}

pub(super) async fn inline_policy_names(role: &str, aws: &Aws) -> Result<Vec<String>, Error> {
    let names = aws.iam.list_role_policies().role_name(role).into_paginator().items();
    names.send().try_collect().await.called()
}

pub(super) async fn inline_policies(role: &str, aws: &Aws) -> Result<BTreeMap<String, Policy>, Error> {
    let names = inline_policy_names(role, aws).await?;
    let policies = names.into_iter().map(async |name| {
        let call = aws.iam.get_role_policy().role_name(role).policy_name(&name);
        // A policy that was deleted after the listing does not make the role absent.
        let Some(answer) = call.send().await.called().gone_is_none()? else {
            return Ok(None);
        };
        Ok::<_, Error>(Some((name, parsed("GetRolePolicy", &answer.policy_document)?)))
    });
    Ok(try_join_all(policies).await?.into_iter().flatten().collect())
}

pub(super) async fn attached_policies(role: &str, aws: &Aws) -> Result<BTreeSet<String>, Error> {
    let policies = aws.iam.list_attached_role_policies().role_name(role).into_paginator().items();
    let policies = policies.send().try_collect().await.called()?;
    Ok(policies.into_iter().filter_map(|policy| policy.policy_arn).collect())
}

pub(super) async fn delete_inline(role: &str, policy: &str, aws: &Aws) -> Result<(), Error> {
    let call = aws.iam.delete_role_policy().role_name(role).policy_name(policy);
    call.send().await.called().gone_is_none().map(drop)
}

pub(super) async fn detach(role: &str, policy: &str, aws: &Aws) -> Result<(), Error> {
    let call = aws.iam.detach_role_policy().role_name(role).policy_arn(policy);
    call.send().await.called().gone_is_none().map(drop)
}
