//! Environment files: numbers, switches and where things live, never names of resources.
//!
//! A file is refused as a whole, with file, line and hint, before anything is looked at.

mod alarms;
mod arn;
mod error;
mod extends;
mod org;
mod tag;
mod value;

use std::path::{Path, PathBuf};

use serde::Deserialize;

pub use alarms::Alarms;
use engine::scope::Scope;
pub use error::EnvironmentError;
pub use org::{Kms, Org};
pub use value::{AccountId, Between, Region, RetentionDays};

use self::extends::{Chain, Read};
use crate::build::{BuildSettings, Method};
use aws::composites::LambdaDefaults;

/// One environment: what its file says.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Environment {
    /// The file's name without its ending.
    #[serde(skip)]
    pub name: String,
    /// The environment whose file holds what this one's does not.
    pub extends: Option<String>,
    /// The region of everything.
    pub region: Region,
    /// The account, which the credentials have to be of.
    pub account: AccountId,
    /// Whether `down` wants the name typed back.
    #[serde(default)]
    pub protect: bool,
    /// How the functions are built.
    #[serde(default)]
    pub build: BuildSettings,
    /// What all functions have in common.
    #[serde(default)]
    pub functions: Functions,
    /// Capacity and safety of the tables.
    #[serde(default)]
    pub table: Table,
    /// Capacity of the Kinesis streams.
    #[serde(default)]
    pub stream: Stream,
    /// Who hears of alarms.
    #[serde(default)]
    pub alarms: Alarms,
    /// What an organisation demands of everything in its accounts.
    #[serde(default)]
    pub org: Org,
    /// For an environment in a local cloud, which the deployer starts by itself.
    pub local: Option<Local>,
}

/// What all functions have in common.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Functions {
    /// Memory in MB; the share of a processor grows with it.
    pub memory_mb: Between<128, 10_240>,
    /// The longest invocation, in seconds.
    pub timeout_s: Between<1, 900>,
    /// Days that log lines are kept.
    pub log_retention_days: RetentionDays,
}

impl Default for Functions {
    fn default() -> Self {
        Self {
            memory_mb: Between::of(256),
            timeout_s: Between::of(30),
            log_retention_days: RetentionDays::of(14),
        }
    }
}

/// Capacity and safety of the tables. Capacity is on demand.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Table {
    /// Days that the table can be restored to any second of; absent means not at all.
    pub point_in_time_recovery_days: Option<Between<1, 35>>,
    /// Whether AWS itself refuses to delete the table.
    pub deletion_protection: bool,
}

/// Capacity of the Kinesis streams.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Stream {
    /// Provisioned shards: 1 MB/s or 1,000 records a second each.
    pub shards: Between<1, 200>,
    /// Hours that records are kept for consumers that lag behind.
    pub retention_hours: Between<24, 8_760>,
}

impl Default for Stream {
    fn default() -> Self {
        Self { shards: Between::of(1), retention_hours: Between::of(24) }
    }
}

/// The local cloud of an environment that needs no account.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Local {
    /// The port on loopback.
    pub port: Between<1, 65_535>,
}

impl Environment {
    /// Reads `<folder>/<name>.toml`, and what it extends.
    ///
    /// # Errors
    /// There is no such file, or it says something that is not understood or not allowed.
    pub fn load(folder: &Path, name: &str) -> Result<Self, EnvironmentError> {
        Self::read(folder, name, &|path| std::fs::read_to_string(path))
    }

    /// Reads an environment from wherever `read` takes its files.
    pub(crate) fn read(folder: &Path, name: &str, read: Read<'_>) -> Result<Self, EnvironmentError> {
        value::check_name(name)?;
        let chain = Chain::read(folder, name, read)?;
        let merged = toml::de::Deserializer::from(chain.merged()?);
        let environment = Self::deserialize(merged).map_err(|error| chain.wrong(&error))?;
        let environment = Self { name: name.to_owned(), ..environment };
        let misfit = environment.org.misfit(&environment);
        match misfit.or_else(|| environment.alarms.misfit(&environment)) {
            Some((span, message)) => Err(chain.invalid(Some(span), message)),
            None => Ok(environment),
        }
    }

    /// Refuses functions that could not run: those built for this very machine run in a cloud
    /// on it, be it the one of a `[local]` table or the one behind an endpoint of the caller's.
    ///
    /// # Errors
    /// They would go to AWS.
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

    /// Returns what all Lambdas of the environment have in common.
    pub fn lambda_defaults(&self) -> LambdaDefaults {
        LambdaDefaults {
            architecture: self.build.architecture.to_string(),
            memory_mb: self.functions.memory_mb.get(),
            timeout_s: self.functions.timeout_s.get(),
            log_retention_days: self.functions.log_retention_days.get(),
            log_key: self.org.kms.logs(),
            variables_key: self.org.kms.functions(),
            permissions_boundary: self.org.permissions_boundary(),
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
