//! The options of every command, and the environment files that they select.
//!
//! It knows folders and bundles; it must not know what a command does with an environment.

use std::path::{Path, PathBuf};

use crate::app::App;
use crate::bundle::Bundle;
use crate::environment::Environment;
use crate::exit::Problem;

/// The folder of the environment files without `--environments`.
const DEFAULT_FOLDER: &str = "environments";

/// The folder that errors name for the environment files of a bundle.
const IN_BUNDLE: &str = "bundle";

/// What every command understands.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Global {
    /// Read environment files from this folder [default: environments; in a bundle, its own copies]
    #[arg(long, global = true, value_name = "DIR", env = "DEPLOYER_ENVIRONMENTS")]
    pub(crate) environments: Option<PathBuf>,
    /// Write every call to AWS to this file, one JSON line each
    #[arg(long, global = true, value_name = "FILE", help_heading = "Debugging")]
    pub(crate) record_calls: Option<PathBuf>,
}

impl Global {
    /// Returns the folder of the environment files.
    pub(crate) fn folder(&self) -> &Path {
        self.environments.as_deref().unwrap_or(Path::new(DEFAULT_FOLDER))
    }

    /// Reads an environment from the folder of `--environments`. Without that option, a bundle reads its own
    /// files, and any other program reads the default folder.
    ///
    /// # Errors
    /// Fails if the environment does not exist or its file has mistakes, or if the bundle is damaged or not
    /// for this environment.
    pub(crate) fn environment(&self, name: &str, app: &App) -> Result<Environment, Problem> {
        if self.environments.is_none()
            && let Some(bundle) = Bundle::running()?
        {
            bundle.check_environment(name)?;
            let read = |path: &Path| bundle.environment_file(path);
            return Ok(Environment::read(Path::new(IN_BUNDLE), name, app.settings, &read)?);
        }
        Ok(Environment::load(self.folder(), name, app.settings)?)
    }
}
