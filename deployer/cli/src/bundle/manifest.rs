//! The manifest of a bundle: its sources, its environments, and the hash of each file. It must not know when
//! or by whom the bundle was created, so that the same sources give the same bundle.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::build::BuildSettings;

/// The manifest's name in the archive.
pub(super) const NAME: &str = "deployer-bundle.json";

/// The version of this format.
pub(super) const SCHEMA: u32 = 1;

/// The manifest of a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Manifest {
    pub(super) schema: u32,
    pub(super) stack: String,
    /// The commit of the sources, with `-dirty` if they have uncommitted changes.
    pub(super) release: Option<String>,
    /// The commit and its ancestors, latest first. Older bundles have none.
    #[serde(default)]
    pub(super) history: Vec<String>,
    /// The environments that the bundle is for.
    pub(super) environments: Vec<String>,
    /// The files of these environments and those that they extend, by name.
    pub(super) files: BTreeMap<String, Entry>,
    /// The functions, by the folder name of their settings.
    pub(super) builds: BTreeMap<String, Build>,
}

/// The functions built with the same settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Build {
    pub(super) settings: BuildSettings,
    pub(super) functions: BTreeMap<String, Function>,
}

/// A function: the fingerprint of its sources, and its zip.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Function {
    pub(super) fingerprint: String,
    pub(super) zip: Entry,
}

/// A file in the archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) bytes: u64,
    /// In base64, as Lambda writes it.
    pub(super) sha256: String,
}

impl Entry {
    /// Returns the entry for a file with this content.
    pub(super) fn of(name: String, content: &[u8]) -> Self {
        Self { name, bytes: content.len() as u64, sha256: STANDARD.encode(Sha256::digest(content)) }
    }
}

/// Returns a SHA-256 as `sha256sum` writes it.
pub(super) fn hexadecimal(digest: impl AsRef<[u8]>) -> String {
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}
