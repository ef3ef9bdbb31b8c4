//! IAM policy documents as a value with one form: what means the same is equal.
//!
//! Documents are parsed into this form whether we wrote them or read them. The rules of
//! equality are those of the IAM policy grammar ("IAM JSON policy elements reference").

use std::collections::{BTreeMap, BTreeSet};

use serde::{Serialize, Serializer};
use serde_json::{Value, json};

/// A policy document in canonical form.
///
/// Scalars are one-element lists, lists are sorted sets, action names are compared in lower
/// case, an absent version is the old default, statements are keyed by `Sid`.
#[derive(Debug, Clone)]
pub struct Policy {
    version: String,
    /// By `Sid`, or by position for the nameless, so that a diff names the statement.
    statements: BTreeMap<String, Value>,
    /// The document as it was written, for sending.
    document: Value,
}

/// One `Allow` statement of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The name, unique in its document, letters and digits only.
    pub sid: String,
    /// The actions, each `service:Operation`.
    pub actions: Vec<&'static str>,
    /// The resources' ARNs; `*` only where AWS supports no resource for the action.
    pub resources: Vec<String>,
    /// What has to hold besides: operator, key, value.
    pub conditions: Vec<Condition>,
}

/// What has to hold for a statement to count: operator, key and value.
pub type Condition = (&'static str, String, String);

impl Statement {
    /// Returns the statement of this name that allows these actions on these resources.
    pub fn new(
        sid: impl Into<String>,
        actions: impl Into<Vec<&'static str>>,
        resources: impl Into<Vec<String>>,
    ) -> Self {
        let (sid, actions, resources) = (sid.into(), actions.into(), resources.into());
        Self { sid, actions, resources, conditions: Vec::new() }
    }

    /// Returns the statement that counts only when this holds as well.
    pub fn when(mut self, operator: &'static str, key: &str, value: impl Into<String>) -> Self {
        self.conditions.push((operator, key.to_owned(), value.into()));
        self
    }

    fn document(&self) -> Value {
        let mut document = json!({
            "Sid": self.sid,
            "Effect": "Allow",
            "Action": self.actions,
            "Resource": self.resources,
        });
        for (operator, key, value) in &self.conditions {
            document["Condition"][operator][key] = json!(value);
        }
        document
    }
}

impl Policy {
    /// Returns the document that allows these statements.
    pub fn allowing(statements: &[Statement]) -> Self {
        let statements: Vec<Value> = statements.iter().map(Statement::document).collect();
        Self::from(json!({"Version": "2012-10-17", "Statement": statements}))
    }

    /// Returns the trust document that lets this AWS service assume a role.
    pub fn trusting(service: &str) -> Self {
        Self::from(json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Effect": "Allow",
                "Principal": {"Service": service},
                "Action": "sts:AssumeRole",
            }],
        }))
    }

    /// Parses a document as AWS gives it: JSON, possibly percent-encoded (IAM sends RFC
    /// 3986 encoding, "GetRolePolicy" API reference).
    ///
    /// # Errors
    /// The text is not JSON in either form.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        if let Ok(document) = serde_json::from_str::<Value>(text) {
            return Ok(Self::from(document));
        }
        let decoded = percent_encoding::percent_decode_str(text).decode_utf8_lossy();
        serde_json::from_str::<Value>(&decoded).map(Self::from)
    }

    /// Returns the document as it is sent.
    pub fn to_json(&self) -> String {
        self.document.to_string()
    }
}

impl PartialEq for Policy {
    /// Compares the meaning, not the text.
    fn eq(&self, other: &Self) -> bool {
        self.version == other.version && self.statements == other.statements
    }
}

impl From<Value> for Policy {
    fn from(document: Value) -> Self {
        let version = document.get("Version").and_then(Value::as_str).unwrap_or("2008-10-17").to_owned();
        let listed = match document.get("Statement") {
            Some(Value::Array(items)) => items.clone(),
            Some(single) => vec![single.clone()],
            None => Vec::new(),
        };
        let mut nameless: Vec<Value> = Vec::new();
        let mut statements = BTreeMap::new();
        for statement in listed {
            let canonical = canonical_statement(&statement);
            match statement.get("Sid").and_then(Value::as_str) {
                Some(sid) if !sid.is_empty() && !statements.contains_key(sid) => {
                    statements.insert(sid.to_owned(), canonical);
                }
                _ => nameless.push(canonical),
            }
        }
        // Order means nothing between statements.
        nameless.sort_by_key(Value::to_string);
        for (position, statement) in nameless.into_iter().enumerate() {
            statements.insert(format!("#{position}"), statement);
        }
        Self { version, statements, document }
    }
}

impl Serialize for Policy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        json!({"version": self.version, "statements": self.statements}).serialize(serializer)
    }
}

