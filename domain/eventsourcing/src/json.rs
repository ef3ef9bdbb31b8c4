//! Canonical JSON, and JSON text that is carried exactly as it was stored.
//!
//! Stored JSON is canonical (RFC 8785), so equal values are equal bytes. It is passed on as text, because
//! parsing and serialising it again could lose information.

mod numbers;

use serde::{Deserialize, Serialize, ser::Error};
use serde_json::{Value, value::RawValue};

pub use self::numbers::InexactNumber;
pub(crate) use self::numbers::check;

/// The text of one JSON value, preserved byte by byte.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JsonText(Box<RawValue>);

impl JsonText {
    /// Returns the canonical text of a value.
    ///
    /// # Errors
    /// Returns an error if the value cannot be serialised, or has a number that JSON cannot represent
    /// exactly.
    pub fn canonical(value: &impl Serialize) -> serde_json::Result<Self> {
        check(value).map_err(serde_json::Error::custom)?;
        Self::canonical_of_checked(value)
    }

    /// Returns the canonical text of a value whose numbers have been checked.
    pub(crate) fn canonical_of_checked(value: &impl Serialize) -> serde_json::Result<Self> {
        Self::parse(serde_json_canonicalizer::to_string(value)?)
    }

    /// Returns the text unchanged, or an error if it is not JSON.
    pub fn parse(text: String) -> serde_json::Result<Self> {
        RawValue::from_string(text).map(Self)
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        self.0.get()
    }

    /// Returns the parsed value of the text.
    pub fn value(&self) -> serde_json::Result<Value> {
        serde_json::from_str(self.as_str())
    }
}

impl PartialEq for JsonText {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for JsonText {}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn canonical_text_has_sorted_keys_and_no_blanks() {
        let text = JsonText::canonical(&json!({"b": [1, 2.50], "a": "ä\u{7}"})).unwrap();
        assert_eq!(text.as_str(), r#"{"a":"ä\u0007","b":[1,2.5]}"#);
    }

    #[test]
    fn text_is_kept_to_the_byte() {
        let odd = r#"{ "b":1e2, "a":"\u00e4" }"#;
        let text = JsonText::parse(odd.to_owned()).unwrap();
        assert_eq!(serde_json::to_string(&text).unwrap(), odd);
    }

    #[test]
    fn text_that_is_not_json_is_refused() {
        assert!(JsonText::parse("{".to_owned()).is_err());
    }
}
