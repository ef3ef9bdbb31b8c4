//! The packages of functions, built before the first write, and the fingerprints of their sources. The build
//! itself is in another crate.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use engine::error::Error;
use sha2::{Digest, Sha256};
use tokio::sync::OnceCell;

/// A function's code in the form that Lambda accepts.
#[derive(Clone, Debug)]
pub struct Package {
    /// The name of the function.
    pub function: String,
    /// The zip: one executable file, `bootstrap`.
    pub zip: Arc<[u8]>,
    /// The base64 of the zip's SHA-256, which Lambda calls `CodeSha256`.
    pub sha256: String,
    /// The path of the zip.
    pub path: PathBuf,
}

impl Package {
    /// Returns the size of the zip for people: `12.6 MB`.
    pub fn size(&self) -> String {
        format!("{:.1} MB", self.zip.len() as f64 / 1_000_000.0)
    }

    /// Returns the SHA-256 of the zip, in hexadecimal: its name in the deployment bucket.
    pub fn digest(&self) -> String {
        hexadecimal(&Sha256::digest(&self.zip))
    }
}

/// Returns a hash in hexadecimal.
pub(crate) fn hexadecimal(hash: &[u8]) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The fingerprints of the functions' sources, by binary.
#[derive(Debug, Clone, Default)]
pub struct Fingerprints(BTreeMap<String, String>);

impl Fingerprints {
    /// Returns the fingerprint of a binary; empty if there is no such binary.
    pub fn of(&self, binary: &str) -> String {
        self.0.get(binary).cloned().unwrap_or_default()
    }
}

impl FromIterator<(String, String)> for Fingerprints {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(entries: I) -> Self {
        Self(entries.into_iter().collect())
    }
}

/// Packages by the name of the function's binary. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Packages {
    built: Arc<BTreeMap<String, Built>>,
}

/// A package, and its key in the deployment bucket once it is stored.
#[derive(Debug)]
pub(crate) struct Built {
    pub(crate) package: Package,
    pub(crate) key: OnceCell<String>,
}

impl Packages {
    /// Returns a collection of these packages.
    pub fn new(built: BTreeMap<String, Package>) -> Self {
        let entry = |(binary, package)| (binary, Built { package, key: OnceCell::new() });
        Self { built: Arc::new(built.into_iter().map(entry).collect()) }
    }

    /// Returns all packages.
    pub fn all(&self) -> impl Iterator<Item = &Package> {
        self.built.values().map(|built| &built.package)
    }

    /// Returns the package of this binary.
    ///
    /// # Errors
    /// Fails if this binary was not built in this run.
    pub(crate) fn get(&self, binary: &str) -> Result<&Built, Error> {
        let built = self.built.get(binary);
        built.ok_or_else(|| Error::other("build", format!("`{binary}` was not built in this run")))
    }
}
