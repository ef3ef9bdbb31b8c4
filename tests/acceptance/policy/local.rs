//! Resources that the local cloud checks under other names than AWS.

use serde_json::{Value, json};

/// Prefixes of actions that MiniStack checks without a resource: it parses neither CBOR, which CloudWatch
/// uses, nor a table's ARN, nor the name of a function that does not exist yet.
const ON_NOTHING: [&str; 4] =
    ["cloudwatch:", "dynamodb:DeleteResourcePolicy", "dynamodb:GetResourcePolicy", "lambda:CreateFunction"];

/// Returns a policy with the resources that MiniStack checks in addition to AWS's.
pub(super) fn as_checked_here(policy: &Value) -> Value {
    let mut policy = policy.clone();
    for statement in policy["Statement"].as_array_mut().expect("statements are a list") {
        let actions = statement["Action"].as_array().expect("actions are a list");
        let nothing = actions.iter().filter_map(Value::as_str);
        let nothing = nothing.into_iter().any(|action| ON_NOTHING.iter().any(|of| action.starts_with(of)));
        let resources = statement["Resource"].as_array_mut().expect("resources are a list");
        let without_path = resources.iter().filter_map(Value::as_str).filter_map(without_path);
        let more: Vec<Value> = without_path.map(Value::from).chain(nothing.then(|| json!("*"))).collect();
        resources.extend(more);
    }
    policy
}

/// MiniStack's role ARNs have no path.
fn without_path(arn: &str) -> Option<String> {
    let (account, role) = arn.split_once(":role/")?;
    let (_, name) = role.rsplit_once('/')?;
    Some(format!("{account}:role/{name}"))
}
