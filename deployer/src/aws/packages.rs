//! The functions' code on its way to Lambda, built before the first write.

use std::collections::BTreeMap;
use std::sync::Arc;

use engine::error::Error;

use crate::build::Package;

/// Packages by the name of the function's binary. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Packages {
    built: Arc<BTreeMap<String, Package>>,
}

impl Packages {
    /// Returns these packages.
    pub fn new(built: BTreeMap<String, Package>) -> Self {
        Self { built: Arc::new(built) }
    }

    /// Returns the package of this binary.
    ///
    /// # Errors
    /// This binary was not built in this run.
    pub fn get(&self, binary: &str) -> Result<&Package, Error> {
        let package = self.built.get(binary);
        package.ok_or_else(|| Error::other("build", format!("`{binary}` was not built in this run")))
    }
}
