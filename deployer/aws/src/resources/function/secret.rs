//! A value that is compared and sent, and never shown.

use std::fmt;

use serde::{Serialize, Serializer};
use sha2::{Digest, Sha256};

/// How much of the hash is shown: enough to see a change, not to check a guess by eye.
const SHOWN_BYTES: usize = 8;

/// The value of an environment variable. Its hash replaces it wherever it could be printed or stored.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Returns the value as a secret.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// Returns the value itself, to send it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sha256:")?;
        let digest = Sha256::digest(&self.0);
        digest.iter().take(SHOWN_BYTES).try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secret_shows_only_its_hash() {
        let secret = Secret::new("hello");
        assert_eq!(
            serde_json::to_value(&secret).expect("the value serializes to JSON"),
            "sha256:2cf24dba5fb0a30e",
        );
        assert_eq!(format!("{secret:?}"), "sha256:2cf24dba5fb0a30e");
        assert_eq!(secret.expose(), "hello");
    }
}
