//! The stamp: a hash of the configuration that a resource was last made to have.
//!
//! It tells drift (live unlike the stamp) from pending changes (desired unlike the stamp).
//! What has no tags has its stamp on its parent, under a key of its own.

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::resource::{Described, ResourceId, Tags};
use crate::scope::TAG_STAMP;

/// The version of what is hashed. Under another number only "pending" can be said.
const SCHEMA: u32 = 1;

/// Returns the stamp of a state: `<schema>:<hash>`.
pub fn stamp(state: &Value) -> String {
    // Serialised maps are sorted, so equal states are equal bytes.
    format!("{SCHEMA}:{}", hash(&state.to_string(), 16))
}

/// Returns the resource that has the stamp among its tags, and the tag's key.
pub(super) fn place(subject: &dyn Described) -> (ResourceId, String) {
    match subject.parent() {
        None => (subject.id(), TAG_STAMP.to_owned()),
        Some(parent) => (parent, stamp_key(&subject.id())),
    }
}

/// Returns the stamp of a part that is disabled. It is that of no state: wanted again, the part is
/// a change of the code, and nobody's drift.
pub(super) fn of_disabled(part: &ResourceId) -> Tags {
    Tags::from([(stamp_key(part), "disabled".to_owned())])
}

/// Returns the key of the stamp that a part has among the tags of its parent.
fn stamp_key(part: &ResourceId) -> String {
    // A name of its own could be longer than a key may be.
    format!("{TAG_STAMP}:{}", hash(&part.to_string(), 4))
}

/// Tells whether a stamp is of the schema that this program hashes.
pub(super) fn comparable(stamp: &str) -> bool {
    stamp.split_once(':').is_some_and(|(schema, _)| schema == SCHEMA.to_string())
}

/// Tells whether a changed field is a stamp.
pub(super) fn is_stamp(path: &str) -> bool {
    path.strip_prefix("tags.").is_some_and(|key| key.starts_with(TAG_STAMP))
}

fn hash(text: &str, bytes: usize) -> String {
    Sha256::digest(text.as_bytes()).iter().take(bytes).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Both are among the tags of what was deployed by earlier versions.
    #[test]
    fn stamp_and_its_key_stay_as_they_are() {
        assert_eq!(stamp(&json!({"b": ["x"], "a": 1})), "1:fd5e92badbe24726f55b88132dd5fa1c");
        assert_eq!(stamp_key(&ResourceId::new("fake.part", "demo-dev-a/part")), "deployer:stamp:3cc46432");
    }

    #[test]
    fn stamp_is_distinguished_from_other_tags() {
        assert!(is_stamp("tags.deployer:stamp"));
        assert!(is_stamp("tags.deployer:stamp:3cc46432"));
        for path in ["tags.deployer:stack", "tags.team", "deployer:stamp", "tags"] {
            assert!(!is_stamp(path), "{path}");
        }
    }
}
