//! What a function runs, in a form that can be compared without compiling anything.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use engine::resource::Tags;
use serde::Serialize;

use crate::packages::hexadecimal;

const TAG_FINGERPRINT: &str = "deployer:code-fingerprint";
const TAG_SHA256: &str = "deployer:code-sha256";

/// The code of a function.
///
/// What we want is known by the sources it is made from; what is live is known by the hash
/// of the zip. Tags written after each upload join the two: the fingerprint of the sources
/// and the `CodeSha256` of the zip they became.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Code {
    /// The fingerprint of the sources; live, the one in the tag, or empty without a tag.
    fingerprint: String,
    /// The live `CodeSha256` when it is not the one that was uploaded: somebody changed the
    /// code by hand. Nothing otherwise, and never desired.
    sha256: Option<String>,
}

impl Code {
    /// Returns the code made from sources with this fingerprint.
    pub(super) fn from_sources(fingerprint: String) -> Self {
        Self { fingerprint, sha256: None }
    }

    /// Returns the code that a function with these tags runs.
    pub(super) fn from_live(tags: &Tags, sha256: &str) -> Self {
        let uploaded = tags.get(TAG_SHA256).is_some_and(|tag| tag == sha256);
        Self {
            fingerprint: tags.get(TAG_FINGERPRINT).cloned().unwrap_or_default(),
            sha256: (!uploaded).then(|| sha256.to_owned()),
        }
    }

    /// Returns the tags of a function that runs this code, uploaded as a zip of this hash.
    pub(super) fn tags(&self, sha256: &str) -> Tags {
        [(TAG_FINGERPRINT, self.fingerprint.as_str()), (TAG_SHA256, sha256)]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into()
    }
}

/// Returns the digest of the package that a function with these tags was made of, as packages are stored
/// by; nothing where no deployer uploaded it.
pub fn deployed_package(tags: &Tags) -> Option<String> {
    let sha256 = STANDARD.decode(tags.get(TAG_SHA256)?).ok()?;
    Some(hexadecimal(&sha256))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deployed_package_is_named_by_the_digest_in_the_tags() {
        let tags = Code::from_sources("f1".into()).tags("AQL/");
        assert_eq!(deployed_package(&tags).as_deref(), Some("0102ff"));
        assert_eq!(deployed_package(&Tags::new()), None);
    }

    #[test]
    fn code_changed_by_hand_is_detected() {
        let desired = Code::from_sources("f1".into());
        let tags = desired.tags("zip");
        assert_eq!(Code::from_live(&tags, "zip"), desired);
        assert_eq!(Code::from_live(&tags, "other").sha256.as_deref(), Some("other"));
        assert_ne!(Code::from_live(&Tags::new(), "zip"), desired);
    }
}
