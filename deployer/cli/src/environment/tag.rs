//! Tags that every AWS service accepts.

use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;

/// The key of a tag.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
pub(super) struct TagKey(String);

/// The value of a tag.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
pub(super) struct TagValue(String);

impl TryFrom<String> for TagKey {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        check("key", &text, 1, 128)?;
        let lower = text.to_lowercase();
        match ["aws:", "deployer:"].iter().find(|prefix| lower.starts_with(*prefix)) {
            Some(prefix) => Err(format!("the tag key `{text}` begins with `{prefix}`, which is reserved")),
            None => Ok(Self(text)),
        }
    }
}

impl TryFrom<String> for TagValue {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        check("value", &text, 0, 256).map(|()| Self(text))
    }
}

/// Checks length and characters ("Tag naming limits and requirements", Tagging AWS resources
/// user guide).
fn check(what: &str, text: &str, least: usize, most: usize) -> Result<(), String> {
    let length = text.chars().count();
    if length < least || length > most {
        return Err(format!("the tag {what} `{text}` has {length} characters, not {least} to {most}"));
    }
    match text.chars().find(|c| !c.is_alphanumeric() && !" _.:/=+-@".contains(*c)) {
        Some(wrong) => Err(format!(
            "the tag {what} `{text}` holds `{wrong}`: letters, digits, spaces and _.:/=+-@ are allowed",
        )),
        None => Ok(()),
    }
}

impl fmt::Display for TagKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for TagValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
