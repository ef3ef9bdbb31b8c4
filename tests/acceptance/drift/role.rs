//! Manual changes to a role. Added privileges are the drift that matters most.

use aws::{Aws, AwsNames};
use aws_sdk_iam::operation::put_role_policy::builders::PutRolePolicyFluentBuilder;
use engine::scope::Scope;
use futures::FutureExt;
use serde_json::json;

use super::row::{GONE, Row, sent};

const ADMINISTRATOR: &str = "arn:aws:iam::aws:policy/AdministratorAccess";

pub(super) fn first(scope: &Scope) -> Vec<Row> {
    let id = |thing| format!("iam.role/{}", scope.role_name(thing));
    vec![
        Row::new("trust", id("get-cart"), &["trust.statements.Service.Principal.AWS"], |aws| {
            let trust = json!({"Version": "2012-10-17", "Statement": [{
                "Sid": "Service",
                "Effect": "Allow",
                "Principal": {"Service": "lambda.amazonaws.com", "AWS": aws.scope.iam_arn("root")},
                "Action": "sts:AssumeRole",
            }]});
            let call = aws.iam.update_assume_role_policy().role_name(aws.scope.role_name("get-cart"));
            sent(call.policy_document(trust.to_string()).send())
        }),
        Row::new(
            "policy altered",
            id("get-cart"),
            &[
                "inline_policies.grants.statements.ByHand",
                "inline_policies.grants.statements.LoadEvents",
                "inline_policies.grants.statements.WriteLogs",
            ],
            |aws| sent(other(put(aws, "get-cart", "grants")).send()),
        ),
        Row::new("policy added", id("add-item"), &["inline_policies.more"], |aws| {
            sent(other(put(aws, "add-item", "more")).send())
        }),
        Row::new("policy removed", id("open-cart"), &["inline_policies.grants"], |aws| {
            let call = aws.iam.delete_role_policy().role_name(aws.scope.role_name("open-cart"));
            sent(call.policy_name("grants").send())
        }),
        Row::new("managed policy attached", id("open-cart"), &["managed_policies"], |aws| {
            let call = aws.iam.attach_role_policy().role_name(aws.scope.role_name("open-cart"));
            sent(call.policy_arn(ADMINISTRATOR).send())
        }),
        Row::new("boundary", id("close-cart"), &["permissions_boundary"], |aws| {
            let call = aws.iam.put_role_permissions_boundary().role_name(aws.scope.role_name("close-cart"));
            sent(call.permissions_boundary(ADMINISTRATOR).send())
        }),
        Row::new("length of sessions", id("close-cart"), &["max_session_seconds"], |aws| {
            let call = aws.iam.update_role().role_name(aws.scope.role_name("close-cart"));
            sent(call.max_session_duration(43_200).send())
        }),
        Row::new("description", id("close-cart"), &["description"], |aws| {
            let call = aws.iam.update_role().role_name(aws.scope.role_name("close-cart"));
            sent(call.description("by hand").send())
        }),
    ]
}

pub(super) fn gone(scope: &Scope) -> Vec<Row> {
    vec![Row::new("role deleted", format!("iam.role/{}", scope.role_name("close-cart")), GONE, |aws| {
        async {
            let name = aws.scope.role_name("close-cart");
            aws.iam.delete_role_policy().role_name(&name).policy_name("grants").send().await?;
            aws.iam.delete_role().role_name(&name).send().await?;
            Ok(())
        }
        .boxed()
    })]
}

fn put(aws: &Aws, thing: &str, policy: &str) -> PutRolePolicyFluentBuilder {
    aws.iam.put_role_policy().role_name(aws.scope.role_name(thing)).policy_name(policy)
}

fn other(call: PutRolePolicyFluentBuilder) -> PutRolePolicyFluentBuilder {
    let statement = json!({"Sid": "ByHand", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"});
    call.policy_document(json!({"Version": "2012-10-17", "Statement": [statement]}).to_string())
}
