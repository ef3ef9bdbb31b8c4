//! The one form of a policy's statements, and of everything in them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

/// How many bytes of a hash name a statement.
const NAME_BYTES: usize = 4;

/// Returns the statements by `Sid`; those without one, and all that share one, by a hash of
/// what they say, so that one more does not rename the others.
pub(super) fn statements(listed: Option<&Value>) -> BTreeMap<String, Value> {
    // A statement said twice is said once.
    let mut by_sid: BTreeMap<&str, BTreeMap<String, Value>> = BTreeMap::new();
    for statement in listed.map(each).unwrap_or_default() {
        let sid = statement.get("Sid").and_then(Value::as_str).unwrap_or_default();
        let canonical = canonical_statement(statement);
        by_sid.entry(sid).or_default().insert(canonical.to_string(), canonical);
    }
    let mut statements = BTreeMap::new();
    for (sid, alike) in by_sid {
        let only = alike.len() == 1 && !sid.is_empty();
        for (text, statement) in alike {
            let key = if only { sid.to_owned() } else { format!("{sid}#{}", short_hash(&text)) };
            // Whoever makes two of one hash does not hide one of them.
            let key = unused(key, |key| statements.contains_key(key));
            statements.insert(key, statement);
        }
    }
    statements
}

/// Returns the key, with as many ticks behind it as it takes to be one of its own.
fn unused(mut key: String, is_used: impl Fn(&str) -> bool) -> String {
    while is_used(&key) {
        key.push('\'');
    }
    key
}

fn short_hash(text: &str) -> String {
    Sha256::digest(text).iter().take(NAME_BYTES).map(|byte| format!("{byte:02x}")).collect()
}

/// Returns the items of a list, or the one thing that stands for a list of one.
pub(super) fn each(value: &Value) -> &[Value] {
    match value {
        Value::Array(items) => items,
        single => std::slice::from_ref(single),
    }
}

fn canonical_statement(statement: &Value) -> Value {
    let Some(fields) = statement.as_object() else {
        return statement.clone();
    };
    let allows = fields.get("Effect").and_then(Value::as_str) == Some("Allow");
    let mut canonical = Map::new();
    for (key, value) in fields {
        let value = match key.as_str() {
            // It names the statement, in the key.
            "Sid" => continue,
            "Action" | "NotAction" => set(value, |action| action.to_lowercase()),
            "Resource" | "NotResource" => set(value, str::to_owned),
            "Principal" if allows && *value == "*" => json!({"AWS": ["*"]}),
            "Principal" | "NotPrincipal" => canonical_principal(value),
            "Condition" => canonical_condition(value),
            _ => value.clone(),
        };
        // A condition of nothing always holds.
        if key != "Condition" || value != json!({}) {
            canonical.insert(key.clone(), value);
        }
    }
    Value::Object(canonical)
}

/// Anonymous callers are part of `"*"`. Where access is allowed they are part of `{"AWS":
/// "*"}` as well, and only there the two are one ("IAM JSON policy elements: Principal").
fn canonical_principal(principal: &Value) -> Value {
    match principal {
        Value::Object(by_type) => by_type
            .iter()
            .map(|(kind, value)| (kind.clone(), set(value, canonical_principal_name)))
            .collect::<Map<_, _>>()
            .into(),
        other => set(other, str::to_owned),
    }
}

/// An account id is its root user's ARN. The partition does not show in a bare account id,
/// so both forms become the id. What was deleted reads back as the id that it had, which is
/// said beside it: whoever is made under the old name is somebody else.
fn canonical_principal_name(name: &str) -> String {
    let account = name.strip_suffix(":root").and_then(|arn| arn.rsplit_once(":iam::"));
    if let Some((_, account)) = account {
        return account.to_owned();
    }
    match name.get(..4) {
        Some("AROA") => format!("{name} (a deleted role)"),
        Some("AIDA") => format!("{name} (a deleted user)"),
        _ => name.to_owned(),
    }
}

/// Operators and condition keys have no case; values come back as strings ("IAM JSON policy
/// elements: Condition").
fn canonical_condition(condition: &Value) -> Value {
    let Some(operators) = condition.as_object() else {
        return condition.clone();
    };
    let mut canonical = Map::new();
    for (operator, keys) in operators {
        let operator = operator.to_lowercase();
        let truth = operator.contains("bool") || operator.starts_with("null");
        let value = |text: &str| if truth { text.to_lowercase() } else { text.to_owned() };
        for (key, values) in keys.as_object().into_iter().flatten() {
            let tests = canonical.entry(operator.clone()).or_insert_with(|| json!({}));
            // Said in two spellings, both have to hold; neither may hide the other.
            let key = unused(key.to_lowercase(), |key| tests.get(key).is_some());
            tests[key] = set(values, value);
        }
    }
    Value::Object(canonical)
}

fn set(value: &Value, canonical: impl Fn(&str) -> String) -> Value {
    let items: BTreeSet<String> = each(value)
        .iter()
        .map(|item| match item {
            Value::String(text) => canonical(text),
            other => canonical(&other.to_string()),
        })
        .collect();
    items.into_iter().map(Value::String).collect()
}
