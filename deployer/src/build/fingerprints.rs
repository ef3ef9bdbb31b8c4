//! The fingerprints of a stack's functions together, wherever they were taken.

use std::collections::BTreeMap;

/// The fingerprints of the functions' sources, by binary.
#[derive(Debug, Clone, Default)]
pub struct Fingerprints(BTreeMap<String, String>);

impl Fingerprints {
    /// Returns the fingerprint of a binary; empty where the command needs none.
    pub fn of(&self, binary: &str) -> String {
        self.0.get(binary).cloned().unwrap_or_default()
    }
}

impl FromIterator<(String, String)> for Fingerprints {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(entries: I) -> Self {
        Self(entries.into_iter().collect())
    }
}
