//! The request of a command, and the hash that identifies its repeats.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use thiserror::Error;
use uuid::Uuid;

/// The stored length of a hash in bytes. Callers hash their own requests, so only accidental collisions
/// matter.
const BYTES: usize = 16;

/// The request of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request<C> {
    /// The aggregate of the command.
    pub aggregate_id: Uuid,
    /// The command.
    pub command: C,
    /// The id that the caller gave the command: a repeat has the same id.
    pub command_id: Uuid,
    /// The hash of the request. A command id always has the same one.
    pub hash: RequestHash,
    /// The id that the messages of a conversation share; the command id if none was given.
    pub correlation_id: Uuid,
    /// The message that the command answers, if there is one.
    pub causation_id: Option<Uuid>,
    /// Who requests it, as stated by the caller.
    pub actor: Option<String>,
}

/// A hash of a request as it was received: stored with each commit, as 32 hexadecimal digits.
///
/// It covers the text of the request and not its effects, so a repeat is recognised even if the rules, the
/// clock or the events' schemas have changed. The default is for commits without a request, such as a
/// probe's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RequestHash([u8; BYTES]);

/// The text is not a request hash.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0:?} is not a request hash: 32 hexadecimal digits in lower case")]
pub struct InvalidRequestHash(String);

impl RequestHash {
    /// Returns the hash of a command with this name and these fields. The name is part of stored hashes and
    /// can never change.
    pub fn of(command: &str, fields: &Map<String, Value>) -> Self {
        // Maps are sorted, and numbers keep their original digits.
        let text = serde_json::to_string(&(command, fields)).expect("a JSON map can be serialised");
        let digest = Sha256::digest(text);
        Self(std::array::from_fn(|at| digest[at]))
    }
}

impl From<RequestHash> for String {
    fn from(RequestHash(bytes): RequestHash) -> Self {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl TryFrom<String> for RequestHash {
    type Error = InvalidRequestHash;

    fn try_from(text: String) -> Result<Self, InvalidRequestHash> {
        let bytes = u128::from_str_radix(&text, 16).map(u128::to_be_bytes).map(Self);
        bytes.ok().filter(|hash| String::from(*hash) == text).ok_or(InvalidRequestHash(text))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn hash(command: &str, fields: &str) -> RequestHash {
        RequestHash::of(command, &serde_json::from_str(fields).expect("the fields are an object"))
    }

    #[test]
    fn hash_is_stored_as_it_always_was() {
        let hash = hash("add-item", r#"{"item":"tea","cart_id":"1"}"#);
        assert_eq!(json!(hash), json!("5c39e8e7b4592c4e0bc95e0d3a939745"));
        assert_eq!(serde_json::from_value::<RequestHash>(json!(hash)).expect("the value is a hash"), hash);
    }

    #[test]
    fn hash_is_of_the_request_and_not_of_its_spelling() {
        let one = hash("count", r#"{"a":1,"b":[1.5,9007199254740993]}"#);
        assert_eq!(one, hash("count", r#"{ "b": [1.5, 9007199254740993], "a": 1 }"#));
        for (command, fields) in [
            ("close", r#"{"a":1,"b":[1.5,9007199254740993]}"#),
            ("count", r#"{"a":1,"b":[1.5,9007199254740992]}"#),
            ("count", r#"{"a":"1","b":[1.5,9007199254740993]}"#),
            ("count", r#"{"a":1}"#),
        ] {
            assert_ne!(one, hash(command, fields), "{command} {fields}");
        }
    }

    #[test]
    fn invalid_request_hash_is_refused() {
        for text in ["", "00", &"0".repeat(33), &"A".repeat(32), &format!("+{}", "0".repeat(31))] {
            let refused = RequestHash::try_from((*text).to_owned());
            assert_eq!(refused, Err(InvalidRequestHash((*text).to_owned())), "{text}");
        }
    }
}
