//! The source of the functions: a workspace that is built, or the running bundle. A bundle never reads source
//! files. A stack without functions has only the commit of its checkout.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use super::error::BundleError;
use super::read::Bundle;
use crate::build::{self, BuildEvent, BuildSettings, FunctionsPackage, Workspace, descends_from};
use crate::exit::{Exit, Problem};
use aws::{Fingerprints, Package};

/// The folder of the checkout, for a stack without functions.
const HERE: &str = ".";

/// The functions, from source or from a bundle.
#[derive(Debug, Clone)]
pub(crate) enum Sources {
    /// A workspace, whose functions are compiled.
    Workspace(Workspace),
    /// A bundle, which contains the functions.
    Bundle(Arc<Bundle>),
    /// No functions.
    None,
}

impl Sources {
    /// Returns the running bundle, or the workspace around the current folder with this package, or nothing for
    /// a stack without functions. Compiles nothing.
    ///
    /// # Errors
    /// Returns an error if the bundle is damaged, or if the current folder is not in the cargo workspace of
    /// the functions.
    pub(crate) async fn open(functions: Option<FunctionsPackage>) -> Result<Self, Problem> {
        match (Bundle::running()?, functions) {
            (Some(bundle), _) => Ok(Self::Bundle(Arc::new(bundle))),
            (None, Some(functions)) => Ok(Self::Workspace(Workspace::discover(HERE, functions).await?)),
            (None, None) => Ok(Self::None),
        }
    }

    /// Returns the fingerprints of all functions, built with these settings.
    ///
    /// # Errors
    /// Returns an error if a source cannot be read, or if the bundle has no functions with these settings.
    pub(crate) fn fingerprints(&self, settings: &BuildSettings) -> Result<Fingerprints, Problem> {
        let fingerprints = match self {
            Self::Workspace(workspace) => fingerprints_of(workspace, settings)?,
            Self::Bundle(bundle) => bundle.fingerprints(settings)?,
            Self::None => BTreeMap::new(),
        };
        Ok(fingerprints.into_iter().collect())
    }

    /// Returns the commit of the sources; for a bundle, the commit at its creation.
    pub(crate) async fn release(&self) -> Option<String> {
        match self {
            Self::Workspace(workspace) => workspace.release().await,
            Self::Bundle(bundle) => bundle.release().map(str::to_owned),
            Self::None => build::release(Path::new(HERE)).await,
        }
    }

    /// Returns the files of the functions that changed since a release, as far as git knows. A bundle does not
    /// know.
    pub(crate) async fn changed_since(&self, release: &str) -> BTreeSet<String> {
        match self {
            Self::Workspace(workspace) => workspace.changed_since(release).await,
            Self::Bundle(_) | Self::None => BTreeSet::new(),
        }
    }

    /// Returns whether the sources are at a commit or a descendant of it, or `None` if that is not known.
    pub(crate) async fn descend_from(&self, commit: &str) -> Option<bool> {
        match self {
            Self::Workspace(workspace) => descends_from(workspace.root(), commit).await,
            Self::Bundle(bundle) => bundle.descends_from(commit),
            Self::None => descends_from(Path::new(HERE), commit).await,
        }
    }

    /// Returns whether the functions are compiled, not read from a bundle.
    pub(crate) fn compile(&self) -> bool {
        matches!(self, Self::Workspace(_))
    }

    /// Builds the functions `names`, or reads them from the bundle. Dropping the future ends the build.
    ///
    /// # Errors
    /// Returns an error if they cannot be built, if their sources changed since they were planned, or if the
    /// bundle does not have them or is damaged.
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
                // The plan and the tags contain the planned fingerprints.
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
            Self::None => Ok(BTreeMap::new()),
        }
    }
}

/// Returns the fingerprints of all functions of a workspace.
///
/// # Errors
/// Returns an error if a source cannot be read.
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
