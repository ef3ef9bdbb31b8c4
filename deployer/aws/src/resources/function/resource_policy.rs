//! The resource policy of a function: permissions of others to invoke or change it.

use engine::error::{Error, GoneIsNone};
use serde_json::Value;

use crate::policy::Policy;
use crate::{Aws, Called};

/// Returns the policy, or nothing if it grants no permission.
pub(super) async fn read(function: &str, aws: &Aws) -> Result<Option<Policy>, Error> {
    let call = aws.lambda.get_policy().function_name(function);
    let answer = call.send().await.called().gone_is_none()?;
    let Some(text) = answer.and_then(|answer| answer.policy) else {
        return Ok(None);
    };
    let policy = Policy::parse(&text)
        .map_err(|error| Error::other("GetPolicy", format!("the policy is not JSON: {error}")))?;
    // Without statements it allows nothing.
    Ok(Some(policy).filter(|policy| !statements(policy).is_empty()))
}

/// Removes each permission in this policy; no call removes all of them.
pub(super) async fn remove(function: &str, policy: &Policy, aws: &Aws) -> Result<(), Error> {
    for id in statement_ids(policy) {
        let call = aws.lambda.remove_permission().function_name(function).statement_id(id);
        call.send().await.called().gone_is_none()?;
    }
    Ok(())
}

/// Returns the ids of the permissions in this policy. Lambda requires one for each.
pub(super) fn statement_ids(policy: &Policy) -> Vec<String> {
    let id = |statement: Value| statement["Sid"].as_str().unwrap_or_default().to_owned();
    statements(policy).into_iter().map(id).collect()
}

fn statements(policy: &Policy) -> Vec<Value> {
    let document: Value = serde_json::from_str(&policy.to_json()).expect("a policy is sent as JSON");
    match &document["Statement"] {
        Value::Array(statements) => statements.clone(),
        Value::Null => Vec::new(),
        single => vec![single.clone()],
    }
}
