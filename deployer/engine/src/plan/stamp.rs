//! The stamp: a hash of the configuration with which a resource was last deployed.
//!
//! It distinguishes drift (the live state differs from the stamp) from pending changes (the desired state
//! differs from the stamp). A resource without tags has its stamp on its parent, under a key of its own.

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::resource::{Described, ResourceId, Tags};
use crate::scope::TAG_STAMP;

/// The version of the hashed form. Stamps of another version can only mean "pending".
const SCHEMA: u32 = 1;

/// Returns the stamp of a state: `<schema>:<hash>`.
pub fn stamp(state: &Value) -> String {
    // Serialised maps are sorted, so equal states are equal bytes.
    format!("{SCHEMA}:{}", hash(&state.to_string(), 16))
}

/// Returns the resource whose tags hold the stamp, and the key of that tag.
pub(super) fn place(subject: &dyn Described) -> (ResourceId, String) {
    match subject.parent() {
        None => (subject.id(), TAG_STAMP.to_owned()),
        Some(parent) => (parent, stamp_key(&subject.id())),
    }
}

/// Returns the stamp of a disabled part. It matches no state: when the part is desired again, that is a
/// pending change and not drift.
pub(super) fn of_disabled(part: &ResourceId) -> Tags {
    Tags::from([(stamp_key(part), "disabled".to_owned())])
}

/// Returns the key of a part's stamp among the tags of its parent.
fn stamp_key(part: &ResourceId) -> String {
    // The part's name could be longer than a tag key may be.
    format!("{TAG_STAMP}:{}", hash(&part.to_string(), 4))
}

/// Returns whether a stamp has the version that this program writes.
pub(super) fn comparable(stamp: &str) -> bool {
    stamp.split_once(':').is_some_and(|(schema, _)| schema == SCHEMA.to_string())
}

/// Returns whether a changed field is a stamp.
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

    /// Deployed resources have both among their tags.
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
