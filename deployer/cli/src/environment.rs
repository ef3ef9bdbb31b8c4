//! Environment files: account, Region, numbers and switches, but no names of resources.
//!
//! All mistakes of a file are reported at once, with their places, before any call to AWS.

mod alarms;
mod app_settings;
mod arn;
mod error;
mod extends;
mod function_mistakes;
mod function_values;
mod functions;
mod mistakes;
mod org;
mod tag;
mod value;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

pub use alarms::Alarms;
pub use app_settings::AppSettings;
pub use arn::Arn;
use engine::scope::Scope;
pub use error::EnvironmentError;
pub(crate) use function_mistakes::FunctionMistakes;
pub use function_values::{ApplicationLogLevel, LogFormat, SystemLogLevel, Tracing};
pub use functions::{FunctionSettings, Functions};
pub use org::{Kms, Org};
pub use value::{AccountId, Between, Region, RetentionDays};

use self::extends::{Chain, Read};
use crate::build::{BuildSettings, Method};
#[cfg(feature = "pipeline")]
use aws::composites::EventPipelineSettings;
use aws::composites::LambdaDefaults;

/// One environment: the contents of its file.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Environment {
    /// The file's name without `.toml`.
    #[serde(skip)]
    pub name: String,
    /// The environment that keys are inherited from.
    pub extends: Option<String>,
    /// The Region of all resources.
    pub region: Region,
    /// The account; credentials of other accounts are refused.
    pub account: AccountId,
    /// Whether `down` requires the environment's name as confirmation.
    #[serde(default)]
    pub protect: bool,
    /// How the functions are built.
    #[serde(default)]
    pub build: BuildSettings,
    /// The settings of all functions.
    #[serde(default)]
    pub functions: Functions,
    /// Capacity and safety of the tables.
    #[serde(default)]
    pub table: Table,
    /// Capacity of the Kinesis streams.
    #[serde(default)]
    pub stream: Stream,
    /// The receivers of alarms.
    #[serde(default)]
    pub alarms: Alarms,
    /// The requirements of an organisation for all resources in its accounts.
    #[serde(default)]
    pub org: Org,
    /// The application's own settings; see [`Environment::app`].
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, serde_json::Value>")]
    app: toml::Table,
    /// The local cloud, if the environment is in one; the deployer starts it.
    pub local: Option<Local>,
    /// The files that it was read from, for mistakes that only the stack shows.
    #[serde(skip)]
    files: Arc<Chain>,
}

/// Capacity and safety of the tables. Capacity is on demand.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Table {
    /// How many days back the tables can be restored to any second; absent disables this.
    pub point_in_time_recovery_days: Option<Between<1, 35>>,
    /// Whether AWS refuses to delete the tables.
    pub deletion_protection: bool,
}

/// Capacity of the Kinesis streams.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Stream {
    /// Who chooses the number of shards.
    pub mode: StreamMode,
    /// Provisioned shards: 1 MB/s or 1,000 records a second each. Only used in the mode `provisioned`.
    pub shards: Between<1, 200>,
    /// How many hours records are kept for consumers that lag.
    pub retention_hours: Between<24, 8_760>,
}

impl Default for Stream {
    fn default() -> Self {
        Self { mode: StreamMode::Provisioned, shards: Between::of(1), retention_hours: Between::of(24) }
    }
}

impl Stream {
    /// Returns the number of provisioned shards, or nothing in on-demand mode.
    pub fn provisioned_shards(&self) -> Option<i32> {
        match self.mode {
            StreamMode::Provisioned => Some(self.shards.get()),
            StreamMode::OnDemand => None,
        }
    }
}

/// Who chooses the number of shards of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StreamMode {
    /// The key `shards` does, and each shard is billed by the hour.
    Provisioned,
    /// AWS does, by the traffic, which is billed by the amount.
    OnDemand,
}

