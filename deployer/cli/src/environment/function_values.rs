//! Types of values for settings of functions. They are displayed as Lambda's API writes them.

use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;

/// Which invocations X-Ray traces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Tracing {
    /// A sample of all invocations.
    Active,
    /// Those that the caller traces.
    PassThrough,
}

/// The format of Lambda's own log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// Lines such as `START RequestId: …`.
    Text,
    /// One JSON object a line, with levels.
    Json,
}

/// A level of a function's own log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "these are the levels of every log")]
pub enum ApplicationLogLevel {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
    Fatal,
}

/// A level of Lambda's own log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "these are the levels of every log")]
pub enum SystemLogLevel {
    Debug,
    Info,
    Warn,
}

/// The id of a subnet.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
pub(super) struct SubnetId(String);

/// The id of a security group.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
pub(super) struct SecurityGroupId(String);

impl TryFrom<String> for SubnetId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if is_id(&text, "subnet-") {
            Ok(Self(text))
        } else {
            Err(format!("`{text}` is not the id of a subnet, such as `subnet-0123456789abcdef0`"))
        }
    }
}

impl TryFrom<String> for SecurityGroupId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if is_id(&text, "sg-") {
            Ok(Self(text))
        } else {
            Err(format!("`{text}` is not the id of a security group, such as `sg-0123456789abcdef0`"))
        }
    }
}

/// Returns whether a text is an id with this prefix: 8 or 17 hexadecimal digits follow ("Amazon EC2 resource
/// IDs", Amazon EC2 user guide).
fn is_id(text: &str, prefix: &str) -> bool {
    let digits = text.strip_prefix(prefix).unwrap_or_default();
    let hexadecimal = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    matches!(digits.len(), 8 | 17) && digits.bytes().all(hexadecimal)
}

impl fmt::Display for Tracing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Active => "Active",
            Self::PassThrough => "PassThrough",
        })
    }
}

impl fmt::Display for LogFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "Text",
            Self::Json => "JSON",
        })
    }
}

impl fmt::Display for ApplicationLogLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&format!("{self:?}").to_uppercase())
    }
}

impl fmt::Display for SystemLogLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&format!("{self:?}").to_uppercase())
    }
}

impl fmt::Display for SubnetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for SecurityGroupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
