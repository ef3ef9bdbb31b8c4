//! IAM policy documents in a canonical form: documents with the same meaning are equal.
//!
//! Both desired and live documents are parsed into this form. The rules of equality are those of the IAM
//! policy grammar ("IAM JSON policy elements reference").

mod allows;
mod canonical;

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};
use serde_json::{Value, json};

/// The version of a document that names none ("IAM JSON policy elements: Version").
const OLD_VERSION: &str = "2008-10-17";

/// A policy document in canonical form.
///
/// Scalars become one-element lists, lists become sorted sets, action names become lower case, an absent
/// version becomes the old default, and statements are keyed by `Sid`.
#[derive(Debug, Clone)]
pub struct Policy {
    version: String,
    /// By `Sid`, or by a hash for statements without a `Sid`, so that a diff names the statement.
    statements: BTreeMap<String, Value>,
    /// The original document, for sending.
    document: Value,
}

/// An `Allow` statement that the deployer writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The name, unique in its document; letters and digits only.
    pub sid: String,
    /// The actions, each `service:Operation`.
    pub actions: Vec<&'static str>,
    /// The resources' ARNs; `*` only if AWS supports no resource for the action.
    pub resources: Vec<String>,
    /// The conditions.
    pub conditions: Vec<Condition>,
}

/// A condition of a statement: operator, key and value.
pub type Condition = (&'static str, String, String);

impl Statement {
    /// Returns the statement with this name that allows these actions on these resources.
    pub fn new(
        sid: impl Into<String>,
        actions: impl Into<Vec<&'static str>>,
        resources: impl Into<Vec<String>>,
    ) -> Self {
        let (sid, actions, resources) = (sid.into(), actions.into(), resources.into());
        Self { sid, actions, resources, conditions: Vec::new() }
    }

    /// Returns the statement with one more condition.
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
                "Sid": "Service",
                "Effect": "Allow",
                "Principal": {"Service": service},
                "Action": "sts:AssumeRole",
            }],
        }))
    }

    /// Parses a document as AWS returns it: JSON, possibly percent-encoded (IAM sends RFC 3986 encoding,
    /// "GetRolePolicy" API reference).
    ///
    /// # Errors
    /// Fails if the text is not JSON in either form.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        if let Ok(document) = serde_json::from_str::<Value>(text) {
            return Ok(Self::from(document));
        }
        let decoded = percent_encoding::percent_decode_str(text).decode_utf8_lossy();
        serde_json::from_str::<Value>(&decoded).map(Self::from)
    }

    /// Returns the document as JSON, as it is sent.
    pub fn to_json(&self) -> String {
        self.document.to_string()
    }

    /// Returns the length that IAM counts for its quotas: all characters except white space ("IAM and AWS STS
    /// quotas").
    pub fn length(&self) -> usize {
        self.to_json().chars().filter(|c| !c.is_whitespace()).count()
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
        let version = document.get("Version").and_then(Value::as_str).unwrap_or(OLD_VERSION).to_owned();
        let statements = canonical::statements(document.get("Statement"));
        Self { version, statements, document }
    }
}

impl Serialize for Policy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        json!({"version": self.version, "statements": self.statements}).serialize(serializer)
    }
}

#[cfg(test)]
mod tests;