/// A local cloud, which needs no AWS account.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Local {
    /// The port on loopback.
    pub port: Between<1, 65_535>,
}

impl Environment {
    /// Reads `<folder>/<name>.toml` and the files that it extends.
    ///
    /// # Errors
    /// Fails if the file does not exist, or if it or a file that it extends has mistakes.
    pub fn load(folder: &Path, name: &str, settings: AppSettings) -> Result<Self, EnvironmentError> {
        Self::read(folder, name, settings, &|path| std::fs::read_to_string(path))
    }

    /// Reads an environment with a function that reads its files.
    pub(crate) fn read(
        folder: &Path,
        name: &str,
        settings: AppSettings,
        read: Read<'_>,
    ) -> Result<Self, EnvironmentError> {
        value::check_name(name).map_err(|error| error.with_likely(known(folder)))?;
        let chain = Arc::new(Chain::read(folder, name, read)?);
        let merged = chain.merged()?;
        let of_app = settings.mistakes(&merged);
        let environment = mistakes::environment(&merged)
            .map_err(|mistakes| chain.invalid(&[mistakes, of_app.clone()].concat()))?;
        let environment = Self { name: name.to_owned(), files: Arc::clone(&chain), ..environment };
        let mut mistakes = of_app;
        mistakes.extend(environment.org.mistakes(&environment));
        mistakes.extend(environment.alarms.mistakes(&environment));
        mistakes.extend(environment.functions.mistakes(&environment));
        if mistakes.is_empty() { Ok(environment) } else { Err(chain.invalid(&mistakes)) }
    }

    /// Refuses the build method `host` for AWS: functions that are built for this machine run only on this
    /// machine, in the local cloud or behind the caller's own endpoint.
    ///
    /// # Errors
    /// Fails if the functions would be deployed to AWS.
    pub(crate) fn check_method(&self, own_endpoint: bool) -> Result<(), EnvironmentError> {
        if self.build.method == Method::Host && self.local.is_none() && !own_endpoint {
            Err(EnvironmentError::HostOnAws { name: self.name.clone() })
        } else {
            Ok(())
        }
    }

    /// Returns the scope of this stack in the environment.
    pub fn scope(&self, stack: &str) -> Scope {
        Scope {
            stack: stack.to_owned(),
            environment: self.name.clone(),
            account: self.account.to_string(),
            region: self.region.to_string(),
            extra_tags: self.org.tags(),
        }
    }

    /// Returns the settings of the event pipeline.
    #[cfg(feature = "pipeline")]
    pub fn event_pipeline(&self) -> EventPipelineSettings {
        EventPipelineSettings {
            point_in_time_recovery_days: self.table.point_in_time_recovery_days.map(Between::get),
            deletion_protection: self.table.deletion_protection,
            shards: self.stream.provisioned_shards(),
            retention_hours: self.stream.retention_hours.get(),
            tls_only: self.local.is_none(),
            table_keys: self.org.kms.table(),
            stream_keys: self.org.kms.stream(),
            bucket_keys: self.org.kms.bucket(),
        }
    }

    /// Returns the settings of all functions of the environment.
    pub fn lambda_defaults(&self) -> LambdaDefaults {
        LambdaDefaults {
            architecture: self.build.architecture.to_string(),
            log_key: self.org.kms.logs(),
            variables_key: self.org.kms.functions(),
            permissions_boundary: self.org.permissions_boundary(),
            settings: self.functions.of_all(),
            overrides: self.functions.of_each(),
        }
    }
}

/// Returns the names of the environments in a folder.
pub(crate) fn known(folder: &Path) -> Vec<String> {
    let files: Vec<PathBuf> =
        std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    let toml = files.iter().filter(|path| path.extension().is_some_and(|ending| ending == "toml"));
    let mut names: Vec<String> =
        toml.filter_map(|path| path.file_stem()).map(|stem| stem.to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[cfg(test)]
mod tests;
