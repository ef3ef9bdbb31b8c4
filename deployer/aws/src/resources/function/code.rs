//! The code of a function, in a form that can be compared without compilation.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use engine::resource::Tags;
use serde::Serialize;

use crate::packages::hexadecimal;

const TAG_FINGERPRINT: &str = "deployer:code-fingerprint";
const TAG_SHA256: &str = "deployer:code-sha256";

/// The code of a function.
///
/// The desired code is identified by its sources, the live code by the hash of its zip. Tags that are written
/// after each upload connect the two: the fingerprint of the sources, and the `CodeSha256` of the zip that
/// was built from them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Code {
    /// The fingerprint of the sources. For live code it is the one in the tag, or empty without a tag.
    fingerprint: String,
    /// The live `CodeSha256` if it is not the uploaded one, because the code was changed by hand. Otherwise
    /// nothing, and never desired.
    sha256: Option<String>,
}

impl Code {
    /// Returns the code built from sources with this fingerprint.
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

/// Returns the digest under which the package of a function with these tags is stored. Returns nothing if the
/// code was not uploaded by the deployer.
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
