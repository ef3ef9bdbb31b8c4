//! The functions' code on its way to Lambda: built once, in the background, when wanted.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::future::{BoxFuture, FutureExt, Shared};

use crate::build::Package;
use crate::error::Error;

type Built = Result<Arc<BTreeMap<String, Package>>, Error>;

/// Packages by the name of the function's binary. All clones share one build.
#[derive(Clone)]
pub struct Packages {
    build: Shared<BoxFuture<'static, Built>>,
}

impl Packages {
    /// Returns packages that this build will give; it starts when the first is asked for
    /// or when [`Packages::start`] is called.
    pub fn from_build(
        build: impl Future<Output = Result<BTreeMap<String, Package>, Error>> + Send + 'static,
    ) -> Self {
        Self { build: async move { build.await.map(Arc::new) }.boxed().shared() }
    }

    /// Returns no packages, for commands that upload nothing.
    pub fn none() -> Self {
        Self::from_build(async { Ok(BTreeMap::new()) })
    }

    /// Drives the build to its end, so that it overlaps with everything else.
    pub async fn start(&self) {
        // Whoever asks for a package hears about a failure.
        let _ = self.build.clone().await;
    }

    /// Returns the package of this binary.
    ///
    /// # Errors
    /// The build failed, or this binary was not part of it.
    pub async fn get(&self, binary: &str) -> Result<Package, Error> {
        let built = self.build.clone().await?;
        built
            .get(binary)
            .cloned()
            .ok_or_else(|| Error::other("build", format!("`{binary}` was not built in this run")))
    }
}
