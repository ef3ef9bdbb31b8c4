//! The stamp: a hash of the configuration that a resource was last made to have.
//!
//! It tells drift (live unlike the stamp) from pending changes (desired unlike the stamp).

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::resource::ResourceId;

/// The version of what is hashed. Under another number only "pending" can be said.
const SCHEMA: u32 = 1;

/// Returns the stamp of a state, `<schema>:<hash>`, together with the states of the
/// children that have no tags of their own.
pub fn stamp(state: &Value, children: &BTreeMap<ResourceId, &Value>) -> String {
    let children: BTreeMap<String, &Value> =
        children.iter().map(|(id, state)| (id.to_string(), *state)).collect();
    // Serialised maps are sorted, so equal states are equal bytes.
    let bytes = json!({"state": state, "children": children}).to_string();
    let digest = Sha256::digest(bytes.as_bytes());
    let hash: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("{SCHEMA}:{hash}")
}

/// Tells whether a stamp is of the schema that this program hashes.
pub(super) fn comparable(stamp: &str) -> bool {
    stamp.split_once(':').is_some_and(|(schema, _)| schema == SCHEMA.to_string())
}
