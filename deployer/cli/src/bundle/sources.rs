//! Where the functions come from: a workspace whose sources get built, or the bundle that the
//! running program is. A bundle never looks at sources, whatever folder it runs in.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::error::BundleError;
use super::read::Bundle;
use crate::build::{BuildEvent, BuildSettings, Workspace, descends_from};
use crate::exit::{Exit, Problem};
use aws::{Fingerprints, Package};

/// The functions, built or yet to be built.
#[derive(Debug, Clone)]
pub(crate) enum Sources {
    /// To be built.
    Workspace(Workspace),
    /// Built.
    Bundle(Arc<Bundle>),
}

impl Sources {
    /// Returns the running program's own functions, else those of the workspace around here.
    /// Compiles nothing.
    ///
    /// # Errors
    /// The bundle is damaged; or this is no cargo workspace, or not one with the functions.
    pub(crate) async fn open(package: &str) -> Result<Self, Problem> {
        match Bundle::running()? {
            Some(bundle) => Ok(Self::Bundle(Arc::new(bundle))),
            None => Ok(Self::Workspace(Workspace::discover(".", package).await?)),
        }
    }

    /// Returns the fingerprints of all functions, built with these settings.
    ///
    /// # Errors
    /// A source cannot be read, or the bundle has none built so.
    pub(crate) fn fingerprints(&self, settings: &BuildSettings) -> Result<Fingerprints, Problem> {
        let fingerprints = match self {
            Self::Workspace(workspace) => fingerprints_of(workspace, settings)?,
            Self::Bundle(bundle) => bundle.fingerprints(settings)?,
        };
        Ok(fingerprints.into_iter().collect())
    }

    /// Returns the commit that the sources are of, or were of when they were bundled.
    pub(crate) async fn release(&self) -> Option<String> {
        match self {
            Self::Workspace(workspace) => workspace.release().await,
            Self::Bundle(bundle) => bundle.release().map(str::to_owned),
        }
    }

    /// Tells whether the sources come after a commit, or are of it. Nothing where that is not known.
    pub(crate) async fn descend_from(&self, commit: &str) -> Option<bool> {
        match self {
            Self::Workspace(workspace) => descends_from(workspace.root(), commit).await,
            Self::Bundle(bundle) => bundle.descends_from(commit),
        }
    }

    /// Tells whether the functions are compiled, and not only taken out of the bundle.
    pub(crate) fn compile(&self) -> bool {
        matches!(self, Self::Workspace(_))
    }

    /// Builds the functions `names`, or takes them out of the bundle. Dropping the future ends
    /// the build.
    ///
    /// # Errors
    /// They cannot be built, or their sources are not those that were planned with any more; or
    /// the bundle does not have them, or is damaged.
    pub(crate) async fn build(
        &self,
        names: &[String],
        settings: &BuildSettings,
        planned: &Fingerprints,
        on_event: &(dyn Fn(BuildEvent) + Sync),
    ) -> Result<BTreeMap<String, Package>, Problem> {
        match self {
            Self::Workspace(workspace) => {
                let packages = workspace.build(names, settings, on_event).await?;
                // The plan, and the tags that follow from it, are about what was fingerprinted.
                for name in names {
                    if workspace.fingerprint(name, settings)? != planned.of(name) {
                        return Err(BundleError::SourcesChanged.into());
                    }
                }
                Ok(packages)
            }
            Self::Bundle(bundle) => {
                let (bundle, names, settings) = (bundle.clone(), names.to_vec(), settings.clone());
                let read = tokio::task::spawn_blocking(move || bundle.packages(&names, &settings)).await;
                Ok(read.expect("reading does not panic")?)
            }
        }
    }
}

/// Returns the fingerprints of all functions of a workspace.
///
/// # Errors
/// A source cannot be read.
fn fingerprints_of(
    workspace: &Workspace,
    settings: &BuildSettings,
) -> Result<BTreeMap<String, String>, Problem> {
    let functions = workspace.functions().map(str::to_owned).collect::<Vec<_>>().into_iter();
    let fingerprints = functions.map(|name| {
        let fingerprint = workspace.fingerprint(&name, settings)?;
        Ok((name, fingerprint))
    });
    fingerprints.collect()
}

impl From<BundleError> for Problem {
    fn from(error: BundleError) -> Self {
        let exit = if error.is_usage() { Exit::USAGE } else { Exit::ERROR };
        Self { hint: error.hint(), exit, ..Self::caused(&error) }
    }
}