fn canonical_statement(statement: &Value) -> Value {
    let Some(fields) = statement.as_object() else {
        return statement.clone();
    };
    let fields = fields.iter().filter(|(key, _)| *key != "Sid").map(|(key, value)| {
        let canonical = match key.as_str() {
            "Action" | "NotAction" => set(value, |action| action.to_lowercase()),
            "Resource" | "NotResource" => set(value, str::to_owned),
            "Principal" | "NotPrincipal" => canonical_principal(value),
            "Condition" => canonical_condition(value),
            _ => value.clone(),
        };
        (key.clone(), canonical)
    });
    Value::Object(fields.collect())
}

/// `"*"` is `{"AWS": "*"}`; an account id is its root user's ARN. The partition does not
/// show in a bare account id, so both forms become the id.
fn canonical_principal(principal: &Value) -> Value {
    match principal {
        Value::String(everyone) => json!({"AWS": [everyone]}),
        Value::Object(by_type) => by_type
            .iter()
            .map(|(kind, value)| (kind.clone(), set(value, canonical_principal_name)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        other => other.clone(),
    }
}

fn canonical_principal_name(name: &str) -> String {
    name.strip_suffix(":root")
        .and_then(|arn| arn.rsplit_once("iam::"))
        .map_or_else(|| name.to_owned(), |(_, account)| account.to_owned())
}

/// Operators and condition keys are case-insensitive; values come back as strings.
fn canonical_condition(condition: &Value) -> Value {
    let Some(operators) = condition.as_object() else {
        return condition.clone();
    };
    let operators = operators.iter().map(|(operator, keys)| {
        let keys = keys.as_object().into_iter().flatten();
        let keys = keys.map(|(key, values)| (key.to_lowercase(), set(values, str::to_owned)));
        (operator.to_lowercase(), Value::Object(keys.collect()))
    });
    Value::Object(operators.collect())
}

fn set(value: &Value, canonical: impl Fn(&str) -> String) -> Value {
    let items = match value {
        Value::Array(items) => items.as_slice(),
        single => std::slice::from_ref(single),
    };
    let items: BTreeSet<String> = items
        .iter()
        .map(|item| match item {
            Value::String(text) => canonical(text),
            other => other.to_string(),
        })
        .collect();
    items.into_iter().map(Value::String).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statement(fields: Value) -> Policy {
        Policy::from(json!({"Version": "2012-10-17", "Statement": fields}))
    }

    #[test]
    fn what_means_the_same_is_equal() {
        let pairs = [
            (json!({"Action": "s3:GetObject"}), json!([{"Action": ["s3:getobject"]}])),
            (json!({"Resource": ["b", "a"]}), json!({"Resource": ["a", "b"]})),
            (json!({"Resource": ["a", "a"]}), json!({"Resource": "a"})),
            (json!({"Principal": "*"}), json!({"Principal": {"AWS": "*"}})),
            (
                json!({"Principal": {"AWS": "111111111111"}}),
                json!({"Principal": {"AWS": ["arn:aws:iam::111111111111:root"]}}),
            ),
            (
                json!({"Condition": {"Bool": {"aws:SecureTransport": false}}}),
                json!({"Condition": {"bool": {"aws:securetransport": ["false"]}}}),
            ),
            (
                json!([{"Sid": "B", "Action": "b:B"}, {"Sid": "A", "Action": "a:A"}]),
                json!([{"Sid": "A", "Action": "a:A"}, {"Sid": "B", "Action": "b:B"}]),
            ),
            (json!([{"Action": "b:B"}, {"Action": "a:A"}]), json!([{"Action": "a:A"}, {"Action": "b:B"}])),
        ];
        for (one, other) in pairs {
            assert_eq!(same(&one), same(&other), "{one} and {other}");
        }
    }

    #[test]
    fn what_means_something_else_differs() {
        let pairs = [
            (json!({"Action": "s3:GetObject"}), json!({"NotAction": "s3:GetObject"})),
            (json!({"Resource": "a"}), json!({"Resource": "A"})),
            (json!({"Effect": "Allow"}), json!({"Effect": "Deny"})),
            (json!({"Resource": ["a"]}), json!({"Resource": ["a", "b"]})),
            (
                json!({"Condition": {"StringEquals": {"k": "v"}}}),
                json!({"Condition": {"StringLike": {"k": "v"}}}),
            ),
        ];
        for (one, other) in pairs {
            assert_ne!(same(&one), same(&other), "{one} and {other}");
        }
    }

    #[test]
    fn an_absent_version_is_the_old_one() {
        let without = Policy::from(json!({"Statement": []}));
        assert_eq!(serde_json::to_value(&without).expect("plain data")["version"], "2008-10-17",);
    }

    #[test]
    fn a_percent_encoded_document_is_read() {
        let text = r#"{"Version":"2012-10-17","Statement":[{"Action":"a:B"}]}"#;
        let encoded =
            percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string();
        let parsed = Policy::parse(&encoded).expect("an encoded document parses");
        assert_eq!(same(&json!({"Action": "a:B"})), serde_json::to_value(parsed).expect("plain data"));
    }

    fn same(fields: &Value) -> Value {
        serde_json::to_value(statement(fields.clone())).expect("plain data")
    }
}
