//! The canonical form of a policy's statements and of their elements.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

/// The number of hash bytes in the name of a statement.
const NAME_BYTES: usize = 4;

/// Returns the statements by `Sid`. Statements without a `Sid` or with a repeated one are named by a hash of
/// their content, so that an additional statement does not rename the others.
pub(super) fn statements(listed: Option<&Value>) -> BTreeMap<String, Value> {
    // A repeated statement counts once.
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
            // Two statements with the same hash must not hide each other.
            let key = unused(key, |key| statements.contains_key(key));
            statements.insert(key, statement);
        }
    }
    statements
}

/// Returns the key, with as many `'` appended as it takes to be unique.
fn unused(mut key: String, is_used: impl Fn(&str) -> bool) -> String {
    while is_used(&key) {
        key.push('\'');
    }
    key
}

fn short_hash(text: &str) -> String {
    Sha256::digest(text).iter().take(NAME_BYTES).map(|byte| format!("{byte:02x}")).collect()
}

/// Returns the items of a list, or a single value as a list of one.
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
            // It is the key of the statement.
            "Sid" => continue,
            "Action" | "NotAction" => set(value, |action| action.to_lowercase()),
            "Resource" | "NotResource" => set(value, str::to_owned),
            "Principal" if allows && *value == "*" => json!({"AWS": ["*"]}),
            "Principal" | "NotPrincipal" => canonical_principal(value),
            "Condition" => canonical_condition(value),
            _ => value.clone(),
        };
        // An empty condition is always true.
        if key != "Condition" || value != json!({}) {
            canonical.insert(key.clone(), value);
        }
    }
    Value::Object(canonical)
}

/// Returns the canonical form of a principal. `"*"` includes anonymous callers. `{"AWS": "*"}` includes them
/// only in an `Allow`, so only there the two are equal ("IAM JSON policy elements: Principal").
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

/// Returns the canonical name of a principal. An account id means its root user's ARN; a bare account id has
/// no partition, so both forms become the id. AWS shows a deleted user or role by its former unique id, which
/// is labelled here: a new one with the same name is another principal.
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

/// Returns the canonical form of a condition. Operators and condition keys ignore case; AWS returns values as
/// strings ("IAM JSON policy elements: Condition").
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
            // A key in two spellings is two tests that both have to hold, so both are kept.
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
